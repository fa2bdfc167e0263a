/*
 * kill -9 at any moment under load: what was acknowledged is there afterwards, what is there is whole, and the database is sound. A
 * child process writes pairs and tells each acknowledged one through a pipe, which outlives it.
 */
#include "base/random.h"
#include "fixture.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS		     6
#define INFLIGHT	     64
#define SQL(literal, params) db_sql_make("test", STR(literal), (params))

struct writer {
	struct db_job job;
	struct db *db;
	int64_t id, step;
	int pipe;
};

static struct err *
enter_pair(struct db_tx *tx, void *arg)
{
	struct db_sql debit = SQL("INSERT INTO debit (id) VALUES ($1)", 1);
	struct db_sql credit = SQL("INSERT INTO credit (id) VALUES ($1)", 1);
	const struct writer *w = arg;

	TRY(DB_EXEC(tx, &debit, P_INT(w->id)));
	return DB_EXEC(tx, &credit, P_INT(w->id));
}

/* Tells what was acknowledged and goes on with the next one. */
static void
next_pair(struct db_job *job, struct err *e)
{
	struct writer *w = (struct writer *)job;

	if (e || write(w->pipe, &w->id, sizeof(w->id)) != (ssize_t)sizeof(w->id))
		_exit(1);
	arena_reset(w->job.arena);
	w->id += w->step;
	if (db_submit(w->db, w->job.arena, &w->job))
		_exit(1);
}

/* The child: writes until it is killed. */
static void
write_for_ever(struct fixture *f, int64_t first, int pipe)
{
	static struct writer writers[INFLIGHT];
	const struct db_options o = { .url = f->url, .connections = 4 };

	/* A failure must not end the test here: this is not the process that cleans up. */
	for (int i = 0; db_open(f->arena, &o, &f->db); i++)
		if (i == 10)
			_exit(1);
	for (int i = 0; i < INFLIGHT; i++) {
		writers[i] = (struct writer){ .db = f->db, .id = first + i, .step = INFLIGHT, .pipe = pipe };
		writers[i].job = (struct db_job){ .arena = arena_new(1u << 16),
			.work = enter_pair,
			.arg = &writers[i],
			.done = next_pair };
		if (db_submit(f->db, f->arena, &writers[i].job))
			_exit(1);
	}
	for (;;)
		pause();
}

/* Runs a child for some milliseconds and kills it; the highest acknowledged ids are left in the pipe's answer. */
static int64_t
run_and_kill(struct fixture *f, int64_t first, int64_t *acknowledged, size_t most)
{
	int ends[2];
	size_t count = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		write_for_ever(f, first, ends[1]);
	close(ends[1]);
	uint32_t stop_after = 1 + random_below(f->kind == DB_SQLITE ? 3000 : 300);
	bool killed = false;
	while (count < most &&
		read(ends[0], &acknowledged[count], sizeof(int64_t)) == (ssize_t)sizeof(int64_t)) {
		if (++count >= stop_after && !killed)
			killed = kill(child, SIGKILL) == 0;
	}
	if (!killed)
		kill(child, SIGKILL);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	close(ends[0]);
	return (int64_t)count;
}

struct expected {
	const int64_t *ids;
	int64_t count;
};

static struct err *
all_are_there(struct db_tx *tx, void *arg)
{
	struct db_sql find =
		SQL("SELECT count(*) FROM debit JOIN credit ON credit.id = debit.id WHERE debit.id = $1", 1);
	const struct expected *x = arg;
	struct db_rows r;
	bool found;

	for (int64_t i = 0; i < x->count; i++) {
		TRY(DB_FIND(tx, &find, &r, &found, P_INT(x->ids[i])));
		if (db_int(&r, 0) != 1)
			fail_msg("acknowledged write %lld is lost", (long long)x->ids[i]);
	}
	return NULL;
}

static void
check_after_crash(struct fixture *f, const int64_t *ids, int64_t count)
{
	struct expected x = { ids, count };
	struct buf findings;

	fixture_open(f);
	fixture_ok(db_read(f->db, f->arena, all_are_there, &x));
	assert_int_equal(
		fixture_int(f, "SELECT count(*) FROM debit WHERE id NOT IN (SELECT id FROM credit)"), 0);
	assert_int_equal(
		fixture_int(f, "SELECT count(*) FROM credit WHERE id NOT IN (SELECT id FROM debit)"), 0);
	buf_init(&findings, 1u << 16);
	fixture_ok(db_check(f->db, f->arena, &findings));
	assert_int_equal(findings.len, 0);
	buf_done(&findings);
	db_close(f->db);
	f->db = NULL;
	arena_reset(f->arena);
}

static void
survive_kills(enum db_kind kind)
{
	struct fixture f = { .kind = kind };
	size_t most = 200000;
	int64_t *ids = calloc(most, sizeof(*ids)), count = 0;

	if (!fixture_available(kind)) {
		free(ids);
		skip();
	}
	fixture_create(&f);
	f.url = str_from_cstr(strdup(arena_cstr(f.arena, f.url))); /* outlives the arena's rounds */
	fixture_open(&f);
	fixture_run(&f, "CREATE TABLE debit (id BIGINT PRIMARY KEY)");
	fixture_run(&f, "CREATE TABLE credit (id BIGINT PRIMARY KEY)");
	db_close(f.db);
	f.db = NULL;
	for (int64_t round = 0; round < ROUNDS; round++) {
		count += run_and_kill(&f, (round + 1) * 10000000, ids + count, most - (size_t)count);
		check_after_crash(&f, ids, count);
	}
	assert_true(count > ROUNDS);
	free((char *)(uintptr_t)f.url.p);
	fixture_end(&f);
	free(ids);
}

static void
sqlite_loses_no_acknowledged_write(void **state)
{
	(void)state;
	survive_kills(DB_SQLITE);
}

static void
postgres_loses_no_acknowledged_write(void **state)
{
	(void)state;
	survive_kills(DB_POSTGRES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sqlite_loses_no_acknowledged_write),
		cmocka_unit_test(postgres_loses_no_acknowledged_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
