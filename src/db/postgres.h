/* A PostgreSQL connection, shared by the files of the driver. Private to the room. */
#ifndef DB_POSTGRES_H
#define DB_POSTGRES_H

#include "db/driver.h"
#include "db/statements.h"
#include <libpq-fe.h>

struct postgres_cursor {
	struct postgres_cursor *next;
	PGresult *result;
};

/* What was sent since the last synchronisation point, in order. */
enum step { STEP_DEALLOCATE, STEP_BEGIN, STEP_PREPARE, STEP_RUN, STEP_RUN_LATER, STEP_DESCRIBE };
#define STEPS_MAX   5  /* of one statement */
#define PENDING_MAX 16 /* put off, so that their answers fit the socket while nobody reads them */

struct postgres {
	struct db_conn base;
	PGconn *handle; /* in pipeline mode */
	struct statements statements;
	struct postgres_cursor *cursors; /* open ones of the transaction */
	bool reader;			 /* of the pool: reads in implicit transactions */
	bool untouched;			 /* the transaction has sent nothing yet */
	bool in_read;			 /* the transaction only reads */
	bool sync_unread; /* the answer to a reader's synchronisation point is still to be read */
	enum step pending[PENDING_MAX]; /* put off: their answers come before the next one's */
	int pending_count;
	bool stale;	  /* the last error blames the prepared statement */
};

/* Types of columns that the drivers agree on (pg_type.dat). */
enum postgres_type {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_CHAR = 18,
	PG_NAME = 19,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_OID = 26,
	PG_FLOAT4 = 700,
	PG_FLOAT8 = 701,
	PG_BPCHAR = 1042,
	PG_VARCHAR = 1043,
	PG_VOID = 2278
};

/* A new connection, outside pipeline mode; whether it is usable its status says. */
PGconn *db_postgres_dial(const struct db *db);
/* What a failed result means; result may be NULL (the connection broke). Sets the connection's trouble. */
struct err *db_postgres_err(struct postgres *c, struct arena *a, const PGresult *result, const char *where);
/* Refuses columns of a type that one of the databases does not have, such as NUMERIC. */
struct err *db_postgres_columns(
	struct postgres *c, struct arena *a, const PGresult *result, const char *where);

bool db_postgres_is_null(const struct db_rows *r, int column);
int64_t db_postgres_integer(const struct db_rows *r, int column);
double db_postgres_real(const struct db_rows *r, int column);
struct str db_postgres_text(const struct db_rows *r, int column);

#endif
