/*
 * CSV. libcsv is fed a physical line at a time, which gives each row the number of the line it starts at and lets an error stop the
 * reading. Cells of a row are gathered in one buffer, because libcsv hands over each in memory that it uses again for the next.
 */
#include "codec/csv.h"
#include "base/number.h"
#include <csv.h>

#define BYTE_ORDER_MARK STR("\xEF\xBB\xBF")

struct reader {
	struct arena *arena;
	const struct csv_limits *limits;
	csv_row_fn *row;
	void *arg;
	struct err *e;
	struct csv_parser parser;
	int64_t line, row_line; /* from 1 */
	bool in_row;
	struct buf text;   /* the row's cells, one behind the other */
	struct str *cells; /* their places are known when the row is whole, for the buffer may move */
	size_t count, room, rows;
};

static struct err *
fault(struct reader *r, int64_t line, const char *what)
{
	return err_new(r->arena, ERR_MALFORMED, "Line %lld: %s.", (long long)line, what);
}

static void
on_cell(void *bytes, size_t n, void *arg)
{
	struct reader *r = arg;

	if (r->e)
		return;
	if (n > r->limits->cell_bytes) {
		r->e = fault(r, r->row_line, "a cell is longer than the limit");
		return;
	}
	if (r->count == r->limits->cells_per_row) {
		r->e = fault(r, r->row_line, "the row has more cells than the limit");
		return;
	}
	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 16;

		r->cells =
			arena_grow(r->arena, r->cells, r->room * sizeof(*r->cells), room * sizeof(*r->cells));
		r->room = room;
	}
	buf_add(&r->text, bytes, n);
	r->cells[r->count++].n = n;
}

static void
on_row(int terminator, void *arg)
{
	struct reader *r = arg;
	size_t from = 0;

	(void)terminator;
	r->in_row = false;
	if (r->e)
		return;
	if (r->rows++ == r->limits->rows) {
		r->e = fault(r, r->row_line, "there are more rows than the limit");
		return;
	}
	for (size_t i = 0; i < r->count; i++) {
		r->cells[i].p = r->text.p ? r->text.p + from : "";
		from += r->cells[i].n;
	}
	r->e = r->row(r->arg, r->row_line, r->cells, r->count);
	r->count = 0;
	buf_clear(&r->text);
}

static int
no_space(unsigned char c)
{
	(void)c;
	return 0;
}

/* The separator that occurs most in the first line outside quotes; a comma when none does. */
static char
find_separator(struct str text)
{
	static const char candidates[] = ",;\t";
	size_t counts[3] = { 0 }, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n && (quoted || (text.p[i] != '\n' && text.p[i] != '\r')); i++) {
		const char *hit = text.p[i] ? strchr(candidates, text.p[i]) : NULL;

		if (text.p[i] == '"')
			quoted = !quoted;
		else if (hit && !quoted)
			counts[hit - candidates]++;
	}
	for (size_t i = 1; i < COUNT(counts); i++)
		if (counts[i] > counts[best])
			best = i;
	return candidates[best];
}

/* The first line with its end: CR, LF or CRLF. */
static struct str
first_line(struct str text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] != '\n' && text.p[n] != '\r')
		n++;
	if (n < text.n)
		n += text.p[n] == '\r' && n + 1 < text.n && text.p[n + 1] == '\n' ? 2 : 1;
	return str_sub(text, 0, n);
}

static struct err *
read_line(struct reader *r, struct str line)
{
	r->line++;
	if (!r->in_row) {
		if (line.p[0] == '\n' || line.p[0] == '\r')
			return NULL;
		r->in_row = true;
		r->row_line = r->line;
	}
	if (str_utf8_prefix(line) < line.n)
		return fault(r, r->line, "the text is not valid UTF-8");
	if (str_index(line, '\0', 0) < line.n)
		return fault(r, r->line, "null characters are not allowed");
	if (csv_parse(&r->parser, line.p, line.n, on_cell, on_row, r) == line.n)
		return r->e;
	if (csv_error(&r->parser) == CSV_ENOMEM)
		return err_private(r->arena, ERR_UNAVAILABLE, "libcsv has no memory");
	return r->e ? r->e : fault(r, r->line, "a quote stands in the middle of a cell");
}

static struct err *
read_lines(struct reader *r, struct str text)
{
	while (text.n) {
		struct str line = first_line(text);

		TRY(read_line(r, line));
		text = str_sub(text, line.n, text.n);
	}
	if (csv_fini(&r->parser, on_cell, on_row, r) != 0)
		return fault(r, r->row_line, "a quote is not closed");
	return r->e;
}

struct err *
csv_read(struct arena *a, struct str text, const struct csv_limits *limits, csv_row_fn *row, void *arg)
{
	struct reader r = { .arena = a, .limits = limits, .row = row, .arg = arg };

	if (str_starts_with(text, BYTE_ORDER_MARK))
		text = str_sub(text, 3, text.n);
	if (csv_init(&r.parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return err_private(a, ERR_UNAVAILABLE, "libcsv can't start");
	csv_set_delim(&r.parser, (unsigned char)find_separator(text));
	csv_set_space_func(&r.parser, no_space); /* blanks belong to the cell (RFC 4180, section 2) */
	buf_init(&r.text, text.n);
	struct err *e = read_lines(&r, text);
	buf_done(&r.text);
	csv_free(&r.parser);
	return e;
}

/* A spreadsheet would run such a cell as a formula. */
static bool
is_dangerous(struct str cell)
{
	if (cell.n == 0 || !memchr("=+-@\t\r", cell.p[0], 6))
		return false;
	struct str number = cell.p[0] == '+' ? str_sub(cell, 1, cell.n) : cell;
	return number.n == 0 || number_prefix(number) != number.n;
}

static bool
needs_quotes(struct str cell)
{
	for (size_t i = 0; i < cell.n; i++)
		if (memchr(",;\t\"\r\n", cell.p[i], 6))
			return true;
	/* A byte order mark at the start of a text would be taken for no part of it. */
	return cell.n == 0 || cell.p[0] == ' ' || cell.p[cell.n - 1] == ' ' ||
	       str_starts_with(cell, BYTE_ORDER_MARK);
}

void
csv_write_cell(struct buf *b, struct str cell, bool first)
{
	bool guard = is_dangerous(cell);

	if (!first)
		buf_add_byte(b, ',');
	/* An empty first cell is quoted too, since alone it would be a blank line, which readers skip. */
	if (!needs_quotes(cell) || (cell.n == 0 && !first)) {
		buf_add(b, "'", guard);
		buf_add_str(b, cell);
		return;
	}
	buf_add(b, "\"'", guard ? 2 : 1);
	while (cell.n) {
		size_t at = str_index(cell, '"', 0);

		buf_add(b, cell.p, at);
		if (at < cell.n)
			buf_add_lit(b, "\"\"");
		cell = str_sub(cell, at + 1, cell.n);
	}
	buf_add_byte(b, '"');
}

void
csv_end_row(struct buf *b)
{
	buf_add_lit(b, "\r\n");
}
