/*
 * The jobs that deliver: one of an endpoint at a time tells it its next events, in order, until there are none or one fails. Who fails
 * goes to the queue for retries and comes back with its first success. No transaction is open while a delivery is sent.
 */
#ifndef JOBS_WEBHOOK_DELIVER_H
#define JOBS_WEBHOOK_DELIVER_H

#include "jobs/webhook_send.h"
#include "queue/job.h"

enum webhook_lane { WEBHOOK_LANE_HEALTHY, WEBHOOK_LANE_RETRY, WEBHOOK_LANE_REPLAY };

/* One endpoint's work, apart from the job that runs it. */
struct webhook_work {
	struct db *db;
	const struct webhook_sender *sender;
	struct webhook_key key;
	enum webhook_lane lane;
	struct http_client *client;
	bool (*is_over)(void *arg); /* may be NULL */
	void *arg;
};
enum webhook_step {
	WEBHOOK_STEP_MORE,  /* there may be more: do another step */
	WEBHOOK_STEP_IDLE,  /* nothing for this lane now */
	WEBHOOK_STEP_LATER, /* not before *at */
	WEBHOOK_STEP_OVER   /* is_over said so */
};
/* At most one delivery; memory of a. */
struct err *webhook_step(const struct webhook_work *w, struct arena *a, enum webhook_step *out, struct instant *at) MUST_USE;

/* Sends a test at once and stores it; for the interface. out and *delivery_id on a. */
struct err *webhook_test_send(const struct webhook_work *w, struct arena *a, struct str *delivery_id,
	struct webhook_attempt *out) MUST_USE;

#endif
