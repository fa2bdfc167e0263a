/*
 * Checks, trims, fills and scales a series (see prepare.h). A gap becomes the median of the nearest known values of
 * the same phase, two before and two after it, so that a trend cancels; without a season it lies on the line between
 * its known neighbours.
 */
#include "forecast/prepare.h"

#include "forecast/numeric.h"

#include <math.h>
#include <string.h>

enum {
	NEIGHBOURS = 2,	    /* of the same phase, on each side of a gap */
	NEIGHBOUR_REACH = 4 /* periods to look for them */
};

enum forecast_code
forecast_fail(struct forecast_error *error, enum forecast_code code, size_t position, const char *text)
{
	if (error) {
		size_t length = strnlen(text, sizeof error->text - 1);
		error->code = code;
		error->position = position;
		memcpy(error->text, text, length);
		error->text[length] = '\0';
	}
	return code;
}

static enum forecast_code
periods_check(const struct forecast_series *series, struct forecast_error *error)
{
	if (series->period_count > FORECAST_MAX_PERIODS)
		return forecast_fail(error, FORECAST_BAD_PERIOD, 0, "more than 3 seasonal periods");
	for (unsigned i = 0; i < series->period_count; i++) {
		unsigned period = series->periods[i];
		if (period == 0)
			return forecast_fail(
				error, FORECAST_BAD_PERIOD, i, "a seasonal period must be at least 1");
		if (period > 1 && period > series->count)
			return forecast_fail(error, FORECAST_BAD_PERIOD, i,
				"a seasonal period must not be larger than the number of values");
		for (unsigned j = 0; j < i; j++)
			if (series->periods[j] == period)
				return forecast_fail(
					error, FORECAST_BAD_PERIOD, i, "a seasonal period is given twice");
	}
	return FORECAST_OK;
}

enum forecast_code
series_check(const struct forecast_series *series, struct forecast_error *error)
{
	if (series->count > FORECAST_MAX_COUNT)
		return forecast_fail(error, FORECAST_BAD_COUNT, 0, "more than 1,000,000 values");
	for (size_t i = 0; i < series->count; i++)
		if (!isnan(series->values[i]) && !(fabs(series->values[i]) <= FORECAST_MAX_ABS))
			return forecast_fail(error, FORECAST_BAD_VALUE, i,
				"a value is infinite or its absolute value above 1e120");
	return periods_check(series, error);
}

enum forecast_code
options_check(const struct forecast_options *options, struct forecast_error *error)
{
	if (options->horizon == 0 || options->horizon > FORECAST_MAX_HORIZON)
		return forecast_fail(error, FORECAST_BAD_HORIZON, 0, "the horizon must be 1 to 10,000 steps");
	if (options->levels && options->level_count > FORECAST_MAX_LEVELS)
		return forecast_fail(error, FORECAST_BAD_LEVEL, 0, "more than 16 interval levels");
	for (size_t i = 0; options->levels && i < options->level_count; i++)
		if (!(options->levels[i] > 0 && options->levels[i] < 100))
			return forecast_fail(error, FORECAST_BAD_LEVEL, i,
				"an interval level must lie between 0 and 100 per cent");
	if (options->method && !forecast_method_exists(options->method))
		return forecast_fail(
			error, FORECAST_BAD_METHOD, 0, "there is no forecasting method of that name");
	return FORECAST_OK;
}

/* The median of the known values of the phase of index i near it; NaN when there are none. */
static double
phase_median(const double *values, size_t count, size_t i, size_t period)
{
	double near[2 * NEIGHBOURS];
	size_t found = 0;
	for (size_t k = 1, taken = 0; k <= NEIGHBOUR_REACH && taken < NEIGHBOURS && k * period <= i; k++)
		if (!isnan(values[i - k * period])) {
			near[found++] = values[i - k * period];
			taken++;
		}
	for (size_t k = 1, taken = 0; k <= NEIGHBOUR_REACH && taken < NEIGHBOURS && i + k * period < count;
		k++)
		if (!isnan(values[i + k * period])) {
			near[found++] = values[i + k * period];
			taken++;
		}
	return found ? numeric_median(near, found) : NAN;
}

/* Fills the gaps of y, whose two ends are known, from the original values. */
static void
gaps_fill(const double *values, double *y, size_t count, size_t period)
{
	size_t known = 0;
	for (size_t i = 1; i < count; i++) {
		if (isnan(values[i]))
			continue;
		for (size_t g = known + 1; g < i; g++) {
			double seasonal = period > 1 ? phase_median(values, count, g, period) : NAN;
			double part = (double)(g - known) / (double)(i - known);
			double line = values[known] * (1 - part) + values[i] * part;
			y[g] = isnan(seasonal) ? line : seasonal;
		}
		known = i;
	}
}

static void
describe(const double *values, struct prepared *out)
{
	double least = INFINITY, most = -INFINITY, zeros = 0;
	out->whole = true;
	for (size_t i = 0; i < out->count; i++) {
		double v = values[i];
		if (isnan(v))
			continue;
		out->observed++;
		zeros += v == 0;
		least = fmin(least, v);
		most = fmax(most, v);
		out->whole = out->whole && v == floor(v);
	}
	out->zero_share = out->observed ? zeros / (double)out->observed : 0;
	out->any_negative = least < 0;
	out->constant = least == most;
	int exponent = 0;
	double size = fmax(fabs(least), fabs(most));
	if (out->observed && size > 0)
		(void)frexp(size, &exponent);
	out->scale = ldexp(1, exponent);
}

void
series_prepare(struct forecast_workspace *ws, const struct forecast_series *series, size_t period,
	struct prepared *out)
{
	const double *values = series->values;
	size_t first = 0, end = series->count;
	while (first < end && isnan(values[first]))
		first++;
	while (end > first && isnan(values[end - 1]))
		end--;
	*out = (struct prepared){
		.count = end - first, .skip = first, .lead = series->count - end, .scale = 1
	};
	double *y = workspace_take(ws, out->count);
	if (out->count > 0) {
		describe(values + first, out);
		memcpy(y, values + first, out->count * sizeof *y);
		gaps_fill(values + first, y, out->count, period);
		for (size_t i = 0; i < out->count; i++)
			y[i] /= out->scale;
	}
	out->y = y;
}
