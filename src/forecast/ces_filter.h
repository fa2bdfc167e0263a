/*
 * The recursions of complex exponential smoothing for four parameter sets at once, one vector lane each: the search
 * in ces.c needs derivatives and several trial steps, and the lanes cost little more than one set would.
 */
#ifndef FORECAST_CES_FILTER_H
#define FORECAST_CES_FILTER_H

#include "forecast/ces.h"

enum { CES_LANES = 4 };

typedef double ces_lanes __attribute__((vector_size(CES_LANES * sizeof(double))));

struct ces_filter {
	const double *y;
	size_t n, m;
	enum ces_type type;
	double level;	      /* first level */
	const double *figure; /* m seasonal figures, full type only */
	ces_lanes *ring;      /* rings of level and season states, 2 × m entries each */
	ces_lanes parameters[CES_PARAMETERS];
};

/* The lag of the first pair. */
static inline size_t
ces_lag(const struct ces_filter *filter)
{
	return filter->type == CES_SIMPLE ? filter->m : 1;
}

/* Forward, backward and forward again; the states stay in the ring as they are after the last value. squares
 * receives those of the last pass; errors, when not NULL, its n one-step errors. */
void ces_filter_run(struct ces_filter *filter, ces_lanes *errors, ces_lanes *squares);

/* The next mean of lane 0: moves the states one step on without an error. step counts from 0 after the last value. */
double ces_filter_next(struct ces_filter *filter, size_t step);

#endif
