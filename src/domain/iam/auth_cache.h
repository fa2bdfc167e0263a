/*
 * A small table of credentials that were found good: keyed hash of the credential → actor. The credential itself is never kept, and the
 * key of the hash lives in this process only. Entries are pushed out by others that fall on their place.
 */
#ifndef IAM_AUTH_CACHE_H
#define IAM_AUTH_CACHE_H

#include "resource/actor.h"

#define AUTH_HASH_BYTES 16

struct auth_cache;
struct auth_hash {
	unsigned char bytes[AUTH_HASH_BYTES];
};

struct auth_cache *auth_cache_new(size_t slots); /* slots: a power of two */
void auth_cache_free(struct auth_cache *cache);

struct auth_entry {
	struct actor actor;
	uint64_t epoch;	      /* as it was read before the actor was */
	struct instant until; /* the credential's end, or when it wants to be checked again */
	struct auth_hash
		password; /* keyed hash of the stored password hash it was verified against; zeros for tokens and keys */
};
/* Copies the entry, its texts onto the arena. False: unknown or past until. From any thread. */
bool auth_cache_find(struct auth_cache *cache, const struct auth_hash *key, struct instant now,
	struct arena *a, struct auth_entry *out) MUST_USE;
void auth_cache_put(struct auth_cache *cache, const struct auth_hash *key, const struct auth_entry *entry);

#endif
