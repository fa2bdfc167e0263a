/*
 * The SQLite driver: connections, transactions and rows over sqlite3. One writer connection belongs to the group writer, readers come
 * from the pool. Numbers of sequences are counted in memory while the write lock is held and written back once before the COMMIT, so
 * they rise in the order of commits, also across processes.
 */
#include "db/sqlite.h"
#include "base/log.h"
#include <limits.h>
#include <stddef.h>

#define BUSY_TIMEOUT_MS \
	1000 /* another process (a command, a backup) holds the write lock this long at most */

/*
 * FULL: a commit survives power failure; with group commit it costs no more than NORMAL. 4,000 WAL pages (16 MB) between checkpoints:
 * a page changed many times is copied back once. Readers, whose cache is void after every commit, read through a map without system
 * calls; the map is sized so that a damaged disk under it stays the exception. The writer has no map: with one, SQLite looks every page
 * up in the log's index before its own cache, which nobody else makes void.
 */
static const char common_setup[] = "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
static const char writer_setup[] =
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"
	"PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000;";
static const char reader_setup[] =
	"PRAGMA query_only = ON; PRAGMA cache_size = -4000; PRAGMA mmap_size = 268435456;";

static const char *const control_texts[] = {
	[CONTROL_BEGIN_READ] = "BEGIN",
	[CONTROL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[CONTROL_COMMIT] = "COMMIT",
	[CONTROL_ROLLBACK] = "ROLLBACK",
	[CONTROL_MARK] = "SAVEPOINT job",
	[CONTROL_KEEP] = "RELEASE job",
	[CONTROL_UNDO] = "ROLLBACK TO job",
	[CONTROL_VERSION] = "PRAGMA data_version",
};

static struct sqlite *
sqlite_of(const struct db_tx *tx)
{
	return (struct sqlite *)tx->conn;
}

/* ---- statements ------------------------------------------------------------------------------------------------------------- */

static void
drop_statement(struct sqlite *c, struct statement *s)
{
	sqlite3_finalize(s->handle);
	statements_remove(&c->statements, s);
}

/* Asked while a statement is prepared, for each thing it does: whether it writes to a table of the memory, or to the schema. */
static int
authorize(
	void *arg, int action, const char *table, const char *column, const char *schema, const char *trigger)
{
	struct sqlite *c = arg;

	(void)column;
	(void)schema;
	(void)trigger;
	if (action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE)
		c->watched = c->watched || strcmp(table, "sqlite_master") == 0 ||
			     db_memory_watches(c->memory, table);
	return SQLITE_OK;
}

static struct err *
prepare(struct sqlite *c, struct arena *a, const struct db_sql *q, sqlite3_stmt **out)
{
	struct str text = db_sqlite_parameters(a, q->text[DB_SQLITE]);
	const char *rest = NULL;

	if (text.n > INT_MAX)
		return err_private(a, ERR_INTERNAL, "%s: statement too long", q->name);
	c->watched = false;
	int code = sqlite3_prepare_v3(c->handle, text.p, (int)text.n, SQLITE_PREPARE_PERSISTENT, out, &rest);
	if (code != SQLITE_OK)
		return db_sqlite_err(c, a, code, q->name);
	if (!*out || rest != text.p + text.n || sqlite3_bind_parameter_count(*out) != q->params) {
		sqlite3_finalize(*out);
		c->base.trouble = DB_TROUBLE_FINAL;
		return err_private(
			a, ERR_INTERNAL, "%s: not one statement with %d parameters", q->name, q->params);
	}
	return NULL;
}

static struct err *
statement_get(struct sqlite *c, struct arena *a, const struct db_sql *q, struct statement **out)
{
	struct statement *s = statements_find(&c->statements, q->hash[DB_SQLITE], q->text[DB_SQLITE]);
	sqlite3_stmt *handle;

	if (!s) {
		TRY(prepare(c, a, q, &handle));
		struct statement *victim = statements_victim(&c->statements);
		if (victim)
			drop_statement(c, victim);
		s = statements_add(&c->statements, q->hash[DB_SQLITE], q->text[DB_SQLITE], handle);
		s->watched = c->watched;
	}
	*out = s;
	return NULL;
}

static int
bind_one(sqlite3_stmt *s, int i, const struct db_param *p, struct arena *copies)
{
	struct str bytes = p->s.n ? p->s : STR("");

	if (copies && p->s.n)
		bytes = arena_str(copies, bytes);

	switch (p->type) {
	case DB_NULL:
		return sqlite3_bind_null(s, i);
	case DB_INT:
		return sqlite3_bind_int64(s, i, p->i);
	case DB_DOUBLE:
		return sqlite3_bind_double(s, i, p->d);
	case DB_TEXT:
		return sqlite3_bind_text64(s, i, bytes.p, bytes.n, SQLITE_STATIC, SQLITE_UTF8);
	case DB_BLOB:
		return sqlite3_bind_blob64(s, i, bytes.p, bytes.n, SQLITE_STATIC);
	}
	check(!"type of a parameter");
	return SQLITE_MISUSE;
}

/* copies: where texts are copied to that must outlive the call; an arena does it faster than SQLite's allocator. */
static int
bind(sqlite3_stmt *s, const struct db_param *p, size_t n, struct arena *copies)
{
	for (size_t i = 0; i < n; i++) {
		int code = bind_one(s, (int)i + 1, &p[i], copies);
		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

/* A write to what is remembered, of which the memory's owner knows nothing. */
static void
notice(const struct sqlite *c, const struct statement *s, bool remembers)
{
	if (s->watched && !remembers)
		db_memory_doubt(c->memory);
}

/* ---- rows ------------------------------------------------------------------------------------------------------------------- */

static struct err *
sqlite_query(struct db_rows *r, const struct db_sql *q, const struct db_param *p, size_t n)
{
	struct sqlite *c = sqlite_of(r->tx);
	struct statement *s;

	TRY(statement_get(c, r->tx->arena, q, &s));
	notice(c, s, false);
	/* The rows outlive the call, so the texts are copied. */
	int code = bind(s->handle, p, n, r->tx->arena);
	if (code != SQLITE_OK)
		return db_sqlite_err(c, r->tx->arena, code, q->name);
	s->busy = true;
	c->busy++;
	r->cursor = s;
	return NULL;
}

static void
release(struct sqlite *c, struct statement *s)
{
	sqlite3_reset(s->handle); /* tells again what step told */
	s->busy = false;
	c->busy--;
}

static struct err *
sqlite_next(struct db_rows *r, bool *row)
{
	struct statement *s = r->cursor;
	int code = sqlite3_step(s->handle);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return db_sqlite_err(sqlite_of(r->tx), r->tx->arena, code, sqlite3_sql(s->handle));
	*row = code == SQLITE_ROW;
	return NULL;
}

static void
sqlite_finish(struct db_rows *r)
{
	struct statement *s = r->cursor;

	r->tx->steps += sqlite3_stmt_status(s->handle, SQLITE_STMTSTATUS_VM_STEP, 1);
	release(sqlite_of(r->tx), s);
}

static struct err *
sqlite_exec(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, int64_t *affected)
{
	struct sqlite *c = sqlite_of(tx);
	struct statement *s;
	struct err *e = NULL;

	TRY(statement_get(c, tx->arena, q, &s));
	notice(c, s, tx->remembers);
	int code = bind(s->handle, p, n, NULL);
	if (code == SQLITE_OK)
		do
			code = sqlite3_step(s->handle);
		while (code == SQLITE_ROW);
	if (code != SQLITE_DONE)
		e = db_sqlite_err(c, tx->arena, code, q->name);
	else if (affected)
		*affected = sqlite3_changes64(c->handle);
	sqlite3_reset(s->handle);
	return e;
}

static struct err *
sqlite_prepare(struct db_tx *tx, const struct db_sql *q)
{
	struct statement *s;

	return statement_get(sqlite_of(tx), tx->arena, q, &s);
}

static struct err *
sqlite_script(struct db_tx *tx, struct str text)
{
	struct sqlite *c = sqlite_of(tx);

	db_memory_doubt(c->memory);
	int code = sqlite3_exec(c->handle, arena_cstr(tx->arena, text), NULL, NULL, NULL);

	return code == SQLITE_OK ? NULL : db_sqlite_err(c, tx->arena, code, "script");
}

static bool
sqlite_is_null(const struct db_rows *r, int column)
{
	struct statement *s = r->cursor;

	return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

static int64_t
sqlite_integer(const struct db_rows *r, int column)
{
	struct statement *s = r->cursor;

	return sqlite3_column_int64(s->handle, column);
}

static double
sqlite_real(const struct db_rows *r, int column)
{
	struct statement *s = r->cursor;

	return sqlite3_column_double(s->handle, column);
}

static struct str
sqlite_text(const struct db_rows *r, int column)
{
	struct statement *s = r->cursor;
	/* One look for the column, then its parts: the connection is this thread's alone, so the value needs no protection. */
	sqlite3_value *v = sqlite3_column_value(s->handle, column);
	/* The pointer first: it decides what the length is of. */
	const void *p = sqlite3_value_blob(v);
	int n = sqlite3_value_bytes(v);

	if (!p && sqlite3_value_type(v) != SQLITE_NULL)
		p = "";
	return (struct str){ p, p ? (size_t)n : 0 };
}

/* ---- transactions ----------------------------------------------------------------------------------------------------------- */

static int
control(struct sqlite *c, enum sqlite_control which)
{
	int code = sqlite3_step(c->controls[which]);

	sqlite3_reset(c->controls[which]);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static struct err *
control_err(struct sqlite *c, struct arena *a, enum sqlite_control which)
{
	int code = control(c, which);

	return code == SQLITE_OK ? NULL : db_sqlite_err(c, a, code, control_texts[which]);
}

static void
release_all(struct sqlite *c)
{
	for (struct statement *s = c->statements.newest; s && c->busy > 0; s = s->older)
		if (s->busy)
			release(c, s);
}

/* What was remembered since then rests on changes that are gone, unless there were none. */
static void
doubt_changes_since(struct sqlite *c, int64_t then)
{
	if (sqlite3_total_changes64(c->handle) != then)
		db_memory_doubt(c->memory);
}

/* With the write lock held nobody can move it any more. */
static void
look_for_others(struct sqlite *c)
{
	sqlite3_stmt *s = c->controls[CONTROL_VERSION];
	int64_t version = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;

	sqlite3_reset(s);
	if (version != c->seen || version < 0)
		db_memory_doubt(c->memory);
	c->seen = version;
}

static struct err *
sqlite_begin(struct db_conn *conn, struct arena *a, bool write)
{
	struct sqlite *c = (struct sqlite *)conn;

	c->sequence_count = 0;
	TRY(control_err(c, a, write ? CONTROL_BEGIN_WRITE : CONTROL_BEGIN_READ));
	if (c->memory) {
		look_for_others(c);
		db_memory_settle(c->memory);
	}
	c->changes_begun = sqlite3_total_changes64(c->handle);
	return NULL;
}

static struct err *
sqlite_commit(struct db_conn *conn, struct arena *a)
{
	struct sqlite *c = (struct sqlite *)conn;

	release_all(c);
	TRY(db_sqlite_sequences_write(c, a));
	int code = control(c, CONTROL_COMMIT);
	if (code == SQLITE_OK)
		return NULL;
	struct err *e = db_sqlite_err(c, a, code, "COMMIT");
	/* The log may hold the whole transaction although the disk did not confirm it: after a crash it may come back. */
	if ((code & 0xff) == SQLITE_IOERR) {
		c->base.trouble = DB_TROUBLE_UNKNOWN;
		e->code = ERR_COMMIT_UNKNOWN;
		e->message = err_new(a, ERR_COMMIT_UNKNOWN, "")->message;
	}
	return e;
}

static void
sqlite_rollback(struct db_conn *conn)
{
	struct sqlite *c = (struct sqlite *)conn;

	release_all(c);
	c->sequence_count = 0;
	doubt_changes_since(c, c->changes_begun);
	/* SQLite has rolled back by itself after some faults of the disk. */
	if (!sqlite3_get_autocommit(c->handle))
		control(c, CONTROL_ROLLBACK);
}

static struct err *
sqlite_mark(struct db_conn *conn, struct arena *a, bool undoable)
{
	struct sqlite *c = (struct sqlite *)conn;

	db_memory_settle(c->memory);
	c->changes_marked = sqlite3_total_changes64(c->handle);
	c->undoable = undoable;
	return undoable ? control_err(c, a, CONTROL_MARK) : NULL;
}

static struct err *
sqlite_keep(struct db_conn *conn, struct arena *a)
{
	struct sqlite *c = (struct sqlite *)conn;

	release_all(c);
	return c->undoable ? control_err(c, a, CONTROL_KEEP) : NULL;
}

static bool
sqlite_undo(struct db_conn *conn)
{
	struct sqlite *c = (struct sqlite *)conn;

	release_all(c);
	doubt_changes_since(c, c->changes_marked);
	if (sqlite3_get_autocommit(c->handle))
		return false;
	if (!c->undoable)
		return sqlite3_total_changes64(c->handle) == c->changes_marked;
	return control(c, CONTROL_UNDO) == SQLITE_OK && control(c, CONTROL_KEEP) == SQLITE_OK;
}

static struct err *
sqlite_revive(struct db_conn *conn, struct arena *a)
{
	(void)conn;
	(void)a;
	return NULL; /* a file is not lost; only the fault plan of a test says so */
}

/* ---- connections ------------------------------------------------------------------------------------------------------------ */

static void
sqlite_close(struct db_conn *conn)
{
	struct sqlite *c = (struct sqlite *)conn;

	while (c->statements.newest)
		drop_statement(c, c->statements.newest);
	for (size_t i = 0; i < COUNT(c->controls); i++)
		sqlite3_finalize(c->controls[i]);
	int code = sqlite3_close(c->handle);
	check(code == SQLITE_OK);
	free(c);
}

static const struct db_driver sqlite_driver = {
	.revive = sqlite_revive,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.mark = sqlite_mark,
	.keep = sqlite_keep,
	.undo = sqlite_undo,
	.query = sqlite_query,
	.next = sqlite_next,
	.finish = sqlite_finish,
	.exec = sqlite_exec,
	.prepare = sqlite_prepare,
	.script = sqlite_script,
	.next_id = db_sqlite_next_id,
	.is_null = sqlite_is_null,
	.integer = sqlite_integer,
	.real = sqlite_real,
	.text = sqlite_text,
};

static int
set_up(struct sqlite *c, enum db_role role)
{
	int code = sqlite3_busy_timeout(c->handle, BUSY_TIMEOUT_MS);

	if (code == SQLITE_OK)
		code = sqlite3_exec(
			c->handle, role == DB_WRITER ? writer_setup : reader_setup, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(c->handle, common_setup, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = db_sqlite_fold_register(c->handle);
	if (code == SQLITE_OK && c->memory)
		code = sqlite3_set_authorizer(c->handle, authorize, c);
	for (size_t i = 0; code == SQLITE_OK && i < COUNT(c->controls); i++)
		code = sqlite3_prepare_v3(
			c->handle, control_texts[i], -1, SQLITE_PREPARE_PERSISTENT, &c->controls[i], NULL);
	return code;
}

/* Counting every allocation under one lock costs more than the allocations; nothing here reads the counts. */
static void
stop_counting(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
		0); /* refused once the library is in use, by when the first connection has said it */
}

struct err *
db_sqlite_connect(struct db *db, struct arena *a, enum db_role role, struct db_conn **out)
{
	struct sqlite *c = calloc(1, sizeof(*c));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
		    (role == DB_WRITER ? SQLITE_OPEN_CREATE : 0);
	int code;

	check(c);
	stop_counting();
	c->base = (struct db_conn){ .driver = &sqlite_driver, .db = db };
	c->memory = role == DB_WRITER ? db->memory : NULL;
	code = sqlite3_open_v2(db->target, &c->handle, flags, NULL);
	if (code == SQLITE_OK)
		code = set_up(c, role);
	if (code != SQLITE_OK) {
		struct err *e = err_private(a, ERR_UNAVAILABLE, "cannot open the database %s: %s", db->target,
			c->handle ? sqlite3_errmsg(c->handle) : sqlite3_errstr(code));
		sqlite_close(&c->base);
		return e;
	}
	*out = &c->base;
	return NULL;
}
