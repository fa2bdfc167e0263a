/*
 * Storing values: put, correct, remove. Writers of one KPI follow each other (who reads it for a change locks its row on PostgreSQL; SQLite
 * has one writer), so a day's figures and the state are never computed from half of what is there.
 */
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/rollup.h"
#include "domain/kpi/status.h"
#include "domain/kpi/value_sql.h"

/* Values told one by one in the event of a bulk; of more, only the count and the range are told. */
#define EVENT_VALUES_MAX 100

struct str
kpi_value_id(struct arena *a, const struct kpi_value *v)
{
	if (str_is_empty(v->dimensions))
		return arena_fmt(a, "%lld", (long long)v->at.us);
	return arena_fmt(a, "%lld-%016llx", (long long)v->at.us, (unsigned long long)str_hash(v->dimensions));
}

static struct err *
takes_values(struct res_ctx *c, const struct kpi *k)
{
	if (str_is_empty(k->formula))
		return NULL;
	return err_field(c->arena, "value", "A formula KPI is computed; it takes no values.");
}

static struct err *
read_value(struct res_ctx *c, const struct kpi *k, struct instant at, struct str dimensions,
	struct kpi_value *out, bool *found)
{
	struct db_rows rows;

	TRY(DB_FIND(c->tx, &sql_kpi_value_get, &rows, found, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_INSTANT(at), P_TEXT(dimensions)));
	if (*found)
		*out = (struct kpi_value){
			.at = at,
			.dimensions = dimensions,
			.value = { db_int(&rows, 0), (int32_t)k->decimals },
			.note = db_text_copy(&rows, 1),
			.recorded_by = db_int(&rows, 2),
			.recorded_at = { db_int(&rows, 3) },
			.number = db_int(&rows, 4),
		};
	return NULL;
}

/*
 * The campaign that canonical dimensions name, 0 without one. A quote inside a text is written with a backslash before it, so these
 * bytes stand for the member and for nothing else.
 */
static int64_t
campaign_of(struct str dimensions)
{
	const struct str member = STR("\"campaign\":\"");
	int64_t id;

	for (size_t i = 1; i + member.n < dimensions.n; i++) {
		bool begins = dimensions.p[i - 1] == '{' || dimensions.p[i - 1] == ',';
		if (!begins || !str_starts_with(str_sub(dimensions, i, dimensions.n), member))
			continue;
		size_t from = i + member.n;
		struct str text = str_sub(dimensions, from, str_index(dimensions, '"', from) - from);
		bool plain = text.n > 0 && text.p[0] >= '1' && text.p[0] <= '9';
		return plain && str_to_int(text, &id) && id <= KPI_CAMPAIGN_ID_MAX ? id : 0;
	}
	return 0;
}

/* A value that moves keeps its number. */
static struct err *
number_values(struct res_ctx *c, struct kpi_value *v, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		v[i].campaign_id = campaign_of(v[i].dimensions);
		if (!v[i].campaign_id)
			v[i].number = 0;
		else if (!v[i].number)
			TRY(db_next_id(c->tx, "campaign_value", &v[i].number));
	}
	return NULL;
}

/* Parameters of kpi_value_insert and kpi_value_update, which take the same. */
#define VALUE_PARAMS 10

static void
value_params(const struct res_ctx *c, const struct kpi *k, const struct kpi_value *v, struct db_param *p)
{
	const struct db_param all[VALUE_PARAMS] = {
		P_INT(c->actor->company_id),
		P_TEXT(k->id),
		P_INSTANT(v->at),
		P_TEXT(v->dimensions),
		P_INT(v->value.coef),
		v->note.p ? P_TEXT(v->note) : P_NULL,
		v->recorded_by ? P_INT(v->recorded_by) : P_NULL,
		P_INSTANT(v->recorded_at),
		v->campaign_id ? P_INT(v->campaign_id) : P_NULL,
		v->number ? P_INT(v->number) : P_NULL,
	};
	memcpy(p, all, sizeof all);
}

/* Rows of one statement: it is parsed and its cursors are opened once for all of them. */
#define ROWS_TOGETHER 64
#define ROW_PARAMS    (VALUE_PARAMS - 2) /* the company and the KPI are said once */

/* kpi_value_insert with more rows behind VALUES. */
static struct db_sql
insert_many_statement(struct arena *a)
{
	struct str one = sql_kpi_value_insert.text[DB_SQLITE];
	struct buf b;

	buf_init_arena(&b, a, LIMIT_TEXT_BYTES);
	buf_add_str(&b, str_sub(one, 0, str_index(one, '$', 0) - 1));
	for (int row = 0, next = 3; row < ROWS_TOGETHER; row++) {
		buf_add_str(&b, row ? STR(", ($1, $2") : STR("($1, $2"));
		for (int i = 0; i < ROW_PARAMS; i++) {
			buf_add_str(&b, STR(", $"));
			buf_add_int(&b, next++);
		}
		buf_add_byte(&b, ')');
	}
	buf_add_str(&b, STR(" ON CONFLICT DO NOTHING"));
	check(!b.over);
	return db_sql_make("kpi_value_insert_many", buf_str(&b), 2 + ROWS_TOGETHER * ROW_PARAMS);
}

/* Whether a value stands between the first and the last of the rows. */
static struct err *
any_between(struct res_ctx *c, const struct kpi *k, const struct kpi_value *v, bool *out)
{
	struct instant first = v[0].at, last = v[0].at;
	struct db_rows rows;

	for (size_t i = 1; i < ROWS_TOGETHER; i++) {
		first = v[i].at.us < first.us ? v[i].at : first;
		last = v[i].at.us > last.us ? v[i].at : last;
	}
	return DB_FIND(c->tx, &sql_kpi_value_between, &rows, out, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_INSTANT(first), P_INSTANT(last));
}

/* Where nothing stood before, a row was inserted unless an earlier one of the same statement has its key. */
static void
mark_inserted(const struct kpi_value *v, int64_t affected, int64_t *inserted)
{
	for (size_t i = 0; i < ROWS_TOGETHER; i++) {
		inserted[i] = 1;
		for (size_t j = 0; affected < ROWS_TOGETHER && j < i; j++)
			if (v[j].at.us == v[i].at.us && str_eq(v[j].dimensions, v[i].dimensions))
				inserted[i] = 0;
	}
}

/* ROWS_TOGETHER rows where no value stands. */
static struct err *
insert_together(struct res_ctx *c, const struct db_sql *q, const struct kpi_value *v,
	const struct db_param *params, int64_t *inserted)
{
	struct db_param all[2 + ROWS_TOGETHER * ROW_PARAMS] = { params[0], params[1] };
	int64_t affected = 0;

	for (size_t i = 0; i < ROWS_TOGETHER; i++)
		memcpy(&all[2 + i * ROW_PARAMS], &params[i * VALUE_PARAMS + 2], ROW_PARAMS * sizeof *all);
	TRY(db_exec(c->tx, q, all, COUNT(all), &affected));
	mark_inserted(v, affected, inserted);
	return NULL;
}

static struct err *
insert_rows(struct res_ctx *c, const struct kpi *k, const struct kpi_value *v, size_t count,
	const struct db_param *params, int64_t *inserted)
{
	struct db_sql many = count >= ROWS_TOGETHER ? insert_many_statement(c->arena) : (struct db_sql){ 0 };

	for (size_t i = 0, n; i < count; i += n) {
		bool taken = true;
		n = count - i < ROWS_TOGETHER ? count - i : ROWS_TOGETHER;
		if (n == ROWS_TOGETHER)
			TRY(any_between(c, k, &v[i], &taken));
		if (taken)
			TRY(db_exec_many(c->tx, &sql_kpi_value_insert, params + i * VALUE_PARAMS,
				VALUE_PARAMS, n, inserted + i));
		else
			TRY(insert_together(c, &many, &v[i], params + i * VALUE_PARAMS, inserted + i));
	}
	return NULL;
}

/*
 * Inserts, or replaces what stands there: then the change is not new and *replaced, which has room for all, gets what stood there.
 */
static struct err *
put_rows(struct res_ctx *c, const struct kpi *k, struct kpi_value *v, size_t count,
	struct rollup_change *changes, struct kpi_value *replaced, size_t *replaced_count)
{
	struct db_param *params = arena_alloc_array(c->arena, count * VALUE_PARAMS, sizeof *params);
	int64_t *inserted = arena_alloc_array(c->arena, count, sizeof *inserted);

	TRY(number_values(c, v, count));
	for (size_t i = 0; i < count; i++)
		value_params(c, k, &v[i], params + i * VALUE_PARAMS);
	TRY(insert_rows(c, k, v, count, params, inserted));
	*replaced_count = 0;
	for (size_t i = 0; i < count; i++) {
		bool found;
		changes[i] =
			(struct rollup_change){ v[i].at, v[i].dimensions, v[i].value.coef, inserted[i] == 1 };
		if (inserted[i] == 1)
			continue;
		struct kpi_value *before = &replaced[(*replaced_count)++];
		TRY(read_value(c, k, v[i].at, v[i].dimensions, before, &found));
		if (v[i].campaign_id && before->number)
			v[i].number = before->number;
		TRY(db_exec(c->tx, &sql_kpi_value_update, params + i * VALUE_PARAMS, VALUE_PARAMS, NULL));
	}
	return NULL;
}

static void
write_value(struct res_ctx *c, struct json_out *o, const struct kpi_value *v)
{
	json_begin_object(o);
	json_pair_str(o, "id", kpi_value_id(c->arena, v));
	json_key(o, STR("at"));
	struct buf at;
	buf_init_arena(&at, c->arena, 64);
	instant_write(&at, v->at, INSTANT_ISO_SECONDS, NULL);
	json_put_str(o, buf_str(&at));
	json_key(o, STR("value"));
	json_put_decimal(o, v->value, true);
	if (!str_is_empty(v->dimensions)) {
		json_key(o, STR("dimensions"));
		json_put_raw(o, v->dimensions);
	}
	if (v->note.p) {
		json_key(o, STR("note"));
		json_put_str(o, v->note);
	}
	json_end_object(o);
}

/* {"kpi_id":…,"count":n,"values":[…]}: the values only when they are few, always for what was replaced. */
static struct str
event_text(struct res_ctx *c, const struct kpi *k, const struct kpi_value *v, size_t n, bool all)
{
	struct buf b;
	struct json_out o;

	if (n == 0)
		return STR("");
	buf_init_arena(&b, c->arena, LIMIT_ANSWER_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "kpi_id", k->id);
	json_pair_int(&o, "count", (int64_t)n);
	if (all || n <= EVENT_VALUES_MAX) {
		json_key(&o, STR("values"));
		json_begin_array(&o);
		for (size_t i = 0; i < n; i++)
			write_value(c, &o, &v[i]);
		json_end_array(&o);
	}
	json_end_object(&o);
	return buf_str(&b);
}

struct err *
kpi_values_put(struct res_ctx *c, const struct kpi *k, struct kpi_value *v, size_t count)
{
	struct rollup_change *changes = arena_alloc_array(c->arena, count, sizeof *changes);
	struct kpi_value *replaced = arena_alloc_array(c->arena, count, sizeof *replaced);
	size_t replaced_count = 0;

	if (count == 0)
		return err_field(c->arena, "values", "This list may not be empty.");
	TRY(takes_values(c, k));
	TRY(put_rows(c, k, v, count, changes, replaced, &replaced_count));
	TRY(rollup_apply(c, k, changes, count));
	TRY(kpi_state_update(c, k));
	return event_add(c, STR("kpi.values_recorded"), "kpi", k->id,
		event_text(c, k, replaced, replaced_count, true), event_text(c, k, v, count, false));
}

struct err *
kpi_value_find(struct res_ctx *c, const struct kpi *k, struct str value_id, struct kpi_value *out)
{
	struct str at_text;
	int64_t at;
	struct db_rows rows;
	bool row, found;

	/* A leading minus belongs to an instant before 1970. */
	size_t dash = str_index(value_id, '-', 1);
	at_text = str_sub(value_id, 0, dash);
	if (!str_to_int(at_text, &at))
		return err_word(err_new(c->arena, ERR_NOT_FOUND, ""), "VALUE_NOT_FOUND");
	TRY(DB_QUERY(c->tx, &sql_kpi_value_at, &rows, P_INT(c->actor->company_id), P_TEXT(k->id), P_INT(at)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return err_word(err_new(c->arena, ERR_NOT_FOUND, ""), "VALUE_NOT_FOUND");
		struct kpi_value candidate = { .at = { at }, .dimensions = db_text_copy(&rows, 0) };
		if (str_eq(kpi_value_id(c->arena, &candidate), value_id)) {
			db_rows_close(&rows);
			return read_value(c, k, candidate.at, candidate.dimensions, out, &found);
		}
	}
}

static struct err *
delete_row(struct res_ctx *c, const struct kpi *k, const struct kpi_value *v)
{
	return DB_EXEC(c->tx, &sql_kpi_value_delete, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_INSTANT(v->at), P_TEXT(v->dimensions));
}

static struct err *
finish_change(struct res_ctx *c, const struct kpi *k, const struct rollup_change *changes, size_t count)
{
	TRY(rollup_apply(c, k, changes, count));
	return kpi_state_update(c, k);
}

struct err *
kpi_value_change(struct res_ctx *c, const struct kpi *k, struct str value_id, struct kpi_value *v)
{
	struct kpi_value old, other;
	struct rollup_change changes[2] = { 0 };
	size_t replaced;
	bool taken;

	TRY(takes_values(c, k));
	TRY(kpi_value_find(c, k, value_id, &old));
	bool moves = old.at.us != v->at.us || !str_eq(old.dimensions, v->dimensions);
	if (moves) {
		TRY(read_value(c, k, v->at, v->dimensions, &other, &taken));
		if (taken)
			return err_new(c->arena, ERR_CONFLICT,
				"Another value stands at this instant with these dimensions.");
		TRY(delete_row(c, k, &old));
	}
	v->number = old.number;
	changes[0] = (struct rollup_change){ .at = old.at, .dimensions = old.dimensions };
	TRY(put_rows(c, k, v, 1, &changes[1], &other, &replaced));
	/* The day is made anew by the first change already when the value stays where it is. */
	TRY(finish_change(c, k, changes, moves ? 2 : 1));
	return event_add(c, STR("kpi.value_corrected"), "kpi", k->id, event_text(c, k, &old, 1, true),
		event_text(c, k, v, 1, true));
}

struct err *
kpi_value_remove(struct res_ctx *c, const struct kpi *k, struct str value_id)
{
	struct kpi_value old;

	TRY(takes_values(c, k));
	TRY(kpi_value_find(c, k, value_id, &old));
	TRY(delete_row(c, k, &old));
	struct rollup_change change = { .at = old.at, .dimensions = old.dimensions };
	TRY(finish_change(c, k, &change, 1));
	return event_add(c, STR("kpi.value_deleted"), "kpi", k->id, event_text(c, k, &old, 1, true), STR(""));
}
