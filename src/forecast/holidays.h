/*
 * Holidays as an option for daily series: a table of days with a kind each (all Christmas days share a kind), some
 * of which can be computed (Easter and what hangs on it). The effect of a kind is a shrunken robust mean of the log
 * remainders on its days, and only kinds with two occurrences or more in the history have one.
 */
#ifndef FORECAST_HOLIDAYS_H
#define FORECAST_HOLIDAYS_H

#include <stddef.h>
#include <stdint.h>

enum { HOLIDAY_MAX_KINDS = 64 };

/* One occurrence. Days are counted from 1970-01-01 (day 0) in the proleptic Gregorian calendar. */
struct holiday {
	int32_t day;
	uint8_t kind; /* 0 … HOLIDAY_MAX_KINDS − 1 */
};

/* The days that matter for one series: those in its history and those in the horizon. Any order. */
struct forecast_holidays {
	int32_t first_day; /* the day of values[0] */
	const struct holiday *days;
	size_t count;
};

/* Easter Sunday of a year (1583 … 9999) as a day number (Meeus's Gregorian algorithm); INT32_MIN outside. */
int32_t holiday_easter(int year);

/* The day number of a date; INT32_MIN for a date that does not exist. */
int32_t holiday_day(int year, int month, int day);

/* Writes New Year, Good Friday, Easter Monday, Labour Day (1 May), Whit Monday and Christmas (25 and 26 December)
 * of the years from first_year to last_year, at most capacity of them, kinds 0 to 6; returns how many there are. */
size_t holiday_common(int first_year, int last_year, struct holiday *days, size_t capacity);

#endif
