/* See the header. Databases are made and dropped through a connection of libpq's own, because the house offers no way to do so. */
#include "fixture.h"
#include "base/random.h"
#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define ARENA_BYTES (64u << 20)

static const char *
server_url(void)
{
	const char *url = getenv("SEXTANT_TEST_POSTGRES");

	return url && url[0] ? url : NULL;
}

bool
fixture_available(enum db_kind kind)
{
	if (kind == DB_SQLITE || server_url())
		return true;
	print_message("skipped: SEXTANT_TEST_POSTGRES names no PostgreSQL server\n");
	return false;
}

void
fixture_ok(struct err *e)
{
	if (e)
		fail_msg("%.*s (%.*s) at %s:%d", STR_ARG(e->message), STR_ARG(e->detail), e->file, e->line);
}

/* ---- PostgreSQL ------------------------------------------------------------------------------------------------------------- */

/*
 * The server waits five seconds for sessions to leave a database that is copied or dropped, and the driver as long for a connection: on a
 * machine that stops now and then that may be too short.
 */
#define TRIES 12

static bool
server_does(const char *sql)
{
	PGconn *c = PQconnectdb(server_url());
	PGresult *r = PQexec(c, sql);
	bool done = PQresultStatus(r) == PGRES_COMMAND_OK;

	if (!done)
		print_error("%s: %s", sql, PQerrorMessage(c));
	PQclear(r);
	PQfinish(c);
	return done;
}

static void
server_run(const char *sql)
{
	bool done = server_does(sql);

	for (int i = 1; i < TRIES && !done; i++)
		done = server_does(sql);
	assert_true(done);
}

/* The server's URL with another database: scheme://authority/NAME?options */
static struct str
url_with_database(struct arena *a, struct str url, const char *name)
{
	size_t authority = str_index(url, '/', 0) + 2;
	size_t options = str_index(url, '?', authority);
	size_t path = str_index(url, '/', authority);

	if (path > options)
		path = options;
	return arena_fmt(a, "%.*s/%s%.*s", (int)path, url.p, name, (int)(url.n - options), url.p + options);
}

static void
create_postgres(struct fixture *f)
{
	uint32_t tag = random_below(1u << 30);

	f->name = strdup(arena_fmt(f->arena, "sextant_test_%ld_%u", (long)getpid(), tag).p);
	server_run(arena_fmt(f->arena, "CREATE DATABASE %s", f->name).p);
	f->url = url_with_database(f->arena, str_from_cstr(server_url()), f->name);
}

/* ---- SQLite ----------------------------------------------------------------------------------------------------------------- */

static void
create_sqlite(struct fixture *f)
{
	const char *base = getenv("TMPDIR");

	f->directory = strdup(arena_fmt(f->arena, "%s/sextant-test-XXXXXX", base ? base : "/tmp").p);
	assert_non_null(mkdtemp(f->directory));
	f->url = str_from_cstr(f->directory);
}

static void
remove_directory(struct fixture *f)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < COUNT(suffixes); i++)
		(void)unlink(arena_fmt(f->arena, "%s/sextant.db%s", f->directory, suffixes[i]).p);
	(void)rmdir(f->directory);
}

/* ---- both ------------------------------------------------------------------------------------------------------------------- */

void
fixture_create(struct fixture *f)
{
	assert_true(random_start());
	f->arena = arena_new(ARENA_BYTES);
	if (f->kind == DB_POSTGRES)
		create_postgres(f);
	else
		create_sqlite(f);
}

void
fixture_open(struct fixture *f)
{
	struct db_options o = { .url = f->url,
		.connections = f->connections ? f->connections : 4,
		.faults = f->faults,
		.memory = f->memory };

	struct err *e = db_open(f->arena, &o, &f->db);

	for (int i = 1; i < TRIES && e && f->kind == DB_POSTGRES; i++)
		e = db_open(f->arena, &o, &f->db);
	fixture_ok(e);
}

void
fixture_start(struct fixture *f)
{
	fixture_create(f);
	fixture_open(f);
	fixture_ok(db_migrate(f->db, f->arena, NULL));
}

void
fixture_end(struct fixture *f)
{
	if (f->db)
		db_close(f->db);
	f->db = NULL;
	if (f->name)
		server_run(arena_fmt(f->arena, "DROP DATABASE %s WITH (FORCE)", f->name).p);
	if (f->directory)
		remove_directory(f);
	free(f->name);
	free(f->directory);
	f->name = f->directory = NULL;
	arena_free(f->arena);
}

static struct err *
run_sql(struct db_tx *tx, void *arg)
{
	struct db_sql q = db_sql_make("test", str_from_cstr(arg), 0);

	return DB_EXEC(tx, &q);
}

void
fixture_run(struct fixture *f, const char *sql)
{
	struct arena_mark m = arena_mark(f->arena);

	fixture_ok(db_write(f->db, f->arena, run_sql, (char *)(uintptr_t)sql));
	arena_release(f->arena, m);
}

struct int_query {
	const char *sql;
	int64_t result;
};

static struct err *
read_int(struct db_tx *tx, void *arg)
{
	struct int_query *query = arg;
	struct db_sql q = db_sql_make("test", str_from_cstr(query->sql), 0);
	struct db_rows r;
	bool found;

	TRY(DB_FIND(tx, &q, &r, &found));
	assert_true(found);
	query->result = db_int(&r, 0);
	return NULL;
}

int64_t
fixture_int(struct fixture *f, const char *sql)
{
	struct int_query query = { .sql = sql };
	struct arena_mark m = arena_mark(f->arena);

	fixture_ok(db_read(f->db, f->arena, read_int, &query));
	arena_release(f->arena, m);
	return query.result;
}
