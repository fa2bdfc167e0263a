/*
 * The pool for slow work: password hashing, analytics, predictions, exports. A few threads take tasks from two bounded queues, so that
 * nothing slow runs on a thread that serves connections or writes the database. Who is asking to be let in goes before all other work,
 * and one more thread takes logins alone: whatever figures are being computed, a login waits for other logins only.
 */
#ifndef API_SLOW_POOL_H
#define API_SLOW_POOL_H

#include "base/err.h"

struct slow_pool;

enum slow_lane { SLOW_LOGIN, SLOW_WORK };

/* Embedded by its owner, which must live until run has been called. */
struct slow_task {
	struct slow_task *next;
	void (*run)(struct slow_task *task);
};

/* threads for both lanes, and the one for logins; UNAVAILABLE when a thread can't be started. */
struct err *slow_pool_start(struct arena *a, int threads, size_t queue_max, struct slow_pool **out) MUST_USE;
/* False when queue_max tasks wait in the lane already, or the pool is stopping: run is not called then. */
bool slow_pool_submit(struct slow_pool *p, enum slow_lane lane, struct slow_task *task) MUST_USE;
/* Runs what waits, then ends the threads. */
void slow_pool_stop(struct slow_pool *p);

#endif
