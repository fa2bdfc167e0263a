/*
 * Comparisons in time: a figure that falls day by day, a level that changed from one day to the next, money spent against the part of the
 * budget that the days gone by are. A day is one value, whatever its volume, because days differ by more than counting explains.
 */
#include "domain/campaign/insight_parts.h"

#include "forecast/analytics.h"
#include <math.h>

enum { SPAN_MAX = 1000 }; /* days looked at, the latest */

static const double LEAST_A_DAY = 5; /* expected counts; a day of fewer says nothing about its rate */

struct series {
	struct reading reading;
	double *value; /* a day each, logarithm of the rate where the figure is no difference; NaN: no figure */
	size_t days, known;
	int32_t first;
};

static bool
days_span(const struct campaign_facts *f, const struct reading *r, int32_t *first, int32_t *last)
{
	double count, exposure;
	*first = INT32_MAX;
	*last = INT32_MIN;
	for (size_t i = 0; i < f->count; i++) {
		int32_t day = f->facts[i].day.days;
		if (f->facts[i].campaign_id != f->campaign_id ||
			!insight_read(r, &f->facts[i], &count, &exposure))
			continue;
		*first = day < *first ? day : *first;
		*last = day > *last ? day : *last;
	}
	if (*first > *last)
		return false;
	if ((int64_t)*last - *first >= SPAN_MAX)
		*first = *last - SPAN_MAX + 1;
	return true;
}

static double
day_value(const struct reading *r, double count, double exposure, double rate)
{
	bool counted = insight_chance(r) != SIGNIFICANCE_AMOUNT;
	if (!(exposure > 0) || (counted && rate * exposure < LEAST_A_DAY))
		return NAN;
	if (r->figure->linear)
		return count / exposure;
	return counted || count > 0 ? log((counted ? count + 0.5 : count) / exposure) : (double)NAN;
}

/* The campaign's series of the present rule's figure; false without a fact that has it. */
static bool
series_make(struct comparisons *c, struct series *s)
{
	const struct campaign_facts *f = c->groups->facts;
	double total = 0, all = 0, count, exposure;
	int32_t last;
	*s = (struct series){ .reading = insight_reading(f, c->rule->figure, f->campaign_id) };
	if (!days_span(f, &s->reading, &s->first, &last))
		return false;
	s->days = (size_t)(last - s->first) + 1;
	double *counts = arena_alloc_array(c->scratch, s->days, sizeof *counts);
	double *exposures = arena_alloc_array(c->scratch, s->days, sizeof *exposures);
	s->value = arena_alloc_array(c->scratch, s->days, sizeof *s->value);
	for (size_t i = 0; i < f->count; i++) {
		if (f->facts[i].campaign_id != f->campaign_id || f->facts[i].day.days < s->first ||
			!insight_read(&s->reading, &f->facts[i], &count, &exposure))
			continue;
		counts[f->facts[i].day.days - s->first] += count;
		exposures[f->facts[i].day.days - s->first] += exposure;
		total += count;
		all += exposure;
	}
	for (size_t i = 0; i < s->days; i++) {
		s->value[i] = day_value(&s->reading, counts[i], exposures[i], total / all);
		s->known += isnan(s->value[i]) ? 0 : 1;
	}
	return true;
}

/* Share of the series' variance that a line or a step explains. */
static double
fit_of(const struct series *s, double before, double after, double slope, size_t cut)
{
	double sum = 0, squares = 0, rest = 0;
	for (size_t i = 0; i < s->days; i++)
		sum += isnan(s->value[i]) ? 0 : s->value[i];
	for (size_t i = 0; i < s->days; i++) {
		if (isnan(s->value[i]))
			continue;
		double off = s->value[i] - sum / (double)s->known;
		double left = s->value[i] - (i < cut ? before : after) - slope * (double)i;
		squares += off * off;
		rest += left * left;
	}
	return squares > 0 ? 1 - rest / squares : 0;
}

/* From one level to another, on the scale of the series. */
static void
levels_show(struct comparison *k, const struct series *s, double from, double to)
{
	bool linear = s->reading.figure->linear;
	k->found.enough = true;
	k->found.rate = linear ? to : exp(to);
	k->found.peer_rate = linear ? from : exp(from);
	k->found.effect = linear ? (to - from) / fabs(from) : expm1(to - from);
	k->found.low = k->found.high = NAN;
	k->found.days = s->known;
	k->days = s->days;
	comparison_show(k, &s->reading);
}

struct err *
insight_compare_trend(struct comparisons *c)
{
	struct series s;
	struct analytics_trend trend;
	struct forecast_error error = { 0 };
	if (!series_make(c, &s) || (double)s.known < c->rule->minimum_days)
		return NULL;
	struct forecast_series f = { .values = s.value, .count = s.days, .calendar = FORECAST_DAY };
	if (analytics_trend(&f, &trend, &error) != FORECAST_OK)
		return err_private(c->arena, ERR_INTERNAL, "trend: %s", error.text);
	struct significance_fall fall;
	enum forecast_code code = significance_fall(s.value, s.days, &fall);
	if (code != FORECAST_OK)
		return err_private(c->arena, ERR_INTERNAL, "fall: %d", (int)code);
	if (!trend.enough || !fall.enough)
		return NULL;
	struct comparison *k = comparison_add(c);
	double end = trend.intercept + trend.slope * (double)(s.days - 1);
	/* Ranks are not misled by a few wild days, the bootstrap not by days that resemble each other: a fall has to stand both. */
	k->p_value = fmax(fall.p_value, trend.slope < 0 ? trend.p_value / 2 : 1 - trend.p_value / 2);
	k->test = "slope, serial bootstrap, and Mann-Kendall";
	k->fit = fit_of(&s, trend.intercept, trend.intercept, trend.slope, 0);
	levels_show(k, &s, trend.intercept, end);
	return NULL;
}

struct err *
insight_compare_change(struct comparisons *c)
{
	struct series s;
	struct significance_shift shift;
	if (!series_make(c, &s) || (double)s.known < c->rule->minimum_days)
		return NULL;
	enum forecast_code code = significance_shift(s.value, s.days, &shift);
	if (code != FORECAST_OK)
		return err_private(c->arena, ERR_INTERNAL, "shift: %d", (int)code);
	if (!shift.enough)
		return NULL;
	struct comparison *k = comparison_add(c);
	k->p_value = shift.p_value;
	k->test = "largest shift, serial bootstrap";
	k->better = shift.after > shift.before;
	k->day = (struct date){ s.first + (int32_t)shift.index };
	k->fit = fit_of(&s, shift.before, shift.after, 0, shift.index);
	levels_show(k, &s, shift.before, shift.after);
	return NULL;
}

/* Days of the campaign gone by and all; false when they are not known. */
static bool
pace_days(const struct campaign_facts *f, double *gone, double *all)
{
	if (f->start.days == 0 || f->end.days < f->start.days || f->today.days < f->start.days)
		return false;
	int32_t until = f->today.days < f->end.days ? f->today.days : f->end.days;
	*gone = (double)until - f->start.days + 1;
	*all = (double)f->end.days - f->start.days + 1;
	return true;
}

struct err *
insight_compare_budget(struct comparisons *c)
{
	const struct campaign_facts *f = c->groups->facts;
	double spent = 0, gone, all;
	bool any = false;
	for (size_t i = 0; i < f->count; i++)
		if (f->facts[i].campaign_id == f->campaign_id && isfinite(f->facts[i].spend)) {
			spent += f->facts[i].spend;
			any = true;
		}
	if (!any || !(f->budget > 0) || !pace_days(f, &gone, &all) || gone < c->rule->minimum_days)
		return NULL;
	struct comparison *k = comparison_add(c);
	k->value = spent;
	k->reference = f->budget * gone / all;
	k->effect = spent / k->reference - 1;
	k->low = k->high = NAN;
	k->days = (size_t)gone;
	k->p_value = NAN;
	k->test = "recorded figure";
	k->found = (struct significance_comparison){ .enough = true, .count = spent, .exposure = gone };
	return NULL;
}
