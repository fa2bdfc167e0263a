/*
 * Answers of GET requests kept in memory: the same actor asking the same again gets the same bytes while nothing of the company has
 * changed. Each server thread has a table of its own, so there are no locks. An answer that depends on the present is at most
 * CACHE_AGE_US old.
 */
#ifndef API_ANSWER_CACHE_H
#define API_ANSWER_CACHE_H

#include "net/http.h"

#define CACHE_AGE_US	   INSTANT_SECOND
#define CACHE_SLOTS	   1024	       /* a thread; a power of two */
#define CACHE_ANSWER_BYTES (16u << 10) /* larger answers are not kept */
#define CACHE_THREAD_BYTES (4u << 20)  /* of one thread; then those that have grown old are dropped */

struct answer_cache;

struct cache_lookup {
	bool on;	/* this request's answer may come from the cache and go into it */
	struct str key; /* everything the answer depends on */
	uint64_t hash;
	uint64_t epoch; /* of the company before the snapshot was taken */
	int64_t now_us; /* monotonic */
};

struct answer_cache *answer_cache_new(int threads);
void answer_cache_free(struct answer_cache *c);
/* Only on that thread. The answer's bytes and fields (with their array) are copied to a. False: not there, or stale. */
bool answer_cache_find(struct answer_cache *c, int thread, const struct cache_lookup *l, struct arena *a,
	struct http_answer *out);
void answer_cache_keep(
	struct answer_cache *c, int thread, const struct cache_lookup *l, const struct http_answer *answer);

#endif
