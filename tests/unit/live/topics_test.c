/* The index of topics against a plain list: who has subscribed to what, whatever comes and goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "live/live_parts.h"

#define SUBSCRIBERS 200
#define STEPS	    20000

static struct str
cstr(const char *z)
{
	return str_from_cstr(z);
}

static void
a_text_is_a_topic_or_none(void **state)
{
	static const char *const good[][3] = { { "kpi:kpi-001", "kpi", "kpi-001" }, { "kpi:*", "kpi", "" },
		{ "kpi", "kpi", "" }, { "*", "", "" }, { "retro_action:7", "retro_action", "7" },
		{ "kpi:a:b", "kpi", "a:b" } };
	static const char *const bad[] = { "", ":", ":x", "kpi:", "KPI:1", "k pi:1", "*:1", "kpi\n:1" };
	struct live_topic t;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(live_topic_parse(cstr(good[i][0]), &t));
		assert_true(str_eq(t.object_type, cstr(good[i][1])));
		assert_true(str_eq(t.object_id, cstr(good[i][2])));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(live_topic_parse(cstr(bad[i]), &t));
}

static void
members_are_those_who_joined_and_did_not_leave(void **state)
{
	static const char *const names[] = { "kpi:1", "kpi:2", "kpi:*", "*", "kpi1:", "retrospective:1" };
	struct live_subscriber *subscribers = calloc(SUBSCRIBERS, sizeof(*subscribers));
	struct subscription *joined[SUBSCRIBERS][6] = { 0 };
	struct topics t;
	(void)state;
	topics_init(&t);
	for (int step = 0; step < STEPS; step++) {
		const uint32_t who = random_below(SUBSCRIBERS), what = random_below(6);
		const int64_t company = who % 3 + 1;
		struct live_topic name = { cstr(names[what]), STR("x") };
		struct subscription **x = &joined[who][what];
		if (*x)
			topics_leave(&t, *x);
		*x = *x ? NULL : topics_join(&t, company, &name, &subscribers[who]);
		if (step % 500)
			continue;
		for (size_t n = 0; n < COUNT(names); n++) {
			size_t count = 0;
			for (size_t s = 0; s < SUBSCRIBERS; s++)
				count += joined[s][n] && s % 3 + 1 == 2;
			name.object_type = cstr(names[n]);
			const struct topic *found = topics_find(&t, 2, &name);
			assert_int_equal(found ? found->count : 0, count);
			for (uint32_t m = 0; found && m < found->count; m++)
				assert_ptr_equal(found->members[m],
					joined[found->members[m]->subscriber - subscribers][n]);
		}
	}
	for (size_t s = 0; s < SUBSCRIBERS; s++)
		for (size_t n = 0; n < COUNT(names); n++)
			if (joined[s][n])
				topics_leave(&t, joined[s][n]);
	assert_int_equal(t.count, 0);
	topics_done(&t);
	free(subscribers);
}

static void
a_decision_holds_for_its_object_until_the_object_changes(void **state)
{
	const struct live_topic one = { STR("kpi"), STR("1") }, other = { STR("kpi"), STR("2") },
				type = { STR("kpi"), { "", 0 } };
	const struct outbox_position any = { 0 }, early = { 0, 5 }, late = { 0, 6 };
	struct decisions d = { 0 };
	(void)state;
	assert_int_equal(decisions_find(&d, &one, any), DECISION_UNKNOWN);
	decisions_put(&d, &one, DECISION_YES, early);
	assert_int_equal(decisions_find(&d, &one, any), DECISION_YES);
	assert_int_equal(decisions_find(&d, &one, early), DECISION_YES);
	assert_int_equal(decisions_find(&d, &one, late), DECISION_UNKNOWN);
	assert_int_equal(decisions_find(&d, &other, any), DECISION_UNKNOWN);
	decisions_put(&d, &one, DECISION_NO, late);
	assert_int_equal(decisions_find(&d, &one, late), DECISION_NO);
	decisions_put(&d, &type, DECISION_YES, early);
	assert_int_equal(decisions_find(&d, &other, late), DECISION_YES);
	decisions_done(&d);
}

static void
decisions_are_never_more_than_their_limit(void **state)
{
	struct decisions d = { 0 };
	struct arena *a = arena_new(4u << 20);
	(void)state;
	for (int i = 0; i < 3 * DECISIONS_MAX; i++) {
		const struct live_topic t = { STR("kpi"), arena_fmt(a, "%d", i) };
		decisions_put(&d, &t, i % 2 ? DECISION_YES : DECISION_NO, (struct outbox_position){ 0 });
		assert_true(d.count <= DECISIONS_MAX);
		assert_int_equal(decisions_find(&d, &t, (struct outbox_position){ 0 }),
			i % 2 ? DECISION_YES : DECISION_NO);
	}
	decisions_done(&d);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_a_topic_or_none),
		cmocka_unit_test(members_are_those_who_joined_and_did_not_leave),
		cmocka_unit_test(a_decision_holds_for_its_object_until_the_object_changes),
		cmocka_unit_test(decisions_are_never_more_than_their_limit),
	};
	return random_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
