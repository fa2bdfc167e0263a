/*
 * What a KPI is going to be: forecasts with intervals for the next calendar intervals, the probability of reaching its target and when.
 * Without enough history the answer says why instead.
 */
#ifndef KPI_PREDICTION_H
#define KPI_PREDICTION_H

#include "domain/kpi/value.h"

#define PREDICTION_HORIZON_MAX 365
#define PREDICTION_VALUES_MIN  3 /* fewer say nothing about what comes */

struct prediction_point {
	struct date date; /* start of the interval */
	double value, lower_80, upper_80, lower_95, upper_95;
};
struct prediction {
	enum period interval;
	size_t horizon;
	struct str model;
	struct str reason; /* empty, or why there are no predictions or a simpler method */
	struct prediction_point *points;
	size_t count;
	/* The target of the window that the latest value falls in, or of the value itself where values do not add up. */
	bool has_target, has_total, has_expected_date;
	struct decimal target;
	struct date from, to;
	double probability;
	struct date expected_date; /* by which half of all futures that reach it have reached it */
	double total, total_lower, total_upper; /* of the window at its end, with its 95 % interval */
};

struct prediction_cache; /* prediction_cache.h; NULL: nothing is remembered */

/* horizon 1 … PREDICTION_HORIZON_MAX intervals; interval NULL: chosen by the series. */
struct err *kpi_predict(struct res_ctx *c, struct prediction_cache *cache, const struct kpi *k,
	size_t horizon, const enum period *interval, struct prediction *out) MUST_USE;

#endif
