/* What stands on pages: paragraphs, headings with their bookmarks, key figures, charts. */
#include "draw/document_parts.h"
#include "draw/text.h"
#include <cairo-pdf.h>
#include <math.h>

#define POINTS(pango_units) ((double)(pango_units) / PANGO_SCALE)

struct flow
flow_begin(PangoLayout *l)
{
	return (struct flow){ pango_layout_get_iter(l), true };
}

void
flow_end(struct flow *f)
{
	pango_layout_iter_free(f->lines);
}

double
flow_draw(struct draw_doc *d, struct flow *f, struct draw_point at)
{
	int first = -1;
	double used = 0;

	while (f->more) {
		PangoRectangle extent;
		int top, bottom;
		pango_layout_iter_get_line_extents(f->lines, NULL, &extent);
		pango_layout_iter_get_line_yrange(f->lines, &top, &bottom);
		if (first < 0)
			first = top;
		if (at.y + POINTS(bottom - first) > PAGE_BOTTOM + 0.01)
			break;
		cairo_move_to(d->cr, at.x + POINTS(extent.x),
			at.y + POINTS(pango_layout_iter_get_baseline(f->lines) - first));
		pango_cairo_show_layout_line(d->cr, pango_layout_iter_get_line_readonly(f->lines));
		used = POINTS(bottom - first);
		f->more = pango_layout_iter_next_line(f->lines);
	}
	return used;
}

static void
draw_tagged(struct draw_doc *d, const char *tag, const struct draw_style *s, struct str text)
{
	layout_set(d, d->layout, s, BODY_WIDTH - s->indent, text);
	struct flow f = flow_begin(d->layout);
	while (f.more && !d->too_long) {
		use_colour(d, s->role);
		cairo_tag_begin(d->cr, tag, NULL);
		d->y += flow_draw(d, &f, (struct draw_point){ MARGIN_SIDE + s->indent, d->y });
		cairo_tag_end(d->cr, tag);
		if (!f.more)
			break;
		/* The foot of the page borrows the document's layout, which this text still needs. */
		PangoLayout *mine = d->layout;
		d->layout = layout_new(d);
		page_break(d);
		g_object_unref(d->layout);
		d->layout = mine;
	}
	flow_end(&f);
}

void
draw_text(struct draw_doc *d, const struct draw_style *s, struct str text)
{
	if (text.n == 0)
		return;
	draw_tagged(d, "P", s, text);
	d->y += s->size * 0.35;
}

void
draw_space(struct draw_doc *d, double height)
{
	if (d->y > MARGIN_TOP)
		d->y += height;
}

void
draw_keep(struct draw_doc *d, double height)
{
	if (d->y > MARGIN_TOP && d->y + fmin(height, PAGE_BOTTOM - MARGIN_TOP) > PAGE_BOTTOM)
		page_break(d);
}

static void
add_bookmark(struct draw_doc *d, int level, struct str text)
{
	struct str plain = draw_plain(d->arena, text);
	struct str place =
		arena_fmt(d->arena, "page=%d pos=[%d %d]", d->page, (int)MARGIN_SIDE, (int)fmax(d->y - 8, 0));

	d->outline[level] = cairo_pdf_surface_add_outline(d->surface, d->outline[level - 1],
		arena_cstr(d->arena, plain), place.p, level == 1 ? CAIRO_PDF_OUTLINE_FLAG_OPEN : 0);
	for (int deeper = level + 1; deeper <= HEADING_LEVELS; deeper++)
		d->outline[deeper] = d->outline[level];
}

void
draw_heading(struct draw_doc *d, int level, struct str text)
{
	static const struct draw_style styles[] = { { 20, DRAW_INK, true }, { 13, DRAW_ACCENT, true },
		{ 10.5, DRAW_INK, true } };
	static const char *const tags[] = { "H1", "H2", "H3" };
	static const double before[] = { 0, 16, 10 }, after[] = { 4, 5, 3 };

	check(level >= 1 && level <= HEADING_LEVELS);
	draw_space(d, before[level - 1]);
	draw_keep(d, styles[level - 1].size + 90);
	add_bookmark(d, level, text);
	draw_tagged(d, tags[level - 1], &styles[level - 1], text.n ? text : STR(" "));
	d->y += after[level - 1];
}

/* The part of a chart of rows that fits one page. */
static size_t
labels_that_fit(const struct chart *c, size_t from)
{
	struct chart part = *c;

	for (part.label_count = c->label_count - from; part.label_count > 1; part.label_count--)
		if (chart_height(&part, BODY_WIDTH) <= PAGE_BOTTOM - MARGIN_TOP)
			break;
	return part.label_count;
}

static void
draw_chart_part(struct draw_doc *d, const struct chart *c)
{
	struct draw_pen_page pen;
	double height = chart_height(c, BODY_WIDTH);

	draw_keep(d, height);
	draw_pen_page_init(&pen, d);
	cairo_save(d->cr);
	cairo_translate(d->cr, MARGIN_SIDE, d->y);
	cairo_tag_begin(d->cr, "Figure", NULL);
	chart_draw(&pen.pen, c, (struct draw_point){ BODY_WIDTH, height });
	cairo_tag_end(d->cr, "Figure");
	cairo_restore(d->cr);
	d->y += height + 6;
}

void
draw_chart(struct draw_doc *d, const struct chart *c)
{
	if (c->kind == CHART_LINE || chart_height(c, BODY_WIDTH) <= PAGE_BOTTOM - MARGIN_TOP) {
		draw_chart_part(d, c);
		return;
	}
	for (size_t from = 0, n; from < c->label_count && !d->too_long; from += n) {
		struct chart part = *c;
		struct chart_series *series = arena_alloc_array(d->arena, c->series_count, sizeof(*series));
		n = labels_that_fit(c, from);
		for (size_t s = 0; s < c->series_count; s++)
			series[s] = (struct chart_series){ c->series[s].name, c->series[s].points + from };
		part.series = series;
		part.labels = c->labels + from;
		part.label_count = n;
		draw_chart_part(d, &part);
	}
}

#define TILES_A_ROW 4
#define TILE_GAP    8.0
#define TILE_HEIGHT 58.0

static void
draw_tile_line(struct draw_doc *d, const struct draw_style *s, struct draw_box at, struct str text)
{
	if (text.n == 0)
		return;
	layout_set(d, d->layout, s, at.w, text);
	pango_layout_set_ellipsize(d->layout, PANGO_ELLIPSIZE_END);
	use_colour(d, s->role);
	cairo_move_to(d->cr, at.x, at.y);
	pango_cairo_show_layout(d->cr, d->layout);
	pango_layout_set_ellipsize(d->layout, PANGO_ELLIPSIZE_NONE);
}

/* Makes a text smaller that would not fit the width, down to half its size. */
static void
fit_line(struct draw_doc *d, struct draw_style *s, double width, struct str text)
{
	int needed;

	layout_set(d, d->layout, s, -1, text);
	pango_layout_get_size(d->layout, &needed, NULL);
	if (POINTS(needed) > width)
		s->size = fmax(s->size * width / POINTS(needed) - 0.1, s->size / 2);
}

static void
draw_tile(struct draw_doc *d, const struct draw_tile *t, struct draw_box at)
{
	static const struct draw_style label = { .size = 7.5, .role = DRAW_QUIET };
	struct draw_style value = { .size = 15, .role = DRAW_INK, .bold = true };
	struct draw_style note = { .size = 7.5, .role = t->note_role };
	struct draw_box line = { at.x + 9, at.y + 7, at.w - 16, 0 };

	use_colour(d, DRAW_GROUND);
	cairo_new_path(d->cr);
	cairo_rectangle(d->cr, at.x, at.y, at.w, at.h);
	cairo_fill(d->cr);
	cairo_tag_begin(d->cr, "P", NULL);
	draw_tile_line(d, &label, line, t->label);
	line.y += 12;
	fit_line(d, &value, line.w, t->value);
	draw_tile_line(d, &value, line, t->value);
	line.y += 22;
	fit_line(d, &note, line.w, t->note);
	draw_tile_line(d, &note, line, t->note);
	cairo_tag_end(d->cr, "P");
}

void
draw_tiles(struct draw_doc *d, const struct draw_tile *tiles, size_t count)
{
	double width = (BODY_WIDTH - TILE_GAP * (TILES_A_ROW - 1)) / TILES_A_ROW;

	for (size_t i = 0; i < count && !d->too_long; i++) {
		size_t column = i % TILES_A_ROW;
		if (column == 0)
			draw_keep(d, TILE_HEIGHT);
		draw_tile(d, &tiles[i],
			(struct draw_box){ MARGIN_SIDE + (width + TILE_GAP) * (double)column, d->y, width,
				TILE_HEIGHT });
		if (column + 1 == TILES_A_ROW || i + 1 == count)
			d->y += TILE_HEIGHT + TILE_GAP;
	}
}
