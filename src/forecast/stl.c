/*
 * STL (Cleveland, Cleveland, McRae & Terpenning 1990): an inner loop that smooths the cycle-subseries, takes a
 * low-pass of them away and smooths the deseasonalised series; an outer loop of bisquare weights when robust. Points
 * are equally spaced, so away from the ends and without robustness weights a local line at its own centre is the
 * same weighted mean everywhere: those weights are computed once for a window, which makes the smoother linear in
 * n with a small constant.
 */
#include "forecast/stl.h"

#include "forecast/numeric.h"

#include <math.h>
#include <string.h>

enum {
	INNER_LOOPS = 2,
	INNER_LOOPS_ROBUST = 1,
	OUTER_LOOPS_ROBUST = 15,
	MSTL_LOOPS = 2,
	DIRECT_WINDOW = 4096 /* longer windows are thinned: points between are interpolated */
};

/* A series to be smoothed: count points stride apart, with or without weights of the same stride. */
struct strided {
	const double *y, *weights;
	size_t count, stride;
	bool constant; /* a local mean instead of a local line */
};

static double
tricube(double u)
{
	double v = 1 - u * u * u;
	return v > 0 ? v * v * v : 0;
}

/* The local line at position x (which may lie one step outside the points), over points left … right. */
static double
local_line(struct strided s, double window, double x, size_t left, size_t right)
{
	double reach = fmax(x - (double)left, (double)right - x);
	if (window > (double)s.count)
		reach += (window - (double)s.count) / 2;
	double sw = 0, sx = 0, sy = 0;
	for (size_t j = left; j <= right; j++) {
		double distance = fabs((double)j - x),
		       w = distance <= 0.999 * reach ? tricube(distance / reach) : 0;
		w = distance <= 0.001 * reach ? 1 : w;
		w *= s.weights ? s.weights[j * s.stride] : 1;
		sw += w;
		sx += w * (double)j;
		sy += w * s.y[j * s.stride];
	}
	if (!(sw > 0))
		return NAN;
	if (s.constant)
		return sy / sw;
	double middle = sx / sw, sxx = 0, sxy = 0;
	for (size_t j = left; j <= right; j++) {
		double distance = fabs((double)j - x),
		       w = distance <= 0.999 * reach ? tricube(distance / reach) : 0;
		w = distance <= 0.001 * reach ? 1 : w;
		w *= s.weights ? s.weights[j * s.stride] : 1;
		double d = (double)j - middle;
		sxx += w * d * d;
		sxy += w * d * s.y[j * s.stride];
	}
	double level = sy / sw, span = (double)s.count - 1;
	return sqrt(sxx / sw) > 0.001 * span ? level + sxy / sxx * (x - middle) : level;
}

/* Weights of a full symmetric window of odd length, summing to 1. */
static void
window_weights(size_t window, double *weights)
{
	size_t half = window / 2;
	double reach = (double)half, sum = 0;
	for (size_t i = 0; i < window; i++) {
		double distance = fabs((double)i - reach);
		weights[i] = distance <= 0.001 * reach	 ? 1
			     : distance <= 0.999 * reach ? tricube(distance / reach)
							 : 0;
		sum += weights[i];
	}
	for (size_t i = 0; i < window; i++)
		weights[i] /= sum;
}

/* The smoothed value at point i. Without weights and with a whole window around i it is a plain weighted mean. */
static double
smooth_at(struct strided s, size_t window, const double *weights, size_t i)
{
	size_t half = window / 2;
	if (!s.weights && i >= half && i + half < s.count) {
		double sum = 0;
		const double *y = s.y + (i - half) * s.stride;
		for (size_t j = 0; j < window; j++)
			sum += weights[j] * y[j * s.stride];
		return sum;
	}
	size_t left = i > half ? i - half : 0, right;
	if (window >= s.count) {
		left = 0;
		right = s.count - 1;
	} else {
		left = left + window > s.count ? s.count - window : left;
		right = left + window - 1;
	}
	double fit = local_line(s, (double)window, (double)i, left, right);
	return isnan(fit) ? s.y[i * s.stride] : fit;
}

/* Loess of every point into out (of the same stride). Points between every jump-th are interpolated. */
static void
loess(struct forecast_workspace *ws, struct strided s, size_t window, double *out)
{
	size_t mark = workspace_mark(ws), jump = (window + 9) / 10;
	double *weights = workspace_take(ws, window);
	window_weights(window, weights);
	if (jump > s.count - 1)
		jump = s.count > 1 ? s.count - 1 : 1;
	size_t before = 0;
	out[0] = smooth_at(s, window, weights, 0);
	for (size_t i = 1; i < s.count; i++) {
		if (i % jump != 0 && i + 1 != s.count)
			continue;
		out[i * s.stride] = smooth_at(s, window, weights, i);
		for (size_t j = before + 1; j < i; j++) {
			double part = (double)(j - before) / (double)(i - before);
			out[j * s.stride] = out[before * s.stride] * (1 - part) + out[i * s.stride] * part;
		}
		before = i;
	}
	workspace_release(ws, mark);
}

/* Smooths each phase of series into cycle, which has m more values at both ends. */
static void
cycles_smooth(struct forecast_workspace *ws, const double *series, const double *weights, size_t n, size_t m,
	size_t window, double *cycle)
{
	for (size_t phase = 0; phase < m; phase++) {
		size_t count = (n - phase - 1) / m + 1;
		struct strided s = { series + phase, weights ? weights + phase : NULL, count, m, true };
		double *out = cycle + m + phase;
		loess(ws, s, window, out);
		size_t right = window < count ? window - 1 : count - 1,
		       left = window < count ? count - window : 0;
		double before = local_line(s, (double)window, -1, 0, right);
		double after = local_line(s, (double)window, (double)count, left, count - 1);
		cycle[phase] = isnan(before) ? out[0] : before;
		cycle[phase + (count + 1) * m] = isnan(after) ? out[(count - 1) * m] : after;
	}
}

/* Running mean of length m: out has length − m + 1 values. */
static size_t
running_mean(const double *x, size_t length, size_t m, double *out)
{
	double sum = 0;
	for (size_t i = 0; i < m; i++)
		sum += x[i];
	for (size_t i = 0;; i++) {
		out[i] = sum / (double)m;
		if (i + m >= length)
			return length - m + 1;
		sum += x[i + m] - x[i];
	}
}

static size_t
odd_at_least(double x)
{
	size_t window = (size_t)ceil(x);
	return window % 2 ? window : window + 1;
}

/* Everything one decomposition works with. */
struct stl_run {
	const double *y;
	size_t n, m, season_window, trend_window, low_window;
	double *season, *trend, *weights; /* weights: NULL without robustness */
	double *detrended, *cycle, *low, *spare;
};

static void
inner_loop(struct forecast_workspace *ws, struct stl_run *run)
{
	size_t n = run->n, m = run->m, length = n + 2 * m;
	for (size_t i = 0; i < n; i++)
		run->detrended[i] = run->y[i] - run->trend[i];
	cycles_smooth(ws, run->detrended, run->weights, n, m, run->season_window, run->cycle);
	length = running_mean(run->cycle, length, m, run->low);
	length = running_mean(run->low, length, m, run->spare);
	length = running_mean(run->spare, length, 3, run->low);
	loess(ws, (struct strided){ run->low, NULL, n, 1, false }, run->low_window, run->spare);
	for (size_t i = 0; i < n; i++) {
		run->season[i] = run->cycle[m + i] - run->spare[i];
		run->detrended[i] = run->y[i] - run->season[i];
	}
	loess(ws, (struct strided){ run->detrended, run->weights, n, 1, false }, run->trend_window,
		run->trend);
}

/* Bisquare weights of the remainder. */
static void
robust_weights(struct stl_run *run)
{
	size_t n = run->n;
	for (size_t i = 0; i < n; i++)
		run->spare[i] = run->detrended[i] = fabs(run->y[i] - run->trend[i] - run->season[i]);
	double limit = 6 * numeric_median(run->spare, n);
	for (size_t i = 0; i < n; i++) {
		double r = run->detrended[i];
		double u = limit > 0 ? r / limit : 0, v = 1 - u * u;
		run->weights[i] = r <= 0.001 * limit ? 1 : r <= 0.999 * limit ? v * v : 0;
	}
}

/* A periodic season: the mean of each phase. */
static void
season_level(struct stl_run *run)
{
	for (size_t phase = 0; phase < run->m; phase++) {
		double sum = 0, count = 0;
		for (size_t i = phase; i < run->n; i += run->m, count++)
			sum += run->season[i];
		for (size_t i = phase; i < run->n; i += run->m)
			run->season[i] = sum / count;
	}
}

bool
stl_decompose(struct forecast_workspace *ws, const double *y, size_t n, size_t m, struct stl_options options,
	struct stl_parts *parts)
{
	if (m < 2 || n < 2 * m)
		return false;
	size_t mark = workspace_mark(ws), wide = n + 2 * m;
	bool periodic = options.season_window == 0;
	size_t season_window = periodic ? 10 * n + 1 : options.season_window | 1;
	struct stl_run run = { .y = y,
		.n = n,
		.m = m,
		.season_window = periodic ? odd_at_least((double)(10 * (n / m + 2))) : season_window,
		.trend_window = odd_at_least(1.5 * (double)m / (1 - 1.5 / (double)season_window)),
		.low_window = odd_at_least((double)m),
		.season = parts->season,
		.trend = parts->trend,
		.detrended = workspace_take(ws, n),
		.cycle = workspace_take(ws, wide),
		.low = workspace_take(ws, wide),
		.spare = workspace_take(ws, wide) };
	double *weights = options.robust ? workspace_take(ws, n) : NULL;
	memset(run.trend, 0, n * sizeof *run.trend);
	for (int outer = 0; outer <= (options.robust ? OUTER_LOOPS_ROBUST : 0); outer++) {
		for (int inner = 0; inner < (options.robust ? INNER_LOOPS_ROBUST : INNER_LOOPS); inner++)
			inner_loop(ws, &run);
		run.weights = weights;
		if (weights)
			robust_weights(&run);
	}
	if (periodic)
		season_level(&run);
	for (size_t i = 0; i < n; i++)
		parts->remainder[i] = y[i] - run.season[i] - run.trend[i];
	workspace_release(ws, mark);
	return true;
}

/* The more cycles there are, the slower the season may change: a fifth of them, at least 7, or 11 with several
 * periods, where a flexible short season would take what belongs to a longer one. */
static size_t
season_window(size_t cycles, size_t periods)
{
	size_t least = periods > 1 ? 11 : 7;
	return cycles / 5 > least ? cycles / 5 : least;
}

bool
mstl_decompose(struct forecast_workspace *ws, const double *y, size_t n, const size_t *periods, size_t count,
	double *const *seasons, double *trend, double *remainder)
{
	size_t mark = workspace_mark(ws);
	double *rest = workspace_take(ws, n);
	bool any = false;
	memcpy(rest, y, n * sizeof *y);
	for (size_t k = 0; k < count; k++)
		memset(seasons[k], 0, n * sizeof(double));
	for (int loop = 0; loop < (count > 1 ? MSTL_LOOPS : 1); loop++)
		for (size_t k = 0; k < count; k++) {
			struct stl_options options = { .season_window =
							       season_window(n / periods[k], count) };
			struct stl_parts parts = { seasons[k], trend, remainder };
			for (size_t i = 0; i < n; i++)
				rest[i] += seasons[k][i];
			if (!stl_decompose(ws, rest, n, periods[k], options, &parts))
				continue;
			any = true;
			for (size_t i = 0; i < n; i++)
				rest[i] -= seasons[k][i];
		}
	if (any)
		for (size_t i = 0; i < n; i++)
			remainder[i] = rest[i] - trend[i];
	workspace_release(ws, mark);
	return any;
}
