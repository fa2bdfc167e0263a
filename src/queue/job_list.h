/*
 * The queue as its administrators see it: figures of the queues, cancelling and trying again, pausing, and clearing history. Rows
 * themselves are listed by whoever shows them.
 */
#ifndef QUEUE_JOB_LIST_H
#define QUEUE_JOB_LIST_H

#include "queue/job.h"

/* A waiting job is cancelled at once, a running one asked to stop. NOT_FOUND; CONFLICT when it is over already. */
struct err *job_cancel(struct db_tx *tx, struct instant now, int64_t company_id, int64_t id) MUST_USE;
/*
 * A dead, poison or cancelled job waits again with all its attempts, a waiting one runs at once. NOT_FOUND; CONFLICT when it runs, is done,
 * or another of its key waits already.
 */
struct err *job_retry(struct db_tx *tx, struct instant now, int64_t company_id, int64_t id) MUST_USE;

struct job_queue_figures {
	struct str name;
	bool paused;
	int64_t due, later, running, poison; /* jobs now; due: waiting and no longer before their time */
	struct instant oldest;               /* since when the oldest due job waits; 0: none does */
};
/* Every queue of the process's kinds, and others that have jobs, by name. */
struct err *job_queues_read(struct db_tx *tx, struct instant now, const struct job_kind *const *kinds,
	struct job_queue_figures **out, size_t *count) MUST_USE;
/* Nothing of a paused queue is claimed, by any node; what runs goes on. */
struct err *job_queue_pause(struct db_tx *tx, struct str queue, bool paused) MUST_USE;

/* Removes at most max jobs that ended longer ago than the limits say; *removed of them. */
struct err *job_history_prune(struct db_tx *tx, struct instant now, int64_t max, int64_t *removed) MUST_USE;

#endif
