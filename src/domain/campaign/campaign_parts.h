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

/* NOT_FOUND in the contract's words, "Campaign with ID 123 does not exist."; other errors as they are. */
struct err *campaign_named(struct res_ctx *c, struct err *e, const struct res_def *def, struct str id) MUST_USE;
/* A record's JSON in its table's own names, as events hold it. */
struct str campaign_json(struct res_ctx *c, const struct res_def *def, const void *record);
/* The event of a record beside those that the engine writes by itself: new_values are the record's. */
struct err *campaign_event(struct res_ctx *c, const char *type, const struct res_def *def, int64_t id, struct str new_values) MUST_USE;
/* A person as given in a body, or the actor; of another only administrators may say so, and they exist. *out 0: nobody. */
struct err *campaign_actor_for(struct res_ctx *c, const char *field, bool given, int64_t person_id, int64_t *out) MUST_USE;

/* ---- of retrospectives ---- */

/* Reminder and deadline as jobs, moved to the record's times; none for one that is over. */
struct err *retrospective_plan(struct res_ctx *c, const struct retrospective *r) MUST_USE;
struct err *retrospective_unplan(struct res_ctx *c, const struct retrospective *r) MUST_USE;
/* A job that makes the retrospective of a campaign that was completed, if the company's settings want one. */
struct err *retrospective_plan_for(struct res_ctx *c, const struct campaign *k) MUST_USE;
/* Moves what is left to do into r. */
struct err *retro_actions_carry(struct res_ctx *c, const struct retrospective *r) MUST_USE;

/* Whether a person of the company has the id; without the actor's scope. */
struct err *campaign_person_exists(struct res_ctx *c, int64_t id, bool *out) MUST_USE;

#endif
