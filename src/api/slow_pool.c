/* One queue under one lock; tasks take milliseconds, so the lock is never the price. */
#include "api/slow_pool.h"
#include <pthread.h>

struct slow_pool {
	pthread_mutex_t lock;
	pthread_cond_t waiting;
	struct slow_task *first, **last;
	size_t queued, queue_max;
	bool stopping;
	pthread_t *threads;
	int count;
};

static struct slow_task *
take(struct slow_pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->stopping)
		pthread_cond_wait(&p->waiting, &p->lock);
	struct slow_task *task = p->first;
	if (task) {
		p->first = task->next;
		if (!p->first)
			p->last = &p->first;
		p->queued--;
	}
	pthread_mutex_unlock(&p->lock);
	return task;
}

static void *
work(void *arg)
{
	struct slow_pool *p = arg;
	struct slow_task *task;
	while ((task = take(p)) != NULL)
		task->run(task);
	return NULL;
}

struct err *
slow_pool_start(struct arena *a, int threads, size_t queue_max, struct slow_pool **out)
{
	struct slow_pool *p = arena_new_of(a, struct slow_pool);
	p->queue_max = queue_max;
	p->last = &p->first;
	p->threads = arena_alloc_array(a, (size_t)threads, sizeof(*p->threads));
	check(pthread_mutex_init(&p->lock, NULL) == 0);
	check(pthread_cond_init(&p->waiting, NULL) == 0);
	for (; p->count < threads; p->count++) {
		if (pthread_create(&p->threads[p->count], NULL, work, p) == 0)
			continue;
		slow_pool_stop(p);
		return err_new(a, ERR_UNAVAILABLE, "No thread could be started for slow work.");
	}
	*out = p;
	return NULL;
}

bool
slow_pool_submit(struct slow_pool *p, struct slow_task *task)
{
	pthread_mutex_lock(&p->lock);
	const bool fits = p->queued < p->queue_max && !p->stopping;
	if (fits) {
		task->next = NULL;
		*p->last = task;
		p->last = &task->next;
		p->queued++;
		pthread_cond_signal(&p->waiting);
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
