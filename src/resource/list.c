/*
 * Lists: one statement for the page and, where its length does not tell it already, one for the total with the same predicates. The id
 * ends every order, so a page never shows a row twice nor skips one. Rows without a value come first in rising order on both databases.
 */
#include "resource/engine.h"

#define FIRST_ROWS 32

bool
list_sort_add(struct list_query *q, const struct res_field *f, bool descending)
{
	if (!(f->flags & RF_SORT) || f->kind == RES_JSON || q->sort_count == LIST_SORTS_MAX)
		return false;
	q->sorts[q->sort_count++] = (struct list_sort){ .field = f, .descending = descending };
	return true;
}

/* "-created_at,name" of the table into sorts. */
static size_t
default_sorts(const struct res_def *def, struct list_sort *sorts)
{
	struct str rest = str_from_cstr(def->default_sort ? def->default_sort : ""), part;
	size_t count = 0;
	while (rest.n && count < LIST_SORTS_MAX && str_split(&rest, ',', &part)) {
		bool descending = str_starts_with(part, STR("-"));
		const struct res_field *f = res_field_find(def, str_sub(part, descending, part.n));
		check(f);
		sorts[count++] = (struct list_sort){ .field = f, .descending = descending };
	}
	return count;
}

void
res_sql_order(struct res_sql *s, enum db_kind kind, const struct list_sort *sort, bool few)
{
	const struct res_field *f = sort->field;
	bool decimal = f->kind == RES_DECIMAL;
	res_sql_add(s, few && kind == DB_SQLITE ? "+" : "");
	res_sql_add(s, decimal ? "CAST(" : "");
	res_sql_add(s, f->column);
	res_sql_add(s, !decimal ? "" : kind == DB_SQLITE ? " AS REAL)" : " AS NUMERIC)");
	res_sql_add(s, sort->descending ? " DESC" : "");
	if ((f->flags & RF_NULL) && kind == DB_POSTGRES)
		res_sql_add(s, sort->descending ? " NULLS LAST" : " NULLS FIRST");
}

static void
order_sql(struct res_sql *s, const struct res_ctx *c, const struct res_def *def, const struct list_query *q,
	bool few)
{
	enum db_kind kind = db_tx_kind(c->tx);
	struct list_sort presets[LIST_SORTS_MAX];
	size_t count = q->sort_count ? q->sort_count : default_sorts(def, presets);
	const struct list_sort *sorts = q->sort_count ? q->sorts : presets;
	bool by_id = false;
	res_sql_add(s, " ORDER BY ");
	for (size_t i = 0; i < count && !by_id; i++) {
		res_sql_order(s, kind, &sorts[i], few);
		by_id = strcmp(sorts[i].field->column, "id") == 0;
		res_sql_add(s, by_id ? "" : ", ");
	}
	/* In the direction of the term before it, an index that ends in the id serves both directions. */
	bool descending = count > 0 && sorts[count - 1].descending;
	res_sql_add(s, by_id ? "" : descending ? "id DESC" : "id");
}

/* Whether search narrows the rows. */
static bool
where_sql(struct res_sql *s, struct res_ctx *c, const struct res_def *def, const struct list_query *q)
{
	enum db_kind kind = db_tx_kind(c->tx);
	res_sql_from(s, c, def);
	res_sql_scope(s, c, def, RES_LIST);
	for (size_t i = 0; i < q->filter_count; i++)
		res_sql_filter(s, kind, &q->filters[i]);
	if (q->where)
		q->where(c, s, q->where_arg);
	return res_sql_search(s, c, def, q->search);
}

static struct err *
rows_read(struct res_ctx *c, const struct res_def *def, struct db_rows *rows, struct res_page *out)
{
	size_t cap = 0;
	void **records = NULL;
	for (;;) {
		bool row = false;
		TRY(db_next(rows, &row));
		if (!row)
			return NULL;
		if (out->count == cap) {
			cap = cap ? 2 * cap : FIRST_ROWS;
			records = arena_alloc_array(c->arena, cap, sizeof *records);
			if (out->count)
				memcpy(records, out->records, out->count * sizeof *records);
			out->records = records;
		}
		records[out->count] = arena_alloc(c->arena, def->record_size);
		TRY(res_row_read(c, def, rows, records[out->count]));
		out->count++;
	}
}

static struct err *
page_read(struct res_ctx *c, const struct res_def *def, const struct list_query *q, struct res_page *out)
{
	struct res_sql s;
	struct db_rows rows;
	res_sql_init(&s, c->arena);
	res_sql_add_str(&s, res_plan(c, def, NULL)->select);
	bool few = where_sql(&s, c, def, q);
	order_sql(&s, c, def, q, few);
	res_sql_add(&s, " LIMIT ");
	res_sql_param(&s, P_INT(q->limit));
	res_sql_add(&s, " OFFSET ");
	res_sql_param(&s, P_INT(q->offset));
	TRY(res_sql_query(&s, c->tx, &rows));
	return rows_read(c, def, &rows, out);
}

static struct err *
total_read(struct res_ctx *c, const struct res_def *def, const struct list_query *q, int64_t *total)
{
	struct res_sql s;
	struct db_rows rows;
	bool found = false;
	res_sql_init(&s, c->arena);
	res_sql_add(&s, "SELECT COUNT(*)");
	(void)where_sql(&s, c, def, q); /* a count has no order */
	TRY(res_sql_find(&s, c->tx, &rows, &found));
	*total = found ? db_int(&rows, 0) : 0;
	return NULL;
}

struct err *
res_list(struct res_ctx *c, const struct res_def *def, const struct list_query *q, struct res_page *out)
{
	TRY(res_permit(c, def, RES_LIST));
	check(q->limit >= 0 && q->offset >= 0);
	struct res_page page = { .total = -1 };
	if (q->limit > 0)
		TRY(page_read(c, def, q, &page));
	bool ends_here = (int64_t)page.count < q->limit && (page.count > 0 || q->offset == 0);
	if (q->with_total && ends_here)
		page.total = q->offset + (int64_t)page.count;
	else if (q->with_total)
		TRY(total_read(c, def, q, &page.total));
	*out = page;
	return NULL;
}
