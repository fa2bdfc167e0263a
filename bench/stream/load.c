/*
 * Many subscribers from one thread: opens COUNT WebSockets or event streams and notes when messages come.
 *
 *   bench_stream_load PORT ws|events PATH COUNT [HEADER-LINE…]
 *
 * Prints "open N" when all are open. Then, for each line "expect N" on standard input, waits for N messages in all (or ten seconds without
 * one) and prints
 *   received N last NS p50 US p99 US max US
 * where NS is the monotonic clock at the last of them and the delays are counted from the "t":NS inside each message, when it has one.
 * Pings are answered. Ends with its standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES    65536
#define PARTIAL_BYTES 8192 /* an incomplete message is kept up to here */
#define OPENING_MAX   256  /* handshakes under way at a time */
#define PATIENCE_MS   10000

struct client {
	int fd;
	bool is_open;
	char *partial;
	size_t partial_len;
};

struct load {
	int epoll_fd, port;
	bool events;
	char request[4096];
	int request_len;
	struct client *clients;
	size_t count, begun, open;
	int64_t *delays; /* ns */
	size_t received, delays_cap;
	int64_t last_ns;
};

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
fail(const char *what)
{
	(void)fprintf(stderr, "bench_stream_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
begin_one(struct load *l)
{
	struct client *c = &l->clients[l->begun++];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)l->port) };
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	if (send(c->fd, l->request, (size_t)l->request_len, MSG_NOSIGNAL) != l->request_len)
		fail("send");
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, c->fd, &e) != 0)
		fail("epoll_ctl");
}

static void
note(struct load *l, const char *text, size_t n)
{
	static const char mark[] = "\"t\":";
	const char *at = memmem(text, n, mark, sizeof(mark) - 1);
	int64_t begun = 0;

	l->last_ns = now_ns();
	if (at)
		for (at += sizeof(mark) - 1; at < text + n && *at >= '0' && *at <= '9'; at++)
			begun = begun * 10 + (*at - '0');
	if (l->received == l->delays_cap) {
		l->delays_cap = l->delays_cap ? l->delays_cap * 2 : 65536;
		l->delays = realloc(l->delays, l->delays_cap * sizeof(int64_t));
		if (!l->delays)
			fail("realloc");
	}
	l->delays[l->received++] = begun ? l->last_ns - begun : 0;
}

/* Bytes of the first message in p, or 0 when it is not whole yet. */
static size_t
take_frame(struct load *l, struct client *c, const char *p, size_t n)
{
	size_t len = n >= 2 ? (unsigned char)p[1] : 0, head = 2;

	if (n < 2)
		return 0;
	if (len >= 126) {
		size_t bytes = len == 126 ? 2 : 8;

		head += bytes;
		if (n < head)
			return 0;
		len = 0;
		for (size_t i = 0; i < bytes; i++)
			len = len << 8 | (unsigned char)p[2 + i];
	}
	if (n < head + len)
		return 0;
	if ((p[0] & 0x0f) == 1)
		note(l, p + head, len);
	if ((p[0] & 0x0f) == 9)
		(void)!send(c->fd, "\x8a\x80\0\0\0\0", 6,
			MSG_NOSIGNAL); /* a lost pong only ends the connection */
	return head + len;
}

static size_t
take_event(struct load *l, const char *p, size_t n)
{
	const char *end = memmem(p, n, "\n\n", 2);

	if (!end)
		return 0;
	if (memmem(p, (size_t)(end - p), "data:", 5))
		note(l, p, (size_t)(end - p));
	return (size_t)(end - p) + 2;
}

static size_t
take_head(struct load *l, struct client *c, const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);

	if (!end)
		return 0;
	if (memcmp(p, l->events ? "HTTP/1.1 200" : "HTTP/1.1 101", 12) != 0) {
		(void)fprintf(stderr, "%.*s\n", (int)(end - p), p);
		exit(1);
	}
	c->is_open = true;
	l->open++;
	return (size_t)(end - p) + 4;
}

static void
keep_rest(struct client *c, const char *p, size_t n)
{
	if (n > PARTIAL_BYTES) {
		(void)fprintf(stderr, "a message is longer than %d bytes\n", PARTIAL_BYTES);
		exit(1);
	}
	if (n && !c->partial)
		c->partial = malloc(PARTIAL_BYTES);
	if (n && !c->partial)
		fail("malloc");
	if (n)
		memmove(c->partial, p, n);
	c->partial_len = n;
	if (!n) {
		free(c->partial);
		c->partial = NULL;
	}
}

static void
read_client(struct load *l, struct client *c)
{
	static char buffer[READ_BYTES + PARTIAL_BYTES];
	const char *p = buffer;
	size_t n = c->partial_len, used;
	ssize_t got;

	if (n)
		memcpy(buffer, c->partial, n);
	got = recv(c->fd, buffer + n, READ_BYTES, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		fail("a stream has ended");
	n += (size_t)got;
	do {
		used = !c->is_open ? take_head(l, c, p, n)
		       : l->events ? take_event(l, p, n)
				   : take_frame(l, c, p, n);
		p += used;
		n -= used;
	} while (used && n);
	keep_rest(c, p, n);
}

/* False after timeout_ms without anything. */
static bool
wait_some(struct load *l, int timeout_ms)
{
	struct epoll_event at[512];
	int n = epoll_wait(l->epoll_fd, at, 512, timeout_ms);

	for (int i = 0; i < n; i++)
		read_client(l, at[i].data.ptr);
	return n > 0;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
report(struct load *l)
{
	size_t n = l->received;

	qsort(l->delays, n, sizeof(int64_t), compare);
	(void)printf("received %zu last %" PRId64 " p50 %" PRId64 " p99 %" PRId64 " max %" PRId64 "\n", n,
		l->last_ns, n ? l->delays[n / 2] / 1000 : 0, n ? l->delays[n * 99 / 100] / 1000 : 0,
		n ? l->delays[n - 1] / 1000 : 0);
	(void)fflush(stdout);
	l->received = 0;
}

static void
make_request(struct load *l, int argc, char **argv)
{
	size_t room = sizeof(l->request);
	int n = snprintf(l->request, room, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", argv[3], l->port,
		l->events ? "Accept: text/event-stream\r\n"
			  : "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");

	for (int i = 5; i < argc; i++)
		n += snprintf(l->request + n, room - (size_t)n, "%s\r\n", argv[i]);
	n += snprintf(l->request + n, room - (size_t)n, "\r\n");
	l->request_len = n;
}

static void
serve_orders(struct load *l)
{
	struct pollfd at[] = { { .fd = 0, .events = POLLIN }, { .fd = l->epoll_fd, .events = POLLIN } };
	char line[64];

	for (;;) {
		(void)poll(at, 2, -1);
		if (at[1].revents)
			(void)wait_some(l, 0);
		if (!at[0].revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return;
		if (strncmp(line, "expect ", 7) != 0)
			continue;
		for (size_t wanted = strtoul(line + 7, NULL, 10); l->received < wanted;)
			if (!wait_some(l, PATIENCE_MS))
				break;
		report(l);
	}
}

int
main(int argc, char **argv)
{
	static struct load l;

	if (argc < 5)
		return 2;
	(void)setvbuf(stdin, NULL, _IONBF, 0); /* poll must see what is there */
	l.port = (int)strtol(argv[1], NULL, 10);
	l.events = strcmp(argv[2], "events") == 0;
	l.count = strtoul(argv[4], NULL, 10);
	l.clients = calloc(l.count, sizeof(l.clients[0]));
	l.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!l.clients || l.epoll_fd < 0)
		fail("start");
	make_request(&l, argc, argv);
	while (l.open < l.count) {
		while (l.begun < l.count && l.begun - l.open < OPENING_MAX)
			begin_one(&l);
		if (!wait_some(&l, PATIENCE_MS))
			fail("opening");
	}
	(void)printf("open %zu\n", l.open);
	(void)fflush(stdout);
	serve_orders(&l);
	return 0;
}
