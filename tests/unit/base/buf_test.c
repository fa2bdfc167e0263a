/* Growing buffers. */
#include "base/buf.h"
#include "base/random.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void
assert_buf(const struct buf *b, const char *expected)
{
	assert_int_equal(b->len, strlen(expected));
	assert_memory_equal(b->p, expected, b->len);
}

static void
pieces_are_appended_on_heap_and_arena(void **state)
{
	struct arena *a = arena_new(64 << 20);
	struct buf heap, on_arena;

	(void)state;
	buf_init(&heap, 1 << 20);
	buf_init_arena(&on_arena, a, 1 << 20);
	for (int i = 0; i < 100000; i++) {
		buf_add_byte(&heap, (char)('a' + i % 26));
		buf_add_byte(&on_arena, (char)('a' + i % 26));
		if (i % 1000 == 0)
			(void)arena_alloc(a, 1); /* so that the arena can't always grow in place */
	}
	assert_true(str_eq(buf_str(&heap), buf_str(&on_arena)));
	assert_int_equal(heap.p[99999], 'a' + 99999 % 26);
	buf_done(&heap);
	assert_null(heap.p);
	buf_done(&on_arena);
	arena_free(a);
}

static void
a_buffer_takes_its_maximum_and_not_one_byte_more(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		buf_add_byte(&b, 'x');
	assert_false(buf_is_over(&b));
	buf_add_lit(&b, "");
	assert_false(buf_is_over(&b));
	buf_add_byte(&b, 'y');
	assert_true(buf_is_over(&b));
	assert_int_equal(b.len, 1000);
	buf_clear(&b);
	assert_false(buf_is_over(&b));
	buf_add_fmt(&b, "%1000d", 1);
	assert_false(buf_is_over(&b));
	assert_int_equal(b.len, 1000);
	buf_done(&b);
}

/* A piece that fits must not be appended behind one that did not. */
static void
once_over_a_buffer_stays_over(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_add_lit(&b, "12345");
	buf_add_lit(&b, "678901");
	buf_add_lit(&b, "ab");
	buf_add_int(&b, 1);
	buf_add_fmt(&b, "%d", 1);
	assert_null(buf_reserve(&b, 1));
	assert_true(buf_is_over(&b));
	assert_buf(&b, "12345");
	buf_done(&b);
	buf_init(&b, 10);
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_true(buf_is_over(&b));
	buf_done(&b);
}

static void
integers_are_written_as_printf_does(void **state)
{
	static const int64_t fixed[] = { 0, 1, -1, 9, 10, 99, 100, -100, INT64_MAX, INT64_MIN, 999999999,
		1000000000 };
	char expected[32];
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < 20000; i++) {
		int64_t v = 0;

		random_bytes(&v, sizeof(v));
		v >>= random_below(64);
		if (i < COUNT(fixed))
			v = fixed[i];
		snprintf(expected, sizeof(expected), "%" PRId64, v);
		buf_clear(&b);
		buf_add_int(&b, v);
		assert_buf(&b, expected);
	}
	buf_done(&b);
}

static void
formats_longer_than_the_room_are_written_whole(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	for (int i = 1; i < 400; i++) {
		buf_clear(&b);
		buf_add_lit(&b, "ab");
		buf_add_fmt(&b, "%*d|", i, 7);
		assert_int_equal(b.len, (size_t)i + 3);
		assert_int_equal(b.p[b.len - 1], '|');
		assert_int_equal(b.p[b.len - 2], '7');
	}
	buf_done(&b);
}

static void
assert_json_string(struct str s, const char *expected)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_add_json_string(&b, s);
	assert_buf(&b, expected);
	buf_done(&b);
}

static void
json_strings_are_escaped_where_they_must_be(void **state)
{
	(void)state;
	assert_json_string(STR(""), "\"\"");
	assert_json_string(STR("plain text / <b>"), "\"plain text / <b>\"");
	assert_json_string(STR("say \"hi\" \\ back"), "\"say \\\"hi\\\" \\\\ back\"");
	assert_json_string(STR("\b\t\n\v\f\r"), "\"\\b\\t\\n\\u000b\\f\\r\"");
	assert_json_string((struct str){ "\0\x01\x1f", 3 }, "\"\\u0000\\u0001\\u001f\"");
	assert_json_string(STR("\x7F\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
		"\"\x7F\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

/* Each byte at each place of the eight that are looked at together. */
static void
escaping_does_not_depend_on_the_place(void **state)
{
	struct buf whole, expected;

	(void)state;
	buf_init(&whole, 1000);
	buf_init(&expected, 1000);
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < 20; at++) {
			char text[20];

			memset(text, 0xC3, sizeof(text)); /* high bytes around it must not matter */
			text[at] = (char)c;
			buf_clear(&whole);
			buf_clear(&expected);
			buf_add_json_string(&whole, (struct str){ text, sizeof(text) });
			buf_add_byte(&expected, '"');
			for (size_t i = 0; i < sizeof(text); i++) {
				unsigned char byte = (unsigned char)text[i];

				if (byte == '"' || byte == '\\')
					buf_add_fmt(&expected, "\\%c", byte);
				else if (byte >= 0x20)
					buf_add_byte(&expected, (char)byte);
				else if (strchr("\b\t\n\f\r", byte) && byte)
					buf_add_fmt(&expected, "\\%c", "btn?fr"[byte - 8]);
				else
					buf_add_fmt(&expected, "\\u%04x", byte);
			}
			buf_add_byte(&expected, '"');
			assert_true(str_eq(buf_str(&whole), buf_str(&expected)));
		}
	}
	buf_done(&whole);
	buf_done(&expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_appended_on_heap_and_arena),
		cmocka_unit_test(a_buffer_takes_its_maximum_and_not_one_byte_more),
		cmocka_unit_test(once_over_a_buffer_stays_over),
		cmocka_unit_test(integers_are_written_as_printf_does),
		cmocka_unit_test(formats_longer_than_the_room_are_written_whole),
		cmocka_unit_test(json_strings_are_escaped_where_they_must_be),
		cmocka_unit_test(escaping_does_not_depend_on_the_place),
	};

	return random_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
