/*
 * Sessions: what a login opens, refreshing renews and a logout ends. Access tokens name their session, so ending its row takes all of
 * them away. A refresh token is good once; its second use means that somebody copied it, and ends the session for both.
 */
#include "base/limits.h"
#include "base/random.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"

void
iam_touched(struct db_tx *tx)
{
	db_tx_touch(tx, IAM_EPOCH_COMPANY);
}

void
iam_touch(struct iam *iam, struct db_tx *tx)
{
	(void)iam;
	iam_touched(tx);
}

static struct instant
after(struct instant t, int64_t seconds)
{
	return (struct instant){ t.us + seconds * INSTANT_SECOND };
}

static struct err *
session_event(
	struct db_tx *tx, const struct actor *actor, struct instant now, const char *type, int64_t session_id)
{
	struct arena *a = db_tx_arena(tx);
	struct res_ctx c = { .arena = a, .tx = tx, .actor = actor, .now = now };
	return event_add(&c, str_from_cstr(type), SESSION_OBJECT, arena_fmt(a, "%lld", (long long)session_id),
		(struct str){ 0 }, (struct str){ 0 });
}

/* Makes the pair for a session and stores what is needed to know the refresh token again. */
static struct err *
issue(struct iam *iam, struct db_tx *tx, const struct actor *actor, struct instant now,
	struct iam_tokens *out)
{
	struct arena *a = db_tx_arena(tx);
	struct token_claims claims = {
		.kind = TOKEN_ACCESS,
		.company_id = actor->company_id,
		.person_id = actor->person_id,
		.session_id = actor->session_id,
		.issued = now,
		.expires = after(now, iam->access_s),
	};
	struct str access = token_make(a, iam->keys, &claims);
	claims.kind = TOKEN_REFRESH;
	claims.expires = after(now, iam->refresh_s);
	claims.id = random_token(a, 16);
	struct str refresh = token_make(a, iam->keys, &claims);
	TRY(DB_EXEC(tx, &sql_refresh_token_add, P_INT(actor->company_id), P_TEXT(iam_secret_hash(a, refresh)),
		P_INT(actor->session_id), P_INSTANT(claims.expires)));
	*out = (struct iam_tokens){
		.access = access, .refresh = refresh, .expires_in_s = iam->access_s, .actor = *actor
	};
	return NULL;
}

struct open_work {
	struct iam *iam;
	struct iam_candidate who;
	struct str peer;
	struct instant now;
	struct iam_tokens tokens;
	bool refused; /* deactivated or changed since the password was checked */
};

static struct err *
open_work(struct db_tx *tx, void *arg)
{
	struct open_work *w = arg;
	struct db_param company = P_INT(w->who.company_id);
	struct iam_actor_row row;
	bool found = false;
	int64_t updated = 0;
	TRY(iam_actor_by_person(tx, w->who.company_id, w->who.person_id, &row, &found));
	TRY(db_exec(tx, &sql_person_logged_in, DB_ARGS(company, P_INT(w->who.person_id), P_INSTANT(w->now)),
		&updated));
	w->refused =
		!found || !row.usable || updated == 0 || !str_eq(row.password_hash, w->who.password_hash);
	if (w->refused)
		return NULL;
	TRY(DB_EXEC(tx, &sql_session_purge, company, P_INSTANT(w->now)));
	TRY(db_next_id(tx, "session", &row.actor.session_id));
	TRY(DB_EXEC(tx, &sql_session_add, company, P_INT(row.actor.session_id), P_INT(w->who.person_id),
		P_INSTANT(w->now), P_INSTANT(after(w->now, w->iam->refresh_s)), P_TEXT(w->peer)));
	TRY(issue(w->iam, tx, &row.actor, w->now, &w->tokens));
	return session_event(tx, &row.actor, w->now, "session.created", row.actor.session_id);
}

struct err *
iam_login(struct iam *iam, struct arena *a, struct str name, struct str password, int64_t company_id,
	struct str peer, struct iam_tokens *out, enum iam_login_fault *fault)
{
	struct iam_login_attempt attempt = {
		.name = name, .password = password, .peer = peer, .company_id = company_id
	};
	struct open_work w = { .iam = iam, .peer = peer, .now = iam->clock->now(iam->clock) };
	TRY(iam_check_password(iam, a, &attempt, &w.who, fault));
	TRY(iam_renew_key(iam, a));
	TRY(db_write(iam->db, a, open_work, &w));
	if (w.refused) {
		*fault = IAM_LOGIN_INACTIVE;
		return iam_credentials_error(a);
	}
	*out = w.tokens;
	return NULL;
}

struct refresh_work {
	struct iam *iam;
	struct token_claims claims;
	struct str hash;
	struct instant now;
	struct iam_tokens tokens;
	bool refused;
};

/* The session ends with the commit, although the answer is an error. */
static struct err *
end_copied(struct db_tx *tx, struct refresh_work *w, const struct actor *actor)
{
	w->refused = true;
	iam_touched(tx);
	TRY(DB_EXEC(
		tx, &sql_session_end, P_INT(actor->company_id), P_INT(actor->session_id), P_INSTANT(w->now)));
	return session_event(tx, actor, w->now, "session.refresh_reused", actor->session_id);
}

static struct err *
refresh_work(struct db_tx *tx, void *arg)
{
	struct refresh_work *w = arg;
	struct db_param company = P_INT(w->claims.company_id), hash = P_TEXT(w->hash);
	struct db_rows r;
	struct iam_actor_row row;
	bool found = false;
	int64_t used = 0;
	w->refused = true;
	TRY(DB_FIND(tx, &sql_refresh_token_find, &r, &found, company, hash));
	if (!found || db_int(&r, 0) != w->claims.session_id)
		return NULL;
	TRY(iam_actor_by_session(tx, w->claims.company_id, w->claims.session_id, w->now, &row, &found));
	if (!found || !row.usable || row.actor.person_id != w->claims.person_id)
		return NULL;
	TRY(db_exec(tx, &sql_refresh_token_use, DB_ARGS(company, hash, P_INSTANT(w->now)), &used));
	if (used == 0)
		return end_copied(tx, w, &row.actor);
	TRY(DB_EXEC(tx, &sql_session_extend, company, P_INT(row.actor.session_id),
		P_INSTANT(after(w->now, w->iam->refresh_s))));
	w->refused = false;
	return issue(w->iam, tx, &row.actor, w->now, &w->tokens);
}

static struct err *
load_keys(struct db_tx *tx, void *arg)
{
	size_t count = 0;
	return keyring_load(arg, tx, &count);
}

static struct err *
refresh_error(struct arena *a)
{
	return err_new(a, ERR_INVALID_TOKEN, "Token is invalid or expired");
}

struct err *
iam_refresh(struct iam *iam, struct arena *a, struct str refresh, struct iam_tokens *out)
{
	struct refresh_work w = { .iam = iam, .now = iam->clock->now(iam->clock) };
	enum token_fault fault = token_read(a, iam->keys, refresh, w.now, &w.claims);
	if (fault == TOKEN_UNKNOWN_KEY && keyring_may_reload(iam->keys)) {
		TRY(db_read(iam->db, a, load_keys, iam->keys));
		fault = token_read(a, iam->keys, refresh, w.now, &w.claims);
	}
	if (fault != TOKEN_OK)
		return refresh_error(a);
	if (w.claims.kind != TOKEN_REFRESH)
		return err_new(a, ERR_INVALID_TOKEN, "Token has wrong type");
	w.hash = iam_secret_hash(a, refresh);
	TRY(db_write(iam->db, a, refresh_work, &w));
	if (w.refused)
		return refresh_error(a);
	*out = w.tokens;
	return NULL;
}

struct err *
iam_verify(struct iam *iam, struct arena *a, struct db_tx *tx, struct str token)
{
	struct instant now = iam->clock->now(iam->clock);
	struct token_claims claims;
	struct iam_actor_row row;
	bool found = false;
	if (token_read(a, iam->keys, token, now, &claims) != TOKEN_OK)
		return refresh_error(a);
	TRY(iam_actor_by_session(tx, claims.company_id, claims.session_id, now, &row, &found));
	if (!found || !row.usable || row.actor.person_id != claims.person_id)
		return refresh_error(a);
	if (claims.kind == TOKEN_REFRESH) {
		struct db_rows r;
		TRY(DB_FIND(tx, &sql_refresh_token_find_unused, &r, &found, P_INT(claims.company_id),
			P_TEXT(iam_secret_hash(a, token))));
		if (!found)
			return refresh_error(a);
	}
	return NULL;
}

struct err *
iam_logout(struct iam *iam, struct res_ctx *c)
{
	const struct actor *actor = c->actor;
	if (actor->session_id == 0)
		return NULL; /* Basic and keys have no session */
	iam_touch(iam, c->tx);
	TRY(DB_EXEC(c->tx, &sql_session_end, P_INT(actor->company_id), P_INT(actor->session_id),
		P_INSTANT(c->now)));
	return event_add(c, STR("session.ended"), SESSION_OBJECT,
		arena_fmt(c->arena, "%lld", (long long)actor->session_id), (struct str){ 0 },
		(struct str){ 0 });
}
