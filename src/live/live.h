/*
 * Live topics: who is connected hears what happens. A topic is an object ("retrospective 456"), a kind of object ("kpi *") or all of a company;
 * a subscriber is a stream with an actor. Events come from the outbox in commit order and are handed to every subscriber whose topics they
 * touch, each as its contract spells it. A subscriber that names the last number it saw (since, Last-Event-ID) gets what was missed from
 * the event table, then the present, without a gap and without a repeat.
 *
 * Permission is checked when a topic is subscribed and again when something that decides it changes (role, person, session, assignment) or
 * the token expires: the stream then ends with 4401 or 4403.
 */
#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

#include "net/stream.h"
#include "resource/outbox.h"
#include "resource/resource.h"

struct live;
struct live_subscriber;

struct live_topic {
	struct str object_type; /* empty: every event of the company that the actor may see */
	struct str object_id;   /* empty: every object of the type */
};
#define LIVE_TOPICS_MAX 32 /* of one subscriber */

/*
 * How one kind of stream speaks. write makes the message's text of an event, or leaves it empty for events that this stream does not tell.
 * It must depend on the event alone, so that one text serves all subscribers of the dialect.
 */
struct live_dialect {
	const char *name;
	void (*write)(struct arena *a, const struct outbox_event *e, struct buf *text, struct str *event_name);
};

/* Whether the actor may hear of the object: in a read transaction, asked at subscription and after changes that may decide it. */
typedef struct err *live_may_hear(struct res_ctx *c, const struct live_topic *t, bool *out);

#endif
