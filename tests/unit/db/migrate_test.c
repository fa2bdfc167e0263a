/* The schema comes to the program's version exactly once, whoever starts, and a database that does not fit is refused. */
#include "fixture.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int
set_up(void **state, enum db_kind kind)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->kind = kind;
	if (fixture_available(kind)) {
		fixture_create(f);
		fixture_open(f);
	}
	*state = f;
	return 0;
}

static int
set_up_sqlite(void **state)
{
	return set_up(state, DB_SQLITE);
}

static int
set_up_postgres(void **state)
{
	return set_up(state, DB_POSTGRES);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->db)
		fixture_end(f);
	free(f);
	return 0;
}

static struct fixture *
fixture_of(void **state)
{
	struct fixture *f = *state;

	if (!f->db)
		skip();
	return f;
}

static void
migrating_again_changes_nothing(void **state)
{
	struct fixture *f = fixture_of(state);
	int64_t applied, latest;

	fixture_ok(db_schema_version(f->db, f->arena, &applied, &latest));
	assert_int_equal(applied, 0);
	assert_true(latest >= 1);
	fixture_ok(db_migrate(f->db, f->arena, &applied));
	assert_int_equal(applied, latest);
	fixture_ok(db_migrate(f->db, f->arena, &applied));
	assert_int_equal(applied, 0);
	fixture_ok(db_schema_version(f->db, f->arena, &applied, &latest));
	assert_int_equal(applied, latest);
	assert_int_equal(
		fixture_int(f, "SELECT count(*) FROM schema_migration WHERE applied_at > 1500000000000000"),
		latest);
}

static void
refused(struct fixture *f, const char *word)
{
	int64_t applied, latest;
	struct err *e = db_migrate(f->db, f->arena, &applied);

	assert_non_null(e);
	assert_int_equal(e->code, ERR_UNAVAILABLE);
	assert_non_null(memmem(e->message.p, e->message.n, word, strlen(word)));
	assert_non_null(db_schema_version(f->db, f->arena, &applied, &latest));
}

static void
a_newer_database_is_refused(void **state)
{
	struct fixture *f = fixture_of(state);

	fixture_ok(db_migrate(f->db, f->arena, NULL));
	fixture_run(f, "INSERT INTO schema_migration (version, name, checksum, applied_at) SELECT "
		       "max(version) + 1, 'x', 'x', 1 "
		       "FROM schema_migration");
	refused(f, "newer");
}

static void
a_changed_migration_is_refused(void **state)
{
	struct fixture *f = fixture_of(state);

	fixture_ok(db_migrate(f->db, f->arena, NULL));
	fixture_run(f, "UPDATE schema_migration SET checksum = 'x' WHERE version = 1");
	refused(f, "0001_foundation");
}

static void *
migrate_as_node(void *arg)
{
	struct fixture *f = arg;
	struct arena *a = arena_new(1u << 20);
	struct db_options o = { .url = f->url, .connections = 1 };
	struct db *db;
	int64_t applied = -1;

	if (!db_open(a, &o, &db)) {
		if (db_migrate(db, a, &applied))
			applied = -1;
		db_close(db);
	}
	arena_free(a);
	return (void *)(intptr_t)applied;
}

#define NODES 4

static void
nodes_that_start_at_once_migrate_once(void **state)
{
	struct fixture *f = fixture_of(state);
	pthread_t nodes[NODES];
	int64_t sum = 0;

	for (int i = 0; i < NODES; i++)
		assert_int_equal(pthread_create(&nodes[i], NULL, migrate_as_node, f), 0);
	for (int i = 0; i < NODES; i++) {
		void *applied;
		pthread_join(nodes[i], &applied);
		assert_true((intptr_t)applied >= 0);
		sum += (intptr_t)applied;
	}
	assert_int_equal(sum, fixture_int(f, "SELECT count(*) FROM schema_migration"));
}

static void
a_backup_is_a_whole_database(void **state)
{
	struct fixture *f = fixture_of(state);

	fixture_ok(db_migrate(f->db, f->arena, NULL));
	fixture_run(f, "INSERT INTO search_text (company_id, resource, object_id, folded) VALUES (1, 'kpi', "
		       "1, 'monthly revenue')");
	struct str file = arena_fmt(f->arena, "%s/copy.db", f->kind == DB_SQLITE ? f->directory : "/tmp");
	struct err *e = db_backup(f->db, f->arena, file);
	if (f->kind == DB_POSTGRES) {
		assert_non_null(e);
		assert_non_null(memmem(e->message.p, e->message.n, "pg_dump", 7));
		return;
	}
	fixture_ok(e);
	struct fixture copy = { .kind = DB_SQLITE, .arena = f->arena, .url = file };
	fixture_open(&copy);
	assert_int_equal(
		fixture_int(&copy, "SELECT count(*) FROM search_index WHERE search_index MATCH '\"ly rev\"'"),
		1);
	db_close(copy.db);
	assert_int_equal(remove(file.p), 0);
}

static void
the_check_finds_nothing_in_a_sound_database_and_says_what_is_wrong(void **state)
{
	struct fixture *f = fixture_of(state);
	struct buf out;

	fixture_ok(db_migrate(f->db, f->arena, NULL));
	buf_init(&out, 1u << 20);
	fixture_ok(db_check(f->db, f->arena, &out));
	assert_int_equal(out.len, 0);
	if (f->kind == DB_POSTGRES) {
		fixture_run(f, "CREATE TABLE weak (id BIGINT PRIMARY KEY, other BIGINT)");
		fixture_run(f, "ALTER TABLE weak ADD CONSTRAINT weak_other FOREIGN KEY (other) REFERENCES "
			       "weak (id) NOT VALID");
	} else {
		fixture_run(f, "CREATE TABLE weak_other (id INTEGER PRIMARY KEY CHECK (id > 0))");
		fixture_run(f, "PRAGMA ignore_check_constraints = ON");
		fixture_run(f, "INSERT INTO weak_other VALUES (-1)");
	}
	fixture_ok(db_check(f->db, f->arena, &out));
	assert_non_null(memmem(out.p, out.len, "weak_other", 10));
	buf_done(&out);
}

static void
search_follows_its_table(void **state)
{
	struct fixture *f = fixture_of(state);
	const char *find = f->kind == DB_SQLITE
				   ? "SELECT count(*) FROM search_index i JOIN search_text t ON t.id = "
				     "i.rowid WHERE search_index MATCH '\"ueb\"'"
				   : "SELECT count(*) FROM search_text WHERE folded LIKE '%ueb%'";

	fixture_ok(db_migrate(f->db, f->arena, NULL));
	fixture_run(f, "INSERT INTO search_text (company_id, resource, object_id, folded) VALUES (1, 'kpi', "
		       "1, 'blueberries')");
	assert_int_equal(fixture_int(f, find), 1);
	fixture_run(f,
		"INSERT INTO search_text (company_id, resource, object_id, folded) VALUES (1, 'kpi', '1', "
		"'red "
		"currants') "
		"ON CONFLICT (company_id, resource, object_id) DO UPDATE SET folded = excluded.folded");
	assert_int_equal(fixture_int(f, find), 0);
	fixture_run(f, "UPDATE search_text SET folded = 'bluebird' WHERE object_id = '1'");
	assert_int_equal(fixture_int(f, find), 1);
	fixture_run(f, "DELETE FROM search_text");
	assert_int_equal(fixture_int(f, find), 0);
}

#define ON_BOTH(test)                                                         \
	{ #test " (SQLite)", test, set_up_sqlite, tear_down, NULL },          \
	{                                                                     \
#test " (PostgreSQL)", test, set_up_postgres, tear_down, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(migrating_again_changes_nothing),
		ON_BOTH(a_newer_database_is_refused),
		ON_BOTH(a_changed_migration_is_refused),
		ON_BOTH(nodes_that_start_at_once_migrate_once),
		ON_BOTH(a_backup_is_a_whole_database),
		ON_BOTH(the_check_finds_nothing_in_a_sound_database_and_says_what_is_wrong),
		ON_BOTH(search_follows_its_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
