/* A fixed number of slots, each for the keys that fall on it; the later one takes the place. One lock, held for a copy. */
#include "domain/kpi/prediction_cache.h"
#include <pthread.h>
#include <sodium.h>

#define SLOTS	   256 /* with 365 points each at most 6 MB */
#define TEXT_BYTES 128 /* of a model's name or a reason; a longer one is not remembered */

struct slot {
	bool used;
	struct prediction_key key;
	struct prediction prediction; /* points, model and reason are its own */
	char model[TEXT_BYTES], reason[TEXT_BYTES];
};

struct prediction_cache {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

struct prediction_cache *
prediction_cache_new(void)
{
	struct prediction_cache *cache = calloc(1, sizeof *cache);
	check(cache && pthread_mutex_init(&cache->lock, NULL) == 0);
	return cache;
}

void
prediction_cache_free(struct prediction_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free(cache->slots[i].prediction.points);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static void
add(crypto_generichash_state *h, const void *p, size_t n)
{
	check(crypto_generichash_update(h, p, n) == 0);
}

static void
add_int(crypto_generichash_state *h, int64_t v)
{
	add(h, &v, sizeof v);
}

struct prediction_key
prediction_key(const struct kpi *k, const struct regular_series *s, const struct kpi_standing *st,
	size_t horizon, double known)
{
	struct prediction_key key;
	crypto_generichash_state h;

	check(crypto_generichash_init(&h, NULL, 0, sizeof key.bytes) == 0);
	add_int(&h, (int64_t)horizon);
	add_int(&h, s->interval);
	add_int(&h, s->first.days);
	add_int(&h, (int64_t)s->count);
	add(&h, s->values, s->count * sizeof *s->values);
	add_int(&h, k->type);
	add_int(&h, k->aggregation);
	add_int(&h, k->direction);
	add_int(&h, st->has_target);
	add_int(&h, st->target.coef);
	add_int(&h, st->target.scale);
	add_int(&h, st->from.days);
	add_int(&h, st->to.days);
	add(&h, &known, sizeof known);
	check(crypto_generichash_final(&h, key.bytes, sizeof key.bytes) == 0);
	return key;
}

static struct slot *
slot_of(struct prediction_cache *cache, const struct prediction_key *key)
{
	return &cache->slots[key->bytes[0] % SLOTS];
}

bool
prediction_cache_get(struct prediction_cache *cache, const struct prediction_key *key, struct arena *a,
	struct prediction *out)
{
	if (!cache)
		return false;
	pthread_mutex_lock(&cache->lock);
	const struct slot *s = slot_of(cache, key);
	bool found = s->used && memcmp(&s->key, key, sizeof *key) == 0;
	if (found) {
		*out = s->prediction;
		out->model = arena_str(a, s->prediction.model);
		out->reason = arena_str(a, s->prediction.reason);
		out->points = arena_alloc_array(a, out->count, sizeof *out->points);
		memcpy(out->points, s->prediction.points, out->count * sizeof *out->points);
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

static struct str
keep_text(char *place, struct str s)
{
	memcpy(place, s.p ? s.p : "", s.n);
	return (struct str){ place, s.n };
}

void
prediction_cache_put(
	struct prediction_cache *cache, const struct prediction_key *key, const struct prediction *p)
{
	if (!cache || p->count == 0 || p->model.n > TEXT_BYTES || p->reason.n > TEXT_BYTES)
		return;
	struct prediction_point *points = calloc(p->count, sizeof *points);
	check(points);
	memcpy(points, p->points, p->count * sizeof *points);
	pthread_mutex_lock(&cache->lock);
	struct slot *s = slot_of(cache, key);
	free(s->prediction.points);
	s->used = true;
	s->key = *key;
	s->prediction = *p;
	s->prediction.points = points;
	s->prediction.model = keep_text(s->model, p->model);
	s->prediction.reason = keep_text(s->reason, p->reason);
	pthread_mutex_unlock(&cache->lock);
}
