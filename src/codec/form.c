/*
 * Names and values of query strings and urlencoded bodies (the WHATWG URL standard's application/x-www-form-urlencoded), stricter than
 * browsers where guessing would hide an error: a broken escape, bytes that are not UTF-8 and NUL are told, not replaced.
 */
#include "codec/form.h"
#include "codec/json.h"

enum decode_fault { DECODE_OK, DECODE_ESCAPE, DECODE_UTF8, DECODE_NUL };

static const char *const fault_texts[] = {
	[DECODE_ESCAPE] = "Not a valid percent-encoding.",
	[DECODE_UTF8] = "Not a valid string.",
	[DECODE_NUL] = "Null characters are not allowed.",
};

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes s; a plus is a blank when plus_is_blank. What has nothing to decode is borrowed, not copied. */
static enum decode_fault
decode(struct arena *a, struct str s, bool plus_is_blank, struct str *out)
{
	if (str_index(s, '%', 0) < s.n || (plus_is_blank && str_index(s, '+', 0) < s.n)) {
		char *text = arena_alloc(a, s.n), *to = text;

		for (size_t i = 0; i < s.n; i++) {
			int high, low;

			if (s.p[i] != '%') {
				*to++ = s.p[i] == '+' && plus_is_blank ? ' ' : s.p[i];
				continue;
			}
			if (s.n - i < 3 || (high = hex_value(s.p[i + 1])) < 0 ||
				(low = hex_value(s.p[i + 2])) < 0)
				return DECODE_ESCAPE;
			*to++ = (char)(high << 4 | low);
			i += 2;
		}
		s = (struct str){ text, (size_t)(to - text) };
	}
	if (!str_is_utf8(s))
		return DECODE_UTF8;
	if (str_index(s, '\0', 0) < s.n)
		return DECODE_NUL;
	*out = s;
	return DECODE_OK;
}

static struct err *
fault_of(struct arena *a, struct str name, enum decode_fault fault)
{
	struct err *e = NULL;

	err_add_field(a, &e, name, "%s", fault_texts[fault]);
	return e;
}

static struct err *
parse_pair(struct arena *a, struct str text, struct form_pair *out)
{
	size_t at = str_index(text, '=', 0);
	enum decode_fault fault = decode(a, str_sub(text, 0, at), true, &out->name);

	/* A name that can't be read can't be told either. */
	if (fault != DECODE_OK)
		return fault_of(a, STR("query"), fault);
	fault = decode(a, str_sub(text, at + 1, text.n), true, &out->value);
	return fault == DECODE_OK ? NULL : fault_of(a, out->name, fault);
}

/* Upper bound of the pairs of a text. */
static size_t
count_pieces(struct str text)
{
	size_t count = text.n > 0;

	for (size_t i = str_index(text, '&', 0); i < text.n; i = str_index(text, '&', i + 1))
		count++;
	return count;
}

struct err *
form_parse(struct arena *a, struct str text, size_t max_pairs, struct form *out)
{
	size_t pieces = count_pieces(text);
	struct form f = { arena_alloc_array(a, pieces < max_pairs ? pieces : max_pairs, sizeof(*f.pairs)),
		0 };
	struct str piece;

	while (str_split(&text, '&', &piece)) {
		if (piece.n == 0)
			continue;
		if (f.count == max_pairs)
			return err_new(a, ERR_INVALID_INPUT, "More than %zu parameters.", max_pairs);
		TRY(parse_pair(a, piece, &f.pairs[f.count]));
		f.count++;
	}
	*out = f;
	return NULL;
}

struct str
form_get(const struct form *f, struct str name)
{
	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->pairs[i].name, name))
			return f->pairs[i].value;
	return (struct str){ NULL, 0 };
}

struct str
form_to_json(struct arena *a, const struct form *f)
{
	struct json_out o;
	struct buf b;
	size_t bytes = 2;

	for (size_t i = 0; i < f->count; i++)
		bytes += 6 * (f->pairs[i].name.n + f->pairs[i].value.n) +
			 6; /* \u00XX for each byte, quotes, colon, comma */
	buf_init_arena(&b, a, bytes);
	json_out_init(&o, &b);
	json_begin_object(&o);
	for (size_t i = 0; i < f->count; i++) {
		const struct form_pair *pair = &f->pairs[i];

		if (form_get(f, pair->name).p != pair->value.p)
			continue;
		json_key_escaped(&o, pair->name);
		json_put_str(&o, pair->value);
	}
	json_end_object(&o);
	check(!buf_is_over(&b));
	return buf_str(&b);
}

void
form_escape(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i], lower = c | 0x20;

		if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
			c == '_' || c == '~')
			buf_add_byte(b, (char)c);
		else
			buf_add(b, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
	}
}

bool
form_unescape_segment(struct arena *a, struct str s, struct str *out)
{
	return decode(a, s, false, out) == DECODE_OK;
}
