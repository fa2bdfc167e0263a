/*
 * Logging in by the words of three contracts. The token routes answer the union of what their clients look for; crm's logins answer
 * failures with the statuses its document names, unless the operator asked for 401 and 403.
 */
#include "api/api.h"
#include "api/iam_handlers.h"
#include "domain/iam/auth.h"
#include "domain/iam/person.h"

/* A text member that must be there and not empty; several names may hold it. */
static struct str
required_text(struct api_ctx *c, const char *const *names, struct err **e)
{
	for (size_t i = 0; names[i]; i++) {
		json_val *v = json_get(c->body, str_from_cstr(names[i]));
		if (!v || json_type_of(v) == JSON_NULL)
			continue;
		struct str field = str_from_cstr(names[i]);
		if (json_type_of(v) != JSON_STRING)
			err_add_field(c->res.arena, e, field, "Not a valid string.");
		else if (json_string(v).n == 0)
			err_add_field(c->res.arena, e, field, "This field may not be blank.");
		else
			return json_string(v);
		return (struct str){ 0 };
	}
	err_add_field(c->res.arena, e, str_from_cstr(names[0]), "This field is required.");
	return (struct str){ 0 };
}

static struct err *
body_is_object(struct api_ctx *c)
{
	if (c->body && json_type_of(c->body) == JSON_OBJECT)
		return NULL;
	return err_field(c->res.arena, "non_field_errors", "Invalid data. Expected a dictionary, but got %s.",
		c->body ? json_type_word(c->body) : "NoneType");
}

struct login {
	struct str name, password;
	int64_t company_id;
};

static struct err *
read_login(struct api_ctx *c, struct login *out)
{
	static const char *const names[] = { "username", "email", NULL };
	static const char *const passwords[] = { "password", NULL };
	struct err *e = NULL;
	TRY(body_is_object(c));
	out->name = required_text(c, names, &e);
	out->password = required_text(c, passwords, &e);
	return e;
}

static void
put_tokens(struct json_out *o, const struct iam_tokens *t)
{
	json_pair_str(o, "access", t->access);
	json_pair_str(o, "refresh", t->refresh);
	json_pair_str(o, "access_token", t->access);
	json_pair_str(o, "refresh_token", t->refresh);
	json_pair_str(o, "token", t->access);
	json_pair_str(o, "token_type", STR("bearer"));
	json_pair_int(o, "expires_in", t->expires_in_s);
}

struct self_work {
	struct api_ctx *c;
	const struct actor *actor;
	struct person person;
};

static struct err *
read_self(struct db_tx *tx, void *arg)
{
	struct self_work *w = arg;
	struct res_ctx rc = w->c->res;
	bool found = false;
	rc.tx = tx;
	rc.actor = w->actor;
	TRY(res_find(&rc, &person_res, "id", P_INT(w->actor->person_id), &w->person, &found));
	return found ? NULL : err_new(rc.arena, ERR_INVALID_CREDENTIALS, "");
}

struct api_done *
token_create(struct api_ctx *c)
{
	struct login login = { 0 };
	struct iam_tokens tokens;
	enum iam_login_fault fault;
	api_no_store(c);
	struct err *e = read_login(c, &login);
	if (!e)
		e = iam_login(api_iam(c), c->res.arena, login.name, login.password, 0, c->request->peer,
			&tokens, &fault);
	if (e)
		return api_fail(c, e);
	struct self_work w = { .c = c, .actor = &tokens.actor };
	e = db_read(api_db(c), c->res.arena, read_self, &w);
	if (e)
		return api_fail(c, e);
	struct res_ctx as_self = c->res;
	as_self.actor = &tokens.actor;
	json_begin_object(&c->json);
	put_tokens(&c->json, &tokens);
	json_key(&c->json, STR("user"));
	res_write(&c->json, &as_self, &person_res, &user_business_view, &w.person);
	json_end_object(&c->json);
	return api_json(c, 200);
}

struct api_done *
token_refresh(struct api_ctx *c)
{
	static const char *const names[] = { "refresh", "refresh_token", NULL };
	struct iam_tokens tokens;
	api_no_store(c);
	struct err *e = body_is_object(c);
	if (e)
		return api_fail(c, e);
	struct str refresh = required_text(c, names, &e);
	if (!e)
		e = iam_refresh(api_iam(c), c->res.arena, refresh, &tokens);
	if (e)
		return api_fail(c, e);
	json_begin_object(&c->json);
	put_tokens(&c->json, &tokens);
	json_end_object(&c->json);
	return api_json(c, 200);
}

struct api_done *
token_verify(struct api_ctx *c)
{
	static const char *const names[] = { "token", "access", NULL };
	api_no_store(c);
	struct err *e = body_is_object(c);
	if (e)
		return api_fail(c, e);
	struct str token = required_text(c, names, &e);
	if (!e)
		e = iam_verify(api_iam(c), c->res.arena, c->res.tx, token);
	if (e)
		return api_fail(c, e);
	json_begin_object(&c->json);
	json_end_object(&c->json);
	return api_json(c, 200);
}

/* ---- crm ---- */

static struct api_done *
login_failed(struct api_ctx *c, struct err *e, enum iam_login_fault fault)
{
	if (e->code != ERR_INVALID_CREDENTIALS)
		return api_fail(c, e);
	if (fault == IAM_LOGIN_SUSPENDED) {
		e = err_word(err_new(c->res.arena, ERR_INVALID_CREDENTIALS, "This account is suspended."),
			"ACCOUNT_SUSPENDED");
		return api_fail_as(c, e, api_login_failures_401(c) ? 403 : 505);
	}
	return api_fail_as(c, e, api_login_failures_401(c) ? 401 : 500);
}

static struct api_done *
crm_login(struct api_ctx *c, const struct login *login)
{
	struct iam_tokens t;
	enum iam_login_fault fault = IAM_LOGIN_OK;
	struct err *e = iam_login(api_iam(c), c->res.arena, login->name, login->password, login->company_id,
		c->request->peer, &t, &fault);
	if (e)
		return login_failed(c, e, fault);
	struct json_out *o = &c->json;
	json_begin_object(o);
	json_pair_str(o, "token", t.access);
	json_pair_str(o, "refresh_token", t.refresh);
	json_pair_str(o, "token_type", STR("bearer"));
	json_pair_int(o, "user_id", t.actor.person_id);
	json_pair_str(o, "username", t.actor.username);
	json_pair_str(o, "role", t.actor.role);
	json_pair_int(o, "company_id", t.actor.company_id);
	json_pair_int(o, "expires_in", t.expires_in_s);
	json_end_object(o);
	return api_json_hoisted(c, 200);
}

struct api_done *
internal_login(struct api_ctx *c)
{
	struct login login = { 0 };
	api_no_store(c);
	struct err *e = read_login(c, &login);
	return e ? api_fail(c, e) : crm_login(c, &login);
}

/* The company the login must be of; 0 when none is named. */
static struct err *
read_company_id(struct api_ctx *c, int64_t *out)
{
	json_val *v = json_get(c->body, STR("company_id"));
	*out = 0;
	if (!v || json_type_of(v) == JSON_NULL)
		return NULL;
	bool fine = json_type_of(v) == JSON_STRING ? str_to_int(json_string(v), out)
						   : json_type_of(v) == JSON_NUMBER && json_int(v, out);
	return fine && *out > 0 ? NULL
				: err_field(c->res.arena, "company_id", "A valid integer is required.");
}

struct api_done *
external_login(struct api_ctx *c)
{
	struct login login = { 0 };
	api_no_store(c);
	struct err *e = read_login(c, &login);
	if (!e)
		e = read_company_id(c, &login.company_id);
	return e ? api_fail(c, e) : crm_login(c, &login);
}

struct api_done *
logout(struct api_ctx *c)
{
	struct err *e = iam_logout(api_iam(c), &c->res);
	return e ? api_fail(c, e) : api_no_content(c);
}
