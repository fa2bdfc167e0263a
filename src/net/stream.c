/*
 * A stream as other threads see it: its queue, its end and its deadline. Everything here happens under the stream's lock and ends with the
 * stream on its loop's list; the loop does the rest. A queue holds counted messages, never copies, and is given back when it is empty.
 */
#include "net/stream_internal.h"
#include <stdlib.h>

#define QUEUE_CAP_MIN	    8
#define PING_MS		    25000
#define MESSAGE_BYTES_MAX   65536
#define QUEUE_BYTES_MAX	    (256u << 10)
#define MESSAGE_MS	    30000 /* from a message's first byte to its last */
#define DEFAULT(given, own) ((given) ? (given) : (own))

static uint32_t
as_u32(size_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

struct stream *
stream_new(struct stream_hub *h, const struct stream_options *o)
{
	struct stream *s = calloc(1, sizeof(*s));
	unsigned turn;

	check(s);
	turn = atomic_fetch_add_explicit(&h->next, 1, memory_order_relaxed);
	s->loop = &h->loops[turn % (unsigned)h->count];
	/* Counted before the flag is read, as stream_hub_stop sets the flag before it reads the counter. */
	atomic_fetch_add(&s->loop->count, 1);
	if (atomic_load(&h->stopped)) {
		atomic_fetch_sub(&s->loop->count, 1);
		stream_loop_wake(s->loop);
		free(s);
		return NULL;
	}
	check(pthread_mutex_init(&s->lock, NULL) == 0);
	s->kind = (uint8_t)o->kind;
	s->handlers = o->handlers;
	s->arg = o->arg;
	s->socket.fd = -1;
	s->ping_ms = DEFAULT(o->ping_ms, PING_MS);
	s->message_ms = DEFAULT(o->message_ms, MESSAGE_MS);
	s->message_bytes_max = as_u32(DEFAULT(o->message_bytes_max, MESSAGE_BYTES_MAX));
	s->queue_bytes_max = as_u32(DEFAULT(o->queue_bytes_max, QUEUE_BYTES_MAX));
	s->due_ms = s->message_due_ms = s->close_due_ms = s->deadline_due_ms = INT64_MAX;
	atomic_init(&s->refs, 1); /* the loop's, until the stream has ended */
	return s;
}

void
stream_hold(struct stream *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}

void
stream_drop(struct stream *s)
{
	if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void *
stream_arg(struct stream *s)
{
	return s->arg;
}

void
stream_list(struct stream *s)
{
	struct stream_loop *l = s->loop;
	bool wake;

	if (s->listed || s->state == STATE_ENDED)
		return;
	s->listed = true;
	stream_hold(s);
	pthread_mutex_lock(&l->lock);
	s->next_listed = l->listed;
	l->listed = s;
	wake = !l->woken;
	l->woken = true;
	pthread_mutex_unlock(&l->lock);
	if (wake)
		stream_loop_wake(l);
}

static void
grow_queue(struct stream *s)
{
	uint32_t cap = s->queue_cap ? s->queue_cap * 2 : QUEUE_CAP_MIN;
	struct stream_message **queue = malloc(cap * sizeof(struct stream_message *));

	check(queue);
	for (uint32_t i = 0; i < s->queue_count; i++)
		queue[i] = s->queue[(s->queue_head + i) & (s->queue_cap - 1)];
	free(s->queue);
	s->queue = queue;
	s->queue_head = 0;
	s->queue_cap = cap;
}

static void
count_bytes(struct stream *s, size_t n, bool added)
{
	int64_t change = added ? (int64_t)n : -(int64_t)n;

	/* Written under the lock only; other threads just look. */
	atomic_store_explicit(&s->queued_bytes,
		atomic_load_explicit(&s->queued_bytes, memory_order_relaxed) + (size_t)change,
		memory_order_relaxed);
	atomic_fetch_add_explicit(&s->loop->bytes_queued, change, memory_order_relaxed);
}

void
stream_queue_add(struct stream *s, struct stream_message *m)
{
	size_t n = m->form[s->kind].n;

	if (n == 0)
		return;
	if (s->queue_count == s->queue_cap)
		grow_queue(s);
	stream_message_hold(m);
	s->queue[(s->queue_head + s->queue_count++) & (s->queue_cap - 1)] = m;
	count_bytes(s, n, true);
}

static void
drop_first(struct stream *s)
{
	stream_message_drop(s->queue[s->queue_head]);
	s->queue_head = (s->queue_head + 1) & (s->queue_cap - 1);
	s->queue_count--;
	s->head_sent = 0;
	if (s->queue_count)
		return;
	free(s->queue);
	s->queue = NULL;
	s->queue_cap = s->queue_head = 0;
}

void
stream_queue_pop(struct stream *s, size_t bytes)
{
	int64_t whole = 0;

	count_bytes(s, bytes, false);
	while (bytes) {
		size_t left = s->queue[s->queue_head]->form[s->kind].n - s->head_sent;

		if (bytes < left) {
			s->head_sent += bytes;
			break;
		}
		bytes -= left;
		whole++;
		drop_first(s);
	}
	atomic_fetch_add_explicit(&s->loop->sent, whole, memory_order_relaxed);
}

void
stream_queue_clear(struct stream *s, bool keep_begun)
{
	uint32_t kept = keep_begun && s->head_sent ? 1 : 0;

	while (s->queue_count > kept) {
		struct stream_message *last;

		if (s->queue_count == 1) {
			count_bytes(s, s->queue[s->queue_head]->form[s->kind].n - s->head_sent, false);
			drop_first(s);
			break;
		}
		last = s->queue[(s->queue_head + --s->queue_count) & (s->queue_cap - 1)];
		count_bytes(s, last->form[s->kind].n, false);
		stream_message_drop(last);
	}
}

void
stream_begin_close(struct stream *s, int code, struct str reason)
{
	struct stream_message *m;

	if (s->state == STATE_CLOSING || s->state == STATE_ENDED)
		return;
	s->state = STATE_CLOSING;
	if (!s->close_code)
		s->close_code = code;
	if (s->kind == STREAM_WEBSOCKET) {
		m = stream_message_close(code, reason);
		stream_queue_add(s, m);
		stream_message_drop(m);
	}
	stream_list(s);
}

/* Too much waits: what does is dropped, so that the close frame is next. Counted behind that: who sees the cut sees what it gave back. */
static void
cut(struct stream *s)
{
	stream_queue_clear(s, s->kind == STREAM_WEBSOCKET);
	atomic_fetch_add_explicit(&s->loop->cut, 1, memory_order_release);
	stream_begin_close(s, STREAM_CLOSE_TRY_LATER, STR("too slow"));
}

bool
stream_send(struct stream *s, struct stream_message *m)
{
	bool taken = false;

	pthread_mutex_lock(&s->lock);
	if (s->state == STATE_OPEN || s->state == STATE_ATTACHING) {
		size_t waiting = atomic_load_explicit(&s->queued_bytes, memory_order_relaxed);

		/* A message larger than the queue's limit still goes when nothing waits. */
		if (waiting && waiting + m->form[s->kind].n > s->queue_bytes_max) {
			cut(s);
		} else {
			stream_queue_add(s, m);
			stream_list(s);
			taken = true;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

size_t
stream_queued(const struct stream *s)
{
	return atomic_load_explicit(&s->queued_bytes, memory_order_relaxed);
}

void
stream_close(struct stream *s, int code, struct str reason)
{
	pthread_mutex_lock(&s->lock);
	stream_begin_close(s, code, reason);
	pthread_mutex_unlock(&s->lock);
}

void
stream_deadline(struct stream *s, int64_t ms)
{
	pthread_mutex_lock(&s->lock);
	s->deadline_ms = ms > 0 ? monotonic_us() / 1000 + ms : 0;
	s->deadline_changed = true;
	stream_list(s);
	pthread_mutex_unlock(&s->lock);
}

void
stream_attach(
	struct stream *s, const struct stream_socket *socket, struct str early, struct stream_message *first)
{
	pthread_mutex_lock(&s->lock);
	s->socket = *socket;
	buf_init(&s->early, early.n + 1);
	buf_add_str(&s->early, early);
	if (first) {
		stream_queue_add(s, first);
		stream_message_drop(first);
	}
	stream_list(s);
	pthread_mutex_unlock(&s->lock);
}

void
stream_give_up(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->given_up = true;
	stream_list(s);
	pthread_mutex_unlock(&s->lock);
}
