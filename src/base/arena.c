/*
 * Arenas as a list of blocks, newest first. Small allocations are cut from the newest block; a large one gets a block of its own, put
 * beneath the newest so that the rest of that one stays in use. Large blocks come from calloc, whose fresh pages are zero without being
 * touched. The arena itself lies in front of its first block, which survives a reset.
 */
#include "base/arena.h"
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#define RED_ZONE       16 /* poisoned bytes behind each allocation */
#else
#define poison(p, n)   ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#define RED_ZONE       0
#endif

#define ALIGNMENT	 16u
#define FIRST_BLOCK	 (16u << 10) /* bytes; most requests need no more */
#define LARGEST_BLOCK	 (1u << 20)
#define LARGE_ALLOCATION (64u << 10) /* from here on a block of its own */
#define HARD_FACTOR	 4	     /* times the cap: the process stops */

/* The head of a block; its bytes follow it. */
struct block {
	alignas(ALIGNMENT) struct block *older;
	size_t cap, used; /* bytes behind this head */
	size_t birth;	  /* the arena's total when the block was made */
	bool large;
};

struct arena {
	struct block *newest;
	size_t cap, total;
	bool over;
	struct block first; /* last, because its bytes follow it */
};

static char *
bytes_of(struct block *b)
{
	return (char *)(b + 1);
}

struct arena *
arena_new(size_t cap)
{
	struct arena *a = malloc(FIRST_BLOCK);

	check(a);
	*a = (struct arena){ .newest = &a->first, .cap = cap, .first = { .cap = FIRST_BLOCK - sizeof(*a) } };
	poison(bytes_of(&a->first), a->first.cap);
	return a;
}

/* Frees the blocks above keep. */
static void
free_until(struct arena *a, struct block *keep)
{
	while (a->newest != keep) {
		struct block *older = a->newest->older;

		unpoison(bytes_of(a->newest), a->newest->cap);
		free(a->newest);
		a->newest = older;
	}
}

/* Frees the large blocks that were put beneath the newest one since the total was birth. */
static void
free_large_since(struct arena *a, size_t birth)
{
	struct block **link = &a->newest->older;

	while (*link && (*link)->large && (*link)->birth >= birth) {
		struct block *gone = *link;

		*link = gone->older;
		free(gone);
	}
}

void
arena_reset(struct arena *a)
{
	arena_release(a, (struct arena_mark){ .block = &a->first });
	a->over = false;
}

void
arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	unpoison(bytes_of(&a->first), a->first.cap);
	free(a);
}

size_t
arena_used(const struct arena *a)
{
	return a->total;
}

bool
arena_is_over(const struct arena *a)
{
	return a->over;
}

static void
count_bytes(struct arena *a, size_t size)
{
	a->total += size;
	if (__builtin_expect(a->total > a->cap, 0)) {
		a->over = true;
		check(a->total / HARD_FACTOR <= a->cap);
	}
}

static void *
large_alloc(struct arena *a, size_t size)
{
	struct block *b;

	check(size <= SIZE_MAX / 2);
	b = calloc(1, sizeof(*b) + size);
	check(b);
	b->cap = b->used = size;
	b->birth = a->total;
	b->large = true;
	b->older = a->newest->older;
	a->newest->older = b;
	count_bytes(a, size);
	return bytes_of(b);
}

static void
add_block(struct arena *a)
{
	size_t cap = a->newest->cap * 2;

	if (cap < FIRST_BLOCK * 2)
		cap = FIRST_BLOCK * 2;
	if (cap < LARGE_ALLOCATION * 2)
		cap = LARGE_ALLOCATION * 2;
	if (cap > LARGEST_BLOCK)
		cap = LARGEST_BLOCK;
	struct block *b = malloc(sizeof(*b) + cap);
	check(b);
	*b = (struct block){ .older = a->newest, .cap = cap, .birth = a->total };
	poison(bytes_of(b), cap);
	a->newest = b;
}

static size_t
rounded(size_t size)
{
	return ((size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1)) + RED_ZONE;
}

/* Memory whose bytes are not set yet. */
static char *
small_alloc(struct arena *a, size_t size)
{
	size_t need = rounded(size ? size : 1);

	if (__builtin_expect(a->newest->cap - a->newest->used < need, 0))
		add_block(a);
	char *p = bytes_of(a->newest) + a->newest->used;
	a->newest->used += need;
	count_bytes(a, need);
	unpoison(p, size);
	return p;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	if (size >= LARGE_ALLOCATION)
		return large_alloc(a, size);
	return memset(small_alloc(a, size), 0, size);
}

void *
arena_alloc_array(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	check(!__builtin_mul_overflow(count, size, &bytes));
	return arena_alloc(a, bytes);
}

static struct block **
find_large(struct arena *a, const void *p)
{
	struct block **link = &a->newest;

	while (*link && bytes_of(*link) != (const char *)p)
		link = &(*link)->older;
	check(*link && (*link)->large);
	return link;
}

static void *
large_grow(struct arena *a, void *p, size_t old_size, size_t size)
{
	struct block **link = find_large(a, p), *b;

	check(size <= SIZE_MAX / 2);
	b = realloc(*link, sizeof(*b) + size);
	check(b);
	*link = b;
	b->cap = b->used = size;
	count_bytes(a, size - old_size);
	return bytes_of(b);
}

void *
arena_grow(struct arena *a, void *p, size_t old_size, size_t size)
{
	struct block *b = a->newest;

	check(size >= old_size);
	if (old_size >= LARGE_ALLOCATION)
		return large_grow(a, p, old_size, size);
	if (old_size && size < LARGE_ALLOCATION) {
		size_t had = rounded(old_size), need = rounded(size);

		if ((char *)p + had == bytes_of(b) + b->used && b->cap - b->used >= need - had) {
			b->used += need - had;
			count_bytes(a, need - had);
			unpoison(p, size);
			return p;
		}
	}
	void *moved = size >= LARGE_ALLOCATION ? large_alloc(a, size) : small_alloc(a, size);
	if (old_size) {
		memcpy(moved, p, old_size);
		poison(p, old_size);
	}
	return moved;
}

struct str
arena_str(struct arena *a, struct str s)
{
	char *p = s.n >= LARGE_ALLOCATION ? large_alloc(a, s.n) : small_alloc(a, s.n);

	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

const char *
arena_cstr(struct arena *a, struct str s)
{
	check(s.n == 0 || !memchr(s.p, '\0', s.n));
	char *p = s.n + 1 >= LARGE_ALLOCATION ? large_alloc(a, s.n + 1) : small_alloc(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct str
arena_fmt(struct arena *a, const char *format, ...)
{
	va_list args;
	struct str s;

	va_start(args, format);
	s = arena_vfmt(a, format, args);
	va_end(args);
	return s;
}

struct str
arena_vfmt(struct arena *a, const char *format, va_list args)
{
	char small[256];
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(small, sizeof(small), format, args);
	check(n >= 0);
	char *p = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof(small))
		memcpy(p, small, (size_t)n + 1);
	else
		check(vsnprintf(p, (size_t)n + 1, format, again) == n);
	va_end(again);
	return (struct str){ p, (size_t)n };
}

struct arena_mark
arena_mark(struct arena *a)
{
	return (struct arena_mark){ a->newest, a->newest->used, a->total };
}

void
arena_release(struct arena *a, struct arena_mark m)
{
	free_until(a, m.block);
	free_large_since(a, m.total);
	poison(bytes_of(a->newest) + m.used, a->newest->cap - m.used);
	a->newest->used = m.used;
	a->total = m.total;
}
