/*
 * What is promised when the database fails: an acknowledged write is there, a refused one is not, a write is never half there, an
 * unknown outcome is called unknown, and nobody tries for ever. Faults come from a plan (db/faults.h); PostgreSQL also breaks really.
 */
#include "base/limits.h"
#include "base/random.h"
#include "db/faults.h"
#include "fixture.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SQL(literal, params) db_sql_make("test", STR(literal), (params))
#define ALWAYS		     1000000

struct scene {
	struct fixture f;
	struct db_faults plan;
};

static int
set_up(void **state, enum db_kind kind)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->f.kind = kind;
	s->f.faults = &s->plan;
	if (fixture_available(kind)) {
		fixture_start(&s->f);
		/* Each write makes an entry on both sides of a ledger: one without the other is half a write. */
		fixture_run(&s->f, "CREATE TABLE debit (id BIGINT PRIMARY KEY)");
		fixture_run(&s->f, "CREATE TABLE credit (id BIGINT PRIMARY KEY)");
	}
	*state = s;
	return 0;
}

static int
set_up_sqlite(void **state)
{
	return set_up(state, DB_SQLITE);
}

static int
set_up_postgres(void **state)
{
	return set_up(state, DB_POSTGRES);
}

static int
tear_down(void **state)
{
	struct scene *s = *state;

	if (s->f.db)
		fixture_end(&s->f);
	free(s);
	return 0;
}

static struct scene *
scene_of(void **state)
{
	struct scene *s = *state;

	if (!s->f.db)
		skip();
	return s;
}

/* From now on; counting starts anew. */
static void
plan(struct scene *s, const struct db_fault *list, size_t count)
{
	for (size_t i = 0; i < COUNT(s->plan.seen); i++)
		s->plan.seen[i] = 0;
	s->plan.fired = 0;
	s->plan.list = list;
	s->plan.count = count;
}

static struct err *
enter_pair(struct db_tx *tx, void *arg)
{
	struct db_sql debit = SQL("INSERT INTO debit (id) VALUES ($1)", 1);
	struct db_sql credit = SQL("INSERT INTO credit (id) VALUES ($1)", 1);
	const int64_t *id = arg;

	db_tx_touch(tx, 1);
	TRY(DB_EXEC(tx, &debit, P_INT(*id)));
	return DB_EXEC(tx, &credit, P_INT(*id));
}

static struct err *
write_pair(struct scene *s, int64_t id)
{
	return db_write(s->f.db, s->f.arena, enter_pair, &id);
}

/* Number of whole pairs; there must be no half one. */
static int64_t
pairs(struct scene *s)
{
	plan(s, NULL, 0);
	int64_t whole = fixture_int(&s->f, "SELECT count(*) FROM debit JOIN credit ON debit.id = credit.id");
	assert_int_equal(fixture_int(&s->f, "SELECT count(*) FROM debit"), whole);
	assert_int_equal(fixture_int(&s->f, "SELECT count(*) FROM credit"), whole);
	return whole;
}

static void
a_busy_database_is_asked_again(void **state)
{
	struct scene *s = scene_of(state);
	const struct db_fault list[] = {
		{ DB_AT_BEGIN, DB_FAULT_BUSY, 1, 1 },
		{ DB_AT_STATEMENT, DB_FAULT_BUSY, 2, 1 },
		{ DB_AT_COMMIT, DB_FAULT_BUSY, 1, 1 },
	};

	plan(s, list, COUNT(list));
	fixture_ok(write_pair(s, 1));
	assert_int_equal(s->plan.fired, 3);
	assert_int_equal(pairs(s), 1);
}

static void
nobody_asks_a_busy_database_for_ever(void **state)
{
	struct scene *s = scene_of(state);
	const struct db_fault list[] = { { DB_AT_STATEMENT, DB_FAULT_BUSY, 1, ALWAYS } };

	plan(s, list, COUNT(list));
	struct err *e = write_pair(s, 1);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_UNAVAILABLE);
	assert_true(e->retry_after_s > 0);
	assert_int_equal(s->plan.fired, LIMIT_DB_RETRIES + 1);
	assert_int_equal(pairs(s), 0);
}

static void
a_full_disk_refuses_and_the_next_write_goes_on(void **state)
{
	struct scene *s = scene_of(state);
	const struct db_fault list[] = { { DB_AT_COMMIT, DB_FAULT_FULL, 1, 1 },
		{ DB_AT_STATEMENT, DB_FAULT_FULL, 4, 1 } };

	plan(s, list, COUNT(list));
	struct err *e = write_pair(s, 1);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_UNAVAILABLE);
	e = write_pair(s, 2); /* between the two entries */
	assert_non_null(e);
	assert_int_equal(e->code, ERR_UNAVAILABLE);
	assert_int_equal(s->plan.fired, 2);
	fixture_ok(write_pair(s, 1));
	assert_int_equal(pairs(s), 1);
}

static void
a_connection_lost_before_the_commit_is_opened_again(void **state)
{
	struct scene *s = scene_of(state);
	const struct db_fault list[] = {
		{ DB_AT_STATEMENT, DB_FAULT_LOST_BEFORE, 2, 1 },
		{ DB_AT_STATEMENT, DB_FAULT_LOST_AFTER, 4, 1 },
		{ DB_AT_REVIVE, DB_FAULT_LOST_BEFORE, 2, 1 },
	};

	plan(s, list, COUNT(list));
	fixture_ok(write_pair(s, 1));
	assert_int_equal(s->plan.fired, 3);
	assert_int_equal(pairs(s), 1);
}

static void
a_server_that_stays_away_is_unavailable(void **state)
{
	struct scene *s = scene_of(state);
	const struct db_fault list[] = {
		{ DB_AT_STATEMENT, DB_FAULT_LOST_BEFORE, 1, 1 },
		{ DB_AT_REVIVE, DB_FAULT_LOST_BEFORE, 1, ALWAYS },
	};

	plan(s, list, COUNT(list));
	struct err *e = write_pair(s, 1);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_UNAVAILABLE);
	assert_true(s->plan.fired <= LIMIT_DB_RETRIES + 1);
	plan(s, NULL, 0);
	fixture_ok(write_pair(s, 2)); /* it is back, on every connection */
	assert_int_equal(pairs(s), 1);
}

static void
a_lost_commit_is_unknown_whether_it_arrived_or_not(void **state)
{
	struct scene *s = scene_of(state);
	const struct db_fault before[] = { { DB_AT_COMMIT, DB_FAULT_LOST_BEFORE, 1, 1 } };
	const struct db_fault after[] = { { DB_AT_COMMIT, DB_FAULT_LOST_AFTER, 1, 1 } };

	plan(s, before, COUNT(before));
	struct err *e = write_pair(s, 1);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_COMMIT_UNKNOWN);
	assert_int_equal(pairs(s), 0);
	uint64_t epoch = db_epoch(s->f.db, 1);
	plan(s, after, COUNT(after));
	e = write_pair(s, 2);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_COMMIT_UNKNOWN);
	assert_true(db_epoch(s->f.db, 1) > epoch);
	assert_int_equal(pairs(s), 1);
}

/* ---- a storm ---------------------------------------------------------------------------------------------------------------- */

#define JOBS   600
#define FAULTS 60

struct entry {
	struct db_job job;
	int64_t id;
	_Atomic int *left;
	bool acknowledged;
	enum err_code code;
};

static void
entry_done(struct db_job *job, struct err *e)
{
	struct entry *entry = (struct entry *)job;

	entry->acknowledged = !e;
	entry->code = e ? e->code : ERR_INTERNAL;
	(*entry->left)--;
}

static void
make_storm(struct db_fault *list)
{
	for (size_t i = 0; i < FAULTS; i++)
		list[i] = (struct db_fault){ .at = (enum db_fault_at)random_below(3),
			.kind = (enum db_fault_kind)random_below(4),
			.first = 1 + (int)random_below(i % 2 ? 150 : 1500),
			.times = 1 + (int)random_below(3) };
	/* Some of each kind strike whatever chance brings and however the writes are grouped. */
	for (size_t i = 0; i < 12; i++)
		list[i] =
			(struct db_fault){ DB_AT_STATEMENT, (enum db_fault_kind)(i % 4), 5 + 20 * (int)i, 1 };
}

static void
submit_all(struct scene *s, struct entry *entries, _Atomic int *left)
{
	for (int i = 0; i < JOBS; i++) {
		entries[i] = (struct entry){ .id = i, .left = left };
		entries[i].job = (struct db_job){ .arena = arena_new(1u << 16),
			.work = enter_pair,
			.arg = &entries[i].id,
			.done = entry_done };
		fixture_ok(db_submit(s->f.db, s->f.arena, &entries[i].job));
		if (i % 50 == 0)
			sched_yield(); /* groups of several sizes */
	}
	while (*left > 0)
		sched_yield();
}

static void
in_a_storm_of_faults_every_answer_is_true(void **state)
{
	struct scene *s = scene_of(state);
	struct entry *entries = calloc(JOBS, sizeof(*entries));
	struct db_fault list[FAULTS];
	_Atomic int left = JOBS;
	int refused = 0;

	make_storm(list);
	plan(s, list, COUNT(list));
	submit_all(s, entries, &left);
	assert_true(s->plan.fired > 10);
	(void)pairs(s);
	for (int i = 0; i < JOBS; i++) {
		bool there =
			fixture_int(&s->f,
				arena_fmt(s->f.arena, "SELECT count(*) FROM debit WHERE id = %d", i).p) == 1;
		bool unknown = !entries[i].acknowledged && entries[i].code == ERR_COMMIT_UNKNOWN;
		if (!unknown && there != entries[i].acknowledged)
			fail_msg("write %d: there %d, acknowledged %d", i, there, entries[i].acknowledged);
		if (!entries[i].acknowledged)
			assert_true(unknown || entries[i].code == ERR_UNAVAILABLE);
		refused += !entries[i].acknowledged;
		arena_free(entries[i].job.arena);
	}
	assert_true(refused > 0 && refused < JOBS);
	free(entries);
}

/* ---- what really happens to SQLite: a file that may not grow ------------------------------------------------------------------- */

static struct err *
enter_large_pair(struct db_tx *tx, void *arg)
{
	struct db_sql fill = SQL("INSERT INTO filling (id, content) VALUES ($1, zeroblob(20000))", 1);
	const int64_t *id = arg;

	TRY(enter_pair(tx, arg));
	return DB_EXEC(tx, &fill, P_INT(*id));
}

static void
a_full_file_refuses_what_does_not_fit_and_keeps_the_rest(void **state)
{
	struct scene *s = scene_of(state);
	struct entry *entries = calloc(JOBS, sizeof(*entries));
	_Atomic int left = JOBS;
	int acknowledged = 0;

	fixture_run(&s->f, "CREATE TABLE filling (id BIGINT PRIMARY KEY, content BLOB)");
	fixture_run(&s->f, "PRAGMA max_page_count = 400"); /* of the writer's connection */
	for (int i = 0; i < JOBS; i++) {
		entries[i] = (struct entry){ .id = i, .left = &left };
		entries[i].job = (struct db_job){ .arena = arena_new(1u << 16),
			.work = enter_large_pair,
			.arg = &entries[i].id,
			.done = entry_done };
		fixture_ok(db_submit(s->f.db, s->f.arena, &entries[i].job));
	}
	while (left > 0)
		sched_yield();
	for (int i = 0; i < JOBS; i++) {
		if (!entries[i].acknowledged)
			assert_int_equal(entries[i].code, ERR_UNAVAILABLE);
		acknowledged += entries[i].acknowledged;
		arena_free(entries[i].job.arena);
	}
	assert_true(acknowledged > 0 && acknowledged < JOBS);
	assert_int_equal(pairs(s), acknowledged);
	assert_int_equal(fixture_int(&s->f, "SELECT count(*) FROM filling"), acknowledged);
	fixture_run(&s->f, "PRAGMA max_page_count = 1000000");
	fixture_ok(write_pair(s, JOBS + 1));
	free(entries);
}

/* ---- what really happens to PostgreSQL -------------------------------------------------------------------------------------- */

static void
ended_sessions_are_opened_again(void **state)
{
	struct scene *s = scene_of(state);

	for (int64_t round = 1; round <= 3; round++) {
		fixture_ok(write_pair(s, round));
		/* Ends the workers' sessions, not its own, and waits until they have; the workers notice at their next job. */
		(void)fixture_int(&s->f,
			"SELECT count(pg_terminate_backend(pid, 30000)) FROM pg_stat_activity "
			"WHERE datname = current_database() AND pid <> pg_backend_pid()");
	}
	assert_int_equal(pairs(s), 3);
}

struct crossing {
	pthread_barrier_t met;
	_Atomic int runs;
};

struct crosser {
	struct crossing *crossing;
	int64_t first, second;
	struct fixture *f;
	struct err *result;
	struct arena *arena;
};

static struct err *
lock_crosswise(struct db_tx *tx, void *arg)
{
	struct db_sql update = SQL("UPDATE debit SET id = id WHERE id = $1", 1);
	struct crosser *c = arg;

	TRY(DB_EXEC(tx, &update, P_INT(c->first)));
	if (c->crossing->runs++ < 2)
		pthread_barrier_wait(&c->crossing->met);
	return DB_EXEC(tx, &update, P_INT(c->second));
}

static void *
cross(void *arg)
{
	struct crosser *c = arg;

	c->result = db_write(c->f->db, c->arena, lock_crosswise, c);
	return NULL;
}

static void
a_deadlock_is_run_again(void **state)
{
	struct scene *s = scene_of(state);
	struct crossing crossing = { .runs = 0 };
	struct crosser both[2];
	pthread_t threads[2];

	fixture_ok(write_pair(s, 1));
	fixture_ok(write_pair(s, 2));
	pthread_barrier_init(&crossing.met, NULL, 2);
	for (int i = 0; i < 2; i++) {
		both[i] = (struct crosser){ &crossing, 1 + i, 2 - i, &s->f, NULL, arena_new(1u << 16) };
		assert_int_equal(pthread_create(&threads[i], NULL, cross, &both[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		fixture_ok(both[i].result);
		arena_free(both[i].arena);
	}
	assert_true(crossing.runs > 2);
	pthread_barrier_destroy(&crossing.met);
}

#define ON_BOTH(test)                                                         \
	{ #test " (SQLite)", test, set_up_sqlite, tear_down, NULL },          \
	{                                                                     \
#test " (PostgreSQL)", test, set_up_postgres, tear_down, NULL \
	}
#define ON_POSTGRES(test)                                                     \
	{                                                                     \
#test " (PostgreSQL)", test, set_up_postgres, tear_down, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(a_busy_database_is_asked_again),
		ON_BOTH(nobody_asks_a_busy_database_for_ever),
		ON_BOTH(a_full_disk_refuses_and_the_next_write_goes_on),
		ON_BOTH(a_connection_lost_before_the_commit_is_opened_again),
		ON_BOTH(a_server_that_stays_away_is_unavailable),
		ON_BOTH(a_lost_commit_is_unknown_whether_it_arrived_or_not),
		ON_BOTH(in_a_storm_of_faults_every_answer_is_true),
		{ "a_full_file_refuses_what_does_not_fit_and_keeps_the_rest (SQLite)",
			a_full_file_refuses_what_does_not_fit_and_keeps_the_rest, set_up_sqlite, tear_down,
			NULL },
		ON_POSTGRES(ended_sessions_are_opened_again),
		ON_POSTGRES(a_deadlock_is_run_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
