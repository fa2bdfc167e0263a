/* Streams from the opening to the end: what handlers are told, what goes over the wire, deadlines, closing from either side, stopping. */
#include "stream_fixture.h"
#include <unistd.h>

static struct streams *
started(void)
{
	struct streams *t = streams_new();

	streams_start(t);
	return t;
}

static void
a_text_is_heard_and_answered(void **state)
{
	static const char *const paths[] = { "/ws", "/later/ws" };
	struct streams *t = started();

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		int fd = ws_open(t, paths[i]);

		ws_text(fd, "grüß dich");
		ws_expect(fd, "grüß dich");
		ws_frame(fd, 0x88, "\x03\xe8", 2);
		assert_int_equal(ws_read_close(fd), 1000);
		assert_true(reads_end(fd));
		streams_wait(t, &t->closed, (int)i + 1);
		assert_int_equal(t->last_code, 1000);
		close(fd);
	}
	streams_free(t);
}

static void
a_frame_may_come_with_the_request(void **state)
{
	/* "hi", masked with zeros, in the same packet as the handshake. */
	static const char bytes[] =
		"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
		"\x81\x82\0\0\0\0hi";
	struct streams *t = started();
	int fd = streams_connect(t);
	char head[2048];

	(void)state;
	client_send_bytes(fd, bytes, sizeof(bytes) - 1);
	for (size_t n = 0; n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0; n++)
		assert_int_equal(read(fd, head + n, 1), 1);
	ws_expect(fd, "hi");
	close(fd);
	streams_free(t);
}

static void
events_are_written_as_the_standard_says(void **state)
{
	static const char *const paths[] = { "/events", "/later/events" };
	struct streams *t = streams_new();

	(void)state;
	t->options.hello = STR("retry: 2000\n\n");
	streams_start(t);
	for (size_t i = 0; i < COUNT(paths); i++) {
		int fd = events_open(t, paths[i]);

		streams_wait_open(t, i + 1);
		assert_int_equal(streams_send_all(t, "one\ntwo\r\n"), 1);
		events_expect(fd, "retry: 2000\n\nid: 7\nevent: tick\ndata: one\ndata: two\ndata: \n\n");
		close(fd);
		streams_wait(t, &t->closed, (int)i + 1);
		assert_int_equal(t->last_code, STREAM_CLOSE_ABNORMAL);
	}
	streams_free(t);
}

static void
one_message_reaches_many_in_order(void **state)
{
	enum { CLIENTS = 50, MESSAGES = 20 };
	struct streams *t = started();
	int fds[CLIENTS];
	char text[16];

	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = ws_open(t, "/ws");
	streams_wait_open(t, CLIENTS);
	for (int k = 0; k < MESSAGES; k++) {
		assert_in_range(snprintf(text, sizeof(text), "event %d", k), 1, sizeof(text) - 1);
		assert_int_equal(streams_send_all(t, text), CLIENTS);
	}
	for (int i = 0; i < CLIENTS; i++) {
		for (int k = 0; k < MESSAGES; k++) {
			assert_in_range(snprintf(text, sizeof(text), "event %d", k), 1, sizeof(text) - 1);
			ws_expect(fds[i], text);
		}
		close(fds[i]);
	}
	streams_wait(t, &t->closed, CLIENTS);
	assert_true(stream_hub_stats(t->hub).sent >= CLIENTS * MESSAGES);
	streams_free(t);
}

/* A stream whose deadline of 60 ms was taken back in time. */
static int
with_a_deadline_taken_back(struct streams *t)
{
	for (int tries = 0; tries < TRIES; tries++) {
		int fd = ws_open(t, "/ws");
		struct frame f;

		ws_text(fd, "deadline 60");
		ws_expect(fd, "deadline 60");
		ws_text(fd, "deadline 0");
		f = ws_read(fd);
		free(f.payload);
		if (f.b0 == 0x81)
			return fd;
		close(fd);
	}
	fail_msg("no deadline could be taken back");
	return -1;
}

static void
a_deadline_is_told_and_can_be_taken_back(void **state)
{
	struct streams *t = started();
	int kept = with_a_deadline_taken_back(t), fd = ws_open(t, "/ws"), expired = t->expired;

	(void)state;
	ws_text(fd, "deadline 40");
	ws_expect(fd, "deadline 40");
	assert_int_equal(ws_read_close(fd), STREAM_CLOSE_UNAUTHENTICATED);
	nap_ms(60);
	assert_int_equal(t->expired, expired + 1);
	ws_text(kept, "still here");
	ws_expect(kept, "still here");
	close(fd);
	close(kept);
	streams_free(t);
}

static void
closing_sends_what_waits_and_waits_for_the_answer(void **state)
{
	struct streams *t = started();
	int fd = ws_open(t, "/ws");
	struct frame f;

	(void)state;
	streams_wait_open(t, 1);
	assert_int_equal(streams_send_all(t, "last words"), 1);
	stream_close(t->open[0], STREAM_CLOSE_FORBIDDEN, STR("permission taken away"));
	stream_close(t->open[0], STREAM_CLOSE_NORMAL, STR("not sent"));
	assert_int_equal(streams_send_all(t, "too late"), 0);
	ws_expect(fd, "last words");
	f = ws_read(fd);
	assert_int_equal(f.b0, 0x88);
	assert_int_equal(f.n, 2 + 21);
	assert_memory_equal(f.payload, "\x11\x33permission taken away", 23);
	free(f.payload);
	assert_int_equal(t->closed, 0);
	ws_frame(fd, 0x88, "\x11\x33", 2);
	assert_true(reads_end(fd));
	close(fd);
	streams_wait(t, &t->closed, 1);
	assert_int_equal(t->last_code, STREAM_CLOSE_FORBIDDEN);
	streams_free(t);
}

static void
closing_events_ends_the_answer(void **state)
{
	struct streams *t = started();
	int fd = events_open(t, "/events");

	(void)state;
	streams_wait_open(t, 1);
	assert_int_equal(streams_send_all(t, "x"), 1);
	stream_close(t->open[0], STREAM_CLOSE_NORMAL, STR(""));
	events_expect(fd, "id: 7\nevent: tick\ndata: x\n\n");
	assert_true(reads_end(fd));
	close(fd);
	streams_wait(t, &t->closed, 1);
	assert_int_equal(t->last_code, STREAM_CLOSE_NORMAL);
	streams_free(t);
}

static void *
stop_hub(void *arg)
{
	struct streams *t = arg;

	stream_hub_stop(t->hub, PATIENCE_MS);
	return NULL;
}

static void
stopping_hints_to_connect_again(void **state)
{
	struct streams *t = started();
	int fd = ws_open(t, "/ws"), events = events_open(t, "/events"), late;
	pthread_t thread;
	struct frame f;

	(void)state;
	streams_wait_open(t, 2);
	assert_int_equal(pthread_create(&thread, NULL, stop_hub, t), 0);
	f = ws_read(fd);
	assert_int_equal(f.b0, 0x88);
	assert_memory_equal(f.payload, "\x03\xe9restart", 9);
	free(f.payload);
	ws_frame(fd, 0x88, "\x03\xe9", 2);
	assert_true(reads_end(fd));
	events_expect(events, "retry: ");
	while (!reads_end(events))
		continue;
	close(fd);
	close(events);
	pthread_join(thread, NULL);
	assert_int_equal(t->closed, 2);
	assert_int_equal(t->last_code, STREAM_CLOSE_GOING_AWAY);
	/* The server still answers, but no stream begins. */
	late = streams_connect(t);
	client_send(late, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
	events_expect(late, "HTTP/1.1 503 ");
	close(late);
	streams_free(t);
}

static void
stopping_does_not_wait_for_the_deaf(void **state)
{
	struct streams *t = started();
	int fd = ws_open(t, "/ws");
	int64_t begun;

	(void)state;
	streams_wait_open(t, 1);
	begun = monotonic_us();
	http_server_stop(t->server, 150);
	assert_true(monotonic_us() - begun >= 100000);
	assert_int_equal(t->closed, 1);
	assert_int_equal(ws_read_close(fd), STREAM_CLOSE_GOING_AWAY);
	close(fd);
	streams_free(t);
}

static void
streams_count_as_connections_of_their_address(void **state)
{
	struct streams *t = streams_new();
	char head[2048];
	int a, b, c;

	(void)state;
	t->http.connections_per_address = 2;
	streams_start(t);
	a = ws_open(t, "/ws");
	b = events_open(t, "/events");
	streams_wait_open(t, 2);
	streams_wait_connections(t, 2); /* the library's own are gone */
	c = ws_handshake(t, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n", head, sizeof(head));
	assert_memory_equal(head, "HTTP/1.1 429 ", 13);
	close(c);
	close(a);
	close(b);
	streams_wait(t, &t->closed, 2);
	c = ws_handshake(t, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n", head, sizeof(head));
	assert_memory_equal(head, "HTTP/1.1 200 ", 13);
	close(c);
	streams_free(t);
}

/* A stream that has begun within the time limits of requests. */
static int
open_in_time(const struct streams *t, const char *request)
{
	char head[2048];

	for (int tries = 0; tries < 10 * TRIES; tries++) {
		int fd = ws_handshake(t, request, head, sizeof(head));

		if (head[0])
			return fd;
		close(fd);
	}
	fail_msg("no stream was quick enough");
	return -1;
}

static void
time_limits_of_requests_leave_streams_alone(void **state)
{
	struct streams *t = streams_new();
	int fd, events;

	(void)state;
	t->http.idle_ms = 40;
	t->http.header_ms = 40;
	streams_start(t);
	fd = open_in_time(t,
		"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
	events = open_in_time(t, "GET /later/events HTTP/1.1\r\nHost: x\r\n\r\n");
	streams_wait_open(t, 2);
	nap_ms(150);
	assert_int_equal(streams_send_all(t, "x"), 2);
	ws_expect(fd, "x");
	events_expect(events, "id: 7\n");
	close(fd);
	close(events);
	streams_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_heard_and_answered),
		cmocka_unit_test(a_frame_may_come_with_the_request),
		cmocka_unit_test(events_are_written_as_the_standard_says),
		cmocka_unit_test(one_message_reaches_many_in_order),
		cmocka_unit_test(a_deadline_is_told_and_can_be_taken_back),
		cmocka_unit_test(closing_sends_what_waits_and_waits_for_the_answer),
		cmocka_unit_test(closing_events_ends_the_answer),
		cmocka_unit_test(stopping_hints_to_connect_again),
		cmocka_unit_test(stopping_does_not_wait_for_the_deaf),
		cmocka_unit_test(streams_count_as_connections_of_their_address),
		cmocka_unit_test(time_limits_of_requests_leave_streams_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
