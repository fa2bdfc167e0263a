/* Equations against brute force, and behaviour that every method must show: scaling, shifting, repeating, odd series. */
#include "forecast/ces.h"
#include "forecast/ets.h"
#include "forecast/forecast.h"
#include "forecast/numeric.h"
#include "forecast/stl.h"

#include "classic_series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum { HORIZON = 18, RUNS = 20000 };

/* One simulated continuation of a model: the definition of the model, step by step. */
static void
ets_simulate(const struct ets_model *model, struct random_source *random, double *path)
{
	struct ets_state s = model->last;
	for (size_t h = 0; h < HORIZON; h++) {
		double push = s.phi * s.slope, q = s.level + push, *season = &s.season[h % model->form.m];
		bool ratio = model->form.season == SEASON_MULTIPLICATIVE;
		double mean = model->form.season == SEASON_NONE ? q : ratio ? q * *season : q + *season;
		double e = sqrt(model->variance) * random_normal(random);
		double d = model->form.multiplicative_error ? mean * e : e;
		path[h] = mean + d;
		double r = ratio ? d / *season : d, rs = ratio ? d / q : d;
		s.level = q + s.alpha * r;
		s.slope = push + s.beta * r;
		if (model->form.season != SEASON_NONE)
			*season += s.gamma * rs;
	}
}

static void
ets_variances_are_those_of_simulation(void **state)
{
	(void)state;
	static double sum[HORIZON], squares[HORIZON], path[HORIZON];
	struct forecast_workspace *ws = forecast_workspace_new();
	assert_true(workspace_reserve(ws, workspace_need(100, 12, HORIZON)));
	for (int season = SEASON_NONE; season <= SEASON_MULTIPLICATIVE; season++)
		for (int trend = TREND_NONE; trend <= TREND_DAMPED; trend++)
			for (int error = season == SEASON_MULTIPLICATIVE; error < 2; error++) {
				struct ets_model model = { .form = { error, (enum ets_trend)trend,
								   (enum season_kind)season, season ? 4 : 1 },
					.variance = error ? 0.0025 : 25 };
				model.last = (struct ets_state){ 0.4, trend ? 0.1 : 0, season ? 0.3 : 0,
					trend == TREND_DAMPED ? 0.9 : 1, 100, trend ? 2 : 0, { 0 } };
				const double additive[] = { 10, -5, 3, -8 }, ratio[] = { 1.1, 0.9, 1.2, 0.8 };
				memcpy(model.last.season, season == SEASON_MULTIPLICATIVE ? ratio : additive,
					sizeof ratio);
				double mean[HORIZON], sd[HORIZON];
				struct random_source random;
				random_init(&random, 11);
				memset(sum, 0, sizeof sum);
				memset(squares, 0, sizeof squares);
				for (int run = 0; run < RUNS; run++) {
					ets_simulate(&model, &random, path);
					for (size_t h = 0; h < HORIZON; h++) {
						sum[h] += path[h] / RUNS;
						squares[h] += path[h] * path[h] / RUNS;
					}
				}
				ets_predict(&model, ws, HORIZON, mean, sd);
				const double limit = 0.025;
				for (size_t h = 0; h < HORIZON; h++) {
					assert_true(fabs(sum[h] / mean[h] - 1) < 0.01);
					assert_true(
						fabs(sqrt(squares[h] - sum[h] * sum[h]) / sd[h] - 1) < limit);
				}
			}
	forecast_workspace_free(ws);
}

/* The errors' response functions of CES, from filtering two series that differ in the last value only. */
static void
ces_deviations_follow_the_response(void **state)
{
	(void)state;
	const struct classic_series *s = &classic_series[0];
	struct forecast_workspace *ws = forecast_workspace_new();
	assert_true(workspace_reserve(ws, workspace_need(s->count, s->period, HORIZON)));
	struct ces_model model = { .type = CES_NONE, .m = 1, .parameters = { 1.4, 0.98 } };
	double mean[HORIZON], sd[HORIZON], l = 1.4 - 0.98, c = 1.4 + 0.98, sum = 1;
	struct member_path path = { .mean = mean, .sd = sd };
	assert_true(ces_evaluate(ws, s->values, s->count, &model));
	ces_predict(ws, s->values, s->count, &model, HORIZON, &path);
	for (size_t h = 0; h < HORIZON; h++) {
		assert_true(fabs(sd[h] / sqrt(model.variance * sum) - 1) < 1e-9);
		sum += l * l;
		double next = l - (1 - 0.98) * c;
		c = l + (1 - 1.4) * c;
		l = next;
	}
	forecast_workspace_free(ws);
}

static void
stl_parts_add_up(void **state)
{
	(void)state;
	const struct classic_series *s = &classic_series[0];
	struct forecast_workspace *ws = forecast_workspace_new();
	double season[200], trend[200], remainder[200];
	struct stl_parts parts = { season, trend, remainder };
	assert_true(workspace_reserve(ws, workspace_need(s->count, s->period, 1)));
	assert_true(stl_decompose(
		ws, s->values, s->count, 12, (struct stl_options){ .season_window = 11 }, &parts));
	for (size_t i = 0; i < s->count; i++)
		assert_true(fabs(season[i] + trend[i] + remainder[i] - s->values[i]) < 1e-9);
	/* R's stl(AirPassengers, s.window = 11). */
	assert_true(fabs(season[0] + 16.97707) < 1e-4 && fabs(trend[50] - 219.8337) < 1e-3);
	assert_true(stl_decompose(
		ws, s->values, s->count, 12, (struct stl_options){ .season_window = 7 }, &parts));
	assert_true(fabs(season[143] + 51.52714) < 1e-4 && fabs(remainder[140] + 0.4385744) < 1e-4);
	assert_false(
		stl_decompose(ws, s->values, 23, 12, (struct stl_options){ .season_window = 7 }, &parts));
	forecast_workspace_free(ws);
}

static struct forecast_result *
forecast_of(const double *values, size_t count, enum forecast_calendar calendar, const char *method)
{
	struct forecast_series series = { .values = values, .count = count, .calendar = calendar };
	struct forecast_options options = { .horizon = HORIZON, .method = method };
	struct forecast_result *result = NULL;
	assert_int_equal(forecast_run(NULL, &series, &options, &result, NULL), FORECAST_OK);
	for (size_t i = 0; i < HORIZON; i++)
		assert_true(isfinite(result->mean[i]) && isfinite(result->lower[i]) &&
			    isfinite(result->upper[i]));
	return result;
}

static void
scaling_a_series_scales_its_forecast(void **state)
{
	(void)state;
	const double factors[] = { 1e12, 1e-12, 1024 };
	double scaled[144];
	for (size_t k = 0; k < COUNT(factors); k++)
		for (size_t m = 0; forecast_method_name(m); m++) {
			const char *method = forecast_method_name(m);
			for (size_t i = 0; i < 144; i++)
				scaled[i] = series_AirPassengers[i] * factors[k];
			struct forecast_result *a =
				forecast_of(series_AirPassengers, 144, FORECAST_MONTH, method);
			struct forecast_result *b = forecast_of(scaled, 144, FORECAST_MONTH, method);
			for (size_t i = 0; i < HORIZON; i++) {
				double limit = factors[k] == 1024 ? 0 : 1e-3;
				assert_true(fabs(b->mean[i] / factors[k] / a->mean[i] - 1) <= limit);
				assert_true(fabs(b->upper[i] / factors[k] / a->upper[i] - 1) <= limit * 10);
			}
			forecast_result_free(a);
			forecast_result_free(b);
		}
}

static void
shifting_a_series_shifts_additive_forecasts(void **state)
{
	(void)state;
	static const char *const methods[] = { "naive", "snaive", "ses", "holt", "damped", "dotm", "theta" };
	double shifted[100];
	for (size_t i = 0; i < 100; i++)
		shifted[i] = series_Nile[i] - 5000;
	for (size_t k = 0; k < COUNT(methods); k++) {
		struct forecast_result *a = forecast_of(series_Nile, 100, FORECAST_YEAR, methods[k]);
		struct forecast_result *b = forecast_of(shifted, 100, FORECAST_YEAR, methods[k]);
		for (size_t i = 0; i < HORIZON; i++)
			assert_true(fabs(a->mean[i] - 5000 - b->mean[i]) < 0.5);
		forecast_result_free(a);
		forecast_result_free(b);
	}
}

static void
repeats_are_the_same_bits(void **state)
{
	(void)state;
	for (size_t m = 0; forecast_method_name(m); m++) {
		struct forecast_result *a = forecast_of(
			series_UKgas, COUNT(series_UKgas), FORECAST_QUARTER, forecast_method_name(m));
		struct forecast_result *b = forecast_of(
			series_UKgas, COUNT(series_UKgas), FORECAST_QUARTER, forecast_method_name(m));
		assert_memory_equal(a->mean, b->mean, HORIZON * sizeof(double));
		assert_memory_equal(a->upper, b->upper, 2 * HORIZON * sizeof(double));
		forecast_result_free(a);
		forecast_result_free(b);
	}
}

/* Writes one kind of odd series of n values. */
static void
odd_series(int kind, double *y, size_t n)
{
	struct random_source random;
	random_init(&random, (uint64_t)kind);
	for (size_t i = 0; i < n; i++) {
		double noise = random_normal(&random);
		switch (kind) {
		case 0:
			y[i] = 7;
			break;
		case 1:
			y[i] = 0;
			break;
		case 2:
			y[i] = -100 - 10 * noise;
			break;
		case 3:
			y[i] = i == n / 2 ? 1e100 : 1 + noise;
			break;
		case 4:
			y[i] = i < n / 4 || i > n - n / 4 ? NAN : 50 + noise;
			break;
		case 5:
			y[i] = (double)i;
			break;
		case 6:
			y[i] = pow(1.5, (double)i);
			break;
		case 7:
			y[i] = i % 2 ? 1 : -1;
			break;
		case 8:
			y[i] = i % 3 ? 0 : 5;
			break;
		case 9:
			y[i] = i + 1 == n ? 1e6 : 1;
			break;
		case 10:
			y[i] = i % 2 ? NAN : 3 + noise;
			break;
		case 11:
			y[i] = 1e119 * noise / 10;
			break;
		case 12:
			y[i] = 1e-300 * (2 + noise);
			break;
		case 13:
			y[i] = i == 3 ? 4 : NAN;
			break;
		case 14:
			y[i] = 1 + 1e-15 * noise;
			break;
		default:
			y[i] = NAN;
			break;
		}
	}
}

static void
odd_series_are_answered(void **state)
{
	(void)state;
	const enum forecast_calendar calendars[] = { FORECAST_CALENDAR_UNKNOWN, FORECAST_QUARTER,
		FORECAST_MONTH, FORECAST_WEEK, FORECAST_DAY, FORECAST_HOUR };
	const size_t counts[] = { 1, 2, 3, 5, 9, 13, 25, 49, 110, 340 };
	double y[340];
	for (int kind = 0; kind <= 15; kind++)
		for (size_t c = 0; c < COUNT(calendars); c++)
			for (size_t k = 0; k < COUNT(counts); k++) {
				odd_series(kind, y, counts[k]);
				struct forecast_result *r = forecast_of(y, counts[k], calendars[c], NULL);
				for (size_t i = 0; i < HORIZON; i++)
					assert_true(r->lower[i] <= r->mean[i] && r->mean[i] <= r->upper[i]);
				forecast_result_free(r);
			}
}

static void
gaps_at_the_end_count_as_steps(void **state)
{
	(void)state;
	double y[60];
	for (size_t i = 0; i < 60; i++)
		y[i] = i < 57 ? (double)(i % 12) + 10 : NAN;
	struct forecast_result *whole = forecast_of(y, 57, FORECAST_MONTH, "snaive");
	struct forecast_result *gaps = forecast_of(y, 60, FORECAST_MONTH, "snaive");
	for (size_t i = 0; i + 3 < HORIZON; i++)
		assert_true(whole->mean[i + 3] == gaps->mean[i]);
	forecast_result_free(whole);
	forecast_result_free(gaps);
}

static void
gaps_inside_change_little(void **state)
{
	(void)state;
	double y[144];
	memcpy(y, series_AirPassengers, sizeof y);
	for (size_t i = 5; i < 140; i += 17)
		y[i] = NAN;
	struct forecast_result *whole = forecast_of(series_AirPassengers, 144, FORECAST_MONTH, NULL);
	struct forecast_result *gaps = forecast_of(y, 144, FORECAST_MONTH, NULL);
	for (size_t i = 0; i < HORIZON; i++)
		assert_true(fabs(gaps->mean[i] / whole->mean[i] - 1) < 0.03);
	forecast_result_free(whole);
	forecast_result_free(gaps);
}

static void
intermittent_methods_know_the_rate(void **state)
{
	(void)state;
	static const char *const methods[] = { "croston", "sba", "tsb", "adida", "imapa", NULL };
	double y[200];
	for (size_t i = 0; i < 200; i++)
		y[i] = i % 4 == 1 ? 2 : 0;
	for (size_t k = 0; k < COUNT(methods); k++) {
		struct forecast_series series = { .values = y,
			.count = 200,
			.calendar = FORECAST_DAY,
			.non_negative = true,
			.integer = true };
		struct forecast_options options = { .horizon = 3, .method = methods[k] };
		struct forecast_result *r = NULL;
		assert_int_equal(forecast_run(NULL, &series, &options, &r, NULL), FORECAST_OK);
		assert_true(fabs(r->mean[0] - 0.5) < 0.12);
		assert_true(forecast_quantile(r, 0, 0.5) == 0 && forecast_quantile(r, 0, 0.99) == 2);
		assert_true(fabs(forecast_probability(r, 0, 1, FORECAST_AT_LEAST) - 0.25) < 0.06);
		forecast_result_free(r);
	}
}

static void
long_series_cost_linear_time(void **state)
{
	(void)state;
	static double y[60000];
	struct random_source random;
	random_init(&random, 3);
	for (size_t i = 0; i < COUNT(y); i++)
		y[i] = 100 + 10 * sin((double)i) + random_normal(&random);
	forecast_result_free(
		forecast_of(y, COUNT(y), FORECAST_MONTH, NULL)); /* ends, within the test's time limit */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ets_variances_are_those_of_simulation),
		cmocka_unit_test(ces_deviations_follow_the_response),
		cmocka_unit_test(stl_parts_add_up),
		cmocka_unit_test(scaling_a_series_scales_its_forecast),
		cmocka_unit_test(shifting_a_series_shifts_additive_forecasts),
		cmocka_unit_test(repeats_are_the_same_bits),
		cmocka_unit_test(odd_series_are_answered),
		cmocka_unit_test(gaps_at_the_end_count_as_steps),
		cmocka_unit_test(gaps_inside_change_little),
		cmocka_unit_test(intermittent_methods_know_the_rate),
		cmocka_unit_test(long_series_cost_linear_time),
	};
	return cmocka_run_group_tests_name("forecast models", tests, NULL, NULL);
}
