/*
 * Strength of season and trend (Wang, Smith & Hyndman 2006): how much of the variance of the deseasonalised and the
 * detrended series the remainder of an STL decomposition leaves.
 */
#include "forecast/analytics.h"
#include "forecast/numeric.h"
#include "forecast/prepare.h"
#include "forecast/season.h"
#include "forecast/stl.h"

#include <math.h>
#include <string.h>

enum { LEAST_POINTS = 5 };

unsigned
analytics_period(const struct forecast_series *series)
{
	static const unsigned calendar[] = { [FORECAST_CALENDAR_UNKNOWN] = 1,
		[FORECAST_YEAR] = 1,
		[FORECAST_QUARTER] = 4,
		[FORECAST_MONTH] = 12,
		[FORECAST_WEEK] = 52,
		[FORECAST_DAY] = 7,
		[FORECAST_HOUR] = 24 };
	unsigned period = series->period_count ? series->periods[0] : calendar[series->calendar];
	return period > 1 && series->count >= 2 * (size_t)period ? period : 1;
}

static double
variance_of_sum(const double *a, const double *b, size_t n)
{
	double mean = 0, sum = 0;
	for (size_t i = 0; i < n; i++)
		mean += (a[i] + (b ? b[i] : 0)) / (double)n;
	for (size_t i = 0; i < n; i++) {
		double d = a[i] + (b ? b[i] : 0) - mean;
		sum += d * d;
	}
	return sum / (double)n;
}

static double
strength(const double *part, const double *remainder, size_t n)
{
	double whole = variance_of_sum(part, remainder, n);
	return whole > 0 ? fmax(0, 1 - variance_of_sum(remainder, NULL, n) / whole) : 0;
}

/* The last seasonal figure of each phase of the original indices. */
static void
profile_fill(const struct prepared *p, const double *seasonal, unsigned period, double *profile,
	struct analytics_season *out)
{
	for (unsigned k = 0; k < period; k++) {
		size_t i = p->count - 1 - k, phase = (p->skip + i) % period;
		double figure = seasonal[i] * p->scale;
		if (profile)
			profile[phase] = figure;
		if (k == 0 || figure > seasonal[p->count - 1 - (size_t)out->high] * p->scale)
			out->high = k;
		if (k == 0 || figure < seasonal[p->count - 1 - (size_t)out->low] * p->scale)
			out->low = k;
	}
	out->high = (p->skip + p->count - 1 - out->high) % period;
	out->low = (p->skip + p->count - 1 - out->low) % period;
}

static void
season_fill(struct forecast_workspace *ws, const struct prepared *p, struct analytics_season *season,
	double *profile)
{
	size_t n = p->count, cycles = n / season->period;
	struct stl_options options = { .season_window = cycles / 5 > 11 ? cycles / 5 : 11 };
	struct stl_parts parts = { workspace_take(ws, n), workspace_take(ws, n), workspace_take(ws, n) };
	if (!stl_decompose(ws, p->y, n, season->period, options, &parts))
		return;
	season->enough = true;
	season->strength = strength(parts.season, parts.remainder, n);
	season->trend_strength = strength(parts.trend, parts.remainder, n);
	season->significant = season_score(p->y, n, season->period) > 1.645;
	profile_fill(p, parts.season, season->period, profile, season);
}

enum forecast_code
analytics_season(const struct forecast_series *series, struct analytics_season *season, double *profile,
	struct forecast_error *error)
{
	enum forecast_code code = series_check(series, error);
	if (code != FORECAST_OK)
		return code;
	struct forecast_workspace *ws = forecast_workspace_new();
	unsigned period = analytics_period(series);
	if (!ws || !workspace_reserve(ws, workspace_need(series->count, period, 1))) {
		forecast_workspace_free(ws);
		return forecast_fail(error, FORECAST_NO_MEMORY, 0, "out of memory for the season");
	}
	struct prepared prepared;
	series_prepare(ws, series, period, &prepared);
	*season = (struct analytics_season){ .period = period };
	if (period > 1 && prepared.observed >= LEAST_POINTS && prepared.count >= 2 * (size_t)period)
		season_fill(ws, &prepared, season, profile);
	forecast_workspace_free(ws);
	return FORECAST_OK;
}
