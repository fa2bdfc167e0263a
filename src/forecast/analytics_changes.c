/*
 * Change-points in the mean by PELT (Killick, Fearnhead & Eckley 2012): exact dynamic programming over the last change
 * before each point, with candidates dropped that can never become best. The noise variance is estimated from the
 * differences of neighbours, which a few jumps do not disturb.
 */
#include "forecast/analytics.h"
#include "forecast/numeric.h"
#include "forecast/prepare.h"
#include "forecast/season.h"

#include <math.h>
#include <string.h>

enum {
	LEAST_SEGMENT = 5,
	MAX_POINTS = 8000 /* in the worst case, no candidate ever dropped, the work is its square */
};

/* Prefix sums of values and squares. */
struct sums {
	const double *first, *second;
};

static double
segment_cost(struct sums s, size_t from, size_t to)
{
	double sum = s.first[to] - s.first[from], count = (double)(to - from);
	return fmax(0, s.second[to] - s.second[from] - sum * sum / count);
}

/* Fills previous[t]: where the last segment of the best partition of the first t values starts. */
static void
pelt(struct forecast_workspace *ws, struct sums s, size_t n, size_t least, double penalty, double *previous)
{
	size_t mark = workspace_mark(ws), count = 1;
	double *best = workspace_take(ws, n + 1), *candidates = workspace_take(ws, n + 1);
	best[0] = -penalty;
	candidates[0] = 0;
	for (size_t t = 1; t <= n; t++) {
		best[t] = INFINITY;
		previous[t] = 0;
		if (t < least)
			continue;
		for (size_t i = 0; i < count; i++) {
			size_t from = (size_t)candidates[i];
			double cost = best[from] + segment_cost(s, from, t) + penalty;
			if (cost < best[t]) {
				best[t] = cost;
				previous[t] = (double)from;
			}
		}
		size_t kept = 0;
		for (size_t i = 0; i < count; i++)
			if (best[(size_t)candidates[i]] + segment_cost(s, (size_t)candidates[i], t) <=
				best[t])
				candidates[kept++] = candidates[i];
		count = kept;
		if (t + 1 >= 2 * least) /* the next value may end a segment that starts here */
			candidates[count++] = (double)(t + 1 - least);
	}
	workspace_release(ws, mark);
}

static double
noise_variance(struct forecast_workspace *ws, const double *y, size_t n)
{
	size_t mark = workspace_mark(ws);
	double *d = workspace_take(ws, n), squares = 0;
	for (size_t i = 1; i < n; i++) {
		d[i - 1] = fabs(y[i] - y[i - 1]);
		squares += d[i - 1] * d[i - 1];
	}
	double deviation = 1.4826 * numeric_median(d, n - 1);
	workspace_release(ws, mark);
	/* More than half of the neighbours equal: the median says nothing. */
	return deviation > 0 ? deviation * deviation / 2 : squares / (double)(n - 1) / 2;
}

/* Reads the partition backwards; returns the number of changes and writes the first capacity of them in order. */
static size_t
changes_read(const double *previous, struct sums s, size_t n, double scale, struct analytics_change *changes,
	size_t capacity)
{
	size_t count = 0;
	for (size_t t = n; previous[t] > 0; t = (size_t)previous[t])
		count++;
	size_t index = count;
	for (size_t t = n; previous[t] > 0 && index-- > 0;) {
		size_t at = (size_t)previous[t], before = (size_t)previous[at];
		if (index < capacity)
			changes[index] = (struct analytics_change){ .index = at,
				.before = scale * (s.first[at] - s.first[before]) / (double)(at - before),
				.after = scale * (s.first[t] - s.first[at]) / (double)(t - at) };
		t = at;
	}
	return count;
}

static void
changes_find(struct forecast_workspace *ws, const struct prepared *p, size_t m,
	struct analytics_change *changes, size_t capacity, size_t *found)
{
	size_t block = (p->count + MAX_POINTS - 1) / MAX_POINTS, n = p->count / block;
	double *figure = workspace_take(ws, m), *adjusted = workspace_take(ws, p->count);
	memcpy(adjusted, p->y, p->count * sizeof *adjusted);
	if (m > 1 && classical_figure(ws, p->y, p->count, m, SEASON_ADDITIVE, figure))
		season_remove(p->y, p->count, figure, m, SEASON_ADDITIVE, adjusted);
	double *first = workspace_take(ws, n + 1), *second = workspace_take(ws, n + 1);
	double *previous = workspace_take(ws, n + 1), centre = numeric_mean(adjusted, p->count);
	first[0] = second[0] = 0;
	for (size_t i = 0; i < n; i++) {
		adjusted[i] = numeric_mean(adjusted + i * block, block) - centre;
		first[i + 1] = first[i] + adjusted[i];
		second[i + 1] = second[i] + adjusted[i] * adjusted[i];
	}
	size_t least = m / block > LEAST_SEGMENT ? m / block : LEAST_SEGMENT;
	double variance = noise_variance(ws, adjusted, n);
	if (n < 2 * least || !(variance > 0))
		return;
	struct sums s = { first, second };
	pelt(ws, s, n, least, 3 * log((double)n) * variance, previous);
	*found = changes_read(previous, s, n, p->scale, changes, capacity);
	for (size_t i = 0; i < *found && i < capacity; i++) {
		changes[i].index = p->skip + changes[i].index * block;
		changes[i].before += centre * p->scale;
		changes[i].after += centre * p->scale;
	}
}

enum forecast_code
analytics_changes(const struct forecast_series *series, struct analytics_change *changes, size_t capacity,
	size_t *count)
{
	enum forecast_code code = series_check(series, NULL);
	if (code != FORECAST_OK)
		return code;
	struct forecast_workspace *ws = forecast_workspace_new();
	size_t period = analytics_period(series);
	if (!ws || !workspace_reserve(ws, workspace_need(series->count, period, 1))) {
		forecast_workspace_free(ws);
		return FORECAST_NO_MEMORY;
	}
	struct prepared prepared;
	series_prepare(ws, series, period, &prepared);
	*count = 0;
	if (prepared.count >= 2 * LEAST_SEGMENT)
		changes_find(ws, &prepared, period, changes, capacity, count);
	forecast_workspace_free(ws);
	return FORECAST_OK;
}
