/* What all charts have in common: the range of their values, the names of the series, the frame, and the element of SVG around it. */
#include "draw/chart_parts.h"
#include "draw/pen_svg.h"
#include "draw/text.h"
#include <math.h>

struct chart_point
chart_value(double value, struct str text)
{
	return (struct chart_point){ .value = value, .low = NAN, .high = NAN, .target = NAN, .text = text };
}

enum draw_role
chart_series_role(size_t series)
{
	return (enum draw_role)(DRAW_FIRST + series % DRAW_SERIES_ROLES);
}

void
chart_label(struct draw_pen *p, struct draw_label l, struct str text)
{
	if (text.n)
		p->ops->label(p, &l, text);
}

static void
include(struct chart_range *r, double v)
{
	if (!draw_value_is(v))
		return;
	r->low = r->any ? fmin(r->low, v) : v;
	r->high = r->any ? fmax(r->high, v) : v;
	r->any = true;
}

struct chart_range
chart_range_of(const struct chart *c)
{
	struct chart_range r = { 0 };

	for (size_t s = 0; s < c->series_count; s++)
		for (size_t i = 0; i < c->label_count; i++) {
			const struct chart_point *p = &c->series[s].points[i];
			include(&r, p->value);
			if (!draw_value_is(p->value))
				continue;
			include(&r, p->low);
			include(&r, p->high);
			include(&r, p->target);
		}
	if (r.any)
		include(&r, c->target);
	return r;
}

static double
legend_height(const struct chart *c)
{
	return c->series_count > 1 ? CHART_LEGEND : 0;
}

double
chart_height(const struct chart *c, double width)
{
	double row = CHART_ROW + CHART_ROW_MORE * (double)(c->series_count > 1 ? c->series_count - 1 : 0);
	double target = draw_value_is(c->target) && c->target_text.n ? CHART_TEXT + 4 : 0;

	if (!chart_range_of(c).any)
		return 40;
	if (c->kind == CHART_LINE)
		return fmin(fmax(width * 0.36, 110), 240) + legend_height(c);
	return legend_height(c) + target + row * (double)c->label_count + CHART_AXIS;
}

static void
draw_legend(struct draw_pen *p, const struct chart *c, double width)
{
	double x = 0;
	double each = width / (double)c->series_count;

	for (size_t s = 0; s < c->series_count; s++) {
		double named = fmin(p->ops->width(p, CHART_TEXT, c->series[s].name), each - 26);
		p->ops->box(p, (struct draw_box){ x, 2, 9, 9 }, chart_series_role(s));
		chart_label(p,
			(struct draw_label){ .at = { x + 13, 6.5 },
				.size = CHART_TEXT,
				.max_width = each - 20,
				.role = DRAW_QUIET },
			c->series[s].name);
		x += named + 30;
	}
}

void
chart_draw(struct draw_pen *p, const struct chart *c, struct draw_point size)
{
	double top = legend_height(c);

	if (!chart_range_of(c).any) {
		chart_label(p, (struct draw_label){ .at = { 0, 12 }, .size = CHART_TEXT, .role = DRAW_QUIET },
			STR("No values"));
		return;
	}
	if (top > 0)
		draw_legend(p, c, size.x);
	struct draw_box frame = { 0, top, size.x, size.y - top };
	switch (c->kind) {
	case CHART_BAR:
	case CHART_DOT:
		chart_draw_rows(p, c, frame);
		break;
	case CHART_LINE:
		chart_draw_lines(p, c, frame);
		break;
	}
}

void
chart_svg(struct arena *a, const struct chart *c, struct str id, double width, struct buf *out)
{
	struct draw_pen_svg pen;
	double height = chart_height(c, width);

	draw_pen_svg_init(&pen, a, out);
	buf_add_fmt(out,
		"<svg class=\"chart\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%.*s-t "
		"%.*s-d\">",
		width, height, STR_ARG(id), STR_ARG(id));
	buf_add_fmt(out, "<title id=\"%.*s-t\">", STR_ARG(id));
	draw_escape(out, c->title);
	buf_add_fmt(out, "</title><desc id=\"%.*s-d\">", STR_ARG(id));
	draw_escape(out, c->description);
	buf_add_lit(out, "</desc>");
	chart_draw(&pen.pen, c, (struct draw_point){ width, height });
	buf_add_lit(out, "</svg>");
}

void
chart_svg_style(struct buf *out)
{
	for (size_t i = 0; i < DRAW_ROLE_COUNT; i++)
		buf_add_fmt(out, ".fill-%s{fill:var(--%s)}.line-%s{stroke:var(--%s);fill:none}",
			draw_role_words[i], draw_role_words[i], draw_role_words[i], draw_role_words[i]);
}
