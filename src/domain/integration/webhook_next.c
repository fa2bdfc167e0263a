/*
 * What an endpoint is to be told next, from its position in the event table. Nothing is written here: a delivery's id and body follow
 * from the event.
 */
#include "domain/integration/webhook_delivery.h"
#include "domain/integration/webhook_event.h"
#include "domain/integration/webhook_sql.h"

#define EVENTS_AT_ONCE 50
#define ROUNDS_MAX     20 /* then others may have the connection */

static struct err *
patterns_read(struct db_tx *tx, const struct db_rows *r, struct webhook_patterns *out)
{
	return webhook_patterns_parse(db_tx_arena(tx), db_text_copy(r, 1), out);
}

static struct err *
endpoint_read(struct db_tx *tx, const struct webhook_key *key, struct webhook_next *out,
	struct webhook_patterns *patterns)
{
	struct webhook_next n = { 0 };
	struct db_rows r;
	bool found;

	TRY(DB_FIND(tx, &sql_webhook_next, &r, &found, P_INT(key->company_id), P_TEXT(key->webhook_id)));
	n.is_active = found && str_eq(db_text(&r, 3), STR("active"));
	if (found) {
		n.target.url = db_text_copy(&r, 0);
		n.target.secret = db_text_copy(&r, 2);
		n.is_failing = db_int(&r, 4) > 0;
		n.next_attempt_at.us = db_int(&r, 5);
		n.position = (struct outbox_position){ .txid = db_int(&r, 6), .seq = db_int(&r, 7) };
		n.target.old_secret = db_text_copy(&r, 8);
		n.target.old_secret_until.us = db_int(&r, 9);
		n.seen = n.position;
		n.access_events = db_int(&r, 10);
		TRY(patterns_read(tx, &r, patterns));
		patterns->access_events = n.access_events;
	}
	*out = n;
	return NULL;
}

struct err *
webhook_target_read(struct db_tx *tx, const struct webhook_key *key, struct webhook_target *out)
{
	struct webhook_patterns patterns = { 0 };
	struct webhook_next n;

	TRY(endpoint_read(tx, key, &n, &patterns));
	if (!n.target.url.n)
		return err_word(err_new(db_tx_arena(tx), ERR_NOT_FOUND, ""), webhook_res.not_found);
	*out = n.target;
	return NULL;
}

void
webhook_next_copy(struct arena *a, struct webhook_next *n)
{
	struct str *const texts[] = { &n->target.url, &n->target.secret, &n->target.old_secret,
		&n->message.delivery_id, &n->message.message_id, &n->message.event_type, &n->message.body };

	for (size_t i = 0; i < COUNT(texts); i++)
		*texts[i] = arena_str(a, *texts[i]);
}

static void
message_of(
	struct arena *a, const struct webhook_key *key, const struct outbox_event *e, struct webhook_next *n)
{
	struct str id = webhook_message_id(a, key->company_id, key->webhook_id, e->position);

	n->has_message = true;
	n->event = e->position;
	n->message = (struct webhook_message){ .delivery_id = id,
		.message_id = id,
		.event_type = e->type,
		.body = webhook_payload(a, e),
		.event_id = e->position.seq,
		.reason = WEBHOOK_REASON_EVENT };
}

static struct err *
look_through(struct db_tx *tx, const struct webhook_key *key, const struct webhook_patterns *patterns,
	struct webhook_next *n)
{
	const struct outbox_filter of_company = { .company_id = key->company_id };
	struct outbox_event *e;
	size_t count;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		struct arena_mark m = arena_mark(db_tx_arena(tx));
		TRY(outbox_read(tx, &of_company, n->seen, EVENTS_AT_ONCE, &e, &count));
		n->reached_end = count == 0;
		for (size_t i = 0; i < count; i++) {
			if (webhook_patterns_match(patterns, e[i].type)) {
				message_of(db_tx_arena(tx), key, &e[i], n);
				return NULL;
			}
			n->seen = e[i].position;
		}
		if (n->reached_end)
			return NULL;
		arena_release(db_tx_arena(tx), m);
	}
	return NULL;
}

struct err *
webhook_next_read(struct db_tx *tx, const struct webhook_key *key, struct webhook_next *out)
{
	struct webhook_patterns patterns = { 0 };

	TRY(endpoint_read(tx, key, out, &patterns));
	return out->is_active ? look_through(tx, key, &patterns, out) : NULL;
}

struct err *
webhook_next_replay_read(struct db_tx *tx, const struct webhook_key *key, struct webhook_next *out)
{
	struct webhook_patterns patterns = { 0 };
	struct db_rows r;
	bool found;

	TRY(endpoint_read(tx, key, out, &patterns));
	if (!out->is_active)
		return NULL;
	TRY(DB_FIND(tx, &sql_webhook_replay_next, &r, &found, P_INT(key->company_id), P_TEXT(key->webhook_id),
		P_INT(out->access_events)));
	out->has_message = found;
	out->reached_end = !found;
	if (!found)
		return NULL;
	out->message = (struct webhook_message){ .delivery_id = db_text_copy(&r, 0),
		.message_id = db_text_copy(&r, 1),
		.event_id = db_int(&r, 2),
		.event_type = db_text_copy(&r, 3),
		.body = db_text_copy(&r, 4),
		.reason = WEBHOOK_REASON_REPLAY };
	out->tries = db_int(&r, 5);
	out->next_attempt_at.us = db_int(&r, 6);
	return NULL;
}
