/*
 * A thread's memory for one series at a time: a stack of doubles, reserved once before the work and reused from
 * series to series, so that no method allocates. Taking more than was reserved is a programmer error and asserts;
 * workspace_need() is the one place that knows how much a series can use.
 */
#ifndef FORECAST_WORKSPACE_H
#define FORECAST_WORKSPACE_H

#include "forecast/forecast.h"

struct forecast_workspace {
	double *base;
	size_t cap, used; /* doubles */
};

/* Makes room for at least count doubles and empties the stack. False without memory. */
bool workspace_reserve(struct forecast_workspace *ws, size_t count);

/* The doubles that forecasting count values with the longest period and horizon given can use at once. */
size_t workspace_need(size_t count, size_t period, size_t horizon);

/* count doubles, uninitialised, aligned to 32 bytes, valid until the mark before them is released. */
double *workspace_take(struct forecast_workspace *ws, size_t count);

/* count doubles set to zero. */
double *workspace_take_zero(struct forecast_workspace *ws, size_t count);

static inline size_t
workspace_mark(const struct forecast_workspace *ws)
{
	return ws->used;
}

static inline void
workspace_release(struct forecast_workspace *ws, size_t mark)
{
	ws->used = mark;
}

#endif
