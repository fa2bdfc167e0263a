/*
 * Who may see and do what with a KPI. A role's permissions reach every KPI of the company; without them a KPI is reached by owning it or
 * through an assignment to oneself, to one's team, or (VIEW_TEAM) to the people and teams one supervises.
 */
#include "domain/kpi/assignment_sql.h"
#include "domain/kpi/formula.h"
#include "domain/kpi/memory.h"

/* Whose role reaches the KPIs of the whole company. */
static bool
sees_company(const struct actor *a)
{
	return a->kind == ACTOR_SYSTEM || actor_may(a, PERM_VIEW_ALL) || actor_may(a, PERM_MANAGE_KPI) ||
	       actor_may(a, PERM_SUBMIT_VALUE);
}

/* "x" is the assignment: it reaches the actor as a person or a team's member; through_team also those the actor supervises. */
static void
add_reach(struct res_ctx *c, struct res_sql *sql, bool through_team)
{
	struct db_param me = P_INT(c->actor->person_id);

	res_sql_add(sql, "(x.person_id = ");
	res_sql_param(sql, me);
	res_sql_add(sql, " OR (x.target_type = 'TEAM' AND EXISTS (SELECT 1 FROM team_member m WHERE "
			 "m.company_id = x.company_id"
			 " AND m.team_id = x.target_id AND m.person_id = ");
	res_sql_param(sql, me);
	res_sql_add(sql, "))");
	if (through_team) {
		res_sql_add(sql, " OR x.supervisor_id = ");
		res_sql_param(sql, P_TEXT(c->actor->employee_id));
		res_sql_add(sql, " OR EXISTS (SELECT 1 FROM person p WHERE p.company_id = x.company_id AND "
				 "p.id = x.person_id"
				 " AND p.supervisor_id = ");
		res_sql_param(sql, me);
		res_sql_add(sql, ") OR (x.target_type = 'TEAM' AND EXISTS (SELECT 1 FROM team t WHERE "
				 "t.company_id = x.company_id"
				 " AND t.id = x.target_id AND t.lead_id = ");
		res_sql_param(sql, me);
		res_sql_add(sql, ")) OR EXISTS (SELECT 1 FROM team_member mine JOIN team_member other ON "
				 "other.company_id = mine.company_id"
				 " AND other.team_id = mine.team_id WHERE mine.company_id = x.company_id AND "
				 "other.person_id = x.person_id"
				 " AND mine.person_id = ");
		res_sql_param(sql, me);
		res_sql_add(sql, ")");
	}
	res_sql_add(sql, ")");
}

/* A KPI that belongs to a team which the actor leads or is in. */
static void
add_own_team(struct res_ctx *c, struct res_sql *sql)
{
	struct db_param me = P_INT(c->actor->person_id);

	res_sql_add(sql, " OR EXISTS (SELECT 1 FROM team t WHERE t.company_id = kpi.company_id AND t.id = "
			 "kpi.team_id AND (t.lead_id = ");
	res_sql_param(sql, me);
	res_sql_add(sql, " OR EXISTS (SELECT 1 FROM team_member m WHERE m.company_id = t.company_id AND "
			 "m.team_id = t.id AND m.person_id = ");
	res_sql_param(sql, me);
	res_sql_add(sql, ")))");
}

void
kpi_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op)
{
	(void)op; /* what is seen may be acted on as far as kpi_require allows */
	if (sees_company(c->actor))
		return;
	res_sql_add(sql, " AND (kpi.owner_id = ");
	res_sql_param(sql, str_is_empty(c->actor->employee_id) ? P_NULL : P_TEXT(c->actor->employee_id));
	res_sql_add(sql,
		" OR EXISTS (SELECT 1 FROM kpi_assignment x WHERE x.company_id = kpi.company_id AND x.kpi_id "
		"= kpi.id"
		" AND x.status = 'ACTIVE' AND x.can_view = 1 AND (x.end_date IS NULL OR x.end_date >= ");
	res_sql_param(sql, P_TEXT(kpi_date_text(c->arena, kpi_day(c, c->now))));
	res_sql_add(sql, ") AND ");
	add_reach(c, sql, actor_may(c->actor, PERM_VIEW_TEAM));
	res_sql_add(sql, ")");
	if (actor_may(c->actor, PERM_VIEW_TEAM))
		add_own_team(c, sql);
	res_sql_add(sql, ")");
}

void
kpi_assignment_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op)
{
	(void)op;
	if (sees_company(c->actor))
		return;
	res_sql_add(sql,
		" AND EXISTS (SELECT 1 FROM kpi_assignment x WHERE x.company_id = kpi_assignment.company_id"
		" AND x.id = kpi_assignment.id AND ");
	add_reach(c, sql, actor_may(c->actor, PERM_VIEW_TEAM));
	res_sql_add(sql, ")");
}

struct err *
kpi_assigned_right(struct res_ctx *c, struct str kpi_id, enum kpi_right right, bool *out)
{
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(c->tx, &sql_assignment_rights, &rows, &found, P_INT(c->actor->company_id), P_TEXT(kpi_id),
		P_INT(c->actor->person_id), P_TEXT(kpi_date_text(c->arena, kpi_day(c, c->now)))));
	check(found);
	switch (right) {
	case KPI_MAY_VIEW:
		*out = db_int(&rows, 0) > 0;
		break;
	case KPI_MAY_EDIT:
	case KPI_MAY_SUBMIT:
		*out = db_int(&rows, 1) > 0;
		break;
	case KPI_MAY_ASSIGN:
		*out = db_int(&rows, 2) > 0;
		break;
	case KPI_MAY_DELETE:
		*out = db_int(&rows, 3) > 0;
		break;
	case KPI_MAY_APPROVE:
		*out = db_int(&rows, 4) > 0;
		break;
	}
	return NULL;
}

static bool
role_gives(const struct res_ctx *c, const struct kpi *k, enum kpi_right right)
{
	const struct actor *a = c->actor;
	bool manages = a->kind == ACTOR_SYSTEM || actor_may(a, PERM_MANAGE_KPI);
	bool owns = !str_is_empty(a->employee_id) && str_eq(k->owner_id, a->employee_id);

	switch (right) {
	case KPI_MAY_VIEW:
		return true; /* it was read within the scope */
	case KPI_MAY_EDIT:
		return manages || owns;
	case KPI_MAY_SUBMIT:
		return manages || owns || actor_may(a, PERM_SUBMIT_VALUE);
	case KPI_MAY_ASSIGN:
		return manages || actor_may(a, PERM_ASSIGN_KPI);
	case KPI_MAY_DELETE:
		return manages;
	case KPI_MAY_APPROVE:
		return manages || actor_may(a, PERM_APPROVE_REPORT);
	}
	return false;
}

struct err *
kpi_has_right(struct res_ctx *c, const struct kpi *k, enum kpi_right right, bool *out)
{
	*out = role_gives(c, k, right);
	return *out ? NULL : kpi_assigned_right(c, k->id, right, out);
}

/* Who assigns chooses among all KPIs of the company, also those that nobody in reach carries yet. */
static struct err *
find_any(struct res_ctx *c, struct str kpi_id, struct kpi *out)
{
	bool found;

	TRY(res_find(c, &kpi_res, "id", P_TEXT(kpi_id), out, &found));
	return found ? NULL : err_word(err_new(c->arena, ERR_NOT_FOUND, ""), kpi_res.not_found);
}

/* Who sees every KPI of the company finds it in memory; there is no row to lock where there is a memory. */
static struct err *
read_for_values(struct res_ctx *c, struct str kpi_id, struct kpi *out)
{
	struct kpi_memo *m = NULL;

	if (sees_company(c->actor) && actor_meets(c->actor, kpi_res.perm[RES_UPDATE]))
		TRY(kpi_memo_get(c, kpi_id, &m));
	if (!m)
		return res_read_for(c, &kpi_res, RES_UPDATE, kpi_id, out);
	*out = m->kpi;
	return NULL;
}

struct err *
kpi_require(struct res_ctx *c, struct str kpi_id, enum kpi_right right, struct kpi *out)
{
	bool given = false;

	/* Before the row's own lock: taken the other way round, two changes could wait for each other. */
	if (right == KPI_MAY_EDIT || right == KPI_MAY_DELETE)
		TRY(formula_lock_references(c));
	if (right == KPI_MAY_SUBMIT)
		TRY(read_for_values(c, kpi_id, out));
	else if (right == KPI_MAY_EDIT || right == KPI_MAY_DELETE)
		TRY(res_read_for(c, &kpi_res, RES_UPDATE, kpi_id, out));
	else if (right == KPI_MAY_ASSIGN && actor_may(c->actor, PERM_ASSIGN_KPI))
		TRY(find_any(c, kpi_id, out));
	else
		TRY(res_read(c, &kpi_res, kpi_id, out));
	TRY(kpi_has_right(c, out, right, &given));
	return given ? NULL : err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS, "");
}

struct err *
kpi_may_see_employee(struct res_ctx *c, struct str employee_id, bool *out)
{
	struct db_rows rows;

	*out = actor_may(c->actor, PERM_VIEW_ALL) || c->actor->kind == ACTOR_SYSTEM;
	if (*out)
		return NULL;
	if (!str_is_empty(c->actor->employee_id) && str_eq(c->actor->employee_id, employee_id)) {
		*out = actor_may(c->actor, PERM_VIEW_OWN) || actor_may(c->actor, PERM_VIEW_TEAM);
		return NULL;
	}
	if (!actor_may(c->actor, PERM_VIEW_TEAM))
		return NULL;
	return DB_FIND(c->tx, &sql_assignment_team_person, &rows, out, P_INT(c->actor->company_id),
		P_TEXT(employee_id), P_INT(c->actor->person_id));
}
