/*
 * Campaigns, their metrics and their values over HTTP. The values are the retrospectives contract's; campaigns themselves, which that
 * contract takes for granted, are served beside it in the same dialect.
 */
#include "api/registry.h"
#include "domain/campaign/campaign.h"

#define VALUES_LIMIT_MAX 10000 /* of a bare array: more is read with skip and limit */

static struct err *
campaign_id_of(struct api_ctx *c, int64_t *out)
{
	struct str text = c->path_params[0];

	if (text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9' && str_to_int(text, out))
		return NULL;
	return err_word(err_new(c->res.arena, ERR_NOT_FOUND, ""), campaign_res.not_found);
}

static struct api_done *
answer_values(struct api_ctx *c, const struct campaign_value *v, size_t n, int status)
{
	json_begin_array(&c->json);
	for (size_t i = 0; i < n; i++)
		campaign_value_write(&c->json, c->res.arena, &v[i]);
	json_end_array(&c->json);
	return api_json(c, status);
}

static struct api_done *
values_post(struct api_ctx *c)
{
	int64_t id = 0;
	struct campaign_value *v = NULL;
	size_t n = 0;
	struct err *e = campaign_id_of(c, &id);

	if (!e)
		e = campaign_values_parse(&c->res, id, c->body, &v, &n);
	if (!e)
		e = campaign_values_put(&c->res, id, v, n);
	return e ? api_fail(c, e) : answer_values(c, v, n, 201);
}

static struct err *
read_query(struct api_ctx *c, struct campaign_value_query *q)
{
	struct err *e = NULL;
	bool has_from = false, has_to = false;

	*q = (struct campaign_value_query){ .limit = VALUES_LIMIT_MAX,
		.metric = str_trim(api_param(c, "metric")),
		.source = str_trim(api_param(c, "source")),
		.channel = str_trim(api_param(c, "channel")) };
	api_param_instant(c, "from", &q->from, &has_from, &e);
	api_param_instant(c, "to", &q->to, &has_to, &e);
	api_param_int(c, "skip", 0, INT32_MAX, &q->offset, &e);
	api_param_int(c, "limit", 1, VALUES_LIMIT_MAX, &q->limit, &e);
	if (!e && has_from && has_to && q->to.us <= q->from.us)
		err_add_field(c->res.arena, &e, STR("to"), "Ensure this is after from.");
	return e;
}

static struct err *
read_values(struct api_ctx *c, struct campaign_value **v, size_t *n)
{
	struct campaign_value_query q;
	struct campaign campaign = { 0 };
	int64_t id;

	TRY(read_query(c, &q));
	TRY(campaign_id_of(c, &id));
	TRY(campaign_find_for(&c->res, c->path_params[0], RES_READ, &campaign));
	return campaign_values_list(&c->res, id, &q, v, n);
}

static struct api_done *
values_get(struct api_ctx *c)
{
	struct campaign_value *v = NULL;
	size_t n = 0;
	struct err *e = read_values(c, &v, &n);
	return e ? api_fail(c, e) : answer_values(c, v, n, 200);
}

/* ---- campaigns ---- */

static struct api_done *
campaign_get(struct api_ctx *c)
{
	struct campaign k = { 0 };
	struct err *e = campaign_find_for(&c->res, c->path_params[0], RES_READ, &k);
	return e ? api_fail(c, e) : api_record(c, &k);
}

static struct err *
change(struct api_ctx *c, struct campaign *k)
{
	struct campaign old = { 0 };

	TRY(campaign_find_for(&c->res, c->path_params[0], RES_UPDATE, &old));
	TRY(api_check_match(c, &old));
	*k = old;
	TRY(res_parse(&c->res, &campaign_res, c->route->view, c->body, RES_MODE_MERGE, api_is_strict(c), k));
	return res_update(&c->res, &campaign_res, &old, k);
}

static struct api_done *
campaign_put(struct api_ctx *c)
{
	struct campaign k = { 0 };
	struct err *e = change(c, &k);
	return e ? api_fail(c, e) : api_record(c, &k);
}

/* ---- metrics ---- */

static struct err *
read_metric_body(struct api_ctx *c, struct str *name, bool *is_signed, bool *has_sign)
{
	struct err *e = NULL;
	const json_val *v = json_get(c->body, STR("name")), *sign = json_get(c->body, STR("signed"));

	if (v && json_type_of(v) == JSON_STRING)
		*name = str_trim(json_string(v));
	if (!v)
		err_add_field(c->res.arena, &e, STR("name"), "This field is required.");
	else if (json_type_of(v) != JSON_STRING || str_index(*name, '\0', 0) < name->n)
		err_add_field(c->res.arena, &e, STR("name"), "Not a valid string.");
	else if (str_is_empty(*name) || str_utf8_len(*name) > CAMPAIGN_METRIC_CHARS_MAX)
		err_add_field(c->res.arena, &e, STR("name"), "A metric's name has 1 to %d characters.",
			CAMPAIGN_METRIC_CHARS_MAX);
	*has_sign = sign && json_type_of(sign) == JSON_BOOL;
	if (*has_sign)
		*is_signed = json_bool(sign);
	else if (sign && json_type_of(sign) != JSON_NULL)
		err_add_field(c->res.arena, &e, STR("signed"), "Must be a valid boolean.");
	return e;
}

static struct err *
register_metric(struct api_ctx *c, struct campaign_metric *m)
{
	struct str name = { 0 };
	bool is_signed = false, has_sign = false;

	TRY(read_metric_body(c, &name, &is_signed, &has_sign));
	return campaign_metric_register(&c->res, name, has_sign ? &is_signed : NULL, m);
}

static struct api_done *
metric_post(struct api_ctx *c)
{
	struct campaign_metric m = { 0 };
	struct err *e = register_metric(c, &m);

	if (e)
		return api_fail(c, e);
	campaign_metric_write(&c->json, &m);
	return api_json(c, 201);
}

static struct api_done *
metrics_get(struct api_ctx *c)
{
	struct campaign_metric *m = NULL;
	size_t n = 0;
	struct err *e = campaign_metrics(&c->res, &m, &n);

	if (e)
		return api_fail(c, e);
	json_begin_array(&c->json);
	for (size_t i = 0; i < n; i++)
		campaign_metric_write(&c->json, &m[i]);
	json_end_array(&c->json);
	return api_json(c, 200);
}

/* ---- routes ---- */

#define INSTANT_SCHEMA "{\"type\":\"string\",\"format\":\"date-time\"}"
#define INPUT_SCHEMA                                                                                         \
	"{\"type\":\"object\",\"required\":[\"metric\",\"value\"],\"properties\":{\"campaign_id\":{"         \
	"\"type\":"                                                                                          \
	"\"integer\"},\"metric\":{\"type\":\"string\",\"maxLength\":100},\"value\":{\"type\":\"number\"},"   \
	"\"recorded_at\":" INSTANT_SCHEMA ",\"source\":{\"type\":[\"string\",\"null\"],\"maxLength\":255},"  \
	"\"channel\":{\"type\":[\"string\",\"null\"],\"maxLength\":255},\"creative\":{\"type\":[\"string\"," \
	"\"null\"],\"maxLength\":255},\"dimensions\":{\"type\":[\"object\",\"null\"],"                       \
	"\"additionalProperties\":"                                                                          \
	"{\"type\":\"string\"}}}}"
#define VALUE_SCHEMA                                                                                         \
	"{\"type\":\"object\",\"required\":[\"id\",\"campaign_id\",\"metric\",\"value\",\"recorded_at\","    \
	"\"source\","                                                                                        \
	"\"channel\"],\"properties\":{\"id\":{\"type\":\"integer\"},\"campaign_id\":{\"type\":\"integer\"}," \
	"\"metric\":{\"type\":\"string\"},\"value\":{\"type\":\"number\"},\"recorded_at\":" INSTANT_SCHEMA   \
	",\"source\":{\"type\":[\"string\",\"null\"]},\"channel\":{\"type\":[\"string\",\"null\"]},"         \
	"\"creative\":"                                                                                      \
	"{\"type\":\"string\"},\"dimensions\":{\"type\":\"object\",\"additionalProperties\":{\"type\":"      \
	"\"string\"}}}}"
#define INPUT_EXAMPLE                                                                                        \
	"{\"campaign_id\":123,\"metric\":\"ROI\",\"value\":2.45,\"source\":\"Facebook\",\"channel\":\"Paid " \
	"Social\","                                                                                          \
	"\"recorded_at\":\"2024-06-15T09:00:00Z\"}"
#define VALUE_EXAMPLE                                                                                      \
	"{\"id\":1,\"campaign_id\":123,\"metric\":\"ROI\",\"value\":2.45,\"recorded_at\":\"2024-06-15T09:" \
	"00:00Z\","                                                                                        \
	"\"source\":\"Facebook\",\"channel\":\"Paid Social\"}"
#define SUBMITTERS (PERM_BIT(PERM_SUBMIT_VALUE) | PERM_BIT(PERM_MANAGE_KPI))

static const struct api_param value_params[] = {
	{ "metric", "{\"type\":\"string\"}", "Only values of this metric, in any case.", false },
	{ "source", "{\"type\":\"string\"}", "Only values of this source.", false },
	{ "channel", "{\"type\":\"string\"}", "Only values of this channel.", false },
	{ "from", INSTANT_SCHEMA, "First instant.", false },
	{ "to", INSTANT_SCHEMA, "Instant behind the last.", false },
	{ "skip", "{\"type\":\"integer\",\"minimum\":0,\"default\":0}", "Values passed over.", false },
	{ "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000,\"default\":10000}",
		"Values at most.", false },
	{ NULL, NULL, NULL, false },
};

#define WRITERS	      (SUBMITTERS | PERM_BIT(PERM_SUBMIT_INSIGHT) | PERM_BIT(PERM_APPROVE_REPORT))
#define CAMPAIGN_PATH "/api/campaigns/{campaign_id}"
#define METRIC_SCHEMA                                                                                       \
	"{\"type\":\"object\",\"required\":[\"name\",\"kpi_id\",\"part\",\"signed\"],\"properties\":{"      \
	"\"name\":{"                                                                                        \
	"\"type\":\"string\"},\"kpi_id\":{\"type\":\"string\"},\"part\":{\"type\":\"string\"},\"signed\":{" \
	"\"type\":\"boolean\"}}}"
#define METRIC_EXAMPLE "{\"name\":\"ROI\",\"kpi_id\":\"campaign-roi\",\"part\":\"roi\",\"signed\":true}"
#define CHANGE_DOC     "Only what is given changes."

static const struct api_route routes[] = {
	{ HTTP_GET, "/api/campaigns", api_res_list, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		&campaign_res, NULL, RES_LIST, .summary = "List campaigns" },
	{ HTTP_POST, "/api/campaigns", api_res_create, WRITERS, API_WRITE, API_BODY_JSON, &campaign_res, NULL,
		RES_CREATE, .summary = "Create a campaign",
		.doc = "Its id is made here; an id that is used anywhere before makes a campaign of that "
		       "id." },
	{ HTTP_GET, CAMPAIGN_PATH, campaign_get, PERM_AUTHENTICATED, API_READ, API_BODY_NONE, &campaign_res,
		NULL, RES_READ, .summary = "Read a campaign" },
	{ HTTP_PUT, CAMPAIGN_PATH, campaign_put, WRITERS, API_WRITE, API_BODY_JSON, &campaign_res, NULL,
		RES_UPDATE, .summary = "Change a campaign", .doc = CHANGE_DOC },
	{ HTTP_PATCH, CAMPAIGN_PATH, campaign_put, WRITERS, API_WRITE, API_BODY_JSON, &campaign_res, NULL,
		RES_UPDATE, .summary = "Change a campaign", .doc = CHANGE_DOC,
		.request_example = "{\"status\":\"Completed\"}" },
	{ HTTP_DELETE, CAMPAIGN_PATH, api_res_delete, WRITERS, API_WRITE, API_BODY_NONE, &campaign_res, NULL,
		RES_DELETE, .summary = "Delete a campaign",
		.doc = "Only one without values and retrospectives; others can be cancelled." },
	{ HTTP_GET, "/api/campaigns/metrics", metrics_get, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		.summary = "List the metrics of campaigns",
		.doc = "Each with the KPI that its values are kept under.",
		.answer_schema = "{\"type\":\"array\",\"items\":" METRIC_SCHEMA "}",
		.answer_example = "[" METRIC_EXAMPLE "]" },
	{ HTTP_POST, "/api/campaigns/metrics", metric_post, PERM_BIT(PERM_MANAGE_KPI), API_WRITE,
		API_BODY_JSON, .summary = "Register a metric",
		.doc = "Makes it with its KPI when there is none, and says whether its values may be "
		       "negative.",
		.request_schema =
			"{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{\"name\":{\"type\":"
			"\"string\",\"maxLength\":100},\"signed\":{\"type\":[\"boolean\",\"null\"]}}}",
		.request_example = "{\"name\":\"Net sentiment\",\"signed\":true}",
		.answer_schema = METRIC_SCHEMA, .answer_example = METRIC_EXAMPLE },
	{ HTTP_GET, "/api/kpis/campaigns/{campaign_id}", values_get, PERM_AUTHENTICATED, API_READ,
		API_BODY_NONE, .summary = "List a campaign's values",
		.doc = "By recorded_at, and by id where that is the same. What was entered at the metrics' "
		       "KPIs with the "
		       "dimension campaign is here too.",
		.params = value_params, .answer_schema = "{\"type\":\"array\",\"items\":" VALUE_SCHEMA "}",
		.answer_example = "[" VALUE_EXAMPLE "]" },
	{ HTTP_POST, "/api/kpis/campaigns/{campaign_id}", values_post, SUBMITTERS, API_WRITE, API_BODY_JSON,
		.summary = "Submit values of a campaign",
		.doc = "An array of up to 1,000 values, or one. All or nothing. A campaign or metric nobody "
		       "has used is "
		       "made; each metric is a KPI of the company. The same metric, instant and dimensions "
		       "replace. "
		       "Negative values are refused but for metrics registered as signed. Counted by "
		       "campaign: 100 "
		       "requests a minute.",
		.request_schema = "{\"oneOf\":[" INPUT_SCHEMA ",{\"type\":\"array\",\"items\":" INPUT_SCHEMA
				  ",\"minItems\":1,\"maxItems\":1000}]}",
		.request_example = "[" INPUT_EXAMPLE "]",
		.answer_schema = "{\"type\":\"array\",\"items\":" VALUE_SCHEMA "}",
		.answer_example = "[" VALUE_EXAMPLE "]" },
};

const struct api_routes campaign_routes = { routes, COUNT(routes), "Campaigns",
	"Campaigns and what is measured of them." };
