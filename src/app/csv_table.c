/* Collects the rows that the CSV reader hands out; the room for them doubles. */
#include "app/csv_table.h"

#include "base/limits.h"
#include "codec/csv.h"

#define ROWS_MAX    5000000
#define COLUMNS_MAX 100
#define FIRST_ROWS  64

struct collect {
	struct arena *arena;
	struct csv_table table;
	size_t cap;
};

static void
copy_cells(struct collect *c, const struct str *cells, struct str *to)
{
	for (size_t i = 0; i < c->table.columns; i++)
		to[i] = arena_str(c->arena, cells[i]);
}

static void
grow(struct collect *c)
{
	struct csv_table *t = &c->table;
	size_t cap = c->cap ? c->cap * 2 : FIRST_ROWS;
	struct str *cells = arena_alloc_array(c->arena, cap * t->columns, sizeof(*cells));
	if (t->rows)
		memcpy(cells, t->cells, t->rows * t->columns * sizeof(*cells));
	t->cells = cells;
	c->cap = cap;
}

static struct err *
take_row(void *arg, int64_t line, const struct str *cells, size_t count)
{
	struct collect *c = arg;
	struct csv_table *t = &c->table;
	if (!t->names) {
		t->columns = count;
		t->names = arena_alloc_array(c->arena, count, sizeof(*t->names));
		copy_cells(c, cells, t->names);
		return NULL;
	}
	if (count != t->columns)
		return err_new(c->arena, ERR_MALFORMED, "line %lld: %zu cells where the header has %zu",
			(long long)line, count, t->columns);
	if (t->rows == c->cap)
		grow(c);
	copy_cells(c, cells, t->cells + t->rows++ * t->columns);
	return NULL;
}

struct err *
csv_table_read(struct arena *a, struct str text, struct csv_table *out)
{
	static const struct csv_limits limits = {
		.cell_bytes = LIMIT_TEXT_BYTES, .cells_per_row = COLUMNS_MAX, .rows = ROWS_MAX
	};
	struct collect c = { .arena = a };
	TRY(csv_read(a, text, &limits, take_row, &c));
	if (!c.table.names)
		return err_new(a, ERR_MALFORMED, "a header line is expected");
	*out = c.table;
	return NULL;
}

struct err *
csv_table_column(struct arena *a, const struct csv_table *t, const char *name, size_t *column)
{
	for (size_t i = 0; i < t->columns; i++) {
		if (str_eq(t->names[i], str_from_cstr(name))) {
			*column = i;
			return NULL;
		}
	}
	return err_new(a, ERR_INVALID_INPUT, "there is no column %s", name);
}
