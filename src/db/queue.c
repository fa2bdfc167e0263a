/*
 * The queue of jobs and the threads that run them: on SQLite one group writer (group.c), on PostgreSQL as many workers as connections,
 * each job in a transaction of its own. A job leaves the queue in the order it came; done() runs on these threads.
 */
#include "db/queue.h"
#include "base/limits.h"
#include <semaphore.h>

/* ---- the queue -------------------------------------------------------------------------------------------------------------- */

struct err *
db_queue_push(struct db_queue *q, struct arena *a, struct db_job *job)
{
	bool full, wake;

	job->next = NULL;
	job->result = NULL;
	pthread_mutex_lock(&q->lock);
	full = q->stopping || q->length >= LIMIT_WRITE_QUEUE;
	if (!full) {
		*q->tail = job;
		q->tail = &job->next;
		q->length++;
	}
	wake = !full && q->waiting > 0 && q->length >= q->wake_at;
	pthread_mutex_unlock(&q->lock);
	if (full) {
		struct err *e = err_private(a, ERR_UNAVAILABLE, "%d writes are waiting", LIMIT_WRITE_QUEUE);
		e->retry_after_s = 1;
		return e;
	}
	if (wake)
		pthread_cond_signal(&q->filled);
	return NULL;
}

struct db_job *
db_queue_take(struct db_queue *q, int most)
{
	struct db_job *first = q->head;
	struct db_job **link = &q->head;

	for (int i = 0; i < most && *link; i++) {
		link = &(*link)->next;
		q->length--;
	}
	q->head = *link;
	*link = NULL;
	if (!q->head)
		q->tail = &q->head;
	return first;
}

bool
db_queue_wait(struct db_queue *q)
{
	q->wake_at = 1;
	while (!q->head && !q->stopping) {
		q->waiting++;
		pthread_cond_wait(&q->filled, &q->lock);
		q->waiting--;
	}
	return q->head;
}

int64_t
db_queue_length(struct db_queue *q)
{
	pthread_mutex_lock(&q->lock);
	int64_t length = q->length;
	pthread_mutex_unlock(&q->lock);
	return length;
}

/* ---- workers ---------------------------------------------------------------------------------------------------------------- */

/* A read takes a connection of the pool: a reader needs no round trip for its transaction's beginning and end. */
static void
run_job(struct db_conn *c, struct db_job *job)
{
	struct err *e = job->read_only ? db_read(c->db, job->arena, job->work, job->arg)
				       : db_run_alone(c, job->arena, true, job->work, job->arg);

	if (!e && !job->read_only)
		atomic_fetch_add_explicit(&c->db->commits, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->db->jobs, 1, memory_order_relaxed);
	job->done(job, e);
}

static void *
worker_main(void *arg)
{
	struct db_queue *q = arg;

	pthread_mutex_lock(&q->lock);
	struct db_conn *c = q->conns[q->started++];
	while (db_queue_wait(q)) {
		struct db_job *job = db_queue_take(q, 1);
		pthread_mutex_unlock(&q->lock);
		run_job(c, job);
		pthread_mutex_lock(&q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* ---- start and stop --------------------------------------------------------------------------------------------------------- */

static void
queue_free(struct db_queue *q)
{
	for (int i = 0; i < q->count; i++)
		if (q->conns[i])
			db_disconnect(q->conns[i]);
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
	free(q->conns);
	free(q->threads);
	free(q);
}

static struct db_queue *
queue_new(struct db *db, int count)
{
	struct db_queue *q = calloc(1, sizeof(*q));

	check(q);
	q->db = db;
	q->count = count;
	q->tail = &q->head;
	q->wake_at = 1;
	q->conns = calloc((size_t)count, sizeof(struct db_conn *));
	q->threads = calloc((size_t)count, sizeof(pthread_t));
	check(q->conns && q->threads);
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&q->filled, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return q;
}

struct err *
db_queue_start(struct db *db, struct arena *a, struct db_queue **out)
{
	int count = db->kind == DB_SQLITE ? 1 : db->options.connections;
	struct db_queue *q = queue_new(db, count);

	for (int i = 0; i < count; i++) {
		struct err *e = db_connect(db, a, DB_WRITER, &q->conns[i]);
		if (e) {
			queue_free(q);
			return e;
		}
	}
	for (int i = 0; i < count; i++) {
		int fault = pthread_create(
			&q->threads[i], NULL, db->kind == DB_SQLITE ? db_group_main : worker_main, q);
		check(fault == 0);
	}
	*out = q;
	return NULL;
}

void
db_queue_stop(struct db_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->lock);
	for (int i = 0; i < q->count; i++)
		pthread_join(q->threads[i], NULL);
	check(!q->head);
	queue_free(q);
}

/* ---- waiting for a job ------------------------------------------------------------------------------------------------------ */

struct waiter {
	struct db_job job;
	sem_t over;
};

static void
wake_waiter(struct db_job *job, struct err *e)
{
	struct waiter *w = (struct waiter *)job;

	job->result = e;
	sem_post(&w->over);
}

struct err *
db_write(struct db *db, struct arena *a, db_work *work, void *arg)
{
	struct waiter w = { .job = { .arena = a, .work = work, .arg = arg, .done = wake_waiter } };
	struct err *e;

	sem_init(&w.over, 0, 0);
	e = db_submit(db, a, &w.job);
	if (!e) {
		while (sem_wait(&w.over))
			continue;
		e = w.job.result;
	}
	sem_destroy(&w.over);
	return e;
}
