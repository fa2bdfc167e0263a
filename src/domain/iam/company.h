/*
 * Companies: the tenants. Their rows belong to the installation (company 0), so listing them needs an actor of the installation
 * (company_scope); a company's own administrator sees one row. Creating a company seeds its built-in roles.
 */
#ifndef IAM_COMPANY_H
#define IAM_COMPANY_H

#include "resource/resource.h"

struct company {
	struct res_row row;
	int64_t id;
	int64_t version;
	struct instant created_at, updated_at;
	struct str name;
	struct str name_key; /* folded, for uniqueness */
	struct str gst_number;
	struct str website;
	struct str industry;
	struct str country;
	struct str time_zone; /* IANA name */
	struct str currency;  /* ISO 4217 */
	bool active;
};

extern const struct res_def company_res;
#define COMPANY_JOB_SCHEDULES "upkeep.schedules" /* the job that gives every company its schedules; key the same */
extern const struct res_view company_crm_view;

/* The server itself acting for a company: every permission, no person. company_id 0: the installation. */
struct actor iam_system_actor(int64_t company_id);
/* The same with the company's time zone and currency. NOT_FOUND: no such company. */
struct err *company_actor(struct db_tx *tx, int64_t company_id, struct actor *out) MUST_USE;
/* The context in which the server itself acts in a company, for jobs. out->res points into out. NOT_FOUND: no such company. */
struct company_acting {
	struct actor actor;
	struct res_ctx res;
};
struct err *company_act(struct db_tx *tx, struct instant now, int64_t company_id, struct company_acting *out) MUST_USE;
/* Ids of all companies, ascending. */
struct err *company_ids(struct db_tx *tx, int64_t **out, size_t *count) MUST_USE;
/*
 * The context in which companies can be listed and changed: a copy of c whose actor (kept in *actor) belongs to the installation. The
 * permissions stay those of c's actor; who is no platform administrator sees the own company only.
 */
struct res_ctx company_scope(const struct res_ctx *c, struct actor *actor);
/* Stores a validated company and its built-in roles. c comes from company_scope or belongs to the system. */
struct err *company_create(struct res_ctx *c, struct company *company) MUST_USE;
/* By name in any case. */
struct err *company_find(struct db_tx *tx, struct str name, int64_t *id, bool *found) MUST_USE;
/* Whether any exists; *people whether any person exists. */
struct err *company_count(struct db_tx *tx, int64_t *companies, int64_t *people) MUST_USE;

#endif
