/*
 * The sentences and the evidence of a finding. Templates name numbers in braces; each number is written as people of the trade write it:
 * three figures of a rate, whole per cents of a difference, thousands apart, p no finer than 0.001.
 */
#include "base/number.h"
#include "codec/json.h"
#include "domain/campaign/insight_parts.h"

#include <math.h>

enum { TEXT_MAX = 4000, EVIDENCE_MAX = 15000, NAME_SHOWN_MAX = 120 };

/* What a {slot} is written from. */
struct teller {
	struct buf *b;
	struct arena *a;
	const struct comparison *k;
	const struct campaign_facts *f;
};

/* ---- numbers ---- */

static void
put_significant(struct buf *b, struct arena *a, double v, int figures_shown)
{
	int digits = v != 0 && isfinite(v) ? figures_shown - 1 - (int)floor(log10(fabs(v))) : 0;
	struct str text = arena_fmt(a, "%.*f", digits < 0 ? 0 : digits > 9 ? 9 : digits, v);
	if (memchr(text.p, '.', text.n)) {
		while (text.p[text.n - 1] == '0')
			text.n--;
		text.n -= text.p[text.n - 1] == '.';
	}
	buf_add_str(b, text);
}

/* 1234567.5 as 1,234,567.50 with two decimals. */
static void
put_thousands(struct buf *b, struct arena *a, double v, int decimals)
{
	struct str text = arena_fmt(a, "%.*f", decimals, v);
	size_t sign = text.n && text.p[0] == '-', whole = str_index(text, '.', 0);
	for (size_t i = 0; i < text.n; i++) {
		if (i > sign && i < whole && (whole - i) % 3 == 0)
			buf_add_byte(b, ',');
		buf_add_byte(b, text.p[i]);
	}
}

static void
put_money(const struct teller *t, double v)
{
	put_thousands(t->b, t->a, v, fabs(v) < 0.1 && v != 0 ? 4 : 2);
	if (!str_is_empty(t->f->currency)) {
		buf_add_byte(t->b, ' ');
		buf_add_str(t->b, t->f->currency);
	}
}

static void
put_shown(const struct teller *t, double v)
{
	const struct figure *figure = t->k->figure;
	/* A rate above 1 was entered in per cent. */
	bool as_entered = t->k->value > 1 || t->k->reference > 1;
	if (!isfinite(v)) {
		buf_add_fmt(t->b, "no %s", figure->count);
		return;
	}
	switch (figure->shown) {
	case SHOWN_PERCENT:
		put_significant(t->b, t->a, as_entered ? v : 100 * v, 3);
		buf_add_lit(t->b, " %");
		break;
	case SHOWN_MONEY:
		put_money(t, v);
		break;
	case SHOWN_RATIO:
		put_significant(t->b, t->a, v, 3);
		break;
	}
}

static void
put_volume(const struct teller *t, double v, const char *what)
{
	if (t->k->entered) {
		buf_add_fmt(t->b, "%zu values", t->k->units);
	} else if (str_eq(str_from_cstr(what), STR("spent")) || str_eq(str_from_cstr(what), STR("revenue"))) {
		put_money(t, v);
		buf_add_fmt(t->b, " %s", what);
	} else {
		put_thousands(t->b, t->a, v, 0);
		buf_add_fmt(t->b, " %s", what);
	}
}

static void
put_effect(const struct teller *t)
{
	double percent = 100 * fabs(t->k->effect);
	if (!isfinite(percent))
		buf_add_lit(t->b, "far");
	else
		buf_add_fmt(t->b, "%.*f %%", percent < 3 ? 1 : 0, percent);
}

static void
put_p(const struct teller *t)
{
	if (t->k->corrected < 0.001)
		buf_add_lit(t->b, "p < 0.001");
	else
		buf_add_fmt(t->b, "p = %.3f", t->k->corrected);
}

/* ---- slots ---- */

static void
tell_member(const struct teller *t)
{
	struct str name = t->k->member;
	if (name.n > NAME_SHOWN_MAX) {
		name.n = str_utf8_prefix(str_sub(name, 0, NAME_SHOWN_MAX));
		buf_add_str(t->b, name);
		buf_add_lit(t->b, "…");
	} else {
		buf_add_str(t->b, name);
	}
}

static void
tell_dimension(const struct teller *t)
{
	buf_add_str(t->b, t->k->dimension);
}

static void
tell_dimension_first(const struct teller *t)
{
	struct str name = t->k->dimension;
	if (name.n && name.p[0] >= 'a' && name.p[0] <= 'z') {
		buf_add_byte(t->b, (char)(name.p[0] - 'a' + 'A'));
		name = str_sub(name, 1, name.n - 1);
	}
	buf_add_str(t->b, name);
}

static void
tell_value(const struct teller *t)
{
	put_shown(t, t->k->value);
}

static void
tell_reference(const struct teller *t)
{
	put_shown(t, t->k->reference);
}

static void
tell_count(const struct teller *t)
{
	put_volume(t, t->k->found.count, t->k->figure->count);
}

static void
tell_exposure(const struct teller *t)
{
	put_volume(t, t->k->found.exposure, t->k->figure->exposure);
}

static void
tell_days(const struct teller *t)
{
	buf_add_int(t->b, (int64_t)t->k->days);
}

static void
tell_day(const struct teller *t)
{
	date_write(t->b, t->k->day);
}

static void
tell_direction(const struct teller *t)
{
	bool up = t->k->effect > 0;
	if (t->k->rule->compare == COMPARE_BUDGET)
		buf_add_str(t->b, up ? STR("above") : STR("below"));
	else
		buf_add_str(t->b, up ? STR("rose") : STR("fell"));
}

static void
tell_best(const struct teller *t)
{
	if (str_is_empty(t->k->best))
		return;
	buf_add_lit(t->b, "; ");
	buf_add_str(t->b, str_sub(t->k->best, 0, str_utf8_prefix(str_sub(t->k->best, 0, NAME_SHOWN_MAX))));
	buf_add_lit(t->b, " does best");
}

static void
tell_recorded(const struct teller *t)
{
	if (isnan(t->k->p_value)) {
		buf_add_lit(t->b, " (as recorded)");
	} else {
		buf_add_lit(t->b, ", ");
		put_p(t);
	}
}

static void
tell_pace(const struct teller *t)
{
	bool over = t->k->effect > 0, ended = t->f->today.days > t->f->end.days;
	if (ended)
		buf_add_str(t->b,
			over ? STR("Watch the pace earlier next time, or plan a larger budget.")
			     : STR("Find out what kept the budget from being spent, or plan a smaller one."));
	else
		buf_add_str(t->b, over ? STR("Slow the spending down, or raise the budget.")
				       : STR("Find out what keeps the budget from being spent: bids, "
					     "approvals, audience size."));
}

static const struct slot {
	struct str name;
	void (*tell)(const struct teller *t);
} slots[] = {
	{ STR_INIT("member"), tell_member },
	{ STR_INIT("dimension"), tell_dimension },
	{ STR_INIT("Dimension"), tell_dimension_first },
	{ STR_INIT("effect"), put_effect },
	{ STR_INIT("value"), tell_value },
	{ STR_INIT("reference"), tell_reference },
	{ STR_INIT("count"), tell_count },
	{ STR_INIT("exposure"), tell_exposure },
	{ STR_INIT("p"), put_p },
	{ STR_INIT("days"), tell_days },
	{ STR_INIT("day"), tell_day },
	{ STR_INIT("direction"), tell_direction },
	{ STR_INIT("best"), tell_best },
	{ STR_INIT("recorded"), tell_recorded },
	{ STR_INIT("pace"), tell_pace },
};

static const struct slot *
slot_find(struct str name)
{
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
		if (str_eq(slots[i].name, name))
			return &slots[i];
	return NULL;
}

/* Splits off the text before the next {name}; false at the end. *name is empty when there is none behind the text. */
static bool
template_next(struct str *rest, struct str *text, struct str *name)
{
	size_t open, close;
	if (rest->n == 0)
		return false;
	open = str_index(*rest, '{', 0);
	close = str_index(*rest, '}', open);
	*text = str_sub(*rest, 0, open);
	*name = close < rest->n ? str_sub(*rest, open + 1, close - open - 1) : STR("");
	*rest = close < rest->n ? str_sub(*rest, close + 1, rest->n) : str_sub(*rest, rest->n, 0);
	return true;
}

bool
insight_text_is_known(struct str template, struct str *unknown)
{
	struct str text, name;
	while (template_next(&template, &text, &name))
		if (!str_is_empty(name) && !slot_find(name)) {
			*unknown = name;
			return false;
		}
	return true;
}

struct str
insight_text(struct arena *a, struct str template, const struct comparison *k, const struct campaign_facts *f)
{
	struct buf b;
	struct teller t = { &b, a, k, f };
	struct str text, name;
	buf_init_arena(&b, a, TEXT_MAX);
	while (template_next(&template, &text, &name)) {
		const struct slot *p = slot_find(name);
		buf_add_str(&b, text);
		if (p)
			p->tell(&t);
	}
	return buf_str(&b);
}

/* ---- evidence ---- */

/* Counts and amounts, as they were added up. */
static void
pair_number(struct json_out *o, struct str key, double v)
{
	json_key(o, key);
	json_put_double(o, v);
}

/* What was estimated: more than six digits would tell of the arithmetic, not of the campaign. */
static void
put_estimate(struct json_out *o, double v)
{
	char text[32];
	struct buf b = { .p = text, .cap = sizeof text, .max = sizeof text };
	double rounded;

	buf_add_fmt(&b, "%.6g", v);
	json_put_double(o, double_parse(buf_str(&b), &rounded) ? rounded : v);
}

static void
pair_estimate(struct json_out *o, struct str key, double v)
{
	json_key(o, key);
	put_estimate(o, v);
}

static const char *
basis_word(const struct comparison *k)
{
	if (k->test)
		return k->test;
	switch (k->found.basis) {
	case SIGNIFICANCE_BY_CHANCE:
		return "exact, mid-p";
	case SIGNIFICANCE_BY_SLICES:
		return "variation between slices, t";
	case SIGNIFICANCE_BY_DAYS:
		return "variation between days, t";
	case SIGNIFICANCE_BY_SPREAD:
		return "spread of the others, t";
	}
	return "";
}

static const char *
correction_word(enum significance_correction c)
{
	switch (c) {
	case SIGNIFICANCE_HOLM:
		return "Holm";
	case SIGNIFICANCE_BH:
		return "Benjamini-Hochberg";
	case SIGNIFICANCE_BY:
		return "Benjamini-Yekutieli";
	}
	return "";
}

static void
evidence_counts(struct json_out *o, const struct comparison *k)
{
	const struct significance_comparison *s = &k->found;
	if (k->entered) {
		json_pair_int(o, "values", (int64_t)k->units);
	} else if (s->exposure > 0) {
		json_pair_str(o, "counted", str_from_cstr(k->figure->count));
		pair_number(o, STR("count"), s->count);
		json_pair_str(o, "of", str_from_cstr(k->figure->exposure));
		pair_number(o, STR("exposure"), s->exposure);
		if (s->peer_exposure > 0) {
			pair_number(o, STR("peer_count"), s->peer_count);
			pair_number(o, STR("peer_exposure"), s->peer_exposure);
		}
	}
	if (s->slices > 0)
		json_pair_int(o, "slices", (int64_t)s->slices);
	if (s->days > 0)
		json_pair_int(o, "days", (int64_t)s->days);
}

static void
evidence_test(struct json_out *o, const struct comparison *k, size_t comparisons)
{
	json_pair_str(o, "test", str_from_cstr(isnan(k->p_value) ? "recorded figure" : basis_word(k)));
	if (isnan(k->p_value))
		return;
	if (!k->test && isfinite(k->found.df))
		pair_estimate(o, STR("degrees_of_freedom"), k->found.df);
	pair_estimate(o, STR("p_value"), k->p_value);
	pair_estimate(o, STR("corrected_p_value"), k->corrected);
	json_pair_str(o, "correction", str_from_cstr(correction_word(k->rule->correction)));
	json_pair_int(o, "comparisons", (int64_t)comparisons);
}

struct str
insight_evidence(struct arena *a, const struct comparison *k, size_t comparisons)
{
	struct buf b;
	struct json_out o;
	buf_init_arena(&b, a, EVIDENCE_MAX);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "figure", str_from_cstr(k->figure->word));
	if (!str_is_empty(k->dimension)) {
		json_pair_str(&o, "dimension", k->dimension);
		json_pair_str(&o, "member", k->member);
	}
	pair_estimate(&o, STR("value"), k->value);
	pair_estimate(&o, STR("reference"), k->reference);
	pair_estimate(&o, STR("effect"), k->effect);
	if (isfinite(k->low) && isfinite(k->high)) {
		json_key(&o, STR("interval_95"));
		json_begin_array(&o);
		put_estimate(&o, k->low);
		put_estimate(&o, k->high);
		json_end_array(&o);
	}
	evidence_counts(&o, k);
	if (!str_is_empty(k->adjusted)) {
		json_key(&o, STR("within"));
		json_put_raw(&o, k->adjusted);
	}
	evidence_test(&o, k, comparisons);
	json_end_object(&o);
	return buf_str(&b);
}
