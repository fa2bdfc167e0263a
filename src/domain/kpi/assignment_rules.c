/*
 * Rules of assignments: whom they may name, who may give them, what is preset by the role, and how they end. An assignment is never
 * deleted: who carried what, and when, stays on record.
 */
#include "domain/kpi/assignment.h"
#include "domain/kpi/assignment_parts.h"
#include "domain/kpi/assignment_sql.h"
#include "domain/kpi/kpi_parts.h"

static const struct decimal zero = { 0, 0 };
static const struct decimal hundred = { 100, 0 };

static bool
has(const struct assignment *x, const char *field)
{
	return !res_is_null(&assignment_res, x, field);
}

/* Rights not spelled out: those of the role when none is, otherwise none. */
static void
preset_rights(struct assignment *x)
{
	struct right {
		const char *field;
		bool *member;
		bool of_role;
	} rights[] = {
		{ "permissions.can_view", &x->can_view, true },
		{ "permissions.can_edit", &x->can_edit,
			x->role == ASSIGN_OWNER || x->role == ASSIGN_CONTRIBUTOR },
		{ "permissions.can_assign", &x->can_assign, x->role == ASSIGN_OWNER },
		{ "permissions.can_delete", &x->can_delete, x->role == ASSIGN_OWNER },
		{ "permissions.can_approve", &x->can_approve,
			x->role == ASSIGN_OWNER || x->role == ASSIGN_APPROVER },
	};
	bool any = false;

	for (size_t i = 0; i < COUNT(rights); i++)
		any = any || has(x, rights[i].field);
	for (size_t i = 0; i < COUNT(rights); i++) {
		if (has(x, rights[i].field))
			continue;
		/* To be given anything is to see it. */
		*rights[i].member = any ? i == 0 : rights[i].of_role;
		res_set_null(&assignment_res, x, rights[i].field, false);
	}
}

static struct err *
check_supervisor(struct res_ctx *c, const struct assignment *old, const struct assignment *x,
	struct str field, struct err **e)
{
	struct db_rows rows;
	bool found;

	if (!has(x, "supervisor_id") ||
		(old && has(old, "supervisor_id") && str_eq(old->supervisor_id, x->supervisor_id)))
		return NULL;
	TRY(DB_FIND(c->tx, &sql_assignment_employee, &rows, &found, P_INT(c->actor->company_id),
		P_TEXT(x->supervisor_id)));
	if (!found)
		err_add_field(c->arena, e, field, "Invalid pk \"%.*s\" - object does not exist.",
			STR_ARG(x->supervisor_id));
	return NULL;
}

/*
 * Nobody hands out what they may not do: who assigns could otherwise make anyone, and so themselves, the owner of any KPI. To let it be
 * seen is what assigning is, and what an assignment gave before stays.
 */
static struct err *
check_given(struct res_ctx *c, const struct assignment *old, const struct assignment *x)
{
	const struct right {
		const char *name;
		enum kpi_right right;
		bool before, now;
	} rights[] = {
		{ "can_edit", KPI_MAY_EDIT, old && old->can_edit, x->can_edit },
		{ "can_assign", KPI_MAY_ASSIGN, old && old->can_assign, x->can_assign },
		{ "can_delete", KPI_MAY_DELETE, old && old->can_delete, x->can_delete },
		{ "can_approve", KPI_MAY_APPROVE, old && old->can_approve, x->can_approve },
	};
	struct kpi k = { 0 };
	bool has_it;

	if (actor_may(c->actor, PERM_MANAGE_KPI) || c->actor->kind == ACTOR_SYSTEM)
		return NULL;
	TRY(res_find(c, &kpi_res, "id", P_TEXT(x->kpi_id), &k, &has_it));
	for (size_t i = 0; has_it && i < COUNT(rights); i++) {
		if (!rights[i].now || rights[i].before)
			continue;
		TRY(kpi_has_right(c, &k, rights[i].right, &has_it));
		if (!has_it)
			return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS,
				"You cannot give %s, which you do not have on this KPI.", rights[i].name);
	}
	return NULL;
}

struct err *
assignment_rules(struct res_ctx *c, const void *record, struct err **e)
{
	const struct assignment *x = record;

	if (has(x, "end_date") && has(x, "effective_date") && x->end_date.days < x->effective_date.days)
		err_add_field(
			c->arena, e, STR("end_date"), "Ensure this date is not before the effective date.");
	if (has(x, "custom_weight_percentage") &&
		(decimal_cmp(x->custom_weight_percentage, zero) < 0 ||
			decimal_cmp(x->custom_weight_percentage, hundred) > 0))
		err_add_field(c->arena, e, STR("custom_weight_percentage"),
			"Ensure this value is between 0 and 100.");
	return NULL;
}

struct err *
assignment_before_write(struct res_ctx *c, const void *old, void *record)
{
	const struct assignment *before = old;
	struct assignment *x = record;
	struct err *e = NULL;

	preset_rights(x);
	TRY(check_given(c, before, x));
	if (!has(x, "effective_date")) {
		x->effective_date = kpi_day(c, c->now);
		res_set_null(&assignment_res, x, "effective_date", false);
	}
	if (x->custom_comparison_type == KPI_CMP_EQUAL)
		x->custom_comparison_type = KPI_CMP_EQ;
	TRY(assignment_rules(c, x, &e));
	TRY(check_supervisor(c, before, x, STR("supervisor_id"), &e));
	return e;
}

/*
 * Whose role sees the company assigns in all of it; a supervisor to the own team and its people. Who has the right by an assignment that
 * says can_assign passes this KPI on as that says.
 */
static struct err *
check_reach(struct res_ctx *c, const struct assignment *x)
{
	struct db_rows rows;
	bool reached = false;

	if (actor_may(c->actor, PERM_VIEW_ALL) || actor_may(c->actor, PERM_MANAGE_KPI) ||
		c->actor->kind == ACTOR_SYSTEM)
		return NULL;
	if (actor_may(c->actor, PERM_ASSIGN_KPI) && x->target_type == ASSIGN_USER)
		TRY(kpi_may_see_employee(c, x->target_id, &reached));
	if (actor_may(c->actor, PERM_ASSIGN_KPI) && x->target_type == ASSIGN_TEAM)
		TRY(DB_FIND(c->tx, &sql_assignment_own_team, &rows, &reached, P_INT(c->actor->company_id),
			P_TEXT(x->target_id), P_INT(c->actor->person_id)));
	if (!reached)
		TRY(kpi_assigned_right(c, x->kpi_id, KPI_MAY_ASSIGN, &reached));
	return reached ? NULL
		       : err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS,
				 "This can be assigned within your own team only.");
}

static struct err *
resolve_person(struct res_ctx *c, struct assignment *x)
{
	struct db_rows rows;
	bool found;

	res_set_null(&assignment_res, x, "person_id", true);
	if (x->target_type != ASSIGN_USER)
		return NULL;
	TRY(DB_FIND(c->tx, &sql_assignment_person, &rows, &found, P_INT(c->actor->company_id),
		P_TEXT(x->target_id)));
	if (!found)
		return err_field(c->arena, "target_id", "Invalid pk \"%.*s\" - object does not exist.",
			STR_ARG(x->target_id));
	x->person_id = db_int(&rows, 0);
	if (!db_is_null(&rows, 1))
		x->target_id = db_text_copy(&rows, 1);
	res_set_null(&assignment_res, x, "person_id", false);
	return NULL;
}

struct err *
assignment_create(struct res_ctx *c, const struct kpi *k, struct assignment *x)
{
	x->kpi_id = k->id;
	x->assigned_by = c->actor->username;
	TRY(resolve_person(c, x));
	TRY(check_reach(c, x));
	TRY(DB_EXEC(c->tx, &sql_assignment_complete, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(str_from_cstr(assignment_target_names[x->target_type])), P_TEXT(x->target_id),
		P_TEXT(kpi_date_text(c->arena, kpi_day(c, c->now)))));
	struct err *e = res_create(c, &assignment_res, x);
	if (e && e->code == ERR_CONFLICT)
		return err_word(
			err_new(c->arena, ERR_CONFLICT, "KPI \"%.*s\" is assigned to \"%.*s\" already.",
				STR_ARG(k->id), STR_ARG(x->target_id)),
			"ASSIGNMENT_EXISTS");
	return e;
}

struct err *
assignment_change(struct res_ctx *c, const struct assignment *old, struct assignment *x)
{
	TRY(check_reach(c, x));
	return res_update(c, &assignment_res, old, x);
}

struct err *
assignment_end(struct res_ctx *c, const struct assignment *old)
{
	if (old->status == ASSIGN_INACTIVE)
		return err_word(err_new(c->arena, ERR_NOT_FOUND, ""), "ASSIGNMENT_NOT_FOUND");
	TRY(check_reach(c, old));
	struct assignment x = *old;
	x.status = ASSIGN_INACTIVE;
	return res_update(c, &assignment_res, old, &x);
}

struct err *
assignment_of_employee(struct res_ctx *c, struct str employee_id, struct str kpi_id, struct assignment *out)
{
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(c->tx, &sql_assignment_of, &rows, &found, P_INT(c->actor->company_id), P_TEXT(kpi_id),
		P_TEXT(employee_id)));
	if (!found)
		return err_word(err_new(c->arena, ERR_NOT_FOUND,
					"No assignment of KPI \"%.*s\" to employee \"%.*s\" exists.",
					STR_ARG(kpi_id), STR_ARG(employee_id)),
			"ASSIGNMENT_NOT_FOUND");
	return res_read_for(c, &assignment_res, RES_UPDATE, db_text_copy(&rows, 0), out);
}

struct err *
assignment_require_employee(struct res_ctx *c, struct str employee_id)
{
	struct db_rows rows;
	bool found, visible;

	TRY(DB_FIND(c->tx, &sql_assignment_employee, &rows, &found, P_INT(c->actor->company_id),
		P_TEXT(employee_id)));
	/* Who may see oneself only learns nothing about others, not even whether they exist. */
	TRY(kpi_may_see_employee(c, employee_id, &visible));
	if (!visible)
		return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS, "");
	if (!found)
		return err_word(err_new(c->arena, ERR_NOT_FOUND, "Employee \"%.*s\" does not exist.",
					STR_ARG(employee_id)),
			"EMPLOYEE_NOT_FOUND");
	return NULL;
}

static enum kpi_comparison
comparison_of(const struct kpi *k)
{
	if (kpi_has(k, "comparison_type"))
		return (enum kpi_comparison)k->comparison_type;
	switch ((enum kpi_direction)k->direction) {
	case KPI_HIGHER:
		return KPI_CMP_GTE;
	case KPI_LOWER:
		return KPI_CMP_LTE;
	case KPI_RANGE:
		return KPI_CMP_RANGE;
	}
	return KPI_CMP_GTE;
}

static void
take_defaults(struct assignment *x, const struct kpi *k)
{
	struct str unit = kpi_has(k, "unit") && !str_is_empty(k->unit) ? k->unit : k->currency;

	if (!has(x, "custom_target_value") && kpi_has(k, "thresholds.target_value")) {
		x->custom_target_value = k->target_value;
		res_set_null(&assignment_res, x, "custom_target_value", false);
	}
	if (!has(x, "custom_target_unit") && !str_is_empty(unit)) {
		x->custom_target_unit = unit;
		res_set_null(&assignment_res, x, "custom_target_unit", false);
	}
	if (!has(x, "custom_comparison_type")) {
		x->custom_comparison_type = comparison_of(k);
		res_set_null(&assignment_res, x, "custom_comparison_type", false);
	}
	if (!has(x, "custom_weight_percentage") && kpi_has(k, "weight_percentage")) {
		x->custom_weight_percentage = k->weight_percentage;
		res_set_null(&assignment_res, x, "custom_weight_percentage", false);
	}
	if (!has(x, "custom_weight_is_flexible") && kpi_has(k, "weight_is_flexible")) {
		x->custom_weight_is_flexible = k->weight_is_flexible;
		res_set_null(&assignment_res, x, "custom_weight_is_flexible", false);
	}
}

void
assignment_status_today(const struct res_ctx *c, struct assignment *x)
{
	if (x->status == ASSIGN_ACTIVE && has(x, "end_date") && x->end_date.days < kpi_day(c, c->now).days)
		x->status = ASSIGN_COMPLETED;
}

struct err *
assignment_complete_values(struct res_ctx *c, struct assignment **x, size_t count)
{
	struct kpi k = { 0 };
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		assignment_status_today(c, x[i]);
		/* Lists are mostly of one KPI or sorted by it, so the last one read serves again. */
		if (!found || !str_eq(k.id, x[i]->kpi_id))
			TRY(res_find(c, &kpi_res, "id", P_TEXT(x[i]->kpi_id), &k, &found));
		if (found)
			take_defaults(x[i], &k);
	}
	return NULL;
}

struct err *
assignment_weigh(struct res_ctx *c, struct assignment *x, bool *over)
{
	struct db_rows rows;
	bool row;

	x->weight_total = zero;
	TRY(DB_QUERY(c->tx, &sql_assignment_weights, &rows, P_INT(c->actor->company_id), P_TEXT(x->target_id),
		P_TEXT(kpi_date_text(c->arena, kpi_day(c, c->now)))));
	for (;;) {
		struct decimal weight;
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		if (decimal_parse(db_text(&rows, 0), &weight) == DECIMAL_OK &&
			!decimal_add(x->weight_total, weight, &x->weight_total))
			break; /* each is at most 100, so this many mean far too much already */
	}
	*over = decimal_cmp(x->weight_total, hundred) > 0;
	return NULL;
}
