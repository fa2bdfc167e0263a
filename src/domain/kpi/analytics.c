/* A KPI's analytics: the standing of status.c, the statistics of the forecasting library on the regular series, and the slices' parts. */
#include "domain/kpi/analytics.h"
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/rollup.h"
#include <math.h>

/* The period before the window: the calendar one before it, cut to as many days as have gone by in this one. */
static void
previous_window(const struct kpi_standing *s, struct kpi_analytics *out)
{
	int32_t gone = s->as_of.days - s->from.days, length = s->to.days - s->from.days + 1;
	struct date from = { s->from.days - length };

	for (int p = PERIOD_DAY; p <= PERIOD_YEAR; p++) {
		bool is_calendar = period_start(s->from, (enum period)p).days == s->from.days &&
				   period_add(s->from, (enum period)p, 1).days - 1 == s->to.days;
		if (is_calendar)
			from = period_add(s->from, (enum period)p, -1);
	}
	out->previous_from = from;
	out->previous_to = (struct date){ from.days + gone };
	if (out->previous_to.days >= s->from.days)
		out->previous_to.days = s->from.days - 1;
	/* A complete period is compared with a complete one, although months differ in length. */
	if (s->as_of.days >= s->to.days)
		out->previous_to.days = s->from.days - 1;
}

static struct err *
compare_previous(struct res_ctx *c, const struct kpi *k, struct kpi_analytics *out)
{
	const struct kpi_standing *s = &out->standing;

	if (!s->has_value)
		return NULL;
	previous_window(s, out);
	TRY(kpi_figure(
		c, k, ROLLUP_ALL, out->previous_from, out->previous_to, &out->previous, &out->has_previous));
	if (!out->has_previous || !decimal_sub(s->value, out->previous, &out->change)) {
		out->has_previous = false;
		return NULL;
	}
	double before = decimal_to_double(out->previous);
	out->has_change_percent = before != 0;
	if (out->has_change_percent)
		out->change_percent = 100 * decimal_to_double(out->change) / fabs(before);
	return NULL;
}

static void
run_statistics(const struct kpi *k, struct kpi_analytics *out)
{
	struct forecast_series series = regular_forecast_series(k, &out->series);
	struct forecast_error e;
	size_t count;

	if (out->series.count == 0)
		return;
	/* Each says by itself (enough, count) when the series allows no statement, so a refusal is an empty answer. */
	if (analytics_trend(&series, &out->trend, &e) != FORECAST_OK)
		out->trend.enough = false;
	if (analytics_season(&series, &out->season, NULL, &e) != FORECAST_OK)
		out->season.enough = false;
	if (analytics_anomalies(&series, 0, out->anomalies, KPI_ANOMALIES_MAX, &count) == FORECAST_OK)
		out->anomaly_count = count < KPI_ANOMALIES_MAX ? count : KPI_ANOMALIES_MAX;
	if (analytics_changes(&series, out->changes, KPI_CHANGES_MAX, &count) == FORECAST_OK)
		out->change_count = count < KPI_CHANGES_MAX ? count : KPI_CHANGES_MAX;
}

static int
larger_change_first(const void *a, const void *b)
{
	double x = fabs(((const struct kpi_contribution *)a)->change),
	       y = fabs(((const struct kpi_contribution *)b)->change);
	return x > y ? -1 : x < y;
}

/* What each slice added to the change against the previous window; only sums fall apart into slices. */
static struct err *
explain_change(struct res_ctx *c, const struct kpi *k, struct kpi_analytics *out)
{
	struct str *slices;
	size_t count;
	double total;

	if (!out->has_previous || k->aggregation != KPI_SUM || !str_is_empty(k->formula))
		return NULL;
	TRY(kpi_slices(c, k, KPI_SLICES_MAX, &slices, &count));
	if (count == 0)
		return NULL;
	struct analytics_member *members = arena_alloc_array(c->arena, count, sizeof *members);
	struct analytics_contribution *parts = arena_alloc_array(c->arena, count, sizeof *parts);
	for (size_t i = 0; i < count; i++) {
		struct decimal figure;
		bool found;
		TRY(kpi_figure(c, k, slices[i], out->previous_from, out->previous_to, &figure, &found));
		members[i].earlier = found ? decimal_to_double(figure) : 0;
		TRY(kpi_figure(c, k, slices[i], out->standing.from, out->standing.as_of, &figure, &found));
		members[i].later = found ? decimal_to_double(figure) : 0;
	}
	if (analytics_contributions(members, count, false, parts, &total) != FORECAST_OK)
		return NULL;
	out->contributions = arena_alloc_array(c->arena, count, sizeof *out->contributions);
	for (size_t i = 0; i < count; i++)
		out->contributions[i] = (struct kpi_contribution){ slices[i], members[i].earlier,
			members[i].later, parts[i].change, parts[i].share };
	qsort(out->contributions, count, sizeof *out->contributions, larger_change_first);
	out->contribution_count = count < KPI_CONTRIBUTIONS_MAX ? count : KPI_CONTRIBUTIONS_MAX;
	return NULL;
}

struct err *
kpi_analyse(struct res_ctx *c, const struct kpi *k, const struct regular_query *q, struct kpi_analytics *out)
{
	*out = (struct kpi_analytics){ 0 };
	TRY(kpi_standing(c, k, &out->standing));
	TRY(compare_previous(c, k, out));
	TRY(regular_read(c, k, q, &out->series));
	run_statistics(k, out);
	return explain_change(c, k, out);
}
