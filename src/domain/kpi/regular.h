/*
 * A KPI's series as statistics want it: equally spaced at one calendar interval, the unfinished last period apart; an interval without
 * values is 0 where values add up and a gap (NaN) elsewhere. Both
 * analytics and predictions look at a KPI through it.
 */
#ifndef KPI_REGULAR_H
#define KPI_REGULAR_H

#include "domain/kpi/value.h"
#include "forecast/forecast.h"

/* The longest history looked at: four years of days, so that the answer's time is bounded whatever was recorded. */
#define REGULAR_POINTS_MAX 1500

struct regular_series {
	enum period interval;
	struct date first;		 /* start of values[0] */
	double *values;			 /* oldest first; NaN: a gap */
	size_t count, known;		 /* known: intervals with values */
	bool has_partial;		 /* the last interval has begun but its last day is not there yet */
	double partial;			 /* its figure so far; it is not among values */
	struct date as_of;		 /* day of the latest value */
	const struct kpi_series *points; /* the figures behind it, the partial one included */
};

/*
 * Reads the series up to today (or until). interval NULL: the finest one at which at least half of the intervals have values; days
 * before since are left out when has_since.
 */
struct regular_query {
	const enum period *interval;
	bool has_since, has_until;
	struct date since, until;
};
struct err *regular_read(struct res_ctx *c, const struct kpi *k, const struct regular_query *q,
	struct regular_series *out) MUST_USE;
/* The start of the interval that is steps after the last of values (1: the next one). */
struct date regular_step(const struct regular_series *s, size_t steps);
/* As the forecasting library takes it. */
struct forecast_series regular_forecast_series(const struct kpi *k, const struct regular_series *s);

#endif
