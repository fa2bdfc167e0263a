/*
 * Comparisons of groups: the members of a dimension with each other, with a number, and the campaign with earlier ones. Members too small to
 * be told apart from chance are peers of the others and not compared themselves. Peers are those with the same values of the other
 * dimensions wherever these cross the one compared, so that a creative shown on a poor channel alone is not blamed for the channel.
 */
#include "codec/json.h"
#include "domain/campaign/insight_parts.h"

#include <math.h>
#include <stdlib.h>

enum {
	MEMBERS_MAX =
		300, /* compared in one dimension, the largest ones; the work grows with members × units */
	SLICES_A_STRATUM = 3, /* fewer would leave nothing to tell the variation from */
	DAYS_MAX = 3650,      /* looked back from the last day */
	ESTIMATE_UNITS = 5    /* amounts of fewer units are recorded figures, not estimates */
};
static const double CROSSING = 0.9; /* share of the facts whose level must be shared by members */

/* A fact that has the figure, with the numbers that place it. */
struct unit {
	double count, exposure;
	uint32_t member, slice, fact;
};

struct sample {
	struct arena *arena;
	const struct groups *groups;
	struct reading reading;
	struct unit *units;
	size_t count;
	uint32_t members; /* numbers from 0 */
};

static uint32_t
value_of(const struct groups *g, size_t fact, uint32_t dimension)
{
	return g->value[fact * DIMENSIONS_MAX + dimension];
}

/* The campaign's facts that have the figure and a member of the dimension (dimension_count: all are one member). */
static struct sample
sample_make(struct comparisons *c, uint32_t dimension)
{
	const struct groups *g = c->groups;
	const struct campaign_facts *f = g->facts;
	bool whole = dimension >= g->dimension_count;
	struct sample s = { .arena = c->scratch,
		.groups = g,
		.reading = insight_reading(f, c->rule->figure, f->campaign_id),
		.units = arena_alloc_array(c->scratch, f->count, sizeof *s.units),
		.members = whole ? 1 : g->values[dimension] };
	for (size_t i = 0; i < f->count; i++) {
		double count, exposure;
		uint32_t member = whole ? 1 : value_of(g, i, dimension);
		if (f->facts[i].campaign_id == f->campaign_id && member > 0 &&
			insight_read(&s.reading, &f->facts[i], &count, &exposure))
			s.units[s.count++] =
				(struct unit){ count, exposure, member - 1, g->slice[i], (uint32_t)i };
	}
	return s;
}

/* ---- which members are compared ---- */

struct member {
	uint32_t number;
	double count, exposure, units;
};

static int
larger_first(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	if (x->exposure != y->exposure)
		return x->exposure > y->exposure ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/*
 * Renumbers the units' members: the compared ones first, all others together behind them. Which ones are large enough follows from their
 * exposure and the rate of all, never from what they made of it, so that choosing does not favour the bad ones. Returns how many are compared;
 * names[i] is the i-th one's number in its dimension.
 */
static uint32_t
members_choose(struct sample *s, double minimum_count, uint32_t *names)
{
	struct member *m = arena_alloc_array(s->arena, s->members + 1, sizeof *m);
	uint32_t *place = arena_alloc_array(s->arena, s->members + 1, sizeof *place), chosen = 0;
	double count = 0, exposure = 0;
	for (uint32_t i = 0; i < s->members; i++)
		m[i].number = i;
	for (size_t i = 0; i < s->count; i++) {
		m[s->units[i].member].exposure += s->units[i].exposure;
		m[s->units[i].member].units++;
		count += s->units[i].count;
		exposure += s->units[i].exposure;
	}
	if (s->members > 1)
		qsort(m, s->members, sizeof *m, larger_first);
	for (uint32_t i = 0; i < s->members; i++) {
		/* An entered ratio has no volume to judge by; revenue has no natural one, but money spent without any says nothing. */
		bool counts = !s->reading.entered &&
			      s->reading.figure->count_at != offsetof(struct campaign_fact, revenue);
		bool enough =
			m[i].units > 0 && (!counts || m[i].exposure * count >= minimum_count * exposure);
		place[m[i].number] = enough && chosen < MEMBERS_MAX ? chosen : UINT32_MAX;
		if (place[m[i].number] != UINT32_MAX)
			names[chosen++] = m[i].number + 1;
	}
	for (size_t i = 0; i < s->count; i++) {
		uint32_t at = place[s->units[i].member];
		s->units[i].member = at == UINT32_MAX ? chosen : at;
	}
	return chosen;
}

/* ---- within which strata ---- */

struct pair {
	uint32_t level, member;
};

static int
pair_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return x->member < y->member ? -1 : x->member > y->member;
}

/* Whether nearly all facts stand in levels of the other dimension that two members or more share; *levels is the number of levels. */
static bool
dimension_crosses(const struct sample *s, uint32_t other, uint32_t *levels)
{
	struct arena_mark mark = arena_mark(s->arena);
	struct pair *p = arena_alloc_array(s->arena, s->count, sizeof *p);
	size_t shared = 0;
	for (size_t i = 0; i < s->count; i++)
		p[i] = (struct pair){ value_of(s->groups, s->units[i].fact, other), s->units[i].member };
	if (s->count > 1)
		qsort(p, s->count, sizeof *p, pair_order);
	*levels = 0;
	for (size_t i = 0, end; i < s->count; i = end) {
		for (end = i; end < s->count && p[end].level == p[i].level; end++)
			continue;
		shared += p[i].member != p[end - 1].member ? end - i : 0;
		++*levels;
	}
	arena_release(s->arena, mark);
	return *levels > 1 && (double)shared >= CROSSING * (double)s->count;
}

struct numbering {
	uint32_t *of, count; /* number + 1 of each key, 0: none yet */
};

static uint32_t
numbering_take(struct numbering *n, uint32_t key)
{
	if (!n->of[key])
		n->of[key] = ++n->count;
	return n->of[key] - 1;
}

/* Splits every stratum by a dimension's levels; returns the number of strata then. */
static uint32_t
strata_split(const struct sample *s, uint32_t other, const uint32_t *before, uint32_t strata, uint32_t *after)
{
	struct arena_mark mark = arena_mark(s->arena);
	size_t levels = s->groups->values[other] + 1;
	struct numbering n = { .of = arena_alloc_array(s->arena, levels * strata, sizeof *n.of) };
	for (size_t i = 0; i < s->count; i++)
		after[i] = numbering_take(
			&n, (uint32_t)(before[i] * levels + value_of(s->groups, s->units[i].fact, other)));
	arena_release(s->arena, mark);
	return n.count;
}

/* Strata from the crossing dimensions, those of few levels first, as long as enough slices remain in each; names them as a JSON array. */
static uint32_t
strata_make(
	const struct sample *s, uint32_t dimension, uint32_t slices, uint32_t *stratum, struct str *adjusted)
{
	uint32_t levels[DIMENSIONS_MAX] = { 0 }, strata = 1,
		 *trial = arena_alloc_array(s->arena, s->count, sizeof *trial);
	bool usable[DIMENSIONS_MAX] = { false };
	struct buf b;
	struct json_out o;
	buf_init_arena(&b, s->arena, 16384);
	json_out_init(&o, &b);
	json_begin_array(&o);
	for (uint32_t d = 0; d < s->groups->dimension_count; d++)
		usable[d] = d != dimension && dimension_crosses(s, d, &levels[d]);
	for (uint32_t round = 0; round < s->groups->dimension_count; round++) {
		uint32_t next = DIMENSIONS_MAX;
		for (uint32_t d = 0; d < s->groups->dimension_count; d++)
			if (usable[d] && (next == DIMENSIONS_MAX || levels[d] < levels[next]))
				next = d;
		if (next == DIMENSIONS_MAX)
			break;
		usable[next] = false;
		if ((uint64_t)strata * levels[next] * SLICES_A_STRATUM > (uint64_t)slices * 2)
			continue;
		uint32_t count = strata_split(s, next, stratum, strata, trial);
		if (count * SLICES_A_STRATUM > slices)
			continue;
		memcpy(stratum, trial, s->count * sizeof *trial);
		strata = count;
		json_put_str(&o, s->groups->dimension[next]);
	}
	json_end_array(&o);
	*adjusted = strata > 1 ? buf_str(&b) : STR("");
	return strata;
}

/* ---- the comparison itself ---- */

static struct err *
forecast_fault(struct arena *a, enum forecast_code code, const struct forecast_error *e)
{
	return code == FORECAST_OK ? NULL
				   : err_private(a, ERR_INTERNAL, "significance: %d %s", (int)code, e->text);
}

/* A unit's day; those long before the last one of all are taken for one day, so that a mistyped year costs no memory. */
static int32_t
day_of(const struct sample *s, size_t unit, int32_t last)
{
	int32_t day = s->groups->facts->facts[s->units[unit].fact].day.days;
	return last > INT32_MIN && day < last - DAYS_MAX ? last - DAYS_MAX : day;
}

/* Compares; members is the number with the one of "all others". found has one for each. */
static struct err *
sample_compare(const struct comparisons *c, struct sample *s, uint32_t members, uint32_t dimension,
	struct str *adjusted, struct significance_comparison *found)
{
	struct significance_unit *u = arena_alloc_array(s->arena, s->count, sizeof *u);
	uint32_t *stratum = arena_alloc_array(s->arena, s->count, sizeof *stratum);
	struct numbering slices = { .of = arena_alloc_array(s->arena, s->groups->slices, sizeof *slices.of) };
	struct significance_design d = { .units = u,
		.unit_count = s->count,
		.members = members,
		.strata = 1,
		.chance = insight_chance(&s->reading),
		.linear = s->reading.figure->linear,
		.assumed = c->rule->assumed_variation,
		.target = NAN };
	struct forecast_error error = { 0 };
	/* Against a number the slices are given, not drawn from many: only days tell how the figure varies. */
	for (size_t i = 0; i < s->count; i++)
		s->units[i].slice = numbering_take(&slices, members > 1 ? s->units[i].slice : 0);
	if (members > 1)
		d.strata = strata_make(s, dimension, slices.count, stratum, adjusted);
	if (members == 1)
		d.target = s->reading.figure->inverted ? 1 / (c->rule->target / s->reading.figure->factor)
						       : c->rule->target;
	d.slices = slices.count;
	int32_t last = INT32_MIN;
	for (size_t i = 0; i < s->count; i++)
		last = day_of(s, i, INT32_MIN) > last ? day_of(s, i, INT32_MIN) : last;
	for (size_t i = 0; i < s->count; i++)
		u[i] = (struct significance_unit){ .member = s->units[i].member,
			.stratum = stratum[i],
			.slice = s->units[i].slice,
			.day = day_of(s, i, last),
			.count = s->units[i].count,
			.exposure = s->units[i].exposure };
	return forecast_fault(c->arena, significance_compare(&d, found, &error), &error);
}

/* The compared member whose figure is best, beside the one that is not. */
static uint32_t
best_of(const struct significance_comparison *found, uint32_t members, uint32_t not_this)
{
	uint32_t best = members;
	for (uint32_t i = 0; i < members; i++)
		if (i != not_this && found[i].enough &&
			(best == members || found[i].effect > found[best].effect))
			best = i;
	return best < members && found[best].effect > 0 ? best : members;
}

static struct err *
peers_in(struct comparisons *c, uint32_t dimension)
{
	struct sample s = sample_make(c, dimension);
	uint32_t *names = arena_alloc_array(s.arena, s.members + 1, sizeof *names);
	uint32_t chosen = members_choose(&s, c->rule->minimum_count, names), rest = 0;
	struct str adjusted = STR("");
	for (size_t i = 0; i < s.count; i++)
		rest |= s.units[i].member == chosen;
	if (chosen + rest < 2)
		return NULL;
	struct significance_comparison *found = arena_alloc_array(s.arena, chosen + 1, sizeof *found);
	TRY(sample_compare(c, &s, chosen + rest, dimension, &adjusted, found));
	adjusted = arena_str(c->arena, adjusted);
	for (uint32_t i = 0; i < chosen; i++) {
		if (!found[i].enough)
			continue;
		struct comparison *k = comparison_add(c);
		uint32_t best = best_of(found, chosen, i);
		k->dimension = s.groups->dimension[dimension];
		k->member = s.groups->name[dimension][names[i]];
		k->best = best < chosen ? s.groups->name[dimension][names[best]] : STR("");
		k->adjusted = adjusted;
		k->found = found[i];
		k->p_value = found[i].p_value;
		comparison_show(k, &s.reading);
	}
	return NULL;
}

struct err *
insight_compare_peers(struct comparisons *c)
{
	if (!str_eq(c->rule->dimension, STR("*"))) {
		uint32_t d = insight_dimension(c->groups, c->rule->dimension);
		return d < c->groups->dimension_count ? peers_in(c, d) : NULL;
	}
	for (uint32_t d = DIMENSION_FURTHER; d < c->groups->dimension_count; d++)
		TRY(peers_in(c, d));
	return NULL;
}

/* ---- a number to reach ---- */

/* The campaign's own target of a figure, under the figure's word or label in any spelling; NaN when it has none. */
static struct err *
target_read(struct arena *a, const struct campaign_facts *f, const struct figure *figure, double *out)
{
	json_val *object, *v;
	struct str key;
	*out = NAN;
	if (str_is_empty(f->targets))
		return NULL;
	TRY(json_parse(a, f->targets, &object));
	struct json_iter it = json_iter(object);
	while (json_next(&it, &key, &v)) {
		bool is = str_eq_nocase(key, str_from_cstr(figure->word)) ||
			  str_eq_nocase(key, str_from_cstr(figure->label));
		struct decimal number;
		if (is && json_type_of(v) == JSON_NUMBER &&
			decimal_parse(json_number(v), &number) == DECIMAL_OK)
			*out = decimal_to_double(number);
	}
	return NULL;
}

/* One member's units moved to the front of a sample of its own. */
static struct sample
sample_of_member(const struct sample *s, uint32_t member)
{
	struct sample one = *s;
	one.units = arena_alloc_array(s->arena, s->count, sizeof *one.units);
	one.count = 0;
	one.members = 1;
	for (size_t i = 0; i < s->count; i++)
		if (s->units[i].member == member) {
			one.units[one.count] = s->units[i];
			one.units[one.count++].member = 0;
		}
	return one;
}

static struct err *
target_of_member(struct comparisons *c, const struct sample *s, uint32_t member, uint32_t dimension)
{
	struct sample one = sample_of_member(s, member);
	struct significance_comparison found;
	if (one.count == 0)
		return NULL;
	TRY(sample_compare(c, &one, 1, dimension, &(struct str){ 0 }, &found));
	bool counted = insight_chance(&one.reading) != SIGNIFICANCE_AMOUNT;
	if (!found.enough || (counted && found.peer_rate * found.exposure < c->rule->minimum_count))
		return NULL;
	struct comparison *k = comparison_add(c);
	if (dimension < s->groups->dimension_count) {
		k->dimension = s->groups->dimension[dimension];
		k->member = s->groups->name[dimension][member + 1];
	}
	k->found = found;
	k->p_value = counted || one.count >= ESTIMATE_UNITS ? found.p_value : (double)NAN;
	comparison_show(k, &one.reading);
	return NULL;
}

struct err *
insight_compare_target(struct comparisons *c)
{
	struct insight_rule *with_target = arena_new_of(c->arena, struct insight_rule);
	const struct figure *figure = &figures[c->rule->figure];
	uint32_t d = c->groups->dimension_count;
	*with_target = *c->rule;
	if (isnan(with_target->target))
		TRY(target_read(c->arena, c->groups->facts, figure, &with_target->target));
	if (!str_is_empty(c->rule->dimension)) {
		d = insight_dimension(c->groups, c->rule->dimension);
		if (d == c->groups->dimension_count)
			return NULL;
	}
	/* Only of a signed figure can nothing or less be asked. */
	if (isnan(with_target->target) || (!figure->linear && with_target->target <= 0))
		return NULL;
	c->rule = with_target;
	struct sample s = sample_make(c, d);
	for (uint32_t i = 0; i < s.members && i < MEMBERS_MAX; i++)
		TRY(target_of_member(c, &s, i, d));
	return NULL;
}

/* ---- earlier campaigns ---- */

/* One unit for each campaign: what varies from campaign to campaign is what this one has to stand out from. */
static size_t
campaigns_sum(const struct campaign_facts *f, const struct reading *r, struct significance_unit *units,
	int64_t *ids, size_t most)
{
	size_t n = 1;
	units[0] = (struct significance_unit){ 0 };
	ids[0] = f->campaign_id;
	for (size_t i = 0; i < f->count; i++) {
		double count, exposure;
		size_t at = 0;
		if (!insight_read(r, &f->facts[i], &count, &exposure))
			continue;
		while (at < n && ids[at] != f->facts[i].campaign_id)
			at++;
		if (at == most)
			continue;
		if (at == n) {
			ids[n++] = f->facts[i].campaign_id;
			units[at] =
				(struct significance_unit){ .member = (uint32_t)at, .slice = (uint32_t)at };
		}
		units[at].count += count;
		units[at].exposure += exposure;
	}
	return n;
}

struct err *
insight_compare_earlier(struct comparisons *c)
{
	enum { CAMPAIGNS_MAX = 32 };
	const struct campaign_facts *f = c->groups->facts;
	struct reading r = insight_reading(f, c->rule->figure, f->campaign_id);
	struct significance_unit units[CAMPAIGNS_MAX];
	struct significance_comparison found[CAMPAIGNS_MAX];
	struct forecast_error error = { 0 };
	int64_t ids[CAMPAIGNS_MAX];
	size_t n = campaigns_sum(f, &r, units, ids, CAMPAIGNS_MAX);
	if (n < 2 || !(units[0].exposure > 0))
		return NULL;
	struct significance_design d = { .units = units,
		.unit_count = n,
		.members = (uint32_t)n,
		.strata = 1,
		.slices = (uint32_t)n,
		.chance = insight_chance(&r),
		.linear = r.figure->linear,
		.assumed = c->rule->assumed_variation,
		.target = NAN };
	TRY(forecast_fault(c->arena, significance_compare(&d, found, &error), &error));
	if (!found[0].enough || (d.chance != SIGNIFICANCE_AMOUNT &&
					found[0].peer_rate * found[0].exposure < c->rule->minimum_count))
		return NULL;
	struct comparison *k = comparison_add(c);
	k->found = found[0];
	k->p_value = found[0].p_value;
	comparison_show(k, &r);
	return NULL;
}
