/*
 * From credentials to an actor. With one node (SQLite) a remembered actor is good until the room's epoch moves, so most requests touch
 * no database. With several (PostgreSQL) the row is read each time, because another node may have taken the access away; only the
 * costly password check is remembered there, tied to the stored hash it was made against.
 */
#include "base/limits.h"
#include "base/random.h"
#include "domain/iam/api_key.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"
#include <sodium.h>

enum scheme { SCHEME_NONE, SCHEME_BEARER, SCHEME_BASIC, SCHEME_KEY, SCHEME_UNKNOWN };

struct presented {
	enum scheme scheme;
	struct str secret;     /* token, key, or the base64 of name:password */
	struct auth_hash hash; /* under which it is remembered */
};

/* "Bearer x": the part after the scheme, when it is that one in any case. */
static bool
after_scheme(struct str header, struct str scheme, struct str *rest)
{
	if (header.n <= scheme.n || header.p[scheme.n] != ' ' ||
		!str_eq_nocase(str_sub(header, 0, scheme.n), scheme))
		return false;
	*rest = str_trim(str_sub(header, scheme.n, header.n));
	return rest->n > 0;
}

static struct auth_hash
hash_of(const struct iam *iam, enum scheme scheme, struct str secret)
{
	struct auth_hash out;
	crypto_generichash_state state;
	unsigned char kind = (unsigned char)scheme;
	crypto_generichash_init(&state, iam->hash_key, sizeof(iam->hash_key), sizeof(out.bytes));
	crypto_generichash_update(&state, &kind, 1);
	crypto_generichash_update(&state, (const unsigned char *)secret.p, secret.n);
	crypto_generichash_final(&state, out.bytes, sizeof(out.bytes));
	return out;
}

static struct presented
look_at(const struct iam *iam, const struct iam_credentials *c)
{
	struct presented p = { .scheme = SCHEME_NONE };
	struct str header = str_trim(c->authorization);
	if (header.n) {
		if (after_scheme(header, STR("Bearer"), &p.secret))
			p.scheme = SCHEME_BEARER;
		else if (after_scheme(header, STR("Basic"), &p.secret))
			p.scheme = SCHEME_BASIC;
		else if (after_scheme(header, STR("ApiKey"), &p.secret))
			p.scheme = SCHEME_KEY;
		else
			p.scheme = SCHEME_UNKNOWN;
	} else if (str_trim(c->api_key).n) {
		p.scheme = SCHEME_KEY;
		p.secret = str_trim(c->api_key);
	}
	/* Keys are sent as Bearer by many clients. */
	if (p.scheme == SCHEME_BEARER && str_starts_with(p.secret, STR(API_KEY_PREFIX)))
		p.scheme = SCHEME_KEY;
	if (p.secret.n)
		p.hash = hash_of(iam, p.scheme, p.secret);
	return p;
}

static struct auth_cache *
cache_for(const struct iam *iam, enum scheme scheme, int thread)
{
	return scheme == SCHEME_BASIC ? iam->basic : iam->caches[thread % iam->cache_count];
}

struct err *
iam_token_error(struct arena *a)
{
	return err_new(a, ERR_INVALID_TOKEN, "");
}

static struct err *
unknown_scheme_error(struct arena *a)
{
	return err_new(a, ERR_UNAUTHENTICATED, "");
}

static uint64_t
epoch_now(const struct iam *iam)
{
	return db_epoch(iam->db, IAM_EPOCH_COMPANY);
}

enum iam_step
iam_authenticate(struct iam *iam, int thread, struct arena *a, const struct iam_credentials *c,
	struct actor *actor, struct err **e)
{
	*e = NULL;
	struct presented p = look_at(iam, c);
	if (p.scheme == SCHEME_NONE) {
		*actor = (struct actor){ .kind = ACTOR_ANONYMOUS, .zone = zone_utc() };
		return IAM_DONE;
	}
	if (p.scheme == SCHEME_UNKNOWN) {
		*e = unknown_scheme_error(a);
		return IAM_DONE;
	}
	if (!iam->remembers_actors)
		return IAM_NEEDS_READ;
	uint64_t epoch = epoch_now(iam);
	atomic_store(&iam->epochs[thread % iam->cache_count], epoch);
	struct auth_entry entry;
	if (!auth_cache_find(
		    cache_for(iam, p.scheme, thread), &p.hash, iam->clock->now(iam->clock), a, &entry) ||
		entry.epoch != epoch)
		return IAM_NEEDS_READ;
	*actor = entry.actor;
	return IAM_DONE;
}

static void
remember(struct iam *iam, struct auth_cache *cache, const struct auth_hash *hash, struct auth_entry *entry)
{
	if (iam->remembers_actors || entry->password.bytes[0])
		auth_cache_put(cache, hash, entry);
}

/* A bearer token, whose session is read; keys of other nodes are learnt on the way. */
static struct err *
read_bearer(struct iam *iam, struct db_tx *tx, struct str token, struct auth_entry *entry)
{
	struct arena *a = db_tx_arena(tx);
	struct instant now = iam->clock->now(iam->clock);
	struct token_claims claims;
	enum token_fault fault = token_read(a, iam->keys, token, now, &claims);
	if (fault == TOKEN_UNKNOWN_KEY && keyring_may_reload(iam->keys)) {
		size_t count = 0;
		TRY(keyring_load(iam->keys, tx, &count));
		fault = token_read(a, iam->keys, token, now, &claims);
	}
	if (fault != TOKEN_OK || claims.kind != TOKEN_ACCESS)
		return iam_token_error(a);
	struct iam_actor_row row;
	bool found = false;
	TRY(iam_actor_by_session(tx, claims.company_id, claims.session_id, now, &row, &found));
	if (!found || !row.usable || row.actor.person_id != claims.person_id)
		return iam_token_error(a);
	entry->actor = row.actor;
	entry->actor.valid_until = claims.expires;
	entry->until = claims.expires;
	return NULL;
}

static struct err *
read_key(struct iam *iam, struct db_tx *tx, struct str key, struct auth_entry *entry)
{
	struct arena *a = db_tx_arena(tx);
	struct instant now = iam->clock->now(iam->clock);
	int64_t company_id = 0;
	struct str hash;
	struct iam_actor_row row;
	bool found = false;
	if (api_key_parse(a, key, &company_id, &hash))
		TRY(iam_actor_by_key(tx, company_id, hash, now, &row, &found));
	if (!found || !row.usable)
		return err_new(a, ERR_INVALID_TOKEN, "Invalid API key.");
	entry->actor = row.actor;
	entry->actor.valid_until.us = row.expires_us;
	entry->until.us = now.us + LIMIT_BASIC_CACHE_S * INSTANT_SECOND;
	if (row.expires_us && row.expires_us < entry->until.us)
		entry->until.us = row.expires_us;
	return NULL;
}

/* Never all zeros at its first byte, so that an entry tells whether it rests on a password. */
static struct auth_hash
password_proof(const struct iam *iam, struct str password_hash)
{
	struct auth_hash h = hash_of(iam, SCHEME_NONE, password_hash);
	h.bytes[0] |= 1;
	return h;
}

static uint64_t
mark_of(const struct auth_hash *proof)
{
	uint64_t mark;
	memcpy(&mark, proof->bytes, sizeof(mark));
	return mark;
}

/* A remembered Basic credential: the person is read again, and the stored hash must be the one it was verified against. */
static struct err *
read_basic(struct iam *iam, struct db_tx *tx, const struct presented *p, struct auth_entry *entry, bool *slow)
{
	struct arena *a = db_tx_arena(tx);
	struct auth_entry old;
	*slow = !auth_cache_find(iam->basic, &p->hash, iam->clock->now(iam->clock), a, &old);
	if (*slow)
		return NULL;
	struct iam_actor_row row;
	bool found = false;
	TRY(iam_actor_by_person(tx, old.actor.company_id, old.actor.person_id, &row, &found));
	if (!found || !row.usable)
		return iam_credentials_error(a);
	struct auth_hash proof = password_proof(iam, row.password_hash);
	*slow = sodium_memcmp(proof.bytes, old.password.bytes, sizeof(proof.bytes)) != 0;
	entry->actor = row.actor;
	entry->actor.password_mark = mark_of(&proof);
	entry->until = old.until;
	entry->password = old.password;
	return NULL;
}

enum iam_step
iam_authenticate_read(struct iam *iam, int thread, struct db_tx *tx, const struct iam_credentials *c,
	struct actor *actor, struct err **e)
{
	struct presented p = look_at(iam, c);
	/* As it was before the transaction began: what the snapshot does not show yet must not be remembered as shown. */
	struct auth_entry entry = { .epoch = atomic_load(&iam->epochs[thread % iam->cache_count]) };
	bool slow = false;
	*e = NULL;
	switch (p.scheme) {
	case SCHEME_BEARER:
		*e = read_bearer(iam, tx, p.secret, &entry);
		break;
	case SCHEME_KEY:
		*e = read_key(iam, tx, p.secret, &entry);
		break;
	case SCHEME_BASIC:
		*e = read_basic(iam, tx, &p, &entry, &slow);
		break;
	case SCHEME_NONE:
		entry.actor = (struct actor){ .kind = ACTOR_ANONYMOUS, .zone = zone_utc() };
		break;
	case SCHEME_UNKNOWN:
		*e = unknown_scheme_error(db_tx_arena(tx));
		break;
	}
	if (slow)
		return IAM_NEEDS_SLOW;
	if (*e)
		return IAM_DONE;
	if (p.scheme != SCHEME_NONE)
		remember(iam, cache_for(iam, p.scheme, thread), &p.hash, &entry);
	*actor = entry.actor;
	return IAM_DONE;
}

/* "name:password" of RFC 7617 in UTF-8. */
static bool
split_basic(struct arena *a, struct str encoded, struct str *name, struct str *password)
{
	char *plain = arena_alloc(a, encoded.n + 1);
	size_t n = 0;
	if (sodium_base642bin((unsigned char *)plain, encoded.n, encoded.p, encoded.n, NULL, &n, NULL,
		    sodium_base64_VARIANT_ORIGINAL) != 0)
		return false;
	struct str text = { plain, n };
	size_t colon = str_index(text, ':', 0);
	if (colon == text.n || !str_is_utf8(text))
		return false;
	*name = str_sub(text, 0, colon);
	*password = str_sub(text, colon + 1, text.n);
	return true;
}

struct person_work {
	int64_t company_id, person_id;
	struct iam_actor_row row;
	bool found;
};

static struct err *
person_work(struct db_tx *tx, void *arg)
{
	struct person_work *w = arg;
	return iam_actor_by_person(tx, w->company_id, w->person_id, &w->row, &w->found);
}

struct err *
iam_authenticate_slow(struct iam *iam, struct arena *a, const struct iam_credentials *c, struct actor *actor)
{
	struct presented p = look_at(iam, c);
	struct iam_login_attempt attempt = { .peer = c->peer };
	check(p.scheme == SCHEME_BASIC);
	if (!split_basic(a, p.secret, &attempt.name, &attempt.password))
		return iam_credentials_error(a);
	struct auth_entry entry = { .epoch = epoch_now(iam) };
	struct iam_candidate who;
	enum iam_login_fault fault;
	TRY(iam_check_password(iam, a, &attempt, &who, &fault));

	struct person_work w = { .company_id = who.company_id, .person_id = who.person_id };
	TRY(db_read(iam->db, a, person_work, &w));
	struct auth_hash proof = password_proof(iam, who.password_hash);
	struct auth_hash now = password_proof(iam, w.row.password_hash);
	if (!w.found || !w.row.usable || memcmp(proof.bytes, now.bytes, sizeof(now.bytes)) != 0)
		return iam_credentials_error(a);
	entry.actor = w.row.actor;
	entry.actor.password_mark = mark_of(&proof);
	entry.until.us = iam->clock->now(iam->clock).us + LIMIT_BASIC_CACHE_S * INSTANT_SECOND;
	entry.password = proof;
	remember(iam, iam->basic, &p.hash, &entry);
	*actor = entry.actor;
	return NULL;
}

/* ---- streams: a credential that came later than the request, and what became of one ---- */

struct err *
iam_identify(struct iam *iam, struct db_tx *tx, struct str token, struct actor *actor)
{
	struct auth_entry entry = { 0 };
	TRY(str_starts_with(token, STR(API_KEY_PREFIX)) ? read_key(iam, tx, token, &entry)
							: read_bearer(iam, tx, token, &entry));
	*actor = entry.actor;
	return NULL;
}

static struct err *
read_again(struct iam *iam, struct db_tx *tx, const struct actor *old, struct iam_actor_row *row, bool *found)
{
	struct instant now = iam->clock->now(iam->clock);
	if (old->kind == ACTOR_API_KEY)
		return iam_actor_by_key_id(tx, old->company_id, old->api_key_id, now, row, found);
	if (old->session_id)
		return iam_actor_by_session(tx, old->company_id, old->session_id, now, row, found);
	return iam_actor_by_person(tx, old->company_id, old->person_id, row, found);
}

struct err *
iam_actor_now(struct iam *iam, struct db_tx *tx, const struct actor *old, struct actor *now, bool *valid)
{
	struct iam_actor_row row = { 0 };
	bool found = false;
	TRY(read_again(iam, tx, old, &row, &found));
	*valid = found && row.usable && row.actor.person_id == old->person_id;
	if (*valid && old->password_mark) {
		const struct auth_hash proof = password_proof(iam, row.password_hash);
		*valid = mark_of(&proof) == old->password_mark;
	}
	if (!*valid)
		return NULL;
	*now = row.actor;
	now->valid_until = old->valid_until;
	now->password_mark = old->password_mark;
	return NULL;
}
