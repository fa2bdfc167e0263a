/*
 * A KPI's values over HTTP: enter (one, many, CSV), list raw or by calendar interval, correct, delete. CSV and JSON arrive at one route,
 * told apart by the content type.
 */
#include "api/kpi_answers.h"
#include "api/registry.h"
#include "base/limits.h"
#include "domain/campaign/campaign.h"
#include "domain/kpi/value.h"

#define VALUES_LIMIT_DEFAULT 1000
#define VALUES_LIMIT_MAX     10000

static void
write_value(struct api_ctx *c, const struct kpi_value *v)
{
	struct json_out *o = &c->json;

	json_begin_object(o);
	json_pair_str(o, "id", kpi_value_id(c->res.arena, v));
	answer_instant(o, STR("at"), v->at);
	answer_decimal(o, STR("value"), true, v->value);
	json_key(o, STR("dimensions"));
	if (str_is_empty(v->dimensions))
		json_put_raw(o, STR("{}"));
	else
		json_put_raw(o, v->dimensions);
	json_key(o, STR("note"));
	if (v->note.p)
		json_put_str(o, v->note);
	else
		json_put_null(o);
	answer_instant(o, STR("recorded_at"), v->recorded_at);
	json_end_object(o);
}

/* ---- entering ---- */

static struct err *
parse_array(
	struct api_ctx *c, const struct kpi *k, const json_val *body, struct kpi_value **out, size_t *count)
{
	struct err *e = NULL;
	struct json_iter it = json_iter(body);
	json_val *v;

	*count = json_count(body);
	if (*count > LIMIT_BULK_VALUES)
		return err_field(c->res.arena, "values",
			"Ensure there are no more than %d values in one request.", LIMIT_BULK_VALUES);
	*out = arena_alloc_array(c->res.arena, *count, sizeof **out);
	for (size_t i = 0; json_next(&it, NULL, &v); i++) {
		struct err *fault = NULL;
		kpi_value_parse(&c->res, k, v, STR(""), &(*out)[i], &fault);
		if (fault) /* once more, to tell where it stands */
			kpi_value_parse(&c->res, k, v, arena_fmt(c->res.arena, "[%zu].", i), &(*out)[i], &e);
	}
	return e;
}

static bool
has_type(struct str content_type, struct str wanted)
{
	struct str type = str_trim(str_sub(content_type, 0, str_index(content_type, ';', 0)));
	return str_eq_nocase(type, wanted);
}

static struct err *
csv_of_multipart(struct api_ctx *c, struct str type, struct str *csv)
{
	struct form_part *parts;
	size_t count;

	TRY(multipart_parse(c->res.arena, type, c->request->body, 16, &parts, &count));
	for (size_t i = 0; i < count; i++) {
		if (str_eq(parts[i].name, STR("file"))) {
			*csv = parts[i].body;
			return NULL;
		}
	}
	return err_field(c->res.arena, "file", "No file was submitted.");
}

/* The body as values; *single when it was one JSON object. */
static struct err *
parse_body(struct api_ctx *c, const struct kpi *k, struct kpi_value **out, size_t *count, bool *single)
{
	struct str type = api_request_header(c, "Content-Type"), csv;
	struct err *e = NULL;
	json_val *body;

	*single = false;
	if (has_type(type, STR("text/csv")))
		return kpi_values_parse_csv(&c->res, k, c->request->body, out, count);
	if (has_type(type, STR("multipart/form-data"))) {
		TRY(csv_of_multipart(c, type, &csv));
		return kpi_values_parse_csv(&c->res, k, csv, out, count);
	}
	if (type.n > 0 && !has_type(type, STR("application/json")))
		return err_new(c->res.arena, ERR_UNSUPPORTED_MEDIA_TYPE,
			"Unsupported media type \"%.*s\" in request.", STR_ARG(type));
	TRY(json_parse(c->res.arena, c->request->body, &body));
	if (json_type_of(body) == JSON_ARRAY)
		return parse_array(c, k, body, out, count);
	*single = true;
	*count = 1;
	*out = arena_new_of(c->res.arena, struct kpi_value);
	kpi_value_parse(&c->res, k, body, STR(""), *out, &e);
	return e;
}

static struct api_done *
values_post(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct kpi_value *v;
	size_t n = 0;
	bool single = false;
	struct err *e = kpi_require(&c->res, c->path_params[0], KPI_MAY_SUBMIT, &k);

	if (!e)
		e = parse_body(c, &k, &v, &n, &single);
	if (!e)
		e = kpi_values_put(&c->res, &k, v, n);
	if (!e)
		e = campaign_values_recorded(&c->res, &k, v, n);
	if (e)
		return api_fail(c, e);
	if (single) {
		write_value(c, v);
		return api_json(c, 201);
	}
	struct instant first = v[0].at, last = v[0].at;
	for (size_t i = 1; i < n; i++) {
		first = v[i].at.us < first.us ? v[i].at : first;
		last = v[i].at.us > last.us ? v[i].at : last;
	}
	json_begin_object(&c->json);
	json_pair_str(&c->json, "kpi_id", k.id);
	json_pair_int(&c->json, "recorded", (int64_t)n);
	answer_instant(&c->json, STR("from"), first);
	answer_instant(&c->json, STR("to"), last);
	json_end_object(&c->json);
	return api_json(c, 201);
}

/* ---- reading ---- */

static const char *const interval_names[] = { "day", "week", "month", "quarter", "year", "raw", NULL };
#define INTERVAL_RAW 5

struct window {
	struct kpi_value_query q;
	int interval;
};

static void
parse_dimensions(struct api_ctx *c, struct kpi_value_query *q, struct err **e)
{
	struct str text = api_param(c, "dimensions");
	json_val *v;

	if (!text.p)
		return;
	struct err *fault = json_parse(c->res.arena, text, &v);
	if (!fault)
		fault = kpi_dimensions_parse(c->res.arena, v, &q->dimensions);
	if (fault)
		err_add_field(c->res.arena, e, STR("dimensions"), "%.*s", STR_ARG(fault->message));
	q->has_dimensions = true;
}

/* A date alone names its whole day, at both ends. */
static void
parse_bound(struct api_ctx *c, const char *name, bool end, bool *given, struct instant *out, struct err **e)
{
	struct str text = api_param(c, name);
	struct date day;

	if (text.p && date_parse(text, &day)) {
		*out = zone_day_start(c->res.actor->zone, (struct date){ day.days + end });
		*given = true;
		return;
	}
	api_param_instant(c, name, out, given, e);
	if (*given && end)
		out->us++; /* the instant itself still belongs to it */
}

static struct err *
parse_window(struct api_ctx *c, struct window *w)
{
	struct err *e = NULL;

	*w = (struct window){ .interval = INTERVAL_RAW, .q.limit = VALUES_LIMIT_DEFAULT };
	api_param_enum(c, "interval", interval_names, &w->interval, &e);
	api_param_int(c, "skip", 0, INT32_MAX, &w->q.offset, &e);
	api_param_int(c, "limit", 1, VALUES_LIMIT_MAX, &w->q.limit, &e);
	api_param_bool(c, "descending", &w->q.descending, &e);
	parse_bound(c, "from", false, &w->q.has_from, &w->q.from, &e);
	parse_bound(c, "to", true, &w->q.has_to, &w->q.to, &e);
	parse_dimensions(c, &w->q, &e);
	if (!e && w->q.has_from && w->q.has_to && w->q.to.us <= w->q.from.us)
		err_add_field(c->res.arena, &e, STR("to"), "Ensure this is not before from.");
	return e;
}

static struct err *
answer_raw(struct api_ctx *c, const struct kpi *k, const struct window *w)
{
	struct kpi_value_list list;

	TRY(kpi_values_list(&c->res, k, &w->q, &list));
	answer_list_begin(&c->json);
	for (size_t i = 0; i < list.count; i++)
		write_value(c, &list.values[i]);
	answer_list_end(&c->json, list.total, w->q.offset, w->q.limit);
	return NULL;
}

static struct err *
answer_intervals(struct api_ctx *c, const struct kpi *k, const struct window *w)
{
	const struct zone *z = c->res.actor->zone;
	struct date first = date_from_civil((struct civil){ 1, 1, 1 }),
		    last = date_from_civil((struct civil){ 9999, 12, 31 });
	struct kpi_series s;

	if (w->q.has_from)
		first = zone_date(z, w->q.from);
	if (w->q.has_to)
		last = zone_date(z, (struct instant){ w->q.to.us - 1 });
	TRY(kpi_series_read(&c->res, k, w->q.has_dimensions && w->q.dimensions.n ? w->q.dimensions : STR("*"),
		first, last, (enum period)w->interval, &s));
	answer_list_begin(&c->json);
	for (size_t i = 0; i < s.count && (int64_t)i < w->q.offset + w->q.limit; i++) {
		const struct kpi_point *p = &s.points[w->q.descending ? s.count - 1 - i : i];
		if ((int64_t)i < w->q.offset)
			continue;
		json_begin_object(&c->json);
		answer_date(&c->json, STR("date"), p->start);
		answer_decimal(&c->json, STR("value"), true, p->value);
		json_pair_int(&c->json, "count", p->count);
		json_end_object(&c->json);
	}
	answer_list_end(&c->json, (int64_t)s.count, w->q.offset, w->q.limit);
	return NULL;
}

static struct api_done *
values_get(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct window w;
	struct err *e = parse_window(c, &w);

	if (!e)
		e = kpi_require(&c->res, c->path_params[0], KPI_MAY_VIEW, &k);
	/* A formula has no values of its own; its days are what comes closest. */
	if (!e && w.interval == INTERVAL_RAW && !str_is_empty(k.formula))
		w.interval = PERIOD_DAY;
	if (!e)
		e = w.interval == INTERVAL_RAW ? answer_raw(c, &k, &w) : answer_intervals(c, &k, &w);
	return e ? api_fail(c, e) : api_json(c, 200);
}

static struct api_done *
value_get(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct kpi_value v;
	struct err *e = kpi_require(&c->res, c->path_params[0], KPI_MAY_VIEW, &k);

	if (!e)
		e = kpi_value_find(&c->res, &k, c->path_params[1], &v);
	if (e)
		return api_fail(c, e);
	write_value(c, &v);
	return api_json(c, 200);
}

/* ---- correcting ---- */

/* What is not given stays: a correction mostly names the value alone. */
static struct err *
parse_correction(struct api_ctx *c, const struct kpi *k, const struct kpi_value *old, struct kpi_value *v)
{
	static const char *const instants[] = { "at", "timestamp", "recorded_at", "date" };
	struct err *e = NULL;
	bool has_at = false;

	kpi_value_parse(&c->res, k, c->body, STR(""), v, &e);
	for (size_t i = 0; i < COUNT(instants); i++)
		has_at = has_at || json_get(c->body, str_from_cstr(instants[i]));
	if (!has_at)
		v->at = old->at;
	if (!json_get(c->body, STR("dimensions")))
		v->dimensions = old->dimensions;
	if (!json_get(c->body, STR("note")))
		v->note = old->note;
	return e;
}

static struct api_done *
value_put(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct kpi_value old, v;
	struct err *e = kpi_require(&c->res, c->path_params[0], KPI_MAY_SUBMIT, &k);

	if (!e)
		e = kpi_value_find(&c->res, &k, c->path_params[1], &old);
	if (!e)
		e = parse_correction(c, &k, &old, &v);
	if (!e)
		e = kpi_value_change(&c->res, &k, c->path_params[1], &v);
	if (!e)
		e = campaign_values_recorded(&c->res, &k, &v, 1);
	if (e)
		return api_fail(c, e);
	write_value(c, &v);
	return api_json(c, 200);
}

static struct api_done *
value_delete(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct err *e = kpi_require(&c->res, c->path_params[0], KPI_MAY_SUBMIT, &k);

	if (!e)
		e = kpi_value_remove(&c->res, &k, c->path_params[1]);
	return e ? api_fail(c, e) : api_no_content(c);
}

/* ---- routes ---- */

#define INSTANT_SCHEMA "{\"type\":\"string\",\"format\":\"date-time\"}"
#define INPUT_SCHEMA                                                                                     \
	"{\"type\":\"object\",\"required\":[\"value\"],\"properties\":{\"value\":{\"type\":\"number\"}," \
	"\"at\":" INSTANT_SCHEMA                                                                         \
	",\"dimensions\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"          \
	"\"note\":{\"type\":[\"string\",\"null\"],\"maxLength\":1000}}}"
#define VALUE_SCHEMA                                                                                         \
	"{\"type\":\"object\",\"required\":[\"id\",\"at\",\"value\",\"dimensions\"],\"properties\":{\"id\":" \
	"{\"type\":\"string\"},"                                                                             \
	"\"at\":" INSTANT_SCHEMA ",\"value\":{\"type\":\"number\"},\"dimensions\":{\"type\":\"object\"},"    \
	"\"note\":{\"type\":[\"string\",\"null\"]},\"recorded_at\":" INSTANT_SCHEMA "}}"
#define BULK_SCHEMA                                                                                         \
	"{\"type\":\"object\",\"required\":[\"kpi_id\",\"recorded\"],\"properties\":{\"kpi_id\":{\"type\":" \
	"\"string\"},"                                                                                      \
	"\"recorded\":{\"type\":\"integer\"},\"from\":" INSTANT_SCHEMA ",\"to\":" INSTANT_SCHEMA "}}"
#define POINT_SCHEMA                                                                                  \
	"{\"type\":\"object\",\"required\":[\"date\",\"value\",\"count\"],\"properties\":{\"date\":{" \
	"\"type\":\"string\","                                                                        \
	"\"format\":\"date\"},\"value\":{\"type\":\"number\"},\"count\":{\"type\":\"integer\"}}}"
#define LIST_SCHEMA                                                                                   \
	"{\"type\":\"object\",\"required\":[\"items\",\"total\",\"page\",\"pages\"],\"properties\":{" \
	"\"items\":{\"type\":"                                                                        \
	"\"array\",\"items\":{\"anyOf\":[" VALUE_SCHEMA "," POINT_SCHEMA                              \
	"]}},\"total\":{\"type\":\"integer\"},\"page\":{\"type\":\"integer\"},\"pages\":{\"type\":"   \
	"\"integer\"}}}"
#define INPUT_EXAMPLE "{\"value\":58635.56,\"at\":\"2010-12-01T00:00:00Z\",\"note\":\"first day\"}"
#define VALUE_EXAMPLE                                                                                        \
	"{\"id\":\"1291161600000000\",\"at\":\"2010-12-01T00:00:00Z\",\"value\":58635.56,\"dimensions\":{}," \
	"\"note\":\"first day\",\"recorded_at\":\"2024-06-15T09:00:00Z\"}"

static const struct api_param list_params[] = {
	{ "from", INSTANT_SCHEMA, "First instant, or first day of the company's calendar.", false },
	{ "to", INSTANT_SCHEMA, "Last instant, or last day; both belong to it.", false },
	{ "interval",
		"{\"type\":\"string\",\"enum\":[\"raw\",\"day\",\"week\",\"month\",\"quarter\",\"year\"],"
		"\"default\":\"raw\"}",
		"Values as entered, or one figure a calendar interval by the KPI's aggregation.", false },
	{ "dimensions", "{\"type\":\"string\"}", "Only values of exactly these dimensions, as a JSON object.",
		false },
	{ "skip", "{\"type\":\"integer\",\"minimum\":0,\"default\":0}", "Items passed over.", false },
	{ "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000,\"default\":1000}",
		"Items at most.", false },
	{ "descending", "{\"type\":\"boolean\",\"default\":false}", "The latest first.", false },
	{ NULL, NULL, NULL, false },
};

static const struct api_route routes[] = {
	{ HTTP_POST, "/api/kpis/{kpi_id}/values", values_post, PERM_AUTHENTICATED, API_WRITE, API_BODY_RAW,
		.summary = "Enter values",
		.doc = "One JSON object, an array of up to 10,000, or CSV (text/csv, or multipart with the "
		       "part file) with a header row: "
		       "at, value, optionally note; every other column is a dimension. All or nothing. The "
		       "same instant and dimensions "
		       "replace. Needs SUBMIT_VALUE, MANAGE_KPI, ownership or an assignment with can_edit.",
		.request_schema =
			"{\"oneOf\":[" INPUT_SCHEMA ",{\"type\":\"array\",\"items\":" INPUT_SCHEMA "}]}",
		.request_example = INPUT_EXAMPLE,
		.answer_schema = "{\"anyOf\":[" VALUE_SCHEMA "," BULK_SCHEMA "]}",
		.answer_example = VALUE_EXAMPLE, .streams_body = true },
	{ HTTP_GET, "/api/kpis/{kpi_id}/values", values_get, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		.summary = "List values", .params = list_params, .answer_schema = LIST_SCHEMA,
		.answer_example = "{\"items\":[" VALUE_EXAMPLE "],\"total\":1,\"page\":1,\"pages\":1}" },
	{ HTTP_GET, "/api/kpis/{kpi_id}/values/{value_id}", value_get, PERM_AUTHENTICATED, API_READ,
		API_BODY_NONE, .summary = "Read a value", .answer_schema = VALUE_SCHEMA,
		.answer_example = VALUE_EXAMPLE },
	{ HTTP_PUT, "/api/kpis/{kpi_id}/values/{value_id}", value_put, PERM_AUTHENTICATED, API_WRITE,
		API_BODY_JSON, .summary = "Correct a value",
		.doc = "What is not given stays. Another instant or dimensions move it.",
		.request_schema = INPUT_SCHEMA, .request_example = "{\"value\":58635.57}",
		.answer_schema = VALUE_SCHEMA, .answer_example = VALUE_EXAMPLE },
	{ HTTP_DELETE, "/api/kpis/{kpi_id}/values/{value_id}", value_delete, PERM_AUTHENTICATED, API_WRITE,
		API_BODY_NONE, .summary = "Delete a value" },
};

const struct api_routes value_routes = { routes, COUNT(routes), "KPI values",
	"Measured values and their figures by calendar interval." };
