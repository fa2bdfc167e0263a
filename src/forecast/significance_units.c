/*
 * Units summed up for the comparison of groups: by member and stratum, by slice, by day, and how much units vary beyond chance. Everything
 * is counted once for all members; what depends on the member compared is asked for by significance_compare.c.
 */
#include "forecast/significance.h"
#include "forecast/significance_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DAYS = 40000 }; /* a century: days of a nonsensical date must not cost memory */

/* ---- variation beyond chance, by moments ---- */

/*
 * Sums over units of groups whose rate is fitted. With the variance v of a unit's count and its share h of the group's expectation, the
 * squared residual is expected to be (1 − h)² v + h² Σ v of the others; v is μ (chance) plus variation · μ².
 */
struct moments {
	double squares; /* of the residuals */
	double chance;	/* expected of them by chance */
	double spread;	/* expected of them for a variation of 1 */
	double second, fourth;
	double units, fitted;
};

struct group {
	double expected, second, shares; /* Σ μ, Σ μ², Σ h² */
};

static double
group_share(const struct group *g, double expected)
{
	return g->expected > 0 ? fmin(1, expected / g->expected) : 0;
}

static void
moments_add(struct moments *m, const struct group *g, double residual, double expected)
{
	double h = group_share(g, expected), squared = expected * expected;
	m->squares += residual * residual;
	m->chance += expected * (1 - h);
	m->spread += squared * (1 - 2 * h) + h * h * g->second;
	m->second += squared;
	m->fourth += squared * squared;
	m->units++;
}

/* fitted: parameters that the residuals have used up. Large units weigh more, and the degrees of freedom tell how few they really are. */
static struct variation
moments_variation(const struct moments *m, enum significance_chance chance)
{
	struct variation v = { 0 };
	double free = m->units - m->fitted;
	if (free < 1 || !(m->spread > 0))
		return v;
	double by_chance = chance == SIGNIFICANCE_AMOUNT ? 0 : m->chance;
	v.variance = fmax(0, (m->squares - by_chance) / m->spread);
	v.df = fmax(1, free * m->second * m->second / (m->fourth * m->units));
	return v;
}

/* What a slice is expected to have from its stratum's rate and its exposure alone. */
static double
usual_of(const struct tables *t, uint32_t stratum, double exposure)
{
	const struct sums *z = &t->stratum[stratum];
	if (t->design->linear)
		return t->overall * exposure;
	return isnan(t->design->target) ? exposure * z->count / z->exposure : exposure * t->design->target;
}

/* The group of a member's slices; ratio is what the member makes of the usual. False for a single slice. */
static bool
member_group(const struct tables *t, uint32_t member, struct group *g, double *ratio, double *shift)
{
	double count = 0, exposure = 0, usual = 0, n = 0;
	*g = (struct group){ 0 };
	for (uint32_t s = t->first_slice[member]; s != NO_SLICE; s = t->slice[s].next, n++) {
		count += t->slice[s].count;
		exposure += t->slice[s].exposure;
		usual += usual_of(t, t->slice[s].stratum, t->slice[s].exposure);
	}
	if (n < 2 || !(usual > 0))
		return false;
	*ratio = t->design->linear ? 1 : count / usual;
	*shift = t->design->linear ? (count - usual) / exposure : 0;
	for (uint32_t s = t->first_slice[member]; s != NO_SLICE; s = t->slice[s].next) {
		double expected = *ratio * usual_of(t, t->slice[s].stratum, t->slice[s].exposure);
		g->expected += expected;
		g->second += expected * expected;
	}
	return g->expected > 0;
}

static struct variation
variation_within(const struct tables *t)
{
	struct moments m = { 0 };
	uint32_t strata = 0;
	for (uint32_t member = 0; member < t->design->members; member++) {
		struct group g;
		double ratio, shift;
		if (!member_group(t, member, &g, &ratio, &shift))
			continue;
		for (uint32_t s = t->first_slice[member]; s != NO_SLICE; s = t->slice[s].next) {
			const struct slice *i = &t->slice[s];
			double expected = ratio * usual_of(t, i->stratum, i->exposure);
			moments_add(&m, &g, i->count - expected - shift * i->exposure, expected);
		}
		m.fitted++;
	}
	for (uint32_t z = 0; z < t->design->strata; z++)
		strata += t->stratum[z].exposure > 0;
	m.fitted += strata > 1 ? strata - 1 : 0;
	/* Fitted strata have made the residuals smaller. */
	if (m.units > m.fitted)
		m.squares *= 1 + (strata > 1 ? strata - 1 : 0) / (m.units - m.fitted);
	return moments_variation(&m, t->design->chance);
}

struct variation
spread_of_others(const struct tables *t, uint32_t member)
{
	const struct significance_design *d = t->design;
	struct moments m = { .fitted = 1 };
	struct group g = { 0 };
	double count = 0, exposure = 0, usual = 0;
	for (uint32_t s = 0; s < d->slices; s++) {
		const struct slice *i = &t->slice[s];
		if (i->member == member || !(i->exposure > 0))
			continue;
		count += i->count;
		exposure += i->exposure;
		usual += usual_of(t, i->stratum, i->exposure);
	}
	if (!(usual > 0))
		return (struct variation){ 0 };
	double ratio = d->linear ? 1 : count / usual, shift = d->linear ? (count - usual) / exposure : 0;
	for (uint32_t s = 0; s < d->slices; s++) {
		double expected = t->slice[s].member == member || !(t->slice[s].exposure > 0)
					  ? 0
					  : ratio * usual_of(t, t->slice[s].stratum, t->slice[s].exposure);
		g.expected += expected;
		g.second += expected * expected;
	}
	for (uint32_t s = 0; s < d->slices; s++) {
		const struct slice *i = &t->slice[s];
		if (i->member == member || !(i->exposure > 0))
			continue;
		double expected = ratio * usual_of(t, i->stratum, i->exposure);
		moments_add(&m, &g, i->count - expected - shift * i->exposure, expected);
	}
	return moments_variation(&m, d->chance);
}

/* ---- days ---- */

void
days_fill(const struct tables *t, const struct against *g)
{
	const struct significance_design *d = t->design;
	memset(t->day, 0, t->days * sizeof *t->day);
	for (size_t k = 0; k < d->unit_count; k++) {
		const struct significance_unit *u = &d->units[k];
		struct day *day = &t->day[u->day - t->first_day];
		const struct sums *cell = &t->cell[(size_t)g->member * d->strata + u->stratum];
		double expected =
			cell->exposure > 0 ? expected_of(t, g->member, u->stratum, u->exposure) : NAN;
		if (isnan(expected))
			continue;
		double w = weight_of(t, g->member, u->stratum);
		if (u->member == g->member) {
			double share = w * u->exposure / g->exposure;
			double usual = d->linear ? w * expected + (g->count - g->expected) * share
						 : w * expected * g->count / g->expected;
			day->deviation += (w * u->count - usual) / g->scale;
			day->share += share;
		} else if (isnan(d->target)) {
			double rest = t->stratum[u->stratum].exposure - cell->exposure;
			day->peer_deviation +=
				cell->exposure * (u->count - expected) / (g->peer_scale * rest);
			day->peer_share += w * cell->exposure / g->exposure * u->exposure / rest;
		}
	}
}

void
counts_fill(const struct tables *t, uint32_t member, struct significance_comparison *out)
{
	memset(t->day, 0, t->days * sizeof *t->day);
	for (uint32_t s = t->first_slice[member]; s != NO_SLICE; s = t->slice[s].next)
		out->slices++;
	for (size_t k = 0; k < t->design->unit_count; k++)
		if (t->design->units[k].member == member)
			t->day[t->design->units[k].day - t->first_day].share = 1;
	for (size_t i = 0; i < t->days; i++)
		out->days += t->day[i].share > 0;
}

/* ---- preparation ---- */

static enum forecast_code
unit_fault(struct forecast_error *error, size_t position, const char *text)
{
	if (error) {
		*error = (struct forecast_error){ .code = FORECAST_BAD_VALUE, .position = position };
		for (size_t i = 0; text[i] && i + 1 < sizeof error->text; i++)
			error->text[i] = text[i];
	}
	return FORECAST_BAD_VALUE;
}

static enum forecast_code
units_check(const struct significance_design *d, struct tables *t, struct forecast_error *error)
{
	int32_t last_day = INT32_MIN;
	t->first_day = INT32_MAX;
	for (size_t k = 0; k < d->unit_count; k++) {
		const struct significance_unit *u = &d->units[k];
		if (u->member >= d->members || u->stratum >= d->strata || u->slice >= d->slices)
			return unit_fault(error, k, "a unit of an unknown member, stratum or slice");
		if (!(isfinite(u->count) && isfinite(u->exposure) && u->exposure > 0 &&
			    (d->linear || u->count >= 0)))
			return unit_fault(
				error, k, "a unit's exposure must be positive and its count finite");
		t->first_day = u->day < t->first_day ? u->day : t->first_day;
		last_day = u->day > last_day ? u->day : last_day;
	}
	if (d->unit_count > 0 && (int64_t)last_day - t->first_day >= MAX_DAYS)
		return unit_fault(error, 0, "the units' days are more than a century apart");
	t->days = d->unit_count > 0 ? (size_t)(last_day - t->first_day) + 1 : 0;
	return FORECAST_OK;
}

static enum forecast_code
tables_fill(struct tables *t, struct forecast_error *error)
{
	const struct significance_design *d = t->design;
	double count = 0, exposure = 0;
	for (uint32_t i = 0; i < d->members; i++)
		t->first_slice[i] = NO_SLICE;
	for (size_t k = 0; k < d->unit_count; k++) {
		const struct significance_unit *u = &d->units[k];
		struct slice *s = &t->slice[u->slice];
		if (!(s->exposure > 0)) {
			*s = (struct slice){
				.member = u->member, .stratum = u->stratum, .next = t->first_slice[u->member]
			};
			t->first_slice[u->member] = u->slice;
		} else if (s->member != u->member || s->stratum != u->stratum) {
			return unit_fault(error, k, "a slice belongs to one member and one stratum");
		}
		struct sums *cell = &t->cell[(size_t)u->member * d->strata + u->stratum],
			    *stratum = &t->stratum[u->stratum];
		s->count += u->count, s->exposure += u->exposure;
		cell->count += u->count, cell->exposure += u->exposure;
		stratum->count += u->count, stratum->exposure += u->exposure;
		count += u->count, exposure += u->exposure;
	}
	t->overall = isnan(d->target) ? fabs(count / exposure) : fabs(d->target);
	if (!(t->overall > 0))
		t->overall = 1;
	t->within = variation_within(t);
	return FORECAST_OK;
}

static void
tables_free(struct tables *t)
{
	free(t->cell);
	free(t->stratum);
	free(t->slice);
	free(t->first_slice);
	free(t->day);
	free(t->deviation);
}

static bool
tables_alloc(struct tables *t)
{
	const struct significance_design *d = t->design;
	t->cell = calloc((size_t)d->members * d->strata, sizeof *t->cell);
	t->stratum = calloc(d->strata, sizeof *t->stratum);
	t->slice = calloc(d->slices, sizeof *t->slice);
	t->first_slice = calloc(d->members, sizeof *t->first_slice);
	t->day = calloc(t->days, sizeof *t->day);
	t->deviation = calloc(t->days, sizeof *t->deviation);
	return t->cell && t->stratum && t->slice && t->first_slice && t->day && t->deviation;
}

enum forecast_code
significance_compare(const struct significance_design *design, struct significance_comparison *out,
	struct forecast_error *error)
{
	struct tables t = { .design = design };
	enum forecast_code code = units_check(design, &t, error);
	if (code != FORECAST_OK)
		return code;
	if (design->members == 0 || design->unit_count == 0) {
		for (uint32_t i = 0; i < design->members; i++)
			out[i] = (struct significance_comparison){ .p_value = NAN };
		return FORECAST_OK;
	}
	if ((uint64_t)design->members * design->strata > SIGNIFICANCE_MAX_CELLS)
		return FORECAST_BAD_COUNT;
	code = tables_alloc(&t) ? tables_fill(&t, error) : FORECAST_NO_MEMORY;
	for (uint32_t i = 0; code == FORECAST_OK && i < design->members; i++)
		member_compare(&t, i, &out[i]);
	tables_free(&t);
	return code;
}
