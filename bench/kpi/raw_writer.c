/*
 * The references of the write benchmarks: as little as a durable write can cost on this machine. "serve" answers each POST when an INSERT
 * of its value is committed, many under one COMMIT (the same HTTP server, a bare SQLite table, no login, no checks, no rollup). "bulk"
 * prints how many rows a second a prepared INSERT stores, 10,000 in a transaction.
 */
#include "base/random.h"
#include "net/http.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#define WAITING_MAX 4096
#define BATCH_MAX   512
#define BULK_ROWS   10000
#define BULK_ROUNDS 30

struct writer {
	sqlite3 *db;
	sqlite3_stmt *begin, *save, *insert, *release, *commit;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_exchange *waiting[WAITING_MAX];
	size_t count;
	bool quit;
	int64_t row;
};

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = NULL;
	check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) == SQLITE_OK);
	return s;
}

static void
step(sqlite3_stmt *s)
{
	check(sqlite3_step(s) == SQLITE_DONE);
	sqlite3_reset(s);
}

static void
writer_open(struct writer *w, const char *path)
{
	static const char setup[] =
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;"
		"CREATE TABLE v (kpi TEXT NOT NULL, at INTEGER NOT NULL, value INTEGER NOT NULL,"
		" PRIMARY KEY (kpi, at)) STRICT, WITHOUT ROWID;";
	check(sqlite3_open(path, &w->db) == SQLITE_OK);
	check(sqlite3_exec(w->db, setup, NULL, NULL, NULL) == SQLITE_OK);
	w->begin = prepare(w->db, "BEGIN IMMEDIATE");
	w->save = prepare(w->db, "SAVEPOINT s");
	w->insert = prepare(w->db, "INSERT INTO v (kpi, at, value) VALUES (?, ?, ?)");
	w->release = prepare(w->db, "RELEASE s");
	w->commit = prepare(w->db, "COMMIT");
}

static void
insert_row(struct writer *w)
{
	sqlite3_bind_text(w->insert, 1, "kpi-001", -1, SQLITE_STATIC);
	sqlite3_bind_int64(w->insert, 2, 1700000000000000 + w->row);
	sqlite3_bind_int64(w->insert, 3, w->row % 1000);
	step(w->insert);
	w->row++;
}

static void
commit_batch(struct writer *w, struct http_exchange **batch, size_t n)
{
	static const struct http_answer created = { .status = 201,
		.content_type = STR_INIT("application/json"),
		.body = STR_INIT("{\"recorded\":1}") };

	step(w->begin);
	for (size_t i = 0; i < n; i++) {
		step(w->save);
		insert_row(w);
		step(w->release);
	}
	step(w->commit);
	for (size_t i = 0; i < n; i++)
		http_answer(batch[i], &created);
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;
	struct http_exchange *batch[BATCH_MAX];

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->count == 0 && !w->quit)
			pthread_cond_wait(&w->changed, &w->lock);
		if (w->count == 0)
			break;
		size_t n = w->count < BATCH_MAX ? w->count : BATCH_MAX;
		memcpy(batch, w->waiting, n * sizeof(batch[0]));
		w->count -= n;
		memmove(w->waiting, w->waiting + n, w->count * sizeof(batch[0]));
		pthread_mutex_unlock(&w->lock);
		commit_batch(w, batch, n);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void
on_request(void *arg, struct http_exchange *x)
{
	struct writer *w = arg;

	http_suspend(x);
	pthread_mutex_lock(&w->lock);
	check(w->count < WAITING_MAX);
	w->waiting[w->count++] = x;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void
on_fault(void *arg, struct http_exchange *x, const struct err *e)
{
	const struct http_answer a = { .status = err_status(e) };
	(void)arg;
	http_answer(x, &a);
}

static void
serve(struct writer *w)
{
	struct arena *a = arena_new(1 << 20);
	struct str listen = STR("127.0.0.1:0");
	struct http_options o = {
		.listen = &listen,
		.listen_count = 1,
		.threads = (int)sysconf(_SC_NPROCESSORS_ONLN),
		.handler = on_request,
		.fault = on_fault,
		.arg = w,
		.clock = &clock_system,
	};
	struct http_server *s;
	pthread_t thread;
	char end;

	check(!http_server_start(a, &o, &s));
	check(pthread_create(&thread, NULL, writer_main, w) == 0);
	printf("%.*s\n", STR_ARG(http_server_address(s, 0)));
	fflush(stdout);
	while (read(STDIN_FILENO, &end, 1) > 0)
		;
	http_server_stop(s, 1000);
	pthread_mutex_lock(&w->lock);
	w->quit = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(thread, NULL);
	http_server_free(s);
	arena_free(a);
}

static void
bulk(struct writer *w)
{
	int64_t began = monotonic_us();

	for (int round = 0; round < BULK_ROUNDS; round++) {
		step(w->begin);
		for (int i = 0; i < BULK_ROWS; i++)
			insert_row(w);
		step(w->commit);
	}
	printf("%.0f\n", (double)BULK_ROWS * BULK_ROUNDS / ((double)(monotonic_us() - began) / 1e6));
}

/* raw_writer serve|bulk FILE */
int
main(int argc, char **argv)
{
	struct writer w = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

	if (argc != 3 || !random_start()) {
		fprintf(stderr, "raw_writer serve|bulk FILE\n");
		return 2;
	}
	writer_open(&w, argv[2]);
	if (strcmp(argv[1], "bulk") == 0)
		bulk(&w);
	else
		serve(&w);
	return 0;
}
