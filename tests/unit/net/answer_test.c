/* What every answer has: conditional requests, compression, HEAD, CORS, security fields, request ids, what a proxy says. */
#include "fixture.h"
#include <unistd.h>
#include <zlib.h>

#define GET(path, fields) "GET " path " HTTP/1.1\r\nHost: x\r\n" fields "\r\n"

static int
start(void **state)
{
	struct fixture *f = fixture_new();

	f->options.cors_origins = STR("https://app.example, https://other.example");
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

static void
the_request_is_told_as_it_came(void **state)
{
	struct reply r;

	assert_int_equal(ask(*state, GET("/a%2Fb/?x=1&y=2+3&%zz", "X-Request-ID: abc-1.2_Z\r\n"), &r), 200);
	assert_non_null(strstr(r.body, "method=GET head=0 path=/a%2Fb/ query=x=1&y=2+3&%zz body=0 "
				       "peer=127.0.0.1 host=x secure=0 id=abc-1.2_Z"));
	assert_string_equal(reply_field(&r, "X-Request-ID"), "abc-1.2_Z");
	reply_done(&r);
	assert_int_equal(
		ask(*state, "DELETE http://other.example:81/p?q HTTP/1.1\r\nHost: x\r\n\r\n", &r), 200);
	assert_non_null(strstr(
		r.body, "method=DELETE head=0 path=/p query=q body=0 peer=127.0.0.1 host=other.example:81 "));
	reply_done(&r);
	assert_int_equal(ask(*state, "GET http://other.example?q HTTP/1.1\r\nHost: x\r\n\r\n", &r), 200);
	assert_non_null(strstr(r.body, "path=/ query=q "));
	reply_done(&r);
	assert_int_equal(ask(*state, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", &r), 200);
	assert_non_null(strstr(r.body, "method=OPTIONS head=0 path=* "));
	reply_done(&r);
	assert_int_equal(ask(*state, "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", &r), 200);
	assert_non_null(strstr(r.body, "method=OTHER"));
	reply_done(&r);
}

static void
a_bad_request_id_is_replaced_and_ids_differ(void **state)
{
	static const char *const bad[] = { "X-Request-ID: a b\r\n", "X-Request-ID: \xc3\xa4\r\n",
		"X-Request-ID: <script>\r\n", "X-Request-ID: \r\n",
		"X-Request-ID: 01234567890123456789012345678901234567890123456789012345678901234\r\n" };
	char seen[COUNT(bad)][40];

	for (size_t i = 0; i < COUNT(bad); i++) {
		char request[256];
		struct reply r;

		assert_true(snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n",
				    bad[i]) > 0);
		assert_int_equal(ask(*state, request, &r), 200);
		assert_true(snprintf(seen[i], sizeof(seen[i]), "%s", reply_field(&r, "X-Request-ID")) == 24);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
		reply_done(&r);
	}
}

static void
every_answer_has_the_security_fields_and_no_version(void **state)
{
	struct reply r;

	assert_int_equal(ask(*state, GET("/", ""), &r), 200);
	assert_string_equal(reply_field(&r, "X-Content-Type-Options"), "nosniff");
	assert_string_equal(reply_field(&r, "Referrer-Policy"), "no-referrer");
	assert_string_equal(reply_field(&r, "Cache-Control"), "private, no-cache");
	assert_string_equal(reply_field(&r, "Server"), "sextant");
	assert_non_null(reply_field(&r, "Date"));
	reply_done(&r);
	assert_int_equal(ask(*state, GET("/secret", ""), &r), 200);
	assert_string_equal(reply_field(&r, "Cache-Control"), "no-store");
	assert_null(reply_field(&r, "ETag"));
	reply_done(&r);
}

static void
a_field_cannot_bring_another_line(void **state)
{
	struct reply r;

	assert_int_equal(ask(*state, GET("/fields", ""), &r), 201);
	assert_string_equal(reply_field(&r, "Location"), "/ok");
	assert_string_equal(reply_field(&r, "ETag"), "\"v7\"");
	assert_string_equal(reply_field(&r, "Cache-Control"), "public, max-age=60");
	assert_null(reply_field(&r, "Set-Cookie"));
	assert_null(reply_field(&r, "X-Evil"));
	assert_null(strstr(r.head, "Bad"));
	reply_done(&r);
}

static int
status_if_none_match(struct fixture *f, const char *format, const char *tag)
{
	char request[512], condition[256];

	assert_true(snprintf(condition, sizeof(condition), format, tag) > 0);
	assert_true(snprintf(request, sizeof(request),
			    "GET /json/100 HTTP/1.1\r\nHost: x\r\nIf-None-Match: %s\r\n\r\n", condition) > 0);
	return ask_status(f, request);
}

static void
if_none_match_answers_304(void **state)
{
	struct reply r;
	char tag[64];

	assert_int_equal(ask(*state, GET("/json/100", ""), &r), 200);
	assert_true(snprintf(tag, sizeof(tag), "%s", reply_field(&r, "ETag")) > 2);
	reply_done(&r);
	assert_int_equal(status_if_none_match(*state, "%s", tag), 304);
	assert_int_equal(status_if_none_match(*state, "W/%s", tag), 304);
	assert_int_equal(status_if_none_match(*state, "\"a,b\", W/\"c\" ,%s", tag), 304);
	assert_int_equal(status_if_none_match(*state, " * ", tag), 304);
	assert_int_equal(status_if_none_match(*state, "\"other\"", tag), 200);
	assert_int_equal(status_if_none_match(*state, "%s", "unquoted"), 200);
	assert_int_equal(status_if_none_match(*state, "\"%s", "x"), 200);
	assert_int_equal(ask(*state, GET("/json/101", ""), &r), 200);
	assert_string_not_equal(reply_field(&r, "ETag"), tag);
	reply_done(&r);
	/* A 304 has no body, and the connection goes on. */
	assert_int_equal(ask(*state, GET("/json/100", "If-None-Match: *\r\n"), &r), 304);
	assert_int_equal(r.body_len, 0);
	assert_null(reply_field(&r, "Content-Type"));
	assert_string_equal(reply_field(&r, "Content-Length"), "0");
	assert_non_null(reply_field(&r, "ETag"));
}

static void
a_condition_is_for_get_only(void **state)
{
	assert_int_equal(ask_status(*state, "POST /json/100 HTTP/1.1\r\nHost: x\r\nIf-None-Match: "
					    "*\r\nContent-Length: 0\r\n\r\n"),
		200);
	assert_int_equal(
		ask_status(*state, "HEAD /json/100 HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n"), 304);
	assert_int_equal(ask_status(*state, GET("/secret", "If-None-Match: *\r\n")), 200);
}

static void
head_sends_the_header_alone(void **state)
{
	int fd = client_open(*state);
	struct reply r;

	client_send(fd, "HEAD /json/5000 HTTP/1.1\r\nHost: x\r\n\r\nGET /json/7 HTTP/1.1\r\nHost: x\r\n\r\n");
	client_read(fd, true, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(reply_field(&r, "Content-Length"), "5000");
	assert_non_null(reply_field(&r, "ETag"));
	client_read(fd, false, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 7);
	reply_done(&r);
	close(fd);
}

static size_t
inflated(const struct reply *r, char *out, size_t room)
{
	z_stream z = { 0 };

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (Bytef *)r->body;
	z.avail_in = (uInt)r->body_len;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)room;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	return z.total_out;
}

static void
large_text_is_compressed_for_those_who_accept(void **state)
{
	static char plain[200000];
	struct reply r, same;

	assert_int_equal(
		ask(*state, GET("/json/100000", "Accept-Encoding: deflate, gzip;q=0.5, br\r\n"), &r), 200);
	assert_string_equal(reply_field(&r, "Content-Encoding"), "gzip");
	assert_string_equal(reply_field(&r, "Vary"), "Accept-Encoding");
	assert_memory_equal(reply_field(&r, "ETag"), "W/\"", 3);
	assert_true(r.body_len < 10000);
	assert_int_equal(inflated(&r, plain, sizeof(plain)), 100000);
	assert_int_equal(ask(*state, GET("/json/100000", ""), &same), 200);
	assert_null(reply_field(&same, "Content-Encoding"));
	assert_string_equal(reply_field(&same, "Vary"), "Accept-Encoding");
	assert_int_equal(same.body_len, 100000);
	assert_memory_equal(same.body, plain, 100000);
	reply_done(&r);
	reply_done(&same);
}

static void
compression_is_not_forced(void **state)
{
	static const char *const plain[] = {
		GET("/json/100000", "Accept-Encoding: gzip;q=0\r\n"),
		GET("/json/100000", "Accept-Encoding: gzip; q=0.000, *\r\n"),
		GET("/json/100000", "Accept-Encoding: identity\r\n"),
		GET("/json/100000", "Accept-Encoding: gzipped\r\n"),
		GET("/json/1000", "Accept-Encoding: gzip\r\n"),
		GET("/binary/100000", "Accept-Encoding: gzip\r\n"),
	};
	struct reply r;

	for (size_t i = 0; i < COUNT(plain); i++) {
		assert_int_equal(ask(*state, plain[i], &r), 200);
		assert_null(reply_field(&r, "Content-Encoding"));
		reply_done(&r);
	}
	assert_int_equal(ask(*state, GET("/json/100000", "Accept-Encoding: *\r\n"), &r), 200);
	assert_string_equal(reply_field(&r, "Content-Encoding"), "gzip");
	reply_done(&r);
	assert_int_equal(ask(*state, GET("/later/100000", "Accept-Encoding: gzip\r\n"), &r), 200);
	assert_string_equal(reply_field(&r, "Content-Encoding"), "gzip");
	reply_done(&r);
}

static void
cors_fields_are_for_listed_origins(void **state)
{
	struct reply r;

	assert_int_equal(ask(*state, GET("/", "Origin: https://other.example\r\n"), &r), 200);
	assert_string_equal(reply_field(&r, "Access-Control-Allow-Origin"), "https://other.example");
	assert_non_null(strstr(reply_field(&r, "Access-Control-Expose-Headers"), "ETag"));
	assert_string_equal(reply_field(&r, "Vary"), "Origin");
	reply_done(&r);
	assert_int_equal(ask(*state, GET("/", "Origin: https://evil.example\r\n"), &r), 200);
	assert_null(reply_field(&r, "Access-Control-Allow-Origin"));
	assert_string_equal(reply_field(&r, "Vary"), "Origin");
	reply_done(&r);
	assert_int_equal(ask(*state,
				 "OPTIONS /x HTTP/1.1\r\nHost: x\r\nOrigin: "
				 "https://app.example\r\nAccess-Control-Request-Method: "
				 "PUT\r\nAccess-Control-Request-Headers: authorization,if-match\r\n\r\n",
				 &r),
		200);
	assert_string_equal(reply_field(&r, "Access-Control-Allow-Origin"), "https://app.example");
	assert_non_null(strstr(reply_field(&r, "Access-Control-Allow-Methods"), "PATCH"));
	assert_string_equal(reply_field(&r, "Access-Control-Allow-Headers"), "authorization,if-match");
	assert_non_null(reply_field(&r, "Access-Control-Max-Age"));
	reply_done(&r);
}

static void
without_origins_there_are_no_cors_fields(void **state)
{
	struct fixture *f = fixture_new();
	struct reply r;

	(void)state;
	fixture_start(f);
	assert_int_equal(ask(f, GET("/", "Origin: https://app.example\r\n"), &r), 200);
	assert_null(reply_field(&r, "Access-Control-Allow-Origin"));
	assert_null(reply_field(&r, "Vary"));
	reply_done(&r);
	fixture_free(f);
	f = fixture_new();
	f->options.cors_origins = STR("*");
	fixture_start(f);
	assert_int_equal(ask(f, GET("/", "Origin: https://app.example\r\n"), &r), 200);
	assert_string_equal(reply_field(&r, "Access-Control-Allow-Origin"), "*");
	reply_done(&r);
	fixture_free(f);
}

#define FORWARDED                                                                                 \
	"X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: " \
	"shop.example\r\n"

static void
a_proxy_is_believed_only_when_told_so(void **state)
{
	struct fixture *f = fixture_new();
	struct reply r;

	assert_int_equal(ask(*state, GET("/", FORWARDED), &r), 200);
	assert_non_null(strstr(r.body, "peer=127.0.0.1 host=x secure=0"));
	reply_done(&r);
	f->options.behind_proxy = true;
	fixture_start(f);
	assert_int_equal(ask(f, GET("/", FORWARDED), &r), 200);
	assert_non_null(strstr(r.body, "peer=203.0.113.9 host=shop.example secure=1"));
	reply_done(&r);
	assert_int_equal(
		ask(f, GET("/", "X-Forwarded-For: 203.0.113.9, <b>\r\nX-Forwarded-Host: a/b\r\n"), &r), 200);
	assert_non_null(strstr(r.body, "peer=127.0.0.1 host=x secure=0"));
	reply_done(&r);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_is_told_as_it_came),
		cmocka_unit_test(a_bad_request_id_is_replaced_and_ids_differ),
		cmocka_unit_test(every_answer_has_the_security_fields_and_no_version),
		cmocka_unit_test(a_field_cannot_bring_another_line),
		cmocka_unit_test(if_none_match_answers_304),
		cmocka_unit_test(a_condition_is_for_get_only),
		cmocka_unit_test(head_sends_the_header_alone),
		cmocka_unit_test(large_text_is_compressed_for_those_who_accept),
		cmocka_unit_test(compression_is_not_forced),
		cmocka_unit_test(cors_fields_are_for_listed_origins),
		cmocka_unit_test(without_origins_there_are_no_cors_fields),
		cmocka_unit_test(a_proxy_is_believed_only_when_told_so),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
