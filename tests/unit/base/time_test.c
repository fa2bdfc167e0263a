/* The calendar, and dates and instants as text. Zones have their own test. */
#include "base/random.h"
#include "base/time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf text;

static const char *
terminated(void)
{
	buf_add_byte(&text, '\0');
	return text.p;
}

static const char *
shown(struct date d)
{
	buf_clear(&text);
	date_write(&text, d);
	return terminated();
}

static const char *
shown_instant(struct instant t, enum instant_format f, const struct zone *z)
{
	buf_clear(&text);
	instant_write(&text, t, f, z);
	return terminated();
}

static struct date
day(const char *z)
{
	struct date d;

	if (!date_parse(str_from_cstr(z), &d))
		fail_msg("not a date: %s", z);
	return d;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Every day of the accepted range, counted by hand from the first. */
static void
every_day_of_ten_thousand_years_converts_both_ways(void **state)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int32_t days = DATE_MIN_DAYS;
	int weekday = 0; /* 0001-01-01 was a Monday */

	(void)state;
	for (int year = 1; year <= 9999; year++) {
		for (int month = 1; month <= 12; month++) {
			int length = lengths[month - 1] + (month == 2 && is_leap(year));

			for (int d = 1; d <= length; d++) {
				struct civil c = date_to_civil((struct date){ days });

				if (c.year != year || c.month != month || c.day != d ||
					date_from_civil(c).days != days ||
					date_weekday((struct date){ days }) != weekday)
					fail_msg("%d-%d-%d", year, month, d);
				days++;
				weekday = (weekday + 1) % 7;
			}
			assert_false(civil_is_valid((struct civil){ year, month, length + 1 }));
		}
	}
	assert_int_equal(days - 1, DATE_MAX_DAYS);
	assert_int_equal(day("1970-01-01").days, 0);
	assert_int_equal(day("2000-03-01").days, 11017);
}

static void
only_real_dates_are_read(void **state)
{
	static const char *const wrong[] = { "", "2024", "2024-2-01", "2024-02-30", "2023-02-29",
		"1900-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-32", "0000-01-01",
		"10000-01-01", "2024/01/01", "2024-01-01 ", " 2024-01-01", "-024-01-01", "2024-01-1x",
		"20240101", "2024-01-01T00:00:00Z" };
	struct date d = { 7 };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (date_parse(str_from_cstr(wrong[i]), &d))
			fail_msg("accepted: %s", wrong[i]);
	assert_int_equal(d.days, 7);
	assert_string_equal(shown(day("2000-02-29")), "2000-02-29");
	assert_string_equal(shown(day("0001-01-01")), "0001-01-01");
	assert_string_equal(shown(day("9999-12-31")), "9999-12-31");
}

static void
adding_months_cuts_the_day_to_the_month(void **state)
{
	(void)state;
	assert_string_equal(shown(date_add_months(day("2024-01-31"), 1)), "2024-02-29");
	assert_string_equal(shown(date_add_months(day("2023-01-31"), 1)), "2023-02-28");
	assert_string_equal(shown(date_add_months(day("2024-02-29"), 12)), "2025-02-28");
	assert_string_equal(shown(date_add_months(day("2024-03-31"), -1)), "2024-02-29");
	assert_string_equal(shown(date_add_months(day("2024-01-15"), -13)), "2022-12-15");
	assert_string_equal(shown(date_add_months(day("2024-12-31"), 0)), "2024-12-31");
	/* The ends of the range hold. */
	assert_string_equal(shown(date_add_months(day("9999-12-31"), 1)), "9999-12-31");
	assert_string_equal(shown(date_add_months(day("0001-01-01"), -1)), "0001-01-01");
	assert_string_equal(shown(date_add_months(day("2024-01-01"), INT32_MAX)), "9999-12-01");
	assert_string_equal(shown(date_add_months(day("2024-01-01"), INT32_MIN)), "0001-01-01");
}

static void
periods_begin_where_the_calendar_says(void **state)
{
	struct date d = day("2024-08-15"); /* a Thursday */

	(void)state;
	assert_string_equal(shown(period_start(d, PERIOD_DAY)), "2024-08-15");
	assert_string_equal(shown(period_start(d, PERIOD_WEEK)), "2024-08-12");
	assert_string_equal(shown(period_start(d, PERIOD_MONTH)), "2024-08-01");
	assert_string_equal(shown(period_start(d, PERIOD_QUARTER)), "2024-07-01");
	assert_string_equal(shown(period_start(d, PERIOD_YEAR)), "2024-01-01");
	assert_string_equal(shown(period_start(day("2024-01-01"), PERIOD_WEEK)), "2024-01-01");
	assert_string_equal(shown(period_start(day("2023-01-01"), PERIOD_WEEK)), "2022-12-26");
	assert_string_equal(shown(period_add(d, PERIOD_DAY, 17)), "2024-09-01");
	assert_string_equal(shown(period_add(d, PERIOD_WEEK, -1)), "2024-08-05");
	assert_string_equal(shown(period_add(d, PERIOD_MONTH, 5)), "2025-01-01");
	assert_string_equal(shown(period_add(d, PERIOD_QUARTER, -3)), "2023-10-01");
	assert_string_equal(shown(period_add(d, PERIOD_YEAR, 1)), "2025-01-01");
	assert_string_equal(shown(period_add(day("2024-01-31"), PERIOD_MONTH, 1)), "2024-02-01");
	assert_string_equal(period_names[PERIOD_QUARTER], "quarter");
	for (int p = PERIOD_DAY; p <= PERIOD_YEAR; p++) {
		assert_true(period_add(d, (enum period)p, INT32_MAX).days <= DATE_MAX_DAYS);
		assert_true(period_add(d, (enum period)p, INT32_MIN).days >= DATE_MIN_DAYS);
	}
}

/* Every day lies in exactly one period: the starts are fixed points and the next period begins behind the last day. */
static void
periods_tile_the_calendar(void **state)
{
	(void)state;
	for (int p = PERIOD_DAY; p <= PERIOD_YEAR; p++) {
		for (int32_t days = day("1995-01-01").days; days < day("2030-01-01").days; days++) {
			struct date start = period_start((struct date){ days }, (enum period)p);
			struct date next = period_add((struct date){ days }, (enum period)p, 1);

			assert_true(start.days <= days && days < next.days);
			assert_int_equal(period_start(start, (enum period)p).days, start.days);
			assert_int_equal(period_start((struct date){ next.days - 1 }, (enum period)p).days,
				start.days);
			assert_int_equal(period_add(next, (enum period)p, -1).days, start.days);
		}
	}
}

static void
assert_read(const char *z, const char *zone, const char *expected)
{
	struct instant t;

	if (!instant_parse(str_from_cstr(z), zone_find(str_from_cstr(zone)), &t))
		fail_msg("not read: %s", z);
	assert_string_equal(shown_instant(t, INSTANT_ISO_SECONDS, NULL), expected);
}

static void
every_form_of_iso_8601_is_read(void **state)
{
	(void)state;
	assert_read("2024-06-15T09:00:00Z", "UTC", "2024-06-15T09:00:00Z");
	assert_read("2024-06-15t09:00:00z", "UTC", "2024-06-15T09:00:00Z");
	assert_read("2024-06-15 09:00", "UTC", "2024-06-15T09:00:00Z");
	assert_read("2024-06-15T09:00+05:30", "UTC", "2024-06-15T03:30:00Z");
	assert_read("2024-06-15T09:00:00-0330", "UTC", "2024-06-15T12:30:00Z");
	assert_read("2024-06-15T09:00:00+02", "UTC", "2024-06-15T07:00:00Z");
	assert_read("2024-06-15T09:00:00-00:00", "UTC", "2024-06-15T09:00:00Z");
	assert_read("2024-06-15T00:00:00+23:59", "UTC", "2024-06-14T00:01:00Z");
	assert_read("2024-06-15T09:00:00.5Z", "UTC", "2024-06-15T09:00:00.500000Z");
	assert_read("2024-06-15T09:00:00.123456Z", "UTC", "2024-06-15T09:00:00.123456Z");
	assert_read("2024-06-15T09:00:00.123456789Z", "UTC", "2024-06-15T09:00:00.123456Z");
	assert_read("2024-06-15T09:00:00.999999999Z", "UTC", "2024-06-15T09:00:00.999999Z");
	/* Without an offset it is local time; a date alone is the local day's start. An offset counts more than the zone. */
	assert_read("2024-06-15T09:00", "Asia/Kolkata", "2024-06-15T03:30:00Z");
	assert_read("2024-06-15", "Asia/Kolkata", "2024-06-14T18:30:00Z");
	assert_read("2024-06-15T09:00Z", "Asia/Kolkata", "2024-06-15T09:00:00Z");
	assert_read("1969-12-31T23:59:59.25Z", "UTC", "1969-12-31T23:59:59.250000Z");
	assert_read("2000-02-29T23:59:59Z", "UTC", "2000-02-29T23:59:59Z");
	assert_read("0001-01-01T00:00:00Z", "UTC", "0001-01-01T00:00:00Z");
	assert_read("9999-12-31T23:59:59.999999Z", "UTC", "9999-12-31T23:59:59.999999Z");
}

static void
other_texts_are_no_instants(void **state)
{
	static const char *const wrong[] = { "", "2024-06", "2024-06-15T", "2024-06-15T09", "2024-06-15T09:0",
		"2024-06-15T9:00", "2024-06-15T24:00", "2024-06-15T09:60", "2024-06-15T23:59:60Z",
		"2024-06-15T09:00:00.Z", "2024-06-15T09:00:00.1234567890Z", "2024-06-15T09:00:00,5Z",
		"2024-06-15T09:00.5Z", "2024-06-15T09:00:00ZZ", "2024-06-15T09:00:00 Z",
		"2024-06-15T09:00:00+2", "2024-06-15T09:00:00+24:00", "2024-06-15T09:00:00+02:60",
		"2024-06-15T09:00:00+02:0", "2024-06-15T09:00:00+02:", "2024-06-15T09:00:00+",
		"2024-06-15T09:00:00 02:00", "2024-06-15  09:00", "2024-06-15_09:00", "2024-06-15Z",
		"2023-02-29T00:00Z", "notadate", "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01",
		"1718442000" };
	struct instant t = { 7 };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (instant_parse(str_from_cstr(wrong[i]), zone_utc(), &t))
			fail_msg("accepted: %s", wrong[i]);
	assert_false(instant_parse((struct str){ "2024-06-15T09:00Z\0", 18 }, zone_utc(), &t));
	assert_int_equal(t.us, 7);
}

static void
instants_are_written_in_every_format(void **state)
{
	const struct zone *kolkata = zone_find(STR("Asia/Kolkata")),
			  *new_york = zone_find(STR("America/New_York"));
	struct instant t = { 1718442000LL * INSTANT_SECOND }, fine = { t.us + 123456 };

	(void)state;
	assert_string_equal(shown_instant(t, INSTANT_ISO_SECONDS, NULL), "2024-06-15T09:00:00Z");
	assert_string_equal(shown_instant(fine, INSTANT_ISO_SECONDS, NULL), "2024-06-15T09:00:00.123456Z");
	assert_string_equal(shown_instant(t, INSTANT_ISO_MILLIS, NULL), "2024-06-15T09:00:00.000Z");
	assert_string_equal(shown_instant(fine, INSTANT_ISO_MILLIS, NULL), "2024-06-15T09:00:00.123Z");
	assert_string_equal(shown_instant(t, INSTANT_ISO_OFFSET, kolkata), "2024-06-15T14:30:00+05:30");
	assert_string_equal(
		shown_instant(fine, INSTANT_ISO_OFFSET, new_york), "2024-06-15T05:00:00.123456-04:00");
	assert_string_equal(shown_instant(t, INSTANT_ISO_OFFSET, zone_utc()), "2024-06-15T09:00:00+00:00");
	assert_string_equal(shown_instant(fine, INSTANT_BLANK, kolkata), "2024-06-15 14:30:00");
	assert_string_equal(shown_instant(fine, INSTANT_HTTP, NULL), "Sat, 15 Jun 2024 09:00:00 GMT");
	assert_string_equal(
		shown_instant((struct instant){ 784111777LL * INSTANT_SECOND }, INSTANT_HTTP, NULL),
		"Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(shown_instant((struct instant){ -1 }, INSTANT_ISO_SECONDS, NULL),
		"1969-12-31T23:59:59.999999Z");
	/* Local mean time has seconds, ISO 8601 has none: the text names the same instant all the same. */
	assert_string_equal(shown_instant((struct instant){ -5000000000LL * INSTANT_SECOND },
				    INSTANT_ISO_OFFSET, new_york),
		"1811-07-23T10:10:40-04:56");
}

static void
instants_outside_the_range_are_shown_as_its_ends(void **state)
{
	const struct zone *east = zone_find(STR("Pacific/Kiritimati"));

	(void)state;
	assert_string_equal(shown_instant((struct instant){ INT64_MAX }, INSTANT_ISO_SECONDS, NULL),
		"9999-12-31T23:59:59.999999Z");
	assert_string_equal(shown_instant((struct instant){ INT64_MIN }, INSTANT_ISO_SECONDS, NULL),
		"0001-01-01T00:00:00Z");
	assert_string_equal(shown_instant((struct instant){ INSTANT_MAX_US }, INSTANT_BLANK, east),
		"9999-12-31 23:59:59");
	assert_string_equal(shown_instant((struct instant){ INT64_MAX }, INSTANT_HTTP, NULL),
		"Fri, 31 Dec 9999 23:59:59 GMT");
}

static void
what_is_written_is_read_back(void **state)
{
	static const char *const names[] = { "UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu",
		"Pacific/Chatham" };
	struct instant back;

	(void)state;
	for (int i = 0; i < 50000; i++) {
		const struct zone *z = zone_find(str_from_cstr(names[i % (int)COUNT(names)]));
		uint64_t bits;

		random_bytes(&bits, sizeof(bits));
		struct instant t = { INSTANT_MIN_US +
				     (int64_t)(bits % (uint64_t)(INSTANT_MAX_US - INSTANT_MIN_US)) };
		enum instant_format f = i & 1 ? INSTANT_ISO_SECONDS : INSTANT_ISO_OFFSET;
		/* The first and last day may be shown as the range's end. */
		if (t.us - INSTANT_MIN_US < INSTANT_DAY || INSTANT_MAX_US - t.us < INSTANT_DAY)
			continue;
		(void)shown_instant(t, f, z);
		if (!instant_parse((struct str){ text.p, text.len - 1 }, zone_utc(), &back) ||
			back.us != t.us)
			fail_msg("%s", text.p);
	}
}

static void
clocks_tell_the_time_they_are_given(void **state)
{
	struct clock fixed = clock_fixed((struct instant){ 42 });
	int64_t before = monotonic_us();

	(void)state;
	assert_int_equal(fixed.now(&fixed).us, 42);
	assert_true(clock_system.now(&clock_system).us > 1700000000LL * INSTANT_SECOND);
	assert_true(monotonic_us() >= before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_of_ten_thousand_years_converts_both_ways),
		cmocka_unit_test(only_real_dates_are_read),
		cmocka_unit_test(adding_months_cuts_the_day_to_the_month),
		cmocka_unit_test(periods_begin_where_the_calendar_says),
		cmocka_unit_test(periods_tile_the_calendar),
		cmocka_unit_test(every_form_of_iso_8601_is_read),
		cmocka_unit_test(other_texts_are_no_instants),
		cmocka_unit_test(instants_are_written_in_every_format),
		cmocka_unit_test(instants_outside_the_range_are_shown_as_its_ends),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(clocks_tell_the_time_they_are_given),
	};

	buf_init(&text, 4096);
	int failed = random_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	buf_done(&text);
	return failed;
}
