/*
 * Cron expressions: what is read and refused, and slots against an oracle that walks every minute of the days around clock changes and
 * shares no code with the search: a local minute is due when the clock first shows it, a skipped one when the gap is over.
 */
#include "base/random.h"
#include "queue/cron.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena *arena;

static struct cron
parsed(const char *text)
{
	struct cron c;
	struct err *e = cron_parse(arena, str_from_cstr(text), &c);

	if (e)
		fail_msg("%s: %.*s", text, STR_ARG(e->fields->message));
	return c;
}

static struct instant
at(const char *text)
{
	struct instant t;

	assert_true(instant_parse(str_from_cstr(text), zone_utc(), &t));
	return t;
}

static void
assert_next(const char *zone, const char *cron, const char *after, const char *expected)
{
	const struct zone *z = zone_find(str_from_cstr(zone));
	struct cron c = parsed(cron);
	struct instant next;

	assert_non_null(z);
	assert_true(cron_next(&c, z, at(after), &next));
	if (next.us != at(expected).us)
		fail_msg("%s in %s after %s: %lld s late", cron, zone, after,
			(long long)((next.us - at(expected).us) / INSTANT_SECOND));
}

static void
fields_mean_what_cron_says(void **state)
{
	(void)state;
	assert_next("UTC", "*/15 * * * *", "2024-01-01T00:00:00Z", "2024-01-01T00:15:00Z");
	assert_next("UTC", "*/15 * * * *", "2024-01-01T00:14:59.999999Z", "2024-01-01T00:15:00Z");
	assert_next("UTC", "5,10 2-4/2 * * *", "2024-01-01T02:10:00Z", "2024-01-01T04:05:00Z");
	assert_next("UTC", "0 0 * FEB,dec Mon-Fri", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
	assert_next("UTC", "0 0 * * 7", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z");
	assert_next("UTC", "0 0 * * sat-sun", "2024-01-06T00:00:00Z", "2024-01-07T00:00:00Z");
	assert_next("UTC", "0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z");
	assert_next("UTC", "@monthly", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
	assert_next("UTC", "@Hourly", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z");
	assert_next("UTC", "@weekly", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z");
	assert_next("Asia/Kolkata", "0 9 * * *", "2024-01-01T00:00:00Z", "2024-01-01T03:30:00Z");
}

static void
day_and_weekday_are_either_unless_one_is_a_star(void **state)
{
	(void)state;
	assert_next("UTC", "0 0 13 * 5", "2024-09-06T12:00:00Z", "2024-09-13T00:00:00Z");
	assert_next("UTC", "0 0 13 * 5", "2024-09-13T12:00:00Z", "2024-09-20T00:00:00Z");
	assert_next("UTC", "0 0 13 * *", "2024-09-13T12:00:00Z", "2024-10-13T00:00:00Z");
	assert_next("UTC", "0 0 */2 * 1", "2024-09-01T12:00:00Z", "2024-09-09T00:00:00Z");
	assert_next("UTC", "0 0 31 2 mon", "2024-01-31T00:00:00Z", "2024-02-05T00:00:00Z");
}

static void
clock_changes_neither_skip_nor_repeat(void **state)
{
	(void)state;
	assert_next("America/New_York", "30 2 * * *", "2024-03-09T12:00:00Z",
		"2024-03-10T07:00:00Z"); /* 3:00 EDT */
	assert_next("America/New_York", "30 2 * * *", "2024-03-10T07:00:00Z", "2024-03-11T06:30:00Z");
	assert_next("America/New_York", "30 1 * * *", "2024-11-03T04:00:00Z",
		"2024-11-03T05:30:00Z"); /* 1:30 EDT */
	assert_next("America/New_York", "30 1 * * *", "2024-11-03T05:30:00Z", "2024-11-04T06:30:00Z");
	assert_next("Pacific/Apia", "0 12 30 12 *", "2011-12-01T00:00:00Z",
		"2011-12-30T10:00:00Z"); /* that day was left out */
	assert_next("Africa/Cairo", "0 0 * * *", "2024-04-25T12:00:00Z",
		"2024-04-25T22:00:00Z"); /* midnight was */
}

static void
what_is_no_expression_is_refused(void **state)
{
	static const char *const bad[] = { "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *",
		"* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * 0 *", "* * * * 8", "*/0 * * * *",
		"1-0 * * * *", "5/10 * * * *", "a * * * *", "-1 * * * *", "1, * * * *", ",1 * * * *",
		"1-2-3 * * * *", "*/ * * * *", "* * 30 2 *", "* * 31 4,6 *", "@reboot", "@daily x",
		"+1 * * * *", "0x1 * * * *", "1.5 * * * *", "* * * jan-foo *", "fri-mon * * * *",
		"* * * * fri-mon", "*/100 * * * *", "** * * * *", "*-5 * * * *",
		"999999999999999999999 * * * *", "0 0 * * \xff" };
	struct cron c;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err *e = cron_parse(arena, str_from_cstr(bad[i]), &c);
		if (!e)
			fail_msg("\"%s\" was accepted", bad[i]);
		assert_int_equal(e->code, ERR_INVALID_INPUT);
		assert_true(str_eq(e->fields->field, STR("cron")));
	}
	assert_non_null(cron_parse(arena, (struct str){ "* * * * *\0", 10 }, &c));
}

/* ---- the oracle ------------------------------------------------------------------------------------------------------------- */

static bool
oracle_matches(const struct cron *c, int64_t local_minute)
{
	int64_t day = local_minute >= 0 ? local_minute / 1440 : (local_minute - 1439) / 1440,
		minute = local_minute - day * 1440;
	struct date d = { (int32_t)day };
	struct civil civil = date_to_civil(d);
	int weekday = (int)((day % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
	bool by_day = c->days & 1u << civil.day, by_weekday = c->weekdays & 1u << weekday;

	return c->minutes & 1ULL << minute % 60 && c->hours & 1u << minute / 60 &&
	       c->months & 1u << civil.month && (c->either_day ? by_day || by_weekday : by_day && by_weekday);
}

struct walk {
	const struct zone *z;
	const struct cron *c;
	int64_t seen; /* the latest local minute the clock has shown */
};

/* Whether a slot lies on this minute of UTC; called for each, in order. */
static bool
oracle_step(struct walk *w, int64_t utc_minute)
{
	struct instant t = { utc_minute * 60 * INSTANT_SECOND };
	int64_t local = utc_minute + zone_offset_s(w->z, t) / 60;
	bool due = false;

	for (int64_t m = w->seen + 1; m <= local; m++)
		due = due || oracle_matches(w->c, m);
	if (local > w->seen)
		w->seen = local;
	return due;
}

static void
random_expression(char *text, size_t room)
{
	static const char *const minutes[] = { "*", "*/7", "0", "30", "59", "0,30", "15-45/10", "1" };
	static const char *const hours[] = { "*", "*/2", "0", "1", "2", "3", "23", "1-3", "0,12" };
	static const char *const days[] = { "*", "*/2", "1", "31", "10-31", "27" };
	static const char *const weekdays[] = { "*", "*/3", "0", "sun", "1-5", "fri,sat" };
	const char *all[] = { minutes[random_below(COUNT(minutes))], hours[random_below(COUNT(hours))],
		days[random_below(COUNT(days))], weekdays[random_below(COUNT(weekdays))] };

	assert_true(snprintf(text, room, "%s %s %s * %s", all[0], all[1], all[2], all[3]) < (int)room);
}

static void
walk_around(const char *zone, const char *day, const char *expression)
{
	struct cron c = parsed(expression);
	const struct zone *z = zone_find(str_from_cstr(zone));
	int64_t first = at(day).us / INSTANT_SECOND / 60 - 2 * 1440, last = first + 5 * 1440;
	assert_non_null(z);
	struct walk w = { .z = z, .c = &c };
	struct instant after = { first * 60 * INSTANT_SECOND + random_below(60) * INSTANT_SECOND }, next;

	w.seen = first + zone_offset_s(z, (struct instant){ first * 60 * INSTANT_SECOND }) / 60;
	bool some = cron_next(&c, z, after, &next);
	for (int64_t m = first + 1; m < last; m++) {
		struct instant t = { m * 60 * INSTANT_SECOND };
		bool due = oracle_step(&w, m);
		if (due != (some && next.us == t.us))
			fail_msg("%s in %s around %s: minute %lld of the walk, %s", expression, zone, day,
				(long long)(m - first), due ? "a slot was left out" : "a slot too many");
		if (due)
			some = cron_next(&c, z, t, &next);
	}
}

static void
slots_are_those_of_a_walk_through_the_minutes(void **state)
{
	static const struct {
		const char *zone, *day;
	} around[] = {
		{ "Europe/Berlin", "2024-03-31" },
		{ "Europe/Berlin", "2024-10-27" },
		{ "America/New_York", "2024-03-10" },
		{ "America/New_York", "2024-11-03" },
		{ "Australia/Lord_Howe", "2024-04-06" },
		{ "Australia/Lord_Howe", "2024-10-05" },
		{ "Africa/Cairo", "2024-04-26" },
		{ "Africa/Cairo", "2024-10-31" },
		{ "America/Havana", "2024-11-03" },
		{ "America/Sao_Paulo", "2018-02-18" },
		{ "America/Sao_Paulo", "2018-11-04" },
		{ "Pacific/Apia", "2011-12-30" },
		{ "Antarctica/Troll", "2024-03-31" },
		{ "Asia/Kathmandu", "2024-12-31" },
	};
	char expression[64];

	(void)state;
	for (size_t i = 0; i < COUNT(around); i++)
		for (int n = 0; n < 40; n++) {
			random_expression(expression, sizeof(expression));
			walk_around(around[i].zone, around[i].day, expression);
			arena_reset(arena);
		}
}

static int
set_up(void **state)
{
	(void)state;
	assert_true(random_start());
	arena = arena_new(1u << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_mean_what_cron_says),
		cmocka_unit_test(day_and_weekday_are_either_unless_one_is_a_star),
		cmocka_unit_test(clock_changes_neither_skip_nor_repeat),
		cmocka_unit_test(what_is_no_expression_is_refused),
		cmocka_unit_test(slots_are_those_of_a_walk_through_the_minutes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
