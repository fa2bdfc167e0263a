/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a POST with a key does its work once. The key is taken and the answer
 * stored in the transaction of the change, so there is never one without the other; the same key again gets the stored answer, and with
 * another request 422. Answers that are no success are not stored: the client may correct the request and use the key again.
 */
#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

#include "db/db.h"
#include "net/http.h"

#define IDEMPOTENCY_KEY_MAX	 255			/* characters of a key */
#define IDEMPOTENCY_ABANDONED_US (600 * INSTANT_SECOND) /* slow work that has not finished by then has died */

struct idempotency_key {
	bool on;
	int64_t company_id, user_id; /* whose keys: two actors may use the same word */
	struct str key;
	struct str method_path;
	unsigned char hash[32]; /* of path, query and body */
};

/* What the request's header says. INVALID_INPUT: empty, too long or not printable ASCII. on is false without the header. */
struct err *idempotency_read(struct arena *a, const struct http_request *r, struct str header,
	struct idempotency_key *out) MUST_USE;

/*
 * Takes the key. *stored true: the request was answered before, and *answer (with its fields) is that answer. IDEMPOTENCY_MISMATCH:
 * used with another request. CONFLICT: such a request is still under way.
 */
struct err *idempotency_take(struct db_tx *tx, const struct idempotency_key *k, struct instant now,
	bool *stored, struct http_answer *answer) MUST_USE;
/* Stores the answer under the taken key. */
struct err *idempotency_keep(
	struct db_tx *tx, const struct idempotency_key *k, const struct http_answer *answer) MUST_USE;
/* Gives a taken key back, for work outside of the transaction that took it. */
struct err *idempotency_release(struct db_tx *tx, const struct idempotency_key *k) MUST_USE;
/* Deletes answers that are older than they are kept. */
struct err *idempotency_sweep(struct db_tx *tx, struct instant now) MUST_USE;

/* An answer as stored: header fields, an empty line, the body. Public for its test. */
struct str idempotency_pack(struct arena *a, const struct http_answer *answer);
void idempotency_unpack(struct arena *a, struct str packed, struct http_answer *out);

#endif
