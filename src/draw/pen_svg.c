/* SVG elements. Coordinates have two decimals: finer than any screen, and the same text on every machine. */
#include "draw/pen_svg.h"
#include "draw/text.h"

static struct buf *
out_of(struct draw_pen *p)
{
	return ((struct draw_pen_svg *)p)->out;
}

static void
svg_path(struct draw_pen *p, const struct draw_point *points, size_t count, struct draw_stroke s)
{
	struct buf *b = out_of(p);

	buf_add_lit(b, "<path d=\"");
	for (size_t i = 0; i < count; i++)
		buf_add_fmt(b, "%c%.2f %.2f", i ? 'L' : 'M', points[i].x, points[i].y);
	buf_add_fmt(b, "\" class=\"line-%s\" stroke-width=\"%.2f\"", draw_role_words[s.role], s.width);
	if (s.dashed)
		buf_add_lit(b, " stroke-dasharray=\"4 3\"");
	buf_add_lit(b, "/>");
}

static void
svg_box(struct draw_pen *p, struct draw_box box, enum draw_role role)
{
	buf_add_fmt(out_of(p),
		"<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" class=\"fill-%s\"/>", box.x,
		box.y, box.w, box.h, draw_role_words[role]);
}

static void
svg_dot(struct draw_pen *p, struct draw_point at, double radius, enum draw_role role)
{
	buf_add_fmt(out_of(p), "<circle cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\" class=\"fill-%s\"/>", at.x, at.y,
		radius, draw_role_words[role]);
}

static void
svg_label(struct draw_pen *p, const struct draw_label *l, struct str text)
{
	static const char *const anchors[] = { "start", "middle", "end" };
	struct buf *b = out_of(p);
	struct str shown = l->max_width > 0 ? draw_guess_fit(p->arena, text, l->max_width / l->size) : text;

	/* The base line is set by number, because dominant-baseline is understood differently. */
	buf_add_fmt(b,
		"<text x=\"%.2f\" y=\"%.2f\" text-anchor=\"%s\" font-size=\"%.2f\" class=\"fill-%s\"%s>",
		l->at.x, l->at.y + l->size * 0.35, anchors[l->anchor], l->size, draw_role_words[l->role],
		l->bold ? " font-weight=\"600\"" : "");
	draw_escape(b, shown);
	if (shown.n != text.n) {
		buf_add_lit(b, "<title>");
		draw_escape(b, text);
		buf_add_lit(b, "</title>");
	}
	buf_add_lit(b, "</text>");
}

static double
svg_width(struct draw_pen *p, double size, struct str text)
{
	(void)p;
	return draw_guess_width(text) * size;
}

static const struct draw_pen_ops svg_ops = { svg_path, svg_box, svg_dot, svg_label, svg_width };

void
draw_pen_svg_init(struct draw_pen_svg *p, struct arena *a, struct buf *out)
{
	*p = (struct draw_pen_svg){ .pen = { &svg_ops, a }, .out = out };
}
