/*
 * PDF documents: A4 pages that fill from top to bottom. Headings become bookmarks, paragraphs wrap (any script, right-to-left ones from
 * the right) and go on to the next page, as tables do (table.h); structure is marked for screen readers. The same calls with the same
 * options give the same bytes on one machine: dates come from the options, fonts from the system.
 *
 * What goes wrong while drawing is kept and told by draw_finish, so that drawing itself reads like the document. Texts may be anything:
 * they are made plain (text.h). Lengths are points, 1/72 inch. A document belongs to one thread at a time.
 */
#ifndef DRAW_DOCUMENT_H
#define DRAW_DOCUMENT_H

#include "base/err.h"
#include "base/time.h"
#include "draw/chart.h"

struct draw_doc;

struct draw_options {
	struct str title, author, subject; /* metadata; may be empty */
	struct str language;               /* of the texts, BCP 47: "en" */
	struct instant created;            /* metadata; whole seconds are kept */
	struct str footer;                 /* left at the foot of every page; the page's number stands right */
	int pages;                         /* their number as an earlier pass found it (draw_pages): "Page 1 of 3"; 0: "Page 1" */
	size_t max_bytes;                  /* of the finished document */
};

#define DRAW_PAGES_MAX 1000 /* a document of more is a mistake, and would hold a thread for minutes */

/* UNAVAILABLE without memory. The options' texts are borrowed until draw_close. */
struct err *draw_open(struct arena *a, const struct draw_options *o, struct draw_doc **out) MUST_USE;
/*
 * Ends the last page and appends the document to out. TOO_LARGE (max_bytes, DRAW_PAGES_MAX), UNAVAILABLE (memory), INTERNAL. Nothing
 * may be drawn afterwards.
 */
struct err *draw_finish(struct draw_doc *d, struct buf *out) MUST_USE;
/* Frees everything, whether finished or not; d may be NULL. */
void draw_close(struct draw_doc *d);

enum draw_align { DRAW_LEFT, DRAW_CENTRE, DRAW_RIGHT };
struct draw_style {
	double size;
	enum draw_role role;
	bool bold;
	enum draw_align align;
	double indent;
};
extern const struct draw_style draw_body, draw_strong, draw_quiet, draw_small;

/* Level 1 to 3; a bookmark, and never alone at the foot of a page. */
void draw_heading(struct draw_doc *d, int level, struct str text);
/* A paragraph; line ends in it are kept. An empty one draws nothing. */
void draw_text(struct draw_doc *d, const struct draw_style *s, struct str text);
/* Room below what was drawn; none at the top of a page. */
void draw_space(struct draw_doc *d, double height);
/* A new page unless this height is left on this one. */
void draw_keep(struct draw_doc *d, double height);
/* At the full width and the height the chart asks for. One higher than a page is cut into several by its labels. */
void draw_chart(struct draw_doc *d, const struct chart *c);

/* Key figures side by side, up to four in a row. */
struct draw_tile {
	struct str label, value, note;
	enum draw_role note_role;
};
void draw_tiles(struct draw_doc *d, const struct draw_tile *tiles, size_t count);

/* Width between the margins, height left on this page, pages begun so far. */
double draw_width(const struct draw_doc *d);
double draw_left(const struct draw_doc *d);
int draw_pages(const struct draw_doc *d);

#endif
