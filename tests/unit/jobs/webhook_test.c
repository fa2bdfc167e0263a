/*
 * Delivery step by step with a clock that the test moves: hours and days of failures, the pause behind them, what a crash between sending
 * and storing repeats, and addresses that are refused when the connection is made.
 */
#include "../iam/world.h"
#include "base/limits.h"
#include "jobs/webhook_deliver.h"
#include "jobs/webhook_feed.h"
#include "net/http_client.h"
#include "receiver.h"
#include "resource/outbox.h"

#define EVENTS 3

struct scene {
	struct world *w;
	struct receiver receiver;
	struct webhook_sender sender;
	struct webhook_work work;
	struct actor actor;
	struct arena *step_arena;
	struct str url;
	int events;
};

static struct err *
subscribe(struct db_tx *tx, void *arg)
{
	struct scene *s = arg;
	struct arena *a = db_tx_arena(tx);
	struct res_ctx c = { .arena = a, .tx = tx, .actor = &s->actor, .now = s->w->clock.fixed };
	struct webhook w = { 0 };

	res_defaults(&c, &webhook_res, &w);
	w.url = s->url;
	w.events = STR("[\"kpi.*\"]");
	w.secret = iam_seal(s->w->iam, a, STR("a-long-secret"));
	TRY(res_create(&c, &webhook_res, &w));
	s->work.key = (struct webhook_key){ s->actor.company_id, arena_str(s->w->a, w.id) };
	return NULL;
}

static struct err *
add_event(struct db_tx *tx, void *arg)
{
	struct scene *s = arg;
	struct res_ctx c = {
		.arena = db_tx_arena(tx), .tx = tx, .actor = &s->actor, .now = s->w->clock.fixed
	};

	return event_add(&c, STR("kpi.created"), "kpi", arena_fmt(c.arena, "kpi-%d", s->events), STR(""),
		STR("{\"name\":\"x\"}"));
}

static struct err *
look_whether_held_back(struct db_tx *tx, void *arg)
{
	return outbox_is_held_back(tx, arg);
}

/* All events that there are can be read, whatever older transactions other tests have on the server. */
static void
settle(struct scene *s)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct arena *a = arena_new(1u << 20);
	bool held_back = true;

	for (int i = 0; i < 6000 && held_back; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		arena_reset(a);
		fixture_ok(db_read(s->w->base.db, a, look_whether_held_back, &held_back));
	}
	assert_false(held_back);
	arena_free(a);
}

static void
events(struct scene *s, int count)
{
	for (int i = 0; i < count; i++, s->events++)
		fixture_ok(db_write(s->w->base.db, s->w->a, add_event, s));
	settle(s);
}

static void
scene_start(struct scene *s, void **state)
{
	*s = (struct scene){ .w = *state };
	receiver_start(&s->receiver);
	s->actor = (struct actor){ .kind = ACTOR_PERSON,
		.company_id = s->w->company_id,
		.person_id = s->w->ada_id,
		.username = STR("ada"),
		.permissions = PERM_BIT(PERM_COUNT) - 1,
		.zone = zone_utc() };
	s->url = arena_fmt(s->w->a, "http://127.0.0.1:%d/hook", s->receiver.port);
	s->sender = (struct webhook_sender){
		.clock = &s->w->clock, .iam = s->w->iam, .allows_private = true, .timeout_ms = 60000
	};
	s->work = (struct webhook_work){
		.db = s->w->base.db, .sender = &s->sender, .client = http_client_new()
	};
	s->step_arena = arena_new(64u << 20);
	fixture_ok(db_write(s->w->base.db, s->w->a, subscribe, s));
}

static void
scene_end(struct scene *s)
{
	http_client_free(s->work.client);
	arena_free(s->step_arena);
	receiver_stop(&s->receiver);
}

static enum webhook_step
step(struct scene *s, enum webhook_lane lane, struct instant *at)
{
	enum webhook_step out;

	s->work.lane = lane;
	arena_reset(s->step_arena);
	fixture_ok(webhook_step(&s->work, s->step_arena, &out, at));
	return out;
}

static int64_t
ask(struct scene *s, const char *sql)
{
	return fixture_int(&s->w->base, sql);
}

/* ---- tests ------------------------------------------------------------------------------------------------------------------ */

static void
events_are_told_in_order(void **state)
{
	struct scene s;
	struct instant at;

	scene_start(&s, state);
	events(&s, EVENTS);
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_MORE);
	for (int i = 1; i < EVENTS; i++)
		assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_MORE);
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_IDLE);
	assert_int_equal(atomic_load(&s.receiver.count), EVENTS);
	assert_int_equal(
		ask(&s, "SELECT COUNT(*) FROM webhook_delivery WHERE state = 'delivered' AND attempts = 1"),
		EVENTS);
	assert_int_equal(
		ask(&s, "SELECT COUNT(*) FROM webhook_attempt WHERE status = 200 AND fault IS NULL"), EVENTS);
	scene_end(&s);
}

/* The network is away for an hour: nothing is lost, tries become rare, and all come in order when it is back. */
static void
an_hour_without_network(void **state)
{
	struct scene s;
	struct instant at = { 0 };
	int tries = 1;

	scene_start(&s, state);
	atomic_store(&s.receiver.status, 0);
	events(&s, EVENTS);
	int64_t end_us = s.w->clock.fixed.us + 3600 * INSTANT_SECOND;
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_IDLE);
	assert_int_equal(ask(&s, "SELECT COUNT(*) FROM job WHERE kind = 'webhook_retry.deliver' AND state = "
				 "'waiting'"),
		1);
	assert_int_equal(
		step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_IDLE); /* no lane of failing ones */
	while (s.w->clock.fixed.us < end_us) {
		assert_int_equal(step(&s, WEBHOOK_LANE_RETRY, &at), WEBHOOK_STEP_LATER);
		assert_true(at.us > s.w->clock.fixed.us);
		int before = atomic_load(&s.receiver.count);
		assert_int_equal(step(&s, WEBHOOK_LANE_RETRY, &at),
			WEBHOOK_STEP_LATER); /* too early: nothing is sent */
		assert_int_equal(atomic_load(&s.receiver.count), before);
		s.w->clock.fixed = at;
		tries++;
	}
	assert_in_range(tries, 8, 20);
	assert_int_equal(
		ask(&s, "SELECT COUNT(*) FROM webhook_delivery"), 1); /* the first one, the rest waits */
	atomic_store(&s.receiver.status, 200);
	int before = atomic_load(&s.receiver.count);
	assert_int_equal(step(&s, WEBHOOK_LANE_RETRY, &at), WEBHOOK_STEP_IDLE); /* the healthy lane goes on */
	assert_int_equal(
		ask(&s, "SELECT COUNT(*) FROM job WHERE kind = 'webhook.deliver' AND state = 'waiting'"), 1);
	for (int i = 1; i < EVENTS; i++)
		assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_MORE);
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_IDLE);
	assert_int_equal(atomic_load(&s.receiver.count) - before, EVENTS);
	for (int i = 0; i <= before; i++)
		assert_string_equal(s.receiver.ids[i], s.receiver.ids[0]);
	assert_string_not_equal(s.receiver.ids[before + 1], s.receiver.ids[0]);
	assert_int_equal(
		ask(&s, "SELECT COUNT(*) FROM webhook WHERE failures = 0 AND failing_since IS NULL"), 1);
	scene_end(&s);
}

static struct err *
activate(struct db_tx *tx, void *arg)
{
	struct scene *s = arg;
	struct res_ctx c = {
		.arena = db_tx_arena(tx), .tx = tx, .actor = &s->actor, .now = s->w->clock.fixed
	};
	struct webhook old = { 0 }, w;

	TRY(res_read_for(&c, &webhook_res, RES_UPDATE, s->work.key.webhook_id, &old));
	w = old;
	w.status = WEBHOOK_ACTIVE;
	return res_update(&c, &webhook_res, &old, &w);
}

static void
three_days_of_failures_pause(void **state)
{
	struct scene s;
	struct instant at = { 0 };
	enum webhook_step last = WEBHOOK_STEP_LATER;

	scene_start(&s, state);
	atomic_store(&s.receiver.status, 503);
	events(&s, EVENTS);
	int64_t began_us = s.w->clock.fixed.us;
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_IDLE);
	for (int i = 0; i < 100 && last == WEBHOOK_STEP_LATER; i++) {
		last = step(&s, WEBHOOK_LANE_RETRY, &at);
		if (last == WEBHOOK_STEP_LATER)
			s.w->clock.fixed = at;
	}
	assert_int_equal(last, WEBHOOK_STEP_IDLE);
	int64_t took_s = (s.w->clock.fixed.us - began_us) / INSTANT_SECOND;
	assert_in_range(took_s, WEBHOOK_GIVE_UP_S, WEBHOOK_GIVE_UP_S + 5 * 3600);
	assert_int_equal(ask(&s, "SELECT COUNT(*) FROM webhook WHERE status = 'paused' AND paused_reason "
				 "LIKE '%STATUS_503%'"),
		1);
	assert_int_equal(ask(&s, "SELECT COUNT(*) FROM event WHERE type = 'webhook.paused'"), 1);
	/* While it is paused nothing is sent; then it goes on with what it was paused at. */
	int before = atomic_load(&s.receiver.count);
	assert_int_equal(step(&s, WEBHOOK_LANE_RETRY, &at), WEBHOOK_STEP_IDLE);
	assert_int_equal(atomic_load(&s.receiver.count), before);
	atomic_store(&s.receiver.status, 200);
	fixture_ok(db_write(s.w->base.db, s.w->a, activate, &s));
	assert_int_equal(
		ask(&s, "SELECT COUNT(*) FROM webhook WHERE paused_reason IS NULL AND failing_since IS NULL"),
		1);
	assert_int_equal(step(&s, WEBHOOK_LANE_RETRY, &at), WEBHOOK_STEP_IDLE);
	assert_string_equal(s.receiver.ids[before], s.receiver.ids[0]);
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_MORE);
	assert_int_equal(ask(&s, "SELECT COUNT(*) FROM webhook_delivery WHERE state = 'delivered'"), 2);
	scene_end(&s);
}

struct crash {
	struct scene *s;
	struct webhook_next next;
};

static struct err *
read_next(struct db_tx *tx, void *arg)
{
	struct crash *c = arg;
	return webhook_next_read(tx, &c->s->work.key, &c->next);
}

static struct err *
store_late(struct db_tx *tx, void *arg)
{
	return webhook_report_store(tx, arg);
}

/* Sent, but not stored: the next one to try sends the same message, and the late report of the first changes nothing. */
static void
a_crash_between_send_and_store_repeats_the_id(void **state)
{
	struct scene s;
	struct instant at;
	struct crash c = { .s = &s };
	struct webhook_attempt attempt;

	scene_start(&s, state);
	events(&s, EVENTS);
	fixture_ok(db_read(s.w->base.db, s.w->a, read_next, &c));
	assert_true(c.next.has_message);
	const struct webhook_call call = {
		.client = s.work.client, .target = &c.next.target, .message = &c.next.message
	};
	assert_true(webhook_send(&s.sender, s.w->a, &call, &attempt));
	assert_int_equal(attempt.status, 200);
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_MORE);
	assert_string_equal(s.receiver.ids[1], s.receiver.ids[0]);
	struct webhook_report late = { .key = s.work.key, .next = &c.next, .attempt = &attempt };
	fixture_ok(db_write(s.w->base.db, s.w->a, store_late, &late));
	assert_int_equal(late.outcome, WEBHOOK_STOPPED);
	assert_int_equal(ask(&s, "SELECT COUNT(*) FROM webhook_attempt"), 1);
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_MORE);
	assert_string_not_equal(s.receiver.ids[2], s.receiver.ids[1]);
	scene_end(&s);
}

/* A runner that was given up and the one after it, which stores what it sent while the first is still about to. */
struct rival {
	struct scene *s;
	struct webhook_report report;
	pthread_t thread;
	struct err *e;
};

static void *
store_beside(void *arg)
{
	struct rival *r = arg;
	struct arena *a = arena_new(1u << 20);

	r->e = db_write(r->s->w->base.db, a, store_late, &r->report);
	check(!r->e);
	arena_free(a);
	return NULL;
}

static struct err *
store_with_rival(struct db_tx *tx, void *arg)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	struct rival *r = arg;
	struct webhook_attempt success = {
		.at = r->s->w->clock.fixed, .status = 200, .url = r->s->url, .request_headers = STR("{}")
	};
	struct webhook_report first = { .key = r->report.key, .next = r->report.next, .attempt = &success };

	TRY(webhook_report_store(tx, &first));
	if (!r->thread)
		check(pthread_create(&r->thread, NULL, store_beside, r) == 0);
	nanosleep(&pause, NULL); /* until the rival waits for the row */
	return NULL;
}

static void
of_two_reports_at_once_the_second_counts_for_nothing(void **state)
{
	struct scene s;
	struct crash c = { .s = &s };

	scene_start(&s, state);
	events(&s, 1);
	fixture_ok(db_read(s.w->base.db, s.w->a, read_next, &c));
	assert_true(c.next.has_message);
	struct webhook_attempt failure = {
		.at = s.w->clock.fixed, .fault = STR("TIMEOUT"), .url = s.url, .request_headers = STR("{}")
	};
	struct rival r = { .s = &s, .report = { .key = s.work.key, .next = &c.next, .attempt = &failure } };
	fixture_ok(db_write(s.w->base.db, s.w->a, store_with_rival, &r));
	check(pthread_join(r.thread, NULL) == 0);
	assert_int_equal(r.report.outcome, WEBHOOK_STOPPED);
	assert_int_equal(ask(&s, "SELECT COUNT(*) FROM webhook_attempt"), 1);
	assert_int_equal(ask(&s, "SELECT COUNT(*) FROM webhook_delivery WHERE state = 'delivered'"), 1);
	assert_int_equal(ask(&s, "SELECT failures FROM webhook"), 0);
	scene_end(&s);
}

/* More endpoints than the feed wakes at once: the last one's turn comes too. */
static void
a_sweep_finds_every_endpoint(void **state)
{
	enum { ENDPOINTS = 600 };
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct scene s;
	int64_t found = 0;

	scene_start(&s, state);
	fixture_run(
		&s.w->base, arena_fmt(s.w->a,
				    "INSERT INTO webhook (company_id, id, version, created_at, updated_at, "
				    "url, events, secret, status, failures) WITH RECURSIVE c(n) AS "
				    "(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT %lld, "
				    "'wh-many-' || n, 1, 1, 1, 'http://x.example/', '[\"kpi.*\"]', 'x', "
				    "'active', 1 FROM c",
				    ENDPOINTS, (long long)s.w->company_id)
				    .p);
	fixture_run(&s.w->base, "INSERT INTO webhook_state (company_id, webhook_id, txid, seq) "
				"SELECT company_id, id, 0, 0 FROM webhook WHERE id LIKE 'wh-many-%'");
	const struct webhook_feed_options options = { .db = s.w->base.db, .clock = &s.w->clock };
	struct webhook_feed *f = webhook_feed_new(&options);
	webhook_feed_start(f);
	for (int i = 0; i < 6000 && found < ENDPOINTS; i++) {
		nanosleep(&pause, NULL);
		found = ask(&s, "SELECT COUNT(*) FROM job WHERE kind = 'webhook_retry.deliver'");
	}
	webhook_feed_free(f);
	assert_int_equal(found, ENDPOINTS);
	scene_end(&s);
}

static struct err *
point_elsewhere(struct db_tx *tx, void *arg)
{
	struct db_sql q = db_sql_make("test", STR("UPDATE webhook SET url = $1"), 1);
	return DB_EXEC(tx, &q, P_TEXT(*(struct str *)arg));
}

/* What was a public name when it was subscribed resolves to this machine now: the connection is refused before it is made. */
static void
a_name_that_turns_private_is_refused(void **state)
{
	struct scene s;
	struct instant at;
	struct str url;

	scene_start(&s, state);
	s.sender.allows_private = false;
	url = arena_fmt(s.w->a, "http://localhost:%d/hook", s.receiver.port);
	fixture_ok(db_write(s.w->base.db, s.w->a, point_elsewhere, &url));
	events(&s, 1);
	assert_int_equal(step(&s, WEBHOOK_LANE_HEALTHY, &at), WEBHOOK_STEP_IDLE);
	assert_int_equal(atomic_load(&s.receiver.count), 0);
	assert_int_equal(ask(&s, "SELECT COUNT(*) FROM webhook_attempt WHERE fault = 'ADDRESS_REFUSED' AND "
				 "status IS NULL"),
		1);
	scene_end(&s);
}

/* An endpoint far behind in a company that is busy with other things does not read the same events again and again. */
static void
events_for_nobody_are_passed_over(void **state)
{
	struct scene s;
	struct instant at;

	scene_start(&s, state);
	fixture_run(&s.w->base, arena_fmt(s.w->a,
					"INSERT INTO event (company_id, seq, type, object_type, object_id, "
					"actor_name, request_id, at) "
					"SELECT %lld, 100000 + a.n * 100 + b.n, 'lead.created', 'lead', '1', "
					"'', '', 1 FROM %s a, %s b",
					(long long)s.w->company_id,
					"(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c "
					"WHERE n < 29) SELECT n FROM c)",
					"(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c "
					"WHERE n < 99) SELECT n FROM c)")
					.p);
	int64_t before = ask(&s, "SELECT seq FROM webhook_state");
	settle(&s);
	enum webhook_step out = step(&s, WEBHOOK_LANE_HEALTHY, &at);
	int steps = 0;
	for (; out == WEBHOOK_STEP_MORE && steps < 10; steps++)
		out = step(&s, WEBHOOK_LANE_HEALTHY, &at);
	assert_int_equal(out, WEBHOOK_STEP_IDLE);
	assert_in_range(steps, 2, 4);
	assert_true(ask(&s, "SELECT seq FROM webhook_state") != before);
	assert_int_equal(atomic_load(&s.receiver.count), 0);
	scene_end(&s);
}

/* ---- large events ----------------------------------------------------------------------------------------------------------- */

#define LARGE_BYTES (5u << 20)

static struct err *
add_large_event(struct db_tx *tx, void *arg)
{
	struct scene *s = arg;
	struct arena *a = db_tx_arena(tx);
	struct res_ctx c = { .arena = a, .tx = tx, .actor = &s->actor, .now = s->w->clock.fixed };
	char *text = arena_alloc(a, LARGE_BYTES);

	memset(text, 'x', LARGE_BYTES);
	text[0] = text[LARGE_BYTES - 1] = '"';
	return event_add(
		&c, STR("kpi.created"), "kpi", STR("kpi-large"), STR(""), (struct str){ text, LARGE_BYTES });
}

static void
large_event(struct scene *s, struct arena *a)
{
	arena_reset(a);
	fixture_ok(db_write(s->w->base.db, a, add_large_event, s));
}

struct replay {
	struct webhook_range range;
	int64_t count;
};

static struct err *
replay(struct db_tx *tx, void *arg)
{
	struct replay *r = arg;
	return webhook_replay_range(tx, r->range.from, &r->range, &r->count);
}

static struct err *
replay_in_a_request(struct scene *s, struct replay *r, struct arena *a)
{
	arena_reset(a);
	*r = (struct replay){ .range = { .key = s->work.key,
				      .from = s->w->clock.fixed,
				      .to = { s->w->clock.fixed.us + 1 },
				      .patterns = STR("[\"kpi.*\"]") } };
	return db_write(s->w->base.db, a, replay, r);
}

/* In the memory of a request: what fits is replayed, what does not is told to whoever asked, who can take a smaller range. */
static void
a_range_of_large_events_is_too_large(void **state)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct scene s;
	struct replay r;

	scene_start(&s, state);
	for (int i = 0; i < 3; i++)
		large_event(&s, a);
	settle(&s);
	fixture_ok(replay_in_a_request(&s, &r, a));
	assert_int_equal(r.count, 3);
	for (int i = 0; i < 20; i++)
		large_event(&s, a);
	settle(&s);
	struct err *e = replay_in_a_request(&s, &r, a);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_INVALID_INPUT);
	assert_non_null(strstr(arena_cstr(a, e->fields[0].message), "take a smaller one"));
	assert_false(arena_is_over(a));
	scene_end(&s);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(events_are_told_in_order, world_open, world_close),
		cmocka_unit_test_setup_teardown(an_hour_without_network, world_open, world_close),
		cmocka_unit_test_setup_teardown(three_days_of_failures_pause, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			a_crash_between_send_and_store_repeats_the_id, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			of_two_reports_at_once_the_second_counts_for_nothing, world_open, world_close),
		cmocka_unit_test_setup_teardown(a_sweep_finds_every_endpoint, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			a_name_that_turns_private_is_refused, world_open, world_close),
		cmocka_unit_test_setup_teardown(events_for_nobody_are_passed_over, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			a_range_of_large_events_is_too_large, world_open, world_close),
	};
	return world_run("webhook", tests, COUNT(tests));
}
