/*
 * What came of an attempt, in one transaction: the log, the position, the endpoint's health, and what follows from it. The subscription's
 * row is locked first, and a position that has moved meanwhile means that another one has delivered: then nothing is stored.
 */
#include "domain/integration/webhook_delivery.h"
#include "codec/json.h"
#include "domain/integration/webhook_event.h"
#include "domain/integration/webhook_sql.h"
#include "domain/notice/notice.h"
#include "queue/job.h"

#define FIRST_RETRY_US	 INSTANT_SECOND
#define LONGEST_RETRY_US (4 * 3600 * INSTANT_SECOND)
#define ASKED_MAX_S	 43200
#define DOUBLINGS_MAX	 20
#define STATUS_GONE	 410

struct instant
webhook_retry_at(struct instant now, int64_t failures, int64_t retry_after_s, uint32_t jitter)
{
	int64_t doublings = failures < 1 ? 0 : failures > DOUBLINGS_MAX ? DOUBLINGS_MAX : failures - 1;
	int64_t wait_us = FIRST_RETRY_US << doublings;
	int64_t asked_us = (retry_after_s < ASKED_MAX_S ? retry_after_s : ASKED_MAX_S) * INSTANT_SECOND;

	if (wait_us > LONGEST_RETRY_US)
		wait_us = LONGEST_RETRY_US;
	wait_us = wait_us / 5 * 4 + (int64_t)(jitter % 1000) * (wait_us / 5 * 2) / 1000;
	return (struct instant){ now.us + (asked_us > wait_us ? asked_us : wait_us) };
}

/* ---- the log ---------------------------------------------------------------------------------------------------------------- */

static struct db_param
text_or_null(struct str s)
{
	return s.n ? P_TEXT(s) : P_NULL;
}

static struct db_param
instant_or_null(struct instant t)
{
	return t.us ? P_INSTANT(t) : P_NULL;
}

struct log_row {
	const struct webhook_key *key;
	const struct webhook_message *message;
	enum webhook_delivery_state state;
	struct instant at, next_at; /* 0: never */
	int attempts;		    /* that are added */
};

static struct err *
log_put(struct db_tx *tx, const struct log_row *l, int64_t *attempts)
{
	const struct webhook_message *m = l->message;
	struct db_rows r;
	int64_t number;
	bool found;

	TRY(db_next_id(tx, "webhook_delivery", &number));
	TRY(DB_FIND(tx, &sql_webhook_delivery_put, &r, &found, P_INT(l->key->company_id),
		P_TEXT(m->delivery_id), P_TEXT(m->message_id), P_TEXT(l->key->webhook_id), P_INT(number),
		m->event_id ? P_INT(m->event_id) : P_NULL, P_TEXT(m->event_type),
		P_INT(webhook_event_is_access(m->event_type)),
		P_TEXT(str_from_cstr(webhook_delivery_reasons[m->reason])),
		P_TEXT(str_from_cstr(webhook_delivery_states[l->state])), P_TEXT(m->body), P_INT(l->attempts),
		P_INSTANT(l->at), l->state == WEBHOOK_DELIVERED ? P_INSTANT(l->at) : P_NULL,
		instant_or_null(l->next_at)));
	*attempts = found ? db_int(&r, 0) : 0;
	return NULL;
}

static struct err *
attempt_put(struct db_tx *tx, const struct webhook_report *r, enum webhook_delivery_state state)
{
	const struct webhook_attempt *t = r->attempt;
	const struct webhook_message *m = &r->next->message;
	struct log_row l = { .key = &r->key,
		.message = m,
		.state = state,
		.at = t->at,
		.next_at = state == WEBHOOK_PENDING ? r->retry_at : (struct instant){ 0 },
		.attempts = 1 };
	int64_t number;

	TRY(log_put(tx, &l, &number));
	return DB_EXEC(tx, &sql_webhook_attempt_add, P_INT(r->key.company_id), P_TEXT(m->delivery_id),
		P_INT(number), P_INSTANT(t->at), P_INT(t->duration_us), P_TEXT(t->url),
		text_or_null(t->address), P_TEXT(t->request_headers), t->status ? P_INT(t->status) : P_NULL,
		text_or_null(t->fault), text_or_null(t->answer));
}

/* The subscription as it is held for the change. */
struct locked {
	bool is_there, is_active;
	int64_t failures;
	struct instant failing_since;
	struct str url;
	int64_t owner_id; /* who made it; 0: nobody is known */
	struct outbox_position position;
};

/* ---- events of the server itself -------------------------------------------------------------------------------------------- */

/* As an event, and by mail to who made it: nobody may be listening any more. */
static struct err *
tell(struct db_tx *tx, const struct webhook_report *r, const char *type, const struct locked *l,
	struct str reason)
{
	struct arena *a = db_tx_arena(tx);
	struct actor system = {
		.kind = ACTOR_SYSTEM, .company_id = r->key.company_id, .username = STR("system")
	};
	struct res_ctx c = { .arena = a, .tx = tx, .actor = &system, .now = r->attempt->at };
	struct json_out o;
	struct buf b;

	buf_init_arena(&b, a, 1u << 14);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "id", r->key.webhook_id);
	json_pair_str(&o, "url", l->url);
	json_pair_str(&o, "reason", reason);
	if (l->owner_id)
		json_pair_int(&o, "owner_id", l->owner_id);
	json_end_object(&o);
	const struct notice notice = { type, r->key.webhook_id, buf_str(&b) };
	TRY(notice_put(&c, &notice));
	return event_add(
		&c, str_from_cstr(type), webhook_res.name, r->key.webhook_id, STR(""), notice.details);
}

static struct err *
pause(struct db_tx *tx, struct webhook_report *r, const struct locked *l)
{
	struct arena *a = db_tx_arena(tx);
	struct str result = r->attempt->fault;
	struct str reason =
		arena_fmt(a, "No delivery has succeeded for %d days; the last attempt ended with %.*s.",
			WEBHOOK_GIVE_UP_S / 86400, STR_ARG(result));

	r->outcome = WEBHOOK_STOPPED;
	TRY(DB_EXEC(tx, &sql_webhook_pause, P_INT(r->key.company_id), P_TEXT(r->key.webhook_id),
		P_TEXT(reason), P_INSTANT(r->attempt->at)));
	return tell(tx, r, "webhook.paused", l, reason);
}

static struct err *
remove_gone(struct db_tx *tx, struct webhook_report *r, const struct locked *l)
{
	r->outcome = WEBHOOK_STOPPED;
	TRY(DB_EXEC(tx, &sql_webhook_remove, P_INT(r->key.company_id), P_TEXT(r->key.webhook_id)));
	TRY(webhook_state_remove(tx, &r->key));
	return tell(tx, r, "webhook.deleted", l, STR("The endpoint answered 410 Gone."));
}

/* ---- reports ---------------------------------------------------------------------------------------------------------------- */

static struct err *
lock(struct db_tx *tx, const struct webhook_key *key, struct locked *out)
{
	struct db_rows r;
	struct locked l = { 0 };

	TRY(DB_FIND(tx, &sql_webhook_lock, &r, &l.is_there, P_INT(key->company_id), P_TEXT(key->webhook_id)));
	if (l.is_there) {
		l.is_active = str_eq(db_text(&r, 0), STR("active"));
		l.failures = db_int(&r, 1);
		l.failing_since.us = db_int(&r, 2);
		l.url = db_text_copy(&r, 3);
		l.position = (struct outbox_position){ .txid = db_int(&r, 4), .seq = db_int(&r, 5) };
		l.owner_id = db_int(&r, 6);
	}
	*out = l;
	return NULL;
}

/* "200", or the fault. */
static struct str
result_of(struct arena *a, const struct webhook_attempt *t)
{
	return t->fault.n ? t->fault : arena_fmt(a, "%d", t->status);
}

static struct err *
health_put(struct db_tx *tx, const struct webhook_report *r, const struct locked *l)
{
	bool failed = r->attempt->fault.n;
	struct instant since = l->failing_since.us ? l->failing_since : r->attempt->at;

	/* Shown with the subscription, so that answers about it are stale. */
	db_tx_touch(tx, r->key.company_id);
	return DB_EXEC(tx, &sql_webhook_health_put, P_INT(r->key.company_id), P_TEXT(r->key.webhook_id),
		failed ? P_INSTANT(since) : P_NULL, P_INT(failed ? l->failures + 1 : 0),
		failed ? P_INSTANT(r->retry_at) : P_NULL, P_INSTANT(r->attempt->at),
		P_TEXT(result_of(db_tx_arena(tx), r->attempt)));
}

static struct err *
delivered(struct db_tx *tx, struct webhook_report *r)
{
	const struct webhook_next *n = r->next;

	r->outcome = WEBHOOK_GOES_ON;
	return DB_EXEC(tx, &sql_webhook_position_put, P_INT(r->key.company_id), P_TEXT(r->key.webhook_id),
		P_INT(n->event.txid), P_INT(n->event.seq), P_INT(n->position.txid), P_INT(n->position.seq));
}

static struct err *
failed(struct db_tx *tx, struct webhook_report *r, const struct locked *l)
{
	struct instant since = l->failing_since.us ? l->failing_since : r->attempt->at;

	r->outcome = WEBHOOK_WAITS;
	if (r->attempt->status == STATUS_GONE)
		return remove_gone(tx, r, l);
	if (r->attempt->at.us - since.us >= WEBHOOK_GIVE_UP_S * INSTANT_SECOND)
		return pause(tx, r, l);
	return NULL;
}

struct err *
webhook_report_store(struct db_tx *tx, struct webhook_report *r)
{
	const struct webhook_attempt *t = r->attempt;
	struct locked l;

	r->outcome = WEBHOOK_STOPPED;
	TRY(lock(tx, &r->key, &l));
	if (!l.is_there || outbox_compare(l.position, r->next->position) != 0)
		return NULL;
	r->was_failing = l.failures > 0;
	r->retry_at = webhook_retry_at(t->at, l.failures + 1, t->retry_after_s, r->jitter);
	TRY(attempt_put(tx, r, t->fault.n ? WEBHOOK_PENDING : WEBHOOK_DELIVERED));
	TRY(health_put(tx, r, &l));
	TRY(t->fault.n ? failed(tx, r, &l) : delivered(tx, r));
	if (!l.is_active)
		r->outcome = WEBHOOK_STOPPED;
	return NULL;
}

struct err *
webhook_replay_store(struct db_tx *tx, struct webhook_report *r)
{
	const struct webhook_attempt *t = r->attempt;
	bool last_try = r->next->tries + 1 >= WEBHOOK_REPLAY_TRIES;
	struct locked l;

	r->outcome = WEBHOOK_STOPPED;
	TRY(lock(tx, &r->key, &l));
	if (!l.is_there)
		return NULL;
	r->retry_at = webhook_retry_at(t->at, r->next->tries + 1, t->retry_after_s, r->jitter);
	TRY(attempt_put(tx, r,
		!t->fault.n ? WEBHOOK_DELIVERED
		: last_try  ? WEBHOOK_FAILED
			    : WEBHOOK_PENDING));
	r->outcome = t->fault.n && !last_try ? WEBHOOK_WAITS : WEBHOOK_GOES_ON;
	return t->status == STATUS_GONE ? remove_gone(tx, r, &l) : NULL;
}

struct err *
webhook_test_store(struct db_tx *tx, const struct webhook_report *r)
{
	return attempt_put(tx, r, r->attempt->fault.n ? WEBHOOK_FAILED : WEBHOOK_DELIVERED);
}

struct err *
webhook_skip_store(struct db_tx *tx, const struct webhook_key *key, const struct webhook_next *next)
{
	return DB_EXEC(tx, &sql_webhook_position_put, P_INT(key->company_id), P_TEXT(key->webhook_id),
		P_INT(next->seen.txid), P_INT(next->seen.seq), P_INT(next->position.txid),
		P_INT(next->position.seq));
}

/* ---- the subscription's part ------------------------------------------------------------------------------------------------ */

struct err *
webhook_state_add(struct db_tx *tx, const struct webhook_key *key)
{
	return DB_EXEC(tx, &sql_webhook_state_add, P_INT(key->company_id), P_TEXT(key->webhook_id));
}

struct err *
webhook_state_remove(struct db_tx *tx, const struct webhook_key *key)
{
	return DB_EXEC(tx, &sql_webhook_state_remove, P_INT(key->company_id), P_TEXT(key->webhook_id));
}

struct err *
webhook_wake(struct db_tx *tx, struct instant now, const struct webhook_key *key, bool is_failing)
{
	struct job_request q = { .company_id = key->company_id,
		.kind = is_failing ? WEBHOOK_RETRY_JOB : WEBHOOK_DELIVER_JOB,
		.key = key->webhook_id };

	return job_enqueue(tx, now, &q, NULL);
}
