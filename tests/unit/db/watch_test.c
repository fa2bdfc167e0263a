/* Watches: what wakes them, what doesn't, and on PostgreSQL that two processes (two databases opened on one) hear each other. */
#include "fixture.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SOON_MS	 60000 /* what has to happen */
#define NEVER_MS 50    /* what must not */

static struct fixture *
start(enum db_kind kind)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->kind = kind;
	if (!fixture_available(kind)) {
		free(f);
		skip();
	}
	fixture_start(f);
	return f;
}

static void
end(struct fixture *f)
{
	fixture_end(f);
	free(f);
}

static struct db_watch *
watch(struct db *db, struct arena *a)
{
	struct db_watch *w;

	fixture_ok(db_watch_open(db, a, &w));
	return w;
}

enum deed { TOUCH, WAKE, NOTHING, FAIL };

static struct err *
do_deed(struct db_tx *tx, void *arg)
{
	const enum deed *deed = arg;
	struct db_sql change =
		db_sql_make("test", STR("UPDATE job_queue SET paused = 0 WHERE company_id = 0"), 0);

	TRY(DB_EXEC(tx, &change));
	if (*deed == TOUCH || *deed == FAIL)
		db_tx_touch(tx, 1);
	if (*deed == WAKE)
		db_tx_wake(tx);
	return *deed == FAIL ? err_new(db_tx_arena(tx), ERR_CONFLICT, "No.") : NULL;
}

static void
commit(struct db *db, struct arena *a, enum deed deed)
{
	struct err *e = db_write(db, a, do_deed, &deed);

	if (deed == FAIL)
		assert_non_null(e);
	else
		fixture_ok(e);
}

static void
commits_wake(enum db_kind kind)
{
	struct fixture *f = start(kind);
	struct db_watch *w = watch(f->db, f->arena), *other = watch(f->db, f->arena);

	assert_false(db_watch_wait(w, NEVER_MS));
	commit(f->db, f->arena, TOUCH);
	assert_true(db_watch_wait(w, SOON_MS));
	assert_true(db_watch_wait(other, SOON_MS));
	commit(f->db, f->arena, WAKE);
	assert_true(db_watch_wait(w, SOON_MS));
	/* Several at once are one wake, and none is left afterwards. */
	for (int i = 0; i < 5; i++)
		commit(f->db, f->arena, TOUCH);
	assert_true(db_watch_wait(w, SOON_MS));
	assert_false(db_watch_wait(w, NEVER_MS));
	commit(f->db, f->arena, NOTHING);
	commit(f->db, f->arena, FAIL);
	assert_false(db_watch_wait(w, NEVER_MS));
	db_watch_wake(w);
	assert_true(db_watch_wait(w, SOON_MS));
	db_watch_close(other);
	db_watch_close(w);
	end(f);
}

static void
commits_wake_on_sqlite(void **state)
{
	(void)state;
	commits_wake(DB_SQLITE);
}

static void
commits_wake_on_postgres(void **state)
{
	(void)state;
	commits_wake(DB_POSTGRES);
}

#define WRITERS 4
#define COMMITS 50

struct writer {
	struct db *db;
	pthread_t thread;
};

static void *
write_often(void *arg)
{
	struct writer *w = arg;
	struct arena *a = arena_new(1u << 20);

	for (int i = 0; i < COMMITS; i++)
		commit(w->db, a, TOUCH);
	arena_free(a);
	return NULL;
}

/* Whoever looks once more after the last wake has seen every commit. */
static void
no_wake_is_lost(enum db_kind kind)
{
	struct fixture *f = start(kind);
	struct db_watch *w = watch(f->db, f->arena);
	struct writer writers[WRITERS];
	uint64_t seen = db_epoch(f->db, 1), wanted = seen + WRITERS * COMMITS;

	for (int i = 0; i < WRITERS; i++) {
		writers[i].db = f->db;
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_often, &writers[i]), 0);
	}
	while (seen < wanted) {
		assert_true(db_watch_wait(w, SOON_MS));
		seen = db_epoch(f->db, 1);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	db_watch_close(w);
	end(f);
}

static void
no_wake_is_lost_on_sqlite(void **state)
{
	(void)state;
	no_wake_is_lost(DB_SQLITE);
}

static void
no_wake_is_lost_on_postgres(void **state)
{
	(void)state;
	no_wake_is_lost(DB_POSTGRES);
}

/* ---- two nodes ---------------------------------------------------------------------------------------------------------------- */

struct nodes {
	struct fixture *f;
	struct db *second;
	struct db_watch *here, *there;
};

static struct nodes
two_nodes(void)
{
	struct nodes n = { .f = start(DB_POSTGRES) };
	struct db_options o = { .url = n.f->url, .connections = 2 };

	fixture_ok(db_open(n.f->arena, &o, &n.second));
	n.here = watch(n.f->db, n.f->arena);
	n.there = watch(n.second, n.f->arena);
	return n;
}

static void
end_nodes(struct nodes *n)
{
	db_watch_close(n->here);
	db_watch_close(n->there);
	db_close(n->second);
	end(n->f);
}

static void
announced_commits_wake_the_other_node(void **state)
{
	(void)state;
	struct nodes n = two_nodes();

	commit(n.f->db, n.f->arena, TOUCH);
	assert_true(db_watch_wait(n.here, SOON_MS));
	db_watch_announce(n.here);
	assert_false(db_watch_wait(n.here, NEVER_MS)); /* its own announcement is no news */
	assert_true(db_watch_wait(n.there, SOON_MS));
	/* Who only heard of a commit announces nothing, else the two would go on for ever. */
	db_watch_announce(n.there);
	assert_false(db_watch_wait(n.there, NEVER_MS));
	assert_false(db_watch_wait(n.here, NEVER_MS));
	end_nodes(&n);
}

/* Ends every listening connection of the database, as a restart of the server would, and waits until they have ended. */
static const char cut_sql[] =
	"SELECT COUNT(pg_terminate_backend(pid, 30000)) FROM pg_stat_activity WHERE datname = "
	"current_database() AND "
	"query = 'LISTEN sextant'";

static void
a_lost_connection_listens_again(void **state)
{
	(void)state;
	struct nodes n = two_nodes();

	assert_int_equal(fixture_int(n.f, cut_sql), 2);
	/* It is woken, because it may have missed something. */
	assert_true(db_watch_wait(n.there, SOON_MS));
	assert_true(db_watch_wait(n.here, SOON_MS));
	assert_false(db_watch_wait(n.there, NEVER_MS));
	commit(n.f->db, n.f->arena, TOUCH);
	assert_true(db_watch_wait(n.here, SOON_MS));
	db_watch_announce(n.here);
	assert_false(db_watch_wait(n.here, NEVER_MS));
	assert_true(db_watch_wait(n.there, SOON_MS));
	end_nodes(&n);
}

/* An announcement that the lost connection took with it is made on the next one. */
static void
an_announcement_survives_its_connection(void **state)
{
	(void)state;
	struct nodes n = two_nodes();

	commit(n.f->db, n.f->arena, TOUCH);
	assert_true(db_watch_wait(n.here, SOON_MS));
	assert_int_equal(fixture_int(n.f, cut_sql), 2);
	assert_true(db_watch_wait(n.there, SOON_MS)); /* its own connection was cut as well */
	db_watch_announce(n.here);
	while (db_watch_wait(n.here, NEVER_MS))
		continue;
	assert_true(db_watch_wait(n.there, SOON_MS));
	end_nodes(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_wake_on_sqlite),
		cmocka_unit_test(commits_wake_on_postgres),
		cmocka_unit_test(no_wake_is_lost_on_sqlite),
		cmocka_unit_test(no_wake_is_lost_on_postgres),
		cmocka_unit_test(announced_commits_wake_the_other_node),
		cmocka_unit_test(a_lost_connection_listens_again),
		cmocka_unit_test(an_announcement_survives_its_connection),
	};
	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
