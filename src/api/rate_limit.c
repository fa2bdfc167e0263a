/*
 * A table of fixed size in 64 shards, each with its lock: a client's place is one set of eight counters. When a set is full, the counter
 * that was idle longest gives way, so memory is bounded whatever addresses appear; the price is that a flood of addresses may make the
 * server forget some counts.
 */
#include "api/rate_limit.h"
#include "base/hash.h"
#include "base/random.h"
#include <pthread.h>
#include <stdlib.h>

#define SHARDS	       64
#define SETS_PER_SHARD 128
#define WAYS	       8

struct counter {
	uint64_t key;	/* 0: free */
	int64_t window; /* index of the window that `present` counts */
	int32_t present, last;
};

struct shard {
	pthread_mutex_t lock;
	struct counter sets[SETS_PER_SHARD][WAYS];
};

struct rate_limiter {
	int64_t limits[RATE_FAMILY_COUNT];
	uint64_t seed;
	struct shard shards[SHARDS];
};

static const struct {
	int64_t limit, window_s;
} families[RATE_FAMILY_COUNT] = {
#define RATE_ROW(name, word, limit, window_s) [RATE_##name] = { limit, window_s },
	RATE_FAMILIES(RATE_ROW)
#undef RATE_ROW
};

const char *const rate_family_names[RATE_FAMILY_COUNT] = {
#define RATE_NAME(name, word, limit, window_s) [RATE_##name] = word,
	RATE_FAMILIES(RATE_NAME)
#undef RATE_NAME
};

static bool
rule_parse(struct str part, struct rate_rules *out)
{
	const size_t sign = str_index(part, '=', 0);
	int64_t limit;
	if (!str_to_int(str_sub(part, sign + 1, part.n), &limit) || limit < 1 || limit > INT32_MAX)
		return false;
	for (int i = 0; i < RATE_FAMILY_COUNT; i++) {
		if (!str_eq(str_sub(part, 0, sign), str_from_cstr(rate_family_names[i])))
			continue;
		out->limits[i] = limit;
		return true;
	}
	return false;
}

struct err *
rate_rules_parse(struct arena *a, struct str text, struct rate_rules *out)
{
	struct rate_rules rules = { .limits = { 0 } };
	struct str part;
	while (text.n && str_split(&text, ',', &part))
		if (!rule_parse(str_trim(part), &rules))
			return err_new(a, ERR_INVALID_INPUT,
				"\"%.*s\" is no rate limit; say business=1000 (or business-anonymous, "
				"business-admin, crm, campaign, retrospective).",
				STR_ARG(part));
	*out = rules;
	return NULL;
}

struct rate_limiter *
rate_limiter_new(const struct rate_rules *rules)
{
	struct rate_limiter *l = calloc(1, sizeof(*l));
	check(l);
	for (int i = 0; i < RATE_FAMILY_COUNT; i++)
		l->limits[i] = rules->limits[i] > 0 ? rules->limits[i] : families[i].limit;
	random_bytes(&l->seed, sizeof(l->seed));
	for (int i = 0; i < SHARDS; i++)
		check(pthread_mutex_init(&l->shards[i].lock, NULL) == 0);
	return l;
}

void
rate_limiter_free(struct rate_limiter *l)
{
	if (!l)
		return;
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&l->shards[i].lock);
	free(l);
}

/* The client's counter in its set, or the one that gives way to it. */
static struct counter *
counter_of(struct counter *set, uint64_t key, int64_t window)
{
	struct counter *oldest = &set[0];
	for (int i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].key == 0)
			oldest = &set[i];
		else if (oldest->key != 0 && set[i].window < oldest->window)
			oldest = &set[i];
	}
	*oldest = (struct counter){ .key = key, .window = window };
	return oldest;
}

static void
move_to_window(struct counter *n, int64_t window)
{
	if (n->window == window)
		return;
	n->last = n->window == window - 1 ? n->present : 0;
	n->present = 0;
	n->window = window;
}

/* Seconds until one more request fits, `gone` being the part of the window that has passed. */
static int64_t
wait_of(const struct counter *n, int64_t limit, double gone, int64_t window_s)
{
	const double room = (double)(limit - 1);
	double until; /* in windows, from the present one's start */
	if (n->present <= limit - 1 && n->last > 0)
		until = 1.0 - (room - n->present) / n->last;
	else
		until = 2.0 - room / n->present;
	const double seconds = (until - gone) * (double)window_s;
	return seconds < 1.0 ? 1 : (int64_t)seconds + 1;
}

void
rate_take(struct rate_limiter *l, enum rate_family family, uint64_t client, struct instant now,
	struct rate_state *out)
{
	const int64_t limit = l->limits[family];
	const int64_t window_us = families[family].window_s * INSTANT_SECOND;
	const int64_t window = now.us / window_us;
	const double gone = (double)(now.us % window_us) / (double)window_us;
	uint64_t key = hash_pair(client, l->seed + (uint64_t)family);
	key += key == 0;
	struct shard *shard = &l->shards[key % SHARDS];
	pthread_mutex_lock(&shard->lock);
	struct counter *n = counter_of(shard->sets[key / SHARDS % SETS_PER_SHARD], key, window);
	move_to_window(n, window);
	const double used = n->present + n->last * (1.0 - gone);
	const bool refused = used + 1.0 > (double)limit + 1e-9;
	const int64_t wait = refused ? wait_of(n, limit, gone, families[family].window_s) : 0;
	if (!refused)
		n->present++;
	pthread_mutex_unlock(&shard->lock);
	const int64_t left = refused ? 0 : limit - (int64_t)used - 1;
	*out = (struct rate_state){
		.counted = true,
		.refused = refused,
		.limit = limit,
		.remaining = left > 0 ? left : 0,
		.reset_s = (window + 1) * families[family].window_s,
		.retry_after_s = wait,
	};
}
