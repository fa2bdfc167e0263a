/*
 * Deliveries in the database: what an endpoint is to be told next, and what came of telling it. The order of an endpoint is its position
 * in the event table, which moves only when its next event has been delivered. A delivery's id follows from endpoint and event, so that
 * nothing needs to be written before it is sent: after a crash the same one is made again.
 */
#ifndef INTEGRATION_WEBHOOK_DELIVERY_H
#define INTEGRATION_WEBHOOK_DELIVERY_H

#include "domain/integration/webhook.h"
#include "resource/outbox.h"

/* Jobs of an endpoint; the key is its id. Who fails is tried again in a queue of its own, where hanging receivers hold back each other alone. */
#define WEBHOOK_DELIVER_JOB "webhook.deliver"
#define WEBHOOK_RETRY_JOB   "webhook_retry.deliver"
#define WEBHOOK_REPLAY_JOB  "webhook_retry.replay"

#define WEBHOOK_GIVE_UP_S     259200 /* 3 days of failures pause an endpoint */
#define WEBHOOK_REPLAY_TRIES  8      /* of one replayed delivery; the next one follows then */
#define WEBHOOK_REPLAY_MAX    1000   /* events of one request for a replay */

extern const char *const webhook_delivery_reasons[];
extern const char *const webhook_delivery_states[];
enum webhook_delivery_reason { WEBHOOK_REASON_EVENT, WEBHOOK_REASON_REPLAY, WEBHOOK_REASON_TEST };
enum webhook_delivery_state { WEBHOOK_PENDING, WEBHOOK_DELIVERED, WEBHOOK_FAILED };

/* A row of the log, as a resource that is only read. */
struct webhook_delivery {
	struct res_row row;
	struct str id, message_id, webhook_id;
	int64_t number, event_id;
	struct str event_type;
	int reason, state;
	struct str payload;
	int64_t attempts, version;
	struct instant created_at, updated_at, delivered_at, next_at;
};
extern const struct res_def webhook_delivery_res;

/* Where deliveries go, with sealed secrets. */
struct webhook_target {
	struct str url, secret, old_secret; /* old_secret empty: none */
	struct instant old_secret_until;
};

struct webhook_message {
	struct str delivery_id, message_id, event_type, body;
	int64_t event_id; /* 0: none */
	int reason;
};

struct webhook_attempt {
	struct instant at;
	int64_t duration_us;
	struct str url, address, request_headers; /* the last one JSON */
	int status;		/* 0: no answer */
	struct str fault;	/* empty: delivered */
	struct str answer;
	int64_t retry_after_s;	/* as the answer asks; 0: not said */
};

/* What an endpoint is to be told next. */
struct webhook_next {
	bool is_active; /* the subscription is there and not paused; otherwise there is no message */
	bool is_failing;
	bool access_events; /* see struct webhook */
	struct instant next_attempt_at; /* 0: at once */
	struct webhook_target target;
	struct outbox_position position; /* told up to here */
	struct outbox_position seen;	 /* nothing up to here is for it */
	bool reached_end;		 /* there was nothing more to read */
	bool has_message;
	struct outbox_position event; /* of the message */
	struct webhook_message message;
	int64_t tries; /* of a replay, so far */
};
struct webhook_key {
	int64_t company_id;
	struct str webhook_id;
};
/* Looks at a bounded number of events; has_message and reached_end both false: store seen and look on. */
struct err *webhook_next_read(struct db_tx *tx, const struct webhook_key *key, struct webhook_next *out) MUST_USE;
struct err *webhook_next_replay_read(struct db_tx *tx, const struct webhook_key *key, struct webhook_next *out) MUST_USE;
/* The same on another arena, without what was read to find it. */
void webhook_next_copy(struct arena *a, struct webhook_next *n);
/* Where a test goes, also that of a paused one. NOT_FOUND. */
struct err *webhook_target_read(struct db_tx *tx, const struct webhook_key *key, struct webhook_target *out) MUST_USE;
/* The position moves over events that are not for the endpoint, if nobody else has moved it. */
struct err *webhook_skip_store(struct db_tx *tx, const struct webhook_key *key, const struct webhook_next *next) MUST_USE;

enum webhook_outcome {
	WEBHOOK_GOES_ON, /* delivered */
	WEBHOOK_WAITS,	 /* failed: again at retry_at */
	WEBHOOK_STOPPED, /* paused, removed, or another one has delivered meanwhile */
};
struct webhook_report {
	struct webhook_key key;
	const struct webhook_next *next;
	const struct webhook_attempt *attempt;
	uint32_t jitter; /* random; part of the wait */
	/* out */
	enum webhook_outcome outcome;
	bool was_failing;
	struct instant retry_at;
};
/*
 * Stores what came of an attempt at the live order's head: the log, the position, the endpoint's health. After 3 days of failures the
 * endpoint is paused (event webhook.paused), after 410 removed (webhook.deleted).
 */
struct err *webhook_report_store(struct db_tx *tx, struct webhook_report *r) MUST_USE;
/* The same for a replay, which does not touch position and health (but for 410). */
struct err *webhook_replay_store(struct db_tx *tx, struct webhook_report *r) MUST_USE;
/* A test's attempt, in the log only. */
struct err *webhook_test_store(struct db_tx *tx, const struct webhook_report *r) MUST_USE;

/* When to try again after so many failures in a row: doubling from 1 s to 4 h, a fifth more or less by chance, never earlier than asked (within 12 h). */
struct instant webhook_retry_at(struct instant now, int64_t failures, int64_t retry_after_s, uint32_t jitter);

/* ---- replays ------------------------------------------------------------------------------------------------------------------ */

struct webhook_range {
	struct webhook_key key;
	struct instant from, to; /* from ≤ at < to */
	struct str patterns;	 /* JSON array of what is wanted */
	bool access_events;	 /* of the subscription */
};
/* Appends replays of the events of a time range to the endpoint's. INVALID_INPUT when there are more than WEBHOOK_REPLAY_MAX, or too large ones. */
struct err *webhook_replay_range(struct db_tx *tx, struct instant now, const struct webhook_range *r, int64_t *count) MUST_USE;
/* Appends one that has the given delivery's body and message id; the new row's id. */
struct err *webhook_replay_one(struct db_tx *tx, struct instant now, const struct webhook_key *key,
	const struct webhook_delivery *d, struct str *id) MUST_USE;

/* ---- the subscription's part ------------------------------------------------------------------------------------------------- */

/* What a new subscription is told begins behind this transaction. */
struct err *webhook_state_add(struct db_tx *tx, const struct webhook_key *key) MUST_USE;
struct err *webhook_state_remove(struct db_tx *tx, const struct webhook_key *key) MUST_USE;
/* The endpoint's jobs look at once: it has been changed, or there is something for it. */
struct err *webhook_wake(struct db_tx *tx, struct instant now, const struct webhook_key *key, bool is_failing) MUST_USE;

#endif
