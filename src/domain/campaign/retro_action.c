/* Actions: suggestions that were accepted, with an owner and a date. */
#include "domain/campaign/campaign_parts.h"

const char *const action_status_names[] = { "Open", "In Progress", "Done", "Dismissed", NULL };

#define RES_RECORD struct retro_action
static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Id.", .example = "1"),
	F(retrospective_id, INT, .flags = RF_SERVER | RF_FILTER,
		.doc = "The retrospective in which it stands now.", .example = "456"),
	F(first_retrospective_id, INT, .flags = RF_SERVER | RF_FILTER,
		.doc = "The one in which it was accepted.", .example = "456"),
	F(insight_id, INT, .flags = RF_NULL | RF_CREATE_ONLY | RF_FILTER,
		.doc = "The insight whose suggestion it is.", .example = "1"),
	F(title, TEXT, .flags = RF_SORT, .max = 4000,
		.doc = "What is to be done; the insight's suggestion when not given.",
		.example = "\"Pause Creative A\""),
	F(owner_id, INT, .flags = RF_NULL | RF_FILTER, .doc = "The person who does it.", .example = "1"),
	F(due_date, DATE, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "Until when.",
		.example = "\"2024-06-30\""),
	F(status, ENUM, .flags = RF_FILTER | RF_SORT, .names = action_status_names, .preset = "Open",
		.doc = "Open and In Progress ones are carried over to the next retrospective.",
		.example = "\"Open\""),
	F(carried, INT, .flags = RF_SERVER, .doc = "How often it was carried over.", .example = "0"),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was accepted.",
		.example = "\"2024-06-15T10:30:00Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was last changed.",
		.example = "\"2024-06-15T10:30:00Z\""),
};

const struct res_def retro_action_res = {
	.name = "retro_action",
	.title = "Action",
	.table = "retro_action",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct retro_action),
	.scope = SCOPE_CUSTOM,
	.perm = {
		[RES_LIST] = PERM_AUTHENTICATED,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = CAMPAIGN_WRITERS,
		[RES_UPDATE] = PERM_AUTHENTICATED, /* writers and the owner; the rules of a change decide */
	},
	.default_sort = "id",
	.not_found = "ACTION_NOT_FOUND",
	.doc = "A suggestion that was accepted: who does it until when.",
	.hooks = { .scope = retro_action_scope },
};
