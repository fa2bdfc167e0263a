/*
 * Streams against bad peers and bad luck: messages that never end, readers that never read, peers that are gone without a word, no
 * descriptor left, thousands of half-open handshakes, and everything at once from many threads (the test for ThreadSanitizer).
 */
#include "stream_fixture.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIG_BYTES 16384

static struct streams *
started(int ping_ms, int message_ms)
{
	struct streams *t = streams_new();

	t->options.ping_ms = ping_ms;
	t->options.message_ms = message_ms;
	streams_start(t);
	return t;
}

static void
a_message_has_to_end_in_its_time(void **state)
{
	struct streams *t = started(0, 120);
	int drop = ws_open(t, "/ws"), endless = ws_open(t, "/ws"), lively = ws_open(t, "/ws");

	(void)state;
	/* One byte of a frame of 50 every 20 ms; empty fragments for ever; and one whose fragments come together, so always in time. */
	client_send_bytes(drop, "\x81\xb2\0\0\0\0", 6);
	ws_frame(endless, 0x01, "a", 1);
	for (int i = 0; i < 12; i++) {
		client_send_bytes(drop, "x", 1);
		ws_frame(endless, 0x00, "", 0);
		ws_frame(endless, 0x89, "", 0);
		client_send_bytes(lively, "\x01\x82\0\0\0\0be\x80\x83\0\0\0\0gun", 17);
		nap_ms(20);
		ws_expect(lively, "begun");
	}
	assert_int_equal(ws_read_close(drop), STREAM_CLOSE_POLICY);
	assert_int_equal(ws_read_close(endless), STREAM_CLOSE_POLICY);
	close(drop);
	close(endless);
	close(lively);
	streams_free(t);
}

/* Whether who answers is kept for ten pings. */
static bool
is_kept_while_it_answers(const struct streams *t)
{
	int fd = ws_open(t, "/ws");
	bool kept = true;

	for (int i = 0; i < 10 && kept; i++) {
		struct frame f = ws_read(fd);

		kept = f.b0 != -1;
		if (kept) {
			assert_int_equal(f.b0, 0x89);
			ws_frame(fd, 0x8a, f.payload, f.n);
		}
		free(f.payload);
	}
	close(fd);
	return kept;
}

static void
a_peer_that_answers_no_ping_is_given_up(void **state)
{
	struct streams *t = started(40, 0);
	int deaf = ws_open(t, "/quiet"), tries = 0;

	(void)state;
	streams_wait(t, &t->closed, 1);
	assert_int_equal(t->last_code, STREAM_CLOSE_ABNORMAL);
	assert_int_equal(ws_read_close(deaf), STREAM_CLOSE_ABNORMAL);
	close(deaf);
	while (!is_kept_while_it_answers(t))
		assert_true(++tries < TRIES);
	streams_free(t);
}

static void
idle_events_are_kept_alive_by_comments(void **state)
{
	struct streams *t = started(40, 0);
	int fd = events_open(t, "/events");

	(void)state;
	events_expect(fd, ":\n\n:\n\n:\n\n");
	assert_int_equal(t->closed, 0);
	close(fd);
	streams_free(t);
}

/* No FIN and no RST: only the next thing that is sent finds out. */
static void
a_peer_that_vanished_is_found(void **state)
{
	struct streams *t = started(60, 0);
	int fds[2] = { ws_open(t, "/ws"), events_open(t, "/events") }, repair = 1;

	(void)state;
	streams_wait_open(t, 2);
	for (size_t i = 0; i < COUNT(fds); i++) {
		if (setsockopt(fds[i], IPPROTO_TCP, TCP_REPAIR, &repair, sizeof(repair)) != 0) {
			print_message("skipped: only root may make a socket vanish\n");
			close(fds[i]);
			continue;
		}
		close(fds[i]);
	}
	streams_wait(t, &t->closed, 2);
	assert_int_equal(t->last_code, STREAM_CLOSE_ABNORMAL);
	streams_free(t);
}

static void
a_reset_ends_the_stream(void **state)
{
	struct streams *t = started(0, 0);
	const struct linger now = { .l_onoff = 1 };
	int fd = ws_open(t, "/ws");

	(void)state;
	ws_frame(fd, 0x01, "half a mess", 11);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
	streams_wait(t, &t->closed, 1);
	assert_int_equal(t->last_code, STREAM_CLOSE_ABNORMAL);
	streams_free(t);
}

/* Sends until the one open stream refuses; the number of messages it took. */
static int
send_until_cut(struct streams *t)
{
	char *big = calloc(1, BIG_BYTES + 1);
	int taken = 0;

	assert_non_null(big);
	memset(big, 'x', BIG_BYTES);
	while (streams_send_all(t, big) == 1) {
		assert_true(stream_hub_stats(t->hub).bytes_queued <=
			    (int64_t)(t->options.queue_bytes_max + BIG_BYTES + 64));
		assert_true(++taken < 10000);
	}
	free(big);
	return taken;
}

static void
a_slow_reader_is_cut_and_costs_no_memory(void **state)
{
	static const char *const paths[] = { "/ws", "/events" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct streams *t = streams_new();
		char sink[4096];
		int fd, taken;

		t->options.queue_bytes_max = 100000;
		streams_start(t);
		fd = i ? events_open(t, paths[i]) : ws_open(t, paths[i]);
		streams_wait_open(t, 1);
		taken = send_until_cut(t);
		assert_int_equal(stream_hub_stats(t->hub).cut, 1);
		/* What waited is gone at once, but what the socket has a part of. */
		assert_true(stream_hub_stats(t->hub).bytes_queued < BIG_BYTES + 64);
		assert_int_equal(streams_send_all(t, "too late"), 0);
		if (i == 0)
			assert_int_equal(ws_read_close(fd), STREAM_CLOSE_TRY_LATER);
		while (read(fd, sink, sizeof(sink)) > 0)
			continue;
		close(fd);
		streams_wait(t, &t->closed, 1);
		assert_int_equal(t->last_code, STREAM_CLOSE_TRY_LATER);
		/* The kernel's share is bounded as well: far less than the megabytes it would take. */
		assert_true(taken * BIG_BYTES < (8 << 20));
		streams_free(t);
	}
}

static void
pings_of_one_who_reads_no_pongs_are_bounded(void **state)
{
	struct streams *t = streams_new();
	static const char payload[125] = "p";
	struct pollfd at;

	(void)state;
	t->options.queue_bytes_max = 20000;
	streams_start(t);
	at = (struct pollfd){ .fd = ws_open(t, "/ws"), .events = POLLOUT };
	while (stream_hub_stats(t->hub).cut == 0 && poll(&at, 1, PATIENCE_MS) == 1)
		ws_frame(at.fd, 0x89, payload, sizeof(payload));
	assert_int_equal(stream_hub_stats(t->hub).cut, 1);
	assert_true(stream_hub_stats(t->hub).bytes_queued < 1000);
	close(at.fd);
	streams_free(t);
}

static void
without_a_descriptor_a_stream_does_not_begin(void **state)
{
	static const char *const requests[] = {
		"GET /events HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
	};
	struct streams *t = started(0, 0);
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 3,
		.rlim_max = before.rlim_max }; /* which standard streams have */
	for (size_t i = 0; i < COUNT(requests); i++) {
		int fd = streams_connect(t);

		streams_wait_connections(t, 1);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		client_send(fd, requests[i]);
		streams_wait(t, &t->stillborn, (int)i + 1);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		while (!reads_end(fd))
			continue;
		close(fd);
		streams_wait_connections(t, 0);
	}
	assert_int_equal(t->closed, 2);
	assert_int_equal(t->opened, 0);
	/* And it goes on when there is one again. */
	close(events_open(t, "/events"));
	streams_free(t);
}

/* As many as the system allows descriptors for, two each, after all that it allows have been asked for. */
static int
half_open_count(void)
{
	enum { MOST = 3000, OTHERS = 300 };
	struct rlimit r;
	rlim_t room;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
	assert_true(r.rlim_cur > 2 * OTHERS);
	room = (r.rlim_cur - OTHERS) / 2;
	return room < MOST ? (int)room : MOST;
}

static void
half_open_handshakes_do_not_disturb(void **state)
{
	static const char half[] = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConn";
	const int count = half_open_count();
	struct streams *t = streams_new();
	int *fds = calloc((size_t)count, sizeof(int)), stream;
	int64_t quickest = INT64_MAX;

	(void)state;
	assert_non_null(fds);
	t->http.header_ms = 10 * PATIENCE_MS;
	streams_start(t);
	stream = ws_open(t, "/ws");
	for (int i = 0; i < count; i++) {
		fds[i] = streams_connect(t);
		client_send(fds[i], half);
	}
	for (int i = 0; i < 20; i++) {
		char head[2048];
		int64_t begun = monotonic_us();
		int fd = ws_handshake(t, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n", head, sizeof(head));

		assert_memory_equal(head, "HTTP/1.1 200 ", 13);
		ws_text(stream, "there?");
		ws_expect(stream, "there?");
		if (monotonic_us() - begun < quickest)
			quickest = monotonic_us() - begun;
		close(fd);
	}
	assert_true(quickest < 1000000);
	for (int i = 0; i < count; i++)
		close(fds[i]);
	free(fds);
	close(stream);
	streams_free(t);
}

/* Threads that send, close and set deadlines while clients come and go. */
struct storm {
	struct streams *t;
	_Atomic bool over;
	_Atomic int turns;
};

static void *
send_storm(void *arg)
{
	struct storm *w = arg;

	while (!w->over) {
		(void)streams_send_all(w->t, "thunder");
		w->turns++;
		nap_ms(1);
	}
	return NULL;
}

static void *
close_storm(void *arg)
{
	struct storm *w = arg;

	for (unsigned turn = 0; !w->over; turn++) {
		struct stream *s = NULL;

		pthread_mutex_lock(&w->t->lock);
		for (size_t i = w->t->opened; i > 0 && !s; i--)
			s = w->t->open[i - 1];
		if (s)
			stream_hold(s);
		pthread_mutex_unlock(&w->t->lock);
		if (s && turn % 2)
			stream_close(s, STREAM_CLOSE_NORMAL, STR("storm"));
		else if (s)
			stream_deadline(s, 1);
		if (s)
			stream_drop(s);
		nap_ms(2);
	}
	return NULL;
}

static void
senders_closers_and_leavers_do_not_collide(void **state)
{
	enum { ROUNDS = 150 };
	struct streams *t = started(20, 0);
	struct storm w = { .t = t };
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? send_storm : close_storm, &w), 0);
	for (int i = 0; i < ROUNDS; i++) {
		int fds[] = { ws_open(t, "/ws"), ws_open(t, "/later/ws"), events_open(t, "/events"),
			events_open(t, "/later/events") };

		ws_text(fds[0], "rain");
		ws_frame(fds[1], 0x88, "\x03\xe8", 2);
		for (size_t k = 0; k < COUNT(fds); k++)
			close(fds[k]);
	}
	w.over = true;
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	streams_wait(t, &t->closed, 4 * ROUNDS);
	assert_true(w.turns > 0);
	streams_free(t);
}

static void
stopping_in_a_storm_ends_everything(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct streams *t = started(0, 0);
		struct storm w = { .t = t };
		pthread_t sender;
		int fds[20];

		for (size_t i = 0; i < COUNT(fds); i++)
			fds[i] = i % 2 ? ws_open(t, "/later/ws") : events_open(t, "/events");
		assert_int_equal(pthread_create(&sender, NULL, send_storm, &w), 0);
		nap_ms(round * 3);
		if (round % 2)
			http_server_stop(t->server, 20);
		else
			stream_hub_stop(t->hub, 20);
		w.over = true;
		pthread_join(sender, NULL);
		streams_free(t);
		for (size_t i = 0; i < COUNT(fds); i++)
			close(fds[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_has_to_end_in_its_time),
		cmocka_unit_test(a_peer_that_answers_no_ping_is_given_up),
		cmocka_unit_test(idle_events_are_kept_alive_by_comments),
		cmocka_unit_test(a_peer_that_vanished_is_found),
		cmocka_unit_test(a_reset_ends_the_stream),
		cmocka_unit_test(a_slow_reader_is_cut_and_costs_no_memory),
		cmocka_unit_test(pings_of_one_who_reads_no_pongs_are_bounded),
		cmocka_unit_test(without_a_descriptor_a_stream_does_not_begin),
		cmocka_unit_test(half_open_handshakes_do_not_disturb),
		cmocka_unit_test(senders_closers_and_leavers_do_not_collide),
		cmocka_unit_test(stopping_in_a_storm_ends_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
