/*
 * Live topics: who is connected hears what happens. A topic is an object ("retrospective:456"), a kind of object ("kpi:*") or all of a
 * company; a subscriber is a stream with an actor. Events come from the outbox in commit order and are handed to every subscriber whose
 * topics they touch, as its dialect spells them. A subscriber that names the last number it saw (since, Last-Event-ID) gets what was
 * missed from the event table, then the present, without a gap and without a repeat (docs/live.md, docs/decisions/0055).
 *
 * Permission is checked when a topic is subscribed and again when something that decides it changes (person, role, session, key, team,
 * assignment, the object itself) or the token expires; the stream then ends with 4401, 4403 or 4404.
 */
#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

#include "domain/iam/auth.h"
#include "net/stream.h"
#include "resource/outbox.h"
#include "resource/resource.h"

struct live;
struct live_subscriber;

#define LIVE_TOPICS_MAX 32 /* of one subscriber */

struct live_topic {
	struct str object_type; /* empty: every event of the company that the actor may see */
	struct str object_id;   /* empty: every object of the type */
};

/* "kpi:kpi-001", "kpi:*", "*"; borrows from text. False: no such syntax. */
bool live_topic_parse(struct str text, struct live_topic *out) MUST_USE;
void live_topic_write(struct buf *b, const struct live_topic *t);

/*
 * How one kind of stream speaks. write makes the message's text of an event, or leaves it empty for events that this stream does not tell.
 * It depends on the event alone, so that one text serves all subscribers of the dialect.
 */
enum live_dialect_id {
	LIVE_EVENTS,        /* {"type","timestamp","seq","object_type","object_id","data"} */
	LIVE_RETROSPECTIVE, /* contract retrospectives: {"event_type","data","timestamp","seq"}; the one topic is a retrospective */
	LIVE_DIALECT_COUNT
};

struct live_options {
	struct db *db;
	struct iam *iam;
	const struct clock *clock;
	const struct res_def *const *resources; /* NULL-terminated: what an object type is, and so who may read it */
	const char *const *others;              /* NULL-terminated: object types that are no resources; for administrators */
	int per_user;                           /* streams of one person or key; 0: LIMIT_STREAMS_PER_USER, below 0: any number */
	int workers;                            /* threads that read the database for subscribers; 0: 2 */
	int retry_ms;                           /* until a database that failed is asked again; 0: 1,000 */
};
/* UNAVAILABLE when the database can't be read. */
struct err *live_start(struct arena *a, const struct live_options *o, struct live **out) MUST_USE;
/* To be given to outbox_start; events before live_start are not told. */
struct outbox_listener live_listener(struct live *l);
/* After the streams' hub and the outbox have stopped. */
void live_stop(struct live *l);
void live_free(struct live *l);

/* Where the present stands: taken before the transaction that decides about a new stream, so that nothing after it is missed. */
struct outbox_position live_position(struct live *l);

/* ---- opening a stream --------------------------------------------------------------------------------------------------------- */

struct live_opening {
	enum live_dialect_id dialect;
	bool is_events;             /* server-sent events: no client messages, and no close codes */
	bool has_actor;             /* false: the first message brings a token, within LIMIT_STREAM_TOKEN_S */
	struct actor actor;
	struct outbox_position from;
	int refuse;                 /* enum stream_close_code with which to close at once; 0: none */
	struct str reason;          /* of refuse */
	bool has_since;
	int64_t since;              /* replay what is behind this number */
	struct live_topic topics[LIVE_TOPICS_MAX];
	size_t topic_count;
	/* found by live_check */
	struct outbox_position begin; /* what was committed up to here is the past, and not told */
	struct outbox_past past;      /* the same and more: see there; on the arena */
	bool whole[LIVE_TOPICS_MAX];
	bool scoped;
	int64_t campaign_id;
};

/*
 * Whether the actor may hear of every topic of the opening, in a read transaction. NOT_FOUND naming the topic (also for other companies'
 * objects and for kinds that there are none of), INSUFFICIENT_PERMISSIONS. Remembers in the opening what it found.
 */
struct err *live_check(struct live *l, struct res_ctx *c, struct live_opening *o) MUST_USE;
/* The same for one topic; *whole: without a look at the single object. */
struct err *live_may_hear(struct live *l, struct res_ctx *c, const struct live_topic *t, bool *whole) MUST_USE;

/* Counts the stream and makes its subscriber; the texts of the opening are copied. RATE_LIMITED: the user has too many; UNAVAILABLE: too many wait for their token. */
struct err *live_admit(struct live *l, struct arena *a, const struct live_opening *o, struct live_subscriber **out) MUST_USE;
/* For the stream's options; arg is the subscriber. */
extern const struct stream_handlers live_handlers;
/* No stream came of it. */
void live_abandon(struct live_subscriber *s);

#endif
