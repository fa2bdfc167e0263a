/* A CSV text with a header line as a table in memory: cells by row and column name. For the program's own files and for imports. */
#ifndef APP_CSV_TABLE_H
#define APP_CSV_TABLE_H

#include "base/err.h"

struct csv_table {
	struct str *cells; /* row by row, the header not among them */
	struct str *names;
	size_t columns, rows;
};

/* MALFORMED naming the line: broken CSV, a row of another width than the header, no header. Cells are copied to the arena. */
struct err *csv_table_read(struct arena *a, struct str text, struct csv_table *out) MUST_USE;
/* INVALID_INPUT when there is no such column. */
struct err *csv_table_column(
	struct arena *a, const struct csv_table *t, const char *name, size_t *column) MUST_USE;

static inline struct str
csv_table_cell(const struct csv_table *t, size_t row, size_t column)
{
	return t->cells[row * t->columns + column];
}

#endif
