/*
 * Members against their peers (see significance.h). A member's expectation E is what its exposure would give at its peers' rates, stratum by
 * stratum, strata weighted as Mantel and Haenszel do, so that one with hardly any peers counts hardly; the statistic is log(Y / E), or (Y − E) / X in units of the overall rate. Its variance is put together from the member's part and
 * the peers' part, once with slices as units and once with days. Figures are made so that lower is worse, and on the logarithmic scale
 * the counts' skewness makes the lower tail cautious rather than rash.
 */
#include "forecast/numeric.h"
#include "forecast/significance.h"
#include "forecast/significance_parts.h"

#include <math.h>
#include <stdlib.h>

enum {
	PRIOR_UNITS = 4,     /* what `assumed` weighs */
	SANDWICH_SLICES = 8, /* from so many slices on a member's own variation is used */
	MOST_LAGS = 7	     /* days whose correlation counts: a week */
};

static double
square(double x)
{
	return x * x;
}

/* Variance parts of one member's comparison, relative to the scale (the expected rate, or the overall rate when linear). */
struct parts {
	double chance; /* counting, of the member and its peers */
	double spread,
		peer_spread; /* Σ of squared shares: what one unit's squared variation is multiplied with */
};

double
expected_of(const struct tables *t, uint32_t member, uint32_t stratum, double exposure)
{
	if (!isnan(t->design->target))
		return exposure * t->design->target;
	size_t cell = (size_t)member * t->design->strata + stratum;
	double rest = t->stratum[stratum].exposure - t->cell[cell].exposure;
	if (!(rest > 1e-9 * t->stratum[stratum].exposure))
		return NAN;
	return exposure * (t->stratum[stratum].count - t->cell[cell].count) / rest;
}

double
weight_of(const struct tables *t, uint32_t member, uint32_t stratum)
{
	if (t->design->strata == 1 || !isnan(t->design->target))
		return 1;
	size_t cell = (size_t)member * t->design->strata + stratum;
	return 1 - t->cell[cell].exposure / t->stratum[stratum].exposure;
}

/* What a relative deviation of the member is relative to. */
static double
scale_of(const struct tables *t, const struct against *g)
{
	if (t->design->linear)
		return t->overall * g->exposure;
	return t->design->chance == SIGNIFICANCE_AMOUNT ? g->count : g->count + 0.5;
}

static struct against
against_of(const struct tables *t, uint32_t member)
{
	const struct significance_design *d = t->design;
	struct against g = { .member = member };
	double left_out = 0;
	for (uint32_t z = 0; z < d->strata; z++) {
		const struct sums *cell = &t->cell[(size_t)member * d->strata + z];
		if (!(cell->exposure > 0))
			continue;
		double expected = expected_of(t, member, z, cell->exposure);
		if (isnan(expected)) {
			left_out += cell->exposure;
			continue;
		}
		double w = weight_of(t, member, z);
		g.count += w * cell->count;
		g.squared_weights += w * w * cell->count;
		g.exposure += w * cell->exposure;
		g.expected += w * expected;
		g.own_count += cell->count;
		g.own_exposure += cell->exposure;
		if (isnan(d->target)) {
			g.peer_count += t->stratum[z].count - cell->count;
			g.peer_exposure += t->stratum[z].exposure - cell->exposure;
		}
	}
	g.enough = g.exposure > 0 && left_out <= g.own_exposure && (d->linear || g.expected > 0) &&
		   (d->linear || d->chance != SIGNIFICANCE_AMOUNT || g.count > 0);
	g.scale = scale_of(t, &g);
	/* On the ratio's scale peers count in their own right: a weight is a share of the expectation. */
	g.peer_scale = d->linear ? g.scale : g.expected;
	return g;
}

static struct parts
parts_of(const struct tables *t, const struct against *g)
{
	const struct significance_design *d = t->design;
	struct parts p = { 0 };
	if (d->chance != SIGNIFICANCE_AMOUNT) {
		double whole =
			d->chance == SIGNIFICANCE_BINOMIAL ? 1 - fmin(0.99, g->expected / g->exposure) : 1;
		p.chance = whole * (g->squared_weights + 0.5) / square(g->count + 0.5);
		for (uint32_t z = 0; z < d->strata && isnan(d->target); z++) {
			const struct sums *cell = &t->cell[(size_t)g->member * d->strata + z];
			double expected =
				cell->exposure > 0 ? expected_of(t, g->member, z, cell->exposure) : NAN;
			double rest = t->stratum[z].count - cell->count;
			if (!isnan(expected) && rest > 0)
				p.chance += whole *
					    square(weight_of(t, g->member, z) * expected / g->expected) /
					    rest;
		}
	}
	for (uint32_t s = 0; s < d->slices; s++) {
		const struct slice *i = &t->slice[s];
		uint32_t z = i->stratum;
		const struct sums *cell = &t->cell[(size_t)g->member * d->strata + z];
		double expected = cell->exposure > 0 ? expected_of(t, g->member, z, cell->exposure) : NAN;
		if (isnan(expected) || !(i->exposure > 0))
			continue;
		if (i->member == g->member)
			p.spread += square(weight_of(t, g->member, z) * i->exposure / g->exposure);
		else if (isnan(d->target))
			p.peer_spread += square(
				weight_of(t, g->member, z) * cell->exposure * i->exposure *
				(d->linear ? 1 / g->exposure : expected / cell->exposure / g->expected) /
				(t->stratum[z].exposure - cell->exposure));
	}
	return p;
}

/* The member's own variance from its slices (HC3), and its degrees of freedom; 0 when they are too few. */
static double
own_variance(const struct tables *t, const struct against *g, double *df)
{
	double variance = 0, second = 0, fourth = 0, n = 0;
	for (uint32_t s = t->first_slice[g->member]; s != NO_SLICE; s = t->slice[s].next) {
		const struct slice *i = &t->slice[s];
		double expected = expected_of(t, g->member, i->stratum, i->exposure);
		if (isnan(expected))
			continue;
		double w = weight_of(t, g->member, i->stratum), share = w * i->exposure / g->exposure;
		double usual = t->design->linear ? w * expected + (g->count - g->expected) * share
						 : w * expected * g->count / g->expected;
		variance += square((w * i->count - usual) / (g->scale * fmax(1e-3, 1 - share)));
		second += square(share);
		fourth += square(square(share));
		n++;
	}
	*df = n > 1 ? second * second / fourth * (n - 1) / n : 0;
	return n >= SANDWICH_SLICES ? variance : 0;
}

static double
p_lower(double statistic, double variance, double df)
{
	if (!(variance > 0))
		return statistic < 0 ? 0 : 1;
	double t = statistic / sqrt(variance);
	double half = isinf(df) ? normal_cdf(-fabs(t)) : student_p_value(t, df) / 2;
	return t < 0 ? half : 1 - half;
}

/* A variance with its degrees of freedom, of which one with more doubt replaces another. */
struct judged {
	double p, variance, df;
};

static struct judged
judge(double statistic, double variance, double df)
{
	return (struct judged){ p_lower(statistic, variance, df), variance, df };
}

/*
 * A variation known from few units with what is assumed counted in. Only upwards: a few units that happen to be alike prove little, but a
 * few that differ are believed, and where they differ by twice what is assumed, nothing is assumed any more.
 */
static struct variation
drawn_to_assumed(struct variation found, double assumed)
{
	double prior = square(assumed), known = found.df + PRIOR_UNITS;
	if (found.df >= 1 && found.variance >= 4 * prior)
		return found;
	if (found.df >= 1 && found.variance >= prior)
		return (struct variation){ found.variance, known };
	return (struct variation){ (PRIOR_UNITS * prior + found.df * found.variance) / known, known };
}

/* Slices as units: what they vary, known from all members' slices and, where it has many, from the member's own. */
static struct judged
judge_slices(const struct tables *t, const struct against *g, const struct parts *p, double statistic,
	double assumed)
{
	struct variation unit_variation = drawn_to_assumed(t->within, assumed);
	double own_df, own = own_variance(t, g, &own_df), known = unit_variation.df,
		       unit = unit_variation.variance;
	double member = unit * p->spread, peers = unit * p->peer_spread, total;
	total = p->chance + member + peers;
	struct judged pooled = judge(statistic, total, known * square(total / fmax(1e-300, member + peers)));
	if (!(own > 0))
		return pooled;
	struct judged robust = judge(
		statistic, own + peers, square(own + peers) / (square(own) / own_df + square(peers) / known));
	return robust.p > pooled.p ? robust : pooled;
}

/* The spread between the other members, for members of one slice each. */
static struct judged
judge_spread(const struct tables *t, const struct against *g, const struct parts *p, double statistic)
{
	struct variation unit = drawn_to_assumed(spread_of_others(t, g->member), t->design->assumed);
	double spread = unit.variance * (p->spread + p->peer_spread), total = p->chance + spread;
	return judge(statistic, total, unit.df * square(total / fmax(1e-300, spread)));
}

/* Sum of squares of a day's deviations with those of neighbouring days (Bartlett weights), at least the plain sum. */
static double
newey_west(const double *x, size_t days, size_t active)
{
	size_t lags = active / 4 < MOST_LAGS ? active / 4 : MOST_LAGS;
	double plain = 0, all;
	for (size_t i = 0; i < days; i++)
		plain += x[i] * x[i];
	all = plain;
	for (size_t lag = 1; lag <= lags; lag++)
		for (size_t i = lag; i < days; i++)
			all += 2 * (1 - (double)lag / (double)(lags + 1)) * x[i] * x[i - lag];
	return fmax(plain, all);
}

/* Days as units. False when the member has too few. */
static bool
judge_days(const struct tables *t, const struct against *g, const struct parts *p, double statistic,
	struct judged *out)
{
	size_t active = 0, own = 0;
	double second = 0, fourth = 0, own_second = 0;
	days_fill(t, g);
	for (size_t i = 0; i < t->days; i++) {
		struct day *d = &t->day[i];
		double weight = square(d->share) + square(d->peer_share);
		active += weight > 0;
		own += d->share > 0;
		own_second += square(d->share);
		second += weight;
		fourth += square(weight);
		t->deviation[i] = d->deviation / fmax(1e-3, 1 - d->share) -
				  d->peer_deviation / fmax(1e-3, 1 - d->peer_share);
	}
	if (own < SIGNIFICANCE_LEAST_DAYS || own_second * (SIGNIFICANCE_LEAST_DAYS - 2) > 1)
		return false;
	/* Estimating the correlation of days, too, costs degrees of freedom. */
	double df = fmax(1, 0.6 * (second * second / fourth - 1)),
	       variance = newey_west(t->deviation, t->days, active);
	*out = variance > p->chance ? judge(statistic, variance, df) : judge(statistic, p->chance, INFINITY);
	return true;
}

static double
chance_p(const struct tables *t, const struct against *g, const struct parts *p)
{
	switch (t->design->chance) {
	case SIGNIFICANCE_AMOUNT:
		return NAN;
	case SIGNIFICANCE_BINOMIAL:
		if (!isnan(t->design->target))
			return significance_binomial(g->count, g->exposure, fmin(1, t->design->target))
				.lower_mid;
		if (t->design->strata == 1)
			return significance_proportions(
				g->count, g->exposure, g->peer_count, g->peer_exposure)
				.lower_mid;
		break;
	case SIGNIFICANCE_POISSON:
		break;
	}
	/* Weighted counts as so many plain ones as are as certain, and as many peers' counts as their rate is certain. */
	double count = g->count > 0 ? square(g->count) / g->squared_weights : 0;
	double expected = g->count > 0 ? g->expected * count / g->count : g->expected;
	double member = (g->squared_weights + 0.5) / square(g->count + 0.5),
	       peers = fmax(1e-12, p->chance - member);
	return significance_rates(count, expected, 1 / peers, 1 / peers).lower_mid;
}

static void
take(struct significance_comparison *out, struct judged *worst, enum significance_basis basis,
	struct judged j)
{
	if (!(j.p >= out->p_value))
		return;
	out->p_value = j.p;
	out->basis = basis;
	*worst = j;
}

/* Student's quantile by bisection of its p-value: once a comparison, so its slowness does not matter. */
static double
student_quantile_95(double df)
{
	if (isinf(df) || df > 1e6)
		return 1.959963984540054;
	double low = 0, high = 1e4;
	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;
		if (student_p_value(middle, df) > 0.05)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void
interval_fill(
	const struct tables *t, struct significance_comparison *out, double statistic, struct judged worst)
{
	double half = student_quantile_95(worst.df) * sqrt(worst.variance);
	if (t->design->linear) {
		double factor = t->overall / fabs(out->peer_rate);
		out->low = (statistic - half) * factor;
		out->high = (statistic + half) * factor;
	} else {
		out->low = expm1(statistic - half);
		out->high = expm1(statistic + half);
	}
}

void
member_compare(const struct tables *t, uint32_t member, struct significance_comparison *out)
{
	struct against g = against_of(t, member);
	*out = (struct significance_comparison){ .enough = g.enough,
		.count = g.own_count,
		.exposure = g.own_exposure,
		.p_value = NAN,
		.p_chance = NAN,
		.p_slices = NAN,
		.p_days = NAN,
		.p_spread = NAN,
		.df = INFINITY };
	if (!g.enough)
		return;
	out->rate = g.own_count / g.own_exposure;
	out->peer_count = g.peer_count;
	out->peer_exposure = g.peer_exposure;
	if (t->design->linear) {
		out->peer_rate = out->rate - (g.count - g.expected) / g.exposure;
		out->effect = (out->rate - out->peer_rate) / fabs(out->peer_rate);
	} else {
		out->effect = g.count / g.expected - 1;
		out->peer_rate = g.count > 0 ? out->rate / (1 + out->effect) : g.expected / g.exposure;
	}
	counts_fill(t, member, out);

	struct parts p = parts_of(t, &g);
	double statistic =
		t->design->linear ? (out->rate - out->peer_rate) / t->overall : log(g.scale / g.expected);
	struct judged worst = judge(statistic, p.chance, INFINITY), j;
	out->p_value = -1;
	out->p_chance = chance_p(t, &g, &p);
	take(out, &worst, SIGNIFICANCE_BY_CHANCE, (struct judged){ out->p_chance, p.chance, INFINITY });
	bool between_slices = t->within.df >= 1, between_days = judge_days(t, &g, &p, statistic, &j);
	if (between_days) {
		out->p_days = j.p;
		take(out, &worst, SIGNIFICANCE_BY_DAYS, j);
	}
	if (between_slices) {
		/* Where days, too, have to be stood, less needs to be assumed of the slices. */
		j = judge_slices(
			t, &g, &p, statistic, between_days ? t->design->assumed / 2 : t->design->assumed);
		out->p_slices = j.p;
		take(out, &worst, SIGNIFICANCE_BY_SLICES, j);
	}
	if (!between_slices && !between_days) {
		j = judge_spread(t, &g, &p, statistic);
		out->p_spread = j.p;
		take(out, &worst, SIGNIFICANCE_BY_SPREAD, j);
	}
	out->peer_slice_df = t->within.df;
	out->df = worst.df;
	interval_fill(t, out, statistic, worst);
}
