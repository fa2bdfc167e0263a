/* See the header. The fields stand for the kinds that the grammars of lists tell apart. */
#include "item.h"

static const char *const status_names[] = { "active", "closed", NULL };

#define RES_RECORD struct item
static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(version, INT, .flags = RF_SERVER),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(updated_at, INSTANT, .flags = RF_SERVER),
	F(name, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT | RF_SEARCH, .max = 100),
	F(amount, INT, .flags = RF_FILTER | RF_SORT, .preset = "0"),
	F(status, ENUM, .flags = RF_FILTER, .names = status_names, .preset = "active"),
	F(team_id, INT, .flags = RF_NULL | RF_FILTER),
	F(due, DATE, .flags = RF_NULL | RF_FILTER | RF_SORT),
};
#undef RES_RECORD

const struct res_def item_res = {
	.name = "item",
	.title = "Item",
	.table = "item",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct item),
	.perm = { PERM_AUTHENTICATED, PERM_AUTHENTICATED, PERM_AUTHENTICATED, PERM_AUTHENTICATED,
		PERM_AUTHENTICATED },
	.default_sort = "id",
	.not_found = "ITEM_NOT_FOUND",
	.doc = "A thing for tests.",
};

static const struct res_view_field camel_fields[] = {
	{ .name = "itemName", .field = "name" },
	{ .name = "dueDate", .field = "due" },
	{ .name = "teamId", .field = "team_id" },
};
const struct res_view item_camel_view = {
	.name = "CamelItem", .fields = camel_fields, .field_count = COUNT(camel_fields)
};
