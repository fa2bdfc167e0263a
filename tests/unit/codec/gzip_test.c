/* gzip in and out. */
#include "base/random.h"
#include "codec/gzip.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MAX (4u << 20)

static struct str
packed(struct arena *a, struct str plain, int level)
{
	struct buf b;

	buf_init_arena(&b, a, MAX);
	assert_true(gzip_compress(&b, plain, level));
	return buf_str(&b);
}

static struct str
filled(struct arena *a, size_t n, bool random)
{
	char *text = arena_alloc(a, n);

	if (random)
		random_bytes(text, n);
	else
		memset(text, 'a', n);
	return (struct str){ text, n };
}

static void
what_is_packed_is_unpacked(void **state)
{
	static const size_t sizes[] = { 0, 1, 300, 511, 512, 513, 1400, 32767, 32768, 32769, 65537, 1000000 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (int level = 1; level <= 9; level += 4) {
			for (int random = 0; random < 2; random++) {
				struct arena *a = arena_new(64 << 20);
				struct str plain = filled(a, sizes[i], random), back;

				assert_null(gzip_expand(a, packed(a, plain, level), MAX, &back));
				assert_true(str_eq(back, plain));
				arena_free(a);
			}
		}
	}
}

static void
a_bomb_is_stopped_at_the_limit(void **state)
{
	struct arena *a = arena_new(64 << 20);
	struct str bomb = packed(a, filled(a, 3 << 20, false), 9), out = { 0 };

	(void)state;
	assert_true(bomb.n < 8000);
	size_t before = arena_used(a);
	struct err *e = gzip_expand(a, bomb, 100000, &out);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_TOO_LARGE);
	assert_null(out.p);
	assert_true(arena_used(a) - before < 500000);
	/* The limit itself is allowed. */
	assert_null(gzip_expand(a, packed(a, filled(a, 1000, false), 6), 1000, &out));
	assert_null(gzip_expand(a, packed(a, filled(a, 32768, true), 6), 32768, &out));
	assert_non_null(gzip_expand(a, packed(a, filled(a, 1001, false), 6), 1000, &out));
	assert_non_null(gzip_expand(a, packed(a, filled(a, 32769, true), 6), 32768, &out));
	arena_free(a);
}

static void
several_members_are_one_text(void **state)
{
	struct arena *a = arena_new(64 << 20);
	struct str out;
	struct buf b;

	(void)state;
	buf_init_arena(&b, a, MAX);
	assert_true(gzip_compress(&b, STR("first "), 6));
	assert_true(gzip_compress(&b, STR("second"), 6));
	assert_null(gzip_expand(a, buf_str(&b), MAX, &out));
	assert_true(str_eq(out, STR("first second")));
	/* A last member may be empty when the limit is reached. */
	assert_true(gzip_compress(&b, STR(""), 6));
	assert_null(gzip_expand(a, buf_str(&b), out.n, &out));
	assert_int_equal(out.n, 12);
	arena_free(a);
}

static void
broken_input_is_refused(void **state)
{
	struct arena *a = arena_new(64 << 20);
	struct str good = packed(a, STR("some text, some text, some text"), 6), out;
	char *bad = arena_alloc(a, good.n + 1);

	(void)state;
	for (size_t n = 0; n < good.n; n++)
		assert_non_null(gzip_expand(a, (struct str){ good.p, n }, MAX, &out));
	assert_non_null(gzip_expand(a, STR("not gzip at all"), MAX, &out));
	/* Something behind the end, and a wrong checksum. */
	memcpy(bad, good.p, good.n);
	bad[good.n] = 'x';
	assert_non_null(gzip_expand(a, (struct str){ bad, good.n + 1 }, MAX, &out));
	bad[good.n - 8] ^= 1;
	struct err *e = gzip_expand(a, (struct str){ bad, good.n }, MAX, &out);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_MALFORMED);
	arena_free(a);
}

static void
a_full_buffer_is_told(void **state)
{
	struct arena *a = arena_new(64 << 20);
	struct buf b;

	(void)state;
	buf_init_arena(&b, a, 50000);
	assert_false(gzip_compress(&b, filled(a, 200000, true), 6));
	assert_true(buf_is_over(&b));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_is_unpacked),
		cmocka_unit_test(a_bomb_is_stopped_at_the_limit),
		cmocka_unit_test(several_members_are_one_text),
		cmocka_unit_test(broken_input_is_refused),
		cmocka_unit_test(a_full_buffer_is_told),
	};

	return random_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
