/*
 * Time zones. The oracle is the C library: for every zone of the system's tz database and for moments around every transition the
 * offsets must be the same. Only tests may set TZ.
 */
#include "base/time.h"
#include "base/tzif.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define ZONES "/usr/share/zoneinfo"

static struct instant
at(const char *text)
{
	struct instant t;

	assert_true(instant_parse(str_from_cstr(text), zone_utc(), &t));
	return t;
}

static void
assert_instant(struct instant t, const char *expected)
{
	char text[64];
	struct buf b;

	buf_init(&b, sizeof(text));
	instant_write(&b, t, INSTANT_ISO_SECONDS, NULL);
	assert_true(b.len < sizeof(text));
	memcpy(text, b.p, b.len);
	text[b.len] = '\0';
	buf_done(&b);
	assert_string_equal(text, expected);
}

static const struct zone *
zone_of(const char *name)
{
	const struct zone *z = zone_find(str_from_cstr(name));

	if (!z)
		fail_msg("no zone %s", name);
	return z;
}

static struct instant
local(const char *zone, const char *text)
{
	struct instant t;

	assert_true(instant_parse(str_from_cstr(text), zone_of(zone), &t));
	return t;
}

static void
zone_names_that_are_none_are_refused(void **state)
{
	static const char *const names[] = { "", "Nowhere/City", "../../etc/passwd", "/etc/localtime",
		"Europe", "Europe/", "zone.tab", "posixrules", "right/Europe/London", "Europe/London\n",
		"europe/london",
		"Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_null(zone_find(str_from_cstr(names[i])));
	assert_null(zone_find((struct str){ "UTC\0", 4 }));
	assert_ptr_equal(zone_find(STR("UTC")), zone_utc());
	assert_ptr_equal(zone_of("Asia/Tokyo"), zone_of("Asia/Tokyo"));
}

static void
assert_like_libc(const struct zone *z, const char *name, int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	assert_non_null(localtime_r(&t, &tm));
	if (zone_offset_s(z, (struct instant){ s * INSTANT_SECOND }) != tm.tm_gmtoff)
		fail_msg("%s at %lld: %d, libc says %ld", name, (long long)s,
			zone_offset_s(z, (struct instant){ s * INSTANT_SECOND }), tm.tm_gmtoff);
}

static void
compare_zone(const char *name)
{
	const struct zone *z = zone_of(name);
	/* The C library understands the rule for the far future too, up to year 9999 and beyond. */
	const int64_t last = date_from_civil((struct civil){ 9999, 12, 30 }).days * 86400LL;

	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
	for (size_t i = 0; i < z->count; i += i < 400 ? 1 : 13) {
		assert_like_libc(z, name, z->at_s[i] - 1);
		assert_like_libc(z, name, z->at_s[i]);
	}
	for (int64_t s = -3000000000; s < 6000000000; s += 86400 * 97 + 1237)
		assert_like_libc(z, name, s);
	for (int64_t s = 6000000000; s < last; s += 86400LL * 1733 + 4321)
		assert_like_libc(z, name, s);
	assert_like_libc(z, name, last);
}

static int
compare_folder(const char *folder, const char *prefix)
{
	char path[1024], name[512];
	struct dirent *entry;
	struct stat st;
	DIR *d = opendir(folder);
	int count = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] < 'A' || entry->d_name[0] > 'Z')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		snprintf(name, sizeof(name), "%s%s", prefix, entry->d_name);
		assert_int_equal(stat(path, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			snprintf(name, sizeof(name), "%s%s/", prefix, entry->d_name);
			count += compare_folder(path, name);
		} else {
			compare_zone(name);
			count++;
		}
	}
	closedir(d);
	return count;
}

static void
offsets_are_those_of_the_c_library_in_every_zone(void **state)
{
	(void)state;
	int count = compare_folder(ZONES, "");
	print_message("%d zones compared\n", count);
	assert_true(count > 300);
	unsetenv("TZ");
	tzset();
}

/* A file without transitions, of one type, whose footer is the rule. */
static struct str
file_of_rule(struct arena *a, const char *rule, int32_t offset_s)
{
	struct buf b;

	buf_init_arena(&b, a, 4096);
	for (int block = 0; block < 2; block++) {
		buf_add_lit(&b, "TZif2");
		for (int i = 0; i < 15 + 4 * 4 + 3; i++)
			buf_add_byte(&b, 0);
		buf_add(&b, "\1\0\0\0\4", 5); /* one type, four bytes of names */
		for (int shift = 24; shift >= 0; shift -= 8)
			buf_add_byte(&b, (char)((uint32_t)offset_s >> shift));
		buf_add(&b, "\0\0AAA\0", 6);
	}
	buf_add_fmt(&b, "\n%s\n", rule);
	return buf_str(&b);
}

/* No rule here changes where the local and the UTC year differ: the C library takes the rule of the UTC year there. */
static void
every_form_of_rule_means_what_the_c_library_takes_it_for(void **state)
{
	static const struct {
		const char *rule;
		int32_t standard_s;
	} cases[] = { { "AAA3BBB,J60/0,J300/1:30", -10800 }, { "AAA3BBB,J59,J365/20", -10800 },
		{ "AAA-1BBB,59/0,364/4:5:6", 3600 }, { "AAA-5:30BBB-6,1/6,60/1", 19800 },
		{ "AAA0BBB,M3.5.0/1,M10.5.0", 0 }, { "AAA-10BBB,M10.1.0,M4.1.0/3", 36000 },
		{ "<-03>3<+01>-1,M2.5.6/-1,M11.4.4/25", -10800 }, { "AAA3BBB,M3.4.4/50,M10.4.4/50", -10800 },
		{ "AAA-1BBB0,M10.5.0,M3.5.0/1", 3600 } };
	struct arena *a = arena_new(64 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct zone *z = tzif_parse(a, file_of_rule(a, cases[i].rule, cases[i].standard_s));

		assert_non_null(z);
		assert_int_equal(setenv("TZ", cases[i].rule, 1), 0);
		tzset();
		for (int64_t s = 1600000000; s < 1600000000 + 10LL * 366 * 86400; s += 1783)
			assert_like_libc(z, cases[i].rule, s);
		for (int64_t s = 1600000000; s < 200000000000; s += 86400LL * 17 + 1783)
			assert_like_libc(z, cases[i].rule, s);
	}
	unsetenv("TZ");
	tzset();
	arena_free(a);
}

static void
rules_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = { "A", "AAA", "AAA26", "AAA3BBB", "AAA3BBB,J0,J1", "AAA3BBB,J1",
		"AAA3BBB,J1,J366", "AAA3BBB,366,1", "AAA3BBB,M0.1.0,M1.1.0", "AAA3BBB,M13.1.0,M1.1.0",
		"AAA3BBB,M1.0.0,M1.1.0", "AAA3BBB,M1.6.0,M1.1.0", "AAA3BBB,M1.1.7,M1.1.0",
		"AAA3BBB,M1.1.0/168,M1.1.0", "AAA3BBB,M1.1.0,M2.1.0x", "<AA3", "AAA3:60", "AAA3 " };
	struct arena *a = arena_new(64 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (tzif_parse(a, file_of_rule(a, wrong[i], 0)))
			fail_msg("accepted: %s", wrong[i]);
	assert_non_null(tzif_parse(a, file_of_rule(a, "", 0)));
	assert_non_null(tzif_parse(a, file_of_rule(a, "AAA3", 0)));
	arena_free(a);
}

static void
a_skipped_local_time_is_read_by_the_offset_before_the_gap(void **state)
{
	(void)state;
	assert_instant(local("Europe/Berlin", "2024-03-31T02:30:00"), "2024-03-31T01:30:00Z");
	assert_instant(local("America/New_York", "2024-03-10T02:00:00"), "2024-03-10T07:00:00Z");
	/* Far behind the last transition of the file, by its rule. */
	assert_instant(local("Europe/Berlin", "2524-03-26T02:30:00"), "2524-03-26T01:30:00Z");
}

static void
of_two_local_times_the_earlier_one_counts(void **state)
{
	(void)state;
	assert_instant(local("Europe/Berlin", "2024-10-27T02:30:00"), "2024-10-27T00:30:00Z");
	assert_instant(local("Europe/Berlin", "2024-10-27T03:00:00"), "2024-10-27T02:00:00Z");
	assert_instant(local("Australia/Lord_Howe", "2024-04-07T01:45:00"), "2024-04-06T14:45:00Z");
	assert_instant(local("Europe/Dublin", "2024-10-27T01:30:00"), "2024-10-27T00:30:00Z");
}

static void
a_day_starts_at_its_first_moment(void **state)
{
	(void)state;
	assert_instant(local("Europe/Berlin", "2024-06-15"), "2024-06-14T22:00:00Z");
	/* Midnight is skipped: Santiago goes from 24:00 to 01:00. */
	assert_instant(local("America/Santiago", "2024-09-08"), "2024-09-08T04:00:00Z");
	/* Midnight comes twice: Havana goes from 01:00 back to 00:00. */
	assert_instant(local("America/Havana", "2024-11-03"), "2024-11-03T04:00:00Z");
	/* The day itself is skipped: Samoa went from the end of the 29th to the 31st. */
	assert_instant(local("Pacific/Apia", "2011-12-30"), "2011-12-30T10:00:00Z");
	assert_instant(local("Pacific/Apia", "2011-12-31"), "2011-12-30T10:00:00Z");
	/* The skipped half hour of Lord Howe lies around no midnight; Toronto's of 1919 did (23:30 to 00:30). */
	assert_instant(local("America/Toronto", "1919-03-31"), "1919-03-31T04:30:00Z");
}

static void
an_instant_falls_on_the_local_date(void **state)
{
	(void)state;
	struct civil c = date_to_civil(zone_date(zone_of("Asia/Kolkata"), at("2024-02-28T18:30:00Z")));
	assert_int_equal(c.day, 29);
	c = date_to_civil(zone_date(zone_of("Asia/Kolkata"), at("2024-02-28T18:29:59.999999Z")));
	assert_int_equal(c.day, 28);
	c = date_to_civil(zone_date(zone_of("Pacific/Kiritimati"), at("9999-12-31T23:59:59Z")));
	assert_int_equal(c.year, 9999);
}

static void
local_time_and_back_is_the_same_moment_for_every_hour(void **state)
{
	static const char *const names[] = { "Europe/London", "America/Santiago", "Australia/Lord_Howe",
		"Africa/Casablanca" };

	(void)state;
	for (size_t n = 0; n < COUNT(names); n++) {
		const struct zone *z = zone_of(names[n]);

		for (int64_t s = 1500000000; s < 1600000000; s += 1800) {
			struct instant t = { s * INSTANT_SECOND };
			int64_t shown = s + zone_offset_s(z, t);
			struct civil_time c = { .date = date_to_civil(
							(struct date){ (int32_t)(shown / 86400) }),
				.hour = (int)(shown / 3600 % 24),
				.minute = (int)(shown / 60 % 60) };
			struct instant back = zone_instant(z, c);

			/* Where clocks show a time twice the earlier moment comes back. */
			assert_true(back.us <= t.us && t.us - back.us <= 3600 * INSTANT_SECOND);
			assert_int_equal(back.us / INSTANT_SECOND + zone_offset_s(z, back), shown);
		}
	}
}

static void
damaged_files_are_refused_or_read_without_harm(void **state)
{
	static char file[65536], copy[65536];
	FILE *f = fopen(ZONES "/Europe/London", "rb");

	(void)state;
	assert_non_null(f);
	size_t n = fread(file, 1, sizeof(file), f);
	fclose(f);
	struct arena *a = arena_new(1 << 20);
	assert_non_null(tzif_parse(a, (struct str){ file, n }));
	for (size_t cut = 0; cut < n; cut += 7) {
		arena_reset(a);
		assert_null(tzif_parse(a, (struct str){ file, cut }));
	}
	for (size_t i = 0; i < n; i++) {
		arena_reset(a);
		memcpy(copy, file, n);
		copy[i] = (char)(copy[i] ^ (1 << (i % 8)));
		(void)tzif_parse(a, (struct str){ copy, n });
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zone_names_that_are_none_are_refused),
		cmocka_unit_test(offsets_are_those_of_the_c_library_in_every_zone),
		cmocka_unit_test(every_form_of_rule_means_what_the_c_library_takes_it_for),
		cmocka_unit_test(rules_that_are_none_are_refused),
		cmocka_unit_test(a_skipped_local_time_is_read_by_the_offset_before_the_gap),
		cmocka_unit_test(of_two_local_times_the_earlier_one_counts),
		cmocka_unit_test(a_day_starts_at_its_first_moment),
		cmocka_unit_test(an_instant_falls_on_the_local_date),
		cmocka_unit_test(local_time_and_back_is_the_same_moment_for_every_hour),
		cmocka_unit_test(damaged_files_are_refused_or_read_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
