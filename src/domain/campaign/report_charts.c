/* The charts of a report: which figures are worth a picture, and what each picture says. Doubles appear here alone, as places on paper. */
#include "base/number.h"
#include "domain/campaign/report_view.h"
#include <math.h>

static double
value_of(const json_val *number)
{
	double v;

	return number && json_type_of(number) == JSON_NUMBER && double_parse(json_number(number), &v) ? v
												      : NAN;
}

static struct chart
chart_new(enum chart_kind kind, struct str title)
{
	return (struct chart){ .kind = kind, .title = title, .target = NAN };
}

static struct chart_series *
one_series(struct arena *a, struct str name, const struct chart_point *points)
{
	struct chart_series *s = arena_new_of(a, struct chart_series);

	*s = (struct chart_series){ name, points };
	return s;
}

/* ---- against targets and earlier campaigns ---- */

/* The KPIs that have a member of the object under key, as a chart of percents. */
static bool
percent_chart(struct arena *a, const json_val *report, const char *object, const char *key, struct chart *out)
{
	const json_val *list = view_member(report, "kpis");
	struct chart_point *points = arena_alloc_array(a, view_count(list), sizeof(*points));
	struct str *labels = arena_alloc_array(a, view_count(list), sizeof(*labels));
	json_val *k;

	for (struct json_iter it = view_iter(list); json_next(&it, NULL, &k);) {
		const json_val *v = view_member(view_member(k, object), key);
		if (!v)
			continue;
		bool signed_text = strcmp(object, "earlier") == 0;
		labels[out->label_count] = view_text(k, "metric");
		points[out->label_count++] = chart_value(
			value_of(v) / 100, signed_text ? view_change(a, v) : view_number(a, v, STR("%")));
	}
	out->labels = labels;
	out->series = one_series(a, out->title, points);
	out->series_count = 1;
	out->notation = DRAW_PERCENT;
	return out->label_count > 0;
}

bool
view_targets_chart(struct arena *a, const json_val *report, struct chart *out)
{
	*out = chart_new(CHART_BAR, STR("Reached of the target"));
	out->description = STR("A bar for each KPI that has a target; the dashed line stands at the target. "
			       "The table of KPIs has the figures.");
	out->target = 1;
	out->target_text = STR("target");
	return percent_chart(a, report, "target", "achievement_percent", out);
}

bool
view_earlier_chart(struct arena *a, const json_val *report, struct chart *out)
{
	*out = chart_new(CHART_BAR, STR("Change against the mean of earlier campaigns"));
	out->description = STR("A bar for each KPI that earlier campaigns of the team have too. The table of "
			       "KPIs has the figures.");
	return percent_chart(a, report, "earlier", "change_percent", out);
}

/* ---- which metrics ---- */

/* Kinds of figures, of which a reader wants a few each. */
enum kind { KIND_FACTOR, KIND_RATE, KIND_COST, KIND_AMOUNT, KIND_COUNT, KIND_OTHER, KINDS };

static enum kind
kind_of(const json_val *k)
{
	struct str unit = view_text(k, "unit"), basis = view_text(k, "basis");
	bool is_sum = str_eq(basis, STR("sum"));

	if (str_eq(unit, STR("factor")))
		return KIND_FACTOR;
	if (str_eq(unit, STR("ratio")))
		return KIND_RATE;
	if (str_eq(unit, STR("count")))
		return KIND_COUNT;
	if (unit.n == 3 && unit.p[0] >= 'A' && unit.p[0] <= 'Z')
		return is_sum ? KIND_AMOUNT : KIND_COST;
	return KIND_OTHER;
}

/*
 * Indices of at most VIEW_CHARTS_MAX metrics, by how many of each kind are wanted first; what room is left goes to the others in order.
 * Metrics without a figure are passed over.
 */
static size_t
pick(const json_val *report, const size_t wanted[KINDS], size_t *out)
{
	const json_val *list = view_member(report, "kpis");
	size_t taken[KINDS] = { 0 }, n = 0;
	bool chosen[64] = { false };
	json_val *k;

	for (int pass = 0; pass < 2; pass++) {
		size_t i = 0;
		for (struct json_iter it = view_iter(list); i < COUNT(chosen) && json_next(&it, NULL, &k);
			i++) {
			enum kind kind = kind_of(k);
			bool fits = pass == 1 || taken[kind] < wanted[kind];
			if (chosen[i] || !fits || n == VIEW_CHARTS_MAX || !view_member(k, "value"))
				continue;
			chosen[i] = true;
			taken[kind]++;
			n++;
		}
	}
	size_t found = 0;
	for (size_t i = 0; i < COUNT(chosen); i++)
		if (chosen[i])
			out[found++] = i;
	return found;
}

static const json_val *
element(const json_val *list, size_t index)
{
	json_val *v;

	for (struct json_iter it = view_iter(list); json_next(&it, NULL, &v);)
		if (index-- == 0)
			return v;
	return NULL;
}

static enum draw_notation
notation_of(struct str unit)
{
	return str_eq(unit, STR("ratio")) ? DRAW_PERCENT : DRAW_PLAIN;
}

/* What stands at the axis: nothing where the figures say it themselves. */
static struct str
axis_unit(struct str unit)
{
	bool is_said = str_eq(unit, STR("ratio")) || str_eq(unit, STR("factor")) ||
		       str_eq(unit, STR("count")) || str_eq(unit, STR("number"));

	return is_said ? (struct str){ "", 0 } : unit;
}

static double
target_of(const json_val *kpi)
{
	return value_of(view_member(view_member(kpi, "target"), "value"));
}

/* ---- slices ---- */

static struct str
label_of(struct arena *a, const json_val *slice)
{
	int64_t others = 0;
	const json_val *v = view_member(slice, "others");

	if (v && json_int(v, &others) && others > 0)
		return arena_fmt(a, "%lld others", (long long)others);
	return view_text(slice, "name").n ? view_text(slice, "name") : STR("(not given)");
}

static void
fill_points(struct arena *a, const json_val *slices, size_t metric, struct chart *c)
{
	struct chart_point *points = arena_alloc_array(a, view_count(slices), sizeof(*points));
	struct str *labels = arena_alloc_array(a, view_count(slices), sizeof(*labels));
	json_val *s;

	for (struct json_iter it = view_iter(slices); json_next(&it, NULL, &s);) {
		const json_val *f = element(view_member(s, "figures"), metric),
			       *interval = view_member(f, "interval_95");
		struct chart_point *p = &points[c->label_count];
		*p = chart_value(value_of(view_member(f, "value")),
			view_number(a, view_member(f, "value"), view_text(f, "unit")));
		p->low = value_of(element(interval, 0));
		p->high = value_of(element(interval, 1));
		if (draw_value_is(p->low) && draw_value_is(p->high))
			c->kind = CHART_DOT;
		labels[c->label_count++] = label_of(a, s);
	}
	c->labels = labels;
	c->series = one_series(a, c->title, points);
	c->series_count = 1;
}

static struct chart
slice_chart(struct arena *a, const json_val *report, const char *axis, size_t metric)
{
	const json_val *k = element(view_member(report, "kpis"), metric);
	struct str unit = view_text(k, "unit"), name = view_text(k, "metric");
	bool by_channel = strcmp(axis, "channels") == 0;
	struct chart c = chart_new(
		CHART_BAR, arena_fmt(a, "%.*s by %s", STR_ARG(name), by_channel ? "channel" : "source"));

	c.notation = notation_of(unit);
	c.unit = axis_unit(unit);
	fill_points(a, view_member(view_member(report, axis), "slices"), metric, &c);
	bool is_sum = str_eq(view_text(k, "basis"), STR("sum"));
	if (!is_sum && draw_value_is(target_of(k))) {
		c.target = target_of(k);
		c.target_text = arena_fmt(a, "target %.*s",
			STR_ARG(view_number(a, view_member(view_member(k, "target"), "value"), unit)));
	}
	c.description = arena_fmt(a, "%s for each %s%s. The table has the figures.",
		c.kind == CHART_DOT ? "A dot" : "A bar", by_channel ? "channel" : "source",
		c.kind == CHART_DOT ? "; the line through it is the range in which the true share lies with "
				      "95 percent confidence"
				    : "");
	return c;
}

size_t
view_slice_charts(struct arena *a, const json_val *report, const char *axis, struct chart *out)
{
	static const size_t wanted[KINDS] = {
		[KIND_FACTOR] = 1, [KIND_RATE] = 2, [KIND_COST] = 1, [KIND_AMOUNT] = 1, [KIND_OTHER] = 1
	};
	size_t metrics[VIEW_CHARTS_MAX];
	size_t n = pick(report, wanted, metrics);

	for (size_t i = 0; i < n; i++)
		out[i] = slice_chart(a, report, axis, metrics[i]);
	return n;
}

/* ---- course ---- */

static struct chart
course_chart(struct arena *a, const json_val *report, size_t metric)
{
	const json_val *course = view_member(report, "course"),
		       *k = element(view_member(report, "kpis"), metric);
	const json_val *m = element(view_member(course, "metrics"), metric), *list = view_member(m, "points");
	struct chart_point *points = arena_alloc_array(a, view_count(list), sizeof(*points));
	struct str *labels = arena_alloc_array(a, view_count(list), sizeof(*labels));
	struct str interval = view_text(course, "interval"), unit = view_text(k, "unit");
	struct chart c = chart_new(
		CHART_LINE, arena_fmt(a, "%.*s by %.*s", STR_ARG(view_text(k, "metric")), STR_ARG(interval)));
	json_val *p;

	for (struct json_iter it = view_iter(list); json_next(&it, NULL, &p);) {
		points[c.label_count] = chart_value(value_of(view_member(p, "value")), (struct str){ "", 0 });
		labels[c.label_count++] = view_text(p, "date");
	}
	c.labels = labels;
	c.series = one_series(a, c.title, points);
	c.series_count = 1;
	c.notation = notation_of(unit);
	c.unit = axis_unit(unit);
	if (!str_eq(view_text(k, "basis"), STR("sum")) && draw_value_is(target_of(k))) {
		c.target = target_of(k);
		c.target_text = STR("target");
	}
	c.description = arena_fmt(a,
		"A line over %zu periods; a gap is a period without values. The table has the figures.",
		c.label_count);
	return c;
}

size_t
view_course_charts(struct arena *a, const json_val *report, struct chart *out)
{
	static const size_t wanted[KINDS] = {
		[KIND_FACTOR] = 1, [KIND_RATE] = 1, [KIND_AMOUNT] = 1, [KIND_COUNT] = 1
	};
	size_t metrics[VIEW_CHARTS_MAX];
	size_t n = pick(report, wanted, metrics);

	for (size_t i = 0; i < n; i++)
		out[i] = course_chart(a, report, metrics[i]);
	return n;
}
