/* Folding for search and uniqueness. */
#include "base/limits.h"
#include "codec/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <utf8proc.h>

#include <cmocka.h>

static void
assert_fold(const char *text, const char *expected)
{
	struct arena *a = arena_new(1 << 20);
	const char *folded = arena_cstr(a, text_fold(a, str_from_cstr(text)));

	assert_string_equal(folded, expected);
	arena_free(a);
}

static void
case_width_and_form_do_not_matter(void **state)
{
	(void)state;
	assert_fold("Hello World", "hello world");
	assert_fold("STRASSE", "strasse");
	assert_fold("Stra\u00DFe", "strasse");
	assert_fold("\uFF21\uFF22\uFF23 \uFB01n", "abc fin");	 /* full width, ligature */
	assert_fold("Cafe\u0301", "caf\u00E9");			 /* composed */
	assert_fold("\u0130", "i\u0307");			 /* capital I with dot */
	assert_fold("\u03A3\u03C3\u03C2", "\u03C3\u03C3\u03C3"); /* all sigmas */
	assert_fold("zero\u200Bwidth\u00AD", "zerowidth");	 /* without appearance */
	assert_fold("\U0001D400 \u2460", "a 1");		 /* mathematical bold, circled */
	assert_fold("\u092A\u094D\u0930", "\u092A\u094D\u0930"); /* a script without case */
}

static void
white_space_runs_become_one_blank_and_ends_lose_theirs(void **state)
{
	(void)state;
	assert_fold("  a \t\r\n b  ", "a b");
	assert_fold("\u00A0\u00E4\u2003\u2028 \u3000b\xC2\x85", "\u00E4 b");
	assert_fold("   ", "");
	assert_fold("", "");
	assert_fold("\u3000", "");
}

/* A NUL is text here; refusing it is the business of who stores it. */
static void
a_nul_does_not_end_the_text(void **state)
{
	struct arena *a = arena_new(1 << 20);

	(void)state;
	assert_true(str_eq(text_fold(a, (struct str){ "A\0B", 3 }), (struct str){ "a\0b", 3 }));
	assert_true(str_eq(text_fold(a, (struct str){ "\xC3\x84\0B", 4 }), (struct str){ "\xC3\xA4\0b", 4 }));
	arena_free(a);
}

static void
folding_twice_changes_nothing_for_every_character(void **state)
{
	struct arena *a = arena_new(1 << 20);
	char text[12] = "A";

	(void)state;
	for (int32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 7) {
		if (c >= 0xD800 && c < 0xE000)
			continue;
		utf8proc_ssize_t n = utf8proc_encode_char(c, (utf8proc_uint8_t *)text + 1);
		text[n + 1] = 'B';
		arena_reset(a);
		struct str once = text_fold(a, (struct str){ text, (size_t)n + 2 });
		assert_true(str_is_utf8(once));
		if (!str_eq(text_fold(a, once), once))
			fail_msg("U+%04X folds differently the second time", (unsigned)c);
	}
	arena_free(a);
}

static void
a_long_text_stays_within_a_requests_memory(void **state)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	char *text = arena_alloc(a, LIMIT_TEXT_BYTES);

	(void)state;
	for (size_t i = 0; i + 3 <= LIMIT_TEXT_BYTES; i += 3)
		memcpy(text + i, "\uFDFA", 3); /* 18 characters each, the longest there is */
	(void)text_fold(a, (struct str){ text, LIMIT_TEXT_BYTES / 3 * 3 });
	assert_false(arena_is_over(a));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_width_and_form_do_not_matter),
		cmocka_unit_test(white_space_runs_become_one_blank_and_ends_lose_theirs),
		cmocka_unit_test(a_nul_does_not_end_the_text),
		cmocka_unit_test(folding_twice_changes_nothing_for_every_character),
		cmocka_unit_test(a_long_text_stays_within_a_requests_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
