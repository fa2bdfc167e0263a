/*
 * One value from JSON or from text (query parameters, presets, forms) into a record's member. The messages are those of Django REST
 * Framework, which clients of these contracts match on; every dialect derives its own answer from them. Text is kept exactly as it was
 * sent or refused.
 */
#include "resource/engine.h"

#define WRONG_DATE "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
#define WRONG_DATETIME                                                  \
	"Datetime has wrong format. Use one of these formats instead: " \
	"YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
#define WRONG_INTEGER "A valid integer is required."
#define WRONG_NUMBER  "A valid number is required."
#define WRONG_BOOLEAN "Must be a valid boolean."
#define WRONG_TEXT    "Not a valid string."
#define WRONG_ID      "Enter 1 to 64 letters, digits or \".\", \"_\", \"-\", \":\", not beginning with \".\"."

#define QUOTED_BYTES 100 /* of a client's value in a message */

/* The value for a message, cut between characters. */
static struct str
quotable(struct str s)
{
	size_t n = s.n < QUOTED_BYTES ? s.n : QUOTED_BYTES;
	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}

static const char *
bad_choice(struct arena *a, struct str text)
{
	return arena_fmt(a, "\"%.*s\" is not a valid choice.", STR_ARG(quotable(text))).p;
}

static const char *
bad_pk(struct arena *a, struct str text)
{
	return arena_fmt(a, "Invalid pk \"%.*s\" - object does not exist.", STR_ARG(quotable(text))).p;
}

bool
res_text_id_is_valid(struct str id)
{
	if (id.n == 0 || id.n > LIMIT_ID_CHARS || id.p[0] == '.')
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char ch = id.p[i];
		bool letter =
			(ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
		if (!letter && !strchr("._-:", ch))
			return false;
	}
	return true;
}

static bool
is_blank(struct str s)
{
	return str_trim(s).n == 0;
}

static const char *
text_parse(const struct res_ctx *c, const struct res_field *f, struct str text, struct str *at)
{
	if (memchr(text.p ? text.p : "", '\0', text.n))
		return "Null characters are not allowed.";
	if (f->ref && !res_text_id_is_valid(text))
		return is_blank(text) ? "This field may not be blank." : bad_pk(c->arena, text);
	if (!(f->flags & RF_BLANK) && is_blank(text))
		return "This field may not be blank.";
	size_t max = f->max ? (size_t)f->max : LIMIT_NAME_CHARS;
	size_t chars = text.n <= max && f->min <= 1 ? text.n : str_utf8_len(text);
	if (chars > max)
		return arena_fmt(c->arena, "Ensure this field has no more than %zu characters.", max).p;
	if (f->min > 0 && chars < (size_t)f->min)
		return arena_fmt(c->arena, "Ensure this field has at least %d characters.", f->min).p;
	if (strcmp(f->column, "id") == 0 && !res_text_id_is_valid(text))
		return WRONG_ID;
	*at = text;
	return NULL;
}

static const char *
int_check(const struct res_ctx *c, const struct res_field *f, int64_t v, int64_t *at)
{
	bool ranged = f->min != 0 || f->max != 0;
	if (ranged && v < f->min)
		return arena_fmt(c->arena, "Ensure this value is greater than or equal to %d.", f->min).p;
	if (ranged && v > f->max)
		return arena_fmt(c->arena, "Ensure this value is less than or equal to %d.", f->max).p;
	*at = v;
	return NULL;
}

static const char *
number_parse(const struct res_ctx *c, struct str text, int decimals, struct decimal *out)
{
	struct decimal d;
	switch (decimal_parse(text, &d)) {
	case DECIMAL_OK:
		break;
	case DECIMAL_NOT_A_NUMBER:
		return WRONG_NUMBER;
	case DECIMAL_TOO_LARGE:
		return "Ensure that there are no more than 18 digits in total.";
	case DECIMAL_TOO_PRECISE:
		decimals = decimals < 0 ? DECIMAL_SCALE_MAX : decimals;
		d.scale = decimals + 1;
		break;
	}
	if (decimals >= 0 && d.scale > decimals)
		return arena_fmt(c->arena, "Ensure that there are no more than %d decimal places.", decimals)
			.p;
	*out = d;
	return NULL;
}

static const char *
money_parse(const struct res_ctx *c, const struct res_field *f, struct str text, struct money *at)
{
	int decimals = res_money_decimals(c);
	struct decimal d;
	const char *fault = number_parse(c, text, f->max > 0 && f->max < decimals ? f->max : decimals, &d);
	if (fault)
		return fault;
	if (decimal_rescale(d, decimals, false, &d) != DECIMAL_OK)
		return "Ensure that there are no more than 18 digits in total.";
	at->minor = d.coef;
	return NULL;
}

static const char *
ref_parse(const struct res_ctx *c, struct str text, int64_t *at)
{
	size_t digits = 0;
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	if (text.n == 0 || digits < text.n)
		return "Incorrect type. Expected pk value, received str.";
	return str_to_int(text, at) ? NULL : bad_pk(c->arena, text);
}

static const char *
enum_parse(const struct res_ctx *c, const struct res_field *f, struct str text, int *at)
{
	for (int i = 0; f->names[i]; i++)
		if (str_eq_nocase(text, str_from_cstr(f->names[i]))) {
			*at = i;
			return NULL;
		}
	return bad_choice(c->arena, text);
}

static const char *
bool_parse(struct str text, bool *at)
{
	bool yes = str_eq_nocase(text, STR("true")) || str_eq(text, STR("1"));
	if (!yes && !str_eq_nocase(text, STR("false")) && !str_eq(text, STR("0")))
		return WRONG_BOOLEAN;
	*at = yes;
	return NULL;
}

static const char *
json_text_parse(const struct res_ctx *c, struct str text, struct str *at)
{
	json_val *v;
	if (json_parse(c->arena, text, &v))
		return "Value must be valid JSON.";
	*at = text;
	return NULL;
}

const char *
res_value_parse_text(const struct res_ctx *c, const struct res_field *f, struct str text, void *at)
{
	switch (f->kind) {
	case RES_TEXT:
		return text_parse(c, f, text, at);
	case RES_INT: {
		int64_t v;
		return str_to_int(text, &v) ? int_check(c, f, v, at) : WRONG_INTEGER;
	}
	case RES_BOOL:
		return bool_parse(text, at);
	case RES_DECIMAL:
		return number_parse(c, text, f->max > 0 ? f->max : -1, at);
	case RES_MONEY:
		return money_parse(c, f, text, at);
	case RES_DATE:
		return date_parse(text, at) ? NULL : WRONG_DATE;
	case RES_INSTANT:
		return instant_parse(text, c->actor->zone, at) ? NULL : WRONG_DATETIME;
	case RES_ENUM:
		return enum_parse(c, f, text, at);
	case RES_REF:
		return ref_parse(c, text, at);
	case RES_JSON:
		return json_text_parse(c, text, at);
	}
	check(!"a kind");
	return NULL;
}

/* A value of a type that its kind can't be read from. */
static const char *
wrong_type(const struct res_ctx *c, const struct res_field *f, const json_val *v)
{
	switch (f->kind) {
	case RES_TEXT:
		return WRONG_TEXT;
	case RES_INT:
		return WRONG_INTEGER;
	case RES_BOOL:
		return WRONG_BOOLEAN;
	case RES_DECIMAL:
	case RES_MONEY:
		return WRONG_NUMBER;
	case RES_DATE:
		return WRONG_DATE;
	case RES_INSTANT:
		return WRONG_DATETIME;
	case RES_REF:
		return arena_fmt(
			c->arena, "Incorrect type. Expected pk value, received %s.", json_type_word(v))
			.p;
	case RES_ENUM:
	case RES_JSON:
		break;
	}
	struct buf b;
	buf_init_arena(&b, c->arena, LIMIT_BODY_BYTES);
	json_write_val(&b, v);
	return bad_choice(c->arena, buf_str(&b));
}

static const char *
json_value_parse(const struct res_ctx *c, const struct res_field *f, const json_val *v, struct str *at)
{
	size_t max = f->max ? (size_t)f->max : LIMIT_TEXT_BYTES;
	struct buf b;
	buf_init_arena(&b, c->arena, max);
	json_write_val(&b, v);
	if (b.over)
		return arena_fmt(c->arena, "Ensure this field has no more than %zu bytes of JSON.", max).p;
	*at = buf_str(&b);
	return NULL;
}

static const char *
number_value_parse(const struct res_ctx *c, const struct res_field *f, const json_val *v, void *at)
{
	int64_t i;
	switch (f->kind) {
	case RES_INT:
		return json_int(v, &i) ? int_check(c, f, i, at) : WRONG_INTEGER;
	case RES_REF:
		if (!json_int(v, &i))
			return bad_pk(c->arena, json_number(v));
		*(int64_t *)at = i;
		return NULL;
	case RES_BOOL:
	case RES_DECIMAL:
	case RES_MONEY:
	case RES_ENUM:
		return res_value_parse_text(c, f, json_number(v), at);
	case RES_TEXT:
	case RES_DATE:
	case RES_INSTANT:
	case RES_JSON:
		break;
	}
	return wrong_type(c, f, v);
}

const char *
res_value_parse(const struct res_ctx *c, const struct res_field *f, const json_val *v, void *at)
{
	if (f->kind == RES_JSON)
		return json_value_parse(c, f, v, at);
	switch (json_type_of(v)) {
	case JSON_STRING:
		return res_value_parse_text(c, f, json_string(v), at);
	case JSON_NUMBER:
		return number_value_parse(c, f, v, at);
	case JSON_BOOL:
		if (f->kind != RES_BOOL)
			return wrong_type(c, f, v);
		*(bool *)at = json_bool(v);
		return NULL;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return wrong_type(c, f, v);
}
