/*
 * A name whose owner changes what it resolves to: public while somebody looks, an address inside when the delivery goes out. Whatever the
 * look before it said, what is connected to was judged.
 */
#include "../iam/world.h"
#include "internet.h"
#include "jobs/webhook_send.h"
#include "net/http_client.h"
#include "receiver.h"

/* Where a delivery must not go. */
static const char *const inside[] = { "127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0", "::1",
	"::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "fd00:ec2::254" };

struct scene {
	struct world *w;
	struct receiver receiver; /* of this machine; a public address leads to it too */
	bool allows_private;
	struct webhook_attempt attempt;
};

static void
scene_start(struct scene *s, void **state)
{
	*s = (struct scene){ .w = *state };
	receiver_start(&s->receiver);
}

static void
scene_end(struct scene *s)
{
	internet_unset();
	receiver_stop(&s->receiver);
}

/* As a run of the job does: with a client of its own, which has not looked the name up yet. */
static void
deliver(struct scene *s)
{
	struct arena *a = s->w->a;
	struct http_client *client = http_client_new();
	const struct webhook_sender sender = { .clock = &s->w->clock,
		.iam = s->w->iam,
		.allows_private = s->allows_private,
		.timeout_ms = 60000 };
	const struct webhook_target target = {
		.url = arena_fmt(a, "http://" INTERNET_NAME ":%d/hook", s->receiver.port),
		.secret = iam_seal(s->w->iam, a, STR("a-long-secret")),
	};
	const struct webhook_message message = {
		.message_id = STR("msg_1"), .event_type = STR("kpi.created"), .body = STR("{}")
	};
	const struct webhook_call call = { .client = client, .target = &target, .message = &message };

	assert_true(webhook_send(&sender, a, &call, &s->attempt));
	http_client_free(client);
}

static void
the_second_look_gains_nothing(void **state)
{
	struct scene s;

	scene_start(&s, state);
	for (size_t i = 0; i < COUNT(inside); i++) {
		const char *const answers[] = { INTERNET_PUBLIC, inside[i] };
		int before = atomic_load(&s.receiver.count);

		internet_set(answers, COUNT(answers), s.receiver.port);
		deliver(&s);
		assert_int_equal(s.attempt.status, 200);
		deliver(&s);
		assert_int_equal(internet_looks(), 2);
		if (s.attempt.status || !str_eq(s.attempt.fault, STR("ADDRESS_REFUSED")))
			fail_msg("%s: %.*s", inside[i], STR_ARG(s.attempt.fault));
		assert_int_equal(internet_others_reached(), 0);
		assert_int_equal(atomic_load(&s.receiver.count), before + 1);
	}
	scene_end(&s);
}

/* The public one does not answer, so the other one is next. */
static void
an_address_behind_a_public_one_is_judged_too(void **state)
{
	struct scene s;

	scene_start(&s, state);
	for (size_t i = 0; i < COUNT(inside); i++) {
		const char *const answers[] = { arena_fmt(s.w->a, INTERNET_DOWN ",%s", inside[i]).p };

		internet_set(answers, COUNT(answers), s.receiver.port);
		deliver(&s);
		if (s.attempt.status || !str_eq(s.attempt.fault, STR("ADDRESS_REFUSED")))
			fail_msg("%s: %.*s", inside[i], STR_ARG(s.attempt.fault));
		assert_int_equal(internet_others_reached(), 0);
	}
	assert_int_equal(atomic_load(&s.receiver.count), 0);
	scene_end(&s);
}

static void
an_address_before_a_public_one_is_passed_over(void **state)
{
	struct scene s;

	scene_start(&s, state);
	for (size_t i = 0; i < COUNT(inside); i++) {
		const char *const answers[] = { arena_fmt(s.w->a, "%s," INTERNET_PUBLIC, inside[i]).p };

		internet_set(answers, COUNT(answers), s.receiver.port);
		deliver(&s);
		assert_int_equal(s.attempt.status, 200);
		assert_int_equal(internet_others_reached(), 0);
		assert_int_equal(atomic_load(&s.receiver.count), (int)i + 1);
	}
	scene_end(&s);
}

/* The test is worth nothing when its own resolver is not asked, or its connections are not seen. */
static void
with_the_operators_leave_the_same_name_is_reached(void **state)
{
	static const char *const answers[] = { "127.0.0.1" };
	struct scene s;

	scene_start(&s, state);
	s.allows_private = true;
	internet_set(answers, COUNT(answers), s.receiver.port);
	deliver(&s);
	assert_int_equal(s.attempt.status, 200);
	assert_int_equal(internet_looks(), 1);
	assert_int_equal(internet_others_reached(), 1);
	scene_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_second_look_gains_nothing, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			an_address_behind_a_public_one_is_judged_too, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			an_address_before_a_public_one_is_passed_over, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			with_the_operators_leave_the_same_name_is_reached, world_open, world_close),
	};
	return world_run("jobs_rebinding", tests, COUNT(tests));
}
