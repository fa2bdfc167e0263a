/*
 * Values that do not fit: flagged when two views agree, the remainder of a robust STL decomposition and the one-step
 * residuals of the deseasonalised series in both directions of time (a jump that stays is far from one neighbour
 * only, an outlier from both). Positive series are looked at on a log scale, where the spread of business series is
 * about constant.
 */
#include "forecast/analytics.h"
#include "forecast/numeric.h"
#include "forecast/prepare.h"
#include "forecast/season.h"
#include "forecast/stl.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
	LEAST_POINTS = 8,
	HALF_WINDOW = 5 /* of the running median that stands for the trend where there is no season */
};

static const double default_sensitivity = 3.5;

/* The series as it is looked at, and its parts. */
struct view {
	double *z, *season, *trend, *remainder, *adjusted;
	size_t n;
	bool logarithmic;
};

static void
running_median(const double *z, size_t n, double *trend)
{
	for (size_t i = 0; i < n; i++) {
		double window[2 * HALF_WINDOW + 1];
		size_t from = i > HALF_WINDOW ? i - HALF_WINDOW : 0;
		size_t end = i + HALF_WINDOW + 1 < n ? i + HALF_WINDOW + 1 : n;
		memcpy(window, z + from, (end - from) * sizeof *window);
		trend[i] = numeric_median(window, end - from);
	}
}

static void
view_make(struct forecast_workspace *ws, const struct prepared *p, size_t m, struct view *v)
{
	size_t n = v->n = p->count;
	v->z = workspace_take(ws, n);
	v->season = workspace_take_zero(ws, n);
	v->trend = workspace_take(ws, n);
	v->remainder = workspace_take(ws, n);
	v->adjusted = workspace_take(ws, n);
	v->logarithmic = all_positive(p->y, n);
	for (size_t i = 0; i < n; i++)
		v->z[i] = v->logarithmic ? log(p->y[i]) : p->y[i];
	struct stl_options options = { .season_window = n / m / 5 > 11 ? n / m / 5 : 11, .robust = true };
	struct stl_parts parts = { v->season, v->trend, v->remainder };
	if (m < 2 || !stl_decompose(ws, v->z, n, m, options, &parts))
		running_median(v->z, n, v->trend);
	for (size_t i = 0; i < n; i++) {
		v->remainder[i] = v->z[i] - v->season[i] - v->trend[i];
		v->adjusted[i] = v->z[i] - v->season[i];
	}
}

/* Robust standard deviation of x about its median; scratch has n values. */
static double
robust_deviation(const double *x, size_t n, double *scratch)
{
	memcpy(scratch, x, n * sizeof *x);
	double middle = numeric_median(scratch, n);
	for (size_t i = 0; i < n; i++)
		scratch[i] = fabs(x[i] - middle);
	return 1.4826 * numeric_median(scratch, n);
}

/* Distance of value i from both neighbours, when they lie on the same side of it; at an end from the one there is. */
static double
spike(const double *x, size_t n, size_t i)
{
	double before = i > 0 ? x[i] - x[i - 1] : x[i] - x[i + 1],
	       after = i + 1 < n ? x[i] - x[i + 1] : before;
	if (before * after <= 0)
		return 0;
	return fabs(before) < fabs(after) ? before : after;
}

static void
anomalies_find(struct forecast_workspace *ws, const struct forecast_series *series, const struct prepared *p,
	double sensitivity, struct analytics_anomaly *anomalies, size_t capacity, size_t *count)
{
	struct view v;
	view_make(ws, p, analytics_period(series), &v);
	double *scratch = workspace_take(ws, v.n), *steps = workspace_take(ws, v.n);
	assert(v.n >= LEAST_POINTS); /* the caller has looked */
	for (size_t i = 0; i + 1 < v.n; i++)
		steps[i] = v.adjusted[i + 1] - v.adjusted[i];
	double floor_deviation = 1e-9 * (1 + fabs(numeric_mean(v.z, v.n)));
	double remainder = fmax(robust_deviation(v.remainder, v.n, scratch), floor_deviation);
	double step = fmax(robust_deviation(steps, v.n - 1, scratch), floor_deviation);
	for (size_t i = 0; i < v.n; i++) {
		double r = v.remainder[i] / remainder, s = spike(v.adjusted, v.n, i) / step;
		if (isnan(series->values[p->skip + i]) || r * s <= 0 || fmin(fabs(r), fabs(s)) < sensitivity)
			continue;
		if (*count < capacity) {
			double expected = v.season[i] + v.trend[i];
			anomalies[*count] = (struct analytics_anomaly){ .index = p->skip + i,
				.value = series->values[p->skip + i],
				.expected = (v.logarithmic ? exp(expected) : expected) * p->scale,
				.score = r };
		}
		(*count)++;
	}
}

enum forecast_code
analytics_anomalies(const struct forecast_series *series, double sensitivity,
	struct analytics_anomaly *anomalies, size_t capacity, size_t *count)
{
	enum forecast_code code = series_check(series, NULL);
	if (code != FORECAST_OK)
		return code;
	if (sensitivity != 0 && !(sensitivity >= 2 && sensitivity <= 20))
		return FORECAST_BAD_OPTION;
	struct forecast_workspace *ws = forecast_workspace_new();
	size_t period = analytics_period(series);
	if (!ws || !workspace_reserve(ws, workspace_need(series->count, period, 1))) {
		forecast_workspace_free(ws);
		return FORECAST_NO_MEMORY;
	}
	struct prepared prepared;
	series_prepare(ws, series, period, &prepared);
	*count = 0;
	if (prepared.count >= LEAST_POINTS && !prepared.constant)
		anomalies_find(ws, series, &prepared, sensitivity != 0 ? sensitivity : default_sensitivity,
			anomalies, capacity, count);
	forecast_workspace_free(ws);
	return FORECAST_OK;
}
