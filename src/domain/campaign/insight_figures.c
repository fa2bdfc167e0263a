/*
 * From facts to numbers: what each figure is made of, and the facts' dimensions as small numbers that comparisons can group by. Figures are
 * turned so that a lower rate is the worse one (clicks for the money, not money for the clicks), which lets one test serve them all.
 */
#include "codec/json.h"
#include "domain/campaign/insight_parts.h"

#include <math.h>

enum { FACTS_MAX = 50000 }; /* numbered, each takes some 500 bytes */

#define AT(member) offsetof(struct campaign_fact, member)
const struct figure figures[FIGURE_COUNT] = {
	[FIGURE_CTR] = { "ctr", "CTR", "clicks", "impressions", AT(clicks), AT(impressions), AT(ctr),
		SIGNIFICANCE_BINOMIAL, .shown = SHOWN_PERCENT, .factor = 1 },
	[FIGURE_CONVERSION_RATE] = { "conversion_rate", "conversion rate", "conversions", "clicks",
		AT(conversions), AT(clicks), AT(conversion_rate), SIGNIFICANCE_BINOMIAL,
		.shown = SHOWN_PERCENT, .factor = 1 },
	/* The price of a click varies from day to day, not with the number of clicks. */
	[FIGURE_CPC] = { "cpc", "CPC", "clicks", "spent", AT(clicks), AT(spend), AT(cpc), SIGNIFICANCE_AMOUNT,
		.inverted = true, .shown = SHOWN_MONEY, .factor = 1 },
	[FIGURE_CPM] = { "cpm", "CPM", "impressions", "spent", AT(impressions), AT(spend), SIZE_MAX,
		SIGNIFICANCE_AMOUNT, .inverted = true, .shown = SHOWN_MONEY, .factor = 1000 },
	[FIGURE_CPA] = { "cpa", "cost per conversion", "conversions", "spent", AT(conversions), AT(spend),
		AT(cpa), SIGNIFICANCE_POISSON, .inverted = true, .shown = SHOWN_MONEY, .factor = 1 },
	[FIGURE_ROI] = { "roi", "ROI", "revenue", "spent", AT(revenue), AT(spend), AT(roi),
		SIGNIFICANCE_AMOUNT, .linear = true, .shown = SHOWN_RATIO, .factor = 1 },
	[FIGURE_SPEND] = { "spend", "spending", "spent", "days", AT(spend), SIZE_MAX, SIZE_MAX,
		SIGNIFICANCE_AMOUNT, .shown = SHOWN_MONEY, .factor = 1 },
};

/* ---- figures of a fact ---- */

static double
member_of(const struct campaign_fact *fact, size_t at)
{
	return at == SIZE_MAX ? (double)NAN : *(const double *)(const void *)((const char *)fact + at);
}

static bool
is_counted(const struct figure *f, const struct campaign_fact *fact)
{
	double count = member_of(fact, f->count_at), exposure = member_of(fact, f->exposure_at);
	return isfinite(count) && isfinite(exposure) && exposure > 0;
}

struct reading
insight_reading(const struct campaign_facts *facts, enum insight_figure figure, int64_t campaign_id)
{
	struct reading r = { .figure = &figures[figure] };
	size_t counted = 0, entered = 0;
	for (size_t i = 0; i < facts->count; i++) {
		const struct campaign_fact *fact = &facts->facts[i];
		if (fact->campaign_id != campaign_id)
			continue;
		counted += is_counted(r.figure, fact);
		entered += isfinite(member_of(fact, r.figure->entered_at)) ? 1 : 0;
		r.over |= is_counted(r.figure, fact) &&
			  member_of(fact, r.figure->count_at) > member_of(fact, r.figure->exposure_at);
	}
	r.entered = counted == 0 && entered > 0;
	return r;
}

bool
insight_read(const struct reading *r, const struct campaign_fact *fact, double *count, double *exposure)
{
	const struct figure *f = r->figure;
	double value = r->entered ? member_of(fact, f->entered_at) : (double)NAN;
	if (r->entered) {
		*count = f->inverted ? 1 : value;
		*exposure = f->inverted ? value : 1;
	} else {
		*count = member_of(fact, f->count_at);
		*exposure = member_of(fact, f->exposure_at);
	}
	return isfinite(*count) && isfinite(*exposure) && *exposure > 0 && (f->linear || *count >= 0);
}

enum significance_chance
insight_chance(const struct reading *r)
{
	if (r->entered)
		return SIGNIFICANCE_AMOUNT;
	/* Conversions without a click of the day (seen, and bought later) make the rate one of independent counts. */
	return r->figure->chance == SIGNIFICANCE_BINOMIAL && r->over ? SIGNIFICANCE_POISSON
								     : r->figure->chance;
}

/* ---- texts as numbers ---- */

/* A table of texts: open addressing, numbers from 1 in order of appearance. */
struct texts {
	struct arena *a;
	struct str *text; /* by number */
	uint32_t *slot;
	size_t mask;
	uint32_t count;
};

static void
texts_init(struct texts *t, struct arena *a, size_t most)
{
	size_t size = 16;
	while (size < 2 * most)
		size *= 2;
	*t = (struct texts){ .a = a,
		.mask = size - 1,
		.slot = arena_alloc_array(a, size, sizeof *t->slot),
		.text = arena_alloc_array(a, most + 1, sizeof *t->text) };
}

static uint32_t
texts_number(struct texts *t, struct str s)
{
	size_t at = (size_t)str_hash(s) & t->mask;
	while (t->slot[at] && !str_eq(t->text[t->slot[at]], s))
		at = (at + 1) & t->mask;
	if (!t->slot[at]) {
		t->slot[at] = ++t->count;
		t->text[t->count] = arena_str(t->a, s);
	}
	return t->slot[at];
}

static uint32_t
dimension_number(struct groups *g, struct arena *a, struct str name)
{
	for (uint32_t i = 0; i < g->dimension_count; i++)
		if (str_eq_nocase(g->dimension[i], name))
			return i;
	if (g->dimension_count == DIMENSIONS_MAX)
		return DIMENSIONS_MAX;
	g->dimension[g->dimension_count] = arena_str(a, name);
	return g->dimension_count++;
}

static struct err *
further_read(struct arena *a, struct groups *g, struct texts *texts, struct str json, uint32_t *value)
{
	json_val *object, *v;
	struct str key;
	if (str_is_empty(json))
		return NULL;
	TRY(json_parse(a, json, &object));
	struct json_iter it = json_iter(object);
	while (json_next(&it, &key, &v)) {
		uint32_t d = dimension_number(g, a, key);
		if (d >= DIMENSION_FURTHER && d < DIMENSIONS_MAX && json_type_of(v) == JSON_STRING &&
			!str_is_empty(json_string(v)))
			value[d] = texts_number(&texts[d], json_string(v));
	}
	return NULL;
}

static struct err *
fact_number(struct arena *a, struct groups *g, struct texts *texts, const struct campaign_fact *fact,
	uint32_t *value)
{
	const struct str fixed[DIMENSION_FURTHER] = { [DIMENSION_CREATIVE] = fact->creative,
		[DIMENSION_CHANNEL] = fact->channel,
		[DIMENSION_SOURCE] = fact->source };
	for (uint32_t d = 0; d < DIMENSION_FURTHER; d++)
		if (!str_is_empty(fixed[d]))
			value[d] = texts_number(&texts[d], fixed[d]);
	return further_read(a, g, texts, fact->dimensions, value);
}

struct err *
insight_groups_make(struct arena *a, const struct campaign_facts *f, struct groups **out)
{
	struct groups *g = arena_new_of(a, struct groups);
	struct texts texts[DIMENSIONS_MAX], tuples;
	if (f->count > FACTS_MAX)
		return err_new(a, ERR_TOO_LARGE, "More than %d facts of a campaign.", FACTS_MAX);
	*g = (struct groups){ .facts = f,
		.dimension = { STR_INIT("creative"), STR_INIT("channel"), STR_INIT("source") },
		.dimension_count = DIMENSION_FURTHER };
	/* Rows of the full width first: the further dimensions show themselves only while reading. */
	g->value = arena_alloc_array(a, f->count * DIMENSIONS_MAX, sizeof *g->value);
	g->slice = arena_alloc_array(a, f->count, sizeof *g->slice);
	for (size_t d = 0; d < DIMENSIONS_MAX; d++)
		texts_init(&texts[d], a, f->count);
	texts_init(&tuples, a, f->count);
	for (size_t i = 0; i < f->count; i++) {
		uint32_t *value = &g->value[i * DIMENSIONS_MAX];
		TRY(fact_number(a, g, texts, &f->facts[i], value));
		struct str tuple = { (const char *)value, DIMENSIONS_MAX * sizeof *value };
		g->slice[i] = texts_number(&tuples, tuple) - 1;
	}
	for (size_t d = 0; d < DIMENSIONS_MAX; d++) {
		g->name[d] = texts[d].text;
		g->values[d] = texts[d].count;
	}
	g->slices = tuples.count;
	*out = g;
	return NULL;
}

uint32_t
insight_dimension(const struct groups *g, struct str name)
{
	for (uint32_t i = 0; i < g->dimension_count; i++)
		if (str_eq_nocase(g->dimension[i], name))
			return i;
	return g->dimension_count;
}
