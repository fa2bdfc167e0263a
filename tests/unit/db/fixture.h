/*
 * Databases for tests: a fresh, migrated SQLite file or PostgreSQL database, removed at the end. PostgreSQL is the server that
 * SEXTANT_TEST_POSTGRES names (a URL whose user may create databases); tests on it are skipped when it is unset. Tests of other rooms
 * use it too: add files('../db/fixture.c') to their sources.
 */
#ifndef TESTS_DB_FIXTURE_H
#define TESTS_DB_FIXTURE_H

#include "db/db.h"

struct fixture {
	struct arena *arena;
	struct db *db;
	enum db_kind kind;
	char *directory; /* of SQLite's file */
	char *name;	 /* of PostgreSQL's database */
	struct str url;	 /* to open it once more */
	int connections; /* of the options; 4 when 0 */
	struct db_faults *faults;
	const struct db_memory_kind *memory;
};

/* False: there is no such server; the reason was printed. The fields kind, connections, faults and memory are the caller's. */
bool fixture_available(enum db_kind kind);
/* Creates without opening. */
void fixture_create(struct fixture *f);
/* Opens what was created; ends the test when that fails. */
void fixture_open(struct fixture *f);
/* Creates, opens and migrates. */
void fixture_start(struct fixture *f);
/* Closes, if open, and removes. */
void fixture_end(struct fixture *f);
/* Runs SQL that the test itself brings (a table of its own) as a write. */
void fixture_run(struct fixture *f, const char *sql);
/* First column of the first row. */
int64_t fixture_int(struct fixture *f, const char *sql);
/* Ends the test with the error's text unless it is NULL. */
void fixture_ok(struct err *e);

/* A rule that takes the kind of database, as one test on each. */
#define ON_EACH(name)                             \
	static void name##_sqlite(void **state)   \
	{                                         \
		(void)state;                      \
		name(DB_SQLITE);                  \
	}                                         \
	static void name##_postgres(void **state) \
	{                                         \
		(void)state;                      \
		name(DB_POSTGRES);                \
	}
#define TESTS_OF(name) cmocka_unit_test(name##_sqlite), cmocka_unit_test(name##_postgres)

#endif
