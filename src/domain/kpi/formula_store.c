/*
 * What formulas refer to, kept as rows of kpi_reference: they tell which states to evaluate when a value changes, refuse cycles and keep
 * a KPI from being deleted under a formula.
 */
#include "domain/kpi/formula.h"
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/kpi_sql.h"

/* The longest way down from a KPI, in formulas; −1 when it passes self. */
static struct err *
depth_below(struct res_ctx *c, struct str id, struct str self, int64_t *depth)
{
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(c->tx, &sql_kpi_reference_depth, &rows, &found, P_INT(c->actor->company_id), P_TEXT(id),
		P_INT(FORMULA_LEVELS + 1), P_TEXT(self)));
	*depth = found ? (db_int(&rows, 1) ? -1 : db_int(&rows, 0)) : 0;
	return NULL;
}

struct err *
formula_lock_references(struct res_ctx *c)
{
	struct db_rows rows;
	bool found;

	return DB_FIND(c->tx, &sql_kpi_reference_lock, &rows, &found, P_INT(c->actor->company_id));
}

struct err *
formula_check_references(struct res_ctx *c, struct str self, const struct formula *f, struct err **e)
{
	TRY(formula_lock_references(c));
	for (size_t i = 0; i < formula_ref_count(f); i++) {
		struct str id = formula_ref(f, i);
		struct db_rows rows;
		bool found;
		int64_t depth;

		TRY(DB_FIND(c->tx, &sql_kpi_exists, &rows, &found, P_INT(c->actor->company_id), P_TEXT(id)));
		if (!found) {
			err_add_field(
				c->arena, e, STR("formula"), "KPI \"%.*s\" does not exist.", STR_ARG(id));
			continue;
		}
		TRY(depth_below(c, id, self, &depth));
		if (str_eq(id, self) || depth < 0)
			err_add_field(c->arena, e, STR("formula"),
				"KPI \"%.*s\" would be computed from itself.", STR_ARG(id));
		else if (depth >= FORMULA_LEVELS)
			err_add_field(c->arena, e, STR("formula"),
				"Formulas may build on each other at most %d deep.", FORMULA_LEVELS);
	}
	return NULL;
}

struct err *
formula_store_references(struct res_ctx *c, const struct kpi *k)
{
	struct formula *f;

	TRY(DB_EXEC(c->tx, &sql_kpi_reference_clear, P_INT(c->actor->company_id), P_TEXT(k->id)));
	if (str_is_empty(k->formula))
		return NULL;
	TRY(formula_parse(c->arena, k->formula, &f));
	for (size_t i = 0; i < formula_ref_count(f); i++)
		TRY(DB_EXEC(c->tx, &sql_kpi_reference_add, P_INT(c->actor->company_id), P_TEXT(k->id),
			P_TEXT(formula_ref(f, i))));
	return NULL;
}
