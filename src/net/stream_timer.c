/* What is due next in a loop: a binary heap of its streams, each of which knows its place. */
#include "net/stream_internal.h"
#include <stdlib.h>

static void
put(struct stream_loop *l, size_t at, struct stream *s)
{
	l->heap[at] = s;
	s->timer_index = at + 1;
}

static void
move_up(struct stream_loop *l, size_t at)
{
	struct stream *s = l->heap[at];

	while (at > 0 && l->heap[(at - 1) / 2]->due_ms > s->due_ms) {
		put(l, at, l->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(l, at, s);
}

static void
move_down(struct stream_loop *l, size_t at)
{
	struct stream *s = l->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= l->heap_count)
			break;
		if (child + 1 < l->heap_count && l->heap[child + 1]->due_ms < l->heap[child]->due_ms)
			child++;
		if (l->heap[child]->due_ms >= s->due_ms)
			break;
		put(l, at, l->heap[child]);
		at = child;
	}
	put(l, at, s);
}

static void
take_out(struct stream_loop *l, struct stream *s)
{
	size_t at = s->timer_index - 1;
	struct stream *last = l->heap[--l->heap_count];

	s->timer_index = 0;
	if (last == s)
		return;
	put(l, at, last);
	move_up(l, at);
	move_down(l, last->timer_index - 1);
}

static void
grow(struct stream_loop *l)
{
	size_t cap = l->heap_cap ? l->heap_cap * 2 : 64;
	struct stream **heap = realloc(l->heap, cap * sizeof(*heap));

	check(heap);
	l->heap = heap;
	l->heap_cap = cap;
}

void
stream_timer_set(struct stream_loop *l, struct stream *s, int64_t due_ms)
{
	if (s->timer_index && due_ms == s->due_ms)
		return;
	if (due_ms == INT64_MAX) {
		if (s->timer_index)
			take_out(l, s);
		return;
	}
	s->due_ms = due_ms;
	if (!s->timer_index) {
		if (l->heap_count == l->heap_cap)
			grow(l);
		l->heap[l->heap_count] = s;
		s->timer_index = ++l->heap_count;
	}
	move_up(l, s->timer_index - 1);
	move_down(l, s->timer_index - 1);
}
