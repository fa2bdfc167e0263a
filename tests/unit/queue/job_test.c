/*
 * The queue's promises with real threads on both databases: a job exists when its transaction does, runs at least once, under a key never
 * twice at the same time, is tried again and given up as its kind says, and survives whoever ran it.
 */
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct world w;

#define STATE_COUNT(state) fixture_int(&w.f, "SELECT count(*) FROM job WHERE state = '" state "'")

static int64_t
put(const char *kind, const char *key)
{
	struct job_request q = { .company_id = 7, .kind = kind, .key = key ? str_from_cstr(key) : STR("") };

	return world_enqueue(&w, &q);
}

/* ---- enqueueing ------------------------------------------------------------------------------------------------------------- */

static void
a_job_runs_once(void)
{
	world_run(&w);
	int64_t id = put("test.ok", NULL);
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.run_count, 1);
	assert_int_equal(w.runs[0].id, id);
	assert_int_equal(w.runs[0].attempt, 1);
	assert_string_equal(w.runs[0].payload, "{}");
	assert_int_equal(
		fixture_int(&w.f,
			"SELECT count(*) FROM job WHERE lease_owner IS NULL AND finished_at >= started_at"),
		1);
}
WORLD_ON_EACH(a_job_runs_once)

static struct err *
enqueue_and_fail(struct db_tx *tx, void *arg)
{
	struct job_request q = { .kind = "test.ok" };

	(void)arg;
	TRY(job_enqueue(tx, world_now(), &q, NULL));
	return err_new(db_tx_arena(tx), ERR_CONFLICT, "The change is not made.");
}

static void
a_job_of_a_change_that_was_not_made_does_not_exist(void)
{
	assert_non_null(db_write(w.f.db, w.f.arena, enqueue_and_fail, NULL));
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job"), 0);
}
WORLD_ON_EACH(a_job_of_a_change_that_was_not_made_does_not_exist)

static void
a_key_makes_it_one_job(void)
{
	struct job_request q = {
		.company_id = 7, .kind = "test.ok", .key = STR("a"), .at = { world_now().us + 3600000000 }
	};
	int64_t first = world_enqueue(&w, &q);

	q.payload = STR("{\"later\":1}");
	q.priority = 4;
	assert_int_equal(world_enqueue(&w, &q), first);
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job"), 1);
	assert_int_equal(fixture_int(&w.f, "SELECT priority FROM job"), 4);
	int64_t late = fixture_int(&w.f, "SELECT run_at FROM job");
	q.at.us += 1000000;
	assert_int_equal(world_enqueue(&w, &q), first);
	assert_int_equal(fixture_int(&w.f, "SELECT run_at FROM job"), late);
	world_run(&w);
	assert_int_equal(put("test.ok", "a"), first); /* the earlier time: now */
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.run_count, 1);
	assert_int_not_equal(put("test.ok", "a"), first);
	q.company_id = 8;
	q.at.us = 0;
	world_enqueue(&w, &q);
	WORLD_UNTIL(STATE_COUNT("done") == 3);
}
WORLD_ON_EACH(a_key_makes_it_one_job)

static void
what_is_asked_for_while_it_runs_runs_once_more(void)
{
	w.gate_closed = true;
	world_run(&w);
	int64_t id = put("test.gate", "k");
	WORLD_UNTIL(w.inside == 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(put("test.gate", "k"), id);
	w.gate_closed = false;
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.run_count, 2);
	assert_int_equal(w.most_inside, 1);
	assert_int_equal(w.runs[1].attempt, 1);
}
WORLD_ON_EACH(what_is_asked_for_while_it_runs_runs_once_more)

static void
an_unknown_kind_waits(void)
{
	put("test.of_a_later_version", NULL);
	world_run(&w);
	put("test.ok", NULL);
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(
		fixture_int(&w.f, "SELECT count(*) FROM job WHERE state = 'waiting' AND attempt = 0"), 1);
}
WORLD_ON_EACH(an_unknown_kind_waits)

static void
the_urgent_run_first(void)
{
	static const struct job_queue_threads one[] = { { "test", 1 }, { NULL, 0 } };
	static const int priorities[] = { 0, -10, 10, 3, 0 };
	static const char *const order[] = { "2", "3", "0", "4", "1" };

	for (size_t i = 0; i < COUNT(priorities); i++) {
		struct job_request q = { .kind = "test.ok",
			.priority = priorities[i],
			.payload = arena_fmt(w.f.arena, "%zu", i) };
		world_enqueue(&w, &q);
	}
	w.options.queues = one;
	world_run(&w);
	WORLD_UNTIL(STATE_COUNT("done") == 5);
	for (size_t i = 0; i < COUNT(order); i++)
		assert_string_equal(w.runs[i].payload, order[i]);
}
WORLD_ON_EACH(the_urgent_run_first)

static void
a_job_waits_for_its_time(void)
{
	struct instant at = { world_now().us + 300000 };
	struct job_request q = { .kind = "test.ok", .at = at };

	world_run(&w);
	world_enqueue(&w, &q);
	WORLD_UNTIL(w.run_count == 1);
	assert_true(world_now().us >= at.us);
}
WORLD_ON_EACH(a_job_waits_for_its_time)

/* ---- failing ---------------------------------------------------------------------------------------------------------------- */

static void
a_failed_job_is_tried_again(void)
{
	w.failures_left = 2;
	world_run(&w);
	put("test.fail", "f");
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.run_count, 3);
	assert_int_equal(w.runs[2].attempt, 3);
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job WHERE error IS NULL"), 1);
}
WORLD_ON_EACH(a_failed_job_is_tried_again)

static void
attempts_end(void)
{
	w.failures_left = 100;
	world_run(&w);
	put("test.fail", NULL);
	WORLD_UNTIL(STATE_COUNT("dead") == 1);
	assert_int_equal(w.run_count, 3);
	assert_int_equal(
		fixture_int(&w.f, "SELECT count(*) FROM job WHERE error = 'The receiver is away.'"), 1);
}
WORLD_ON_EACH(attempts_end)

static void
back_off_is_not_cut_short_by_another_request(void)
{
	struct job_request q = { .kind = "test.ok", .key = STR("b") };

	world_enqueue(&w, &q);
	fixture_run(&w.f, "UPDATE job SET attempt = 2, run_at = run_at + 3600000000");
	int64_t at = fixture_int(&w.f, "SELECT run_at FROM job");
	world_enqueue(&w, &q);
	assert_int_equal(fixture_int(&w.f, "SELECT run_at FROM job"), at);
}
WORLD_ON_EACH(back_off_is_not_cut_short_by_another_request)

static void
who_gives_up_is_dead_at_once(void)
{
	world_run(&w);
	put("test.give_up", NULL);
	WORLD_UNTIL(STATE_COUNT("dead") == 1);
	assert_int_equal(w.run_count, 1);
}
WORLD_ON_EACH(who_gives_up_is_dead_at_once)

static void
a_job_can_wait_to_run_again(void)
{
	world_run(&w);
	int64_t id = put("test.again", "x");
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.run_count, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(w.runs[i].id, id);
		assert_int_equal(w.runs[i].attempt, 1);
	}
}
WORLD_ON_EACH(a_job_can_wait_to_run_again)

static void
a_run_is_told_when_its_time_is_over(void)
{
	w.gate_closed = true;
	world_run(&w);
	put("test.brief", NULL);
	WORLD_UNTIL(STATE_COUNT("dead") == 1);
	assert_int_equal(
		fixture_int(&w.f, "SELECT count(*) FROM job WHERE error = 'It took longer than 1 s.'"), 1);
}
WORLD_ON_EACH(a_run_is_told_when_its_time_is_over)

/* ---- telling ---------------------------------------------------------------------------------------------------------------- */

static void
what_a_run_tells_is_kept(void)
{
	world_run(&w);
	put("test.tell", NULL);
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(
		fixture_int(&w.f, "SELECT count(*) FROM job WHERE progress_done = 3 AND progress_total = 7 "
				  "AND progress_note = 'three of seven ??bytes' AND result = '{\"sent\":3}'"),
		1);
}
WORLD_ON_EACH(what_a_run_tells_is_kept)

static void
some_kinds_leave_no_row(void)
{
	world_run(&w);
	put("test.forgotten", "a");
	WORLD_UNTIL(w.ended_count == 1 && fixture_int(&w.f, "SELECT count(*) FROM job") == 0);
}
WORLD_ON_EACH(some_kinds_leave_no_row)

/* ---- cancelling and stopping ------------------------------------------------------------------------------------------------ */

static struct err *
cancel(struct db_tx *tx, void *arg)
{
	struct job_request q = { .company_id = 7, .kind = "test.gate", .key = STR("c") };

	return job_cancel_key(tx, world_now(), &q, arg);
}

static void
a_running_job_is_asked_to_stop(void)
{
	bool found = true;

	fixture_ok(db_write(w.f.db, w.f.arena, cancel, &found));
	assert_false(found);
	w.gate_closed = true;
	put("test.gate", "c");
	fixture_ok(db_write(w.f.db, w.f.arena, cancel, &found));
	assert_true(found);
	assert_int_equal(STATE_COUNT("cancelled"), 1);
	world_run(&w);
	put("test.gate", "c");
	WORLD_UNTIL(w.inside == 1);
	fixture_ok(db_write(w.f.db, w.f.arena, cancel, &found));
	WORLD_UNTIL(STATE_COUNT("cancelled") == 2);
	assert_int_equal(w.stops_seen, 1);
}
WORLD_ON_EACH(a_running_job_is_asked_to_stop)

static void
what_a_stop_interrupts_waits_as_if_it_had_not_run(void)
{
	w.gate_closed = true;
	world_run(&w);
	for (int i = 0; i < 20; i++)
		put("test.gate", NULL);
	WORLD_UNTIL(w.inside == 2);
	assert_true(job_runner_stop(w.runner, WORLD_PATIENCE_MS));
	w.runner = NULL;
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job WHERE state = 'waiting' AND attempt = 0 "
					   "AND lease_owner IS NULL"),
		20);
}
WORLD_ON_EACH(what_a_stop_interrupts_waits_as_if_it_had_not_run)

/* ---- dead runners ----------------------------------------------------------------------------------------------------------- */

#define ABANDON "UPDATE job SET state = 'running', attempt = 1, lease_owner = 'dead', lease_until = "

static void
a_lease_that_ran_out_is_taken_over(void)
{
	put("test.ok", "a");
	fixture_run(&w.f, ABANDON "1");
	world_run(&w);
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.runs[0].attempt, 2);
	assert_int_equal(fixture_int(&w.f, "SELECT crashes FROM job"), 0);
}
WORLD_ON_EACH(a_lease_that_ran_out_is_taken_over)

static void
a_lease_that_holds_is_respected(void)
{
	put("test.ok", "a");
	fixture_run(&w.f, ABANDON "4000000000000000");
	world_run(&w);
	put("test.ok", NULL);
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(STATE_COUNT("running"), 1);
	world_stop_runner(&w);
	w.options.alone = true; /* now it must be a dead one's */
	world_run(&w);
	WORLD_UNTIL(STATE_COUNT("done") == 2);
}
WORLD_ON_EACH(a_lease_that_holds_is_respected)

static void
what_kills_twice_is_poison(void)
{
	put("test.ok", "a");
	fixture_run(&w.f, ABANDON "1, crashes = 1");
	world_run(&w);
	WORLD_UNTIL(STATE_COUNT("poison") == 1);
	put("test.ok", "a"); /* waits for whoever looks at the poison */
	put("test.ok", "b");
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(STATE_COUNT("waiting"), 1);
	assert_int_equal(w.run_count, 1);
	assert_string_equal(w.runs[0].key, "b");
}
WORLD_ON_EACH(what_kills_twice_is_poison)

static void
with_two_chances_suspects_run_one_at_a_time(void)
{
	w.gate_closed = true;
	for (int i = 0; i < 6; i++)
		put("test.gate", NULL);
	fixture_run(&w.f, ABANDON "1");
	world_run(&w);
	WORLD_UNTIL(w.inside == 1);
	for (int i = 0; i < 60; i++)
		world_nap();
	assert_int_equal(w.inside, 1);
	w.gate_closed = false;
	WORLD_UNTIL(STATE_COUNT("done") == 6);
	assert_int_equal(w.most_inside, 1);
}
WORLD_ON_EACH(with_two_chances_suspects_run_one_at_a_time)

/* ---- suspects and last chances ---------------------------------------------------------------------------------------------- */

static const struct job_queue_threads four_threads[] = { { "test", 4 }, { NULL, 0 } };

/* For as long as something that should not begin would take to begin. */
static void
nap_some_looks(void)
{
	for (int i = 0; i < 60; i++)
		world_nap();
}

/* Beside what runs: not due before its runner has died. */
static void
put_suspect(const char *kind)
{
	const struct job_request q = {
		.company_id = 7, .kind = kind, .at = { world_now().us + INSTANT_DAY }
	};
	int64_t id = world_enqueue(&w, &q);

	fixture_run(&w.f, arena_fmt(w.f.arena, ABANDON "1 WHERE id = %lld", (long long)id).p);
}

static void
suspects_with_chances_left_run_beside_each_other(void)
{
	w.options.queues = four_threads;
	w.gate_closed = true;
	put("test.gate", NULL); /* its next crash is its last */
	for (int i = 0; i < 3; i++)
		put("test.patient_gate", NULL);
	fixture_run(&w.f, ABANDON "1");
	world_run(&w);
	WORLD_UNTIL(w.inside == 3);
	nap_some_looks();
	assert_int_equal(w.inside, 3);
	assert_int_equal(
		fixture_int(&w.f, "SELECT count(*) FROM job WHERE state = 'waiting' AND kind = 'test.gate'"),
		1);
	w.gate_closed = false;
	WORLD_UNTIL(STATE_COUNT("done") == 4);
	assert_int_equal(w.most_inside, 3);
}
WORLD_ON_EACH(suspects_with_chances_left_run_beside_each_other)

static void
at_their_last_chance_those_of_a_patient_kind_run_one_at_a_time(void)
{
	w.options.queues = four_threads;
	w.gate_closed = true;
	for (int i = 0; i < 3; i++)
		put("test.patient_gate", NULL);
	fixture_run(&w.f, ABANDON "1, crashes = 4");
	world_run(&w);
	WORLD_UNTIL(w.inside == 1);
	nap_some_looks();
	w.gate_closed = false;
	WORLD_UNTIL(STATE_COUNT("done") == 3);
	assert_int_equal(w.most_inside, 1);
}
WORLD_ON_EACH(at_their_last_chance_those_of_a_patient_kind_run_one_at_a_time)

static void
a_last_chance_keeps_suspects_away_and_nobody_else(void)
{
	w.options.queues = four_threads;
	w.gate_closed = true;
	put("test.gate", NULL);
	fixture_run(&w.f, ABANDON "1");
	world_run(&w);
	WORLD_UNTIL(w.inside == 1);
	put_suspect("test.patient_gate");
	put("test.ok", NULL);
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	WORLD_UNTIL(
		fixture_int(&w.f, "SELECT count(*) FROM job WHERE state = 'waiting' AND crashes = 1") == 1);
	nap_some_looks();
	assert_int_equal(w.inside, 1);
	assert_int_equal(w.run_count, 2);
	w.gate_closed = false;
	WORLD_UNTIL(STATE_COUNT("done") == 3);
}
WORLD_ON_EACH(a_last_chance_keeps_suspects_away_and_nobody_else)

static bool
has_begun(int64_t id)
{
	bool found = false;

	pthread_mutex_lock(&w.lock);
	for (int i = 0; i < w.run_count && !found; i++)
		found = w.runs[i].id == id;
	pthread_mutex_unlock(&w.lock);
	return found;
}

static void
suspects_that_do_not_run_dry_keep_a_last_chance_waiting_for_a_lease(void)
{
	w.options.queues = four_threads;
	w.options.lease_s = 1;
	for (int i = 0; i < 2000; i++)
		put("test.patient_nap", NULL);
	int64_t id = put("test.deaf", NULL);
	fixture_run(&w.f, "UPDATE job SET crashes = 1");
	fixture_run(&w.f, "UPDATE job SET last_chance = 1 WHERE kind = 'test.deaf'");
	w.gate_closed = true;
	world_run(&w);
	WORLD_UNTIL(has_begun(id));
	assert_int_equal(w.inside, 1);
	assert_true(STATE_COUNT("waiting") > 0);
	w.gate_closed = false;
	WORLD_UNTIL(w.inside == 4);
}
WORLD_ON_EACH(suspects_that_do_not_run_dry_keep_a_last_chance_waiting_for_a_lease)

static void
nobody_waits_for_a_run_that_was_given_up_and_its_end_is_no_excuse(void)
{
	const int64_t began_us = monotonic_us(), given_up_us = 2000000; /* its time limit and its lease */

	w.options.queues = four_threads;
	w.options.lease_s = 1;
	w.gate_closed = true;
	put("test.overstay", NULL);
	fixture_run(&w.f, ABANDON "1");
	world_run(&w);
	WORLD_UNTIL(w.inside == 1);
	put_suspect("test.patient_nap");
	nap_some_looks();
	assert_true(w.run_count == 1 || monotonic_us() - began_us >= given_up_us);
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.inside, 1);
	WORLD_UNTIL(STATE_COUNT("poison") == 1);
	w.gate_closed = false;
	WORLD_UNTIL(w.ended_count == 2);
	nap_some_looks();
	assert_int_equal(
		fixture_int(&w.f, "SELECT count(*) FROM job WHERE state = 'poison' AND crashes = 2"), 1);
}
WORLD_ON_EACH(nobody_waits_for_a_run_that_was_given_up_and_its_end_is_no_excuse)

static struct err *
poison_and_ask_again(struct db_tx *tx, void *arg)
{
	const struct db_sql poison = db_sql_make("test",
		STR("UPDATE job SET state = 'poison', crashes = 2, lease_owner = NULL, lease_until = NULL, "
		    "finished_at = 1, error = 'It died.'"),
		0);
	const struct job_request later = {
		.company_id = 7, .kind = "test.deaf", .key = STR("l"), .payload = STR("{\"n\":2}")
	};

	(void)arg;
	TRY(DB_EXEC(tx, &poison));
	return job_enqueue(tx, world_now(), &later, NULL);
}

static void
a_poison_mark_of_a_lost_lease_is_taken_back(void)
{
	w.gate_closed = true;
	world_run(&w);
	int64_t id = put("test.deaf", "l");
	WORLD_UNTIL(w.inside == 1);
	fixture_ok(db_write(w.f.db, w.f.arena, poison_and_ask_again, NULL));
	w.gate_closed = false;
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job"), 1);
	assert_int_equal(fixture_int(&w.f, "SELECT id FROM job WHERE crashes = 0 AND error IS NULL"), id);
	assert_int_equal(w.run_count, 2);
	assert_string_equal(w.runs[1].payload, "{\"n\":2}");
}
WORLD_ON_EACH(a_poison_mark_of_a_lost_lease_is_taken_back)

#define TAKEN_OVER "UPDATE job SET lease_owner = 'another', lease_until = 4000000000000000, crashes = 1"

static void
a_run_whose_lease_was_lost_stores_nothing(void)
{
	w.gate_closed = true;
	world_run(&w);
	put("test.deaf", "l");
	WORLD_UNTIL(w.inside == 1);
	fixture_run(&w.f, TAKEN_OVER);
	w.gate_closed = false;
	WORLD_UNTIL(w.ended_count == 1);
	WORLD_UNTIL(STATE_COUNT("running") == 1 && fixture_int(&w.f, "SELECT crashes FROM job") == 0);
}
WORLD_ON_EACH(a_run_whose_lease_was_lost_stores_nothing)

static void
a_run_is_told_that_its_lease_was_lost(void)
{
	w.gate_closed = true;
	w.options.lease_s = 1;
	world_run(&w);
	put("test.gate", "l");
	WORLD_UNTIL(w.inside == 1);
	fixture_run(&w.f, TAKEN_OVER);
	WORLD_UNTIL(w.stops_seen > 0);
}
WORLD_ON_EACH(a_run_is_told_that_its_lease_was_lost)

/* One that a busy machine renews too late for is neither taken over by somebody else nor does its run mind. */
static void
a_lease_is_renewed_while_it_runs(void)
{
	static const char until[] = "SELECT lease_until FROM job WHERE state = 'running'";

	w.gate_closed = true;
	w.options.lease_s = 1;
	world_run(&w);
	put("test.deaf", "l");
	WORLD_UNTIL(w.inside == 1);
	int64_t first = fixture_int(&w.f, until);
	WORLD_UNTIL(fixture_int(&w.f, until) >= first + 1000000);
	w.gate_closed = false;
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.run_count, 1);
}
WORLD_ON_EACH(a_lease_is_renewed_while_it_runs)

/* ---- many ------------------------------------------------------------------------------------------------------------------- */

static struct err *
enqueue_many(struct db_tx *tx, void *arg)
{
	const int *count = arg;

	for (int i = 0; i < *count; i++) {
		struct job_request q = { .kind = "test.ok", .payload = arena_fmt(db_tx_arena(tx), "%d", i) };
		TRY(job_enqueue(tx, world_now(), &q, NULL));
	}
	return NULL;
}

static void
two_runners_share_without_running_anything_twice(void)
{
	struct job_runner *other;
	int count = 2000;
	static char seen[2000];

	memset(seen, 0, sizeof(seen));
	world_run(&w);
	fixture_ok(job_runner_start(w.f.arena, &w.options, &other));
	fixture_ok(db_write(w.f.db, w.f.arena, enqueue_many, &count));
	WORLD_UNTIL(w.ended_count == count);
	WORLD_UNTIL(STATE_COUNT("done") == count);
	assert_true(job_runner_stop(other, WORLD_PATIENCE_MS));
	assert_int_equal(w.run_count, count);
	for (int i = 0; i < count; i++) {
		int64_t n;
		assert_true(str_to_int(str_from_cstr(w.runs[i].payload), &n));
		assert_false(seen[n]++);
	}
}
WORLD_ON_EACH(two_runners_share_without_running_anything_twice)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS_OF(a_job_runs_once),
		TESTS_OF(a_job_of_a_change_that_was_not_made_does_not_exist),
		TESTS_OF(a_key_makes_it_one_job),
		TESTS_OF(what_is_asked_for_while_it_runs_runs_once_more),
		TESTS_OF(an_unknown_kind_waits),
		TESTS_OF(the_urgent_run_first),
		TESTS_OF(a_job_waits_for_its_time),
		TESTS_OF(a_failed_job_is_tried_again),
		TESTS_OF(attempts_end),
		TESTS_OF(back_off_is_not_cut_short_by_another_request),
		TESTS_OF(who_gives_up_is_dead_at_once),
		TESTS_OF(a_job_can_wait_to_run_again),
		TESTS_OF(a_run_is_told_when_its_time_is_over),
		TESTS_OF(what_a_run_tells_is_kept),
		TESTS_OF(some_kinds_leave_no_row),
		TESTS_OF(a_running_job_is_asked_to_stop),
		TESTS_OF(what_a_stop_interrupts_waits_as_if_it_had_not_run),
		TESTS_OF(a_lease_that_ran_out_is_taken_over),
		TESTS_OF(a_lease_that_holds_is_respected),
		TESTS_OF(what_kills_twice_is_poison),
		TESTS_OF(with_two_chances_suspects_run_one_at_a_time),
		TESTS_OF(suspects_with_chances_left_run_beside_each_other),
		TESTS_OF(at_their_last_chance_those_of_a_patient_kind_run_one_at_a_time),
		TESTS_OF(a_last_chance_keeps_suspects_away_and_nobody_else),
		TESTS_OF(suspects_that_do_not_run_dry_keep_a_last_chance_waiting_for_a_lease),
		TESTS_OF(nobody_waits_for_a_run_that_was_given_up_and_its_end_is_no_excuse),
		TESTS_OF(a_poison_mark_of_a_lost_lease_is_taken_back),
		TESTS_OF(a_run_whose_lease_was_lost_stores_nothing),
		TESTS_OF(a_run_is_told_that_its_lease_was_lost),
		TESTS_OF(a_lease_is_renewed_while_it_runs),
		TESTS_OF(two_runners_share_without_running_anything_twice),
	};

	return cmocka_run_group_tests(tests, NULL, world_remove_databases);
}
