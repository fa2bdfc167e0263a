/* Query strings and urlencoded forms. */
#include "codec/form.h"
#include "codec/json.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *a;

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

static void
assert_str(struct str s, const char *expected)
{
	assert_non_null(s.p);
	assert_string_equal(arena_cstr(a, s), expected);
}

static struct form
parsed(const char *text)
{
	struct form f;

	assert_null(form_parse(a, str_from_cstr(text), 10, &f));
	return f;
}

static void
names_and_values_are_decoded(void **state)
{
	struct form f = parsed("a=1&b=%20x+y&&empty=&flag&%C3%A4=%e2%82%AC&eq=a=b");

	(void)state;
	assert_int_equal(f.count, 6);
	assert_str(form_get(&f, STR("a")), "1");
	assert_str(form_get(&f, STR("b")), " x y");
	assert_str(form_get(&f, STR("empty")), "");
	assert_str(form_get(&f, STR("flag")), "");
	assert_str(form_get(&f, STR("\xC3\xA4")), "\xE2\x82\xAC");
	assert_str(form_get(&f, STR("eq")), "a=b");
	assert_null(form_get(&f, STR("absent")).p);
	assert_int_equal(parsed("").count, 0);
	assert_int_equal(parsed("&&&").count, 0);
}

static void
of_a_repeated_name_the_first_value_counts_everywhere(void **state)
{
	struct form f = parsed("a=1&b=2&a=3");

	(void)state;
	assert_str(form_get(&f, STR("a")), "1");
	assert_str(form_to_json(a, &f), "{\"a\":\"1\",\"b\":\"2\"}");
}

static void
what_cannot_be_decoded_is_an_error_at_its_parameter(void **state)
{
	static const struct {
		const char *text, *field;
	} cases[] = { { "ok=1&bad=%", "bad" }, { "bad=%4", "bad" }, { "bad=%g0", "bad" },
		{ "bad=%0g", "bad" }, { "bad=%FF", "bad" }, { "bad=\xC3", "bad" }, { "bad=%ED%A0%80", "bad" },
		{ "bad=a%00b", "bad" }, { "%zz=1", "query" }, { "%00=1", "query" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct form f = { 0 };
		struct err *e = form_parse(a, str_from_cstr(cases[i].text), 10, &f);

		assert_non_null(e);
		assert_int_equal(e->code, ERR_INVALID_INPUT);
		assert_str(e->fields->field, cases[i].field);
		assert_null(f.pairs);
	}
}

static void
too_many_parameters_are_refused(void **state)
{
	struct form f;

	(void)state;
	assert_null(form_parse(a, STR("a=1&b=2&"), 2, &f));
	struct err *e = form_parse(a, STR("a=1&b=2&c=3"), 2, &f);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_INVALID_INPUT);
}

static void
a_form_becomes_json_of_strings(void **state)
{
	struct form f = parsed("q%22=a%22%0A%01&n=5");
	json_val *v;

	(void)state;
	struct str json = form_to_json(a, &f);
	assert_str(json, "{\"q\\\"\":\"a\\\"\\n\\u0001\",\"n\":\"5\"}");
	assert_null(json_parse(a, json, &v));
	assert_int_equal(json_count(v), 2);
}

static void
every_byte_survives_escaping(void **state)
{
	struct buf b;
	struct str back;
	char all[128];

	(void)state;
	for (int i = 1; i < 128; i++)
		all[i - 1] = (char)i;
	all[127] = 'x';
	struct str text = { all, sizeof(all) };
	buf_init(&b, 4096);
	form_escape(&b, text);
	for (size_t i = 0; i < b.len; i++)
		assert_non_null(strchr(
			"%ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", b.p[i]));
	assert_true(form_unescape_segment(a, buf_str(&b), &back));
	assert_true(str_eq(back, text));
	buf_done(&b);
}

static void
a_plus_in_a_path_stays(void **state)
{
	struct str s;

	(void)state;
	assert_true(form_unescape_segment(a, STR("a+b%2Fc"), &s));
	assert_str(s, "a+b/c");
	assert_false(form_unescape_segment(a, STR("%C0%AF"), &s));
	assert_false(form_unescape_segment(a, STR("%00"), &s));
	assert_false(form_unescape_segment(a, STR("%2"), &s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values_are_decoded),
		cmocka_unit_test(of_a_repeated_name_the_first_value_counts_everywhere),
		cmocka_unit_test(what_cannot_be_decoded_is_an_error_at_its_parameter),
		cmocka_unit_test(too_many_parameters_are_refused),
		cmocka_unit_test(a_form_becomes_json_of_strings),
		cmocka_unit_test(every_byte_survives_escaping),
		cmocka_unit_test(a_plus_in_a_path_stays),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
