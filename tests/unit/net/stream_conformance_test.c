/*
 * WebSocket conformance (RFC 6455) as tables: the cases that the Autobahn test suite has, by its numbers, and the handshake. A row sends
 * frames to a server that echoes texts, and says which frames must come back and how it ends. A row without a code must leave the
 * connection usable: a ping and a closing handshake prove it.
 */
#include "stream_fixture.h"
#include <unistd.h>

#define STEPS_MAX 12
#define FIN_TEXT  0x81
#define TEXT	  0x01 /* a first fragment */
#define MORE	  0x00
#define LAST	  0x80
#define BINARY	  0x82
#define PING	  0x89
#define PONG	  0x8a
#define CLOSE	  0x88

struct wire {
	int b0;
	const char *p;
	size_t n;
};
#define W(b0, text)                            \
	{                                      \
		(b0), (text), sizeof(text) - 1 \
	}

struct row {
	const char *name;
	struct wire sent[STEPS_MAX]; /* p NULL ends the list */
	struct wire expected[STEPS_MAX];
	int code; /* 0: the connection stays */
};

enum pace { WHOLE, OCTETS };

static const char a125[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			   "aaaaaaaaaaaaaaaaaaaaaaa"
			   "aaaaaaaaaaaaaaaaaaaaa";

static const struct row rows[] = {
	{ "1.1.1 empty text", { W(FIN_TEXT, "") }, { W(FIN_TEXT, "") }, 0 },
	{ "1.2.1 binary, empty", { W(BINARY, "") }, { { 0 } }, 1003 },
	{ "1.2.2 binary", { W(BINARY, "\xfe") }, { { 0 } }, 1003 },
	{ "2.1 ping without payload", { W(PING, "") }, { W(PONG, "") }, 0 },
	{ "2.2 ping with text", { W(PING, "Hello") }, { W(PONG, "Hello") }, 0 },
	{ "2.3 ping with binary", { W(PING, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff") },
		{ W(PONG, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff") }, 0 },
	{ "2.4 ping of 125", { { PING, a125, 125 } }, { { PONG, a125, 125 } }, 0 },
	{ "2.5 ping of 126", { { PING, a125, 126 } }, { { 0 } }, 1002 },
	{ "2.7 pong unasked", { W(PONG, "") }, { { 0 } }, 0 },
	{ "2.8 pong unasked with payload", { W(PONG, "unasked") }, { { 0 } }, 0 },
	{ "2.9 pong, then ping", { W(PONG, "unasked"), W(PING, "asked") }, { W(PONG, "asked") }, 0 },
	{ "2.10 ten pings",
		{ W(PING, "0"), W(PING, "1"), W(PING, "2"), W(PING, "3"), W(PING, "4"), W(PING, "5"),
			W(PING, "6"), W(PING, "7"), W(PING, "8"), W(PING, "9") },
		{ W(PONG, "0"), W(PONG, "1"), W(PONG, "2"), W(PONG, "3"), W(PONG, "4"), W(PONG, "5"),
			W(PONG, "6"), W(PONG, "7"), W(PONG, "8"), W(PONG, "9") },
		0 },
	{ "3.1 RSV1", { W(0xc1, "Hello") }, { { 0 } }, 1002 },
	{ "3.2 RSV2 after a text", { W(FIN_TEXT, "a"), W(0xa1, "b"), W(PING, "") }, { W(FIN_TEXT, "a") },
		1002 },
	{ "3.3 RSV1 and RSV2", { W(FIN_TEXT, "a"), W(0xe1, "b") }, { W(FIN_TEXT, "a") }, 1002 },
	{ "3.4 RSV3", { W(FIN_TEXT, "a"), W(0x91, "b") }, { W(FIN_TEXT, "a") }, 1002 },
	{ "3.5 RSV on binary", { W(0xd2, "\xff") }, { { 0 } }, 1002 },
	{ "3.6 RSV on ping", { W(0xe9, "Hello") }, { { 0 } }, 1002 },
	{ "3.7 RSV on close", { W(0xf8, "\x03\xe8") }, { { 0 } }, 1002 },
	{ "4.1.1 opcode 3", { W(0x83, "") }, { { 0 } }, 1002 },
	{ "4.1.2 opcode 4 with payload", { W(0x84, "reserved") }, { { 0 } }, 1002 },
	{ "4.1.3 opcode 5 after a text", { W(FIN_TEXT, "a"), W(0x85, ""), W(PING, "") }, { W(FIN_TEXT, "a") },
		1002 },
	{ "4.1.4 opcode 6", { W(FIN_TEXT, "a"), W(0x86, "b") }, { W(FIN_TEXT, "a") }, 1002 },
	{ "4.1.5 opcode 7", { W(FIN_TEXT, "a"), W(0x87, "b") }, { W(FIN_TEXT, "a") }, 1002 },
	{ "4.2.1 opcode 11", { W(0x8b, "") }, { { 0 } }, 1002 },
	{ "4.2.2 opcode 12", { W(0x8c, "reserved") }, { { 0 } }, 1002 },
	{ "4.2.3 opcode 13", { W(FIN_TEXT, "a"), W(0x8d, "") }, { W(FIN_TEXT, "a") }, 1002 },
	{ "4.2.4 opcode 14", { W(FIN_TEXT, "a"), W(0x8e, "b") }, { W(FIN_TEXT, "a") }, 1002 },
	{ "4.2.5 opcode 15", { W(FIN_TEXT, "a"), W(0x8f, "b") }, { W(FIN_TEXT, "a") }, 1002 },
	{ "5.1 ping in fragments", { W(0x09, "a"), W(LAST, "b") }, { { 0 } }, 1002 },
	{ "5.2 pong in fragments", { W(0x0a, "a"), W(LAST, "b") }, { { 0 } }, 1002 },
	{ "5.3 two fragments", { W(TEXT, "frag"), W(LAST, "ment") }, { W(FIN_TEXT, "fragment") }, 0 },
	{ "5.6 ping between fragments", { W(TEXT, "frag"), W(PING, "now"), W(LAST, "ment") },
		{ W(PONG, "now"), W(FIN_TEXT, "fragment") }, 0 },
	{ "5.9 continuation of nothing", { W(LAST, "x"), W(FIN_TEXT, "y") }, { { 0 } }, 1002 },
	{ "5.12 fragment that continues nothing", { W(MORE, "x"), W(FIN_TEXT, "y") }, { { 0 } }, 1002 },
	{ "5.15 continuation after the last", { W(TEXT, "a"), W(LAST, "b"), W(MORE, "c"), W(FIN_TEXT, "d") },
		{ W(FIN_TEXT, "ab") }, 1002 },
	{ "5.18 text within a text", { W(TEXT, "a"), W(FIN_TEXT, "b") }, { { 0 } }, 1002 },
	{ "5.19 five fragments, two pings",
		{ W(TEXT, "1"), W(MORE, "2"), W(PING, "p"), W(MORE, "3"), W(MORE, "4"), W(PING, "q"),
			W(LAST, "5") },
		{ W(PONG, "p"), W(PONG, "q"), W(FIN_TEXT, "12345") }, 0 },
	{ "5.19a an empty first fragment", { W(TEXT, ""), W(LAST, "x") }, { W(FIN_TEXT, "x") }, 0 },
	{ "5.19b binary within a text", { W(TEXT, "a"), W(BINARY, "b") }, { { 0 } }, 1002 },
	{ "6.1.2 three empty fragments", { W(TEXT, ""), W(MORE, ""), W(LAST, "") }, { W(FIN_TEXT, "") }, 0 },
	{ "6.1.3 only the middle has bytes", { W(TEXT, ""), W(MORE, "mid"), W(LAST, "") },
		{ W(FIN_TEXT, "mid") }, 0 },
	{ "6.2.2 fragments at characters", { W(TEXT, "Hello-µ"), W(LAST, "@ßöäüàá") },
		{ W(FIN_TEXT, "Hello-µ@ßöäüàá") }, 0 },
	{ "6.2.3 fragments within characters", { W(TEXT, "\xce"), W(MORE, "\xba\xe1\xbd"), W(LAST, "\xb9") },
		{ W(FIN_TEXT, "\xce\xba\xe1\xbd\xb9") }, 0 },
	{ "6.3.1 not UTF-8", { W(FIN_TEXT, "\xce\xba\xed\xa0\x80\x65") }, { { 0 } }, 1007 },
	{ "6.4.1 a wrong byte in the second fragment",
		{ W(TEXT, "\xce\xba"), W(MORE, "\xf4\x90\x80\x80"), W(LAST, "x") }, { { 0 } }, 1007 },
	{ "6.4.2 fails before the last fragment comes", { W(TEXT, "\xce\xba"), W(MORE, "\xf4\x90") },
		{ { 0 } }, 1007 },
	{ "6.4.3 ends within a character", { W(TEXT, "a\xe2\x82"), W(LAST, "") }, { { 0 } }, 1007 },
	{ "7.1.1 text, then close", { W(FIN_TEXT, "a"), W(CLOSE, "\x03\xe8") },
		{ W(FIN_TEXT, "a"), W(CLOSE, "\x03\xe8") }, -1 },
	{ "7.1.2 close twice", { W(CLOSE, "\x03\xe8"), W(CLOSE, "\x03\xe9") }, { W(CLOSE, "\x03\xe8") }, -1 },
	{ "7.1.3 ping after close", { W(CLOSE, "\x03\xe8"), W(PING, "x") }, { W(CLOSE, "\x03\xe8") }, -1 },
	{ "7.1.4 text after close", { W(CLOSE, "\x03\xe8"), W(FIN_TEXT, "x") }, { W(CLOSE, "\x03\xe8") },
		-1 },
	{ "7.1.5 close within a message", { W(TEXT, "a"), W(CLOSE, "\x03\xe8"), W(LAST, "b") },
		{ W(CLOSE, "\x03\xe8") }, -1 },
	{ "7.3.1 close without payload", { W(CLOSE, "") }, { W(CLOSE, "") }, -1 },
	{ "7.3.2 close with one byte", { W(CLOSE, "\x03") }, { { 0 } }, 1002 },
	{ "7.3.4 close with a reason", { W(CLOSE, "\x03\xe8why not") }, { W(CLOSE, "\x03\xe8") }, -1 },
	{ "7.3.6 close of 126 bytes", { { CLOSE, a125, 126 } }, { { 0 } }, 1002 },
	{ "7.5.1 reason not UTF-8", { W(CLOSE, "\x03\xe8\xce\xba\xed\xa0\x80") }, { { 0 } }, 1007 },
};

static void
send_slowly(int fd, const struct wire *w)
{
	unsigned char mask[4] = { 9, 8, 7, 6 }, byte;
	unsigned char head[2] = { (unsigned char)w->b0, (unsigned char)(0x80 | w->n) };

	assert_true(w->n <= 126);
	client_send_bytes(fd, head, 1);
	client_send_bytes(fd, head + 1, 1);
	if (w->n == 126) {
		client_send_bytes(fd, "\0", 1);
		client_send_bytes(fd, "\x7e", 1);
	}
	for (int i = 0; i < 4; i++)
		client_send_bytes(fd, mask + i, 1);
	for (size_t i = 0; i < w->n; i++) {
		byte = (unsigned char)w->p[i] ^ mask[i & 3];
		client_send_bytes(fd, &byte, 1);
	}
}

static void
expect_frame(int fd, const char *name, const struct wire *w)
{
	struct frame f = ws_read(fd);

	if (f.b0 != w->b0 || f.n != w->n || (w->n && memcmp(f.payload, w->p, w->n) != 0))
		fail_msg("%s: frame %02x of %zu bytes instead of %02x of %zu", name, (unsigned)f.b0, f.n,
			(unsigned)w->b0, w->n);
	free(f.payload);
}

static void
is_usable(int fd, const char *name)
{
	static const struct wire pong = W(PONG, "alive?"), bye = W(CLOSE, "\x03\xe8");

	ws_frame(fd, PING, "alive?", 6);
	expect_frame(fd, name, &pong);
	ws_frame(fd, CLOSE, "\x03\xe8", 2);
	expect_frame(fd, name, &bye);
	assert_true(reads_end(fd));
}

static void
run_row(const struct streams *t, const struct row *r, enum pace pace)
{
	int fd = ws_open(t, "/ws"), code;

	for (size_t i = 0; i < STEPS_MAX && r->sent[i].p; i++) {
		if (pace == OCTETS)
			send_slowly(fd, &r->sent[i]);
		else
			ws_frame(fd, r->sent[i].b0, r->sent[i].p, r->sent[i].n);
	}
	for (size_t i = 0; i < STEPS_MAX && r->expected[i].p; i++)
		expect_frame(fd, r->name, &r->expected[i]);
	if (r->code == 0) {
		is_usable(fd, r->name);
	} else if (r->code > 0) {
		code = ws_read_close(fd);
		if (code != r->code)
			fail_msg("%s: closed with %d instead of %d", r->name, code, r->code);
	}
	if (r->code)
		assert_true(reads_end(fd));
	close(fd);
}

static void
frames_are_taken_and_refused_as_the_standard_says(void **state)
{
	struct streams *t = streams_new();

	(void)state;
	streams_start(t);
	for (size_t i = 0; i < COUNT(rows); i++) {
		run_row(t, &rows[i], WHOLE);
		run_row(t, &rows[i], OCTETS);
	}
	streams_wait(t, &t->closed, 2 * (int)COUNT(rows));
	streams_free(t);
}

/* 1.1.2–1.1.8, 9.1, 9.3, 10.1.1: every form of the length, in one frame, in pieces of the wire and in fragments. */
static void
lengths_are_understood(void **state)
{
	static const size_t lengths[] = { 1, 124, 125, 126, 127, 128, 1300, 4096, 65534, 65535, 65536 };
	struct streams *t = streams_new();
	char *text = malloc(65536 + 1);
	int fd;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i <= 65536; i++)
		text[i] = (char)('!' + i % 90);
	streams_start(t);
	fd = ws_open(t, "/ws");
	for (size_t i = 0; i < COUNT(lengths); i++) {
		const struct wire w = { FIN_TEXT, text, lengths[i] };

		ws_frame(fd, FIN_TEXT, text, lengths[i]);
		expect_frame(fd, "1.1", &w);
		for (size_t at = 0; at < lengths[i]; at += 1300) {
			bool last = at + 1300 >= lengths[i];

			ws_frame(fd, (at ? MORE : TEXT) | (last ? LAST : 0), text + at,
				last ? lengths[i] - at : 1300);
		}
		expect_frame(fd, "10.1.1", &w);
	}
	is_usable(fd, "lengths");
	close(fd);
	free(text);
	streams_free(t);
}

/* A frame whose header says n bytes, of which only some follow. */
static void
send_head(int fd, int b0, uint64_t n, int form, const char *some)
{
	unsigned char f[14] = { (unsigned char)b0, (unsigned char)(0x80 | form) };
	size_t at = 2, bytes = form == 127 ? 8 : form == 126 ? 2 : 0;

	for (size_t i = bytes; i > 0; i--)
		f[at++] = (unsigned char)(n >> (8 * (i - 1)));
	memset(f + at, 0, 4);
	client_send_bytes(fd, f, at + 4);
	client_send_bytes(fd, some, strlen(some));
}

static void
limits_and_wrong_lengths_are_refused(void **state)
{
	static const struct {
		const char *name;
		uint64_t n;
		int b0, form, code;
	} heads[] = {
		{ "9.1 one byte too many", 65537, FIN_TEXT, 127, 1009 },
		{ "9.1 an announced terabyte", 1ull << 40, FIN_TEXT, 127, 1009 },
		{ "9.1 a length with its highest bit set", 1ull << 63, FIN_TEXT, 127, 1002 },
		{ "RFC 6455 §5.2: 125 in the 16 bit form", 125, FIN_TEXT, 126, 1002 },
		{ "RFC 6455 §5.2: 65,535 in the 64 bit form", 65535, FIN_TEXT, 127, 1002 },
		{ "9.3 a first fragment that is too large", 65537, TEXT, 127, 1009 },
		{ "2.5 a ping in the 16 bit form", 200, PING, 126, 1002 },
	};
	struct streams *t = streams_new();

	(void)state;
	streams_start(t);
	for (size_t i = 0; i < COUNT(heads); i++) {
		int fd = ws_open(t, "/ws"), code;

		send_head(fd, heads[i].b0, heads[i].n, heads[i].form, "x");
		code = ws_read_close(fd);
		if (code != heads[i].code)
			fail_msg("%s: closed with %d instead of %d", heads[i].name, code, heads[i].code);
		assert_true(reads_end(fd));
		close(fd);
	}
	streams_free(t);
}

static void
a_sum_of_fragments_is_limited(void **state)
{
	struct streams *t = streams_new();
	int fd;

	(void)state;
	t->options.message_bytes_max = 1000;
	streams_start(t);
	fd = ws_open(t, "/ws");
	for (int i = 0; i < 8; i++)
		ws_frame(fd, i ? MORE : TEXT, a125, 125);
	ws_frame(fd, LAST, "", 0);
	free(ws_read(fd).payload);
	for (int i = 0; i < 9; i++)
		ws_frame(fd, i ? MORE : TEXT, a125, 125);
	assert_int_equal(ws_read_close(fd), 1009);
	close(fd);
	assert_int_equal(t->messages, 1);
	streams_free(t);
}

/* RFC 6455 §5.1. */
static void
frames_without_a_mask_are_refused(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} frames[] = { { "\x81\x02hi", 4 }, { "\x81\x00", 2 }, { "\x89\x00", 2 }, { "\x88\x02\x03\xe8", 4 } };
	struct streams *t = streams_new();

	(void)state;
	streams_start(t);
	for (size_t i = 0; i < COUNT(frames); i++) {
		int fd = ws_open(t, "/ws");

		client_send_bytes(fd, frames[i].p, frames[i].n);
		assert_int_equal(ws_read_close(fd), 1002);
		close(fd);
	}
	streams_free(t);
}

/* 6.5–6.23 and more: sequences of one text, and whether they are UTF-8. */
static const struct {
	const char *p;
	bool valid;
} sequences[] = {
	{ "\x7f", true },
	{ "\xc2\x80", true },
	{ "\xdf\xbf", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf", true },
	{ "\xee\x80\x80", true },
	{ "\xef\xbf\xbd", true },
	{ "\xef\xbf\xbe", true },
	{ "\xef\xbf\xbf", true },
	{ "\xf0\x90\x80\x80", true },
	{ "\xf4\x8f\xbf\xbf", true },
	{ "\xf0\x9f\xbf\xbe", true },
	{ "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", true },
	{ "\x80", false },
	{ "\xbf", false },
	{ "\x80\xbf\x80", false },
	{ "\xc0\xaf", false },
	{ "\xc1\xbf", false },
	{ "\xe0\x80\xaf", false },
	{ "\xe0\x9f\xbf", false },
	{ "\xed\xa0\x80", false },
	{ "\xed\xbf\xbf", false },
	{ "\xed\xa0\x80\xed\xb0\x80", false },
	{ "\xf0\x80\x80\xaf", false },
	{ "\xf0\x8f\xbf\xbf", false },
	{ "\xf4\x90\x80\x80", false },
	{ "\xf5\x80\x80\x80", false },
	{ "\xf8\x88\x80\x80\x80", false },
	{ "\xfc\x84\x80\x80\x80\x80", false },
	{ "\xfe", false },
	{ "\xff", false },
	{ "\xc2", false },
	{ "\xe2\x82", false },
	{ "\xf0\x9f\x98", false },
	{ "a\xc3\x28z", false },
	{ "\xe2\x28\xa1", false },
	{ "\xf0\x28\x8c\xbc", false },
};

static void
texts_are_utf8(void **state)
{
	struct streams *t = streams_new();

	(void)state;
	streams_start(t);
	for (size_t i = 0; i < COUNT(sequences); i++) {
		const struct wire w = { FIN_TEXT, sequences[i].p, strlen(sequences[i].p) };

		/* In one frame, in one a byte, and with ASCII before it. */
		for (int way = 0; way < 2; way++) {
			int fd = ws_open(t, "/ws");

			for (size_t k = 0; way && k < w.n; k++)
				ws_frame(fd, (k ? MORE : TEXT) | (k + 1 == w.n ? LAST : 0), w.p + k, 1);
			if (!way)
				ws_frame(fd, FIN_TEXT, w.p, w.n);
			if (sequences[i].valid)
				expect_frame(fd, "6", &w);
			else
				assert_int_equal(ws_read_close(fd), 1007);
			close(fd);
		}
	}
	streams_free(t);
}

/* 7.7, 7.9, 7.13. */
static void
close_codes_are_checked(void **state)
{
	static const struct {
		int from, to;
		bool valid;
	} ranges[] = { { 0, 0, false }, { 1, 1, false }, { 500, 500, false }, { 999, 999, false },
		{ 1000, 1003, true }, { 1004, 1006, false }, { 1007, 1014, true }, { 1015, 1016, false },
		{ 1100, 1100, false }, { 2000, 2000, false }, { 2999, 2999, false }, { 3000, 3000, true },
		{ 3999, 4000, true }, { 4999, 4999, true }, { 5000, 5000, false }, { 65535, 65535, false } };
	struct streams *t = streams_new();
	int count = 0;

	(void)state;
	streams_start(t);
	for (size_t i = 0; i < COUNT(ranges); i++) {
		for (int code = ranges[i].from; code <= ranges[i].to; code++) {
			char payload[2] = { (char)(code >> 8), (char)code };
			int fd = ws_open(t, "/ws"), expected = ranges[i].valid ? code : 1002;

			ws_frame(fd, CLOSE, payload, 2);
			assert_int_equal(ws_read_close(fd), expected);
			assert_true(reads_end(fd));
			close(fd);
			streams_wait(t, &t->closed, ++count);
			assert_int_equal(t->last_code, expected);
		}
	}
	streams_free(t);
}

#define HEAD(line)   line "Host: x\r\n"
#define GET	     HEAD("GET /ws HTTP/1.1\r\n")
#define UPGRADE	     "Upgrade: websocket\r\n"
#define CONNECTION   "Connection: Upgrade\r\n"
#define KEY	     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION(v)   "Sec-WebSocket-Version: " v "\r\n"
#define PROTOCOLS(p) "Sec-WebSocket-Protocol: " p "\r\n"

static void
handshakes_are_checked(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *has, *lacks; /* in the answer's header */
	} cases[] = {
		{ GET UPGRADE CONNECTION KEY VERSION("13"), 101, "Connection: Upgrade\r\n",
			"Sec-WebSocket-Protocol" },
		{ GET "upgrade: WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\n" KEY VERSION("13"), 101,
			"Upgrade: websocket\r\n", "Sec-WebSocket-Extensions" },
		{ GET UPGRADE CONNECTION KEY VERSION("13") "Sec-WebSocket-Extensions: permessage-deflate\r\n",
			101, "", "Sec-WebSocket-Extensions" },
		{ GET UPGRADE CONNECTION KEY VERSION("13") PROTOCOLS("other, live.v1"), 101,
			"Sec-WebSocket-Protocol: live.v1\r\n", "other" },
		{ GET UPGRADE CONNECTION KEY VERSION("13") PROTOCOLS("other"), 101, "",
			"Sec-WebSocket-Protocol" },
		{ GET, 426, "Upgrade: websocket\r\n", "" },
		{ GET CONNECTION KEY VERSION("13"), 426, "Sec-WebSocket-Version: 13\r\n", "" },
		{ GET UPGRADE CONNECTION KEY VERSION("8"), 426, "Sec-WebSocket-Version: 13\r\n", "" },
		{ GET UPGRADE CONNECTION KEY VERSION("14"), 426, "Sec-WebSocket-Version: 13\r\n", "" },
		{ GET UPGRADE CONNECTION KEY, 426, "Sec-WebSocket-Version: 13\r\n", "" },
		{ GET "Upgrade: h2c\r\n" CONNECTION KEY VERSION("13"), 426, "", "" },
		{ GET UPGRADE KEY VERSION("13"), 400, "", "" },
		{ GET UPGRADE "Connection: close\r\n" KEY VERSION("13"), 400, "", "" },
		{ GET UPGRADE CONNECTION VERSION("13"), 400, "", "" },
		{ GET UPGRADE CONNECTION VERSION("13") "Sec-WebSocket-Key: \r\n", 400, "", "" },
		{ GET UPGRADE CONNECTION VERSION("13") "Sec-WebSocket-Key: c2hvcnQ=\r\n", 400, "", "" },
		{ GET UPGRADE CONNECTION VERSION("13") "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=\r\n", 400,
			"", "" },
		{ GET UPGRADE CONNECTION VERSION("13") "Sec-WebSocket-Key: ????????????????????????\r\n", 400,
			"", "" },
		{ HEAD("GET /ws HTTP/1.0\r\n") UPGRADE CONNECTION KEY VERSION("13"), 400, "", "" },
		{ HEAD("POST /ws HTTP/1.1\r\n") UPGRADE CONNECTION KEY VERSION("13") "Content-Length: 0\r\n",
			400, "", "" },
		{ HEAD("HEAD /ws HTTP/1.1\r\n") UPGRADE CONNECTION KEY VERSION("13"), 400, "", "" },
		{ HEAD("POST /events HTTP/1.1\r\n") "Content-Length: 0\r\n", 400, "", "" },
		{ HEAD("HEAD /events HTTP/1.1\r\n"), 400, "", "" },
		{ HEAD("GET /events HTTP/1.1\r\n"), 200, "Cache-Control: no-store\r\n", "Content-Length" },
		{ HEAD("GET /events HTTP/1.0\r\n"), 200, "Connection: close\r\n", "Transfer-Encoding" },
	};
	struct streams *t = streams_new();

	(void)state;
	t->options.subprotocol = STR("live.v1");
	streams_start(t);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char request[1024], head[2048];
		int64_t status = 0;
		int fd;

		assert_in_range(snprintf(request, sizeof(request), "%s\r\n", cases[i].request), 1,
			sizeof(request) - 1);
		fd = ws_handshake(t, request, head, sizeof(head));
		assert_true(str_to_int((struct str){ head + 9, 3 }, &status));
		if (status != cases[i].status || !strstr(head, cases[i].has) ||
			(cases[i].lacks[0] && strstr(head, cases[i].lacks)))
			fail_msg("%s\nwas answered\n%s", request, head);
		close(fd);
	}
	streams_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_taken_and_refused_as_the_standard_says),
		cmocka_unit_test(lengths_are_understood),
		cmocka_unit_test(limits_and_wrong_lengths_are_refused),
		cmocka_unit_test(a_sum_of_fragments_is_limited),
		cmocka_unit_test(frames_without_a_mask_are_refused),
		cmocka_unit_test(texts_are_utf8),
		cmocka_unit_test(close_codes_are_checked),
		cmocka_unit_test(handshakes_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
