/*
 * A database with a runner whose kinds tell what they did. Every test runs on both databases: world_start says whether there is one.
 * Kinds are named test.…, so that their queue is "test".
 */
#ifndef TESTS_QUEUE_WORLD_H
#define TESTS_QUEUE_WORLD_H

#include "../db/fixture.h"
#include "db/faults.h"
#include "queue/job.h"
#include <pthread.h>
#include <stdatomic.h>

#define WORLD_RUNS 20000

struct world_run {
	int64_t id;
	int attempt;
	char key[64], payload[64];
};

struct world {
	struct fixture f;
	struct job_runner *runner;
	struct job_runner_options options; /* may be changed before world_run */
	pthread_mutex_t lock;
	struct world_run runs[WORLD_RUNS]; /* in the order in which they began */
	_Atomic int run_count, ended_count, inside, most_inside, stops_seen;
	_Atomic bool gate_closed;   /* test.gate waits while it is, and test.deaf even when it is told to stop */
	_Atomic int failures_left;  /* test.fail fails while there are some */
	struct db_faults *faults;   /* before every connection of the database; none at first */
};

extern const struct job_kind *const world_kinds[];

/* False: there is no such database here. */
bool world_start(struct world *w, enum db_kind kind);
void world_end(struct world *w);
/* Teardown of the group: the databases serve all its tests. */
int world_remove_databases(void **state);
/* Starts the runner as options say; world_end stops it. */
void world_run(struct world *w);
void world_stop_runner(struct world *w);
int64_t world_enqueue(struct world *w, const struct job_request *q);
/* What must come to an end has this long, however busy the machine is. */
#define WORLD_PATIENCE_MS 120000
/* Waits until the condition holds; ends the test when it does not. */
#define WORLD_UNTIL(condition)                                                \
	do {                                                                  \
		for (int world_i = 0; !(condition); world_i++) {              \
			if (world_i > WORLD_PATIENCE_MS)                      \
				fail_msg("not in time: " #condition);         \
			world_nap();                                          \
		}                                                             \
	} while (0)
void world_nap(void);
struct instant world_now(void);

/* A test of the file's world w, once on each database. */
#define WORLD_ON_EACH(name)                                \
	static void name##_sqlite(void **state)    \
	{                                          \
		(void)state;                       \
		if (!world_start(&w, DB_SQLITE))   \
			skip();                    \
		name();                            \
		world_end(&w);                     \
	}                                          \
	static void name##_postgres(void **state)  \
	{                                          \
		(void)state;                       \
		if (!world_start(&w, DB_POSTGRES)) \
			skip();                    \
		name();                            \
		world_end(&w);                     \
	}

#endif
