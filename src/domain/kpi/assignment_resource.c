/* The assignment as a resource, and the two views in which the contracts show it. Its rules are in assignment_rules.c. */
#include "domain/kpi/assignment.h"
#include "domain/kpi/assignment_parts.h"
#include "domain/kpi/kpi_parts.h"

const char *const assignment_target_names[] = { "USER", "TEAM", "DEPARTMENT", "PROJECT", "BUSINESS_UNIT",
	NULL };
static const char *const role_names[] = { "OWNER", "CONTRIBUTOR", "VIEWER", "APPROVER", NULL };
static const char *const preference_names[] = { "IMMEDIATE", "DAILY", "WEEKLY", "NONE", NULL };
const char *const assignment_status_names[] = { "ACTIVE", "INACTIVE", "SUSPENDED", "COMPLETED", NULL };

#define RES_RECORD struct assignment
static const struct res_field fields[] = {
	F(id, TEXT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .max = LIMIT_ID_CHARS, .doc = "Generated.",
		.example = "\"assign-001\""),
	F(kpi_id, TEXT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .max = LIMIT_ID_CHARS,
		.doc = "The KPI assigned.", .example = "\"kpi-001\""),
	FN(target_type, "type", ENUM, .flags = RF_REQUIRED | RF_CREATE_ONLY | RF_FILTER | RF_SORT,
		.names = assignment_target_names, .doc = "To what it is assigned.", .example = "\"TEAM\""),
	F(target_id, TEXT, .flags = RF_REQUIRED | RF_CREATE_ONLY | RF_FILTER | RF_SORT, .max = LIMIT_ID_CHARS,
		.doc = "The employee (by employee id or user name), team or unit.",
		.example = "\"sales_team_1\""),
	F(person_id, REF, .flags = RF_SERVER | RF_NULL | RF_HIDDEN),
	F(role, ENUM, .flags = RF_FILTER | RF_SORT, .names = role_names, .preset = "CONTRIBUTOR",
		.doc = "The part played.", .example = "\"OWNER\""),
	FN(can_view, "permissions.can_view", BOOL, .flags = RF_NULL, .doc = "Whether the KPI is seen.",
		.example = "true"),
	FN(can_edit, "permissions.can_edit", BOOL, .flags = RF_NULL,
		.doc = "Whether the KPI and its values may be changed.", .example = "true"),
	FN(can_assign, "permissions.can_assign", BOOL, .flags = RF_NULL,
		.doc = "Whether it may be assigned to others.", .example = "true"),
	FN(can_delete, "permissions.can_delete", BOOL, .flags = RF_NULL, .doc = "Whether it may be deleted.",
		.example = "false"),
	FN(can_approve, "permissions.can_approve", BOOL, .flags = RF_NULL,
		.doc = "Whether its figures may be approved.", .example = "false"),
	FN(preference, "notifications.preference", ENUM, .names = preference_names, .preset = "IMMEDIATE",
		.doc = "How often to tell.", .example = "\"DAILY\""),
	FN(threshold_alerts, "notifications.threshold_alerts", BOOL, .preset = "true",
		.doc = "Whether crossings are told.", .example = "true"),
	F(supervisor_id, TEXT, .flags = RF_NULL | RF_FILTER | RF_SORT, .max = LIMIT_ID_CHARS,
		.doc = "The supervisor's employee id.", .example = "\"sup-001\""),
	F(custom_target_value, DECIMAL, .flags = RF_NULL, .doc = "Target instead of the KPI's.",
		.example = "55000.00"),
	F(custom_target_unit, TEXT, .flags = RF_NULL | RF_BLANK, .max = 32,
		.doc = "Unit instead of the KPI's.", .example = "\"USD\""),
	F(custom_comparison_type, ENUM, .flags = RF_NULL, .names = kpi_comparison_names,
		.doc = "How the value is compared with the target.", .example = "\"GREATER_THAN_OR_EQUAL\""),
	F(custom_weight_percentage, DECIMAL, .flags = RF_NULL,
		.doc = "Weight among the employee's KPIs, 0 to 100.", .example = "30.0"),
	F(custom_weight_is_flexible, BOOL, .flags = RF_NULL, .doc = "Whether the weight may be shifted.",
		.example = "false"),
	F(effective_date, DATE, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "First day; by default today.",
		.example = "\"2025-01-01\""),
	F(end_date, DATE, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "Last day.",
		.example = "\"2025-12-31\""),
	F(assigned_by, TEXT, .flags = RF_SERVER | RF_FILTER, .doc = "The user name of who assigned it.",
		.example = "\"manager\""),
	F(status, ENUM, .flags = RF_FILTER | RF_SORT, .names = assignment_status_names, .preset = "ACTIVE",
		.doc = "COMPLETED when the last day has passed, INACTIVE when it was removed.",
		.example = "\"ACTIVE\""),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was created.",
		.example = "\"2025-12-17T08:30:00.000Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was last changed.",
		.example = "\"2025-12-17T08:30:00.000Z\""),
};

const struct res_def assignment_res = {
	.name = "assignment",
	.title = "Assignment",
	.table = "kpi_assignment",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct assignment),
	.id_prefix = "assign-",
	.scope = SCOPE_CUSTOM,
	.perm = {
		[RES_LIST] = PERM_AUTHENTICATED,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = PERM_AUTHENTICATED, /* ASSIGN_KPI or an assignment with can_assign: kpi_require decides */
		[RES_UPDATE] = PERM_AUTHENTICATED,
		[RES_DELETE] = 0, /* assignments end, they are not deleted */
	},
	.default_sort = "created_at,id",
	.not_found = "ASSIGNMENT_NOT_FOUND",
	.doc = "A KPI given to a person, team or unit.",
	.hooks = { .rules = assignment_rules, .before_write = assignment_before_write, .scope = kpi_assignment_scope },
};

const struct res_view assignment_view = { .name = "Assignment", .instants = INSTANT_ISO_SECONDS };

static void
write_warnings(struct json_out *o, const struct res_ctx *c, const void *record)
{
	const struct assignment *x = record;
	struct buf total;

	buf_init_arena(&total, c->arena, 64);
	decimal_write_short(&total, x->weight_total);
	json_begin_array(o);
	json_put_str(
		o, arena_fmt(c->arena, "The weights of %.*s add up to %.*s %%, which is more than 100 %%.",
			   STR_ARG(x->target_id), STR_ARG(buf_str(&total))));
	json_end_array(o);
}

#define EMPLOYEE_FIELDS                                                                      \
	{ .name = "employeeId", .field = "target_id", .flags = RV_REQUIRED },                \
		{ .name = "kpiDefinitionId", .field = "kpi_id" },                            \
		{ .name = "assignmentId", .field = "id", .flags = RV_READ_ONLY },            \
		{ .name = "supervisorId", .field = "supervisor_id" },                        \
		{ .name = "customTargetValue", .field = "custom_target_value" },             \
		{ .name = "customTargetUnit", .field = "custom_target_unit" },               \
		{ .name = "customTargetComparisonType", .field = "custom_comparison_type" }, \
		{ .name = "customWeightPercentage", .field = "custom_weight_percentage" },   \
		{ .name = "customWeightIsFlexible", .field = "custom_weight_is_flexible" },  \
		{ .name = "effectiveDate", .field = "effective_date" },                      \
		{ .name = "endDate", .field = "end_date" },                                  \
		{ .name = "assignedBy", .field = "assigned_by", .flags = RV_READ_ONLY },     \
		{ .name = "status", .field = "status" },                                     \
		{ .name = "createdAt", .field = "created_at", .flags = RV_READ_ONLY },       \
	{                                                                                    \
		.name = "updatedAt", .field = "updated_at", .flags = RV_READ_ONLY            \
	}

static const struct res_view_field employee_fields[] = { EMPLOYEE_FIELDS };
static const struct res_view_field warned_fields[] = {
	EMPLOYEE_FIELDS,
	{ .name = "warnings",
		.write = write_warnings,
		.schema = "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" },
};

const struct res_view assignment_employee_view = {
	.name = "EmployeeAssignment",
	.fields = employee_fields,
	.field_count = COUNT(employee_fields),
	.instants = INSTANT_ISO_MILLIS,
};
const struct res_view assignment_warned_view = {
	.name = "EmployeeAssignmentWithWarnings",
	.fields = warned_fields,
	.field_count = COUNT(warned_fields),
	.instants = INSTANT_ISO_MILLIS,
};
