/*
 * Arenas: memory with one lifetime, freed at once. The house has four lifetimes: process, connection, request and scratch; the arena
 * parameter of a function says where its result lives. Allocation never returns NULL.
 *
 * An arena has a cap. Memory of a request follows from its input, whose size is limited, so reaching the cap means a limit is wrong:
 * the arena then remembers it (arena_is_over), the places that loop over input or rows turn that into ERR_TOO_LARGE, and at four times
 * the cap the process stops. Freed and unused memory is poisoned under AddressSanitizer.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/check.h"
#include "base/str.h"
#include <stdarg.h>

struct arena;

/* A new arena that may hold about cap bytes. Its first block comes with it, so a small request costs one malloc. */
struct arena *arena_new(size_t cap);
void arena_free(struct arena *a);
/* Forgets everything; keeps the first block for reuse. */
void arena_reset(struct arena *a);
/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);
bool arena_is_over(const struct arena *a);

/* Zeroed memory, aligned for any type. size may be 0. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));
/* Zeroed array; stops the process when count * size overflows. */
void *arena_alloc_array(struct arena *a, size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/*
 * The allocation p of old_size bytes, enlarged to size and perhaps moved; the added bytes are not zeroed. In place when p was the last
 * one. p may be NULL when old_size is 0.
 */
void *arena_grow(struct arena *a, void *p, size_t old_size, size_t size) __attribute__((returns_nonnull));
#define arena_new_of(a, type) ((type *)arena_alloc((a), sizeof(type)))

struct str arena_str(struct arena *a, struct str s);
/* NUL-terminated copy for a library's edge; s must not contain NUL (check). */
const char *arena_cstr(struct arena *a, struct str s);
/* printf into the arena; the result is NUL-terminated behind its length. */
struct str arena_fmt(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str arena_vfmt(struct arena *a, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* A mark to give scratch memory back: everything allocated since is forgotten. */
struct arena_mark {
	void *block;
	size_t used;
	size_t total;
};
struct arena_mark arena_mark(struct arena *a);
void arena_release(struct arena *a, struct arena_mark m);

#endif
