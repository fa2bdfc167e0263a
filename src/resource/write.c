/*
 * A record as JSON in the names of a view. Dotted names open and close nested objects as the walk moves on, an object only when its first
 * member is written.
 */
#include "resource/engine.h"

static void
money_write(struct json_out *o, const struct res_ctx *c, const struct res_view *view, struct money m)
{
	struct decimal d = { .coef = m.minor, .scale = res_money_decimals(c) };
	if (!view || !view->money_as_text) {
		json_put_decimal(o, d, false);
		return;
	}
	char text[48];
	struct buf b = { .p = text, .cap = sizeof text, .max = sizeof text };
	decimal_write(&b, d);
	json_put_str(o, buf_str(&b));
}

static void
date_value_write(struct json_out *o, struct date d)
{
	char text[24];
	struct buf b = { .p = text, .cap = sizeof text, .max = sizeof text };
	date_write(&b, d);
	json_put_str(o, buf_str(&b));
}

static void
instant_value_write(
	struct json_out *o, const struct res_ctx *c, const struct res_view *view, struct instant t)
{
	char text[64];
	struct buf b = { .p = text, .cap = sizeof text, .max = sizeof text };
	instant_write(&b, t, view ? view->instants : INSTANT_ISO_SECONDS, c->actor->zone);
	json_put_str(o, buf_str(&b));
}

static void
value_write(struct json_out *o, const struct res_ctx *c, const struct res_view *view,
	const struct res_member *m, const void *at)
{
	switch (m->field->kind) {
	case RES_TEXT:
		json_put_str(o, *(const struct str *)at);
		return;
	case RES_INT:
	case RES_REF:
		json_put_int(o, *(const int64_t *)at);
		return;
	case RES_BOOL:
		json_put_bool(o, *(const bool *)at);
		return;
	case RES_DECIMAL:
		json_put_decimal(o, *(const struct decimal *)at, (m->flags & RV_SHORT) != 0);
		return;
	case RES_MONEY:
		money_write(o, c, view, *(const struct money *)at);
		return;
	case RES_DATE:
		date_value_write(o, *(const struct date *)at);
		return;
	case RES_INSTANT:
		instant_value_write(o, c, view, *(const struct instant *)at);
		return;
	case RES_ENUM:
		json_put_str(o, str_from_cstr(m->field->names[*(const int *)at]));
		return;
	case RES_JSON: {
		struct str json = *(const struct str *)at;
		json_put_raw(o, json.n ? json : STR("null"));
		return;
	}
	}
}

/* Whether open ("a" or "a.b") is path or an ancestor of it. */
static bool
holds(struct str open, struct str path)
{
	return open.n == 0 || (path.n >= open.n && memcmp(path.p, open.p, open.n) == 0 &&
				      (path.n == open.n || path.p[open.n] == '.'));
}

static struct str
parent_of(struct str path)
{
	while (path.n > 0 && path.p[path.n - 1] != '.')
		path.n--;
	return (struct str){ path.p, path.n ? path.n - 1 : 0 };
}

/* Closes and opens nested objects until those of group are the open ones. */
static void
nest(struct json_out *o, struct str *open, struct str group)
{
	while (!holds(*open, group)) {
		json_end_object(o);
		*open = parent_of(*open);
	}
	while (open->n < group.n) {
		size_t from = open->n ? open->n + 1 : 0, end = str_index(group, '.', from);
		json_key(o, str_sub(group, from, end - from));
		json_begin_object(o);
		*open = (struct str){ group.p, end };
	}
}

void
res_write_members(struct json_out *o, const struct res_ctx *c, const struct res_def *def,
	const struct res_view *view, const void *record)
{
	const struct res_plan *plan = res_plan(c, def, view);
	const uint64_t null = ((const struct res_row *)record)->null;
	struct str open = { 0 };
	for (size_t i = 0; i < plan->member_count; i++) {
		const struct res_member *m = &plan->members[i];
		bool has = (null & m->bit) == 0;
		if (!has && (m->flags & RV_OMIT_NULL))
			continue;
		if (m->group.p != open.p || m->group.n != open.n)
			nest(o, &open, m->group);
		json_key(o, m->name);
		if (!m->field)
			m->view->write(o, c, record);
		else if (has)
			value_write(o, c, view, m, res_member_of(m->field, record));
		else
			json_put_null(o);
	}
	nest(o, &open, (struct str){ 0 });
}

void
res_write(struct json_out *o, const struct res_ctx *c, const struct res_def *def, const struct res_view *view,
	const void *record)
{
	json_begin_object(o);
	res_write_members(o, c, def, view, record);
	json_end_object(o);
}
