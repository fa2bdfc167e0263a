/* Listing values as they were entered, and making rollups anew from them. */
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/rollup.h"
#include "domain/kpi/status.h"
#include "domain/kpi/value_sql.h"

static void
add_conditions(struct res_ctx *c, const struct kpi *k, const struct kpi_value_query *q, struct res_sql *s)
{
	res_sql_add(s, " FROM kpi_value WHERE company_id = ");
	res_sql_param(s, P_INT(c->actor->company_id));
	res_sql_add(s, " AND kpi_id = ");
	res_sql_param(s, P_TEXT(k->id));
	if (q->has_from) {
		res_sql_add(s, " AND at >= ");
		res_sql_param(s, P_INSTANT(q->from));
	}
	if (q->has_to) {
		res_sql_add(s, " AND at < ");
		res_sql_param(s, P_INSTANT(q->to));
	}
	if (q->has_dimensions) {
		res_sql_add(s, " AND dimensions = ");
		res_sql_param(s, P_TEXT(q->dimensions));
	}
}

static struct err *
count_values(struct res_ctx *c, const struct kpi *k, const struct kpi_value_query *q, int64_t *total)
{
	struct res_sql s;
	struct db_rows rows;
	bool row;

	res_sql_init(&s, c->arena);
	res_sql_add(&s, "SELECT COUNT(*)");
	add_conditions(c, k, q, &s);
	TRY(res_sql_query(&s, c->tx, &rows));
	TRY(db_next(&rows, &row));
	check(row);
	*total = db_int(&rows, 0);
	db_rows_close(&rows);
	return NULL;
}

struct err *
kpi_values_list(
	struct res_ctx *c, const struct kpi *k, const struct kpi_value_query *q, struct kpi_value_list *out)
{
	struct res_sql s;
	struct db_rows rows;
	bool row;

	*out = (struct kpi_value_list){ .values = arena_alloc_array(
						c->arena, (size_t)q->limit, sizeof *out->values) };
	TRY(count_values(c, k, q, &out->total));
	res_sql_init(&s, c->arena);
	res_sql_add(&s, "SELECT at, dimensions, value, note, recorded_by, recorded_at");
	add_conditions(c, k, q, &s);
	res_sql_add(&s, q->descending ? " ORDER BY at DESC, dimensions DESC LIMIT "
				      : " ORDER BY at, dimensions LIMIT ");
	res_sql_param(&s, P_INT(q->limit));
	res_sql_add(&s, " OFFSET ");
	res_sql_param(&s, P_INT(q->offset));
	TRY(res_sql_query(&s, c->tx, &rows));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return NULL;
		out->values[out->count++] = (struct kpi_value){
			.at = { db_int(&rows, 0) },
			.dimensions = db_text_copy(&rows, 1),
			.value = { db_int(&rows, 2), (int32_t)k->decimals },
			.note = db_text_copy(&rows, 3),
			.recorded_by = db_int(&rows, 4),
			.recorded_at = { db_int(&rows, 5) },
		};
	}
}

/* A day of a slice that has values or a rollup, and may have either without the other. */
struct day_key {
	struct str slice;
	struct date day;
};

struct day_keys {
	struct day_key *keys;
	size_t count, cap;
};

static void
keys_add(struct res_ctx *c, struct day_keys *d, struct str slice, struct date day)
{
	if (d->count == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 1024;
		struct day_key *grown = arena_alloc_array(c->arena, cap, sizeof *grown);
		if (d->count > 0)
			memcpy(grown, d->keys, d->count * sizeof *grown);
		d->keys = grown;
		d->cap = cap;
	}
	d->keys[d->count++] = (struct day_key){ slice, day };
}

static int
key_order(const void *a, const void *b)
{
	const struct day_key *x = a, *y = b;
	if (x->day.days != y->day.days)
		return x->day.days < y->day.days ? -1 : 1;
	return str_cmp(x->slice, y->slice);
}

static struct err *
collect_keys(struct res_ctx *c, const struct kpi *k, struct day_keys *d)
{
	struct db_rows rows;
	struct date day;
	bool row;

	TRY(DB_QUERY(c->tx, &sql_kpi_value_days_of_kpi, &rows, P_INT(c->actor->company_id), P_TEXT(k->id)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		day = kpi_day(c, (struct instant){ db_int(&rows, 0) });
		if (d->count == 0 || d->keys[d->count - 1].day.days != day.days || db_text(&rows, 1).n > 0)
			keys_add(c, d, ROLLUP_ALL, day);
		if (db_text(&rows, 1).n > 0)
			keys_add(c, d, db_text_copy(&rows, 1), day);
	}
	TRY(DB_QUERY(c->tx, &sql_kpi_rollup_keys, &rows, P_INT(c->actor->company_id), P_TEXT(k->id)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		check(date_parse(db_text(&rows, 1), &day));
		keys_add(c, d, db_text_copy(&rows, 0), day);
	}
	if (d->count > 1)
		qsort(d->keys, d->count, sizeof *d->keys, key_order);
	return NULL;
}

struct err *
kpi_recalculate(struct res_ctx *c, const struct kpi *k, int64_t *differences)
{
	struct day_keys d = { 0 };

	*differences = 0;
	TRY(collect_keys(c, k, &d));
	for (size_t i = 0; i < d.count; i++) {
		bool differs;
		if (i > 0 && key_order(&d.keys[i - 1], &d.keys[i]) == 0)
			continue;
		TRY(rollup_rebuild_day(c, k, d.keys[i].slice, d.keys[i].day, &differs));
		*differences += differs;
	}
	return kpi_state_update(c, k);
}

struct err *
kpi_recalculate_company(struct res_ctx *c, int64_t *differences)
{
	struct list_query q = { .limit = INT32_MAX };
	struct res_page page;

	*differences = 0;
	TRY(res_list(c, &kpi_res, &q, &page));
	for (size_t i = 0; i < page.count; i++) {
		int64_t found = 0;
		TRY(kpi_recalculate(c, page.records[i], &found));
		*differences += found;
	}
	return NULL;
}
