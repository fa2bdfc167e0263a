/* Starting with bad options, answers from other threads under load, keep-alive and pipelining, limits on connections, and stopping. */
#include "fixture.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

static int
start(void **state)
{
	struct fixture *f = fixture_new();

	fixture_start(f);
	*state = f;
	return 0;
}

static int
stop(void **state)
{
	fixture_free(*state);
	return 0;
}

/* The message of the refusal, or NULL when it started (and was stopped again). */
static const char *
refusal(const char *listen, void (*change)(struct http_options *))
{
	struct fixture *f = fixture_new();
	struct str one = str_from_cstr(listen);
	static char message[512];
	struct err *e;

	f->options.listen = &one;
	f->options.listen_count = 1;
	if (change)
		change(&f->options);
	e = http_server_start(f->arena, &f->options, &f->server);
	if (e)
		assert_true(snprintf(message, sizeof(message), "%d %.*s", err_status(e),
				    STR_ARG(e->fields ? e->fields->message : e->message)) > 0);
	fixture_free(f);
	return e ? message : NULL;
}

static void
be_insecure(struct http_options *o)
{
	o->insecure_http = true;
}

static void
be_behind_proxy(struct http_options *o)
{
	o->behind_proxy = true;
}

static void
give_missing_key(struct http_options *o)
{
	o->tls_cert_file = STR("/nonexistent/cert.pem");
	o->tls_key_file = STR("/nonexistent/key.pem");
}

static void
give_only_cert(struct http_options *o)
{
	o->tls_cert_file = STR("/etc/hostname");
}

static void
give_no_pem(struct http_options *o)
{
	o->tls_cert_file = STR("/etc/passwd");
	o->tls_key_file = STR("/etc/passwd");
}

static void
bad_options_are_named(void **state)
{
	static const char *const bad[] = { "", "8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[::1]", "[::1:80", "999.0.0.1:80",
		"example.org:80" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *message = refusal(bad[i], NULL);

		assert_non_null(message);
		assert_non_null(strstr(message, "400 "));
	}
	assert_non_null(
		strstr(refusal("127.0.0.1:0", give_missing_key), "400 Cannot read /nonexistent/cert.pem."));
	assert_non_null(strstr(refusal("127.0.0.1:0", give_only_cert), "400 TLS needs both"));
	assert_non_null(strstr(refusal("127.0.0.1:0", give_no_pem), "400 /etc/passwd is not a PEM file."));
	assert_null(refusal("localhost:0", NULL));
	assert_null(refusal("[::1]:0", NULL));
}

static void
plain_http_stays_on_the_machine(void **state)
{
	(void)state;
	assert_non_null(strstr(refusal("0.0.0.0:0", NULL), "400 0.0.0.0:0 can be reached from outside"));
	assert_non_null(strstr(refusal("[::]:0", NULL), "400 [::]:0 can be reached from outside"));
	assert_null(refusal("127.3.2.1:0", NULL));
	assert_null(refusal("0.0.0.0:0", be_insecure));
	assert_null(refusal("0.0.0.0:0", be_behind_proxy));
}

static void
an_address_in_use_is_told(void **state)
{
	struct fixture *f = *state;
	char address[64];

	assert_true(
		snprintf(address, sizeof(address), "%.*s", STR_ARG(http_server_address(f->server, 0))) > 0);
	assert_non_null(strstr(refusal(address, NULL), "503 The address"));
}

static void
all_addresses_answer(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)fixture_port(f, 1)),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct reply r;

	assert_true(str_starts_with(http_server_address(f->server, 1), STR("[::1]:")));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	client_send(fd, "GET / HTTP/1.0\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body, "peer=::1 host=127.0.0.1:"));
	assert_true(client_is_closed(fd, PATIENCE_MS));
	reply_done(&r);
	close(fd);
}

static void
a_connection_serves_many_requests(void **state)
{
	int fd = client_open(*state);
	struct reply r;

	for (int i = 0; i < 200; i++) {
		client_send(fd, i % 3 == 0
					? "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
					: "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
		client_read(fd, false, &r);
		assert_int_equal(r.status, 200);
		reply_done(&r);
	}
	client_send(fd, "GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 204);
	assert_string_equal(reply_field(&r, "Connection"), "close");
	assert_true(client_is_closed(fd, PATIENCE_MS));
	close(fd);
}

static void
http_1_0_closes_unless_asked_to_stay(void **state)
{
	int fd = client_open(*state);
	struct reply r;

	client_send(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	reply_done(&r);
	client_send(fd, "GET / HTTP/1.0\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	assert_true(client_is_closed(fd, PATIENCE_MS));
	reply_done(&r);
	close(fd);
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	enum { REQUESTS = 300 };
	static char all[REQUESTS * 80];
	int fd = client_open(*state);
	size_t n = 0;
	struct reply r;

	for (size_t i = 0; i < REQUESTS; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "GET /%s/%zu HTTP/1.1\r\nHost: x\r\n\r\n",
			i % 5 == 4 ? "later" : "json", i + 1);
	client_send_bytes(fd, all, n);
	for (size_t i = 0; i < REQUESTS; i++) {
		client_read(fd, false, &r);
		assert_int_equal(r.status, 200);
		assert_int_equal(r.body_len, i + 1);
		reply_done(&r);
	}
	close(fd);
}

static void
chunked_bodies_arrive_whole(void **state)
{
	int fd = client_open(*state);
	struct reply r;

	client_send(fd, "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\nTrailer: T\r\n\r\n");
	for (int i = 0; i < 20; i++) {
		client_send(fd, "5\r\nab");
		usleep(500);
		client_send(fd, "cde\r\nA\r\n0123456789\r\n");
	}
	client_send(fd, "0\r\nT: u\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 300);
	assert_memory_equal(r.body, "abcde0123456789abcde", 20);
	reply_done(&r);
	close(fd);
}

/* libmicrohttpd 1.0.0 and 1.0.1 count the line's end behind an extension as data and refuse what follows. */
static void
chunk_extensions_are_passed_over_or_refused(void **state)
{
	const bool refuses = MHD_VERSION >= 0x01000000 && MHD_VERSION < 0x01000200;
	int fd = client_open(*state);
	struct reply r;

	client_send(fd, "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
			"5;ext=\"a\"\r\nabcde\r\n0\r\n\r\n");
	client_read(fd, false, &r);
	assert_int_equal(r.status, refuses ? 400 : 200);
	if (!refuses)
		assert_int_equal(r.body_len, 5);
	reply_done(&r);
	close(fd);
}

static void
large_bodies_go_both_ways(void **state)
{
	enum { BYTES = 5000000 };
	char *body = malloc(BYTES), head[100];
	int fd = client_open(*state);
	struct reply r;

	assert_non_null(body);
	for (size_t i = 0; i < BYTES; i++)
		body[i] = (char)(i * 2654435761u >> 13);
	for (int i = 0; i < 2; i++) {
		assert_true(
			snprintf(head, sizeof(head),
				"PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", BYTES) > 0);
		client_send(fd, head);
		client_send_bytes(fd, body, BYTES);
		client_read(fd, false, &r);
		assert_int_equal(r.status, 200);
		assert_int_equal(r.body_len, BYTES);
		assert_memory_equal(r.body, body, BYTES);
		reply_done(&r);
	}
	free(body);
	close(fd);
}

/* How many of 50 took as long as a delayed acknowledgement. */
static int
late_answers(int fd, const char *request)
{
	int late = 0;

	for (int n = 0; n < 50; n++) {
		int64_t begun = monotonic_us();
		struct reply r;

		client_send(fd, request);
		client_read(fd, false, &r);
		assert_int_equal(r.status, 200);
		reply_done(&r);
		late += monotonic_us() - begun > 35000;
	}
	return late;
}

/* Delayed acknowledgement against Nagle's algorithm would cost 40 ms for each answer that is sent in pieces. */
static void
answers_do_not_wait_for_acknowledgements(void **state)
{
	static const char *const sizes[] = { "10", "1300", "1460", "3000", "20000", "100000" };
	int fd = client_open(*state);

	for (size_t i = 0; i < COUNT(sizes); i++) {
		char request[100];
		int tries = 0;

		assert_true(snprintf(request, sizeof(request), "GET /%s/%s HTTP/1.1\r\nHost: x\r\n\r\n",
				    i % 2 ? "later" : "json", sizes[i]) > 0);
		while (late_answers(fd, request) > 25)
			assert_true(++tries < TRIES);
	}
	close(fd);
}

struct load {
	struct fixture *f;
	int requests;
	_Atomic int *good;
};

static void *
run_load(void *arg)
{
	struct load *l = arg;
	int fd = client_open(l->f);

	for (int i = 0; i < l->requests; i++) {
		struct reply r;

		client_send(fd, i % 2 ? "GET /later/3000 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
				      : "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
		client_read(fd, false, &r);
		if (r.status == 200)
			++*l->good;
		reply_done(&r);
	}
	close(fd);
	return NULL;
}

static void
answers_come_from_other_threads_under_load(void **state)
{
	enum { CLIENTS = 24, EACH = 150 };
	_Atomic int good = 0;
	struct load l = { .f = *state, .requests = EACH, .good = &good };
	pthread_t threads[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_load, &l), 0);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(good, CLIENTS * EACH);
}

/* MHD asks epoll for 128 events; given just as many it would wait for more before it looks at them. */
static void
as_many_requests_at_once_as_the_library_asks_for_are_answered(void **state)
{
	enum { CLIENTS = 128 };
	struct fixture *f = fixture_new();
	int busy, fds[CLIENTS];
	struct reply r;

	(void)state;
	f->options.threads = 1;
	fixture_start(f);
	busy = client_open(f);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_open(f);
		client_send(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		client_read(fds[i], false, &r);
		reply_done(&r);
	}
	client_send(busy, "GET /nap HTTP/1.1\r\nHost: x\r\n\r\n");
	usleep(30000);
	for (int i = 0; i < CLIENTS; i++)
		client_send(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < CLIENTS; i++) {
		client_read(fds[i], false, &r);
		assert_int_equal(r.status, 200);
		reply_done(&r);
		close(fds[i]);
	}
	client_read(busy, false, &r);
	reply_done(&r);
	close(busy);
	fixture_free(f);
}

static void
a_client_that_leaves_early_harms_nobody(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 50; i++) {
		int fd = client_open(f);

		client_send(fd, i % 2 ? "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
				      : "GET /json/1000000 HTTP/1.1\r\nHost: x\r\n\r\n");
		if (i % 5 == 0)
			usleep(1000);
		close(fd);
	}
	hold_wait(f, 1);
	usleep(50000);
	hold_release(f);
	assert_int_equal(ask_status(f, REQUEST), 200);
}

static void
connections_are_limited_by_address_and_in_all(void **state)
{
	struct fixture *f = fixture_new();
	struct reply r;
	int fds[6], last;

	(void)state;
	f->options.connections_per_address = 3;
	f->options.connections_max = 5;
	fixture_start(f);
	for (int i = 0; i < 5; i++) {
		fds[i] = client_open_from(f, i < 3 ? "127.0.0.1" : "127.0.0.2");
		client_send(fds[i], REQUEST);
		client_read(fds[i], false, &r);
		assert_int_equal(r.status, 200);
		reply_done(&r);
		if (i == 2) {
			fds[5] = client_open_from(f, "127.0.0.1");
			client_read(fds[5], false, &r);
			assert_int_equal(r.status, 429);
			reply_done(&r);
			close(fds[5]);
		}
	}
	fds[5] = client_open_from(f, "127.0.0.3");
	client_read(fds[5], false, &r);
	assert_int_equal(r.status, 503);
	assert_non_null(reply_field(&r, "Retry-After"));
	reply_done(&r);
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	for (int i = 0; i < PATIENCE_MS && http_server_stats(f->server).connections; i++)
		usleep(1000);
	last = client_open(f);
	client_send(last, REQUEST);
	client_read(last, false, &r);
	assert_int_equal(r.status, 200);
	reply_done(&r);
	close(last);
	fixture_free(f);
}

static void *
stop_in_thread(void *arg)
{
	struct fixture *f = arg;

	http_server_stop(f->server, PATIENCE_MS);
	return NULL;
}

/* Until a server that is being stopped takes no more connections. */
static void
wait_until_refused(const struct fixture *f)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)fixture_port(f, 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool taken = true;

	for (int i = 0; taken && i < PATIENCE_MS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_true(fd >= 0);
		taken = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
		close(fd);
		if (taken)
			usleep(1000);
	}
	assert_false(taken);
}

static void
stopping_answers_what_is_under_way(void **state)
{
	struct fixture *f = fixture_new();
	pthread_t stopper;
	struct reply r;
	int fd, idle;

	(void)state;
	fixture_start(f);
	fd = client_open(f);
	idle = client_open(f);
	client_send(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
	hold_wait(f, 1);
	assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, f), 0);
	wait_until_refused(f);
	hold_release(f);
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "released");
	assert_string_equal(reply_field(&r, "Connection"), "close");
	pthread_join(stopper, NULL);
	assert_true(client_is_closed(idle, PATIENCE_MS));
	reply_done(&r);
	close(fd);
	close(idle);
	fixture_free(f);
}

static _Atomic bool dawdles;
static _Atomic int dawdling;

/* Before the library's own: who dawdles has woken the worker and still is in there. */
void
MHD_resume_connection(struct MHD_Connection *c)
{
	void *found = dlsym(RTLD_NEXT, "MHD_resume_connection");
	void (*really)(struct MHD_Connection *);

	assert_non_null(found);
	memcpy(&really, &found, sizeof(really));
	dawdling += dawdles;
	really(c);
	if (dawdles) {
		usleep(300000);
		dawdling--;
	}
}

static void *
release_in_thread(void *arg)
{
	hold_release(arg);
	return NULL;
}

static void
stopping_waits_for_who_is_waking_a_worker(void **state)
{
	struct fixture *f = fixture_new();
	pthread_t releaser;
	struct reply r;
	int fd;

	(void)state;
	fixture_start(f);
	fd = client_open(f);
	client_send(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
	hold_wait(f, 1);
	dawdles = true;
	assert_int_equal(pthread_create(&releaser, NULL, release_in_thread, f), 0);
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	http_server_stop(f->server, PATIENCE_MS);
	assert_int_equal(dawdling, 0);
	pthread_join(releaser, NULL);
	dawdles = false;
	reply_done(&r);
	close(fd);
	fixture_free(f);
}

static void
stopping_does_not_wait_for_ever_and_late_answers_are_dropped(void **state)
{
	struct fixture *f = fixture_new();
	int64_t begun;
	int fds[20];

	(void)state;
	fixture_start(f);
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = client_open(f);
		client_send(
			fds[i], "POST /hold?with=query HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
	}
	hold_wait(f, COUNT(fds));
	begun = monotonic_us();
	http_server_stop(f->server, 200); /* nothing is released before it returns */
	assert_true(monotonic_us() - begun >= 200000);
	for (size_t i = 0; i < COUNT(fds); i++) {
		assert_true(client_is_closed(fds[i], PATIENCE_MS));
		close(fds[i]);
	}
	/* The request must still be readable for those who work on it. */
	for (size_t i = 0; i < COUNT(fds); i++) {
		assert_true(str_eq(http_request(f->held[i])->query, STR("with=query")));
		assert_true(str_eq(http_header(f->held[i], "hOST"), STR("x")));
		assert_true(str_eq(http_request(f->held[i])->body, STR("abc")));
	}
	hold_release(f);
	fixture_free(f);
}

static void
stopping_under_load_loses_no_answer_half_way(void **state)
{
	enum { CLIENTS = 8 };

	(void)state;
	for (int round = 0; round < 5; round++) {
		struct fixture *f = fixture_new();
		int fds[CLIENTS], answered = 0;

		fixture_start(f);
		for (int i = 0; i < CLIENTS; i++) {
			fds[i] = client_open(f);
			client_send(fds[i], "GET /later/20000 HTTP/1.1\r\nHost: x\r\n\r\nGET /later/20000 "
					    "HTTP/1.1\r\nHost: x\r\n\r\n");
		}
		usleep((useconds_t)round * 700);
		http_server_stop(f->server, PATIENCE_MS);
		for (int i = 0; i < CLIENTS; i++) {
			struct reply r;

			/* Either an answer comes whole or none begins. */
			do {
				client_read(fds[i], false, &r);
				answered += r.status == 200;
				reply_done(&r);
			} while (r.status == 200);
			close(fds[i]);
		}
		assert_int_equal(answered, f->handled);
		fixture_free(f);
	}
}

static void
statistics_count(void **state)
{
	struct fixture *f = fixture_new();
	struct http_stats s;
	struct reply r;
	int fd;

	(void)state;
	fixture_start(f);
	fd = client_open(f);
	client_send(fd, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
	client_read(fd, false, &r);
	reply_done(&r);
	s = http_server_stats(f->server);
	assert_int_equal(s.connections, 1);
	assert_int_equal(s.requests, 1);
	assert_int_equal(s.bytes_in, 3);
	assert_int_equal(s.bytes_out, 3);
	close(fd);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_options_are_named),
		cmocka_unit_test(plain_http_stays_on_the_machine),
		cmocka_unit_test(an_address_in_use_is_told),
		cmocka_unit_test(all_addresses_answer),
		cmocka_unit_test(a_connection_serves_many_requests),
		cmocka_unit_test(http_1_0_closes_unless_asked_to_stay),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(chunked_bodies_arrive_whole),
		cmocka_unit_test(chunk_extensions_are_passed_over_or_refused),
		cmocka_unit_test(large_bodies_go_both_ways),
		cmocka_unit_test(answers_do_not_wait_for_acknowledgements),
		cmocka_unit_test(answers_come_from_other_threads_under_load),
		cmocka_unit_test(as_many_requests_at_once_as_the_library_asks_for_are_answered),
		cmocka_unit_test(a_client_that_leaves_early_harms_nobody),
		cmocka_unit_test(connections_are_limited_by_address_and_in_all),
		cmocka_unit_test(stopping_answers_what_is_under_way),
		cmocka_unit_test(stopping_waits_for_who_is_waking_a_worker),
		cmocka_unit_test(stopping_does_not_wait_for_ever_and_late_answers_are_dropped),
		cmocka_unit_test(stopping_under_load_loses_no_answer_half_way),
		cmocka_unit_test(statistics_count),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
