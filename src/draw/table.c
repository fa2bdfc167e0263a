/*
 * Tables. Each column keeps one layout for all its cells; a row is laid out once, drawn where it fits, and drawn line by line over the break
 * where no page holds it.
 */
#include "draw/table.h"
#include "draw/document_parts.h"

#define CELL_GAP    8.0 /* between columns */
#define ROW_PAD	    3.2 /* above and below a row's text */
#define TITLE_LINES 6	/* of a paragraph of a column's title; the rest is cut */
#define CELL_SIZE   8.5

struct draw_table {
	struct draw_doc *doc;
	const struct draw_column *columns;
	size_t count;
	double x[DRAW_COLUMNS_MAX], width[DRAW_COLUMNS_MAX];
	PangoLayout *titles[DRAW_COLUMNS_MAX];	/* laid out once, drawn on every page */
	PangoLayout *layouts[DRAW_COLUMNS_MAX]; /* of the present row */
};

/* Sets the cells' texts; the height of the row with its padding. */
static double
lay_out(struct draw_table *t, PangoLayout **layouts, const struct draw_cell *cells, double size)
{
	double height = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct draw_style s = { .size = size, .bold = cells[i].bold, .align = t->columns[i].align };
		int h;
		layout_set(t->doc, layouts[i], &s, t->width[i], cells[i].text);
		pango_layout_get_size(layouts[i], NULL, &h);
		height = (double)h / PANGO_SCALE > height ? (double)h / PANGO_SCALE : height;
	}
	return height + 2 * ROW_PAD;
}

/* Draws what of the row fits this page; true when lines are left. */
static bool
draw_part(struct draw_table *t, const struct draw_cell *cells, struct flow *flows, const char *cell_tag)
{
	struct draw_doc *d = t->doc;
	double used = 0;
	bool more = false;

	cairo_tag_begin(d->cr, "TR", NULL);
	for (size_t i = 0; i < t->count; i++) {
		use_colour(d, cells[i].role);
		cairo_tag_begin(d->cr, cell_tag, NULL);
		double h = flow_draw(d, &flows[i], (struct draw_point){ t->x[i], d->y + ROW_PAD });
		cairo_tag_end(d->cr, cell_tag);
		used = h > used ? h : used;
		more = more || flows[i].more;
	}
	cairo_tag_end(d->cr, "TR");
	d->y += used + 2 * ROW_PAD;
	return more;
}

/* Titles are one part, and never so high that no row fits below them. */
static void
draw_header(struct draw_table *t)
{
	struct flow flows[DRAW_COLUMNS_MAX];
	struct draw_cell cells[DRAW_COLUMNS_MAX];

	for (size_t i = 0; i < t->count; i++) {
		flows[i] = flow_begin(t->titles[i]);
		cells[i] = (struct draw_cell){ .role = DRAW_QUIET };
	}
	(void)draw_part(t, cells, flows, "TH"); /* nothing is left: TITLE_LINES */
	for (size_t i = 0; i < t->count; i++)
		flow_end(&flows[i]);
	draw_rule(t->doc, t->doc->y, DRAW_QUIET, 0.9);
}

static void
next_page(struct draw_table *t)
{
	page_break(t->doc);
	draw_header(t);
}

static void
draw_cells(struct draw_table *t, const struct draw_cell *cells)
{
	struct flow flows[DRAW_COLUMNS_MAX];

	for (size_t i = 0; i < t->count; i++)
		flows[i] = flow_begin(t->layouts[i]);
	while (draw_part(t, cells, flows, "TD") && !t->doc->too_long)
		next_page(t);
	for (size_t i = 0; i < t->count; i++)
		flow_end(&flows[i]);
}

struct draw_table *
draw_table_begin(struct draw_doc *d, const struct draw_column *columns, size_t count)
{
	struct draw_table *t = arena_new_of(d->arena, struct draw_table);
	struct draw_cell titles[DRAW_COLUMNS_MAX];
	double weights = 0, x = MARGIN_SIDE;

	check(count >= 1 && count <= DRAW_COLUMNS_MAX);
	*t = (struct draw_table){ .doc = d, .columns = columns, .count = count };
	for (size_t i = 0; i < count; i++)
		weights += columns[i].weight;
	for (size_t i = 0; i < count; i++) {
		t->x[i] = x;
		t->width[i] = (BODY_WIDTH - CELL_GAP * (double)(count - 1)) * columns[i].weight / weights;
		x += t->width[i] + CELL_GAP;
		t->titles[i] = layout_new(d);
		t->layouts[i] = layout_new(d);
		titles[i] = (struct draw_cell){ .text = columns[i].title, .bold = true };
	}
	lay_out(t, t->titles, titles, CELL_SIZE - 1);
	for (size_t i = 0; i < count; i++) {
		pango_layout_set_height(t->titles[i], -TITLE_LINES);
		pango_layout_set_ellipsize(t->titles[i], PANGO_ELLIPSIZE_END);
	}
	draw_keep(d, 70);
	cairo_tag_begin(d->cr, "Table", NULL);
	draw_header(t);
	return t;
}

void
draw_table_row(struct draw_table *t, const struct draw_cell *cells)
{
	struct draw_doc *d = t->doc;

	if (d->too_long)
		return;
	struct arena_mark mark = arena_mark(d->arena);
	double height = lay_out(t, t->layouts, cells, CELL_SIZE);
	if (d->y + height > PAGE_BOTTOM && height < PAGE_BOTTOM - MARGIN_TOP - 60)
		next_page(t);
	draw_cells(t, cells);
	draw_rule(d, d->y, DRAW_LINE, 0.7);
	arena_release(d->arena, mark);
}

void
draw_table_end(struct draw_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		g_object_unref(t->titles[i]);
		g_object_unref(t->layouts[i]);
	}
	cairo_tag_end(t->doc->cr, "Table");
	t->doc->y += 8;
}
