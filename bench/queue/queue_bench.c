/*
 * What the job queue does a second: jobs enqueued ten a transaction and run by four threads, from the first enqueue to the last stored end,
 * and how long a single job waits for its start. Beside it the bare database at the same durability in the usual way, a loop that claims
 * one row, works, and marks it done, a commit each: SQLite with one connection, PostgreSQL with SKIP LOCKED on four.
 *
 *   queue_bench DIRECTORY [POSTGRES_URL]
 */
#include "base/random.h"
#include "queue/job.h"
#include <libpq-fe.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS	  3
#define JOBS	  4000 /* a round of ours */
#define REFERENCE 600  /* a round of the reference, which is slower */
#define TOGETHER  10   /* jobs enqueued in one transaction */
#define THREADS	  4
#define SINGLES	  100 /* for the wait of one job */

static const char table_text[] =
	"CREATE TABLE bare (id BIGINT PRIMARY KEY, state TEXT NOT NULL, payload TEXT NOT NULL, owner TEXT)";
static const char index_text[] = "CREATE INDEX bare_due ON bare (id) WHERE state = 'waiting'";

static void
must(bool well, const char *what)
{
	if (!well) {
		fprintf(stderr, "queue_bench: %s failed\n", what);
		exit(1);
	}
}

static void
must_err(struct err *e)
{
	if (e) {
		fprintf(stderr, "queue_bench: %.*s %.*s\n", STR_ARG(e->message), STR_ARG(e->detail));
		exit(1);
	}
}

static double
seconds_since(int64_t start_us)
{
	return (double)(monotonic_us() - start_us) / 1e6;
}

static void
nap_us(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

/* ---- ours ------------------------------------------------------------------------------------------------------------------- */

struct bench {
	struct db *db;
	struct arena *arena;
	_Atomic int64_t ran;
	_Atomic int64_t began_us;
};

static struct err *
run_job(struct job_run *r)
{
	struct bench *b = r->app;

	atomic_store(&b->began_us, monotonic_us());
	atomic_fetch_add(&b->ran, 1);
	return NULL;
}

static const struct job_kind kind = { .name = "bench.job", .run = run_job };
static const struct job_kind *const kinds[] = { &kind, NULL };

static struct err *
enqueue(struct db_tx *tx, void *arg)
{
	const struct job_request q = { .kind = "bench.job", .payload = STR("{\"order\":123456}") };
	const int *count = arg;

	for (int i = 0; i < *count; i++)
		TRY(job_enqueue(tx, clock_system.now(&clock_system), &q, NULL));
	return NULL;
}

static struct err *
count_open(struct db_tx *tx, void *arg)
{
	struct db_sql q = db_sql_make(
		"bench", STR("SELECT count(*) FROM job WHERE state IN ('waiting', 'running')"), 0);
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(tx, &q, &rows, &found));
	*(int64_t *)arg = db_int(&rows, 0);
	return NULL;
}

static void
wait_until_stored(struct bench *b)
{
	int64_t left = 1;

	while (left) {
		nap_us(500);
		arena_reset(b->arena);
		must_err(db_read(b->db, b->arena, count_open, &left));
	}
}

static double
our_round(struct bench *b)
{
	int64_t start_us = monotonic_us();
	int together = TOGETHER;

	atomic_store(&b->ran, 0);
	for (int i = 0; i < JOBS / TOGETHER; i++) {
		arena_reset(b->arena);
		must_err(db_write(b->db, b->arena, enqueue, &together));
	}
	while (atomic_load(&b->ran) < JOBS)
		nap_us(200);
	wait_until_stored(b);
	return JOBS / seconds_since(start_us);
}

static int
ascending(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

/* Milliseconds from the commit of one job to the beginning of its run: median, and the 99th of a hundred. */
static void
wait_of_one(struct bench *b, double *median, double *slow)
{
	double ms[SINGLES];
	int one = 1;

	for (int i = 0; i < SINGLES; i++) {
		wait_until_stored(b);
		atomic_store(&b->ran, 0);
		must_err(db_write(b->db, b->arena, enqueue, &one));
		int64_t committed_us = monotonic_us();
		while (!atomic_load(&b->ran))
			nap_us(50);
		ms[i] = (double)(atomic_load(&b->began_us) - committed_us) / 1e3;
	}
	qsort(ms, SINGLES, sizeof(*ms), ascending);
	*median = ms[SINGLES / 2];
	*slow = ms[SINGLES - 2];
}

/* ---- SQLite by itself ------------------------------------------------------------------------------------------------------- */

static void
lite(sqlite3 *db, const char *text)
{
	must(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

static void
lite_step(sqlite3_stmt *s, int64_t value)
{
	sqlite3_bind_int64(s, 1, value);
	int code = sqlite3_step(s);
	must(code == SQLITE_DONE || code == SQLITE_ROW, "a step");
	sqlite3_reset(s);
}

static double
lite_round(sqlite3 *db, int64_t first)
{
	sqlite3_stmt *add, *claim, *done;
	int64_t start_us = monotonic_us();

	must(sqlite3_prepare_v2(db, "INSERT INTO bare VALUES (?1, 'waiting', '{\"order\":123456}', NULL)", -1,
		     &add, NULL) == 0 &&
			sqlite3_prepare_v2(db,
				"UPDATE bare SET state = 'running', owner = 'me' WHERE ?1 > 0 AND id = "
				"(SELECT id FROM bare WHERE "
				"state = 'waiting' ORDER BY id LIMIT 1) RETURNING id, payload",
				-1, &claim, NULL) == 0 &&
			sqlite3_prepare_v2(db, "UPDATE bare SET state = 'done', owner = NULL WHERE id = ?1",
				-1, &done, NULL) == 0,
		"preparing");
	for (int i = 0; i < REFERENCE; i += TOGETHER) {
		lite(db, "BEGIN IMMEDIATE");
		for (int k = 0; k < TOGETHER; k++)
			lite_step(add, first + i + k);
		lite(db, "COMMIT");
	}
	for (int i = 0; i < REFERENCE; i++) {
		lite_step(claim, 1);
		lite_step(done, first + i);
	}
	sqlite3_finalize(add);
	sqlite3_finalize(claim);
	sqlite3_finalize(done);
	return REFERENCE / seconds_since(start_us);
}

static sqlite3 *
lite_open(struct arena *a, const char *directory)
{
	sqlite3 *db;

	must(sqlite3_open(arena_fmt(a, "%s/bare.db", directory).p, &db) == SQLITE_OK, "opening");
	lite(db, "PRAGMA journal_mode = WAL");
	lite(db, "PRAGMA synchronous = FULL");
	lite(db, table_text);
	lite(db, index_text);
	return db;
}

/* ---- PostgreSQL by itself --------------------------------------------------------------------------------------------------- */

struct loop {
	pthread_t thread;
	const char *url;
	_Atomic int *left;
};

static void
pg(PGconn *c, const char *text)
{
	PGresult *r = PQexec(c, text);

	must(PQresultStatus(r) == PGRES_COMMAND_OK, PQerrorMessage(c));
	PQclear(r);
}

static void *
pg_loop(void *arg)
{
	struct loop *l = arg;
	PGconn *c = PQconnectdb(l->url);

	PQclear(PQprepare(c, "claim",
		"UPDATE bare SET state = 'running', owner = 'me' WHERE id = (SELECT id FROM bare WHERE state "
		"= 'waiting' "
		"ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, payload",
		0, NULL));
	PQclear(PQprepare(c, "done", "UPDATE bare SET state = 'done', owner = NULL WHERE id = $1", 1, NULL));
	while (atomic_load(l->left) > 0) {
		PGresult *r = PQexecPrepared(c, "claim", 0, NULL, NULL, NULL, 0);
		must(PQresultStatus(r) == PGRES_TUPLES_OK, PQerrorMessage(c));
		if (PQntuples(r)) {
			const char *id = PQgetvalue(r, 0, 0);
			PQclear(PQexecPrepared(c, "done", 1, &id, NULL, NULL, 0));
			atomic_fetch_sub(l->left, 1);
		}
		PQclear(r);
	}
	PQfinish(c);
	return NULL;
}

static double
pg_round(struct arena *a, const char *url, int64_t first)
{
	PGconn *c = PQconnectdb(url);
	struct loop loops[THREADS];
	_Atomic int left = REFERENCE;
	int64_t start_us = monotonic_us();

	for (int i = 0; i < REFERENCE; i += TOGETHER)
		pg(c, arena_fmt(a,
			      "INSERT INTO bare SELECT n, 'waiting', '{\"order\":123456}', NULL FROM "
			      "generate_series(%lld, %lld) n",
			      (long long)first + i, (long long)first + i + TOGETHER - 1)
				.p);
	for (int i = 0; i < THREADS; i++) {
		loops[i] = (struct loop){ .url = url, .left = &left };
		must(pthread_create(&loops[i].thread, NULL, pg_loop, &loops[i]) == 0, "a thread");
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(loops[i].thread, NULL);
	PQfinish(c);
	return REFERENCE / seconds_since(start_us);
}

/* ---- both ------------------------------------------------------------------------------------------------------------------- */

static double
middle(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), ascending);
	return v[ROUNDS / 2];
}

static void
print_row(const char *name, double *v)
{
	double m = middle(v);

	printf("  %-44s %9.0f jobs/s  (%.0f–%.0f)\n", name, m, v[0], v[ROUNDS - 1]);
}

static void
measure(const char *directory, const char *url)
{
	static const struct job_queue_threads queues[] = { { "bench", THREADS }, { NULL, 0 } };
	struct bench b = { .arena = arena_new(16u << 20) };
	struct arena *a = arena_new(16u << 20);
	struct db_options o = { .url = str_from_cstr(url ? url : directory), .connections = 8 };
	struct job_runner_options options = {
		.clock = &clock_system, .kinds = kinds, .queues = queues, .app = &b
	};
	struct job_runner *runner;
	double ours[ROUNDS], bare[ROUNDS], median, slow;
	sqlite3 *lite_db = NULL;

	must_err(db_open(a, &o, &b.db));
	must_err(db_migrate(b.db, a, NULL));
	options.db = b.db;
	if (url) {
		PGconn *c = PQconnectdb(url);
		pg(c, table_text);
		pg(c, index_text);
		PQfinish(c);
	} else {
		lite_db = lite_open(a, directory);
	}
	must_err(job_runner_start(a, &options, &runner));
	for (int i = -1; i < ROUNDS; i++) { /* the first warms up */
		double x = our_round(&b), y = url ? pg_round(a, url, (i + 2) * 1000000LL)
						  : lite_round(lite_db, (i + 2) * 1000000LL);
		if (i >= 0) {
			ours[i] = x;
			bare[i] = y;
		}
	}
	wait_of_one(&b, &median, &slow);
	printf("%s, %d threads, jobs that do nothing\n", url ? "PostgreSQL" : "SQLite", THREADS);
	print_row("queue/: enqueued, run, end stored", ours);
	print_row(
		url ? "bare: SKIP LOCKED loops, two commits a job" : "bare: a loop, two commits a job", bare);
	printf("  ratio %.1f; a single job begins %.2f ms after its commit (median; 99%%: %.2f ms)\n",
		middle(ours) / middle(bare), median, slow);
	must(job_runner_stop(runner, 5000), "stopping");
	db_close(b.db);
	if (lite_db)
		sqlite3_close(lite_db);
	arena_free(b.arena);
	arena_free(a);
}

int
main(int argc, char **argv)
{
	must(argc >= 2 && random_start(), "queue_bench DIRECTORY [POSTGRES_URL]");
	measure(argv[1], NULL);
	if (argc > 2)
		measure(argv[1], argv[2]);
	return 0;
}
