/*
 * Mail against a server that answers as each test says: what a refusal means depends on what was refused, nothing waits for ever, nothing
 * is sent in clear to another machine; and the message's text, whatever people have put into their names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "net/mail_message.h"
#include <arpa/inet.h>
#include <nettle/base64.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMMANDS_BYTES 4096
#define LINE_MAX_BYTES 4096
#define PATIENCE_MS    30000
#define SHORT_MS       300

/* ---- a server with a script ---- */

/* What is answered to a command that begins so; answer NULL: nothing, ever; "": the connection is closed. */
struct step {
	const char *command, *answer;
};
struct world {
	struct arena *arena;
	int listener, timeout_ms;
	uint16_t port;
	const struct step *steps; /* before the usual ones; ends with command NULL */
	bool floods;		  /* an answer without end instead of the greeting */
	char said[COMMANDS_BYTES];
	size_t said_n;
};

static const struct step usual[] = { { "", "220 ready\r\n" }, { "EHLO", "250-here\r\n250 8BITMIME\r\n" },
	{ "MAIL", "250 ok\r\n" }, { "RCPT", "250 ok\r\n" }, { "DATA", "354 go on\r\n" },
	{ ".", "250 taken\r\n" }, { "QUIT", "" }, { NULL, NULL } };

static const struct step *
step_for(const struct world *w, const char *line)
{
	const struct step *const lists[] = { w->steps, usual };

	for (size_t i = 0; i < COUNT(lists); i++)
		for (const struct step *s = lists[i]; s && s->command; s++)
			if (s->command[0] ? strncmp(line, s->command, strlen(s->command)) == 0 : !line[0])
				return s;
	return NULL; /* a line of the message */
}

static bool
answer(int fd, const struct world *w, const char *line)
{
	const struct step *s = step_for(w, line);

	if (!s || !s->answer)
		return true;
	return s->answer[0] && send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL) > 0;
}

static void
flood(int fd)
{
	static const char junk[4096] = "250-";

	while (send(fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0)
		continue;
}

static void
talk(struct world *w, int fd)
{
	char line[LINE_MAX_BYTES];
	size_t n = 0;
	char c;

	if (w->floods)
		flood(fd);
	if (!answer(fd, w, ""))
		return;
	while (recv(fd, &c, 1, 0) == 1) {
		if (w->said_n + 1 < sizeof(w->said))
			w->said[w->said_n++] = c;
		if (c != '\n' && n + 1 < sizeof(line)) {
			line[n++] = c;
			continue;
		}
		line[n && line[n - 1] == '\r' ? n - 1 : n] = '\0';
		n = 0;
		if (line[0] && !answer(fd, w, line))
			return;
	}
}

static void *
serve(void *arg)
{
	struct world *w = arg;
	int fd = accept(w->listener, NULL, NULL);

	if (fd >= 0) {
		talk(w, fd);
		close(fd);
	}
	return NULL;
}

static int
start(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));

	w->arena = arena_new(64u << 20);
	w->timeout_ms = PATIENCE_MS;
	*state = w;
	return 0;
}

static int
stop(void **state)
{
	struct world *w = *state;

	arena_free(w->arena);
	test_free(w);
	return 0;
}

static const struct mail hello = {
	.to = { "ann@mail.internal", 17 },
	.subject = { "Hello", 5 },
	.text = { "Hello.\n.\n..\n", 12 },
	.id = { "a.1", 3 },
};

static void
open_listener(struct world *w)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(at);

	w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->listener, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(w->listener, 5), 0);
	assert_int_equal(getsockname(w->listener, (struct sockaddr *)&at, &n), 0);
	w->port = ntohs(at.sin_port);
}

/* One message to a server of its own, reached by that name of this machine. */
static struct err *
send_once(struct world *w, const struct step *steps, const struct mail *m, const char *host)
{
	pthread_t thread;

	w->steps = steps;
	w->said_n = 0;
	open_listener(w);
	const struct mail_server s = { .url = arena_fmt(w->arena, "smtp://%s:%d", host, w->port),
		.from = STR("Sextant <kpi@example.org>"),
		.timeout_ms = w->timeout_ms };
	assert_int_equal(pthread_create(&thread, NULL, serve, w), 0);
	struct err *e = mail_send(&s, w->arena, m);
	shutdown(w->listener, SHUT_RDWR); /* when nobody came */
	pthread_join(thread, NULL);
	close(w->listener);
	w->said[w->said_n] = '\0';
	return e;
}

/* ---- rules ---- */

static void
what_was_refused_tells_whose_fault_it_is(void **state)
{
	static const struct {
		struct step step;
		const char *word;
		enum err_code code;
	} cases[] = {
		{ { "RCPT", "550 nobody\r\n" }, "RECIPIENT_REFUSED", ERR_INVALID_INPUT },
		{ { "RCPT", "553-no\r\n553 nobody\r\n" }, "RECIPIENT_REFUSED", ERR_INVALID_INPUT },
		{ { "RCPT", "550 5.1.1 <x@y>: nobody\r\n" }, "RECIPIENT_REFUSED", ERR_INVALID_INPUT },
		{ { "RCPT", "550 5.2.1 disabled\r\n" }, "RECIPIENT_REFUSED", ERR_INVALID_INPUT },
		/* Of the sender, the client or the login, though only here. */
		{ { "RCPT", "554 5.7.1 <x@y>: Relay access denied\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { "RCPT", "550 5.7.1 blocked\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { "RCPT", "553 5.1.8 sender\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { "RCPT", "530 5.7.0 log in\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { "RCPT", "554 relay\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { "RCPT", "552 5.2.2 full\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { "RCPT", "450 later\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { "MAIL", "550 not from you\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { "DATA", "554 no\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		/* Of the text: another one may be taken. */
		{ { ".", "554 spam\r\n" }, "CONTENT_REFUSED", ERR_INVALID_INPUT },
		{ { ".", "550 5.7.1 spam\r\n" }, "CONTENT_REFUSED", ERR_INVALID_INPUT },
		{ { ".", "554-5.6.0 bad\r\n554 5.6.0 text\r\n" }, "CONTENT_REFUSED", ERR_INVALID_INPUT },
		{ { ".", "552 5.3.4 size\r\n" }, "CONTENT_REFUSED", ERR_INVALID_INPUT },
		{ { ".", "552 5.2.3 size\r\n" }, "CONTENT_REFUSED", ERR_INVALID_INPUT },
		/* Of a full mailbox, the server, a quota, the sender. */
		{ { ".", "552 5.2.2 full\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { ".", "554 5.3.2 closed\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { ".", "550 5.4.5 quota\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { ".", "550 5.1.8 sender\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
		{ { ".", "451 later\r\n" }, "MAIL_REFUSED", ERR_UNAVAILABLE },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct step steps[] = { cases[i].step, { NULL, NULL } };
		struct err *e = send_once(w, steps, &hello, "127.0.0.1");
		assert_non_null(e);
		if (e->code != cases[i].code || !str_eq(err_code_word(e), str_from_cstr(cases[i].word)))
			fail_msg("%s: %.*s", cases[i].step.answer, STR_ARG(err_code_word(e)));
		/* The server's own words are kept for the log. */
		const char *last = strrchr(cases[i].step.answer, ' ');
		assert_true(e->detail.n >= strlen(last) - 2);
		assert_memory_equal(e->detail.p + e->detail.n - (strlen(last) - 2), last, strlen(last) - 2);
	}
	assert_null(send_once(w, NULL, &hello, "127.0.0.1"));
}

/* Few servers know SMTPUTF8, and none is asked for it. */
static void
domains_of_all_scripts_are_reached(void **state)
{
	struct world *w = *state;
	struct mail m = hello;

	m.to = STR("ann@Bücher.internal");
	assert_null(send_once(w, NULL, &m, "127.0.0.1"));
	assert_non_null(strstr(w->said, "RCPT TO:<ann@xn--bcher-kva.internal>\r\n"));
	assert_non_null(strstr(w->said, "\r\nTo: <ann@xn--bcher-kva.internal>\r\n"));
	m.to = STR("ann@\u202e.internal"); /* nothing that a domain can have */
	struct err *e = send_once(w, NULL, &m, "127.0.0.1");
	assert_non_null(e);
	assert_true(str_eq(err_code_word(e), STR("RECIPIENT_REFUSED")));
	assert_int_equal(w->said_n, 0);
}

/* RFC 2606, RFC 6761: not even the server hears of such an address. */
static void
reserved_names_are_not_mailed(void **state)
{
	static const struct {
		const char *address;
		bool reserved;
	} cases[] = { { "a@example.com", true }, { "a@EXAMPLE.Net", true }, { "a@b.c.example.org", true },
		{ "a@example", true }, { "a@demo.example", true }, { "a@x.test", true },
		{ "a@x.invalid", true }, { "a@localhost", true }, { "a@x.localhost", true },
		{ "a@example.com.", true }, { "example.com@north.internal", false },
		{ "a@notexample.com", false }, { "a@example.de", false }, { "a@example.com.de", false },
		{ "a@test.de", false }, { "a@contest", false }, { "a@x.internal", false }, { "a@m", false } };
	struct world *w = *state;
	struct mail m = hello;

	for (size_t i = 0; i < COUNT(cases); i++)
		if (mail_address_is_reserved(str_from_cstr(cases[i].address)) != cases[i].reserved)
			fail_msg("%s", cases[i].address);
	m.to = STR("ann@demo.ｅxample"); /* as IDNA reads it */
	struct err *e = send_once(w, NULL, &m, "127.0.0.1");
	assert_non_null(e);
	assert_int_equal(e->code, ERR_INVALID_INPUT);
	assert_true(str_eq(err_code_word(e), STR("RECIPIENT_RESERVED")));
	assert_int_equal(w->said_n, 0);
}

static void
nothing_waits_for_ever(void **state)
{
	static const struct {
		struct step step;
		const char *word;
	} cases[] = {
		{ { "", NULL }, "TIMEOUT" },
		{ { "EHLO", NULL }, "TIMEOUT" },
		{ { "RCPT", NULL }, "TIMEOUT" },
		{ { ".", NULL }, "TIMEOUT" },
		{ { "", "" }, "CONNECTION_FAILED" },
		{ { "RCPT", "" }, "CONNECTION_FAILED" },
		{ { ".", "" }, "CONNECTION_FAILED" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct step steps[] = { cases[i].step, { NULL, NULL } };
		w->timeout_ms = cases[i].step.answer ? PATIENCE_MS : SHORT_MS;
		struct err *e = send_once(w, steps, &hello, "127.0.0.1");
		if (!e || e->code != ERR_UNAVAILABLE)
			fail_msg("case %zu went through", i);
		if (!str_eq(err_code_word(e), str_from_cstr(cases[i].word)))
			fail_msg("case %zu: %.*s", i, STR_ARG(err_code_word(e)));
	}
	w->floods = true;
	struct err *e = send_once(w, NULL, &hello, "127.0.0.1");
	assert_non_null(e);
	assert_int_equal(e->code, ERR_UNAVAILABLE);
}

static bool
always(void *arg)
{
	(void)arg;
	return true;
}

static void
who_stops_does_not_wait(void **state)
{
	static const struct step silent[] = { { "", NULL }, { NULL, NULL } };
	struct world *w = *state;
	struct mail m = hello;

	m.is_over = always;
	struct err *e = send_once(w, silent, &m, "127.0.0.1");
	assert_non_null(e);
	assert_true(str_eq(err_code_word(e), STR("STOPPED")));
}

static void
another_machine_gets_nothing_in_clear(void **state)
{
	struct world *w = *state;
	struct err *e = send_once(w, NULL, &hello, "[::ffff:127.0.0.1]"); /* which looks like another one */

	assert_non_null(e);
	assert_true(str_eq(err_code_word(e), STR("TLS_FAILED")));
	assert_null(strstr(w->said, "MAIL"));
	assert_null(strchr(w->said, '@'));
}

/* ---- the text ---- */

/* Encoded words of a folded field put together again; no field goes on behind it. */
static struct str
field_of(struct arena *a, struct str message, const char *name)
{
	const char *at = strstr(arena_cstr(a, message), arena_fmt(a, "\r\n%s: ", name).p);
	struct buf out;

	assert_non_null(at);
	buf_init_arena(&out, a, 65536);
	at += strlen(name) + 4;
	for (;;) {
		const char *end = strstr(at, "\r\n");
		assert_non_null(end);
		assert_true(end - at <= 76);
		if (strncmp(at, "=?UTF-8?B?", 10) == 0) {
			struct base64_decode_ctx d;
			uint8_t text[128];
			const char *stop = strstr(at + 10, "?=");
			size_t n = sizeof(text);
			base64_decode_init(&d);
			assert_int_equal(
				base64_decode_update(&d, &n, text, (size_t)(stop - at - 10), at + 10), 1);
			assert_int_equal(str_utf8_prefix((struct str){ (const char *)text, n }), n);
			buf_add(&out, text, n);
			at = stop + 2;
		}
		buf_add(&out, at, (size_t)(end - at));
		if (end[2] != ' ')
			return buf_str(&out);
		at = end + 3;
	}
}

static struct str
message_with(struct arena *a, struct str name, struct str subject)
{
	struct mail m = hello;
	struct buf b;

	m.to_name = name;
	m.subject = subject;
	buf_init_arena(&b, a, 1u << 20);
	mail_message_write(&b, STR("S"), STR("kpi@example.org"), &m);
	assert_false(b.over);
	return arena_str(a, buf_str(&b));
}

static void
texts_come_back_as_they_were(void **state)
{
	static const char *const texts[] = { "", "plain", "Größe",
		"=?UTF-8?B?eA==?=", "日本語日本語日本語日本語日本語日本語日本語日本語",
		"a\r\nBcc: eve@example.com", "𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞x", "tab\there" };
	struct world *w = *state;
	char longest[1000];

	for (size_t i = 0; i <= COUNT(texts); i++) {
		memset(longest, 'x', sizeof(longest));
		struct str text =
			i < COUNT(texts) ? str_from_cstr(texts[i]) : (struct str){ longest, sizeof(longest) };
		const struct str message = message_with(w->arena, STR(""), text);
		struct str back = field_of(w->arena, message, "Subject");
		assert_int_equal(back.n, text.n);
		for (size_t k = 0; k < text.n; k++)
			assert_int_equal(back.p[k], (unsigned char)text.p[k] < ' ' ? ' ' : text.p[k]);
		assert_null(strstr(arena_cstr(w->arena, message), "\r\nBcc:"));
		assert_true(str_eq(field_of(w->arena, message, "To"), STR("<ann@mail.internal>")));
	}
	assert_true(str_eq(field_of(w->arena, message_with(w->arena, STR("Ann Lee"), STR("")), "To"),
		STR("Ann Lee <ann@mail.internal>")));
	assert_true(str_eq(field_of(w->arena, message_with(w->arena, STR("Lee, \"Ann\""), STR("")), "To"),
		STR("\"Lee, \\\"Ann\\\"\" <ann@mail.internal>")));
}

/* RFC 2047 2: a line with an encoded word has at most 76 characters; RFC 5322 2.1.1: any line at most 998. And no line is people's own. */
static void
lines_have_their_limits(void **state)
{
	static const char *const people[] = { "Ann", "Lee, \"Ann\"", "Grüße", "\r\n\r\nevil", "\nBcc: e@x",
		"=?", "\x7f", "\\", "日本語日本語日本語日本語日本語日本語日本語日本語日本語" };
	struct world *w = *state;
	char longest[4000];

	for (size_t i = 0; i <= COUNT(people); i++) {
		memset(longest, '"', sizeof(longest));
		const struct str text = i < COUNT(people) ? str_from_cstr(people[i])
							  : (struct str){ longest, sizeof(longest) };
		struct str rest = message_with(w->arena, text, text), line;
		for (int fields = 0; str_split(&rest, '\n', &line); fields += line.p[0] != ' ') {
			if (line.n == 1) {
				assert_int_equal(fields, 9);
				break;
			}
			const bool has_word = strstr(arena_cstr(w->arena, line), "=?UTF-8?B?") != NULL;
			if (line.n > (has_word ? 77 : 999)) /* with its CR */
				fail_msg("%zu characters: %.*s", line.n - 1, STR_ARG(line));
			assert_int_equal(line.p[line.n - 1], '\r');
			for (size_t k = 0; k + 1 < line.n; k++)
				assert_in_range(line.p[k], ' ', '~');
		}
	}
}

static void
senders_and_addresses(void **state)
{
	static const struct {
		const char *text, *name, *address;
	} cases[] = {
		{ "a@b", "", "a@b" },
		{ " Ann Lee <a@b.example> ", "Ann Lee", "a@b.example" },
		{ "\"Lee, Ann\" <a@b>", "Lee, Ann", "a@b" },
		{ "<a@b>", "", "a@b" },
		{ "a", NULL, NULL },
		{ "", NULL, NULL },
		{ "@b", NULL, NULL },
		{ "a@", NULL, NULL },
		{ "a@b@c", NULL, NULL },
		{ "Ann <a@b", NULL, NULL },
		{ "a b@c", NULL, NULL },
		{ "a@b\r\nX: y", NULL, NULL },
		{ "a@b>", NULL, NULL },
	};
	struct str name, address;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool fine = mail_mailbox_parse(str_from_cstr(cases[i].text), &name, &address);
		if (fine != (cases[i].name != NULL))
			fail_msg("%s", cases[i].text);
		if (fine) {
			assert_true(str_eq(name, str_from_cstr(cases[i].name)));
			assert_true(str_eq(address, str_from_cstr(cases[i].address)));
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_refused_tells_whose_fault_it_is, start, stop),
		cmocka_unit_test_setup_teardown(domains_of_all_scripts_are_reached, start, stop),
		cmocka_unit_test_setup_teardown(reserved_names_are_not_mailed, start, stop),
		cmocka_unit_test_setup_teardown(nothing_waits_for_ever, start, stop),
		cmocka_unit_test_setup_teardown(who_stops_does_not_wait, start, stop),
		cmocka_unit_test_setup_teardown(another_machine_gets_nothing_in_clear, start, stop),
		cmocka_unit_test_setup_teardown(texts_come_back_as_they_were, start, stop),
		cmocka_unit_test_setup_teardown(lines_have_their_limits, start, stop),
		cmocka_unit_test(senders_and_addresses),
	};

	return cmocka_run_group_tests_name("net_mail", tests, NULL, NULL);
}
