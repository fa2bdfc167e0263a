/*
 * Bars and dots: a row a label, the label left, the figure at the right end of the row, so that figures stand below each other and never
 * meet a bar. Bars start at zero, because their length is what is read; dots may start anywhere.
 */
#include "draw/chart_parts.h"
#include <math.h>

struct rows {
	struct draw_pen *p;
	const struct chart *c;
	struct draw_box plot; /* between labels and figures, above the axis */
	struct draw_scale scale;
	double left, figure_x;
	double row;
};

static double
widest(struct draw_pen *p, struct str text, double so_far)
{
	return fmax(so_far, p->ops->width(p, CHART_TEXT, text));
}

static void
place(struct rows *r, struct draw_box frame)
{
	const struct chart *c = r->c;
	double labels = 0, figures = 0;
	double top = draw_value_is(c->target) && c->target_text.n ? CHART_TEXT + 4 : 0;

	for (size_t i = 0; i < c->label_count; i++)
		labels = widest(r->p, c->labels[i], labels);
	for (size_t s = 0; s < c->series_count; s++)
		for (size_t i = 0; i < c->label_count; i++)
			figures = widest(r->p, c->series[s].points[i].text, figures);
	r->left = fmin(labels, frame.w * 0.36);
	figures = fmin(figures, frame.w * 0.3);
	r->figure_x = frame.x + frame.w;
	r->plot = (struct draw_box){ frame.x + r->left + 10, frame.y + top, frame.w - r->left - figures - 22,
		frame.h - CHART_AXIS - top };
	r->row = r->plot.h / (double)c->label_count;
}

static void
draw_axis(struct rows *r)
{
	struct draw_box b = r->plot;

	for (size_t i = 0; i < r->scale.tick_count; i++) {
		double x = draw_scale_place(&r->scale, r->scale.ticks[i]);
		struct draw_point line[] = { { x, b.y }, { x, b.y + b.h } };
		r->p->ops->path(r->p, line, 2, (struct draw_stroke){ DRAW_LINE, 0.7, false });
		chart_label(r->p,
			(struct draw_label){ .at = { x, b.y + b.h + 10 },
				.anchor = DRAW_MIDDLE,
				.size = CHART_TEXT - 1.5,
				.role = DRAW_QUIET },
			draw_scale_text(r->p->arena, &r->scale, r->scale.ticks[i]));
	}
	chart_label(r->p,
		(struct draw_label){ .at = { r->figure_x, b.y + b.h + 10 },
			.anchor = DRAW_END,
			.size = CHART_TEXT - 1.5,
			.role = DRAW_QUIET },
		r->c->unit);
}

static void
draw_target_line(struct rows *r)
{
	const struct chart *c = r->c;

	if (!draw_value_is(c->target))
		return;
	double x = draw_scale_place(&r->scale, c->target);
	struct draw_point line[] = { { x, r->plot.y - 3 }, { x, r->plot.y + r->plot.h } };
	r->p->ops->path(r->p, line, 2, (struct draw_stroke){ DRAW_INK, 1.2, true });
	double half = r->p->ops->width(r->p, CHART_TEXT - 1, c->target_text) / 2;
	double right = r->figure_x - half, left = half;
	chart_label(r->p,
		(struct draw_label){ .at = { fmax(fmin(x, right), left), r->plot.y - CHART_TEXT + 1 },
			.anchor = DRAW_MIDDLE,
			.size = CHART_TEXT - 1,
			.role = DRAW_INK },
		c->target_text);
}

static void
draw_interval(struct rows *r, const struct chart_point *at, double y)
{
	if (!draw_value_is(at->low) || !draw_value_is(at->high))
		return;
	double from = draw_scale_place(&r->scale, at->low), to = draw_scale_place(&r->scale, at->high);
	struct draw_point span[] = { { from, y }, { to, y } };
	struct draw_point start[] = { { from, y - 3 }, { from, y + 3 } },
			  end[] = { { to, y - 3 }, { to, y + 3 } };
	struct draw_stroke thin = { DRAW_QUIET, 1.1, false };
	r->p->ops->path(r->p, span, 2, thin);
	r->p->ops->path(r->p, start, 2, thin);
	r->p->ops->path(r->p, end, 2, thin);
}

static void
draw_point(struct rows *r, size_t series, const struct chart_point *at, struct draw_box slot)
{
	enum draw_role role = chart_series_role(series);
	double x = draw_scale_place(&r->scale, at->value), y = slot.y + slot.h / 2;

	if (r->c->kind == CHART_BAR) {
		double zero = draw_scale_place(&r->scale, 0);
		double thick = fmin(slot.h * 0.72, 13);
		r->p->ops->box(r->p,
			(struct draw_box){ fmin(x, zero), y - thick / 2, fmax(fabs(x - zero), 0.6), thick },
			role);
		draw_interval(r, at, y);
	} else {
		draw_interval(r, at, y);
		r->p->ops->dot(r->p, (struct draw_point){ x, y }, 4, role);
	}
	if (draw_value_is(at->target)) {
		double t = draw_scale_place(&r->scale, at->target);
		struct draw_point mark[] = { { t, slot.y + 1 }, { t, slot.y + slot.h - 1 } };
		r->p->ops->path(r->p, mark, 2, (struct draw_stroke){ DRAW_INK, 2, false });
	}
}

static void
draw_row(struct rows *r, size_t i)
{
	const struct chart *c = r->c;
	double top = r->plot.y + r->row * (double)i;
	double pad = r->row * 0.08, each = (r->row - 2 * pad) / (double)c->series_count;

	chart_label(r->p,
		(struct draw_label){ .at = { r->left, top + r->row / 2 },
			.anchor = DRAW_END,
			.size = CHART_TEXT,
			.max_width = r->left + 0.5,
			.role = DRAW_INK },
		c->labels[i]);
	for (size_t s = 0; s < c->series_count; s++) {
		const struct chart_point *at = &c->series[s].points[i];
		struct draw_box slot = { r->plot.x, top + pad + each * (double)s, r->plot.w, each };
		if (draw_value_is(at->value))
			draw_point(r, s, at, slot);
		chart_label(r->p,
			(struct draw_label){ .at = { r->figure_x, slot.y + slot.h / 2 },
				.anchor = DRAW_END,
				.size = CHART_TEXT,
				.max_width = r->figure_x * 0.3,
				.role = DRAW_INK },
			at->text);
	}
}

void
chart_draw_rows(struct draw_pen *p, const struct chart *c, struct draw_box frame)
{
	struct rows r = { .p = p, .c = c };
	struct chart_range range = chart_range_of(c);

	place(&r, frame);
	if (c->kind == CHART_BAR) {
		range.low = fmin(range.low, 0);
		range.high = fmax(range.high, 0);
	}
	r.scale = draw_scale_make(range.low, range.high, r.plot.w > 260 ? 5 : 3);
	r.scale.from = r.plot.x;
	r.scale.to = r.plot.x + r.plot.w;
	r.scale.notation = c->notation;
	draw_axis(&r);
	for (size_t i = 0; i < c->label_count; i++)
		draw_row(&r, i);
	draw_target_line(&r);
}
