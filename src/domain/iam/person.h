/*
 * People: users and employees are one table. A person logs in by user name (unique in the installation, in any case) or by e-mail
 * address (unique in the company), and may have an employee id, a supervisor and teams. The rules that keep access in order are hooks of
 * the table, so that they hold whichever contract speaks: nobody raises the own role, a company keeps an administrator, only
 * administrators touch administrators.
 */
#ifndef IAM_PERSON_H
#define IAM_PERSON_H

#include "resource/res_sql.h"
#include "resource/resource.h"

struct person {
	struct res_row row;
	int64_t id;
	int64_t version;
	struct instant created_at, updated_at;
	struct str username;
	struct str email;
	struct str email_key; /* folded; NULL without an address */
	struct str first_name, last_name;
	struct str phone;
	int64_t role_id;
	struct str role;	/* its name */
	struct str employee_id; /* emp-001; NULL for a user who is no employee */
	int64_t supervisor_id;	/* a person; NULL without */
	struct str department;
	struct str password; /* in a body the password, in a stored record its hash */
	bool active, suspended;
	bool platform_admin;
	struct instant date_joined;
	struct instant last_login; /* NULL before the first */
};

extern const struct res_def person_res;
extern const struct res_view user_business_view; /* /api/auth/users */
extern const struct res_view user_crm_view;	 /* /api/v1/users */

#define PERSON_PASSWORD_MIN 8
#define PERSON_PASSWORD_MAX 128

/* The employee of this id in the actor's company, whether active or not; without the actor's scope. */
struct err *person_find_employee(
	struct res_ctx *c, struct str employee_id, struct person *out, bool *found) MUST_USE;
/* Frees the name in the directory and takes sessions and the person away. Deleted people keep their row for the trail. */
struct err *person_remove(struct res_ctx *c, struct str id) MUST_USE;
/* Deactivates instead of deleting; fine when already inactive. */
struct err *person_deactivate(struct res_ctx *c, struct str id, struct person *out) MUST_USE;
/* Folded form under which a name or address is unique. */
struct str person_name_key(struct arena *a, struct str name);
/* Appends " AND column IN (…)" with the ids of the people whom VIEW_TEAM shows: oneself, those one supervises, those of one's teams. */
void person_team_scope(struct res_ctx *c, struct res_sql *sql, const char *column);
/* The same for a column that holds employee ids. */
void person_team_scope_employees(struct res_ctx *c, struct res_sql *sql, const char *column);
/* Whether VIEW_TEAM shows that person. */
struct err *person_in_team_scope(struct res_ctx *c, int64_t person_id, bool *out) MUST_USE;

#endif
