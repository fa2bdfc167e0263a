/* Targets of calendar periods: which one is in force on a day, and how they are entered. */
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/kpi_sql.h"
#include "domain/kpi/status.h"

#define PERIODS	    5	 /* of enum period */
#define TARGETS_MAX 1000 /* in one request: 80 years of months */

static bool
period_find(struct str name, enum period *out)
{
	for (int i = 0; kpi_period_names[i]; i++) {
		if (str_eq_nocase(name, str_from_cstr(kpi_period_names[i]))) {
			*out = (enum period)i;
			return true;
		}
	}
	return false;
}

struct err *
kpi_target_on(struct res_ctx *c, const struct kpi *k, struct date day, struct kpi_target *out, bool *found)
{
	struct db_param p[2 + PERIODS] = { P_INT(c->actor->company_id), P_TEXT(k->id) };
	struct db_rows rows;
	bool row;

	for (int i = 0; i < PERIODS; i++)
		p[2 + i] = P_TEXT(kpi_date_text(c->arena, period_start(day, (enum period)i)));
	TRY(db_find(c->tx, &sql_kpi_target_on, p, COUNT(p), &rows, &row));
	*found = false;
	for (int i = 0; row && i < PERIODS && !*found; i++) {
		*found = !db_is_null(&rows, i);
		if (*found) {
			*out = (struct kpi_target){ .period = (enum period)i,
				.start = period_start(day, (enum period)i) };
			check(decimal_parse(db_text(&rows, i), &out->value) == DECIMAL_OK);
		}
	}
	return NULL;
}

struct err *
kpi_targets_list(struct res_ctx *c, const struct kpi *k, struct kpi_target **out, size_t *count)
{
	struct db_rows rows;
	size_t cap = 0;
	bool row;

	*count = 0;
	*out = NULL;
	TRY(DB_QUERY(c->tx, &sql_kpi_target_list, &rows, P_INT(c->actor->company_id), P_TEXT(k->id)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return NULL;
		if (*count == cap) {
			cap = cap ? cap * 2 : 32;
			struct kpi_target *grown = arena_alloc_array(c->arena, cap, sizeof *grown);
			if (*count > 0)
				memcpy(grown, *out, *count * sizeof *grown);
			*out = grown;
		}
		struct kpi_target *t = &(*out)[(*count)++];
		check(period_find(db_text(&rows, 0), &t->period) &&
			date_parse(db_text(&rows, 1), &t->start) &&
			decimal_parse(db_text(&rows, 2), &t->value) == DECIMAL_OK);
	}
}

static void
parse_target(struct res_ctx *c, const json_val *v, struct str prefix, struct kpi_target *t, struct err **e)
{
	struct arena *a = c->arena;
	json_val *period = json_get(v, STR("period")), *start = json_get(v, STR("start")),
		 *value = json_get(v, STR("value"));

	if (json_type_of(v) != JSON_OBJECT) {
		err_add_field(a, e, prefix.n ? prefix : STR("non_field_errors"),
			"Invalid data. Expected a dictionary, but got %s.", json_type_word(v));
		return;
	}
	if (!period || json_type_of(period) != JSON_STRING || !period_find(json_string(period), &t->period))
		err_add_field(a, e, arena_fmt(a, "%.*speriod", STR_ARG(prefix)),
			"This field is required: day, week, month, quarter or year.");
	if (!start || json_type_of(start) != JSON_STRING || !date_parse(json_string(start), &t->start))
		err_add_field(a, e, arena_fmt(a, "%.*sstart", STR_ARG(prefix)),
			"Date has wrong format. Use one of these formats instead: YYYY-MM-DD.");
	if (!value || json_type_of(value) != JSON_NUMBER ||
		decimal_parse(json_number(value), &t->value) != DECIMAL_OK)
		err_add_field(
			a, e, arena_fmt(a, "%.*svalue", STR_ARG(prefix)), "A valid number is required.");
	/* Any day of the period names it. */
	if (!*e)
		t->start = period_start(t->start, t->period);
}

static struct err *
parse_targets(struct res_ctx *c, const json_val *body, struct kpi_target **out, size_t *count)
{
	bool many = json_type_of(body) == JSON_ARRAY;
	struct err *e = NULL;
	struct json_iter it;
	json_val *v;

	*count = many ? json_count(body) : 1;
	if (*count == 0 || *count > TARGETS_MAX)
		return err_field(c->arena, "targets", "Ensure there are 1 to %d targets.", TARGETS_MAX);
	*out = arena_alloc_array(c->arena, *count, sizeof **out);
	if (!many) {
		parse_target(c, body, STR(""), *out, &e);
		return e;
	}
	it = json_iter(body);
	for (size_t i = 0; json_next(&it, NULL, &v); i++)
		parse_target(c, v, arena_fmt(c->arena, "[%zu].", i), &(*out)[i], &e);
	return e;
}

static void
write_targets(struct res_ctx *c, struct buf *b, const struct kpi_target *t, size_t n)
{
	struct json_out o;

	json_out_init(&o, b);
	json_begin_array(&o);
	for (size_t i = 0; i < n; i++) {
		json_begin_object(&o);
		json_pair_str(&o, "period", str_from_cstr(kpi_period_names[t[i].period]));
		json_pair_str(&o, "start", kpi_date_text(c->arena, t[i].start));
		json_key(&o, STR("value"));
		json_put_decimal(&o, t[i].value, false);
		json_end_object(&o);
	}
	json_end_array(&o);
}

/* The target that stands for the same period and start; *found false when none does. */
static struct err *
find_target(struct res_ctx *c, const struct kpi *k, const struct kpi_target *like, struct kpi_target *out,
	bool *found)
{
	struct db_rows rows;

	TRY(DB_FIND(c->tx, &sql_kpi_target_get, &rows, found, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(str_from_cstr(kpi_period_names[like->period])),
		P_TEXT(kpi_date_text(c->arena, like->start))));
	if (*found) {
		*out = *like;
		check(decimal_parse(db_text(&rows, 0), &out->value) == DECIMAL_OK);
	}
	return NULL;
}

static struct err *
put_target(struct res_ctx *c, const struct kpi *k, const struct kpi_target *t)
{
	struct buf value;

	buf_init_arena(&value, c->arena, 64);
	decimal_write(&value, t->value);
	return DB_EXEC(c->tx, &sql_kpi_target_put, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(str_from_cstr(kpi_period_names[t->period])), P_TEXT(kpi_date_text(c->arena, t->start)),
		P_TEXT(buf_str(&value)), P_INSTANT(c->now));
}

/* Their JSON for the event; empty for none, as the event knows "nothing before" and "nothing after". */
static struct str
event_text(struct res_ctx *c, const struct kpi_target *t, size_t n)
{
	struct buf b;

	if (n == 0)
		return STR("");
	buf_init_arena(&b, c->arena, LIMIT_ANSWER_BYTES);
	write_targets(c, &b, t, n);
	return buf_str(&b);
}

struct err *
kpi_targets_put(
	struct res_ctx *c, const struct kpi *k, const json_val *body, struct kpi_target **out, size_t *count)
{
	size_t replaced_count = 0;

	TRY(parse_targets(c, body, out, count));
	struct kpi_target *replaced = arena_alloc_array(c->arena, *count, sizeof *replaced);
	for (size_t i = 0; i < *count; i++) {
		bool found;
		TRY(find_target(c, k, &(*out)[i], &replaced[replaced_count], &found));
		replaced_count += found;
		TRY(put_target(c, k, &(*out)[i]));
	}
	TRY(kpi_state_update(c, k));
	return event_add(c, STR("kpi.targets_set"), "kpi", k->id, event_text(c, replaced, replaced_count),
		event_text(c, *out, *count));
}

struct err *
kpi_target_remove(struct res_ctx *c, const struct kpi *k, struct str period, struct str start)
{
	struct kpi_target named, old;
	bool found = false;

	if (period_find(period, &named.period) && date_parse(start, &named.start)) {
		named.start = period_start(named.start, named.period);
		TRY(find_target(c, k, &named, &old, &found));
	}
	if (!found)
		return err_word(err_new(c->arena, ERR_NOT_FOUND, ""), "TARGET_NOT_FOUND");
	TRY(DB_EXEC(c->tx, &sql_kpi_target_delete, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(str_from_cstr(kpi_period_names[old.period])),
		P_TEXT(kpi_date_text(c->arena, old.start))));
	TRY(kpi_state_update(c, k));
	return event_add(c, STR("kpi.target_deleted"), "kpi", k->id, event_text(c, &old, 1), STR(""));
}
