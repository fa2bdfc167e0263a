/* What the files of the document share: the open document, its layouts, and text that flows over pages. */
#ifndef DRAW_DOCUMENT_PARTS_H
#define DRAW_DOCUMENT_PARTS_H

#include "draw/document.h"
#include <cairo.h>
#include <pango/pangocairo.h>

#define PAGE_WIDTH   595.276 /* A4 */
#define PAGE_HEIGHT  841.89
#define MARGIN_SIDE  52.0
#define MARGIN_TOP   54.0
#define MARGIN_FOOT  62.0
#define PAGE_BOTTOM  (PAGE_HEIGHT - MARGIN_FOOT)
#define BODY_WIDTH   (PAGE_WIDTH - 2 * MARGIN_SIDE)
#define HEADING_LEVELS 3

struct draw_doc {
	struct arena *arena;
	struct draw_options options;
	struct buf pdf; /* on the heap */
	cairo_surface_t *surface;
	cairo_t *cr;
	PangoFontMap *fonts;
	PangoContext *context;
	PangoLayout *layout; /* of whatever is drawn next */
	double y;            /* where the next thing begins */
	int page;
	bool too_long;
	int outline[HEADING_LEVELS + 1]; /* the latest bookmark of each level; 0: the root */
};

void page_begin(struct draw_doc *d);
void page_break(struct draw_doc *d);
void use_colour(struct draw_doc *d, enum draw_role role);
void draw_rule(struct draw_doc *d, double y, enum draw_role role, double width);
/* Sets the layout to the plain form of text; width < 0: one line of any width. */
void layout_set(struct draw_doc *d, PangoLayout *l, const struct draw_style *s, double width, struct str text);
PangoLayout *layout_new(struct draw_doc *d);

/* Lines of a layout that are drawn one after the other. */
struct flow {
	PangoLayoutIter *lines;
	bool more;
};
struct flow flow_begin(PangoLayout *l);
void flow_end(struct flow *f);
/* Draws the lines that fit between at.y and PAGE_BOTTOM; their height. */
double flow_draw(struct draw_doc *d, struct flow *f, struct draw_point at);

struct draw_pen_page {
	struct draw_pen pen;
	struct draw_doc *doc;
};
/* The pen's origin is the cairo context's. */
void draw_pen_page_init(struct draw_pen_page *p, struct draw_doc *d);

/*
 * Adds what cairo does not write (language, title in the window, version 1.7 of the format) to the catalog of a finished PDF, as an
 * incremental update (ISO 32000-1, 7.5.6). INTERNAL when the document is not built as cairo builds it.
 */
struct err *pdf_amend(struct arena *a, struct buf *pdf, struct str language) MUST_USE;

#endif
