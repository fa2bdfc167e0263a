/*
 * Reading events after commit: order, filters, the rule that an older running transaction holds later events back, and the reader of a
 * process, which hands over every event exactly once whoever committed it.
 */
#include "resource/outbox.h"
#include "world.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#define MANY	1000
#define SOON_MS 60000

/* ---- making events ---------------------------------------------------------------------------------------------------------- */

struct event_spec {
	struct instant at;
	int64_t company;
	const char *type, *object_type, *object_id;
	sem_t *inside, *go_on; /* the transaction has written and waits; NULL: it does not */
};

static struct err *
add(struct db_tx *tx, void *arg)
{
	const struct event_spec *s = arg;
	struct actor actor = { .company_id = s->company, .person_id = 7, .username = STR("ann") };
	struct res_ctx c = {
		.arena = db_tx_arena(tx), .tx = tx, .actor = &actor, .now = s->at, .request_id = STR("req-9")
	};

	TRY(event_add(&c, str_from_cstr(s->type), s->object_type, str_from_cstr(s->object_id), STR(""),
		STR("{\"a\":1}")));
	if (s->inside) {
		struct db_sql ask = db_sql_make("test", STR("SELECT CAST(1 AS BIGINT)"), 0);
		struct db_rows r;
		bool found;

		TRY(DB_FIND(
			tx, &ask, &r, &found)); /* what was written before it has reached the server now */
		sem_post(s->inside);
		sem_wait(s->go_on);
	}
	return NULL;
}

static void
put(struct world *f, int64_t company, const char *type, const char *object_id)
{
	struct event_spec s = {
		.at = f->now, .company = company, .type = type, .object_type = "kpi", .object_id = object_id
	};

	fixture_ok(db_write(f->db, f->a, add, &s));
}

/* ---- reading at once --------------------------------------------------------------------------------------------------------- */

struct read_spec {
	struct outbox_filter filter;
	struct outbox_position after;
	size_t max;
	struct outbox_event *events;
	size_t count;
	struct outbox_position end;
	bool held_back;
};

static struct err *
read_all(struct db_tx *tx, void *arg)
{
	struct read_spec *r = arg;

	TRY(outbox_read(tx, &r->filter, r->after, r->max ? r->max : 100, &r->events, &r->count));
	TRY(outbox_is_held_back(tx, &r->held_back));
	return outbox_end(tx, &r->end);
}

static void
look(struct world *f, struct read_spec *r)
{
	fixture_ok(db_read(f->db, f->a, read_all, r));
}

/* Another database of the same server may have a transaction that holds everything back for a moment. */
static void
settle(struct world *f)
{
	struct read_spec r = { 0 };
	int64_t until = monotonic_us() + SOON_MS * 1000LL;

	do {
		look(f, &r);
		assert_true(monotonic_us() < until);
	} while (r.held_back);
}

static void
events_come_whole_and_in_order(void **state)
{
	struct world *f = *state;
	struct read_spec r = { 0 };

	put(f, 1, "kpi.created", "kpi-001");
	put(f, 2, "kpi.updated", "kpi-002");
	settle(f);
	look(f, &r);
	assert_int_equal(r.count, 2);
	const struct outbox_event *e = &r.events[0];
	assert_int_equal(e->company_id, 1);
	assert_str(e->type, "kpi.created");
	assert_str(e->object_type, "kpi");
	assert_str(e->object_id, "kpi-001");
	assert_int_equal(e->actor_id, 7);
	assert_str(e->actor_name, "ann");
	assert_str(e->request_id, "req-9");
	assert_int_equal(e->at.us, f->now.us);
	assert_int_equal(e->old_values.n, 0);
	assert_str(e->new_values, "{\"a\":1}");
	assert_true(outbox_compare(e->position, r.events[1].position) < 0);
	assert_int_equal(outbox_compare(r.end, r.events[1].position), 0);

	r.after = e->position;
	look(f, &r);
	assert_int_equal(r.count, 1);
	assert_str(r.events[0].object_id, "kpi-002");
	r.after = r.end;
	look(f, &r);
	assert_int_equal(r.count, 0);
}

static void
filters_must_all_agree(void **state)
{
	struct world *f = *state;
	struct instant early = f->now, late = { f->now.us + INSTANT_SECOND };

	put(f, 1, "kpi.created", "kpi-001");
	put(f, 1, "kpi.created", "kpi-002");
	put(f, 2, "kpi.created", "kpi-001");
	f->now = late;
	put(f, 1, "kpi.updated", "kpi-001");
	settle(f);
	const struct {
		struct outbox_filter filter;
		size_t count;
	} cases[] = {
		{ { 0 }, 4 },
		{ { .company_id = 1 }, 3 },
		{ { .company_id = 3 }, 0 },
		{ { .object_type = STR("kpi") }, 4 },
		{ { .object_type = STR("lead") }, 0 },
		{ { .company_id = 1, .object_type = STR("kpi"), .object_id = STR("kpi-001") }, 2 },
		{ { .company_id = 1, .from = late }, 1 },
		{ { .company_id = 1, .to = late }, 2 },
		{ { .from = early, .to = late }, 3 },
		{ { .company_id = 1,
			  .object_type = STR("kpi"),
			  .object_id = STR("kpi-001"),
			  .from = early,
			  .to = late },
			1 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct read_spec r = { .filter = cases[i].filter };
		look(f, &r);
		if (r.count != cases[i].count)
			fail_msg("case %zu: %zu events", i, r.count);
	}
	struct read_spec two = { .filter = { .company_id = 1 }, .max = 2 };
	look(f, &two);
	assert_int_equal(two.count, 2);
	assert_str(two.events[1].object_id, "kpi-002");
	f->now = early;
}

static void
large_events_come_in_parts(void **state)
{
	struct world *f = *state;
	struct read_spec r = { 0 };
	size_t seen = 0;

	put(f, 1, "kpi.created", "kpi-001");
	for (int i = 0; i < 6; i++)
		fixture_run(&f->base,
			arena_fmt(f->a,
				"INSERT INTO event (company_id, seq, type, object_type, object_id, "
				"actor_name, "
				"request_id, at, new_values)"
				" SELECT company_id, seq + %d, type, object_type, object_id, actor_name, "
				"request_id, "
				"at, %s FROM event"
				" WHERE new_values = '{\"a\":1}'",
				100 + i,
				f->base.kind == DB_SQLITE ? "hex(zeroblob(700000))" : "repeat('0', 1400000)")
				.p);
	settle(f);
	do {
		look(f, &r);
		assert_true(r.count < 7);
		seen += r.count;
		if (r.count)
			r.after = r.events[r.count - 1].position;
	} while (r.count);
	assert_int_equal(seen, 7);
}

struct find_spec {
	int64_t company, seq;
	struct outbox_position position;
	bool found;
};

static struct err *
find(struct db_tx *tx, void *arg)
{
	struct find_spec *s = arg;
	return outbox_find(tx, s->company, s->seq, &s->position, &s->found);
}

static void
an_event_is_found_by_its_number_in_its_company(void **state)
{
	struct world *f = *state;
	struct read_spec r = { 0 };

	put(f, 1, "kpi.created", "kpi-001");
	settle(f);
	look(f, &r);
	struct find_spec own = { .company = 1, .seq = r.end.seq };
	fixture_ok(db_read(f->db, f->a, find, &own));
	assert_true(own.found);
	assert_int_equal(outbox_compare(own.position, r.end), 0);
	struct find_spec other = { .company = 2, .seq = r.end.seq },
			 later = { .company = 1, .seq = r.end.seq + 1 };
	fixture_ok(db_read(f->db, f->a, find, &other));
	assert_false(other.found);
	fixture_ok(db_read(f->db, f->a, find, &later));
	assert_false(later.found);
}

/* ---- a transaction that stays open -------------------------------------------------------------------------------------------- */

struct slow {
	struct db *db;
	struct event_spec spec;
	sem_t inside, go_on;
	pthread_t thread;
};

static void *
write_slowly(void *arg)
{
	struct slow *s = arg;
	struct arena *a = arena_new(1u << 20);

	fixture_ok(db_write(s->db, a, add, &s->spec));
	arena_free(a);
	return NULL;
}

static void
slow_begin(struct world *f, struct slow *s)
{
	*s = (struct slow){ .db = f->db,
		.spec = { .at = f->now,
			.company = 1,
			.type = "kpi.slow",
			.object_type = "kpi",
			.object_id = "slow" } };
	sem_init(&s->inside, 0, 0);
	sem_init(&s->go_on, 0, 0);
	s->spec.inside = &s->inside;
	s->spec.go_on = &s->go_on;
	assert_int_equal(pthread_create(&s->thread, NULL, write_slowly, s), 0);
	sem_wait(&s->inside);
}

static void
slow_end(struct slow *s)
{
	sem_post(&s->go_on);
	pthread_join(s->thread, NULL);
}

/* On SQLite there is one writer, so nothing can come out of order. */
static void
an_open_transaction_holds_later_events_back(void **state)
{
	struct world *f = *state;
	struct read_spec r = { 0 };
	struct slow s;

	if (f->base.kind == DB_SQLITE)
		return;
	settle(f);
	slow_begin(f, &s);
	put(f, 1, "kpi.fast", "fast");
	look(f, &r);
	assert_int_equal(r.count, 0);
	assert_true(r.held_back);
	assert_int_equal(r.end.seq, 0);
	slow_end(&s);
	settle(f);
	look(f, &r);
	assert_int_equal(r.count, 2);
	assert_str(r.events[0].object_id, "slow");
	assert_str(r.events[1].object_id, "fast");
}

/* ---- following ---------------------------------------------------------------------------------------------------------------- */

struct heard {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct outbox_position last;
	size_t count, disorder;
	bool seen[2 * MANY]; /* by the number in object_id */
	size_t twice;
};

static void
hear(void *arg, const struct outbox_event *e, size_t count)
{
	struct heard *h = arg;

	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < count; i++) {
		int64_t number = 0;
		if (outbox_compare(h->last, e[i].position) >= 0)
			h->disorder++;
		h->last = e[i].position;
		h->count++;
		if (str_to_int(e[i].object_id, &number) && number < 2 * MANY) {
			h->twice += h->seen[number];
			h->seen[number] = true;
		}
	}
	pthread_cond_broadcast(&h->moved);
	pthread_mutex_unlock(&h->lock);
}

static void
heard_init(struct heard *h)
{
	*h = (struct heard){ 0 };
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->moved, NULL);
}

static bool
wait_heard(struct heard *h, size_t count, int ms)
{
	struct timespec until;
	bool enough = true;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&h->lock);
	while (enough && h->count < count)
		enough = pthread_cond_timedwait(&h->moved, &h->lock, &until) == 0;
	pthread_mutex_unlock(&h->lock);
	return enough;
}

static struct outbox *
follow(struct world *f, struct db *db, struct heard *h)
{
	struct outbox_listener listener = { .events = hear, .arg = h };
	struct outbox *o;

	heard_init(h);
	fixture_ok(outbox_start(f->a, db, &listener, 1, &o));
	return o;
}

struct writer {
	struct db *db;
	int first, step;
	struct instant at;
	pthread_t thread;
};

static void *
write_many(void *arg)
{
	struct writer *w = arg;
	struct arena *a = arena_new(8u << 20);

	for (int i = w->first; i < MANY; i += w->step) {
		struct event_spec s = { .at = w->at,
			.company = 1 + i % 3,
			.type = "kpi.updated",
			.object_type = "kpi",
			.object_id = arena_fmt(a, "%d", i).p };
		fixture_ok(db_write(w->db, a, add, &s));
	}
	arena_free(a);
	return NULL;
}

/* Writers on two nodes where there can be two; a reader on each. */
static void
every_event_is_heard_once_and_in_order(void **state)
{
	struct world *f = *state;
	struct db *second = f->db;
	struct heard here, there;
	struct writer writers[8];

	if (f->base.kind == DB_POSTGRES) {
		struct db_options o = { .url = f->base.url, .connections = 4 };
		fixture_ok(db_open(f->a, &o, &second));
	}
	put(f, 1, "kpi.created", "0"); /* before the readers began: not theirs */
	settle(f);
	struct outbox *a = follow(f, f->db, &here), *b = follow(f, second, &there);
	for (int i = 0; i < (int)COUNT(writers); i++) {
		writers[i] = (struct writer){
			.db = i % 2 ? second : f->db, .first = i, .step = COUNT(writers), .at = f->now
		};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
	}
	for (size_t i = 0; i < COUNT(writers); i++)
		pthread_join(writers[i].thread, NULL);
	assert_true(wait_heard(&here, MANY, SOON_MS));
	assert_true(wait_heard(&there, MANY, SOON_MS));
	outbox_stop(a);
	outbox_stop(b);
	assert_int_equal(here.count, MANY);
	assert_int_equal(there.count, MANY);
	assert_int_equal(here.twice + there.twice + here.disorder + there.disorder, 0);
	if (second != f->db)
		db_close(second);
}

static void
the_reader_waits_for_an_open_transaction(void **state)
{
	struct world *f = *state;
	struct heard h;
	struct slow s;

	if (f->base.kind == DB_SQLITE)
		return;
	settle(f);
	struct outbox *o = follow(f, f->db, &h);
	slow_begin(f, &s);
	put(f, 1, "kpi.fast", "1");
	assert_false(wait_heard(&h, 1, 200));
	slow_end(&s);
	assert_true(wait_heard(&h, 2, SOON_MS));
	assert_int_equal(h.disorder, 0);
	outbox_stop(o);
}

static struct err *
write_nothing(struct db_tx *tx, void *arg)
{
	const struct slow *s = arg;
	struct db_sql q = db_sql_make("test", STR("DELETE FROM deal"), 0);

	TRY(DB_EXEC(tx, &q));
	sem_post(s->spec.inside);
	sem_wait(s->spec.go_on);
	return err_new(db_tx_arena(tx), ERR_CONFLICT, "Rolled back.");
}

static void *
roll_back_slowly(void *arg)
{
	struct slow *s = arg;
	struct arena *a = arena_new(1u << 20);

	assert_non_null(db_write(s->db, a, write_nothing, s));
	arena_free(a);
	return NULL;
}

/* How long it takes until number n is heard once nothing holds it back any more. */
static int64_t
held_back_by_a_roll_back_us(struct world *f, struct heard *h, size_t n)
{
	struct slow s = { .db = f->db };

	sem_init(&s.inside, 0, 0);
	sem_init(&s.go_on, 0, 0);
	s.spec.inside = &s.inside;
	s.spec.go_on = &s.go_on;
	assert_int_equal(pthread_create(&s.thread, NULL, roll_back_slowly, &s), 0);
	sem_wait(&s.inside);
	put(f, 1, "kpi.fast", arena_fmt(f->a, "%zu", n).p);
	assert_false(wait_heard(h, n, 100));
	slow_end(&s);
	settle(f);
	int64_t began_us = monotonic_us();
	assert_true(wait_heard(h, n, SOON_MS));
	return monotonic_us() - began_us;
}

/* It wakes nobody when it ends, and what it held back arrives all the same. */
static void
a_transaction_that_rolls_back_holds_nothing_for_long(void **state)
{
	struct world *f = *state;
	struct heard h;
	size_t tries = 1;

	if (f->base.kind == DB_SQLITE)
		return;
	settle(f);
	fixture_run(&f->base, "INSERT INTO deal (company_id, id, version, created_at, updated_at, title) "
			      "VALUES (1, 1, 1, 1, 1, 'x')");
	struct outbox *o = follow(f, f->db, &h);
	/* Not only at the next look; a busy machine has more than one try. */
	while (held_back_by_a_roll_back_us(f, &h, tries) >= 800000)
		assert_true(++tries < 20);
	outbox_stop(o);
}

/* What this node remembers of a company is stale as soon as another node has changed it. */
static void
epochs_move_for_another_nodes_events(void **state)
{
	struct world *f = *state;
	struct db_options o = { .url = f->base.url, .connections = 2 };
	struct db *second;
	struct heard h;

	if (f->base.kind == DB_SQLITE)
		return;
	fixture_ok(db_open(f->a, &o, &second));
	settle(f);
	struct outbox *there = follow(f, second, &h);
	uint64_t before = db_epoch(second, 2), all = db_epoch(second, 0);
	put(f, 2, "kpi.updated", "1");
	/* The writing node announces; here nobody does, so that it is the look that finds it. */
	assert_true(wait_heard(&h, 1, SOON_MS));
	assert_true(db_epoch(second, 2) > before);
	assert_true(db_epoch(second, 0) > all);
	outbox_stop(there);
	db_close(second);
}

/* The connections of the whole database are cut while events are written: after a while all of them have been heard, once. */
static void
a_lost_connection_loses_no_event(void **state)
{
	struct world *f = *state;
	struct heard h;

	if (f->base.kind == DB_SQLITE)
		return;
	settle(f);
	struct outbox *o = follow(f, f->db, &h);
	for (int i = 0; i < 30; i++) {
		put(f, 1, "kpi.updated", arena_fmt(f->a, "%d", i).p);
		if (i % 10 == 5)
			(void)fixture_int(&f->base, "SELECT COUNT(pg_terminate_backend(pid, 30000)) FROM "
						    "pg_stat_activity WHERE datname = "
						    "current_database() AND pid <> pg_backend_pid()");
	}
	assert_true(wait_heard(&h, 30, SOON_MS));
	assert_int_equal(h.twice + h.disorder, 0);
	outbox_stop(o);
	assert_int_equal(h.count, 30);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(events_come_whole_and_in_order, world_reset),
		cmocka_unit_test_setup(filters_must_all_agree, world_reset),
		cmocka_unit_test_setup(large_events_come_in_parts, world_reset),
		cmocka_unit_test_setup(an_event_is_found_by_its_number_in_its_company, world_reset),
		cmocka_unit_test_setup(an_open_transaction_holds_later_events_back, world_reset),
		cmocka_unit_test_setup(every_event_is_heard_once_and_in_order, world_reset),
		cmocka_unit_test_setup(the_reader_waits_for_an_open_transaction, world_reset),
		cmocka_unit_test_setup(a_transaction_that_rolls_back_holds_nothing_for_long, world_reset),
		cmocka_unit_test_setup(epochs_move_for_another_nodes_events, world_reset),
		cmocka_unit_test_setup(a_lost_connection_loses_no_event, world_reset),
	};
	return world_run("outbox", tests, COUNT(tests));
}
