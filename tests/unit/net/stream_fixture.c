/* See stream_fixture.h. */
#include "stream_fixture.h"
#include "base/random.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void
nap_ms(int ms)
{
	(void)nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static void
on_opened(void *arg, struct stream *s)
{
	struct streams *t = arg;

	stream_hold(s);
	pthread_mutex_lock(&t->lock);
	assert_true(t->opened < STREAMS_MAX);
	t->open[t->opened++] = s;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static void
obey(struct stream *s, struct str text)
{
	int64_t n = 0;

	if (str_starts_with(text, STR("close ")) && str_to_int(str_sub(text, 6, text.n), &n))
		stream_close(s, (int)n, STR("as you wish"));
	if (str_starts_with(text, STR("deadline ")) && str_to_int(str_sub(text, 9, text.n), &n))
		stream_deadline(s, n);
}

static void
on_message(void *arg, struct stream *s, struct str text)
{
	struct streams *t = arg;
	struct stream_message *m = stream_message_new(STR(""), STR(""), text);

	assert_true(str_is_utf8(text));
	pthread_mutex_lock(&t->lock);
	t->messages++;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	obey(s, text);
	(void)stream_send(s, m);
	stream_message_drop(m);
}

static void
on_expired(void *arg, struct stream *s)
{
	struct streams *t = arg;

	pthread_mutex_lock(&t->lock);
	t->expired++;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	stream_close(s, STREAM_CLOSE_UNAUTHENTICATED, STR("expired"));
}

static void
on_closed(void *arg, struct stream *s, int code)
{
	struct streams *t = arg;
	bool found = false;

	pthread_mutex_lock(&t->lock);
	t->closed++;
	t->last_code = code;
	for (size_t i = 0; i < t->opened && !found; i++) {
		found = t->open[i] == s;
		if (found)
			t->open[i] = NULL;
	}
	t->stillborn += !found;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	if (found)
		stream_drop(s);
}

static const struct stream_handlers handlers = { on_opened, on_message, on_expired, on_closed };

static void
refuse(struct streams *t, struct http_exchange *x, const struct err *e)
{
	struct http_answer a = {
		.status = err_status(e), .content_type = STR("text/plain"), .body = e->message
	};

	t->refused++;
	http_answer(x, &a);
}

static void
answer(struct streams *t, struct http_exchange *x)
{
	struct stream_options o = t->options;
	struct str path = http_request(x)->path;
	struct err *e;

	o.kind = str_ends_with(path, STR("/events")) ? STREAM_EVENTS : STREAM_WEBSOCKET;
	e = http_answer_stream(x, t->hub, &o);
	if (e)
		refuse(t, x, e);
}

struct job {
	struct streams *t;
	struct http_exchange *x;
};

static void *
answer_later(void *arg)
{
	struct job *j = arg;
	struct streams *t = j->t;

	answer(t, j->x);
	free(j);
	pthread_mutex_lock(&t->lock);
	t->answering--;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void
handle(void *arg, struct http_exchange *x)
{
	struct streams *t = arg;
	struct str path = http_request(x)->path;
	pthread_t thread;
	struct job *j;

	if (str_eq(path, STR("/plain"))) {
		struct http_answer a = {
			.status = 200, .content_type = STR("text/plain"), .body = STR("plain")
		};

		http_answer(x, &a);
		return;
	}
	if (!str_starts_with(path, STR("/later"))) {
		answer(t, x);
		return;
	}
	j = malloc(sizeof(*j));
	check(j);
	*j = (struct job){ t, x };
	http_suspend(x);
	pthread_mutex_lock(&t->lock);
	t->answering++;
	pthread_mutex_unlock(&t->lock);
	check(pthread_create(&thread, NULL, answer_later, j) == 0);
	pthread_detach(thread);
}

struct streams *
streams_new(void)
{
	static const struct str listen[] = { STR_INIT("127.0.0.1:0") };
	struct streams *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_true(random_start());
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	t->arena = arena_new(1u << 20);
	t->hub_threads = 2;
	t->options = (struct stream_options){ .handlers = &handlers, .arg = t };
	t->http = (struct http_options){ .listen = listen,
		.listen_count = 1,
		.threads = 2,
		.handler = handle,
		.arg = t,
		.connections_per_address = STREAMS_MAX,
		.clock = &clock_system };
	return t;
}

void
streams_start(struct streams *t)
{
	struct err *e = stream_hub_start(t->arena, t->hub_threads, &t->hub);

	assert_null(e);
	e = http_server_start(t->arena, &t->http, &t->server);
	if (e)
		fail_msg("the server does not start: %.*s", STR_ARG(e->message));
}

void
streams_free(struct streams *t)
{
	http_server_stop(t->server, 200);
	stream_hub_stop(t->hub, 200);
	pthread_mutex_lock(&t->lock);
	while (t->answering)
		pthread_cond_wait(&t->changed, &t->lock);
	pthread_mutex_unlock(&t->lock);
	assert_int_equal(stream_hub_stats(t->hub).open, 0);
	assert_int_equal(stream_hub_stats(t->hub).bytes_queued, 0);
	assert_int_equal(http_server_stats(t->server).connections, 0);
	assert_int_equal(t->closed, (int)t->opened + t->stillborn);
	http_server_free(t->server);
	stream_hub_free(t->hub);
	arena_free(t->arena);
	free(t);
}

void
streams_wait(struct streams *t, const _Atomic int *counter, int n)
{
	struct timespec until;
	int have;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	pthread_mutex_lock(&t->lock);
	while (*counter < n && pthread_cond_timedwait(&t->changed, &t->lock, &until) == 0)
		continue;
	have = *counter;
	pthread_mutex_unlock(&t->lock);
	if (have < n)
		fail_msg("%d of %d after %d ms", have, n, PATIENCE_MS);
}

void
streams_wait_open(struct streams *t, size_t n)
{
	size_t have = 0;

	for (int i = 0; i < PATIENCE_MS; i++) {
		pthread_mutex_lock(&t->lock);
		have = t->opened;
		pthread_mutex_unlock(&t->lock);
		if (have >= n)
			return;
		nap_ms(1);
	}
	fail_msg("%zu of %zu streams are open", have, n);
}

int
streams_send_all(struct streams *t, const char *text)
{
	struct stream_message *m = stream_message_new(STR("tick"), STR("7"), str_from_cstr(text));
	int taken = 0;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->opened; i++)
		taken += t->open[i] && stream_send(t->open[i], m);
	pthread_mutex_unlock(&t->lock);
	stream_message_drop(m);
	return taken;
}

void
streams_wait_connections(const struct streams *t, int n)
{
	for (int i = 0; i < PATIENCE_MS && http_server_stats(t->server).connections != n; i++)
		nap_ms(1);
	assert_int_equal(http_server_stats(t->server).connections, n);
}

int
streams_port(const struct streams *t)
{
	struct str address = http_server_address(t->server, 0);
	int64_t port = 0;

	assert_true(str_to_int(str_sub(address, str_index(address, ':', 0) + 1, address.n), &port));
	return (int)port;
}

int
streams_connect(const struct streams *t)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)streams_port(t)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Exactly n bytes; false at the end. */
static bool
read_bytes(int fd, void *to, size_t n)
{
	char *p = to;

	while (n) {
		struct pollfd at = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&at, 1, PATIENCE_MS) != 1)
			fail_msg("nothing comes for %d ms", PATIENCE_MS);
		got = recv(fd, p, n, 0);
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static void
read_head(int fd, char *head, size_t room)
{
	size_t n = 0;

	for (;;) {
		assert_true(n + 1 < room);
		if (!read_bytes(fd, head + n, 1))
			break;
		n++;
		if (n >= 4 && !memcmp(head + n - 4, "\r\n\r\n", 4))
			break;
	}
	head[n] = '\0';
}

int
ws_handshake(const struct streams *t, const char *request, char *head, size_t room)
{
	int fd = streams_connect(t);

	client_send(fd, request);
	read_head(fd, head, room);
	return fd;
}

int
ws_open(const struct streams *t, const char *path)
{
	char request[512], head[2048];
	int fd;

	assert_in_range(
		snprintf(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, "
			"Upgrade\r\n"
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
			path),
		1, sizeof(request) - 1);
	fd = ws_handshake(t, request, head, sizeof(head));
	if (strncmp(head, "HTTP/1.1 101 ", 13) != 0)
		fail_msg("no handshake: %s", head);
	/* RFC 6455 §1.3's own example. */
	assert_non_null(strstr(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	return fd;
}

int
events_open(const struct streams *t, const char *path)
{
	char request[256], head[2048];
	int fd;

	assert_in_range(snprintf(request, sizeof(request),
				"GET %s HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n", path),
		1, sizeof(request) - 1);
	fd = ws_handshake(t, request, head, sizeof(head));
	if (strncmp(head, "HTTP/1.1 200 ", 13) != 0)
		fail_msg("no events: %s", head);
	assert_non_null(strstr(head, "Content-Type: text/event-stream\r\n"));
	return fd;
}

void
ws_frame(int fd, int b0, const void *payload, size_t n)
{
	static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	unsigned char *f = malloc(n + 14);
	const unsigned char *p = payload;
	size_t at = 0;

	assert_non_null(f);
	f[at++] = (unsigned char)b0;
	if (n < 126) {
		f[at++] = (unsigned char)(0x80 | n);
	} else {
		int bytes = n < 65536 ? 2 : 8;

		f[at++] = 0x80 | (n < 65536 ? 126 : 127);
		while (bytes--)
			f[at++] = (unsigned char)((uint64_t)n >> (8 * bytes));
	}
	memcpy(f + at, mask, 4);
	at += 4;
	for (size_t i = 0; i < n; i++)
		f[at++] = p[i] ^ mask[i & 3];
	client_send_bytes(fd, f, at);
	free(f);
}

void
ws_text(int fd, const char *text)
{
	ws_frame(fd, 0x81, text, strlen(text));
}

struct frame
ws_read(int fd)
{
	struct frame f = { .b0 = -1 };
	unsigned char head[8];

	if (!read_bytes(fd, head, 2))
		return f;
	/* RFC 6455 §5.1: a server's frames are not masked. */
	assert_int_equal(head[1] & 0x80, 0);
	f.b0 = head[0];
	f.n = head[1];
	if (f.n >= 126) {
		size_t bytes = f.n == 126 ? 2 : 8;

		assert_true(read_bytes(fd, head, bytes));
		f.n = 0;
		for (size_t i = 0; i < bytes; i++)
			f.n = f.n << 8 | head[i];
	}
	f.payload = calloc(1, f.n + 1);
	assert_non_null(f.payload);
	if (!read_bytes(fd, f.payload, f.n)) {
		free(f.payload);
		f = (struct frame){ .b0 = -1 };
	}
	return f;
}

int
ws_read_close(int fd)
{
	for (;;) {
		struct frame f = ws_read(fd);
		int code = STREAM_CLOSE_NO_STATUS;

		if (f.b0 == -1)
			return STREAM_CLOSE_ABNORMAL;
		if (f.n >= 2)
			code = (unsigned char)f.payload[0] << 8 | (unsigned char)f.payload[1];
		free(f.payload);
		if (f.b0 == 0x88)
			return code;
	}
}

void
ws_expect(int fd, const char *text)
{
	struct frame f = ws_read(fd);

	assert_int_equal(f.b0, 0x81);
	assert_string_equal(f.payload, text);
	free(f.payload);
}

void
events_expect(int fd, const char *text)
{
	size_t n = strlen(text);
	char *got = calloc(1, n + 1);

	assert_non_null(got);
	assert_true(read_bytes(fd, got, n));
	assert_string_equal(got, text);
	free(got);
}

bool
reads_end(int fd)
{
	char c;

	return !read_bytes(fd, &c, 1);
}
