/* Query strings, urlencoded forms and multipart bodies ↔ lists of named texts. Pure; limits are the caller's parameters. */
#ifndef CODEC_FORM_H
#define CODEC_FORM_H

#include "base/err.h"
#include "base/buf.h"

struct form_pair {
	struct str name, value; /* decoded; valid UTF-8 without NUL */
};
struct form {
	struct form_pair *pairs;
	size_t count;
};

/* "a=1&b=%20x+y"; texts without escapes borrow from the input. INVALID_INPUT naming the parameter: bad escape, invalid UTF-8, NUL; INVALID_INPUT: more than max_pairs. */
struct err *form_parse(struct arena *a, struct str text, size_t max_pairs, struct form *out) MUST_USE;
/* First value of a name; p NULL when absent (an empty value has p not NULL). */
struct str form_get(const struct form *f, struct str name);
/* The form as a JSON object text of strings, first values, for handlers that take JSON and form bodies alike. */
struct str form_to_json(struct arena *a, const struct form *f);
/* Percent-encodes everything but unreserved characters. */
void form_escape(struct buf *b, struct str s);
/* Percent-decodes a path segment ("+" stays). False: bad escape, invalid UTF-8 or NUL. */
bool form_unescape_segment(struct arena *a, struct str s, struct str *out) MUST_USE;

struct form_part {
	struct str name, file_name, content_type; /* file_name.p NULL for a plain field */
	struct str body;                          /* borrows from the input */
};
/*
 * multipart/form-data (RFC 7578) held in memory; content_type is the header's value with its boundary. MALFORMED on a broken body,
 * INVALID_INPUT: more than max_parts. A file name comes without folders.
 */
struct err *multipart_parse(struct arena *a, struct str content_type, struct str body, size_t max_parts,
	struct form_part **out, size_t *count) MUST_USE;

#endif
