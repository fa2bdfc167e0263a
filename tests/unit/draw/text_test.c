/* Texts made plain, escaped and fitted by guess. */
#include "draw/text.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
assert_plain(struct arena *a, struct str in, const char *expected)
{
	struct str out = draw_plain(a, in);

	assert_true(str_is_utf8(out));
	assert_string_equal(arena_cstr(a, out), expected);
}

static void
plain_text_holds_no_control_and_no_broken_character(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	assert_plain(a, STR("Summer \xE2\x98\x80 \xD7\xA9\n\tB"), "Summer \xE2\x98\x80 \xD7\xA9\n\tB");
	assert_plain(a, STR("a\0b"),
		"a\xEF\xBF\xBD"
		"b");
	assert_plain(a, STR("a\x1B[31m\x7F"), "a\xEF\xBF\xBD[31m\xEF\xBF\xBD");
	assert_plain(a, STR("\xC2\x85x\xEF\xBF\xBF"), "\xEF\xBF\xBDx\xEF\xBF\xBD");
	assert_plain(a, STR("\xC0\xAF\xED\xA0\x80"),
		"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	assert_plain(a, STR("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");
	assert_plain(a, STR("one\r\ntwo\rthree"), "one\ntwo\nthree");
	assert_plain(a, STR(""), "");
	arena_free(a);
}

static void
text_that_is_plain_is_not_copied(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct str s = STR("unchanged");

	(void)state;
	assert_ptr_equal(draw_plain(a, s).p, s.p);
	arena_free(a);
}

static void
nothing_escaped_can_be_markup(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct buf b;

	(void)state;
	buf_init_arena(&b, a, 1 << 16);
	draw_escape(&b, STR("<script>\"&'\0</script>\r\n\xFF\xE2\x82\xAC"));
	assert_true(str_eq(buf_str(&b),
		STR("&lt;script&gt;&quot;&amp;&#39;\xEF\xBF\xBD&lt;/script&gt;\n\xEF\xBF\xBD\xE2\x82\xAC")));
	/* Every byte there is: only the five characters of markup may need an entity, and no control is left. */
	buf_clear(&b);
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		draw_escape(&b, (struct str){ &byte, 1 });
	}
	assert_true(str_is_utf8(buf_str(&b)));
	for (size_t i = 0; i < b.len; i++) {
		assert_null(strchr("<>\"'", b.p[i] ? b.p[i] : '<'));
		assert_true((unsigned char)b.p[i] >= 0x20 || b.p[i] == '\n' || b.p[i] == '\t');
	}
	arena_free(a);
}

static void
a_text_is_cut_between_characters_and_says_so(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct str s = STR("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F");

	(void)state;
	assert_true(str_eq(draw_guess_fit(a, s, 100), s));
	for (double width = 0; width < 6; width += 0.1) {
		struct str cut = draw_guess_fit(a, s, width);
		assert_true(str_is_utf8(cut));
		if (cut.n != s.n)
			assert_true(str_ends_with(cut, STR("\xE2\x80\xA6")));
	}
	assert_true(draw_guess_width(STR("WWW")) > draw_guess_width(STR("iii")));
	assert_true(draw_guess_width(STR("")) == 0);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_holds_no_control_and_no_broken_character),
		cmocka_unit_test(text_that_is_plain_is_not_copied),
		cmocka_unit_test(nothing_escaped_can_be_markup),
		cmocka_unit_test(a_text_is_cut_between_characters_and_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
