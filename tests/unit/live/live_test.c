/*
 * The room as a whole on a real database and real sockets: a database that fails while streams catch up, events that come faster than they
 * are handed out, and seats of a node that died. What a stream is told must be the event table, each number once and in order.
 */
#include "../iam/world.h"
#include "base/limits.h"
#include "base/random.h"
#include "db/faults.h"
#include "live/live.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MANY	    5000 /* more than memory holds */
#define MESSAGE_MAX 4096

struct room {
	struct world *w;
	struct db *db; /* the room's own, with its plan of faults */
	struct db_faults faults;
	struct arena *arena; /* of threads and options */
	struct live *live;
	struct outbox *outbox;
	struct stream_hub *hub;
	struct http_server *server;
	struct actor ada;
	struct live_opening next;      /* how the next stream is opened */
	struct live_subscriber *last;  /* the one that came of it */
	struct outbox_position handed; /* what hand_over has told */
};

/* ---- the room ---- */

static struct err *
look_where(struct db_tx *tx, void *arg)
{
	struct live_opening *o = arg;

	TRY(outbox_past_read(tx, &o->past));
	o->begin = o->past.end;
	return NULL;
}

static void
open_stream(void *arg, struct http_exchange *x)
{
	struct room *r = arg;
	struct arena *a = arena_new(1u << 20);
	struct live_opening o = r->next;
	struct live_subscriber *s;

	o.from = live_position(r->live);
	fixture_ok(db_read(r->w->base.db, a, look_where, &o));
	fixture_ok(live_admit(r->live, a, &o, &s));
	r->last = s;
	const struct stream_options options = { .kind = STREAM_WEBSOCKET,
		.handlers = &live_handlers,
		.arg = s,
		.queue_bytes_max = LIMIT_STREAM_QUEUE_BYTES };
	fixture_ok(http_answer_stream(x, r->hub, &options));
	arena_free(a);
}

static const struct res_def *const no_resources[] = { NULL };
static const char *const no_others[] = { NULL };

/* Another thread reads it while the test moves it. */
static struct instant
now_of_world(const struct clock *c)
{
	return (struct instant){ __atomic_load_n(&c->fixed.us, __ATOMIC_RELAXED) };
}

static void
pass(struct world *w, int64_t seconds)
{
	__atomic_add_fetch(&w->clock.fixed.us, seconds * INSTANT_SECOND, __ATOMIC_RELAXED);
}

static void
wait_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* In the end; the room's own threads bring it about. */
static void
expect_seats(struct room *r, int count)
{
	for (int i = 0; i < 6000 && fixture_int(&r->w->base, "SELECT COUNT(*) FROM presence") != count; i++)
		wait_ms(10);
	assert_int_equal(fixture_int(&r->w->base, "SELECT COUNT(*) FROM presence"), count);
}

/* retry_ms: with a database of its own that room_break can take away, and how soon it is asked again; 0: the world's. */
static struct err *
look_whether_held_back(struct db_tx *tx, void *arg)
{
	return outbox_is_held_back(tx, arg);
}

/* What the world has told so far is behind every position that is taken from now on, whatever older transactions other tests have. */
static void
expect_world_told(struct world *w)
{
	struct arena *a = arena_new(1u << 20);
	bool held_back = true;

	for (int i = 0; i < 6000 && held_back; i++) {
		if (i > 0)
			wait_ms(10);
		arena_reset(a);
		fixture_ok(db_read(w->base.db, a, look_whether_held_back, &held_back));
	}
	assert_false(held_back);
	arena_free(a);
}

static struct room *
room_open(struct world *w, int retry_ms)
{
	static const struct str listen[] = { STR_INIT("127.0.0.1:0") };
	struct room *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->w = w;
	w->clock.now = now_of_world;
	r->arena = arena_new(16u << 20);
	assert_null(world_authenticate(w, w->iam, world_basic(w, "ada", PASSWORD), &r->ada, NULL));
	const struct db_options db = { .url = w->base.url, .connections = 2, .faults = &r->faults };
	if (retry_ms)
		fixture_ok(db_open(r->arena, &db, &r->db));
	const struct live_options live = { .db = retry_ms ? r->db : w->base.db,
		.iam = w->iam,
		.clock = &w->clock,
		.resources = no_resources,
		.others = no_others,
		.per_user = -1,
		.retry_ms = retry_ms };
	/* One node alone clears the table as it starts, on its own thread: that shall meet none of a test's faults. */
	if (db_kind(w->base.db) == DB_SQLITE)
		fixture_run(&w->base,
			"INSERT INTO presence (company_id, object_type, object_id, node, person_id, "
			"username, since, seen_at) VALUES (1, 'kpi', '1', 'gone', 1, 'x', 0, 0)");
	expect_world_told(w);
	fixture_ok(live_start(r->arena, &live, &r->live));
	expect_seats(r, 0);
	r->handed = live_position(r->live);
	fixture_ok(stream_hub_start(r->arena, 1, &r->hub));
	const struct http_options http = { .listen = listen,
		.listen_count = 1,
		.threads = 1,
		.handler = open_stream,
		.arg = r,
		.clock = &clock_system };
	fixture_ok(http_server_start(r->arena, &http, &r->server));
	r->next = (struct live_opening){ .dialect = LIVE_EVENTS,
		.has_actor = true,
		.actor = r->ada,
		.topic_count = 1,
		.whole = { true } };
	r->next.topics[0] = (struct live_topic){ { "", 0 }, { "", 0 } };
	return r;
}

static void
room_follow(struct room *r)
{
	const struct outbox_listener listener = live_listener(r->live);

	fixture_ok(outbox_start(r->arena, r->w->base.db, &listener, 1, &r->outbox));
}

/* Faults from the next call on. */
static void
room_break(struct room *r, const struct db_fault *list, size_t count)
{
	for (size_t i = 0; i < COUNT(r->faults.seen); i++)
		r->faults.seen[i] = 0;
	r->faults.list = list;
	r->faults.count = count;
}

/* Waits until so many have struck. */
static void
room_wait_broken(struct room *r, int fired)
{
	for (int i = 0; i < 30000 && r->faults.fired < fired; i++)
		wait_ms(2);
	assert_true(r->faults.fired >= fired);
}

static void
room_close(struct room *r)
{
	http_server_stop(r->server, 200);
	stream_hub_stop(r->hub, 200);
	if (r->outbox)
		outbox_stop(r->outbox);
	live_stop(r->live);
	live_free(r->live);
	http_server_free(r->server);
	stream_hub_free(r->hub);
	if (r->db)
		db_close(r->db);
	arena_free(r->arena);
	free(r);
}

/* ---- events ---- */

struct events {
	const struct world *w;
	int count;
};

static struct err *
add_events(struct db_tx *tx, void *arg)
{
	const struct events *all = arg;
	const struct actor actor = { .company_id = all->w->company_id, .username = STR("ann") };
	struct res_ctx c = { .arena = db_tx_arena(tx),
		.tx = tx,
		.actor = &actor,
		.now = all->w->clock.fixed,
		.request_id = STR("r") };

	for (int i = 0; i < all->count; i++)
		TRY(event_add(&c, STR("kpi.updated"), "kpi", STR("kpi-001"), STR(""), STR("{\"a\":1}")));
	return NULL;
}

static void
put_events(struct world *w, int count)
{
	struct events all = { w, count };
	struct arena *a = arena_new(64u << 20);

	fixture_ok(db_write(w->base.db, a, add_events, &all));
	arena_free(a);
}

/* ---- a client ---- */

static void
read_all(int fd, void *to, size_t n)
{
	for (char *p = to; n;) {
		ssize_t got = recv(fd, p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			fail_msg("the stream has ended, or said nothing for too long");
		p += got;
		n -= (size_t)got;
	}
}

static uint16_t
port_of(const struct room *r)
{
	const struct str address = http_server_address(r->server, 0);
	int64_t port = 0;

	assert_true(str_to_int(str_sub(address, str_index(address, ':', 0) + 1, address.n), &port));
	return (uint16_t)port;
}

static int
client_open(struct room *r)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
	const struct timeval patience = { .tv_sec = 60 };
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port_of(r)), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};
	char head[4] = "";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	while (memcmp(head, "\r\n\r\n", 4) != 0) {
		memmove(head, head + 1, 3);
		read_all(fd, head + 3, 1);
	}
	return fd;
}

/* A short text, masked with zeros. */
static void
client_send(int fd, const char *text)
{
	const size_t n = strlen(text);
	unsigned char frame[132] = { 0x81, (unsigned char)(0x80 | n) };

	assert_true(n < 126);
	memcpy(frame + 6, text, n);
	assert_int_equal(send(fd, frame, n + 6, MSG_NOSIGNAL), (ssize_t)n + 6);
}

/* One frame; its opcode. text has room for MESSAGE_MAX. */
static int
client_read(int fd, char *text, size_t *n)
{
	unsigned char head[4];

	read_all(fd, head, 2);
	*n = head[1];
	if (head[1] == 126) {
		read_all(fd, head + 2, 2);
		*n = (size_t)head[2] << 8 | head[3];
	}
	assert_true(*n < MESSAGE_MAX);
	read_all(fd, text, *n);
	text[*n] = '\0';
	return head[0] & 15;
}

static int
client_close_code(int fd)
{
	char text[MESSAGE_MAX];
	size_t n;

	while (client_read(fd, text, &n) != 8)
		continue;
	return (unsigned char)text[0] << 8 | (unsigned char)text[1];
}

/* The numbers of the whole table behind one, in their order, and nothing between. */
static void
expect_events(int fd, int64_t since, int count)
{
	char text[MESSAGE_MAX];
	size_t n;
	int64_t last = since;

	for (int i = 0; i < count; i++) {
		assert_int_equal(client_read(fd, text, &n), 1);
		const char *at = strstr(text, "\"seq\":");
		if (!at || !strstr(text, "kpi.updated"))
			fail_msg("no event: %s", text);
		const int64_t seq = strtoll(at + 6, NULL, 10);
		if (seq != last + 1)
			fail_msg("%lld behind %lld", (long long)seq, (long long)last);
		last = seq;
	}
}

static int64_t
newest(struct room *r)
{
	return fixture_int(&r->w->base, "SELECT MAX(seq) FROM event");
}

/* What is committed has been handed to the room, which had nobody to keep it for: a stream must read it from the table. */
static void
expect_past(struct room *r)
{
	const int64_t seq = newest(r);

	for (int i = 0; i < 6000 && live_position(r->live).seq < seq; i++)
		wait_ms(10);
	assert_int_equal(live_position(r->live).seq, seq);
}

/* ---- rules ---- */

static void
a_database_that_fails_leaves_no_gap(void **state)
{
	/* The replay's first look, a page in the middle, and the transaction before the last. */
	static const struct db_fault list[] = { { DB_AT_STATEMENT, DB_FAULT_FULL, 1, 3 },
		{ DB_AT_BEGIN, DB_FAULT_LOST_BEFORE, 6, 2 }, { DB_AT_STATEMENT, DB_FAULT_LOST_AFTER, 8, 1 },
		{ DB_AT_REVIVE, DB_FAULT_LOST_BEFORE, 1, 3 } };
	struct room *r = room_open(*state, 200); /* a stream has the patience of sixty times that */

	room_follow(r);
	put_events(r->w, 1);
	r->next.has_since = true;
	r->next.since = newest(r);
	put_events(r->w, 700);
	expect_past(r);
	room_break(r, list, COUNT(list));
	int fd = client_open(r);
	for (int i = 0; i < 20; i++)
		put_events(r->w, 5);
	expect_events(fd, r->next.since, 800);
	put_events(r->w, 10);
	expect_events(fd, r->next.since + 800, 10);
	assert_int_equal(r->faults.fired, 9);
	close(fd);
	room_close(r);
}

static void
a_database_that_stays_away_closes_with_1013(void **state)
{
	static const struct db_fault list[] = { { DB_AT_BEGIN, DB_FAULT_LOST_BEFORE, 1, 1000000 },
		{ DB_AT_REVIVE, DB_FAULT_LOST_BEFORE, 1, 1000000 } };
	struct room *r = room_open(*state, 5);

	room_follow(r);
	put_events(r->w, 2);
	r->next.has_since = true;
	r->next.since = newest(r) - 1;
	expect_past(r);
	room_break(r, list, COUNT(list));
	int fd = client_open(r);
	assert_int_equal(client_close_code(fd), STREAM_CLOSE_TRY_LATER);
	close(fd);
	room_close(r);
}

static const struct db_fault away[] = { { DB_AT_BEGIN, DB_FAULT_FULL, 1, 1000000 } };

/* A stream that still waits for its token, and a database that cannot be asked about one. */
static int
open_and_break(struct room *r)
{
	r->next.has_actor = false;
	r->next.topic_count = 0;
	int fd = client_open(r);
	room_break(r, away, COUNT(away));
	return fd;
}

static void
a_token_that_nobody_could_look_at_closes_with_1013(void **state)
{
	struct room *r = room_open(*state, 60000);

	int fd = open_and_break(r);
	const int before = r->faults.fired;
	client_send(fd, "{\"token\":\"abc\"}");
	room_wait_broken(r, before + 1);
	live_handlers.expired(r->last, NULL); /* as the hub does after five seconds */
	assert_int_equal(client_close_code(fd), STREAM_CLOSE_TRY_LATER);
	close(fd);
	room_close(r);
}

/* Whoever hears it is told what happens from then on, so it must be known before who it is. */
static void
a_ping_behind_the_token_waits_for_it(void **state)
{
	struct room *r = room_open(*state, 60000);
	char text[MESSAGE_MAX];
	size_t n;

	int fd = open_and_break(r);
	const int before = r->faults.fired;
	client_send(fd, "{\"token\":\"abc\"}");
	client_send(fd, "{\"type\":\"ping\"}");
	client_send(fd, "{\"type\":\"nonsense\"}");
	room_wait_broken(r, before + 1);
	assert_int_equal(client_read(fd, text, &n), 1);
	assert_non_null(strstr(text, "UNKNOWN_MESSAGE"));
	live_handlers.expired(r->last, NULL);
	assert_int_equal(client_read(fd, text, &n), 8);
	close(fd);
	room_close(r);
}

static void
a_database_that_is_away_is_not_asked_by_every_stream(void **state)
{
	enum { STREAMS = 20, RETRY_MS = 300 };
	struct room *r = room_open(*state, RETRY_MS);
	int fds[STREAMS];

	room_follow(r);
	put_events(r->w, 2);
	r->next.has_since = true;
	r->next.since = newest(r) - 1;
	expect_past(r);
	room_break(r, away, COUNT(away));
	const int64_t began_us = monotonic_us();
	for (int i = 0; i < STREAMS; i++)
		fds[i] = client_open(r);
	/* Two workers may ask at the same time; a third question is a second attempt. */
	room_wait_broken(r, 3);
	assert_true(monotonic_us() - began_us >= RETRY_MS * 1000);
	r->faults.count = 0;
	for (int i = 0; i < STREAMS; i++) {
		expect_events(fds[i], r->next.since, 1);
		close(fds[i]);
	}
	room_close(r);
}

struct page {
	struct outbox_position after;
	struct outbox_event *events;
	size_t count;
};

static struct err *
read_page(struct db_tx *tx, void *arg)
{
	static const struct outbox_filter all = { 0 };
	struct page *p = arg;

	return outbox_read(tx, &all, p->after, MANY, &p->events, &p->count);
}

/* What the reader of the process would do, but all in one call: the dispatcher has no time between. */
static void
hand_over(struct room *r, size_t count)
{
	struct arena *a = arena_new(64u << 20);
	struct page p = { .after = r->handed };
	const struct outbox_listener listener = live_listener(r->live);

	/* Any transaction on the server that is older holds them back, those of other tests too. */
	for (int i = 0; i < 6000 && p.count < count; i++) {
		if (i > 0)
			wait_ms(10);
		arena_reset(a);
		fixture_ok(db_read(r->w->base.db, a, read_page, &p));
	}
	assert_int_equal(p.count, count);
	listener.events(listener.arg, p.events, p.count);
	r->handed = p.events[p.count - 1].position;
	arena_free(a);
}

static void
events_beyond_memory_are_read_from_the_table(void **state)
{
	struct room *r = room_open(*state, 0);
	const int64_t before = newest(r);
	char text[MESSAGE_MAX];
	size_t n;

	int fd = client_open(r);
	put_events(r->w, 1);
	hand_over(r, 1);
	assert_int_equal(client_read(fd, text, &n), 1); /* it is live now */
	put_events(r->w, MANY);
	hand_over(r, MANY);
	expect_events(fd, before + 1, MANY);
	put_events(r->w, 3);
	hand_over(r, 3);
	expect_events(fd, before + 1 + MANY, 3);
	close(fd);
	room_close(r);
}

static void
expect_presence(int fd, const char *who, const char *who_not)
{
	char text[MESSAGE_MAX];
	size_t n;

	assert_int_equal(client_read(fd, text, &n), 1);
	if (!strstr(text, "presenceChanged") || !strstr(text, who) || (who_not && strstr(text, who_not)))
		fail_msg("not with %s and without %s: %s", who, who_not ? who_not : "nobody", text);
}

/* A stream on a retrospective, whose person has a seat in the table. */
static int
take_seat(struct room *r)
{
	r->next.dialect = LIVE_RETROSPECTIVE;
	r->next.topics[0] = (struct live_topic){ STR("retrospective"), STR("7") };
	r->next.campaign_id = 7;
	int fd = client_open(r);
	expect_seats(r, 1);
	return fd;
}

/* Beside ada's, of somebody else on another node. */
static void
put_seat(struct fixture *f, const char *node, const char *seen_at)
{
	char sql[400];
	const int n = snprintf(sql, sizeof(sql),
		"INSERT INTO presence (company_id, object_type, object_id, node, person_id, username, since, "
		"seen_at)"
		" SELECT company_id, object_type, object_id, '%s', 999, 'ghost of %s', since, %s FROM "
		"presence"
		" WHERE username = 'ada'",
		node, node, seen_at);

	assert_true(n > 0 && (size_t)n < sizeof(sql));
	fixture_run(f, sql);
}

static void
seats_of_a_dead_node_end_with_their_lease(void **state)
{
	struct room *r = room_open(*state, 0);
	struct fixture *f = &r->w->base;
	int fd = take_seat(r);

	put_seat(f, "dead", "seen_at");
	expect_presence(fd, "ghost of dead", NULL);
	pass(r->w, 50);
	expect_presence(fd, "ada", "ghost");
	expect_seats(r, 1);
	put_seat(f, "gone",
		"seen_at - 46000000"); /* lies in the table until somebody renews, and is not told */
	put_seat(f, "there", "seen_at");
	expect_presence(fd, "ghost of there", "gone");
	close(fd);
	room_close(r);
}

/* As when the database could not be reached for a minute, and another node took this one for dead. */
static void
seats_that_another_node_cleared_away_come_back(void **state)
{
	struct room *r = room_open(*state, 0);
	int fd = take_seat(r);

	fixture_run(&r->w->base, "DELETE FROM presence");
	pass(r->w, 50);
	expect_seats(r, 1);
	close(fd);
	expect_seats(r, 0);
	room_close(r);
}

struct writer {
	struct room *room;
	_Atomic bool enough;
	int64_t written;
};

static struct err *
add_person_event(struct db_tx *tx, void *arg)
{
	const struct world *w = arg;
	const struct actor actor = { .company_id = w->company_id, .username = STR("ann") };
	struct res_ctx c = {
		.arena = db_tx_arena(tx), .tx = tx, .actor = &actor, .now = now_of_world(&w->clock)
	};

	return event_add(&c, STR("user.updated"), "user", arena_fmt(c.arena, "%lld", (long long)w->ada_id),
		STR(""), STR("{}"));
}

/* Values, and now and then something that everybody has to be asked about again for. */
static void *
write_on(void *arg)
{
	struct writer *wr = arg;
	struct world *w = wr->room->w;

	while (!wr->enough) {
		struct arena *a = arena_new(1u << 20);

		put_events(w, 5);
		fixture_ok(db_write(w->base.db, a, add_person_event, w));
		arena_free(a);
		wr->written += 6;
	}
	return NULL;
}

/* Streams that come, ask, change their minds and vanish in the middle of events: the test for ThreadSanitizer. */
static void
everything_at_once_ends_well(void **state)
{
	enum { TURNS = 60, OPEN = 6 };
	static const char *const said[] = { "{\"subscribe\":[\"*\"]}", "{\"unsubscribe\":[\"*\"]}",
		"{\"type\":\"ping\"}", "{\"subscribe\":[\"session:*\"],\"since\":1}", "{" };
	struct room *r = room_open(*state, 0);
	struct writer writer = { .room = r };
	const int64_t before = newest(r);
	int fds[OPEN] = { 0 };
	char text[MESSAGE_MAX];
	pthread_t thread;
	size_t n;

	room_follow(r);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
	for (int i = 0; i < TURNS; i++) {
		int *fd = &fds[i % OPEN];

		if (*fd)
			close(*fd);
		r->next.dialect = i % 3 ? LIVE_EVENTS : LIVE_RETROSPECTIVE;
		r->next.topics[0] = i % 3 ? (struct live_topic){ STR(""), STR("") }
					  : (struct live_topic){ STR("retrospective"), STR("7") };
		r->next.has_since = i % 5 == 0;
		r->next.since = before;
		*fd = client_open(r);
		for (size_t k = 0; k < COUNT(said); k++)
			client_send(*fd, said[k]);
		if (i % 3)
			assert_int_equal(client_read(*fd, text, &n), 1);
	}
	writer.enough = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (int i = 0; i < OPEN; i++)
		close(fds[i]);
	expect_seats(r, 0);
	assert_int_equal(newest(r), before + writer.written);
	room_close(r);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_database_that_fails_leaves_no_gap, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			a_database_that_stays_away_closes_with_1013, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			a_token_that_nobody_could_look_at_closes_with_1013, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			a_ping_behind_the_token_waits_for_it, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			a_database_that_is_away_is_not_asked_by_every_stream, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			events_beyond_memory_are_read_from_the_table, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			seats_of_a_dead_node_end_with_their_lease, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			seats_that_another_node_cleared_away_come_back, world_open, world_close),
		cmocka_unit_test_setup_teardown(everything_at_once_ends_well, world_open, world_close),
	};
	return world_run("live", tests, COUNT(tests));
}
