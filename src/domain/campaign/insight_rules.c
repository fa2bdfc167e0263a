/*
 * A run of the rules: every enabled rule makes its comparisons, all p-values of the run are corrected together, and what is significant and
 * large enough becomes a finding. Comparisons that find nothing count in the correction; so do those whose effect would be too small to
 * tell, because the choice by effect is made after looking.
 */
#include "domain/campaign/insight_parts.h"

#include <math.h>
#include <stdlib.h>

enum { SCRATCH_BYTES = 96 << 20 };

struct comparison *
comparison_add(struct comparisons *c)
{
	if (c->count == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		c->list = arena_grow(c->arena, c->list, c->cap * sizeof *c->list, cap * sizeof *c->list);
		c->cap = cap;
	}
	struct comparison *k = &c->list[c->count++];
	*k = (struct comparison){ .rule = c->rule,
		.figure = &figures[c->rule->figure],
		.p_value = NAN,
		.corrected = NAN,
		.low = NAN,
		.high = NAN };
	return k;
}

static double
inverted_effect(double effect)
{
	return effect > -1 ? 1 / (1 + effect) - 1 : (double)INFINITY;
}

void
comparison_show(struct comparison *k, const struct reading *r)
{
	const struct significance_comparison *s = &k->found;
	const struct figure *f = r->figure;
	k->entered = r->entered;
	k->units = s->days > s->slices ? s->days : s->slices;
	k->value = f->inverted ? f->factor / s->rate : s->rate;
	k->reference = f->inverted ? f->factor / s->peer_rate : s->peer_rate;
	k->effect = f->inverted ? inverted_effect(s->effect) : s->effect;
	k->low = f->inverted ? inverted_effect(s->high) : s->low;
	k->high = f->inverted ? inverted_effect(s->low) : s->high;
}

static struct err *
rule_compare(struct comparisons *c)
{
	switch (c->rule->compare) {
	case COMPARE_PEERS:
		return insight_compare_peers(c);
	case COMPARE_TARGET:
		return insight_compare_target(c);
	case COMPARE_EARLIER:
		return insight_compare_earlier(c);
	case COMPARE_TREND:
		return insight_compare_trend(c);
	case COMPARE_CHANGE:
		return insight_compare_change(c);
	case COMPARE_BUDGET:
		return insight_compare_budget(c);
	}
	return NULL;
}

/* ---- correction ---- */

static struct err *
correct(struct comparisons *c, size_t *tested)
{
	static const enum significance_correction methods[] = { SIGNIFICANCE_HOLM, SIGNIFICANCE_BH,
		SIGNIFICANCE_BY };
	double *p = arena_alloc_array(c->arena, c->count, sizeof *p),
	       *corrected = arena_alloc_array(c->arena, c->count, sizeof *corrected);
	size_t n = 0;
	for (size_t i = 0; i < c->count; i++)
		if (!isnan(c->list[i].p_value))
			p[n++] = c->list[i].p_value;
	for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
		enum forecast_code code = significance_correct(p, n, methods[m], corrected);
		if (code != FORECAST_OK)
			return err_private(c->arena, ERR_INTERNAL, "correction: %d", (int)code);
		for (size_t i = 0, at = 0; i < c->count; i++) {
			struct comparison *k = &c->list[i];
			if (!isnan(k->p_value) && k->rule->correction == methods[m])
				k->corrected = corrected[at];
			at += isnan(k->p_value) ? 0 : 1;
		}
	}
	*tested = n;
	return NULL;
}

/* ---- what is worth telling ---- */

/* Worse than its reference, or a change to either side, or off the budget to either side. */
static bool
points_the_right_way(const struct comparison *k)
{
	bool either = k->rule->compare == COMPARE_CHANGE || k->rule->compare == COMPARE_BUDGET;
	return either || (k->figure->inverted ? k->effect > 0 : k->effect < 0);
}

static bool
is_worth_telling(const struct comparison *k, double rate)
{
	return (isnan(k->p_value) || k->corrected <= rate) && points_the_right_way(k) && !isnan(k->effect) &&
	       fabs(k->effect) >= k->rule->minimum_effect;
}

static int
severity_of(const struct comparison *k)
{
	double effect = fabs(k->effect);
	if (k->better || effect < k->rule->medium)
		return SEVERITY_LOW;
	if (effect < k->rule->high)
		return SEVERITY_MEDIUM;
	return effect < k->rule->critical ? SEVERITY_HIGH : SEVERITY_CRITICAL;
}

/* The same figures under two names: a campaign of one channel, a channel of one source, a creative that is all of a channel. */
static bool
tells_the_same(const struct comparison *a, const struct comparison *b)
{
	bool groups = a->rule->compare == b->rule->compare &&
		      (a->rule->compare == COMPARE_PEERS || a->rule->compare == COMPARE_TARGET);
	bool in_time = (a->rule->compare == COMPARE_TREND && b->rule->compare == COMPARE_CHANGE) ||
		       (a->rule->compare == COMPARE_CHANGE && b->rule->compare == COMPARE_TREND);
	if (a->figure != b->figure)
		return false;
	return in_time ||
	       (groups && a->found.count == b->found.count && a->found.exposure == b->found.exposure);
}

/* A trend and a change of one figure are one thing seen twice: the one that fits better is told. */
static bool
is_told_better(const struct comparison *told, const struct comparison *k)
{
	return tells_the_same(told, k) && (told->fit >= k->fit || told->rule->compare == k->rule->compare);
}

static int
strongest_first(const void *a, const void *b)
{
	const struct comparison *x = *(const struct comparison *const *)a,
				*y = *(const struct comparison *const *)b;
	int sx = severity_of(x), sy = severity_of(y);
	double px = isnan(x->corrected) ? 0 : x->corrected, py = isnan(y->corrected) ? 0 : y->corrected;
	if (sx != sy)
		return sx > sy ? -1 : 1;
	if (px != py)
		return px < py ? -1 : 1;
	if (fabs(x->effect) != fabs(y->effect))
		return fabs(x->effect) > fabs(y->effect) ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The comparisons worth telling, strongest first. */
static const struct comparison **
worth_telling(const struct comparisons *c, double rate, size_t *count)
{
	const struct comparison **told = arena_alloc_array(c->arena, c->count, sizeof(struct comparison *));
	size_t n = 0;
	for (size_t i = 0; i < c->count; i++) {
		bool doubled = !is_worth_telling(&c->list[i], rate);
		for (size_t j = 0; !doubled && j < c->count; j++)
			doubled = j != i && is_worth_telling(&c->list[j], rate) &&
				  is_told_better(&c->list[j], &c->list[i]) &&
				  (j < i || c->list[j].fit > c->list[i].fit);
		if (!doubled)
			told[n++] = &c->list[i];
	}
	if (n > 1)
		qsort(told, n, sizeof *told, strongest_first);
	*count = n;
	return told;
}

static void
findings_make(struct comparisons *c, const struct comparison **told, size_t n, size_t tested,
	struct insight_finding *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct comparison *k = told[i];
		out[i] = (struct insight_finding){
			.rule_id = arena_str(c->arena, k->rule->id),
			.type = insight_text(c->arena, k->rule->type, k, c->groups->facts),
			.summary = insight_text(c->arena, k->rule->summary, k, c->groups->facts),
			.action_suggestion = insight_text(c->arena, k->rule->suggestion, k, c->groups->facts),
			.evidence = insight_evidence(c->arena, k, tested),
			.severity = severity_of(k),
			.p_value = k->corrected,
		};
	}
}

/* Leaves the strongest ones of each rule. */
static size_t
rule_caps(const struct comparison **told, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		double same = 0;
		for (size_t j = 0; j < kept; j++)
			same += str_eq(told[j]->rule->id, told[i]->rule->id);
		if (same < told[i]->rule->most)
			told[kept++] = told[i];
	}
	return kept;
}

static struct err *
rules_compare(struct comparisons *c, const struct insight_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!rules[i].enabled)
			continue;
		c->rule = &rules[i];
		TRY(rule_compare(c));
		if (arena_is_over(c->scratch))
			return err_new(
				c->arena, ERR_TOO_LARGE, "The campaign's figures are too many to compare.");
		arena_reset(c->scratch);
	}
	return NULL;
}

struct err *
insight_rules_run_table(struct arena *a, struct str table, const struct campaign_facts *f,
	const struct insight_options *o, struct insight_finding **out, size_t *count)
{
	struct insight_rule *rules;
	struct comparisons c = { .arena = a };
	struct groups *groups;
	size_t rule_count, tested, n;
	TRY(insight_table_read(a, table, o->rules, &rules, &rule_count));
	TRY(insight_groups_make(a, f, &groups));
	c.groups = groups;
	c.scratch = arena_new(SCRATCH_BYTES);
	struct err *e = rules_compare(&c, rules, rule_count);
	arena_free(c.scratch);
	if (e)
		return e;
	TRY(correct(&c, &tested));
	const struct comparison **told = worth_telling(&c, o->false_positive_rate, &n);
	n = rule_caps(told, n);
	*out = arena_alloc_array(a, n, sizeof **out);
	findings_make(&c, told, n, tested, *out);
	*count = n;
	return NULL;
}

struct err *
insight_rules_run(struct arena *a, const struct campaign_facts *f, const struct insight_options *o,
	struct insight_finding **out, size_t *count)
{
	return insight_rules_run_table(a, insight_table_text(), f, o, out, count);
}
