/*
 * What a driver provides and what the rest of the room shares. Private to the room. A connection belongs to one thread at a time; a
 * driver reports what went wrong twice: as the error that its caller will see, and as the trouble that decides about trying again.
 */
#ifndef DB_DRIVER_H
#define DB_DRIVER_H

#include "db/db.h"
#include <pthread.h>
#include <stdatomic.h>

enum db_trouble {
	DB_TROUBLE_NONE,
	DB_TROUBLE_FINAL,   /* trying again gives the same */
	DB_TROUBLE_RETRY,   /* busy, deadlock, serialization failure: the transaction may run again */
	DB_TROUBLE_LOST,    /* the connection is gone and nothing was committed */
	DB_TROUBLE_UNKNOWN, /* it is not known whether the transaction was committed */
};

struct db_conn {
	const struct db_driver *driver;
	struct db *db;
	struct db_conn *next;	 /* in the pool */
	enum db_trouble trouble; /* of the last failed call */
};

enum db_role { DB_READER, DB_WRITER };

struct db_driver {
	/* A lost connection is opened again; true when it is usable. */
	struct err *(*revive)(struct db_conn *c, struct arena *a);
	void (*close)(struct db_conn *c);

	/* On a failure of begin nothing is open. After a failed commit the caller rolls back. */
	struct err *(*begin)(struct db_conn *c, struct arena *a, bool write);
	struct err *(*commit)(struct db_conn *c, struct arena *a);
	/* Ends the transaction and every cursor; never fails: what can't be rolled back is a lost connection. */
	void (*rollback)(struct db_conn *c);
	/*
	 * A part of a transaction that can be undone alone, for the group writer (SQLite only). undo is false when all is gone, and for a
	 * part that was not marked as undoable and has changed something.
	 */
	struct err *(*mark)(struct db_conn *c, struct arena *a, bool undoable);
	struct err *(*keep)(struct db_conn *c, struct arena *a);
	bool (*undo)(struct db_conn *c);

	struct err *(*query)(struct db_rows *r, const struct db_sql *q, const struct db_param *p, size_t n);
	struct err *(*next)(struct db_rows *r, bool *row);
	void (*finish)(struct db_rows *r);
	struct err *(*exec)(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n,
		int64_t *affected);
	/* NULL: exec. */
	struct err *(*exec_later)(
		struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n);
	/* NULL: exec, a row after the other. */
	struct err *(*exec_many)(struct db_tx *tx, const struct db_sql *q, const struct db_param *p, size_t n,
		size_t rows, int64_t *affected);
	struct err *(*prepare)(struct db_tx *tx, const struct db_sql *q);
	struct err *(*script)(struct db_tx *tx, struct str text);
	struct err *(*next_id)(struct db_tx *tx, const char *sequence, int64_t *out);

	bool (*is_null)(const struct db_rows *r, int column);
	int64_t (*integer)(const struct db_rows *r, int column);
	double (*real)(const struct db_rows *r, int column);
	struct str (*text)(const struct db_rows *r, int column);
};

#define DB_TOUCHED_MAX 8 /* companies a transaction changes before all epochs move */

struct db_tx {
	struct db *db;
	struct db_conn *conn;
	struct arena *arena;
	bool write;
	struct err *failure; /* of the first failed call: the transaction is not committed */
	enum db_trouble trouble;
	struct db_rows found; /* of db_find, open until the next call */
	bool remembers;	      /* see db_tx_remembers */
	int64_t touched[DB_TOUCHED_MAX];
	int touched_count; /* DB_TOUCHED_MAX + 1: more than fit */
	bool wakes;	   /* somebody waits for this commit although it touches no company */
	int64_t steps;	   /* see db_tx_steps */
};

/* ---- the database ----------------------------------------------------------------------------------------------------------- */

/* Epochs share slots by hash: a collision costs one needless refresh. */
#define DB_EPOCHS 1024

/* Where writes run: the group writer of SQLite, or the workers of PostgreSQL. */
struct db_queue;

struct db {
	enum db_kind kind;
	struct db_options options;
	const char *target; /* file's path, or the URL */
	struct db_pool *pool;
	struct db_queue *queue;		/* NULL: read only */
	struct db_sequences *sequences; /* PostgreSQL's blocks of numbers */
	struct db_memory *memory;	/* NULL, or of SQLite's writer, whose thread alone uses it */
	_Atomic uint64_t epochs[DB_EPOCHS];
	pthread_mutex_t watch_lock;
	struct db_watch *watches;
	_Atomic int watch_count;
	_Atomic int64_t commits, jobs, retries, connections;
};

/* A connection of the kind and faults that the options ask for. */
struct err *db_connect(struct db *db, struct arena *a, enum db_role role, struct db_conn **out) MUST_USE;
void db_disconnect(struct db_conn *c);
struct err *db_sqlite_connect(
	struct db *db, struct arena *a, enum db_role role, struct db_conn **out) MUST_USE;
struct err *db_postgres_connect(
	struct db *db, struct arena *a, enum db_role role, struct db_conn **out) MUST_USE;
/* Puts a fault plan before a connection, which it then owns. */
struct db_conn *db_faults_wrap(struct db_faults *plan, struct db_conn *inner);

/* ---- running transactions --------------------------------------------------------------------------------------------------- */

struct db_tx db_tx_start(struct db_conn *c, struct arena *a, bool write);
/* Runs work and gives its error, or the failure that it swallowed. */
struct err *db_tx_work(struct db_tx *tx, db_work *work, void *arg) MUST_USE;
/* Moves the epochs of what was touched and wakes the watches. */
void db_tx_publish(const struct db_tx *tx);
/* One transaction of its own with bounded retries; the connection is usable or known as lost afterwards. */
struct err *db_run_alone(struct db_conn *c, struct arena *a, bool write, db_work *work, void *arg) MUST_USE;
/* Waits before trying again: doubling, with jitter. */
void db_back_off(int attempt, int64_t first_us);
/* The same error on another arena. */
struct err *db_err_copy(struct arena *a, const struct err *e);

/* ---- the room's parts ------------------------------------------------------------------------------------------------------- */

struct db_pool *db_pool_new(struct db *db, int kept);
void db_pool_free(struct db_pool *pool);
/* Waits a bounded time for a connection to come back when all are out: UNAVAILABLE. */
struct err *db_pool_borrow(struct db_pool *pool, struct arena *a, struct db_conn **out) MUST_USE;
void db_pool_return(struct db_pool *pool, struct db_conn *c);
/* Connections borrowed so far: whether it moves tells whether reads run. */
uint64_t db_pool_runs(struct db_pool *pool);

struct err *db_queue_start(struct db *db, struct arena *a, struct db_queue **out) MUST_USE;
/* Ends the threads after what is queued has run. */
void db_queue_stop(struct db_queue *queue);
struct err *db_queue_push(struct db_queue *queue, struct arena *a, struct db_job *job) MUST_USE;
int64_t db_queue_length(struct db_queue *queue);

struct db_sequences *db_sequences_new(void);
void db_sequences_free(struct db_sequences *s);

struct db_memory *db_memory_new(const struct db_memory_kind *kind);
void db_memory_free(struct db_memory *m); /* m may be NULL, here and in the two below */
bool db_memory_watches(const struct db_memory *m, const char *table);
/* It may differ from the tables from now on. */
void db_memory_doubt(struct db_memory *m);
/* Empties it if it was doubted; nobody holds anything of it. */
void db_memory_settle(struct db_memory *m);

/* Errors that both drivers give, so that they read the same. */
struct err *db_err_unique(struct arena *a, struct str column, struct str text);
struct err *db_err_reference(struct arena *a, struct str text);

#endif
