/*
 * CSV in (libcsv) and out (RFC 4180). Reading takes CR, LF and CRLF line ends, a UTF-8 byte order mark, and "," ";" or tab as separator
 * (the one that occurs most in the first line); rows reach the caller one at a time with their line number.
 */
#ifndef CODEC_CSV_H
#define CODEC_CSV_H

#include "base/buf.h"
#include "base/err.h"

/* Called a row; cells live until the call returns. An error stops the reading and is returned by csv_read. */
typedef struct err *csv_row_fn(void *arg, int64_t line, const struct str *cells, size_t count);

struct csv_limits {
	size_t cell_bytes, cells_per_row, rows;
};
/* MALFORMED naming the line: unclosed quote, invalid UTF-8, NUL, a limit passed. */
struct err *csv_read(struct arena *a, struct str text, const struct csv_limits *limits, csv_row_fn *row, void *arg) MUST_USE;
/* One cell, quoted where needed; a leading = + - @ tab or CR gets a ' before it when it is not a number (formula injection). */
void csv_write_cell(struct buf *b, struct str cell, bool first);
void csv_end_row(struct buf *b);

#endif
