/*
 * The calibrated distribution of a forecast. At each step the value is mean + sd · g(z) with z standard normal; g is
 * an increasing function, linear between a few knots, which replaces the normal quantiles by those found on many real
 * series (calibration.c). Counts with many zeros have their own distribution: a list of values with probabilities.
 */
#ifndef FORECAST_DISTRIBUTION_H
#define FORECAST_DISTRIBUTION_H

#include "forecast/forecast.h"

enum {
	DISTRIBUTION_KNOTS = 5 /* normal quantiles of 50, 80, 90, 95 and 99 % intervals */
};

extern const double distribution_z[DISTRIBUTION_KNOTS];

/* |u| at the knots, above and below the mean. */
struct quantile_shape {
	double upper[DISTRIBUTION_KNOTS];
	double lower[DISTRIBUTION_KNOTS];
};

struct forecast_distribution {
	size_t horizon;
	const double *mean, *sd;
	struct quantile_shape shape;
	/* support_count > 0: a discrete distribution, the same at every step, instead of mean and sd. */
	const double *support, *cumulative;
	size_t support_count;
	bool non_negative, integer;
};

/* The shape whose quantiles are the normal ones. */
struct quantile_shape shape_normal(void);

/* g(z) and its inverse. */
double shape_apply(const struct quantile_shape *shape, double z);
double shape_invert(const struct quantile_shape *shape, double u);

/* The p-quantile at step, before rounding and clipping of any kind when raw. */
double distribution_quantile(const struct forecast_distribution *d, size_t step, double p);

/* The value of a standard normal draw z at step: what simulated paths use. */
double distribution_value(const struct forecast_distribution *d, size_t step, double z);

/* Probability of a value < x, or <= x when inclusive. */
double distribution_below(const struct forecast_distribution *d, size_t step, double x, bool inclusive);

#endif
