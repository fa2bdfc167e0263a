/*
 * Sending one webhook delivery: the request with its signatures, and what came back, as an attempt for the log. Only http and https, only
 * to addresses of the public Internet (judged when the connection is made) unless the operator allows others, no redirects, bounded in
 * time and size.
 */
#ifndef JOBS_WEBHOOK_SEND_H
#define JOBS_WEBHOOK_SEND_H

#include "domain/iam/auth.h"
#include "domain/integration/webhook_delivery.h"

struct http_client;

/* What all deliveries of the process share. */
struct webhook_sender {
	const struct clock *clock;
	const struct iam *iam; /* opens the sealed secrets */
	bool allows_private;
	int timeout_ms; /* 0: WEBHOOK_TIMEOUT_MS */
};
#define WEBHOOK_TIMEOUT_MS	15000
#define WEBHOOK_TEST_TIMEOUT_MS 5000 /* somebody waits for a test */
#define WEBHOOK_ANSWER_BYTES	65536
#define WEBHOOK_ANSWER_KEPT	2048

struct webhook_call {
	struct http_client *client; /* may keep the connection from delivery to delivery of the same endpoint */
	const struct webhook_target *target;
	const struct webhook_message *message;
	/* See http_call; may be NULL. */
	bool (*is_over)(void *arg);
	void *arg;
};

/* Faults: a word of http_client_call, or REDIRECT, STATUS_<code>, SECRET_UNREADABLE. False: it was given up because is_over said so, and is no attempt. */
bool webhook_send(const struct webhook_sender *s, struct arena *a, const struct webhook_call *call,
	struct webhook_attempt *out);

#endif
