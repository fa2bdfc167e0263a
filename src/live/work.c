/*
 * The threads that ask the database on behalf of subscribers. A subscriber stands in the queue once and is in one worker's hands at a
 * time, so what it is told keeps its order; each turn is one round, so that a long replay does not keep others waiting.
 */
#include "live/live_parts.h"
#include <time.h>

#define ROUND_BYTES (192u << 20) /* a page of events as large as bodies may be; given back after the round */
#define LOOK_MS	    10		 /* how soon late ones are looked at again */

static void
append(struct live_subscriber *s)
{
	struct live *l = s->live;
	s->queued = true;
	s->refs++;
	s->next_work = NULL;
	*l->work_end = s;
	l->work_end = &s->next_work;
	pthread_cond_signal(&l->work_comes);
}

void
work_add_later(struct live_subscriber *s, int delay_ms)
{
	s->due_us = delay_ms ? monotonic_us() + delay_ms * 1000LL : 0;
	if (s->in_hands)
		s->again = true;
	else if (!s->queued)
		append(s);
}

void
work_add(struct live_subscriber *s)
{
	work_add_later(s, 0);
}

/* The first that is due; *late when there are only others. */
static struct live_subscriber *
take(struct live *l, bool *late)
{
	const int64_t now_us = monotonic_us();
	*late = l->work_first != NULL;
	for (struct live_subscriber **link = &l->work_first, *s; (s = *link) != NULL; link = &s->next_work) {
		if (s->due_us > now_us)
			continue;
		*link = s->next_work;
		if (!*link)
			l->work_end = link;
		s->queued = false;
		return s;
	}
	return NULL;
}

static void
wait_for_work(struct live *l, bool late)
{
	struct timespec until;
	if (!late) {
		pthread_cond_wait(&l->work_comes, &l->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	(void)pthread_cond_timedwait(&l->work_comes, &l->lock, &until); /* either way it is looked again */
}

void *
live_worker_main(void *arg)
{
	struct live *l = arg;
	struct arena *a = arena_new(ROUND_BYTES);
	pthread_mutex_lock(&l->lock);
	while (!l->stopping) {
		bool late;
		struct live_subscriber *s = take(l, &late);
		if (!s) {
			wait_for_work(l, late);
			continue;
		}
		s->in_hands = true;
		if (s->state != SUBSCRIBER_ENDED)
			catch_up(l, a, s);
		s->in_hands = false;
		arena_reset(a);
		if (s->again && s->state != SUBSCRIBER_ENDED)
			append(s);
		s->again = false;
		subscriber_drop(s);
	}
	pthread_mutex_unlock(&l->lock);
	arena_free(a);
	return NULL;
}
