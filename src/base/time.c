/*
 * The calendar (proleptic Gregorian), its periods and the clocks. Days are counted in 400-year eras that begin on 1 March, so that the
 * leap day is the last day of its year and no table of month lengths takes part in the conversion.
 */
#include "base/time.h"

#define YEAR_MIN 1
#define YEAR_MAX 9999
#define ERA_DAYS 146097 /* in 400 years */
#define EPOCH	 719468 /* days from 0000-03-01 to 1970-01-01 */

const char *const period_names[] = { "day", "week", "month", "quarter", "year" };

static int
month_days(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

bool
civil_is_valid(struct civil c)
{
	return c.year >= YEAR_MIN && c.year <= YEAR_MAX && c.month >= 1 && c.month <= 12 && c.day >= 1 &&
	       c.day <= month_days(c.year, c.month);
}

struct date
date_from_civil(struct civil c)
{
	check(civil_is_valid(c));
	int year = c.month > 2 ? c.year : c.year - 1,
	    month = (c.month + 9) % 12; /* both counted from March */
	int era = year / 400, year_of_era = year % 400;
	/* (153 m + 2) / 5 is the number of days before month m, for the pattern 31 30 31 30 31 of March to July repeats. */
	int day_of_year = (153 * month + 2) / 5 + c.day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (struct date){ era * ERA_DAYS + day_of_era - EPOCH };
}

struct civil
date_to_civil(struct date d)
{
	check(d.days >= DATE_MIN_DAYS && d.days <= DATE_MAX_DAYS);
	int days = d.days + EPOCH, era = days / ERA_DAYS, day = days % ERA_DAYS;
	/* Take the leap days out (every 1461st day, but not every 36525th, but every 146097th), then all years have 365. */
	int year = (day - day / 1460 + day / 36524 - day / (ERA_DAYS - 1)) / 365;
	int day_of_year = day - (365 * year + year / 4 - year / 100), month = (5 * day_of_year + 2) / 153;

	return (struct civil){
		.year = era * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};
}

int
date_weekday(struct date d)
{
	/* 1970-01-01 was a Thursday; the shift by whole weeks keeps the operand positive. */
	return (d.days + 3 + 7 * 200000) % 7;
}

/* Day 1 of a month counted from January of year 0, cut to the accepted range. */
static struct civil
month_at(int64_t month_count)
{
	int64_t first = YEAR_MIN * 12, last = YEAR_MAX * 12 + 11;
	int64_t m = month_count < first ? first : month_count > last ? last : month_count;

	return (struct civil){ (int)(m / 12), (int)(m % 12) + 1, 1 };
}

struct date
date_add_months(struct date d, int months)
{
	struct civil from = date_to_civil(d),
		     to = month_at((int64_t)from.year * 12 + from.month - 1 + months);
	int most = month_days(to.year, to.month);

	to.day = from.day < most ? from.day : most;
	return date_from_civil(to);
}

struct date
period_start(struct date d, enum period p)
{
	struct civil c = date_to_civil(d);

	switch (p) {
	case PERIOD_DAY:
		break;
	case PERIOD_WEEK:
		return (struct date){ d.days - date_weekday(d) };
	case PERIOD_MONTH:
		c.day = 1;
		break;
	case PERIOD_QUARTER:
		c = (struct civil){ c.year, (c.month - 1) / 3 * 3 + 1, 1 };
		break;
	case PERIOD_YEAR:
		c = (struct civil){ c.year, 1, 1 };
		break;
	}
	return date_from_civil(c);
}

static struct date
add_days(struct date d, int64_t days)
{
	int64_t sum = d.days + days;

	return (struct date){ sum < DATE_MIN_DAYS   ? DATE_MIN_DAYS
			      : sum > DATE_MAX_DAYS ? DATE_MAX_DAYS
						    : (int32_t)sum };
}

struct date
period_add(struct date d, enum period p, int n)
{
	struct date start = period_start(d, p);
	struct civil c = date_to_civil(start);
	int months = 0;

	switch (p) {
	case PERIOD_DAY:
		return add_days(start, n);
	case PERIOD_WEEK:
		return period_start(add_days(start, (int64_t)n * 7), p);
	case PERIOD_MONTH:
		months = 1;
		break;
	case PERIOD_QUARTER:
		months = 3;
		break;
	case PERIOD_YEAR:
		months = 12;
		break;
	}
	return period_start(
		date_from_civil(month_at((int64_t)c.year * 12 + c.month - 1 + (int64_t)n * months)), p);
}

static struct instant
clock_us(clockid_t id)
{
	struct timespec t;

	check(clock_gettime(id, &t) == 0);
	return (struct instant){ (int64_t)t.tv_sec * INSTANT_SECOND + t.tv_nsec / 1000 };
}

static struct instant
system_now(const struct clock *c)
{
	(void)c;
	return clock_us(CLOCK_REALTIME);
}

static struct instant
fixed_now(const struct clock *c)
{
	return c->fixed;
}

const struct clock clock_system = { .now = system_now };

struct clock
clock_fixed(struct instant t)
{
	return (struct clock){ .now = fixed_now, .fixed = t };
}

int64_t
monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC).us;
}
