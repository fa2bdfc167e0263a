/*
 * Reading events after commit, in order, each exactly once a reader: the outbox side of the event table (docs/decisions/0020). A position is
 * the pair (txid, seq); whoever keeps it durably can go on after a crash. The reader of this process follows the table in one thread and
 * hands every event to its listeners in memory, which is what streams, webhooks and caches live on.
 */
#ifndef RESOURCE_OUTBOX_H
#define RESOURCE_OUTBOX_H

#include "db/db.h"

struct outbox_position {
	int64_t txid, seq;
};
static inline int
outbox_compare(struct outbox_position a, struct outbox_position b)
{
	return a.txid != b.txid ? (a.txid < b.txid ? -1 : 1) : a.seq != b.seq ? (a.seq < b.seq ? -1 : 1) : 0;
}

struct outbox_event {
	struct outbox_position position;
	int64_t company_id;
	struct str type, object_type, object_id;
	int64_t actor_id; /* 0: the server itself */
	struct str actor_name, request_id;
	struct instant at;
	struct str old_values, new_values; /* JSON texts, or empty */
};

/* What is read: all fields that are set must agree. */
struct outbox_filter {
	int64_t company_id; /* 0: every company */
	struct str object_type, object_id;
	struct instant from, to; /* from ≤ at < to; 0: open */
};
/*
 * Up to max committed events behind a position, in order; on the transaction's arena. What an older running transaction may still come
 * before is left for the next time. Fewer than max are no sign of the end (large events come in smaller parts), none is.
 */
struct err *outbox_read(struct db_tx *tx, const struct outbox_filter *f, struct outbox_position after, size_t max,
	struct outbox_event **out, size_t *count) MUST_USE;
/* The position of the newest event that may be read, zeros without any. */
struct err *outbox_end(struct db_tx *tx, struct outbox_position *out) MUST_USE;
/* The position of one event of a company by its number, as clients name it (since, Last-Event-ID); *found false when it is gone or never was. */
struct err *outbox_find(struct db_tx *tx, int64_t company_id, int64_t seq, struct outbox_position *out, bool *found) MUST_USE;
/*
 * What had been committed at a moment. On PostgreSQL that is more than what is up to the end of that moment: events behind it wait for an
 * older transaction that is still running, and whoever begins then has not missed them.
 */
struct outbox_past {
	struct outbox_position end; /* as outbox_end */
	int64_t next;	  /* transactions from here on had not begun */
	int64_t *running; /* of those before */
	size_t running_count;
};
/* Of the transaction's snapshot; running on its arena. */
struct err *outbox_past_read(struct db_tx *tx, struct outbox_past *out) MUST_USE;
static inline bool
outbox_is_past(const struct outbox_past *p, struct outbox_position at)
{
	if (outbox_compare(at, p->end) <= 0)
		return true;
	if (at.txid >= p->next)
		return false;
	for (size_t i = 0; i < p->running_count; i++)
		if (p->running[i] == at.txid)
			return false;
	return true;
}
/* Whether committed events stand behind older transactions that are open, where outbox_read does not look. */
struct err *outbox_is_held_back(struct db_tx *tx, bool *held_back) MUST_USE;

/* ---- following ------------------------------------------------------------------------------------------------------------------ */

struct outbox; /* the reader of this process */

struct outbox_listener {
	/* On the reader's thread, in order. Events borrow; must not wait for anything. */
	void (*events)(void *arg, const struct outbox_event *e, size_t count);
	void *arg;
};
/*
 * Begins at the present end. After a failure it waits a second and goes on from its position. Other nodes' events move the epochs of their companies (db_epoch_move) before listeners see them.
 * UNAVAILABLE when the database can't be reached at the start.
 */
struct err *outbox_start(struct arena *a, struct db *db, const struct outbox_listener *listeners, size_t count,
	struct outbox **out) MUST_USE;
void outbox_stop(struct outbox *o);

#endif
