/*
 * Lines along their labels, which are usually days: a gap where a value is absent, a dot where a value stands alone or all are few. Labels
 * below are thinned out until they don't touch; the first and the last one always stand.
 */
#include "draw/chart_parts.h"
#include <math.h>

#define FEW_POINTS 24

struct lines {
	struct draw_pen *p;
	const struct chart *c;
	struct draw_box plot;
	struct draw_scale scale;
};

static double
place_x(const struct lines *l, size_t i)
{
	if (l->c->label_count < 2)
		return l->plot.x + l->plot.w / 2;
	return l->plot.x + l->plot.w * (double)i / (double)(l->c->label_count - 1);
}

static void
draw_axis(struct lines *l)
{
	struct draw_box b = l->plot;

	for (size_t i = 0; i < l->scale.tick_count; i++) {
		double y = draw_scale_place(&l->scale, l->scale.ticks[i]);
		struct draw_point line[] = { { b.x, y }, { b.x + b.w, y } };
		l->p->ops->path(l->p, line, 2, (struct draw_stroke){ DRAW_LINE, 0.7, false });
		chart_label(l->p,
			(struct draw_label){ .at = { b.x - 6, y },
				.anchor = DRAW_END,
				.size = CHART_TEXT - 1.5,
				.role = DRAW_QUIET },
			draw_scale_text(l->p->arena, &l->scale, l->scale.ticks[i]));
	}
	chart_label(l->p,
		(struct draw_label){ .at = { 0, b.y - 12 },
			.anchor = DRAW_START,
			.size = CHART_TEXT - 1.5,
			.role = DRAW_QUIET },
		l->c->unit);
}

static void
draw_below(struct lines *l, size_t i)
{
	const struct chart *c = l->c;
	enum draw_anchor anchor = c->label_count < 2	    ? DRAW_MIDDLE
				  : i == 0		    ? DRAW_START
				  : i + 1 == c->label_count ? DRAW_END
							    : DRAW_MIDDLE;

	chart_label(l->p,
		(struct draw_label){ .at = { place_x(l, i), l->plot.y + l->plot.h + 11 },
			.anchor = anchor,
			.size = CHART_TEXT - 1.5,
			.max_width = l->plot.w,
			.role = DRAW_QUIET },
		c->labels[i]);
}

static void
draw_labels(struct lines *l)
{
	const struct chart *c = l->c;
	double width = 0;

	for (size_t i = 0; i < c->label_count; i++)
		width = fmax(width, l->p->ops->width(l->p, CHART_TEXT - 1.5, c->labels[i]));
	double room = fmax(floor(l->plot.w / (width + 14)), 1);
	size_t gaps = c->label_count - 1;
	size_t every = gaps ? (size_t)ceil((double)gaps / room) : 1;
	/* A label that would touch the last one gives way to it. */
	for (size_t i = 0; i < gaps; i += every)
		if (i == 0 || gaps - i >= every)
			draw_below(l, i);
	if (place_x(l, gaps) - place_x(l, 0) > 2 * width || gaps == 0)
		draw_below(l, gaps);
}

static void
draw_bands(struct lines *l, size_t s)
{
	for (size_t i = 0; i < l->c->label_count; i++) {
		const struct chart_point *at = &l->c->series[s].points[i];
		if (!draw_value_is(at->value) || !draw_value_is(at->low) || !draw_value_is(at->high))
			continue;
		struct draw_point span[] = { { place_x(l, i), draw_scale_place(&l->scale, at->low) },
			{ place_x(l, i), draw_scale_place(&l->scale, at->high) } };
		l->p->ops->path(l->p, span, 2, (struct draw_stroke){ DRAW_QUIET, 1, false });
	}
}

static void
draw_series(struct lines *l, size_t s)
{
	const struct chart *c = l->c;
	struct draw_point *run = arena_alloc_array(l->p->arena, c->label_count, sizeof(*run));
	enum draw_role role = chart_series_role(s);
	size_t n = 0;

	draw_bands(l, s);
	for (size_t i = 0; i <= c->label_count; i++) {
		bool present = i < c->label_count && draw_value_is(c->series[s].points[i].value);
		if (present) {
			run[n] = (struct draw_point){ place_x(l, i),
				draw_scale_place(&l->scale, c->series[s].points[i].value) };
			if (c->label_count <= FEW_POINTS)
				l->p->ops->dot(l->p, run[n], 2.4, role);
			n++;
			continue;
		}
		if (n == 1)
			l->p->ops->dot(l->p, run[0], 2.4, role);
		else if (n > 1)
			l->p->ops->path(
				l->p, run, n, (struct draw_stroke){ role, 1.8, s >= DRAW_SERIES_ROLES });
		n = 0;
	}
}

static void
draw_target_line(struct lines *l)
{
	const struct chart *c = l->c;

	if (!draw_value_is(c->target))
		return;
	double y = draw_scale_place(&l->scale, c->target);
	struct draw_point line[] = { { l->plot.x, y }, { l->plot.x + l->plot.w, y } };
	l->p->ops->path(l->p, line, 2, (struct draw_stroke){ DRAW_INK, 1.2, true });
	chart_label(l->p,
		(struct draw_label){ .at = { l->plot.x + l->plot.w, y - 7 },
			.anchor = DRAW_END,
			.size = CHART_TEXT - 1,
			.role = DRAW_INK },
		c->target_text);
}

void
chart_draw_lines(struct draw_pen *p, const struct chart *c, struct draw_box frame)
{
	struct lines l = { .p = p, .c = c };
	struct chart_range r = chart_range_of(c);
	double labels = 0, top = c->unit.n ? 22 : 8;

	/* A course near zero is read against zero; one far from it would become a flat line. */
	if (r.low > 0 && r.low < 0.6 * r.high)
		r.low = 0;
	if (r.high < 0 && r.high > 0.6 * r.low)
		r.high = 0;
	l.scale = draw_scale_make(r.low, r.high, 4);
	l.scale.notation = c->notation;
	for (size_t i = 0; i < l.scale.tick_count; i++)
		labels = fmax(labels, p->ops->width(p, CHART_TEXT - 1.5,
					      draw_scale_text(p->arena, &l.scale, l.scale.ticks[i])));
	labels = fmin(labels, frame.w * 0.3);
	l.plot = (struct draw_box){ frame.x + labels + 8, frame.y + top, frame.w - labels - 12,
		frame.h - top - 20 };
	l.scale.from = l.plot.y + l.plot.h;
	l.scale.to = l.plot.y;
	draw_axis(&l);
	draw_labels(&l);
	for (size_t s = 0; s < c->series_count; s++)
		draw_series(&l, s);
	draw_target_line(&l);
}
