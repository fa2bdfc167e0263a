/* multipart/form-data. */
#include "codec/form.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TYPE "multipart/form-data; boundary=XX"

static struct arena *a;
static struct form_part *parts;
static size_t count;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new(1 << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static struct err *
parse(const char *type, const char *body)
{
	parts = NULL;
	count = 0;
	return multipart_parse(a, str_from_cstr(type), str_from_cstr(body), 3, &parts, &count);
}

static void
assert_parsed(const char *type, const char *body, size_t expected_count)
{
	struct err *e = parse(type, body);

	if (e)
		fail_msg("%s: %.*s", body, STR_ARG(e->message));
	assert_int_equal(count, expected_count);
}

static void
assert_refused(const char *type, const char *body)
{
	struct err *e = parse(type, body);

	if (!e)
		fail_msg("accepted: %s", body);
	assert_int_equal(e->code, ERR_MALFORMED);
	assert_null(parts);
}

static void
assert_str(struct str s, const char *expected)
{
	assert_non_null(s.p);
	assert_string_equal(arena_cstr(a, s), expected);
}

static void
fields_and_files_are_read(void **state)
{
	(void)state;
	assert_parsed(TYPE,
		"--XX\r\nContent-Disposition: form-data; name=\"expense\"\r\n\r\n42\r\n"
		"--XX\r\ncontent-disposition:form-data; filename=\"a b.csv\"; name=file\r\nContent-Type: "
		"text/csv\r\n\r\n"
		"x,y\r\n--X\r\n--XXy\r\n1,2\r\n--XX--\r\n",
		2);
	assert_str(parts[0].name, "expense");
	assert_str(parts[0].body, "42");
	assert_null(parts[0].file_name.p);
	assert_null(parts[0].content_type.p);
	assert_str(parts[1].name, "file");
	assert_str(parts[1].file_name, "a b.csv");
	assert_str(parts[1].content_type, "text/csv");
	assert_str(parts[1].body, "x,y\r\n--X\r\n--XXy\r\n1,2");
}

static void
a_preamble_an_epilogue_and_padding_are_allowed(void **state)
{
	(void)state;
	assert_parsed(
		TYPE, "hello\r\n--XX \t\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX--bye", 1);
	assert_str(parts[0].body, "");
	assert_parsed(TYPE, "--XX--", 0);
	assert_parsed("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"",
		"--a b\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n--a b--", 1);
}

static void
a_content_may_be_binary(void **state)
{
	static const char body[] = "--XX\r\nContent-Disposition: form-data; name=a; filename=f\r\n"
				   "Content-Transfer-Encoding: binary\r\n\r\n\0\xFF\r\n\0\r\n--XX--\r\n";

	(void)state;
	assert_null(multipart_parse(a, STR(TYPE), STR(body), 3, &parts, &count));
	assert_int_equal(count, 1);
	assert_true(str_eq(parts[0].body, (struct str){ "\0\xFF\r\n\0", 5 }));
}

static void
assert_file_name(const char *disposition, const char *expected)
{
	struct str body = arena_fmt(
		a, "--XX\r\nContent-Disposition: form-data; name=a; %s\r\n\r\n\r\n--XX--", disposition);

	assert_parsed(TYPE, body.p, 1);
	assert_str(parts[0].file_name, expected);
}

static void
file_names_come_as_clients_send_them_but_without_folders(void **state)
{
	(void)state;
	assert_file_name("filename=\"a\\\"b\\\\c.txt\"", "c.txt");
	assert_file_name("filename=\"say \\\"hi\\\".txt\"", "say \"hi\".txt");
	assert_file_name("filename=\"C:\\Users\\x\\report.pdf\"", "report.pdf");
	assert_file_name("filename=\"../../etc/passwd\"", "passwd");
	assert_file_name("filename=\"\"", "");
	assert_file_name("filename=\"a;b=c.txt\"", "a;b=c.txt");
	assert_file_name("filename=\"\xC3\xA4.txt\"", "\xC3\xA4.txt");
	assert_file_name("filename=\"x.txt\"; filename*=UTF-8''%e2%82%ac%20x.txt", "\xE2\x82\xAC x.txt");
	assert_file_name("filename*=utf-8'en'..%2fy.txt; filename=x.txt", "y.txt");
}

static void
broken_bodies_are_refused(void **state)
{
	static const char *const bodies[] = {
		"",
		"--XX",
		"--YY--",
		"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n",
		"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n--XX",
		"--XX\r\nContent-Disposition: form-data; name=a\r\nv\r\n--XX--",
		"--XX\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Type: text/plain\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a trailing\"; junk\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
		"name=b\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"a\x01\"\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"\xFF\"\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a; filename*=latin1''x\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: "
		"base64\r\n\r\nv\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a\r\nno colon\r\n\r\nv\r\n--XX--",
		"--XX\r\n Content-Disposition: form-data; name=a\r\n\r\nv\r\n--XX--",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++)
		assert_refused(TYPE, bodies[i]);
}

static void
a_type_without_a_usable_boundary_is_refused(void **state)
{
	static const char *const types[] = { "", "multipart/form-data",
		"multipart/form-data; boundary=", "multipart/form-data; boundary=\"",
		"multipart/mixed; boundary=XX", "application/json" };

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		assert_refused(types[i], "--XX--");
	assert_parsed(
		arena_fmt(a, "multipart/form-data; boundary=%070d", 0).p, arena_fmt(a, "--%070d--", 0).p, 0);
	assert_refused(
		arena_fmt(a, "multipart/form-data; boundary=%071d", 0).p, arena_fmt(a, "--%071d--", 0).p);
}

static void
too_many_parts_are_refused(void **state)
{
	const char *const part = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";

	(void)state;
	assert_parsed(TYPE, arena_fmt(a, "%s%s%s--XX--", part, part, part).p, 3);
	struct err *e = parse(TYPE, arena_fmt(a, "%s%s%s%s--XX--", part, part, part, part).p);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_INVALID_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_files_are_read),
		cmocka_unit_test(a_preamble_an_epilogue_and_padding_are_allowed),
		cmocka_unit_test(a_content_may_be_binary),
		cmocka_unit_test(file_names_come_as_clients_send_them_but_without_folders),
		cmocka_unit_test(broken_bodies_are_refused),
		cmocka_unit_test(a_type_without_a_usable_boundary_is_refused),
		cmocka_unit_test(too_many_parts_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
