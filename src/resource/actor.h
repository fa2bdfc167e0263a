/*
 * Who acts: the person or key behind a request, with company, role and permissions. Made by authentication, read by everything that
 * decides what may be seen or changed. Permissions are the words of the contracts; roles are sets of them.
 */
#ifndef RESOURCE_ACTOR_H
#define RESOURCE_ACTOR_H

#include "base/err.h"
#include "base/time.h"

/* name, what it allows. The name is stable: it is stored in custom roles and shown in the API description. */
#define PERMISSIONS(X)                                                                    \
	X(VIEW_ALL, "see the KPIs, values and assignments of the whole company")          \
	X(VIEW_TEAM, "see those of one's teams and of the people one supervises")         \
	X(VIEW_OWN, "see one's own assignments and their KPIs")                           \
	X(ASSIGN_KPI, "assign KPIs to people, teams and units")                           \
	X(MANAGE_KPI, "create, change and delete KPIs")                                   \
	X(SUBMIT_VALUE, "record KPI values")                                              \
	X(SUBMIT_INSIGHT, "record insights")                                              \
	X(APPROVE_REPORT, "approve reports")                                              \
	X(LEAD_READ_ALL, "see every lead of the company")                                 \
	X(LEAD_READ_OWN, "see own and shared leads")                                      \
	X(LEAD_WRITE, "create and change leads")                                          \
	X(REPORT_READ, "read reports of the company")                                     \
	X(REPORT_CUSTOM, "run custom reports")                                            \
	X(BUSINESS_OWN, "own clients, quotes, invoices and expenses")                     \
	X(BUSINESS_ALL, "those of the whole company")                                     \
	X(USER_READ, "see the people of the company")                                     \
	X(USER_WRITE, "create, change and deactivate people and roles")                   \
	X(WEBHOOK_MANAGE, "manage webhook subscriptions")                                 \
	X(SYNC_RUN, "run integrations")                                                   \
	X(SUPPORT, "see and change tickets")                                              \
	X(COMPANY_ADMIN, "change the company and everything in it")                       \
	X(PLATFORM_ADMIN, "manage companies and the server itself")

enum permission {
#define PERMISSION_ENUM(name, doc) PERM_##name,
	PERMISSIONS(PERMISSION_ENUM)
#undef PERMISSION_ENUM
	PERM_COUNT
};

/* A set of permissions: bit i is permission i. */
typedef uint64_t perm_set;
#define PERM_BIT(p) ((perm_set)1 << (p))
/* As a requirement, a set means: any of them. These two are requirements only. */
#define PERM_ANYONE        ((perm_set)1 << 62) /* no login */
#define PERM_AUTHENTICATED ((perm_set)1 << 63) /* any login */

extern const char *const permission_names[PERM_COUNT];
extern const char *const permission_docs[PERM_COUNT];
/* False for an unknown word. */
bool permission_find(struct str name, enum permission *out) MUST_USE;

enum actor_kind { ACTOR_ANONYMOUS, ACTOR_PERSON, ACTOR_API_KEY, ACTOR_SYSTEM };

struct actor {
	enum actor_kind kind;
	int64_t company_id;
	int64_t person_id;      /* 0 for keys and the system */
	int64_t session_id;     /* 0 unless a token of a session */
	int64_t api_key_id;     /* 0 unless a key */
	struct instant valid_until; /* end of the token or key; 0: none. Streams end with it */
	uint64_t password_mark; /* of Basic: another password has another mark; 0 otherwise */
	struct str username;
	struct str employee_id; /* empty when the person is no employee */
	struct str role;        /* its name */
	perm_set permissions;
	const struct zone *zone;/* the company's */
	struct str currency;    /* the company's, ISO 4217 */
};

static inline bool
actor_may(const struct actor *a, enum permission p)
{
	return (a->permissions & PERM_BIT(p)) != 0;
}
/* Whether the requirement is met (any of its permissions, PERM_AUTHENTICATED, PERM_ANYONE); an empty requirement is closed. */
bool actor_meets(const struct actor *a, perm_set requirement);

#endif
