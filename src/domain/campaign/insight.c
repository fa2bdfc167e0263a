/* Insights: what a person or a rule found in a campaign's figures. */
#include "domain/campaign/campaign_parts.h"

const char *const insight_severity_names[] = { "Low", "Medium", "High", "Critical", NULL };

#define RES_RECORD struct insight
static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Id.", .example = "1"),
	F(retrospective_task_id, INT, .flags = RF_FILTER, .doc = "The retrospective; that of the path.",
		.example = "456"),
	F(type, TEXT, .flags = RF_FILTER | RF_SORT, .preset = "Observation",
		.doc = "What kind of finding it is.", .example = "\"Underperforming Creative\""),
	F(summary, TEXT, .flags = RF_REQUIRED, .max = 4000, .doc = "What was found, with its numbers.",
		.example = "\"Creative A shows 15% lower CTR compared to Creative B\""),
	F(severity, ENUM, .flags = RF_FILTER | RF_SORT, .names = insight_severity_names, .preset = "Medium",
		.doc = "Low, Medium, High or Critical; upper and lower case are the same.",
		.example = "\"Medium\""),
	F(action_suggestion, TEXT, .flags = RF_NULL | RF_BLANK, .max = 4000,
		.doc = "What might be done; can be accepted as an action.",
		.example = "\"Consider pausing Creative A and scaling Creative B\""),
	F(generated_by, TEXT, .flags = RF_NULL | RF_FILTER, .max = 100,
		.doc = "The rule that found it, or a name; the caller's when not given.",
		.example = "\"ai_rule_001\""),
	F(evidence, JSON, .flags = RF_NULL, .max = 16000, .doc = "The numbers behind it.",
		.example = "{\"creative_a\":0.0196,\"creative_b\":0.023}"),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was recorded.",
		.example = "\"2024-06-15T10:20:00Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was last changed.",
		.example = "\"2024-06-15T10:20:00Z\""),
};

const struct res_def insight_res = {
	.name = "insight",
	.title = "Insight",
	.table = "insight",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct insight),
	.scope = SCOPE_CUSTOM,
	.perm = {
		[RES_LIST] = PERM_AUTHENTICATED,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = PERM_BIT(PERM_SUBMIT_INSIGHT),
	},
	.default_sort = "id",
	.not_found = "INSIGHT_NOT_FOUND",
	.doc = "What a person or a rule found in a campaign's figures.",
	.hooks = { .scope = insight_scope },
};

static struct err *
check_open(struct res_ctx *c, const struct retrospective *r)
{
	if (r->status != RETRO_REPORTED && r->status != RETRO_CANCELLED)
		return NULL;
	return err_word(err_new(c->arena, ERR_CONFLICT, "A retrospective that is %s takes no more insights.",
				retrospective_status_names[r->status]),
		"RETROSPECTIVE_CLOSED");
}

/* The first insight begins the retrospective. */
static struct err *
begin(struct res_ctx *c, struct retrospective *r)
{
	const struct retrospective old = *r;

	if (r->status != RETRO_SCHEDULED)
		return NULL;
	r->status = RETRO_IN_PROGRESS;
	return retrospective_change(c, &old, r);
}

struct err *
insight_add(struct res_ctx *c, struct retrospective *r, struct insight *i)
{
	if (res_is_given(&insight_res, i, "retrospective_task_id") && i->retrospective_task_id != r->id)
		return err_field(
			c->arena, "retrospective_task_id", "This is not the retrospective of the path.");
	TRY(check_open(c, r));
	i->retrospective_task_id = r->id;
	if (res_is_null(&insight_res, i, "generated_by")) {
		i->generated_by = c->actor->username;
		res_set_null(&insight_res, i, "generated_by", false);
	}
	TRY(res_create(c, &insight_res, i));
	TRY(begin(c, r));
	return campaign_event(c, "retrospective.insight_generated", &retrospective_res, r->id,
		campaign_json(c, &insight_res, i));
}
