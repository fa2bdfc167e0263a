/*
 * The hub: starting and stopping the loops, and a loop's round: what epoll reports, the streams that other threads have put on the list,
 * what is due. Streams that end during a round are dropped after it, because events of the same round may still name them.
 */
#include "net/stream_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_MAX  256
#define THREADS_MAX 64
/* Spread of the reconnect hint, so that the clients of a server that restarts do not come back at once. */
#define RETRY_MIN_MS	1000
#define RETRY_SPREAD_MS 4000

void
stream_loop_wake(struct stream_loop *l)
{
	uint64_t one = 1;

	(void)!write(l->wake_fd, &one,
		sizeof(one)); /* fails only when the counter is full, and the loop awake then */
}

static int
wait_ms(const struct stream_loop *l, int64_t now)
{
	int64_t due = l->heap_count ? l->heap[0]->due_ms : INT64_MAX;

	if (l->draining && l->stop_due_ms < due)
		due = l->stop_due_ms;
	if (due == INT64_MAX)
		return -1;
	return due <= now ? 0 : due - now > INT32_MAX ? INT32_MAX : (int)(due - now);
}

void
stream_loop_close_one(struct stream *s)
{
	char text[32] = "retry: ";
	char digits[INT_DIGITS_MAX];
	struct str ms;
	struct stream_message *hint;

	pthread_mutex_lock(&s->lock);
	if (s->kind == STREAM_EVENTS && s->state == STATE_OPEN) {
		ms.p = int_digits(RETRY_MIN_MS + random_below(RETRY_SPREAD_MS), digits + sizeof(digits));
		ms.n = (size_t)(digits + sizeof(digits) - ms.p);
		memcpy(text + 7, ms.p, ms.n);
		memcpy(text + 7 + ms.n, "\n\n", 2);
		hint = stream_message_raw(STREAM_EVENTS, (struct str){ text, 7 + ms.n + 2 });
		stream_queue_add(s, hint);
		stream_message_drop(hint);
	}
	stream_begin_close(s, STREAM_CLOSE_GOING_AWAY, STR("restart"));
	pthread_mutex_unlock(&s->lock);
}

/* The list, oldest first. */
static struct stream *
take_listed(struct stream_loop *l, bool *stopping)
{
	struct stream *newest, *oldest = NULL;

	pthread_mutex_lock(&l->lock);
	newest = l->listed;
	l->listed = NULL;
	l->woken = false;
	*stopping = l->stopping;
	pthread_mutex_unlock(&l->lock);
	while (newest) {
		struct stream *next = newest->next_listed;

		newest->next_listed = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

static void
attend_listed(struct stream_loop *l, int64_t now)
{
	bool stopping;
	struct stream *s = take_listed(l, &stopping), *next;

	for (; s; s = next) {
		next = s->next_listed;
		stream_attend(s, now);
		stream_drop(s);
	}
	if (!stopping || l->draining)
		return;
	l->draining = true;
	for (s = l->streams; s; s = s->next)
		stream_loop_close_one(s);
}

/* After the drain time nobody is waited for. */
static void
end_all(struct stream_loop *l)
{
	while (l->streams)
		stream_finish(l->streams, STREAM_CLOSE_GOING_AWAY);
}

static void
bury(struct stream_loop *l)
{
	while (l->dead) {
		struct stream *s = l->dead;

		l->dead = s->next;
		stream_drop(s);
	}
}

static void
clear_wake(struct stream_loop *l)
{
	uint64_t n;

	(void)!read(l->wake_fd, &n, sizeof(n)); /* the count does not matter */
}

static void *
run(void *arg)
{
	struct stream_loop *l = arg;
	struct epoll_event at[EVENTS_MAX];
	int64_t now = monotonic_us() / 1000;

	while (!(l->draining && atomic_load(&l->count) == 0)) {
		int n = epoll_wait(l->epoll_fd, at, EVENTS_MAX, wait_ms(l, now));

		now = monotonic_us() / 1000;
		for (int i = 0; i < n; i++) {
			if (at[i].data.ptr)
				stream_on_event(at[i].data.ptr, at[i].events, now);
			else
				clear_wake(l);
		}
		attend_listed(l, now);
		while (l->heap_count && l->heap[0]->due_ms <= now)
			stream_on_timer(l->heap[0], now);
		if (l->draining && now >= l->stop_due_ms)
			end_all(l);
		bury(l);
	}
	return NULL;
}

static struct err *
start_loop(struct arena *a, struct stream_hub *h, struct stream_loop *l)
{
	struct epoll_event wake = { .events = EPOLLIN };

	l->hub = h;
	l->buffer = malloc(STREAM_READ_BYTES);
	check(l->buffer);
	check(pthread_mutex_init(&l->lock, NULL) == 0);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->wake_fd < 0 ||
		epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &wake) != 0)
		return err_private(a, ERR_UNAVAILABLE, "epoll: %s", strerror(errno));
	if (pthread_create(&l->thread, NULL, run, l) != 0)
		return err_private(a, ERR_UNAVAILABLE, "pthread_create");
	l->started = true;
	return NULL;
}

struct err *
stream_hub_start(struct arena *a, int threads, struct stream_hub **out)
{
	struct stream_hub *h = calloc(1, sizeof(*h));
	struct err *e = NULL;

	check(h);
	h->count = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
	h->loops = calloc((size_t)h->count, sizeof(h->loops[0]));
	check(h->loops);
	for (int i = 0; i < h->count; i++)
		h->loops[i].epoll_fd = h->loops[i].wake_fd = -1;
	h->ping = stream_message_frame(OPCODE_PING, (struct str){ 0 });
	h->comment = stream_message_raw(STREAM_EVENTS, STR(":\n\n"));
	for (int i = 0; i < h->count && !e; i++)
		e = start_loop(a, h, &h->loops[i]);
	if (e) {
		stream_hub_free(h);
		return e;
	}
	*out = h;
	return NULL;
}

void
stream_hub_stop(struct stream_hub *h, int drain_ms)
{
	int64_t due = monotonic_us() / 1000 + drain_ms;

	if (atomic_exchange(&h->stopped, true))
		return;
	for (int i = 0; i < h->count; i++) {
		struct stream_loop *l = &h->loops[i];

		if (!l->started)
			continue;
		pthread_mutex_lock(&l->lock);
		l->stopping = true;
		l->stop_due_ms = due;
		pthread_mutex_unlock(&l->lock);
		stream_loop_wake(l);
	}
	for (int i = 0; i < h->count; i++)
		if (h->loops[i].started)
			pthread_join(h->loops[i].thread, NULL);
}

static void
loop_done(struct stream_loop *l)
{
	if (!l->hub)
		return;
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	if (l->wake_fd >= 0)
		(void)close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
	free(l->heap);
	free(l->buffer);
}

void
stream_hub_free(struct stream_hub *h)
{
	if (!h)
		return;
	stream_hub_stop(h, 0);
	for (int i = 0; i < h->count; i++)
		loop_done(&h->loops[i]);
	stream_message_drop(h->ping);
	stream_message_drop(h->comment);
	free(h->loops);
	free(h);
}

struct stream_stats
stream_hub_stats(const struct stream_hub *h)
{
	struct stream_stats sum = { 0 };

	for (int i = 0; i < h->count; i++) {
		const struct stream_loop *l = &h->loops[i];

		sum.open += atomic_load_explicit(&l->count, memory_order_relaxed);
		sum.sent += atomic_load_explicit(&l->sent, memory_order_relaxed);
		sum.cut += atomic_load_explicit(&l->cut, memory_order_acquire);
		sum.bytes_queued += atomic_load_explicit(&l->bytes_queued, memory_order_relaxed);
	}
	return sum;
}
