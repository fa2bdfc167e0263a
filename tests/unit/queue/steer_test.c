/*
 * What administrators do to single jobs, and a database that fails under the runner: whatever comes of a round, no job is lost, none stays
 * leased to nobody, and none runs beside itself.
 */
#include "queue/job_list.h"
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

/* ---- steering --------------------------------------------------------------------------------------------------------------- */

struct steer {
	struct err *(*change)(struct db_tx *tx, struct instant now, int64_t company_id, int64_t id);
	int64_t company_id, id;
};

static struct err *
steer_work(struct db_tx *tx, void *arg)
{
	const struct steer *s = arg;

	return s->change(tx, world_now(), s->company_id, s->id);
}

/* The stable word of the refusal, "" when it was done. */
static const char *
steer(struct err *(*change)(struct db_tx *, struct instant, int64_t, int64_t), int64_t company_id, int64_t id)
{
	struct steer s = { change, company_id, id };
	struct err *e = db_write(w.f.db, w.f.arena, steer_work, &s);

	return e ? arena_fmt(w.f.arena, "%.*s", STR_ARG(err_code_word(e))).p : "";
}

static void
a_dead_job_is_tried_again_with_all_its_attempts(void)
{
	w.failures_left = 4; /* of three attempts: dead once */
	world_run(&w);
	int64_t id = put("test.fail", "d");
	WORLD_UNTIL(STATE_COUNT("dead") == 1);
	assert_string_equal(steer(job_retry, 8, id), "JOB_NOT_FOUND");
	assert_string_equal(steer(job_retry, 7, id + 1), "JOB_NOT_FOUND");
	assert_string_equal(steer(job_cancel, 7, id), "JOB_OVER");
	assert_string_equal(steer(job_retry, 7, id), "");
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.run_count, 5);
	assert_int_equal(w.runs[3].attempt, 1);
	assert_string_equal(steer(job_retry, 7, id), "JOB_NOT_FAILED");
	assert_int_equal(
		fixture_int(&w.f, "SELECT count(*) FROM job WHERE error IS NULL AND attempt = 2"), 1);
}
WORLD_ON_EACH(a_dead_job_is_tried_again_with_all_its_attempts)

static void
poison_that_is_tried_again_is_no_suspect(void)
{
	int64_t id = put("test.ok", "p"), behind;

	fixture_run(&w.f, "UPDATE job SET state = 'poison', crashes = 2, attempt = 2, finished_at = 1");
	behind = put("test.ok", "p");
	assert_string_equal(steer(job_retry, 7, id), "JOB_WAITS_ALREADY");
	assert_string_equal(steer(job_cancel, 7, behind), "");
	assert_string_equal(steer(job_retry, 7, id), "");
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job WHERE state = 'waiting' AND crashes = 0 "
					   "AND attempt = 0 AND finished_at IS NULL"),
		1);
	world_run(&w);
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(w.runs[0].id, id);
}
WORLD_ON_EACH(poison_that_is_tried_again_is_no_suspect)

static void
cancelled_poison_lets_others_of_its_key_run(void)
{
	int64_t id = put("test.ok", "p");

	fixture_run(&w.f, "UPDATE job SET state = 'poison', crashes = 2, finished_at = 1");
	world_run(&w);
	put("test.ok", "p");
	assert_string_equal(steer(job_cancel, 7, id), "");
	WORLD_UNTIL(STATE_COUNT("done") == 1);
	assert_int_equal(STATE_COUNT("cancelled"), 1);
}
WORLD_ON_EACH(cancelled_poison_lets_others_of_its_key_run)

static void
one_job_is_cancelled_and_no_other(void)
{
	struct job_request later = {
		.company_id = 7, .kind = "test.ok", .at = { world_now().us + 3600000000 }
	};
	int64_t waiting = world_enqueue(&w, &later);

	world_enqueue(&w, &later);
	assert_string_equal(steer(job_cancel, 8, waiting), "JOB_NOT_FOUND");
	assert_string_equal(steer(job_cancel, 7, waiting), "");
	assert_string_equal(steer(job_cancel, 7, waiting), "JOB_OVER");
	assert_int_equal(STATE_COUNT("waiting"), 1);
	w.gate_closed = true;
	world_run(&w);
	int64_t first = put("test.gate", NULL);
	put("test.gate", NULL);
	WORLD_UNTIL(w.inside == 2);
	assert_string_equal(steer(job_retry, 7, first), "JOB_NOT_FAILED");
	assert_string_equal(steer(job_cancel, 7, first), "");
	WORLD_UNTIL(STATE_COUNT("cancelled") == 2);
	assert_int_equal(w.stops_seen, 1);
	assert_int_equal(w.inside, 1);
	assert_string_equal(steer(job_retry, 7, first), ""); /* cancelled by mistake */
	w.gate_closed = false;
	WORLD_UNTIL(STATE_COUNT("done") == 2);
}
WORLD_ON_EACH(one_job_is_cancelled_and_no_other)

static void
a_waiting_job_is_not_put_off_any_longer(void)
{
	struct job_request later = {
		.company_id = 7, .kind = "test.ok", .at = { world_now().us + 3600000000 }
	};
	int64_t id = world_enqueue(&w, &later);

	world_run(&w);
	assert_string_equal(steer(job_retry, 7, id), "");
	WORLD_UNTIL(STATE_COUNT("done") == 1);
}
WORLD_ON_EACH(a_waiting_job_is_not_put_off_any_longer)

/* ---- stopping --------------------------------------------------------------------------------------------------------------- */

static void
a_run_that_does_not_stop_is_given_back_and_stores_nothing(void)
{
	w.gate_closed = true;
	world_run(&w);
	put("test.deaf", "k");
	put("test.deaf", "k2");
	put("test.deaf", NULL);
	WORLD_UNTIL(w.inside == 2);
	assert_false(job_runner_stop(w.runner, 50)); /* nothing comes to an end before it returns */
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job WHERE state = 'waiting' AND attempt = 0 "
					   "AND crashes = 0 AND lease_owner IS NULL AND lease_until IS NULL"),
		3);
	w.gate_closed = false;
	WORLD_UNTIL(job_runner_stop(w.runner, 50));
	assert_int_equal(STATE_COUNT("waiting"), 3); /* nobody stored their ends */
	world_run(&w);
	WORLD_UNTIL(STATE_COUNT("done") == 3);
	assert_int_equal(w.run_count, 5);
}
WORLD_ON_EACH(a_run_that_does_not_stop_is_given_back_and_stores_nothing)

/* ---- a database that fails -------------------------------------------------------------------------------------------------- */

#define LIGHT_JOBS 40

static void
enqueue_of_each_sort(void)
{
	for (int i = 0; i < LIGHT_JOBS; i++)
		put(i % 4 ? "test.ok" : "test.forgotten", NULL);
	put("test.again", "a");
	put("test.gate", "k"); /* open: over at once */
}

/* Runs what was enqueued under the plan; every job must be over as if nothing had been. */
static void
get_through(const struct db_fault *list, size_t count, int fires)
{
	enqueue_of_each_sort();
	w.faults->fired = 0;
	for (int at = 0; at < 4; at++)
		w.faults->seen[at] = 0;
	w.faults->list = list;
	w.faults->count = count;
	world_run(&w);
	/* The test's own queries would meet the faults too. */
	WORLD_UNTIL(w.faults->fired >= fires);
	w.faults->count = 0;
	WORLD_UNTIL(fixture_int(&w.f, "SELECT count(*) FROM job WHERE state IN ('waiting', 'running')") == 0);
	assert_int_equal(STATE_COUNT("done"), LIGHT_JOBS - LIGHT_JOBS / 4 + 2);
	assert_int_equal(fixture_int(&w.f, "SELECT count(*) FROM job WHERE state <> 'done' OR crashes > 0 OR "
					   "attempt <> 1 OR lease_owner IS NOT NULL"),
		0);
	assert_int_equal(w.ended_count, w.run_count);
	assert_true(w.run_count >= LIGHT_JOBS + 2);
}

static void
a_database_that_is_away_for_a_while_costs_nothing_but_time(void)
{
	static const struct db_fault away[] = { { DB_AT_BEGIN, DB_FAULT_FULL, 2, 12 } };

	get_through(away, COUNT(away), 12);
	assert_int_equal(w.run_count, LIGHT_JOBS + 2);
}
WORLD_ON_EACH(a_database_that_is_away_for_a_while_costs_nothing_but_time)

static void
a_round_that_breaks_off_has_not_been(void)
{
	static const struct db_fault breaks[] = { { DB_AT_STATEMENT, DB_FAULT_FULL, 4, 1 },
		{ DB_AT_STATEMENT, DB_FAULT_LOST_BEFORE, 7, 1 },
		{ DB_AT_STATEMENT, DB_FAULT_LOST_AFTER, 11, 1 }, { DB_AT_STATEMENT, DB_FAULT_BUSY, 15, 2 },
		{ DB_AT_COMMIT, DB_FAULT_FULL, 2, 3 }, { DB_AT_COMMIT, DB_FAULT_BUSY, 6, 2 } };

	get_through(breaks, COUNT(breaks), 10);
	assert_int_equal(w.run_count, LIGHT_JOBS + 2); /* what was rolled back was never begun */
}
WORLD_ON_EACH(a_round_that_breaks_off_has_not_been)

static void
a_commit_that_nobody_answered_loses_nothing(void)
{
	static const struct db_fault committed[] = { { DB_AT_COMMIT, DB_FAULT_LOST_AFTER, 2, 2 },
		{ DB_AT_COMMIT, DB_FAULT_LOST_AFTER, 5, 1 }, { DB_AT_COMMIT, DB_FAULT_LOST_AFTER, 7, 3 } };
	static const struct db_fault lost[] = { { DB_AT_COMMIT, DB_FAULT_LOST_BEFORE, 2, 2 },
		{ DB_AT_COMMIT, DB_FAULT_LOST_BEFORE, 5, 1 }, { DB_AT_COMMIT, DB_FAULT_LOST_BEFORE, 7, 3 } };

	get_through(committed, COUNT(committed), 6);
	world_stop_runner(&w);
	fixture_run(&w.f, "DELETE FROM job");
	w.run_count = w.ended_count = 0;
	get_through(lost, COUNT(lost), 6);
}
WORLD_ON_EACH(a_commit_that_nobody_answered_loses_nothing)

/* The commit that ends the first run has begun the second as well; the first one's end is stored once more behind that. */
static void
a_second_run_is_not_taken_for_the_first(void)
{
	static struct db_fault plan[2];
	struct job_request soon = { .company_id = 7, .kind = "test.ok", .at = { world_now().us + 100000 } };

	w.gate_closed = true;
	world_run(&w);
	put("test.gate", "k");
	WORLD_UNTIL(w.inside == 1);
	put("test.gate", "k");	  /* once more behind the run */
	world_enqueue(&w, &soon); /* makes the round look for what is due */
	plan[0] = (struct db_fault){ DB_AT_BEGIN, DB_FAULT_FULL, 1, w.faults->seen[DB_AT_BEGIN] + 20 };
	plan[1] = (struct db_fault){ DB_AT_COMMIT, DB_FAULT_LOST_AFTER, 0, 1 };
	w.faults->fired = 0;
	w.faults->list = plan;
	w.faults->count = COUNT(plan);
	WORLD_UNTIL(w.faults->fired > 0);		  /* from now on no commit comes before it may */
	plan[1].first = w.faults->seen[DB_AT_COMMIT] + 2; /* the look's, then the round's */
	w.gate_closed = false;
	WORLD_UNTIL(w.faults->seen[DB_AT_COMMIT] >= plan[1].first && w.ended_count >= 2);
	w.faults->count = 0;
	WORLD_UNTIL(STATE_COUNT("done") == 2);
	assert_int_equal(w.run_count, 3);
}
WORLD_ON_EACH(a_second_run_is_not_taken_for_the_first)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS_OF(a_dead_job_is_tried_again_with_all_its_attempts),
		TESTS_OF(poison_that_is_tried_again_is_no_suspect),
		TESTS_OF(cancelled_poison_lets_others_of_its_key_run),
		TESTS_OF(one_job_is_cancelled_and_no_other),
		TESTS_OF(a_waiting_job_is_not_put_off_any_longer),
		TESTS_OF(a_run_that_does_not_stop_is_given_back_and_stores_nothing),
		TESTS_OF(a_database_that_is_away_for_a_while_costs_nothing_but_time),
		TESTS_OF(a_round_that_breaks_off_has_not_been),
		TESTS_OF(a_commit_that_nobody_answered_loses_nothing),
		TESTS_OF(a_second_run_is_not_taken_for_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, world_remove_databases);
}
