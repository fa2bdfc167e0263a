/*
 * Quantiles and probabilities of a result (see distribution.h). Beyond the last knot g continues with the slope of
 * the last piece, between −z₁ and z₁ it is the line through zero. Whole-number series round a quantile away from the
 * median, so that an interval never gets narrower by rounding.
 */
#include "forecast/distribution.h"

#include "forecast/numeric.h"

#include <math.h>

const double distribution_z[DISTRIBUTION_KNOTS] = { 0.6744897501960817, 1.2815515655446004,
	1.6448536269514722, 1.959963984540054, 2.5758293035489004 };

struct quantile_shape
shape_normal(void)
{
	struct quantile_shape shape;
	for (int i = 0; i < DISTRIBUTION_KNOTS; i++)
		shape.upper[i] = shape.lower[i] = distribution_z[i];
	return shape;
}

/* Linear interpolation of ys over xs (both start after an implicit 0, 0), extended with the last slope. */
static double
interpolate(const double *xs, const double *ys, double x)
{
	double x0 = 0, y0 = 0;
	int i = 0;
	for (; i < DISTRIBUTION_KNOTS - 1 && x > xs[i]; i++) {
		x0 = xs[i];
		y0 = ys[i];
	}
	return y0 + (x - x0) * (ys[i] - y0) / (xs[i] - x0);
}

double
shape_apply(const struct quantile_shape *shape, double z)
{
	return z >= 0 ? interpolate(distribution_z, shape->upper, z)
		      : -interpolate(distribution_z, shape->lower, -z);
}

double
shape_invert(const struct quantile_shape *shape, double u)
{
	return u >= 0 ? interpolate(shape->upper, distribution_z, u)
		      : -interpolate(shape->lower, distribution_z, -u);
}

static double
clip(const struct forecast_distribution *d, double x)
{
	return d->non_negative && !(x > 0) ? 0 : x;
}

static double
support_quantile(const struct forecast_distribution *d, double p)
{
	size_t low = 0, high = d->support_count - 1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (d->cumulative[middle] >= p)
			high = middle;
		else
			low = middle + 1;
	}
	return d->support[low];
}

static double
round_outwards(double x, double side)
{
	if (side > 0)
		return ceil(x - 1e-9 * fabs(x));
	return side < 0 ? floor(x + 1e-9 * fabs(x)) : round(x);
}

double
distribution_quantile(const struct forecast_distribution *d, size_t step, double p)
{
	if (d->support_count > 0)
		return clip(d, support_quantile(d, p));
	double x = clip(d, d->mean[step] + d->sd[step] * shape_apply(&d->shape, normal_quantile(p)));
	return d->integer ? round_outwards(x, p - 0.5) : x;
}

double
distribution_value(const struct forecast_distribution *d, size_t step, double z)
{
	if (d->support_count > 0)
		return clip(d, support_quantile(d, normal_cdf(z)));
	double x = clip(d, d->mean[step] + d->sd[step] * shape_apply(&d->shape, z));
	return d->integer ? round(x) : x;
}

static double
support_below(const struct forecast_distribution *d, double x, bool inclusive)
{
	double below = 0;
	for (size_t i = 0; i < d->support_count; i++) {
		double v = clip(d, d->support[i]);
		if (v > x || (v == x && !inclusive))
			break;
		below = d->cumulative[i];
	}
	return below;
}

double
distribution_below(const struct forecast_distribution *d, size_t step, double x, bool inclusive)
{
	if (d->support_count > 0)
		return support_below(d, x, inclusive);
	if (d->non_negative && (x < 0 || (x == 0 && !inclusive)))
		return 0;
	if (d->integer)
		x = inclusive ? floor(x) + 0.5 : ceil(x) - 0.5;
	double above = x - d->mean[step];
	if (!(d->sd[step] > 0))
		return above > 0 || (above == 0 && inclusive) ? 1 : 0;
	return normal_cdf(shape_invert(&d->shape, above / d->sd[step]));
}

double
forecast_quantile(const struct forecast_result *result, size_t step, double p)
{
	if (step >= result->horizon || !(p > 0 && p < 1))
		return NAN;
	return distribution_quantile(result->distribution, step, p);
}

double
forecast_probability(
	const struct forecast_result *result, size_t step, double target, enum forecast_direction direction)
{
	if (step >= result->horizon || isnan(target))
		return NAN;
	bool at_least = direction == FORECAST_AT_LEAST;
	double below = distribution_below(result->distribution, step, target, !at_least);
	return at_least ? 1 - below : below;
}
