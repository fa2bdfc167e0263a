/*
 * Transactions as their users see them: every call goes through here to the connection's driver. The first failure is kept, refuses
 * what follows and prevents the COMMIT, on both databases alike, although SQLite alone could go on.
 */
#include "base/hash.h"
#include "db/watch.h"

struct db_tx
db_tx_start(struct db_conn *c, struct arena *a, bool write)
{
	return (struct db_tx){ .db = c->db, .conn = c, .arena = a, .write = write };
}

struct arena *
db_tx_arena(const struct db_tx *tx)
{
	return tx->arena;
}

enum db_kind
db_tx_kind(const struct db_tx *tx)
{
	return tx->db->kind;
}

int64_t
db_tx_steps(const struct db_tx *tx)
{
	return tx->steps;
}

/* ---- statements ------------------------------------------------------------------------------------------------------------- */

struct db_sql
db_sql_make(const char *name, struct str text, int params)
{
	uint64_t hash = hash_bytes(text, 0);

	return (struct db_sql){
		.name = name, .text = { text, text }, .hash = { hash, hash }, .params = params
	};
}

static struct err *
keep_failure(struct db_tx *tx, struct err *e)
{
	if (e && !tx->failure) {
		tx->failure = e;
		tx->trouble = tx->conn->trouble;
	}
	return e;
}

/* What every call does first: an earlier failure stays, and the row of db_find is given back. */
static struct err *
settle(struct db_tx *tx)
{
	if (tx->found.cursor) {
		tx->conn->driver->finish(&tx->found);
		tx->found.cursor = NULL;
	}
	return tx->failure;
}

static void
check_statement(const struct db_tx *tx, const struct db_sql *q, size_t n)
{
	check(q->text[tx->db->kind].p);
	check((size_t)q->params == n);
}

struct err *
db_query(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, struct db_rows *out)
{
	TRY(settle(tx));
	check_statement(tx, q, n);
	*out = (struct db_rows){ .tx = tx, .row = -1 };
	return keep_failure(tx, tx->conn->driver->query(out, q, p, n));
}

struct err *
db_next(struct db_rows *r, bool *row)
{
	struct db_tx *tx = r->tx;

	if (tx->failure)
		return tx->failure;
	if (!r->cursor) {
		*row = false;
		return NULL;
	}
	if (arena_is_over(tx->arena))
		return keep_failure(
			tx, err_new(tx->arena, ERR_TOO_LARGE, "The answer is larger than the limit."));
	TRY(keep_failure(tx, tx->conn->driver->next(r, row)));
	if (!*row)
		db_rows_close(r);
	return NULL;
}

void
db_rows_close(struct db_rows *r)
{
	if (r->cursor) {
		r->tx->conn->driver->finish(r);
		r->cursor = NULL;
	}
}

struct err *
db_exec(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, int64_t *affected)
{
	TRY(settle(tx));
	check_statement(tx, q, n);
	struct err *e = tx->conn->driver->exec(tx, q, p, n, affected);
	tx->remembers = false;
	return keep_failure(tx, e);
}

struct err *
db_exec_later(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n)
{
	const struct db_driver *driver = tx->conn->driver;

	if (!driver->exec_later)
		return db_exec(tx, q, p, n, NULL);
	TRY(settle(tx));
	check_statement(tx, q, n);
	return keep_failure(tx, driver->exec_later(tx, q, p, n));
}

struct err *
db_exec_many(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, size_t rows,
	int64_t *affected)
{
	const struct db_driver *driver = tx->conn->driver;

	TRY(settle(tx));
	check_statement(tx, q, n);
	struct err *e = NULL;
	if (driver->exec_many)
		e = driver->exec_many(tx, q, p, n, rows, affected);
	else
		for (size_t i = 0; i < rows && !e; i++)
			e = driver->exec(tx, q, p + i * n, n, affected ? &affected[i] : NULL);
	tx->remembers = false;
	return keep_failure(tx, e);
}

struct err *
db_find(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, struct db_rows *out,
	bool *found)
{
	TRY(db_query(tx, q, p, n, out));
	TRY(db_next(out, found));
	tx->found = *out;
	return NULL;
}

struct err *
db_prepare_check(struct db_tx *tx, const struct db_sql *q)
{
	TRY(settle(tx));
	return keep_failure(tx, tx->conn->driver->prepare(tx, q));
}

struct err *
db_next_id(struct db_tx *tx, const char *sequence, int64_t *out)
{
	TRY(settle(tx));
	check(tx->write);
	return keep_failure(tx, tx->conn->driver->next_id(tx, sequence, out));
}

/* ---- columns ---------------------------------------------------------------------------------------------------------------- */

bool
db_is_null(const struct db_rows *r, int column)
{
	return r->tx->conn->driver->is_null(r, column);
}

int64_t
db_int(const struct db_rows *r, int column)
{
	return r->tx->conn->driver->integer(r, column);
}

double
db_double(const struct db_rows *r, int column)
{
	return r->tx->conn->driver->real(r, column);
}

struct str
db_text(const struct db_rows *r, int column)
{
	return r->tx->conn->driver->text(r, column);
}

struct str
db_text_copy(const struct db_rows *r, int column)
{
	struct str s = db_text(r, column);

	return s.p ? arena_str(r->tx->arena, s) : s;
}

/* ---- what changed ----------------------------------------------------------------------------------------------------------- */

void
db_tx_touch(struct db_tx *tx, int64_t company_id)
{
	for (int i = 0; i < tx->touched_count && i < DB_TOUCHED_MAX; i++)
		if (tx->touched[i] == company_id)
			return;
	if (tx->touched_count < DB_TOUCHED_MAX)
		tx->touched[tx->touched_count] = company_id;
	if (tx->touched_count <= DB_TOUCHED_MAX)
		tx->touched_count++;
}

void
db_tx_wake(struct db_tx *tx)
{
	tx->wakes = true;
}

static _Atomic uint64_t *
epoch_of(struct db *db, int64_t company_id)
{
	/* Fibonacci hashing: neighbouring ids fall apart. */
	return &db->epochs[((uint64_t)company_id * 0x9e3779b97f4a7c15ULL) >> 54];
}

void
db_epoch_move(struct db *db, int64_t company_id)
{
	atomic_fetch_add(epoch_of(db, company_id), 1);
	if (company_id != 0)
		atomic_fetch_add(epoch_of(db, 0), 1);
}

uint64_t
db_epoch(const struct db *db, int64_t company_id)
{
	return atomic_load(epoch_of((struct db *)(uintptr_t)db, company_id));
}

void
db_tx_publish(const struct db_tx *tx)
{
	if (tx->touched_count > DB_TOUCHED_MAX)
		for (size_t i = 0; i < DB_EPOCHS; i++)
			atomic_fetch_add(&tx->db->epochs[i], 1);
	else
		for (int i = 0; i < tx->touched_count; i++)
			atomic_fetch_add(epoch_of(tx->db, tx->touched[i]), 1);
	atomic_fetch_add(epoch_of(tx->db, 0), 1);
	if (tx->touched_count > 0 || tx->wakes)
		db_watches_wake(tx->db);
}
