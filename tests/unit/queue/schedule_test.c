/*
 * Schedules on a clock that the test moves: exactly one run a slot with two runners on one database, across a change of the clocks, and
 * one run for all slots that were missed.
 */
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct moved_clock {
	struct clock clock; /* first */
	_Atomic int64_t us;
};

static struct world w;
static struct moved_clock moved;

static struct instant
moved_now(const struct clock *c)
{
	return (struct instant){ atomic_load(&((const struct moved_clock *)(const void *)c)->us) };
}

static struct instant
at(const char *text)
{
	struct instant t;

	assert_true(instant_parse(str_from_cstr(text), zone_utc(), &t));
	return t;
}

struct put {
	const char *zone, *cron;
};

static struct err *
put_schedule(struct db_tx *tx, void *arg)
{
	const struct put *p = arg;
	struct job_schedule s = { .company_id = 7,
		.name = STR("nightly"),
		.kind = "test.ok",
		.cron = str_from_cstr(p->cron),
		.payload = STR("{\"n\":1}") };

	return job_schedule_put(tx, moved_now(&moved.clock), zone_find(str_from_cstr(p->zone)), &s);
}

static void
put(const char *zone, const char *cron)
{
	struct put p = { zone, cron };

	fixture_ok(db_write(w.f.db, w.f.arena, put_schedule, &p));
}

static void
set_clock(const char *text)
{
	atomic_store(&moved.us, at(text).us);
}

/* Long enough for either runner to look several times. */
static void
let_look(void)
{
	for (int i = 0; i < 60; i++)
		world_nap();
}

static bool
start(enum db_kind kind, const char *now)
{
	if (!world_start(&w, kind))
		return false;
	moved.clock.now = moved_now;
	set_clock(now);
	w.options.clock = &moved.clock;
	w.options.poll_ms = 5;
	return true;
}

static void
a_slot_runs_once_on_two_nodes_across_clock_changes(enum db_kind kind)
{
	struct job_runner *other;

	if (!start(kind, "2024-03-09T12:00:00Z"))
		skip();
	put("America/New_York", "30 2 * * *");
	world_run(&w);
	fixture_ok(job_runner_start(w.f.arena, &w.options, &other));
	let_look();
	assert_int_equal(w.run_count, 0);
	set_clock("2024-03-10T06:59:59Z"); /* 1:59:59, then it is 3:00 */
	let_look();
	assert_int_equal(w.run_count, 0);
	set_clock("2024-03-10T07:00:00Z");
	WORLD_UNTIL(w.run_count == 1);
	set_clock("2024-03-10T06:30:00Z"); /* somebody sets the clock back */
	let_look();
	set_clock("2024-03-10T23:00:00Z");
	let_look();
	assert_int_equal(w.run_count, 1);
	assert_string_equal(w.runs[0].key, "nightly");
	assert_string_equal(w.runs[0].payload, "{\"n\":1}");
	set_clock("2024-03-11T06:30:00Z");
	WORLD_UNTIL(w.run_count == 2);
	assert_true(job_runner_stop(other, WORLD_PATIENCE_MS));
	world_end(&w);
}

static void
a_local_time_that_comes_twice_runs_once(enum db_kind kind)
{
	if (!start(kind, "2024-11-03T04:00:00Z"))
		skip();
	put("America/New_York", "30 1 * * *");
	world_run(&w);
	set_clock("2024-11-03T05:30:00Z"); /* 1:30 EDT */
	WORLD_UNTIL(w.run_count == 1);
	set_clock("2024-11-03T06:30:00Z"); /* 1:30 EST */
	let_look();
	assert_int_equal(w.run_count, 1);
	world_end(&w);
}

static void
missed_slots_are_one_run(enum db_kind kind)
{
	if (!start(kind, "2024-01-01T00:00:00Z"))
		skip();
	put("UTC", "0 * * * *");
	set_clock("2024-01-05T12:34:00Z");
	put("UTC", "0 * * * *"); /* a start of the server, which changes nothing */
	world_run(&w);
	WORLD_UNTIL(w.run_count == 1);
	let_look();
	assert_int_equal(w.run_count, 1);
	assert_true(fixture_int(&w.f, "SELECT next_at FROM job_schedule") == at("2024-01-05T13:00:00Z").us);
	put("Asia/Kolkata", "0 0 * * *"); /* changed: by its new times */
	assert_true(fixture_int(&w.f, "SELECT next_at FROM job_schedule") == at("2024-01-05T18:30:00Z").us);
	world_end(&w);
}

static struct err *
pause_schedule(struct db_tx *tx, void *arg)
{
	const bool *paused = arg;

	return job_schedule_pause(tx, moved_now(&moved.clock), 7, STR("nightly"), *paused);
}

static struct err *
run_now(struct db_tx *tx, void *arg)
{
	return job_schedule_run(tx, moved_now(&moved.clock), 7, STR("nightly"), arg);
}

static void
a_paused_schedule_makes_nothing_up(enum db_kind kind)
{
	bool paused = true;
	int64_t id;

	if (!start(kind, "2024-01-01T00:00:00Z"))
		skip();
	put("UTC", "@daily");
	world_run(&w);
	fixture_ok(db_write(w.f.db, w.f.arena, pause_schedule, &paused));
	set_clock("2024-01-09T12:00:00Z");
	let_look();
	assert_int_equal(w.run_count, 0);
	fixture_ok(db_write(w.f.db, w.f.arena, run_now, &id));
	WORLD_UNTIL(w.run_count == 1);
	assert_int_equal(w.runs[0].id, id);
	paused = false;
	fixture_ok(db_write(w.f.db, w.f.arena, pause_schedule, &paused));
	let_look();
	assert_int_equal(w.run_count, 1);
	set_clock("2024-01-10T00:00:00Z");
	WORLD_UNTIL(w.run_count == 2);
	world_end(&w);
}

static struct err *
put_for_others(struct db_tx *tx, void *arg)
{
	(void)arg;
	for (int i = 0; i < 120; i++) {
		const struct job_schedule s = { .company_id = 8,
			.name = arena_fmt(db_tx_arena(tx), "theirs-%d", i),
			.kind = i % 2 ? "elsewhere.ok" : "test.unheard_of",
			.cron = STR("0 * * * *") };
		TRY(job_schedule_put(tx, moved_now(&moved.clock), zone_utc(), &s));
	}
	return NULL;
}

/* However many there are, and though they have been due for longer. */
static void
schedules_of_other_nodes_wait_for_them_and_hold_up_nobody(enum db_kind kind)
{
	if (!start(kind, "2024-01-01T00:30:00Z"))
		skip();
	fixture_ok(db_write(w.f.db, w.f.arena, put_for_others, NULL));
	put("UTC", "0 2 * * *");
	world_run(&w);
	set_clock("2024-01-01T02:00:00Z");
	WORLD_UNTIL(w.run_count == 1);
	assert_string_equal(w.runs[0].key, "nightly");
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job WHERE company_id = 8"), 0);
	assert_int_equal(
		fixture_int(
			&w.f, "SELECT count(*) FROM job_schedule WHERE company_id = 8 AND last_at IS NULL"),
		120);
	world_end(&w);
}

struct keeping {
	struct instant late;
	bool kept;
};

static struct err *
ask_whether_kept(struct db_tx *tx, void *arg)
{
	struct keeping *k = arg;

	return job_schedule_is_kept(tx, k->late, 7, STR("nightly"), &k->kept);
}

static bool
is_kept_since(const char *late)
{
	struct keeping k = { .late = at(late) };

	fixture_ok(db_read(w.f.db, w.f.arena, ask_whether_kept, &k));
	return k.kept;
}

static void
a_schedule_tells_whether_somebody_runs_it(enum db_kind kind)
{
	bool paused = true;

	if (!start(kind, "2024-01-01T00:30:00Z"))
		skip();
	assert_false(is_kept_since("2024-01-01T00:00:00Z"));
	put("UTC", "0 * * * *");
	assert_true(is_kept_since("2024-01-01T00:59:59Z")); /* nobody, but not for long */
	assert_false(is_kept_since("2024-01-01T01:00:00Z"));
	set_clock("2024-01-09T12:34:00Z");
	world_run(&w);
	WORLD_UNTIL(w.run_count == 1);
	assert_true(is_kept_since("2024-01-09T12:34:00Z"));
	fixture_ok(db_write(w.f.db, w.f.arena, pause_schedule, &paused));
	assert_true(is_kept_since("2024-02-01T00:00:00Z"));
	world_end(&w);
}

ON_EACH(a_slot_runs_once_on_two_nodes_across_clock_changes)
ON_EACH(a_local_time_that_comes_twice_runs_once)
ON_EACH(missed_slots_are_one_run)
ON_EACH(a_paused_schedule_makes_nothing_up)
ON_EACH(schedules_of_other_nodes_wait_for_them_and_hold_up_nobody)
ON_EACH(a_schedule_tells_whether_somebody_runs_it)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS_OF(a_slot_runs_once_on_two_nodes_across_clock_changes),
		TESTS_OF(a_local_time_that_comes_twice_runs_once),
		TESTS_OF(missed_slots_are_one_run),
		TESTS_OF(a_paused_schedule_makes_nothing_up),
		TESTS_OF(schedules_of_other_nodes_wait_for_them_and_hold_up_nobody),
		TESTS_OF(a_schedule_tells_whether_somebody_runs_it),
	};

	return cmocka_run_group_tests(tests, NULL, world_remove_databases);
}
