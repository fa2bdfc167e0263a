/*
 * What the database room costs: small durable inserts through db_submit and db_write beside the bare library in its fastest honest form
 * at the same durability. SQLite: 64 writes in flight against a loop of 64 inserts a COMMIT. PostgreSQL: the same number of connections,
 * each with one insert a transaction. Also reads: one row by its key against the bare prepared statement.
 *
 *   db_bench DIRECTORY [POSTGRES_URL]
 */
#include "base/random.h"
#include "base/time.h"
#include "db/db.h"
#include <libpq-fe.h>
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS	    5
#define SECONDS	    1.0
#define INFLIGHT    64
#define CONNECTIONS 16

static const char insert_text[] = "INSERT INTO bench (company_id, id, name, amount) VALUES ($1, $2, $3, $4)";
static const char find_text[] = "SELECT name, amount FROM bench WHERE company_id = $1 AND id = $2";
static const char table_text[] = "CREATE TABLE bench (company_id BIGINT NOT NULL, id BIGINT NOT NULL, name "
				 "TEXT NOT NULL, amount BIGINT NOT NULL,"
				 " PRIMARY KEY (company_id, id))";

struct bench {
	struct db *db;
	struct arena *arena;
	const char *file; /* of the reference */
	const char *url;
	_Atomic int64_t next_id;
};

/* A round answers with operations a second. */
typedef double round_fn(struct bench *b);

static void
must(bool well, const char *what)
{
	if (!well) {
		fprintf(stderr, "db_bench: %s failed\n", what);
		exit(1);
	}
}

static void
must_err(struct err *e)
{
	if (e) {
		fprintf(stderr, "db_bench: %.*s %.*s\n", STR_ARG(e->message), STR_ARG(e->detail));
		exit(1);
	}
}

static double
seconds_since(int64_t start_us)
{
	return (double)(monotonic_us() - start_us) / 1e6;
}

/* ---- ours: jobs whose end starts the next one ------------------------------------------------------------------------------- */

struct producer {
	struct db_job job;
	struct bench *b;
	int64_t id, done;
	int64_t start_us;
	sem_t *over;
};

static struct err *
insert_row(struct db_tx *tx, void *arg)
{
	static const struct db_sql no_hash = { .name = "bench_insert", .params = 4 };
	struct producer *p = arg;
	struct db_sql q = no_hash;
	struct str text = { insert_text, sizeof(insert_text) - 1 };

	/* Statements of .sql files bring their hash along. */
	q.text[0] = q.text[1] = text;
	q.hash[0] = q.hash[1] = 0x1234567890abcdefULL;
	db_tx_touch(tx, 1);
	return DB_EXEC(tx, &q, P_INT(1), P_INT(p->id), P_TEXT(STR("monthly revenue")), P_INT(4200));
}

static void
again(struct db_job *job, struct err *e)
{
	struct producer *p = (struct producer *)job;

	must_err(e);
	p->done++;
	if (seconds_since(p->start_us) >= SECONDS) {
		sem_post(p->over);
		return;
	}
	arena_reset(p->job.arena);
	p->id = p->b->next_id++;
	must_err(db_submit(p->b->db, p->job.arena, &p->job));
}

static double
ours_submitted(struct bench *b)
{
	static struct producer producers[INFLIGHT];
	int64_t start = monotonic_us(), done = 0;
	sem_t over;

	sem_init(&over, 0, 0);
	for (int i = 0; i < INFLIGHT; i++) {
		producers[i] =
			(struct producer){ .b = b, .id = b->next_id++, .start_us = start, .over = &over };
		producers[i].job = (struct db_job){
			.arena = arena_new(1u << 16), .work = insert_row, .arg = &producers[i], .done = again
		};
		must_err(db_submit(b->db, b->arena, &producers[i].job));
	}
	for (int i = 0; i < INFLIGHT; i++)
		while (sem_wait(&over))
			continue;
	double seconds = seconds_since(start);
	for (int i = 0; i < INFLIGHT; i++) {
		done += producers[i].done;
		arena_free(producers[i].job.arena);
	}
	sem_destroy(&over);
	return (double)done / seconds;
}

/* ---- ours: threads that wait ------------------------------------------------------------------------------------------------ */

static void *
write_blocking(void *arg)
{
	struct producer *p = arg;
	struct arena *a = arena_new(1u << 16);

	while (seconds_since(p->start_us) < SECONDS) {
		p->id = p->b->next_id++;
		must_err(db_write(p->b->db, a, insert_row, p));
		arena_reset(a);
		p->done++;
	}
	arena_free(a);
	return NULL;
}

static double
with_threads(struct bench *b, void *(*run)(void *), int count)
{
	pthread_t threads[INFLIGHT];
	struct producer producers[INFLIGHT];
	int64_t start = monotonic_us(), done = 0;

	for (int i = 0; i < count; i++) {
		producers[i] = (struct producer){ .b = b, .start_us = start, .id = i };
		must(pthread_create(&threads[i], NULL, run, &producers[i]) == 0, "thread");
	}
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		done += producers[i].done;
	}
	return (double)done / seconds_since(start);
}

static double
ours_blocking(struct bench *b)
{
	return with_threads(b, write_blocking, INFLIGHT);
}

/* ---- ours: reads ------------------------------------------------------------------------------------------------------------ */

static struct err *
find_row(struct db_tx *tx, void *arg)
{
	struct db_sql q = { .name = "bench_find", .params = 2 };
	struct str text = { find_text, sizeof(find_text) - 1 };
	const struct producer *p = arg;
	struct db_rows r;
	bool found;

	q.text[0] = q.text[1] = text;
	q.hash[0] = q.hash[1] = 0x234567890abcdef1ULL;
	TRY(DB_FIND(tx, &q, &r, &found, P_INT(1), P_INT(p->id % 1000)));
	must(found && db_int(&r, 1) == 4200 && db_text(&r, 0).n > 0, "read");
	return NULL;
}

static double
ours_reads(struct bench *b)
{
	struct producer p = { .b = b, .start_us = monotonic_us() };
	struct arena *a = arena_new(1u << 16);

	while (seconds_since(p.start_us) < SECONDS)
		for (int i = 0; i < 64; i++, p.id++, p.done++) {
			must_err(db_read(b->db, a, find_row, &p));
			arena_reset(a);
		}
	arena_free(a);
	return (double)p.done / seconds_since(p.start_us);
}

/* ---- the reference: bare sqlite3 -------------------------------------------------------------------------------------------- */

static sqlite3 *
raw_open(struct bench *b)
{
	sqlite3 *handle;

	must(sqlite3_open_v2(b->file, &handle,
		     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK,
		"open");
	must(sqlite3_exec(handle, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL, NULL,
		     NULL) == SQLITE_OK,
		"setup");
	(void)sqlite3_exec(handle, table_text, NULL, NULL, NULL); /* exists after the first round */
	return handle;
}

static sqlite3_stmt *
raw_prepare(sqlite3 *handle, const char *text)
{
	sqlite3_stmt *s;

	must(sqlite3_prepare_v3(handle, text, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) == SQLITE_OK, text);
	return s;
}

static void
raw_step(sqlite3_stmt *s)
{
	must(sqlite3_step(s) == SQLITE_DONE, "step");
	sqlite3_reset(s);
}

static double
raw_sqlite_inserts(struct bench *b)
{
	sqlite3 *handle = raw_open(b);
	sqlite3_stmt *begin = raw_prepare(handle, "BEGIN IMMEDIATE"), *commit = raw_prepare(handle, "COMMIT");
	sqlite3_stmt *insert = raw_prepare(handle, insert_text);
	int64_t start = monotonic_us(), done = 0;

	while (seconds_since(start) < SECONDS) {
		raw_step(begin);
		for (int i = 0; i < INFLIGHT; i++, done++) {
			sqlite3_bind_int64(insert, 1, 1);
			sqlite3_bind_int64(insert, 2, b->next_id++);
			sqlite3_bind_text(insert, 3, "monthly revenue", 15, SQLITE_STATIC);
			sqlite3_bind_int64(insert, 4, 4200);
			raw_step(insert);
		}
		raw_step(commit);
	}
	double rate = (double)done / seconds_since(start);
	sqlite3_finalize(begin);
	sqlite3_finalize(commit);
	sqlite3_finalize(insert);
	sqlite3_close(handle);
	return rate;
}

static double
raw_sqlite_reads(struct bench *b)
{
	sqlite3 *handle = raw_open(b);
	sqlite3_stmt *find = raw_prepare(
		handle, "SELECT name, amount FROM bench WHERE company_id = 1 AND id >= ?1 LIMIT 1");
	int64_t start = monotonic_us(), done = 0;

	while (seconds_since(start) < SECONDS)
		for (int i = 0; i < 64; i++, done++) {
			sqlite3_bind_int64(find, 1, done % 1000);
			must(sqlite3_step(find) == SQLITE_ROW && sqlite3_column_int64(find, 1) == 4200,
				"read");
			must(sqlite3_column_text(find, 0), "read");
			sqlite3_reset(find);
		}
	double rate = (double)done / seconds_since(start);
	sqlite3_finalize(find);
	sqlite3_close(handle);
	return rate;
}

/* ---- the reference: bare libpq ---------------------------------------------------------------------------------------------- */

static PGconn *
raw_connect(struct bench *b, const char *text, int params)
{
	PGconn *c = PQconnectdb(b->url);

	must(PQstatus(c) == CONNECTION_OK, "connect");
	PQclear(PQprepare(c, "s", text, params, NULL));
	return c;
}

static void *
raw_pq_worker(void *arg)
{
	struct producer *p = arg;
	PGconn *c = raw_connect(p->b, insert_text, 4);
	char id[24];

	while (seconds_since(p->start_us) < SECONDS) {
		must(snprintf(id, sizeof(id), "%lld", (long long)p->b->next_id++) > 0, "id");
		PGresult *r = PQexecPrepared(c, "s", 4,
			(const char *const[]){ "1", id, "monthly revenue", "4200" }, NULL, NULL, 0);
		must(PQresultStatus(r) == PGRES_COMMAND_OK, "insert");
		PQclear(r);
		p->done++;
	}
	PQfinish(c);
	return NULL;
}

static double
raw_pq_inserts(struct bench *b)
{
	return with_threads(b, raw_pq_worker, CONNECTIONS);
}

static double
raw_pq_reads(struct bench *b)
{
	PGconn *c = raw_connect(b, find_text, 2);
	int64_t start = monotonic_us(), done = 0;
	char id[24];

	while (seconds_since(start) < SECONDS) {
		must(snprintf(id, sizeof(id), "%lld", (long long)(done % 1000)) > 0, "id");
		PGresult *r = PQexecPrepared(c, "s", 2, (const char *const[]){ "1", id }, NULL, NULL, 1);
		must(PQntuples(r) == 1, "read");
		PQclear(r);
		done++;
	}
	PQfinish(c);
	return (double)done / seconds_since(start);
}

/* ---- the table -------------------------------------------------------------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
compare(struct bench *b, const char *what, round_fn *ours, round_fn *reference)
{
	double rates[2][ROUNDS];

	for (int i = -1; i < ROUNDS; i++) { /* the first round warms up */
		double r = reference(b), o = ours(b);
		if (i >= 0) {
			rates[0][i] = r;
			rates[1][i] = o;
		}
	}
	for (int k = 0; k < 2; k++)
		qsort(rates[k], ROUNDS, sizeof(double), by_value);
	printf("%-44s %9.0f %9.0f  %5.2f   (%.0f-%.0f, %.0f-%.0f)\n", what, rates[1][ROUNDS / 2],
		rates[0][ROUNDS / 2], rates[1][ROUNDS / 2] / rates[0][ROUNDS / 2], rates[1][0],
		rates[1][ROUNDS - 1], rates[0][0], rates[0][ROUNDS - 1]);
	(void)fflush(stdout); /* progress only */
}

static struct err *
make_table(struct db_tx *tx, void *arg)
{
	struct db_sql q = db_sql_make("bench_table", (struct str){ table_text, sizeof(table_text) - 1 }, 0);
	struct producer p = { .b = arg };

	TRY(DB_EXEC(tx, &q));
	for (p.id = 0; p.id < 1000; p.id++)
		TRY(insert_row(tx, &p));
	return NULL;
}

static void
open_ours(struct bench *b, struct str url)
{
	struct db_options o = { .url = url, .connections = CONNECTIONS };

	must_err(db_open(b->arena, &o, &b->db));
	must_err(db_write(b->db, b->arena, make_table, b));
}

int
main(int argc, char **argv)
{
	struct bench b = { .arena = arena_new(1u << 24), .next_id = 1000 };

	if (argc < 2 || !random_start())
		return 2;
	b.file = arena_fmt(b.arena, "%s/reference.db", argv[1]).p;
	printf("%-44s %9s %9s  %5s   (%s)\n", "operations a second", "ours", "reference", "ratio",
		"spread ours, reference");
	open_ours(&b, arena_fmt(b.arena, "%s/ours.db", argv[1]));
	compare(&b, "SQLite durable inserts, 64 submitted", ours_submitted, raw_sqlite_inserts);
	compare(&b, "SQLite durable inserts, 64 threads waiting", ours_blocking, raw_sqlite_inserts);
	compare(&b, "SQLite reads by key, one thread", ours_reads, raw_sqlite_reads);
	db_close(b.db);
	if (argc > 2) {
		b.url = argv[2];
		open_ours(&b, str_from_cstr(argv[2]));
		compare(&b, "PostgreSQL durable inserts, 16 connections", ours_submitted, raw_pq_inserts);
		compare(&b, "PostgreSQL reads by key, one thread", ours_reads, raw_pq_reads);
		db_close(b.db);
	}
	arena_free(b.arena);
	return 0;
}
