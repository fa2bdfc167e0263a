/* Values of campaigns over HTTP (contract retrospectives). */
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
	TRY(res_read(&c->res, &campaign_res, c->path_params[0], &campaign));
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

static const struct api_route routes[] = {
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
