/* The queue of jobs as its threads see it. Private to the room. Functions below need the lock. */
#ifndef DB_QUEUE_H
#define DB_QUEUE_H

#include "db/driver.h"

struct db_queue {
	struct db *db;
	pthread_mutex_t lock;
	pthread_cond_t filled; /* on the monotonic clock */
	struct db_job *head, **tail;
	int64_t length;
	int64_t wake_at; /* a pusher wakes a thread when the queue is at least this long */
	int waiting;	 /* threads that wait on filled */
	bool stopping;

	struct db_conn **conns; /* one a thread */
	pthread_t *threads;
	int count, started;
};

/* The first jobs, at most `most`, as a list. */
struct db_job *db_queue_take(struct db_queue *q, int most);
/* Waits for a job; false when the queue is empty and shall end. */
bool db_queue_wait(struct db_queue *q);

/* The group writer's thread; arg is the queue. */
void *db_group_main(void *arg);

#endif
