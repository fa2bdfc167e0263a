/*
 * A plan of faults for tests: it stands before every connection of a database (db_options.faults) and lets the chosen calls fail as a
 * busy file, a full disk or a broken network would. What a fault does to the database is real: a connection lost after the COMMIT
 * reached the server has committed.
 */
#ifndef DB_FAULTS_H
#define DB_FAULTS_H

#include "db/db.h"
#include <stdatomic.h>

enum db_fault_at { DB_AT_BEGIN, DB_AT_STATEMENT, DB_AT_COMMIT, DB_AT_REVIVE };

enum db_fault_kind {
	DB_FAULT_BUSY,	      /* busy, deadlock or serialization failure: tried again */
	DB_FAULT_FULL,	      /* disk full: not tried again */
	DB_FAULT_LOST_BEFORE, /* the connection breaks before the call reaches the server */
	DB_FAULT_LOST_AFTER,  /* … after it took effect and before its answer is back */
};

/* Meets the calls number first to first + times - 1 of its sort, counted from 1 over all connections. */
struct db_fault {
	enum db_fault_at at;
	enum db_fault_kind kind;
	int first, times;
};

/* Zeroed besides the list, which the test owns; must outlive the database. The count is set last and may change while calls go on. */
struct db_faults {
	const struct db_fault *list;
	_Atomic size_t count;
	_Atomic int seen[4]; /* by enum db_fault_at */
	_Atomic int fired;
};

#endif
