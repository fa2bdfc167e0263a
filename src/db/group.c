/*
 * Group commit on SQLite: one thread runs the jobs that wait under one transaction and commits them together, so that one fsync serves
 * all. Nobody hears of an outcome before the COMMIT, not even of a failure, because a failure may rest on what another job of the group
 * wrote. A savepoint copies every page that its job changes, a sixth of the work, and jobs that fail after they changed something are
 * rare: groups run without, and one with such a job runs once more with a savepoint around each. When the group can't be committed as
 * one, its jobs run again one by one.
 */
#include "base/limits.h"
#include "db/queue.h"
#include <errno.h>

/* The window opens only while fewer jobs wait; a longer queue is worth a commit at once. */
#define WINDOW_SHORT_QUEUE 16
/* It opens only when reads outnumber writes (a write may read first, to know its user) and the last commit was a moment ago. */
#define WINDOW_READS_PER_WRITE 2
#define WINDOW_RECENT_US       10000
/* Groups with savepoints after one that had to run again: whoever makes jobs fail costs the others no more than that. */
#define CAREFUL_GROUPS 64

struct group {
	struct db_queue *queue;
	struct db_conn *conn;
	struct arena *scratch; /* errors that no job gets to see */
	struct db_tx txs[LIMIT_WRITE_BATCH];
	int careful;	     /* groups to come with savepoints */
	uint64_t reads_seen; /* at the last batch */
	uint64_t last_count; /* jobs of the last batch */
	int64_t last_us;     /* when it ended */
};

/* ---- a group ---------------------------------------------------------------------------------------------------------------- */

enum outcome {
	GROUP_DONE,	 /* committed, or it is not known whether */
	GROUP_ENTANGLED, /* a job failed whose changes can't be undone alone: nothing was committed */
	GROUP_FAILED,	 /* nothing was committed */
};

/* False: the whole transaction has to go. */
static bool
run_part(struct group *g, struct db_job *job, struct db_tx *tx)
{
	const struct db_driver *d = g->conn->driver;
	struct err *e = d->mark(g->conn, job->arena, g->careful > 0);

	if (e)
		return false;
	*tx = db_tx_start(g->conn, job->arena, true);
	job->result = db_tx_work(tx, job->work, job->arg);
	if (!job->result)
		return d->keep(g->conn, g->scratch) == NULL;
	tx->touched_count = 0;
	tx->wakes = false;
	/* A conflict of locks concerns the connection: the group is tried again, which the single run does with patience. */
	if (tx->failure && tx->trouble == DB_TROUBLE_RETRY)
		return false;
	return d->undo(g->conn);
}

static void
publish(struct group *g, size_t count)
{
	for (size_t i = 0; i < count; i++)
		db_tx_publish(&g->txs[i]);
}

/* The disk may hold what it did not confirm: nobody can say whether it will be there after a crash, and nothing is run again. */
static void
tell_unknown(struct db_job *first, const struct err *e)
{
	for (struct db_job *job = first; job; job = job->next)
		job->result = db_err_copy(job->arena, e);
}

static enum outcome
run_group(struct group *g, struct db_job *first)
{
	const struct db_driver *d = g->conn->driver;
	size_t count = 0;

	if (d->begin(g->conn, g->scratch, true))
		return GROUP_FAILED;
	for (struct db_job *job = first; job; job = job->next, count++) {
		if (!run_part(g, job, &g->txs[count])) {
			d->rollback(g->conn);
			return g->careful > 0 ? GROUP_FAILED : GROUP_ENTANGLED;
		}
	}
	struct err *e = d->commit(g->conn, g->scratch);
	if (e) {
		bool unknown = g->conn->trouble == DB_TROUBLE_UNKNOWN;
		d->rollback(g->conn);
		if (!unknown)
			return GROUP_FAILED;
		tell_unknown(first, e);
	}
	publish(g, count);
	return GROUP_DONE;
}

static bool
run_together(struct group *g, struct db_job *first)
{
	enum outcome outcome = run_group(g, first);

	if (g->careful > 0)
		g->careful--;
	if (outcome != GROUP_ENTANGLED)
		return outcome == GROUP_DONE;
	g->careful = CAREFUL_GROUPS;
	return run_group(g, first) == GROUP_DONE;
}

static void
run_one_by_one(struct group *g, struct db_job *first)
{
	for (struct db_job *job = first; job; job = job->next) {
		job->result = db_run_alone(g->conn, job->arena, true, job->work, job->arg);
		if (!job->result)
			atomic_fetch_add_explicit(&g->conn->db->commits, 1, memory_order_relaxed);
	}
}

static void
run_batch(struct group *g, struct db_job *first)
{
	struct db *db = g->conn->db;
	int64_t count = 0;

	arena_reset(g->scratch);
	if (first->next && run_together(g, first)) {
		atomic_fetch_add_explicit(&db->commits, 1, memory_order_relaxed);
	} else {
		if (first->next)
			atomic_fetch_add_explicit(&db->retries, 1, memory_order_relaxed);
		run_one_by_one(g, first);
	}
	for (struct db_job *job = first, *next; job; job = next, count++) {
		next = job->next; /* done() may free the job */
		job->done(job, job->result);
	}
	atomic_fetch_add_explicit(&db->jobs, count, memory_order_relaxed);
	g->last_count = (uint64_t)count;
	g->last_us = monotonic_us();
}

/* ---- the window ------------------------------------------------------------------------------------------------------------- */

static struct timespec
window_end(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += LIMIT_WRITE_WINDOW_US * 1000L;
	t.tv_sec += t.tv_nsec / 1000000000L;
	t.tv_nsec %= 1000000000L;
	return t;
}

/* Under load of readers each commit takes the processor and the log's page cache from them: fewer and larger ones serve both. */
static bool
company_is_likely(struct group *g)
{
	uint64_t reads_now = db_pool_runs(g->conn->db->pool);
	uint64_t reads = reads_now - g->reads_seen;

	g->reads_seen = reads_now;
	return g->queue->length < WINDOW_SHORT_QUEUE && reads > WINDOW_READS_PER_WRITE * g->last_count &&
	       monotonic_us() - g->last_us < WINDOW_RECENT_US;
}

/* Under the lock. */
static void
wait_for_company(struct group *g)
{
	struct db_queue *q = g->queue;
	struct timespec until = window_end();

	q->wake_at = WINDOW_SHORT_QUEUE;
	q->waiting++;
	while (q->length < WINDOW_SHORT_QUEUE && !q->stopping)
		if (pthread_cond_timedwait(&q->filled, &q->lock, &until) == ETIMEDOUT)
			break;
	q->waiting--;
}

void *
db_group_main(void *arg)
{
	struct db_queue *q = arg;
	struct group *g = calloc(1, sizeof(*g));

	check(g);
	*g = (struct group){ .queue = q, .conn = q->conns[0], .scratch = arena_new(1u << 20) };
	pthread_mutex_lock(&q->lock);
	while (db_queue_wait(q)) {
		if (company_is_likely(g))
			wait_for_company(g);
		struct db_job *first = db_queue_take(q, LIMIT_WRITE_BATCH);
		pthread_mutex_unlock(&q->lock);
		run_batch(g, first);
		pthread_mutex_lock(&q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	arena_free(g->scratch);
	free(g);
	return NULL;
}
