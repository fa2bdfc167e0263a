/* The events in memory: found by position, dropped from the front, and never untold without saying so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "live/live_parts.h"

static struct live_event *
event(int64_t txid, int64_t seq, struct str values)
{
	const struct outbox_event e = { .position = { txid, seq },
		.company_id = 1,
		.type = STR("kpi.updated"),
		.object_type = STR("kpi"),
		.object_id = STR("kpi-001"),
		.new_values = values };
	return live_event_new(&e);
}

static void
the_first_behind_a_position_is_found(void **state)
{
	struct recent *r = calloc(1, sizeof(*r));
	uint64_t number;
	(void)state;
	r->before = (struct outbox_position){ 10, 7 };
	/* Side by side transactions: numbers do not rise with the order. */
	static const int64_t order[][2] = { { 10, 9 }, { 11, 4 }, { 11, 12 }, { 13, 8 } };
	for (size_t i = 0; i < COUNT(order); i++)
		assert_true(recent_add(r, event(order[i][0], order[i][1], STR("{}"))));
	assert_false(recent_find(r, (struct outbox_position){ 10, 6 }, &number));
	assert_true(recent_find(r, (struct outbox_position){ 10, 7 }, &number));
	assert_int_equal(number, 0);
	for (size_t i = 0; i < COUNT(order); i++) {
		assert_true(recent_find(r, (struct outbox_position){ order[i][0], order[i][1] }, &number));
		assert_int_equal(number, i + 1);
	}
	assert_true(recent_find(r, (struct outbox_position){ 12, 1 }, &number));
	assert_int_equal(number, 3);
	recent_clear(r);
	assert_false(recent_find(r, (struct outbox_position){ 13, 7 }, &number));
	assert_true(recent_find(r, (struct outbox_position){ 13, 8 }, &number));
	assert_int_equal(number, r->end);
	free(r);
}

static void
old_ones_go_when_there_are_too_many(void **state)
{
	struct recent *r = calloc(1, sizeof(*r));
	uint64_t number;
	(void)state;
	for (int i = 1; i <= 2 * RECENT_EVENTS_MAX; i++) {
		assert_true(recent_add(r, event(0, i, STR("{}"))));
		r->told = r->end;
	}
	assert_int_equal(r->end - r->first, RECENT_EVENTS_MAX);
	assert_int_equal(r->before.seq, RECENT_EVENTS_MAX);
	assert_false(recent_find(r, (struct outbox_position){ 0, RECENT_EVENTS_MAX - 1 }, &number));
	assert_int_equal(recent_get(r, r->first)->e.position.seq, RECENT_EVENTS_MAX + 1);
	recent_clear(r);
	free(r);
}

static void
large_ones_count_by_their_bytes(void **state)
{
	struct recent *r = calloc(1, sizeof(*r));
	const size_t n = 1u << 20;
	char *text = malloc(n);
	(void)state;
	memset(text, 'x', n);
	for (int i = 1; i <= 200; i++) {
		(void)recent_add(r, event(0, i, (struct str){ text, n }));
		r->told = r->end;
		assert_true(r->bytes <= RECENT_BYTES_MAX);
	}
	assert_true(r->end - r->first >= 16);
	recent_clear(r);
	assert_int_equal(r->bytes, 0);
	free(text);
	free(r);
}

static void
an_untold_one_does_not_go_silently(void **state)
{
	struct recent *r = calloc(1, sizeof(*r));
	(void)state;
	for (int i = 1; i <= RECENT_EVENTS_MAX; i++)
		assert_true(recent_add(r, event(0, i, STR("{}"))));
	assert_false(recent_add(r, event(0, RECENT_EVENTS_MAX + 1, STR("{}"))));
	r->told = r->end;
	assert_true(recent_add(r, event(0, RECENT_EVENTS_MAX + 2, STR("{}"))));
	recent_clear(r);
	free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_behind_a_position_is_found),
		cmocka_unit_test(old_ones_go_when_there_are_too_many),
		cmocka_unit_test(large_ones_count_by_their_bytes),
		cmocka_unit_test(an_untold_one_does_not_go_silently),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
