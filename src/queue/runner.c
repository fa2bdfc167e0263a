/*
 * Starting and stopping a runner. Stopping gives back what was claimed and not begun, and waits for the runs; one that does not come back
 * keeps the runner alive, because its thread still uses it.
 */
#include "queue/runner.h"
#include "base/log.h"
#include "base/random.h"
#include <errno.h>

#define PRESET_LEASE_S 30
#define PRESET_POLL_MS 1000
#define SCRATCH_BYTES  (64u << 20) /* of a round: ends of many runs with their texts */

/* ---- start ------------------------------------------------------------------------------------------------------------------ */

static bool
is_in(struct str kind, const struct runner_queue *queues, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(job_queue_of(kind), queues[i].name))
			return true;
	return false;
}

/* A JSON array. */
static struct str
kinds_of(struct job_runner *r, const struct runner_queue *queues, size_t count)
{
	struct buf b;

	buf_init_arena(&b, r->arena, 1u << 16);
	buf_add_byte(&b, '[');
	for (const struct job_kind *const *k = r->options.kinds; *k; k++) {
		struct str name = str_from_cstr((*k)->name);
		if (!is_in(name, queues, count))
			continue;
		if (b.len > 1)
			buf_add_byte(&b, ',');
		buf_add_json_string(&b, name);
	}
	buf_add_byte(&b, ']');
	return buf_str(&b);
}

static void
add_queue(struct job_runner *r, const struct job_queue_threads *t)
{
	check(r->queue_count < JOB_QUEUES_MAX && t->threads > 0);
	struct runner_queue *q = &r->queues[r->queue_count++];
	*q = (struct runner_queue){
		.runner = r, .name = str_from_cstr(t->queue), .most = t->threads, .run_us = RUNNER_RUN_US
	};
	q->kinds = kinds_of(r, q, 1);
	q->threads = arena_alloc_array(r->arena, (size_t)t->threads, sizeof(pthread_t));
	q->ready_tail = &q->ready;
	pthread_cond_init(&q->filled, NULL);
}

static void
init_waiting(struct job_runner *r)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&r->ended_all, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r->ended_tail = &r->ended;
}

static void
runner_free(struct job_runner *r)
{
	if (r->watch)
		db_watch_close(r->watch);
	for (size_t i = 0; i < r->queue_count; i++)
		pthread_cond_destroy(&r->queues[i].filled);
	pthread_cond_destroy(&r->ended_all);
	pthread_mutex_destroy(&r->lock);
	arena_free(r->scratch);
	arena_free(r->arena);
	free(r);
}

struct err *
job_runner_start(struct arena *a, const struct job_runner_options *o, struct job_runner **out)
{
	struct job_runner *r = calloc(1, sizeof(*r));

	check(r);
	r->options = *o;
	r->arena = arena_new(1u << 20);
	r->scratch = arena_new(SCRATCH_BYTES);
	r->name = random_uuid7(r->arena, o->clock->now(o->clock).us / 1000);
	r->lease_us = (o->lease_s ? o->lease_s : PRESET_LEASE_S) * INSTANT_SECOND;
	r->poll_us = (o->poll_ms ? o->poll_ms : PRESET_POLL_MS) * 1000LL;
	r->looked_us = monotonic_us() - r->poll_us;
	r->left_behind = o->alone;
	init_waiting(r);
	struct err *e = db_watch_open(o->db, a, &r->watch);
	if (e) {
		runner_free(r);
		return e;
	}
	for (const struct job_queue_threads *t = o->queues; t->queue; t++)
		add_queue(r, t);
	r->kinds = kinds_of(r, r->queues, r->queue_count);
	if (pthread_create(&r->dispatcher, NULL, runner_dispatch, r) != 0) {
		runner_free(r);
		return err_private(a, ERR_UNAVAILABLE, "pthread_create");
	}
	*out = r;
	return NULL;
}

/* ---- stop ------------------------------------------------------------------------------------------------------------------- */

static void
ask_to_stop(struct job_runner *r)
{
	pthread_mutex_lock(&r->lock);
	r->stopping = r->wake = true;
	for (struct job_lease *l = r->held; l; l = l->older)
		atomic_fetch_or(&l->stop, JOB_STOP_PROCESS);
	for (size_t i = 0; i < r->queue_count; i++)
		pthread_cond_broadcast(&r->queues[i].filled);
	db_watch_wake(r->watch);
	pthread_mutex_unlock(&r->lock);
}

static struct timespec
time_after(int64_t us)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	us += t.tv_nsec / 1000;
	t.tv_sec += us / 1000000;
	t.tv_nsec = us % 1000000 * 1000;
	return t;
}

/* Until the dispatcher has ended, or for drain_ms; in any case it ends soon after. */
static void
wait_for_end(struct job_runner *r, int drain_ms)
{
	struct timespec until = time_after(drain_ms * 1000LL);

	pthread_mutex_lock(&r->lock);
	while (!r->over && pthread_cond_timedwait(&r->ended_all, &r->lock, &until) != ETIMEDOUT)
		continue;
	r->given_up = r->wake = true;
	db_watch_wake(r->watch);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->dispatcher, NULL);
}

/*
 * All that is held: ends that were not stored as they are, the others as if they had not been claimed. Of a run that goes on a copy is
 * made, because its thread still writes into its lease.
 */
static struct job_lease *
left_over(struct job_runner *r)
{
	struct job_lease *list = r->ended;

	for (struct job_lease *l = r->held; l; l = l->older) {
		if (l->ended)
			continue;
		struct job_lease *copy = arena_new_of(r->scratch, struct job_lease);
		copy->runner = r;
		copy->kind = l->kind;
		copy->company_id = l->company_id;
		copy->id = l->id;
		copy->key = l->key;
		copy->attempt = l->attempt;
		copy->started_at = l->started_at;
		copy->outcome = JOB_RELEASED;
		copy->at = r->options.clock->now(r->options.clock);
		copy->next = list;
		list = copy;
	}
	return list;
}

/* The dispatcher has ended; runs that did not come back go on and find their leases lost. */
static void
give_back(struct job_runner *r)
{
	arena_reset(r->scratch);
	struct runner_round w = { .r = r, .now = r->options.clock->now(r->options.clock) };

	pthread_mutex_lock(&r->lock);
	w.ended = left_over(r);
	pthread_mutex_unlock(&r->lock);
	struct err *e = w.ended ? db_write(r->options.db, r->scratch, runner_round_store, &w) : NULL;
	if (e)
		LOG(LOG_WARN, "jobs could not be given back; they run again when their leases are over",
			L_STR("reason", e->message), L_STR("detail", e->detail));
}

bool
job_runner_stop(struct job_runner *r, int drain_ms)
{
	if (!r->stopping) { /* else what it held was given back the first time */
		ask_to_stop(r);
		wait_for_end(r, drain_ms);
		give_back(r);
	}
	pthread_mutex_lock(&r->lock);
	int running = r->running;
	pthread_mutex_unlock(&r->lock);
	if (running) {
		LOG(LOG_WARN, "jobs did not stop in time; they run again elsewhere", L_INT("jobs", running));
		return false;
	}
	for (size_t i = 0; i < r->queue_count; i++)
		runner_join(&r->queues[i]);
	while (r->held) {
		struct job_lease *l = r->held;
		r->held = l->older;
		runner_lease_free(l);
	}
	runner_free(r);
	return true;
}
