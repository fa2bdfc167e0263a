/*
 * Estimating and applying the effects of holidays on a prepared daily series; the public side is holidays.h.
 */
#ifndef FORECAST_HOLIDAY_EFFECTS_H
#define FORECAST_HOLIDAY_EFFECTS_H

#include "forecast/holidays.h"
#include "forecast/member.h"
#include "forecast/prepare.h"

struct holiday_effects {
	double log_effect[HOLIDAY_MAX_KINDS];
};

/* Estimates the effects; false (and all effects 0) when the series is too short or not positive. */
bool holiday_effects_fit(struct forecast_workspace *ws, const struct forecast_holidays *holidays,
	const struct prepared *p, struct holiday_effects *effects);

/* Divides the n values of y, the first of which is at index skip of the series, by the effects. */
void holiday_effects_remove(const struct holiday_effects *effects, const struct forecast_holidays *holidays, size_t skip,
	double *y, size_t n);

/* Multiplies the h steps of path, the first of which is at index first of the series, by the effects. */
void holiday_effects_restore(const struct holiday_effects *effects, const struct forecast_holidays *holidays,
	size_t first, struct member_path *path, size_t h);

#endif
