/*
 * The Theta method (Assimakopoulos & Nikolopoulos 2000) in its equivalent form, simple exponential smoothing with
 * half the slope of the trend line as drift (Hyndman & Billah 2003), on the series without its season. The first
 * level is concentrated out of the squares, so the search has one dimension.
 */
#include "forecast/member.h"
#include "forecast/numeric.h"
#include "forecast/season.h"

#include <math.h>

struct ses_search {
	const double *y;
	size_t n;
	double first, squares; /* of the last evaluation: best first level and its sum of squares */
};

/* Sum of squared one-step errors of simple exponential smoothing at its best first level. */
static double
ses_squares(double alpha, void *context)
{
	struct ses_search *s = context;
	double origin = s->y[0], level = 0, weight = 1, saw = 0, sww = 0, saa = 0;
	for (size_t i = 0; i < s->n; i++) {
		double a = s->y[i] - origin - level;
		saa += a * a;
		saw += a * weight;
		sww += weight * weight;
		level += alpha * a;
		weight *= 1 - alpha;
	}
	s->first = origin + saw / sww;
	s->squares = fmax(saa - saw * saw / sww, 0);
	return s->squares;
}

/* The last level from the best first one. */
static double
ses_level(const struct ses_search *s, double alpha)
{
	double level = s->first;
	for (size_t i = 0; i < s->n; i++)
		level += alpha * (s->y[i] - level);
	return level;
}

static void
theta_line(const double *y, size_t n, struct member_path *path, size_t h)
{
	struct ses_search search = { .y = y, .n = n };
	struct scalar_search range = { .low = 1e-4, .high = 0.9999, .tolerance = 1e-5, .points = 9 };
	double alpha = numeric_minimise(ses_squares, &search, range), intercept, slope;
	(void)ses_squares(alpha, &search); /* for the first level */
	double level = ses_level(&search, alpha);
	numeric_line(y, n, &intercept, &slope);
	double drift = slope / 2, lag = (1 - pow(1 - alpha, (double)n)) / alpha;
	double sd = sqrt(search.squares / (double)(n > 2 ? n - 2 : 1));
	for (size_t i = 0; i < h; i++) {
		path->mean[i] = level + drift * ((double)i + lag);
		path->sd[i] = sd * sqrt(1 + (double)i * alpha * alpha);
	}
}

bool
theta_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	const struct season_rule rule = { .least = 2, .limit = 1.645, .multiplicative = true };
	size_t mark = workspace_mark(ws), n = task->n, m = task->m;
	double *figure = workspace_take(ws, m), *adjusted = workspace_take(ws, n);
	if (n < 3)
		return false;
	enum season_kind kind = season_adjust(ws, task->y, n, m, rule, figure, adjusted);
	theta_line(adjusted, n, path, task->h);
	season_restore(kind, figure, m, n, task->h, path->mean, path->sd);
	workspace_release(ws, mark);
	member_name(path, "theta");
	return true;
}
