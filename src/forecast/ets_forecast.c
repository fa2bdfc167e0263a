/*
 * Means and variances of an ETS model (Hyndman et al. 2008, chapter 6). With c_j = α + β(φ + … + φ^j) + γ[m | j], the
 * variance of additive errors is σ²(1 + Σ_{j<h} c_j²). For multiplicative errors the state variance grows with the
 * squared mean: θ_h = q_h² + σ²Σ_{j<h} c_j² θ_{h−j}, and y has (1 + σ²)θ_h − q_h². A multiplicative season is known
 * for the first m steps; later a shock of a whole number of periods ago counts with c_j + γ q_h / q_{h−j}.
 */
#include "forecast/ets.h"

#include <math.h>
#include <string.h>

/* The means without season, q_1 … q_h. */
static void
trend_means(const struct ets_state *s, size_t h, double *q)
{
	double push = 0, power = 1;
	for (size_t i = 0; i < h; i++) {
		power *= s->phi;
		push += power * s->slope;
		q[i] = s->level + push;
	}
}

/* c_1 … c_h; the seasonal part only where it adds. */
static void
coefficients(const struct ets_model *model, size_t h, double *c)
{
	const struct ets_state *s = &model->last;
	double damping = 0, power = 1;
	for (size_t j = 1; j <= h; j++) {
		power *= s->phi;
		damping += power;
		c[j - 1] = s->alpha + s->beta * damping;
		if (model->form.season == SEASON_ADDITIVE && j % model->form.m == 0)
			c[j - 1] += s->gamma;
	}
}

static void
additive_variance(const struct ets_model *model, const double *c, size_t h, double *sd)
{
	double sum = 1;
	for (size_t i = 0; i < h; i++) {
		sd[i] = sqrt(model->variance * sum);
		sum += c[i] * c[i];
	}
}

/* mean holds q_h here, with the additive season where there is one. A shock to a multiplicative season comes back at
 * every whole period after, together with what the same shock did to the level. */
static void
relative_variance(const struct ets_model *model, const double *c, size_t h, const double *mean, double *theta,
	double *sd)
{
	double v = model->variance,
	       gamma = model->form.season == SEASON_MULTIPLICATIVE ? model->last.gamma : 0;
	for (size_t i = 0; i < h; i++) {
		double sum = 0;
		for (size_t j = 0; j < i; j++)
			sum += c[j] * c[j] * theta[i - 1 - j];
		for (size_t j = model->form.m - 1; gamma > 0 && j < i; j += model->form.m) {
			double ratio = mean[i - 1 - j] != 0 ? gamma * mean[i] / mean[i - 1 - j] : 0;
			sum += (2 * c[j] * ratio + ratio * ratio) * theta[i - 1 - j];
		}
		theta[i] = fmin(mean[i] * mean[i] + v * sum, 1e200);
		sd[i] = sqrt(fmax(0, theta[i] * (1 + v) - mean[i] * mean[i]));
	}
}

void
ets_predict(const struct ets_model *model, struct forecast_workspace *ws, size_t h, double *mean, double *sd)
{
	size_t mark = workspace_mark(ws), m = model->form.m;
	double *c = workspace_take(ws, h), *theta = workspace_take(ws, h);
	const double *season = model->last.season;
	trend_means(&model->last, h, mean);
	coefficients(model, h, c);
	if (model->form.season == SEASON_ADDITIVE)
		for (size_t i = 0; i < h; i++)
			mean[i] += season[i % m];
	if (model->form.multiplicative_error)
		relative_variance(model, c, h, mean, theta, sd);
	else
		additive_variance(model, c, h, sd);
	if (model->form.season == SEASON_MULTIPLICATIVE)
		for (size_t i = 0; i < h; i++) {
			mean[i] *= season[i % m];
			sd[i] *= season[i % m];
		}
	workspace_release(ws, mark);
}

bool
ets_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	struct ets_model best;
	bool seasonal = task->m > 1 && task->m <= ETS_MAX_PERIOD;
	struct ets_choice choice = { .m = task->m, .seasonal = seasonal, .prior = task->m == 1 };
	if (!ets_select(ws, task->y, task->n, choice, &best))
		return false;
	ets_predict(&best, ws, task->h, path->mean, path->sd);
	ets_name(&best.form, path->name);
	return true;
}

/* A non-seasonal model of additive errors on the classically deseasonalised series, as the M competitions do it. */
static bool
smoothing_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path,
	enum ets_trend trend)
{
	const struct season_rule rule = { .least = 3, .limit = 1.645 };
	const struct ets_effort effort = { .iterations = 60, .tolerance = 1e-4, .states = ETS_STATES_FREE };
	size_t mark = workspace_mark(ws), n = task->n;
	double *figure = workspace_take(ws, task->m), *adjusted = workspace_take(ws, n);
	enum season_kind kind = season_adjust(ws, task->y, n, task->m, rule, figure, adjusted);
	struct ets_model model = { .form = { .trend = trend, .season = SEASON_NONE, .m = 1 } };
	bool good = ets_start(ws, adjusted, n, &model.form, &model.start);
	if (good) {
		ets_estimate(ws, adjusted, n, effort, &model);
		good = model.good;
	}
	if (good) {
		ets_predict(&model, ws, task->h, path->mean, path->sd);
		season_restore(kind, figure, task->m, n, task->h, path->mean, path->sd);
	}
	workspace_release(ws, mark);
	return good;
}

bool
ses_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	member_name(path, "ses");
	return smoothing_forecast(ws, task, path, TREND_NONE);
}

bool
holt_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	member_name(path, "holt");
	return smoothing_forecast(ws, task, path, TREND_ADDITIVE);
}

bool
damped_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	member_name(path, "damped");
	return smoothing_forecast(ws, task, path, TREND_DAMPED);
}
