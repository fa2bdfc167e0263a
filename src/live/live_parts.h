/*
 * What the files of this room share; nobody outside includes it. One lock guards everything that is not marked otherwise. The room's
 * threads and what they may do under it: the dispatcher hands out events, the workers read the database (never under the lock), the
 * streams' hub opens and closes. stream_send and stream_close are called under the lock, because they only put something into a queue.
 */
#ifndef LIVE_LIVE_PARTS_H
#define LIVE_LIVE_PARTS_H

#include "base/limits.h"
#include "base/log.h"
#include "live/live.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- events in memory (recent.c) ------------------------------------------------------------------------------------------------ */

/* Who has to be asked again because of an event. */
enum live_gate {
	GATE_NONE,
	GATE_SESSION,   /* the streams of one session */
	GATE_KEY,       /* those of one API key */
	GATE_PERSON,    /* those of one person, and all whose scope depends on people */
	GATE_RELATIONS, /* all whose scope depends on teams and assignments */
	GATE_COMPANY    /* all of the company */
};

struct live_event {
	int refs;
	struct outbox_event e; /* its texts stand behind this */
	struct live_topic self, parent; /* parent: the object that it belongs to; empty type: none */
	enum live_gate gate;
	int64_t gate_id; /* session, key or person */
	bool is_change, is_deletion; /* of the object itself */
	size_t bytes;
	bool written[LIVE_DIALECT_COUNT];
	struct stream_message *messages[LIVE_DIALECT_COUNT]; /* NULL where the dialect does not tell it */
};

/* Copies an event; one reference. */
struct live_event *live_event_new(const struct outbox_event *e);
void live_event_drop(struct live_event *e);
/* The message of a dialect, made on first use; borrowed from the event. */
struct stream_message *live_event_message(struct live_event *e, enum live_dialect_id dialect);

/* The newest events in order. Those before `told` have been handed to everyone; the rest wait for the dispatcher. */
#define RECENT_EVENTS_MAX 4096       /* a power of two */
#define RECENT_BYTES_MAX  (32u << 20)
struct recent {
	struct live_event *at[RECENT_EVENTS_MAX];
	uint64_t first, told, end; /* rising numbers; the place is the number modulo the size */
	size_t bytes;
	struct outbox_position before; /* everything behind this position is here */
};
/* Takes the reference over. False when `told` events had to go untold: the dispatcher is too far behind. */
bool recent_add(struct recent *r, struct live_event *e);
struct live_event *recent_get(const struct recent *r, uint64_t number);
/* Number of the first event behind a position; false when older ones are needed that are not here. */
bool recent_find(const struct recent *r, struct outbox_position after, uint64_t *number);
void recent_clear(struct recent *r);

/* ---- topics (topics.c) ------------------------------------------------------------------------------------------------------------ */

struct subscription {
	struct topic *topic;
	struct live_subscriber *subscriber;
	uint32_t slot;  /* among the topic's members */
	bool whole;     /* what it matches need not be asked for one by one */
	bool implied;   /* stands and falls with the first one */
	struct outbox_past past; /* is not told: it was there when this was made. running is its own */
};
struct topic {
	struct topic *next; /* of its bucket */
	uint64_t hash;
	int64_t company_id;
	struct live_topic name;
	struct subscription **members;
	uint32_t count, cap;
};
struct topics {
	struct topic **buckets;
	size_t mask, count;
};
void topics_init(struct topics *t);
void topics_done(struct topics *t);
/* NULL when nobody has subscribed to it. */
struct topic *topics_find(const struct topics *t, int64_t company_id, const struct live_topic *name);
struct subscription *topics_join(struct topics *t, int64_t company_id, const struct live_topic *name, struct live_subscriber *s);
void topics_leave(struct topics *t, struct subscription *x);

/* ---- what was decided about objects (decisions.c) --------------------------------------------------------------------------------- */

enum decision { DECISION_UNKNOWN, DECISION_YES, DECISION_NO };
struct decision_entry;
struct decisions {
	struct decision_entry **buckets;
	size_t count, mask;
};
#define DECISIONS_MAX 2048 /* of one subscriber; more are forgotten and asked anew */
void decisions_done(struct decisions *d);
/* Of the object or of its whole type; of the object only when it was made with what was committed at a position (zeros: any). */
enum decision decisions_find(const struct decisions *d, const struct live_topic *object, struct outbox_position at);
/* at: everything up to here was committed when it was decided. An empty object_id: the whole type. */
void decisions_put(struct decisions *d, const struct live_topic *object, enum decision decision, struct outbox_position at);

/* ---- subscribers ------------------------------------------------------------------------------------------------------------------ */

enum subscriber_state {
	SUBSCRIBER_WAITING, /* for its token */
	SUBSCRIBER_BEHIND,  /* a worker brings it up to the present */
	SUBSCRIBER_LIVE,    /* the dispatcher tells it */
	SUBSCRIBER_ENDED
};

struct subscribe_request {
	struct subscribe_request *next;
	bool is_end;          /* unsubscribe */
	bool has_since;
	int64_t since;
	struct live_topic topic; /* its texts stand behind this */
};

struct live_subscriber {
	struct live *live;
	struct live_subscriber *next, **link; /* of the company's list */
	struct live_subscriber *next_work;
	int refs;
	struct stream *stream;   /* NULL before opened and after closed */
	enum subscriber_state state;
	enum live_dialect_id dialect;
	bool is_events;
	bool queued;             /* in the workers' queue */
	bool in_hands;           /* of a worker */
	bool again;              /* something came in the meantime */
	bool recheck;            /* who it is and what it may hear must be asked again before anything is told */
	bool scoped;             /* what it may hear depends on people, teams or assignments */
	bool has_since;          /* a replay has been asked for and not begun */
	bool counted;            /* among its user's streams */
	bool present;            /* told to the presence */
	int64_t since;
	int64_t due_us;          /* not before, when queued late */
	int64_t replayed, scanned; /* events told and looked at by replay */
	struct actor actor;      /* its texts are one block, actor_texts */
	char *actor_texts;
	struct outbox_position position; /* everything up to here has been considered */
	struct outbox_position checked;  /* who it is and what it may hear was asked when this was committed */
	int64_t told_seq;        /* the last one sent; 0: none yet */
	uint64_t presence_told;  /* hash of the last list sent */
	struct subscription *topics[LIVE_TOPICS_MAX];
	size_t topic_count;
	struct decisions decisions;
	struct subscribe_request *requests, **requests_end;
	size_t request_count;
	struct str token;        /* of the first message, until a worker has looked at it */
	int64_t window_us;       /* of the client's messages */
	int window_count;
	int pongs_owed;          /* to pings that came while the token was looked at */
	int64_t failing_since_us; /* nothing could be asked for it since; 0: it could */
	int refuse;              /* close with this as soon as it is open */
	struct str reason;
	struct live_topic first; /* LIVE_RETROSPECTIVE: its retrospective, for after the token; heap */
};

/* subscriber.c */
void subscriber_drop(struct live_subscriber *s);
/* Copies the actor with its texts. */
void subscriber_set_actor(struct live_subscriber *s, const struct actor *actor);
void subscriber_send(struct live_subscriber *s, struct stream_message *m);
/* Closes; nothing is told afterwards. reason is a literal. */
void subscriber_end(struct live_subscriber *s, int code, const char *reason);
/* past: what is not told, because it was there before; NULL: everything behind the subscriber's position is. */
bool subscriber_join(struct live_subscriber *s, const struct live_topic *name, const struct outbox_past *past, bool whole, bool implied);
void subscriber_leave(struct live_subscriber *s, size_t index);
/* Of all its topics, from now on. */
void subscriber_pass_over(struct live_subscriber *s, const struct outbox_past *past);
/* Its actor and topics, as they were found to be fine. */
void subscriber_take(struct live_subscriber *s, const struct live_opening *o);
/* NULL when it has none of that name. */
struct subscription *subscriber_topic(const struct live_subscriber *s, const struct live_topic *name, size_t *index);
/* One more stream of its user; false: too many. */
bool subscriber_count(struct live_subscriber *s);
int64_t live_now_us(const struct live *l);
/* Its stream is open and its actor known: deadline, presence, and what came in the meantime. */
void subscriber_begin(struct live_subscriber *s);
/* The list that a company's subscribers are in, among others. */
struct live_subscriber **live_company(struct live *l, int64_t company_id);

/* ---- telling (tell.c) ------------------------------------------------------------------------------------------------------------- */

enum told {
	TOLD_FINE,  /* sent, or passed over */
	TOLD_ASK,   /* a worker must ask first: about the object, or about everything (recheck is set then) */
	TOLD_FULL,  /* too much waits for the client already */
	TOLD_OLDER  /* what is missed is not in memory any more */
};
#define REPLAY_QUEUE_BYTES 65536 /* a replay sends no more while this much waits */
/* One event to one subscriber, whatever its state. */
enum told tell(struct live_subscriber *s, struct live_event *e);
/* What is in memory behind its position, as far as others have been told; it is LIVE when it got there. TOLD_ASK: *in_the_way, NULL for recheck alone. */
enum told tell_recent(struct live_subscriber *s, struct live_event **in_the_way);
/* Whether something was told to others that may decide about it and came behind `checked`. */
bool tell_missed_gate(const struct live_subscriber *s);
void *live_dispatcher_main(void *arg);
/* The outbox's listener. */
void live_take_events(void *arg, const struct outbox_event *e, size_t count);

/* ---- workers (work.c, catch_up.c, permission.c, commands.c) ------------------------------------------------------------------------ */

/* In turn, or when delay_ms have passed. One that a worker has in hands comes again afterwards. */
void work_add(struct live_subscriber *s);
void work_add_later(struct live_subscriber *s, int delay_ms);
void *live_worker_main(void *arg);

/* One round for a subscriber, called and left with the lock held: what is asked of the database (without it), and what follows. */
void catch_up(struct live *l, struct arena *a, struct live_subscriber *s);

struct res_ctx live_ctx(struct live *l, struct db_tx *tx, const struct actor *actor);
/* Whether the actor may hear of one event's object; no error for a mere no. *scoped is set when that depends on more than the role. */
struct err *permission_object(struct live *l, struct res_ctx *c, const struct live_topic *object, bool *yes, bool *scoped) MUST_USE;
/* Of a whole type: YES, NO, or UNKNOWN where each object has to be looked at. */
enum decision permission_type(struct live *l, struct res_ctx *c, struct str object_type);
/* The campaign of a retrospective that the actor may read; a retrospective stays with its campaign. */
struct err *permission_campaign(struct live *l, struct res_ctx *c, struct str retrospective_id, int64_t *campaign_id) MUST_USE;

/* On the hub's thread: a message of the client. */
void command_take(struct live_subscriber *s, struct str text);
/* Those that came before it was known who asks. */
void command_answer_pings(struct live_subscriber *s);
/* {"event_type"|"type": kind, "data": …} of things that are no events. data: JSON text. One reference, the caller's. */
struct stream_message *command_message(const struct live_subscriber *s, const char *kind, struct str data);

/* ---- presence (presence.c) --------------------------------------------------------------------------------------------------------- */

struct presence;
struct presence *presence_new(struct live *l);
void presence_free(struct presence *p);
void presence_start(struct presence *p);
void presence_stop(struct presence *p);
/* A stream of a person is now on an object, or no longer. */
void presence_enter(struct presence *p, struct live_subscriber *s);
void presence_leave(struct presence *p, struct live_subscriber *s);

/* ---- the room --------------------------------------------------------------------------------------------------------------------- */

#define COMPANY_BUCKETS 256
#define USER_BUCKETS    4096

struct user_count {
	struct user_count *next;
	int64_t company_id, person_id, api_key_id;
	int streams;
};

struct live {
	struct live_options options;
	const struct res_plans *plans;
	pthread_mutex_t lock;
	pthread_cond_t events_come, work_comes;
	bool stopping;
	bool failing;                  /* the database; said so in the log */
	int64_t away_until_us;         /* it is not asked before */
	struct recent recent;
	struct outbox_position head;   /* of the last event handed out */
	struct outbox_position newest; /* of the last one that came */
	struct topics topics;
	struct live_subscriber *companies[COMPANY_BUCKETS];
	struct user_count *users[USER_BUCKETS];
	int64_t subscribers, waiting, told, replayed, rechecked;
	struct live_subscriber *work_first, **work_end; /* in order of their coming, late ones among them */
	pthread_t dispatcher, *workers;
	int worker_count;
	struct presence *presence;
};

#endif
