/*
 * Values of campaigns from JSON. Nothing is stored here, and metrics are only looked up: what a value has to be (its sign, its digits) is
 * known from the metric or, before its first use, from its name.
 */
#include "base/number.h"
#include "domain/campaign/campaign_parts.h"
#include "domain/kpi/value.h"

#define SOURCE_CHARS_MAX 255
#define METRICS_MAX	 100 /* in one request: each may become a KPI */

struct parse {
	struct res_ctx *c;
	int64_t campaign_id;
	bool is_array;
	size_t index;
	struct err *faults;
	struct campaign_metric metrics[METRICS_MAX];
	size_t metric_count;
};

/* ---- faults ---- */

static bool
is_told(const struct parse *p, struct str field)
{
	for (const struct err_field *f = p->faults ? p->faults->fields : NULL; f; f = f->next)
		if (str_eq(f->field, field))
			return true;
	return false;
}

static void
fault(struct parse *p, const char *name, const char *message)
{
	struct str field = str_from_cstr(name);

	if (p->is_array)
		err_add_field(p->c->arena, &p->faults, arena_fmt(p->c->arena, "[%zu].%s", p->index, name),
			"%s", message);
	if (!is_told(p, field))
		err_add_field(p->c->arena, &p->faults, field, "%s", message);
}

static bool
is_full(const struct parse *p)
{
	size_t n = 0;
	for (const struct err_field *f = p->faults ? p->faults->fields : NULL; f; f = f->next)
		n++;
	return n >= LIMIT_FIELD_ERRORS;
}

/* ---- members ---- */

static bool
is_absent(const json_val *v)
{
	return !v || json_type_of(v) == JSON_NULL;
}

static void
parse_campaign(struct parse *p, const json_val *v)
{
	int64_t id = 0;

	if (is_absent(v))
		return;
	bool fine = json_type_of(v) == JSON_STRING ? str_to_int(json_string(v), &id) : json_int(v, &id);
	if (!fine)
		fault(p, "campaign_id", "A valid integer is required.");
	else if (id != p->campaign_id)
		fault(p, "campaign_id", "This is not the campaign of the path.");
}

/* A text of 1 to max characters; absent and empty are the same. False after a fault. */
static bool
parse_text(struct parse *p, const char *name, const json_val *v, size_t max, struct str *out)
{
	struct str text;

	if (is_absent(v))
		return true;
	if (json_type_of(v) != JSON_STRING) {
		fault(p, name, "Not a valid string.");
		return false;
	}
	text = str_trim(json_string(v));
	if (str_index(text, '\0', 0) < text.n) {
		fault(p, name, "Null characters are not allowed.");
		return false;
	}
	if (str_utf8_len(text) > max) {
		fault(p, name,
			arena_fmt(p->c->arena, "Ensure this field has no more than %zu characters.", max).p);
		return false;
	}
	*out = text;
	return true;
}

/* What is known of the metric; each name is looked up once a request. */
static struct err *
resolve(struct parse *p, struct str name, const struct campaign_metric **out)
{
	struct campaign_metric *m;
	bool found;

	for (size_t i = 0; i < p->metric_count; i++)
		if (str_eq(p->metrics[i].name, name)) {
			*out = &p->metrics[i];
			return NULL;
		}
	if (p->metric_count == METRICS_MAX) {
		fault(p, "metric",
			arena_fmt(p->c->arena, "Ensure there are no more than %d metrics in one request.",
				METRICS_MAX)
				.p);
		*out = &p->metrics[0];
		return NULL;
	}
	m = &p->metrics[p->metric_count++];
	TRY(campaign_metric_find(p->c, name, m, &found));
	if (!found)
		campaign_metric_known(p->c->arena, name, m);
	m->name = name;
	*out = m;
	return NULL;
}

static struct err *
parse_metric(struct parse *p, const json_val *v, struct str *name, const struct campaign_metric **out)
{
	static const struct campaign_metric unknown = { .part = METRIC_OTHER,
		.decimals = KPI_DECIMALS_DEFAULT };

	*out = &unknown;
	if (is_absent(v)) {
		fault(p, "metric", v ? "This field may not be null." : "This field is required.");
		return NULL;
	}
	if (!parse_text(p, "metric", v, CAMPAIGN_METRIC_CHARS_MAX, name))
		return NULL;
	if (str_is_empty(*name)) {
		fault(p, "metric", "This field may not be blank.");
		return NULL;
	}
	return resolve(p, *name, out);
}

/* The literal at the metric's decimals; measurements are rounded, also those that a program computed with too many digits. */
static enum decimal_fault
read_number(struct str literal, int32_t decimals, struct decimal *out)
{
	enum decimal_fault f = decimal_parse(literal, out);
	double v;

	if (f == DECIMAL_OK)
		return decimal_rescale(*out, decimals, true, out);
	if (f == DECIMAL_TOO_PRECISE && double_parse(literal, &v) && decimal_from_double(v, decimals, out))
		return DECIMAL_OK;
	return f == DECIMAL_TOO_PRECISE ? DECIMAL_TOO_LARGE : f;
}

static bool
is_whole(struct str literal)
{
	struct decimal d, whole;
	return decimal_parse(literal, &d) == DECIMAL_OK && decimal_rescale(d, 0, false, &whole) == DECIMAL_OK;
}

static void
parse_number(struct parse *p, const json_val *v, const struct campaign_metric *m, struct decimal *out)
{
	enum decimal_fault f = DECIMAL_NOT_A_NUMBER;
	struct str literal = STR("");

	if (is_absent(v)) {
		fault(p, "value", v ? "This field may not be null." : "This field is required.");
		return;
	}
	if (json_type_of(v) == JSON_NUMBER)
		literal = json_number(v);
	else if (json_type_of(v) == JSON_STRING)
		literal = json_string(v);
	if (literal.n)
		f = read_number(literal, (int32_t)m->decimals, out);
	if (f == DECIMAL_NOT_A_NUMBER)
		fault(p, "value", "A valid number is required.");
	else if (!m->is_signed && literal.p[0] == '-' &&
		 (f != DECIMAL_OK || out->coef != 0 || !is_whole(literal)))
		fault(p, "value", "Must be a positive number.");
	else if (f != DECIMAL_OK)
		fault(p, "value", "The number is too large.");
	else if (m->decimals == 0 && !is_whole(literal))
		fault(p, "value", "Must be a whole number.");
}

static void
parse_at(struct parse *p, const json_val *v, struct instant *out)
{
	*out = p->c->now;
	if (is_absent(v))
		return;
	if (json_type_of(v) != JSON_STRING || !instant_parse(json_string(v), p->c->actor->zone, out))
		fault(p, "recorded_at",
			"Datetime has wrong format. Use one of these formats instead: "
			"YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].");
}

/* Further dimensions; those that have members of their own are not repeated here. */
static void
parse_dimensions(struct parse *p, const json_val *v, struct str *out)
{
	static const char *const own[] = { "campaign", "source", "channel", "creative" };

	if (is_absent(v))
		return;
	if (json_type_of(v) == JSON_OBJECT)
		for (size_t i = 0; i < COUNT(own); i++)
			if (json_get(v, str_from_cstr(own[i]))) {
				fault(p, "dimensions",
					arena_fmt(p->c->arena, "\"%s\" has a place of its own.", own[i]).p);
				return;
			}
	struct err *e = kpi_dimensions_parse(p->c->arena, v, out);
	if (e)
		fault(p, "dimensions", arena_cstr(p->c->arena, e->message));
	else if (json_count(v) > CAMPAIGN_DIMENSIONS_MAX)
		fault(p, "dimensions",
			arena_fmt(p->c->arena, "Ensure there are no more than %d dimensions.",
				CAMPAIGN_DIMENSIONS_MAX)
				.p);
}

/* ---- elements ---- */

static struct err *
parse_one(struct parse *p, const json_val *v, struct campaign_value *out)
{
	const struct campaign_metric *m;

	*out = (struct campaign_value){ .campaign_id = p->campaign_id };
	if (json_type_of(v) != JSON_OBJECT) {
		err_add_field(p->c->arena, &p->faults,
			p->is_array ? arena_fmt(p->c->arena, "[%zu]", p->index) : STR("non_field_errors"),
			"Invalid data. Expected a dictionary, but got %s.", json_type_word(v));
		return NULL;
	}
	parse_campaign(p, json_get(v, STR("campaign_id")));
	TRY(parse_metric(p, json_get(v, STR("metric")), &out->metric, &m));
	parse_number(p, json_get(v, STR("value")), m, &out->value);
	parse_at(p, json_get(v, STR("recorded_at")), &out->recorded_at);
	(void)parse_text(
		p, "source", json_get(v, STR("source")), SOURCE_CHARS_MAX, &out->source); /* told already */
	(void)parse_text(p, "channel", json_get(v, STR("channel")), SOURCE_CHARS_MAX, &out->channel);
	(void)parse_text(p, "creative", json_get(v, STR("creative")), SOURCE_CHARS_MAX, &out->creative);
	parse_dimensions(p, json_get(v, STR("dimensions")), &out->dimensions);
	return NULL;
}

static struct err *
parse_array(struct parse *p, const json_val *body, struct campaign_value *out)
{
	json_val *v;

	for (struct json_iter it = json_iter(body); json_next(&it, NULL, &v) && !is_full(p); p->index++)
		TRY(parse_one(p, v, &out[p->index]));
	return NULL;
}

struct err *
campaign_values_parse(struct res_ctx *c, int64_t campaign_id, const json_val *body,
	struct campaign_value **out, size_t *count)
{
	struct parse *p = arena_new_of(c->arena, struct parse);

	p->c = c;
	p->campaign_id = campaign_id;
	p->is_array = body && json_type_of(body) == JSON_ARRAY;
	*count = p->is_array ? json_count(body) : 1;
	if (*count == 0)
		return err_field(c->arena, "non_field_errors", "This list may not be empty.");
	if (*count > CAMPAIGN_VALUES_MAX)
		return err_field(c->arena, "non_field_errors",
			"Ensure there are no more than %d values in one request.", CAMPAIGN_VALUES_MAX);
	*out = arena_alloc_array(c->arena, *count, sizeof **out);
	if (p->is_array)
		TRY(parse_array(p, body, *out));
	else
		TRY(parse_one(p, body, *out));
	return p->faults;
}
