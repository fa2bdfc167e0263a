/*
 * People by the words of two contracts. Writing one may hash a password, so those handlers run on the slow pool and make their own
 * transaction. A platform administrator may work in another company by naming it; to everyone else it does not exist.
 */
#include "api/api.h"
#include "api/dialect.h"
#include "api/iam_handlers.h"
#include "domain/iam/auth.h"
#include "domain/iam/company.h"
#include "domain/iam/person.h"

static bool
is_self(const struct api_ctx *c, struct str id)
{
	int64_t n = 0;
	return c->actor.kind == ACTOR_PERSON && str_to_int(id, &n) && n == c->actor.person_id;
}

static struct err *
forbidden(struct api_ctx *c)
{
	return err_new(c->res.arena, ERR_INSUFFICIENT_PERMISSIONS, "");
}

/* Django REST Framework answers a taken name with 400 on the field, crm with 409. */
static struct api_done *
fail(struct api_ctx *c, struct err *e)
{
	if (c->dialect->id == DIALECT_BUSINESS && e->code == ERR_CONFLICT && e->fields) {
		e->code = ERR_INVALID_INPUT;
		e->message = STR("Validation failed.");
	}
	return api_fail(c, e);
}

/* ---- the company meant ---- */

struct company_work {
	struct api_ctx *c;
	int64_t id;
	struct company company;
	bool found;
};

static struct err *
find_company(struct db_tx *tx, struct company_work *w)
{
	struct actor actor;
	struct res_ctx rc = company_scope(&w->c->res, &actor);
	rc.tx = tx;
	return res_find(&rc, &company_res, "id", P_INT(w->id), &w->company, &w->found);
}

/* From here on the request acts in that company. *found false: the actor may not, or there is none. */
static struct err *
enter_company(struct api_ctx *c, struct db_tx *tx, int64_t id, bool *found)
{
	*found = id == c->actor.company_id;
	if (*found || !actor_may(&c->actor, PERM_PLATFORM_ADMIN))
		return NULL;
	struct company_work w = { .c = c, .id = id };
	TRY(find_company(tx, &w));
	*found = w.found;
	if (!w.found)
		return NULL;
	struct actor *there = arena_new_of(c->res.arena, struct actor);
	*there = c->actor;
	there->company_id = id;
	c->res.actor = there;
	return NULL;
}

/* ---- reading ---- */

static struct err *
list_company(struct api_ctx *c, bool *found)
{
	int64_t company_id = c->actor.company_id;
	struct err *e = NULL;
	c->res.actor = &c->actor;
	api_param_int(c, "company_id", 1, INT64_MAX, &company_id, &e);
	return e ? e : enter_company(c, c->res.tx, company_id, found);
}

struct api_done *
user_list(struct api_ctx *c)
{
	bool found = true;
	struct list_query q;
	struct res_page page = { .total = 0 };
	struct err *e = c->dialect->id == DIALECT_CRM ? list_company(c, &found) : NULL;
	if (!e)
		e = api_list_query(c, &person_res, c->route->view, &q);
	if (!e && found)
		e = api_list_run(c, &person_res, &q, &page);
	return e ? api_fail(c, e) : api_list(c, &q, &page);
}

static struct api_done *
read_one(struct api_ctx *c, struct str id)
{
	const perm_set readers =
		PERM_BIT(PERM_USER_READ) | PERM_BIT(PERM_USER_WRITE) | PERM_BIT(PERM_COMPANY_ADMIN);
	struct person person;
	if (!is_self(c, id) && !(c->actor.permissions & readers))
		return api_fail(c, forbidden(c));
	struct err *e = res_read(&c->res, &person_res, id, &person);
	return e ? api_fail(c, e) : api_record(c, &person);
}

struct api_done *
user_read(struct api_ctx *c)
{
	return read_one(c, c->path_params[0]);
}

static struct str
own_id(struct api_ctx *c)
{
	return arena_fmt(c->res.arena, "%lld", (long long)c->actor.person_id);
}

struct api_done *
user_me_read(struct api_ctx *c)
{
	return read_one(c, own_id(c));
}

/* ---- writing ---- */

struct write_work {
	struct api_ctx *c;
	struct str id; /* empty: a new person */
	enum res_mode mode;
	struct str hash; /* of the body's password; empty when it holds none */
	struct person person;
};

/* A password that the table's check will refuse is not worth hashing. */
static struct err *
hash_password(struct api_ctx *c, struct str *out)
{
	json_val *v = c->body ? json_get(c->body, STR("password")) : NULL;
	*out = (struct str){ 0 };
	if (!v || json_type_of(v) != JSON_STRING)
		return NULL;
	size_t chars = str_utf8_len(json_string(v));
	if (chars < PERSON_PASSWORD_MIN || chars > PERSON_PASSWORD_MAX)
		return NULL;
	return iam_password_hash(c->res.arena, json_string(v), out);
}

static struct err *
parse(struct write_work *w, struct res_ctx *rc)
{
	struct api_ctx *c = w->c;
	TRY(res_parse(rc, &person_res, c->route->view, c->body, w->mode, api_is_strict(c), &w->person));
	if (res_is_given(&person_res, &w->person, "password"))
		w->person.password = w->hash;
	return NULL;
}

/* crm names the company in the body. */
static struct err *
body_company(struct api_ctx *c, struct db_tx *tx)
{
	json_val *v = json_get(c->body, STR("company_id"));
	int64_t id = 0;
	bool found = true;
	c->res.actor = &c->actor;
	if (c->dialect->id != DIALECT_CRM || !v || json_type_of(v) == JSON_NULL)
		return NULL;
	if (!(json_type_of(v) == JSON_STRING ? str_to_int(json_string(v), &id)
					     : json_type_of(v) == JSON_NUMBER && json_int(v, &id)))
		return err_field(c->res.arena, "company_id", "A valid integer is required.");
	TRY(enter_company(c, tx, id, &found));
	if (!found)
		return err_field(c->res.arena, "company_id", "Invalid pk \"%lld\" - object does not exist.",
			(long long)id);
	return NULL;
}

static struct err *
create_work(struct db_tx *tx, void *arg)
{
	struct write_work *w = arg;
	TRY(body_company(w->c, tx));
	struct res_ctx rc = w->c->res;
	rc.tx = tx;
	w->person = (struct person){ 0 };
	TRY(parse(w, &rc));
	return res_create(&rc, &person_res, &w->person);
}

static struct err *
update_work(struct db_tx *tx, void *arg)
{
	struct write_work *w = arg;
	struct res_ctx rc = w->c->res;
	struct person old;
	rc.tx = tx;
	TRY(res_read_for(&rc, &person_res, RES_UPDATE, w->id, &old));
	TRY(api_check_match(w->c, &old));
	w->person = old;
	TRY(parse(w, &rc));
	return res_update(&rc, &person_res, &old, &w->person);
}

static struct err *
require_password(struct api_ctx *c)
{
	if (json_type_of(c->body) == JSON_OBJECT && !json_get(c->body, STR("password")))
		return err_field(c->res.arena, "password", "This field is required.");
	return NULL;
}

/* The password is required of a new person only; its absence is told together with the table's own faults. */
static struct err *
join_faults(struct api_ctx *c, struct err *table, struct err *own)
{
	if (!own || (table && table->code != ERR_INVALID_INPUT))
		return table;
	if (!table)
		return own;
	for (const struct err_field *f = own->fields; f; f = f->next)
		err_add_field(c->res.arena, &table, f->field, "%.*s", STR_ARG(f->message));
	return table;
}

static struct err *
check_work(struct db_tx *tx, void *arg)
{
	struct write_work *w = arg;
	TRY(body_company(w->c, tx));
	struct res_ctx rc = w->c->res;
	rc.tx = tx;
	w->person = (struct person){ 0 };
	return join_faults(w->c, parse(w, &rc), require_password(w->c));
}

struct api_done *
user_create(struct api_ctx *c)
{
	struct write_work w = { .c = c, .mode = RES_MODE_CREATE };
	struct err *e = db_read(api_db(c), c->res.arena, check_work, &w);
	if (!e)
		e = hash_password(c, &w.hash);
	if (!e)
		e = db_write(api_db(c), c->res.arena, create_work, &w);
	if (e)
		return fail(c, e);
	return api_created(c, &w.person, arena_fmt(c->res.arena, "%lld", (long long)w.person.id));
}

static struct api_done *
update(struct api_ctx *c, struct str id, enum res_mode mode)
{
	struct write_work w = { .c = c, .id = id, .mode = mode };
	const perm_set writers = PERM_BIT(PERM_USER_WRITE) | PERM_BIT(PERM_COMPANY_ADMIN);
	if (!is_self(c, id) && !(c->actor.permissions & writers))
		return api_fail(c, forbidden(c));
	struct err *e = hash_password(c, &w.hash);
	if (!e)
		e = db_write(api_db(c), c->res.arena, update_work, &w);
	return e ? fail(c, e) : api_record(c, &w.person);
}

struct api_done *
user_replace(struct api_ctx *c)
{
	return update(c, c->path_params[0], RES_MODE_REPLACE);
}

struct api_done *
user_merge(struct api_ctx *c)
{
	return update(c, c->path_params[0], RES_MODE_MERGE);
}

struct api_done *
user_me_merge(struct api_ctx *c)
{
	return update(c, own_id(c), RES_MODE_MERGE);
}

struct api_done *
user_remove(struct api_ctx *c)
{
	struct err *e = api_check_match_by_id(c, RES_DELETE, c->path_params[0]);
	if (!e)
		e = person_remove(&c->res, c->path_params[0]);
	return e ? api_fail(c, e) : api_no_content(c);
}

struct api_done *
user_deactivate(struct api_ctx *c)
{
	struct person person;
	struct err *e = api_check_match_by_id(c, RES_DELETE, c->path_params[0]);
	if (!e)
		e = person_deactivate(&c->res, c->path_params[0], &person);
	return e ? api_fail(c, e) : api_record(c, &person);
}
