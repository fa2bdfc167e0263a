/*
 * Keeping the day rollups: a new value is added to its day's figures; where something was replaced or removed the day is made anew from
 * its values, because an extreme or the last one may be gone. Sums are checked for overflow here and nowhere else.
 */
#include "domain/kpi/rollup.h"
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/memory.h"
#include "domain/kpi/value_sql.h"

static struct err *
overflow(struct res_ctx *c)
{
	return err_field(c->arena, "value", "The sum of the day's values is too large.");
}

/* Values must come in order of their instants. */
static struct err *
bucket_add(struct res_ctx *c, struct bucket *b, int64_t at, int64_t value)
{
	if (!int_add(b->sum, value, &b->sum))
		return overflow(c);
	if (b->count == 0 || value < b->min)
		b->min = value;
	if (b->count == 0 || value > b->max)
		b->max = value;
	if (b->count == 0 || at >= b->last_at) {
		b->last = value;
		b->last_at = at;
	}
	b->count++;
	return NULL;
}

static struct err *
bucket_read(struct res_ctx *c, const struct kpi *k, struct str slice, struct str day, struct bucket *b)
{
	struct db_rows rows;
	bool found;

	*b = (struct bucket){ 0 };
	TRY(DB_FIND(c->tx, &sql_kpi_rollup_get, &rows, &found, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(slice), P_TEXT(day)));
	if (found)
		*b = (struct bucket){ db_int(&rows, 0), db_int(&rows, 1), db_int(&rows, 2), db_int(&rows, 3),
			db_int(&rows, 4), db_int(&rows, 5) };
	return NULL;
}

/* Parameters of kpi_rollup_put. */
#define BUCKET_PARAMS 10

static void
bucket_params(const struct res_ctx *c, const struct kpi *k, struct str slice, struct str day,
	const struct bucket *b, struct db_param *p)
{
	const struct db_param all[BUCKET_PARAMS] = { P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(slice), P_TEXT(day), P_INT(b->count), P_INT(b->sum), P_INT(b->min), P_INT(b->max),
		P_INT(b->last), P_INT(b->last_at) };
	memcpy(p, all, sizeof all);
}

static struct err *
bucket_write(struct res_ctx *c, const struct kpi *k, struct str slice, struct str day, const struct bucket *b)
{
	struct db_param p[BUCKET_PARAMS];

	if (b->count == 0)
		return DB_EXEC(c->tx, &sql_kpi_rollup_delete, P_INT(c->actor->company_id), P_TEXT(k->id),
			P_TEXT(slice), P_TEXT(day));
	bucket_params(c, k, slice, day, b, p);
	return db_exec(c->tx, &sql_kpi_rollup_put, p, BUCKET_PARAMS, NULL);
}

static struct err *
bucket_from_values(
	struct res_ctx *c, const struct kpi *k, struct str slice, struct date day, struct bucket *b)
{
	struct instant from = zone_day_start(c->actor->zone, day);
	struct instant to = zone_day_start(c->actor->zone, (struct date){ day.days + 1 });
	bool all = str_eq(slice, ROLLUP_ALL);
	struct db_rows rows;
	bool row;

	*b = (struct bucket){ 0 };
	if (all)
		TRY(DB_QUERY(c->tx, &sql_kpi_value_day, &rows, P_INT(c->actor->company_id), P_TEXT(k->id),
			P_INSTANT(from), P_INSTANT(to)));
	else
		TRY(DB_QUERY(c->tx, &sql_kpi_value_day_slice, &rows, P_INT(c->actor->company_id),
			P_TEXT(k->id), P_INSTANT(from), P_INSTANT(to), P_TEXT(slice)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return NULL;
		TRY(bucket_add(c, b, db_int(&rows, 0), db_int(&rows, 1)));
	}
}

struct err *
rollup_rebuild_day(struct res_ctx *c, const struct kpi *k, struct str slice, struct date day, bool *differs)
{
	struct str day_text = kpi_date_text(c->arena, day);
	struct bucket b;

	TRY(bucket_from_values(c, k, slice, day, &b));
	if (differs) {
		struct bucket stored;
		TRY(bucket_read(c, k, slice, day_text, &stored));
		*differs = memcmp(&stored, &b, sizeof b) != 0;
		if (!*differs)
			return NULL;
	}
	return bucket_write(c, k, slice, day_text, &b);
}

/* One value's part in one bucket; sorted so that a bucket's parts stand together, in order of time. */
struct part {
	const struct rollup_change *change;
	struct str slice;
	struct date day;
};

static int
part_order(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int by_slice = str_cmp(x->slice, y->slice);
	if (by_slice != 0)
		return by_slice;
	if (x->day.days != y->day.days)
		return x->day.days < y->day.days ? -1 : 1;
	if (x->change->at.us != y->change->at.us)
		return x->change->at.us < y->change->at.us ? -1 : 1;
	return str_cmp(x->change->dimensions, y->change->dimensions);
}

/*
 * Whether the parts can be added to what is there. Two values of one instant in different slices must be told apart by the order of their
 * dimensions, which only the values know.
 */
static bool
can_add(const struct part *p, size_t n, const struct bucket *b)
{
	for (size_t i = 0; i < n; i++)
		if (!p[i].change->is_new || (b->count > 0 && p[i].change->at.us == b->last_at))
			return false;
	return true;
}

/* The slice's rollups from one day to another, as they stand. */
struct stored_bucket {
	struct date day;
	struct bucket bucket;
};

static struct err *
read_stored(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from, struct date to,
	struct stored_bucket **out, size_t *count)
{
	struct db_rows rows;
	size_t cap = 0;
	bool row;

	*out = NULL;
	*count = 0;
	TRY(DB_QUERY(c->tx, &sql_kpi_rollup_range, &rows, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(slice), P_TEXT(kpi_date_text(c->arena, from)), P_TEXT(kpi_date_text(c->arena, to))));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return NULL;
		if (*count == cap) {
			cap = cap ? cap * 2 : 8;
			struct stored_bucket *grown = arena_alloc_array(c->arena, cap, sizeof *grown);
			if (*count > 0)
				memcpy(grown, *out, *count * sizeof *grown);
			*out = grown;
		}
		struct stored_bucket *s = &(*out)[(*count)++];
		check(date_parse(db_text(&rows, 0), &s->day));
		s->bucket = (struct bucket){ db_int(&rows, 1), db_int(&rows, 2), db_int(&rows, 3),
			db_int(&rows, 4), db_int(&rows, 5), db_int(&rows, 6) };
	}
}

/* A day's values of all slices, in order of slice and instant. */
struct slice_value {
	struct str slice;
	int64_t at, value;
};

struct loaded_day {
	struct loaded_day *next;
	struct date day;
	struct slice_value *values;
	size_t count;
};

/*
 * What one call remembers. Making one slice of a day anew reads the whole day, so after a few of them the day is read once for all.
 */
#define SLICES_ALONE 8
struct work {
	struct res_ctx *c;
	const struct kpi *k;
	struct kpi_memo *memo; /* NULL: none */
	size_t slices_made;    /* anew */
	struct loaded_day *days;
};

static struct err *
load_day(struct work *w, struct date day, struct loaded_day **out)
{
	struct res_ctx *c = w->c;
	struct loaded_day *d = w->days;
	struct db_rows rows;
	size_t cap = 0;
	bool row;

	while (d && d->day.days != day.days)
		d = d->next;
	*out = d;
	if (d)
		return NULL;
	d = arena_new_of(c->arena, struct loaded_day);
	*d = (struct loaded_day){ .next = w->days, .day = day };
	TRY(DB_QUERY(c->tx, &sql_kpi_value_day_slices, &rows, P_INT(c->actor->company_id), P_TEXT(w->k->id),
		P_INSTANT(zone_day_start(c->actor->zone, day)),
		P_INSTANT(zone_day_start(c->actor->zone, (struct date){ day.days + 1 }))));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		if (d->count == cap) {
			size_t grown = cap ? cap * 2 : 64;
			d->values = arena_grow(
				c->arena, d->values, cap * sizeof *d->values, grown * sizeof *d->values);
			cap = grown;
		}
		struct slice_value *v = &d->values[d->count];
		bool same = d->count > 0 && str_eq(v[-1].slice, db_text(&rows, 0));
		*v = (struct slice_value){ same ? v[-1].slice : db_text_copy(&rows, 0), db_int(&rows, 1),
			db_int(&rows, 2) };
		d->count++;
	}
	*out = w->days = d;
	return NULL;
}

static struct err *
slice_from_day(struct work *w, struct str slice, struct date day, struct bucket *b)
{
	struct loaded_day *d;
	size_t low = 0;

	TRY(load_day(w, day, &d));
	for (size_t high = d->count; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (str_cmp(d->values[middle].slice, slice) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*b = (struct bucket){ 0 };
	for (; low < d->count && str_eq(d->values[low].slice, slice); low++)
		TRY(bucket_add(w->c, b, d->values[low].at, d->values[low].value));
	return NULL;
}

/* The bucket of one day with the parts put into it. */
static struct err *
apply_parts(struct work *w, const struct part *p, size_t n, struct bucket_change *change)
{
	change->added = can_add(p, n, &change->before);
	if (!change->added) {
		if (str_eq(p->slice, ROLLUP_ALL) || ++w->slices_made <= SLICES_ALONE)
			return bucket_from_values(w->c, w->k, p->slice, p->day, &change->after);
		return slice_from_day(w, p->slice, p->day, &change->after);
	}
	for (size_t i = 0; i < n; i++)
		TRY(bucket_add(w->c, &change->after, p[i].change->at.us, p[i].change->value));
	return NULL;
}

/* What stands there for the days of the parts: remembered, or read together. */
static struct err *
stored_before(struct work *w, const struct part *p, size_t n, struct stored_bucket **out, size_t *count)
{
	const struct kpi_memo *m = p[0].day.days == p[n - 1].day.days ? w->memo : NULL;
	const struct bucket *known = m ? kpi_memo_bucket(m, p->slice, p->day) : NULL;

	if (!known)
		return read_stored(w->c, w->k, p->slice, p[0].day, p[n - 1].day, out, count);
	*count = 1;
	*out = arena_new_of(w->c->arena, struct stored_bucket);
	**out = (struct stored_bucket){ p->day, *known };
	return NULL;
}

/* The slice's days with the parts put in; p and n as in apply_slice. */
static struct err *
make_changes(struct work *w, const struct part *p, size_t n, struct bucket_change *changes, size_t *count)
{
	struct stored_bucket *stored;
	size_t stored_count, at = 0;

	TRY(stored_before(w, p, n, &stored, &stored_count));
	*count = 0;
	for (size_t i = 0, end; i < n; i = end) {
		struct bucket_change *change = &changes[(*count)++];
		*change = (struct bucket_change){ .day = p[i].day };
		for (end = i + 1; end < n && p[end].day.days == p[i].day.days;)
			end++;
		while (at < stored_count && stored[at].day.days < p[i].day.days)
			at++;
		if (at < stored_count && stored[at].day.days == p[i].day.days)
			change->before = stored[at].bucket;
		change->after = change->before;
		TRY(apply_parts(w, &p[i], end - i, change));
	}
	return NULL;
}

/* The rows that were there, or those that were not: an update costs half of finding out whether to insert. */
static struct err *
write_rows(struct work *w, struct str slice, const struct bucket_change *changes, size_t count, bool there)
{
	struct res_ctx *c = w->c;
	struct db_param *params = arena_alloc_array(c->arena, count * BUCKET_PARAMS, sizeof *params);
	int64_t *affected = arena_alloc_array(c->arena, count, sizeof *affected);
	size_t rows = 0;

	for (size_t i = 0; i < count; i++)
		if (changes[i].after.count > 0 && (changes[i].before.count > 0) == there)
			bucket_params(c, w->k, slice, kpi_date_text(c->arena, changes[i].day),
				&changes[i].after, params + rows++ * BUCKET_PARAMS);
	if (rows == 0)
		return NULL;
	/* Where others write too, a round trip weighs more than the check below; the KPI's row is locked. */
	if (rows == 1 && db_tx_kind(c->tx) == DB_POSTGRES)
		return db_exec_later(
			c->tx, there ? &sql_kpi_rollup_update : &sql_kpi_rollup_put, params, BUCKET_PARAMS);
	if (w->memo)
		db_tx_remembers(c->tx);
	TRY(db_exec_many(c->tx, there ? &sql_kpi_rollup_update : &sql_kpi_rollup_put, params, BUCKET_PARAMS,
		rows, affected));
	for (size_t i = 0; i < rows; i++)
		if (affected[i] != 1)
			return err_private(c->arena, ERR_INTERNAL, "a day rollup is not what was read");
	return NULL;
}

static struct err *
write_changes(struct work *w, struct str slice, const struct bucket_change *changes, size_t count)
{
	struct res_ctx *c = w->c;

	TRY(write_rows(w, slice, changes, count, false));
	TRY(write_rows(w, slice, changes, count, true));
	for (size_t i = 0; i < count; i++) {
		if (changes[i].after.count == 0) {
			if (w->memo)
				db_tx_remembers(c->tx);
			TRY(bucket_write(
				c, w->k, slice, kpi_date_text(c->arena, changes[i].day), &changes[i].after));
		}
		if (w->memo)
			kpi_memo_bucket_written(w->memo, slice, &changes[i]);
	}
	return NULL;
}

/* All days of one slice: read together, written together. */
static struct err *
apply_slice(struct work *w, const struct part *p, size_t n)
{
	struct bucket_change *changes = arena_alloc_array(w->c->arena, n, sizeof *changes);
	size_t count;

	TRY(make_changes(w, p, n, changes, &count));
	return write_changes(w, p->slice, changes, count);
}

struct err *
rollup_apply(struct res_ctx *c, const struct kpi *k, const struct rollup_change *changes, size_t count)
{
	struct part *parts = arena_alloc_array(c->arena, count * 2, sizeof *parts);
	struct work w = { .c = c, .k = k, .memo = kpi_memo_find(c, k->id) };
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct date day = kpi_day(c, changes[i].at);
		parts[n++] = (struct part){ &changes[i], ROLLUP_ALL, day };
		if (!str_is_empty(changes[i].dimensions))
			parts[n++] = (struct part){ &changes[i], changes[i].dimensions, day };
	}
	if (n > 1)
		qsort(parts, n, sizeof *parts, part_order);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && str_eq(parts[end].slice, parts[i].slice);)
			end++;
		TRY(apply_slice(&w, &parts[i], end - i));
	}
	return NULL;
}
