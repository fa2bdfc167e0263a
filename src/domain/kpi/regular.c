/* Making a series regular: choosing the interval, laying figures on the calendar, setting the unfinished period apart. */
#include "domain/kpi/regular.h"
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/rollup.h"
#include <math.h>

static size_t
steps_between(struct date first, struct date last, enum period p)
{
	struct civil a = date_to_civil(first), b = date_to_civil(last);

	switch (p) {
	case PERIOD_DAY:
		return (size_t)(last.days - first.days);
	case PERIOD_WEEK:
		return (size_t)(last.days - first.days) / 7;
	case PERIOD_MONTH:
		return (size_t)((b.year - a.year) * 12 + b.month - a.month);
	case PERIOD_QUARTER:
		return (size_t)((b.year - a.year) * 12 + b.month - a.month) / 3;
	case PERIOD_YEAR:
		return (size_t)(b.year - a.year);
	}
	return 0;
}

/* Whether at least half of the intervals between the first and the last value have one. */
static bool
is_dense(const struct kpi_series *days, enum period p)
{
	size_t filled = 0;
	struct date previous = { INT32_MIN };

	for (size_t i = 0; i < days->count; i++) {
		struct date start = period_start(days->points[i].start, p);
		filled += start.days != previous.days;
		previous = start;
	}
	struct date first = period_start(days->points[0].start, p);
	return filled * 2 >= steps_between(first, previous, p) + 1;
}

static enum period
choose_interval(const struct kpi_series *days)
{
	for (enum period p = PERIOD_DAY; p < PERIOD_YEAR; p++)
		if (is_dense(days, p))
			return p;
	return PERIOD_YEAR;
}

/*
 * What an interval without values stands for: what adds up added nothing then (a shop's closed day); a level was not measured.
 */
static double
empty_interval(const struct kpi *k)
{
	return k->aggregation == KPI_SUM && str_is_empty(k->formula) ? 0 : NAN;
}

static void
lay_out(struct res_ctx *c, const struct kpi *k, const struct kpi_series *points, struct regular_series *out)
{
	struct date last = points->points[points->count - 1].start;
	size_t count = steps_between(out->first, last, out->interval) + 1;
	size_t skip = count > REGULAR_POINTS_MAX ? count - REGULAR_POINTS_MAX : 0;
	struct date last_day = { period_add(last, out->interval, 1).days - 1 };

	out->first = period_add(out->first, out->interval, (int)skip);
	out->count = count - skip;
	out->values = arena_alloc_array(c->arena, out->count, sizeof *out->values);
	for (size_t i = 0; i < out->count; i++)
		out->values[i] = empty_interval(k);
	for (size_t i = 0; i < points->count; i++) {
		if (points->points[i].start.days < out->first.days)
			continue;
		out->values[steps_between(out->first, points->points[i].start, out->interval)] =
			decimal_to_double(points->points[i].value);
		out->known++;
	}
	if (out->as_of.days < last_day.days) {
		out->has_partial = true;
		out->partial = out->values[--out->count];
		out->known--;
	}
}

struct err *
regular_read(
	struct res_ctx *c, const struct kpi *k, const struct regular_query *q, struct regular_series *out)
{
	struct date until = kpi_day(c, c->now), first;
	struct kpi_series *points = arena_new_of(c->arena, struct kpi_series);
	bool found;

	*out = (struct regular_series){ .interval = q->interval ? *q->interval : PERIOD_DAY,
		.points = points };
	if (q->has_until && q->until.days < until.days)
		until = q->until;
	TRY(kpi_extent(c, k, until, &first, &out->as_of, &found));
	if (!found || (q->has_since && q->since.days > out->as_of.days))
		return NULL;
	if (q->has_since && q->since.days > first.days)
		first = q->since;
	TRY(kpi_series_read(c, k, ROLLUP_ALL, first, out->as_of, PERIOD_DAY, points));
	if (points->count == 0)
		return NULL;
	if (!q->interval)
		out->interval = choose_interval(points);
	out->first = period_start(points->points[0].start, out->interval);
	out->as_of = points->points[points->count - 1].start;
	if (out->interval != PERIOD_DAY)
		TRY(kpi_series_read(c, k, ROLLUP_ALL, first, out->as_of, out->interval, points));
	if (points->count > 0)
		lay_out(c, k, points, out);
	return NULL;
}

struct date
regular_step(const struct regular_series *s, size_t steps)
{
	return period_add(s->first, s->interval, (int)(s->count + steps - 1));
}

struct forecast_series
regular_forecast_series(const struct kpi *k, const struct regular_series *s)
{
	static const enum forecast_calendar calendars[] = { FORECAST_DAY, FORECAST_WEEK, FORECAST_MONTH,
		FORECAST_QUARTER, FORECAST_YEAR };
	struct forecast_series f = {
		.values = s->values, .count = s->count, .calendar = calendars[s->interval]
	};

	/* What never was negative is taken as something that cannot be: revenue, counts, durations. */
	f.non_negative = true;
	for (size_t i = 0; i < s->count; i++)
		if (s->values[i] < 0)
			f.non_negative = false;
	f.integer = k->type == KPI_COUNT && k->aggregation != KPI_AVG;
	return f;
}
