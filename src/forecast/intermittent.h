/*
 * Methods for demand with many zeros, and the distribution of such counts.
 */
#ifndef FORECAST_INTERMITTENT_H
#define FORECAST_INTERMITTENT_H

#include "forecast/member.h"

/* Croston (1972), Syntetos & Boylan's correction (2005), Teunter, Syntetos & Babai (2011) with optimised parameters,
 * ADIDA (Nikolopoulos et al. 2011) and IMAPA (Petropoulos & Kourentzes 2015). All means are the same at every step.
 * They need one value above zero and none below. */
member_method croston_forecast, sba_forecast, tsb_forecast, adida_forecast, imapa_forecast;

/* What the default uses for such series: the mean of TSB and IMAPA. */
member_method intermittent_forecast;

/* True for the methods above: their quantiles are those of a count distribution. */
bool intermittent_is(member_method *run);

/*
 * The distribution of one value with mean `mean`: zero, or one of the demands seen, recent ones more likely. Fills
 * support and cumulative (both taken from ws, count_max = values above zero + 1) and returns how many there are.
 */
size_t intermittent_distribution(struct forecast_workspace *ws, const struct member_task *task, double mean,
	double **support, double **cumulative);

#endif
