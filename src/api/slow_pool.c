/* Two queues under one lock; tasks take milliseconds, so the lock is never the price. */
#include "api/slow_pool.h"
#include <pthread.h>

#define LANES 2

struct lane {
	struct slow_task *first, **last;
	size_t queued;
};

struct slow_pool {
	pthread_mutex_t lock;
	pthread_cond_t waiting;
	struct lane lanes[LANES]; /* by enum slow_lane, which is their rank */
	size_t queue_max;
	bool stopping;
	pthread_t *threads;
	int count;
};

static struct slow_task *
pop(struct lane *l)
{
	struct slow_task *task = l->first;
	if (!task)
		return NULL;
	l->first = task->next;
	if (!l->first)
		l->last = &l->first;
	l->queued--;
	return task;
}

/* The next task of the lanes up to `lowest`; NULL when the pool is stopping and they are empty. */
static struct slow_task *
take(struct slow_pool *p, enum slow_lane lowest)
{
	struct slow_task *task = NULL;
	pthread_mutex_lock(&p->lock);
	for (;;) {
		for (unsigned i = 0; i <= (unsigned)lowest && !task; i++)
			task = pop(&p->lanes[i]);
		if (task || p->stopping)
			break;
		pthread_cond_wait(&p->waiting, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return task;
}

static void *
work(void *arg)
{
	struct slow_task *task;
	while ((task = take(arg, SLOW_WORK)) != NULL)
		task->run(task);
	return NULL;
}

static void *
work_on_logins(void *arg)
{
	struct slow_task *task;
	while ((task = take(arg, SLOW_LOGIN)) != NULL)
		task->run(task);
	return NULL;
}

struct err *
slow_pool_start(struct arena *a, int threads, size_t queue_max, struct slow_pool **out)
{
	struct slow_pool *p = arena_new_of(a, struct slow_pool);
	p->queue_max = queue_max;
	for (int i = 0; i < LANES; i++)
		p->lanes[i].last = &p->lanes[i].first;
	p->threads = arena_alloc_array(a, (size_t)threads + 1, sizeof(*p->threads));
	check(pthread_mutex_init(&p->lock, NULL) == 0);
	check(pthread_cond_init(&p->waiting, NULL) == 0);
	for (; p->count <= threads; p->count++) {
		void *(*const run)(void *) = p->count < threads ? work : work_on_logins;
		if (pthread_create(&p->threads[p->count], NULL, run, p) == 0)
			continue;
		slow_pool_stop(p);
		return err_new(a, ERR_UNAVAILABLE, "No thread could be started for slow work.");
	}
	*out = p;
	return NULL;
}

bool
slow_pool_submit(struct slow_pool *p, enum slow_lane lane, struct slow_task *task)
{
	struct lane *l = &p->lanes[lane];
	pthread_mutex_lock(&p->lock);
	const bool fits = l->queued < p->queue_max && !p->stopping;
	if (fits) {
		task->next = NULL;
		*l->last = task;
		l->last = &task->next;
		l->queued++;
		/* All are woken: the one that a signal would choose may be the one that takes logins alone. */
		pthread_cond_broadcast(&p->waiting);
	}
	pthread_mutex_unlock(&p->lock);
	return fits;
}

void
slow_pool_stop(struct slow_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->waiting);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->count; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->waiting);
	pthread_mutex_destroy(&p->lock);
}
