/*
 * Comparing two periods of a series, and splitting a change over the members of a dimension. A ratio (conversion,
 * margin) splits into what the members' own rates did and what the mix of their weights did: with shares w and rates
 * r, the change of Σ w r is Σ w̄ Δr + Σ (r̄ − R̄) Δw, bars being means of both periods.
 */
#include "forecast/analytics.h"
#include "forecast/numeric.h"
#include "forecast/prepare.h"

#include <math.h>

struct sample {
	double sum, squares, mean;
	size_t count;
};

static struct sample
sample_of(const struct forecast_series *series, size_t from, size_t length)
{
	struct sample s = { 0 };
	size_t end = from < series->count && length < series->count - from ? from + length : series->count;
	for (size_t i = from; i < end; i++)
		if (!isnan(series->values[i])) {
			s.sum += series->values[i];
			s.count++;
		}
	s.mean = s.count ? s.sum / (double)s.count : NAN;
	for (size_t i = from; i < end; i++)
		if (!isnan(series->values[i]))
			s.squares += (series->values[i] - s.mean) * (series->values[i] - s.mean);
	return s;
}

static double
welch_p_value(const struct sample *a, const struct sample *b)
{
	if (a->count < 2 || b->count < 2)
		return NAN;
	double na = (double)a->count, nb = (double)b->count;
	double va = a->squares / (na - 1) / na, vb = b->squares / (nb - 1) / nb,
	       difference = b->mean - a->mean;
	if (!(va + vb > 0))
		return difference == 0 ? 1 : 0;
	double df = (va + vb) * (va + vb) / (va * va / (na - 1) + vb * vb / (nb - 1));
	return student_p_value(difference / sqrt(va + vb), df);
}

struct analytics_comparison
analytics_compare(const struct forecast_series *series, size_t earlier, size_t later, size_t length)
{
	struct sample a = sample_of(series, earlier, length), b = sample_of(series, later, length);
	bool same = a.count == b.count;
	double from = same ? a.sum : a.mean, to = same ? b.sum : b.mean;
	return (struct analytics_comparison){
		.enough = a.count > 0 && b.count > 0,
		.earlier = a.sum,
		.later = b.sum,
		.earlier_count = a.count,
		.later_count = b.count,
		.earlier_mean = a.mean,
		.later_mean = b.mean,
		.change = to - from,
		.relative_change = from != 0 ? (to - from) / fabs(from) : NAN,
		.p_value = welch_p_value(&a, &b),
	};
}

/* Both periods' totals of a dimension. */
struct totals {
	double earlier, later, earlier_weight, later_weight;
};

/* A member's rate in a period; where it has no weight, the rate of the other period, so that all is mix. */
static double
rate_of(double value, double weight, double other_value, double other_weight)
{
	if (weight != 0)
		return value / weight;
	return other_weight != 0 ? other_value / other_weight : 0;
}

static void
ratio_split(const struct analytics_member *m, const struct totals *t, struct analytics_contribution *out)
{
	double r0 = rate_of(m->earlier, m->earlier_weight, m->later, m->later_weight);
	double r1 = rate_of(m->later, m->later_weight, m->earlier, m->earlier_weight);
	double w0 = m->earlier_weight / t->earlier_weight, w1 = m->later_weight / t->later_weight;
	double middle = (t->earlier / t->earlier_weight + t->later / t->later_weight) / 2;
	out->rate = (w0 + w1) / 2 * (r1 - r0);
	out->mix = ((r0 + r1) / 2 - middle) * (w1 - w0);
	out->change = out->rate + out->mix;
}

static void
ranks_fill(struct analytics_contribution *c, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		c[i].rank = 0;
		for (size_t k = 0; k < count; k++) {
			double a = fabs(c[k].change), b = fabs(c[i].change);
			c[i].rank += a > b || (a == b && k < i);
		}
	}
}

enum forecast_code
analytics_contributions(const struct analytics_member *members, size_t count, bool ratio,
	struct analytics_contribution *contributions, double *total)
{
	struct totals t = { 0 };
	for (size_t i = 0; i < count; i++) {
		const struct analytics_member *m = &members[i];
		if (!isfinite(m->earlier + m->later + m->earlier_weight + m->later_weight))
			return FORECAST_BAD_VALUE;
		t.earlier += m->earlier;
		t.later += m->later;
		t.earlier_weight += m->earlier_weight;
		t.later_weight += m->later_weight;
	}
	if (ratio && !(t.earlier_weight > 0 && t.later_weight > 0))
		return FORECAST_BAD_VALUE;
	*total = ratio ? t.later / t.later_weight - t.earlier / t.earlier_weight : t.later - t.earlier;
	for (size_t i = 0; i < count; i++) {
		struct analytics_contribution *c = &contributions[i];
		*c = (struct analytics_contribution){ .change = members[i].later - members[i].earlier };
		if (ratio)
			ratio_split(&members[i], &t, c);
		c->share = *total != 0 ? c->change / *total : NAN;
	}
	ranks_fill(contributions, count);
	return FORECAST_OK;
}
