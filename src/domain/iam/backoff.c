/*
 * The counts lie in a fixed table with four places a hash; the least recent one gives way. An attacker with very many addresses can push
 * out others' counts but not the name's, which every attempt refreshes.
 */
#include "domain/iam/backoff.h"

#include "base/check.h"
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define SETS 512
#define WAYS 4

struct count {
	uint64_t key; /* 0: free */
	int64_t last_us;
	int64_t until_us;
	int32_t failures;
};

struct backoff {
	pthread_mutex_t lock;
	unsigned char secret[crypto_shorthash_KEYBYTES];
	struct count counts[SETS][WAYS];
};

enum what { PAIR, NAME, ADDRESS, WHAT_COUNT };

static const int32_t free_failures[WHAT_COUNT] = {
	[PAIR] = BACKOFF_PAIR_FREE, [NAME] = BACKOFF_NAME_FREE, [ADDRESS] = BACKOFF_ADDRESS_FREE
};

struct backoff *
backoff_new(void)
{
	struct backoff *b = calloc(1, sizeof(*b));
	check(b);
	check(pthread_mutex_init(&b->lock, NULL) == 0);
	crypto_shorthash_keygen(b->secret);
	return b;
}

void
backoff_free(struct backoff *b)
{
	if (!b)
		return;
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* Keyed, so that nobody can choose names that share a place. */
static uint64_t
key_of(const struct backoff *b, enum what what, struct str name, struct str address)
{
	uint64_t parts[3] = { (uint64_t)what, 0, 0 };
	unsigned char h[crypto_shorthash_BYTES];
	if (what != ADDRESS) {
		crypto_shorthash(h, (const unsigned char *)name.p, name.n, b->secret);
		memcpy(&parts[1], h, sizeof(parts[1]));
	}
	if (what != NAME) {
		crypto_shorthash(h, (const unsigned char *)address.p, address.n, b->secret);
		memcpy(&parts[2], h, sizeof(parts[2]));
	}
	crypto_shorthash(h, (const unsigned char *)parts, sizeof(parts), b->secret);
	uint64_t key = 0;
	memcpy(&key, h, sizeof(key));
	return key ? key : 1;
}

static struct count *
find(struct backoff *b, uint64_t key)
{
	struct count *set = b->counts[key % SETS];
	for (int i = 0; i < WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

static struct count *
find_or_add(struct backoff *b, uint64_t key)
{
	struct count *c = find(b, key);
	if (c)
		return c;
	struct count *set = b->counts[key % SETS];
	c = &set[0];
	for (int i = 1; i < WAYS; i++)
		if (set[i].last_us < c->last_us)
			c = &set[i];
	*c = (struct count){ .key = key };
	return c;
}

static int64_t
wait_after(int32_t failures, int32_t allowed)
{
	int32_t over = failures - allowed;
	if (over < 0)
		return 0;
	return over >= 10 ? BACKOFF_WAIT_MAX_S : (int64_t)1 << over;
}

int64_t
backoff_wait_s(struct backoff *b, struct str name, struct str address, struct instant now)
{
	int64_t longest = 0;
	pthread_mutex_lock(&b->lock);
	for (enum what w = PAIR; w < WHAT_COUNT; w++) {
		const struct count *c = find(b, key_of(b, w, name, address));
		if (!c || c->until_us <= now.us)
			continue;
		int64_t wait = (c->until_us - now.us + INSTANT_SECOND - 1) / INSTANT_SECOND;
		longest = wait > longest ? wait : longest;
	}
	pthread_mutex_unlock(&b->lock);
	return longest;
}

void
backoff_failed(struct backoff *b, struct str name, struct str address, struct instant now)
{
	pthread_mutex_lock(&b->lock);
	for (enum what w = PAIR; w < WHAT_COUNT; w++) {
		struct count *c = find_or_add(b, key_of(b, w, name, address));
		if (now.us - c->last_us > BACKOFF_FORGET_S * INSTANT_SECOND)
			c->failures = 0;
		c->failures += c->failures < INT32_MAX;
		c->last_us = now.us;
		c->until_us = now.us + wait_after(c->failures, free_failures[w]) * INSTANT_SECOND;
	}
	pthread_mutex_unlock(&b->lock);
}

void
backoff_succeeded(struct backoff *b, struct str name, struct str address)
{
	pthread_mutex_lock(&b->lock);
	struct count *c = find(b, key_of(b, PAIR, name, address));
	if (c)
		*c = (struct count){ 0 };
	pthread_mutex_unlock(&b->lock);
}
