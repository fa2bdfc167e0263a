/*
 * KPIs, their targets, analytics and predictions over HTTP (contract kpi-management). Lists, reads and creates are the generic handlers;
 * here is what asks for a right on one KPI (kpi_require) or answers figures.
 */
#include "api/kpi_answers.h"
#include "api/registry.h"
#include "domain/kpi/analytics.h"
#include "domain/kpi/prediction.h"

static struct err *
change_kpi(struct api_ctx *c, struct kpi *k)
{
	struct kpi old = { 0 };

	TRY(kpi_require(&c->res, c->path_params[0], KPI_MAY_EDIT, &old));
	TRY(api_check_match(c, &old));
	*k = old;
	TRY(res_parse(&c->res, &kpi_res, c->route->view, c->body, RES_MODE_MERGE, api_is_strict(c), k));
	return kpi_change(&c->res, &old, k);
}

static struct api_done *
kpi_merge(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct err *e = change_kpi(c, &k);
	return e ? api_fail(c, e) : api_record(c, &k);
}

static struct api_done *
kpi_delete(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct err *e = NULL;

	if (api_request_header(c, "If-Match").p) {
		e = kpi_require(&c->res, c->path_params[0], KPI_MAY_DELETE, &k);
		if (!e)
			e = api_check_match(c, &k);
	}
	if (!e)
		e = kpi_remove(&c->res, c->path_params[0]);
	return e ? api_fail(c, e) : api_no_content(c);
}

/* ---- targets ---- */

static void
write_targets(struct api_ctx *c, const struct kpi_target *t, size_t n)
{
	struct json_out *o = &c->json;

	answer_list_begin(o);
	for (size_t i = 0; i < n; i++) {
		json_begin_object(o);
		json_pair_str(o, "period", str_from_cstr(kpi_period_names[t[i].period]));
		answer_date(o, STR("start"), t[i].start);
		answer_decimal(o, STR("value"), true, t[i].value);
		json_end_object(o);
	}
	answer_list_end(o, (int64_t)n, 0, (int64_t)n);
}

static struct api_done *
targets_list(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct kpi_target *t;
	size_t n;
	struct err *e = kpi_require(&c->res, c->path_params[0], KPI_MAY_VIEW, &k);

	if (!e)
		e = kpi_targets_list(&c->res, &k, &t, &n);
	if (e)
		return api_fail(c, e);
	write_targets(c, t, n);
	return api_json(c, 200);
}

static struct api_done *
targets_put(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct kpi_target *t;
	size_t n;
	struct err *e = kpi_require(&c->res, c->path_params[0], KPI_MAY_EDIT, &k);

	if (!e)
		e = kpi_targets_put(&c->res, &k, c->body, &t, &n);
	if (e)
		return api_fail(c, e);
	write_targets(c, t, n);
	return api_json(c, 200);
}

static struct api_done *
target_delete(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct err *e = kpi_require(&c->res, c->path_params[0], KPI_MAY_EDIT, &k);

	if (!e)
		e = kpi_target_remove(&c->res, &k, c->path_params[1], c->path_params[2]);
	return e ? api_fail(c, e) : api_no_content(c);
}

/* ---- analytics ---- */

static void
write_standing(struct json_out *o, const struct kpi_standing *s)
{
	answer_decimal(o, STR("current_value"), s->has_value, s->value);
	answer_decimal(o, STR("target"), s->has_target, s->target);
	answer_decimal(o, STR("expected"), s->has_target && s->has_value, s->expected);
	answer_decimal(o, STR("achievement"), s->has_achievement, s->achievement);
	json_pair_str(o, "status", str_from_cstr(kpi_state_names[s->state]));
	json_key(o, STR("period"));
	if (s->has_value) {
		json_begin_object(o);
		answer_date(o, STR("from"), s->from);
		answer_date(o, STR("to"), s->to);
		answer_date(o, STR("as_of"), s->as_of);
		json_end_object(o);
	} else {
		json_put_null(o);
	}
}

static void
write_change(struct json_out *o, const struct kpi_analytics *a)
{
	json_key(o, STR("change"));
	if (!a->has_previous) {
		json_put_null(o);
		return;
	}
	json_begin_object(o);
	answer_decimal(o, STR("previous_value"), true, a->previous);
	answer_decimal(o, STR("absolute"), true, a->change);
	answer_number(o, STR("percent"), a->has_change_percent, a->change_percent);
	answer_date(o, STR("previous_from"), a->previous_from);
	answer_date(o, STR("previous_to"), a->previous_to);
	json_end_object(o);
}

static void
write_trend(struct json_out *o, const struct analytics_trend *t)
{
	static const char *const directions[] = { "flat", "up", "down" };

	json_key(o, STR("trend"));
	if (!t->enough) {
		json_put_null(o);
		return;
	}
	json_begin_object(o);
	json_pair_str(o, "direction", str_from_cstr(directions[t->direction]));
	json_pair_bool(o, "significant", t->direction != ANALYTICS_FLAT);
	answer_number(o, STR("slope"), true, t->slope);
	answer_number(o, STR("slope_lower_95"), true, t->slope_low);
	answer_number(o, STR("slope_upper_95"), true, t->slope_high);
	answer_number(o, STR("p_value"), true, t->p_value);
	json_end_object(o);
}

static void
write_season(struct json_out *o, const struct analytics_season *s)
{
	json_key(o, STR("seasonality"));
	if (!s->enough || s->period < 2) {
		json_put_null(o);
		return;
	}
	json_begin_object(o);
	json_pair_int(o, "period", s->period);
	answer_number(o, STR("strength"), true, s->strength);
	json_pair_bool(o, "significant", s->significant);
	json_end_object(o);
}

static struct date
date_at(const struct regular_series *s, size_t index)
{
	return period_add(s->first, s->interval, (int)index);
}

static void
write_findings(struct json_out *o, const struct kpi_analytics *a)
{
	json_key(o, STR("anomalies"));
	json_begin_array(o);
	for (size_t i = 0; i < a->anomaly_count; i++) {
		json_begin_object(o);
		answer_date(o, STR("date"), date_at(&a->series, a->anomalies[i].index));
		answer_number(o, STR("value"), true, a->anomalies[i].value);
		answer_number(o, STR("expected"), true, a->anomalies[i].expected);
		answer_number(o, STR("score"), true, a->anomalies[i].score);
		json_end_object(o);
	}
	json_end_array(o);
	json_key(o, STR("change_points"));
	json_begin_array(o);
	for (size_t i = 0; i < a->change_count; i++) {
		json_begin_object(o);
		answer_date(o, STR("date"), date_at(&a->series, a->changes[i].index));
		answer_number(o, STR("before"), true, a->changes[i].before);
		answer_number(o, STR("after"), true, a->changes[i].after);
		json_end_object(o);
	}
	json_end_array(o);
}

static void
write_contributions(struct json_out *o, const struct kpi_analytics *a)
{
	json_key(o, STR("contributions"));
	json_begin_array(o);
	for (size_t i = 0; i < a->contribution_count; i++) {
		const struct kpi_contribution *p = &a->contributions[i];
		json_begin_object(o);
		json_key(o, STR("dimensions"));
		json_put_raw(o, p->dimensions);
		answer_number(o, STR("previous_value"), true, p->earlier);
		answer_number(o, STR("value"), true, p->later);
		answer_number(o, STR("change"), true, p->change);
		answer_number(o, STR("share"), true, p->share);
		json_end_object(o);
	}
	json_end_array(o);
}

static void
write_history(struct json_out *o, const struct kpi_series *s)
{
	json_key(o, STR("history"));
	json_begin_array(o);
	for (size_t i = 0; i < s->count; i++) {
		json_begin_object(o);
		answer_date(o, STR("date"), s->points[i].start);
		answer_decimal(o, STR("value"), true, s->points[i].value);
		json_pair_int(o, "count", s->points[i].count);
		json_end_object(o);
	}
	json_end_array(o);
}

static struct err *
analyse(struct api_ctx *c, struct kpi *k, struct kpi_analytics *a)
{
	struct regular_query q = { 0 };
	struct err *e = NULL;
	int interval = -1;
	enum period period;

	api_param_enum(c, "interval", kpi_period_names, &interval, &e);
	api_param_date(c, "from", &q.since, &q.has_since, &e);
	api_param_date(c, "to", &q.until, &q.has_until, &e);
	if (!e && q.has_since && q.has_until && q.until.days < q.since.days)
		err_add_field(c->res.arena, &e, STR("to"), "Ensure this date is not before from.");
	TRY(e);
	TRY(kpi_require(&c->res, c->path_params[0], KPI_MAY_VIEW, k));
	if (interval >= 0) {
		period = (enum period)interval;
		q.interval = &period;
	}
	return kpi_analyse(&c->res, k, &q, a);
}

/* One question that takes milliseconds of arithmetic: off the server's threads, in a read transaction of its own. */
struct question {
	struct api_ctx *c;
	struct kpi k;
	struct kpi_analytics *analytics;
	struct prediction prediction;
};

static struct err *
analyse_in(struct db_tx *tx, void *arg)
{
	struct question *q = arg;

	q->c->res.tx = tx;
	q->k = (struct kpi){ 0 };
	struct err *e = analyse(q->c, &q->k, q->analytics);
	q->c->res.tx = NULL;
	return e;
}

static struct api_done *
analytics(struct api_ctx *c)
{
	struct question q = { .c = c, .analytics = arena_new_of(c->res.arena, struct kpi_analytics) };
	struct err *e = db_read(api_db(c), c->res.arena, analyse_in, &q);
	struct json_out *o = &c->json;

	if (e)
		return api_fail(c, e);
	const struct kpi_analytics *a = q.analytics;
	const struct kpi k = q.k;
	json_begin_object(o);
	json_pair_str(o, "kpi_id", k.id);
	json_pair_str(o, "name", k.name);
	json_pair_str(o, "interval", str_from_cstr(kpi_period_names[a->series.interval]));
	json_pair_str(o, "aggregation", str_from_cstr(kpi_aggregation_names[k.aggregation]));
	write_standing(o, &a->standing);
	write_change(o, a);
	write_trend(o, &a->trend);
	write_season(o, &a->season);
	write_findings(o, a);
	write_contributions(o, a);
	write_history(o, a->series.points);
	json_end_object(o);
	return api_json(c, 200);
}

/* ---- predictions ---- */

static void
write_prediction_target(struct json_out *o, const struct prediction *p)
{
	json_key(o, STR("target"));
	if (!p->has_target) {
		json_put_null(o);
		return;
	}
	json_begin_object(o);
	answer_decimal(o, STR("value"), true, p->target);
	answer_date(o, STR("from"), p->from);
	answer_date(o, STR("to"), p->to);
	answer_number(o, STR("probability"), true, p->probability);
	if (p->has_expected_date)
		answer_date(o, STR("expected_date"), p->expected_date);
	else
		json_pair_null(o, "expected_date");
	answer_number(o, STR("expected_total"), p->has_total, p->total);
	answer_number(o, STR("total_lower_95"), p->has_total, p->total_lower);
	answer_number(o, STR("total_upper_95"), p->has_total, p->total_upper);
	json_end_object(o);
}

static void
write_points(struct json_out *o, const struct prediction *p)
{
	json_key(o, STR("predictions"));
	json_begin_array(o);
	for (size_t i = 0; i < p->count; i++) {
		const struct prediction_point *x = &p->points[i];
		json_begin_object(o);
		answer_date(o, STR("date"), x->date);
		answer_number(o, STR("value"), true, x->value);
		answer_number(o, STR("lower_80"), true, x->lower_80);
		answer_number(o, STR("upper_80"), true, x->upper_80);
		answer_number(o, STR("lower_95"), true, x->lower_95);
		answer_number(o, STR("upper_95"), true, x->upper_95);
		answer_number(o, STR("lower"), true, x->lower_95);
		answer_number(o, STR("upper"), true, x->upper_95);
		json_end_object(o);
	}
	json_end_array(o);
}

static struct err *
predict(struct api_ctx *c, struct kpi *k, struct prediction *p)
{
	struct err *e = NULL;
	int64_t horizon = 30;
	int interval = -1;

	api_param_int(c, "horizon", 1, PREDICTION_HORIZON_MAX, &horizon, &e);
	api_param_enum(c, "interval", kpi_period_names, &interval, &e);
	TRY(e);
	TRY(kpi_require(&c->res, c->path_params[0], KPI_MAY_VIEW, k));
	enum period period = (enum period)(interval < 0 ? 0 : interval);
	return kpi_predict(&c->res, api_predictions(c), k, (size_t)horizon, interval < 0 ? NULL : &period, p);
}

static struct err *
predict_in(struct db_tx *tx, void *arg)
{
	struct question *q = arg;

	q->c->res.tx = tx;
	q->k = (struct kpi){ 0 };
	struct err *e = predict(q->c, &q->k, &q->prediction);
	q->c->res.tx = NULL;
	return e;
}

static struct api_done *
predictions(struct api_ctx *c)
{
	struct question q = { .c = c };
	struct err *e = db_read(api_db(c), c->res.arena, predict_in, &q);
	struct json_out *o = &c->json;

	if (e)
		return api_fail(c, e);
	const struct prediction p = q.prediction;
	const struct kpi k = q.k;
	json_begin_object(o);
	json_pair_str(o, "kpi_id", k.id);
	json_pair_int(o, "horizon", (int64_t)p.horizon);
	json_pair_str(o, "interval", str_from_cstr(kpi_period_names[p.interval]));
	json_key(o, STR("model"));
	if (str_is_empty(p.model))
		json_put_null(o);
	else
		json_put_str(o, p.model);
	if (!str_is_empty(p.reason))
		json_pair_str(o, "reason", p.reason);
	write_points(o, &p);
	write_prediction_target(o, &p);
	json_end_object(o);
	return api_json(c, 200);
}

/* ---- routes ---- */

#define PERIOD_SCHEMA "{\"type\":\"string\",\"enum\":[\"day\",\"week\",\"month\",\"quarter\",\"year\"]}"
#define DATE_SCHEMA   "{\"type\":\"string\",\"format\":\"date\"}"
#define TARGET_SCHEMA                                                                         \
	"{\"type\":\"object\",\"required\":[\"period\",\"start\",\"value\"],\"properties\":{" \
	"\"period\":" PERIOD_SCHEMA ",\"start\":" DATE_SCHEMA ",\"value\":{\"type\":\"number\"}}}"
#define TARGET_EXAMPLE "{\"period\":\"month\",\"start\":\"2011-12-01\",\"value\":1243250}"
#define TARGET_LIST_SCHEMA                                                                            \
	"{\"type\":\"object\",\"required\":[\"items\",\"total\",\"page\",\"pages\"],\"properties\":{" \
	"\"items\":{\"type\":"                                                                        \
	"\"array\",\"items\":" TARGET_SCHEMA "},\"total\":{\"type\":\"integer\"},\"page\":{\"type\":" \
	"\"integer\"},\"pages\":{\"type\":\"integer\"}}}"
#define TARGET_LIST_EXAMPLE "{\"items\":[" TARGET_EXAMPLE "],\"total\":1,\"page\":1,\"pages\":1}"
#define NUMBER_OR_NULL	    "{\"type\":[\"number\",\"null\"]}"
#define ANALYTICS_SCHEMA                                                                                  \
	"{\"type\":\"object\",\"required\":[\"kpi_id\",\"current_value\",\"target\",\"achievement\","     \
	"\"status\"],"                                                                                    \
	"\"properties\":{\"kpi_id\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"},"                \
	"\"interval\":" PERIOD_SCHEMA                                                                     \
	",\"aggregation\":{\"type\":\"string\"},\"current_value\":" NUMBER_OR_NULL                        \
	",\"target\":" NUMBER_OR_NULL ",\"expected\":" NUMBER_OR_NULL ",\"achievement\":" NUMBER_OR_NULL  \
	",\"status\":{\"type\":\"string\",\"enum\":[\"on_track\",\"warning\",\"critical\",\"no_data\"]}," \
	"\"period\":{\"type\":[\"object\",\"null\"]},\"change\":{\"type\":[\"object\",\"null\"]},"        \
	"\"trend\":{\"type\":[\"object\",\"null\"]},\"seasonality\":{\"type\":[\"object\",\"null\"]},"    \
	"\"anomalies\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"                             \
	"\"change_points\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"                         \
	"\"contributions\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"                         \
	"\"history\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}"
#define ANALYTICS_EXAMPLE                                                                                    \
	"{\"kpi_id\":\"kpi-001\",\"current_value\":450000,\"target\":500000,\"achievement\":0.9,\"status\":" \
	"\"on_track\","                                                                                      \
	"\"trend\":{\"direction\":\"up\",\"significant\":true,\"slope\":120.5,\"p_value\":0.003},"           \
	"\"anomalies\":[],"                                                                                  \
	"\"history\":[{\"date\":\"2024-01-01\",\"value\":15000,\"count\":1}]}"
#define PREDICTIONS_SCHEMA                                                                                \
	"{\"type\":\"object\",\"required\":[\"kpi_id\",\"horizon\",\"interval\",\"predictions\"],"        \
	"\"properties\":{"                                                                                \
	"\"kpi_id\":{\"type\":\"string\"},\"horizon\":{\"type\":\"integer\"},\"interval\":" PERIOD_SCHEMA \
	",\"model\":{\"type\":[\"string\",\"null\"]},\"reason\":{\"type\":\"string\"},"                   \
	"\"predictions\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"             \
	"\"date\":" DATE_SCHEMA ",\"value\":{\"type\":\"number\"},\"lower_80\":{\"type\":\"number\"},"    \
	"\"upper_80\":{\"type\":\"number\"},"                                                             \
	"\"lower_95\":{\"type\":\"number\"},\"upper_95\":{\"type\":\"number\"},\"lower\":{\"type\":"      \
	"\"number\"},"                                                                                    \
	"\"upper\":{\"type\":\"number\"}}}},\"target\":{\"type\":[\"object\",\"null\"],\"properties\":{"  \
	"\"probability\":"                                                                                \
	"{\"type\":\"number\"},\"expected_date\":{\"type\":[\"string\",\"null\"]}}}}}"
#define PREDICTIONS_EXAMPLE                                                                                  \
	"{\"kpi_id\":\"kpi-001\",\"horizon\":1,\"interval\":\"day\",\"model\":\"combined\",\"predictions\":" \
	"["                                                                                                  \
	"{\"date\":\"2024-02-01\",\"value\":15200,\"lower_80\":13100,\"upper_80\":17300,\"lower_95\":11900," \
	"\"upper_95\":18500,\"lower\":11900,\"upper\":18500}],\"target\":{\"probability\":0.83,"             \
	"\"expected_date\":\"2024-03-27\"}}"

static const struct api_param analytics_params[] = {
	{ "from", DATE_SCHEMA, "First day of the history looked at.", false },
	{ "to", DATE_SCHEMA, "Last day of the history looked at.", false },
	{ "interval", PERIOD_SCHEMA, "Calendar interval; by default the finest one that the values fill.",
		false },
	{ NULL, NULL, NULL, false },
};
static const struct api_param prediction_params[] = {
	{ "horizon", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":365,\"default\":30}",
		"Intervals ahead.", false },
	{ "interval", PERIOD_SCHEMA, "Calendar interval; by default the finest one that the values fill.",
		false },
	{ NULL, NULL, NULL, false },
};

static const struct api_route routes[] = {
	{ HTTP_GET, "/api/kpis", api_res_list, PERM_AUTHENTICATED, API_READ, API_BODY_NONE, &kpi_res, NULL,
		RES_LIST, .summary = "List KPIs",
		.doc = "Those that the role, ownership or an assignment lets one see." },
	{ HTTP_POST, "/api/kpis", api_res_create, PERM_BIT(PERM_MANAGE_KPI), API_WRITE, API_BODY_JSON,
		&kpi_res, NULL, RES_CREATE, .summary = "Create a KPI" },
	{ HTTP_GET, "/api/kpis/{kpi_id}", api_res_read, PERM_AUTHENTICATED, API_READ, API_BODY_NONE, &kpi_res,
		NULL, RES_READ, .summary = "Read a KPI" },
	{ HTTP_PUT, "/api/kpis/{kpi_id}", kpi_merge, PERM_AUTHENTICATED, API_WRITE, API_BODY_JSON, &kpi_res,
		NULL, RES_UPDATE, .summary = "Change a KPI",
		.doc = "Only what is given changes, nested objects included. Needs MANAGE_KPI, ownership or "
		       "an assignment with can_edit." },
	{ HTTP_PATCH, "/api/kpis/{kpi_id}", kpi_merge, PERM_AUTHENTICATED, API_WRITE, API_BODY_JSON, &kpi_res,
		NULL, RES_UPDATE, .summary = "Change a KPI", .doc = "The same as PUT." },
	{ HTTP_DELETE, "/api/kpis/{kpi_id}", kpi_delete, PERM_AUTHENTICATED, API_WRITE, API_BODY_NONE,
		&kpi_res, NULL, RES_DELETE, .summary = "Delete a KPI",
		.doc = "Its values stay on record. Needs MANAGE_KPI or an assignment with can_delete. 409 "
		       "while a formula uses it." },
	{ HTTP_GET, "/api/kpis/{kpi_id}/targets", targets_list, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		.summary = "List the targets of calendar periods", .answer_schema = TARGET_LIST_SCHEMA,
		.answer_example = TARGET_LIST_EXAMPLE },
	{ HTTP_PUT, "/api/kpis/{kpi_id}/targets", targets_put, PERM_AUTHENTICATED, API_WRITE, API_BODY_JSON,
		.summary = "Set targets of calendar periods",
		.doc = "One or an array, all or nothing; the same period and start replace.",
		.request_schema =
			"{\"oneOf\":[" TARGET_SCHEMA ",{\"type\":\"array\",\"items\":" TARGET_SCHEMA "}]}",
		.request_example = TARGET_EXAMPLE, .answer_schema = TARGET_LIST_SCHEMA,
		.answer_example = TARGET_LIST_EXAMPLE },
	{ HTTP_DELETE, "/api/kpis/{kpi_id}/targets/{period}/{start}", target_delete, PERM_AUTHENTICATED,
		API_WRITE, API_BODY_NONE, .summary = "Remove the target of a calendar period" },
	{ HTTP_GET, "/api/kpis/{kpi_id}/analytics", analytics, PERM_AUTHENTICATED, API_SLOW, API_BODY_NONE,
		.summary = "How a KPI is doing",
		.doc = "Figure against target, change against the period before, trend, season, anomalies, "
		       "change-points, contributions "
		       "of its dimensions, and the history.",
		.params = analytics_params, .answer_schema = ANALYTICS_SCHEMA,
		.answer_example = ANALYTICS_EXAMPLE },
	{ HTTP_GET, "/api/kpis/{kpi_id}/predictions", predictions, PERM_AUTHENTICATED, API_SLOW,
		API_BODY_NONE, .summary = "What a KPI is going to be",
		.doc = "Forecasts with 80 % and 95 % intervals and the probability of reaching the target. "
		       "Too little history is an empty "
		       "list with a reason.",
		.params = prediction_params, .answer_schema = PREDICTIONS_SCHEMA,
		.answer_example = PREDICTIONS_EXAMPLE },
};

const struct api_routes kpi_routes = { routes, COUNT(routes), "KPIs",
	"KPIs, their targets, analytics and predictions." };
