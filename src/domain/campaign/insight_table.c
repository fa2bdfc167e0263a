/*
 * The rules as data: the table that the binary carries (insight_rules.json), read with the company's changes on top. A fault in the built-in
 * table is a programmer error that the tests find; one in the company's changes is told by rule and parameter, all at once.
 */
#include "base/asset.h"
#include "codec/json.h"
#include "domain/campaign/insight_parts.h"

#include "base/number.h"
#include <math.h>

enum { RULES_MAX = 500, CHANGES_BYTES_MAX = 65536 };

static const char *const compare_words[] = { "peers", "target", "earlier", "trend", "change", "budget" };
static const char *const correction_words[] = { "holm", "bh", "by" };

static const struct parameter {
	struct str name;
	size_t at;
	double low, high, preset;
} parameters[] = {
#define PARAMETER_ROW(name, low, high, preset) \
	{ STR_INIT(#name), offsetof(struct insight_rule, name), low, high, preset },
	INSIGHT_PARAMETERS(PARAMETER_ROW)
#undef PARAMETER_ROW
};

struct str
insight_table_text(void)
{
	const struct asset *asset = asset_find(&insight_assets, STR("insight_rules.json"));
	check(asset != NULL);
	return asset->bytes;
}

static double *
parameter_of(struct insight_rule *r, const struct parameter *p)
{
	return (double *)(void *)((char *)r + p->at);
}

static const struct parameter *
parameter_find(struct str name)
{
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
		if (str_eq(parameters[i].name, name))
			return &parameters[i];
	return NULL;
}

/* ---- one rule ---- */

/* A member's fault: "rules.ai_rule_001.medium". */
static void
fault(struct arena *a, struct err **e, struct str rule, struct str key, const char *text)
{
	struct str field = key.n ? arena_fmt(a, "rules.%.*s.%.*s", STR_ARG(rule), STR_ARG(key))
				 : arena_fmt(a, "rules.%.*s", STR_ARG(rule));
	err_add_field(a, e, field, "%s", text);
}

static bool
word_find(const char *const *words, size_t count, const json_val *v, int *out)
{
	for (size_t i = 0; json_type_of(v) == JSON_STRING && i < count; i++)
		if (str_eq(json_string(v), str_from_cstr(words[i]))) {
			*out = (int)i;
			return true;
		}
	return false;
}

static void
parameter_set(
	struct arena *a, struct err **e, struct insight_rule *r, const struct parameter *p, const json_val *v)
{
	double number;
	if (json_type_of(v) != JSON_NUMBER || !double_parse(json_number(v), &number)) {
		fault(a, e, r->id, p->name, "A valid number is required.");
	} else if (!(number >= p->low && number <= p->high)) {
		struct buf b;
		buf_init_arena(&b, a, 200);
		buf_add_lit(&b, "Must be between ");
		double_write(&b, p->low);
		buf_add_lit(&b, " and ");
		double_write(&b, p->high);
		buf_add_lit(&b, ".");
		buf_add_byte(&b, 0);
		fault(a, e, r->id, p->name, b.p);
	} else {
		*parameter_of(r, p) = number;
	}
}

static void
text_set(struct arena *a, struct err **e, struct insight_rule *r, struct str key, const json_val *v)
{
	struct str text = json_type_of(v) == JSON_STRING ? json_string(v) : STR(""), unknown;
	if (str_is_empty(text))
		fault(a, e, r->id, key, "Not a valid string.");
	else if (str_eq(key, STR("type")))
		r->type = text;
	else if (str_eq(key, STR("dimension")))
		r->dimension = text;
	else if (!insight_text_is_known(text, &unknown))
		fault(a, e, r->id, key, "Names a number that no rule has.");
	else if (str_eq(key, STR("summary")))
		r->summary = text;
	else
		r->suggestion = text;
}

static bool
is_text_key(struct str key)
{
	return str_eq(key, STR("type")) || str_eq(key, STR("dimension")) || str_eq(key, STR("summary")) ||
	       str_eq(key, STR("suggestion"));
}

static bool
choice_set(struct insight_rule *r, struct str key, const json_val *v, bool *known)
{
	const char *figure_words[FIGURE_COUNT];
	int choice = 0;
	for (int i = 0; i < FIGURE_COUNT; i++)
		figure_words[i] = figures[i].word;
	*known = true;
	if (str_eq(key, STR("figure"))) {
		bool is = word_find(figure_words, FIGURE_COUNT, v, &choice);
		r->figure = (enum insight_figure)choice;
		return is;
	}
	if (str_eq(key, STR("compare"))) {
		bool is = word_find(compare_words, sizeof compare_words / sizeof *compare_words, v, &choice);
		r->compare = (enum insight_compare)choice;
		return is;
	}
	if (str_eq(key, STR("correction"))) {
		bool is = word_find(
			correction_words, sizeof correction_words / sizeof *correction_words, v, &choice);
		r->correction = (enum significance_correction)choice;
		return is;
	}
	*known = false;
	return false;
}

static void
member_set(struct arena *a, struct err **e, struct insight_rule *r, struct str key, const json_val *v)
{
	const struct parameter *p = parameter_find(key);
	bool known = true;
	if (p) {
		parameter_set(a, e, r, p, v);
	} else if (str_eq(key, STR("enabled"))) {
		if (json_type_of(v) == JSON_BOOL)
			r->enabled = json_bool(v);
		else
			fault(a, e, r->id, key, "Must be a valid boolean.");
	} else if (is_text_key(key)) {
		text_set(a, e, r, key, v);
	} else if (!str_eq(key, STR("id")) && !choice_set(r, key, v, &known)) {
		fault(a, e, r->id, key, known ? "Not a valid choice." : "No rule has this.");
	}
}

/* What a rule must have beside single good values. */
static void
rule_check(struct arena *a, struct err **e, const struct insight_rule *r)
{
	if (!(r->medium <= r->high && r->high <= r->critical))
		fault(a, e, r->id, STR("high"), "The steps of severity must rise: medium, high, critical.");
	if (str_is_empty(r->type) || str_is_empty(r->summary) || str_is_empty(r->suggestion))
		fault(a, e, r->id, STR("summary"), "Type, summary and suggestion are required.");
	if (r->compare == COMPARE_PEERS && str_is_empty(r->dimension))
		fault(a, e, r->id, STR("dimension"), "Peers are members of a dimension.");
	if ((r->figure == FIGURE_SPEND) != (r->compare == COMPARE_BUDGET))
		fault(a, e, r->id, STR("figure"),
			"The budget is compared with what was spent, and nothing else is.");
}

static void
rule_read(struct arena *a, struct err **e, const json_val *row, struct insight_rule *r)
{
	struct json_iter it = json_iter(row);
	struct str key;
	json_val *v, *id = json_get(row, STR("id"));
	*r = (struct insight_rule){ .enabled = true, .correction = SIGNIFICANCE_BH };
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
		*parameter_of(r, &parameters[i]) = parameters[i].preset;
	if (!id || json_type_of(id) != JSON_STRING || str_is_empty(json_string(id))) {
		fault(a, e, STR("id"), STR(""), "Every rule has an id.");
		return;
	}
	r->id = json_string(id);
	while (json_next(&it, &key, &v))
		member_set(a, e, r, key, v);
	rule_check(a, e, r);
}

/* ---- the company's changes ---- */

static struct insight_rule *
rule_find(struct insight_rule *rules, size_t count, struct str id)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(rules[i].id, id))
			return &rules[i];
	return NULL;
}

static void
change_apply(struct arena *a, struct err **e, struct insight_rule *r, const json_val *change)
{
	struct json_iter it = json_iter(change);
	struct str key;
	json_val *v;
	struct err *before = *e;
	while (json_next(&it, &key, &v)) {
		if (parameter_find(key) || str_eq(key, STR("enabled")))
			member_set(a, e, r, key, v);
		else
			fault(a, e, r->id, key, "Not a parameter of a rule.");
	}
	if (*e == before)
		rule_check(a, e, r);
}

static struct err *
changes_apply(struct arena *a, struct str text, struct insight_rule *rules, size_t count)
{
	json_val *changes, *change;
	struct err *e = NULL;
	struct str id;
	if (text.n > CHANGES_BYTES_MAX)
		return err_field(a, "rules", "Must have at most %d bytes.", CHANGES_BYTES_MAX);
	TRY(json_parse(a, text, &changes));
	if (json_type_of(changes) != JSON_OBJECT)
		return err_field(a, "rules", "Expected a dictionary of rules.");
	struct json_iter it = json_iter(changes);
	while (json_next(&it, &id, &change)) {
		struct insight_rule *r = rule_find(rules, count, id);
		if (!r)
			fault(a, &e, id, STR(""), "There is no such rule.");
		else if (json_type_of(change) != JSON_OBJECT)
			fault(a, &e, id, STR(""), "Expected a dictionary of parameters.");
		else
			change_apply(a, &e, r, change);
	}
	return e;
}

struct err *
insight_table_read(
	struct arena *a, struct str table, struct str changes, struct insight_rule **out, size_t *count)
{
	json_val *rows, *row;
	struct err *e = NULL;
	size_t n = 0;
	TRY(json_parse(a, table, &rows));
	if (json_type_of(rows) != JSON_ARRAY || json_count(rows) > RULES_MAX)
		return err_field(a, "rules", "A table of at most %d rules is required.", RULES_MAX);
	struct insight_rule *rules = arena_alloc_array(a, json_count(rows), sizeof *rules);
	struct json_iter it = json_iter(rows);
	while (json_next(&it, NULL, &row)) {
		rule_read(a, &e, row, &rules[n]);
		if (rule_find(rules, n, rules[n].id))
			fault(a, &e, rules[n].id, STR("id"), "Two rules have this id.");
		n++;
	}
	if (!e && !str_is_empty(str_trim(changes)))
		e = changes_apply(a, changes, rules, n);
	if (e)
		return e;
	*out = rules;
	*count = n;
	return NULL;
}

struct err *
insight_rules_check(struct arena *a, struct str changes)
{
	struct insight_rule *rules;
	size_t count;
	return insight_table_read(a, insight_table_text(), changes, &rules, &count);
}
