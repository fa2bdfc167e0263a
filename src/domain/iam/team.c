/* Teams and their members. A membership is two ids and no object of its own, so it has functions instead of a table of fields. */
#include "domain/iam/team.h"

#include "base/limits.h"
#include "domain/iam/iam_sql.h"
#include "domain/iam/person.h"

#define RES_RECORD struct team

static const struct res_field fields[] = {
	F(id, TEXT, .flags = RF_CREATE_ONLY | RF_FILTER | RF_SORT | RF_UNIQUE, .max = LIMIT_ID_CHARS,
		.taken = "TEAM_EXISTS", .doc = "Id of the team: given, or made by the server.",
		.example = "\"sales_team_1\""),
	F(version, INT, .flags = RF_SERVER),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(name, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT, .max = 100, .doc = "Name of the team.",
		.example = "\"Sales team 1\""),
	F(description, TEXT, .flags = RF_BLANK, .max = 1000, .doc = "What the team does."),
	F(lead_id, REF, .flags = RF_NULL | RF_FILTER, .ref = &person_res, .doc = "The person who leads it."),
};

static struct err *
before_delete(struct res_ctx *c, const void *record)
{
	const struct team *team = record;
	return DB_EXEC(c->tx, &sql_team_members_drop, P_INT(c->actor->company_id), P_TEXT(team->id));
}

#define WRITERS (PERM_BIT(PERM_USER_WRITE) | PERM_BIT(PERM_COMPANY_ADMIN))

const struct res_def team_res = {
	.name = "team",
	.title = "Team",
	.table = "team",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct team),
	.id_prefix = "team-",
	.scope = SCOPE_COMPANY,
	.perm = { [RES_LIST] = PERM_AUTHENTICATED,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = WRITERS,
		[RES_UPDATE] = WRITERS,
		[RES_DELETE] = WRITERS },
	.default_sort = "id",
	.not_found = "TEAM_NOT_FOUND",
	.doc = "People who work together; KPIs can be assigned to a team.",
	.hooks = { .before_delete = before_delete },
};

static const struct res_view_field view_fields[] = {
	{ .name = "id", .field = "id" },
	{ .name = "name", .field = "name" },
	{ .name = "description", .field = "description" },
	{ .name = "lead_id", .field = "lead_id" },
	{ .name = "created_on", .field = "created_at" },
	{ .name = "updated_on", .field = "updated_at" },
};
const struct res_view team_view = {
	.name = "Team", .fields = view_fields, .field_count = COUNT(view_fields)
};

static struct err *
event(struct res_ctx *c, const char *type, struct str team_id, int64_t person_id)
{
	return event_add(c, str_from_cstr(type), "team", team_id, (struct str){ 0 },
		arena_fmt(c->arena, "{\"person_id\":%lld}", (long long)person_id));
}

struct err *
team_member_add(struct res_ctx *c, struct str team_id, int64_t person_id)
{
	struct team team;
	struct person person;
	bool found = false;
	int64_t added = 0;
	TRY(res_read_for(c, &team_res, RES_UPDATE, team_id, &team));
	TRY(res_find(c, &person_res, "id", P_INT(person_id), &person, &found));
	if (!found)
		return err_field(c->arena, "user_id", "Invalid pk \"%lld\" - object does not exist.",
			(long long)person_id);
	TRY(db_exec(c->tx, &sql_team_member_add,
		DB_ARGS(P_INT(c->actor->company_id), P_TEXT(team_id), P_INT(person_id)), &added));
	return added ? event(c, "team.member_added", team_id, person_id) : NULL;
}

struct err *
team_member_remove(struct res_ctx *c, struct str team_id, int64_t person_id)
{
	struct team team;
	int64_t removed = 0;
	TRY(res_read_for(c, &team_res, RES_UPDATE, team_id, &team));
	TRY(db_exec(c->tx, &sql_team_member_drop,
		DB_ARGS(P_INT(c->actor->company_id), P_TEXT(team_id), P_INT(person_id)), &removed));
	if (!removed)
		return err_new(c->arena, ERR_NOT_FOUND, "");
	return event(c, "team.member_removed", team_id, person_id);
}

#define MEMBERS_STEP 32

struct err *
team_members(struct res_ctx *c, struct str team_id, struct team_member **out, size_t *count)
{
	struct team team;
	TRY(res_read(c, &team_res, team_id, &team));
	struct team_member *list = NULL;
	size_t n = 0, cap = 0;
	struct db_rows r;
	TRY(DB_QUERY(c->tx, &sql_team_member_list, &r, P_INT(c->actor->company_id), P_TEXT(team_id)));
	for (bool row;; n++) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		if (n == cap) {
			struct team_member *more =
				arena_alloc_array(c->arena, cap * 2 + MEMBERS_STEP, sizeof(*more));
			if (n)
				memcpy(more, list, n * sizeof(*list));
			list = more;
			cap = cap * 2 + MEMBERS_STEP;
		}
		list[n] = (struct team_member){ .person_id = db_int(&r, 0),
			.username = db_text_copy(&r, 1),
			.employee_id = db_text_copy(&r, 2),
			.first_name = db_text_copy(&r, 3),
			.last_name = db_text_copy(&r, 4) };
	}
	*out = list;
	*count = n;
	return NULL;
}

struct err *
team_ids_of(struct res_ctx *c, int64_t person_id, struct str **out, size_t *count)
{
	struct str *list = NULL;
	size_t n = 0, cap = 0;
	struct db_rows r;
	TRY(DB_QUERY(c->tx, &sql_team_of_person, &r, P_INT(c->actor->company_id), P_INT(person_id)));
	for (bool row;; n++) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		if (n == cap) {
			struct str *more = arena_alloc_array(c->arena, cap * 2 + MEMBERS_STEP, sizeof(*more));
			if (n)
				memcpy(more, list, n * sizeof(*list));
			list = more;
			cap = cap * 2 + MEMBERS_STEP;
		}
		list[n] = db_text_copy(&r, 0);
	}
	*out = list;
	*count = n;
	return NULL;
}
