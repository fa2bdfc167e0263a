/*
 * A stream on its loop's thread: taking over the socket, reading, writing, keeping time and ending. Writing gathers what waits into one
 * call, under the stream's lock, so that a sender may cut the queue at any other moment. An end that is ours is told first (close frame,
 * then half a shutdown) and waited for, because closing a socket with unread input makes the kernel throw away what was written.
 */
#include "net/stream_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define GATHER_MAX	     64
#define CLOSE_MS	     5000 /* for the close frame to go out and the peer's to come */
#define LINGER_MS	     2000 /* for the peer to close once everything has been said */
#define PINGS_UNANSWERED_MAX 2

static void
retime(struct stream *s)
{
	int64_t due = s->ping_due_ms;

	if (s->message_due_ms < due)
		due = s->message_due_ms;
	if (s->close_due_ms < due)
		due = s->close_due_ms;
	if (s->deadline_due_ms < due)
		due = s->deadline_due_ms;
	stream_timer_set(s->loop, s, due);
}

static void
unlink_stream(struct stream *s)
{
	struct stream_loop *l = s->loop;

	if (!s->attached)
		return;
	if (s->prev)
		s->prev->next = s->next;
	else
		l->streams = s->next;
	if (s->next)
		s->next->prev = s->prev;
}

void
stream_finish(struct stream *s, int code)
{
	struct stream_loop *l = s->loop;
	struct stream_socket socket;

	if (s->finished)
		return;
	s->finished = true;
	unlink_stream(s);
	stream_timer_set(l, s, INT64_MAX);
	stream_reader_free(s->reader);
	s->reader = NULL;
	pthread_mutex_lock(&s->lock);
	s->state = STATE_ENDED;
	stream_queue_clear(s, false);
	if (!s->close_code)
		s->close_code = code;
	if (s->early.max)
		buf_done(&s->early);
	socket = s->socket;
	s->socket.fd = -1;
	pthread_mutex_unlock(&s->lock);
	if (socket.fd >= 0) {
		if (s->attached)
			(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, socket.fd, NULL); /* may not be in it */
		socket.transport->release(&socket);
	}
	s->handlers->closed(s->arg, s, s->close_code);
	s->next = l->dead;
	l->dead = s;
	atomic_fetch_sub(&l->count, 1);
}

static void
watch(struct stream *s, bool writing)
{
	struct epoll_event e = { .events = EPOLLIN | (writing ? EPOLLOUT : 0u), .data.ptr = s };

	if (s->wants_write == writing)
		return;
	s->wants_write = writing;
	check(epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_MOD, s->socket.fd, &e) == 0);
}

/* Everything has been written, the close frame too. */
static void
after_last_byte(struct stream *s, int64_t now)
{
	if (s->is_shut || (s->kind == STREAM_WEBSOCKET && !s->input_is_over))
		return; /* the peer's close frame comes first */
	s->is_shut = true;
	s->socket.transport->shut(&s->socket);
	s->close_due_ms = now + LINGER_MS;
}

static size_t
gather(struct stream *s, struct iovec *at)
{
	size_t n = 0;

	for (; n < GATHER_MAX && n < s->queue_count; n++) {
		struct str form = s->queue[(s->queue_head + n) & (s->queue_cap - 1)]->form[s->kind];
		size_t skip = n == 0 ? s->head_sent : 0;

		at[n].iov_base = (void *)(uintptr_t)(form.p + skip);
		at[n].iov_len = form.n - skip;
	}
	return n;
}

/* Under the lock. True when all is in the socket, false when the socket is full (errno EAGAIN) or broken. */
static bool
write_queue(struct stream *s)
{
	struct iovec at[GATHER_MAX];

	while (s->queue_count) {
		ssize_t n = s->socket.transport->write(&s->socket, at, gather(s, at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		stream_queue_pop(s, (size_t)n);
	}
	return s->socket.transport->flush(&s->socket);
}

static void
flush(struct stream *s, int64_t now)
{
	bool empty, closing, broken;

	pthread_mutex_lock(&s->lock);
	empty = write_queue(s);
	broken = !empty && errno != EAGAIN && errno != EWOULDBLOCK;
	closing = s->state == STATE_CLOSING;
	pthread_mutex_unlock(&s->lock);
	if (broken) {
		stream_finish(s, STREAM_CLOSE_ABNORMAL);
		return;
	}
	watch(s, !empty);
	if (closing && s->close_due_ms == INT64_MAX)
		s->close_due_ms = now + CLOSE_MS;
	if (closing && empty)
		after_last_byte(s, now);
}

/* The peer has broken the protocol: nothing more is heard from it, but it is told why. */
static void
fail(struct stream *s, int code, struct str reason)
{
	s->input_is_over = true;
	stream_close(s, code, reason);
}

static struct str
reason_of(int code)
{
	switch (code) {
	case STREAM_CLOSE_UNSUPPORTED:
		return STR("text only");
	case STREAM_CLOSE_NOT_UTF8:
		return STR("not UTF-8");
	case STREAM_CLOSE_TOO_LARGE:
		return STR("message too large");
	}
	return STR("protocol error");
}

static void
on_text(void *arg, struct str text)
{
	struct stream *s = arg;
	bool open;

	pthread_mutex_lock(&s->lock);
	open = s->state == STATE_OPEN;
	pthread_mutex_unlock(&s->lock);
	if (open)
		s->handlers->message(s->arg, s, text);
}

static void
on_ping(void *arg, struct str payload)
{
	struct stream *s = arg;
	struct stream_message *pong = stream_message_frame(OPCODE_PONG, payload);

	(void)stream_send(s, pong); /* a closing stream owes no pong, a cut one gets none */
	stream_message_drop(pong);
}

static void
on_closed(void *arg, int code)
{
	struct stream *s = arg;

	s->input_is_over = true;
	stream_close(s, code, (struct str){ 0 });
}

static bool
is_over(void *arg)
{
	const struct stream *s = arg;

	/* A stream that closes still waits for the peer's close frame. */
	return s->input_is_over;
}

static void
take_input(struct stream *s, struct str bytes, int64_t now)
{
	struct stream_sink sink = { on_text, on_ping, on_closed, is_over, s };
	bool message_done;
	int code;

	s->pings_unanswered = 0;
	if (s->kind == STREAM_EVENTS || s->input_is_over)
		return;
	code = stream_reader_feed(&s->reader, s->message_bytes_max, bytes, &sink, &message_done);
	if (code)
		fail(s, code, reason_of(code));
	if (!s->reader)
		s->message_due_ms = INT64_MAX;
	else if (message_done || s->message_due_ms == INT64_MAX)
		s->message_due_ms = now + s->message_ms;
}

static void
read_socket(struct stream *s, int64_t now)
{
	ssize_t n = s->socket.transport->read(&s->socket, s->loop->buffer, STREAM_READ_BYTES);

	if (n > 0)
		take_input(s, (struct str){ s->loop->buffer, (size_t)n }, now);
	else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		stream_finish(s, STREAM_CLOSE_ABNORMAL);
}

void
stream_on_event(struct stream *s, uint32_t events, int64_t now)
{
	if (s->finished)
		return;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_socket(s, now);
	if (!s->finished && (s->input_is_over || (events & EPOLLOUT)))
		flush(s, now);
	if (!s->finished)
		retime(s);
}

static bool
open_socket(struct stream *s, int64_t now)
{
	struct stream_loop *l = s->loop;
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, s->socket.fd, &e) != 0)
		return false;
	s->attached = true;
	s->prev = NULL;
	s->next = l->streams;
	if (s->next)
		s->next->prev = s;
	l->streams = s;
	/* Streams that open together do not ping together. */
	s->ping_due_ms = now + s->ping_ms / 2 + (int64_t)random_below((uint32_t)s->ping_ms / 2 + 1);
	return true;
}

static void
open_stream(struct stream *s, int64_t now)
{
	struct buf early;

	if (!open_socket(s, now)) {
		stream_finish(s, STREAM_CLOSE_ABNORMAL);
		return;
	}
	pthread_mutex_lock(&s->lock);
	if (s->state == STATE_ATTACHING)
		s->state = STATE_OPEN;
	early = s->early;
	s->early = (struct buf){ 0 };
	pthread_mutex_unlock(&s->lock);
	s->handlers->opened(s->arg, s);
	if (early.len)
		take_input(s, buf_str(&early), now);
	buf_done(&early);
	/* TLS may hold bytes already that epoll knows nothing of. */
	read_socket(s, now);
	if (!s->finished && s->loop->draining)
		stream_loop_close_one(s);
}

void
stream_attend(struct stream *s, int64_t now)
{
	bool given_up, arrived;

	pthread_mutex_lock(&s->lock);
	s->listed = false;
	given_up = s->given_up;
	arrived = s->socket.fd >= 0;
	if (s->deadline_changed)
		s->deadline_due_ms = s->deadline_ms ? s->deadline_ms : INT64_MAX;
	s->deadline_changed = false;
	pthread_mutex_unlock(&s->lock);
	if (s->finished)
		return;
	if (given_up) {
		stream_finish(s, STREAM_CLOSE_ABNORMAL);
		return;
	}
	if (!arrived)
		return;
	if (!s->attached)
		open_stream(s, now);
	if (!s->finished)
		flush(s, now);
	if (!s->finished)
		retime(s);
}

static void
ping(struct stream *s, int64_t now)
{
	struct stream_hub *h = s->loop->hub;

	s->ping_due_ms = now + s->ping_ms;
	if (s->kind == STREAM_EVENTS) {
		/* TCP itself gives up on a peer that acknowledges nothing; it only needs something to send. */
		if (stream_queued(s) == 0)
			(void)stream_send(s, h->comment);
		return;
	}
	if (s->pings_unanswered >= PINGS_UNANSWERED_MAX) {
		stream_finish(s, STREAM_CLOSE_ABNORMAL);
		return;
	}
	s->pings_unanswered++;
	(void)stream_send(s, h->ping); /* a closing stream has its own time limit */
}

void
stream_on_timer(struct stream *s, int64_t now)
{
	if (s->close_due_ms <= now) {
		stream_finish(s, STREAM_CLOSE_ABNORMAL);
		return;
	}
	if (s->message_due_ms <= now) {
		s->message_due_ms = INT64_MAX;
		fail(s, STREAM_CLOSE_POLICY, STR("message too slow"));
	}
	if (s->deadline_due_ms <= now) {
		s->deadline_due_ms = INT64_MAX;
		s->handlers->expired(s->arg, s);
	}
	if (s->ping_due_ms <= now)
		ping(s, now);
	if (!s->finished)
		retime(s);
}
