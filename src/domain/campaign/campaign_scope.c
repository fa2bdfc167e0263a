/*
 * Who sees which campaigns and retrospectives. Roles that look after figures see the company's; everyone else sees what they made or own,
 * what belongs to their teams, and the retrospectives in which an action is theirs. A team's id is a text that may be a number; the
 * contract's team_id is that number.
 */
#include "domain/campaign/campaign_parts.h"

bool
campaign_sees_company(const struct actor *a)
{
	return a->kind == ACTOR_SYSTEM || actor_may(a, PERM_VIEW_ALL) || (a->permissions & CAMPAIGN_WRITERS);
}

static void
add_me(struct res_ctx *c, struct res_sql *sql)
{
	res_sql_param(sql, c->actor->person_id ? P_INT(c->actor->person_id) : P_NULL);
}

/* " OR EXISTS (…)": the team of table's row is one that the actor leads or is in. */
static void
add_own_team(struct res_ctx *c, struct res_sql *sql, const char *table)
{
	res_sql_add(sql, " OR EXISTS (SELECT 1 FROM team t WHERE t.company_id = ");
	res_sql_add(sql, table);
	res_sql_add(sql, ".company_id AND t.id = CAST(");
	res_sql_add(sql, table);
	res_sql_add(sql, ".team_id AS TEXT) AND (t.lead_id = ");
	add_me(c, sql);
	res_sql_add(sql, " OR EXISTS (SELECT 1 FROM team_member m WHERE m.company_id = t.company_id AND "
			 "m.team_id = t.id AND m.person_id = ");
	add_me(c, sql);
	res_sql_add(sql, ")))");
}

/* "(…)": table is the retrospective table or an alias of it. */
static void
add_retrospective_reach(struct res_ctx *c, struct res_sql *sql, const char *table)
{
	res_sql_add(sql, "(");
	res_sql_add(sql, table);
	res_sql_add(sql, ".created_by = ");
	add_me(c, sql);
	add_own_team(c, sql, table);
	res_sql_add(sql, " OR EXISTS (SELECT 1 FROM retro_action ra WHERE ra.company_id = ");
	res_sql_add(sql, table);
	res_sql_add(sql, ".company_id AND ra.retrospective_id = ");
	res_sql_add(sql, table);
	res_sql_add(sql, ".id AND ra.owner_id = ");
	add_me(c, sql);
	res_sql_add(sql, "))");
}

void
campaign_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op)
{
	(void)op;
	if (campaign_sees_company(c->actor))
		return;
	res_sql_add(sql, " AND (campaign.owner_id = ");
	add_me(c, sql);
	add_own_team(c, sql, "campaign");
	res_sql_add(sql,
		" OR EXISTS (SELECT 1 FROM retrospective r WHERE r.company_id = campaign.company_id AND "
		"r.task_id = campaign.id AND ");
	add_retrospective_reach(c, sql, "r");
	res_sql_add(sql, "))");
}

void
retrospective_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op)
{
	(void)op;
	if (campaign_sees_company(c->actor))
		return;
	res_sql_add(sql, " AND ");
	add_retrospective_reach(c, sql, "retrospective");
}

void
insight_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op)
{
	(void)op;
	if (campaign_sees_company(c->actor))
		return;
	res_sql_add(sql,
		" AND EXISTS (SELECT 1 FROM retrospective r WHERE r.company_id = insight.company_id AND "
		"r.id = insight.retrospective_task_id AND ");
	add_retrospective_reach(c, sql, "r");
	res_sql_add(sql, ")");
}

void
retro_action_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op)
{
	(void)op;
	if (campaign_sees_company(c->actor))
		return;
	res_sql_add(sql, " AND (retro_action.owner_id = ");
	add_me(c, sql);
	res_sql_add(sql,
		" OR EXISTS (SELECT 1 FROM retrospective r WHERE r.company_id = retro_action.company_id "
		"AND r.id = retro_action.retrospective_id AND ");
	add_retrospective_reach(c, sql, "r");
	res_sql_add(sql, "))");
}
