/*
 * The KPI as a resource: its fields, limits and choices in one table, from which the engine stores and describes it. Rules across
 * fields are in kpi_rules.c, who may see a KPI in kpi_scope.c.
 */
#include "domain/kpi/kpi_parts.h"

const char *const kpi_type_names[] = { "NUMERIC", "PERCENTAGE", "CURRENCY", "COUNT", "RATIO", "DURATION",
	"BOOLEAN", NULL };
const char *const kpi_status_names[] = { "active", "inactive", "archived", NULL };
const char *const kpi_aggregation_names[] = { "sum", "avg", "last", "min", "max", NULL };
const char *const kpi_direction_names[] = { "higher", "lower", "range", NULL };
const char *const kpi_period_names[] = { "day", "week", "month", "quarter", "year", NULL };
const char *const kpi_comparison_names[] = { "GREATER_THAN", "LESS_THAN", "EQUALS", "NOT_EQUAL",
	"GREATER_THAN_OR_EQUAL", "LESS_THAN_OR_EQUAL", "RANGE", "EQUAL", NULL };

#define RES_RECORD struct kpi
static const struct res_field kpi_fields[] = {
	F(id, TEXT, .flags = RF_CREATE_ONLY | RF_FILTER | RF_SORT | RF_SEARCH | RF_UNIQUE,
		.max = LIMIT_ID_CHARS, .taken = "KPI_ID_EXISTS",
		.doc = "Unique in the company; generated when not given.", .example = "\"kpi-001\""),
	F(name, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT | RF_SEARCH | RF_UNIQUE,
		.taken = "KPI_NAME_EXISTS", .doc = "Unique among the company's KPIs.",
		.example = "\"Quarterly Sales Target\""),
	F(description, TEXT, .flags = RF_NULL | RF_BLANK | RF_SEARCH, .max = 4000,
		.doc = "What is measured and why.", .example = "\"Track quarterly sales performance\""),
	F(type, ENUM, .flags = RF_REQUIRED | RF_FILTER | RF_SORT, .names = kpi_type_names,
		.doc = "What kind of number it is.", .example = "\"CURRENCY\""),
	F(status, ENUM, .flags = RF_FILTER | RF_SORT, .names = kpi_status_names, .preset = "active",
		.doc = "Only active KPIs take part in alerts.", .example = "\"active\""),
	F(team_id, TEXT, .flags = RF_NULL | RF_FILTER | RF_SORT, .max = LIMIT_ID_CHARS,
		.doc = "The team it belongs to.", .example = "\"sales_team_1\""),
	F(owner_id, TEXT, .flags = RF_NULL | RF_FILTER | RF_SORT, .max = LIMIT_ID_CHARS,
		.doc = "The employee who answers for it; by default who creates it.",
		.example = "\"emp-001\""),
	F(unit, TEXT, .flags = RF_NULL | RF_BLANK, .max = 32, .doc = "Shown behind values.",
		.example = "\"rides\""),
	F(currency, TEXT, .flags = RF_NULL, .min = 3, .max = 3,
		.doc = "ISO 4217; for CURRENCY KPIs the company's when not given.", .example = "\"GBP\""),
	F(decimals, INT, .flags = RF_NULL | RF_CREATE_ONLY,
		.doc = "Digits behind the point that values are kept with; by default the currency's, 0 for "
		       "COUNT and BOOLEAN, else 6.",
		.example = "2"),
	F(aggregation, ENUM, .flags = RF_NULL, .names = kpi_aggregation_names,
		.doc = "How the values of a period become its figure; by default sum for CURRENCY and COUNT, "
		       "else last.",
		.example = "\"sum\""),
	F(formula, TEXT, .flags = RF_NULL | RF_BLANK, .max = 2000,
		.doc = "Makes the KPI a formula over others: {kpi-id}, numbers, + - * /, parentheses, min, "
		       "max, abs, round, if.",
		.example = "\"{kpi-002} / {kpi-001} * 100\""),
	FN(min_value, "thresholds.min_value", DECIMAL, .flags = RF_NULL, .doc = "Lowest sensible value.",
		.example = "0"),
	FN(max_value, "thresholds.max_value", DECIMAL, .flags = RF_NULL, .doc = "Highest sensible value.",
		.example = "1000000"),
	FN(target_value, "thresholds.target_value", DECIMAL, .flags = RF_NULL,
		.doc = "The target of a period that has none of its own.", .example = "500000"),
	FN(warning_threshold, "thresholds.warning_threshold", DECIMAL, .preset = "0.8",
		.doc = "Fraction of the target below which the state is warning.", .example = "0.8"),
	FN(critical_threshold, "thresholds.critical_threshold", DECIMAL, .preset = "0.6",
		.doc = "Fraction of the target below which the state is critical.", .example = "0.6"),
	FN(direction, "thresholds.direction", ENUM, .names = kpi_direction_names, .preset = "higher",
		.doc = "Whether higher or lower is better, or a range is wanted.", .example = "\"higher\""),
	FN(hysteresis, "thresholds.hysteresis", DECIMAL, .preset = "0.02",
		.doc = "How far beyond a threshold the achievement must get before the state improves.",
		.example = "0.02"),
	FN(prorate, "thresholds.prorate", BOOL, .preset = "false",
		.doc = "Judge an unfinished period against the part of the target that its days gone by "
		       "stand for.",
		.example = "false"),
	FN(start_date, "time_config.start_date", INSTANT, .flags = RF_NULL,
		.doc = "First moment that counts.", .example = "\"2024-01-01T00:00:00Z\""),
	FN(end_date, "time_config.end_date", INSTANT, .flags = RF_NULL, .doc = "Last moment that counts.",
		.example = "\"2024-03-31T23:59:59Z\""),
	FN(period, "time_config.period", ENUM, .names = kpi_period_names, .preset = "month",
		.doc = "The calendar period that is judged when no dates are given.", .example = "\"month\""),
	FN(no_data_after_days, "time_config.no_data_after_days", INT, .flags = RF_NULL,
		.doc = "Days without a new value after which the state is no_data.", .example = "7"),
	F(comparison_type, ENUM, .flags = RF_NULL, .names = kpi_comparison_names,
		.doc = "How an assignee's value is compared with the target; by default from the direction.",
		.example = "\"GREATER_THAN_OR_EQUAL\""),
	F(weight_percentage, DECIMAL, .flags = RF_NULL,
		.doc = "Default weight among an employee's KPIs, 0 to 100.", .example = "30.0"),
	F(weight_is_flexible, BOOL, .flags = RF_NULL, .doc = "Whether the weight may be shifted.",
		.example = "false"),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was created.",
		.example = "\"2024-01-01T00:00:00Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was last changed.",
		.example = "\"2024-01-01T00:00:00Z\""),
};

const struct res_def kpi_res = {
	.name = "kpi",
	.title = "KPI",
	.table = "kpi",
	.fields = kpi_fields,
	.field_count = COUNT(kpi_fields),
	.record_size = sizeof(struct kpi),
	.id_prefix = "kpi-",
	.soft_delete = true,
	.scope = SCOPE_CUSTOM,
	.perm = {
		[RES_LIST] = PERM_AUTHENTICATED,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = PERM_BIT(PERM_MANAGE_KPI),
		[RES_UPDATE] = PERM_AUTHENTICATED, /* kpi_require decides: a role or an assignment with can_edit */
		[RES_DELETE] = PERM_AUTHENTICATED, /* likewise with can_delete */
	},
	.default_sort = "created_at,id",
	.not_found = "KPI_NOT_FOUND",
	.doc = "A key performance indicator: what is measured, its target and when it is on track.",
	.hooks = {
		.rules = kpi_rules,
		.before_write = kpi_before_write,
		.after_write = kpi_after_write,
		.before_delete = kpi_before_delete,
		.scope = kpi_scope,
	},
};
