/*
 * JSON in and out. Reading builds yyjson's tree on the request's arena, with numbers kept as their literal text so that money and
 * decimals never pass through a double. Writing streams into a buffer: no tree is built for an answer.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/decimal.h"
#include "base/err.h"

/* A value of a parsed document; lives as long as the arena. NULL means absent. */
typedef struct yyjson_val json_val;

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/*
 * Strict RFC 8259: UTF-8 only, no NaN, no comments, no trailing comma, nothing behind the value, depth at most LIMIT_JSON_DEPTH; a
 * repeated key keeps its last value; lone surrogate escapes are refused. ERR_MALFORMED with "JSON parse error - …" and the byte offset.
 */
struct err *json_parse(struct arena *a, struct str text, json_val **out) MUST_USE;

enum json_type json_type_of(const json_val *v);
/* "dict", "list", "str", … as Django REST Framework names them in its messages. */
const char *json_type_word(const json_val *v);
bool json_bool(const json_val *v);         /* v is a JSON_BOOL */
struct str json_string(const json_val *v); /* v is a JSON_STRING; may contain NUL */
struct str json_number(const json_val *v); /* literal text of a JSON_NUMBER */
/* Integer literal within int64 ("5", "-3", also "5.0" and "5e2" when integral); false otherwise. */
bool json_int(const json_val *v, int64_t *out) MUST_USE;
json_val *json_get(const json_val *object, struct str key); /* NULL when absent or not an object */
/* "a.b" walks into nested objects. */
json_val *json_get_path(const json_val *object, struct str path);
size_t json_count(const json_val *v); /* elements of an array, members of an object */

struct json_iter {
	const json_val *container;
	json_val *next;
	size_t index, count;
};
struct json_iter json_iter(const json_val *array_or_object);
/* Next element, or member (then *key is set; key may be NULL). False at the end. */
bool json_next(struct json_iter *it, struct str *key, json_val **v);
/* Compact text of a value, numbers as they were written. */
void json_write_val(struct buf *b, const json_val *v);

/* The writer. Commas and nesting are kept by it; keys are written as they are given (they are ours). */
struct json_out {
	struct buf *b;
	uint32_t depth;
	bool comma;      /* the next element needs one before it */
};
void json_out_init(struct json_out *o, struct buf *b);
void json_begin_object(struct json_out *o);
void json_end_object(struct json_out *o);
void json_begin_array(struct json_out *o);
void json_end_array(struct json_out *o);
/* Inline, because almost all keys are literals, whose length the compiler then knows. */
static inline void
json_key(struct json_out *o, struct str key)
{
	char *to = buf_reserve(o->b, key.n + 4);
	size_t n = 0;

	if (!to)
		return;
	if (o->comma)
		to[n++] = ',';
	to[n++] = '"';
	memcpy(to + n, key.p, key.n);
	n += key.n;
	to[n++] = '"';
	to[n++] = ':';
	o->b->len += n;
	o->comma = false;
}
void json_key_escaped(struct json_out *o, struct str key); /* a key that came from outside; valid UTF-8 */
void json_put_str(struct json_out *o, struct str s); /* escapes; s must be valid UTF-8 */
void json_put_int(struct json_out *o, int64_t v);
void json_put_bool(struct json_out *o, bool v);
void json_put_null(struct json_out *o);
void json_put_double(struct json_out *o, double v); /* shortest text that reads back the same; null when not finite */
void json_put_decimal(struct json_out *o, struct decimal d, bool short_form); /* as a number */
void json_put_raw(struct json_out *o, struct str json); /* a finished JSON text */
/* key and value in one call */
#define json_pair_str(o, key, v)  (json_key((o), STR(key)), json_put_str((o), (v)))
#define json_pair_int(o, key, v)  (json_key((o), STR(key)), json_put_int((o), (v)))
#define json_pair_bool(o, key, v) (json_key((o), STR(key)), json_put_bool((o), (v)))
#define json_pair_null(o, key)    (json_key((o), STR(key)), json_put_null(o))

#endif
