/*
 * The fields of the audit trail. Its table is a view that gives the number of the event table the name that the engine asks for; nothing is
 * ever stored through it, so it is not among the resources of the registry, whose writing statements are all prepared by a test.
 */
#include "live/event_log.h"

#define RES_RECORD struct event_record
static const struct res_field fields[] = {
	{ .name = "seq",
		.column = "id",
		.kind = RES_INT,
		.offset = RES_OFFSET(seq, RES_CTYPE_INT),
		.flags = RF_SERVER | RF_FILTER | RF_SORT,
		.doc = "Number; rises with time, but for transactions side by side.",
		.example = "42" },
	F(type, TEXT, .flags = RF_SERVER | RF_FILTER, .doc = "What happened.", .example = "\"kpi.updated\""),
	F(object_type, TEXT, .flags = RF_SERVER | RF_FILTER, .doc = "Kind of object.", .example = "\"kpi\""),
	F(object_id, TEXT, .flags = RF_SERVER | RF_FILTER, .doc = "Its id.", .example = "\"kpi-001\""),
	F(actor_id, INT, .flags = RF_SERVER | RF_NULL | RF_FILTER,
		.doc = "Person who did it; null: a key or the server.", .example = "1"),
	F(actor_name, TEXT, .flags = RF_SERVER | RF_BLANK, .doc = "Name at that time.",
		.example = "\"admin\""),
	F(request_id, TEXT, .flags = RF_SERVER | RF_BLANK | RF_FILTER,
		.doc = "The request, as the log names it.", .example = "\"0199c2b1\""),
	F(at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When.",
		.example = "\"2024-06-15T09:00:00Z\""),
	F(old_values, JSON, .flags = RF_SERVER | RF_NULL, .doc = "The object before; null for a creation.",
		.example = "{\"status\":\"active\"}"),
	F(new_values, JSON, .flags = RF_SERVER | RF_NULL, .doc = "The object after; null for a deletion.",
		.example = "{\"status\":\"inactive\"}"),
};

const struct res_def event_res = {
	.name = "event",
	.title = "Event",
	.table = "event_log",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct event_record),
	.id_field = "seq",
	.scope = SCOPE_COMPANY,
	.perm = { [RES_LIST] = PERM_BIT(PERM_COMPANY_ADMIN), [RES_READ] = PERM_BIT(PERM_COMPANY_ADMIN) },
	.default_sort = "-seq",
	.doc = "What happened in the company: one row a change, written with it.",
};

static const struct res_view_field view_fields[] = {
	{ .name = "seq", .field = "seq" },
	{ .name = "type", .field = "type" },
	{ .name = "object_type", .field = "object_type" },
	{ .name = "object_id", .field = "object_id" },
	{ .name = "actor_id", .field = "actor_id" },
	{ .name = "actor_name", .field = "actor_name" },
	{ .name = "request_id", .field = "request_id" },
	{ .name = "timestamp", .field = "at" },
	{ .name = "old_values", .field = "old_values" },
	{ .name = "data", .field = "new_values" },
};
const struct res_view event_view = {
	.name = "Event", .fields = view_fields, .field_count = COUNT(view_fields)
};
