/* Slices. */
#include "base/check.h"
#include "base/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
assert_slice(struct str s, const char *expected)
{
	assert_true(str_eq(s, str_from_cstr(expected)));
}

static void
equality_is_of_content_and_length(void **state)
{
	(void)state;
	assert_true(str_eq(STR("abc"), STR("abc")));
	assert_false(str_eq(STR("abc"), STR("abd")));
	assert_false(str_eq(STR("abc"), STR("ab")));
	assert_true(str_eq((struct str){ NULL, 0 }, STR("")));
	assert_false(str_eq((struct str){ "a\0b", 3 }, (struct str){ "a\0c", 3 }));
	assert_true(str_eq_nocase(STR("Content-TYPE@["), STR("content-type@[")));
	assert_false(str_eq_nocase(STR("@"), STR("`")));
	assert_false(str_eq_nocase(STR("["), STR("{")));
	assert_false(str_eq_nocase(STR("a"), STR("ab")));
	assert_true(str_eq_secret(STR("token"), STR("token")));
	assert_false(str_eq_secret(STR("token"), STR("tokeN")));
	assert_false(str_eq_secret(STR("token"), STR("toke")));
	assert_false(str_eq_secret(STR(""), STR("t")));
}

static void
prefixes_suffixes_and_order(void **state)
{
	(void)state;
	assert_true(str_starts_with(STR("invoice"), STR("in")));
	assert_true(str_starts_with(STR("in"), STR("")));
	assert_false(str_starts_with(STR("in"), STR("invoice")));
	assert_true(str_ends_with(STR("a.csv"), STR(".csv")));
	assert_false(str_ends_with(STR("csv"), STR(".csv")));
	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
	assert_true(str_cmp(STR("\x7F"), STR("\x80")) < 0);
}

static void
parts_are_cut_to_what_is_there(void **state)
{
	(void)state;
	assert_slice(str_sub(STR("abcdef"), 2, 3), "cde");
	assert_slice(str_sub(STR("abc"), 2, 100), "c");
	assert_slice(str_sub(STR("abc"), 5, 1), "");
	assert_slice(str_sub(STR("abc"), 1, SIZE_MAX), "bc");
	assert_null(str_sub((struct str){ NULL, 0 }, 3, 3).p);
	assert_slice(str_trim(STR(" \t\r\n a b \v\f ")), "a b");
	assert_slice(str_trim(STR("   ")), "");
	assert_int_equal(str_index(STR("a,b,c"), ',', 2), 3);
	assert_int_equal(str_index(STR("a,b"), 'x', 0), 3);
	assert_int_equal(str_index(STR("a,b"), 'a', 9), 3);
}

static void
splitting_gives_every_piece_once(void **state)
{
	struct str rest = STR("a,,b,"), head;

	(void)state;
	assert_true(str_split(&rest, ',', &head));
	assert_slice(head, "a");
	assert_true(str_split(&rest, ',', &head));
	assert_slice(head, "");
	assert_true(str_split(&rest, ',', &head));
	assert_slice(head, "b");
	assert_true(str_split(&rest, ',', &head));
	assert_slice(head, "");
	assert_false(str_split(&rest, ',', &head));
	rest = STR("");
	assert_true(str_split(&rest, ',', &head));
	assert_false(str_split(&rest, ',', &head));
}

static void
integers_are_read_whole_or_not_at_all(void **state)
{
	static const char *const wrong[] = { "", "-", "+", " 1", "1 ", "1.0", "1e3", "0x1", "--1", "+-1",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999", "1_000" };
	int64_t v = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(str_to_int(str_from_cstr(wrong[i]), &v));
	assert_false(str_to_int((struct str){ "1\0", 2 }, &v));
	assert_int_equal(v, 7);
	assert_true(str_to_int(STR("9223372036854775807"), &v));
	assert_true(v == INT64_MAX);
	assert_true(str_to_int(STR("-9223372036854775808"), &v));
	assert_true(v == INT64_MIN);
	assert_true(str_to_int(STR("+007"), &v));
	assert_int_equal(v, 7);
	assert_true(str_to_int(STR("-0"), &v));
	assert_int_equal(v, 0);
}

/* The rule as the standard states it, written apart from the code that is tested. */
static size_t
encode(uint32_t c, char *to)
{
	if (c < 0x80)
		return to[0] = (char)c, 1;
	if (c < 0x800)
		return to[0] = (char)(0xC0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
	if (c < 0x10000)
		return to[0] = (char)(0xE0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)),
		       to[2] = (char)(0x80 | (c & 63)), 3;
	to[0] = (char)(0xF0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

static void
every_character_but_surrogates_is_valid_utf8(void **state)
{
	char text[16] = "abc";

	(void)state;
	for (uint32_t c = 0; c < 0x120000; c++) {
		size_t n = encode(c, text + 3);
		struct str s = { text, n + 3 };
		bool valid = c < 0x110000 && (c < 0xD800 || c > 0xDFFF);

		if (str_is_utf8(s) != valid)
			fail_msg("U+%X", c);
		if (!valid)
			assert_int_equal(str_utf8_prefix(s), 3);
		else
			assert_int_equal(str_utf8_len(s), 4);
		if (n > 1)
			assert_false(str_is_utf8((struct str){ text, n + 2 }));
	}
}

static void
malformed_utf8_is_refused(void **state)
{
	static const char *const wrong[] = { "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF",
		"\xF0\x8F\xBF\xBF", "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xC3(", "\xE2\x82", "\xE2(\xA1",
		"\xE2\x82(", "\xF0\x90\x80", "\xF0(\x8C\xBC", "\xED\xA0\x80", "\xC3\xC3\xA4" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char text[64] = "0123456789abcdef";

		assert_false(str_is_utf8(str_from_cstr(wrong[i])));
		/* Behind a run that is taken eight bytes at a time. */
		memcpy(text + 16, wrong[i], strlen(wrong[i]) + 1);
		assert_int_equal(str_utf8_prefix(str_from_cstr(text)), 16);
	}
	assert_true(str_is_utf8((struct str){ "a\0b", 3 }));
	assert_true(str_is_utf8((struct str){ NULL, 0 }));
}

static void
the_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(str_hash(STR("")) == 0xcbf29ce484222325u);
	assert_true(str_hash(STR("a")) == 0xaf63dc4c8601ec8cu);
	assert_true(str_hash(STR("foobar")) == 0x85944171f73967e8u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_is_of_content_and_length),
		cmocka_unit_test(prefixes_suffixes_and_order),
		cmocka_unit_test(parts_are_cut_to_what_is_there),
		cmocka_unit_test(splitting_gives_every_piece_once),
		cmocka_unit_test(integers_are_read_whole_or_not_at_all),
		cmocka_unit_test(every_character_but_surrogates_is_valid_utf8),
		cmocka_unit_test(malformed_utf8_is_refused),
		cmocka_unit_test(the_hash_is_fnv_1a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
