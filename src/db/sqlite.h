/* A SQLite connection, shared by the files of the driver. Private to the room. */
#ifndef DB_SQLITE_H
#define DB_SQLITE_H

#include "db/driver.h"
#include "db/statements.h"
#include <sqlite3.h>

enum sqlite_control {
	CONTROL_BEGIN_READ,
	CONTROL_BEGIN_WRITE,
	CONTROL_COMMIT,
	CONTROL_ROLLBACK,
	CONTROL_MARK,
	CONTROL_KEEP,
	CONTROL_UNDO,
	CONTROL_VERSION,
	CONTROL_CONTROLS
};

#define SQLITE_SEQUENCES 64 /* sequences one transaction draws from; there is one a table */

struct sqlite_sequence {
	const char *name; /* a literal of the caller's */
	int64_t next;
};

struct sqlite {
	struct db_conn base;
	sqlite3 *handle;
	sqlite3_stmt *controls[CONTROL_CONTROLS];
	struct statements statements;
	int busy;					    /* statements that cursors use */
	struct sqlite_sequence sequences[SQLITE_SEQUENCES]; /* of the open transaction */
	int sequence_count;
	struct db_memory *memory; /* the database's on its writer, else NULL */
	bool watched;		  /* the statement being prepared writes to a table of the memory */
	int64_t seen;		  /* PRAGMA data_version: moves when another connection has committed */
	int64_t changes_begun;	  /* rows changed since the connection was opened, at the last begin */
	int64_t changes_marked;	  /* and at the last mark */
	bool undoable;		  /* the part since the mark is inside a savepoint */
};

/* Sets the connection's trouble by the extended result code. where names the statement, for the log. */
struct err *db_sqlite_err(struct sqlite *c, struct arena *a, int code, const char *where);
/* $1 is a named parameter to SQLite, numbered by its first appearance: ?1 says what is meant. */
struct str db_sqlite_parameters(struct arena *a, struct str text);
struct err *db_sqlite_next_id(struct db_tx *tx, const char *sequence, int64_t *out) MUST_USE;
/* Writes the sequences of the open transaction back. */
struct err *db_sqlite_sequences_write(struct sqlite *c, struct arena *a) MUST_USE;
/* Makes text_fold(text) known to a connection. An SQLite result code. */
int db_sqlite_fold_register(sqlite3 *handle);

#endif
