/*
 * The retrospective as a resource. What may follow what, who may say so and what comes of it is in retrospective.c; here are the fields
 * and the rules that need nothing but the record.
 */
#include "domain/campaign/campaign_parts.h"
#include "domain/kpi/value.h"

const char *const retrospective_status_names[] = { "Scheduled", "In Progress", "Completed", "Reported",
	"Cancelled", NULL };

#define RES_RECORD struct retrospective

static const char *
verify_task(const void *record)
{
	const struct retrospective *r = record;
	bool fine = r->task_id >= 1 && r->task_id <= KPI_CAMPAIGN_ID_MAX;
	return fine ? NULL : "Ensure this value is between 1 and 9007199254740992.";
}

static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Id.", .example = "456"),
	F(task_id, INT, .flags = RF_REQUIRED | RF_FILTER, .verify = verify_task,
		.doc = "The campaign; made when it is unknown.", .example = "123"),
	F(created_by, INT, .flags = RF_NULL | RF_CREATE_ONLY | RF_FILTER,
		.doc = "Who scheduled it: the caller, or for administrators any person.", .example = "1"),
	F(scheduled_time, INSTANT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT, .doc = "When it takes place.",
		.example = "\"2024-06-15T10:00:00Z\""),
	F(status, ENUM, .flags = RF_FILTER | RF_SORT, .names = retrospective_status_names,
		.preset = "Scheduled",
		.doc = "Scheduled, In Progress, Completed, Reported (by approval alone) or Cancelled; upper "
		       "and lower "
		       "case are the same.",
		.example = "\"Scheduled\""),
	F(team_id, INT, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "Number of the team.",
		.example = "789"),
	F(deadline, INSTANT, .flags = RF_NULL | RF_FILTER | RF_SORT,
		.doc = "When it is completed by itself; by default as the settings say.",
		.example = "\"2024-06-29T10:00:00Z\""),
	F(notes, TEXT, .flags = RF_NULL | RF_BLANK, .max = 20000, .doc = "What was said.",
		.example = "\"Creative A tired after a week\""),
	F(decisions, TEXT, .flags = RF_NULL | RF_BLANK, .max = 20000, .doc = "What was decided.",
		.example = "\"Scale Creative B\""),
	F(started_at, INSTANT, .flags = RF_SERVER | RF_NULL, .doc = "When it first was In Progress.",
		.example = "null"),
	F(completed_at, INSTANT, .flags = RF_SERVER | RF_NULL, .doc = "When it was completed.",
		.example = "null"),
	F(approved_by, INT, .flags = RF_SERVER | RF_NULL | RF_FILTER, .doc = "Who approved the report.",
		.example = "null"),
	F(approved_at, INSTANT, .flags = RF_SERVER | RF_NULL, .doc = "When.", .example = "null"),
	F(approval_notes, TEXT, .flags = RF_SERVER | RF_NULL, .max = 4000, .doc = "What the approver said.",
		.example = "null"),
	F(reminded_for, INSTANT, .flags = RF_SERVER | RF_NULL | RF_HIDDEN),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was created.",
		.example = "\"2024-06-14T10:00:00Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was last changed.",
		.example = "\"2024-06-14T10:00:00Z\""),
};

static bool
has(const struct retrospective *r, const char *field)
{
	return !res_is_null(&retrospective_res, r, field);
}

static struct err *
rules(struct res_ctx *c, const void *record, struct err **e)
{
	const struct retrospective *r = record;

	if (has(r, "deadline") && has(r, "scheduled_time") && r->deadline.us < r->scheduled_time.us)
		err_add_field(c->arena, e, STR("deadline"), "Ensure this is not before scheduled_time.");
	return NULL;
}

static struct err *
before_write(struct res_ctx *c, const void *old, void *record)
{
	struct err *e = NULL;

	(void)old;
	TRY(rules(c, record, &e));
	return e;
}

const struct res_def retrospective_res = {
	.name = "retrospective",
	.title = "Retrospective",
	.table = "retrospective",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct retrospective),
	.scope = SCOPE_CUSTOM,
	.perm = {
		[RES_LIST] = PERM_AUTHENTICATED,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = CAMPAIGN_WRITERS,
		[RES_UPDATE] = CAMPAIGN_WRITERS,
	},
	.default_sort = "scheduled_time,id",
	.not_found = "RETROSPECTIVE_NOT_FOUND",
	.doc = "The look back on a campaign: what its figures say, what to do about it, and who approved that.",
	.hooks = { .rules = rules, .before_write = before_write, .scope = retrospective_scope },
};
