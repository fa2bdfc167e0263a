/* What the public interface promises for every input: refusals, honest answers for short series, consistency. */
#include "forecast/forecast.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const double months[] = { 112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141,
	135, 125, 149, 170, 170, 158, 133, 114, 140, 145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146,
	166 };

static struct forecast_series
month_series(void)
{
	return (struct forecast_series){
		.values = months, .count = sizeof months / sizeof months[0], .calendar = FORECAST_MONTH
	};
}

static enum forecast_code
code_of(const struct forecast_series *series, const struct forecast_options *options)
{
	struct forecast_result *result = NULL;
	struct forecast_error error = { 0 };
	enum forecast_code code = forecast_run(NULL, series, options, &result, &error);
	assert_int_equal(error.code, code);
	assert_true((code == FORECAST_OK) == (result != NULL));
	assert_true(code == FORECAST_OK || error.text[0] != '\0');
	forecast_result_free(result);
	return code;
}

static void
bad_values_are_refused(void **state)
{
	(void)state;
	const double bad[] = { INFINITY, -INFINITY, 1e308, -1e121 };
	struct forecast_options options = { .horizon = 3 };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		double values[] = { 1, 2, bad[i], 4 };
		struct forecast_series series = { .values = values, .count = 4 };
		assert_int_equal(code_of(&series, &options), FORECAST_BAD_VALUE);
	}
}

static void
bad_options_are_refused(void **state)
{
	(void)state;
	struct forecast_series series = month_series();
	struct forecast_options options = { .horizon = 0 };
	assert_int_equal(code_of(&series, &options), FORECAST_BAD_HORIZON);
	options.horizon = 100000;
	assert_int_equal(code_of(&series, &options), FORECAST_BAD_HORIZON);
	options.horizon = 3;
	const double levels[] = { 0, 100, -5, NAN };
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		options.levels = &levels[i];
		options.level_count = 1;
		assert_int_equal(code_of(&series, &options), FORECAST_BAD_LEVEL);
	}
	options.levels = NULL;
	options.method = "crystal ball";
	assert_int_equal(code_of(&series, &options), FORECAST_BAD_METHOD);
	options.method = NULL;
	const unsigned periods[] = { 0, 37 };
	for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
		series.period_count = 1;
		series.periods[0] = periods[i];
		assert_int_equal(code_of(&series, &options), FORECAST_BAD_PERIOD);
	}
}

/* Every number finite, bounds in order around the mean and wider for a higher level, quantiles monotone. */
static void
result_is_consistent(const struct forecast_result *r)
{
	for (size_t i = 0; i < r->horizon; i++) {
		assert_true(isfinite(r->mean[i]));
		for (size_t l = 0; l < r->level_count; l++) {
			double low = r->lower[l * r->horizon + i], high = r->upper[l * r->horizon + i];
			assert_true(isfinite(low) && isfinite(high));
			assert_true(low <= r->mean[i] && r->mean[i] <= high);
			if (l > 0 && r->levels[l] > r->levels[l - 1]) {
				assert_true(low <= r->lower[(l - 1) * r->horizon + i]);
				assert_true(high >= r->upper[(l - 1) * r->horizon + i]);
			}
		}
		double before = -INFINITY;
		for (double p = 0.01; p < 1; p += 0.01) {
			double q = forecast_quantile(r, i, p);
			assert_true(q >= before);
			before = q;
		}
	}
}

static void
every_method_answers_every_length(void **state)
{
	(void)state;
	const double levels[] = { 50, 80, 95, 99 };
	for (size_t m = 0; forecast_method_name(m); m++) {
		for (size_t count = 0; count <= 36; count++) {
			struct forecast_series series = month_series();
			struct forecast_options options = { .horizon = 14,
				.levels = levels,
				.level_count = 4,
				.method = forecast_method_name(m) };
			struct forecast_result *result = NULL;
			series.count = count;
			assert_int_equal(forecast_run(NULL, &series, &options, &result, NULL), FORECAST_OK);
			result_is_consistent(result);
			assert_true(count > 3 || result->reason != NULL);
			forecast_result_free(result);
		}
	}
}

static void
probability_and_quantile_agree(void **state)
{
	(void)state;
	struct forecast_series series = month_series();
	struct forecast_options options = { .horizon = 6 };
	struct forecast_result *result = NULL;
	assert_int_equal(forecast_run(NULL, &series, &options, &result, NULL), FORECAST_OK);
	for (size_t step = 0; step < 6; step++)
		for (double p = 0.005; p < 1; p += 0.09) {
			double q = forecast_quantile(result, step, p);
			assert_true(fabs(forecast_probability(result, step, q, FORECAST_AT_MOST) - p) < 1e-9);
			assert_true(fabs(forecast_probability(result, step, q, FORECAST_AT_LEAST) - (1 - p)) <
				    1e-9);
		}
	assert_true(isnan(forecast_quantile(result, 6, 0.5)));
	assert_true(isnan(forecast_quantile(result, 0, 0)));
	forecast_result_free(result);
}

static void
paths_have_the_distribution_of_each_step(void **state)
{
	(void)state;
	struct forecast_series series = month_series();
	struct forecast_options options = { .horizon = 12 };
	struct forecast_result *result = NULL;
	struct forecast_paths *paths = NULL;
	assert_int_equal(forecast_run(NULL, &series, &options, &result, NULL), FORECAST_OK);
	assert_int_equal(forecast_paths_new(result, 20000, 7, &paths, NULL), FORECAST_OK);
	for (size_t step = 0; step < 12; step++) {
		double target = forecast_quantile(result, step, 0.8), below = 0;
		for (size_t i = 0; i < forecast_paths_count(paths); i++)
			below += forecast_path(paths, i)[step] <= target;
		assert_true(fabs(below / 20000 - 0.8) < 0.012);
	}
	struct forecast_goal goal = { .target = forecast_quantile(result, 11, 0.9),
		.measure = FORECAST_VALUE };
	struct forecast_reach reach = forecast_reach(paths, &goal);
	assert_true(reach.probability >= 0.1 - 0.01 && reach.probability <= 1);
	assert_true(reach.expected_step >= 1 && reach.expected_step <= 12);
	goal = (struct forecast_goal){ .known = 1000, .target = 1000, .steps = 12 };
	struct forecast_total total = forecast_total(paths, &goal, 90);
	double sum = 1000;
	for (size_t i = 0; i < 12; i++)
		sum += result->mean[i];
	assert_true(fabs(total.mean / sum - 1) < 0.02);
	assert_true(total.lower < total.median && total.median < total.upper);
	forecast_paths_free(paths);
	forecast_result_free(result);
}

static void
results_do_not_depend_on_threads(void **state)
{
	(void)state;
	enum { COUNT = 40 };
	struct forecast_series series[COUNT];
	struct forecast_result *one[COUNT], *four[COUNT];
	struct forecast_error errors[COUNT];
	struct forecast_options options = { .horizon = 8 };
	for (size_t i = 0; i < COUNT; i++) {
		series[i] = month_series();
		series[i].count = i % 37;
	}
	struct forecast_batch batch = { .series = series,
		.count = COUNT,
		.options = &options,
		.threads = 1,
		.results = one,
		.errors = errors };
	assert_int_equal(forecast_many(&batch, NULL), FORECAST_OK);
	batch.threads = 4;
	batch.results = four;
	assert_int_equal(forecast_many(&batch, NULL), FORECAST_OK);
	for (size_t i = 0; i < COUNT; i++) {
		assert_memory_equal(one[i]->mean, four[i]->mean, 8 * sizeof(double));
		assert_memory_equal(one[i]->lower, four[i]->lower, 16 * sizeof(double));
		assert_memory_equal(one[i]->upper, four[i]->upper, 16 * sizeof(double));
		forecast_result_free(one[i]);
		forecast_result_free(four[i]);
	}
}

static void
flags_are_respected(void **state)
{
	(void)state;
	const double values[] = { 3, 0, 1, 5, 0, 2, 9, 0, 0, 4, 1, 0 };
	struct forecast_series series = {
		.values = values, .count = 12, .non_negative = true, .integer = true
	};
	struct forecast_options options = { .horizon = 5 };
	struct forecast_result *result = NULL;
	assert_int_equal(forecast_run(NULL, &series, &options, &result, NULL), FORECAST_OK);
	result_is_consistent(result);
	for (size_t i = 0; i < 10; i++) {
		assert_true(result->lower[i] >= 0);
		assert_true(result->lower[i] == floor(result->lower[i]));
		assert_true(result->upper[i] == floor(result->upper[i]));
	}
	assert_true(forecast_probability(result, 0, -0.5, FORECAST_AT_MOST) == 0);
	forecast_result_free(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(every_method_answers_every_length),
		cmocka_unit_test(probability_and_quantile_agree),
		cmocka_unit_test(paths_have_the_distribution_of_each_step),
		cmocka_unit_test(results_do_not_depend_on_threads),
		cmocka_unit_test(flags_are_respected),
	};
	return cmocka_run_group_tests_name("forecast interface", tests, NULL, NULL);
}
