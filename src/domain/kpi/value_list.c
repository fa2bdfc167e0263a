/* Listing values as they were entered, and making rollups anew from them. */
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/rollup.h"
#include "domain/kpi/status.h"
#include "domain/kpi/value_sql.h"

/* ---- finding a page ---- */

/* Where the wanted page begins: so many values behind the start of a range that is a day or a part of one, and the range's far end open. */
struct page_start {
	struct instant from, to; /* ascending: from the range's start; descending: to its end */
	int64_t skip;
	bool found; /* false: the page is behind the last value */
};

struct day_count {
	struct date day;
	int64_t count;
};

struct walk {
	const struct kpi_value_query *q;
	struct page_start *start;
	int64_t total;
};

/* The next range in the order of the list, with so many values. */
static void
walk_range(struct walk *w, struct instant from, struct instant to, int64_t count)
{
	if (!w->start->found && w->q->offset < w->total + count) {
		w->start->found = true;
		w->start->skip = w->q->offset - w->total;
		if (w->q->descending)
			w->start->to = to;
		else
			w->start->from = from;
	}
	w->total += count;
}

static void
add_conditions(struct res_ctx *c, const struct kpi *k, const struct kpi_value_query *q, struct instant from,
	struct instant to, struct res_sql *s)
{
	res_sql_add(s, " FROM kpi_value WHERE company_id = ");
	res_sql_param(s, P_INT(c->actor->company_id));
	res_sql_add(s, " AND kpi_id = ");
	res_sql_param(s, P_TEXT(k->id));
	res_sql_add(s, " AND at >= ");
	res_sql_param(s, P_INSTANT(from));
	res_sql_add(s, " AND at < ");
	res_sql_param(s, P_INSTANT(to));
	if (q->has_dimensions) {
		res_sql_add(s, " AND dimensions = ");
		res_sql_param(s, P_TEXT(q->dimensions));
	}
}

/* A part of a day: its values are counted. */
static struct err *
walk_part(struct res_ctx *c, const struct kpi *k, struct walk *w, struct instant from, struct instant to)
{
	struct res_sql s;
	struct db_rows rows;
	bool row;

	if (to.us <= from.us)
		return NULL;
	res_sql_init(&s, c->arena);
	res_sql_add(&s, "SELECT COUNT(*)");
	add_conditions(c, k, w->q, from, to, &s);
	TRY(res_sql_query(&s, c->tx, &rows));
	TRY(db_next(&rows, &row));
	check(row);
	walk_range(w, from, to, db_int(&rows, 0));
	db_rows_close(&rows);
	return NULL;
}

/* Whole days: their rollups know how many values they hold. */
static struct err *
read_day_counts(struct res_ctx *c, const struct kpi *k, const struct kpi_value_query *q, struct date first,
	struct date last, struct day_count **out, size_t *count)
{
	const struct db_param company = P_INT(c->actor->company_id), id = P_TEXT(k->id),
			      from = P_TEXT(kpi_date_text(c->arena, first)),
			      to = P_TEXT(kpi_date_text(c->arena, last));
	struct str slice = q->has_dimensions ? q->dimensions : ROLLUP_ALL;
	struct db_rows rows;
	size_t cap = 0;

	if (str_is_empty(slice))
		TRY(DB_QUERY(c->tx, &sql_kpi_rollup_counts_of_unsliced, &rows, company, id, from, to));
	else
		TRY(DB_QUERY(c->tx, &sql_kpi_rollup_range, &rows, company, id, P_TEXT(slice), from, to));
	for (bool row;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return NULL;
		if (*count == cap) {
			cap = cap ? cap * 2 : 512;
			struct day_count *grown = arena_alloc_array(c->arena, cap, sizeof *grown);
			if (*count > 0)
				memcpy(grown, *out, *count * sizeof *grown);
			*out = grown;
		}
		check(date_parse(db_text(&rows, 0), &(*out)[*count].day));
		(*out)[(*count)++].count = db_int(&rows, 1);
	}
}

static void
walk_days(const struct zone *z, struct walk *w, const struct day_count *days, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct day_count *d = &days[w->q->descending ? count - 1 - i : i];
		walk_range(w, zone_day_start(z, d->day), zone_day_start(z, (struct date){ d->day.days + 1 }),
			d->count);
	}
}

/*
 * How many values there are and where the page begins, at a cost that grows with the days between from and to and not with their values:
 * only the two days that a bound cuts are counted.
 */
static struct err *
find_page(struct res_ctx *c, const struct kpi *k, struct walk *w)
{
	const struct zone *z = c->actor->zone;
	const struct kpi_value_query *q = w->q;
	const struct instant from = w->start->from, to = w->start->to;
	struct date first = { DATE_MIN_DAYS }, end = { DATE_MAX_DAYS + 1 }; /* of the whole days */
	struct instant whole_from = from, whole_to = to;
	struct day_count *days = NULL;
	size_t count = 0;

	if (q->has_from) {
		first = zone_date(z, from);
		first.days += zone_day_start(z, first).us < from.us;
	}
	if (q->has_to)
		end = zone_date(z, to);
	if (end.days <= first.days)
		return walk_part(c, k, w, from, to);
	if (q->has_from)
		whole_from = zone_day_start(z, first);
	if (q->has_to)
		whole_to = zone_day_start(z, end);
	TRY(read_day_counts(c, k, q, first, (struct date){ end.days - 1 }, &days, &count));
	TRY(q->descending ? walk_part(c, k, w, whole_to, to) : walk_part(c, k, w, from, whole_from));
	walk_days(z, w, days, count);
	return q->descending ? walk_part(c, k, w, from, whole_from) : walk_part(c, k, w, whole_to, to);
}

/* ---- the page ---- */

static struct err *
read_page(struct res_ctx *c, const struct kpi *k, const struct kpi_value_query *q,
	const struct page_start *start, struct kpi_value_list *out)
{
	struct res_sql s;
	struct db_rows rows;

	res_sql_init(&s, c->arena);
	res_sql_add(&s, "SELECT at, dimensions, value, note, recorded_by, recorded_at");
	add_conditions(c, k, q, start->from, start->to, &s);
	res_sql_add(&s, q->descending ? " ORDER BY at DESC, dimensions DESC LIMIT "
				      : " ORDER BY at, dimensions LIMIT ");
	res_sql_param(&s, P_INT(q->limit));
	res_sql_add(&s, " OFFSET ");
	res_sql_param(&s, P_INT(start->skip));
	TRY(res_sql_query(&s, c->tx, &rows));
	for (bool row;;) {
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

struct err *
kpi_values_list(
	struct res_ctx *c, const struct kpi *k, const struct kpi_value_query *q, struct kpi_value_list *out)
{
	struct page_start start = { .from = q->has_from ? q->from : (struct instant){ INSTANT_MIN_US },
		.to = q->has_to ? q->to : (struct instant){ INSTANT_MAX_US + 1 } };
	struct walk w = { .q = q, .start = &start };

	*out = (struct kpi_value_list){ .values = arena_alloc_array(
						c->arena, (size_t)q->limit, sizeof *out->values) };
	TRY(find_page(c, k, &w));
	out->total = w.total;
	return start.found ? read_page(c, k, q, &start, out) : NULL;
}

/* ---- rollups made anew ---- */

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
