/*
 * Slices: the house's strings. A slice borrows its bytes (arena, literal, buffer, library) and carries their length, so a NUL inside
 * is visible and nothing is truncated silently. NUL-terminated copies are made only at the edge of a library (arena_cstr).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p; /* may be NULL only when n is 0 */
	size_t n;      /* bytes */
};

#define STR(literal)        ((struct str) { (literal), sizeof(literal) - 1 })
#define STR_INIT(literal)   { (literal), sizeof(literal) - 1 }
#define STR_ARG(s)          (int)(s).n, (s).p /* for "%.*s" */

static inline struct str
str_from_cstr(const char *z)
{
	return (struct str) { z, z ? strlen(z) : 0 };
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_is_empty(struct str s)
{
	return s.n == 0;
}

/* ASCII case-insensitive equality. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
/* Byte order, shorter first on a common prefix; like memcmp: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
/* The part [from, from + len), cut to what is there. */
struct str str_sub(struct str s, size_t from, size_t len);
/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);
/* Index of the first byte c at or after from; s.n when there is none. */
size_t str_index(struct str s, char c, size_t from);
/* Splits off the part before the first separator: *head gets it, *rest what follows; false when rest was exhausted (rest->p NULL). */
bool str_split(struct str *rest, char separator, struct str *head);
/* Decimal integer with optional sign, whole slice, no white space, within int64; false otherwise and *out untouched. */
bool str_to_int(struct str s, int64_t *out);
/* Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). NUL is valid here; refuse it where a text is stored. */
bool str_is_utf8(struct str s);
/* Bytes of the longest part at the start that is valid UTF-8. */
size_t str_utf8_prefix(struct str s);
/* Number of code points of valid UTF-8. */
size_t str_utf8_len(struct str s);
/* Stable 64-bit hash (FNV-1a), for tables in memory only, never for secrets. */
uint64_t str_hash(struct str s);
/* Equal content compared in time that depends on the lengths only. */
bool str_eq_secret(struct str a, struct str b);

#endif
