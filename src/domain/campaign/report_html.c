/*
 * The report as one page that needs nothing beside it: its style and its pictures are inside, it has no script. Every text from outside
 * goes through draw_escape, and stands in an element that takes its direction from the text.
 */
#include "base/asset.h"
#include "base/limits.h"
#include "domain/campaign/report.h"
#include "domain/campaign/report_view.h"
#include "draw/text.h"

#define TITLE_CHARS 44 /* of the campaign's name in the window's title */
#define CHART_WIDTH 420.0

struct page {
	struct arena *a;
	struct buf *b;
	const json_val *report;
	int charts;
};

#define put(p, literal) buf_add_lit((p)->b, literal)

static void
text(struct page *p, struct str s)
{
	draw_escape(p->b, s);
}

/* <tag class="…" dir="auto">text</tag>; nothing for an empty text. */
static void
block(struct page *p, const char *tag, const char *classes, struct str s)
{
	if (s.n == 0)
		return;
	buf_add_fmt(p->b, "<%s%s%s%s dir=\"auto\">", tag, *classes ? " class=\"" : "", classes,
		*classes ? "\"" : "");
	text(p, s);
	buf_add_fmt(p->b, "</%s>\n", tag);
}

static void
open_section(struct page *p, const char *id, const char *title)
{
	buf_add_fmt(p->b, "<section class=\"card\" aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id,
		title);
}

static const char *
role_class(enum draw_role role)
{
	switch (role) {
	case DRAW_GOOD:
		return "good";
	case DRAW_WARN:
		return "warn";
	case DRAW_BAD:
		return "bad";
	case DRAW_QUIET:
		return "quiet";
	case DRAW_INK:
	case DRAW_LINE:
	case DRAW_GROUND:
	case DRAW_PAPER:
	case DRAW_ACCENT:
	case DRAW_FIRST:
	case DRAW_SECOND:
	case DRAW_THIRD:
	case DRAW_FOURTH:
	case DRAW_FIFTH:
	case DRAW_ROLE_COUNT:
		break;
	}
	return "";
}

/* ---- tables and charts ---- */

static void
put_cell(struct page *p, const struct view_table *t, size_t row, size_t column)
{
	const struct draw_cell *cell = &t->cells[row * t->column_count + column];
	const char *tag = column == 0 ? "th" : "td";
	bool right = t->columns[column].align == DRAW_RIGHT;

	buf_add_fmt(p->b, "<%s%s", tag, column == 0 ? " scope=\"row\"" : "");
	if (right || *role_class(cell->role))
		buf_add_fmt(p->b, " class=\"%s%s%s\"", right ? "n" : "",
			right && *role_class(cell->role) ? " " : "", role_class(cell->role));
	buf_add_fmt(p->b, "%s>", right ? "" : " dir=\"auto\"");
	text(p, cell->text);
	buf_add_fmt(p->b, "</%s>", tag);
}

/* In a box of its own that scrolls on a narrow screen, also by keyboard. label is ours. */
static void
put_table(struct page *p, const struct view_table *t, const char *label)
{
	buf_add_fmt(p->b, "<section class=\"scroll\" aria-label=\"%s\" tabindex=\"0\">\n<table>\n<thead><tr>",
		label);
	for (size_t i = 0; i < t->column_count; i++) {
		buf_add_fmt(p->b, "<th scope=\"col\"%s>",
			t->columns[i].align == DRAW_RIGHT ? " class=\"n\"" : "");
		text(p, t->columns[i].title);
		put(p, "</th>");
	}
	put(p, "</tr></thead>\n<tbody>\n");
	for (size_t row = 0; row < t->row_count; row++) {
		buf_add_fmt(
			p->b, "<tr%s>", t->has_total && row + 1 == t->row_count ? " class=\"whole\"" : "");
		for (size_t i = 0; i < t->column_count; i++)
			put_cell(p, t, row, i);
		put(p, "</tr>\n");
	}
	put(p, "</tbody>\n</table>\n</section>\n");
}

static void
put_chart(struct page *p, const struct chart *c)
{
	put(p, "<figure><figcaption dir=\"auto\">");
	text(p, c->title);
	put(p, "</figcaption>");
	chart_svg(p->a, c, arena_fmt(p->a, "chart-%d", ++p->charts), CHART_WIDTH, p->b);
	put(p, "</figure>\n");
}

static void
put_charts(struct page *p, const struct chart *charts, size_t count)
{
	if (count == 0)
		return;
	put(p, "<div class=\"charts\">\n");
	for (size_t i = 0; i < count; i++)
		put_chart(p, &charts[i]);
	put(p, "</div>\n");
}

/* ---- sections ---- */

static void
put_tiles(struct page *p)
{
	struct draw_tile tiles[VIEW_TILES_MAX];
	size_t n = view_tiles(p->a, p->report, tiles);

	if (n == 0)
		return;
	put(p, "<ul class=\"tiles\">\n");
	for (size_t i = 0; i < n; i++) {
		put(p, "<li>");
		block(p, "span", "label", tiles[i].label);
		block(p, "strong", "", tiles[i].value);
		block(p, "span", role_class(tiles[i].note_role), tiles[i].note);
		put(p, "</li>\n");
	}
	put(p, "</ul>\n");
}

static void
put_kpis(struct page *p)
{
	struct view_table t = view_kpis(p->a, p->report);
	struct chart charts[2];
	size_t n = 0;

	open_section(p, "figures", "Figures against targets and earlier campaigns");
	if (t.row_count == 0) {
		put(p, "<p class=\"quiet\">No values were recorded for this campaign.</p>\n</section>\n");
		return;
	}
	put_tiles(p);
	put_table(p, &t, "KPIs");
	n += view_targets_chart(p->a, p->report, &charts[n]);
	n += view_earlier_chart(p->a, p->report, &charts[n]);
	put_charts(p, charts, n);
	put(p, "</section>\n");
}

static void
put_axis(struct page *p, const char *axis, const char *title)
{
	struct chart charts[VIEW_CHARTS_MAX];

	if (!view_has_slices(p->report, axis))
		return;
	struct view_table t = view_slices(p->a, p->report, axis, 0, view_metric_count(p->report));
	open_section(p, axis, title);
	put_charts(p, charts, view_slice_charts(p->a, p->report, axis, charts));
	put_table(p, &t, title);
	put(p, "</section>\n");
}

static void
put_course(struct page *p)
{
	struct chart charts[VIEW_CHARTS_MAX];
	size_t n = view_course_charts(p->a, p->report, charts);

	if (n == 0)
		return;
	struct view_table t = view_course(p->a, p->report, 0, view_metric_count(p->report));
	open_section(p, "course", "Course over time");
	put_charts(p, charts, n);
	put_table(p, &t, "Course over time");
	put(p, "</section>\n");
}

static void
put_evidence(struct page *p, const json_val *insight)
{
	size_t n, left_out;
	struct view_pair *pairs = view_evidence(p->a, view_member(insight, "evidence"), &n, &left_out);

	if (n == 0)
		return;
	put(p, "<dl>\n");
	for (size_t i = 0; i < n; i++) {
		put(p, "<dt dir=\"auto\">");
		text(p, pairs[i].name.n ? pairs[i].name : STR("value"));
		put(p, "</dt><dd dir=\"auto\">");
		text(p, pairs[i].value);
		put(p, "</dd>\n");
	}
	put(p, "</dl>\n");
	if (left_out)
		buf_add_fmt(p->b, "<p class=\"quiet\">and %zu more</p>\n", left_out);
}

static void
put_insight(struct page *p, const json_val *insight)
{
	struct str severity = view_text(insight, "severity"),
		   suggestion = view_text(insight, "action_suggestion");

	buf_add_fmt(p->b, "<article class=\"insight %s\">\n<h3 dir=\"auto\"><span class=\"severity\">",
		role_class(view_severity_role(severity)));
	text(p, severity);
	put(p, "</span> ");
	text(p, view_text(insight, "type"));
	put(p, "</h3>\n");
	block(p, "p", "", view_text(insight, "summary"));
	if (suggestion.n) {
		put(p, "<p dir=\"auto\"><strong>Suggested:</strong> ");
		text(p, suggestion);
		put(p, "</p>\n");
	}
	put_evidence(p, insight);
	block(p, "p", "quiet small",
		arena_fmt(p->a, "Found by %.*s, %.*s", STR_ARG(view_text(insight, "generated_by")),
			STR_ARG(view_instant(p->a, view_text(insight, "created_at")))));
	put(p, "</article>\n");
}

static void
put_insights(struct page *p)
{
	const json_val *list = view_member(p->report, "insights");
	json_val *i;

	open_section(p, "insights", "Insights");
	if (view_count(list) == 0)
		put(p, "<p class=\"quiet\">No insights were recorded.</p>\n");
	for (struct json_iter it = view_iter(list); json_next(&it, NULL, &i);)
		put_insight(p, i);
	put(p, "</section>\n");
}

static void
put_decisions(struct page *p)
{
	struct str notes = view_text(view_member(p->report, "retrospective"), "notes"),
		   decisions = view_text(p->report, "decisions");

	open_section(p, "decisions", "Decisions");
	if (decisions.n)
		block(p, "p", "lines", decisions);
	else
		put(p, "<p class=\"quiet\">No decisions were recorded.</p>\n");
	if (notes.n) {
		put(p, "<h3>Notes</h3>\n");
		block(p, "p", "lines", notes);
	}
	put(p, "</section>\n");
}

static void
put_actions(struct page *p)
{
	struct view_table agreed = view_actions(p->a, p->report, "actions"),
			  carried = view_actions(p->a, p->report, "carried_over");

	open_section(p, "actions", "Actions");
	if (agreed.row_count)
		put_table(p, &agreed, "Actions");
	else
		put(p, "<p class=\"quiet\">No actions were agreed on.</p>\n");
	if (carried.row_count) {
		put(p, "<h3>Carried over from earlier retrospectives</h3>\n");
		put_table(p, &carried, "Carried over from earlier retrospectives");
	}
	put(p, "</section>\n");
}

static void
put_about(struct page *p)
{
	const json_val *approval = view_member(p->report, "approval"),
		       *earlier = view_member(p->report, "earlier_campaigns");
	json_val *k;

	if (approval) {
		open_section(p, "approval", "Approval");
		block(p, "p", "", view_state(p->a, p->report));
		block(p, "p", "lines", view_text(approval, "notes"));
		put(p, "</section>\n");
	}
	open_section(p, "about", "About these figures");
	block(p, "p", "", view_about(p->a, p->report));
	if (view_count(earlier)) {
		put(p, "<ul>\n");
		for (struct json_iter it = view_iter(earlier); json_next(&it, NULL, &k);)
			block(p, "li", "", view_earlier_line(p->a, k));
		put(p, "</ul>\n");
	}
	put(p, "</section>\n");
}

/* ---- the page ---- */

static void
put_head(struct page *p)
{
	const struct asset *style = asset_find(&web_assets, STR("report.css"));
	struct str name = view_text(view_member(p->report, "campaign"), "name"), cut = name;

	check(style);
	for (size_t chars = 0, i = 0; i < name.n; i++)
		if (((unsigned char)name.p[i] & 0xC0) != 0x80 && chars++ == TITLE_CHARS) {
			cut = arena_fmt(p->a, "%.*s\xE2\x80\xA6", (int)i, name.p);
			break;
		}
	put(p, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
	text(p, cut);
	put(p, ": retrospective report</title>\n<style>\n");
	buf_add_str(p->b, style->bytes);
	chart_svg_style(p->b);
	put(p, "\n</style>\n</head>\n");
}

static void
put_header(struct page *p)
{
	const json_val *campaign = view_member(p->report, "campaign");

	put(p, "<header>\n<p class=\"kind\">Retrospective report</p>\n");
	block(p, "h1", "", view_text(campaign, "name"));
	block(p, "p", "quiet", view_subtitle(p->a, p->report));
	block(p, "p", "", view_text(campaign, "description"));
	block(p, "p", view_member(p->report, "approval") ? "state good" : "state warn",
		view_state(p->a, p->report));
	put(p, "</header>\n");
}

/* A link to every section that there is. */
static void
put_contents(struct page *p)
{
	struct chart charts[VIEW_CHARTS_MAX];

	put(p, "<nav aria-label=\"Contents\"><ul>\n<li><a href=\"#figures\">Figures</a></li>\n");
	put(p, "<li><a href=\"#insights\">Insights</a></li>\n<li><a href=\"#decisions\">Decisions</a></li>\n"
	       "<li><a href=\"#actions\">Actions</a></li>\n");
	if (view_has_slices(p->report, "channels"))
		put(p, "<li><a href=\"#channels\">Channels</a></li>\n");
	if (view_has_slices(p->report, "sources"))
		put(p, "<li><a href=\"#sources\">Sources</a></li>\n");
	if (view_course_charts(p->a, p->report, charts))
		put(p, "<li><a href=\"#course\">Course</a></li>\n");
	if (view_member(p->report, "approval"))
		put(p, "<li><a href=\"#approval\">Approval</a></li>\n");
	put(p, "<li><a href=\"#about\">About</a></li>\n</ul></nav>\n");
}

struct err *
report_html(struct arena *a, struct str json, struct buf *out)
{
	struct page p = { .a = a, .b = out };
	json_val *report;

	TRY(json_parse(a, json, &report));
	p.report = report;
	put_head(&p);
	put(&p, "<body>\n");
	put_header(&p);
	put_contents(&p);
	put(&p, "<main>\n");
	put_kpis(&p);
	put_insights(&p);
	put_decisions(&p);
	put_actions(&p);
	put_axis(&p, "channels", "Channels");
	put_axis(&p, "sources", "Sources");
	put_course(&p);
	put_about(&p);
	put(&p, "</main>\n</body>\n</html>\n");
	if (buf_is_over(out))
		return err_new(a, ERR_TOO_LARGE, "The report's page would be larger than %u bytes.",
			LIMIT_ANSWER_BYTES);
	return NULL;
}
