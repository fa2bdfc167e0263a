/* Opening and closing what authentication needs: the key ring, the caches, the back-off, and the token of the first start. */
#include "base/limits.h"
#include "base/random.h"
#include "domain/iam/iam_internal.h"

#define THREAD_SLOTS 512 /* remembered tokens and keys a thread */
#define BASIC_SLOTS  512 /* remembered passwords */

struct keys_work {
	struct keyring *keys;
	struct instant now;
	bool add;
};

/* Another node may have made one in the meantime, so the age is looked at again. */
static struct err *
keys_work(struct db_tx *tx, void *arg)
{
	struct keys_work *w = arg;
	size_t count = 0;
	TRY(keyring_load(w->keys, tx, &count));
	if (count > 0 && !w->add && keyring_age_s(w->keys, w->now) < LIMIT_SIGNING_KEY_S)
		return NULL;
	return keyring_add(w->keys, tx, w->now);
}

static struct err *
load_work(struct db_tx *tx, void *arg)
{
	size_t count = 0;
	return keyring_load(arg, tx, &count);
}

/* Signs with what is committed only: the key made is read back after its transaction. */
static struct err *
make_keys(struct keyring *keys, struct db *db, struct arena *a, struct instant now, bool add)
{
	struct keys_work w = { .keys = keys, .now = now, .add = add };
	TRY(db_write(db, a, keys_work, &w));
	return db_read(db, a, load_work, keys);
}

struct err *
iam_open(struct arena *a, const struct iam_options *o, struct iam **out)
{
	struct keyring *keys = NULL;
	TRY(keyring_new(a, o->secret_file, &keys));
	struct err *e = make_keys(keys, o->db, a, o->clock->now(o->clock), false);
	if (e) {
		keyring_free(keys);
		return e;
	}
	struct iam *iam = calloc(1, sizeof(*iam));
	check(iam);
	iam->db = o->db;
	iam->clock = o->clock;
	iam->access_s = o->access_s ? o->access_s : LIMIT_ACCESS_TOKEN_S;
	iam->refresh_s = o->refresh_s ? o->refresh_s : LIMIT_REFRESH_TOKEN_S;
	iam->remembers_actors = db_kind(o->db) == DB_SQLITE;
	iam->keys = keys;
	iam->cache_count = o->threads > 0 ? o->threads : 1;
	iam->caches = calloc((size_t)iam->cache_count, sizeof(*iam->caches));
	iam->epochs = calloc((size_t)iam->cache_count, sizeof(*iam->epochs));
	check(iam->caches && iam->epochs);
	for (int i = 0; i < iam->cache_count; i++)
		iam->caches[i] = auth_cache_new(THREAD_SLOTS);
	iam->basic = auth_cache_new(BASIC_SLOTS);
	iam->backoff = backoff_new();
	random_bytes(iam->hash_key, sizeof(iam->hash_key));
	*out = iam;
	return NULL;
}

void
iam_close(struct iam *iam)
{
	if (!iam)
		return;
	for (int i = 0; i < iam->cache_count; i++)
		auth_cache_free(iam->caches[i]);
	free(iam->caches);
	free((void *)iam->epochs);
	auth_cache_free(iam->basic);
	backoff_free(iam->backoff);
	keyring_free(iam->keys);
	secret_wipe(iam, sizeof(*iam));
	free(iam);
}

struct err *
iam_rotate_key(struct iam *iam, struct arena *a)
{
	return make_keys(iam->keys, iam->db, a, iam->clock->now(iam->clock), true);
}

struct err *
iam_renew_key(struct iam *iam, struct arena *a)
{
	struct instant now = iam->clock->now(iam->clock);
	if (keyring_age_s(iam->keys, now) < LIMIT_SIGNING_KEY_S)
		return NULL;
	return make_keys(iam->keys, iam->db, a, now, false);
}

struct str
iam_seal(const struct iam *iam, struct arena *a, struct str plain)
{
	return keyring_seal(iam->keys, a, plain);
}

bool
iam_unseal(const struct iam *iam, struct arena *a, struct str sealed, struct str *plain)
{
	return keyring_unseal(iam->keys, a, sealed, plain);
}
