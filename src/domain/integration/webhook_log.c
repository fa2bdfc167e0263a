/*
 * The log of deliveries as a resource that is only read. Each subscription's list is the log's rows of its id; the attempts of a delivery
 * are read with the one delivery.
 */
#include "base/limits.h"
#include "domain/integration/webhook_delivery.h"

const char *const webhook_delivery_reasons[] = { "event", "replay", "test", NULL };
const char *const webhook_delivery_states[] = { "pending", "delivered", "failed", NULL };

#define RES_RECORD struct webhook_delivery
static const struct res_field fields[] = {
	F(id, TEXT, .flags = RF_SERVER | RF_FILTER, .max = LIMIT_ID_CHARS, .doc = "Of this delivery.",
		.example = "\"msg_2f5cb7a8d9e0f1a2b3c4d5e6f7081920\""),
	F(message_id, TEXT, .flags = RF_SERVER | RF_FILTER, .max = LIMIT_ID_CHARS,
		.doc = "The webhook-id header; a replay has that of the first delivery.",
		.example = "\"msg_2f5cb7a8d9e0f1a2b3c4d5e6f7081920\""),
	F(webhook_id, TEXT, .flags = RF_SERVER, .max = LIMIT_ID_CHARS, .doc = "The subscription.",
		.example = "\"wh-001\""),
	F(number, INT, .flags = RF_SERVER | RF_SORT | RF_HIDDEN, .doc = "Rises.", .example = "17"),
	F(event_id, INT, .flags = RF_SERVER | RF_NULL | RF_FILTER,
		.doc = "Number of the event; null of a test.", .example = "4711"),
	F(event_type, TEXT, .flags = RF_SERVER | RF_FILTER, .max = LIMIT_NAME_CHARS, .doc = "What happened.",
		.example = "\"kpi.updated\""),
	F(reason, ENUM, .flags = RF_SERVER | RF_FILTER, .names = webhook_delivery_reasons,
		.doc = "Why it was made.", .example = "\"event\""),
	F(state, ENUM, .flags = RF_SERVER | RF_FILTER, .names = webhook_delivery_states,
		.doc = "Pending ones are tried again.", .example = "\"delivered\""),
	F(payload, TEXT, .flags = RF_SERVER | RF_HIDDEN, .doc = "The body.", .example = "\"{}\""),
	F(attempts, INT, .flags = RF_SERVER, .doc = "Attempts so far.", .example = "1"),
	F(version, INT, .flags = RF_SERVER | RF_HIDDEN, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT,
		.doc = "Of the first attempt, or of the request for a replay.",
		.example = "\"2024-01-01T00:00:00Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER, .doc = "Of the last attempt.",
		.example = "\"2024-01-01T00:00:00Z\""),
	F(delivered_at, INSTANT, .flags = RF_SERVER | RF_NULL | RF_FILTER, .doc = "When it was accepted.",
		.example = "\"2024-01-01T00:00:00Z\""),
	F(next_at, INSTANT, .flags = RF_SERVER | RF_NULL, .doc = "When it is tried again.",
		.example = "null"),
};

const struct res_def webhook_delivery_res = {
	.name = "webhook_delivery",
	.title = "Delivery",
	.table = "webhook_delivery",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct webhook_delivery),
	.scope = SCOPE_COMPANY,
	.perm = {
		[RES_LIST] = PERM_BIT(PERM_WEBHOOK_MANAGE),
		[RES_READ] = PERM_BIT(PERM_WEBHOOK_MANAGE),
	},
	.default_sort = "-number",
	.not_found = "DELIVERY_NOT_FOUND",
	.doc = "What was sent to a subscription.",
};
