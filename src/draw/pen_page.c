/* The pen that draws on a page. */
#include "draw/document_parts.h"
#include "draw/text.h"

static struct draw_doc *
doc_of(struct draw_pen *p)
{
	return ((struct draw_pen_page *)p)->doc;
}

static void
page_path(struct draw_pen *p, const struct draw_point *points, size_t count, struct draw_stroke s)
{
	static const double dashes[] = { 4, 3 };
	cairo_t *cr = doc_of(p)->cr;

	use_colour(doc_of(p), s.role);
	cairo_set_line_width(cr, s.width);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
	cairo_set_dash(cr, dashes, s.dashed ? (int)COUNT(dashes) : 0, 0);
	cairo_new_path(cr);
	for (size_t i = 0; i < count; i++)
		cairo_line_to(cr, points[i].x, points[i].y);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
}

static void
page_box(struct draw_pen *p, struct draw_box b, enum draw_role role)
{
	use_colour(doc_of(p), role);
	cairo_new_path(doc_of(p)->cr);
	cairo_rectangle(doc_of(p)->cr, b.x, b.y, b.w, b.h);
	cairo_fill(doc_of(p)->cr);
}

static void
page_dot(struct draw_pen *p, struct draw_point at, double radius, enum draw_role role)
{
	use_colour(doc_of(p), role);
	cairo_new_path(doc_of(p)->cr);
	cairo_arc(doc_of(p)->cr, at.x, at.y, radius, 0, 2 * G_PI);
	cairo_fill(doc_of(p)->cr);
}

/* One line of the text on the document's layout; its width. */
static double
set_line(struct draw_doc *d, double size, bool bold, double max_width, struct str text)
{
	struct draw_style style = { .size = size, .bold = bold };
	int width;

	layout_set(d, d->layout, &style, -1, text);
	pango_layout_set_single_paragraph_mode(d->layout, TRUE);
	pango_layout_get_size(d->layout, &width, NULL);
	if (max_width > 0 && width > (int)(max_width * PANGO_SCALE)) {
		pango_layout_set_width(d->layout, (int)(max_width * PANGO_SCALE));
		pango_layout_set_ellipsize(d->layout, PANGO_ELLIPSIZE_END);
		pango_layout_get_size(d->layout, &width, NULL);
	}
	return (double)width / PANGO_SCALE;
}

static void
unset_line(struct draw_doc *d)
{
	pango_layout_set_single_paragraph_mode(d->layout, FALSE);
	pango_layout_set_ellipsize(d->layout, PANGO_ELLIPSIZE_NONE);
}

static void
page_label(struct draw_pen *p, const struct draw_label *l, struct str text)
{
	struct draw_doc *d = doc_of(p);
	double width = set_line(d, l->size, l->bold, l->max_width, text);
	double x = l->at.x - (l->anchor == DRAW_START ? 0 : l->anchor == DRAW_MIDDLE ? width / 2 : width);
	PangoLayoutLine *line = pango_layout_get_line_readonly(d->layout, 0);

	use_colour(d, l->role);
	cairo_move_to(d->cr, x, l->at.y + l->size * 0.35);
	if (line)
		pango_cairo_show_layout_line(d->cr, line);
	unset_line(d);
}

static double
page_width(struct draw_pen *p, double size, struct str text)
{
	double width = set_line(doc_of(p), size, false, 0, text);

	unset_line(doc_of(p));
	return width;
}

static const struct draw_pen_ops page_ops = { page_path, page_box, page_dot, page_label, page_width };

void
draw_pen_page_init(struct draw_pen_page *p, struct draw_doc *d)
{
	*p = (struct draw_pen_page){ .pen = { &page_ops, d->arena }, .doc = d };
}
