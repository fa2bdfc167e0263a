/*
 * The JSON writer: straight into the answer's buffer, no tree. It keeps one bit, whether a comma is due, because after any finished
 * value a comma is due and after any opening bracket or key it is not.
 */
#include "base/limits.h"
#include "base/number.h"
#include "codec/json.h"
#include <math.h>

void
json_out_init(struct json_out *o, struct buf *b)
{
	*o = (struct json_out){ .b = b };
}

static void
begin_value(struct json_out *o)
{
	if (o->comma)
		buf_add_byte(o->b, ',');
	o->comma = true;
}

static void
open_bracket(struct json_out *o, char bracket)
{
	begin_value(o);
	buf_add_byte(o->b, bracket);
	o->comma = false;
	o->depth++;
}

static void
close_bracket(struct json_out *o, char bracket)
{
	check(o->depth > 0);
	o->depth--;
	buf_add_byte(o->b, bracket);
	o->comma = true;
}

void
json_begin_object(struct json_out *o)
{
	open_bracket(o, '{');
}

void
json_end_object(struct json_out *o)
{
	close_bracket(o, '}');
}

void
json_begin_array(struct json_out *o)
{
	open_bracket(o, '[');
}

void
json_end_array(struct json_out *o)
{
	close_bracket(o, ']');
}

void
json_key_escaped(struct json_out *o, struct str key)
{
	begin_value(o);
	buf_add_json_string(o->b, key);
	buf_add_byte(o->b, ':');
	o->comma = false;
}

void
json_put_str(struct json_out *o, struct str s)
{
	begin_value(o);
	buf_add_json_string(o->b, s);
}

void
json_put_int(struct json_out *o, int64_t v)
{
	begin_value(o);
	buf_add_int(o->b, v);
}

void
json_put_bool(struct json_out *o, bool v)
{
	begin_value(o);
	buf_add_str(o->b, v ? STR("true") : STR("false"));
}

void
json_put_null(struct json_out *o)
{
	begin_value(o);
	buf_add_lit(o->b, "null");
}

void
json_put_double(struct json_out *o, double v)
{
	if (!isfinite(v)) {
		json_put_null(o);
		return;
	}
	begin_value(o);
	double_write(o->b, v);
}

void
json_put_decimal(struct json_out *o, struct decimal d, bool short_form)
{
	begin_value(o);
	if (short_form)
		decimal_write_short(o->b, d);
	else
		decimal_write(o->b, d);
}

void
json_put_raw(struct json_out *o, struct str json)
{
	begin_value(o);
	buf_add_str(o->b, json);
}

static void
put_leaf(struct json_out *o, const json_val *v)
{
	switch (json_type_of(v)) {
	case JSON_NULL:
		json_put_null(o);
		break;
	case JSON_BOOL:
		json_put_bool(o, json_bool(v));
		break;
	case JSON_NUMBER:
		json_put_raw(o, json_number(v));
		break;
	case JSON_STRING:
		json_put_str(o, json_string(v));
		break;
	case JSON_ARRAY:
		json_begin_array(o);
		break;
	case JSON_OBJECT:
		json_begin_object(o);
		break;
	}
}

void
json_write_val(struct buf *b, const json_val *v)
{
	struct json_iter open[LIMIT_JSON_DEPTH];
	struct json_out o;
	struct str key;
	json_val *child;

	json_out_init(&o, b);
	put_leaf(&o, v);
	if (o.depth)
		open[0] = json_iter(v);
	while (o.depth) {
		struct json_iter *it = &open[o.depth - 1];
		bool is_object = json_type_of(it->container) == JSON_OBJECT;

		if (!json_next(it, &key, &child)) {
			close_bracket(&o, is_object ? '}' : ']');
			continue;
		}
		if (is_object)
			json_key_escaped(&o, key);
		uint32_t depth = o.depth;
		put_leaf(&o, child);
		if (o.depth > depth) {
			check(o.depth <= LIMIT_JSON_DEPTH);
			open[depth] = json_iter(child);
		}
	}
}
