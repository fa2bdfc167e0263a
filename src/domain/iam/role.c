/*
 * Roles. What a built-in role allows stands in the table below; its row in a company only carries its id, which is its place in the
 * table: programs know role_id by heart, so it means the same in every company. Nobody can hand out more than they may do themselves,
 * unless they administer the company.
 */
#include "domain/iam/role.h"

#include "base/limits.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"

#define P(name) PERM_BIT(PERM_##name)

static const struct built_in {
	struct str name;
	struct str description;
	perm_set permissions;
} built_in[] = {
	{ STR_INIT("ADMIN"), STR_INIT("Everything in the company."),
		(PERM_BIT(PERM_COUNT) - 1) & ~P(PLATFORM_ADMIN) },
	{ STR_INIT("MANAGER"), STR_INIT("KPIs, assignments, reports, leads and people of the company."),
		P(VIEW_ALL) | P(VIEW_TEAM) | P(VIEW_OWN) | P(ASSIGN_KPI) | P(MANAGE_KPI) | P(SUBMIT_VALUE) |
			P(SUBMIT_INSIGHT) | P(APPROVE_REPORT) | P(LEAD_READ_ALL) | P(LEAD_READ_OWN) |
			P(LEAD_WRITE) | P(REPORT_READ) | P(REPORT_CUSTOM) | P(BUSINESS_OWN) | P(USER_READ) |
			P(SUPPORT) },
	{ STR_INIT("SUPERVISOR"), STR_INIT("The KPIs of the own team, and assigning them."),
		P(VIEW_TEAM) | P(VIEW_OWN) | P(ASSIGN_KPI) | P(BUSINESS_OWN) },
	{ STR_INIT("HR"), STR_INIT("People, and everyone's KPIs."),
		P(VIEW_ALL) | P(VIEW_TEAM) | P(VIEW_OWN) | P(USER_READ) | P(USER_WRITE) | P(BUSINESS_OWN) },
	{ STR_INIT("ANALYST"), STR_INIT("Sees all KPIs, records values and insights."),
		P(VIEW_ALL) | P(VIEW_TEAM) | P(VIEW_OWN) | P(SUBMIT_VALUE) | P(SUBMIT_INSIGHT) |
			P(REPORT_READ) | P(BUSINESS_OWN) },
	{ STR_INIT("STAFF"), STR_INIT("Business objects of the whole company."),
		P(VIEW_OWN) | P(BUSINESS_OWN) | P(BUSINESS_ALL) | P(SUPPORT) },
	{ STR_INIT("SALESPERSON"), STR_INIT("Own and shared leads, own business objects."),
		P(VIEW_OWN) | P(LEAD_READ_OWN) | P(LEAD_WRITE) | P(BUSINESS_OWN) },
	{ STR_INIT("EMPLOYEE"), STR_INIT("Own KPIs and own business objects."),
		P(VIEW_OWN) | P(BUSINESS_OWN) },
	{ STR_INIT("INTEGRATION"),
		STR_INIT("Programs: leads, reports, synchronisation, webhooks, KPI values."),
		P(LEAD_READ_ALL) | P(LEAD_WRITE) | P(REPORT_CUSTOM) | P(SYNC_RUN) | P(WEBHOOK_MANAGE) |
			P(SUBMIT_VALUE) },
};

static const struct built_in *
built_in_find(struct str name)
{
	for (size_t i = 0; i < COUNT(built_in); i++)
		if (str_eq_nocase(name, built_in[i].name))
			return &built_in[i];
	return NULL;
}

static struct str
permissions_text(struct arena *a, perm_set set)
{
	struct buf b;
	struct json_out o;
	buf_init_arena(&b, a, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_array(&o);
	for (int i = 0; i < PERM_COUNT; i++)
		if (set & PERM_BIT(i))
			json_put_str(&o, str_from_cstr(permission_names[i]));
	json_end_array(&o);
	return buf_str(&b);
}

/* Known words of a JSON array; *unknown the first other element's text. */
static bool
permissions_read(struct arena *a, struct str text, perm_set *out, struct str *unknown)
{
	json_val *list = NULL;
	struct err *e = json_parse(a, text, &list);
	*unknown = text;
	*out = 0;
	if (e || json_type_of(list) != JSON_ARRAY)
		return false;
	struct json_iter it = json_iter(list);
	bool fine = true;
	for (json_val *v; json_next(&it, NULL, &v);) {
		enum permission p;
		bool is_text = json_type_of(v) == JSON_STRING;
		if (is_text && permission_find(json_string(v), &p) && p != PERM_PLATFORM_ADMIN) {
			*out |= PERM_BIT(p);
		} else if (fine) {
			*unknown = is_text ? json_string(v) : STR("");
			fine = false;
		}
	}
	return fine;
}

perm_set
role_permissions(struct arena *a, struct str name, bool is_built_in, struct str permissions)
{
	const struct built_in *b = is_built_in ? built_in_find(name) : NULL;
	if (b)
		return b->permissions;
	perm_set set = 0;
	struct str unknown;
	(void)permissions_read(
		a, permissions, &set, &unknown); /* a word that a later release dropped allows nothing */
	return set;
}

bool
role_is_administrative(perm_set permissions)
{
	return (permissions & (P(COMPANY_ADMIN) | P(USER_WRITE))) != 0;
}

/* ---- the resource ---- */

#define RES_RECORD struct role

static const char *
verify_name(const void *record)
{
	const struct role *r = record;
	for (size_t i = 0; i < r->name.n; i++) {
		char ch = r->name.p[i];
		bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
			      (ch >= '0' && ch <= '9') || ch == '_';
		if (!letter)
			return "Use letters, digits and _ only.";
	}
	return NULL;
}

static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(version, INT, .flags = RF_SERVER),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_SORT),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_SORT),
	F(name, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT | RF_UNIQUE, .max = 50,
		.taken = "ROLE_EXISTS", .verify = verify_name, .doc = "Name of the role.",
		.example = "\"REGIONAL_LEAD\""),
	F(description, TEXT, .flags = RF_BLANK, .max = 500, .doc = "What the role is for."),
	F(permissions, JSON, .preset = "[]", .max = 4000, .doc = "Names of what the role allows.",
		.example = "[\"VIEW_TEAM\", \"ASSIGN_KPI\"]"),
	F(built_in, BOOL, .flags = RF_SERVER | RF_FILTER,
		.doc = "Comes with the server and cannot be changed."),
};

static struct err *
rules(struct res_ctx *c, const void *record, struct err **e)
{
	const struct role *role = record;
	perm_set set = 0;
	struct str unknown;

	if (built_in_find(role->name))
		err_add_field(c->arena, e, STR("name"), "A built-in role has this name.");
	if (!res_is_null(&role_res, role, "permissions") &&
		!permissions_read(c->arena, role->permissions, &set, &unknown))
		err_add_field(c->arena, e, STR("permissions"), "\"%.*s\" is not a valid choice.",
			(int)(unknown.n < 80 ? unknown.n : 80), unknown.p);
	return NULL;
}

static struct err *
before_write(struct res_ctx *c, const void *old, void *record)
{
	struct role *role = record;
	struct err *e = NULL;
	perm_set set = 0;
	struct str unknown;

	if (old && role->built_in)
		return err_word(err_new(c->arena, ERR_CONFLICT, "Built-in roles cannot be changed."),
			"ROLE_BUILT_IN");
	TRY(rules(c, role, &e));
	if (e)
		return e;
	check(permissions_read(c->arena, role->permissions, &set, &unknown));
	if (!actor_may(c->actor, PERM_COMPANY_ADMIN) && (set & ~c->actor->permissions))
		return err_new(
			c->arena, ERR_INSUFFICIENT_PERMISSIONS, "Nobody can hand out more than they may do.");
	role->permissions = permissions_text(c->arena, set);
	return NULL;
}

static struct err *
after_write(struct res_ctx *c, const void *old, const void *record)
{
	const struct role *before = old, *role = record;
	iam_touched(c->tx);
	if (!before || !role || str_eq(before->name, role->name))
		return NULL;
	TRY(DB_EXEC(c->tx, &sql_role_rename_people, P_INT(c->actor->company_id), P_INT(role->id),
		P_TEXT(role->name)));
	return DB_EXEC(c->tx, &sql_role_rename_keys, P_INT(c->actor->company_id), P_INT(role->id),
		P_TEXT(role->name));
}

static struct err *
before_delete(struct res_ctx *c, const void *record)
{
	const struct role *role = record;
	struct db_rows r;
	bool used = false;
	if (role->built_in)
		return err_word(err_new(c->arena, ERR_CONFLICT, "Built-in roles cannot be deleted."),
			"ROLE_BUILT_IN");
	TRY(DB_FIND(c->tx, &sql_role_in_use, &r, &used, P_INT(c->actor->company_id), P_INT(role->id)));
	if (used)
		return err_word(
			err_new(c->arena, ERR_CONFLICT, "People or keys have this role."), "ROLE_IN_USE");
	return NULL;
}

const struct res_def role_res = {
	.name = "role",
	.title = "Role",
	.table = "role",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct role),
	.scope = SCOPE_COMPANY,
	.perm = { [RES_LIST] = P(USER_READ) | P(USER_WRITE) | P(COMPANY_ADMIN),
		[RES_READ] = P(USER_READ) | P(USER_WRITE) | P(COMPANY_ADMIN),
		[RES_CREATE] = P(COMPANY_ADMIN),
		[RES_UPDATE] = P(COMPANY_ADMIN),
		[RES_DELETE] = P(COMPANY_ADMIN) },
	.default_sort = "id",
	.doc = "A named set of permissions. Built-in roles exist in every company; a company adds its own.",
	.hooks = { .rules = rules,
		.before_write = before_write,
		.after_write = after_write,
		.before_delete = before_delete },
};

/* ---- for the rest of the room ---- */

struct err *
role_seed(struct res_ctx *c)
{
	for (size_t i = 0; i < COUNT(built_in); i++) {
		int64_t unused = 0; /* a company's own roles are numbered beyond what is drawn here */
		TRY(db_next_id(c->tx, "role", &unused));
		TRY(DB_EXEC(c->tx, &sql_role_insert, P_INT(c->actor->company_id), P_INT((int64_t)i + 1),
			P_INSTANT(c->now), P_TEXT(built_in[i].name), P_TEXT(built_in[i].description),
			P_TEXT(permissions_text(c->arena, built_in[i].permissions))));
	}
	return NULL;
}

static void
read_role(const struct db_rows *r, struct role *out)
{
	*out = (struct role){
		.id = db_int(r, 0),
		.name = db_text_copy(r, 1),
		.permissions = db_text_copy(r, 2),
		.built_in = db_int(r, 3) != 0,
	};
}

/* Built-in names in any case. */
struct err *
role_find(struct res_ctx *c, struct str name, struct role *out, bool *found)
{
	const struct built_in *b = built_in_find(name);
	struct db_rows r;
	TRY(DB_FIND(c->tx, &sql_role_by_name, &r, found, P_INT(c->actor->company_id),
		P_TEXT(b ? b->name : name)));
	if (*found)
		read_role(&r, out);
	return NULL;
}

static struct err *
find_by_id(struct res_ctx *c, int64_t id, struct role *out, bool *found)
{
	struct db_rows r;
	TRY(DB_FIND(c->tx, &sql_role_by_id, &r, found, P_INT(c->actor->company_id), P_INT(id)));
	if (*found)
		read_role(&r, out);
	return NULL;
}

struct err *
role_choose(struct res_ctx *c, const struct role_choice *choice, struct role *out)
{
	bool found = false;
	struct role role = { 0 };
	bool by_name = choice->name_given || (!choice->id_given && choice->id == 0);
	struct str name = choice->name_given ? choice->name : str_from_cstr(choice->preset);
	if (by_name)
		TRY(role_find(c, name, &role, &found));
	else
		TRY(find_by_id(c, choice->id, &role, &found));
	if (!found && by_name)
		return err_field(c->arena, "role", "\"%.*s\" is not a valid choice.",
			(int)(name.n < 80 ? name.n : 80), name.p);
	if (!found)
		return err_field(c->arena, "role_id", "Invalid pk \"%lld\" - object does not exist.",
			(long long)choice->id);
	if (choice->id_given && choice->name_given && choice->id != role.id)
		return err_field(c->arena, "role_id", "role and role_id name different roles.");
	*out = role;
	return NULL;
}
