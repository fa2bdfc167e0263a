/*
 * The report of a retrospective as JSON, as a page and as PDF. One route: ?format names the form, else the Accept header chooses. Rendering
 * takes a while, so it happens on the slow pool, behind the snapshot that the report was read in.
 */
#include "api/core.h"
#include "base/hash.h"
#include "domain/campaign/report.h"

enum report_form { FORM_JSON, FORM_HTML, FORM_PDF, FORM_COUNT };
static const char *const form_names[] = { "json", "html", "pdf", NULL };
static const char *const form_types[] = { "application/json", "text/html", "application/pdf" };

/* The page has its style inside, no script, and loads nothing. */
#define POLICY_REPORT                                                                          \
	"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " \
	"frame-ancestors 'none'"

/* ---- which form ---- */

/* The weight of a media range in thousandths; 1000 without one, 0 for one that is no weight. */
static int64_t
weight_of(struct str parameters)
{
	struct str one;

	while (str_split(&parameters, ';', &one)) {
		struct decimal q;
		one = str_trim(one);
		if (!str_starts_with(one, STR("q=")) && !str_starts_with(one, STR("Q=")))
			continue;
		if (decimal_parse(str_sub(one, 2, one.n), &q) != DECIMAL_OK ||
			decimal_rescale(q, 3, true, &q) != DECIMAL_OK)
			return 0;
		return q.coef < 0 ? 0 : q.coef > 1000 ? 1000 : q.coef;
	}
	return 1000;
}

/* How well a range names a type: 3 the type itself, 2 its family, 1 any, 0 not. */
static int
closeness(struct str range, struct str type)
{
	size_t slash = str_index(type, '/', 0);

	if (str_eq_nocase(range, type))
		return 3;
	if (range.n == slash + 2 && str_ends_with(range, STR("/*")) &&
		str_eq_nocase(str_sub(range, 0, slash), str_sub(type, 0, slash)))
		return 2;
	return str_eq(range, STR("*/*")) ? 1 : 0;
}

/* The weight that the closest range gives the type. */
static int64_t
accepted(struct str accept, struct str type)
{
	int best = 0;
	int64_t weight = 0;
	struct str range, parameters;

	while (str_split(&accept, ',', &parameters)) {
		if (!str_split(&parameters, ';', &range))
			continue;
		int close = closeness(str_trim(range), type);
		if (close > best) {
			best = close;
			weight = weight_of(parameters);
		}
	}
	return weight;
}

/* JSON where the client has no preference, or one that cannot be met. */
static struct err *
choose_form(struct api_ctx *c, enum report_form *out)
{
	struct err *e = NULL;
	int form = -1;
	struct str accept = api_request_header(c, "Accept");

	api_param_enum(c, "format", form_names, &form, &e);
	if (e)
		return e;
	if (form < 0) {
		int64_t most = 0;
		form = FORM_JSON;
		for (int i = 0; i < FORM_COUNT; i++) {
			int64_t weight = accepted(accept, str_from_cstr(form_types[i]));
			if (weight > most) {
				most = weight;
				form = i;
			}
		}
	}
	*out = (enum report_form)form;
	return NULL;
}

/* ---- the answer ---- */

struct question {
	struct api_ctx *c;
	struct retrospective r;
	struct str json;
};

static struct err *
read_in(struct db_tx *tx, void *arg)
{
	struct question *q = arg;
	struct res_ctx *c = &q->c->res;

	c->tx = tx;
	q->r = (struct retrospective){ 0 };
	struct err *e = res_read(c, &retrospective_res, q->c->path_params[0], &q->r);
	if (!e)
		e = report_read(c, &q->r, &q->json);
	c->tx = NULL;
	return e;
}

/* Of everything but the moment of writing, so that a draft that says the same has the same tag; weak, because its bytes differ there. */
static struct str
tag_of(struct arena *a, struct str json, enum report_form form)
{
	const struct str key = STR("\"generated_at\":\"");
	size_t at = 0;

	while (at + key.n < json.n && memcmp(json.p + at, key.p, key.n) != 0)
		at++;
	size_t end = at + key.n < json.n ? str_index(json, '"', at + key.n) : at;
	uint64_t hash =
		hash_pair(hash_bytes(str_sub(json, 0, at), 0), hash_bytes(str_sub(json, end, json.n), 0));
	return arena_fmt(a, "W/\"%016llx-%s\"", (unsigned long long)hash, form_names[form]);
}

static struct err *
render(struct api_ctx *c, struct str json, enum report_form form)
{
	switch (form) {
	case FORM_JSON:
		json_put_raw(&c->json, json);
		return NULL;
	case FORM_HTML:
		return report_html(c->res.arena, json, &c->out);
	case FORM_PDF:
		return report_pdf(c->res.arena, json, &c->out);
	case FORM_COUNT:
		break;
	}
	return NULL;
}

static struct api_done *
report_get(struct api_ctx *c)
{
	struct question q = { .c = c };
	enum report_form form = FORM_JSON;
	struct err *e = choose_form(c, &form);

	if (!e)
		e = db_read(api_db(c), c->res.arena, read_in, &q);
	if (!e)
		e = render(c, q.json, form);
	if (e)
		return api_fail(c, e);
	c->pipeline->answer.etag = tag_of(c->res.arena, q.json, form);
	api_header(c, "Vary", STR("Accept"));
	api_header(c, "Content-Disposition",
		arena_fmt(c->res.arena, "inline; filename=\"retrospective-%lld.%s\"", (long long)q.r.id,
			form_names[form]));
	if (form == FORM_JSON)
		return api_json(c, 200);
	if (form == FORM_HTML)
		api_header(c, "Content-Security-Policy", STR(POLICY_REPORT));
	return api_bytes(c, 200, form == FORM_HTML ? STR("text/html; charset=utf-8") : STR("application/pdf"),
		buf_str(&c->out));
}

/* ---- description ---- */

#define NUMBER_OR_NULL "{\"type\":[\"number\",\"null\"]}"
#define TEXT_OR_NULL   "{\"type\":[\"string\",\"null\"]}"
#define PERSON                                                                                             \
	"{\"type\":[\"object\",\"null\"],\"required\":[\"id\",\"name\"],\"properties\":{\"id\":{\"type\":" \
	"\"integer\"},\"name\":" TEXT_OR_NULL "}}"
#define FIGURE_MEMBERS                                                                                     \
	"\"metric\":{\"type\":\"string\"},\"value\":" NUMBER_OR_NULL ",\"unit\":{\"type\":\"string\"},"    \
	"\"basis\":{\"enum\":[\"sum\",\"computed\",\"averaged\",\"absent\"]},\"values\":{\"type\":"        \
	"\"integer\"},"                                                                                    \
	"\"interval_95\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},\"entered_mean\":{\"type\":" \
	"\"number\"}"
#define FIGURE_REQUIRED "\"metric\",\"value\",\"unit\",\"basis\",\"values\""
#define KPI                                                                                               \
	"{\"type\":\"object\",\"required\":[" FIGURE_REQUIRED                                             \
	",\"kpi_id\",\"target\",\"earlier\"],\"properties\":{" FIGURE_MEMBERS ",\"kpi_id\":" TEXT_OR_NULL \
	",\"formula\":{\"type\":\"string\"},"                                                             \
	"\"target\":{\"type\":[\"object\",\"null\"],\"properties\":{\"value\":{\"type\":\"number\"},"     \
	"\"from\":{\"enum\":[\"campaign\",\"kpi\"]},"                                                     \
	"\"direction\":{\"type\":\"string\"},\"achievement_percent\":" NUMBER_OR_NULL                     \
	",\"status\":{\"type\":\"string\"}}},"                                                            \
	"\"earlier\":{\"type\":[\"object\",\"null\"],\"properties\":{\"mean\":{\"type\":\"number\"},"     \
	"\"campaigns\":{\"type\":\"integer\"},"                                                           \
	"\"change_percent\":" NUMBER_OR_NULL ",\"better\":{\"type\":[\"boolean\",\"null\"]}}}}}"
#define SLICES                                                                                               \
	"{\"type\":\"object\",\"required\":[\"ranked_by\",\"slices\"],\"properties\":{\"ranked_"             \
	"by\":" TEXT_OR_NULL ",\"slices\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[" \
	"\"name\",\"others\",\"figures\"],\"properties\":{"                                                  \
	"\"name\":" TEXT_OR_NULL                                                                             \
	",\"others\":{\"type\":\"integer\"},\"figures\":{\"type\":\"array\",\"items\":{\"type\":\"object\"," \
	"\"required\":[" FIGURE_REQUIRED "],\"properties\":{" FIGURE_MEMBERS                                 \
	",\"share\":{\"type\":\"number\"}}}}}}}}}"
#define COURSE                                                                                              \
	"{\"type\":\"object\",\"required\":[\"interval\",\"metrics\"],\"properties\":{\"interval\":{"       \
	"\"type\":\"string\"},\"metrics\":"                                                                 \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"metric\":{\"type\":"          \
	"\"string\"},\"unit\":{\"type\":\"string\"},"                                                       \
	"\"points\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"date\":{\"type\":" \
	"\"string\",\"format\":\"date\"},"                                                                  \
	"\"value\":" NUMBER_OR_NULL ",\"values\":{\"type\":\"integer\"}}}}}}}}}"
#define INSIGHT                                                                                         \
	"{\"type\":\"object\",\"required\":[\"id\",\"severity\",\"type\",\"summary\"],\"properties\":{" \
	"\"id\":{\"type\":\"integer\"},"                                                                \
	"\"severity\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"},\"summary\":{\"type\":"      \
	"\"string\"},\"action_suggestion\":" TEXT_OR_NULL                                               \
	",\"generated_by\":{\"type\":\"string\"},\"evidence\":{},\"created_at\":{\"type\":\"string\","  \
	"\"format\":\"date-time\"}}}"
#define ACTION                                                                                              \
	"{\"type\":\"object\",\"required\":[\"id\",\"title\",\"status\"],\"properties\":{\"id\":{\"type\":" \
	"\"integer\"},\"title\":"                                                                           \
	"{\"type\":\"string\"},\"owner\":" PERSON ",\"due_date\":" TEXT_OR_NULL                             \
	",\"status\":{\"type\":\"string\"},\"insight_id\":"                                                 \
	"{\"type\":[\"integer\",\"null\"]},\"carried\":{\"type\":\"integer\"},\"first_retrospective_id\":{" \
	"\"type\":\"integer\"},"                                                                            \
	"\"moved_to\":{\"type\":[\"integer\",\"null\"]}}}"
#define LIST_OF(item) "{\"type\":\"array\",\"items\":" item "}"

static const char report_schema[] =
	"{\"type\":\"object\",\"required\":[\"retrospective_id\",\"draft\",\"generated_at\",\"currency\","
	"\"campaign\",\"period\","
	"\"retrospective\",\"decisions\",\"earlier_campaigns\",\"kpis\",\"kpis_left_out\",\"channels\","
	"\"sources\",\"course\","
	"\"insight_counts\",\"insights\",\"actions\",\"carried_over\",\"approval\"],\"properties\":{"
	"\"retrospective_id\":{\"type\":\"integer\"},"
	"\"draft\":{\"type\":\"boolean\",\"description\":\"False for the report as it was approved, which "
	"never changes.\"},"
	"\"generated_at\":{\"type\":\"string\",\"format\":\"date-time\"},\"currency\":{\"type\":\"string\"},"
	"\"campaign\":{\"type\":\"object\"},\"period\":{\"type\":\"object\"},\"retrospective\":{\"type\":"
	"\"object\"},"
	"\"decisions\":" TEXT_OR_NULL
	",\"earlier_campaigns\":" LIST_OF("{\"type\":\"object\"}") ",\"kpis\":" LIST_OF(
		KPI) ","
		     "\"kpis_left_out\":{\"type\":\"integer\"},\"channels\":" SLICES ",\"sources\":" SLICES
		     ",\"course\":" COURSE ","
		     "\"insight_counts\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}"
		     "},"
		     "\"insights\":" LIST_OF(INSIGHT) ",\"actions\":" LIST_OF(
			     ACTION) ",\"carried_over\":" LIST_OF(ACTION) ","
									  "\"approval\":{\"type\":["
									  "\"object\",\"null\"],"
									  "\"properties\":{\"approved_"
									  "by\":" PERSON
									  ",\"approved_at\":{\"type\":"
									  "\"string\","
									  "\"format\":\"date-time\"},"
									  "\"notes\":" TEXT_OR_NULL "}}}}";

static const char report_example[] =
	"{\"retrospective_id\":456,\"draft\":true,\"generated_at\":\"2024-06-15T10:00:00Z\",\"currency\":"
	"\"GBP\","
	"\"campaign\":{\"id\":123,\"name\":\"Summer "
	"sale\",\"description\":null,\"status\":\"Completed\",\"owner\":null,\"budget\":null},"
	"\"period\":{\"from\":\"2024-06-01\",\"to\":\"2024-06-14\",\"first_value\":\"2024-06-01\",\"last_"
	"value\":\"2024-06-14\",\"values\":56},"
	"\"retrospective\":{\"id\":456,\"status\":\"In "
	"Progress\",\"scheduled_time\":\"2024-06-15T10:00:00Z\",\"team\":{\"id\":789,"
	"\"name\":null},\"created_by\":null,\"notes\":null},\"decisions\":null,\"earlier_campaigns\":[],"
	"\"kpis\":[{\"metric\":\"CTR\",\"value\":0.023412,\"unit\":\"ratio\",\"basis\":\"computed\","
	"\"values\":0,"
	"\"interval_95\":[0.022871,0.023966],\"kpi_id\":null,\"formula\":\"clicks / "
	"impressions\",\"target\":{\"value\":0.02,\"from\":"
	"\"campaign\",\"direction\":\"higher\",\"achievement_percent\":117.1,\"status\":\"on_track\"},"
	"\"earlier\":null}],"
	"\"kpis_left_out\":0,\"channels\":{\"ranked_by\":null,\"slices\":[]},\"sources\":{\"ranked_by\":null,"
	"\"slices\":[]},"
	"\"course\":{\"interval\":\"day\",\"metrics\":[]},\"insight_counts\":{\"Critical\":0,\"High\":0,"
	"\"Medium\":1,\"Low\":0},"
	"\"insights\":[{\"id\":1,\"severity\":\"Medium\",\"type\":\"Underperforming "
	"Creative\",\"summary\":\"Creative A shows 15% lower CTR "
	"compared to Creative "
	"B\",\"action_suggestion\":null,\"generated_by\":\"ai_rule_001\",\"evidence\":null,\"created_at\":"
	"\"2024-06-15T09:30:00Z\"}],\"actions\":[],\"carried_over\":[],\"approval\":null}";

static const struct api_param report_params[] = {
	{ "format", "{\"type\":\"string\",\"enum\":[\"json\",\"html\",\"pdf\"]}",
		"Form of the answer; without it Accept chooses.", false },
	{ NULL, NULL, NULL, false },
};
static const char *const other_types[] = { "text/html", "application/pdf", NULL };

static const struct api_route routes[] = {
	{
		.method = HTTP_GET,
		.path = "/api/retrospectives/{id}/report",
		.handler = report_get,
		.perm = PERM_AUTHENTICATED,
		.work = API_SLOW,
		.params = report_params,
		.summary = "Report",
		.doc = "What the campaign came to: KPIs against targets and earlier campaigns, channels and "
		       "sources compared, "
		       "the course over time, insights, decisions and actions. A draft until the "
		       "retrospective is approved; the "
		       "report as it was approved from then on. JSON by default, a page for a browser, or "
		       "PDF.",
		.answer_schema = report_schema,
		.answer_example = report_example,
		.other_answer_types = other_types,
	},
};

const struct api_routes report_routes = { routes, COUNT(routes), "Retrospectives",
	"What campaigns came to, and what follows." };
