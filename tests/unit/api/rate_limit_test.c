/* The sliding window: never more than the limit in any window, the header fields, and bounded memory. */
#include "api/rate_limit.h"
#include "base/random.h"
#include "context.h"

#define AT(seconds) ((struct instant){ (int64_t)((1000000 + (seconds)) * (double)INSTANT_SECOND) })

static struct rate_limiter *
limiter(int64_t retrospective_limit)
{
	struct rate_rules rules = { 0 };
	rules.limits[RATE_RETROSPECTIVE] = retrospective_limit; /* window 60 s */
	return rate_limiter_new(&rules);
}

static bool
takes(struct rate_limiter *l, uint64_t client, struct instant now)
{
	struct rate_state s;
	rate_take(l, RATE_RETROSPECTIVE, client, now, &s);
	assert_true(s.counted);
	return !s.refused;
}

static void
the_contracts_numbers_are_the_presets(void **state)
{
	static const int64_t limits[RATE_FAMILY_COUNT] = { 1000, 100, 5000, 1000, 100, 10 };
	struct rate_limiter *l = limiter(0);
	(void)state;
	for (int f = 0; f < RATE_FAMILY_COUNT; f++) {
		struct rate_state s;
		rate_take(l, (enum rate_family)f, 1, AT(0), &s);
		assert_int_equal(s.limit, limits[f]);
		assert_int_equal(s.remaining, limits[f] - 1);
	}
	rate_limiter_free(l);
}

static void
the_limit_holds_and_others_are_not_touched(void **state)
{
	struct rate_limiter *l = limiter(10);
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(takes(l, 1, AT(0)));
	assert_false(takes(l, 1, AT(0)));
	assert_true(takes(l, 2, AT(0)));
	rate_limiter_free(l);
}

static void
a_new_window_does_not_give_a_second_burst(void **state)
{
	struct rate_limiter *l = limiter(10);
	(void)state;
	/* 1000000 s lies 40 s into a window of 60 s. */
	for (int i = 0; i < 10; i++)
		assert_true(takes(l, 1, AT(19)));
	int taken = 0;
	for (int i = 0; i < 10; i++)
		taken += takes(l, 1, AT(21));
	assert_in_range(taken, 0, 1);
	for (int i = 0; i < 10; i++)
		taken += takes(l, 1, AT(50));
	assert_in_range(taken, 4, 6);
	assert_true(takes(l, 1, AT(19 + 121)));
	rate_limiter_free(l);
}

static void
waiting_as_told_is_enough(void **state)
{
	struct rate_limiter *l = limiter(7);
	(void)state;
	double at = 0;
	for (int round = 0; round < 200; round++) {
		struct rate_state s;
		rate_take(l, RATE_RETROSPECTIVE, 1, AT(at), &s);
		if (!s.refused) {
			at += 0.7;
			continue;
		}
		assert_in_range(s.retry_after_s, 1, 121);
		assert_int_equal(s.remaining, 0);
		at += (double)s.retry_after_s;
		assert_true(takes(l, 1, AT(at)));
	}
	rate_limiter_free(l);
}

static void
remaining_counts_down_and_reset_is_the_windows_end(void **state)
{
	struct rate_limiter *l = limiter(3);
	(void)state;
	for (int64_t left = 2; left >= 0; left--) {
		struct rate_state s;
		rate_take(l, RATE_RETROSPECTIVE, 1, AT(0), &s);
		assert_int_equal(s.remaining, left);
		assert_int_equal(s.reset_s % 60, 0);
		assert_in_range(s.reset_s, 1000001, 1000060);
	}
	rate_limiter_free(l);
}

static void
rules_are_read_and_bad_ones_named(void **state)
{
	static const char *const bad[] = { "business", "business=", "business=0", "business=-1", "business=x",
		"bogus=1", "crm=1,,", "=5", "crm=99999999999" };
	struct arena *a = arena_new(65536);
	struct rate_rules rules;
	(void)state;
	assert_null(rate_rules_parse(a, STR("business=7, crm=9"), &rules));
	assert_int_equal(rules.limits[RATE_BUSINESS_USER], 7);
	assert_int_equal(rules.limits[RATE_CRM], 9);
	assert_int_equal(rules.limits[RATE_CAMPAIGN], 0);
	assert_null(rate_rules_parse(a, STR(""), &rules));
	assert_int_equal(rules.limits[RATE_CRM], 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (!rate_rules_parse(a, str_from_cstr(bad[i]), &rules))
			fail_msg("%s is taken", bad[i]);
	arena_free(a);
}

static void
a_million_clients_fit(void **state)
{
	struct rate_limiter *l = limiter(1);
	(void)state;
	for (uint64_t client = 0; client < 1000000; client++)
		(void)takes(l, client, AT(0));
	rate_limiter_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_contracts_numbers_are_the_presets),
		cmocka_unit_test(the_limit_holds_and_others_are_not_touched),
		cmocka_unit_test(a_new_window_does_not_give_a_second_burst),
		cmocka_unit_test(waiting_as_told_is_enough),
		cmocka_unit_test(remaining_counts_down_and_reset_is_the_windows_end),
		cmocka_unit_test(rules_are_read_and_bad_ones_named),
		cmocka_unit_test(a_million_clients_fit),
	};
	if (!random_start())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
