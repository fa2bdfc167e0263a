/*
 * What the writer remembers of KPIs against a writer that remembers nothing: the same values, corrections, targets, changed KPIs, failing
 * jobs, faults and foreign commits, alone and in groups, leave the same rollups, states and events, word for word; and what is judged
 * from memory is what is judged from the tables.
 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../db/fixture.h"
#include "base/random.h"
#include "db/faults.h"
#include "domain/iam/company.h"
#include "domain/kpi/rollup.h"
#include "domain/kpi/status.h"
#include "domain/kpi/value.h"

#define ROUNDS	 500
#define TOGETHER 6 /* operations of one group at most */
#define DAY_US	 (86400 * INSTANT_SECOND)
#define START_US (1709251200 * INSTANT_SECOND) /* 2024-03-01 */

static const char *const kpi_bodies[] = {
	"{\"id\":\"k0\",\"name\":\"Sum\",\"type\":\"COUNT\",\"aggregation\":\"sum\",\"thresholds\":{\"target_"
	"value\":900}}",
	"{\"id\":\"k1\",\"name\":\"Last\",\"type\":\"NUMERIC\",\"aggregation\":\"last\",\"thresholds\":{"
	"\"target_value\":50,\"direction\":\"lower\"}}",
	"{\"id\":\"k2\",\"name\":\"Max\",\"type\":\"COUNT\",\"aggregation\":\"max\",\"thresholds\":{\"min_"
	"value\":20,\"max_value\":70,\"direction\":"
	"\"range\"},\"time_config\":{\"period\":\"week\",\"no_data_after_days\":3}}",
	"{\"id\":\"k3\",\"name\":\"Average\",\"type\":\"COUNT\",\"aggregation\":\"avg\",\"thresholds\":{"
	"\"target_value\":60},\"time_config\":{"
	"\"start_date\":\"2024-03-02T00:00:00Z\",\"end_date\":\"2024-03-20T00:00:00Z\"}}",
	"{\"id\":\"k4\",\"name\":\"Least\",\"type\":\"COUNT\",\"aggregation\":\"min\",\"thresholds\":{"
	"\"target_value\":30},\"time_config\":{"
	"\"end_date\":\"2024-03-15T00:00:00Z\"}}",
	"{\"id\":\"k5\",\"name\":\"Ratio\",\"type\":\"RATIO\",\"formula\":\"{k0} / "
	"{k1}\",\"thresholds\":{\"target_value\":10}}",
};
#define ENTERED 5 /* KPIs that values are entered for */

static const char *const changes[] = {
	"{\"time_config\":{\"period\":\"quarter\"}}",
	"{\"time_config\":{\"period\":\"day\"}}",
	"{\"thresholds\":{\"target_value\":75}}",
	"{\"thresholds\":{\"hysteresis\":0.1}}",
	"{\"status\":\"inactive\"}",
	"{\"status\":\"active\"}",
	"{\"thresholds\":{\"prorate\":true}}",
};

struct world {
	struct fixture base;
	struct actor actor;
	struct instant now;
};

enum action { PUT, CHANGE, REMOVE, TARGET, TARGET_REMOVE, EDIT, FAIL, RECALCULATE };

struct operation {
	struct db_job job;
	struct world *world;
	enum action action;
	int kpi, edit;
	struct instant at[3];
	int64_t values[3];
	const char *slice;
	size_t count;
	sem_t *over;
	struct err *result;
};

static uint32_t
below(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % n;
}

static struct res_ctx
context(struct db_tx *tx, const struct world *w)
{
	return (struct res_ctx){ .arena = db_tx_arena(tx), .tx = tx, .actor = &w->actor, .now = w->now };
}

static struct str
id_of(struct arena *a, int kpi)
{
	return arena_fmt(a, "k%d", kpi);
}

/* ---- operations ---- */

static struct err *
put(struct res_ctx *c, const struct operation *o, const struct kpi *k)
{
	struct kpi_value v[COUNT(o->at)];

	for (size_t i = 0; i < o->count; i++)
		v[i] = (struct kpi_value){ .at = o->at[i],
			.dimensions = str_from_cstr(o->slice),
			.value = { o->values[i], (int32_t)k->decimals },
			.recorded_at = c->now };
	return kpi_values_put(c, k, v, o->count);
}

static struct err *
put_target(struct res_ctx *c, const struct operation *o, const struct kpi *k)
{
	static const char *const periods[] = { "day", "week", "month" };
	struct buf day;
	struct kpi_target *targets;
	size_t count;
	json_val *body;

	buf_init_arena(&day, c->arena, 64);
	date_write(&day, zone_date(c->actor->zone, o->at[0]));
	if (o->action == TARGET_REMOVE)
		return kpi_target_remove(
			c, k, str_from_cstr(periods[o->values[1] % 3]), arena_str(c->arena, buf_str(&day)));
	TRY(json_parse(c->arena,
		arena_fmt(c->arena, "{\"period\":\"%s\",\"start\":\"%.*s\",\"value\":%lld}",
			periods[o->values[1] % 3], STR_ARG(buf_str(&day)), (long long)o->values[0]),
		&body));
	return kpi_targets_put(c, k, body, &targets, &count);
}

static struct err *
edit(struct res_ctx *c, const struct operation *o, const struct kpi *old)
{
	struct kpi k = *old;
	json_val *body;

	TRY(json_parse(c->arena, str_from_cstr(changes[o->edit]), &body));
	TRY(res_parse(c, &kpi_res, NULL, body, RES_MODE_MERGE, true, &k));
	return kpi_change(c, old, &k);
}

static struct err *
operate(struct db_tx *tx, void *arg)
{
	struct operation *o = arg;
	struct res_ctx c = context(tx, o->world);
	struct kpi_value old = { .at = o->at[0], .dimensions = str_from_cstr(o->slice) };
	struct kpi_value v = { .at = o->at[1], .dimensions = old.dimensions, .recorded_at = c.now };
	struct kpi k = { 0 };
	bool edits = o->action == TARGET || o->action == TARGET_REMOVE || o->action == EDIT;

	TRY(kpi_require(&c, id_of(c.arena, o->kpi), edits ? KPI_MAY_EDIT : KPI_MAY_SUBMIT, &k));
	v.value = (struct decimal){ o->values[0], (int32_t)k.decimals };
	switch (o->action) {
	case PUT:
		return put(&c, o, &k);
	case CHANGE:
		return kpi_value_change(&c, &k, kpi_value_id(c.arena, &old), &v);
	case REMOVE:
		return kpi_value_remove(&c, &k, kpi_value_id(c.arena, &old));
	case TARGET:
	case TARGET_REMOVE:
		return put_target(&c, o, &k);
	case EDIT:
		return edit(&c, o, &k);
	case FAIL:
		TRY(put(&c, o, &k));
		return err_new(c.arena, ERR_CONFLICT, "Undo this.");
	case RECALCULATE: {
		int64_t differences = -1;
		TRY(kpi_recalculate(&c, &k, &differences));
		assert_int_equal(differences, 0);
		return NULL;
	}
	}
	return NULL;
}

static void
tell(struct db_job *job, struct err *e)
{
	struct operation *o = job->arg;

	o->result = e;
	sem_post(o->over);
}

/* Together: they wait while the writer is busy with the first, so most share its next transaction. */
static void
run(struct world *w, struct operation *o, size_t count, struct arena *a)
{
	sem_t over;

	sem_init(&over, 0, 0);
	for (size_t i = 0; i < count; i++) {
		o[i].world = w;
		o[i].over = &over;
		o[i].job = (struct db_job){ .arena = a, .work = operate, .arg = &o[i], .done = tell };
		fixture_ok(db_submit(w->base.db, a, &o[i].job));
	}
	for (size_t i = 0; i < count; i++)
		while (sem_wait(&over))
			continue;
	sem_destroy(&over);
}

static struct operation
any_operation(uint64_t *seed, struct instant now)
{
	static const char *const slices[] = { "", "{\"country\":\"France\"}" };
	struct operation o = { .kpi = (int)below(seed, ENTERED), .count = 1 + below(seed, COUNT(o.at)) };
	uint32_t die = below(seed, 20);

	o.action = die < 12   ? PUT
		   : die < 13 ? CHANGE
		   : die < 14 ? REMOVE
		   : die < 15 ? TARGET
		   : die < 16 ? (below(seed, 2) ? TARGET_REMOVE : RECALCULATE)
		   : die < 17 ? EDIT
		   : die < 18 ? FAIL
			      : PUT;
	o.edit = (int)below(seed, COUNT(changes));
	o.slice = slices[below(seed, 2)];
	/* Few instants, so that some meet; some lie ahead of now, and some a period or two behind. */
	for (size_t i = 0; i < COUNT(o.at); i++) {
		o.at[i].us = now.us - now.us % DAY_US + ((int64_t)below(seed, 5) - 3) * DAY_US +
			     (int64_t)below(seed, 3) * DAY_US / 3;
		if (below(seed, 12) == 0)
			o.at[i].us -= 40 * DAY_US;
		o.values[i] = below(seed, 100);
	}
	return o;
}

/* ---- what must be the same ---- */

struct reading {
	struct world *world;
	struct arena *arena;
	struct str text;
	struct kpi_standing standings[COUNT(kpi_bodies)];
};

static struct err *
read_tables(struct db_tx *tx, void *arg)
{
	static const char *const queries[] = {
		"SELECT kpi_id || ' ' || state || ' ' || COALESCE(achievement, '-') FROM kpi_state ORDER BY "
		"kpi_id",
		"SELECT kpi_id || ' ' || dimensions || ' ' || day || ' ' || value_count || ' ' || value_sum "
		"|| ' ' || value_min || ' ' || "
		"value_max || ' ' || value_last || ' ' || last_at FROM kpi_rollup ORDER BY kpi_id, "
		"dimensions, day",
		"SELECT type || ' ' || object_id || ' ' || COALESCE(old_values, '-') || ' ' || "
		"COALESCE(new_values, '-') FROM event "
		"WHERE type LIKE 'threshold.%' OR object_type = 'kpi' ORDER BY seq",
	};
	struct reading *r = arg;
	struct db_rows rows;
	struct buf b;
	bool row;

	buf_init_arena(&b, r->arena, 16u << 20);
	for (size_t i = 0; i < COUNT(queries); i++) {
		struct db_sql q = db_sql_make("test", str_from_cstr(queries[i]), 0);
		TRY(DB_QUERY(tx, &q, &rows));
		for (;;) {
			TRY(db_next(&rows, &row));
			if (!row)
				break;
			buf_add_str(&b, db_text(&rows, 0));
			buf_add_byte(&b, '\n');
		}
	}
	buf_add_byte(&b, 0);
	r->text = buf_str(&b);
	return NULL;
}

static struct err *
judge_all(struct db_tx *tx, void *arg)
{
	struct reading *r = arg;
	struct res_ctx c = context(tx, r->world);

	for (int i = 0; i < (int)COUNT(kpi_bodies); i++) {
		struct kpi k = { 0 };
		TRY(kpi_require(&c, id_of(c.arena, i), i < ENTERED ? KPI_MAY_SUBMIT : KPI_MAY_VIEW, &k));
		TRY(kpi_standing(&c, &k, &r->standings[i]));
	}
	return NULL;
}

static void
same_decimal(bool has, struct decimal a, struct decimal b)
{
	if (has)
		assert_int_equal(decimal_cmp(a, b), 0);
}

/* On the writer from its memory, on a reader from the tables. */
static void
check_standings(struct world *w, struct arena *a)
{
	struct reading told = { .world = w }, read = { .world = w };

	fixture_ok(db_write(w->base.db, a, judge_all, &told));
	fixture_ok(db_read(w->base.db, a, judge_all, &read));
	for (size_t i = 0; i < COUNT(kpi_bodies); i++) {
		const struct kpi_standing *x = &told.standings[i], *y = &read.standings[i];
		assert_int_equal(x->state, y->state);
		assert_int_equal(x->has_value, y->has_value);
		assert_int_equal(x->has_target, y->has_target);
		assert_int_equal(x->has_achievement, y->has_achievement);
		assert_int_equal(x->as_of.days, y->as_of.days);
		assert_int_equal(x->from.days, y->from.days);
		assert_int_equal(x->to.days, y->to.days);
		same_decimal(x->has_value, x->value, y->value);
		same_decimal(x->has_target, x->target, y->target);
		same_decimal(x->has_target, x->expected, y->expected);
		same_decimal(x->has_achievement, x->achievement, y->achievement);
	}
}

static void
check_same(struct world *remembering, struct world *plain, struct arena *a)
{
	struct reading x = { .arena = a }, y = { .arena = a };

	fixture_ok(db_read(remembering->base.db, a, read_tables, &x));
	fixture_ok(db_read(plain->base.db, a, read_tables, &y));
	assert_string_equal(x.text.p, y.text.p);
	check_standings(remembering, a);
}

/* ---- worlds ---- */

static struct err *
make_kpis(struct db_tx *tx, void *arg)
{
	struct res_ctx c = context(tx, arg);

	for (size_t i = 0; i < COUNT(kpi_bodies); i++) {
		struct kpi k = { 0 };
		json_val *body;
		TRY(json_parse(c.arena, str_from_cstr(kpi_bodies[i]), &body));
		TRY(res_parse(&c, &kpi_res, NULL, body, RES_MODE_CREATE, true, &k));
		TRY(kpi_create(&c, &k));
	}
	return NULL;
}

static void
open_world(struct world *w, const struct db_memory_kind *memory, struct db_faults *faults)
{
	struct arena *a = arena_new(16u << 20);

	*w = (struct world){ .base = { .kind = DB_SQLITE, .memory = memory, .faults = faults },
		.now = { START_US } };
	fixture_start(&w->base);
	w->actor = iam_system_actor(1);
	w->actor.zone = zone_find(STR("Europe/London"));
	fixture_ok(db_write(w->base.db, a, make_kpis, w));
	arena_free(a);
}

static void
round_of_operations(struct world *remembering, struct world *plain, uint64_t *seed)
{
	struct arena *a = arena_new(64u << 20);
	struct operation o[TOGETHER], same[TOGETHER];
	size_t count = below(seed, 3) ? 1 : TOGETHER;

	if (below(seed, 5) == 0)
		remembering->now.us = plain->now.us += DAY_US / 2;
	for (size_t i = 0; i < count; i++)
		same[i] = o[i] = any_operation(seed, plain->now);
	run(remembering, o, count, a);
	run(plain, same, count, a);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(!o[i].result, !same[i].result);
		if (o[i].result)
			assert_int_equal(o[i].result->code, same[i].result->code);
	}
	check_same(remembering, plain, a);
	arena_free(a);
}

static void
memory_changes_nothing_that_is_stored(void **state)
{
	struct world remembering, plain;
	uint64_t seed = 20240301;

	(void)state;
	open_world(&remembering, &kpi_memory_kind, NULL);
	open_world(&plain, NULL, NULL);
	for (int i = 0; i < ROUNDS; i++)
		round_of_operations(&remembering, &plain, &seed);
	fixture_end(&remembering.base);
	fixture_end(&plain.base);
}

/* Busy, lost before and lost after, at every sort of call: what failed is not remembered as done. */
static void
faults_leave_nothing_in_memory(void **state)
{
	enum { SORTS = 3, TIMES = 40 };
	struct db_fault list[SORTS * TIMES];
	struct db_faults faults = { .list = list, .count = COUNT(list) };
	struct world w;
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < TIMES; i++) {
		list[i] = (struct db_fault){ DB_AT_STATEMENT, i % 2 ? DB_FAULT_BUSY : DB_FAULT_FULL,
			900 + 61 * i, 1 };
		list[TIMES + i] = (struct db_fault){ DB_AT_COMMIT,
			i % 2 ? DB_FAULT_LOST_BEFORE : DB_FAULT_LOST_AFTER, 30 + 7 * i, 1 };
		list[2 * TIMES + i] = (struct db_fault){ DB_AT_BEGIN, DB_FAULT_BUSY, 33 + 11 * i, 1 };
	}
	open_world(&w, &kpi_memory_kind, &faults);
	for (int i = 0; i < ROUNDS; i++) {
		struct arena *a = arena_new(64u << 20);
		struct operation o[TOGETHER];
		size_t count = below(&seed, 3) ? 1 : TOGETHER;
		for (size_t j = 0; j < count; j++)
			o[j] = any_operation(&seed, w.now);
		run(&w, o, count, a);
		arena_free(a);
	}
	assert_true(atomic_load(&faults.fired) >= TIMES);
	w.base.faults = NULL;
	db_close(w.base.db);
	fixture_open(&w.base);
	struct arena *a = arena_new(64u << 20);
	for (int i = 0; i < ENTERED; i++) {
		struct operation o = { .action = RECALCULATE, .kpi = i };
		run(&w, &o, 1, a);
		fixture_ok(o.result);
	}
	arena_free(a);
	fixture_end(&w.base);
}

/* Another process: a second database over the same file, which does not remember. */
static void
another_process_is_noticed(void **state)
{
	struct world first, second;
	uint64_t seed = 99;

	(void)state;
	open_world(&first, &kpi_memory_kind, NULL);
	second = first;
	second.base.memory = NULL;
	second.base.db = NULL;
	fixture_open(&second.base);
	for (int i = 0; i < ROUNDS / 4; i++) {
		struct arena *a = arena_new(64u << 20);
		struct operation o = any_operation(&seed, first.now);
		run(below(&seed, 2) ? &first : &second, &o, 1, a);
		check_standings(&first, a);
		arena_free(a);
	}
	db_close(second.base.db);
	fixture_end(&first.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_changes_nothing_that_is_stored),
		cmocka_unit_test(faults_leave_nothing_in_memory),
		cmocka_unit_test(another_process_is_noticed),
	};

	if (!random_start())
		return 1;
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
