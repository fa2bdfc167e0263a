/*
 * The dynamic optimised Theta model (Fiorucci et al. 2016). Given α, the one-step errors are linear in the first level
 * ℓ₀ and in w = 1 − 1/θ, so both come from a 2 × 2 least-squares system (w held in [0, 1], which is θ ≥ 1) and the
 * search is over α alone. The series is taken relative to its first value, which leaves the model unchanged and
 * keeps digits.
 */
#include "forecast/dotm.h"

#include "forecast/numeric.h"
#include "forecast/season.h"

#include <math.h>

/* The line through the values so far: A and B of the paper, and their mean. */
struct line {
	double intercept, slope, mean;
};

static inline void
line_extend(struct line *line, double i, double y)
{
	/* i values are in the line; y is value i + 1. */
	double mean = (i * line->mean + y) / (i + 1);
	line->slope = ((i - 1) * line->slope + 6 * (y - mean) / (i + 1)) / (i + 2);
	line->mean = mean;
	line->intercept = mean - line->slope * (i + 2) / 2;
}

struct dotm_search {
	const double *y;
	const double *intercepts, *slopes; /* the line after value i (from 1), at [i - 1] */
	size_t n;
	struct dotm_fit fit;
};

/* Sums of products of the residual at ℓ₀ = 0, w = 0 and of the two regressors. */
struct sums {
	double rr, rp, rg, pp, pg, gg;
};

static void
weights_solve(const struct sums *s, double scale, struct dotm_fit *fit)
{
	/* The tiny ridge only matters when the data do not determine ℓ₀ at all. */
	double pp = s->pp + 1e-12 * scale, gg = s->gg + 1e-300, determinant = pp * gg - s->pg * s->pg;
	double w = determinant > 1e-12 * pp * gg ? (pp * s->rg - s->pg * s->rp) / determinant : s->rg / gg;
	w = fmin(fmax(w, 0), 1);
	fit->weight = w;
	fit->level = (s->rp - w * s->pg) / pp;
	fit->squares = s->rr - 2 * fit->level * s->rp - 2 * w * s->rg + fit->level * fit->level * s->pp +
		       2 * w * fit->level * s->pg + w * w * s->gg;
	fit->squares = fmax(fit->squares, 0);
}

static double
dotm_squares(double alpha, void *context)
{
	struct dotm_search *d = context;
	struct sums s = { 0 };
	double origin = d->y[0], beta = 1 - alpha, level = 0, power = beta, inverse = 1 / alpha;
	for (size_t i = 1; i < d->n; i++) {
		/* power = (1 − α)^i; value i + 1 of the paper is y[i]. */
		double g = d->intercepts[i - 1] * power + d->slopes[i - 1] * (1 - power * beta) * inverse;
		double r = d->y[i] - origin - level;
		if (i >= 2) {
			s.rr += r * r;
			s.rp += r * power;
			s.rg += r * g;
			s.pp += power * power;
			s.pg += power * g;
			s.gg += g * g;
		}
		level += alpha * r;
		power *= beta;
	}
	weights_solve(&s, 1, &d->fit);
	d->fit.alpha = alpha;
	return d->fit.squares;
}

bool
dotm_estimate(struct forecast_workspace *ws, const double *y, size_t n, struct dotm_fit *fit)
{
	if (n < 4)
		return false;
	size_t mark = workspace_mark(ws);
	double *intercepts = workspace_take(ws, n), *slopes = workspace_take(ws, n);
	struct line line = { 0 };
	intercepts[0] = slopes[0] = 0;
	for (size_t i = 1; i < n; i++) {
		line_extend(&line, (double)i, y[i] - y[0]);
		intercepts[i] = line.intercept;
		slopes[i] = line.slope;
	}
	struct dotm_search search = { .y = y, .intercepts = intercepts, .slopes = slopes, .n = n };
	struct scalar_search range = { .low = 0.1, .high = 0.99, .tolerance = 1e-5, .points = 9 };
	double alpha = numeric_minimise(dotm_squares, &search, range);
	(void)dotm_squares(alpha, &search); /* for the weights */
	*fit = search.fit;
	workspace_release(ws, mark);
	return isfinite(fit->squares);
}

void
dotm_predict(const double *y, size_t n, const struct dotm_fit *fit, size_t h, double *mean)
{
	double alpha = fit->alpha, beta = 1 - alpha, level = fit->level, power = 1;
	struct line line = { 0 };
	for (size_t i = 0; i < n + h; i++) {
		double g = i == 0 ? 0 : line.intercept * power + line.slope * (1 - power * beta) / alpha;
		double mu = level + fit->weight * g, value = i < n ? y[i] - y[0] : mu;
		if (i >= n)
			mean[i - n] = mu + y[0];
		level = alpha * value + beta * level;
		if (i == 0)
			line = (struct line){ value, 0, value };
		else
			line_extend(&line, (double)i, value);
		power *= beta;
	}
}

/*
 * A shock ε moves the level by αε, and the slope of the line by 6ε / ((n + 1)(n + 2)), which w and the smoothing pass
 * on at every later step.
 */
static void
deviations(const struct dotm_fit *fit, size_t n, size_t h, double *sd)
{
	double variance = fit->squares / (double)(n > 5 ? n - 3 : 2), sum = 1;
	double drift = fit->weight * 6 / ((double)(n + 1) * (double)(n + 2));
	for (size_t i = 0; i < h; i++) {
		sd[i] = sqrt(variance * sum);
		double c = fit->alpha + drift * ((double)i + 1 / fit->alpha);
		sum += c * c;
	}
}

bool
dotm_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	const struct season_rule rule = { .least = 2, .limit = 1.64, .multiplicative = true };
	size_t mark = workspace_mark(ws), n = task->n, m = task->m;
	double *figure = workspace_take(ws, m), *adjusted = workspace_take(ws, n);
	struct dotm_fit fit;
	enum season_kind kind = season_adjust(ws, task->y, n, m >= 3 ? m : 1, rule, figure, adjusted);
	bool good = dotm_estimate(ws, adjusted, n, &fit);
	if (good) {
		dotm_predict(adjusted, n, &fit, task->h, path->mean);
		deviations(&fit, n, task->h, path->sd);
		season_restore(kind, figure, m, n, task->h, path->mean, path->sd);
	}
	workspace_release(ws, mark);
	member_name(path, "dotm");
	return good;
}
