/* What every database must do, held by both: values, rows, failures, groups, numbers, epochs. */
#include "base/limits.h"
#include "fixture.h"
#include "sql_all.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char table_sql[] =
	"CREATE TABLE thing (company_id BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT, ratio DOUBLE "
	"PRECISION,"
	" PRIMARY KEY (company_id, id), CONSTRAINT thing_name_key UNIQUE (company_id, name))";
static const char bytes_sql[] =
	"CREATE TABLE bytes (id BIGINT PRIMARY KEY, content %s, thing_company BIGINT, thing_id BIGINT,"
	" FOREIGN KEY (thing_company, thing_id) REFERENCES thing (company_id, id))";

static int
set_up(void **state, enum db_kind kind)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->kind = kind;
	if (fixture_available(kind)) {
		fixture_start(f);
		fixture_run(f, table_sql);
		fixture_run(f, arena_fmt(f->arena, bytes_sql, kind == DB_SQLITE ? "BLOB" : "BYTEA").p);
		fixture_run(f, kind == DB_SQLITE ? "INSERT INTO sequence (name, next) VALUES ('thing', 1)"
						 : "CREATE SEQUENCE thing_seq INCREMENT BY 32");
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

#define SQL(literal, params) db_sql_make("test", STR(literal), (params))

/* ---- values and rows -------------------------------------------------------------------------------------------------------- */

static struct err *
round_trip(struct db_tx *tx, void *arg)
{
	struct db_sql insert =
		SQL("INSERT INTO thing (company_id, id, name, ratio) VALUES ($2, $1, $4, $3)", 4);
	struct db_sql find = SQL(
		"SELECT company_id, id, name, ratio, NULL FROM thing WHERE company_id = $1 AND id = $2", 2);
	static const double doubles[] = { 0.1, -0.0, 1e308, 5e-324, 3, 123456789.123456789 };
	static const char *const names[] = { "", "a", "Ωμέγα \xf0\x9f\x98\x80", "'\"$1?\\", "x", "\n\t" };
	struct db_rows r;
	bool found;

	(void)arg;
	for (size_t i = 0; i < COUNT(doubles); i++) {
		int64_t id = i % 2 ? INT64_MIN + (int64_t)i : INT64_MAX - (int64_t)i;
		TRY(DB_EXEC(tx, &insert, P_INT(id), P_INT(1), P_DOUBLE(doubles[i]),
			P_TEXT(str_from_cstr(names[i]))));
		TRY(DB_FIND(tx, &find, &r, &found, P_INT(1), P_INT(id)));
		assert_true(found);
		assert_int_equal(db_int(&r, 1), id);
		struct str name = db_text_copy(&r, 2);
		assert_non_null(name.p);
		assert_true(str_eq(name, str_from_cstr(names[i])));
		double back = db_double(&r, 3);
		assert_memory_equal(&back, &doubles[i], i == 1 ? 0 : sizeof(back));
		assert_true(db_is_null(&r, 4));
		assert_int_equal(db_int(&r, 4), 0);
		assert_null(db_text(&r, 4).p);
	}
	TRY(DB_FIND(tx, &find, &r, &found, P_INT(1), P_INT(7)));
	assert_false(found);
	return NULL;
}

static void
values_come_back_as_they_were(void **state)
{
	struct fixture *f = fixture_of(state);

	fixture_ok(db_write(f->db, f->arena, round_trip, NULL));
}

static struct err *
blob_round_trip(struct db_tx *tx, void *arg)
{
	struct db_sql insert = SQL("INSERT INTO bytes (id, content) VALUES ($1, $2)", 2);
	struct db_sql find = SQL("SELECT content FROM bytes WHERE id = $1", 1);
	struct str content = STR("\0\1\xff\\x\0");
	struct db_rows r;
	bool found;

	(void)arg;
	TRY(DB_EXEC(tx, &insert, P_INT(1), P_BLOB(content)));
	TRY(DB_EXEC(tx, &insert, P_INT(2), P_BLOB(STR(""))));
	TRY(DB_EXEC(tx, &insert, P_INT(3), P_NULL));
	TRY(DB_FIND(tx, &find, &r, &found, P_INT(1)));
	assert_true(found && str_eq(db_text(&r, 0), content));
	TRY(DB_FIND(tx, &find, &r, &found, P_INT(2)));
	assert_true(found && !db_is_null(&r, 0) && db_text(&r, 0).n == 0);
	TRY(DB_FIND(tx, &find, &r, &found, P_INT(3)));
	assert_true(found && db_is_null(&r, 0));
	return NULL;
}

static void
bytes_come_back_as_they_were(void **state)
{
	struct fixture *f = fixture_of(state);

	fixture_ok(db_write(f->db, f->arena, blob_round_trip, NULL));
}

static struct err *
insert_things(struct db_tx *tx, void *arg)
{
	struct db_sql insert = SQL("INSERT INTO thing (company_id, id) VALUES (1, $1)", 1);
	const int *count = arg;

	for (int i = 0; i < *count; i++)
		TRY(DB_EXEC(tx, &insert, P_INT(i)));
	return NULL;
}

static struct err *
nested_rows(struct db_tx *tx, void *arg)
{
	struct db_sql list = SQL("SELECT id FROM thing WHERE id < $1 ORDER BY id", 1);
	struct db_rows outer, inner;
	bool row;
	int *sum = arg;

	*sum = 0;
	TRY(DB_QUERY(tx, &list, &outer, P_INT(10)));
	for (;;) {
		TRY(db_next(&outer, &row));
		if (!row)
			break;
		TRY(DB_QUERY(tx, &list, &inner, P_INT(db_int(&outer, 0))));
		for (;;) {
			TRY(db_next(&inner, &row));
			if (!row)
				break;
			*sum += 1;
		}
	}
	/* Rows left unread end with the transaction, or before. */
	TRY(DB_QUERY(tx, &list, &outer, P_INT(10)));
	TRY(db_next(&outer, &row));
	assert_true(row);
	db_rows_close(&outer);
	TRY(DB_QUERY(tx, &list, &outer, P_INT(10)));
	return db_next(&outer, &row);
}

static void
a_query_runs_inside_the_rows_of_itself(void **state)
{
	struct fixture *f = fixture_of(state);
	int count = 10, sum;

	fixture_ok(db_write(f->db, f->arena, insert_things, &count));
	for (int i = 0; i < 3; i++) {
		fixture_ok(db_read(f->db, f->arena, nested_rows, &sum));
		assert_int_equal(sum, 45);
	}
}

static struct err *
affected_rows(struct db_tx *tx, void *arg)
{
	struct db_sql update = SQL("UPDATE thing SET name = CAST(id AS TEXT) WHERE id >= $1", 1);
	struct db_param p[] = { P_INT(7) };
	int64_t *affected = arg;

	return db_exec(tx, &update, p, COUNT(p), affected);
}

static void
exec_counts_the_rows_it_changed(void **state)
{
	struct fixture *f = fixture_of(state);
	int count = 10;
	int64_t affected;

	fixture_ok(db_write(f->db, f->arena, insert_things, &count));
	fixture_ok(db_write(f->db, f->arena, affected_rows, &affected));
	assert_int_equal(affected, 3);
}

static struct err *
many_statements(struct db_tx *tx, void *arg)
{
	(void)arg;
	for (int i = 0; i < 3 * LIMIT_STATEMENTS; i++) {
		struct db_sql q = db_sql_make("test",
			arena_fmt(db_tx_arena(tx), "SELECT CAST(%d AS BIGINT) + CAST($1 AS BIGINT)", i), 1);
		struct db_rows r;
		bool found;
		TRY(DB_FIND(tx, &q, &r, &found, P_INT(1)));
		assert_int_equal(db_int(&r, 0), i + 1);
	}
	return NULL;
}

static void
more_statements_than_are_kept_still_run(void **state)
{
	struct fixture *f = fixture_of(state);

	fixture_ok(db_read(f->db, f->arena, many_statements, NULL));
	fixture_ok(db_read(f->db, f->arena, many_statements, NULL));
}

/* ---- failures --------------------------------------------------------------------------------------------------------------- */

struct insert {
	int64_t id;
	struct str name;
	bool swallow;
};

static struct err *
insert_named(struct db_tx *tx, void *arg)
{
	struct db_sql q = SQL("INSERT INTO thing (company_id, id, name) VALUES (1, $1, $2)", 2);
	const struct insert *in = arg;
	struct err *e = DB_EXEC(tx, &q, P_INT(in->id), P_TEXT(in->name));

	db_tx_touch(tx, 1);
	return in->swallow ? NULL : e;
}

static void
a_unique_violation_names_its_column(void **state)
{
	struct fixture *f = fixture_of(state);
	struct insert first = { 1, STR("a"), false }, same_name = { 2, STR("a"), false },
		      same_id = { 1, STR("b"), false };

	fixture_ok(db_write(f->db, f->arena, insert_named, &first));
	struct err *e = db_write(f->db, f->arena, insert_named, &same_name);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_CONFLICT);
	assert_true(str_eq(err_code_word(e), STR("UNIQUE_VIOLATION")));
	assert_true(str_eq(db_err_unique_column(e), STR("name")));
	e = db_write(f->db, f->arena, insert_named, &same_id);
	assert_non_null(e);
	assert_true(str_eq(db_err_unique_column(e), STR("id")));
}

static struct err *
insert_dangling(struct db_tx *tx, void *arg)
{
	struct db_sql q = SQL("INSERT INTO bytes (id, thing_company, thing_id) VALUES (1, 1, 99)", 0);

	(void)arg;
	return DB_EXEC(tx, &q);
}

static void
a_reference_violation_is_a_conflict(void **state)
{
	struct fixture *f = fixture_of(state);
	struct err *e = db_write(f->db, f->arena, insert_dangling, NULL);

	assert_non_null(e);
	assert_int_equal(e->code, ERR_CONFLICT);
	assert_true(str_eq(err_code_word(e), STR("REFERENCE_VIOLATION")));
	assert_int_equal(db_err_unique_column(e).n, 0);
}

static void
a_swallowed_failure_is_not_committed(void **state)
{
	struct fixture *f = fixture_of(state);
	struct insert first = { 1, STR("a"), false }, second = { 2, STR("a"), true };

	fixture_ok(db_write(f->db, f->arena, insert_named, &first));
	assert_non_null(db_write(f->db, f->arena, insert_named, &second));
	assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), 1);
}

static struct err *
insert_and_refuse(struct db_tx *tx, void *arg)
{
	TRY(insert_named(tx, arg));
	return err_new(db_tx_arena(tx), ERR_PRECONDITION_FAILED, "");
}

static void
an_error_of_work_undoes_it_and_comes_back(void **state)
{
	struct fixture *f = fixture_of(state);
	struct insert in = { 1, STR("a"), false };
	uint64_t before = db_epoch(f->db, 1);
	struct err *e = db_write(f->db, f->arena, insert_and_refuse, &in);

	assert_non_null(e);
	assert_int_equal(e->code, ERR_PRECONDITION_FAILED);
	assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), 0);
	assert_int_equal(db_epoch(f->db, 1), before);
}

/* ids put off one after the other; 0 ends them. A negative one is asked for at once what is there. */
static struct err *
put_off(struct db_tx *tx, void *arg)
{
	struct db_sql insert = SQL("INSERT INTO thing (company_id, id, name) VALUES (1, $1, 'x' || $2)", 2);
	struct db_sql count = SQL("SELECT count(*) FROM thing", 0);
	int64_t seen = 0;
	struct db_rows r;
	bool found;

	for (const int64_t *id = arg; *id; id++) {
		if (*id > 0) {
			TRY(DB_EXEC_LATER(
				tx, &insert, P_INT(*id), P_TEXT(arena_fmt(db_tx_arena(tx), "%d", (int)*id))));
			seen++;
			continue;
		}
		TRY(DB_FIND(tx, &count, &r, &found));
		assert_int_equal(db_int(&r, 0), seen);
	}
	return NULL;
}

static void
what_is_put_off_happens_in_its_order(void **state)
{
	struct fixture *f = fixture_of(state);
	int64_t some[] = { 1, 2, -1, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, 12, 0 };

	fixture_ok(db_write(f->db, f->arena, put_off, some));
	assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), 12);
}

/* With the COMMIT, with a query behind it, and with more behind it; and whoever writes next notices nothing. */
static void
an_error_that_was_put_off_comes_at_the_end_at_last(void **state)
{
	struct fixture *f = fixture_of(state);
	int64_t ends[] = { 1, 1, 0 }, goes_on[] = { 2, 2, -1, 0 }, more[] = { 3, 3, 4, 5, 0 },
		next[] = { 6, 0 };
	int64_t *all[] = { ends, goes_on, more };

	for (size_t i = 0; i < COUNT(all); i++) {
		struct err *e = db_write(f->db, f->arena, put_off, all[i]);
		assert_non_null(e);
		assert_int_equal(e->code, ERR_CONFLICT);
		assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), 0);
	}
	fixture_ok(db_write(f->db, f->arena, put_off, next));
	assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), 1);
}

static struct err *
put_off_and_refuse(struct db_tx *tx, void *arg)
{
	TRY(put_off(tx, arg));
	return err_new(db_tx_arena(tx), ERR_PRECONDITION_FAILED, "");
}

static void
what_was_put_off_is_undone_with_the_rest(void **state)
{
	struct fixture *f = fixture_of(state);
	int64_t good[] = { 1, 0 }, bad[] = { 2, 2, 0 }, next[] = { 3, 0 };

	assert_non_null(db_write(f->db, f->arena, put_off_and_refuse, good));
	assert_non_null(db_write(f->db, f->arena, put_off_and_refuse, bad));
	for (int i = 0; i < 8; i++, next[0]++) /* every connection of the pool */
		fixture_ok(db_write(f->db, f->arena, put_off, next));
	assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), 8);
}

static struct err *
bad_statement(struct db_tx *tx, void *arg)
{
	struct db_sql q = SQL("SELECT x FROM nowhere", 0);
	struct db_rows r;

	(void)arg;
	return DB_QUERY(tx, &q, &r);
}

static void
a_fault_of_the_program_is_internal_and_keeps_its_text_private(void **state)
{
	struct fixture *f = fixture_of(state);
	struct err *e = db_read(f->db, f->arena, bad_statement, NULL);

	assert_non_null(e);
	assert_int_equal(e->code, ERR_INTERNAL);
	assert_null(memmem(e->message.p, e->message.n, "nowhere", 7));
	assert_non_null(memmem(e->detail.p, e->detail.n, "nowhere", 7));
	/* The connection goes on. */
	assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), 0);
}

static struct err *
count_things(struct db_tx *tx, int64_t *out)
{
	struct db_sql q = SQL("SELECT count(*) FROM thing", 0);
	struct db_rows r;
	bool found;

	TRY(DB_FIND(tx, &q, &r, &found));
	*out = db_int(&r, 0);
	return NULL;
}

struct two_counts {
	struct fixture *f;
	int64_t before, after;
};

static struct err *
read_while_another_writes(struct db_tx *tx, void *arg)
{
	struct two_counts *counts = arg;

	TRY(count_things(tx, &counts->before));
	fixture_run(counts->f, "INSERT INTO thing (company_id, id) VALUES (1, 1)");
	return count_things(tx, &counts->after);
}

static void
a_read_sees_one_moment(void **state)
{
	struct two_counts counts = { .f = fixture_of(state) };

	fixture_ok(db_read(counts.f->db, counts.f->arena, read_while_another_writes, &counts));
	assert_int_equal(counts.before, 0);
	assert_int_equal(counts.after, 0);
	assert_int_equal(fixture_int(counts.f, "SELECT count(*) FROM thing"), 1);
}

static void
a_read_cannot_write(void **state)
{
	struct fixture *f = fixture_of(state);
	struct insert in = { 1, STR("a"), false };

	assert_non_null(db_read(f->db, f->arena, insert_named, &in));
	assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), 0);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------------- */

struct task {
	struct db_job job;
	struct insert in;
	bool refuse;
	_Atomic int *left;
	enum { NOT_DONE, DONE_WELL, DONE_WITH_ERROR } outcome;
};

static struct err *
task_work(struct db_tx *tx, void *arg)
{
	struct task *t = arg;

	return t->refuse ? insert_and_refuse(tx, &t->in) : insert_named(tx, &t->in);
}

static void
task_done(struct db_job *job, struct err *e)
{
	struct task *t = (struct task *)job;

	t->outcome = e ? DONE_WITH_ERROR : DONE_WELL;
	(*t->left)--;
}

static void
task_init(struct task *t, int64_t id, _Atomic int *left)
{
	struct arena *a = arena_new(1u << 16);

	*t = (struct task){ .in = { id, arena_fmt(a, "n%lld", (long long)id), false }, .left = left };
	t->job = (struct db_job){ .arena = a, .work = task_work, .arg = t, .done = task_done };
}

#define TASKS 2000

static void
jobs_of_a_group_fail_alone(void **state)
{
	struct fixture *f = fixture_of(state);
	struct task *tasks = calloc(TASKS, sizeof(*tasks));
	_Atomic int left = TASKS;
	int64_t wanted = 0;

	for (int i = 0; i < TASKS; i++) {
		task_init(&tasks[i], i, &left);
		tasks[i].refuse = i % 3 == 1;
		if (i % 7 == 3)
			tasks[i].in.name = STR("the same");
		fixture_ok(db_submit(f->db, f->arena, &tasks[i].job));
	}
	db_close(f->db); /* finishes what is queued */
	assert_int_equal(left, 0);
	fixture_open(f);
	bool same_taken = false;
	for (int i = 0; i < TASKS; i++) {
		bool well = tasks[i].outcome == DONE_WELL;
		if (i % 3 == 1)
			assert_false(well);
		else if (i % 7 != 3)
			assert_true(well);
		else if (well) {
			assert_false(same_taken);
			same_taken = true;
		}
		wanted += well;
		arena_free(tasks[i].job.arena);
	}
	assert_true(same_taken);
	assert_int_equal(fixture_int(f, "SELECT count(*) FROM thing"), wanted);
	free(tasks);
}

#define THREADS	   8
#define PER_THREAD 100

static struct err *
count_up(struct db_tx *tx, void *arg)
{
	struct db_sql q = SQL("UPDATE thing SET ratio = ratio + 1 WHERE company_id = 1 AND id = 0", 0);

	(void)arg;
	return DB_EXEC(tx, &q);
}

static void *
count_many(void *arg)
{
	struct fixture *f = arg;
	struct arena *a = arena_new(1u << 20);

	for (int i = 0; i < PER_THREAD; i++) {
		if (db_write(f->db, a, count_up, NULL))
			abort();
		(void)fixture_int(&(struct fixture){ .db = f->db, .arena = a }, "SELECT count(*) FROM thing");
	}
	arena_free(a);
	return NULL;
}

static void
writes_and_reads_of_many_threads_lose_nothing(void **state)
{
	struct fixture *f = fixture_of(state);
	pthread_t threads[THREADS];

	fixture_run(f, "INSERT INTO thing (company_id, id, ratio) VALUES (1, 0, 0)");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_many, f), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(fixture_int(f, "SELECT CAST(ratio AS BIGINT) FROM thing"), THREADS * PER_THREAD);
}

struct gate {
	pthread_mutex_t lock;
	_Atomic int entered;
};

static struct err *
wait_at_gate(struct db_tx *tx, void *arg)
{
	struct gate *g = arg;

	(void)tx;
	g->entered++;
	pthread_mutex_lock(&g->lock);
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void
count_down(struct db_job *job, struct err *e)
{
	assert_null(e);
	--*((struct task *)job)->left;
}

static void
a_full_queue_refuses(void **state)
{
	struct fixture *f = fixture_of(state);
	struct gate gate = { .lock = PTHREAD_MUTEX_INITIALIZER };
	int most = LIMIT_WRITE_QUEUE + 16, accepted = 0;
	struct task *tasks = calloc((size_t)most, sizeof(*tasks));
	_Atomic int left = 0;
	struct err *e = NULL;

	pthread_mutex_lock(&gate.lock);
	for (int i = 0; i < most && !e; i++) {
		tasks[i].left = &left;
		tasks[i].job = (struct db_job){
			.arena = f->arena, .work = wait_at_gate, .arg = &gate, .done = count_down
		};
		left++;
		e = db_submit(f->db, f->arena, &tasks[i].job);
		accepted += !e;
		while (i < 4 && gate.entered == 0)
			sched_yield(); /* every thread of the database shall be at the gate before the queue is filled */
	}
	assert_non_null(e);
	assert_int_equal(e->code, ERR_UNAVAILABLE);
	assert_true(e->retry_after_s > 0);
	assert_true(accepted >= LIMIT_WRITE_QUEUE);
	pthread_mutex_unlock(&gate.lock);
	while (left > 1) /* the refused one stays */
		sched_yield();
	db_close(f->db);
	fixture_open(f);
	free(tasks);
}

/* ---- numbers and epochs ----------------------------------------------------------------------------------------------------- */

struct numbers {
	int64_t ids[100];
	bool refuse;
};

static struct err *
draw_numbers(struct db_tx *tx, void *arg)
{
	struct numbers *n = arg;

	for (size_t i = 0; i < COUNT(n->ids); i++)
		TRY(db_next_id(tx, "thing", &n->ids[i]));
	return n->refuse ? err_new(db_tx_arena(tx), ERR_CONFLICT, "") : NULL;
}

static void
numbers_of_a_sequence_rise(void **state)
{
	struct fixture *f = fixture_of(state);
	struct numbers n = { .refuse = false };
	int64_t last = 0;

	for (int k = 0; k < 4; k++) {
		n.refuse = k == 1;
		struct err *e = db_write(f->db, f->arena, draw_numbers, &n);
		assert_int_equal(e != NULL, n.refuse);
		for (size_t i = 0; i < COUNT(n.ids) && !n.refuse; i++) {
			assert_true(n.ids[i] > last);
			last = n.ids[i];
		}
		if (k == 2) {
			db_close(f->db);
			fixture_open(f);
		}
	}
}

static struct err *
draw_unknown(struct db_tx *tx, void *arg)
{
	return db_next_id(tx, "no_such", arg);
}

static void
an_unknown_sequence_is_an_error(void **state)
{
	struct fixture *f = fixture_of(state);
	int64_t id = 0;
	struct err *e = db_write(f->db, f->arena, draw_unknown, &id);

	assert_non_null(e);
	assert_int_equal(e->code, ERR_INTERNAL);
}

static struct err *
touch_many(struct db_tx *tx, void *arg)
{
	(void)arg;
	for (int64_t i = 100; i < 130; i++)
		db_tx_touch(tx, i);
	return NULL;
}

static void
epochs_move_with_commits(void **state)
{
	struct fixture *f = fixture_of(state);
	struct insert in = { 1, STR("a"), false };
	uint64_t company = db_epoch(f->db, 1), other = db_epoch(f->db, 2), all = db_epoch(f->db, 0);

	fixture_ok(db_write(f->db, f->arena, insert_named, &in));
	assert_true(db_epoch(f->db, 1) > company);
	assert_true(db_epoch(f->db, 0) > all);
	assert_int_equal(db_epoch(f->db, 2), other);
	uint64_t late = db_epoch(f->db, 129);
	fixture_ok(db_write(f->db, f->arena, touch_many, NULL));
	assert_true(db_epoch(f->db, 129) > late);
}

/* ---- the schema ------------------------------------------------------------------------------------------------------------- */

static struct err *
prepare_all(struct db_tx *tx, void *arg)
{
	int *count = arg;

	for (size_t i = 0; i < COUNT(sql_all); i++)
		for (size_t k = 0; k < sql_all[i].count; k++) {
			const struct db_sql *q = sql_all[i].statements[k];
			if (!q->text[db_tx_kind(tx)].p)
				continue;
			TRY(db_prepare_check(tx, q));
			++*count;
		}
	return NULL;
}

static void
every_statement_of_the_house_can_be_prepared(void **state)
{
	struct fixture *f = fixture_of(state);
	int count = 0;

	fixture_ok(db_read(f->db, f->arena, prepare_all, &count));
	assert_true(count > 3);
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
		ON_BOTH(values_come_back_as_they_were),
		ON_BOTH(bytes_come_back_as_they_were),
		ON_BOTH(a_query_runs_inside_the_rows_of_itself),
		ON_BOTH(exec_counts_the_rows_it_changed),
		ON_BOTH(more_statements_than_are_kept_still_run),
		ON_BOTH(a_unique_violation_names_its_column),
		ON_BOTH(a_reference_violation_is_a_conflict),
		ON_BOTH(a_swallowed_failure_is_not_committed),
		ON_BOTH(an_error_of_work_undoes_it_and_comes_back),
		ON_BOTH(what_is_put_off_happens_in_its_order),
		ON_BOTH(an_error_that_was_put_off_comes_at_the_end_at_last),
		ON_BOTH(what_was_put_off_is_undone_with_the_rest),
		ON_BOTH(a_fault_of_the_program_is_internal_and_keeps_its_text_private),
		ON_BOTH(a_read_cannot_write),
		ON_BOTH(a_read_sees_one_moment),
		ON_BOTH(jobs_of_a_group_fail_alone),
		ON_BOTH(writes_and_reads_of_many_threads_lose_nothing),
		ON_BOTH(a_full_queue_refuses),
		ON_BOTH(numbers_of_a_sequence_rise),
		ON_BOTH(an_unknown_sequence_is_an_error),
		ON_BOTH(epochs_move_with_commits),
		ON_BOTH(every_statement_of_the_house_can_be_prepared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
