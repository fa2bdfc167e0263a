/*
 * Filters: a parameter's text becomes bound values of the field's kind, checked like a body's, and every filter becomes one predicate.
 * A negated filter is the complement of the plain one, rows without a value included. Decimals stand as text in their columns and are
 * compared by value: exactly on PostgreSQL, with 15 digits on SQLite.
 */
#include "resource/engine.h"

#define FILTER_VALUES_MAX \
	1000 /* of one query, over all its filters: leaves room for the predicates of company and scope */

static bool
suits(enum res_kind kind, enum list_op op)
{
	switch (op) {
	case LIST_EQ:
	case LIST_NE:
	case LIST_IN:
		return kind != RES_JSON;
	case LIST_IS_NULL:
		return true;
	case LIST_CONTAINS:
		return kind == RES_TEXT;
	case LIST_GT:
	case LIST_GTE:
	case LIST_LT:
	case LIST_LTE:
		return kind != RES_JSON && kind != RES_BOOL;
	}
	return false;
}

/* A date alone for an instant: its local day, from the first moment to the first of the next. */
static bool
day_parse(const struct res_ctx *c, const struct list_filter *f, struct str text, struct instant day[2])
{
	struct date d;
	if (f->field->kind != RES_INSTANT || !date_parse(text, &d))
		return false;
	day[0] = zone_day_start(c->actor->zone, d);
	day[1] = zone_day_start(c->actor->zone, (struct date){ d.days + 1 });
	return true;
}

/* A whole day instead of an instant: two values for EQ and NE, the fitting end for the others. */
static void
day_take(struct list_filter *f, const struct instant day[2])
{
	switch (f->op) {
	case LIST_EQ:
	case LIST_NE:
		f->values[0] = P_INSTANT(day[0]);
		f->values[1] = P_INSTANT(day[1]);
		f->count = 2;
		return;
	case LIST_LTE:
		f->op = LIST_LT;
		f->values[0] = P_INSTANT(day[1]);
		f->count = 1;
		return;
	case LIST_GT:
	case LIST_GTE:
	case LIST_LT:
	case LIST_CONTAINS:
	case LIST_IN:
	case LIST_IS_NULL:
		f->values[0] = P_INSTANT(day[0]);
		f->count = 1;
		return;
	}
}

/* A filter takes what is stored: text of any length and blank text too. */
static const char *
value_parse(const struct res_ctx *c, const struct res_field *f, struct str text, struct db_param *out)
{
	union {
		struct str text;
		struct decimal decimal;
		int64_t number;
		int choice;
		bool flag;
	} value = { 0 };
	if (f->kind == RES_TEXT) {
		*out = P_TEXT(text);
		return memchr(text.p ? text.p : "", '\0', text.n) ? "Null characters are not allowed." : NULL;
	}
	struct res_field unbounded = *f;
	unbounded.min = unbounded.max = 0;
	const char *fault = res_value_parse_text(c, &unbounded, text, &value);
	if (!fault)
		*out = res_param_at(c->arena, f, &value);
	return fault;
}

static const char *
list_parse(const struct res_ctx *c, struct list_filter *f, struct str text, size_t room)
{
	size_t count = 1;
	for (size_t i = 0; i < text.n; i++)
		count += text.p[i] == ',';
	if (count > room)
		return arena_fmt(c->arena, "Ensure this list has no more than %d values.", FILTER_VALUES_MAX)
			.p;
	f->values = arena_alloc_array(c->arena, count, sizeof *f->values);
	struct str rest = text, part;
	while (f->count < count && str_split(&rest, ',', &part)) {
		const char *fault = value_parse(c, f->field, part, &f->values[f->count]);
		if (fault)
			return fault;
		f->count++;
	}
	return NULL;
}

static const char *
null_parse(struct list_filter *f, struct str text)
{
	bool yes = str_eq_nocase(text, STR("true")) || str_eq(text, STR("1"));
	if (!yes && !str_eq_nocase(text, STR("false")) && !str_eq(text, STR("0")))
		return "Must be a valid boolean.";
	f->negate = !yes;
	return NULL;
}

static const char *
filter_parse(const struct res_ctx *c, struct list_filter *f, struct str text, size_t room)
{
	struct instant day[2];
	if (!suits(f->field->kind, f->op))
		return "This filter is not available for the field.";
	if (f->op == LIST_IN)
		return list_parse(c, f, text, room);
	if (f->op == LIST_IS_NULL)
		return null_parse(f, text);
	f->values = arena_alloc_array(c->arena, 2, sizeof *f->values);
	if (day_parse(c, f, text, day)) {
		day_take(f, day);
		return NULL;
	}
	f->count = 1;
	return value_parse(c, f->field, text, &f->values[0]);
}

void
list_filter_add(struct res_ctx *c, struct list_query *q, const struct res_field *f, enum list_op op,
	struct str text, struct str param, struct err **e)
{
	if (!(f->flags & RF_FILTER))
		return;
	if (q->filter_count == LIST_FILTERS_MAX) {
		err_add_field(
			c->arena, e, param, "Ensure there are no more than %d filters.", LIST_FILTERS_MAX);
		return;
	}
	size_t used = 0;
	for (size_t i = 0; i < q->filter_count; i++)
		used += q->filters[i].count;
	struct list_filter filter = { .field = f, .op = op };
	const char *fault =
		filter_parse(c, &filter, text, used < FILTER_VALUES_MAX ? FILTER_VALUES_MAX - used : 0);
	if (fault)
		err_add_field(c->arena, e, param, "%s", fault);
	else
		q->filters[q->filter_count++] = filter;
}

static void
add_column(struct res_sql *s, const struct res_field *f, enum db_kind kind)
{
	bool decimal = f->kind == RES_DECIMAL;
	res_sql_add(s, decimal ? "CAST(" : "");
	res_sql_add(s, f->column);
	res_sql_add(s, !decimal ? "" : kind == DB_SQLITE ? " AS REAL)" : " AS NUMERIC)");
}

/* A decimal is bound as text, its column's type, and PostgreSQL has to be told so where the context says NUMERIC. */
static void
add_value(struct res_sql *s, const struct res_field *f, enum db_kind kind, struct db_param value)
{
	bool decimal = f->kind == RES_DECIMAL;
	res_sql_add(s, decimal ? "CAST(CAST(" : "");
	res_sql_param(s, value);
	res_sql_add(s, !decimal ? "" : kind == DB_SQLITE ? " AS TEXT) AS REAL)" : " AS TEXT) AS NUMERIC)");
}

static void
add_in(struct res_sql *s, const struct list_filter *f, enum db_kind kind)
{
	if (f->count == 0) {
		res_sql_add(s, "1 = 0");
		return;
	}
	add_column(s, f->field, kind);
	for (size_t i = 0; i < f->count; i++) {
		res_sql_add(s, i ? ", " : " IN (");
		add_value(s, f->field, kind, f->values[i]);
	}
	res_sql_add(s, ")");
}

static void
add_comparison(struct res_sql *s, const struct list_filter *f, enum db_kind kind)
{
	static const char *const operators[] = { [LIST_EQ] = " = ",
		[LIST_NE] = " = ",
		[LIST_GT] = " > ",
		[LIST_GTE] = " >= ",
		[LIST_LT] = " < ",
		[LIST_LTE] = " <= " };
	add_column(s, f->field, kind);
	if (f->count == 2) {
		res_sql_add(s, " >= ");
		add_value(s, f->field, kind, f->values[0]);
		res_sql_add(s, " AND ");
		add_column(s, f->field, kind);
		res_sql_add(s, " < ");
		add_value(s, f->field, kind, f->values[1]);
		return;
	}
	res_sql_add(s, operators[f->op]);
	add_value(s, f->field, kind, f->values[0]);
}

static void
add_contains(struct res_sql *s, const struct list_filter *f, enum db_kind kind)
{
	res_sql_add(s, kind == DB_SQLITE ? "instr(text_fold(" : "strpos(text_fold(");
	res_sql_add(s, f->field->column);
	res_sql_add(s, "), text_fold(");
	res_sql_param(s, f->values[0]);
	res_sql_add(s, ")) > 0");
}

void
res_sql_filter(struct res_sql *s, enum db_kind kind, const struct list_filter *f)
{
	bool complement = f->negate != (f->op == LIST_NE);
	res_sql_add(s, " AND (");
	switch (f->op) {
	case LIST_EQ:
	case LIST_NE:
	case LIST_GT:
	case LIST_GTE:
	case LIST_LT:
	case LIST_LTE:
		add_comparison(s, f, kind);
		break;
	case LIST_IN:
		add_in(s, f, kind);
		break;
	case LIST_CONTAINS:
		add_contains(s, f, kind);
		break;
	case LIST_IS_NULL:
		res_sql_add(s, f->field->column);
		res_sql_add(s, " IS NULL");
		break;
	}
	res_sql_add(s, complement ? ") IS NOT TRUE" : ")");
}
