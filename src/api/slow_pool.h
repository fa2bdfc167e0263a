/*
 * The pool for slow work: password hashing, exports, imports, reports. A few threads take tasks from one bounded queue in order, so that
 * nothing slow runs on a thread that serves connections or writes the database.
 */
#ifndef API_SLOW_POOL_H
#define API_SLOW_POOL_H

#include "base/err.h"

struct slow_pool;

/* Embedded by its owner, which must live until run has been called. */
struct slow_task {
	struct slow_task *next;
	void (*run)(struct slow_task *task);
};

/* UNAVAILABLE when a thread can't be started. */
struct err *slow_pool_start(struct arena *a, int threads, size_t queue_max, struct slow_pool **out) MUST_USE;
/* False when queue_max tasks wait already, or the pool is stopping: run is not called then. */
bool slow_pool_submit(struct slow_pool *p, struct slow_task *task) MUST_USE;
/* Runs what waits, then ends the threads. */
void slow_pool_stop(struct slow_pool *p);

#endif
