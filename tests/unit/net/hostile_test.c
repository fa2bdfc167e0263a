/* Requests that are malformed, ambiguous, too large or too slow: each is refused with its status, and the server goes on. */
#include "fixture.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

static int
start(void **state)
{
	struct fixture *f = fixture_new();

	f->options.body_bytes_max = 100000;
	fixture_start(f);
	*state = f;
	return 0;
}

static int
stop(void **state)
{
	assert_int_equal(ask_status(*state, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
	fixture_free(*state);
	return 0;
}

/* Of 800 ms for pauses and 600 ms for a header; one look of the keeper, 150 ms, may be missing. */
static struct fixture *
impatient_server(void)
{
	struct fixture *f = fixture_new();

	f->options.idle_ms = 800;
	f->options.header_ms = 600;
	fixture_start(f);
	return f;
}

/* Refused with 400 or without a word, the handler not called, the connection closed. */
static void
assert_refused(struct fixture *f, const char *request, size_t n)
{
	int handled = f->handled, fd = client_open(f);
	struct reply r;

	client_send_bytes(fd, request, n);
	client_read(fd, false, &r);
	if (r.status != 0 && r.status != 400)
		fail_msg("answered %d: %s", r.status, request);
	assert_int_equal(f->handled, handled);
	assert_true(client_is_closed(fd, PATIENCE_MS));
	reply_done(&r);
	close(fd);
}

#define REFUSED(f, literal) assert_refused((f), (literal), sizeof(literal) - 1)

static void
ambiguous_framing_is_refused(void **state)
{
	struct fixture *f = *state;

	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
		   "chunked\r\n\r\n0\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
		   "identity\r\n\r\n0\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0b"
		   "chunked\r\n\r\n0\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\n Content-Length: 3\r\n\r\nabc");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n x\r\n\r\nabc");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n");
	REFUSED(f, "POST / HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 3\r\n\r\nabc");
}

static void
malformed_headers_are_refused(void **state)
{
	struct fixture *f = impatient_server(); /* some could still become a request */

	(void)state;
	REFUSED(f, "GET / HTTP/1.1\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x\r\n: no name\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x\r\nA(b: c\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x\r\nA\xc3\xa4: c\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n");
	REFUSED(f, "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "GET nothing HTTP/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "GET * HTTP/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "G(T / HTTP/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "GET / HTTX/1.1\r\nHost: x\r\n\r\n");
	REFUSED(f, "GET /\r\n\r\n");
	REFUSED(f, "GET / HTTP/1.1\nHost: x\n\n");
	REFUSED(f, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
	fixture_free(f);
}

static void
malformed_chunks_are_refused(void **state)
{
#define CHUNKED "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	struct fixture *f = *state;

	REFUSED(f, CHUNKED "x\r\n\r\n");
	REFUSED(f, CHUNKED "-1\r\na\r\n0\r\n\r\n");
	REFUSED(f, CHUNKED "3\r\nabcd\r\n0\r\n\r\n");
	REFUSED(f, CHUNKED "3 \r\nabc\r\n0\r\n\r\n");
	assert_int_equal(ask_status(f, CHUNKED "fffffffffffffffff\r\na\r\n0\r\n\r\n"), 413);
}

static void
versions_other_than_1_are_refused(void **state)
{
	assert_int_equal(ask_status(*state, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
	assert_int_equal(ask_status(*state, "GET / HTTP/0.9\r\nHost: x\r\n\r\n"), 505);
}

static int
status_with_header_of(struct fixture *f, size_t fields, size_t each)
{
	static char request[20000];
	size_t n = 0;

	n += (size_t)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: x\r\n");
	for (size_t i = 0; i < fields; i++) {
		n += (size_t)snprintf(request + n, sizeof(request) - n, "X-%zu: ", i);
		memset(request + n, 'a', each);
		n += each;
		n += (size_t)snprintf(request + n, sizeof(request) - n, "\r\n");
	}
	(void)snprintf(request + n, sizeof(request) - n, "\r\n");
	return ask_status(f, request);
}

static int
status_with_target_of(struct fixture *f, size_t len)
{
	static char request[20000];
	size_t n = (size_t)snprintf(request, sizeof(request), "GET /");

	memset(request + n, 'a', len);
	n += len;
	(void)snprintf(request + n, sizeof(request) - n, " HTTP/1.1\r\nHost: x\r\n\r\n");
	return ask_status(f, request);
}

static void
headers_and_targets_have_a_limit(void **state)
{
	assert_int_equal(status_with_header_of(*state, 10, 300), 200);
	assert_int_equal(status_with_header_of(*state, 1, 3700), 200);
	assert_int_equal(status_with_header_of(*state, 1, 4600), 431);
	assert_int_equal(status_with_header_of(*state, 1, 16000), 431);
	assert_int_equal(status_with_header_of(*state, 30, 10), 200);
	assert_int_equal(status_with_header_of(*state, 70, 10), 431);
	assert_int_equal(status_with_target_of(*state, 3700), 200);
	assert_int_equal(status_with_target_of(*state, 16000), 414);
	for (size_t n = 4000; n < 7000; n += 50) {
		int status = status_with_header_of(*state, 1, n);

		/* Where the header just fits, MHD has no room left to answer and closes. */
		if (status != 200 && status != 431 && (status != 0 || n < 5850 || n > 6144))
			fail_msg("a field of %zu bytes: %d", n, status);
		status = status_with_target_of(*state, n);
		if (status != 200 && status != 431 && status != 414 && (status != 0 || n < 5850 || n > 6144))
			fail_msg("a target of %zu bytes: %d", n, status);
	}
}

static int
status_of_body(struct fixture *f, const char *path, size_t declared, size_t sent, struct reply *r)
{
	char head[200], *body = calloc(1, sent + 1);
	int fd = client_open(f);

	assert_non_null(body);
	assert_true(snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
			    path, declared) > 0);
	client_send(fd, head);
	client_send_bytes(fd, body, sent);
	client_read(fd, false, r);
	free(body);
	close(fd);
	return r->status;
}

static void
bodies_have_a_limit_by_path(void **state)
{
	struct reply r;

	assert_int_equal(status_of_body(*state, "/x", 100000, 100000, &r), 200);
	reply_done(&r);
	assert_int_equal(status_of_body(*state, "/x", 100001, 100001, &r), 413);
	assert_string_equal(r.body, "{\"fault\":\"TOO_LARGE\"}");
	reply_done(&r);
	assert_int_equal(status_of_body(*state, "/small", 1000, 1000, &r), 200);
	reply_done(&r);
	assert_int_equal(status_of_body(*state, "/small", 1001, 1001, &r), 413);
	reply_done(&r);
	/* A body far too large is refused before it is read. */
	assert_int_equal(status_of_body(*state, "/x", (size_t)1 << 40, 10, &r), 413);
	reply_done(&r);
	assert_int_equal(status_of_body(*state, "/x", SIZE_MAX, 10, &r), 413);
	reply_done(&r);
}

static void
a_refused_body_leaves_the_connection_usable(void **state)
{
	int fd = client_open(*state);
	static char body[100001];
	struct reply r;

	client_send(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n");
	client_send_bytes(fd, body, sizeof(body));
	client_read(fd, false, &r);
	assert_int_equal(r.status, 413);
	reply_done(&r);
	client_send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	reply_done(&r);
	close(fd);
}

static void
a_chunked_body_has_the_same_limit(void **state)
{
	int fd = client_open(*state);
	static char chunk[50000];
	struct reply r;

	client_send(fd, "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++) {
		client_send(fd, "c350\r\n");
		client_send_bytes(fd, chunk, sizeof(chunk));
		client_send(fd, "\r\n");
	}
	client_send(fd, "0\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 413);
	reply_done(&r);
	close(fd);
}

static size_t
deflated(const char *p, size_t n, char *out, size_t room)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static int
status_of_packed(struct fixture *f, const char *coding, const void *p, size_t n, struct reply *r)
{
	char head[200];
	int fd = client_open(f);

	assert_true(snprintf(head, sizeof(head),
			    "POST /body HTTP/1.1\r\nHost: x\r\nContent-Encoding: %s\r\nContent-Length: "
			    "%zu\r\n\r\n",
			    coding, n) > 0);
	client_send(fd, head);
	client_send_bytes(fd, p, n);
	client_read(fd, false, r);
	close(fd);
	return r->status;
}

static void
a_gzip_body_is_expanded_within_the_limit(void **state)
{
	static char plain[2000000], packed[20000];
	struct reply r;
	size_t n;

	memset(plain, 'a', sizeof(plain));
	n = deflated(plain, 90000, packed, sizeof(packed));
	assert_int_equal(status_of_packed(*state, "gzip", packed, n, &r), 200);
	assert_int_equal(r.body_len, 90000);
	assert_memory_equal(r.body, plain, 90000);
	reply_done(&r);
	n = deflated(plain, sizeof(plain), packed, sizeof(packed));
	assert_int_equal(status_of_packed(*state, "GZIP", packed, n, &r), 413);
	reply_done(&r);
	assert_int_equal(status_of_packed(*state, "gzip", "not gzip at all", 15, &r), 400);
	reply_done(&r);
	assert_int_equal(status_of_packed(*state, "gzip", packed, n / 2, &r) / 100, 4);
	reply_done(&r);
	assert_int_equal(status_of_packed(*state, "br", "x", 1, &r), 415);
	reply_done(&r);
	assert_int_equal(status_of_packed(*state, "identity", "x", 1, &r), 200);
	reply_done(&r);
}

static void
expect_100_continue_asks_before_sending(void **state)
{
	int fd = client_open(*state);
	struct reply r;

	client_send(
		fd, "POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 100);
	client_send(fd, "abc");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "abc");
	reply_done(&r);
	client_send(fd,
		"POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 413);
	assert_true(client_is_closed(fd, PATIENCE_MS));
	reply_done(&r);
	close(fd);
}

/* Sends a byte of text every 50 ms and says after how many ms the server had enough. */
static int64_t
patience_with(struct fixture *f, const char *opening, const char *trickle)
{
	int64_t begun = monotonic_us() / 1000;
	int fd = client_open(f);
	size_t n = strlen(trickle), i = 0;

	client_send(fd, opening);
	while (!client_is_closed(fd, 50)) {
		assert_true(monotonic_us() / 1000 - begun < PATIENCE_MS);
		client_send_bytes(fd, trickle + (n ? i++ % n : 0), n ? 1 : 0);
	}
	close(fd);
	return monotonic_us() / 1000 - begun;
}

static void
slow_clients_are_cut(void **state)
{
	struct fixture *f = impatient_server();

	(void)state;
	/* Nothing at all, a request line that never ends, a header that never ends, a body that never ends. */
	assert_true(patience_with(f, "", "") >= 600);
	assert_true(patience_with(f, "GET /", "a") >= 600);
	assert_true(patience_with(f, "GET / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n") >= 400);
	assert_true(
		patience_with(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", "a") >= 600);
	fixture_free(f);
}

static void
a_client_that_does_not_read_is_cut(void **state)
{
	struct fixture *f = impatient_server();
	int64_t begun = monotonic_us() / 1000;
	int fd = client_open(f);

	(void)state;
	client_send(fd, "GET /json/30000000 HTTP/1.1\r\nHost: x\r\n\r\n");
	while (f->handled == 0)
		usleep(1000);
	for (int i = 0; i < PATIENCE_MS && http_server_stats(f->server).connections > 0; i++)
		usleep(1000);
	assert_int_equal(http_server_stats(f->server).connections, 0);
	assert_true(monotonic_us() / 1000 - begun >= 600);
	close(fd);
	fixture_free(f);
}

/* For two seconds, 200 bytes at a time. */
static bool
is_heard_out(const struct fixture *f)
{
	static char piece[200];
	int fd = client_open(f);
	struct reply r;

	client_send(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n");
	for (int i = 0; i < 100; i++) {
		client_send_bytes(fd, piece, sizeof(piece));
		usleep(20000);
	}
	client_read(fd, false, &r);
	reply_done(&r);
	close(fd);
	return r.status == 200;
}

static void
a_client_that_keeps_on_sending_is_not_cut(void **state)
{
	struct fixture *f = impatient_server();
	int tries = 0;

	(void)state;
	while (!is_heard_out(f))
		assert_true(++tries < TRIES);
	fixture_free(f);
}

/* ---- a machine that stands still ---- */

#define STILL_CLIENTS 20
#define STILL_MS      1500 /* the limits of its server */

/* In a process of its own, which tells its port and can be stopped. */
static void
serve_until_killed(int told)
{
	struct fixture *f = fixture_new();
	int port;

	f->options.idle_ms = STILL_MS;
	f->options.header_ms = STILL_MS;
	fixture_start(f);
	port = fixture_port(f, 0);
	if (write(told, &port, sizeof(port)) != sizeof(port))
		_exit(1);
	for (;;)
		pause();
}

static int
connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* How many of them are answered whose requests come while the server stands still for longer than it would wait for them. */
static int
answered_after_standing_still(pid_t server, int port)
{
	int fds[STILL_CLIENTS], answered = 0;

	for (int i = 0; i < STILL_CLIENTS; i++) {
		fds[i] = connect_to(port);
		client_send(fds[i], "GET / HTTP/1.1\r\n");
	}
	usleep(100000);
	assert_int_equal(kill(server, SIGSTOP), 0);
	for (int i = 0; i < STILL_CLIENTS; i++)
		client_send(fds[i], "Host: x\r\n\r\n");
	usleep((STILL_MS + 1000) * 1000);
	assert_int_equal(kill(server, SIGCONT), 0);
	for (int i = 0; i < STILL_CLIENTS; i++) {
		struct reply r;

		client_read(fds[i], false, &r);
		answered += r.status == 200;
		reply_done(&r);
		close(fds[i]);
	}
	return answered;
}

static void
who_waits_for_a_machine_that_stands_still_is_not_cut(void **state)
{
	int ends[2], port, tries = 0, status;
	pid_t server;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	server = fork();
	assert_true(server >= 0);
	if (server == 0)
		serve_until_killed(ends[1]);
	assert_int_equal(read(ends[0], &port, sizeof(port)), sizeof(port));
	while (answered_after_standing_still(server, port) < STILL_CLIENTS)
		assert_true(++tries < 4);
	kill(server, SIGKILL);
	assert_int_equal(waitpid(server, &status, 0), server);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	/* First, because it forks and the others have threads. */
	const struct CMUnitTest still[] = {
		cmocka_unit_test(who_waits_for_a_machine_that_stands_still_is_not_cut),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ambiguous_framing_is_refused),
		cmocka_unit_test(malformed_headers_are_refused),
		cmocka_unit_test(malformed_chunks_are_refused),
		cmocka_unit_test(versions_other_than_1_are_refused),
		cmocka_unit_test(headers_and_targets_have_a_limit),
		cmocka_unit_test(bodies_have_a_limit_by_path),
		cmocka_unit_test(a_refused_body_leaves_the_connection_usable),
		cmocka_unit_test(a_chunked_body_has_the_same_limit),
		cmocka_unit_test(a_gzip_body_is_expanded_within_the_limit),
		cmocka_unit_test(expect_100_continue_asks_before_sending),
		cmocka_unit_test(slow_clients_are_cut),
		cmocka_unit_test(a_client_that_does_not_read_is_cut),
		cmocka_unit_test(a_client_that_keeps_on_sending_is_not_cut),
	};

	int failed = cmocka_run_group_tests(still, NULL, NULL);

	return failed + cmocka_run_group_tests(tests, start, stop);
}
