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
/* On an arena: outgrown blocks stay until the arena is reset. */
void buf_init_arena(struct buf *b, struct arena *a, size_t max);
void buf_done(struct buf *b);
void buf_clear(struct buf *b);
/* Room for n more bytes, or NULL (and over set); the caller then adds to len what it wrote. */
char *buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_byte(struct buf *b, char c);
void buf_add_str(struct buf *b, struct str s);
#define buf_add_lit(b, literal) buf_add((b), (literal), sizeof(literal) - 1)
void buf_add_int(struct buf *b, int64_t v);
void buf_add_fmt(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str buf_str(const struct buf *b);

#endif
