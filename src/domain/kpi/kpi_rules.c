/*
 * Rules of a KPI across its fields: presets that depend on its type, thresholds that make sense together, the formula and what it
 * refers to. They run inside the engine's write, so every contract and every import meets the same ones.
 */
#include "domain/kpi/formula.h"
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/kpi_sql.h"
#include "domain/kpi/status.h"
#include "domain/kpi/value_sql.h"

static const struct decimal one = { 1, 0 };
static const struct decimal zero = { 0, 0 };
static const struct decimal hundred = { 100, 0 };

static void
fill_presets(const struct res_ctx *c, struct kpi *k)
{
	if (!kpi_has(k, "owner_id") && !str_is_empty(c->actor->employee_id)) {
		k->owner_id = c->actor->employee_id;
		res_set_null(&kpi_res, k, "owner_id", false);
	}
	if (k->type == KPI_CURRENCY && !kpi_has(k, "currency")) {
		k->currency = c->actor->currency;
		res_set_null(&kpi_res, k, "currency", false);
	}
	if (!kpi_has(k, "aggregation")) {
		k->aggregation = k->type == KPI_CURRENCY || k->type == KPI_COUNT ? KPI_SUM : KPI_LAST;
		res_set_null(&kpi_res, k, "aggregation", false);
	}
	if (!kpi_has(k, "decimals")) {
		int of_currency = k->type == KPI_CURRENCY ? currency_decimals(k->currency) : -1;
		if (of_currency >= 0)
			k->decimals = of_currency;
		else if (k->type == KPI_COUNT || k->type == KPI_BOOLEAN)
			k->decimals = 0;
		else
			k->decimals = KPI_DECIMALS_DEFAULT;
		res_set_null(&kpi_res, k, "decimals", false);
	}
	if (k->comparison_type == KPI_CMP_EQUAL)
		k->comparison_type = KPI_CMP_EQ;
	if (str_is_empty(k->formula))
		res_set_null(&kpi_res, k, "formula", true);
}

static void
check_range(struct arena *a, const struct kpi *k, struct err **e)
{
	bool has_min = kpi_has(k, "thresholds.min_value"), has_max = kpi_has(k, "thresholds.max_value");
	bool has_target = kpi_has(k, "thresholds.target_value");

	if (has_min && has_max && decimal_cmp(k->min_value, k->max_value) > 0)
		err_add_field(a, e, STR("thresholds.min_value"),
			"Ensure this value is less than or equal to max_value.");
	else if (has_target && has_min && decimal_cmp(k->target_value, k->min_value) < 0)
		err_add_field(a, e, STR("thresholds.target_value"),
			"Ensure this value is greater than or equal to min_value.");
	else if (has_target && has_max && decimal_cmp(k->target_value, k->max_value) > 0)
		err_add_field(a, e, STR("thresholds.target_value"),
			"Ensure this value is less than or equal to max_value.");
	if (!kpi_has(k, "thresholds.direction"))
		return;
	if (k->direction == KPI_RANGE && !has_min)
		err_add_field(a, e, STR("thresholds.min_value"), "A range needs this value.");
	if (k->direction == KPI_RANGE && !has_max)
		err_add_field(a, e, STR("thresholds.max_value"), "A range needs this value.");
}

/*
 * Fractions fall from warning to critical. Where lower is better they may also be given as multiples of the target (1.2 and 1.5), which
 * then rise.
 */
static void
check_fractions(struct arena *a, const struct kpi *k, struct err **e)
{
	bool has_warning = kpi_has(k, "thresholds.warning_threshold");
	bool has_critical = kpi_has(k, "thresholds.critical_threshold");

	if (has_warning && decimal_cmp(k->warning_threshold, zero) < 0)
		err_add_field(a, e, STR("thresholds.warning_threshold"),
			"Ensure this value is greater than or equal to 0.");
	if (has_critical && decimal_cmp(k->critical_threshold, zero) < 0)
		err_add_field(a, e, STR("thresholds.critical_threshold"),
			"Ensure this value is greater than or equal to 0.");
	if (kpi_has(k, "thresholds.hysteresis") &&
		(decimal_cmp(k->hysteresis, zero) < 0 || decimal_cmp(k->hysteresis, one) >= 0))
		err_add_field(a, e, STR("thresholds.hysteresis"),
			"Ensure this value is at least 0 and less than 1.");
	if (!has_warning || !has_critical || !kpi_has(k, "thresholds.direction"))
		return;
	bool multiples = k->direction == KPI_LOWER && decimal_cmp(k->warning_threshold, one) > 0;
	int order = decimal_cmp(k->critical_threshold, k->warning_threshold);
	if (multiples && order < 0)
		err_add_field(a, e, STR("thresholds.critical_threshold"),
			"Ensure this multiple of the target is not below warning_threshold.");
	if (!multiples && order > 0)
		err_add_field(a, e, STR("thresholds.critical_threshold"),
			"Ensure this value is less than or equal to warning_threshold.");
}

static void
check_rest(struct arena *a, const struct kpi *k, struct err **e)
{
	if (kpi_has(k, "time_config.start_date") && kpi_has(k, "time_config.end_date") &&
		k->end_date.us < k->start_date.us)
		err_add_field(
			a, e, STR("time_config.end_date"), "Ensure this date is not before start_date.");
	if (kpi_has(k, "time_config.no_data_after_days") &&
		(k->no_data_after_days < 1 || k->no_data_after_days > 3660))
		err_add_field(a, e, STR("time_config.no_data_after_days"),
			"Ensure this value is between 1 and 3660.");
	if (kpi_has(k, "currency") && currency_decimals(k->currency) < 0)
		err_add_field(a, e, STR("currency"), "\"%.*s\" is not an ISO 4217 currency code.",
			STR_ARG(k->currency));
	if (kpi_has(k, "decimals") && (k->decimals < 0 || k->decimals > KPI_DECIMALS_MAX))
		err_add_field(
			a, e, STR("decimals"), "Ensure this value is between 0 and %d.", KPI_DECIMALS_MAX);
	if (kpi_has(k, "weight_percentage") && (decimal_cmp(k->weight_percentage, zero) < 0 ||
						       decimal_cmp(k->weight_percentage, hundred) > 0))
		err_add_field(a, e, STR("weight_percentage"), "Ensure this value is between 0 and 100.");
	/* /api/kpis/campaigns/… is a path of its own. */
	if (str_eq(k->id, STR("campaigns")))
		err_add_field(a, e, STR("id"), "\"campaigns\" is reserved.");
}

/* A KPI with values cannot become a formula: the two would tell different figures. */
static struct err *
check_formula(struct res_ctx *c, const struct kpi *old, const struct kpi *k, struct err **e)
{
	if (str_is_empty(k->formula) || (old && str_eq(old->formula, k->formula)))
		return NULL;
	if (old) {
		struct db_rows rows;
		bool found;
		TRY(DB_FIND(c->tx, &sql_kpi_value_any, &rows, &found, P_INT(c->actor->company_id),
			P_TEXT(k->id)));
		if (found)
			err_add_field(c->arena, e, STR("formula"),
				"This KPI has values of its own; delete them or make another KPI.");
	}
	struct formula *f;
	struct err *fault = formula_parse(c->arena, k->formula, &f);
	if (fault) {
		err_add_field(c->arena, e, STR("formula"), "%.*s", STR_ARG(fault->message));
		return NULL;
	}
	return formula_check_references(c, k->id, f, e);
}

struct err *
kpi_rules(struct res_ctx *c, const void *record, struct err **e)
{
	const struct kpi *k = record;

	check_range(c->arena, k, e);
	check_fractions(c->arena, k, e);
	check_rest(c->arena, k, e);
	return NULL;
}

struct err *
kpi_before_write(struct res_ctx *c, const void *old, void *record)
{
	struct kpi *k = record;
	struct err *e = NULL;

	fill_presets(c, k);
	TRY(kpi_rules(c, k, &e));
	TRY(check_formula(c, old, k, &e));
	return e;
}

struct err *
kpi_after_write(struct res_ctx *c, const void *old, const void *record)
{
	const struct kpi *before = old, *k = record;

	if (!k) {
		TRY(DB_EXEC(c->tx, &sql_kpi_state_delete, P_INT(c->actor->company_id), P_TEXT(before->id)));
		return DB_EXEC(
			c->tx, &sql_kpi_reference_clear, P_INT(c->actor->company_id), P_TEXT(before->id));
	}
	if (!before ? !str_is_empty(k->formula) : !str_eq(before->formula, k->formula))
		TRY(formula_store_references(c, k));
	/* A new KPI without formula has no values yet: its state is no_data without asking. */
	if (!before && str_is_empty(k->formula))
		return NULL;
	return kpi_state_update(c, k);
}

/* A KPI that others compute with stays until they no longer do. */
struct err *
kpi_before_delete(struct res_ctx *c, const void *record)
{
	const struct kpi *k = record;
	struct db_rows rows;
	bool found;

	TRY(formula_lock_references(c));
	TRY(DB_FIND(
		c->tx, &sql_kpi_reference_user, &rows, &found, P_INT(c->actor->company_id), P_TEXT(k->id)));
	if (!found)
		return NULL;
	struct str user = db_text_copy(&rows, 0);
	return err_word(
		err_new(c->arena, ERR_CONFLICT, "The formula of KPI \"%.*s\" uses this KPI.", STR_ARG(user)),
		"KPI_IN_USE");
}

struct err *
kpi_create(struct res_ctx *c, struct kpi *k)
{
	return res_create(c, &kpi_res, k);
}

struct err *
kpi_change(struct res_ctx *c, const struct kpi *old, struct kpi *k)
{
	return res_update(c, &kpi_res, old, k);
}

struct err *
kpi_remove(struct res_ctx *c, struct str id)
{
	struct kpi k;
	TRY(kpi_require(c, id, KPI_MAY_DELETE, &k));
	return res_delete(c, &kpi_res, id);
}

struct str
kpi_date_text(struct arena *a, struct date d)
{
	struct buf b;
	buf_init_arena(&b, a, 32);
	date_write(&b, d);
	return buf_str(&b);
}
