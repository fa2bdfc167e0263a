/* Figures, dates and names of a report as texts. Numbers are rounded as decimals, never as doubles. */
#include "base/time.h"
#include "domain/campaign/report_view.h"

#define DASH  "\xE2\x80\x93" /* en dash */
#define MINUS "\xE2\x88\x92"
#define NBSP  "\xC2\xA0"
#define DOT   " \xC2\xB7 "

const json_val *
view_member(const json_val *object, const char *key)
{
	const json_val *v = json_get(object, str_from_cstr(key));

	return v && json_type_of(v) != JSON_NULL ? v : NULL;
}

struct json_iter
view_iter(const json_val *array_or_object)
{
	return array_or_object ? json_iter(array_or_object) : (struct json_iter){ 0 };
}

size_t
view_count(const json_val *array_or_object)
{
	return array_or_object ? json_count(array_or_object) : 0;
}

struct str
view_text(const json_val *object, const char *key)
{
	const json_val *v = view_member(object, key);

	return v && json_type_of(v) == JSON_STRING ? json_string(v) : (struct str){ "", 0 };
}

/* ---- numbers ---- */

static struct str
grouped(struct arena *a, struct decimal d)
{
	struct buf plain, out;

	buf_init_arena(&plain, a, 64);
	buf_init_arena(&out, a, 128);
	decimal_write(&plain, d);
	struct str digits = buf_str(&plain);
	size_t whole = str_index(digits, '.', 0), i = 0;
	if (digits.p[0] == '-') {
		buf_add_lit(&out, MINUS);
		i = 1;
	}
	for (; i < digits.n; i++) {
		buf_add_byte(&out, digits.p[i]);
		if (i + 1 < whole && (whole - i - 1) % 3 == 0)
			buf_add_byte(&out, ',');
	}
	return buf_str(&out);
}

/* At most `most` decimals, at least `least`, and no more than needed between them. */
static struct decimal
shorten(struct decimal d, int32_t least, int32_t most)
{
	struct decimal s = d;

	if (s.scale > most && decimal_rescale(d, most, true, &s) != DECIMAL_OK)
		return d;
	while (s.scale > least && s.coef % 10 == 0) {
		s.coef /= 10;
		s.scale--;
	}
	if (s.scale < least && decimal_rescale(s, least, false, &s) != DECIMAL_OK)
		return d;
	return s;
}

/* Whether the size of d is less than limit's, which is positive. */
static bool
is_below(struct decimal d, struct decimal limit)
{
	return decimal_cmp(d, limit) < 0 && decimal_cmp(d, (struct decimal){ -limit.coef, limit.scale }) > 0;
}

/* A fraction in percent; a small one keeps digits that tell something. */
static struct str
percent(struct arena *a, struct decimal d)
{
	struct decimal p, hundred = { 100, 0 };

	if (!decimal_mul(d, hundred, d.scale, &p))
		return grouped(a, d);
	bool is_small = p.coef != 0 && is_below(p, (struct decimal){ 1, 1 });
	p = is_small ? shorten(p, 2, 4) : shorten(p, 2, 2);
	return arena_fmt(a, "%.*s" NBSP "%%", STR_ARG(grouped(a, p)));
}

struct str
view_number(struct arena *a, const json_val *number, struct str unit)
{
	struct decimal d;

	if (!number || json_type_of(number) != JSON_NUMBER)
		return STR(DASH);
	if (decimal_parse(json_number(number), &d) != DECIMAL_OK)
		return json_number(number);
	if (str_eq(unit, STR("ratio")))
		return percent(a, d);
	if (str_eq(unit, STR("factor")))
		return grouped(a, shorten(d, 2, is_below(d, (struct decimal){ 1, 0 }) ? 4 : 2));
	if (str_eq(unit, STR("count")) || str_eq(unit, STR("number")) || unit.n == 0)
		return grouped(a, shorten(d, 0, 6));
	if (str_eq(unit, STR("id")))
		return json_number(number);
	if (str_eq(unit, STR("%")))
		return arena_fmt(a, "%.*s" NBSP "%%", STR_ARG(grouped(a, shorten(d, 0, 4))));
	return arena_fmt(a, "%.*s" NBSP "%.*s", STR_ARG(grouped(a, d)), STR_ARG(unit));
}

struct str
view_share(struct arena *a, const json_val *number)
{
	struct decimal d, hundred = { 100, 0 };

	if (decimal_parse(json_number(number), &d) != DECIMAL_OK || !decimal_mul(d, hundred, 1, &d))
		return STR(DASH);
	return arena_fmt(a, "%.*s" NBSP "%%", STR_ARG(grouped(a, d)));
}

struct str
view_change(struct arena *a, const json_val *v)
{
	struct decimal d;

	if (!v || json_type_of(v) != JSON_NUMBER || decimal_parse(json_number(v), &d) != DECIMAL_OK)
		return STR(DASH);
	return arena_fmt(a, "%s%.*s" NBSP "%%", d.coef > 0 ? "+" : "", STR_ARG(grouped(a, d)));
}

/* ---- dates ---- */

static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December" };

static struct str
spelled(struct arena *a, struct date d)
{
	struct civil c = date_to_civil(d);

	return arena_fmt(a, "%d %s %d", c.day, months[c.month - 1], c.year);
}

struct str
view_date(struct arena *a, struct str text)
{
	struct date d;

	return date_parse(text, &d) ? spelled(a, d) : text;
}

struct str
view_instant(struct arena *a, struct str text)
{
	struct instant t;

	if (!instant_parse(text, zone_utc(), &t))
		return text;
	struct date d = zone_date(zone_utc(), t);
	int64_t minutes = (t.us - (int64_t)d.days * INSTANT_DAY) / (60 * INSTANT_SECOND);
	return arena_fmt(
		a, "%.*s, %02d:%02d UTC", STR_ARG(spelled(a, d)), (int)(minutes / 60), (int)(minutes % 60));
}

struct str
view_period(struct arena *a, const json_val *report)
{
	const json_val *p = view_member(report, "period");
	struct str from = view_date(a, view_text(p, "from")), to = view_date(a, view_text(p, "to"));

	if (from.n && to.n && !str_eq(from, to))
		return arena_fmt(a, "%.*s " DASH " %.*s", STR_ARG(from), STR_ARG(to));
	return from.n ? from : to;
}

/* ---- names ---- */

struct str
view_named(struct arena *a, const json_val *v, const char *kind)
{
	struct str name = view_text(v, "name");
	const json_val *id = view_member(v, "id");

	if (name.n)
		return name;
	return id && json_type_of(id) == JSON_NUMBER ? arena_fmt(a, "%s %.*s", kind, STR_ARG(json_number(id)))
						     : STR(DASH);
}

struct str
view_basis(struct arena *a, const json_val *figure)
{
	struct str basis = view_text(figure, "basis"), formula = view_text(figure, "formula");
	const json_val *count = view_member(figure, "values"), *entered = view_member(figure, "entered_mean");
	struct str n = view_number(a, count, STR("count"));
	const char *values = str_eq(n, STR("1")) ? "value" : "values";

	if (str_eq(basis, STR("sum")))
		return arena_fmt(a, "sum of %.*s %s", STR_ARG(n), values);
	if (str_eq(basis, STR("averaged")))
		return arena_fmt(a, "mean of %.*s entered %s", STR_ARG(n), values);
	if (!str_eq(basis, STR("computed")))
		return STR("no figure");
	if (!entered)
		return formula;
	return arena_fmt(a, "%.*s; entered: %.*s", STR_ARG(formula),
		STR_ARG(view_number(a, entered, view_text(figure, "unit"))));
}

enum draw_role
view_severity_role(struct str severity)
{
	if (str_eq(severity, STR("Critical")) || str_eq(severity, STR("High")))
		return DRAW_BAD;
	return str_eq(severity, STR("Medium")) ? DRAW_WARN : DRAW_QUIET;
}

/* ---- sentences ---- */

struct str
view_subtitle(struct arena *a, const json_val *report)
{
	const json_val *retro = view_member(report, "retrospective"), *team = view_member(retro, "team");
	struct str period = view_period(a, report);
	struct buf b;

	buf_init_arena(&b, a, 4000);
	buf_add_str(&b, period);
	buf_add_fmt(&b, "%sRetrospective %.*s", period.n ? DOT : "",
		STR_ARG(view_number(a, view_member(retro, "id"), STR("id"))));
	if (team)
		buf_add_fmt(&b, DOT "%.*s", STR_ARG(view_named(a, team, "Team")));
	return buf_str(&b);
}

struct str
view_state(struct arena *a, const json_val *report)
{
	const json_val *approval = view_member(report, "approval");

	if (!approval)
		return STR("Draft: figures may still change until the report is approved.");
	return arena_fmt(a, "Approved by %.*s on %.*s",
		STR_ARG(view_named(a, view_member(approval, "approved_by"), "person")),
		STR_ARG(view_instant(a, view_text(approval, "approved_at"))));
}

struct str
view_about(struct arena *a, const json_val *report)
{
	const json_val *values = view_member(view_member(report, "period"), "values");
	struct str currency = view_text(report, "currency");

	return arena_fmt(a,
		"Generated on %.*s from %.*s recorded values%s%.*s. Counts and amounts are sums. A ratio is "
		"computed from the sums of its "
		"parts where both were recorded (CTR is clicks / impressions); otherwise it is the mean of "
		"the values that were entered, "
		"and says so. Changes are against the mean of the team's earlier campaigns%s",
		STR_ARG(view_instant(a, view_text(report, "generated_at"))),
		STR_ARG(view_number(a, values, STR("count"))), currency.n ? ", amounts in " : "",
		STR_ARG(currency),
		view_count(view_member(report, "earlier_campaigns")) ? ":" : "; there are none with values.");
}

struct str
view_earlier_line(struct arena *a, const json_val *campaign)
{
	struct str from = view_date(a, view_text(campaign, "start_date")),
		   to = view_date(a, view_text(campaign, "end_date"));
	struct str name = view_text(campaign, "name");

	if (!from.n && !to.n)
		return name;
	return arena_fmt(a, "%.*s (%.*s%s%.*s)", STR_ARG(name), STR_ARG(from),
		from.n && to.n ? " " DASH " " : "", STR_ARG(to));
}

/* ---- evidence ---- */

struct flattening {
	struct arena *a;
	struct view_pair *pairs;
	size_t count, left_out;
};

#define FLATTEN_DEPTH 4

/* "p_value" → "p value" */
static struct str
worded(struct arena *a, struct str key)
{
	char *out = arena_alloc(a, key.n + 1);

	for (size_t i = 0; i < key.n; i++)
		out[i] = key.p[i] == '_' ? ' ' : key.p[i];
	return (struct str){ out, key.n };
}

static struct str
plain_value(struct arena *a, const json_val *v)
{
	struct buf b;

	if (json_type_of(v) == JSON_STRING)
		return json_string(v);
	if (json_type_of(v) == JSON_NUMBER)
		return view_number(a, v, STR(""));
	if (json_type_of(v) == JSON_BOOL)
		return json_bool(v) ? STR("yes") : STR("no");
	if (json_type_of(v) == JSON_NULL)
		return STR(DASH);
	buf_init_arena(&b, a, 2000);
	json_write_val(&b, v);
	return buf_str(&b);
}

static void
flatten(struct flattening *f, struct str name, const json_val *v, int depth)
{
	struct json_iter it;
	struct str key;
	json_val *child;
	enum json_type type = json_type_of(v);

	if ((type != JSON_OBJECT && type != JSON_ARRAY) || depth == FLATTEN_DEPTH) {
		if (f->count == VIEW_EVIDENCE_MAX)
			f->left_out++;
		else
			f->pairs[f->count++] = (struct view_pair){ name, plain_value(f->a, v) };
		return;
	}
	it = view_iter(v);
	for (size_t i = 1; json_next(&it, type == JSON_OBJECT ? &key : NULL, &child); i++) {
		struct str own = type == JSON_OBJECT ? worded(f->a, key) : arena_fmt(f->a, "%zu", i);
		flatten(f, name.n ? arena_fmt(f->a, "%.*s " DASH " %.*s", STR_ARG(name), STR_ARG(own)) : own,
			child, depth + 1);
	}
}

struct view_pair *
view_evidence(struct arena *a, const json_val *evidence, size_t *count, size_t *left_out)
{
	struct flattening f = { .a = a };

	f.pairs = arena_alloc_array(a, VIEW_EVIDENCE_MAX, sizeof(*f.pairs));
	if (evidence && json_type_of(evidence) != JSON_NULL)
		flatten(&f, (struct str){ "", 0 }, evidence, 0);
	*count = f.count;
	*left_out = f.left_out;
	return f.pairs;
}
