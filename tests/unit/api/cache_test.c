/* The answer cache: what is found, what is stale, what is never kept, and that it stays within its memory. */
#include "base/hash.h"
#include "context.h"

static struct cache_lookup
lookup(const char *key, uint64_t epoch, int64_t now_us)
{
	const struct str k = str_from_cstr(key);
	return (struct cache_lookup){
		.on = true, .key = k, .hash = hash_bytes(k, 0), .epoch = epoch, .now_us = now_us
	};
}

static const struct http_field fields[] = { { STR_INIT("X-Total-Count"), STR_INIT("5") } };

static struct http_answer
answer_of(struct str body)
{
	return (struct http_answer){
		.status = 200,
		.content_type = STR("application/json"),
		.body = body,
		.etag = STR("\"1\""),
		.fields = fields,
		.field_count = 1,
	};
}

static bool
has(struct answer_cache *c, int thread, struct cache_lookup l, struct http_answer *out)
{
	struct arena *a = arena_new(1u << 20);
	const bool found = answer_cache_find(c, thread, &l, a, out);
	if (found) {
		assert_true(str_eq(out->etag, STR("\"1\"")));
		assert_true(str_eq(out->content_type, STR("application/json")));
		assert_int_equal(out->field_count, 1);
		assert_true(str_eq(out->fields[0].name, STR("X-Total-Count")));
		assert_true(str_eq(out->fields[0].value, STR("5")));
	}
	arena_free(a);
	return found;
}

static void
an_answer_is_found_until_something_changes(void **state)
{
	struct answer_cache *c = answer_cache_new(2);
	const struct cache_lookup l = lookup("k", 7, 0);
	const struct http_answer kept = answer_of(STR("{\"a\":1}"));
	struct http_answer out;
	(void)state;
	assert_false(has(c, 0, l, &out));
	answer_cache_keep(c, 0, &l, &kept);
	assert_true(has(c, 0, l, &out));
	assert_false(has(c, 1, l, &out));
	assert_false(has(c, 0, lookup("k", 8, 0), &out));
	assert_false(has(c, 0, lookup("other", 7, 0), &out));
	assert_true(has(c, 0, lookup("k", 7, CACHE_AGE_US), &out));
	assert_false(has(c, 0, lookup("k", 7, CACHE_AGE_US + 1), &out));
	answer_cache_free(c);
}

static void
two_keys_of_one_slot_are_not_mixed(void **state)
{
	struct answer_cache *c = answer_cache_new(1);
	struct cache_lookup a = lookup("first", 1, 0), b = lookup("second", 1, 0);
	const struct http_answer kept = answer_of(STR("1"));
	struct http_answer out;
	(void)state;
	b.hash = a.hash;
	answer_cache_keep(c, 0, &a, &kept);
	assert_false(has(c, 0, b, &out));
	answer_cache_keep(c, 0, &b, &kept);
	assert_false(has(c, 0, a, &out));
	assert_true(has(c, 0, b, &out));
	answer_cache_free(c);
}

static void
large_answers_are_not_kept_and_memory_is_bounded(void **state)
{
	struct answer_cache *c = answer_cache_new(1);
	struct arena *a = arena_new(16u << 20);
	char *bytes = arena_alloc(a, CACHE_ANSWER_BYTES + 1);
	struct http_answer large = answer_of((struct str){ bytes, CACHE_ANSWER_BYTES + 1 });
	struct cache_lookup l = lookup("large", 1, 0);
	struct http_answer out;
	(void)state;
	answer_cache_keep(c, 0, &l, &large);
	assert_false(has(c, 0, l, &out));
	large.body.n = CACHE_ANSWER_BYTES - 200;
	size_t found = 0;
	for (uint64_t i = 0; i < CACHE_SLOTS; i++) {
		l.hash = i;
		answer_cache_keep(c, 0, &l, &large);
	}
	for (uint64_t i = 0; i < CACHE_SLOTS; i++) {
		l.hash = i;
		found += answer_cache_find(c, 0, &l, a, &out);
	}
	assert_in_range(found * large.body.n, 1u << 20, CACHE_THREAD_BYTES);
	/* When those have grown old they make room. */
	l.hash = CACHE_SLOTS - 1;
	l.now_us = 3 * CACHE_AGE_US;
	answer_cache_keep(c, 0, &l, &large);
	assert_true(answer_cache_find(c, 0, &l, a, &out));
	arena_free(a);
	answer_cache_free(c);
}

static void
the_hash_tells_lengths_and_positions_apart(void **state)
{
	static const char *const texts[] = { "", "a", "b", "ab", "ba", "a\1", "12345678", "123456789",
		"12345678\1", "87654321" };
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t j = 0; j < i; j++)
			assert_true(hash_bytes(str_from_cstr(texts[i]), 0) !=
				    hash_bytes(str_from_cstr(texts[j]), 0));
	assert_true(hash_bytes((struct str){ "a\0", 2 }, 0) != hash_bytes(STR("a"), 0));
	assert_true(hash_bytes(STR("a"), 0) != hash_bytes(STR("a"), 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_until_something_changes),
		cmocka_unit_test(two_keys_of_one_slot_are_not_mixed),
		cmocka_unit_test(large_answers_are_not_kept_and_memory_is_bounded),
		cmocka_unit_test(the_hash_tells_lengths_and_positions_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
