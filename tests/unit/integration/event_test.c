/* Which events a pattern matches, what is sent of an event, and when a failing endpoint is tried again. */
#include "domain/integration/webhook_delivery.h"
#include "domain/integration/webhook_event.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
patterns(void **state)
{
	static const struct {
		const char *pattern, *type;
		bool matches;
	} cases[] = {
		{ "*", "kpi.created", true },
		{ "*", "x", true },
		{ "kpi.*", "kpi.created", true },
		{ "kpi.*", "kpi.values_recorded", true },
		{ "kpi.*", "kpi.", false },
		{ "kpi.*", "kpi", false },
		{ "kpi.*", "kpis.created", false },
		{ "kpi.*", "threshold.breached", false },
		{ "kpi.created", "kpi.created", true },
		{ "kpi.created", "kpi.created2", false },
		{ "kpi.created", "kpi.create", false },
		{ "", "kpi.created", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (webhook_pattern_matches(str_from_cstr(cases[i].pattern), str_from_cstr(cases[i].type)) !=
			cases[i].matches)
			fail_msg("%s and %s", cases[i].pattern, cases[i].type);
}

static void
which_patterns_there_are(void **state)
{
	static const char *const good[] = { "*", "kpi.*", "kpi.created", "a.b.c", "a.b.*",
		"retro_action.updated" };
	static const char *const bad[] = { "", ".", "kpi", "kpi.", ".created", "kpi*", "*.created", "kpi.*.x",
		"kpi.cre*", "KPI.created", "kpi created", "**", "kpi.**", "kpi.\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!webhook_pattern_is_valid(str_from_cstr(good[i])))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (webhook_pattern_is_valid(str_from_cstr(bad[i])))
			fail_msg("%s", bad[i]);
}

static void
sessions_are_told_to_nobody(void **state)
{
	struct arena *a = *state;
	struct webhook_patterns p;

	assert_null(webhook_patterns_parse(a, STR("[\"session.*\",\"*\",\"session.ended\"]"), &p));
	assert_int_equal(p.count, 3);
	assert_false(webhook_patterns_match(&p, STR("session.ended")));
	assert_true(webhook_patterns_match(&p, STR("kpi.created")));
}

static void
events_about_access_are_told_with_the_authority_alone(void **state)
{
	static const char *const access[] = { "user.created", "role.updated", "api_key.created",
		"company.updated", "team.member_added", "webhook.paused", "job.cancelled", "job_schedule.run",
		"queue.paused", "user.*" };
	static const char *const others[] = { "kpi.created", "threshold.breached", "retrospective.updated",
		"assignment.created", "campaign.updated", "username.x", "users.x", "lead.user", "*",
		"kpi.*" };
	struct arena *a = *state;
	struct webhook_patterns p;

	assert_null(webhook_patterns_parse(a, STR("[\"*\",\"user.*\"]"), &p));
	for (size_t i = 0; i < COUNT(access); i++) {
		struct str type = str_from_cstr(access[i]);
		p.access_events = false;
		if (!webhook_event_is_access(type) || webhook_patterns_match(&p, type))
			fail_msg("%s", access[i]);
		p.access_events = true;
		assert_true(webhook_patterns_match(&p, type));
	}
	assert_false(webhook_patterns_match(&p, STR("session.ended")));
	p.access_events = false;
	for (size_t i = 0; i < COUNT(others); i++)
		if (webhook_event_is_access(str_from_cstr(others[i])) ||
			!webhook_patterns_match(&p, str_from_cstr(others[i])))
			fail_msg("%s", others[i]);
}

static void
a_body_holds_the_event(void **state)
{
	struct arena *a = *state;
	struct outbox_event e = { .position = { 7, 4711 },
		.type = STR("kpi.updated"),
		.object_type = STR("kpi"),
		.object_id = STR("kpi-001"),
		.actor_id = 3,
		.actor_name = STR("Ann \"A\""),
		.at = { 1718442000LL * INSTANT_SECOND },
		.old_values = STR("{\"name\":\"old\"}"),
		.new_values = STR("{\"name\":\"new\"}") };

	assert_string_equal(arena_cstr(a, webhook_payload(a, &e)),
		"{\"type\":\"kpi.updated\",\"timestamp\":\"2024-06-15T09:00:00Z\",\"data\":{\"id\":\"kpi-"
		"001\","
		"\"object_type\":\"kpi\",\"object\":{\"name\":\"new\"},\"previous\":{\"name\":\"old\"},"
		"\"actor\":{\"id\":3,\"name\":\"Ann \\\"A\\\"\"},\"event_id\":4711}}");
	e.actor_id = 0;
	e.actor_name = e.old_values = e.new_values = (struct str){ 0 };
	assert_string_equal(arena_cstr(a, webhook_payload(a, &e)),
		"{\"type\":\"kpi.updated\",\"timestamp\":\"2024-06-15T09:00:00Z\",\"data\":{\"id\":\"kpi-"
		"001\","
		"\"object_type\":\"kpi\",\"object\":null,\"previous\":null,\"actor\":{\"id\":null,\"name\":"
		"\"\"},"
		"\"event_id\":4711}}");
}

static void
a_message_id_belongs_to_endpoint_and_event(void **state)
{
	struct arena *a = *state;
	struct outbox_position p = { 1, 2 };
	struct str id = webhook_message_id(a, 1, STR("wh-001"), p);

	assert_int_equal(id.n, 36);
	assert_true(str_starts_with(id, STR("msg_")));
	assert_true(str_eq(id, webhook_message_id(a, 1, STR("wh-001"), p)));
	assert_false(str_eq(id, webhook_message_id(a, 2, STR("wh-001"), p)));
	assert_false(str_eq(id, webhook_message_id(a, 1, STR("wh-002"), p)));
	assert_false(str_eq(id, webhook_message_id(a, 1, STR("wh-001"), (struct outbox_position){ 1, 3 })));
	assert_false(str_eq(id, webhook_message_id(a, 1, STR("wh-001"), (struct outbox_position){ 2, 2 })));
}

/* Around 2^(failures − 1) seconds up to 4 hours, never sooner than asked, and no longer than 12 hours because somebody asked. */
static void
waits_grow_and_stay_bounded(void **state)
{
	const struct instant now = { 1000 * INSTANT_SECOND };

	(void)state;
	for (int64_t failures = 1; failures < 100; failures++) {
		double wanted = failures > 14 ? 14400 : (double)(1 << (failures - 1));
		double least = 1e9, most = 0;
		for (uint32_t jitter = 0; jitter < 1000; jitter++) {
			double s = (double)(webhook_retry_at(now, failures, 0, jitter).us - now.us) / 1e6;
			least = s < least ? s : least;
			most = s > most ? s : most;
		}
		wanted = wanted > 14400 ? 14400 : wanted;
		assert_true(least >= wanted * 0.79 && least <= wanted * 0.81);
		assert_true(most <= wanted * 1.21 && most >= wanted * 1.19);
	}
	assert_int_equal(webhook_retry_at(now, 1, 30, 0).us - now.us, 30 * INSTANT_SECOND);
	assert_int_equal(webhook_retry_at(now, 1, 999999, 0).us - now.us, 43200 * INSTANT_SECOND);
	assert_true(webhook_retry_at(now, 14, 5, 0).us - now.us > 5000 * INSTANT_SECOND);
}

static int
start(void **state)
{
	*state = arena_new(1u << 20);
	return 0;
}

static int
stop(void **state)
{
	arena_free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(which_patterns_there_are),
		cmocka_unit_test(sessions_are_told_to_nobody),
		cmocka_unit_test(events_about_access_are_told_with_the_authority_alone),
		cmocka_unit_test(a_body_holds_the_event),
		cmocka_unit_test(a_message_id_belongs_to_endpoint_and_event),
		cmocka_unit_test(waits_grow_and_stay_bounded),
	};
	return cmocka_run_group_tests_name("webhook_event", tests, start, stop);
}
