/* Arenas. The rules that end the process are tried in a child. */
#include "base/arena.h"
#include "base/random.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool
is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void
memory_is_zeroed_and_aligned_also_when_it_is_used_again(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 1000, 20000, 65535, 65536, 200000, 3000000 };
	struct arena *a = arena_new(64 << 20);

	(void)state;
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < COUNT(sizes); i++) {
			char *p = arena_alloc(a, sizes[i]);

			assert_int_equal((uintptr_t)p % 16, 0);
			assert_true(is_zero(p, sizes[i]));
			memset(p, 0xAA, sizes[i]);
		}
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
	arena_free(a);
	arena_free(NULL);
}

/* Allocations that are filled and looked at again must not overlap, whatever is released and enlarged in between. */
static void
allocations_never_overlap(void **state)
{
	struct {
		unsigned char *p, mark;
		size_t n;
	} live[64];
	struct arena *a = arena_new(256 << 20);

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t count = 0, kept = 0;
		struct arena_mark mark = arena_mark(a);

		for (; count < COUNT(live); count++) {
			size_t n = random_below(10) == 0 ? random_below(300000) : random_below(600);

			if (count == 20) {
				mark = arena_mark(a);
				kept = count;
			}
			live[count].p = arena_alloc(a, n);
			live[count].n = n;
			live[count].mark = (unsigned char)random_below(256);
			if (random_below(3) == 0) {
				size_t more = n + random_below(100000);

				memset(live[count].p, live[count].mark, n);
				live[count].p = arena_grow(a, live[count].p, n, more);
				for (size_t i = 0; i < n; i++)
					assert_int_equal(live[count].p[i], live[count].mark);
				live[count].n = more;
			}
			memset(live[count].p, live[count].mark, live[count].n);
		}
		for (int released = 0; released < 2; released++) {
			for (size_t k = 0; k < count; k++)
				for (size_t i = 0; i < live[k].n; i += 1 + live[k].n / 50)
					assert_int_equal(live[k].p[i], live[k].mark);
			arena_release(a, mark);
			count = kept;
		}
		arena_reset(a);
	}
	arena_free(a);
}

static void
a_release_gives_back_what_came_since_the_mark(void **state)
{
	struct arena *a = arena_new(64 << 20);
	char *before = arena_alloc(a, 100), *large_before = arena_alloc(a, 100000);

	(void)state;
	memset(before, 'b', 100);
	memset(large_before, 'l', 100000);
	struct arena_mark mark = arena_mark(a);
	size_t used = arena_used(a);
	for (int i = 0; i < 3; i++) {
		char *after = arena_alloc(a, 50);

		assert_true(is_zero(after, 50));
		memset(after, 'x', 50);
		memset(arena_alloc(a, 100000), 'x', 100000);
		for (int k = 0; k < 100; k++)
			(void)arena_alloc(a, 5000);
		memset(arena_alloc(a, 90000), 'x', 90000);
		arena_release(a, mark);
		assert_int_equal(arena_used(a), used);
	}
	assert_int_equal(before[99], 'b');
	assert_int_equal(large_before[99999], 'l');
	arena_free(a);
}

static void
the_last_allocation_grows_in_place(void **state)
{
	struct arena *a = arena_new(64 << 20);
	char *p = arena_alloc(a, 100), *q = arena_grow(a, p, 100, 2000);

	(void)state;
	assert_ptr_equal(p, q);
	(void)arena_alloc(a, 1);
	assert_ptr_not_equal(arena_grow(a, q, 2000, 3000), q);
	assert_non_null(arena_grow(a, NULL, 0, 10));
	arena_free(a);
}

static void
texts_are_copied(void **state)
{
	struct arena *a = arena_new(64 << 20);
	char long_text[1000];

	(void)state;
	memset(long_text, 'y', sizeof(long_text));
	char source[] = "abc";
	struct str copy = arena_str(a, str_from_cstr(source));
	source[0] = 'X';
	assert_true(str_eq(copy, STR("abc")));
	assert_string_equal(arena_cstr(a, STR("abc")), "abc");
	assert_string_equal(arena_cstr(a, (struct str){ NULL, 0 }), "");
	assert_non_null(arena_str(a, (struct str){ NULL, 0 }).p);
	struct str s = arena_fmt(a, "%d-%.*s-", 5, (int)sizeof(long_text), long_text);
	assert_int_equal(s.n, sizeof(long_text) + 3);
	assert_int_equal(strlen(s.p), s.n);
	s = arena_fmt(a, "%255d", 7);
	assert_int_equal(s.n, 255);
	s = arena_fmt(a, "%256d", 7);
	assert_int_equal(s.n, 256);
	assert_int_equal(s.p[255], '7');
	arena_free(a);
}

static void
passing_the_cap_is_remembered_until_the_reset(void **state)
{
	struct arena *a = arena_new(10000);

	(void)state;
	(void)arena_alloc(a, 9000);
	assert_false(arena_is_over(a));
	struct arena_mark mark = arena_mark(a);
	(void)arena_alloc(a, 9000);
	assert_true(arena_is_over(a));
	arena_release(a, mark);
	assert_true(arena_is_over(a));
	arena_reset(a);
	assert_false(arena_is_over(a));
	arena_free(a);
}

static void
take_far_too_much(struct arena *a)
{
	for (int i = 0; i < 100; i++)
		(void)arena_alloc(a, 1000);
}

static void
overflow_an_array(struct arena *a)
{
	(void)arena_alloc_array(a, SIZE_MAX / 2, 3);
}

static void
cstr_with_nul(struct arena *a)
{
	(void)arena_cstr(a, (struct str){ "a\0b", 3 });
}

static void
cap_overflow_and_nul_end_the_process(void **state)
{
	void (*const deeds[])(struct arena *) = { take_far_too_much, overflow_an_array, cstr_with_nul };

	(void)state;
	for (size_t i = 0; i < COUNT(deeds); i++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0) {
			(void)!freopen("/dev/null", "w", stderr);
			deeds[i](arena_new(10000));
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned_also_when_it_is_used_again),
		cmocka_unit_test(allocations_never_overlap),
		cmocka_unit_test(a_release_gives_back_what_came_since_the_mark),
		cmocka_unit_test(the_last_allocation_grows_in_place),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(passing_the_cap_is_remembered_until_the_reset),
		cmocka_unit_test(cap_overflow_and_nul_end_the_process),
	};

	return random_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
