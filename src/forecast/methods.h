/*
 * The table of methods by name, and how the default one is chosen for a series.
 */
#ifndef FORECAST_METHODS_H
#define FORECAST_METHODS_H

#include "forecast/distribution.h"
#include "forecast/member.h"
#include "forecast/prepare.h"

/* The seasonal periods in use for a series, ascending; count 0: none. */
struct season_plan {
	size_t count;
	size_t periods[FORECAST_MAX_PERIODS];
};

/* What a method is given, and what it answers beside the path. */
struct method_task {
	const struct prepared *prepared;
	enum forecast_calendar calendar;
	struct season_plan plan;
	size_t h; /* steps from the end of prepared->y */
};

struct method_answer {
	struct member_path path;
	struct quantile_shape shape;
	const char *reason;
	/* A discrete distribution instead of the path's deviations, in scaled units. */
	double *support, *cumulative;
	size_t support_count;
};

/* The periods of the series: those given, or the calendar's that the series is long enough for. */
struct season_plan season_plan_of(const struct forecast_series *series);

/* Runs the method of that name (NULL: default). A method that does not apply falls back to a simpler one with a
 * reason, so this always answers. */
void method_run(struct forecast_workspace *ws, const char *name, const struct method_task *task,
	struct method_answer *answer);

/* The task of a single method: the first period, all periods beside it. */
struct member_task member_task_of(const struct method_task *task);

/* The combination chosen by the kind of series (default.c). False when no member applies. */
bool default_forecast(
	struct forecast_workspace *ws, const struct method_task *task, struct method_answer *answer);

/* Series of 0 to 3 values, and the last resort of every method. Wide. */
void short_forecast(const struct method_task *task, struct method_answer *answer);

#endif
