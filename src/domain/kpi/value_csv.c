/*
 * Values from CSV. The header row names the columns: the instant (at, timestamp, recorded_at or date), value, optionally note; every
 * other column is a dimension. A row goes through the same reading as JSON, so the same rules and messages hold.
 */
#include "codec/csv.h"
#include "domain/kpi/kpi_parts.h"

#define COLUMNS_MAX 16

enum column { COLUMN_AT, COLUMN_VALUE, COLUMN_NOTE, COLUMN_DIMENSION };

struct reading {
	struct res_ctx *c;
	const struct kpi *k;
	enum column columns[COLUMNS_MAX];
	struct str names[COLUMNS_MAX];
	size_t column_count;
	struct kpi_value *values;
	size_t count, cap;
	struct err *faults;
};

static struct err *
read_header(struct reading *r, const struct str *cells, size_t count)
{
	static const struct str at_names[] = { STR_INIT("at"), STR_INIT("timestamp"), STR_INIT("recorded_at"),
		STR_INIT("date") };
	bool has_value = false;

	if (count > COLUMNS_MAX)
		return err_field(
			r->c->arena, "file", "Ensure there are no more than %d columns.", COLUMNS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct str name = str_trim(cells[i]);
		r->names[i] = arena_str(r->c->arena, name);
		r->columns[i] = COLUMN_DIMENSION;
		if (str_eq_nocase(name, STR("value")))
			r->columns[i] = COLUMN_VALUE;
		else if (str_eq_nocase(name, STR("note")))
			r->columns[i] = COLUMN_NOTE;
		for (size_t n = 0; n < COUNT(at_names); n++)
			if (str_eq_nocase(name, at_names[n]))
				r->columns[i] = COLUMN_AT;
		has_value = has_value || r->columns[i] == COLUMN_VALUE;
	}
	r->column_count = count;
	if (!has_value)
		return err_field(
			r->c->arena, "file", "The first line must name the columns, value among them.");
	return NULL;
}

static void
put_cell(struct json_out *o, struct str key, struct str cell)
{
	json_key(o, key);
	json_put_str(o, cell);
}

/* The row as the JSON object it stands for; empty cells are left out. */
static struct str
row_json(struct reading *r, const struct str *cells)
{
	struct buf b, dims;
	struct json_out o, d;
	size_t dimensions = 0;

	buf_init_arena(&b, r->c->arena, LIMIT_TEXT_BYTES);
	buf_init_arena(&dims, r->c->arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_out_init(&d, &dims);
	json_begin_object(&o);
	json_begin_object(&d);
	for (size_t i = 0; i < r->column_count; i++) {
		struct str cell = str_trim(cells[i]);
		if (cell.n == 0)
			continue;
		if (r->columns[i] == COLUMN_AT)
			put_cell(&o, STR("at"), cell);
		else if (r->columns[i] == COLUMN_VALUE)
			put_cell(&o, STR("value"), cell);
		else if (r->columns[i] == COLUMN_NOTE)
			put_cell(&o, STR("note"), cells[i]);
		else {
			/* Dimension names come from the file, so they are escaped like any text. */
			struct buf key;
			struct json_out k;
			buf_init_arena(&key, r->c->arena, LIMIT_TEXT_BYTES);
			json_out_init(&k, &key);
			json_put_str(&k, r->names[i]);
			put_cell(&d, str_sub(buf_str(&key), 1, key.len - 2), cell);
			dimensions++;
		}
	}
	json_end_object(&d);
	if (dimensions > 0) {
		json_key(&o, STR("dimensions"));
		json_put_raw(&o, buf_str(&dims));
	}
	json_end_object(&o);
	return buf_str(&b);
}

static struct err *
read_row(void *arg, int64_t line, const struct str *cells, size_t count)
{
	struct reading *r = arg;
	json_val *v;

	if (r->column_count == 0)
		return read_header(r, cells, count);
	if (count == 1 && str_is_empty(str_trim(cells[0])))
		return NULL;
	struct str prefix = arena_fmt(r->c->arena, "line %lld.", (long long)line);
	if (count != r->column_count) {
		err_add_field(r->c->arena, &r->faults, str_sub(prefix, 0, prefix.n - 1),
			"Expected %zu cells, but got %zu.", r->column_count, count);
		return NULL;
	}
	if (r->count == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 256;
		struct kpi_value *grown = arena_alloc_array(r->c->arena, cap, sizeof *grown);
		if (r->count > 0)
			memcpy(grown, r->values, r->count * sizeof *grown);
		r->values = grown;
		r->cap = cap;
	}
	TRY(json_parse(r->c->arena, row_json(r, cells), &v));
	kpi_value_parse(r->c, r->k, v, prefix, &r->values[r->count++], &r->faults);
	return NULL;
}

struct err *
kpi_values_parse_csv(
	struct res_ctx *c, const struct kpi *k, struct str text, struct kpi_value **out, size_t *count)
{
	const struct csv_limits limits = {
		.cell_bytes = LIMIT_TEXT_BYTES, .cells_per_row = COLUMNS_MAX, .rows = LIMIT_BULK_VALUES + 1
	};
	struct reading r = { .c = c, .k = k };

	TRY(csv_read(c->arena, text, &limits, read_row, &r));
	if (r.faults)
		return r.faults;
	if (r.count == 0)
		return err_field(c->arena, "file", "There are no values in it.");
	*out = r.values;
	*count = r.count;
	return NULL;
}
