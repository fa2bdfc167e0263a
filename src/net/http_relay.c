/*
 * Events over TLS: MHD encrypts, so the bytes go through it, as an answer without a known length. The hub writes into one end of a socket
 * pair; MHD's thread reads the other when it wants more, and suspends the connection when there is nothing. Whoever turns `parked` back
 * resumes, so a connection is resumed only while it is suspended, when MHD cannot have freed it.
 */
#include "net/http_internal.h"
#include <errno.h>
#include <unistd.h>

#define BLOCK_BYTES	2048
#define PAIR_SEND_BYTES (32 << 10) /* what a slow reader may leave in the pair */

struct relay {
	struct MHD_Connection *mhd;
	struct http_exchange
		*exchange; /* until the first reading, when its handler has returned for certain */
	int fd;
	_Atomic bool parked;
	_Atomic int refs; /* the answer's and the stream's */
};

static void
relay_drop(struct relay *r)
{
	if (atomic_fetch_sub(&r->refs, 1) == 1)
		free(r);
}

static void
resume(struct relay *r)
{
	bool parked = true;

	if (atomic_compare_exchange_strong(&r->parked, &parked, false))
		MHD_resume_connection(r->mhd);
}

static void
on_written(void *cls)
{
	resume(cls);
}

static void
on_release(void *cls, int fd)
{
	(void)close(fd);
	resume(cls);
	relay_drop(cls);
}

static ssize_t
read_pair(void *cls, uint64_t at, char *to, size_t room)
{
	struct relay *r = cls;
	char next;
	ssize_t n = recv(r->fd, to, room, MSG_DONTWAIT);

	(void)at;
	if (r->exchange)
		http_exchange_slim(r->exchange);
	r->exchange = NULL;
	if (n > 0)
		return n;
	if (n == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	MHD_suspend_connection(r->mhd);
	atomic_store(&r->parked, true);
	/* What was written before the line above resumed nobody. */
	if (recv(r->fd, &next, 1, MSG_DONTWAIT | MSG_PEEK) >= 0)
		resume(r);
	return 0;
}

static void
on_answer_end(void *cls)
{
	struct relay *r = cls;

	(void)close(r->fd);
	relay_drop(r);
}

static struct MHD_Response *
response_of(struct http_exchange *x, struct relay *r)
{
	struct MHD_Response *m =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_pair, r, on_answer_end);

	if (!m)
		return NULL;
	for (size_t i = 0; i < x->out.field_count; i++)
		(void)MHD_add_response_header(
			m, x->fields[i].name, x->fields[i].value); /* refuses only what add_text has */
	return m;
}

enum MHD_Result
http_relay_begin(struct http_exchange *x)
{
	struct stream_socket socket = { .wrote = on_written, .release = on_release, .is_relayed = true };
	struct MHD_Response *m;
	enum MHD_Result queued;
	struct relay *r;
	int pair[2], size = PAIR_SEND_BYTES;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return MHD_NO;
	(void)setsockopt(
		pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* larger is only more memory */
	r = calloc(1, sizeof(*r));
	check(r);
	*r = (struct relay){ .mhd = x->mhd, .exchange = x, .fd = pair[1] };
	atomic_init(&r->refs, 2);
	m = response_of(x, r);
	check(m);
	socket.fd = pair[0];
	socket.cls = r;
	queued = MHD_queue_response(x->mhd, MHD_HTTP_OK, m);
	MHD_destroy_response(m);
	http_stream_tune(x->connection->fd, x->stream);
	stream_attach(x->stream, &socket, (struct str){ 0 }, stream_message_raw(x->hello));
	x->stream = NULL;
	http_request_end(x);
	http_phase_set(x->connection, PHASE_STREAM);
	return queued;
}
