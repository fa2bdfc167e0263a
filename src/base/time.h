/*
 * Time: instants (microseconds since 1970 UTC), dates (days since 1970-01-01, proleptic Gregorian), time zones of the system's tz
 * database, ISO 8601 in and out. An instant and a date are distinct types, so mixing them does not compile. The present is a parameter
 * everywhere (struct clock), so that a test can fix it.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/arena.h"
#include "base/buf.h"

struct instant {
	int64_t us;
};
struct date {
	int32_t days;
};
struct civil {
	int year, month, day; /* month 1–12, day 1–31 */
};
struct civil_time {
	struct civil date;
	int hour, minute, second, us;
};

#define INSTANT_SECOND 1000000LL
#define INSTANT_DAY    (86400LL * INSTANT_SECOND)
/*
 * Accepted range everywhere: years 0001 to 9999, of instants in UTC. Calendar arithmetic that would leave it stops at its ends, and an
 * instant outside it is written as its end.
 */
#define DATE_MIN_DAYS  (-719162)
#define DATE_MAX_DAYS  2932896
#define INSTANT_MIN_US (DATE_MIN_DAYS * INSTANT_DAY)
#define INSTANT_MAX_US ((DATE_MAX_DAYS + 1) * INSTANT_DAY - 1)

struct date date_from_civil(struct civil c); /* c must be valid: civil_is_valid */
struct civil date_to_civil(struct date d);
bool civil_is_valid(struct civil c);
/* 0 Monday … 6 Sunday. */
int date_weekday(struct date d);
struct date date_add_months(struct date d, int months); /* the day is cut to the month's length */

/* Calendar periods; a week starts on Monday. */
enum period { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR };
extern const char *const period_names[]; /* "day", "week", "month", "quarter", "year" */
struct date period_start(struct date d, enum period p);
/* The first day of the period n periods after the one that holds d. */
struct date period_add(struct date d, enum period p, int n);

/* "YYYY-MM-DD", whole slice, real date. */
bool date_parse(struct str s, struct date *out);
void date_write(struct buf *b, struct date d);

/* A zone read from the tz database; immutable after loading, shared by all threads. */
struct zone;
/* NULL when the name is unknown or not a plain zone name (a capital, then letters, digits, "_+-/"). Zones stay until process end (cached). */
const struct zone *zone_find(struct str iana_name);
const struct zone *zone_utc(void);
/* Offset from UTC in seconds in force at t. */
int32_t zone_offset_s(const struct zone *z, struct instant t);
struct date zone_date(const struct zone *z, struct instant t);
/* Local midnight (or the first moment of the day where midnight is skipped). */
struct instant zone_day_start(const struct zone *z, struct date d);
/* A local time as an instant: in a gap the time after it by the old offset; of two possible ones the earlier. */
struct instant zone_instant(const struct zone *z, struct civil_time local);
/* The same, but in a gap the first moment after it: what is planned for a time that the clock skips. */
struct instant zone_instant_after_gap(const struct zone *z, struct civil_time local);
/* The IANA name it was found by. */
struct str zone_name(const struct zone *z);

/*
 * ISO 8601 in: "2024-06-15", "2024-06-15T09:00", "…:00", fraction of 1–9 digits (microseconds are kept), "Z" or ±HH:MM, ±HHMM, ±HH; "T" may be a blank.
 * Without offset it is local time of z; a date alone is its local day's start. False: not such a text, or a date that does not exist.
 */
bool instant_parse(struct str s, const struct zone *z, struct instant *out);

enum instant_format {
	INSTANT_ISO_SECONDS, /* 2024-06-15T09:00:00Z; with microseconds when there are any: 2024-06-15T09:00:00.123456Z */
	INSTANT_ISO_MILLIS,  /* 2024-06-15T09:00:00.000Z */
	INSTANT_ISO_OFFSET,  /* 2024-06-15T14:30:00+05:30, in the zone given */
	INSTANT_BLANK,       /* 2024-06-15 09:00:00, in the zone given; microseconds are not shown */
	INSTANT_HTTP         /* Sat, 15 Jun 2024 09:00:00 GMT */
};
/* z may be NULL for the formats in UTC. */
void instant_write(struct buf *b, struct instant t, enum instant_format f, const struct zone *z);

/* The present. now() of the system clock is real time; a fixed clock is for tests. */
struct clock {
	struct instant (*now)(const struct clock *);
	struct instant fixed;
};
extern const struct clock clock_system;
struct clock clock_fixed(struct instant t);
/* Monotonic microseconds, for durations and timeouts. */
int64_t monotonic_us(void);

#endif
