/*
 * Tables on the pages of a document. Columns share the width by their weights; cells wrap; the header is repeated on every page, and long
 * titles are cut. A row stays together where it fits a page, and goes on behind the break where it does not.
 */
#ifndef DRAW_TABLE_H
#define DRAW_TABLE_H

#include "draw/document.h"

#define DRAW_COLUMNS_MAX 16

struct draw_column {
	struct str title;
	double weight; /* > 0 */
	enum draw_align align;
};
struct draw_cell {
	struct str text;
	enum draw_role role;
	bool bold;
};

struct draw_table;
/* count from 1 to DRAW_COLUMNS_MAX. The columns are borrowed until the end; nothing else may be drawn until then. */
struct draw_table *draw_table_begin(struct draw_doc *d, const struct draw_column *columns, size_t count);
/* One cell a column. */
void draw_table_row(struct draw_table *t, const struct draw_cell *cells);
void draw_table_end(struct draw_table *t);

#endif
