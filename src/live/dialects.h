/* What streams say of events: pure, from the event's row to the message's text. */
#ifndef LIVE_DIALECTS_H
#define LIVE_DIALECTS_H

#include "live/live.h"

/*
 * The object that an event's object belongs to ("insight 7" to "retrospective 456"): subscribers of that one hear of it too. Empty for
 * most; its texts are those of the event or constant.
 */
struct live_topic dialect_parent(const struct outbox_event *e);
/* NULL: not told on this kind of stream. One reference, the caller's. */
struct stream_message *dialect_message(enum live_dialect_id dialect, const struct outbox_event *e);

#endif
