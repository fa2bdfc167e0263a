/*
 * The table of people and the two contracts' views of it. The rules of a change stand in person_rules.c; a password arrives here as its
 * hash only, because hashing is slow and must not run inside a transaction.
 */
#include "domain/iam/person.h"

#include "base/limits.h"
#include "codec/text.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"
#include "domain/iam/person_rules.h"
#include "domain/iam/role.h"

#define RES_RECORD struct person

static bool
is_alphanumeric(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

/* Django's rule; letters beyond ASCII are let through as they are. */
static const char *
verify_username(const void *record)
{
	const struct person *p = record;
	for (size_t i = 0; i < p->username.n; i++) {
		char ch = p->username.p[i];
		if (!is_alphanumeric(ch) && !((unsigned char)ch & 0x80) && !strchr("@.+-_", ch))
			return "Enter a valid username. This value may contain only letters, numbers, and "
			       "@/./+/-/_ "
			       "characters.";
	}
	return NULL;
}

static bool
is_local_part(struct str s)
{
	if (s.n == 0 || s.n > 64 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_alphanumeric(s.p[i]) && !strchr("!#$%&'*+/=?^_`{|}~.-", s.p[i]))
			return false;
		if (i > 0 && s.p[i] == '.' && s.p[i - 1] == '.')
			return false;
	}
	return true;
}

static bool
is_label(struct str s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alphanumeric(s.p[i]) && s.p[i] != '-' && !((unsigned char)s.p[i] & 0x80))
			return false;
	return true;
}

static bool
is_domain(struct str s)
{
	struct str rest = s, label = { 0 };
	size_t labels = 0;
	while (str_split(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
		labels++;
	}
	return labels > 1 && label.n > 1 && !(label.p[0] >= '0' && label.p[0] <= '9');
}

static const char *
verify_email(const void *record)
{
	const struct person *p = record;
	struct str email = p->email;
	if (email.n == 0)
		return NULL;
	size_t at = str_index(email, '@', 0);
	struct str domain = str_sub(email, at + 1, email.n);
	if (at < email.n && is_local_part(str_sub(email, 0, at)) &&
		(str_eq(domain, STR("localhost")) || is_domain(domain)))
		return NULL;
	return "Enter a valid email address.";
}

static const char *
verify_employee_id(const void *record)
{
	const struct person *p = record;
	for (size_t i = 0; i < p->employee_id.n; i++)
		if (!is_alphanumeric(p->employee_id.p[i]) && !strchr("._-:@", p->employee_id.p[i]))
			return "Use letters, digits and . _ - : @ only.";
	return NULL;
}

static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(version, INT, .flags = RF_SERVER),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(username, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT | RF_SEARCH, .max = 150,
		.verify = verify_username,
		.doc = "Name to log in with, unique in the installation in any case.",
		.example = "\"john.smith\""),
	F(email, TEXT, .flags = RF_BLANK | RF_FILTER | RF_SORT | RF_SEARCH, .max = 254,
		.verify = verify_email,
		.doc = "E-mail address, unique in the company; also good to log in with.",
		.example = "\"john.smith@example.com\""),
	F(email_key, TEXT, .flags = RF_SERVER | RF_NULL | RF_HIDDEN | RF_UNIQUE, .max = 1024,
		.taken = "EMAIL_EXISTS"),
	F(first_name, TEXT, .flags = RF_BLANK | RF_FILTER | RF_SORT | RF_SEARCH, .max = 150,
		.example = "\"John\""),
	F(last_name, TEXT, .flags = RF_BLANK | RF_FILTER | RF_SORT | RF_SEARCH, .max = 150,
		.example = "\"Smith\""),
	F(phone, TEXT, .flags = RF_BLANK, .max = 40, .doc = "Telephone number."),
	F(role_id, REF, .flags = RF_FILTER, .ref = &role_res, .doc = "Role, by id."),
	F(role, TEXT, .flags = RF_FILTER | RF_SORT, .max = 50,
		.doc = "Role, by name; EMPLOYEE when none is given.", .example = "\"EMPLOYEE\""),
	F(employee_id, TEXT, .flags = RF_NULL | RF_FILTER | RF_SORT | RF_SEARCH | RF_UNIQUE,
		.max = LIMIT_ID_CHARS, .taken = "EMPLOYEE_ID_EXISTS", .verify = verify_employee_id,
		.doc = "Id as an employee, unique in the company; null for a user who is none.",
		.example = "\"emp-001\""),
	F(supervisor_id, REF, .flags = RF_NULL | RF_FILTER, .ref = &person_res,
		.doc = "Who supervises this person."),
	F(department, TEXT, .flags = RF_BLANK | RF_FILTER | RF_SORT, .max = 100, .doc = "Department."),
	{ .name = "password",
		.column = "password_hash",
		.kind = RES_TEXT,
		.flags = RF_SECRET,
		.offset = RES_OFFSET(password, struct str),
		.min = PERSON_PASSWORD_MIN,
		.max = PERSON_PASSWORD_MAX,
		.doc = "Password, at least 8 characters; never shown.",
		.example = "\"correct horse battery\"" },
	F(active, BOOL, .flags = RF_FILTER, .preset = "true",
		.doc = "False: no login, and sessions end at once."),
	F(suspended, BOOL, .flags = RF_FILTER, .preset = "false",
		.doc = "True: no login until it is lifted."),
	F(platform_admin, BOOL, .flags = RF_SERVER | RF_FILTER,
		.doc = "Administers the installation and its companies."),
	F(date_joined, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(last_login, INSTANT, .flags = RF_SERVER | RF_NULL | RF_FILTER | RF_SORT),
};

/* Who may not see people sees one's own row. */
static void
scope(struct res_ctx *c, struct res_sql *sql, enum res_op op)
{
	(void)op;
	const perm_set readers =
		PERM_BIT(PERM_USER_READ) | PERM_BIT(PERM_USER_WRITE) | PERM_BIT(PERM_COMPANY_ADMIN);
	const perm_set referrers =
		PERM_BIT(PERM_ASSIGN_KPI) | PERM_BIT(PERM_VIEW_ALL) | PERM_BIT(PERM_LEAD_WRITE);
	if (c->actor->kind == ACTOR_SYSTEM || (c->actor->permissions & (readers | referrers)))
		return;
	res_sql_add(sql, " AND id = ");
	res_sql_param(sql, P_INT(c->actor->person_id));
}

#define WRITERS (PERM_BIT(PERM_USER_WRITE) | PERM_BIT(PERM_COMPANY_ADMIN))

const struct res_def person_res = {
	.name = "user",
	.title = "User",
	.table = "person",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct person),
	.soft_delete = true,
	.scope = SCOPE_CUSTOM,
	.perm = { [RES_LIST] = PERM_BIT(PERM_USER_READ) | WRITERS,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = WRITERS,
		[RES_UPDATE] = PERM_AUTHENTICATED,
		[RES_DELETE] = WRITERS },
	.default_sort = "id",
	.not_found = "USER_NOT_FOUND",
	.doc = "A person of the company: user, employee, or both.",
	.hooks = { .before_write = person_before_write,
		.after_write = person_after_write,
		.before_delete = person_before_delete,
		.scope = scope },
};

/* ---- views ---- */

static void
write_is_staff(struct json_out *o, const struct res_ctx *c, const void *record)
{
	(void)c;
	const struct person *p = record;
	json_put_bool(o, str_eq(p->role, STR("ADMIN")) || str_eq(p->role, STR("STAFF")));
}

static void
write_is_superuser(struct json_out *o, const struct res_ctx *c, const void *record)
{
	(void)c;
	const struct person *p = record;
	json_put_bool(o, str_eq(p->role, STR("ADMIN")));
}

static void
write_company(struct json_out *o, const struct res_ctx *c, const void *record)
{
	(void)record;
	json_put_int(o, c->actor->company_id);
}

#define BOOLEAN_SCHEMA "{\"type\":\"boolean\"}"

static const struct res_view_field business_fields[] = {
	{ .name = "id", .field = "id" },
	{ .name = "username", .field = "username" },
	{ .name = "email", .field = "email" },
	{ .name = "first_name", .field = "first_name" },
	{ .name = "last_name", .field = "last_name" },
	{ .name = "phone", .field = "phone" },
	{ .name = "role", .field = "role" },
	{ .name = "employee_id", .field = "employee_id" },
	{ .name = "supervisor_id", .field = "supervisor_id" },
	{ .name = "department", .field = "department" },
	{ .name = "is_active", .field = "active" },
	{ .name = "is_staff", .write = write_is_staff, .schema = BOOLEAN_SCHEMA },
	{ .name = "is_superuser", .write = write_is_superuser, .schema = BOOLEAN_SCHEMA },
	{ .name = "date_joined", .field = "date_joined" },
	{ .name = "last_login", .field = "last_login" },
	{ .name = "created_at", .field = "created_at" },
	{ .name = "updated_at", .field = "updated_at" },
	{ .name = "password", .field = "password", .flags = RV_WRITE_ONLY },
};
const struct res_view user_business_view = {
	.name = "User", .fields = business_fields, .field_count = COUNT(business_fields)
};

static const struct res_view_field crm_fields[] = {
	{ .name = "id", .field = "id" },
	{ .name = "user_id", .field = "id", .flags = RV_READ_ONLY },
	{ .name = "username", .field = "username" },
	{ .name = "email", .field = "email" },
	{ .name = "first_name", .field = "first_name" },
	{ .name = "last_name", .field = "last_name" },
	{ .name = "phone", .field = "phone" },
	{ .name = "company_id", .write = write_company, .schema = "{\"type\":\"integer\"}" },
	{ .name = "role_id", .field = "role_id" },
	{ .name = "role", .field = "role" },
	{ .name = "employee_id", .field = "employee_id" },
	{ .name = "supervisor_id", .field = "supervisor_id" },
	{ .name = "department", .field = "department" },
	{ .name = "active", .field = "active" },
	{ .name = "suspended", .field = "suspended" },
	{ .name = "platform_admin", .field = "platform_admin" },
	{ .name = "last_login", .field = "last_login" },
	{ .name = "created_on", .field = "created_at" },
	{ .name = "updated_on", .field = "updated_at" },
	{ .name = "password", .field = "password", .flags = RV_WRITE_ONLY },
};
const struct res_view user_crm_view = {
	.name = "CrmUser", .fields = crm_fields, .field_count = COUNT(crm_fields)
};

/* ---- for the rest of the house ---- */

struct str
person_name_key(struct arena *a, struct str name)
{
	return text_fold(a, name);
}

struct err *
person_find_employee(struct res_ctx *c, struct str employee_id, struct person *out, bool *found)
{
	return res_find(c, &person_res, "employee_id", P_TEXT(employee_id), out, found);
}

struct err *
person_remove(struct res_ctx *c, struct str id)
{
	return res_delete(c, &person_res, id);
}

struct err *
person_deactivate(struct res_ctx *c, struct str id, struct person *out)
{
	struct person old;
	TRY(res_read_for(c, &person_res, RES_DELETE, id, &old));
	*out = old;
	out->active = false;
	return res_update(c, &person_res, &old, out);
}

/* Ids of the people whom the actor's VIEW_TEAM shows, as a subquery of one column of person. */
static void
team_people(struct res_ctx *c, struct res_sql *sql, const char *person_column)
{
	struct db_param company = P_INT(c->actor->company_id);
	struct db_param me = P_INT(c->actor->person_id);
	res_sql_add(sql, "SELECT ");
	res_sql_add(sql, person_column);
	res_sql_add(sql, " FROM person WHERE company_id = ");
	res_sql_param(sql, company);
	res_sql_add(sql, " AND (id = ");
	res_sql_param(sql, me);
	res_sql_add(sql, " OR supervisor_id = ");
	res_sql_param(sql, me);
	res_sql_add(sql,
		" OR id IN (SELECT m.person_id FROM team_member m JOIN team t ON t.company_id = m.company_id "
		"AND t.id = m.team_id WHERE m.company_id = ");
	res_sql_param(sql, company);
	res_sql_add(sql, " AND (t.lead_id = ");
	res_sql_param(sql, me);
	res_sql_add(sql, " OR EXISTS (SELECT 1 FROM team_member own WHERE own.company_id = m.company_id "
			 "AND own.team_id = m.team_id AND own.person_id = ");
	res_sql_param(sql, me);
	res_sql_add(sql, "))))");
}

void
person_team_scope(struct res_ctx *c, struct res_sql *sql, const char *column)
{
	res_sql_add(sql, " AND ");
	res_sql_add(sql, column);
	res_sql_add(sql, " IN (");
	team_people(c, sql, "id");
	res_sql_add(sql, ")");
}

void
person_team_scope_employees(struct res_ctx *c, struct res_sql *sql, const char *column)
{
	res_sql_add(sql, " AND ");
	res_sql_add(sql, column);
	res_sql_add(sql, " IN (");
	team_people(c, sql, "employee_id");
	res_sql_add(sql, ")");
}

struct err *
person_in_team_scope(struct res_ctx *c, int64_t person_id, bool *out)
{
	struct db_rows r;
	return DB_FIND(c->tx, &sql_person_team_find, &r, out, P_INT(c->actor->company_id),
		P_INT(c->actor->person_id), P_INT(person_id));
}
