/* Reading values from clients: numbers from their literal text, instants in the company's zone, dimensions in one canonical spelling. */
#include "domain/kpi/kpi_parts.h"

#define DIMENSIONS_MAX	    8
#define DIMENSION_NAME_MAX  64
#define DIMENSION_VALUE_MAX 255
#define VALUE_NOTE_MAX	    1000

struct dimension {
	struct str name, value;
};

static int
dimension_order(const void *a, const void *b)
{
	return str_cmp(((const struct dimension *)a)->name, ((const struct dimension *)b)->name);
}

static bool
dimension_value(const json_val *v, struct str *out)
{
	switch (json_type_of(v)) {
	case JSON_STRING:
		*out = json_string(v);
		return true;
	case JSON_NUMBER:
		*out = json_number(v);
		return true;
	case JSON_BOOL:
		*out = json_bool(v) ? STR("true") : STR("false");
		return true;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}

static struct str
write_dimensions(struct arena *a, const struct dimension *d, size_t n)
{
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, a, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	for (size_t i = 0; i < n; i++) {
		/* Keys come from clients here, so they are escaped like any text. */
		struct buf key;
		struct json_out k;
		buf_init_arena(&key, a, LIMIT_TEXT_BYTES);
		json_out_init(&k, &key);
		json_put_str(&k, d[i].name);
		json_key(&o, str_sub(buf_str(&key), 1, key.len - 2));
		json_put_str(&o, d[i].value);
	}
	json_end_object(&o);
	return buf_str(&b);
}

/* A name or value that can be stored, shown and compared: valid, not empty, bounded, without NUL. */
static bool
is_label(struct str s, size_t max)
{
	return s.n > 0 && str_utf8_len(s) <= max && str_index(s, '\0', 0) == s.n;
}

struct err *
kpi_dimensions_parse(struct arena *a, const json_val *v, struct str *out)
{
	struct dimension d[DIMENSIONS_MAX];
	size_t n = 0;
	struct json_iter it;
	struct str name;
	json_val *value;

	if (json_type_of(v) != JSON_OBJECT)
		return err_new(a, ERR_INVALID_INPUT,
			"Expected an object of names and texts, such as {\"country\":\"France\"}.");
	if (json_count(v) > DIMENSIONS_MAX)
		return err_new(
			a, ERR_INVALID_INPUT, "Ensure there are no more than %d dimensions.", DIMENSIONS_MAX);
	for (it = json_iter(v); json_next(&it, &name, &value); n++) {
		d[n].name = name;
		if (!is_label(name, DIMENSION_NAME_MAX))
			return err_new(a, ERR_INVALID_INPUT, "A dimension's name has 1 to %d characters.",
				DIMENSION_NAME_MAX);
		if (!dimension_value(value, &d[n].value) || !is_label(d[n].value, DIMENSION_VALUE_MAX))
			return err_new(a, ERR_INVALID_INPUT,
				"A dimension's value is a text of 1 to %d characters.", DIMENSION_VALUE_MAX);
	}
	if (n == 0) {
		*out = STR("");
		return NULL;
	}
	qsort(d, n, sizeof *d, dimension_order);
	*out = write_dimensions(a, d, n);
	return NULL;
}

static struct str
prefixed(struct arena *a, struct str prefix, const char *name)
{
	return arena_fmt(a, "%.*s%s", STR_ARG(prefix), name);
}

/* CURRENCY, COUNT and BOOLEAN are exact: a digit too many is a mistake. Measurements are rounded to what is kept. */
static bool
may_round(const struct kpi *k)
{
	return k->type != KPI_CURRENCY && k->type != KPI_COUNT && k->type != KPI_BOOLEAN;
}

/*
 * The literal as a decimal at the KPI's scale. A measurement with more digits than a decimal can hold, as computed ones often have
 * (0.30000000000000004), goes through a double: it is rounded anyway.
 */
static enum decimal_fault
read_literal(const struct kpi *k, struct str literal, struct decimal *out)
{
	enum decimal_fault fault = decimal_parse(literal, out);
	double v;

	if (fault == DECIMAL_OK)
		return decimal_rescale(*out, (int32_t)k->decimals, may_round(k), out);
	if (fault == DECIMAL_TOO_PRECISE && may_round(k) && double_parse(literal, &v) &&
		decimal_from_double(v, (int32_t)k->decimals, out))
		return DECIMAL_OK;
	return fault;
}

static void
parse_number(struct res_ctx *c, const struct kpi *k, const json_val *v, struct str prefix,
	struct decimal *out, struct err **e)
{
	enum decimal_fault fault;

	if (!v) {
		err_add_field(c->arena, e, prefixed(c->arena, prefix, "value"), "This field is required.");
		return;
	}
	if (json_type_of(v) == JSON_NULL) {
		err_add_field(
			c->arena, e, prefixed(c->arena, prefix, "value"), "This field may not be null.");
		return;
	}
	if (k->type == KPI_BOOLEAN && json_type_of(v) == JSON_BOOL) {
		*out = (struct decimal){ json_bool(v), 0 };
		return;
	}
	if (json_type_of(v) == JSON_NUMBER)
		fault = read_literal(k, json_number(v), out);
	else if (json_type_of(v) == JSON_STRING)
		fault = read_literal(k, json_string(v), out);
	else
		fault = DECIMAL_NOT_A_NUMBER;
	switch (fault) {
	case DECIMAL_OK:
		break;
	case DECIMAL_NOT_A_NUMBER:
		err_add_field(
			c->arena, e, prefixed(c->arena, prefix, "value"), "A valid number is required.");
		return;
	case DECIMAL_TOO_LARGE:
		err_add_field(c->arena, e, prefixed(c->arena, prefix, "value"),
			"The number is too large for a KPI with %d decimals.", (int)k->decimals);
		return;
	case DECIMAL_TOO_PRECISE:
		err_add_field(c->arena, e, prefixed(c->arena, prefix, "value"),
			"Ensure that there are no more than %d decimal places.", (int)k->decimals);
		return;
	}
	if (k->type == KPI_BOOLEAN && out->coef != 0 && out->coef != 1)
		err_add_field(c->arena, e, prefixed(c->arena, prefix, "value"), "Must be a valid boolean.");
}

static void
parse_at(struct res_ctx *c, const json_val *v, struct str prefix, struct instant *out, struct err **e)
{
	static const char *const names[] = { "at", "timestamp", "recorded_at", "date" };

	*out = c->now;
	for (size_t i = 0; i < COUNT(names); i++) {
		json_val *at = json_get(v, str_from_cstr(names[i]));
		if (!at || json_type_of(at) == JSON_NULL)
			continue;
		if (json_type_of(at) != JSON_STRING || !instant_parse(json_string(at), c->actor->zone, out))
			err_add_field(c->arena, e, prefixed(c->arena, prefix, names[i]),
				"Datetime has wrong format. Use one of these formats instead: "
				"YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z], YYYY-MM-DD.");
		return;
	}
}

static void
parse_note(struct res_ctx *c, const json_val *v, struct str prefix, struct kpi_value *out, struct err **e)
{
	json_val *note = json_get(v, STR("note"));
	if (!note || json_type_of(note) == JSON_NULL)
		return;
	if (json_type_of(note) != JSON_STRING)
		err_add_field(c->arena, e, prefixed(c->arena, prefix, "note"), "Not a valid string.");
	else if (str_index(json_string(note), '\0', 0) < json_string(note).n)
		err_add_field(
			c->arena, e, prefixed(c->arena, prefix, "note"), "Null characters are not allowed.");
	else if (str_utf8_len(json_string(note)) > VALUE_NOTE_MAX)
		err_add_field(c->arena, e, prefixed(c->arena, prefix, "note"),
			"Ensure this field has no more than %d characters.", VALUE_NOTE_MAX);
	else
		out->note = json_string(note);
}

void
kpi_value_parse(struct res_ctx *c, const struct kpi *k, const json_val *v, struct str prefix,
	struct kpi_value *out, struct err **e)
{
	*out = (struct kpi_value){
		.recorded_by = c->actor->person_id, .recorded_at = c->now, .dimensions = STR("")
	};
	if (json_type_of(v) != JSON_OBJECT) {
		struct str field = prefix.n > 0 ? str_sub(prefix, 0, prefix.n - 1) : STR("non_field_errors");
		err_add_field(c->arena, e, field, "Invalid data. Expected a dictionary, but got %s.",
			json_type_word(v));
		return;
	}
	parse_number(c, k, json_get(v, STR("value")), prefix, &out->value, e);
	parse_at(c, v, prefix, &out->at, e);
	parse_note(c, v, prefix, out, e);
	json_val *dimensions = json_get(v, STR("dimensions"));
	if (dimensions && json_type_of(dimensions) != JSON_NULL) {
		struct err *fault = kpi_dimensions_parse(c->arena, dimensions, &out->dimensions);
		if (fault)
			err_add_field(c->arena, e, prefixed(c->arena, prefix, "dimensions"), "%.*s",
				STR_ARG(fault->message));
	}
}
