/* The room put together: the lock, the threads, and the end of them in the order in which they depend on each other. */
#include "live/live_parts.h"
#include <time.h>

#define WORKERS	 2
#define RETRY_MS 1000

static struct err *
read_end(struct db_tx *tx, void *arg)
{
	return outbox_end(tx, arg);
}

static void
init_clocked_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;
	check(pthread_condattr_init(&attributes) == 0);
	check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	check(pthread_cond_init(cond, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
}

static void
start_threads(struct live *l)
{
	check(pthread_create(&l->dispatcher, NULL, live_dispatcher_main, l) == 0);
	l->worker_count = l->options.workers > 0 ? l->options.workers : WORKERS;
	l->workers = calloc((size_t)l->worker_count, sizeof(*l->workers));
	check(l->workers);
	for (int i = 0; i < l->worker_count; i++)
		check(pthread_create(&l->workers[i], NULL, live_worker_main, l) == 0);
	presence_start(l->presence);
}

struct err *
live_start(struct arena *a, const struct live_options *o, struct live **out)
{
	struct outbox_position end;
	TRY(db_read(o->db, a, read_end, &end));
	struct res_plans *plans = res_plans_new(a);
	for (const struct res_def *const *def = o->resources; *def; def++)
		res_plans_add(plans, *def, NULL);
	struct live *l = calloc(1, sizeof(*l));
	check(l);
	l->options = *o;
	l->plans = plans;
	if (l->options.per_user == 0)
		l->options.per_user = LIMIT_STREAMS_PER_USER;
	if (l->options.retry_ms == 0)
		l->options.retry_ms = RETRY_MS;
	l->head = l->newest = l->recent.before = end;
	l->work_end = &l->work_first;
	check(pthread_mutex_init(&l->lock, NULL) == 0);
	check(pthread_cond_init(&l->events_come, NULL) == 0);
	init_clocked_cond(&l->work_comes);
	topics_init(&l->topics);
	l->presence = presence_new(l);
	start_threads(l);
	*out = l;
	return NULL;
}

struct outbox_listener
live_listener(struct live *l)
{
	return (struct outbox_listener){ .events = live_take_events, .arg = l };
}

struct outbox_position
live_position(struct live *l)
{
	pthread_mutex_lock(&l->lock);
	const struct outbox_position p = l->head;
	pthread_mutex_unlock(&l->lock);
	return p;
}

void
live_stop(struct live *l)
{
	presence_stop(l->presence);
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_broadcast(&l->events_come);
	pthread_cond_broadcast(&l->work_comes);
	pthread_mutex_unlock(&l->lock);
	check(pthread_join(l->dispatcher, NULL) == 0);
	for (int i = 0; i < l->worker_count; i++)
		check(pthread_join(l->workers[i], NULL) == 0);
	LOG(LOG_DEBUG, "streams", L_INT("told", l->told), L_INT("replayed", l->replayed),
		L_INT("rechecked", l->rechecked));
}

/* What still stood in the queue when the workers went. */
static void
forget_work(struct live *l)
{
	for (struct live_subscriber *s; (s = l->work_first) != NULL;) {
		l->work_first = s->next_work;
		subscriber_drop(s);
	}
}

void
live_free(struct live *l)
{
	if (!l)
		return;
	forget_work(l);
	if (l->subscribers) {
		/* A request that the database never answered holds one: what it stands on must stay. */
		LOG(LOG_WARN, "streams were still open at the end", L_INT("count", l->subscribers));
		return;
	}
	recent_clear(&l->recent);
	topics_done(&l->topics);
	presence_free(l->presence);
	free(l->workers);
	pthread_cond_destroy(&l->work_comes);
	pthread_cond_destroy(&l->events_come);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
