/*
 * Retrospectives, insights and the approval over HTTP (contract retrospectives). Rules are the domain's; here are the contract's names:
 * ?team, ?generate, and bodies that no table describes.
 */
#include "api/registry.h"
#include "domain/campaign/retrospective.h"
#include "resource/res_sql.h"

#define NOTES_CHARS_MAX 4000

static struct str
id_text(struct api_ctx *c, int64_t id)
{
	return arena_fmt(c->res.arena, "%lld", (long long)id);
}

/* ---- retrospectives ---- */

static struct err *
read_list_query(struct api_ctx *c, struct list_query *q)
{
	struct str team = api_param(c, "team");
	struct err *e = NULL;

	TRY(api_list_query(c, &retrospective_res, c->route->view, q));
	if (!str_is_empty(team))
		list_filter_add(&c->res, q, res_field_find(&retrospective_res, STR("team_id")), LIST_EQ, team,
			STR("team"), &e);
	return e;
}

static struct api_done *
retrospectives_list(struct api_ctx *c)
{
	struct list_query q;
	struct res_page page;
	struct err *e = read_list_query(c, &q);

	if (!e)
		e = api_list_run(c, &retrospective_res, &q, &page);
	return e ? api_fail(c, e) : api_list(c, &q, &page);
}

static struct err *
create(struct api_ctx *c, struct retrospective *r)
{
	TRY(res_parse(
		&c->res, &retrospective_res, c->route->view, c->body, RES_MODE_CREATE, api_is_strict(c), r));
	return retrospective_create(&c->res, r);
}

static struct api_done *
retrospective_post(struct api_ctx *c)
{
	struct retrospective r = { 0 };
	struct err *e = create(c, &r);
	return e ? api_fail(c, e) : api_created(c, &r, id_text(c, r.id));
}

static struct api_done *
retrospective_get(struct api_ctx *c)
{
	struct retrospective r = { 0 };
	struct err *e = retrospective_require(&c->res, c->path_params[0], RES_READ, &r);
	return e ? api_fail(c, e) : api_record(c, &r);
}

static struct err *
change(struct api_ctx *c, struct retrospective *r)
{
	struct retrospective old = { 0 };

	TRY(retrospective_require(&c->res, c->path_params[0], RES_UPDATE, &old));
	TRY(api_check_match(c, &old));
	*r = old;
	TRY(res_parse(
		&c->res, &retrospective_res, c->route->view, c->body, RES_MODE_MERGE, api_is_strict(c), r));
	return retrospective_change(&c->res, &old, r);
}

static struct api_done *
retrospective_put(struct api_ctx *c)
{
	struct retrospective r = { 0 };
	struct err *e = change(c, &r);
	return e ? api_fail(c, e) : api_record(c, &r);
}

/* ---- insights ---- */

static void
where_retrospective(struct res_ctx *c, struct res_sql *sql, void *arg)
{
	(void)c;
	res_sql_add(sql, " AND retrospective_task_id = ");
	res_sql_param(sql, P_INT(*(const int64_t *)arg));
}

static struct err *
read_insights(struct api_ctx *c, struct list_query *q, struct res_page *page)
{
	struct retrospective r = { 0 };

	TRY(retrospective_require(&c->res, c->path_params[0], RES_READ, &r));
	TRY(api_list_query(c, &insight_res, c->route->view, q));
	q->where = where_retrospective;
	q->where_arg = &r.id;
	return api_list_run(c, &insight_res, q, page);
}

static struct api_done *
insights_list(struct api_ctx *c)
{
	struct list_query q;
	struct res_page page;
	struct err *e = read_insights(c, &q, &page);
	return e ? api_fail(c, e) : api_list(c, &q, &page);
}

static struct err *
add(struct api_ctx *c, struct insight *i)
{
	struct retrospective r = { 0 };

	TRY(retrospective_require(&c->res, c->path_params[0], RES_UPDATE, &r));
	TRY(res_parse(&c->res, &insight_res, c->route->view, c->body, RES_MODE_CREATE, api_is_strict(c), i));
	return insight_add(&c->res, &r, i);
}

/* What the rules find that is not there yet, as a list. */
static struct err *
generate(struct api_ctx *c)
{
	struct retrospective r = { 0 };
	struct insight **found;
	size_t count;

	TRY(retrospective_require(&c->res, c->path_params[0], RES_UPDATE, &r));
	TRY(insights_generate(&c->res, &r, &found, &count));
	json_begin_array(&c->json);
	for (size_t i = 0; i < count; i++)
		res_write(&c->json, &c->res, &insight_res, c->route->view, found[i]);
	json_end_array(&c->json);
	return NULL;
}

static struct api_done *
insights_post(struct api_ctx *c)
{
	struct insight i = { 0 };
	struct err *e = NULL;
	bool by_rules = false;

	api_param_bool(c, "generate", &by_rules, &e);
	if (!e)
		e = by_rules ? generate(c) : add(c, &i);
	if (e)
		return api_fail(c, e);
	return by_rules ? api_json(c, 201) : api_created(c, &i, id_text(c, i.id));
}

/* ---- approval ---- */

static void
read_approver(struct api_ctx *c, struct retrospective_approval *a, struct err **e)
{
	const json_val *v = json_get(c->body, STR("approved_by"));

	if (!v || json_type_of(v) == JSON_NULL)
		return;
	a->has_approved_by = json_type_of(v) == JSON_STRING ? str_to_int(json_string(v), &a->approved_by)
							    : json_int(v, &a->approved_by);
	if (!a->has_approved_by)
		err_add_field(c->res.arena, e, STR("approved_by"), "A valid integer is required.");
}

static void
read_notes(struct api_ctx *c, struct retrospective_approval *a, struct err **e)
{
	const json_val *v = json_get(c->body, STR("approval_notes"));
	const struct str field = STR("approval_notes");

	if (!v || json_type_of(v) == JSON_NULL)
		return;
	if (json_type_of(v) != JSON_STRING)
		err_add_field(c->res.arena, e, field, "Not a valid string.");
	else if (str_index(json_string(v), '\0', 0) < json_string(v).n)
		err_add_field(c->res.arena, e, field, "Null characters are not allowed.");
	else if (str_utf8_len(json_string(v)) > NOTES_CHARS_MAX)
		err_add_field(c->res.arena, e, field, "Ensure this field has no more than %d characters.",
			NOTES_CHARS_MAX);
	else
		a->notes = json_string(v);
}

static struct err *
read_approval(struct api_ctx *c, struct retrospective_approval *a)
{
	struct err *e = NULL;

	if (json_type_of(c->body) != JSON_OBJECT)
		return err_field(c->res.arena, "non_field_errors",
			"Invalid data. Expected a dictionary, but got %s.", json_type_word(c->body));
	read_approver(c, a, &e);
	read_notes(c, a, &e);
	return e;
}

static struct api_done *
report_approve(struct api_ctx *c)
{
	struct retrospective_approval a = { 0 };
	struct retrospective r = { 0 };
	struct err *e = read_approval(c, &a);

	if (!e)
		e = api_check_match_by_id(c, RES_UPDATE, c->path_params[0]);
	if (!e)
		e = retrospective_approve(&c->res, c->path_params[0], &a, &r);
	return e ? api_fail(c, e) : api_record(c, &r);
}

/* ---- actions ---- */

static void
where_action(struct res_ctx *c, struct res_sql *sql, void *arg)
{
	(void)c;
	res_sql_add(sql, " AND (retrospective_id = ");
	res_sql_param(sql, P_INT(*(const int64_t *)arg));
	res_sql_add(sql, " OR first_retrospective_id = ");
	res_sql_param(sql, P_INT(*(const int64_t *)arg));
	res_sql_add(sql, ")");
}

static struct err *
read_actions(struct api_ctx *c, struct list_query *q, struct res_page *page)
{
	struct retrospective r = { 0 };

	TRY(retrospective_require(&c->res, c->path_params[0], RES_READ, &r));
	TRY(api_list_query(c, &retro_action_res, c->route->view, q));
	q->where = where_action;
	q->where_arg = &r.id;
	return api_list_run(c, &retro_action_res, q, page);
}

static struct api_done *
actions_list(struct api_ctx *c)
{
	struct list_query q;
	struct res_page page;
	struct err *e = read_actions(c, &q, &page);
	return e ? api_fail(c, e) : api_list(c, &q, &page);
}

static struct err *
accept(struct api_ctx *c, struct retro_action *x)
{
	struct retrospective r = { 0 };

	TRY(retrospective_require(&c->res, c->path_params[0], RES_UPDATE, &r));
	TRY(res_parse(
		&c->res, &retro_action_res, c->route->view, c->body, RES_MODE_CREATE, api_is_strict(c), x));
	return retro_action_add(&c->res, &r, x);
}

static struct api_done *
actions_post(struct api_ctx *c)
{
	struct retro_action x = { 0 };
	struct err *e = accept(c, &x);
	return e ? api_fail(c, e) : api_created(c, &x, id_text(c, x.id));
}

/* An action is found below the retrospective in which it stands and below the one in which it was accepted. */
static struct err *
action_of_path(struct api_ctx *c, enum res_op op, struct retro_action *x)
{
	struct retrospective r = { 0 };

	TRY(retrospective_require(&c->res, c->path_params[0], RES_READ, &r));
	TRY(retro_action_require(&c->res, c->path_params[1], op, x));
	if (x->retrospective_id == r.id || x->first_retrospective_id == r.id)
		return NULL;
	return err_word(
		err_new(c->res.arena, ERR_NOT_FOUND, "Action with ID %lld does not exist.", (long long)x->id),
		retro_action_res.not_found);
}

static struct api_done *
action_get(struct api_ctx *c)
{
	struct retro_action x = { 0 };
	struct err *e = action_of_path(c, RES_READ, &x);
	return e ? api_fail(c, e) : api_record(c, &x);
}

static struct err *
change_action(struct api_ctx *c, struct retro_action *x)
{
	struct retro_action old = { 0 };

	TRY(action_of_path(c, RES_UPDATE, &old));
	TRY(api_check_match(c, &old));
	*x = old;
	TRY(res_parse(
		&c->res, &retro_action_res, c->route->view, c->body, RES_MODE_MERGE, api_is_strict(c), x));
	return retro_action_change(&c->res, &old, x);
}

static struct api_done *
action_put(struct api_ctx *c)
{
	struct retro_action x = { 0 };
	struct err *e = change_action(c, &x);
	return e ? api_fail(c, e) : api_record(c, &x);
}

/* ---- settings ---- */

static struct api_done *
settings_get(struct api_ctx *c)
{
	struct retro_settings s = { 0 };
	struct err *e = retro_settings_read(&c->res, &s);
	return e ? api_fail(c, e) : api_record(c, &s);
}

static struct err *
change_settings(struct api_ctx *c, struct retro_settings *s)
{
	struct retro_settings old = { 0 };

	TRY(retro_settings_require(&c->res, &old));
	TRY(api_check_match(c, &old));
	*s = old;
	TRY(res_parse(
		&c->res, &retro_settings_res, c->route->view, c->body, RES_MODE_MERGE, api_is_strict(c), s));
	return res_update(&c->res, &retro_settings_res, &old, s);
}

static struct api_done *
settings_put(struct api_ctx *c)
{
	struct retro_settings s = { 0 };
	struct err *e = change_settings(c, &s);
	return e ? api_fail(c, e) : api_record(c, &s);
}

/* ---- routes ---- */

/* Who reads sees what the scope shows; who writes is decided where the contract words the refusal. */
#define WRITERS                                                                                    \
	(PERM_BIT(PERM_SUBMIT_VALUE) | PERM_BIT(PERM_SUBMIT_INSIGHT) | PERM_BIT(PERM_MANAGE_KPI) | \
		PERM_BIT(PERM_APPROVE_REPORT))
#define SETTERS	   (PERM_BIT(PERM_COMPANY_ADMIN) | PERM_BIT(PERM_APPROVE_REPORT))
#define RETRO_PATH "/api/retrospectives/{retrospective_id}"

static const struct api_param list_params[] = {
	{ "team", "{\"type\":\"integer\"}", "Number of the team.", false },
	{ NULL, NULL, NULL, false },
};
static const struct api_param insight_params[] = {
	{ "generate", "{\"type\":\"boolean\",\"default\":false}",
		"Run the rules on the campaign's values instead of recording the body.", false },
	{ NULL, NULL, NULL, false },
};

#define RETRO_BODY                                                                                  \
	"{\"task_id\":123,\"created_by\":1,\"scheduled_time\":\"2024-06-15T10:00:00Z\",\"status\":" \
	"\"Scheduled\",\"team_id\":789}"
#define INSIGHT_BODY                                                                                     \
	"{\"retrospective_task_id\":456,\"type\":\"Underperforming Creative\",\"summary\":\"Creative A " \
	"shows 15% "                                                                                     \
	"lower CTR compared to Creative B\",\"severity\":\"Medium\",\"action_suggestion\":\"Consider "   \
	"pausing "                                                                                       \
	"Creative A and scaling Creative B\",\"generated_by\":\"ai_rule_001\"}"
#define APPROVAL_SCHEMA                                                                           \
	"{\"type\":\"object\",\"properties\":{\"approved_by\":{\"type\":[\"integer\",\"null\"]}," \
	"\"approval_notes\":{\"type\":[\"string\",\"null\"],\"maxLength\":4000}}}"
#define APPROVAL_BODY \
	"{\"approved_by\":1,\"approval_notes\":\"Insights validated, recommendations approved\"}"
#define ACTION_DOC "Who may not change retrospectives may still change the status of an own action."

static const struct api_route routes[] = {
	{ HTTP_GET, "/api/retrospectives", retrospectives_list, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		&retrospective_res, NULL, RES_LIST, .summary = "List retrospectives", .params = list_params },
	{ HTTP_POST, "/api/retrospectives", retrospective_post, WRITERS, API_WRITE, API_BODY_JSON,
		&retrospective_res, NULL, RES_CREATE, .summary = "Schedule a retrospective",
		.doc = "task_id is the campaign, made when it is unknown. Open actions of the team's earlier "
		       "retrospectives (without a team: of the same person's) are carried over into it.",
		.request_example = RETRO_BODY },
	{ HTTP_GET, RETRO_PATH, retrospective_get, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		&retrospective_res, NULL, RES_READ, .summary = "Read a retrospective" },
	{ HTTP_PUT, RETRO_PATH, retrospective_put, WRITERS, API_WRITE, API_BODY_JSON, &retrospective_res,
		NULL, RES_UPDATE, .summary = "Update a retrospective",
		.doc = "Only what is given changes. Scheduled goes to In Progress, that to Completed; each "
		       "of them may "
		       "be Cancelled, and Completed may go back to In Progress. Any other change of status "
		       "is 409.",
		.request_example =
			"{\"status\":\"In Progress\",\"notes\":\"Creative A tired after a week\"}" },
	{ HTTP_PATCH, RETRO_PATH, retrospective_put, WRITERS, API_WRITE, API_BODY_JSON, &retrospective_res,
		NULL, RES_UPDATE, .summary = "Update a retrospective", .doc = "The same as PUT.",
		.request_example = "{\"status\":\"In Progress\"}" },
	{ HTTP_GET, RETRO_PATH "/insights", insights_list, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		&insight_res, NULL, RES_LIST, .summary = "List a retrospective's insights" },
	{ HTTP_POST, RETRO_PATH "/insights", insights_post, PERM_BIT(PERM_SUBMIT_INSIGHT), API_WRITE,
		API_BODY_JSON, &insight_res, NULL, RES_CREATE, .summary = "Record or generate insights",
		.doc = "Records the insight of the body and moves a Scheduled retrospective to In Progress. "
		       "With "
		       "?generate=true the rules run on the campaign's values and the answer is the list of "
		       "what they "
		       "found that was not there yet. Counted by retrospective: 10 requests a minute. Needs "
		       "SUBMIT_INSIGHT.",
		.params = insight_params, .request_example = INSIGHT_BODY },
	{ HTTP_PATCH, RETRO_PATH "/report/approve", report_approve, PERM_AUTHENTICATED, API_WRITE,
		API_BODY_JSON, &retrospective_res, NULL, RES_UPDATE, .summary = "Approve the report",
		.doc = "Makes the report and keeps it, and moves the retrospective to Reported. The same "
		       "approver gets the "
		       "same answer again, another 409. approved_by other than the caller needs an "
		       "administrator. Needs "
		       "APPROVE_REPORT.",
		.request_schema = APPROVAL_SCHEMA, .request_example = APPROVAL_BODY },
	{ HTTP_GET, RETRO_PATH "/actions", actions_list, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		&retro_action_res, NULL, RES_LIST, .summary = "List a retrospective's actions",
		.doc = "Those that stand in it and those that were accepted in it and carried over since." },
	{ HTTP_POST, RETRO_PATH "/actions", actions_post, WRITERS, API_WRITE, API_BODY_JSON,
		&retro_action_res, NULL, RES_CREATE, .summary = "Accept a suggestion as an action",
		.doc = "Of an insight, whose suggestion becomes the title, or by hand with a title. The "
		       "owner is the "
		       "caller when not given.",
		.request_example = "{\"insight_id\":1,\"owner_id\":1,\"due_date\":\"2024-06-30\"}" },
	{ HTTP_GET, RETRO_PATH "/actions/{action_id}", action_get, PERM_AUTHENTICATED, API_READ,
		API_BODY_NONE, &retro_action_res, NULL, RES_READ, .summary = "Read an action" },
	{ HTTP_PUT, RETRO_PATH "/actions/{action_id}", action_put, PERM_AUTHENTICATED, API_WRITE,
		API_BODY_JSON, &retro_action_res, NULL, RES_UPDATE, .summary = "Change an action",
		.doc = ACTION_DOC, .request_example = "{\"status\":\"Done\"}" },
	{ HTTP_PATCH, RETRO_PATH "/actions/{action_id}", action_put, PERM_AUTHENTICATED, API_WRITE,
		API_BODY_JSON, &retro_action_res, NULL, RES_UPDATE, .summary = "Change an action",
		.doc = ACTION_DOC, .request_example = "{\"status\":\"Done\"}" },
	{ HTTP_GET, "/api/retrospectives/settings", settings_get, PERM_AUTHENTICATED, API_READ, API_BODY_NONE,
		&retro_settings_res, NULL, RES_READ,
		.summary = "Read the company's settings of retrospectives" },
	{ HTTP_PUT, "/api/retrospectives/settings", settings_put, SETTERS, API_WRITE, API_BODY_JSON,
		&retro_settings_res, NULL, RES_UPDATE,
		.summary = "Change the company's settings of retrospectives",
		.doc = "Only what is given changes. Retrospectives that are scheduled already keep their "
		       "times." },
};

const struct api_routes retrospective_routes = { routes, COUNT(routes), "Retrospectives",
	"What a campaign's figures say, what to do about it, and who approved that." };
