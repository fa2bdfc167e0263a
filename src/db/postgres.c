/*
 * The PostgreSQL driver: connections, transactions and rows over libpq. A connection stays in pipeline mode, so that what belongs
 * together is one round trip: BEGIN and PREPARE travel with the first statement. A reader needs no BEGIN at all: the statements up to a
 * synchronisation point are one transaction (protocol, "Pipelining"), whose snapshot the session's default isolation fixes, and nobody
 * waits for its end. Results come complete and in binary form; integers and doubles go out as text, because the server decides their
 * type, texts as they are.
 */
#include "db/postgres.h"
#include "base/number.h"
#include "db/sequence_sql.h"
#include "db/sequences.h"
#include <limits.h>

/* A statement that needs longer than this is a fault; a lock is waited for shorter than a client waits. */
#define COMMON_SETUP                                                                                         \
	"SET statement_timeout = '60s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = " \
	"'60s';"                                                                                             \
	"SET client_min_messages = warning;"
static const char reader_setup[] = COMMON_SETUP
	"SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on";
/* What was acknowledged survives a crash of the server, whatever its configuration prefers; stronger settings stay. */
static const char writer_setup[] = COMMON_SETUP "SELECT set_config('synchronous_commit', 'on', false) WHERE "
						"current_setting('synchronous_commit') = 'off'";

static struct postgres *
postgres_of(const struct db_tx *tx)
{
	return (struct postgres *)tx->conn;
}

/* ---- round trips ------------------------------------------------------------------------------------------------------------ */

/* Rows that travel together: their answers, a few bytes each, must fit the socket while nobody reads them. */
#define ROWS_MAX 128

struct trip {
	struct postgres *c;
	struct arena *a;
	const char *where;
	enum step steps[PENDING_MAX + STEPS_MAX + ROWS_MAX];
	int count;
	int64_t *affected; /* NULL, or where the next run's number of rows goes */
	bool sent;	   /* false: the connection broke while sending */
};

static void
trip_add(struct trip *t, enum step s, int sent)
{
	check((size_t)t->count < COUNT(t->steps));
	t->steps[t->count++] = s;
	t->sent = t->sent && sent;
}

/* The one result of one step; pipeline mode ends each with a NULL. */
static PGresult *
read_step(struct postgres *c)
{
	PGresult *r = PQgetResult(c->handle);
	PGresult *end = r ? PQgetResult(c->handle) : NULL;

	PQclear(end); /* none, unless the connection broke */
	return r;
}

static bool
read_sync(struct postgres *c)
{
	PGresult *r = PQgetResult(c->handle);
	bool synced = r && PQresultStatus(r) == PGRES_PIPELINE_SYNC;

	PQclear(r);
	return synced;
}

/* The answer to a synchronisation point that nobody waited for. */
static bool
drain(struct postgres *c)
{
	bool synced = !c->sync_unread || read_sync(c);

	c->sync_unread = false;
	return synced;
}

static bool
is_good(const PGresult *r)
{
	ExecStatusType s = PQresultStatus(r);

	return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

static int64_t
affected_rows(PGresult *r)
{
	int64_t count;

	return str_to_int(str_from_cstr(PQcmdTuples(r)), &count) ? count : 0;
}

/* Asks for the answers: a reader's transaction goes on, a synchronisation point would end it. */
static bool
trip_ask(struct trip *t)
{
	if (!t->sent)
		return false;
	return t->c->reader ? PQsendFlushRequest(t->c->handle) : PQpipelineSync(t->c->handle);
}

/* Reads all answers; *last is the last step's result when all went well. *failed is the step that did not. */
static struct err *
trip_end(struct trip *t, PGresult **last, enum step *failed)
{
	struct err *e = NULL;
	PGresult *r = NULL;

	if (!trip_ask(t)) {
		*failed = t->steps[0];
		return db_postgres_err(t->c, t->a, NULL, t->where);
	}
	for (int i = 0; i < t->count; i++) {
		PQclear(r);
		r = read_step(t->c);
		if (!e && !(r && is_good(r))) {
			*failed = t->steps[i];
			e = db_postgres_err(t->c, t->a, r, t->where);
		}
		if (!e && t->steps[i] == STEP_RUN && t->affected)
			*t->affected++ = affected_rows(r);
	}
	if (!t->c->reader && !read_sync(t->c) && !e) {
		*failed = t->steps[t->count - 1];
		e = db_postgres_err(t->c, t->a, NULL, t->where);
	}
	if (e)
		PQclear(r);
	else
		*last = r;
	return e;
}

static int
send_text(struct postgres *c, const char *text)
{
	return PQsendQueryParams(c->handle, text, 0, NULL, NULL, NULL, NULL, 1);
}

/* What earlier calls put off: the unread answer, statements, BEGIN. */
static struct trip
trip_start(struct postgres *c, struct arena *a, const char *where)
{
	struct trip t = { .c = c, .a = a, .where = where, .count = c->pending_count, .sent = drain(c) };

	memcpy(t.steps, c->pending, (size_t)c->pending_count * sizeof(*c->pending));
	c->pending_count = 0;
	if (c->untouched && !c->reader)
		trip_add(&t, STEP_BEGIN,
			send_text(c, c->in_read ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
						: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"));
	c->untouched = false;
	return t;
}

/* ---- statements ------------------------------------------------------------------------------------------------------------- */

struct name {
	char text[24];
};

static struct name
name_of(const struct statement *s)
{
	struct name n;
	int length = snprintf(n.text, sizeof(n.text), "s%llu", (unsigned long long)s->number);

	check(length > 0 && (size_t)length < sizeof(n.text));
	return n;
}

/* The prepared statement; sends PREPARE when it is new here, and gives up the one longest unused when there are too many. */
static struct statement *
statement_get(struct trip *t, const struct db_sql *q)
{
	struct statements *all = &t->c->statements;
	struct statement *s = statements_find(all, q->hash[DB_POSTGRES], q->text[DB_POSTGRES]);

	if (s)
		return s;
	struct statement *victim = statements_victim(all);
	if (victim) {
		trip_add(t, STEP_DEALLOCATE,
			send_text(t->c, arena_fmt(t->a, "DEALLOCATE %s", name_of(victim).text).p));
		statements_remove(all, victim);
	}
	s = statements_add(all, q->hash[DB_POSTGRES], q->text[DB_POSTGRES], NULL);
	trip_add(t, STEP_PREPARE, PQsendPrepare(t->c->handle, name_of(s).text, s->text.p, 0, NULL));
	return s;
}

/* libpq's form of parameters. */
struct params {
	const char **values;
	int *lengths, *formats;
};

static const char *
double_text(struct arena *a, double d)
{
	struct buf b;

	if (d != d)
		return "NaN";
	if (d > 1.7976931348623157e308 || d < -1.7976931348623157e308)
		return d > 0 ? "Infinity" : "-Infinity";
	buf_init_arena(&b, a, 64);
	double_write(&b, d);
	buf_add_byte(&b, 0);
	return b.p;
}

static struct params
params_of(struct arena *a, const struct db_param *p, size_t n)
{
	struct params out = {
		.values = arena_alloc_array(a, n, sizeof(char *)),
		.lengths = arena_alloc_array(a, n, sizeof(int)),
		.formats = arena_alloc_array(a, n, sizeof(int)),
	};

	for (size_t i = 0; i < n; i++) {
		switch (p[i].type) {
		case DB_NULL:
			break;
		case DB_INT:
			out.values[i] = arena_fmt(a, "%lld", (long long)p[i].i).p;
			break;
		case DB_DOUBLE:
			out.values[i] = double_text(a, p[i].d);
			break;
		case DB_TEXT: /* the binary form of a text is its bytes, and needs no NUL behind it */
		case DB_BLOB:
			check(p[i].s.n <= INT_MAX);
			out.values[i] = p[i].s.n ? p[i].s.p : "";
			out.lengths[i] = (int)p[i].s.n;
			out.formats[i] = 1;
			break;
		}
	}
	return out;
}

static void
forget_statement(struct postgres *c, const struct db_sql *q)
{
	struct statement *s = statements_find(&c->statements, q->hash[DB_POSTGRES], q->text[DB_POSTGRES]);

	if (s)
		statements_remove(&c->statements, s);
}

/* At most ROWS_MAX rows; *out is the last one's result. affected may be NULL. */
static struct err *
run_rows(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, size_t rows,
	int64_t *affected, PGresult **out)
{
	struct postgres *c = postgres_of(tx);
	struct arena_mark mark = arena_mark(tx->arena);
	struct trip t = trip_start(c, tx->arena, q->name);
	struct statement *s = statement_get(&t, q);
	enum step failed = STEP_RUN;

	t.affected = affected;
	for (size_t i = 0; i < rows; i++) {
		struct params sent = params_of(tx->arena, p + i * n, n);
		trip_add(&t, STEP_RUN,
			PQsendQueryPrepared(c->handle, name_of(s).text, (int)n, sent.values, sent.lengths,
				sent.formats, 1));
	}
	arena_release(tx->arena, mark);
	struct err *e = trip_end(&t, out, &failed);
	/* A statement that could not be prepared, or is not there any more, is prepared anew the next time. */
	if (e && (failed != STEP_RUN || c->stale))
		forget_statement(c, q);
	return e;
}

static struct err *
run(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, PGresult **out)
{
	return run_rows(tx, q, p, n, 1, NULL, out);
}

/* ---- rows ------------------------------------------------------------------------------------------------------------------- */

static struct err *
postgres_query(struct db_rows *r, const struct db_sql *q, const struct db_param *p, size_t n)
{
	struct postgres *c = postgres_of(r->tx);
	PGresult *result;

	TRY(run(r->tx, q, p, n, &result));
	struct err *e = db_postgres_columns(c, r->tx->arena, result, q->name);
	if (e) {
		PQclear(result);
		return e;
	}
	struct postgres_cursor *cursor = arena_new_of(r->tx->arena, struct postgres_cursor);
	*cursor = (struct postgres_cursor){ .next = c->cursors, .result = result };
	c->cursors = cursor;
	r->cursor = cursor;
	r->rows = PQntuples(result);
	return NULL;
}

static struct err *
postgres_next(struct db_rows *r, bool *row)
{
	*row = ++r->row < r->rows;
	return NULL;
}

static void
postgres_finish(struct db_rows *r)
{
	struct postgres *c = postgres_of(r->tx);
	struct postgres_cursor *cursor = r->cursor;
	struct postgres_cursor **link = &c->cursors;

	while (*link != cursor)
		link = &(*link)->next;
	*link = cursor->next;
	PQclear(cursor->result);
}

static struct err *
postgres_exec(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, int64_t *affected)
{
	PGresult *result;

	TRY(run_rows(tx, q, p, n, 1, affected, &result));
	PQclear(result);
	return NULL;
}

/* Sent without asking for the answer; libpq sends it off with what comes next. */
static struct err *
postgres_exec_later(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n)
{
	struct postgres *c = postgres_of(tx);

	if (c->reader || c->pending_count + STEPS_MAX > PENDING_MAX)
		return postgres_exec(tx, q, p, n, NULL);
	struct arena_mark mark = arena_mark(tx->arena);
	struct trip t = trip_start(c, tx->arena, q->name);
	struct statement *s = statement_get(&t, q);
	struct params sent = params_of(tx->arena, p, n);
	trip_add(&t, STEP_RUN_LATER,
		PQsendQueryPrepared(
			c->handle, name_of(s).text, (int)n, sent.values, sent.lengths, sent.formats, 1));
	arena_release(tx->arena, mark);
	if (!t.sent)
		return db_postgres_err(c, tx->arena, NULL, q->name);
	memcpy(c->pending, t.steps, (size_t)t.count * sizeof(*t.steps));
	c->pending_count = t.count;
	return NULL;
}

static struct err *
postgres_exec_many(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, size_t rows,
	int64_t *affected)
{
	for (size_t done = 0, chunk; done < rows; done += chunk) {
		PGresult *result;

		chunk = rows - done < ROWS_MAX ? rows - done : ROWS_MAX;
		TRY(run_rows(tx, q, p + done * n, n, chunk, affected ? affected + done : NULL, &result));
		PQclear(result);
	}
	return NULL;
}

static struct err *
postgres_prepare(struct db_tx *tx, const struct db_sql *q)
{
	struct postgres *c = postgres_of(tx);
	struct trip t = trip_start(c, tx->arena, q->name);
	struct statement *s = statement_get(&t, q);
	enum step failed;
	PGresult *result;

	trip_add(&t, STEP_DESCRIBE, PQsendDescribePrepared(c->handle, name_of(s).text));
	struct err *e = trip_end(&t, &result, &failed);
	if (e) {
		forget_statement(c, q);
		return e;
	}
	e = db_postgres_columns(c, tx->arena, result, q->name);
	if (!e && PQnparams(result) != q->params) {
		c->base.trouble = DB_TROUBLE_FINAL;
		e = err_private(tx->arena, ERR_INTERNAL, "%s: %d parameters instead of %d", q->name,
			PQnparams(result), q->params);
	}
	PQclear(result);
	return e;
}

/* Several statements at once are not for pipeline mode. */
static struct err *
postgres_script(struct db_tx *tx, struct str text)
{
	struct postgres *c = postgres_of(tx);
	struct err *e = NULL;

	check(!c->untouched && !c->reader && c->pending_count == 0);
	if (!PQexitPipelineMode(c->handle))
		return db_postgres_err(c, tx->arena, NULL, "script");
	PGresult *r = PQexec(c->handle, arena_cstr(tx->arena, text));
	if (!r || !is_good(r))
		e = db_postgres_err(c, tx->arena, r, "script");
	PQclear(r);
	if (!PQenterPipelineMode(c->handle) && !e)
		e = db_postgres_err(c, tx->arena, NULL, "script");
	return e;
}

static struct err *
postgres_next_id(struct db_tx *tx, const char *sequence, int64_t *out)
{
	struct db_sequences *all = tx->db->sequences;
	struct str name;
	struct db_rows r;
	bool found;

	while (!db_sequences_take(all, sequence, out)) {
		name = arena_fmt(tx->arena, "%s_seq", sequence);
		TRY(DB_FIND(tx, &sql_sequence_block, &r, &found, P_TEXT(name)));
		db_sequences_refill(all, sequence, db_int(&r, 0));
	}
	return NULL;
}

/* ---- transactions ----------------------------------------------------------------------------------------------------------- */

static void
close_cursors(struct postgres *c)
{
	for (; c->cursors; c->cursors = c->cursors->next)
		PQclear(c->cursors->result);
}

static struct err *
postgres_begin(struct db_conn *conn, struct arena *a, bool write)
{
	struct postgres *c = (struct postgres *)conn;

	if (PQstatus(c->handle) == CONNECTION_BAD)
		return db_postgres_err(c, a, NULL, "BEGIN");
	check(!write || !c->reader);
	c->untouched = true;
	c->in_read = !write;
	c->pending_count = 0;
	return NULL;
}

static struct err *
commit_unknown(struct postgres *c, struct arena *a, const PGresult *r)
{
	const char *text = r ? PQresultErrorMessage(r) : PQerrorMessage(c->handle);

	c->base.trouble = DB_TROUBLE_UNKNOWN;
	return err_private(a, ERR_COMMIT_UNKNOWN, "COMMIT: %s", text);
}

/*
 * The answers of what was put off, which was sent together with the COMMIT. One that says no means that the COMMIT was passed over; none
 * at all leaves it open.
 */
static struct err *
read_pending(struct postgres *c, struct arena *a)
{
	struct err *e = NULL;

	for (; c->pending_count > 0; c->pending_count--) {
		PGresult *r = read_step(c);
		if (!e && (!r || PQstatus(c->handle) == CONNECTION_BAD))
			e = commit_unknown(c, a, r);
		else if (!e && !is_good(r))
			e = db_postgres_err(c, a, r, "put off until COMMIT");
		PQclear(r);
	}
	return e;
}

/* An answer that says no is an answer; anything else leaves it open whether the server committed. */
static struct err *
commit_write(struct postgres *c, struct arena *a)
{
	struct err *e = NULL;

	if (PQstatus(c->handle) == CONNECTION_BAD)
		return db_postgres_err(c, a, NULL, "COMMIT"); /* known before it was sent */
	bool sent = send_text(c, "COMMIT") && PQpipelineSync(c->handle);
	struct err *before = sent ? read_pending(c, a) : NULL;
	PGresult *r = sent ? read_step(c) : NULL;
	bool synced = r && read_sync(c);
	if (before)
		e = before;
	else if (!r || (!is_good(r) && (!synced || PQstatus(c->handle) == CONNECTION_BAD)))
		e = commit_unknown(c, a, r);
	else if (!is_good(r))
		e = db_postgres_err(c, a, r, "COMMIT");
	else if (!str_eq(str_from_cstr(PQcmdStatus(r)), STR("COMMIT"))) {
		c->base.trouble = DB_TROUBLE_FINAL;
		e = err_private(a, ERR_INTERNAL, "COMMIT of a failed transaction");
	}
	PQclear(r);
	return e;
}

/* A lost connection shows at the next use; the read has its rows. */
static void
end_read(struct postgres *c)
{
	c->sync_unread = PQpipelineSync(c->handle);
}

static struct err *
postgres_commit(struct db_conn *conn, struct arena *a)
{
	struct postgres *c = (struct postgres *)conn;

	close_cursors(c);
	if (c->untouched)
		return NULL;
	if (!c->reader)
		return commit_write(c, a);
	end_read(c);
	return NULL;
}

static void
postgres_rollback(struct db_conn *conn)
{
	struct postgres *c = (struct postgres *)conn;

	close_cursors(c);
	if (c->untouched || PQstatus(c->handle) == CONNECTION_BAD)
		return;
	if (c->reader) {
		end_read(c);
		return;
	}
	/* A statement that failed takes everything up to the next synchronisation point with it, a ROLLBACK too. */
	if (c->pending_count > 0 && PQpipelineSync(c->handle)) {
		for (; c->pending_count > 0; c->pending_count--)
			PQclear(read_step(c));
		(void)read_sync(c); /* as below */
	}
	if (send_text(c, "ROLLBACK") && PQpipelineSync(c->handle)) {
		PQclear(read_step(c));
		(void)read_sync(c); /* a connection that broke shows at its next use */
	}
}

/* ---- connections ------------------------------------------------------------------------------------------------------------ */

static void
forget_statements(struct postgres *c)
{
	while (c->statements.newest)
		statements_remove(&c->statements, c->statements.newest);
}

static void
ignore_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice;
}

static struct err *
set_up(struct postgres *c, struct arena *a)
{
	struct err *e = NULL;

	if (PQstatus(c->handle) != CONNECTION_OK)
		return db_postgres_err(c, a, NULL, "connect");
	PGresult *r = PQexec(c->handle, c->reader ? reader_setup : writer_setup);
	if (!r || !is_good(r) || !PQenterPipelineMode(c->handle))
		e = db_postgres_err(c, a, r, "session");
	PQclear(r);
	return e;
}

static struct err *
postgres_revive(struct db_conn *conn, struct arena *a)
{
	struct postgres *c = (struct postgres *)conn;

	forget_statements(c);
	c->sync_unread = false;
	PQreset(c->handle);
	return set_up(c, a);
}

static void
postgres_close(struct db_conn *conn)
{
	struct postgres *c = (struct postgres *)conn;

	close_cursors(c);
	forget_statements(c);
	PQfinish(c->handle);
	free(c);
}

static const struct db_driver postgres_driver = {
	.revive = postgres_revive,
	.close = postgres_close,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.query = postgres_query,
	.next = postgres_next,
	.finish = postgres_finish,
	.exec = postgres_exec,
	.exec_later = postgres_exec_later,
	.exec_many = postgres_exec_many,
	.prepare = postgres_prepare,
	.script = postgres_script,
	.next_id = postgres_next_id,
	.is_null = db_postgres_is_null,
	.integer = db_postgres_integer,
	.real = db_postgres_real,
	.text = db_postgres_text,
};

PGconn *
db_postgres_dial(const struct db *db)
{
	/* A peer that vanished without a word is noticed in seconds, not in the hours of TCP's own patience. */
	const char *const keys[] = { "dbname", "fallback_application_name", "connect_timeout",
		"client_encoding", "keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", NULL };
	const char *const values[] = { db->target, "sextant", "5", "UTF8", "10", "5", "3", "20000", NULL };
	PGconn *handle = PQconnectdbParams(keys, values, 1);

	check(handle);
	PQsetNoticeReceiver(handle, ignore_notice, NULL);
	return handle;
}

struct err *
db_postgres_connect(struct db *db, struct arena *a, enum db_role role, struct db_conn **out)
{
	struct postgres *c = calloc(1, sizeof(*c));
	struct err *e;

	check(c);
	c->base = (struct db_conn){ .driver = &postgres_driver, .db = db };
	c->reader = role == DB_READER;
	c->handle = db_postgres_dial(db);
	e = set_up(c, a);
	if (e) {
		e = err_private(a, ERR_UNAVAILABLE, "cannot use the PostgreSQL database %s at %s:%s: %.*s",
			PQdb(c->handle) ? PQdb(c->handle) : "", PQhost(c->handle) ? PQhost(c->handle) : "",
			PQport(c->handle) ? PQport(c->handle) : "", STR_ARG(e->detail));
		postgres_close(&c->base);
		return e;
	}
	*out = &c->base;
	return NULL;
}
