/* Exact tests against R's values and against enumeration; group comparisons and shifts against simulated noise and simulated effects. */
#include "forecast/numeric.h"
#include "forecast/significance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void
assert_near(double value, double expected, double relative)
{
	if (!(fabs(value - expected) <= relative * fabs(expected)))
		fail_msg("%.15g is not %.15g", value, expected);
}

/* R 4.2: fisher.test(matrix(c(a, n1 - a, b, n2 - b), 2), alternative = "less" and "greater"). */
static void
proportions_are_those_of_fishers_test(void **state)
{
	(void)state;
	static const struct {
		double a, n1, b, n2, less, greater, at;
	} rows[] = {
		{ 3, 10, 9, 12, 0.045606096689688, 0.995219950328309, 0.0408260470179975 },
		{ 0, 20, 5, 20, 0.0235620235620235, 1, 0.0235620235620235 },
		{ 7, 1000, 25, 1200, 0.00480910490313077, 0.998571738726616, 0.00338084362974656 },
		{ 190, 12340, 600, 30000, 0.000702643676972913, 0.999473025276379, 0.000175668953352187 },
		{ 40, 2000000, 90, 2500000, 0.000982900258359775, 0.999479725950946, 0.000462626209305621 },
		{ 12, 12, 1, 9, 1, 4.42282176028306e-05, 4.42282176028306e-05 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct significance_tails t =
			significance_proportions(rows[i].a, rows[i].n1, rows[i].b, rows[i].n2);
		assert_near(t.lower, rows[i].less, 1e-7);
		assert_near(t.upper, rows[i].greater, 1e-7);
		assert_near(t.lower_mid, rows[i].less - rows[i].at / 2, 1e-7);
		assert_near(t.upper_mid, rows[i].greater - rows[i].at / 2, 1e-7);
	}
	/* Beyond exactness: mid-p of the exact test, 1.0932e-06, to three digits. */
	struct significance_tails large = significance_proportions(1900, 100000, 2200, 100000);
	assert_near(large.lower, 1.1782523890058e-06 - 1.70025775164215e-07 / 2, 0.01);
	assert_true(isnan(significance_proportions(5, 4, 1, 4).lower) &&
		    isnan(significance_proportions(0, 0, 1, 4).lower));
}

/* Every table of every margin up to 7 + 6: the tails are sums over all assignments of the successes to the trials. */
static void
proportions_are_an_enumeration(void **state)
{
	(void)state;
	for (unsigned n1 = 1; n1 <= 7; n1++) {
		unsigned n2 = 13 - n1 > 6 ? 6 : 13 - n1, n = n1 + n2;
		double by[14][8] = { { 0 } }, all[14] = { 0 };
		for (unsigned set = 0; set < 1u << n; set++) {
			unsigned k = (unsigned)__builtin_popcount(set),
				 a = (unsigned)__builtin_popcount(set & ((1u << n1) - 1));
			by[k][a]++;
			all[k]++;
		}
		for (unsigned a = 0; a <= n1; a++)
			for (unsigned b = 0; b <= n2; b++) {
				double lower = 0;
				for (unsigned i = 0; i <= a; i++)
					lower += by[a + b][i] / all[a + b];
				assert_near(significance_proportions(a, n1, b, n2).lower, lower, 1e-9);
			}
	}
}

/* R: pbinom(k, n, p), pbinom(k - 1, n, p, lower = FALSE); poisson.test(c(30, 60), c(100, 120), alternative = "less"). */
static void
binomial_and_poisson_tails_are_rs(void **state)
{
	(void)state;
	static const double rows[][5] = { { 2, 10, 0.5, 0.0546875, 0.9892578125 },
		{ 0, 7, 0.1, 0.4782969, 1 }, { 40, 400, 0.15, 0.00214293490373855, 0.998706253827093 },
		{ 4900, 10000, 0.5, 0.0232927638524737, 0.97778710047696 },
		{ 10, 10, 0.3, 1, 5.90490000000000e-06 } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct significance_tails t = significance_binomial(rows[i][0], rows[i][1], rows[i][2]);
		assert_near(t.lower, rows[i][3], 1e-8);
		assert_near(t.upper, rows[i][4], 1e-8);
	}
	assert_near(significance_binomial(49000, 100000, 0.5).lower,
		1.29435801917345e-10 - 5.19465920988929e-12 / 2, 0.01);
	assert_near(significance_rates(30, 100, 60, 120).lower, 0.0130546436509824, 1e-8);
	assert_true(
		isnan(significance_binomial(3, 2, 0.5).lower) && isnan(significance_rates(1, 0, 1, 1).lower));
	struct significance_interval w = significance_wilson(15, 120, 0.95);
	assert_near(w.low, 0.0772349727339537, 1e-9);
	assert_near(w.high, 0.1960294020800739, 1e-9);
	w = significance_wilson(0, 50, 0.95);
	assert_true(w.low == 0);
	assert_near(w.high, 0.0713475991333587, 1e-9);
}

/* R: p.adjust. */
static void
corrections_are_rs(void **state)
{
	(void)state;
	static const double p[6] = { .01, .04, .03, .005, .55, .9 };
	static const double expected[3][6] = { { 0.05, 0.12, 0.12, 0.03, 1, 1 },
		{ 0.03, 0.06, 0.06, 0.03, 0.66, 0.90 }, { 0.0735, 0.1470, 0.1470, 0.0735, 1, 1 } };
	for (int method = SIGNIFICANCE_HOLM; method <= SIGNIFICANCE_BY; method++) {
		double corrected[6];
		assert_int_equal(significance_correct(p, 6, (enum significance_correction)method, corrected),
			FORECAST_OK);
		for (int i = 0; i < 6; i++)
			assert_near(corrected[i], expected[method][i], 1e-9);
	}
	double bad = 1.5;
	assert_int_equal(significance_correct(&bad, 1, SIGNIFICANCE_BH, &bad), FORECAST_BAD_VALUE);
	assert_int_equal(significance_correct(NULL, 0, SIGNIFICANCE_BH, NULL), FORECAST_OK);
}

/* ---- simulated groups ---- */

enum { MOST_UNITS = 4000 };

struct world {
	uint32_t members, slices_each, days;
	double exposure, rate;
	double slice_sd, day_sd, unit_sd; /* of the logarithm of the rate */
	double worse;			  /* member 0 has this times the rate */
	enum significance_chance chance;
};

static double
poisson_draw(struct random_source *random, double mean)
{
	if (mean > 50)
		return fmax(0, round(mean + sqrt(mean) * random_normal(random)));
	double limit = exp(-mean), product = random_uniform(random), k = 0;
	for (; product > limit; k++)
		product *= random_uniform(random);
	return k;
}

static size_t
world_fill(const struct world *w, struct random_source *random, struct significance_unit *units)
{
	size_t n = 0;
	double day_effect[400];
	for (uint32_t day = 0; day < w->days; day++)
		day_effect[day] = w->day_sd * random_normal(random);
	for (uint32_t s = 0; s < w->members * w->slices_each; s++) {
		double slice_effect = w->slice_sd * random_normal(random),
		       size = exp(0.5 * random_normal(random));
		for (uint32_t day = 0; day < w->days; day++) {
			double exposure = w->exposure * size * exp(0.3 * random_normal(random));
			double rate = w->rate * exp(slice_effect + day_effect[day] +
							w->unit_sd * random_normal(random));
			rate *= s / w->slices_each == 0 ? w->worse : 1;
			double count = w->chance == SIGNIFICANCE_AMOUNT
					       ? exposure * rate
					       : poisson_draw(random, exposure * rate);
			units[n++] = (struct significance_unit){ .member = s / w->slices_each,
				.slice = s,
				.day = (int32_t)day,
				.count =
					fmin(count, w->chance == SIGNIFICANCE_BINOMIAL ? exposure : INFINITY),
				.exposure = exposure };
		}
	}
	return n;
}

/* The share of simulated worlds whose member 0 has a p-value of at most level. */
static double
found_share(const struct world *w, int runs, double level)
{
	struct significance_unit *units = calloc(MOST_UNITS, sizeof *units);
	struct significance_comparison out[64];
	struct random_source random;
	int found = 0;
	random_init(&random, 77);
	for (int run = 0; run < runs; run++) {
		struct significance_design d = { .units = units,
			.unit_count = world_fill(w, &random, units),
			.members = w->members,
			.strata = 1,
			.slices = w->members * w->slices_each,
			.chance = w->chance,
			.assumed = 0.1,
			.target = NAN };
		assert_int_equal(significance_compare(&d, out, NULL), FORECAST_OK);
		assert_true(out[0].enough && out[0].p_value >= 0 && out[0].p_value <= 1);
		found += out[0].p_value <= level;
	}
	free(units);
	return (double)found / runs;
}

static const struct world noise[] = {
	/* members, slices, days, exposure, rate, slice sd, day sd, unit sd */
	{ 4, 1, 14, 5000, 0.02, 0, 0, 0, 1, SIGNIFICANCE_BINOMIAL },
	{ 4, 1, 14, 5000, 0.02, 0, 0.3, 0, 1, SIGNIFICANCE_BINOMIAL },
	{ 4, 1, 14, 50000, 0.02, 0, 0, 0.3, 1, SIGNIFICANCE_BINOMIAL },
	{ 3, 8, 1, 20000, 0.02, 0.3, 0, 0, 1, SIGNIFICANCE_BINOMIAL },
	{ 3, 20, 1, 20000, 0.02, 0.5, 0, 0, 1, SIGNIFICANCE_BINOMIAL },
	{ 2, 4, 14, 5000, 0.02, 0.2, 0.2, 0.2, 1, SIGNIFICANCE_BINOMIAL },
	{ 5, 3, 10, 1000, 0.02, 0.3, 0, 0, 1, SIGNIFICANCE_BINOMIAL },
	{ 6, 5, 1, 30, 0.1, 0, 0, 0, 1, SIGNIFICANCE_POISSON },
	{ 4, 10, 1, 50, 1.0, 0, 0, 0.4, 1, SIGNIFICANCE_AMOUNT },
	{ 4, 1, 21, 50, 1.0, 0, 0.2, 0.2, 1, SIGNIFICANCE_AMOUNT },
	{ 10, 1, 1, 100000, 0.02, 0.1, 0, 0, 1, SIGNIFICANCE_BINOMIAL },
};

static void
noise_is_called_a_difference_no_more_often_than_the_level_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
		double at_5 = found_share(&noise[i], 1500, 0.05), at_1 = found_share(&noise[i], 1500, 0.005);
		/* Some two to three standard errors of the simulation above the level; the small level is the one corrections ask for. */
		if (at_5 > 0.068 || at_1 > 0.0095)
			fail_msg("world %zu: %.4f of noise is called significant at 0.05, %.4f at 0.005", i,
				at_5, at_1);
	}
}

static void
a_difference_of_30_percent_is_found(void **state)
{
	(void)state;
	static const size_t worlds[] = { 0, 1, 4, 6 };
	static const double least[] = { 0.95, 0.95, 0.3, 0.15 };
	for (size_t i = 0; i < 4; i++) {
		struct world w = noise[worlds[i]];
		w.worse = 0.7;
		double power = found_share(&w, 300, 0.01);
		if (power < least[i])
			fail_msg("world %zu: found in %.2f of the runs", worlds[i], power);
	}
}

/* Slices that differ only because they stand in other strata are no difference; what counts is the comparison within strata. */
static void
members_are_compared_within_their_strata(void **state)
{
	(void)state;
	/* Member 0 is mostly in the poor stratum, and 20 % better than member 1 in both. */
	static const double exposure[2][2] = { { 900000, 100000 }, { 100000, 900000 } },
			    rate[2] = { 0.01, 0.05 };
	struct significance_unit units[40];
	for (uint32_t s = 0; s < 40; s++) {
		uint32_t member = s / 20, stratum = s % 2;
		double x = exposure[member][stratum] / 10, wobble = 1 + 0.02 * (s % 3 - 1.0);
		units[s] = (struct significance_unit){ .member = member,
			.stratum = stratum,
			.slice = s,
			.exposure = x,
			.count = round(x * rate[stratum] * (member ? 1 : 1.2) * wobble) };
	}
	struct significance_design d = { .units = units,
		.unit_count = 40,
		.members = 2,
		.strata = 2,
		.slices = 40,
		.chance = SIGNIFICANCE_BINOMIAL,
		.assumed = 0.1,
		.target = NAN };
	struct significance_comparison out[2];
	assert_int_equal(significance_compare(&d, out, NULL), FORECAST_OK);
	assert_true(out[0].rate < out[1].rate);
	assert_near(out[0].effect, 0.2, 0.02);
	assert_near(out[1].effect, 1 / 1.2 - 1, 0.02);
	assert_true(out[0].p_value > 0.99 && out[1].p_value < 1e-6 && out[1].low < out[1].effect &&
		    out[1].effect < out[1].high);
	/* A member alone in its stratum has no peers. */
	for (size_t i = 0; i < 40; i++)
		units[i].stratum = units[i].member;
	assert_int_equal(significance_compare(&d, out, NULL), FORECAST_OK);
	assert_false(out[0].enough || out[1].enough);
}

static void
units_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	struct significance_unit units[2] = { { .count = 1, .exposure = 10 },
		{ .slice = 1, .count = 2, .exposure = 10 } };
	struct significance_design d = {
		.units = units, .unit_count = 2, .members = 1, .strata = 1, .slices = 2, .target = 0.1
	};
	struct significance_comparison out[1];
	assert_int_equal(significance_compare(&d, out, NULL), FORECAST_OK);
	units[1].exposure = 0;
	assert_int_equal(significance_compare(&d, out, NULL), FORECAST_BAD_VALUE);
	units[1].exposure = NAN;
	assert_int_equal(significance_compare(&d, out, NULL), FORECAST_BAD_VALUE);
	units[1].exposure = 10, units[1].slice = 7;
	assert_int_equal(significance_compare(&d, out, NULL), FORECAST_BAD_VALUE);
	units[1].slice = 1, units[1].day = INT32_MAX;
	assert_int_equal(significance_compare(&d, out, NULL), FORECAST_BAD_VALUE);
	d.unit_count = 0;
	assert_int_equal(significance_compare(&d, out, NULL), FORECAST_OK);
	assert_false(out[0].enough);
}

/* ---- shifts ---- */

struct found {
	double shifts, falls;
};

static struct found
found_in(size_t n, double correlation, double step, double slope)
{
	enum { RUNS = 200 };
	struct random_source random;
	int shifts = 0, falls = 0;
	random_init(&random, 5);
	for (int run = 0; run < RUNS; run++) {
		double x[100], last = 0;
		for (size_t i = 0; i < n + 20; i++) {
			last = correlation * last + random_normal(&random);
			if (i >= 20)
				x[i - 20] = last + (i >= 20 + n / 2 ? step : 0) + slope * (double)i;
		}
		struct significance_shift shift;
		struct significance_fall fall;
		assert_int_equal(significance_shift(x, n, &shift), FORECAST_OK);
		assert_int_equal(significance_fall(x, n, &fall), FORECAST_OK);
		assert_true(shift.enough && shift.p_value > 0 && shift.p_value <= 1);
		assert_true(fall.enough && fall.p_value > 0 && fall.p_value <= 1);
		shifts += shift.p_value <= 0.05;
		falls += fall.p_value <= 0.05;
	}
	return (struct found){ (double)shifts / RUNS, (double)falls / RUNS };
}

static void
shifts_and_falls_are_found_and_noise_is_none(void **state)
{
	(void)state;
	static const size_t lengths[] = { 14, 28 };
	static const double correlations[] = { 0, 0.4, 0.6 };
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 3; k++) {
			struct found f = found_in(lengths[i], correlations[k], 0, 0);
			/* Of 200 runs; neighbours as alike as 0.6 are the worst that daily figures are. */
			double most = correlations[k] > 0.5 ? 0.12 : 0.085;
			if (f.shifts > most || f.falls > most)
				fail_msg("%zu values, correlation %g: %g shifts, %g falls in noise",
					lengths[i], correlations[k], f.shifts, f.falls);
		}
	struct found f = found_in(28, 0, 0, -0.1), g = found_in(28, 0, 2.5, 0);
	assert_true(f.falls >= 0.95 && g.shifts >= 0.95);
	struct significance_shift shift;
	double x[30];
	for (int i = 0; i < 30; i++)
		x[i] = i % 2 + (i >= 12 ? 9.0 : 0) + (i == 3 ? NAN : 0);
	assert_int_equal(significance_shift(x, 30, &shift), FORECAST_OK);
	assert_true(shift.index == 12 && shift.p_value <= 0.001 && shift.after > shift.before + 8);
	assert_int_equal(significance_shift(x, 9, &shift), FORECAST_OK);
	assert_false(shift.enough);
	x[0] = INFINITY;
	assert_int_equal(significance_shift(x, 30, &shift), FORECAST_BAD_VALUE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proportions_are_those_of_fishers_test),
		cmocka_unit_test(proportions_are_an_enumeration),
		cmocka_unit_test(binomial_and_poisson_tails_are_rs),
		cmocka_unit_test(corrections_are_rs),
		cmocka_unit_test(noise_is_called_a_difference_no_more_often_than_the_level_says),
		cmocka_unit_test(a_difference_of_30_percent_is_found),
		cmocka_unit_test(members_are_compared_within_their_strata),
		cmocka_unit_test(units_that_make_no_sense_are_refused),
		cmocka_unit_test(shifts_and_falls_are_found_and_noise_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
