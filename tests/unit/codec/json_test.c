/*
 * JSON in and out. The documents of tests/api/inputs/json/ are tried by their names: y_ must be accepted, n_ refused. The rest of the
 * rules stands here.
 */
#include "base/limits.h"
#include "base/random.h"
#include "codec/json.h"
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define JSON_DOCUMENTS TESTS_FOLDER "/api/inputs/json"

static struct arena *a;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static json_val *
parsed(const char *text)
{
	json_val *v = NULL;
	struct err *e = json_parse(a, str_from_cstr(text), &v);

	if (e)
		fail_msg("%s: %.*s", text, STR_ARG(e->message));
	return v;
}

static const char *
rewritten(const char *text)
{
	struct buf b;

	buf_init_arena(&b, a, 1 << 20);
	json_write_val(&b, parsed(text));
	return arena_cstr(a, buf_str(&b));
}

static void
assert_refused(struct str text, enum err_code code, const char *message)
{
	json_val *v = NULL;
	struct err *e = json_parse(a, text, &v);

	assert_non_null(e);
	assert_int_equal(e->code, code);
	assert_null(v);
	assert_string_equal(arena_cstr(a, e->message), message);
}

static void
documents_are_accepted_and_refused_by_their_names(void **state)
{
	DIR *d = opendir(JSON_DOCUMENTS);
	struct dirent *entry;
	int accepted = 0, refused = 0;

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d))) {
		json_val *v;

		if (entry->d_name[0] != 'y' && entry->d_name[0] != 'n')
			continue;
		arena_reset(a);
		char *text = arena_alloc(a, 1 << 20);
		FILE *f = fopen(arena_fmt(a, "%s/%s", JSON_DOCUMENTS, entry->d_name).p, "rb");
		assert_non_null(f);
		size_t n = fread(text, 1, 1 << 20, f);
		fclose(f);
		bool ok = !json_parse(a, (struct str){ text, n }, &v);
		if (ok != (entry->d_name[0] == 'y'))
			fail_msg("%s was %s", entry->d_name, ok ? "accepted" : "refused");
		accepted += ok;
		refused += !ok;
	}
	closedir(d);
	assert_true(accepted > 50 && refused > 100);
}

static void
errors_name_the_byte(void **state)
{
	(void)state;
	assert_refused(STR(""), ERR_MALFORMED, "JSON parse error - the body is empty.");
	assert_refused(
		STR("[1,]"), ERR_MALFORMED, "JSON parse error - trailing comma is not allowed at byte 2.");
	assert_refused(STR("{} x"), ERR_MALFORMED,
		"JSON parse error - unexpected content after document at byte 3.");
}

static struct str
nested(size_t depth, const char *open, const char *close)
{
	struct buf b;

	buf_init_arena(&b, a, 1 << 20);
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&b, str_from_cstr(open));
	buf_add_byte(&b, '1');
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&b, str_from_cstr(close));
	return buf_str(&b);
}

static void
the_depth_is_limited_and_costs_no_stack(void **state)
{
	const char *const message = "JSON parse error - nested deeper than 64 levels.";
	json_val *v;

	(void)state;
	assert_int_equal(LIMIT_JSON_DEPTH, 64);
	assert_null(json_parse(a, nested(64, "[", "]"), &v));
	assert_null(json_parse(a, nested(64, "{\"a\":", "}"), &v));
	assert_refused(nested(65, "[", "]"), ERR_MALFORMED, message);
	assert_refused(nested(65, "{\"a\":", "}"), ERR_MALFORMED, message);
	assert_refused(nested(200000, "[", "]"), ERR_MALFORMED, message);
	/* Width is no depth. */
	assert_null(json_parse(a, STR("[[],[[]],[],{\"a\":[]},{},{}]"), &v));
	struct buf b;
	buf_init_arena(&b, a, 1000);
	json_write_val(&b, parsed(nested(64, "[", "]").p));
	assert_int_equal(b.len, 129);
}

static void
a_repeated_key_keeps_its_last_value(void **state)
{
	struct json_iter it;
	struct str key;
	json_val *v, *object = parsed("{\"a\":1,\"b\":{\"x\":1,\"x\":[2]},\"a\":{\"c\":1},\"a\":3}");

	(void)state;
	assert_int_equal(json_count(object), 2);
	assert_true(str_eq(json_number(json_get(object, STR("a"))), STR("3")));
	it = json_iter(object);
	assert_true(json_next(&it, &key, &v));
	assert_true(str_eq(key, STR("b")));
	assert_true(json_next(&it, NULL, &v));
	assert_false(json_next(&it, &key, &v));
	assert_string_equal(
		rewritten("{\"a\":1,\"b\":2,\"\\u0061\":{\"z\":[{}]}}"), "{\"b\":2,\"a\":{\"z\":[{}]}}");
	assert_string_equal(rewritten("{\"\":1,\"\":2}"), "{\"\":2}");
	assert_string_equal(rewritten("[{\"a\":1,\"a\":1},{\"a\":2,\"a\":3}]"), "[{\"a\":1},{\"a\":3}]");
}

/* The same rule where objects are too large for comparing each pair. */
static void
a_large_object_keeps_its_last_values(void **state)
{
	struct buf b;
	json_val *v;

	(void)state;
	for (int members = 2; members <= 200; members += 3) {
		arena_reset(a);
		buf_init_arena(&b, a, 1 << 20);
		buf_add_byte(&b, '{');
		for (int i = 0; i < members; i++)
			buf_add_fmt(&b, "%s\"k%d\":{\"n\":[%d]}", i ? "," : "", i % (members / 2 + 1), i);
		buf_add_byte(&b, '}');
		assert_null(json_parse(a, buf_str(&b), &v));
		assert_int_equal(json_count(v), members / 2 + 1);
		for (int k = 0; k <= members / 2; k++) {
			int last = k + (members / 2 + 1) < members ? k + members / 2 + 1 : k;
			int64_t n;
			json_val *list = json_get_path(v, arena_fmt(a, "k%d.n", k));
			struct json_iter it = json_iter(list);
			json_val *element;

			assert_true(json_next(&it, NULL, &element));
			assert_true(json_int(element, &n));
			assert_int_equal(n, last);
		}
	}
}

static void
members_and_values_are_limited(void **state)
{
	struct buf b;
	json_val *v;

	(void)state;
	for (int more = 0; more < 2; more++) {
		arena_reset(a);
		buf_init_arena(&b, a, 1 << 20);
		for (int i = 0; i < LIMIT_JSON_MEMBERS + more; i++)
			buf_add_fmt(&b, "%c\"%d\":0", i ? ',' : '{', i);
		buf_add_byte(&b, '}');
		if (more)
			assert_refused(buf_str(&b), ERR_TOO_LARGE, "An object has more than 10000 members.");
		else
			assert_null(json_parse(a, buf_str(&b), &v));
	}
	arena_reset(a);
	size_t n = LIMIT_BODY_BYTES - 1; /* odd */
	char *text = arena_alloc(a, n);
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 ? '0' : ',';
	text[0] = '[';
	text[n - 1] = ']';
	/* Eight million numbers of one digit would take 128 MB. */
	assert_refused((struct str){ text, n }, ERR_TOO_LARGE, "The JSON document has too many values.");
	assert_false(arena_is_over(a));
}

static void
a_body_of_full_size_fits_a_requests_memory(void **state)
{
	struct buf b;
	json_val *v;

	(void)state;
	arena_reset(a);
	buf_init_arena(&b, a, LIMIT_BODY_BYTES);
	for (int i = 0; b.len < LIMIT_BODY_BYTES - 200; i++)
		buf_add_fmt(&b,
			"%c{\"kpi_id\":\"kpi-%06d\",\"date\":\"2024-06-15\",\"value\":%d.50,\"comment\":"
			"null}",
			i ? ',' : '[', i, i);
	buf_add_byte(&b, ']');
	assert_null(json_parse(a, buf_str(&b), &v));
	assert_true(json_count(v) > 2 * LIMIT_BULK_VALUES);
	assert_false(arena_is_over(a));
	arena_reset(a);
}

static void
values_have_their_type_and_word(void **state)
{
	static const struct {
		const char *text;
		enum json_type type;
		const char *word;
	} cases[] = { { "null", JSON_NULL, "NoneType" }, { "true", JSON_BOOL, "bool" },
		{ "1", JSON_NUMBER, "int" }, { "1.0", JSON_NUMBER, "float" }, { "1e2", JSON_NUMBER, "float" },
		{ "\"\"", JSON_STRING, "str" }, { "[]", JSON_ARRAY, "list" }, { "{}", JSON_OBJECT, "dict" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_val *v = parsed(cases[i].text);

		assert_int_equal(json_type_of(v), cases[i].type);
		assert_string_equal(json_type_word(v), cases[i].word);
		assert_int_equal(json_count(v), 0);
		assert_null(json_get(v, STR("a")));
	}
	assert_true(json_bool(parsed("true")));
	assert_false(json_bool(parsed("false")));
	struct str s = json_string(parsed("\"a\\u0000\\ud83d\\ude00\\/\""));
	assert_true(str_eq(s, (struct str){ "a\0\xF0\x9F\x98\x80/", 7 }));
	assert_null(json_get(NULL, STR("a")));
	assert_null(json_get_path(parsed("{\"a\":{\"b\":1}}"), STR("a.c")));
	assert_null(json_get_path(parsed("{\"a\":1}"), STR("a.b")));
	assert_non_null(json_get_path(parsed("{\"a\":{\"b\":{\"c\":1}}}"), STR("a.b.c")));
}

static void
integers_are_integral_literals(void **state)
{
	static const char *const wrong[] = { "5.5", "5e-1", "9223372036854775808", "1e19", "\"5\"", "true",
		"null", "[5]", "-9223372036854775809", "1e400" };
	int64_t v = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(json_int(parsed(wrong[i]), &v));
	assert_int_equal(v, 7);
	assert_true(json_int(parsed("5"), &v) && v == 5);
	assert_true(json_int(parsed("-3"), &v) && v == -3);
	assert_true(json_int(parsed("5.0"), &v) && v == 5);
	assert_true(json_int(parsed("5e2"), &v) && v == 500);
	assert_true(json_int(parsed("50e-1"), &v) && v == 5);
	assert_true(json_int(parsed("-0"), &v) && v == 0);
	assert_true(json_int(parsed("9223372036854775807"), &v) && v == INT64_MAX);
	assert_true(json_int(parsed("-9223372036854775808"), &v) && v == INT64_MIN);
}

static void
numbers_and_texts_are_written_as_they_were(void **state)
{
	static const char *const texts[] = { "1.50", "-0.0", "1E+05", "123456789012345678901234567890.10",
		"[]", "{}", "[[],{}]", "{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u0001\\n\\\"\",\"d\\\"\":true}",
		"\"\xC3\xA4\"", "[1,[2,[3]],4]", "{\"a\":{},\"b\":[{},[]],\"c\":false}" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_string_equal(rewritten(texts[i]), texts[i]);
	assert_string_equal(rewritten(" { \"a\" : [ 1 , 2 ] , \"b\" : \"\\u00e4\\/\" } "),
		"{\"a\":[1,2],\"b\":\"\xC3\xA4/\"}");
}

static void
the_writer_keeps_commas_and_nesting(void **state)
{
	struct json_out o;
	struct buf b;

	(void)state;
	buf_init_arena(&b, a, 4096);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "name", STR("a \"b\""));
	json_pair_int(&o, "count", -5);
	json_pair_bool(&o, "ok", true);
	json_pair_null(&o, "none");
	json_key(&o, STR("list"));
	json_begin_array(&o);
	json_put_double(&o, 2.5);
	json_put_double(&o, (double)NAN);
	json_put_double(&o, (double)INFINITY);
	json_put_decimal(&o, (struct decimal){ 2450, 3 }, false);
	json_put_decimal(&o, (struct decimal){ 2450, 3 }, true);
	json_begin_array(&o);
	json_end_array(&o);
	json_begin_object(&o);
	json_end_object(&o);
	json_put_raw(&o, STR("{\"x\":1}"));
	json_end_array(&o);
	json_key_escaped(&o, STR("k\""));
	json_put_bool(&o, false);
	json_end_object(&o);
	assert_int_equal(o.depth, 0);
	assert_string_equal(arena_cstr(a, buf_str(&b)), "{\"name\":\"a "
							"\\\"b\\\"\",\"count\":-5,\"ok\":true,\"none\":null,"
							"\"list\":[2.5,null,null,2.450,2.45,[],{},{\"x\":1}],"
							"\"k\\\"\":false}");
}

/* A random document in one spelling reads as it was meant, and is written so that it reads the same again. */
static void
put_random(struct json_out *o, int depth)
{
	uint32_t kind = random_below(depth > 0 ? 9 : 7);

	if (kind == 0)
		json_put_null(o);
	else if (kind == 1)
		json_put_bool(o, random_below(2));
	else if (kind == 2)
		json_put_int(o, (int64_t)random_below(1000) - 500);
	else if (kind == 3)
		json_put_decimal(
			o, (struct decimal){ random_below(100000), (int32_t)random_below(5) }, false);
	else if (kind < 7) {
		char text[24];
		size_t n = random_below(sizeof(text));

		for (size_t i = 0; i < n; i++)
			text[i] = (char)random_below(128);
		json_put_str(o, (struct str){ text, n });
	} else if (kind == 7) {
		json_begin_array(o);
		for (uint32_t n = random_below(5); n; n--)
			put_random(o, depth - 1);
		json_end_array(o);
	} else {
		json_begin_object(o);
		for (uint32_t n = random_below(5); n; n--) {
			json_key_escaped(o, arena_fmt(a, "k\"%u", n));
			put_random(o, depth - 1);
		}
		json_end_object(o);
	}
}

static void
random_documents_survive_reading_and_writing(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct json_out o;
		struct buf b, again;
		json_val *v;

		arena_reset(a);
		buf_init_arena(&b, a, 1 << 20);
		buf_init_arena(&again, a, 1 << 20);
		json_out_init(&o, &b);
		put_random(&o, 6);
		assert_null(json_parse(a, buf_str(&b), &v));
		json_write_val(&again, v);
		assert_true(str_eq(buf_str(&b), buf_str(&again)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_accepted_and_refused_by_their_names),
		cmocka_unit_test(errors_name_the_byte),
		cmocka_unit_test(the_depth_is_limited_and_costs_no_stack),
		cmocka_unit_test(a_repeated_key_keeps_its_last_value),
		cmocka_unit_test(a_large_object_keeps_its_last_values),
		cmocka_unit_test(members_and_values_are_limited),
		cmocka_unit_test(a_body_of_full_size_fits_a_requests_memory),
		cmocka_unit_test(values_have_their_type_and_word),
		cmocka_unit_test(integers_are_integral_literals),
		cmocka_unit_test(numbers_and_texts_are_written_as_they_were),
		cmocka_unit_test(the_writer_keeps_commas_and_nesting),
		cmocka_unit_test(random_documents_survive_reading_and_writing),
	};

	return random_start() ? cmocka_run_group_tests(tests, set_up, tear_down) : 1;
}
