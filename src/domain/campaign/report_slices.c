/*
 * The comparisons of a report as JSON: channels and sources beside each other, ranked by what they cost or brought, and the course over
 * time. What there is no room for is told together, so that the parts always come to the whole.
 */
#include "domain/campaign/report_parts.h"
#include <stdlib.h>

/* Slices of an axis that are told as one. */
struct slice_set {
	enum report_axis axis;
	const int64_t *slices;
	size_t count;
};

/* The figure that slices are ranked by: of what adds up, the one that matters most to who pays. */
static size_t
ranking_metric(const struct report_input *in)
{
	static const int by_weight[] = { METRIC_SPEND, METRIC_REVENUE, METRIC_CONVERSIONS, METRIC_CLICKS,
		METRIC_IMPRESSIONS, METRIC_OTHER };
	size_t n = report_metric_count(in->figures);

	for (size_t w = 0; w < COUNT(by_weight); w++)
		for (size_t i = 0; i < n; i++) {
			const struct report_metric *m = report_metric_at(in->figures, i);
			if (m->part == by_weight[w] && m->adds_up && report_is_shown(in, i))
				return i;
		}
	return n;
}

struct ranked {
	int64_t slice;
	bool absent;
	struct decimal weight;
};

static int
rank_order(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int by_weight = decimal_cmp(y->weight, x->weight);

	if (x->absent != y->absent)
		return x->absent ? 1 : -1;
	return by_weight ? by_weight : (x->slice > y->slice) - (x->slice < y->slice);
}

static int64_t *
rank(struct arena *a, const struct report_input *in, enum report_axis axis, size_t by, size_t count)
{
	struct ranked *ranked = arena_alloc_array(a, count, sizeof(*ranked));
	int64_t *order = arena_alloc_array(a, count, sizeof(*order));

	for (size_t i = 0; i < count; i++) {
		ranked[i].slice = (int64_t)i;
		if (by == report_metric_count(in->figures))
			continue;
		struct report_figure f = report_figure(in->figures, by, axis, (int64_t)i);
		ranked[i].absent = f.basis == REPORT_ABSENT;
		ranked[i].weight = f.value;
	}
	qsort(ranked, count, sizeof(*ranked), rank_order);
	for (size_t i = 0; i < count; i++)
		order[i] = ranked[i].slice;
	return order;
}

static void
put_share(struct json_out *o, const struct report_figure *part, const struct report_figure *whole)
{
	struct decimal share;

	if (part->basis == REPORT_SUM && whole->basis == REPORT_SUM && whole->value.coef > 0 &&
		decimal_div(part->value, whole->value, 4, &share))
		report_put_number(o, "share", share);
}

/* The figures of the set, one a metric. */
static void
write_figures(struct json_out *o, struct res_ctx *c, const struct report_input *in, const struct slice_set *s)
{
	size_t shown = 0;

	json_key(o, STR("figures"));
	json_begin_array(o);
	for (size_t i = 0; i < report_metric_count(in->figures) && shown < REPORT_METRICS_MAX; i++) {
		if (!report_is_shown(in, i))
			continue;
		shown++;
		struct report_figure f = report_figure_of(in->figures, i, s->axis, s->slices, s->count);
		struct report_figure whole = report_figure(in->figures, i, REPORT_TOTAL, 0);
		json_begin_object(o);
		report_put_figure(o, c, report_metric_at(in->figures, i), &f);
		put_share(o, &f, &whole);
		json_end_object(o);
	}
	json_end_array(o);
}

static void
write_slice(struct json_out *o, struct res_ctx *c, const struct report_input *in, const struct slice_set *s)
{
	struct str name = report_slices(in->figures, s->axis).names[s->slices[0]];

	json_begin_object(o);
	json_key(o, STR("name"));
	s->count == 1 && name.n ? json_put_str(o, name) : json_put_null(o);
	/* null for both: what was entered without a name */
	json_pair_int(o, "others", s->count == 1 ? 0 : (int64_t)s->count);
	write_figures(o, c, in, s);
	json_end_object(o);
}

void
report_write_slices(
	struct json_out *o, struct res_ctx *c, const struct report_input *in, enum report_axis axis)
{
	struct report_slices all = report_slices(in->figures, axis);
	size_t by = ranking_metric(in),
	       kept = all.count > REPORT_SLICES_MAX + 1 ? REPORT_SLICES_MAX : all.count;
	int64_t *order = rank(c->arena, in, axis, by, all.count);

	json_key(o, axis == REPORT_CHANNEL ? STR("channels") : STR("sources"));
	json_begin_object(o);
	json_key(o, STR("ranked_by"));
	by < report_metric_count(in->figures) ? json_put_str(o, report_metric_at(in->figures, by)->name)
					      : json_put_null(o);
	json_key(o, STR("slices"));
	json_begin_array(o);
	for (size_t i = 0; i < kept; i++)
		write_slice(o, c, in, &(struct slice_set){ axis, order + i, 1 });
	if (kept < all.count)
		write_slice(o, c, in, &(struct slice_set){ axis, order + kept, all.count - kept });
	json_end_array(o);
	json_end_object(o);
}

/* ---- course ---- */

static void
put_date(struct json_out *o, const char *key, struct date d)
{
	char text[32];
	struct buf b = { .p = text, .cap = sizeof(text), .max = sizeof(text) - 1 };

	date_write(&b, d);
	json_key(o, str_from_cstr(key));
	json_put_str(o, buf_str(&b));
}

static void
write_points(struct json_out *o, const struct report_input *in, size_t i, struct date from)
{
	json_key(o, STR("points"));
	json_begin_array(o);
	for (struct date d = from; d.days <= in->last.days; d = period_add(d, in->interval, 1)) {
		struct report_figure f = report_figure(in->figures, i, REPORT_PERIOD, d.days);
		json_begin_object(o);
		put_date(o, "date", d);
		json_key(o, STR("value"));
		f.basis == REPORT_ABSENT ? json_put_null(o) : json_put_decimal(o, f.value, false);
		json_pair_int(o, "values", f.values);
		json_end_object(o);
		if (period_add(d, in->interval, 1).days <= d.days)
			break;
	}
	json_end_array(o);
}

void
report_write_course(struct json_out *o, struct res_ctx *c, const struct report_input *in)
{
	struct date from = period_start(in->first, in->interval),
		    latest = period_start(in->last, in->interval);
	struct date earliest = period_add(latest, in->interval, 1 - REPORT_POINTS_MAX);
	size_t shown = 0;

	json_key(o, STR("course"));
	json_begin_object(o);
	json_pair_str(o, "interval", str_from_cstr(period_names[in->interval]));
	json_key(o, STR("metrics"));
	json_begin_array(o);
	for (size_t i = 0;
		in->value_count && i < report_metric_count(in->figures) && shown < REPORT_METRICS_MAX; i++) {
		const struct report_metric *m = report_metric_at(in->figures, i);
		if (!report_is_shown(in, i))
			continue;
		shown++;
		json_begin_object(o);
		json_pair_str(o, "metric", m->name);
		json_pair_str(o, "unit", report_unit_text(c, m));
		write_points(o, in, i, earliest.days > from.days ? earliest : from);
		json_end_object(o);
	}
	json_end_array(o);
	json_end_object(o);
}
