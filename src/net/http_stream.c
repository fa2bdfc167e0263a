/*
 * From an exchange to a stream. Over plain HTTP the socket leaves MHD altogether: its descriptor is copied for the hub and MHD closes its
 * own, so that an idle stream costs nothing here. For WebSocket that happens in MHD's upgrade. For events, which MHD knows no hand-over
 * for, the connection is suspended (that takes it out of MHD's epoll set), a dead socket is put in the place of its descriptor, and MHD
 * buries that one. Over TLS the connection is suspended for as long as the stream lives; see http_tls.c.
 */
#include "net/http_internal.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <sys/uio.h>
#include <unistd.h>

#define KEY_CHARS 24 /* base64 of 16 bytes */
#define SEND_BUFFER_BYTES \
	(64 << 10) /* the kernel's share of a slow reader; otherwise it grows to megabytes */
#define STREAM_FIELDS_MAX  16
#define ACCEPT_CHARS	   BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE)
#define UNANSWERED_PERIODS 2

/* What a handed-over socket still counts for. */
struct counted_socket {
	struct http_server *server;
	struct in6_addr address;
};

static bool
has_token(struct str list, struct str token)
{
	struct str one;

	while (list.p && str_split(&list, ',', &one))
		if (str_eq_nocase(str_trim(one), token))
			return true;
	return false;
}

static bool
has_subprotocol(const struct http_exchange *x, struct str wanted)
{
	struct str list = http_header(x, "Sec-WebSocket-Protocol"), one;

	while (wanted.n && list.p && str_split(&list, ',', &one))
		if (str_eq(str_trim(one), wanted))
			return true;
	return false;
}

static bool
is_key(struct str key)
{
	uint8_t bytes[BASE64_DECODE_LENGTH(KEY_CHARS)];
	struct base64_decode_ctx c;
	size_t n = sizeof(bytes);

	if (key.n != KEY_CHARS)
		return false;
	base64_decode_init(&c);
	return base64_decode_update(&c, &n, bytes, key.n, key.p) && base64_decode_final(&c) && n == 16;
}

/* RFC 6455 §4.2.1. */
static struct err *
check_handshake(const struct http_exchange *x, struct arena *a)
{
	if (!has_token(http_header(x, "Upgrade"), STR("websocket")))
		return err_new(a, ERR_UPGRADE_REQUIRED, "");
	if (x->http10)
		return err_new(a, ERR_INVALID_INPUT, "A WebSocket handshake needs HTTP/1.1.");
	if (!has_token(http_header(x, "Connection"), STR("upgrade")))
		return err_new(a, ERR_INVALID_INPUT, "The header field Connection does not say Upgrade.");
	if (!str_eq(http_header(x, "Sec-WebSocket-Version"), STR("13")))
		return err_new(a, ERR_UPGRADE_REQUIRED, "");
	if (!is_key(http_header(x, "Sec-WebSocket-Key")))
		return err_new(a, ERR_INVALID_INPUT, "Sec-WebSocket-Key is not 16 bytes in base64.");
	return NULL;
}

static struct err *
check_request(const struct http_exchange *x, struct arena *a, enum stream_kind kind)
{
	if (x->request.method != HTTP_GET || x->request.is_head || x->request.body.n)
		return err_new(a, ERR_INVALID_INPUT, "A stream is asked for with GET and without a body.");
	return kind == STREAM_WEBSOCKET ? check_handshake(x, a) : NULL;
}

/* RFC 6455 §4.2.2 (5.4): proof that the server has understood, not a secret. */
static struct str
accept_of(struct arena *a, struct str key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx c;
	char *out = arena_alloc(a, ACCEPT_CHARS);

	sha1_init(&c);
	sha1_update(&c, key.n, (const uint8_t *)key.p);
	sha1_update(&c, sizeof(guid) - 1, (const uint8_t *)guid);
	sha1_digest(&c, sizeof(digest), digest);
	base64_encode_raw(out, sizeof(digest), digest);
	return (struct str){ out, ACCEPT_CHARS };
}

static void
prepare(struct http_exchange *x, const struct stream_options *o)
{
	struct http_field fields[STREAM_FIELDS_MAX];
	struct http_answer a = { .fields = fields, .no_etag = true };
	size_t n = 0;

	if (o->kind == STREAM_WEBSOCKET) {
		a.status = MHD_HTTP_SWITCHING_PROTOCOLS;
		fields[n++] = (struct http_field){ STR("Upgrade"), STR("websocket") };
		fields[n++] = (struct http_field){ STR("Sec-WebSocket-Accept"),
			accept_of(x->arena, http_header(x, "Sec-WebSocket-Key")) };
		if (has_subprotocol(x, o->subprotocol))
			fields[n++] = (struct http_field){ STR("Sec-WebSocket-Protocol"), o->subprotocol };
	} else {
		a.status = MHD_HTTP_OK;
		a.content_type = STR("text/event-stream");
		a.close = true;
		/* nginx collects answers otherwise. */
		fields[n++] = (struct http_field){ STR("X-Accel-Buffering"), STR("no") };
	}
	for (size_t i = 0; i < o->field_count && n < STREAM_FIELDS_MAX; i++)
		fields[n++] = o->fields[i];
	a.field_count = n;
	http_answer_prepare(x, &a);
	x->hello = arena_str(x->arena, o->kind == STREAM_EVENTS && o->hello.p ? o->hello : STR(""));
	x->stream_kind = o->kind;
}

struct err *
http_answer_stream(struct http_exchange *x, struct stream_hub *h, const struct stream_options *o)
{
	struct http_server *server = x->worker->server;
	struct stream_hub *known = NULL;
	struct stream *s;

	check(!x->answered && o->handlers->opened && o->handlers->closed);
	check(o->kind == STREAM_EVENTS || o->handlers->message);
	TRY(check_request(x, x->arena, o->kind));
	check(atomic_compare_exchange_strong(&server->hub, &known, h) || known == h);
	s = atomic_load(&server->state) == SERVER_RUNNING ? stream_new(h, o) : NULL;
	if (!s)
		return err_new(x->arena, ERR_UNAVAILABLE, "");
	x->answered = true;
	x->stream = s;
	prepare(x, o);
	if (!http_answer_deliver(x))
		stream_give_up(s);
	return NULL;
}

static ssize_t
plain_read(const struct stream_socket *k, void *to, size_t room)
{
	return recv(k->fd, to, room, MSG_DONTWAIT);
}

static ssize_t
plain_write(const struct stream_socket *k, const struct iovec *at, size_t count)
{
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)at, .msg_iovlen = count };

	return sendmsg(k->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool
plain_flush(const struct stream_socket *k)
{
	(void)k;
	return true;
}

static void
plain_shut(const struct stream_socket *k)
{
	(void)shutdown(k->fd, SHUT_WR); /* fails only when the peer has gone, which reading tells */
}

static void
plain_release(const struct stream_socket *k)
{
	struct counted_socket *c = k->cls;

	(void)close(k->fd);
	if (c->server->peers)
		http_peers_leave(c->server->peers, &c->address);
	atomic_fetch_sub(&c->server->streams, 1);
	free(c);
}

static const struct stream_transport plain_transport = { plain_read, plain_write, plain_flush, plain_shut,
	plain_release };

static void
set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(
		fd, level, name, &value, sizeof(value)); /* without it the stream only works less well */
}

/* fd is a TCP socket: small messages go at once, and a peer that acknowledges nothing is given up by the kernel. */
static void
tune(int fd, const struct stream *s)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNANSWERED_PERIODS * s->ping_ms);
}

/* The hub's own descriptor of the connection's socket, counted in place of the connection. False: none is left. */
static bool
copy_socket(struct http_exchange *x, struct stream_socket *out)
{
	struct http_connection *c = x->connection;
	struct counted_socket *counted;
	int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return false;
	counted = malloc(sizeof(*counted));
	check(counted);
	*counted = (struct counted_socket){ x->worker->server, c->address };
	atomic_fetch_add(&counted->server->streams, 1);
	c->handed_over = true;
	tune(fd, x->stream);
	*out = (struct stream_socket){ .fd = fd, .transport = &plain_transport, .cls = counted };
	return true;
}

static void
on_upgrade(void *cls, struct MHD_Connection *mhd, void *context, const char *early, size_t early_len, int fd,
	struct MHD_UpgradeResponseHandle *upgrade)
{
	struct http_exchange *x = cls;
	struct stream_socket socket;
	struct stream *s = x->stream;

	(void)mhd;
	(void)context;
	(void)fd;
	/* Without a descriptor the end of the request gives the stream up. */
	if (copy_socket(x, &socket)) {
		x->stream = NULL;
		http_request_end(x);
		stream_attach(s, &socket, (struct str){ early, early_len }, NULL);
	}
	(void)MHD_upgrade_action(upgrade, MHD_UPGRADE_ACTION_CLOSE);
}

static enum MHD_Result
begin_upgrade(struct http_exchange *x)
{
	struct MHD_Response *r = MHD_create_response_for_upgrade(on_upgrade, x);
	enum MHD_Result queued;

	if (!r)
		return MHD_NO;
	for (size_t i = 0; i < x->out.field_count; i++)
		(void)MHD_add_response_header(
			r, x->fields[i].name, x->fields[i].value); /* refuses only what add_text has */
	queued = MHD_queue_response(x->mhd, MHD_HTTP_SWITCHING_PROTOCOLS, r);
	MHD_destroy_response(r);
	return queued;
}

/* The answer's header, and what an event stream begins with. */
static struct stream_message *
head_of(struct http_exchange *x)
{
	struct buf b;

	buf_init_arena(&b, x->arena, LIMIT_REQUEST_ARENA_BYTES);
	if (x->stream_kind == STREAM_WEBSOCKET)
		buf_add_lit(&b, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n");
	else
		buf_add_lit(&b, "HTTP/1.1 200 OK\r\n");
	for (size_t i = 0; i < x->out.field_count; i++) {
		buf_add_str(&b, str_from_cstr(x->fields[i].name));
		buf_add_lit(&b, ": ");
		buf_add_str(&b, str_from_cstr(x->fields[i].value));
		buf_add_lit(&b, "\r\n");
	}
	buf_add_lit(&b, "\r\n");
	buf_add_str(&b, x->hello);
	return stream_message_raw(x->stream_kind, buf_str(&b));
}

/* What of the connection goes to the hub; it is suspended. */
static bool
take_socket(struct http_exchange *x, struct stream_socket *out)
{
	if (x->worker->server->tls) {
		tune(x->connection->fd, x->stream);
		return http_tls_socket(x, out);
	}
	if (!copy_socket(x, out))
		return false;
	check(dup3(x->worker->server->dead_fd, x->connection->fd, O_CLOEXEC) >= 0);
	return true;
}

/* See the head of this file. */
static enum MHD_Result
take_over(struct http_exchange *x)
{
	struct stream_socket socket;
	struct stream *s = x->stream;
	bool resume = !x->worker->server->tls;

	MHD_suspend_connection(x->mhd);
	if (take_socket(x, &socket)) {
		x->stream = NULL;
		http_request_end(x);
		http_phase_set(x->connection, PHASE_STREAM);
		stream_attach(s, &socket, (struct str){ 0 }, head_of(x));
	} else {
		resume = true; /* to be closed; the end of the request gives the stream up */
	}
	x->stage = STAGE_OVER;
	if (resume)
		MHD_resume_connection(x->mhd);
	return MHD_YES;
}

enum MHD_Result
http_stream_begin(struct http_exchange *x)
{
	return x->stream_kind == STREAM_WEBSOCKET && !x->worker->server->tls ? begin_upgrade(x)
									     : take_over(x);
}
