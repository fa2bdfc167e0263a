/*
 * What a subscriber is told of an event: which events match its patterns, the body that is sent, and the message id that stays the same
 * however often it is sent. Pure functions of the event, so that a delivery repeated after a crash is the same delivery.
 */
#ifndef INTEGRATION_WEBHOOK_EVENT_H
#define INTEGRATION_WEBHOOK_EVENT_H

#include "codec/json.h"
#include "resource/outbox.h"

/* "*", "kpi.*", "threshold.breached": lower-case words parted by dots, a star only as the last one. */
bool webhook_pattern_is_valid(struct str pattern);
bool webhook_pattern_matches(struct str pattern, struct str type);

/*
 * Events about access: who may do what, and what goes on inside the server (docs/decisions/0057). Only a subscription that an
 * administrator set up is told of them. Of a pattern ("user.*"): it stands for nothing else, as "*" does not.
 */
bool webhook_event_is_access(struct str type);

/* The patterns of a subscription, whose JSON array was checked when it was stored. */
struct webhook_patterns {
	struct str *patterns;
	size_t count;
	bool access_events; /* of the subscription; false until its reader sets it */
};
struct err *webhook_patterns_parse(struct arena *a, struct str json, struct webhook_patterns *out) MUST_USE;
/* False for events that no subscriber is told of, those of sessions, and for those about access without access_events. */
bool webhook_patterns_match(const struct webhook_patterns *p, struct str type);

/*
 * {"type","timestamp","data"}. data holds id (of the object), object_type, object (its values after the change, null when deleted),
 * previous (its values before), actor and event_id. Secrets are in no event.
 */
struct str webhook_payload(struct arena *a, const struct outbox_event *e);
/* The body of a test: of type webhook.test, about the subscription itself. */
struct str webhook_test_payload(struct arena *a, struct str webhook_id, struct instant now);
/* "msg_" and 32 hexadecimal digits, made of the endpoint and the event's position. */
struct str webhook_message_id(
	struct arena *a, int64_t company_id, struct str webhook_id, struct outbox_position event);

#endif
