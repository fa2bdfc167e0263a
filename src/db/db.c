/*
 * Opening and closing a database, and what is asked of it as a whole. The kind follows from the URL; from here on only the drivers know
 * which one it is.
 */
#include "base/limits.h"
#include "db/driver.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE_FILE	    "sextant.db"
#define DEFAULT_CONNECTIONS 8

/* ---- open and close --------------------------------------------------------------------------------------------------------- */

static bool
is_postgres(struct str url)
{
	return str_starts_with(url, STR("postgres://")) || str_starts_with(url, STR("postgresql://"));
}

/* The file of a path that names a directory or a file; made readable for its owner only. */
static struct err *
sqlite_file(struct arena *a, const struct db_options *o, const char **out)
{
	const char *path = arena_cstr(a, o->url);
	struct stat st;

	if (!str_ends_with(o->url, STR(".db")) && (stat(path, &st) || S_ISDIR(st.st_mode))) {
		if (!o->read_only && mkdir(path, 0700) && errno != EEXIST)
			return err_private(a, ERR_UNAVAILABLE, "cannot make the directory %s: %s", path,
				strerror(errno));
		path = arena_cstr(a, arena_fmt(a, "%s/" DATABASE_FILE, path));
	}
	int file = open(path, O_RDWR | O_CLOEXEC | (o->read_only ? 0 : O_CREAT), 0600);
	if (file < 0)
		return err_private(
			a, ERR_UNAVAILABLE, "cannot open the database %s: %s", path, strerror(errno));
	(void)close(file); /* nothing was written */
	*out = path;
	return NULL;
}

static struct err *
start(struct db *db, struct arena *a, const struct db_options *o)
{
	const char *target;

	if (db->kind == DB_POSTGRES)
		target = arena_cstr(a, o->url);
	else
		TRY(sqlite_file(a, o, &target));
	db->target = strdup(target);
	check(db->target);
	db->pool = db_pool_new(db, db->options.connections);
	db->sequences = db_sequences_new();
	if (o->memory && db->kind == DB_SQLITE)
		db->memory = db_memory_new(o->memory);
	if (!o->read_only)
		return db_queue_start(db, a, &db->queue);
	/* One connection now tells whether the database can be opened. */
	struct db_conn *c;
	TRY(db_pool_borrow(db->pool, a, &c));
	db_pool_return(db->pool, c);
	return NULL;
}

struct err *
db_open(struct arena *a, const struct db_options *o, struct db **out)
{
	struct db *db = calloc(1, sizeof(*db));
	struct err *e;

	check(db);
	pthread_mutex_init(&db->watch_lock, NULL);
	db->kind = is_postgres(o->url) ? DB_POSTGRES : DB_SQLITE;
	db->options = *o;
	db->options.url = (struct str){ NULL, 0 }; /* the caller's; target is the copy */
	if (db->options.connections <= 0)
		db->options.connections = DEFAULT_CONNECTIONS;
	e = start(db, a, o);
	if (e) {
		db_close(db);
		return e;
	}
	*out = db;
	return NULL;
}

void
db_close(struct db *db)
{
	if (db->queue)
		db_queue_stop(db->queue);
	if (db->pool)
		db_pool_free(db->pool);
	if (db->sequences)
		db_sequences_free(db->sequences);
	check(!db->watches);
	pthread_mutex_destroy(&db->watch_lock);
	db_memory_free(db->memory);
	free((char *)(uintptr_t)db->target);
	free(db);
}

struct err *
db_connect(struct db *db, struct arena *a, enum db_role role, struct db_conn **out)
{
	struct db_conn *c;

	TRY(db->kind == DB_SQLITE ? db_sqlite_connect(db, a, role, &c)
				  : db_postgres_connect(db, a, role, &c));
	atomic_fetch_add(&db->connections, 1);
	*out = db->options.faults ? db_faults_wrap(db->options.faults, c) : c;
	return NULL;
}

void
db_disconnect(struct db_conn *c)
{
	atomic_fetch_sub(&c->db->connections, 1);
	c->driver->close(c);
}

/* ---- questions -------------------------------------------------------------------------------------------------------------- */

enum db_kind
db_kind(const struct db *db)
{
	return db->kind;
}

bool
db_reads_inline(const struct db *db)
{
	return db->kind == DB_SQLITE;
}

struct db_stats
db_stats(const struct db *db)
{
	return (struct db_stats){
		.commits = atomic_load(&db->commits),
		.jobs = atomic_load(&db->jobs),
		.retries = atomic_load(&db->retries),
		.queue = db->queue ? db_queue_length(db->queue) : 0,
		.connections = atomic_load(&db->connections),
	};
}

/* ---- transactions ----------------------------------------------------------------------------------------------------------- */

struct err *
db_read(struct db *db, struct arena *a, db_work *work, void *arg)
{
	struct db_conn *c;
	struct err *e;

	TRY(db_pool_borrow(db->pool, a, &c));
	e = db_run_alone(c, a, false, work, arg);
	db_pool_return(db->pool, c);
	return e;
}

struct err *
db_submit(struct db *db, struct arena *a, struct db_job *job)
{
	check(db->queue);
	return db_queue_push(db->queue, a, job);
}

/* ---- errors that both drivers give ------------------------------------------------------------------------------------------ */

#define UNIQUE_WORD   "UNIQUE_VIOLATION"
#define UNIQUE_PREFIX "unique column "

struct err *
db_err_unique(struct arena *a, struct str column, struct str text)
{
	return err_word(
		err_private(a, ERR_CONFLICT, UNIQUE_PREFIX "%.*s: %.*s", STR_ARG(column), STR_ARG(text)),
		UNIQUE_WORD);
}

struct err *
db_err_reference(struct arena *a, struct str text)
{
	return err_word(err_private(a, ERR_CONFLICT, "%.*s", STR_ARG(text)), "REFERENCE_VIOLATION");
}

struct str
db_err_unique_column(const struct err *e)
{
	if (!str_eq(err_code_word(e), STR(UNIQUE_WORD)) || !str_starts_with(e->detail, STR(UNIQUE_PREFIX)))
		return (struct str){ NULL, 0 };
	size_t from = sizeof(UNIQUE_PREFIX) - 1;
	return str_sub(e->detail, from, str_index(e->detail, ':', from) - from);
}
