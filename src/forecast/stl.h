/*
 * Seasonal-trend decomposition by loess (Cleveland et al. 1990) for one or several periods (MSTL: the periods in
 * ascending order, each decomposed from the series without the others, twice).
 */
#ifndef FORECAST_STL_H
#define FORECAST_STL_H

#include "forecast/workspace.h"

struct stl_options {
	size_t season_window; /* odd, >= 7; 0: periodic, one figure for the whole series */
	bool robust;	      /* outliers get little weight; costs several times as much */
};

struct stl_parts {
	double *season; /* n values each, provided by the caller */
	double *trend;
	double *remainder;
};

/* Decomposes y of n >= 2m values. False when it is shorter. */
bool stl_decompose(struct forecast_workspace *ws, const double *y, size_t n, size_t m,
	struct stl_options options, struct stl_parts *parts);

/* Several periods: seasons[k] of n values for each; trend and remainder as above. Periods the series is too short
 * for get a season of zero. */
bool mstl_decompose(struct forecast_workspace *ws, const double *y, size_t n, const size_t *periods,
	size_t count, double *const *seasons, double *trend, double *remainder);

#endif
