/*
 * One round of a worker for one subscriber: what was to be asked (copied under the lock), what the database said (round_read, in one
 * read transaction and without the lock), what follows (catch_up.c, under the lock again).
 */
#ifndef LIVE_ROUND_H
#define LIVE_ROUND_H

#include "live/live_parts.h"

#define ROUND_EVENTS 200 /* of a page of the event table */

struct round_topic {
	struct live_topic name;
	bool whole, implied;
	int lost; /* enum stream_close_code; 0: it may go on */
};

struct round_request {
	struct subscribe_request *asked;
	struct err *refused;
	bool whole;
};

struct round_decision {
	struct live_topic object;
	enum decision decision;
};

struct round {
	struct live *live;
	struct live_subscriber *subscriber; /* for its address alone */
	/* what is to be asked */
	enum live_dialect_id dialect;
	struct str token;      /* of the first message; then only who sent it is asked */
	struct live_topic first;
	struct actor actor;
	bool recheck, replay, page, has_object;
	int64_t since;
	struct outbox_position position, checked;
	struct outbox_position at; /* the newest event known before the transaction, or read in it */
	struct live_topic object;
	struct round_topic topics[LIVE_TOPICS_MAX];
	size_t topic_count;
	struct round_request *requests;
	size_t request_count;
	/* what was said */
	bool valid, scoped, since_found;
	struct live_opening opening; /* of the token */
	struct err *refused;         /* likewise */
	struct outbox_past past;     /* for new topics, and for all when the number was unknown */
	struct live_event **events;
	size_t event_count;
	struct round_decision *decisions;
	size_t decision_count;
};

/* db_work: arg is the round. */
struct err *round_read(struct db_tx *tx, void *arg);
/* Gives the events back that nobody took. */
void round_drop_events(struct round *r);

#endif
