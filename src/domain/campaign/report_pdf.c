/*
 * The report on paper. It is laid out twice: first to learn how many pages there are, then with their number at each foot, which costs less
 * than keeping pages back.
 */
#include "base/limits.h"
#include "base/time.h"
#include "domain/campaign/report.h"
#include "domain/campaign/report_view.h"

#define DOT		" \xC2\xB7 "
#define METRICS_A_TABLE 6 /* columns that fit beside the slices' names */

struct paper {
	struct arena *a;
	struct draw_doc *d;
	const json_val *report;
};

static void
text(struct paper *p, const struct draw_style *s, struct str t)
{
	draw_text(p->d, s, t);
}

static void
table(struct paper *p, const struct view_table *v)
{
	struct draw_table *t = draw_table_begin(p->d, v->columns, v->column_count);

	for (size_t i = 0; i < v->row_count; i++)
		draw_table_row(t, v->cells + i * v->column_count);
	draw_table_end(t);
}

/* A chart with its title, which stay together. */
static void
chart(struct paper *p, const struct chart *c)
{
	draw_keep(p->d, chart_height(c, draw_width(p->d)) + 34);
	draw_heading(p->d, 3, c->title);
	draw_chart(p->d, c);
}

/* ---- sections ---- */

static void
put_title(struct paper *p)
{
	const json_val *campaign = view_member(p->report, "campaign");
	struct draw_style state = draw_strong;

	text(p, &draw_small, STR("RETROSPECTIVE REPORT"));
	draw_heading(p->d, 1, view_text(campaign, "name"));
	text(p, &draw_quiet, view_subtitle(p->a, p->report));
	text(p, &draw_body, view_text(campaign, "description"));
	state.role = view_member(p->report, "approval") ? DRAW_GOOD : DRAW_WARN;
	text(p, &state, view_state(p->a, p->report));
}

static void
put_kpis(struct paper *p)
{
	struct draw_tile tiles[VIEW_TILES_MAX];
	struct view_table t = view_kpis(p->a, p->report);
	struct chart c;
	size_t n = view_tiles(p->a, p->report, tiles);

	draw_space(p->d, 8);
	draw_tiles(p->d, tiles, n);
	draw_heading(p->d, 2, STR("Figures against targets and earlier campaigns"));
	if (t.row_count == 0) {
		text(p, &draw_quiet, STR("No values were recorded for this campaign."));
		return;
	}
	table(p, &t);
	if (view_targets_chart(p->a, p->report, &c))
		chart(p, &c);
	if (view_earlier_chart(p->a, p->report, &c))
		chart(p, &c);
}

typedef struct view_table metric_table(struct paper *p, const char *axis, size_t from, size_t count);

static struct view_table
slice_table(struct paper *p, const char *axis, size_t from, size_t count)
{
	return view_slices(p->a, p->report, axis, from, count);
}

static struct view_table
course_table(struct paper *p, const char *axis, size_t from, size_t count)
{
	(void)axis;
	return view_course(p->a, p->report, from, count);
}

/* As many tables as the metrics need columns. */
static void
put_tables(struct paper *p, const char *axis, metric_table *make)
{
	size_t all = view_metric_count(p->report);

	for (size_t from = 0; from < all; from += METRICS_A_TABLE) {
		struct view_table t =
			make(p, axis, from, all - from < METRICS_A_TABLE ? all - from : METRICS_A_TABLE);
		if (t.row_count == 0)
			continue;
		draw_space(p->d, 6);
		table(p, &t);
	}
}

static void
put_axis(struct paper *p, const char *axis, struct str title)
{
	struct chart charts[VIEW_CHARTS_MAX];

	if (!view_has_slices(p->report, axis))
		return;
	draw_heading(p->d, 2, title);
	size_t n = view_slice_charts(p->a, p->report, axis, charts);
	for (size_t i = 0; i < n; i++)
		chart(p, &charts[i]);
	put_tables(p, axis, slice_table);
}

static void
put_course(struct paper *p)
{
	struct chart charts[VIEW_CHARTS_MAX];
	size_t n = view_course_charts(p->a, p->report, charts);

	if (n == 0)
		return;
	draw_heading(p->d, 2, STR("Course over time"));
	for (size_t i = 0; i < n; i++)
		chart(p, &charts[i]);
	put_tables(p, NULL, course_table);
}

static void
put_insight(struct paper *p, const json_val *insight)
{
	struct str severity = view_text(insight, "severity"),
		   suggestion = view_text(insight, "action_suggestion");
	struct draw_style tag = draw_strong, indented = draw_body, small = draw_small;
	size_t pairs, left_out;
	struct view_pair *evidence = view_evidence(p->a, view_member(insight, "evidence"), &pairs, &left_out);
	struct buf b;

	tag.role = view_severity_role(severity);
	indented.indent = small.indent = 10;
	draw_space(p->d, 5);
	draw_keep(p->d, 60);
	text(p, &tag,
		arena_fmt(p->a, "%.*s" DOT "%.*s", STR_ARG(severity), STR_ARG(view_text(insight, "type"))));
	text(p, &indented, view_text(insight, "summary"));
	if (suggestion.n)
		text(p, &indented, arena_fmt(p->a, "Suggested: %.*s", STR_ARG(suggestion)));
	buf_init_arena(&b, p->a, LIMIT_TEXT_BYTES);
	for (size_t i = 0; i < pairs; i++)
		buf_add_fmt(&b, "%s%.*s: %.*s", i ? "; " : "", STR_ARG(evidence[i].name),
			STR_ARG(evidence[i].value));
	if (left_out)
		buf_add_fmt(&b, "; and %zu more", left_out);
	text(p, &small, buf_str(&b));
	text(p, &small,
		arena_fmt(p->a, "Found by %.*s, %.*s", STR_ARG(view_text(insight, "generated_by")),
			STR_ARG(view_instant(p->a, view_text(insight, "created_at")))));
}

static void
put_insights(struct paper *p)
{
	const json_val *list = view_member(p->report, "insights");
	json_val *i;

	draw_heading(p->d, 2, STR("Insights"));
	if (view_count(list) == 0)
		text(p, &draw_quiet, STR("No insights were recorded."));
	for (struct json_iter it = view_iter(list); json_next(&it, NULL, &i);)
		put_insight(p, i);
}

static void
put_texts(struct paper *p)
{
	struct str notes = view_text(view_member(p->report, "retrospective"), "notes"),
		   decisions = view_text(p->report, "decisions");

	draw_heading(p->d, 2, STR("Decisions"));
	text(p, decisions.n ? &draw_body : &draw_quiet,
		decisions.n ? decisions : STR("No decisions were recorded."));
	if (notes.n) {
		draw_heading(p->d, 3, STR("Notes"));
		text(p, &draw_body, notes);
	}
}

static void
put_actions(struct paper *p, const char *which, struct str title, struct str none)
{
	struct view_table t = view_actions(p->a, p->report, which);

	if (t.row_count == 0 && none.n == 0)
		return;
	draw_heading(p->d, 2, title);
	if (t.row_count == 0)
		text(p, &draw_quiet, none);
	else
		table(p, &t);
}

static void
put_approval(struct paper *p)
{
	const json_val *approval = view_member(p->report, "approval"),
		       *earlier = view_member(p->report, "earlier_campaigns");
	json_val *k;

	if (approval) {
		draw_heading(p->d, 2, STR("Approval"));
		text(p, &draw_body,
			arena_fmt(p->a, "%.*s, %.*s",
				STR_ARG(view_named(p->a, view_member(approval, "approved_by"), "person")),
				STR_ARG(view_instant(p->a, view_text(approval, "approved_at")))));
		text(p, &draw_body, view_text(approval, "notes"));
	}
	draw_heading(p->d, 2, STR("About these figures"));
	text(p, &draw_body, view_about(p->a, p->report));
	for (struct json_iter it = view_iter(earlier); json_next(&it, NULL, &k);)
		text(p, &draw_quiet, view_earlier_line(p->a, k));
}

static void
put_report(struct paper *p)
{
	put_title(p);
	put_kpis(p);
	put_insights(p);
	put_texts(p);
	put_actions(p, "actions", STR("Actions"), STR("No actions were agreed on."));
	put_actions(
		p, "carried_over", STR("Carried over from earlier retrospectives"), (struct str){ "", 0 });
	put_axis(p, "channels", STR("Channels"));
	put_axis(p, "sources", STR("Sources"));
	put_course(p);
	put_approval(p);
}

static struct err *
lay_out(struct paper *p, struct draw_options *o, struct buf *out)
{
	struct err *e = draw_open(p->a, o, &p->d);

	if (e)
		return e;
	put_report(p);
	e = draw_finish(p->d, out);
	o->pages = draw_pages(p->d);
	draw_close(p->d);
	return e;
}

struct err *
report_pdf(struct arena *a, struct str json, struct buf *out)
{
	struct paper p = { .a = a };
	json_val *report;
	struct buf first;

	TRY(json_parse(a, json, &report));
	p.report = report;
	struct str name = view_text(view_member(report, "campaign"), "name");
	struct draw_options o = { .title = arena_fmt(a, "%.*s: retrospective report", STR_ARG(name)),
		.author = STR("Sextant"),
		.subject = view_period(a, report),
		.language = STR("en"),
		.footer = name,
		.max_bytes = LIMIT_ANSWER_BYTES };
	(void)instant_parse(
		view_text(report, "generated_at"), zone_utc(), &o.created); /* an odd one: the epoch */
	buf_init(&first, LIMIT_ANSWER_BYTES);
	struct err *e = lay_out(&p, &o, &first);
	buf_done(&first);
	return e ? e : lay_out(&p, &o, out);
}
