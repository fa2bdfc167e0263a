/* Texts that are instants are written and read the same; bytes that are a time zone answer every question within their bounds. */
#include "base/time.h"
#include "base/tzif.h"
#include "fuzz.h"

static void
check_instant(struct instant t)
{
	static const enum instant_format exact[] = { INSTANT_ISO_SECONDS, INSTANT_ISO_OFFSET };
	struct instant back;
	struct buf b;

	check(t.us >= INSTANT_MIN_US && t.us <= INSTANT_MAX_US);
	buf_init(&b, 100);
	for (size_t i = 0; i < COUNT(exact); i++) {
		buf_clear(&b);
		instant_write(&b, t, exact[i], zone_utc());
		check(instant_parse(buf_str(&b), zone_utc(), &back) && back.us == t.us);
	}
	instant_write(&b, t, INSTANT_HTTP, NULL);
	buf_done(&b);
}

static void
check_zone(const struct zone *z)
{
	for (int64_t us = INSTANT_MIN_US; us < INSTANT_MAX_US; us += INSTANT_DAY * 36500 + 7) {
		struct instant t = { us };
		int32_t offset_s = zone_offset_s(z, t);
		struct date d = zone_date(z, t);

		check(offset_s >= -TZIF_OFFSET_MAX && offset_s <= TZIF_OFFSET_MAX);
		/* The day starts before or at the moment, unless clocks went over midnight twice. */
		check(zone_day_start(z, d).us <= us + 2 * INSTANT_DAY + 2 * TZIF_OFFSET_MAX * INSTANT_SECOND);
		(void)zone_instant(
			z, (struct civil_time){ .date = date_to_civil(d), .hour = 2, .minute = 30 });
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct str text = { (const char *)bytes, size };
	struct instant t;
	struct date d;

	if (instant_parse(text, zone_utc(), &t))
		check_instant(t);
	if (date_parse(text, &d)) {
		check(period_start(d, PERIOD_YEAR).days <= d.days &&
			date_from_civil(date_to_civil(d)).days == d.days);
		check(period_start(d, PERIOD_WEEK).days <= d.days &&
			d.days - period_start(d, PERIOD_WEEK).days < 7);
	}
	const struct zone *z = tzif_parse(a, text);
	if (z)
		check_zone(z);
	arena_free(a);
	return 0;
}
