/*
 * Webhook subscriptions: which events a company wants to be told, and where. The secret is sealed before it is stored and never shown
 * again. Delivery (webhook_delivery.h) reads the event table; here is what is subscribed, and how the endpoint is doing.
 */
#ifndef INTEGRATION_WEBHOOK_H
#define INTEGRATION_WEBHOOK_H

#include "resource/resource.h"

enum webhook_status { WEBHOOK_ACTIVE, WEBHOOK_PAUSED };

struct webhook {
	struct res_row row;
	struct str id;
	struct str url;
	struct str events; /* JSON array of event types; "kpi.*" and "*" stand for several */
	struct str secret; /* sealed when stored */
	struct str description;
	int status;
	int64_t owner_id;   /* the person who made it; null: a program did */
	bool access_events; /* is told of events about access (webhook_event.h) */
	bool may_be_private; /* not stored: who sets the URL may name targets inside, see webhook_target_is_private */
	int64_t version;
	struct instant created_at, updated_at;
	/* the endpoint's health, which deliveries change */
	struct instant failing_since, next_attempt_at, last_attempt_at;
	int64_t failures;
	struct str paused_reason, last_result;
};

extern const struct res_def webhook_res;

#define WEBHOOK_SECRET_MIN 8 /* characters; shorter ones are guessed */

/*
 * Whether the URL names its target by a literal address or name of this machine or a private network. Names are looked at again when
 * they are resolved for the connection; this is the early and clear answer.
 */
bool webhook_target_is_private(struct arena *a, struct str url);

#endif
