/* What the files of the campaign room share among themselves; nobody outside includes it. */
#ifndef CAMPAIGN_CAMPAIGN_PARTS_H
#define CAMPAIGN_CAMPAIGN_PARTS_H

#include "base/limits.h"
#include "domain/campaign/retrospective.h"
#include "resource/res_sql.h"

/* Whose role makes and changes campaigns and retrospectives: who records figures or insights, manages KPIs or approves reports. */
#define CAMPAIGN_WRITERS                                                                              \
	(PERM_BIT(PERM_SUBMIT_VALUE) | PERM_BIT(PERM_SUBMIT_INSIGHT) | PERM_BIT(PERM_MANAGE_KPI) | \
		PERM_BIT(PERM_APPROVE_REPORT))

/* Whether the actor sees the campaigns and retrospectives of the whole company. */
bool campaign_sees_company(const struct actor *a);
/* Scope hooks: others see what is theirs, their teams' and what they have to do something for. */
void campaign_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op);
void retrospective_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op);
void insight_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op);
void retro_action_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op);

/* Who makes a campaign, a metric or an action list holds this; taken before any lock on a row of these. */
struct err *campaign_company_lock(struct res_ctx *c) MUST_USE;

/* The metric of a name; made with its KPI when there is none, under campaign_company_lock. */
struct err *campaign_metric_require(struct res_ctx *c, struct str name, struct campaign_metric *out) MUST_USE;

/* Whether a person of the company has the id; without the actor's scope. */
struct err *campaign_person_exists(struct res_ctx *c, int64_t id, bool *out) MUST_USE;

#endif
