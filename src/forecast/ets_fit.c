/*
 * Estimates one ETS model: a projected Levenberg–Marquardt search over smoothing parameters and initial states
 * together. The one-step errors' derivatives run along with the recursions, one vector lane per parameter, so that an
 * iteration costs one pass over the series. β and γ are searched as fractions of their ranges [1e-4, α] and
 * [1e-4, 1 − α], which makes all bounds plain intervals. A multiplicative error is the same least-squares problem
 * with errors weighted by the geometric mean of the means: exp(L/n) = Σe² · exp(2/n Σ ln μ).
 */
#include "forecast/ets.h"

#include "forecast/ets_pass.h"
#include "forecast/numeric.h"
#include "forecast/vector_clones.h"

#include <math.h>
#include <string.h>

enum {
	LANES_MAX = (ETS_MAX_PARAMETERS + 3) / 4 * 4,
	ALPHA = 0, /* fixed lanes; those a form does not have stay zero and fixed */
	BETA = 1,
	GAMMA = 2,
	PHI = 3,
	SEASON = 4, /* m − 1 lanes: the states of values 1 … m − 1; the one of value 0 is m·[M] − Σ of them */
	MAX_REJECTIONS = 8
};

static const double lower_limit = 1e-4, upper_limit = 0.9999, phi_low = 0.8, phi_high = 0.98;

/* One point of the search: sums and derivatives at a state. */
struct point {
	double x[LANES_MAX];
	double cost; /* ln of the weighted squares, L / n */
	double squares;
	double gradient[LANES_MAX]; /* of half the squares */
	double normal[LANES_MAX * LANES_MAX];
	bool good;
};

struct search {
	const double *y;
	size_t n, lanes, stride;
	size_t level, slope; /* their lanes, the last two; lanes when the states stay where they are */
	struct ets_form form;
	struct ets_effort effort;
	struct ets_state fixed; /* what is not searched */
	bool used[LANES_MAX];
	double low[LANES_MAX], high[LANES_MAX];
	double *season_derivatives; /* m rows of stride */
};

static void
state_to_x(const struct search *search, const struct ets_state *s, double *x)
{
	double beta_range = s->alpha - lower_limit, gamma_range = 1 - s->alpha - lower_limit;
	memset(x, 0, LANES_MAX * sizeof *x);
	x[ALPHA] = s->alpha;
	x[BETA] = beta_range > 0 ? fmin(fmax((s->beta - lower_limit) / beta_range, 0), 1) : 0;
	x[GAMMA] = gamma_range > 0 ? fmin(fmax((s->gamma - lower_limit) / gamma_range, 0), 1) : 0;
	x[PHI] = s->phi;
	if (search->effort.states != ETS_STATES_FIXED && search->form.season != SEASON_NONE)
		memcpy(x + SEASON, s->season + 1, (search->form.m - 1) * sizeof *x);
	if (search->effort.states == ETS_STATES_FREE) {
		x[search->level] = s->level;
		x[search->slope] = s->slope;
	}
}

static void
x_to_state(const struct search *search, const double *x, struct ets_state *s)
{
	const struct ets_form *form = &search->form;
	*s = search->fixed;
	s->alpha = x[ALPHA];
	s->beta = form->trend == TREND_NONE ? 0 : lower_limit + x[BETA] * (x[ALPHA] - lower_limit);
	s->gamma = form->season == SEASON_NONE ? 0 : lower_limit + x[GAMMA] * (1 - x[ALPHA] - lower_limit);
	s->phi = x[PHI];
	if (search->effort.states == ETS_STATES_FREE) {
		s->level = x[search->level];
		s->slope = x[search->slope];
	}
	if (form->season == SEASON_NONE || search->effort.states == ETS_STATES_FIXED)
		return;
	double first = form->season == SEASON_MULTIPLICATIVE ? (double)form->m : 0;
	for (size_t i = 1; i < form->m; i++) {
		s->season[i] = x[SEASON + i - 1];
		first -= s->season[i];
	}
	s->season[0] = first;
}

static void
search_init(struct search *search, const struct ets_form *form)
{
	bool seasonal = form->season != SEASON_NONE && search->effort.states != ETS_STATES_FIXED;
	search->form = *form;
	search->lanes = seasonal ? SEASON + form->m - 1 : SEASON;
	search->level = search->lanes;
	search->slope = search->lanes + 1;
	search->lanes += search->effort.states == ETS_STATES_FREE ? 2 : 0;
	search->stride = (search->lanes + 3) / 4 * 4;
	for (size_t i = 0; i < search->lanes; i++) {
		search->used[i] = true;
		search->low[i] = -INFINITY;
		search->high[i] = INFINITY;
	}
	search->used[BETA] = form->trend != TREND_NONE;
	search->used[PHI] = form->trend == TREND_DAMPED;
	search->used[GAMMA] = form->season != SEASON_NONE;
	if (search->effort.states == ETS_STATES_FREE)
		search->used[search->slope] = form->trend != TREND_NONE;
	search->low[ALPHA] = lower_limit;
	search->high[ALPHA] = upper_limit;
	search->low[BETA] = search->low[GAMMA] = 0;
	search->high[BETA] = search->high[GAMMA] = 1;
	search->low[PHI] = phi_low;
	search->high[PHI] = phi_high;
	for (size_t i = SEASON; i < search->level && form->season == SEASON_MULTIPLICATIVE; i++)
		search->low[i] = 1e-3;
}

/* The derivatives of level and slope, and of the mean (negated: of the difference y − μ). */
struct lanes {
	double level[LANES_MAX], slope[LANES_MAX], q[LANES_MAX], d[LANES_MAX], row[LANES_MAX],
		log_mean[LANES_MAX];
};

static inline __attribute__((always_inline)) void
normal_add(double *normal, double *gradient, const double *row, double error, size_t stride)
{
	for (size_t i = 0; i < stride; i++) {
		double v = row[i], *line = normal + i * stride;
		gradient[i] += v * error;
		for (size_t k = 0; k <= (i | 3); k++)
			line[k] += v * row[k];
	}
}

/* Derivative of level_error (r) and season_error (r') by lane, from those of d: identical without multiplication. */
struct step {
	double level, slope, push, q, season, mean, difference;
	double inverse_season, inverse_q; /* 1 unless multiplicative */
};

static inline __attribute__((always_inline)) void
lanes_advance(const struct search *search, const struct ets_state *s, const struct step *at, struct lanes *v,
	double *season, size_t stride)
{
	bool multiplicative = search->form.season == SEASON_MULTIPLICATIVE;
	double r = at->difference * at->inverse_season, rs = at->difference * at->inverse_q;
	for (size_t i = 0; i < stride; i++) {
		double error = multiplicative ? (v->d[i] - r * season[i]) * at->inverse_season : v->d[i];
		double season_error = multiplicative ? (v->d[i] - rs * v->q[i]) * at->inverse_q : v->d[i];
		double push = s->phi * v->slope[i];
		v->level[i] = v->q[i] + s->alpha * error;
		v->slope[i] = push + s->beta * error;
		season[i] += s->gamma * season_error;
	}
	/* What α, the fractions of β and γ, and φ do directly. */
	double beta_fraction =
		s->alpha > lower_limit ? (s->beta - lower_limit) / (s->alpha - lower_limit) : 0;
	double gamma_range = 1 - s->alpha - lower_limit;
	v->level[ALPHA] += r;
	if (search->used[BETA]) {
		v->slope[ALPHA] += beta_fraction * r;
		v->slope[BETA] += (s->alpha - lower_limit) * r;
		v->slope[PHI] += at->slope;
	}
	if (search->used[GAMMA]) {
		season[ALPHA] -= gamma_range > 0 ? (s->gamma - lower_limit) / gamma_range * rs : 0;
		season[GAMMA] += gamma_range * rs;
	}
}

static inline __attribute__((always_inline)) void
mean_derivatives(const struct search *search, const struct ets_state *s, const struct step *at,
	struct lanes *v, const double *season, size_t stride)
{
	for (size_t i = 0; i < stride; i++)
		v->q[i] = v->level[i] + s->phi * v->slope[i];
	v->q[PHI] += search->used[PHI] ? at->slope : 0;
	switch (search->form.season) {
	case SEASON_NONE:
		for (size_t i = 0; i < stride; i++)
			v->d[i] = -v->q[i];
		break;
	case SEASON_ADDITIVE:
		for (size_t i = 0; i < stride; i++)
			v->d[i] = -(v->q[i] + season[i]);
		break;
	case SEASON_MULTIPLICATIVE:
		for (size_t i = 0; i < stride; i++)
			v->d[i] = -(v->q[i] * at->season + at->q * season[i]);
		break;
	}
}

/* Scalars of one step; false when the model leaves its domain. */
static inline __attribute__((always_inline)) bool
step_make(const struct search *search, const struct ets_state *s, size_t phase, double y, struct step *at)
{
	at->slope = s->slope;
	at->push = s->phi * s->slope;
	at->q = s->level + at->push;
	at->season = search->form.season == SEASON_NONE ? 0 : s->season[phase];
	at->inverse_season = at->inverse_q = 1;
	if (search->form.season == SEASON_MULTIPLICATIVE) {
		if (!(at->q > 1e-30 && at->season > 1e-30))
			return false;
		at->mean = at->q * at->season;
		at->inverse_season = 1 / at->season;
		at->inverse_q = 1 / at->q;
	} else {
		at->mean = at->q + at->season;
	}
	at->difference = y - at->mean;
	return !search->form.multiplicative_error || at->mean > 1e-30;
}

static inline __attribute__((always_inline)) void
states_advance(const struct search *search, struct ets_state *s, size_t phase, const struct step *at)
{
	double r = at->difference * at->inverse_season;
	s->level = at->q + s->alpha * r;
	s->slope = at->push + s->beta * r;
	if (search->form.season != SEASON_NONE)
		s->season[phase] += s->gamma * at->difference * at->inverse_q;
}

/* The derivatives before the first value: each state that is searched by its own lane. */
static void
lanes_init(const struct search *search, struct lanes *v)
{
	memset(v, 0, sizeof *v);
	if (search->effort.states == ETS_STATES_FREE) {
		v->level[search->level] = 1;
		v->slope[search->slope] = search->used[search->slope] ? 1 : 0;
	}
	memset(search->season_derivatives, 0, search->form.m * search->stride * sizeof(double));
	for (size_t lane = SEASON; lane < search->level; lane++) {
		search->season_derivatives[(lane - SEASON + 1) * search->stride + lane] = 1;
		search->season_derivatives[lane] = -1;
	}
}

/* The pass over the series; returns the sum of the logarithms of the means, NaN when the model failed. */
static inline __attribute__((always_inline)) double
pass(const struct search *search, struct ets_state *s, struct lanes *v, struct point *out, size_t stride)
{
	double logs = 0, product = 1;
	size_t phase = 0, m = search->form.m;
	bool relative = search->form.multiplicative_error;
	for (size_t t = 0; t < search->n; t++) {
		struct step at;
		double *season = search->season_derivatives + phase * stride;
		if (!step_make(search, s, phase, search->y[t], &at))
			return NAN;
		mean_derivatives(search, s, &at, v, season, stride);
		double error = at.difference;
		const double *row = v->d;
		if (relative) {
			double inverse = 1 / at.mean, factor = search->y[t] * inverse * inverse;
			error *= inverse;
			for (size_t i = 0; i < stride; i++) {
				v->row[i] = v->d[i] * factor;
				v->log_mean[i] -= v->d[i] * inverse;
			}
			row = v->row;
			product *= at.mean;
			if (t % 8 == 7) {
				logs += log(product);
				product = 1;
			}
		}
		out->squares += error * error;
		normal_add(out->normal, out->gradient, row, error, stride);
		lanes_advance(search, s, &at, v, season, stride);
		states_advance(search, s, phase, &at);
		phase = phase + 1 == m ? 0 : phase + 1;
	}
	return relative ? logs + log(product) : 0;
}

/* The smoothing parameters alone have their own loop. */
static double
pass_fixed(const struct search *search, struct ets_state *s, struct lanes *v, struct point *out)
{
	struct ets_pass_seeds seeds = { .level = { 1 }, .phi = search->used[PHI] };
	struct ets_pass_sums sums;
	double beta_range = s->alpha - lower_limit, gamma_range = 1 - s->alpha - lower_limit;
	if (search->used[BETA]) {
		seeds.slope[ALPHA] = out->x[BETA];
		seeds.slope[BETA] = beta_range;
	}
	if (search->used[GAMMA]) {
		seeds.season[ALPHA] = -out->x[GAMMA];
		seeds.season[GAMMA] = gamma_range;
	}
	ets_pass_run(search->y, search->n, &search->form, &seeds, s, search->season_derivatives, &sums);
	if (isnan(sums.log_means))
		return NAN;
	out->squares = sums.squares;
	memcpy(out->gradient, sums.gradient, sizeof sums.gradient);
	memcpy(out->normal, sums.normal, sizeof sums.normal);
	memcpy(v->log_mean, sums.log_mean_slopes, sizeof sums.log_mean_slopes);
	return sums.log_means;
}

/* The loops of pass() for the widths that occur: fixed widths unroll. 8: quarters, or no season; 20: months. */
VECTOR_CLONES static double
pass_8(const struct search *search, struct ets_state *s, struct lanes *v, struct point *out)
{
	return pass(search, s, v, out, 8);
}

VECTOR_CLONES static double
pass_20(const struct search *search, struct ets_state *s, struct lanes *v, struct point *out)
{
	return pass(search, s, v, out, 20);
}

VECTOR_CLONES static double
pass_any(const struct search *search, struct ets_state *s, struct lanes *v, struct point *out)
{
	return pass(search, s, v, out, search->stride);
}

static double
pass_run(const struct search *search, struct ets_state *s, struct lanes *v, struct point *out)
{
	if (search->effort.states == ETS_STATES_FIXED)
		return pass_fixed(search, s, v, out);
	if (search->stride == 8)
		return pass_8(search, s, v, out);
	if (search->stride == 20)
		return pass_20(search, s, v, out);
	return pass_any(search, s, v, out);
}

/* Adds what the weight exp(Σ ln μ / n) contributes: every error e gets the derivative of e + e·(mean of d ln μ). */
static void
weight_add(const struct search *search, const double *log_mean, struct point *out)
{
	size_t stride = search->stride;
	double n = (double)search->n;
	for (size_t i = 0; i < search->lanes; i++) {
		double wi = log_mean[i] / n;
		for (size_t k = 0; k <= i; k++) {
			double wk = log_mean[k] / n;
			out->normal[i * stride + k] +=
				wi * out->gradient[k] + wk * out->gradient[i] + wi * wk * out->squares;
		}
	}
	for (size_t i = 0; i < search->lanes; i++)
		out->gradient[i] += log_mean[i] / n * out->squares;
}

/* A weak normal prior on one lane, worth precision squared units of the error variance. */
static void
prior_add(const struct search *search, size_t lane, double centre, double deviation, struct point *out)
{
	double away = out->x[lane] - centre, strength = 1 / (deviation * deviation * (double)search->n);
	if (!search->used[lane])
		return;
	out->cost += strength * away * away;
	out->gradient[lane] += strength * away * out->squares;
	out->normal[lane * search->stride + lane] += strength * out->squares;
}

/* Evaluates x: cost, gradient and normal matrix, all of them divided by the weight, which cancels in a step. */
static void
point_evaluate(const struct search *search, struct point *out)
{
	struct ets_state s = { 0 };
	struct lanes v;
	x_to_state(search, out->x, &s);
	out->good = false;
	out->squares = 0;
	if (!ets_admissible(&search->form, &s))
		return;
	memset(out->gradient, 0, search->stride * sizeof(double));
	memset(out->normal, 0, search->stride * search->stride * sizeof(double));
	lanes_init(search, &v);
	double logs = pass_run(search, &s, &v, out);
	out->squares = fmax(out->squares, 1e-28 * (double)search->n);
	out->cost = log(out->squares) + 2 * logs / (double)search->n;
	out->good = isfinite(out->cost);
	if (!out->good)
		return;
	if (search->form.multiplicative_error)
		weight_add(search, v.log_mean, out);
	if (search->effort.prior) {
		prior_add(search, ALPHA, 0.7, 0.5, out);
		prior_add(search, BETA, 0.1, 0.3, out);
	}
}

/* A damped step from the point into next->x; false when the system is singular. */
static bool
step_solve(const struct search *search, const struct point *from, double damping, struct point *next)
{
	size_t free_lanes[LANES_MAX], count = 0;
	double a[LANES_MAX * LANES_MAX], b[LANES_MAX];
	for (size_t i = 0; i < search->lanes; i++) {
		bool at_low = from->x[i] <= search->low[i] && from->gradient[i] > 0;
		bool at_high = from->x[i] >= search->high[i] && from->gradient[i] < 0;
		if (search->used[i] && !at_low && !at_high)
			free_lanes[count++] = i;
	}
	for (size_t i = 0; i < count; i++) {
		size_t row = free_lanes[i];
		for (size_t k = 0; k <= i; k++)
			a[i * LANES_MAX + k] = from->normal[row * search->stride + free_lanes[k]];
		a[i * LANES_MAX + i] += damping * a[i * LANES_MAX + i] + 1e-14 * from->squares;
		b[i] = -from->gradient[row];
	}
	if (count == 0 || !numeric_cholesky_solve(a, count, LANES_MAX, b))
		return false;
	memcpy(next->x, from->x, search->lanes * sizeof(double));
	for (size_t i = 0; i < count; i++) {
		size_t lane = free_lanes[i];
		next->x[lane] = fmin(fmax(from->x[lane] + b[i], search->low[lane]), search->high[lane]);
	}
	return true;
}

/* Levenberg–Marquardt from points[0]; returns the index of the best point. */
static size_t
descend(const struct search *search, struct ets_effort effort, struct point *points)
{
	size_t best = 0;
	double damping = 1e-2;
	for (int i = 0, rejected = 0; i < effort.iterations && rejected < MAX_REJECTIONS; i++) {
		struct point *from = &points[best], *next = &points[1 - best];
		if (!step_solve(search, from, damping, next))
			break;
		point_evaluate(search, next);
		if (!next->good || !(next->cost < from->cost)) {
			damping = fmin(damping * 8, 1e10);
			rejected++;
			continue;
		}
		double gain = (from->cost - next->cost) * (double)search->n;
		damping = fmax(damping / 8, 1e-9);
		rejected = 0;
		best = 1 - best;
		if (gain < effort.tolerance)
			break;
	}
	return best;
}

void
ets_estimate(struct forecast_workspace *ws, const double *y, size_t n, struct ets_effort effort,
	struct ets_model *model)
{
	size_t mark = workspace_mark(ws);
	struct search search = { .y = y, .n = n, .effort = effort, .fixed = model->start };
	struct point points[2];
	search_init(&search, &model->form);
	search.season_derivatives = workspace_take(ws, model->form.m * search.stride);
	state_to_x(&search, &model->start, points[0].x);
	memcpy(points[1].x, points[0].x, sizeof points[1].x);
	point_evaluate(&search, &points[0]);
	if (points[0].good) {
		size_t best = descend(&search, effort, points);
		x_to_state(&search, points[best].x, &model->start);
	}
	workspace_release(ws, mark);
	ets_evaluate(y, n, model, NULL);
	model->good = model->good && points[0].good;
}
