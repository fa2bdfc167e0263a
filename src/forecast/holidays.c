/*
 * Dates of common holidays, and their effects on a daily series (see holidays.h). An effect is estimated from the log
 * remainders of a weekly STL decomposition on the days of its kind: their median, shrunken by k / (k + 2) for k
 * occurrences, so that two unusual Easters do not move the next one by their full size. The history is divided by the
 * effects before any method sees it, and the forecasts of coming holidays are multiplied again.
 */
#include "forecast/holiday_effects.h"

#include "forecast/numeric.h"
#include "forecast/season.h"
#include "forecast/stl.h"

#include <math.h>
#include <string.h>

enum {
	DAYS_A_WEEK = 7,
	LEAST_DAYS = 56,       /* eight weeks, so that the weekly season is known */
	LEAST_OCCURRENCES = 2, /* of a kind: once may be chance */
	MAX_OCCURRENCES = 64   /* of a kind that are looked at, the first ones */
};

int32_t
holiday_day(int year, int month, int day)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
		day > lengths[month - 1] + (leap && month == 2))
		return INT32_MIN;
	/* Days from 0000-03-01, years starting in March so that the leap day is the last of its year. */
	int y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

int32_t
holiday_easter(int year)
{
	if (year < 1583 || year > 9999)
		return INT32_MIN;
	int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4, f = (b + 8) / 25;
	int g = (b - f + 1) / 3, h = (19 * a + b - d - g + 15) % 30, i = c / 4, k = c % 4;
	int l = (32 + 2 * e + 2 * i - h - k) % 7, m = (a + 11 * h + 22 * l) / 451;
	int month = (h + l - 7 * m + 114) / 31, day = (h + l - 7 * m + 114) % 31 + 1;
	return holiday_day(year, month, day);
}

size_t
holiday_common(int first_year, int last_year, struct holiday *days, size_t capacity)
{
	size_t count = 0;
	for (int year = first_year < 1583 ? 1583 : first_year; year <= last_year && year <= 9999; year++) {
		int32_t easter = holiday_easter(year), christmas = holiday_day(year, 12, 25);
		const struct holiday all[] = { { holiday_day(year, 1, 1), 0 }, { easter - 2, 1 },
			{ easter + 1, 2 }, { holiday_day(year, 5, 1), 3 }, { easter + 50, 4 },
			{ christmas, 5 }, { christmas + 1, 6 } };
		for (size_t i = 0; i < sizeof all / sizeof all[0]; i++, count++)
			if (count < capacity)
				days[count] = all[i];
	}
	return count;
}

/* Shrunken median of the remainders on the days of one kind; 0 with too few of them. */
static double
effect_of(const struct forecast_holidays *holidays, unsigned kind, const struct prepared *p,
	const double *remainder)
{
	double found[MAX_OCCURRENCES];
	size_t count = 0;
	for (size_t i = 0; i < holidays->count && count < MAX_OCCURRENCES; i++) {
		int64_t at = (int64_t)holidays->days[i].day - holidays->first_day - (int64_t)p->skip;
		if (holidays->days[i].kind == kind && at >= 0 && at < (int64_t)p->count)
			found[count++] = remainder[at];
	}
	double k = (double)count;
	return count >= LEAST_OCCURRENCES ? numeric_median(found, count) * k / (k + 2) : 0;
}

bool
holiday_effects_fit(struct forecast_workspace *ws, const struct forecast_holidays *holidays,
	const struct prepared *p, struct holiday_effects *effects)
{
	memset(effects, 0, sizeof *effects);
	if (p->count < LEAST_DAYS || !all_positive(p->y, p->count))
		return false;
	size_t mark = workspace_mark(ws), n = p->count;
	double *z = workspace_take(ws, n);
	struct stl_parts parts = { workspace_take(ws, n), workspace_take(ws, n), workspace_take(ws, n) };
	struct stl_options options = { .season_window = 21, .robust = true };
	for (size_t i = 0; i < n; i++)
		z[i] = log(p->y[i]);
	bool good = stl_decompose(ws, z, n, DAYS_A_WEEK, options, &parts);
	for (unsigned kind = 0; good && kind < HOLIDAY_MAX_KINDS; kind++)
		effects->log_effect[kind] = effect_of(holidays, kind, p, parts.remainder);
	workspace_release(ws, mark);
	return good;
}

/* The factor of one listed day. */
static double
factor_of(const struct holiday_effects *effects, const struct holiday *day)
{
	return day->kind < HOLIDAY_MAX_KINDS ? exp(effects->log_effect[day->kind]) : 1;
}

void
holiday_effects_remove(const struct holiday_effects *effects, const struct forecast_holidays *holidays,
	size_t skip, double *y, size_t n)
{
	for (size_t i = 0; i < holidays->count; i++) {
		int64_t at = (int64_t)holidays->days[i].day - holidays->first_day - (int64_t)skip;
		if (at >= 0 && at < (int64_t)n)
			y[at] /= factor_of(effects, &holidays->days[i]);
	}
}

void
holiday_effects_restore(const struct holiday_effects *effects, const struct forecast_holidays *holidays,
	size_t first, struct member_path *path, size_t h)
{
	for (size_t i = 0; i < holidays->count; i++) {
		int64_t at = (int64_t)holidays->days[i].day - holidays->first_day - (int64_t)first;
		if (at >= 0 && at < (int64_t)h) {
			path->mean[at] *= factor_of(effects, &holidays->days[i]);
			path->sd[at] *= factor_of(effects, &holidays->days[i]);
		}
	}
}
