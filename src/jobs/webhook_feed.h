/*
 * The way from an event to the jobs that deliver it. The feed of a process knows the active subscriptions, hears every event from the
 * outbox's reader and wakes the endpoints that want it. What it misses while nobody listens, a sweep at its start and once a minute finds
 * by the endpoints' positions; so nothing depends on it but speed. Several nodes wake the same endpoint: the job's key makes that one run.
 */
#ifndef JOBS_WEBHOOK_FEED_H
#define JOBS_WEBHOOK_FEED_H

#include "resource/outbox.h"

struct webhook_feed;
struct webhook_feed_options {
	struct db *db;
	const struct clock *clock;
	int sweep_ms; /* 0: 60000 */
};
struct webhook_feed *webhook_feed_new(const struct webhook_feed_options *o);
/* For outbox_start, which has to come before webhook_feed_start: the sweep at the start covers what was before. */
struct outbox_listener webhook_feed_listener(struct webhook_feed *f);
void webhook_feed_start(struct webhook_feed *f);
/* Ends the thread, if it was started, and frees; the outbox's reader must have stopped. */
void webhook_feed_free(struct webhook_feed *f);

#endif
