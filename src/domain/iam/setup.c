/*
 * Accounts made by the server itself. That nobody exists yet is decided in the transaction that adds the first one; the token alone
 * would open the door again after a restart.
 */
#include "domain/iam/setup.h"

#include "base/limits.h"
#include "base/random.h"
#include "domain/iam/company.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/person.h"

struct add_work {
	const struct account *account;
	const struct clock *clock;
	struct str hash;
	bool only_first; /* NOT_FOUND when somebody exists */
	int64_t company_id, person_id;
};

static void
put_text(struct json_out *o, const char *key, struct str value)
{
	json_key(o, str_from_cstr(key));
	json_put_str(o, value);
}

/* The account as a body, so that the tables' own checks apply to it. */
static json_val *
as_body(struct arena *a, const char *const *keys, const struct str *values, size_t count, struct err **e)
{
	struct buf b;
	struct json_out o;
	json_val *body = NULL;
	buf_init_arena(&b, a, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	for (size_t i = 0; i < count; i++)
		if (values[i].n || i == 0)
			put_text(&o, keys[i], values[i]);
	json_end_object(&o);
	*e = json_parse(a, buf_str(&b), &body);
	return body;
}

static struct err *
company_of(struct res_ctx *c, const struct account *account, int64_t *id)
{
	bool found = false;
	TRY(company_find(c->tx, account->company, id, &found));
	if (found)
		return NULL;
	static const char *const keys[] = { "name", "time_zone", "currency" };
	const struct str values[] = { account->company, account->time_zone, account->currency };
	struct err *e = NULL;
	json_val *body = as_body(c->arena, keys, values, COUNT(keys), &e);
	TRY(e);
	struct company company = { 0 };
	TRY(res_parse(c, &company_res, NULL, body, RES_MODE_CREATE, true, &company));
	TRY(company_create(c, &company));
	*id = company.id;
	return NULL;
}

static struct err *
person_body(struct res_ctx *c, const struct account *account, struct person *out)
{
	static const char *const keys[] = { "username", "password", "email", "role" };
	const struct str values[] = { account->username, account->password, account->email, account->role };
	struct err *e = NULL;
	json_val *body = as_body(c->arena, keys, values, COUNT(keys), &e);
	TRY(e);
	*out = (struct person){ 0 };
	return res_parse(c, &person_res, NULL, body, RES_MODE_CREATE, true, out);
}

static struct err *
add_work(struct db_tx *tx, void *arg)
{
	struct add_work *w = arg;
	struct arena *a = db_tx_arena(tx);
	struct actor system = iam_system_actor(IAM_INSTALLATION);
	struct res_ctx c = { .arena = a, .tx = tx, .actor = &system, .now = w->clock->now(w->clock) };
	int64_t companies = 0, people = 0;
	TRY(company_count(tx, &companies, &people));
	if (w->only_first && people > 0)
		return err_new(a, ERR_NOT_FOUND, "");
	TRY(company_of(&c, w->account, &w->company_id));
	system = iam_system_actor(w->company_id);
	struct person person;
	TRY(person_body(&c, w->account, &person));
	person.password = w->hash;
	TRY(res_create(&c, &person_res, &person));
	w->person_id = person.id;
	return NULL;
}

struct err *
account_add(struct db *db, struct arena *a, const struct clock *clock, const struct account *account,
	int64_t *company_id, int64_t *person_id)
{
	struct add_work w = { .account = account, .clock = clock };
	if (account->password.n)
		TRY(iam_password_hash(a, account->password, &w.hash));
	TRY(db_write(db, a, add_work, &w));
	*company_id = w.company_id;
	*person_id = w.person_id;
	return NULL;
}

static struct err *
count_work(struct db_tx *tx, void *arg)
{
	int64_t companies = 0;
	return company_count(tx, &companies, arg);
}

struct err *
iam_setup_token(struct iam *iam, struct arena *a, struct str *out)
{
	int64_t people = 0;
	TRY(db_read(iam->db, a, count_work, &people));
	*out = (struct str){ 0 };
	if (people > 0)
		return NULL;
	*out = random_token(a, 24);
	struct str hash = iam_secret_hash(a, *out);
	check(hash.n == sizeof(iam->setup_hash));
	memcpy(iam->setup_hash, hash.p, hash.n);
	return NULL;
}

static bool
is_setup_token(const struct iam *iam, struct arena *a, struct str token)
{
	struct str kept = { iam->setup_hash, sizeof(iam->setup_hash) };
	return kept.p[0] && str_eq_secret(kept, iam_secret_hash(a, token));
}

bool
iam_setup_is_open(struct iam *iam, struct arena *a, struct db_tx *tx, struct str token)
{
	int64_t companies = 0, people = 1;
	struct err *e = company_count(tx, &companies, &people);
	return !e && people == 0 && is_setup_token(iam, a, token);
}

struct err *
iam_setup_finish(struct iam *iam, struct arena *a, struct str token, const struct account *account)
{
	if (!is_setup_token(iam, a, token))
		return err_new(a, ERR_NOT_FOUND, "");
	struct account admin = *account;
	admin.role = STR("ADMIN");
	struct add_work w = { .account = &admin, .clock = iam->clock, .only_first = true };
	TRY(iam_password_hash(a, admin.password, &w.hash));
	return db_write(iam->db, a, add_work, &w);
}
