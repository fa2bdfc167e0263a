/*
 * Companies, members of teams, and keys. Companies belong to the installation, so their requests act there; the table's scope shows
 * everyone but a platform administrator the own one.
 */
#include "api/api.h"
#include "api/iam_handlers.h"
#include "domain/iam/api_key.h"
#include "domain/iam/company.h"
#include "domain/iam/team.h"
#include "domain/kpi/value.h"

static void
enter_installation(struct api_ctx *c)
{
	struct actor *actor = arena_new_of(c->res.arena, struct actor);
	c->res.actor = &c->actor;
	c->res = company_scope(&c->res, actor);
}

struct api_done *
company_list(struct api_ctx *c)
{
	enter_installation(c);
	return api_res_list(c);
}

struct api_done *
company_read(struct api_ctx *c)
{
	enter_installation(c);
	return api_res_read(c);
}

/* In another time zone values belong to other days, so the days' figures are made anew with the change. */
static struct err *
follow_time_zone(struct api_ctx *c, int64_t company_id)
{
	struct res_ctx own = c->res;
	struct actor actor;
	int64_t differences;

	TRY(company_actor(own.tx, company_id, &actor));
	own.actor = &actor;
	return kpi_recalculate_company(&own, &differences);
}

static struct err *
change_company(struct api_ctx *c, struct company *company)
{
	struct company old = { 0 };

	enter_installation(c);
	TRY(res_read_for(&c->res, &company_res, RES_UPDATE, c->path_params[0], &old));
	TRY(api_check_match(c, &old));
	*company = old;
	TRY(res_parse(
		&c->res, &company_res, c->route->view, c->body, RES_MODE_MERGE, api_is_strict(c), company));
	TRY(res_update(&c->res, &company_res, &old, company));
	return str_eq(old.time_zone, company->time_zone) ? NULL : follow_time_zone(c, company->id);
}

struct api_done *
company_merge(struct api_ctx *c)
{
	struct company company = { 0 };
	struct err *e = change_company(c, &company);
	return e ? api_fail(c, e) : api_record(c, &company);
}

struct api_done *
company_add(struct api_ctx *c)
{
	struct company company = { 0 };
	enter_installation(c);
	struct err *e = res_parse(
		&c->res, &company_res, c->route->view, c->body, RES_MODE_CREATE, api_is_strict(c), &company);
	if (!e)
		e = company_create(&c->res, &company);
	if (e)
		return api_fail(c, e);
	return api_created(c, &company, arena_fmt(c->res.arena, "%lld", (long long)company.id));
}

/* ---- members of a team ---- */

struct api_done *
team_members_list(struct api_ctx *c)
{
	struct team_member *members = NULL;
	size_t count = 0;
	struct json_out *o = &c->json;
	struct err *e = team_members(&c->res, c->path_params[0], &members, &count);
	if (e)
		return api_fail(c, e);
	json_begin_array(o);
	for (size_t i = 0; i < count; i++) {
		const struct team_member *m = &members[i];
		json_begin_object(o);
		json_pair_int(o, "user_id", m->person_id);
		json_pair_str(o, "username", m->username);
		json_key(o, STR("employee_id"));
		if (m->employee_id.n)
			json_put_str(o, m->employee_id);
		else
			json_put_null(o);
		json_pair_str(o, "first_name", m->first_name);
		json_pair_str(o, "last_name", m->last_name);
		json_end_object(o);
	}
	json_end_array(o);
	return api_json(c, 200);
}

static struct err *
body_user_id(struct api_ctx *c, int64_t *out)
{
	json_val *v = c->body ? json_get(c->body, STR("user_id")) : NULL;
	if (!v)
		return err_field(c->res.arena, "user_id", "This field is required.");
	bool fine = json_type_of(v) == JSON_STRING ? str_to_int(json_string(v), out)
						   : json_type_of(v) == JSON_NUMBER && json_int(v, out);
	return fine ? NULL : err_field(c->res.arena, "user_id", "A valid integer is required.");
}

struct api_done *
team_member_join(struct api_ctx *c)
{
	int64_t id = 0;
	struct err *e = body_user_id(c, &id);
	if (!e)
		e = team_member_add(&c->res, c->path_params[0], id);
	return e ? api_fail(c, e) : team_members_list(c);
}

struct api_done *
team_member_leave(struct api_ctx *c)
{
	int64_t id = 0;
	if (!str_to_int(c->path_params[1], &id))
		return api_fail(c, err_new(c->res.arena, ERR_NOT_FOUND, ""));
	struct err *e = team_member_remove(&c->res, c->path_params[0], id);
	return e ? api_fail(c, e) : api_no_content(c);
}

/* ---- keys ---- */

/* The only answer that holds the key. */
struct api_done *
key_create(struct api_ctx *c)
{
	struct api_key key = { 0 };
	struct str secret;
	api_no_store(c);
	struct err *e = res_parse(
		&c->res, &api_key_res, &api_key_view, c->body, RES_MODE_CREATE, api_is_strict(c), &key);
	if (!e)
		e = api_key_create(&c->res, &key, &secret);
	if (e)
		return api_fail(c, e);
	json_begin_object(&c->json);
	res_write_members(&c->json, &c->res, &api_key_res, &api_key_view, &key);
	json_pair_str(&c->json, "key", secret);
	json_end_object(&c->json);
	return api_json_hoisted(c, 201);
}
