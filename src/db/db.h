/*
 * The database: one interface over SQLite and PostgreSQL. This room is the only one that knows sqlite3.h and libpq-fe.h.
 *
 * Everything runs inside a transaction (struct db_tx). Reads borrow a connection and run on the caller's thread. Writes are jobs: on
 * SQLite one writer thread runs many of them under one COMMIT (group commit); on PostgreSQL a pool of threads gives
 * each its own transaction. A job's done() is called after its change is durable, never before.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/err.h"
#include "base/time.h"

struct db;
struct db_tx;

enum db_kind { DB_SQLITE, DB_POSTGRES };

struct db_options {
	struct str
		url; /* "postgres://…" or "postgresql://…", or a directory's or file's path for SQLite ("DIR/sextant.db") */
	int connections; /* PostgreSQL: size of the pool, which is also the number of its worker threads; SQLite: readers kept */
	bool read_only;		  /* no writer is started (commands that only look) */
	struct db_faults *faults; /* NULL, or the fault plan of a test (db/faults.h) */
	const struct db_memory_kind *memory; /* NULL: the writer remembers nothing (see below) */
};

/* Opens, without migrating. UNAVAILABLE when the server or file can't be opened; the message names what was tried, no password. */
struct err *db_open(struct arena *a, const struct db_options *o, struct db **out) MUST_USE;
/* Finishes the queued writes, then closes. */
void db_close(struct db *db);
enum db_kind db_kind(const struct db *db);
/* Whether reads are so short that they may run on a thread of the HTTP server (SQLite), or wait for a network (PostgreSQL). */
bool db_reads_inline(const struct db *db);

/* ---- statements ------------------------------------------------------------------------------------------------------------- */

/*
 * A statement: a constant from a .sql file (tools/sqlgen.py makes them, with the hash and the number of parameters; src/db/README.md
 * says how), or made at run time by the engine with db_sql_make. $1, $2, … on both databases. Prepared once a connection and kept (LIMIT_STATEMENTS).
 */
struct db_sql {
	const char *name;   /* for the log and the test that prepares all */
	struct str text[2]; /* by enum db_kind */
	uint64_t hash[2];   /* of the text: str_hash in a constant, hash_bytes in one made at run time */
	int params;
};
/* The same text for both kinds; text must live as long as the statement is used. */
struct db_sql db_sql_make(const char *name, struct str text, int params);

enum db_type { DB_NULL, DB_INT, DB_DOUBLE, DB_TEXT, DB_BLOB };
struct db_param {
	enum db_type type;
	int64_t i;
	double d;
	struct str s; /* borrowed for the call */
};
#define P_NULL	     ((struct db_param){ .type = DB_NULL })
#define P_INT(v)     ((struct db_param){ .type = DB_INT, .i = (int64_t)(v) })
#define P_DOUBLE(v)  ((struct db_param){ .type = DB_DOUBLE, .d = (v) })
#define P_TEXT(v)    ((struct db_param){ .type = DB_TEXT, .s = (v) })
#define P_BLOB(v)    ((struct db_param){ .type = DB_BLOB, .s = (v) })
#define P_INSTANT(v) P_INT((v).us)

/* A running query. Its texts stay valid until the next db_next or the end of the transaction, whichever comes first. */
struct db_rows {
	struct db_tx *tx;
	void *cursor;  /* the driver's */
	int row, rows; /* of a result that is complete in memory */
};

/*
 * Errors of all three: UNIQUE violation → CONFLICT with the word "UNIQUE_VIOLATION" (see db_err_unique_column); foreign key →
 * CONFLICT "REFERENCE_VIOLATION"; lost connection, disk full, busy beyond the retries → UNAVAILABLE; anything else → INTERNAL with
 * the text as private detail. After an error the transaction is good for nothing but rolling back: return it.
 */
struct err *db_query(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n,
	struct db_rows *out) MUST_USE;
/* Moves to the next row; *row false at the end (the query is then closed). Checks the arena's cap. */
struct err *db_next(struct db_rows *r, bool *row) MUST_USE;
/* Closes early. Needed only when rows are left unread and the transaction goes on. */
void db_rows_close(struct db_rows *r);
/* A statement without rows; affected may be NULL. */
struct err *db_exec(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n,
	int64_t *affected) MUST_USE;
/*
 * The same when nobody needs to know at once: on PostgreSQL it travels with what comes next, and so may its error, at the latest with the
 * COMMIT. Not for a statement whose error means something to its caller.
 */
struct err *db_exec_later(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n) MUST_USE;
/*
 * The same statement for rows rows of n parameters each, which stand one after the other in p: on PostgreSQL many share a round trip.
 * affected (may be NULL) has an element a row.
 */
struct err *db_exec_many(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n, size_t rows, int64_t *affected) MUST_USE;
/* Query whose first row is wanted: *found tells whether there is one; columns are read before the next call. */
struct err *db_find(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n,
	struct db_rows *out, bool *found) MUST_USE;

/* DB_EXEC(tx, &sql_x, P_INT(1), P_TEXT(s)) */
#define DB_ARGS(...)                                            \
	(const struct db_param[]){ P_NULL, ##__VA_ARGS__ } + 1, \
		sizeof((const struct db_param[]){ P_NULL, ##__VA_ARGS__ }) / sizeof(struct db_param) - 1
#define DB_EXEC(tx, q, ...)		 db_exec((tx), (q), DB_ARGS(__VA_ARGS__), NULL)
#define DB_EXEC_LATER(tx, q, ...)	 db_exec_later((tx), (q), DB_ARGS(__VA_ARGS__))
#define DB_QUERY(tx, q, rows, ...)	 db_query((tx), (q), DB_ARGS(__VA_ARGS__), (rows))
#define DB_FIND(tx, q, rows, found, ...) db_find((tx), (q), DB_ARGS(__VA_ARGS__), (rows), (found))

bool db_is_null(const struct db_rows *r, int column);
int64_t db_int(const struct db_rows *r, int column);   /* 0 for NULL */
double db_double(const struct db_rows *r, int column); /* 0 for NULL */
struct str db_text(
	const struct db_rows *r, int column); /* empty with p NULL for NULL; also for BLOB columns */
struct str db_text_copy(const struct db_rows *r, int column); /* on the transaction's arena */

/* "email" for a violation of UNIQUE (company_id, email): the last column of the constraint; empty for any other error. */
struct str db_err_unique_column(const struct err *e);

/* ---- transactions ----------------------------------------------------------------------------------------------------------- */

struct arena *db_tx_arena(const struct db_tx *tx);
enum db_kind db_tx_kind(const struct db_tx *tx);
/* Steps of SQLite's machine in the queries of this transaction that have ended; 0 on PostgreSQL, where others do the work. */
int64_t db_tx_steps(const struct db_tx *tx);
/* Next number of a sequence (one per table, made by the migrations): unique and rising, gaps are possible. */
struct err *db_next_id(struct db_tx *tx, const char *sequence, int64_t *out) MUST_USE;
/* Notes that this transaction changes something of a company: its epoch moves when it commits. */
void db_tx_touch(struct db_tx *tx, int64_t company_id);
/* Notes that somebody waits for this commit: watches wake, no epoch moves. For what is not part of any answer, such as a job. */
void db_tx_wake(struct db_tx *tx);

typedef struct err *db_work(struct db_tx *tx, void *arg);

/*
 * Runs work in a read-only snapshot on this thread. Errors of work are returned as they are.
 */
struct err *db_read(struct db *db, struct arena *a, db_work *work, void *arg) MUST_USE;

/*
 * Runs work in a write transaction and waits until it is durable. An error of work rolls its changes back and is returned. Work may
 * run again (busy, serialization failure, a batch replayed): it must set its results anew each time. COMMIT_UNKNOWN when the
 * connection was lost during COMMIT. Never call it from an HTTP thread or from inside work.
 */
struct err *db_write(struct db *db, struct arena *a, db_work *work, void *arg) MUST_USE;

/* The same without waiting. The job and its arena must live until done() has been called, on a thread of the database. */
struct db_job {
	struct db_job *next; /* the queue's */
	struct arena *arena;
	db_work *work;
	void *arg;
	bool read_only; /* a read handed over because db_reads_inline() is false */
	void (*done)(struct db_job *job, struct err *e); /* e NULL: durable */
	struct err *result;				 /* the queue's */
};
/* UNAVAILABLE when LIMIT_WRITE_QUEUE jobs wait already; done() is not called then. */
struct err *db_submit(struct db *db, struct arena *a, struct db_job *job) MUST_USE;

/* Moves with every committed change of the company (and for company 0 with every commit): what was built under an older one is stale. */
uint64_t db_epoch(const struct db *db, int64_t company_id);
/* Moves it by hand: for what another node of the same database has committed. */
void db_epoch_move(struct db *db, int64_t company_id);

struct db_stats {
	int64_t commits, jobs, retries, queue, connections;
};
struct db_stats db_stats(const struct db *db);

/* ---- what the writer remembers ----------------------------------------------------------------------------------------------- */

/*
 * Rows that a room above keeps in memory between the transactions of SQLite's one writer, so that what every write asks is not read every
 * time. Whenever the memory might differ from the tables it is emptied: another process has committed, a statement has written to one
 * of its tables, changes were rolled back. PostgreSQL, where many write side by side, has none.
 */
struct db_memory_kind {
	const char *const *tables; /* that it remembers rows of; NULL ends them */
	void *(*make)(void);
	void (*empty)(void *memory);
	void (*discard)(void *memory);
};
/*
 * What the kind of the options has made, in a write transaction; NULL when there is none, or when it must not be believed any more in this
 * transaction. What it holds stays where it is until the work that asked has returned.
 */
void *db_tx_memory(const struct db_tx *tx);
/* It has grown too large: it is emptied before the next work, and not shown any more in this one. */
void db_tx_forget(struct db_tx *tx);
/* The next db_exec or db_exec_many empties nothing: when it succeeds, the caller brings the memory up to date itself. */
void db_tx_remembers(struct db_tx *tx);

/* ---- waiting for commits ----------------------------------------------------------------------------------------------------- */

/*
 * Whoever reads what others write sleeps here. A watch wakes when a transaction of this process has committed a change of a company (or
 * asked for it with db_tx_wake), and on PostgreSQL when another process has announced such a commit (LISTEN/NOTIFY on a connection that
 * is the watch's). It may wake for nothing, and miss a process that died between commit and announcement: look every second or two anyway.
 */
struct db_watch;
/* UNAVAILABLE when the connection can't be made; one that is lost later is made again by the waiting. Close it before the database. */
struct err *db_watch_open(struct db *db, struct arena *a, struct db_watch **out) MUST_USE;
void db_watch_close(struct db_watch *w);
/* One thread waits; false after timeout_ms. */
bool db_watch_wait(struct db_watch *w, int timeout_ms);
/* Wakes the one who waits; any thread. */
void db_watch_wake(struct db_watch *w);
/*
 * By the one who waits: tells other processes that something was committed here, if so since the last call. It is sent by the waits that
 * follow, in no transaction of anybody, so that commits wait for nobody. One watch of a process has to do it.
 */
void db_watch_announce(struct db_watch *w);

/* ---- schema ----------------------------------------------------------------------------------------------------------------- */

/*
 * Brings the schema to this binary's version, each migration in a transaction of its own, under a lock so that several nodes may start
 * at once. UNAVAILABLE with a clear message: the database is newer than the binary, or a migration that was applied has another
 * checksum now.
 */
struct err *db_migrate(struct db *db, struct arena *a, int64_t *applied) MUST_USE;
/* Highest migration applied, and the one this binary brings. */
struct err *db_schema_version(struct db *db, struct arena *a, int64_t *applied, int64_t *latest) MUST_USE;
/* Prepares a statement on this database without running it; the test of all statements uses it. */
struct err *db_prepare_check(struct db_tx *tx, const struct db_sql *q) MUST_USE;
/* A consistent copy into a file (SQLite: the backup interface; PostgreSQL: refused with a message that names pg_dump). */
struct err *db_backup(struct db *db, struct arena *a, struct str file) MUST_USE;
/* The database's own consistency check; every finding is a line of out. */
struct err *db_check(struct db *db, struct arena *a, struct buf *out) MUST_USE;

#endif
