/* The analytics find what was put into a series, and do not find what is not there. */
#include "forecast/analytics.h"
#include "forecast/holidays.h"
#include "forecast/numeric.h"

#include "classic_series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
noise_fill(uint64_t seed, double correlation, double *y, size_t n)
{
	struct random_source random;
	double last = 0;
	random_init(&random, seed);
	for (size_t i = 0; i < n; i++)
		y[i] = last = correlation * last + random_normal(&random);
}

static struct analytics_trend
trend_of(const double *y, size_t n)
{
	struct forecast_series series = { .values = y, .count = n };
	struct analytics_trend trend;
	assert_int_equal(analytics_trend(&series, &trend, NULL), FORECAST_OK);
	return trend;
}

static void
trend_of_a_line_is_its_slope(void **state)
{
	(void)state;
	double y[40];
	for (size_t i = 0; i < 40; i++)
		y[i] = i == 20 ? 1e6 : i == 7 ? NAN : 3 - 0.5 * (double)i;
	struct analytics_trend t = trend_of(y, 40);
	assert_true(t.enough && t.direction == ANALYTICS_FALLING && t.p_value < 1e-6);
	assert_true(fabs(t.slope + 0.5) < 1e-9 && fabs(t.intercept - 3) < 1e-6);
	assert_true(t.slope_low <= t.slope && t.slope <= t.slope_high);
}

/* Under no trend the test fires in about 5 % of series, also when neighbours are correlated. */
static void
no_trend_is_rarely_called_one(void **state)
{
	(void)state;
	double y[120];
	int independent = 0, correlated = 0;
	for (uint64_t seed = 0; seed < 200; seed++) {
		noise_fill(seed, 0, y, 120);
		independent += trend_of(y, 120).direction != ANALYTICS_FLAT;
		noise_fill(seed + 1000, 0.5, y, 120);
		correlated += trend_of(y, 120).direction != ANALYTICS_FLAT;
	}
	assert_true(independent >= 1 && independent <= 20);
	assert_true(correlated <= 36); /* uncorrected: a quarter of them */
}

static void
long_series_have_a_trend_too(void **state)
{
	(void)state;
	static double y[5000];
	noise_fill(5, 0, y, 5000);
	for (size_t i = 0; i < 5000; i++)
		y[i] += 0.001 * (double)i;
	struct analytics_trend t = trend_of(y, 5000);
	assert_true(t.direction == ANALYTICS_RISING && fabs(t.slope - 0.001) < 2e-4);
}

static void
too_short_is_said(void **state)
{
	(void)state;
	const double y[] = { 1, 2, NAN, 3 };
	struct forecast_series series = { .values = y, .count = 4, .calendar = FORECAST_MONTH };
	struct analytics_season season;
	assert_false(trend_of(y, 4).enough);
	assert_int_equal(analytics_season(&series, &season, NULL, NULL), FORECAST_OK);
	assert_false(season.enough);
	assert_int_equal(season.period, 1);
}

static void
season_strength_and_profile(void **state)
{
	(void)state;
	struct forecast_series series = {
		.values = series_AirPassengers, .count = 144, .calendar = FORECAST_MONTH
	};
	struct analytics_season season;
	double profile[12];
	assert_int_equal(analytics_season(&series, &season, profile, NULL), FORECAST_OK);
	assert_true(
		season.enough && season.significant && season.strength > 0.9 && season.trend_strength > 0.95);
	assert_int_equal(season.high, 6); /* July */
	assert_true(profile[6] > 0 && profile[season.low] < 0);
	double y[144];
	noise_fill(9, 0, y, 144);
	series.values = y;
	assert_int_equal(analytics_season(&series, &season, NULL, NULL), FORECAST_OK);
	assert_true(season.strength < 0.7 && !season.significant);
}

static void
anomalies_are_found_and_named(void **state)
{
	(void)state;
	double y[144];
	for (size_t i = 0; i < 144; i++)
		y[i] = series_AirPassengers[i] * (i == 50 ? 1.6 : i == 90 ? 0.5 : 1);
	struct forecast_series series = { .values = y, .count = 144, .calendar = FORECAST_MONTH };
	struct analytics_anomaly found[20];
	size_t count = 0;
	assert_int_equal(analytics_anomalies(&series, 6, found, 20, &count), FORECAST_OK);
	assert_int_equal(count, 2);
	assert_int_equal(found[0].index, 50);
	assert_int_equal(found[1].index, 90);
	assert_true(found[0].score > 0 && found[1].score < 0);
	assert_true(fabs(found[0].expected / series_AirPassengers[50] - 1) < 0.1);
	assert_int_equal(analytics_anomalies(&series, 1, found, 20, &count), FORECAST_BAD_OPTION);
}

static void
a_level_shift_is_a_change_and_no_anomaly(void **state)
{
	(void)state;
	double y[100];
	noise_fill(2, 0, y, 100);
	for (size_t i = 0; i < 100; i++)
		y[i] += i < 40 ? 50 : i < 70 ? 60 : 45;
	struct forecast_series series = { .values = y, .count = 100 };
	struct analytics_change changes[10];
	struct analytics_anomaly anomalies[10];
	size_t count = 0;
	assert_int_equal(analytics_changes(&series, changes, 10, &count), FORECAST_OK);
	assert_int_equal(count, 2);
	assert_int_equal(changes[0].index, 40);
	assert_int_equal(changes[1].index, 70);
	assert_true(fabs(changes[0].before - 50) < 1 && fabs(changes[0].after - 60) < 1);
	assert_int_equal(analytics_anomalies(&series, 0, anomalies, 10, &count), FORECAST_OK);
	assert_int_equal(count, 0);
}

/* The best partition by trying all pairs of change-points: PELT is exact. */
static void
pelt_finds_the_optimum(void **state)
{
	(void)state;
	double y[30];
	noise_fill(8, 0, y, 30);
	for (size_t i = 12; i < 30; i++)
		y[i] += 8;
	struct forecast_series series = { .values = y, .count = 30 };
	struct analytics_change change;
	size_t count = 0;
	assert_int_equal(analytics_changes(&series, &change, 1, &count), FORECAST_OK);
	assert_int_equal(count, 1);
	double least = INFINITY;
	size_t best = 0;
	for (size_t at = 5; at <= 25; at++) {
		double cost = 0, a = numeric_mean(y, at), b = numeric_mean(y + at, 30 - at);
		for (size_t i = 0; i < 30; i++)
			cost += i < at ? (y[i] - a) * (y[i] - a) : (y[i] - b) * (y[i] - b);
		if (cost < least) {
			least = cost;
			best = at;
		}
	}
	assert_int_equal(change.index, best);
}

static void
noise_has_no_change_points(void **state)
{
	(void)state;
	double y[200];
	size_t count = 0, all = 0;
	for (uint64_t seed = 0; seed < 50; seed++) {
		noise_fill(seed, 0, y, 200);
		struct forecast_series series = { .values = y, .count = 200 };
		assert_int_equal(analytics_changes(&series, NULL, 0, &count), FORECAST_OK);
		all += count;
	}
	assert_true(all <= 5);
}

static void
contributions_add_up(void **state)
{
	(void)state;
	const struct analytics_member members[] = { { 10, 30, 100, 200 }, { 40, 20, 100, 50 },
		{ 0, 5, 0, 10 }, { 7, 0, 20, 0 } };
	struct analytics_contribution c[4];
	for (int ratio = 0; ratio < 2; ratio++) {
		double total = 0, sum = 0;
		assert_int_equal(analytics_contributions(members, 4, ratio, c, &total), FORECAST_OK);
		for (size_t i = 0; i < 4; i++) {
			sum += c[i].change;
			assert_true(!ratio || fabs(c[i].rate + c[i].mix - c[i].change) < 1e-12);
		}
		assert_true(fabs(sum - total) < 1e-12);
	}
	double total;
	assert_int_equal(analytics_contributions(members, 4, false, c, &total), FORECAST_OK);
	assert_true(total == -2 && c[0].change == 20 && c[0].rank == 0 && c[1].rank == 1);
	const struct analytics_member nothing = { 1, 2, 0, 0 };
	assert_int_equal(analytics_contributions(&nothing, 1, true, c, &total), FORECAST_BAD_VALUE);
}

static void
periods_are_compared(void **state)
{
	(void)state;
	const double y[] = { 10, 11, 9, 10, NAN, 20, 21, 19, 20, 20 };
	struct forecast_series series = { .values = y, .count = 10 };
	struct analytics_comparison c = analytics_compare(&series, 0, 5, 5);
	assert_true(c.enough && c.earlier_count == 4 && c.later_count == 5);
	assert_true(c.earlier == 40 && c.later == 100 && c.change == 10 && c.relative_change == 1);
	assert_true(c.p_value < 1e-4);
	c = analytics_compare(&series, 0, 100, 5);
	assert_false(c.enough);
	/* Welch's t with equal variances of 2/3, n = 4 each, difference 1: t = 1.7321, 6 degrees of freedom. */
	const double z[] = { 1, 2, 2, 3, 2, 3, 3, 4 };
	series = (struct forecast_series){ .values = z, .count = 8 };
	assert_true(fabs(analytics_compare(&series, 0, 4, 4).p_value - 0.134) < 1e-3);
}

static void
easter_is_when_it_is(void **state)
{
	(void)state;
	assert_int_equal(holiday_easter(2024), holiday_day(2024, 3, 31));
	assert_int_equal(holiday_easter(2025), holiday_day(2025, 4, 20));
	assert_int_equal(holiday_easter(1961), holiday_day(1961, 4, 2));
	assert_int_equal(holiday_easter(2038), holiday_day(2038, 4, 25));
	assert_int_equal(holiday_day(1970, 1, 1), 0);
	assert_int_equal(holiday_day(2000, 3, 1), 11017);
	assert_int_equal(holiday_day(2023, 2, 29), INT32_MIN);
	assert_int_equal(holiday_common(2024, 2025, NULL, 0), 14);
}

/* A holiday that halves the value in the history halves it in the forecast, but not fully; other days are untouched. */
static void
holidays_come_back(void **state)
{
	(void)state;
	enum { DAYS = 400, HORIZON = 30 };
	static double y[DAYS];
	struct holiday days[6];
	struct random_source random;
	random_init(&random, 1);
	for (size_t i = 0; i < DAYS; i++)
		y[i] = 100 + 10 * (i % 7 == 2) + random_normal(&random);
	for (size_t k = 0; k < 6; k++)
		days[k] = (struct holiday){ .day = (int32_t)(1000 + 50 + 72 * k),
			.kind = 3 }; /* the last is at 410 */
	for (size_t k = 0; k < 5; k++)
		y[50 + 72 * k] /= 2;
	struct forecast_holidays holidays = { .first_day = 1000, .days = days, .count = 6 };
	struct forecast_series series = {
		.values = y, .count = DAYS, .calendar = FORECAST_DAY, .holidays = &holidays
	};
	struct forecast_options options = { .horizon = HORIZON };
	struct forecast_result *with = NULL, *without = NULL;
	assert_int_equal(forecast_run(NULL, &series, &options, &with, NULL), FORECAST_OK);
	series.holidays = NULL;
	assert_int_equal(forecast_run(NULL, &series, &options, &without, NULL), FORECAST_OK);
	assert_true(with->mean[10] > 50 && with->mean[10] < 72);
	assert_true(without->mean[10] > 90);
	assert_true(fabs(with->mean[11] / without->mean[11] - 1) < 0.05);
	forecast_result_free(with);
	forecast_result_free(without);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trend_of_a_line_is_its_slope),
		cmocka_unit_test(no_trend_is_rarely_called_one),
		cmocka_unit_test(long_series_have_a_trend_too),
		cmocka_unit_test(too_short_is_said),
		cmocka_unit_test(season_strength_and_profile),
		cmocka_unit_test(anomalies_are_found_and_named),
		cmocka_unit_test(a_level_shift_is_a_change_and_no_anomaly),
		cmocka_unit_test(pelt_finds_the_optimum),
		cmocka_unit_test(noise_has_no_change_points),
		cmocka_unit_test(contributions_add_up),
		cmocka_unit_test(periods_are_compared),
		cmocka_unit_test(easter_is_when_it_is),
		cmocka_unit_test(holidays_come_back),
	};
	return cmocka_run_group_tests_name("forecast analytics", tests, NULL, NULL);
}
