/*
 * Predictions that were made, remembered by what they were made from: the values themselves, the target and the question. A prediction is
 * therefore found again until its series changes, on every node and whatever else the company does, and never a moment longer.
 */
#ifndef KPI_PREDICTION_CACHE_H
#define KPI_PREDICTION_CACHE_H

#include "domain/kpi/prediction.h"
#include "domain/kpi/regular.h"
#include "domain/kpi/status.h"

struct prediction_cache; /* shared by all threads */

struct prediction_cache *prediction_cache_new(void);
void prediction_cache_free(struct prediction_cache *cache); /* NULL is allowed */

/* What identifies a prediction: a keyless 128-bit hash, wide enough that two series never meet. */
struct prediction_key {
	unsigned char bytes[16];
};
struct prediction_key prediction_key(const struct kpi *k, const struct regular_series *s,
	const struct kpi_standing *st, size_t horizon, double known);

/* A copy on the arena; false when it is not there. cache NULL: never there. */
bool prediction_cache_get(struct prediction_cache *cache, const struct prediction_key *key, struct arena *a,
	struct prediction *out);
void prediction_cache_put(
	struct prediction_cache *cache, const struct prediction_key *key, const struct prediction *p);

#endif
