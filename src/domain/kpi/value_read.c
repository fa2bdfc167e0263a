/*
 * Reading series: day rollups brought together by calendar period, or, for a formula, its sources' series of the same periods put
 * through it. A period's figure therefore reads at most a row a day, however many values were entered.
 */
#include "domain/kpi/formula.h"
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/rollup.h"
#include "domain/kpi/value_sql.h"

/* An average has digits that its values have not. */
#define AVERAGE_DECIMALS 6

static struct err *
gather_add(struct res_ctx *c, struct gather *g, const struct db_rows *rows)
{
	int64_t min = db_int(rows, 3), max = db_int(rows, 4);

	if (!int_add(g->count, db_int(rows, 1), &g->count) || !int_add(g->sum, db_int(rows, 2), &g->sum))
		return err_new(c->arena, ERR_INVALID_INPUT,
			"The sum of the period is too large; ask for a shorter one.");
	g->min = !g->any || min < g->min ? min : g->min;
	g->max = !g->any || max > g->max ? max : g->max;
	g->last = db_int(rows, 5);
	check(date_parse(db_text(rows, 0), &g->last_day));
	g->any = true;
	return NULL;
}

struct decimal
gather_figure(const struct kpi *k, const struct gather *g)
{
	int32_t scale = (int32_t)k->decimals;
	struct decimal figure = { 0, scale };

	switch ((enum kpi_aggregation)k->aggregation) {
	case KPI_SUM:
		figure.coef = g->sum;
		break;
	case KPI_AVG:
		/* An average lies between extremes that fit, so only its extra digits can fail; then fewer are kept. */
		for (int32_t s = scale > AVERAGE_DECIMALS ? scale : AVERAGE_DECIMALS; s >= scale; s--)
			if (decimal_div((struct decimal){ g->sum, scale }, (struct decimal){ g->count, 0 }, s,
				    &figure))
				break;
		break;
	case KPI_LAST:
		figure.coef = g->last;
		break;
	case KPI_MIN:
		figure.coef = g->min;
		break;
	case KPI_MAX:
		figure.coef = g->max;
		break;
	}
	return figure;
}

static void
series_push(struct res_ctx *c, struct kpi_series *s, size_t *cap, struct kpi_point p)
{
	if (s->count == *cap) {
		size_t grown = *cap ? *cap * 2 : 64;
		struct kpi_point *points = arena_alloc_array(c->arena, grown, sizeof *points);
		if (s->count > 0)
			memcpy(points, s->points, s->count * sizeof *points);
		s->points = points;
		*cap = grown;
	}
	s->points[s->count++] = p;
}

static struct err *
read_rollups(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from, struct date to,
	enum period period, struct kpi_series *out)
{
	struct gather g = { 0 };
	struct db_rows rows;
	size_t cap = 0;
	bool row;

	TRY(DB_QUERY(c->tx, &sql_kpi_rollup_range, &rows, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(slice), P_TEXT(kpi_date_text(c->arena, from)), P_TEXT(kpi_date_text(c->arena, to))));
	for (;;) {
		struct date day;
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		check(date_parse(db_text(&rows, 0), &day));
		struct date start = period_start(day, period);
		if (g.any && start.days != g.start.days) {
			series_push(
				c, out, &cap, (struct kpi_point){ g.start, gather_figure(k, &g), g.count });
			g = (struct gather){ 0 };
		}
		g.start = start;
		TRY(gather_add(c, &g, &rows));
	}
	if (g.any)
		series_push(c, out, &cap, (struct kpi_point){ g.start, gather_figure(k, &g), g.count });
	return NULL;
}

/* A source of a formula: its record, and where its series stands in the walk over all of them. */
struct source {
	struct kpi kpi;
	struct kpi_series series;
	size_t at;
};

static struct err *
load_sources(struct res_ctx *c, const struct formula *f, struct source **out)
{
	size_t n = formula_ref_count(f);
	struct source *s = arena_alloc_array(c->arena, n, sizeof *s);

	for (size_t i = 0; i < n; i++) {
		bool found;
		TRY(res_find(c, &kpi_res, "id", P_TEXT(formula_ref(f, i)), &s[i].kpi, &found));
		if (!found)
			return err_private(c->arena, ERR_INTERNAL, "formula refers to a deleted KPI");
	}
	*out = s;
	return NULL;
}

/* The compiled formula of k and its sources, depth formulas down. */
static struct err *
open_formula(struct res_ctx *c, const struct kpi *k, int depth, struct formula **f, struct source **s)
{
	/* References are checked when a formula is stored; two stored at the same moment could still meet in a circle. */
	if (depth > FORMULA_LEVELS)
		return err_word(
			err_new(c->arena, ERR_CONFLICT,
				"The formula of KPI \"%.*s\" is computed from itself.", STR_ARG(k->id)),
			"FORMULA_CYCLE");
	TRY(formula_parse(c->arena, k->formula, f));
	return load_sources(c, *f, s);
}

static struct err *series_at_depth(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from,
	struct date to, enum period period, int depth, struct kpi_series *out);

/* Walks the sources' series side by side, a period at a time. */
static void
merge_sources(struct res_ctx *c, const struct kpi *k, const struct formula *f, struct source *s,
	struct kpi_series *out)
{
	size_t n = formula_ref_count(f), cap = 0;
	struct formula_input *inputs = arena_alloc_array(c->arena, n, sizeof *inputs);

	for (;;) {
		bool any = false;
		struct date next = { 0 };
		for (size_t i = 0; i < n; i++) {
			if (s[i].at < s[i].series.count &&
				(!any || s[i].series.points[s[i].at].start.days < next.days)) {
				next = s[i].series.points[s[i].at].start;
				any = true;
			}
		}
		if (!any)
			return;
		for (size_t i = 0; i < n; i++) {
			inputs[i].present = s[i].at < s[i].series.count &&
					    s[i].series.points[s[i].at].start.days == next.days;
			if (inputs[i].present)
				inputs[i].value = s[i].series.points[s[i].at++].value;
		}
		struct kpi_point p = { .start = next, .count = 1 };
		if (formula_eval(f, inputs, (int32_t)k->decimals, &p.value))
			series_push(c, out, &cap, p);
	}
}

static struct err *
read_formula(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from, struct date to,
	enum period period, int depth, struct kpi_series *out)
{
	struct formula *f;
	struct source *s;

	TRY(open_formula(c, k, depth, &f, &s));
	for (size_t i = 0; i < formula_ref_count(f); i++)
		TRY(series_at_depth(c, &s[i].kpi, slice, from, to, period, depth + 1, &s[i].series));
	merge_sources(c, k, f, s, out);
	return NULL;
}

static struct err *
series_at_depth(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from, struct date to,
	enum period period, int depth, struct kpi_series *out)
{
	*out = (struct kpi_series){ 0 };
	if (str_is_empty(k->formula))
		return read_rollups(c, k, slice, from, to, period, out);
	return read_formula(c, k, slice, from, to, period, depth, out);
}

struct err *
kpi_series_read(struct res_ctx *c, const struct kpi *k, struct str dimensions, struct date from,
	struct date to, enum period period, struct kpi_series *out)
{
	return series_at_depth(c, k, dimensions, from, to, period, 0, out);
}

struct err *
gather_read(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from, struct date to,
	struct gather *g)
{
	struct db_rows rows;
	bool row;

	*g = (struct gather){ 0 };
	TRY(DB_QUERY(c->tx, &sql_kpi_rollup_range, &rows, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(slice), P_TEXT(kpi_date_text(c->arena, from)), P_TEXT(kpi_date_text(c->arena, to))));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return NULL;
		TRY(gather_add(c, g, &rows));
	}
}

static struct err *figure_at_depth(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from,
	struct date to, int depth, struct decimal *out, bool *found);

static struct err *
formula_figure(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from, struct date to,
	int depth, struct decimal *out, bool *found)
{
	struct formula *f;
	struct source *s;

	TRY(open_formula(c, k, depth, &f, &s));
	struct formula_input *inputs = arena_alloc_array(c->arena, formula_ref_count(f), sizeof *inputs);
	for (size_t i = 0; i < formula_ref_count(f); i++)
		TRY(figure_at_depth(
			c, &s[i].kpi, slice, from, to, depth + 1, &inputs[i].value, &inputs[i].present));
	*found = formula_eval(f, inputs, (int32_t)k->decimals, out);
	return NULL;
}

static struct err *
figure_at_depth(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from, struct date to,
	int depth, struct decimal *out, bool *found)
{
	struct gather g;

	if (!str_is_empty(k->formula))
		return formula_figure(c, k, slice, from, to, depth, out, found);
	TRY(gather_read(c, k, slice, from, to, &g));
	*found = g.any;
	if (g.any)
		*out = gather_figure(k, &g);
	return NULL;
}

struct err *
kpi_figure(struct res_ctx *c, const struct kpi *k, struct str dimensions, struct date from, struct date to,
	struct decimal *out, bool *found)
{
	return figure_at_depth(c, k, dimensions, from, to, 0, out, found);
}

static struct err *
extent_at_depth(struct res_ctx *c, const struct kpi *k, struct date until, int depth, struct date *first,
	struct date *last, bool *found)
{
	struct db_rows rows;
	bool any;

	if (str_is_empty(k->formula)) {
		TRY(DB_FIND(c->tx, &sql_kpi_rollup_last, &rows, found, P_INT(c->actor->company_id),
			P_TEXT(k->id), P_TEXT(kpi_date_text(c->arena, until))));
		if (!*found)
			return NULL;
		check(date_parse(db_text(&rows, 0), last));
		if (!first)
			return NULL;
		TRY(DB_FIND(c->tx, &sql_kpi_rollup_first, &rows, &any, P_INT(c->actor->company_id),
			P_TEXT(k->id)));
		check(any && date_parse(db_text(&rows, 0), first));
		return NULL;
	}
	struct formula *f;
	struct source *s;
	*found = false;
	if (depth > FORMULA_LEVELS)
		return NULL;
	TRY(formula_parse(c->arena, k->formula, &f));
	TRY(load_sources(c, f, &s));
	for (size_t i = 0; i < formula_ref_count(f); i++) {
		struct date a, b;
		TRY(extent_at_depth(c, &s[i].kpi, until, depth + 1, first ? &a : NULL, &b, &any));
		if (any && first && (!*found || a.days < first->days))
			*first = a;
		if (any && (!*found || b.days > last->days))
			*last = b;
		*found = *found || any;
	}
	return NULL;
}

struct err *
kpi_extent(struct res_ctx *c, const struct kpi *k, struct date until, struct date *first, struct date *last,
	bool *found)
{
	return extent_at_depth(c, k, until, 0, first, last, found);
}

struct err *
kpi_slices(struct res_ctx *c, const struct kpi *k, size_t max, struct str **out, size_t *count)
{
	/* '*' sorts before every JSON object. */
	struct str at = ROLLUP_ALL;
	struct db_rows rows;
	bool found = true;

	*out = arena_alloc_array(c->arena, max, sizeof **out);
	for (*count = 0; *count < max; (*count)++) {
		TRY(DB_FIND(c->tx, &sql_kpi_rollup_next_slice, &rows, &found, P_INT(c->actor->company_id),
			P_TEXT(k->id), P_TEXT(at)));
		if (!found)
			break;
		at = db_text_copy(&rows, 0);
		(*out)[*count] = at;
	}
	return NULL;
}
