/* What streams say of an event, and whom it concerns besides its object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "live/dialects.h"
#include "live/live_parts.h"

static enum live_gate
gate(const char *object_type, const char *type)
{
	const struct outbox_event e = {
		.type = str_from_cstr(type), .object_type = str_from_cstr(object_type), .object_id = STR("1")
	};
	struct live_event *copy = live_event_new(&e);
	const enum live_gate g = copy->gate;
	live_event_drop(copy);
	return g;
}

static void
what_may_take_access_away_is_a_gate(void **state)
{
	(void)state;
	assert_int_equal(gate("session", "session.ended"), GATE_SESSION);
	assert_int_equal(gate("session", "session.refresh_reused"), GATE_SESSION);
	assert_int_equal(gate("session", "session.created"), GATE_NONE);
	assert_int_equal(gate("user", "user.updated"), GATE_PERSON);
	assert_int_equal(gate("user", "user.deleted"), GATE_PERSON);
	assert_int_equal(gate("role", "role.updated"), GATE_COMPANY);
	assert_int_equal(gate("api_key", "api_key.deleted"), GATE_KEY);
	assert_int_equal(gate("team", "team.member_removed"), GATE_RELATIONS);
	assert_int_equal(gate("assignment", "assignment.created"), GATE_RELATIONS);
	assert_int_equal(gate("retrospective", "retrospective.updated"), GATE_RELATIONS);
	assert_int_equal(gate("retrospective", "retrospective.insight_generated"), GATE_NONE);
	assert_int_equal(gate("kpi", "kpi.updated"), GATE_NONE);
}

static void
an_insight_belongs_to_its_retrospective(void **state)
{
	struct outbox_event e = { .type = STR("insight.created"),
		.object_type = STR("insight"),
		.object_id = STR("7"),
		.new_values = STR("{\"id\":7,\"retrospective_task_id\":456,\"summary\":\"\\\"retrospective_"
				  "task_id\\\":1\"}") };
	struct live_topic parent = dialect_parent(&e);
	(void)state;
	assert_true(str_eq(parent.object_type, STR("retrospective")));
	assert_true(str_eq(parent.object_id, STR("456")));
	e.old_values = e.new_values;
	e.new_values = (struct str){ NULL, 0 };
	assert_true(str_eq(dialect_parent(&e).object_id, STR("456")));
	e.object_type = STR("kpi");
	assert_int_equal(dialect_parent(&e).object_id.n, 0);
	e.object_type = STR("insight");
	e.old_values = STR("{\"retrospective_task_id\":null}");
	assert_int_equal(dialect_parent(&e).object_type.n, 0);
}

static void
the_contract_has_a_word_for_few_events(void **state)
{
	struct outbox_event e = { .type = STR("campaign.kpi_updated"), .object_type = STR("campaign") };
	(void)state;
	struct stream_message *m = dialect_message(LIVE_RETROSPECTIVE, &e);
	assert_non_null(m);
	stream_message_drop(m);
	e.type = STR("campaign.updated");
	assert_null(dialect_message(LIVE_RETROSPECTIVE, &e));
	m = dialect_message(LIVE_EVENTS, &e);
	assert_non_null(m);
	stream_message_drop(m);
}

static void
values_that_fit_no_message_are_left_out(void **state)
{
	const size_t n = 2u << 20;
	char *text = malloc(n);
	(void)state;
	memset(text, '1', n);
	const struct outbox_event e = { .type = STR("kpi.updated"),
		.object_type = STR("kpi"),
		.object_id = STR("1"),
		.new_values = { text, n } };
	struct stream_message *m = dialect_message(LIVE_EVENTS, &e);
	assert_non_null(m);
	stream_message_drop(m);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_take_access_away_is_a_gate),
		cmocka_unit_test(an_insight_belongs_to_its_retrospective),
		cmocka_unit_test(the_contract_has_a_word_for_few_events),
		cmocka_unit_test(values_that_fit_no_message_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
