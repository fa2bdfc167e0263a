/* The tables and tiles of a report. */
#include "domain/campaign/report_view.h"

#define DASH "\xE2\x80\x93"

static struct view_table
table_new(struct arena *a, size_t columns, size_t rows)
{
	struct view_table t = { .column_count = columns };

	t.columns = arena_alloc_array(a, columns, sizeof(*t.columns));
	t.cells = arena_alloc_array(a, columns * rows, sizeof(*t.cells));
	return t;
}

static struct draw_cell *
next_row(struct view_table *t)
{
	return &t->cells[t->row_count++ * t->column_count];
}

static struct draw_cell
cell(struct str text)
{
	return (struct draw_cell){ .text = text, .role = DRAW_INK };
}

static enum draw_role
status_role(struct str status)
{
	if (str_eq(status, STR("on_track")))
		return DRAW_GOOD;
	if (str_eq(status, STR("warning")))
		return DRAW_WARN;
	return str_eq(status, STR("critical")) ? DRAW_BAD : DRAW_QUIET;
}

static struct str
status_word(struct str status)
{
	if (str_eq(status, STR("on_track")))
		return STR("on track");
	return str_eq(status, STR("no_data")) ? STR("no figure") : status;
}

static enum draw_role
change_role(const json_val *earlier)
{
	const json_val *better = view_member(earlier, "better");

	return !better ? DRAW_INK : json_bool(better) ? DRAW_GOOD : DRAW_BAD;
}

/* "2.50 %"; with "≤" where less is better. */
static struct str
aim(struct arena *a, const json_val *target, struct str unit)
{
	struct str value = view_number(a, view_member(target, "value"), unit);

	return str_eq(view_text(target, "direction"), STR("lower"))
		       ? arena_fmt(a, "\xE2\x89\xA4\xC2\xA0%.*s", STR_ARG(value))
		       : value;
}

/* "103.2 % · on track" */
static struct str
reached(struct arena *a, const json_val *target)
{
	const json_val *percent = view_member(target, "achievement_percent");

	if (!percent)
		return STR(DASH);
	return arena_fmt(a,
		"%.*s "
		"\xC2\xB7"
		" %.*s",
		STR_ARG(view_number(a, percent, STR("%"))),
		STR_ARG(status_word(view_text(target, "status"))));
}

/* ---- KPIs ---- */

static void
kpi_row(struct arena *a, const json_val *k, struct draw_cell *row)
{
	const json_val *target = view_member(k, "target"), *earlier = view_member(k, "earlier");
	struct str unit = view_text(k, "unit");

	row[0] = cell(view_text(k, "metric"));
	row[0].bold = true;
	row[1] = cell(view_number(a, view_member(k, "value"), unit));
	row[2] = (struct draw_cell){ .text = view_basis(a, k), .role = DRAW_QUIET };
	row[3] = cell(target ? aim(a, target, unit) : STR(DASH));
	row[4] = cell(target ? reached(a, target) : STR(DASH));
	row[4].role = target ? status_role(view_text(target, "status")) : DRAW_INK;
	row[5] = cell(earlier ? view_number(a, view_member(earlier, "mean"), unit) : STR(DASH));
	row[6] = cell(earlier ? view_change(a, view_member(earlier, "change_percent")) : STR(DASH));
	row[6].role = earlier ? change_role(earlier) : DRAW_INK;
}

struct view_table
view_kpis(struct arena *a, const json_val *report)
{
	static const struct draw_column columns[] = { { STR_INIT("KPI"), 1.3, DRAW_LEFT },
		{ STR_INIT("Result"), 1.5, DRAW_RIGHT }, { STR_INIT("How it came about"), 2.2, DRAW_LEFT },
		{ STR_INIT("Target"), 1.45, DRAW_RIGHT }, { STR_INIT("Reached"), 1.7, DRAW_RIGHT },
		{ STR_INIT("Earlier mean"), 1.4, DRAW_RIGHT }, { STR_INIT("Change"), 1, DRAW_RIGHT } };
	const json_val *list = view_member(report, "kpis");
	struct view_table t = table_new(a, COUNT(columns), view_count(list));
	json_val *k;

	memcpy(t.columns, columns, sizeof(columns));
	for (struct json_iter it = view_iter(list); json_next(&it, NULL, &k);)
		kpi_row(a, k, next_row(&t));
	return t;
}

static struct draw_tile
tile_of(struct arena *a, const json_val *k)
{
	const json_val *target = view_member(k, "target"), *earlier = view_member(k, "earlier");
	struct str unit = view_text(k, "unit");
	struct draw_tile t = { view_text(k, "metric"), view_number(a, view_member(k, "value"), unit),
		STR("no target"), DRAW_QUIET };

	if (target) {
		t.note = arena_fmt(a, "%.*s \xC2\xB7 target %.*s",
			STR_ARG(status_word(view_text(target, "status"))), STR_ARG(aim(a, target, unit)));
		t.note_role = status_role(view_text(target, "status"));
	} else if (earlier) {
		t.note = arena_fmt(a, "%.*s against earlier",
			STR_ARG(view_change(a, view_member(earlier, "change_percent"))));
		t.note_role = view_member(earlier, "better") ? change_role(earlier) : DRAW_QUIET;
	}
	return t;
}

/* Those with a target first, because the target says what the campaign was for. */
size_t
view_tiles(struct arena *a, const json_val *report, struct draw_tile *out)
{
	const json_val *list = view_member(report, "kpis");
	size_t n = 0;
	json_val *k;

	for (int pass = 0; pass < 2; pass++)
		for (struct json_iter it = view_iter(list); n < VIEW_TILES_MAX && json_next(&it, NULL, &k);)
			if ((pass == 0) == (view_member(k, "target") != NULL) && view_member(k, "value"))
				out[n++] = tile_of(a, k);
	return n;
}

/* ---- slices ---- */

static const json_val *
slices_of(const json_val *report, const char *axis)
{
	return view_member(view_member(report, axis), "slices");
}

bool
view_has_slices(const json_val *report, const char *axis)
{
	const json_val *slices = slices_of(report, axis);
	json_val *first;

	if (view_count(slices) != 1)
		return view_count(slices) > 1;
	struct json_iter it = view_iter(slices);
	return json_next(&it, NULL, &first) && view_text(first, "name").n > 0;
}

size_t
view_metric_count(const json_val *report)
{
	return view_count(view_member(report, "kpis"));
}

static bool
any_mean(const json_val *slices)
{
	json_val *slice, *f;

	for (struct json_iter s = view_iter(slices); json_next(&s, NULL, &slice);)
		for (struct json_iter it = view_iter(view_member(slice, "figures"));
			json_next(&it, NULL, &f);)
			if (str_eq(view_text(f, "basis"), STR("averaged")))
				return true;
	return false;
}

bool
view_has_means(const json_val *report)
{
	return any_mean(slices_of(report, "channels")) || any_mean(slices_of(report, "sources"));
}

static struct str
slice_name(struct arena *a, const json_val *slice)
{
	const json_val *others = view_member(slice, "others");
	int64_t n = 0;

	if (others && json_int(others, &n) && n > 0)
		return arena_fmt(a, "%lld others", (long long)n);
	return view_text(slice, "name").n ? view_text(slice, "name") : STR("(not given)");
}

/* The value, with its share of the whole or the mark of a mean. */
static struct str
slice_value(struct arena *a, const json_val *f)
{
	struct str value = view_number(a, view_member(f, "value"), view_text(f, "unit"));
	const json_val *share = view_member(f, "share");

	if (share)
		return arena_fmt(a, "%.*s (%.*s)", STR_ARG(value), STR_ARG(view_share(a, share)));
	if (str_eq(view_text(f, "basis"), STR("averaged")))
		return arena_fmt(a, "%.*s (mean)", STR_ARG(value));
	return value;
}

/* The texts of figures from … into the cells behind the row's name. */
static void
fill_row(struct arena *a, const json_val *figures, size_t from, size_t count, struct draw_cell *row)
{
	size_t i = 0;
	json_val *f;

	for (struct json_iter it = view_iter(figures); json_next(&it, NULL, &f); i++)
		if (i >= from && i < from + count)
			row[1 + i - from] = cell(slice_value(a, f));
}

static void
metric_columns(const json_val *report, const char *first, struct view_table *t, size_t from)
{
	size_t i = 0;
	json_val *k;

	t->columns[0] = (struct draw_column){ str_from_cstr(first), 1.4, DRAW_LEFT };
	for (struct json_iter it = view_iter(view_member(report, "kpis")); json_next(&it, NULL, &k); i++)
		if (i >= from && i - from + 1 < t->column_count)
			t->columns[1 + i - from] =
				(struct draw_column){ view_text(k, "metric"), 1, DRAW_RIGHT };
}

struct view_table
view_slices(struct arena *a, const json_val *report, const char *axis, size_t from, size_t count)
{
	const json_val *slices = slices_of(report, axis);
	struct view_table t = table_new(a, count + 1, view_count(slices) + 1);
	struct draw_cell *row;
	json_val *s;

	metric_columns(report, strcmp(axis, "channels") == 0 ? "Channel" : "Source", &t, from);
	for (struct json_iter it = view_iter(slices); json_next(&it, NULL, &s);) {
		row = next_row(&t);
		row[0] = cell(slice_name(a, s));
		fill_row(a, view_member(s, "figures"), from, count, row);
	}
	row = next_row(&t);
	t.has_total = true;
	row[0] = cell(STR("All together"));
	fill_row(a, view_member(report, "kpis"), from, count, row);
	for (size_t i = 0; i <= count; i++)
		row[i].bold = true;
	return t;
}

/* ---- course ---- */

/* Periods in which nothing of these metrics was measured say nothing in a table; the chart shows the gap. */
static void
drop_empty_rows(struct view_table *t)
{
	size_t kept = 0;

	for (size_t row = 0; row < t->row_count; row++) {
		const struct draw_cell *from = t->cells + row * t->column_count;
		bool any = false;
		for (size_t i = 1; i < t->column_count; i++)
			any = any || !str_eq(from[i].text, STR(DASH));
		if (any)
			memmove(t->cells + kept++ * t->column_count, from, t->column_count * sizeof(*from));
	}
	t->row_count = kept;
}

struct view_table
view_course(struct arena *a, const json_val *report, size_t from, size_t count)
{
	const json_val *metrics = view_member(view_member(report, "course"), "metrics");
	json_val *m, *p;
	size_t rows = 0, i = 0;

	for (struct json_iter it = view_iter(metrics); rows == 0 && json_next(&it, NULL, &m);)
		rows = view_count(view_member(m, "points"));
	struct view_table t = table_new(a, count + 1, rows);
	t.row_count = rows;
	metric_columns(report, "From", &t, from);
	for (struct json_iter it = view_iter(metrics); json_next(&it, NULL, &m); i++) {
		if (i < from || i >= from + count)
			continue;
		size_t row = 0;
		for (struct json_iter points = view_iter(view_member(m, "points"));
			row < rows && json_next(&points, NULL, &p); row++) {
			t.cells[row * t.column_count] = cell(view_text(p, "date"));
			t.cells[row * t.column_count + 1 + i - from] =
				cell(view_number(a, view_member(p, "value"), view_text(m, "unit")));
		}
	}
	drop_empty_rows(&t);
	return t;
}

/* ---- actions ---- */

struct view_table
view_actions(struct arena *a, const json_val *report, const char *which)
{
	static const struct draw_column columns[] = { { STR_INIT("Action"), 4, DRAW_LEFT },
		{ STR_INIT("Owner"), 1.6, DRAW_LEFT }, { STR_INIT("Due"), 1.6, DRAW_LEFT },
		{ STR_INIT("State"), 1.4, DRAW_LEFT }, { STR_INIT("Carried over"), 1.2, DRAW_RIGHT } };
	const json_val *list = view_member(report, which);
	struct view_table t = table_new(a, COUNT(columns), view_count(list));
	json_val *x;

	memcpy(t.columns, columns, sizeof(columns));
	for (struct json_iter it = view_iter(list); json_next(&it, NULL, &x);) {
		struct draw_cell *row = next_row(&t);
		const json_val *moved = view_member(x, "moved_to");
		struct str due = view_date(a, view_text(x, "due_date"));
		row[0] = cell(view_text(x, "title"));
		row[1] = cell(view_named(a, view_member(x, "owner"), "person"));
		row[2] = cell(due.n ? due : STR(DASH));
		row[3] = cell(moved ? arena_fmt(a, "%.*s, followed up in retrospective %.*s",
					      STR_ARG(view_text(x, "status")), STR_ARG(json_number(moved)))
				    : view_text(x, "status"));
		row[4] = cell(view_number(a, view_member(x, "carried"), STR("count")));
	}
	return t;
}
