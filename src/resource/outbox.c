/*
 * Reading the event table in its order from a position on. The statement is made of the filter's set fields alone, because the databases
 * choose their index by what stands there: a company's events by its key, an object's by theirs, all of them by their order.
 */
#include "resource/outbox.h"
#include "resource/outbox_sql.h"
#include "resource/res_sql.h"

/* Texts of one answer: a bulk load of values is one event of a megabyte, and a hundred of them would be too much at once. */
#define TEXT_BYTES_MAX (4u << 20)

static void
add_position(struct res_sql *s, enum db_kind kind, struct outbox_position after)
{
	if (kind == DB_SQLITE) { /* txid is 0 in every row */
		res_sql_add(s, " seq > ");
		res_sql_param(s, P_INT(after.seq));
		return;
	}
	res_sql_add(s, " (txid, seq) > (");
	res_sql_param(s, P_INT(after.txid));
	res_sql_add(s, ", ");
	res_sql_param(s, P_INT(after.seq));
	res_sql_add(s, ") AND txid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)");
}

static void
add_term(struct res_sql *s, const char *comparison, struct db_param p)
{
	res_sql_add(s, " AND ");
	res_sql_add(s, comparison);
	res_sql_param(s, p);
}

static void
add_filter(struct res_sql *s, enum db_kind kind, const struct outbox_filter *f)
{
	if (f->company_id)
		add_term(s, "company_id = ", P_INT(f->company_id));
	else if (kind == DB_SQLITE)
		res_sql_add(s, " AND txid = 0"); /* the index of the order, then */
	if (f->object_type.n)
		add_term(s, "object_type = ", P_TEXT(f->object_type));
	if (f->object_id.n)
		add_term(s, "object_id = ", P_TEXT(f->object_id));
	if (f->from.us)
		add_term(s, "at >= ", P_INSTANT(f->from));
	if (f->to.us)
		add_term(s, "at < ", P_INSTANT(f->to));
}

static void
select_events(struct res_sql *s, struct db_tx *tx, const struct outbox_filter *f,
	struct outbox_position after, size_t max)
{
	enum db_kind kind = db_tx_kind(tx);

	res_sql_init(s, db_tx_arena(tx));
	res_sql_add(s, "SELECT txid, seq, company_id, type, object_type, object_id, actor_id, actor_name, "
		       "request_id, at, old_values, new_values FROM event WHERE");
	add_position(s, kind, after);
	add_filter(s, kind, f);
	res_sql_add(s, kind == DB_SQLITE ? " ORDER BY seq LIMIT " : " ORDER BY txid, seq LIMIT ");
	res_sql_param(s, P_INT(max));
}

static struct outbox_event
event_of(const struct db_rows *r)
{
	return (struct outbox_event){
		.position = { .txid = db_int(r, 0), .seq = db_int(r, 1) },
		.company_id = db_int(r, 2),
		.type = db_text_copy(r, 3),
		.object_type = db_text_copy(r, 4),
		.object_id = db_text_copy(r, 5),
		.actor_id = db_int(r, 6),
		.actor_name = db_text_copy(r, 7),
		.request_id = db_text_copy(r, 8),
		.at = { db_int(r, 9) },
		.old_values = db_text_copy(r, 10),
		.new_values = db_text_copy(r, 11),
	};
}

struct err *
outbox_read(struct db_tx *tx, const struct outbox_filter *f, struct outbox_position after, size_t max,
	struct outbox_event **out, size_t *count)
{
	struct outbox_event *events = arena_alloc_array(db_tx_arena(tx), max, sizeof(*events));
	struct res_sql s;
	struct db_rows r;
	size_t n = 0, bytes = 0;
	bool row;

	select_events(&s, tx, f, after, max);
	TRY(res_sql_query(&s, tx, &r));
	while (n < max && bytes < TEXT_BYTES_MAX) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		events[n] = event_of(&r);
		bytes += events[n].old_values.n + events[n].new_values.n;
		n++;
	}
	db_rows_close(&r);
	*out = events;
	*count = n;
	return NULL;
}

struct err *
outbox_end(struct db_tx *tx, struct outbox_position *out)
{
	struct db_rows r;
	bool found;

	TRY(DB_FIND(tx, &sql_outbox_end, &r, &found));
	*out = found ? (struct outbox_position){ .txid = db_int(&r, 0), .seq = db_int(&r, 1) }
		     : (struct outbox_position){ 0 };
	return NULL;
}

/* xmin:xmax:running,running,… of PostgreSQL. */
struct err *
outbox_past_read(struct db_tx *tx, struct outbox_past *out)
{
	struct arena *a = db_tx_arena(tx);
	struct str rest, xmin, xmax, one;
	struct db_rows r;
	bool found;

	TRY(DB_FIND(tx, &sql_outbox_snapshot, &r, &found));
	rest = db_text_copy(&r, 0);
	*out = (struct outbox_past){ 0 };
	TRY(outbox_end(tx, &out->end));
	check(str_split(&rest, ':', &xmin) && str_split(&rest, ':', &xmax) && str_to_int(xmax, &out->next));
	out->running = arena_alloc_array(a, rest.n / 2 + 1, sizeof(*out->running));
	while (rest.n && str_split(&rest, ',', &one))
		check(str_to_int(one, &out->running[out->running_count++]));
	return NULL;
}

struct err *
outbox_find(struct db_tx *tx, int64_t company_id, int64_t seq, struct outbox_position *out, bool *found)
{
	struct db_rows r;

	TRY(DB_FIND(tx, &sql_outbox_find, &r, found, P_INT(company_id), P_INT(seq)));
	if (*found)
		*out = (struct outbox_position){ .txid = db_int(&r, 0), .seq = seq };
	return NULL;
}

struct err *
outbox_is_held_back(struct db_tx *tx, bool *held_back)
{
	struct db_rows r;

	return DB_FIND(tx, &sql_outbox_held_back, &r, held_back);
}
