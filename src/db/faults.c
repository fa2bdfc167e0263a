/*
 * The driver that stands before another one and carries out a plan of faults (db/faults.h). A lost connection stays lost until it is
 * revived, as a real one does; the inner connection rolls back, which is what a server does with a session that vanished.
 */
#include "db/faults.h"
#include "db/driver.h"

struct faulty {
	struct db_conn base;
	struct db_conn *inner;
	struct db_faults *plan;
	bool lost;
};

static struct faulty *
faulty_of(struct db_conn *c)
{
	return (struct faulty *)c;
}

/* ---- the plan --------------------------------------------------------------------------------------------------------------- */

static const struct db_fault *
due(struct faulty *f, enum db_fault_at at)
{
	int number = atomic_fetch_add(&f->plan->seen[at], 1) + 1;

	for (size_t i = 0; i < f->plan->count; i++) {
		const struct db_fault *fault = &f->plan->list[i];
		if (fault->at == at && number >= fault->first && number < fault->first + fault->times) {
			atomic_fetch_add(&f->plan->fired, 1);
			return fault;
		}
	}
	return NULL;
}

static struct err *
fail(struct faulty *f, struct arena *a, enum db_trouble trouble, const char *what)
{
	f->base.trouble = trouble;
	if (trouble == DB_TROUBLE_UNKNOWN)
		return err_private(a, ERR_COMMIT_UNKNOWN, "fault plan: %s", what);
	return err_private(a, ERR_UNAVAILABLE, "fault plan: %s", what);
}

static struct err *
lose(struct faulty *f, struct arena *a, enum db_trouble trouble)
{
	f->inner->driver->rollback(f->inner);
	f->lost = true;
	return fail(f, a, trouble, "connection lost");
}

/* Whether the call may go on to the inner connection; a fault that strikes afterwards is handed out. */
static struct err *
before(struct faulty *f, struct arena *a, enum db_fault_at at, const struct db_fault **after)
{
	*after = NULL;
	if (f->lost)
		return fail(f, a, DB_TROUBLE_LOST, "connection lost");
	const struct db_fault *fault = due(f, at);
	if (!fault)
		return NULL;
	switch (fault->kind) {
	case DB_FAULT_BUSY:
		return fail(f, a, DB_TROUBLE_RETRY, "busy");
	case DB_FAULT_FULL:
		return fail(f, a, DB_TROUBLE_FINAL, "disk full");
	case DB_FAULT_LOST_BEFORE:
		return lose(f, a, at == DB_AT_COMMIT ? DB_TROUBLE_UNKNOWN : DB_TROUBLE_LOST);
	case DB_FAULT_LOST_AFTER:
		*after = fault;
		return NULL;
	}
	return NULL;
}

/* The inner call's outcome, or the loss that hides it. */
static struct err *
after(struct faulty *f, struct arena *a, enum db_fault_at at, const struct db_fault *fault, struct err *e)
{
	if (fault)
		return lose(f, a, at == DB_AT_COMMIT ? DB_TROUBLE_UNKNOWN : DB_TROUBLE_LOST);
	if (e)
		f->base.trouble = f->inner->trouble;
	return e;
}

/* ---- connection and transaction --------------------------------------------------------------------------------------------- */

static struct err *
faulty_revive(struct db_conn *c, struct arena *a)
{
	struct faulty *f = faulty_of(c);
	const struct db_fault *fault = due(f, DB_AT_REVIVE);

	if (fault)
		return fail(f, a, DB_TROUBLE_LOST, "cannot connect");
	TRY(f->inner->driver->revive(f->inner, a));
	f->lost = false;
	return NULL;
}

static void
faulty_close(struct db_conn *c)
{
	struct faulty *f = faulty_of(c);

	f->inner->driver->close(f->inner);
	free(f);
}

static struct err *
faulty_begin(struct db_conn *c, struct arena *a, bool write)
{
	struct faulty *f = faulty_of(c);
	const struct db_fault *late;

	TRY(before(f, a, DB_AT_BEGIN, &late));
	return after(f, a, DB_AT_BEGIN, late, f->inner->driver->begin(f->inner, a, write));
}

static struct err *
faulty_commit(struct db_conn *c, struct arena *a)
{
	struct faulty *f = faulty_of(c);
	const struct db_fault *late;

	TRY(before(f, a, DB_AT_COMMIT, &late));
	return after(f, a, DB_AT_COMMIT, late, f->inner->driver->commit(f->inner, a));
}

static void
faulty_rollback(struct db_conn *c)
{
	struct faulty *f = faulty_of(c);

	if (!f->lost)
		f->inner->driver->rollback(f->inner);
}

static struct err *
faulty_mark(struct db_conn *c, struct arena *a, bool undoable)
{
	struct faulty *f = faulty_of(c);

	return f->lost ? fail(f, a, DB_TROUBLE_LOST, "connection lost")
		       : f->inner->driver->mark(f->inner, a, undoable);
}

static struct err *
faulty_keep(struct db_conn *c, struct arena *a)
{
	struct faulty *f = faulty_of(c);

	return f->lost ? fail(f, a, DB_TROUBLE_LOST, "connection lost") : f->inner->driver->keep(f->inner, a);
}

static bool
faulty_undo(struct db_conn *c)
{
	struct faulty *f = faulty_of(c);

	return !f->lost && f->inner->driver->undo(f->inner);
}

/* ---- statements: the inner driver finds its connection in the transaction ---------------------------------------------------- */

static struct faulty *
enter(struct db_tx *tx)
{
	struct faulty *f = faulty_of(tx->conn);

	tx->conn = f->inner;
	return f;
}

static struct err *
leave(struct faulty *f, struct db_tx *tx, const struct db_fault *late, struct err *e)
{
	tx->conn = &f->base;
	return after(f, tx->arena, DB_AT_STATEMENT, late, e);
}

static struct err *
faulty_query(struct db_rows *r, const struct db_sql *q, const struct db_param *p, size_t n)
{
	const struct db_fault *late;

	TRY(before(faulty_of(r->tx->conn), r->tx->arena, DB_AT_STATEMENT, &late));
	struct faulty *f = enter(r->tx);
	return leave(f, r->tx, late, f->inner->driver->query(r, q, p, n));
}

static struct err *
faulty_next(struct db_rows *r, bool *row)
{
	struct faulty *f = enter(r->tx);

	return leave(f, r->tx, NULL, f->inner->driver->next(r, row));
}

static void
faulty_finish(struct db_rows *r)
{
	struct faulty *f = faulty_of(r->tx->conn);

	if (f->lost) /* the rollback has closed it */
		return;
	enter(r->tx);
	f->inner->driver->finish(r);
	r->tx->conn = &f->base;
}

static struct err *
faulty_exec(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, int64_t *affected)
{
	const struct db_fault *late;

	TRY(before(faulty_of(tx->conn), tx->arena, DB_AT_STATEMENT, &late));
	struct faulty *f = enter(tx);
	return leave(f, tx, late, f->inner->driver->exec(tx, q, p, n, affected));
}

static struct err *
faulty_exec_later(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n)
{
	const struct db_fault *late;

	if (!faulty_of(tx->conn)->inner->driver->exec_later)
		return faulty_exec(tx, q, p, n, NULL);
	TRY(before(faulty_of(tx->conn), tx->arena, DB_AT_STATEMENT, &late));
	struct faulty *f = enter(tx);
	return leave(f, tx, late, f->inner->driver->exec_later(tx, q, p, n));
}

static struct err *
faulty_prepare(struct db_tx *tx, const struct db_sql *q)
{
	struct faulty *f = enter(tx);

	return leave(f, tx, NULL, f->inner->driver->prepare(tx, q));
}

static struct err *
faulty_script(struct db_tx *tx, struct str text)
{
	struct faulty *f = enter(tx);

	return leave(f, tx, NULL, f->inner->driver->script(tx, text));
}

static struct err *
faulty_next_id(struct db_tx *tx, const char *sequence, int64_t *out)
{
	const struct db_fault *late;

	TRY(before(faulty_of(tx->conn), tx->arena, DB_AT_STATEMENT, &late));
	struct faulty *f = enter(tx);
	return leave(f, tx, late, f->inner->driver->next_id(tx, sequence, out));
}

/* ---- columns ---------------------------------------------------------------------------------------------------------------- */

static const struct db_driver *
inner_driver(const struct db_rows *r)
{
	return faulty_of(r->tx->conn)->inner->driver;
}

static bool
faulty_is_null(const struct db_rows *r, int column)
{
	return inner_driver(r)->is_null(r, column);
}

static int64_t
faulty_integer(const struct db_rows *r, int column)
{
	return inner_driver(r)->integer(r, column);
}

static double
faulty_real(const struct db_rows *r, int column)
{
	return inner_driver(r)->real(r, column);
}

static struct str
faulty_text(const struct db_rows *r, int column)
{
	return inner_driver(r)->text(r, column);
}

static const struct db_driver faulty_driver = {
	.revive = faulty_revive,
	.close = faulty_close,
	.begin = faulty_begin,
	.commit = faulty_commit,
	.rollback = faulty_rollback,
	.mark = faulty_mark,
	.keep = faulty_keep,
	.undo = faulty_undo,
	.query = faulty_query,
	.next = faulty_next,
	.finish = faulty_finish,
	.exec = faulty_exec,
	.exec_later = faulty_exec_later,
	.prepare = faulty_prepare,
	.script = faulty_script,
	.next_id = faulty_next_id,
	.is_null = faulty_is_null,
	.integer = faulty_integer,
	.real = faulty_real,
	.text = faulty_text,
};

struct db_conn *
db_faults_wrap(struct db_faults *plan, struct db_conn *inner)
{
	struct faulty *f = calloc(1, sizeof(*f));

	check(f);
	*f = (struct faulty){
		.base = { .driver = &faulty_driver, .db = inner->db }, .inner = inner, .plan = plan
	};
	return &f->base;
}
