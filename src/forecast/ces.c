/*
 * Estimation, choice and forecasts of complex exponential smoothing. The parameters come from a Levenberg–Marquardt
 * search with difference derivatives; every pass of the filter carries four parameter sets, so one pass gives all
 * derivatives and one pass tries four damping factors. Steps out of the admissible region are not taken.
 */
#include "forecast/ces.h"

#include "forecast/ces_filter.h"
#include "forecast/numeric.h"
#include "forecast/season.h"

#include <math.h>
#include <string.h>

enum { MAX_ITERATIONS = 40 };

static const double start_values[CES_PARAMETERS] = { 1.3, 1, 1.3, 1 };

/* The prior: centres, and deviations in units in which one counts like the error variance of one value. */
static const double prior_centres[CES_PARAMETERS] = { 1.8, 1, 1.8, 1 };
static const double prior_deviations[CES_PARAMETERS] = { 0.35, 0.03, 0.35, 0.03 };

static size_t
parameter_count(enum ces_type type)
{
	return type == CES_FULL ? 4 : 2;
}

/* Monic polynomials in z, lowest power first: the denominator and numerator of a pair's response to an error. */
static void
pair_polynomials(const double *a, double *denominator, double *numerator)
{
	denominator[0] = (1 - a[0]) + (1 - a[1]);
	denominator[1] = -(2 - a[0]);
	denominator[2] = 1;
	numerator[0] = (a[0] - 1) * (a[0] - a[1]) - (1 - a[1]) * (a[0] + a[1]);
	numerator[1] = a[0] - a[1];
	numerator[2] = 0;
}

static void
multiply_add(const double *x, const double *y, double *sum)
{
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			sum[i + k] += x[i] * y[k];
}

/* Roots inside or on the unit circle, by the Schur–Cohn reduction of a monic polynomial for the slightly larger
 * circle of radius 1 + 1e-6: the usual start (1.3, 1) has a root that is exactly 1. */
static bool
roots_inside(double *a, int degree)
{
	double shrink = 1;
	for (int i = degree - 1; i >= 0; i--) {
		shrink /= 1 + 1e-6;
		a[i] *= shrink;
	}
	for (; degree > 0; degree--) {
		double k = a[0];
		if (!(fabs(k) < 1))
			return false;
		double scale = 1 / (1 - k * k);
		for (int i = 1, j = degree - 1; i <= j; i++, j--) {
			double ai = a[i], aj = a[j];
			a[i] = (ai - k * aj) * scale;
			a[j] = (aj - k * ai) * scale;
		}
		memmove(a, a + 1, (size_t)degree * sizeof *a);
	}
	return true;
}

/* The characteristic polynomial of the errors' dynamics, lowest power first; returns its degree. */
static int
dynamics(enum ces_type type, const double *parameters, double *whole)
{
	double pa[3], na[3], pb[3], nb[3];
	memset(whole, 0, 5 * sizeof *whole);
	pair_polynomials(parameters, pa, na);
	if (type != CES_FULL) {
		for (int i = 0; i < 3; i++)
			whole[i] = pa[i] + na[i];
		return 2;
	}
	pair_polynomials(parameters + 2, pb, nb);
	multiply_add(pa, pb, whole);
	multiply_add(na, pb, whole);
	multiply_add(nb, pa, whole);
	return 4;
}

bool
ces_admissible(enum ces_type type, const double *parameters)
{
	double whole[5];
	int degree = dynamics(type, parameters, whole);
	return roots_inside(whole, degree);
}

/* The polynomial at 1: above zero inside the admissible region, zero where a root becomes 1. That is the side of the
 * region on which solutions often lie, and on which the usual start lies. */
static double
unit_margin(enum ces_type type, const double *parameters)
{
	double whole[5];
	int degree = dynamics(type, parameters, whole);
	double sum = 0;
	for (int i = 0; i <= degree; i++)
		sum += whole[i];
	return sum;
}

/* A filter over y with its states' memory; figure and level are the starting states. */
static bool
filter_init(struct forecast_workspace *ws, const double *y, size_t n, const struct ces_model *model,
	struct ces_filter *filter)
{
	size_t first = model->m > 10 ? model->m : 10;
	first = first < n ? first : n;
	*filter = (struct ces_filter){ .y = y, .n = n, .m = model->m, .type = model->type };
	filter->level = numeric_mean(y, first);
	filter->ring = (ces_lanes *)workspace_take(ws, 4 * model->m * CES_LANES);
	if (model->type == CES_FULL) {
		double *figure = workspace_take(ws, model->m);
		filter->figure = figure;
		return classical_figure(ws, y, n, model->m, SEASON_ADDITIVE, figure);
	}
	return model->type == CES_NONE || n >= model->m + 4;
}

static void
lane_set(struct ces_filter *filter, int lane, const double *parameters)
{
	for (int i = 0; i < CES_PARAMETERS; i++)
		filter->parameters[i][lane] = parameters[i];
}

/* What the search carries from one iteration to the next. */
struct ces_search {
	struct ces_filter filter;
	ces_lanes *errors;
	double *base; /* errors at the current parameters */
	double parameters[CES_PARAMETERS], squares, damping;
	double cost; /* squares times what the prior says */
	size_t count;
	bool prior;
};

/* Squares of a parameter set as the search compares them: least squares with the prior is the least of
 * ln Σe² + Σ((a − centre) / deviation)² / n. */
static double
cost_of(const struct ces_search *s, const double *parameters, double squares)
{
	double away = 0;
	for (size_t i = 0; i < s->count; i++) {
		double d = (parameters[i] - prior_centres[i]) / prior_deviations[i];
		away += d * d;
	}
	return s->prior ? squares * exp(away / (double)s->filter.n) : squares;
}

static void
base_set(struct ces_search *s, int lane, double squares)
{
	for (int i = 0; i < CES_PARAMETERS; i++)
		s->parameters[i] = s->filter.parameters[i][lane];
	for (size_t t = 0; t < s->filter.n; t++)
		s->base[t] = s->errors[t][lane];
	s->squares = squares;
	s->cost = cost_of(s, s->parameters, squares);
}

/* Gradient and normal matrix of the squares at the current parameters. */
static void
derivatives(struct ces_search *s, double *gradient, double normal[CES_PARAMETERS][CES_PARAMETERS])
{
	const double step = 1e-6;
	for (int lane = 0; lane < CES_LANES; lane++) {
		double moved[CES_PARAMETERS];
		memcpy(moved, s->parameters, sizeof moved);
		moved[lane] += (size_t)lane < s->count ? step : 0;
		lane_set(&s->filter, lane, moved);
	}
	ces_lanes squares;
	ces_filter_run(&s->filter, s->errors, &squares);
	ces_lanes columns[CES_PARAMETERS] = { { 0 } }, along = { 0 };
	for (size_t t = 0; t < s->filter.n; t++) {
		ces_lanes d = s->errors[t] - s->base[t];
		along += d * s->base[t];
		for (int k = 0; k < CES_PARAMETERS; k++)
			columns[k] += d * d[k];
	}
	for (size_t i = 0; i < CES_PARAMETERS; i++) {
		gradient[i] = along[i] / step;
		for (size_t k = 0; k < CES_PARAMETERS; k++)
			normal[i][k] = columns[k][i] / (step * step);
		if (s->prior && i < s->count) {
			double strength = s->squares / (double)s->filter.n /
					  (prior_deviations[i] * prior_deviations[i]);
			gradient[i] += strength * (s->parameters[i] - prior_centres[i]);
			normal[i][i] += strength;
		}
	}
}

/* b ← (normal + damping · diagonal)⁻¹ b. */
static bool
damped_solve(
	const struct ces_search *s, double normal[CES_PARAMETERS][CES_PARAMETERS], double damping, double *b)
{
	double a[CES_PARAMETERS * CES_PARAMETERS];
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k <= i; k++)
			a[i * CES_PARAMETERS + k] = normal[i][k];
		a[i * CES_PARAMETERS + i] += damping * normal[i][i] + 1e-12 * s->squares;
	}
	return numeric_cholesky_solve(a, s->count, CES_PARAMETERS, b);
}

/*
 * Bends a step that would cross the side of the region where a root becomes 1 so that it ends on the inner side: along
 * the tangent first, then by Newton steps in the metric of the problem, because the side is curved.
 */
static bool
step_bend(const struct ces_search *s, double normal[CES_PARAMETERS][CES_PARAMETERS], double damping,
	double *trial)
{
	const double small = 1e-7;
	enum ces_type type = s->filter.type;
	double margin = unit_margin(type, s->parameters), target = fmax(0.1 * margin, 2e-5);
	double slope[CES_PARAMETERS], along[CES_PARAMETERS], metric = 0;
	if (unit_margin(type, trial) >= target)
		return true;
	for (size_t i = 0; i < s->count; i++) {
		double moved[CES_PARAMETERS];
		memcpy(moved, s->parameters, sizeof moved);
		moved[i] += small;
		slope[i] = along[i] = (unit_margin(type, moved) - margin) / small;
	}
	if (!damped_solve(s, normal, damping, along))
		return false;
	for (size_t i = 0; i < s->count; i++)
		metric += slope[i] * along[i];
	double at = margin;
	for (size_t i = 0; i < s->count; i++)
		at += slope[i] * (trial[i] - s->parameters[i]);
	for (int newton = 0; newton < 6 && at < target; newton++) {
		for (size_t i = 0; i < s->count; i++)
			trial[i] += along[i] * (target - at) / metric;
		at = unit_margin(type, trial) + 1e-9;
	}
	return true;
}

static bool
trial_make(const struct ces_search *s, const double *gradient, double normal[CES_PARAMETERS][CES_PARAMETERS],
	double damping, double *trial)
{
	double step[CES_PARAMETERS];
	for (size_t i = 0; i < s->count; i++)
		step[i] = -gradient[i];
	if (!damped_solve(s, normal, damping, step))
		return false;
	for (size_t i = 0; i < s->count; i++)
		trial[i] = s->parameters[i] + step[i];
	if (!step_bend(s, normal, damping, trial))
		return false;
	for (int half = 0; half < 6 && !ces_admissible(s->filter.type, trial); half++)
		for (size_t i = 0; i < s->count; i++)
			trial[i] = (trial[i] + s->parameters[i]) / 2;
	return ces_admissible(s->filter.type, trial);
}

/* Tries four dampings; returns the relative gain of the best one, 0 when none is better, −1 when none will be. */
static double
iterate(struct ces_search *s)
{
	double gradient[CES_PARAMETERS], normal[CES_PARAMETERS][CES_PARAMETERS];
	double damping[CES_LANES], trials[CES_LANES][CES_PARAMETERS];
	bool good[CES_LANES];
	derivatives(s, gradient, normal);
	for (int lane = 0; lane < CES_LANES; lane++) {
		memcpy(trials[lane], s->parameters, sizeof trials[lane]);
		damping[lane] = s->damping * pow(16, lane - 1);
		good[lane] = trial_make(s, gradient, normal, damping[lane], trials[lane]);
		lane_set(&s->filter, lane, good[lane] ? trials[lane] : s->parameters);
	}
	ces_lanes squares;
	ces_filter_run(&s->filter, s->errors, &squares);
	int best = -1;
	double least = s->cost, before = s->cost;
	for (int lane = 0; lane < CES_LANES; lane++) {
		double cost = cost_of(s, trials[lane], squares[lane]);
		if (good[lane] && cost < least) {
			best = lane;
			least = cost;
		}
	}
	if (best < 0) {
		s->damping *= 4096;
		return s->damping > 1e8 ? -1 : 0;
	}
	s->damping = fmax(damping[best], 1e-8);
	base_set(s, best, squares[best]);
	return before / least - 1;
}

static void
criteria_fill(size_t n, struct ces_model *model)
{
	double count = (double)n, k = (double)parameter_count(model->type) + 1;
	double squares = fmax(model->squares, 1e-28 * count);
	model->loglik = -count / 2 * (log(2 * M_PI) + 1 + log(squares / count));
	model->aicc =
		count - k - 1 > 0 ? -2 * model->loglik + 2 * k + 2 * k * (k + 1) / (count - k - 1) : INFINITY;
	model->variance = squares / fmax(count - k, 1);
}

bool
ces_evaluate(struct forecast_workspace *ws, const double *y, size_t n, struct ces_model *model)
{
	size_t mark = workspace_mark(ws);
	struct ces_filter filter;
	bool good = filter_init(ws, y, n, model, &filter);
	if (good) {
		for (int lane = 0; lane < CES_LANES; lane++)
			lane_set(&filter, lane, model->parameters);
		ces_lanes squares;
		ces_filter_run(&filter, NULL, &squares);
		model->squares = squares[0];
		criteria_fill(n, model);
		good = isfinite(model->squares);
	}
	workspace_release(ws, mark);
	return good;
}

bool
ces_estimate(struct forecast_workspace *ws, const double *y, size_t n, bool prior, struct ces_model *model)
{
	size_t mark = workspace_mark(ws);
	struct ces_search s = { .damping = 1e-3, .prior = prior, .count = parameter_count(model->type) };
	bool good = n >= s.count + 3 && filter_init(ws, y, n, model, &s.filter);
	if (good) {
		s.errors = (ces_lanes *)workspace_take(ws, n * CES_LANES);
		s.base = workspace_take(ws, n);
		for (int lane = 0; lane < CES_LANES; lane++)
			lane_set(&s.filter, lane, start_values);
		ces_lanes squares;
		ces_filter_run(&s.filter, s.errors, &squares);
		base_set(&s, 0, squares[0]);
		good = isfinite(s.squares);
	}
	for (int i = 0, small = 0; good && i < MAX_ITERATIONS && small < 2; i++) {
		double gain = iterate(&s);
		if (gain < 0)
			break;
		small = gain > 0 && gain * (double)n < 1e-3 ? small + 1 : 0;
	}
	workspace_release(ws, mark);
	if (!good)
		return false;
	memcpy(model->parameters, s.parameters, sizeof s.parameters);
	model->squares = s.squares;
	criteria_fill(n, model);
	return isfinite(model->squares);
}

/* What an error j = 1 … h steps ago still adds, for one pair: the first state after j moves. */
static void
responses_add(const double *a, size_t lag, size_t h, double *c)
{
	double l = a[0] - a[1], k = a[0] + a[1];
	for (size_t j = lag; j <= h; j += lag) {
		c[j - 1] += l;
		double next = l - (1 - a[1]) * k;
		k = l + (1 - a[0]) * k;
		l = next;
	}
}

void
ces_predict(struct forecast_workspace *ws, const double *y, size_t n, const struct ces_model *model, size_t h,
	struct member_path *path)
{
	size_t mark = workspace_mark(ws);
	struct ces_filter filter;
	double *c = workspace_take_zero(ws, h), sum = 1;
	(void)filter_init(ws, y, n, model, &filter); /* the model was estimated on the same series */
	for (int lane = 0; lane < CES_LANES; lane++)
		lane_set(&filter, lane, model->parameters);
	ces_lanes squares;
	ces_filter_run(&filter, NULL, &squares);
	responses_add(model->parameters, ces_lag(&filter), h, c);
	if (model->type == CES_FULL)
		responses_add(model->parameters + 2, model->m, h, c);
	for (size_t i = 0; i < h; i++) {
		path->mean[i] = ces_filter_next(&filter, i);
		path->sd[i] = sqrt(model->variance * sum);
		sum += c[i] * c[i];
	}
	workspace_release(ws, mark);
}

bool
ces_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	static const char *const names[] = { "ces(n)", "ces(s)", "ces(f)" };
	struct ces_model best;
	bool found = false;
	for (int type = CES_NONE; type <= CES_FULL; type++) {
		struct ces_model model = { .type = (enum ces_type)type, .m = type == CES_NONE ? 1 : task->m };
		if (type != CES_NONE && (task->m < 2 || task->n < 2 * task->m + 2))
			continue;
		if (ces_estimate(ws, task->y, task->n, true, &model) && (!found || model.aicc < best.aicc)) {
			best = model;
			found = true;
		}
	}
	if (!found)
		return false;
	ces_predict(ws, task->y, task->n, &best, task->h, path);
	member_name(path, names[best.type]);
	return true;
}
