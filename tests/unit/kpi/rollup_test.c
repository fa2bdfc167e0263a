/*
 * Day rollups against a model that knows nothing of them: whatever is entered, replaced, corrected, moved or deleted, in any order and
 * around days of 0, 23 and 25 hours, the figures of each day are those of its values and a recalculation finds nothing to do; and pages of
 * the values, which are found by the rollups' counts, are those of the whole list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../db/fixture.h"
#include "base/random.h"
#include "domain/iam/company.h"
#include "domain/kpi/rollup.h"
#include "domain/kpi/value.h"

#define INSTANTS \
	48 /* the grid: few a day, so that values meet at one instant, and days end between two of them */
#define STEP_S	 (167 * 60)
#define SLICES	 3
#define ROUNDS	 80
#define BULK_MAX 6
#define MANY	 130 /* more than one statement takes, some twice at one instant */

static enum db_kind kind;
static const char *const slice_texts[SLICES] = { "", "{\"country\":\"France\"}", "{\"country\":\"Spain\"}" };

struct cell {
	bool present;
	int64_t value;
};

struct place {
	const char *zone, *start; /* of the grid, local time */
	const char *aggregation;
};
static const struct place places[] = {
	{ "UTC", "2024-02-28T00:00:00", "sum" }, { "Europe/London", "2024-03-29T12:00:00", "last" },
	{ "America/New_York", "2024-11-01T20:00:00", "min" },
	{ "America/Sao_Paulo", "2018-11-02T18:00:00", "max" }, /* midnight of 4 November is skipped */
	{ "Pacific/Apia", "2011-12-28T12:00:00", "sum" },      /* 30 December is skipped */
	{ "Africa/Cairo", "2024-10-29T12:00:00", "last" },     /* the hour before midnight comes twice */
};

struct model {
	struct fixture base;
	struct arena *a;
	struct actor actor;
	const struct place *place;
	struct instant start;
	struct cell cells[INSTANTS][SLICES];
	uint64_t seed;
};

static uint32_t
below(struct model *m, uint32_t n)
{
	m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(m->seed >> 33) % n;
}

static struct instant
instant_of(const struct model *m, size_t i)
{
	return (struct instant){ m->start.us + (int64_t)i * STEP_S * INSTANT_SECOND };
}

/* ---- one operation, in a transaction of its own ---- */

enum action { PUT, CHANGE, MOVE, REMOVE };

struct spot {
	size_t at, slice;
};
struct operation {
	struct model *m;
	enum action action;
	struct spot from, to[MANY];
	int64_t values[MANY];
	size_t count;
};

static struct kpi_value
value_at(const struct model *m, struct spot s, int64_t value)
{
	return (struct kpi_value){ .at = instant_of(m, s.at),
		.dimensions = str_from_cstr(slice_texts[s.slice]),
		.value = { value, 0 },
		.recorded_at = m->start };
}

static struct res_ctx
context(struct db_tx *tx, const struct model *m)
{
	return (struct res_ctx){
		.arena = db_tx_arena(tx), .tx = tx, .actor = &m->actor, .now = clock_system.now(&clock_system)
	};
}

static struct err *
operate(struct db_tx *tx, void *arg)
{
	struct operation *o = arg;
	struct res_ctx c = context(tx, o->m);
	struct kpi_value v[MANY], old = value_at(o->m, o->from, 0);
	struct str id = kpi_value_id(c.arena, &old);
	struct kpi k = { 0 };

	TRY(kpi_require(&c, STR("measured"), KPI_MAY_SUBMIT, &k));
	for (size_t i = 0; i < o->count; i++)
		v[i] = value_at(o->m, o->to[i], o->values[i]);
	switch (o->action) {
	case PUT:
		return kpi_values_put(&c, &k, v, o->count);
	case CHANGE:
	case MOVE:
		return kpi_value_change(&c, &k, id, &v[0]);
	case REMOVE:
		return kpi_value_remove(&c, &k, id);
	}
	return NULL;
}

static struct cell *
cell(struct model *m, struct spot s)
{
	return &m->cells[s.at][s.slice];
}

static bool
is_same(struct spot a, struct spot b)
{
	return a.at == b.at && a.slice == b.slice;
}

/* What must come of it by the rules: an absent value is not found, a taken place is a conflict. */
static bool
expect(struct operation *o, enum err_code *code)
{
	if (o->action == PUT)
		return true;
	*code = ERR_NOT_FOUND;
	if (!cell(o->m, o->from)->present)
		return false;
	*code = ERR_CONFLICT;
	return o->action == REMOVE || is_same(o->from, o->to[0]) || !cell(o->m, o->to[0])->present;
}

static void
apply_to_model(struct operation *o)
{
	if (o->action != PUT)
		cell(o->m, o->from)->present = false;
	for (size_t i = 0; o->action != REMOVE && i < o->count; i++)
		*cell(o->m, o->to[i]) = (struct cell){ true, o->values[i] };
}

static struct spot
any_spot(struct model *m)
{
	return (struct spot){ below(m, INSTANTS), below(m, SLICES) };
}

/* Mostly one that has a value. */
static struct spot
some_value(struct model *m)
{
	struct spot s = any_spot(m);
	for (int i = 0; i < 30 && !cell(m, s)->present; i++)
		s = any_spot(m);
	return s;
}

static void
perform(struct model *m, struct operation *o)
{
	struct arena *a = arena_new(16u << 20);
	enum err_code code = ERR_INTERNAL;
	bool fine = expect(o, &code);
	struct err *e = db_write(m->base.db, a, operate, o);

	if (fine) {
		fixture_ok(e);
		apply_to_model(o);
	} else {
		assert_non_null(e);
		assert_int_equal(e->code, code);
	}
	arena_free(a);
}

static void
put_many(struct model *m)
{
	struct operation o = { .m = m, .action = PUT, .count = MANY };

	for (size_t i = 0; i < MANY; i++) {
		o.to[i] = any_spot(m);
		o.values[i] = (int64_t)below(m, 2001) - 1000;
	}
	perform(m, &o);
}

static void
step(struct model *m)
{
	struct operation o = { .m = m, .count = 1, .from = some_value(m) };
	uint32_t die = below(m, 10);

	o.action = die < 5 ? PUT : die < 7 ? CHANGE : die < 8 ? MOVE : REMOVE;
	if (o.action == PUT)
		o.count = 1 + below(m, BULK_MAX);
	for (size_t i = 0; i < o.count; i++) {
		o.to[i] = o.action == CHANGE ? o.from : any_spot(m);
		o.values[i] = (int64_t)below(m, 2001) - 1000;
	}
	perform(m, &o);
}

/* ---- what must be there ---- */

struct day_figures {
	bool present;
	struct date day;
	int64_t count, sum, min, max, last;
};

/* The days of one slice, or of all (slice SLICES), straight from the model, in order. */
static size_t
model_days(struct model *m, size_t slice, struct day_figures *days)
{
	size_t n = 0;

	for (size_t i = 0; i < INSTANTS; i++) {
		struct date day = zone_date(m->actor.zone, instant_of(m, i));
		for (size_t s = 0; s < SLICES; s++) {
			const struct cell *x = &m->cells[i][s];
			if (!x->present || (slice < SLICES && s != slice))
				continue;
			if (n == 0 || days[n - 1].day.days != day.days)
				days[n++] =
					(struct day_figures){ .day = day, .min = x->value, .max = x->value };
			struct day_figures *d = &days[n - 1];
			d->count++;
			d->sum += x->value;
			d->min = x->value < d->min ? x->value : d->min;
			d->max = x->value > d->max ? x->value : d->max;
			d->last = x->value;
		}
	}
	return n;
}

static int64_t
figure_of(const struct day_figures *d, const char *aggregation)
{
	struct str name = str_from_cstr(aggregation);
	if (str_eq(name, STR("sum")))
		return d->sum;
	if (str_eq(name, STR("min")))
		return d->min;
	return str_eq(name, STR("max")) ? d->max : d->last;
}

static void
check_slice(struct model *m, const struct kpi_series *s, size_t slice)
{
	struct day_figures days[INSTANTS];
	size_t n = model_days(m, slice, days);

	assert_int_equal(s->count, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(s->points[i].start.days, days[i].day.days);
		assert_int_equal(s->points[i].count, days[i].count);
		assert_int_equal(s->points[i].value.scale, 0);
		assert_int_equal(s->points[i].value.coef, figure_of(&days[i], m->place->aggregation));
	}
}

/* What the database says; read on its thread and judged on the test's own. */
struct reading {
	struct model *m;
	struct kpi_series series[SLICES + 1]; /* of all together at SLICES */
	int64_t differences;
};

static struct err *
read_work(struct db_tx *tx, void *arg)
{
	struct reading *r = arg;
	struct res_ctx c = context(tx, r->m);
	struct date first = zone_date(r->m->actor.zone, r->m->start),
		    last = zone_date(r->m->actor.zone, instant_of(r->m, INSTANTS));
	struct kpi k = { 0 };

	TRY(res_read(&c, &kpi_res, STR("measured"), &k));
	/* Values without dimensions have no slice of their own: they are part of all. */
	for (size_t slice = 1; slice <= SLICES; slice++)
		TRY(kpi_series_read(&c, &k, slice == SLICES ? ROLLUP_ALL : str_from_cstr(slice_texts[slice]),
			first, last, PERIOD_DAY, &r->series[slice]));
	return kpi_recalculate(&c, &k, &r->differences);
}

static void
check_all(struct model *m)
{
	struct reading r = { .m = m, .differences = -1 };
	struct arena *a = arena_new(16u << 20);

	fixture_ok(db_write(m->base.db, a, read_work, &r));
	for (size_t slice = 1; slice <= SLICES; slice++)
		check_slice(m, &r.series[slice], slice);
	assert_int_equal(r.differences, 0);
	arena_free(a);
}

/* ---- pages of the values themselves ---- */

#define PAGES 150 /* a place, some between changes */

struct paging {
	struct model *m;
	struct kpi_value_query q;
	size_t slice; /* SLICES: of all together */
	struct kpi_value_list list;
};

static struct err *
page_work(struct db_tx *tx, void *arg)
{
	struct paging *p = arg;
	struct res_ctx c = context(tx, p->m);
	struct kpi k = { 0 };

	TRY(res_read(&c, &kpi_res, STR("measured"), &k));
	return kpi_values_list(&c, &k, &p->q, &p->list);
}

/* A bound on a value, between two, at a midnight, or none. */
static bool
any_bound(struct model *m, struct instant *out)
{
	*out = instant_of(m, below(m, INSTANTS + 1));
	switch (below(m, 4)) {
	case 0:
		out->us += below(m, 2) ? 1 : -1;
		return true;
	case 1:
		*out = zone_day_start(m->actor.zone, zone_date(m->actor.zone, *out));
		return true;
	case 2:
		return true;
	}
	return false;
}

static void
check_page(const struct paging *p, struct model *m)
{
	int64_t total = 0, seen = 0;

	for (size_t n = 0; n < INSTANTS * SLICES; n++) {
		size_t place = p->q.descending ? INSTANTS * SLICES - 1 - n : n;
		struct spot s = { place / SLICES, place % SLICES };
		struct instant at = instant_of(m, s.at);

		if (!cell(m, s)->present || (p->slice < SLICES && s.slice != p->slice) ||
			(p->q.has_from && at.us < p->q.from.us) || (p->q.has_to && at.us >= p->q.to.us))
			continue;
		if (total++ < p->q.offset || seen == p->q.limit)
			continue;
		assert_true((size_t)seen < p->list.count);
		const struct kpi_value *v = &p->list.values[seen++];
		assert_int_equal(v->at.us, at.us);
		assert_true(str_eq(v->dimensions, str_from_cstr(slice_texts[s.slice])));
		assert_int_equal(v->value.coef, cell(m, s)->value);
	}
	assert_int_equal(p->list.count, seen);
	assert_int_equal(p->list.total, total);
}

static void
check_any_page(struct model *m)
{
	struct arena *a = arena_new(16u << 20);
	struct paging p = { .m = m, .slice = below(m, SLICES + 1) };

	p.q.has_from = any_bound(m, &p.q.from);
	p.q.has_to = any_bound(m, &p.q.to);
	p.q.has_dimensions = p.slice < SLICES;
	if (p.q.has_dimensions)
		p.q.dimensions = str_from_cstr(slice_texts[p.slice]);
	p.q.descending = below(m, 2);
	p.q.offset = below(m, 3) ? below(m, 40) : 0;
	p.q.limit = 1 + below(m, 30);
	fixture_ok(db_read(m->base.db, a, page_work, &p));
	check_page(&p, m);
	arena_free(a);
}

/* ---- the world ---- */

static struct err *
make_kpi(struct db_tx *tx, void *arg)
{
	struct model *m = arg;
	struct res_ctx c = context(tx, m);
	struct kpi k = { 0 };
	json_val *body;

	TRY(json_parse(c.arena,
		arena_fmt(c.arena,
			"{\"id\":\"measured\",\"name\":\"Measured\",\"type\":\"COUNT\",\"aggregation\":\"%"
			"s\"}",
			m->place->aggregation),
		&body));
	TRY(res_parse(&c, &kpi_res, NULL, body, RES_MODE_CREATE, true, &k));
	return kpi_create(&c, &k);
}

static void
open_model(struct model *m, const struct place *place)
{
	*m = (struct model){
		.place = place, .base.kind = kind, .base.memory = &kpi_memory_kind, .seed = 20240615
	};
	m->a = arena_new(16u << 20);
	fixture_start(&m->base);
	m->actor = iam_system_actor(1);
	m->actor.zone = zone_find(str_from_cstr(place->zone));
	assert_non_null(m->actor.zone);
	assert_true(instant_parse(str_from_cstr(place->start), m->actor.zone, &m->start));
	fixture_ok(db_write(m->base.db, m->a, make_kpi, m));
}

static void
close_model(struct model *m)
{
	fixture_end(&m->base);
	arena_free(m->a);
}

static void
rollups_are_those_of_the_values(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(places); p++) {
		struct model m;
		open_model(&m, &places[p]);
		put_many(&m);
		check_all(&m);
		for (int i = 0; i < ROUNDS; i++) {
			step(&m);
			if (i % 2 == 1)
				check_all(&m);
		}
		close_model(&m);
	}
}

static void
pages_are_those_of_the_values(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(places); p++) {
		struct model m;
		open_model(&m, &places[p]);
		check_any_page(&m);
		put_many(&m);
		for (int i = 0; i < PAGES; i++) {
			if (i % 8 == 0)
				step(&m);
			check_any_page(&m);
		}
		close_model(&m);
	}
}

static struct err *
recalculate_work(struct db_tx *tx, void *arg)
{
	struct operation *o = arg;
	struct res_ctx c = context(tx, o->m);
	struct kpi k = { 0 };

	TRY(res_read(&c, &kpi_res, STR("measured"), &k));
	return kpi_recalculate(&c, &k, &o->values[0]);
}

static int64_t
recalculated(struct model *m)
{
	struct operation o = { .m = m };
	fixture_ok(db_write(m->base.db, m->a, recalculate_work, &o));
	return o.values[0];
}

static void
a_recalculation_finds_and_mends_what_is_wrong(void **state)
{
	(void)state;
	struct model m;
	open_model(&m, &places[1]);
	for (int i = 0; i < 20; i++)
		step(&m);
	fixture_run(&m.base, "UPDATE kpi_rollup SET value_sum = value_sum + 1 WHERE dimensions = '*'");
	fixture_run(&m.base, "DELETE FROM kpi_rollup WHERE dimensions <> '*'");
	fixture_run(&m.base, "INSERT INTO kpi_rollup (company_id, kpi_id, dimensions, day, value_count, "
			     "value_sum, value_min, "
			     "value_max, value_last, last_at) VALUES (1, 'measured', '*', '2031-01-01', 1, "
			     "1, 1, 1, 1, 1)");
	assert_true(recalculated(&m) >= 3);
	assert_int_equal(recalculated(&m), 0);
	check_all(&m);
	close_model(&m);
}

static void
another_time_zone_moves_values_to_its_days(void **state)
{
	(void)state;
	struct model m;
	open_model(&m, &places[1]);
	for (int i = 0; i < 20; i++)
		step(&m);
	m.actor.zone = zone_find(STR("Pacific/Auckland"));
	assert_true(recalculated(&m) > 0);
	check_all(&m);
	close_model(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollups_are_those_of_the_values),
		cmocka_unit_test(pages_are_those_of_the_values),
		cmocka_unit_test(a_recalculation_finds_and_mends_what_is_wrong),
		cmocka_unit_test(another_time_zone_moves_values_to_its_days),
	};
	int failures = 0;

	if (!random_start())
		return 1;
	for (kind = DB_SQLITE; kind <= DB_POSTGRES; kind++)
		if (fixture_available(kind))
			failures += cmocka_run_group_tests_name("rollup", tests, NULL, NULL);
	return failures;
}
