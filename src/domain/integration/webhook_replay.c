/*
 * Replays: deliveries made again on request, in rows of the log that wait in order for a job of their own. They carry the message id of
 * the event's first delivery, so that a receiver that has it can pass over them.
 */
#include "base/limits.h"
#include "base/random.h"
#include "domain/integration/webhook_delivery.h"
#include "domain/integration/webhook_event.h"
#include "domain/integration/webhook_sql.h"
#include "queue/job.h"

#define EVENTS_AT_ONCE 100
#define LOOKED_AT_MAX  100000 /* events of a range: a request must end */
#define ID_BYTES       18
/* Events are as large as request bodies: so much of a request's memory, and one more event fits beside it. */
#define MEMORY_MAX (LIMIT_REQUEST_ARENA_BYTES / 8 * 3)

static struct err *
add(struct db_tx *tx, struct instant now, const struct webhook_key *key, const struct webhook_message *m,
	struct str *id)
{
	struct str made =
		arena_fmt(db_tx_arena(tx), "rpl_%.*s", STR_ARG(random_token(db_tx_arena(tx), ID_BYTES)));
	struct db_rows r;
	int64_t number;
	bool found;

	TRY(db_next_id(tx, "webhook_delivery", &number));
	TRY(DB_FIND(tx, &sql_webhook_delivery_put, &r, &found, P_INT(key->company_id), P_TEXT(made),
		P_TEXT(m->message_id), P_TEXT(key->webhook_id), P_INT(number),
		m->event_id ? P_INT(m->event_id) : P_NULL, P_TEXT(m->event_type),
		P_INT(webhook_event_is_access(m->event_type)), P_TEXT(STR("replay")), P_TEXT(STR("pending")),
		P_TEXT(m->body), P_INT(0), P_INSTANT(now), P_NULL, P_NULL));
	*id = made;
	return NULL;
}

static struct err *
wake(struct db_tx *tx, struct instant now, const struct webhook_key *key)
{
	struct job_request q = {
		.company_id = key->company_id, .kind = WEBHOOK_REPLAY_JOB, .key = key->webhook_id
	};

	return job_enqueue(tx, now, &q, NULL);
}

struct err *
webhook_replay_one(struct db_tx *tx, struct instant now, const struct webhook_key *key,
	const struct webhook_delivery *d, struct str *id)
{
	struct webhook_message m = { .message_id = d->message_id,
		.event_type = d->event_type,
		.body = d->payload,
		.event_id = d->event_id };

	TRY(add(tx, now, key, &m, id));
	return wake(tx, now, key);
}

/* ---- a time range ----------------------------------------------------------------------------------------------------------- */

static struct err *
add_event(struct db_tx *tx, struct instant now, const struct webhook_key *key, const struct outbox_event *e)
{
	struct arena *a = db_tx_arena(tx);
	struct webhook_message m = {
		.message_id = webhook_message_id(a, key->company_id, key->webhook_id, e->position),
		.event_type = e->type,
		.body = webhook_payload(a, e),
		.event_id = e->position.seq,
	};
	struct str id;

	return add(tx, now, key, &m, &id);
}

static struct err *
too_many(struct arena *a)
{
	return err_field(
		a, "to", "The range holds more than %d events; take a smaller one.", WEBHOOK_REPLAY_MAX);
}

static struct err *
too_large(struct arena *a)
{
	return err_field(
		a, "to", "The events of the range are too large to be sent together; take a smaller one.");
}

struct err *
webhook_replay_range(struct db_tx *tx, struct instant now, const struct webhook_range *r, int64_t *count)
{
	struct outbox_filter f = { .company_id = r->key.company_id, .from = r->from, .to = r->to };
	struct arena *a = db_tx_arena(tx);
	struct outbox_position after = { 0 };
	struct webhook_patterns patterns;
	struct outbox_event *e;
	size_t n, looked_at = 0;
	int64_t made = 0;

	TRY(webhook_patterns_parse(a, r->patterns, &patterns));
	patterns.access_events = r->access_events;
	do {
		struct arena_mark m = arena_mark(a);
		int64_t before = made;
		TRY(outbox_read(tx, &f, after, EVENTS_AT_ONCE, &e, &n));
		for (size_t i = 0; i < n; i++) {
			after = e[i].position;
			if (!webhook_patterns_match(&patterns, e[i].type))
				continue;
			if (++made > WEBHOOK_REPLAY_MAX)
				return too_many(a);
			if (made > 1 && arena_used(a) > MEMORY_MAX)
				return too_large(a);
			TRY(add_event(tx, now, &r->key, &e[i]));
		}
		looked_at += n;
		if (made == before) /* otherwise a statement of ours still holds its row there */
			arena_release(a, m);
	} while (n > 0 && looked_at < LOOKED_AT_MAX);
	if (n > 0)
		return too_many(a);
	*count = made;
	return made ? wake(tx, now, &r->key) : NULL;
}
