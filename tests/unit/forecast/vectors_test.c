/* The models reproduce what other implementations print for classic series, and find optima at least as good. */
#include "forecast/ces.h"
#include "forecast/dotm.h"
#include "forecast/ets.h"

#include "classic_series.h"
#include "fitted_models.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum { STEPS = 5 };

static const struct classic_series *
classic(const char *name)
{
	for (size_t i = 0; i < COUNT(classic_series); i++)
		if (strcmp(classic_series[i].name, name) == 0)
			return &classic_series[i];
	fail_msg("no series %s", name);
	return NULL;
}

static struct forecast_workspace *
workspace_for(const struct classic_series *s)
{
	struct forecast_workspace *ws = forecast_workspace_new();
	assert_non_null(ws);
	assert_true(workspace_reserve(ws, workspace_need(s->count, s->period, STEPS)));
	return ws;
}

/* Largest relative difference of two paths. */
static double
difference(const double *a, const double *b)
{
	double most = 0;
	for (size_t i = 0; i < STEPS; i++)
		most = fmax(most, fabs(a[i] / b[i] - 1));
	return most;
}

static struct ets_model
model_of(const struct fitted_ets *v, size_t period)
{
	struct ets_model model = { .form = { .multiplicative_error = *v->error == 'M', .m = 1 } };
	model.form.trend = strcmp(v->trend, "Ad") == 0 ? TREND_DAMPED
			   : *v->trend == 'A'	       ? TREND_ADDITIVE
						       : TREND_NONE;
	model.form.season = *v->season == 'A'	? SEASON_ADDITIVE
			    : *v->season == 'M' ? SEASON_MULTIPLICATIVE
						: SEASON_NONE;
	model.start =
		(struct ets_state){ .alpha = v->alpha, .beta = v->beta, .gamma = v->gamma, .phi = v->phi };
	size_t at = 0;
	model.start.level = v->states[at++];
	model.start.slope = model.form.trend != TREND_NONE ? v->states[at++] : 0;
	if (model.form.season != SEASON_NONE) {
		model.form.m = period;
		for (size_t i = 0; i < period; i++)
			model.start.season[period - 1 - i] = v->states[at + i];
	}
	return model;
}

static void
ets_likelihood_at_printed_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fitted_ets); i++) {
		const struct classic_series *s = classic(fitted_ets[i].series);
		struct ets_model model = model_of(&fitted_ets[i], s->period);
		ets_evaluate(s->values, s->count, &model, NULL);
		assert_true(model.good);
		assert_true(fabs(model.criterion / (-2 * fitted_ets[i].loglik) - 1) < 1e-6);
		assert_true(fabs(model.aicc / fitted_ets[i].aicc - 1) < 1e-6);
	}
}

/* With a damped trend and a multiplicative season the printed means follow (l + b)s at the first step, and variances
 * of fully multiplicative models are approximations, in ours as in theirs. */
static void
ets_forecasts_at_printed_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fitted_ets); i++) {
		const struct fitted_ets *v = &fitted_ets[i];
		const struct classic_series *s = classic(v->series);
		struct forecast_workspace *ws = workspace_for(s);
		struct ets_model model = model_of(v, s->period);
		double mean[STEPS], sd[STEPS], lower[STEPS];
		ets_evaluate(s->values, s->count, &model, NULL);
		ets_predict(&model, ws, STEPS, mean, sd);
		bool approximate = model.form.season == SEASON_MULTIPLICATIVE;
		assert_true(difference(mean, v->mean) < (approximate ? 2e-3 : 1e-6));
		for (size_t h = 0; h < STEPS; h++) {
			lower[h] = v->mean[h] - v->lower95[h];
			double ours = 1.959963984540054 * sd[h];
			assert_true(fabs(ours / lower[h] - 1) < (approximate ? 0.06 : 1e-3));
		}
		forecast_workspace_free(ws);
	}
}

static void
ets_estimates_are_as_good(void **state)
{
	(void)state;
	const struct ets_effort effort = { .iterations = 100, .tolerance = 1e-4, .states = ETS_STATES_FREE };
	for (size_t i = 0; i < COUNT(fitted_ets); i++) {
		const struct classic_series *s = classic(fitted_ets[i].series);
		struct forecast_workspace *ws = workspace_for(s);
		struct ets_model model = model_of(&fitted_ets[i], s->period);
		assert_true(ets_start(ws, s->values, s->count, &model.form, &model.start));
		ets_estimate(ws, s->values, s->count, effort, &model);
		assert_true(model.good);
		assert_true(ets_admissible(&model.form, &model.start));
		assert_true(model.criterion <= -2 * fitted_ets[i].loglik + 0.5);
		forecast_workspace_free(ws);
	}
}

static void
ets_known_first_forecast_of_air_passengers(void **state)
{
	(void)state;
	const struct classic_series *s = classic("AirPassengers");
	struct forecast_workspace *ws = workspace_for(s);
	struct ets_model model = model_of(&fitted_ets[0], s->period);
	double mean[STEPS], sd[STEPS];
	ets_evaluate(s->values, s->count, &model, NULL);
	ets_predict(&model, ws, STEPS, mean, sd);
	assert_true(fabs(mean[0] - 441.76921) < 1e-4); /* (l + φb)s, not (l + b)s */
	forecast_workspace_free(ws);
}

/* Σ_{t≥3} (y − μ)² of the Theta model at given parameters, straight from the published recursions. */
static double
dotm_squares(const double *y, size_t n, double level, double alpha, double theta)
{
	double l = alpha * y[0] + (1 - alpha) * level, mean = y[0], a = y[0], b = 0, squares = 0;
	for (size_t i = 1; i < n; i++) {
		double k = (double)i, power = pow(1 - alpha, k);
		double mu = l + (1 - 1 / theta) * (a * power + b * (1 - power * (1 - alpha)) / alpha);
		if (i >= 2)
			squares += (y[i] - mu) * (y[i] - mu);
		l = alpha * y[i] + (1 - alpha) * l;
		double next = (k * mean + y[i]) / (k + 1);
		b = ((k - 1) * b + 6 * (y[i] - next) / (k + 1)) / (k + 2);
		mean = next;
		a = mean - b * (k + 2) / 2;
	}
	return squares;
}

static void
dotm_agrees_or_fits_better(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fitted_dotm); i++) {
		const struct fitted_dotm *v = &fitted_dotm[i];
		const struct classic_series *s = classic(v->series);
		struct forecast_workspace *ws = workspace_for(s);
		double mean[STEPS], sd[STEPS];
		struct member_path path = { .mean = mean, .sd = sd };
		struct member_task task = { .y = s->values, .n = s->count, .m = s->period, .h = STEPS };
		assert_true(dotm_forecast(ws, &task, &path));
		if (s->period > 1) {
			assert_true(difference(mean, v->mean) < 5e-3);
		} else if (difference(mean, v->mean) >= 1e-3) {
			struct dotm_fit fit;
			assert_true(dotm_estimate(ws, s->values, s->count, &fit));
			assert_true(fit.squares <
				    dotm_squares(s->values, s->count, v->level, v->alpha, v->theta));
		}
		forecast_workspace_free(ws);
	}
}

static void
dotm_squares_follow_the_recursions(void **state)
{
	(void)state;
	const struct classic_series *s = classic("BJsales");
	struct forecast_workspace *ws = workspace_for(s);
	struct dotm_fit fit;
	assert_true(dotm_estimate(ws, s->values, s->count, &fit));
	double first = s->values[0], level = fit.level + first * (1 - fit.weight);
	double squares = dotm_squares(s->values, s->count, level, fit.alpha, 1 / (1 - fit.weight));
	assert_true(fabs(squares / fit.squares - 1) < 1e-6);
	forecast_workspace_free(ws);
}

static void
theta_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fitted_theta); i++) {
		const struct classic_series *s = classic(fitted_theta[i].series);
		struct forecast_workspace *ws = workspace_for(s);
		double mean[STEPS], sd[STEPS];
		struct member_path path = { .mean = mean, .sd = sd };
		struct member_task task = { .y = s->values, .n = s->count, .m = s->period, .h = STEPS };
		assert_true(theta_forecast(ws, &task, &path));
		assert_true(difference(mean, fitted_theta[i].mean) < 1e-4);
		forecast_workspace_free(ws);
	}
}

static void
ces_likelihood_and_forecasts_at_printed_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fitted_ces); i++) {
		const struct fitted_ces *v = &fitted_ces[i];
		const struct classic_series *s = classic(v->series);
		struct forecast_workspace *ws = workspace_for(s);
		struct ces_model model = { .type = v->type == 'n'   ? CES_NONE
						   : v->type == 's' ? CES_SIMPLE
								    : CES_FULL };
		double mean[STEPS], sd[STEPS];
		struct member_path path = { .mean = mean, .sd = sd };
		model.m = model.type == CES_NONE ? 1 : s->period;
		memcpy(model.parameters, v->parameters, sizeof model.parameters);
		assert_true(ces_admissible(model.type, model.parameters));
		assert_true(ces_evaluate(ws, s->values, s->count, &model));
		/* Parameters are printed with eight digits, which JohnsonJohnson feels in the fourth. */
		assert_true(fabs(model.loglik / v->loglik - 1) < 1e-4);
		assert_true(fabs(model.aicc / v->aicc - 1) < 1e-4);
		ces_predict(ws, s->values, s->count, &model, STEPS, &path);
		assert_true(difference(mean, v->mean) < 1e-4);
		forecast_workspace_free(ws);
	}
}

/* AirPassengers' full type and WWWusage have optima in a corner of the admissible region that the search does not
 * reach; there it may stay behind, but not far. */
static void
ces_estimates_are_about_as_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fitted_ces); i++) {
		const struct fitted_ces *v = &fitted_ces[i];
		const struct classic_series *s = classic(v->series);
		struct forecast_workspace *ws = workspace_for(s);
		struct ces_model model = { .type = v->type == 'n'   ? CES_NONE
						   : v->type == 's' ? CES_SIMPLE
								    : CES_FULL };
		model.m = model.type == CES_NONE ? 1 : s->period;
		assert_true(ces_estimate(ws, s->values, s->count, false, &model));
		assert_true(ces_admissible(model.type, model.parameters));
		assert_true(model.loglik >= v->loglik - (model.type == CES_FULL ? 10 : 5));
		forecast_workspace_free(ws);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ets_likelihood_at_printed_parameters),
		cmocka_unit_test(ets_forecasts_at_printed_parameters),
		cmocka_unit_test(ets_estimates_are_as_good),
		cmocka_unit_test(ets_known_first_forecast_of_air_passengers),
		cmocka_unit_test(dotm_agrees_or_fits_better),
		cmocka_unit_test(dotm_squares_follow_the_recursions),
		cmocka_unit_test(theta_agrees),
		cmocka_unit_test(ces_likelihood_and_forecasts_at_printed_parameters),
		cmocka_unit_test(ces_estimates_are_about_as_good),
	};
	return cmocka_run_group_tests_name("forecast vectors", tests, NULL, NULL);
}
