/*
 * What happens to a series before any method sees it: refusal of bad input, trimming of gaps at both ends, filling
 * of gaps inside, and scaling by a power of two, so that methods work on complete series of absolute values up to 1
 * and results of a series scaled by a power of two are the same bits.
 */
#ifndef FORECAST_PREPARE_H
#define FORECAST_PREPARE_H

#include "forecast/workspace.h"

struct prepared {
	double *y; /* count values, complete, |y| <= 1 */
	size_t count;
	size_t observed; /* values that were not gaps */
	size_t skip;	 /* gaps in front that were cut off */
	size_t lead;	 /* gaps at the end: the first step asked is lead + 1 steps after y[count - 1] */
	double scale;	 /* value = y * scale, a power of two */
	bool constant;
	bool any_negative;
	bool whole;	   /* all values are whole numbers */
	double zero_share; /* of the observed values */
};

/* Refuses what forecast.h calls bad in the series. */
enum forecast_code series_check(const struct forecast_series *series, struct forecast_error *error);

/* Refuses bad options: horizon, levels, method. */
enum forecast_code options_check(const struct forecast_options *options, struct forecast_error *error);

/* Fills *out; y is taken from ws and stays there. period guides the filling of gaps (1: none). */
void series_prepare(struct forecast_workspace *ws, const struct forecast_series *series, size_t period,
	struct prepared *out);

/* Sets *error (when not NULL) and returns code. */
enum forecast_code forecast_fail(
	struct forecast_error *error, enum forecast_code code, size_t position, const char *text);

#endif
