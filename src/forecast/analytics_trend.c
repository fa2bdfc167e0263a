/*
 * Theil–Sen slope and Mann–Kendall test. The variance of Kendall's S is corrected for serial correlation as Hamed &
 * Rao (1998) do, from the autocorrelation of the ranks of the detrended values, and never made smaller than that of
 * independent values: claiming a trend that is not there costs more than missing a weak one.
 */
#include "forecast/analytics.h"
#include "forecast/numeric.h"
#include "forecast/prepare.h"
#include "forecast/season.h"

#include <math.h>
#include <string.h>

enum { MAX_POINTS = 600, LEAST_POINTS = 4 };

/* What the slope is taken from: positions and values of the known points, ascending. */
struct points {
	double *at, *value;
	size_t count;
	double step; /* series steps between two points */
};

/* The series without its season (when it has one) at its known values, summed up when there are many. */
static void
points_collect(struct forecast_workspace *ws, const struct forecast_series *series, const struct prepared *p,
	struct points *out)
{
	size_t m = analytics_period(series), n = p->count, block = (n + MAX_POINTS - 1) / MAX_POINTS;
	double *figure = workspace_take(ws, m), *adjusted = workspace_take(ws, n);
	memcpy(adjusted, p->y, n * sizeof *adjusted);
	if (m > 1 && classical_figure(ws, p->y, n, m, SEASON_ADDITIVE, figure))
		season_remove(p->y, n, figure, m, SEASON_ADDITIVE, adjusted);
	out->at = workspace_take(ws, MAX_POINTS);
	out->value = workspace_take(ws, MAX_POINTS);
	out->count = 0;
	out->step = (double)block;
	for (size_t i = 0; i < n; i += block) {
		double at = 0, value = 0, known = 0;
		for (size_t k = i; k < i + block && k < n; k++)
			if (!isnan(series->values[p->skip + k])) {
				at += (double)(p->skip + k);
				value += adjusted[k];
				known++;
			}
		if (known > 0) {
			out->at[out->count] = at / known;
			out->value[out->count++] = value / known;
		}
	}
}

/* All pairwise slopes; returns their number and Kendall's S. */
static size_t
slopes_fill(const struct points *p, double *slopes, double *kendall)
{
	size_t count = 0;
	double s = 0;
	for (size_t i = 0; i < p->count; i++)
		for (size_t k = i + 1; k < p->count; k++) {
			double d = p->value[k] - p->value[i];
			s += (d > 0) - (d < 0);
			slopes[count++] = d / (p->at[k] - p->at[i]);
		}
	*kendall = s;
	return count;
}

/* Average ranks of x in rank; sorted is scratch. */
static void
ranks_fill(const double *x, size_t n, double *sorted, double *rank)
{
	memcpy(sorted, x, n * sizeof *x);
	numeric_sort(sorted, n);
	for (size_t i = 0; i < n; i++) {
		size_t low = 0, high = n;
		while (low < high) {
			size_t middle = (low + high) / 2;
			if (sorted[middle] < x[i])
				low = middle + 1;
			else
				high = middle;
		}
		size_t end = low;
		while (end < n && sorted[end] == x[i])
			end++;
		rank[i] = (double)(low + end - 1) / 2;
	}
}

/* Variance of S for the number and ties of the values. */
static double
kendall_variance(struct forecast_workspace *ws, const struct points *p)
{
	size_t mark = workspace_mark(ws);
	double n = (double)p->count, variance = n * (n - 1) * (2 * n + 5);
	double *sorted = workspace_take(ws, p->count);
	memcpy(sorted, p->value, p->count * sizeof *sorted);
	numeric_sort(sorted, p->count);
	for (size_t i = 0; i < p->count;) {
		size_t end = i;
		while (end < p->count && sorted[end] == sorted[i])
			end++;
		double t = (double)(end - i);
		variance -= t * (t - 1) * (2 * t + 5);
		i = end;
	}
	workspace_release(ws, mark);
	return variance / 18;
}

/* How many times larger serial correlation makes the variance of S, at least 1. */
static double
serial_factor(struct forecast_workspace *ws, const struct points *p, double slope)
{
	size_t mark = workspace_mark(ws), n = p->count, lags = n / 4;
	double *detrended = workspace_take(ws, n), *rank = workspace_take(ws, n),
	       *scratch = workspace_take(ws, n);
	double *r = workspace_take(ws, lags + 1), count = (double)n, sum = 0;
	for (size_t i = 0; i < n; i++)
		detrended[i] = p->value[i] - slope * p->at[i];
	ranks_fill(detrended, n, scratch, rank);
	autocorrelations(rank, n, lags, r);
	for (size_t k = 1; k <= lags; k++)
		if (fabs(r[k]) > 1.96 / sqrt(count)) {
			double left = (double)(n - k);
			sum += left * (left - 1) * (left - 2) * r[k];
		}
	workspace_release(ws, mark);
	return fmax(1, 1 + 2 * sum / (count * (count - 1) * (count - 2)));
}

static void
trend_fill(struct forecast_workspace *ws, const struct points *p, double scale, struct analytics_trend *trend)
{
	size_t pairs_cap = p->count * (p->count - 1) / 2;
	double *slopes = workspace_take(ws, pairs_cap), *rest = workspace_take(ws, p->count), kendall;
	size_t pairs = slopes_fill(p, slopes, &kendall);
	double slope = numeric_median(slopes, pairs), variance = kendall_variance(ws, p);
	double deviation = sqrt(fmax(variance, 0) * serial_factor(ws, p, slope));
	double z = deviation > 0 && kendall != 0 ? (fabs(kendall) - 1) / deviation : 0;
	double reach = 1.959963984540054 * deviation / 2, middle = (double)pairs / 2;
	size_t low = (size_t)fmax(0, floor(middle - reach));
	size_t high = (size_t)fmin((double)pairs - 1, ceil(middle + reach));
	trend->slope = slope * scale;
	trend->slope_low = numeric_select(slopes, pairs, low) * scale;
	trend->slope_high = numeric_select(slopes, pairs, high) * scale;
	trend->tau = kendall / (double)pairs;
	trend->p_value = 2 * normal_cdf(-z);
	for (size_t i = 0; i < p->count; i++)
		rest[i] = p->value[i] - slope * p->at[i];
	trend->intercept = numeric_median(rest, p->count) * scale;
	memcpy(rest, p->value, p->count * sizeof *rest);
	double median = fabs(numeric_median(rest, p->count)) * scale;
	trend->relative_slope = median > 0 ? trend->slope / median : NAN;
	if (trend->p_value < 0.05)
		trend->direction = kendall > 0 ? ANALYTICS_RISING : ANALYTICS_FALLING;
}

enum forecast_code
analytics_trend(
	const struct forecast_series *series, struct analytics_trend *trend, struct forecast_error *error)
{
	enum forecast_code code = series_check(series, error);
	if (code != FORECAST_OK)
		return code;
	struct forecast_workspace *ws = forecast_workspace_new();
	size_t need =
		workspace_need(series->count, analytics_period(series), 1) + MAX_POINTS * MAX_POINTS / 2;
	if (!ws || !workspace_reserve(ws, need)) {
		forecast_workspace_free(ws);
		return forecast_fail(error, FORECAST_NO_MEMORY, 0, "out of memory for the trend");
	}
	struct prepared prepared;
	struct points points = { 0 };
	*trend = (struct analytics_trend){ .direction = ANALYTICS_FLAT, .p_value = 1, .relative_slope = NAN };
	series_prepare(ws, series, analytics_period(series), &prepared);
	if (prepared.observed >= LEAST_POINTS) {
		points_collect(ws, series, &prepared, &points);
		trend->enough = points.count >= LEAST_POINTS;
	}
	if (trend->enough)
		trend_fill(ws, &points, prepared.scale, trend);
	forecast_workspace_free(ws);
	return FORECAST_OK;
}
