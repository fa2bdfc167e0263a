/* The table of good credentials: one place a hash, one lock a table. An entry is one block with its texts behind it. */
#include "domain/iam/auth_cache.h"

#include <pthread.h>
#include <stdlib.h>

struct slot {
	struct auth_hash key;
	struct auth_entry entry; /* its texts point behind the slot */
	char texts[];
};

struct auth_cache {
	pthread_mutex_t lock;
	size_t mask;
	struct slot *slots[];
};

struct auth_cache *
auth_cache_new(size_t slots)
{
	check(slots > 0 && (slots & (slots - 1)) == 0);
	struct auth_cache *cache = calloc(1, sizeof(*cache) + slots * sizeof(cache->slots[0]));
	check(cache);
	check(pthread_mutex_init(&cache->lock, NULL) == 0);
	cache->mask = slots - 1;
	return cache;
}

void
auth_cache_free(struct auth_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i <= cache->mask; i++)
		free(cache->slots[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static struct slot **
place(struct auth_cache *cache, const struct auth_hash *key)
{
	size_t h = 0;
	memcpy(&h, key->bytes, sizeof(h));
	return &cache->slots[h & cache->mask];
}

bool
auth_cache_find(struct auth_cache *cache, const struct auth_hash *key, struct instant now, struct arena *a,
	struct auth_entry *out)
{
	bool found = false;
	pthread_mutex_lock(&cache->lock);
	const struct slot *s = *place(cache, key);
	if (s && memcmp(s->key.bytes, key->bytes, AUTH_HASH_BYTES) == 0 && now.us < s->entry.until.us) {
		found = true;
		*out = s->entry;
		out->actor.username = arena_str(a, s->entry.actor.username);
		out->actor.employee_id = arena_str(a, s->entry.actor.employee_id);
		out->actor.role = arena_str(a, s->entry.actor.role);
		out->actor.currency = arena_str(a, s->entry.actor.currency);
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

static struct str
keep(char **room, struct str s)
{
	struct str kept = { *room, s.n };
	if (s.n)
		memcpy(*room, s.p, s.n);
	*room += s.n;
	return kept;
}

void
auth_cache_put(struct auth_cache *cache, const struct auth_hash *key, const struct auth_entry *entry)
{
	const struct actor *from = &entry->actor;
	struct slot *s = malloc(
		sizeof(*s) + from->username.n + from->employee_id.n + from->role.n + from->currency.n + 1);
	check(s);
	s->key = *key;
	s->entry = *entry;
	char *room = s->texts;
	s->entry.actor.username = keep(&room, from->username);
	s->entry.actor.employee_id = keep(&room, from->employee_id);
	s->entry.actor.role = keep(&room, from->role);
	s->entry.actor.currency = keep(&room, from->currency);

	pthread_mutex_lock(&cache->lock);
	struct slot **at = place(cache, key);
	struct slot *old = *at;
	*at = s;
	pthread_mutex_unlock(&cache->lock);
	free(old);
}
