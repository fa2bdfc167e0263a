/*
 * Growing byte buffers with a maximum, on the heap or on an arena. Appending past the maximum sets a sticky flag instead of failing each
 * call; the owner asks once at the end (buf_is_over) and answers with an error that names the limit.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

struct buf {
	char *p;
	size_t len, cap, max;
	bool over;
	struct arena *arena; /* NULL: on the heap */
};

/* On the heap; free with buf_done. */
void buf_init(struct buf *b, size_t max);
/* On an arena: outgrown blocks stay until the arena is reset, unless they could grow in place. */
void buf_init_arena(struct buf *b, struct arena *a, size_t max);
void buf_done(struct buf *b);
void buf_clear(struct buf *b);
char *buf_reserve_slowly(struct buf *b, size_t n);
/* Room for n more bytes, or NULL (and over set); the caller then adds to len what it wrote. */
static inline char *
buf_reserve(struct buf *b, size_t n)
{
	/* One byte stays spare, for the terminator that printf writes; it also keeps an empty buffer out of this path. */
	return b->cap - b->len > n && !b->over ? b->p + b->len : buf_reserve_slowly(b, n);
}

static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_reserve(b, n);

	if (to && n) {
		memcpy(to, p, n);
		b->len += n;
	}
}

static inline void
buf_add_byte(struct buf *b, char c)
{
	char *to = buf_reserve(b, 1);

	if (to) {
		*to = c;
		b->len++;
	}
}

static inline void
buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

#define buf_add_lit(b, literal) buf_add((b), (literal), sizeof(literal) - 1)
void buf_add_int(struct buf *b, int64_t v);
/* Writes the decimal digits of v backwards, ending before end; the room must be INT_DIGITS_MAX bytes. The first digit's place. */
#define INT_DIGITS_MAX 20
char *int_digits(uint64_t v, char *end);
void buf_add_fmt(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; s must be valid UTF-8. It stands here because the log writes JSON too. */
void buf_add_json_string(struct buf *b, struct str s);
/* Text of HTML and XML, in elements and in quoted attributes: & < > " and ' as references. */
void buf_add_markup(struct buf *b, struct str s);
static inline bool
buf_is_over(const struct buf *b)
{
	return b->over;
}
struct str buf_str(const struct buf *b);

#endif
