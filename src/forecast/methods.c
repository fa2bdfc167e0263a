/*
 * Names of the methods and what they run. "default" decides by the series; every other name runs one method on the
 * first seasonal period that the series supports. A method that refuses is replaced by a simpler one and the result
 * says so, because a caller who asked for numbers is served better by honest wide ones than by an error.
 */
#include "forecast/methods.h"

#include "forecast/calibration.h"
#include "forecast/ets.h"
#include "forecast/intermittent.h"
#include "forecast/season.h"
#include "forecast/stl_forecast.h"

#include <math.h>
#include <string.h>

struct method {
	const char *name;
	member_method *run;
};

static const struct method methods[] = {
	{ "default", NULL },
	{ "naive", naive_forecast },
	{ "snaive", snaive_forecast },
	{ "naive2", naive2_forecast },
	{ "ses", ses_forecast },
	{ "holt", holt_forecast },
	{ "damped", damped_forecast },
	{ "theta", theta_forecast },
	{ "dotm", dotm_forecast },
	{ "ets", ets_forecast },
	{ "ces", ces_forecast },
	{ "stl", stl_forecast },
	{ "mstl", mstl_forecast },
	{ "croston", croston_forecast },
	{ "sba", sba_forecast },
	{ "tsb", tsb_forecast },
	{ "adida", adida_forecast },
	{ "imapa", imapa_forecast },
};

/* Share of zeros above which a series is intermittent demand. */
#define INTERMITTENT_SHARE 0.3

enum {
	METHOD_COUNT = sizeof methods / sizeof methods[0],
	SHORT_SERIES = 4 /* below this many values no method can judge its own errors */
};

const char *
forecast_method_name(size_t index)
{
	return index < METHOD_COUNT ? methods[index].name : NULL;
}

static const struct method *
method_find(const char *name)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

bool
forecast_method_exists(const char *name)
{
	return method_find(name) != NULL;
}

size_t
forecast_default_horizon(unsigned frequency)
{
	switch (frequency) {
	case 1:
		return 6;
	case 4:
		return 8;
	case 12:
		return 18;
	case 52:
		return 13;
	case 7:
		return 14;
	case 24:
		return 48;
	default:
		return 0;
	}
}

enum forecast_calendar
forecast_calendar_of(unsigned frequency)
{
	switch (frequency) {
	case 4:
		return FORECAST_QUARTER;
	case 12:
		return FORECAST_MONTH;
	case 52:
		return FORECAST_WEEK;
	case 7:
		return FORECAST_DAY;
	case 24:
		return FORECAST_HOUR;
	default:
		return FORECAST_CALENDAR_UNKNOWN;
	}
}

static struct season_plan
calendar_plan(enum forecast_calendar calendar)
{
	switch (calendar) {
	case FORECAST_QUARTER:
		return (struct season_plan){ 1, { 4 } };
	case FORECAST_MONTH:
		return (struct season_plan){ 1, { 12 } };
	case FORECAST_WEEK:
		return (struct season_plan){ 1, { 52 } };
	case FORECAST_DAY:
		return (struct season_plan){ 1, { 7 } };
	case FORECAST_HOUR:
		return (struct season_plan){ 2, { 24, 168 } };
	case FORECAST_YEAR:
	case FORECAST_CALENDAR_UNKNOWN:
		break;
	}
	return (struct season_plan){ 0 };
}

static void
plan_insert(struct season_plan *plan, size_t period)
{
	size_t at = plan->count++;
	for (; at > 0 && plan->periods[at - 1] > period; at--)
		plan->periods[at] = plan->periods[at - 1];
	plan->periods[at] = period;
}

struct season_plan
season_plan_of(const struct forecast_series *series)
{
	struct season_plan plan = { 0 }, wanted = calendar_plan(series->calendar);
	if (series->period_count > 0) {
		wanted.count = 0;
		for (unsigned i = 0; i < series->period_count; i++)
			if (series->periods[i] > 1)
				plan_insert(&wanted, series->periods[i]);
	}
	for (size_t i = 0; i < wanted.count; i++)
		if (series->count >= 2 * wanted.periods[i])
			plan.periods[plan.count++] = wanted.periods[i];
	return plan;
}

void
short_forecast(const struct method_task *task, struct method_answer *answer)
{
	const struct prepared *p = task->prepared;
	/* Typical relative change from one value to the next in real series, counted like two observed differences. */
	const double prior_weight = 2, prior_change = 0.35;
	double last = p->count ? p->y[p->count - 1] : 0, size = 0, squares = 0;
	for (size_t i = 0; i < p->count; i++) {
		size += fabs(p->y[i]) / (double)p->count;
		if (i > 0)
			squares += (p->y[i] - p->y[i - 1]) * (p->y[i] - p->y[i - 1]);
	}
	double prior = prior_weight * prior_change * prior_change * size * size;
	double differences = p->count > 1 ? (double)(p->count - 1) : 0;
	double sd = sqrt((squares + prior) / (differences + prior_weight));
	if (p->count == 0)
		sd = FORECAST_MAX_ABS;
	else if (size == 0)
		sd = 0.5 / p->scale;
	for (size_t i = 0; i < task->h; i++) {
		answer->path.mean[i] = last;
		answer->path.sd[i] = p->count ? sd * sqrt((double)(i + 1)) : sd;
	}
	member_name(&answer->path, "naive");
	answer->shape = shape_normal();
	answer->reason = p->count == 0
				 ? "the series has no value: nothing is known about it"
				 : "the series is too short for a model: its last value with a wide interval";
}

/*
 * All values equal: the value again. That it never changed in n values bounds the chance of a change in the next one
 * by about 3/n (the rule of three); the interval is that of changes of a tenth of the value, or of 1 for zeros.
 */
static void
constant_forecast(const struct method_task *task, struct method_answer *answer)
{
	const struct prepared *p = task->prepared;
	double size = p->y[0] != 0 ? 0.1 * fabs(p->y[0]) : 1 / p->scale,
	       sd = size * sqrt(1 / (double)p->observed);
	for (size_t i = 0; i < task->h; i++) {
		answer->path.mean[i] = p->y[0];
		answer->path.sd[i] = sd * sqrt((double)(i + 1));
	}
	member_name(&answer->path, "naive");
	answer->reason = "all values are equal";
}

struct member_task
member_task_of(const struct method_task *task)
{
	const struct prepared *p = task->prepared;
	return (struct member_task){ .y = p->y,
		.n = p->count,
		.m = task->plan.count ? task->plan.periods[0] : 1,
		.h = task->h,
		.periods = task->plan.periods,
		.period_count = task->plan.count };
}

void
method_run(struct forecast_workspace *ws, const char *name, const struct method_task *task,
	struct method_answer *answer)
{
	const struct method *method =
		method_find(name ? name : "default"); /* options_check has seen the name */
	const struct prepared *p = task->prepared;
	answer->reason = NULL;
	answer->support_count = 0;
	answer->shape = shape_normal();
	if (p->observed < SHORT_SERIES) {
		short_forecast(task, answer);
		return;
	}
	if (p->constant) {
		constant_forecast(task, answer);
		return;
	}
	struct member_task inner = member_task_of(task);
	member_method *run = method->run;
	if (!run && p->zero_share > INTERMITTENT_SHARE && !p->any_negative)
		run = intermittent_forecast;
	bool good = run ? run(ws, &inner, &answer->path) : default_forecast(ws, task, answer);
	if (good && intermittent_is(run))
		answer->support_count = intermittent_distribution(
			ws, &inner, answer->path.mean[0], &answer->support, &answer->cumulative);
	if (good) {
		answer->shape = calibration_shape(task->calendar, inner.m, p->count);
		return;
	}
	short_forecast(task, answer);
	answer->reason = "the method does not apply to this series: its last value with a wide interval";
}
