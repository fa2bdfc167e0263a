/*
 * Seasonal tests and classical decomposition (see season.h). The moving average runs as an updated sum, so a
 * decomposition costs the same for every period.
 */
#include "forecast/season.h"

#include "forecast/numeric.h"

#include <math.h>
#include <string.h>

enum {
	MAX_LAGS = 400 /* that season_score looks at: of longer periods every so many-th */
};

void
autocorrelations(const double *y, size_t n, size_t lags, double *r)
{
	double mean = numeric_mean(y, n), c0 = 0;
	for (size_t i = 0; i < n; i++)
		c0 += (y[i] - mean) * (y[i] - mean);
	r[0] = 1;
	for (size_t k = 1; k <= lags; k++) {
		double c = 0;
		for (size_t i = k; i < n; i++)
			c += (y[i] - mean) * (y[i - k] - mean);
		r[k] = c0 > 0 ? c / c0 : 0;
	}
}

/* The autocorrelation at one lag; variance is Σ (y − mean)². */
static double
autocorrelation(const double *y, size_t n, size_t lag, double mean, double variance)
{
	double c = 0;
	for (size_t i = lag; i < n; i++)
		c += (y[i] - mean) * (y[i - lag] - mean);
	return c / variance;
}

double
season_score(const double *y, size_t n, size_t m)
{
	if (m < 2 || n <= m)
		return 0;
	double mean = numeric_mean(y, n), variance = 0, sum = 0;
	for (size_t i = 0; i < n; i++)
		variance += (y[i] - mean) * (y[i] - mean);
	if (!(variance > 0))
		return 0;
	size_t stride = (m + MAX_LAGS - 1) / MAX_LAGS;
	for (size_t k = 1; k < m; k += stride) {
		double r = autocorrelation(y, n, k, mean, variance);
		sum += r * r * (double)stride;
	}
	return fabs(autocorrelation(y, n, m, mean, variance)) / sqrt((1 + 2 * sum) / (double)n);
}

bool
all_positive(const double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(y[i] > 0))
			return false;
	return true;
}

static bool
none_negative(const double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (y[i] < 0)
			return false;
	return true;
}

/* Centred moving average of order m (weights halved at both ends when m is even) at index i, m/2 <= i < n - m/2. */
static void
moving_average(const double *y, size_t n, size_t m, double *average)
{
	size_t half = m / 2;
	double sum = 0;
	for (size_t i = 0; i < m; i++)
		sum += y[i];
	for (size_t i = half; i + half < n; i++) {
		double centred = m % 2 ? sum : sum + (y[i + half] - y[i - half]) / 2;
		average[i] = centred / (double)m;
		if (i + half + 1 < n)
			sum += m % 2 ? y[i + half + 1] - y[i - half] : y[i + half] - y[i - half];
	}
}

bool
classical_figure(struct forecast_workspace *ws, const double *y, size_t n, size_t m, enum season_kind kind,
	double *figure)
{
	if (m < 2 || n < 2 * m)
		return false;
	size_t mark = workspace_mark(ws), half = m / 2;
	double *average = workspace_take(ws, n), *counts = workspace_take_zero(ws, m), total = 0;
	moving_average(y, n, m, average);
	memset(figure, 0, m * sizeof *figure);
	for (size_t i = half; i + half < n; i++) {
		figure[i % m] += kind == SEASON_ADDITIVE ? y[i] - average[i] : y[i] / average[i];
		counts[i % m] += 1;
	}
	for (size_t p = 0; p < m; p++) {
		figure[p] /= counts[p];
		total += figure[p];
	}
	workspace_release(ws, mark);
	bool good = isfinite(total);
	for (size_t p = 0; p < m; p++) {
		if (kind == SEASON_ADDITIVE)
			figure[p] -= total / (double)m;
		else
			figure[p] /= total / (double)m;
		good = good && isfinite(figure[p]) && (kind == SEASON_ADDITIVE || figure[p] > 0);
	}
	return good;
}

void
season_remove(
	const double *y, size_t n, const double *figure, size_t m, enum season_kind kind, double *adjusted)
{
	for (size_t i = 0, phase = 0; i < n; i++) {
		adjusted[i] = kind == SEASON_ADDITIVE ? y[i] - figure[phase] : y[i] / figure[phase];
		phase = phase + 1 == m ? 0 : phase + 1;
	}
}

enum season_kind
season_adjust(struct forecast_workspace *ws, const double *y, size_t n, size_t m, struct season_rule rule,
	double *figure, double *adjusted)
{
	memcpy(adjusted, y, n * sizeof *y);
	if (m < 2 || n < rule.least * m || n < 2 * m || !(season_score(y, n, m) > rule.limit))
		return SEASON_NONE;
	enum season_kind kind = SEASON_MULTIPLICATIVE;
	bool ratio = rule.multiplicative ? none_negative(y, n) : all_positive(y, n);
	if (!ratio || !classical_figure(ws, y, n, m, kind, figure)) {
		kind = SEASON_ADDITIVE;
		if (!classical_figure(ws, y, n, m, kind, figure))
			return SEASON_NONE;
	}
	season_remove(y, n, figure, m, kind, adjusted);
	return kind;
}

void
season_restore(
	enum season_kind kind, const double *figure, size_t m, size_t n, size_t h, double *mean, double *sd)
{
	if (kind == SEASON_NONE)
		return;
	for (size_t i = 0; i < h; i++) {
		double s = figure[(n + i) % m];
		if (kind == SEASON_ADDITIVE) {
			mean[i] += s;
		} else {
			mean[i] *= s;
			sd[i] *= s;
		}
	}
}
