/*
 * The pool of connections for transactions that run on their caller's thread: reads, and the migration. The connection used last is
 * lent first, because its caches are warm. Opened when needed, never more than the options say.
 */
#include "db/driver.h"
#include <errno.h>

#define BORROW_WAIT_S 5 /* longer than any wait for a read that is going to end well */

struct db_pool {
	struct db *db;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct db_conn *idle;
	int open, most;
	_Atomic uint64_t runs;
};

struct db_pool *
db_pool_new(struct db *db, int most)
{
	struct db_pool *pool = calloc(1, sizeof(*pool));

	check(pool);
	pool->db = db;
	pool->most = most;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->returned, NULL);
	return pool;
}

void
db_pool_free(struct db_pool *pool)
{
	struct db_conn *next;
	int closed = 0;

	for (struct db_conn *c = pool->idle; c; c = next, closed++) {
		next = c->next;
		db_disconnect(c);
	}
	check(closed == pool->open);
	pthread_cond_destroy(&pool->returned);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Under the lock: waits until a connection is idle or may be opened. */
static bool
wait_for_turn(struct db_pool *pool)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += BORROW_WAIT_S;
	while (!pool->idle && pool->open >= pool->most)
		if (pthread_cond_timedwait(&pool->returned, &pool->lock, &until) == ETIMEDOUT)
			return pool->idle || pool->open < pool->most;
	return true;
}

static void
give_up_place(struct db_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->open--;
	pthread_cond_signal(&pool->returned);
	pthread_mutex_unlock(&pool->lock);
}

struct err *
db_pool_borrow(struct db_pool *pool, struct arena *a, struct db_conn **out)
{
	struct db_conn *c;
	bool turn;
	struct err *e;

	pthread_mutex_lock(&pool->lock);
	turn = wait_for_turn(pool);
	c = turn ? pool->idle : NULL;
	if (c)
		pool->idle = c->next;
	else if (turn)
		pool->open++;
	/* Only this lock's holder writes it, so that a plain load and store are enough. */
	uint64_t runs = atomic_load_explicit(&pool->runs, memory_order_relaxed);
	atomic_store_explicit(&pool->runs, runs + 1, memory_order_relaxed);
	pthread_mutex_unlock(&pool->lock);
	if (!turn)
		return err_private(
			a, ERR_UNAVAILABLE, "no database connection came free within %d s", BORROW_WAIT_S);
	if (!c && (e = db_connect(pool->db, a, DB_READER, &c))) {
		give_up_place(pool);
		return e;
	}
	*out = c;
	return NULL;
}

void
db_pool_return(struct db_pool *pool, struct db_conn *c)
{
	pthread_mutex_lock(&pool->lock);
	c->next = pool->idle;
	pool->idle = c;
	pthread_cond_signal(&pool->returned);
	pthread_mutex_unlock(&pool->lock);
}

uint64_t
db_pool_runs(struct db_pool *pool)
{
	return atomic_load_explicit(&pool->runs, memory_order_relaxed);
}
