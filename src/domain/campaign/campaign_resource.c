/*
 * The campaign as a resource: its fields and the rules across them. Completing a campaign is a change like any other; what follows from
 * it (a retrospective) is enqueued by the hook, so that it exists exactly when the change does, whoever made it.
 */
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/campaign_sql.h"
#include "domain/iam/person.h"

#define TARGETS_MAX	 50
#define METRIC_CHARS_MAX 100

const char *const campaign_status_names[] = { "Planned", "Active", "Completed", "Cancelled", NULL };

#define RES_RECORD struct campaign
static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Id; the task_id of its retrospectives.",
		.example = "123"),
	F(name, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT | RF_SEARCH, .doc = "Name of the campaign.",
		.example = "\"Spring collection\""),
	F(description, TEXT, .flags = RF_NULL | RF_BLANK | RF_SEARCH, .max = 4000, .doc = "What it is for.",
		.example = "\"First weeks of the new collection\""),
	F(status, ENUM, .flags = RF_FILTER | RF_SORT, .names = campaign_status_names, .preset = "Active",
		.doc = "A campaign that becomes Completed gets a retrospective by itself, unless the "
		       "settings "
		       "say otherwise.",
		.example = "\"Active\""),
	F(team_id, INT, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "Number of the team that runs it.",
		.example = "789"),
	F(owner_id, REF, .flags = RF_NULL | RF_FILTER, .ref = &person_res,
		.doc = "The person who answers for it; by default who creates it.", .example = "null"),
	F(budget, MONEY, .flags = RF_NULL | RF_FILTER | RF_SORT,
		.doc = "What may be spent, in the company's currency.", .example = "5000.00"),
	F(start_date, DATE, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "First day.",
		.example = "\"2024-06-01\""),
	F(end_date, DATE, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "Last day.",
		.example = "\"2024-06-14\""),
	F(completed_at, INSTANT, .flags = RF_SERVER | RF_NULL | RF_FILTER | RF_SORT,
		.doc = "When it was completed.", .example = "null"),
	F(targets, JSON, .preset = "{}", .max = 8000, .doc = "What is to be reached, by metric.",
		.example = "{\"ROI\":1.5,\"CTR\":0.02}"),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was created.",
		.example = "\"2024-06-01T08:00:00Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was last changed.",
		.example = "\"2024-06-01T08:00:00Z\""),
};

/* ---- rules ---- */

static bool
has(const struct campaign *k, const char *field)
{
	return !res_is_null(&campaign_res, k, field);
}

static void
check_target(struct res_ctx *c, struct str metric, const json_val *v, struct err **e)
{
	struct decimal d;
	struct str field = arena_fmt(c->arena, "targets.%.*s", STR_ARG(metric));

	if (metric.n == 0 || str_utf8_len(metric) > METRIC_CHARS_MAX)
		err_add_field(c->arena, e, STR("targets"), "A metric's name has 1 to %d characters.",
			METRIC_CHARS_MAX);
	else if (json_type_of(v) != JSON_NUMBER || decimal_parse(json_number(v), &d) == DECIMAL_NOT_A_NUMBER)
		err_add_field(c->arena, e, field, "A valid number is required.");
}

static struct err *
rules(struct res_ctx *c, const void *record, struct err **e)
{
	const struct campaign *k = record;
	json_val *targets, *v;
	struct str metric;

	if (has(k, "start_date") && has(k, "end_date") && k->end_date.days < k->start_date.days)
		err_add_field(c->arena, e, STR("end_date"), "Ensure this date is not before start_date.");
	if (has(k, "budget") && k->budget.minor < 0)
		err_add_field(c->arena, e, STR("budget"), "Must be a positive number.");
	if (!has(k, "targets"))
		return NULL;
	TRY(json_parse(c->arena, k->targets, &targets));
	if (json_type_of(targets) != JSON_OBJECT || json_count(targets) > TARGETS_MAX) {
		err_add_field(c->arena, e, STR("targets"),
			"Expected an object of up to %d metrics and numbers, such as {\"ROI\":1.5}.",
			TARGETS_MAX);
		return NULL;
	}
	for (struct json_iter it = json_iter(targets); json_next(&it, &metric, &v);)
		check_target(c, metric, v, e);
	return NULL;
}

/* Ids that clients chose may lie in the way of the sequence: then the first free one above it is taken. */
static struct err *
find_free_id(struct res_ctx *c, struct campaign *k)
{
	struct db_rows r;
	bool found;

	TRY(campaign_company_lock(c));
	TRY(DB_FIND(c->tx, &sql_campaign_exists, &r, &found, P_INT(c->actor->company_id), P_INT(k->id)));
	if (!found)
		return NULL;
	TRY(DB_FIND(c->tx, &sql_campaign_gap, &r, &found, P_INT(c->actor->company_id), P_INT(k->id)));
	/* NULL: it has been deleted between the two statements, so the id itself is free. */
	if (found && !db_is_null(&r, 0))
		k->id = db_int(&r, 0);
	return NULL;
}

static struct err *
before_write(struct res_ctx *c, const void *old, void *record)
{
	const struct campaign *before = old;
	struct campaign *k = record;
	struct err *e = NULL;
	bool was_completed = before && before->status == CAMPAIGN_COMPLETED;

	TRY(rules(c, k, &e));
	if (e)
		return e;
	if (k->status == CAMPAIGN_COMPLETED && !was_completed) {
		k->completed_at = c->now;
		res_set_null(&campaign_res, k, "completed_at", false);
	} else if (k->status != CAMPAIGN_COMPLETED) {
		res_set_null(&campaign_res, k, "completed_at", true);
	}
	return before ? NULL : find_free_id(c, k);
}

static struct err *
after_write(struct res_ctx *c, const void *old, const void *record)
{
	const struct campaign *before = old, *k = record;
	bool was_completed = before && before->status == CAMPAIGN_COMPLETED;

	if (!k || k->status != CAMPAIGN_COMPLETED || was_completed)
		return NULL;
	TRY(campaign_event(
		c, "campaign.completed", &campaign_res, k->id, campaign_json(c, &campaign_res, k)));
	return retrospective_plan_for(c, k);
}

/* Figures without a campaign would be figures of nothing. */
static struct err *
before_delete(struct res_ctx *c, const void *record)
{
	const struct campaign *k = record;
	struct db_rows r;
	bool found;

	TRY(DB_FIND(c->tx, &sql_campaign_has_values, &r, &found, P_INT(c->actor->company_id), P_INT(k->id)));
	if (!found)
		return NULL;
	return err_word(err_new(c->arena, ERR_CONFLICT,
				"Values were recorded of this campaign; it can be cancelled."),
		"CAMPAIGN_IN_USE");
}

const struct res_def campaign_res = {
	.name = "campaign",
	.title = "Campaign",
	.table = "campaign",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct campaign),
	.scope = SCOPE_CUSTOM,
	.perm = {
		[RES_LIST] = PERM_AUTHENTICATED,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = CAMPAIGN_WRITERS,
		[RES_UPDATE] = CAMPAIGN_WRITERS,
		[RES_DELETE] = CAMPAIGN_WRITERS,
	},
	.default_sort = "id",
	.not_found = "CAMPAIGN_NOT_FOUND",
	.doc = "What was advertised, when, by whom and for how much.",
	.hooks = { .rules = rules, .before_write = before_write, .after_write = after_write, .before_delete = before_delete, .scope = campaign_scope },
};
