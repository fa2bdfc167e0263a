/*
 * Who may change whom, and what must stay true: a user name is one person's in the installation, nobody raises the own role, only
 * administrators touch administrators, a company keeps one and so does the installation. Whatever takes access away ends sessions in
 * the same transaction.
 */
#include "domain/iam/person_rules.h"

#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"
#include "domain/iam/role.h"

#define HASH_PREFIX "$argon2id$"

static struct err *
forbidden(struct res_ctx *c)
{
	return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS, "");
}

static bool
same_ref(const char *field, int64_t a, int64_t b, const struct person *pa, const struct person *pb)
{
	bool none_a = res_is_null(&person_res, pa, field), none_b = res_is_null(&person_res, pb, field);
	return none_a == none_b && (none_a || a == b);
}

/* What a person without rights over people may not change of the own row. The role is looked at when it is known. */
static bool
own_limits_kept(const struct person *old, const struct person *p)
{
	return old->active == p->active && old->suspended == p->suspended &&
	       str_eq(old->department, p->department) && str_eq(old->employee_id, p->employee_id) &&
	       res_is_null(&person_res, old, "employee_id") == res_is_null(&person_res, p, "employee_id") &&
	       same_ref("supervisor_id", old->supervisor_id, p->supervisor_id, old, p);
}

static struct err *
may_change(struct res_ctx *c, const struct person *old, const struct person *p, bool old_administrative)
{
	const struct actor *a = c->actor;
	if (a->kind == ACTOR_SYSTEM)
		return NULL;
	bool self = a->kind == ACTOR_PERSON && a->person_id == old->id;
	bool admin = actor_may(a, PERM_COMPANY_ADMIN);
	bool over_people = admin || actor_may(a, PERM_USER_WRITE);
	if (!self && !over_people)
		return forbidden(c);
	if (!self && old->platform_admin && !actor_may(a, PERM_PLATFORM_ADMIN))
		return forbidden(c);
	if (!self && old_administrative && !admin)
		return forbidden(c);
	if (self && !over_people && p && !own_limits_kept(old, p))
		return forbidden(c);
	return NULL;
}

/* The role a record names, and whether the actor may hand it out. */
static struct err *
settle_role(struct res_ctx *c, const struct person *old, struct person *p, perm_set *permissions)
{
	struct role role;
	struct role_choice choice = {
		.id_given = res_is_given(&person_res, p, "role_id"),
		.name_given = res_is_given(&person_res, p, "role"),
		.id = p->role_id,
		.name = p->role,
		.preset = "EMPLOYEE",
	};
	if (!old && !choice.id_given && p->role.n)
		choice.name_given = true; /* a record filled by hand */
	/* An object sent back as it was read names the old role beside a changed other one. */
	if (old && choice.name_given && choice.id_given) {
		choice.name_given = !str_eq(p->role, old->role);
		choice.id_given = p->role_id != old->role_id || !choice.name_given;
	}
	TRY(role_choose(c, &choice, &role));
	p->role_id = role.id;
	p->role = role.name;
	*permissions = role_permissions(c->arena, role.name, role.built_in, role.permissions);
	if (c->actor->kind == ACTOR_SYSTEM || (old && old->role_id == role.id) ||
		actor_may(c->actor, PERM_COMPANY_ADMIN))
		return NULL;
	bool self = old && c->actor->person_id == old->id;
	return self || role_is_administrative(*permissions) || !actor_may(c->actor, PERM_USER_WRITE)
		       ? forbidden(c)
		       : NULL;
}

static void
conflict(struct res_ctx *c, struct err **e, const char *word, const char *field, const char *message)
{
	if (!*e)
		*e = err_word(err_new(c->arena, ERR_CONFLICT, "%s", message), word);
	err_add_field(c->arena, e, str_from_cstr(field), "%s", message);
}

static struct err *
other_person(struct res_ctx *c, const struct db_sql *sql, struct str value, int64_t id, bool *other)
{
	struct db_rows r;
	bool found = false;
	TRY(DB_FIND(c->tx, sql, &r, &found, P_INT(c->actor->company_id), P_TEXT(value)));
	*other = found && db_int(&r, 0) != id;
	return NULL;
}

/* All taken names at once; the constraints of the schema stand behind this for requests that run side by side. */
static struct err *
settle_names(struct res_ctx *c, struct person *p)
{
	struct err *e = NULL;
	struct db_rows r;
	bool found = false, other = false;
	struct str key = person_name_key(c->arena, p->username);
	TRY(DB_FIND(c->tx, &sql_login_name_find, &r, &found, P_TEXT(key)));
	if (found && (db_int(&r, 0) != c->actor->company_id || db_int(&r, 1) != p->id))
		conflict(c, &e, "USERNAME_EXISTS", "username", "A user with that username already exists.");

	p->email_key = person_name_key(c->arena, p->email);
	res_set_null(&person_res, p, "email_key", p->email_key.n == 0);
	if (p->email_key.n)
		TRY(other_person(c, &sql_person_with_email, p->email_key, p->id, &other));
	if (other)
		conflict(c, &e, "EMAIL_EXISTS", "email", "A user with that email already exists.");

	other = false;
	if (!res_is_null(&person_res, p, "employee_id"))
		TRY(other_person(c, &sql_person_with_employee_id, p->employee_id, p->id, &other));
	if (other)
		conflict(c, &e, "EMPLOYEE_ID_EXISTS", "employee_id",
			"A user with that employee id already exists.");
	return e;
}

#define SUPERVISORS_MAX 64 /* longest chain looked at */

static struct err *
check_supervisor(struct res_ctx *c, const struct person *p)
{
	int64_t above = p->supervisor_id;
	if (res_is_null(&person_res, p, "supervisor_id"))
		return NULL;
	struct db_rows r;
	bool found = false;
	TRY(DB_FIND(c->tx, &sql_person_supervisor_lock, &r, &found, P_INT(c->actor->company_id)));
	for (int i = 0; i < SUPERVISORS_MAX && above; i++) {
		if (above == p->id)
			return err_field(c->arena, "supervisor_id", "Nobody can be the own supervisor.");
		TRY(DB_FIND(c->tx, &sql_person_supervisor, &r, &found, P_INT(c->actor->company_id),
			P_INT(above)));
		above = found ? db_int(&r, 0) : 0;
	}
	return NULL;
}

static struct err *
role_of(struct res_ctx *c, const struct person *p, perm_set *out)
{
	struct role role;
	struct role_choice choice = { .id_given = true, .id = p->role_id, .preset = "EMPLOYEE" };
	TRY(role_choose(c, &choice, &role));
	*out = role_permissions(c->arena, role.name, role.built_in, role.permissions);
	return NULL;
}

static struct err *
last_admin_error(struct res_ctx *c)
{
	return err_word(
		err_new(c->arena, ERR_CONFLICT, "The last administrator of a company cannot be removed."),
		"LAST_ADMIN");
}

/* Somebody else must administer the company, and the installation, when this one no longer does. */
static struct err *
check_others(struct res_ctx *c, const struct person *old)
{
	struct db_rows r;
	bool other = false;
	TRY(DB_QUERY(c->tx, &sql_person_other_admins, &r, P_INT(c->actor->company_id), P_INT(old->id)));
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		perm_set set = role_permissions(c->arena, db_text(&r, 1), db_int(&r, 2) != 0, db_text(&r, 3));
		other = other || (set & PERM_BIT(PERM_COMPANY_ADMIN));
	}
	if (!other)
		return last_admin_error(c);
	if (old->platform_admin) {
		TRY(DB_FIND(c->tx, &sql_person_other_platform_admin, &r, &other, P_INT(old->id)));
		if (!other)
			return last_admin_error(c);
	}
	return NULL;
}

static bool
administers(const struct person *p, perm_set permissions)
{
	return p->active && !p->suspended && (permissions & PERM_BIT(PERM_COMPANY_ADMIN));
}

/* The installation's first administrator manages its companies too. */
static struct err *
crown_first(struct res_ctx *c, struct person *p, perm_set permissions)
{
	struct db_rows r;
	bool found = true;
	if (c->actor->kind == ACTOR_SYSTEM && (permissions & PERM_BIT(PERM_COMPANY_ADMIN)))
		TRY(DB_FIND(c->tx, &sql_person_platform_admin, &r, &found));
	p->platform_admin = !found;
	return NULL;
}

struct err *
person_before_write(struct res_ctx *c, const void *old_record, void *record)
{
	const struct person *old = old_record;
	struct person *p = record;
	perm_set before = 0, after = 0;
	check(p->password.n == 0 || str_starts_with(p->password, STR(HASH_PREFIX)));
	if (old)
		TRY(role_of(c, old, &before));
	if (old)
		TRY(may_change(c, old, p, role_is_administrative(before)));
	TRY(settle_role(c, old, p, &after));
	TRY(settle_names(c, p));
	TRY(check_supervisor(c, p));
	if (!old) {
		p->date_joined = c->now;
		return crown_first(c, p, after);
	}
	return administers(old, before) && !administers(p, after) ? check_others(c, old) : NULL;
}

struct err *
person_before_delete(struct res_ctx *c, const void *record)
{
	const struct person *p = record;
	perm_set set = 0;
	TRY(role_of(c, p, &set));
	TRY(may_change(c, p, NULL, role_is_administrative(set)));
	return administers(p, set) ? check_others(c, p) : NULL;
}

static struct err *
name_add(struct res_ctx *c, const struct person *p)
{
	struct err *e = DB_EXEC(c->tx, &sql_login_name_add, P_TEXT(person_name_key(c->arena, p->username)),
		P_INT(c->actor->company_id), P_INT(p->id));
	if (e && db_err_unique_column(e).n) {
		struct err *taken = NULL;
		conflict(c, &taken, "USERNAME_EXISTS", "username",
			"A user with that username already exists.");
		return taken;
	}
	return e;
}

static struct err *
name_drop(struct res_ctx *c, const struct person *p)
{
	return DB_EXEC(c->tx, &sql_login_name_drop, P_TEXT(person_name_key(c->arena, p->username)),
		P_INT(c->actor->company_id), P_INT(p->id));
}

static struct err *
end_sessions(struct res_ctx *c, const struct person *p, int64_t but)
{
	return DB_EXEC(c->tx, &sql_session_end_of_person, P_INT(c->actor->company_id), P_INT(p->id),
		P_INSTANT(c->now), P_INT(but));
}

static struct err *
gone(struct res_ctx *c, const struct person *p)
{
	struct db_param company = P_INT(c->actor->company_id), id = P_INT(p->id);
	TRY(name_drop(c, p));
	TRY(end_sessions(c, p, 0));
	TRY(DB_EXEC(c->tx, &sql_person_free_keys, company, id));
	TRY(DB_EXEC(c->tx, &sql_person_free_supervised, company, id));
	TRY(DB_EXEC(c->tx, &sql_team_free_lead, company, id));
	return DB_EXEC(c->tx, &sql_team_leave_all, company, id);
}

struct err *
person_after_write(struct res_ctx *c, const void *old_record, const void *record)
{
	const struct person *old = old_record, *p = record;
	iam_touched(c->tx);
	if (!p)
		return gone(c, old);
	if (!old)
		return name_add(c, p);
	if (!str_eq(person_name_key(c->arena, old->username), person_name_key(c->arena, p->username))) {
		TRY(name_drop(c, old));
		TRY(name_add(c, p));
	}
	if (!p->active || p->suspended)
		return end_sessions(c, p, 0);
	/* A new password ends the sessions that the old one opened, but not the one that changes it. */
	if (!str_eq(old->password, p->password))
		return end_sessions(c, p, c->actor->person_id == p->id ? c->actor->session_id : 0);
	return NULL;
}
