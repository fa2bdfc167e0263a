/* From figure and target to achievement and state, in each direction, with hysteresis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/kpi/status.h"

static struct decimal
dec(const char *text)
{
	struct decimal d = { 0, 0 };
	assert_int_equal(decimal_parse(str_from_cstr(text), &d), DECIMAL_OK);
	return d;
}

/* NULL: the KPI has no such bound. */
static struct kpi
kpi_of(enum kpi_direction direction, const char *min, const char *max)
{
	struct kpi k = {
		.direction = direction,
		.warning_threshold = dec("0.8"),
		.critical_threshold = dec("0.6"),
		.hysteresis = dec("0.02"),
	};
	if (min)
		k.min_value = dec(min);
	if (max)
		k.max_value = dec(max);
	res_set_null(&kpi_res, &k, "thresholds.min_value", !min);
	res_set_null(&kpi_res, &k, "thresholds.max_value", !max);
	return k;
}

static void
assert_achievement(const struct kpi *k, const char *value, const char *target, const char *expected)
{
	struct decimal a;
	assert_true(kpi_achievement(k, dec(value), dec(target), &a));
	if (decimal_cmp(a, dec(expected)) != 0)
		fail_msg("%s of %s is %lld × 10^-%d instead of %s", value, target, (long long)a.coef, a.scale,
			expected);
}

static void
higher_is_a_fraction_of_the_target(void **state)
{
	struct kpi k = kpi_of(KPI_HIGHER, NULL, NULL);
	(void)state;
	assert_achievement(&k, "400000", "500000", "0.8");
	assert_achievement(&k, "0", "500000", "0");
	assert_achievement(&k, "-50", "100", "-0.5");
	assert_achievement(&k, "1", "3", "0.333333");
}

static void
targets_of_zero_and_below_are_judged_on_the_way_from_min(void **state)
{
	struct kpi k = kpi_of(KPI_HIGHER, "-100", NULL), open = kpi_of(KPI_HIGHER, NULL, NULL);
	(void)state;
	assert_achievement(&k, "-25", "0", "0.75");
	assert_achievement(&k, "-100", "-50", "0");
	assert_achievement(&k, "-60", "-50", "0.8");
	assert_achievement(&open, "1", "0", "1");
	assert_achievement(&open, "-1", "0", "0");
}

static void
lower_turns_the_fraction_round(void **state)
{
	struct kpi k = kpi_of(KPI_LOWER, NULL, NULL), bounded = kpi_of(KPI_LOWER, NULL, "100");
	(void)state;
	assert_achievement(&k, "50", "40", "0.8");
	assert_achievement(&k, "40", "40", "1");
	assert_achievement(&k, "20", "40", "2");
	assert_achievement(&k, "0", "40", "10");
	assert_achievement(&k, "-5", "40", "10");
	assert_achievement(&bounded, "25", "0", "0.75");
}

static void
a_range_is_kept_or_missed_by_parts_of_its_width(void **state)
{
	struct kpi k = kpi_of(KPI_RANGE, "20", "30");
	(void)state;
	assert_achievement(&k, "20", "0", "1");
	assert_achievement(&k, "30", "0", "1");
	assert_achievement(&k, "31", "0", "0.9");
	assert_achievement(&k, "17", "0", "0.7");
	assert_achievement(&k, "1000", "0", "0");
	assert_int_equal(kpi_judge(&k, dec("1"), KPI_NO_DATA), KPI_ON_TRACK);
	assert_int_equal(kpi_judge(&k, dec("0.9"), KPI_NO_DATA), KPI_WARNING);
	assert_int_equal(kpi_judge(&k, dec("0.5"), KPI_NO_DATA), KPI_CRITICAL);
	/* Being inside is as good as it gets: nothing is left to demand for recovery. */
	assert_int_equal(kpi_judge(&k, dec("1"), KPI_CRITICAL), KPI_ON_TRACK);
}

static void
states_fall_at_their_thresholds(void **state)
{
	struct kpi k = kpi_of(KPI_HIGHER, NULL, NULL);
	(void)state;
	assert_int_equal(kpi_judge(&k, dec("0.8"), KPI_NO_DATA), KPI_ON_TRACK);
	assert_int_equal(kpi_judge(&k, dec("0.799999"), KPI_NO_DATA), KPI_WARNING);
	assert_int_equal(kpi_judge(&k, dec("0.6"), KPI_ON_TRACK), KPI_WARNING);
	assert_int_equal(kpi_judge(&k, dec("0.599999"), KPI_ON_TRACK), KPI_CRITICAL);
}

static void
states_improve_only_beyond_the_hysteresis(void **state)
{
	struct kpi k = kpi_of(KPI_HIGHER, NULL, NULL);
	(void)state;
	assert_int_equal(kpi_judge(&k, dec("0.81"), KPI_WARNING), KPI_WARNING);
	assert_int_equal(kpi_judge(&k, dec("0.82"), KPI_WARNING), KPI_ON_TRACK);
	assert_int_equal(kpi_judge(&k, dec("0.61"), KPI_CRITICAL), KPI_CRITICAL);
	assert_int_equal(kpi_judge(&k, dec("0.62"), KPI_CRITICAL), KPI_WARNING);
	assert_int_equal(kpi_judge(&k, dec("0.81"), KPI_CRITICAL), KPI_WARNING);
	/* Getting worse needs no distance. */
	assert_int_equal(kpi_judge(&k, dec("0.81"), KPI_ON_TRACK), KPI_ON_TRACK);
	assert_int_equal(kpi_judge(&k, dec("0.79"), KPI_ON_TRACK), KPI_WARNING);
}

static void
multiples_of_the_target_mean_the_same_as_fractions(void **state)
{
	struct kpi k = kpi_of(KPI_LOWER, NULL, NULL);
	struct decimal a;
	(void)state;
	k.warning_threshold = dec("1.25");
	k.critical_threshold = dec("2");
	assert_true(kpi_achievement(&k, dec("125"), dec("100"), &a));
	assert_int_equal(kpi_judge(&k, a, KPI_NO_DATA), KPI_ON_TRACK);
	assert_true(kpi_achievement(&k, dec("126"), dec("100"), &a));
	assert_int_equal(kpi_judge(&k, a, KPI_NO_DATA), KPI_WARNING);
	assert_true(kpi_achievement(&k, dec("201"), dec("100"), &a));
	assert_int_equal(kpi_judge(&k, a, KPI_NO_DATA), KPI_CRITICAL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(higher_is_a_fraction_of_the_target),
		cmocka_unit_test(targets_of_zero_and_below_are_judged_on_the_way_from_min),
		cmocka_unit_test(lower_turns_the_fraction_round),
		cmocka_unit_test(a_range_is_kept_or_missed_by_parts_of_its_width),
		cmocka_unit_test(states_fall_at_their_thresholds),
		cmocka_unit_test(states_improve_only_beyond_the_hysteresis),
		cmocka_unit_test(multiples_of_the_target_mean_the_same_as_fractions),
	};
	return cmocka_run_group_tests_name("kpi: achievement and state", tests, NULL, NULL);
}
