/*
 * The threads of a queue, and what a run may say while it runs. A thread takes what the dispatcher has handed over, runs it on an arena
 * of its own and leaves the end in the list of ended runs; it never speaks with the database about the job itself. Threads are started
 * when there is first something for them, so a queue that is never used costs nothing.
 */
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"
#include "queue/runner.h"

#define PRESET_ATTEMPTS	       10
#define PRESET_FIRST_RETRY_S   5
#define PRESET_LONGEST_RETRY_S 3600
#define PRESET_TIMEOUT_S       300

#define AHEAD_US \
	20000 /* jobs are claimed ahead for this long: enough for a commit, too short to matter elsewhere */
#define AHEAD_MOST 256

const struct job_kind *
runner_kind(const struct job_runner *r, struct str name)
{
	for (const struct job_kind *const *k = r->options.kinds; *k; k++)
		if (str_eq(str_from_cstr((*k)->name), name))
			return *k;
	return NULL;
}

/* ---- what a run may say ----------------------------------------------------------------------------------------------------- */

bool
job_is_stopped(struct job_run *run)
{
	const struct job_lease *l = run->lease;
	int64_t now = monotonic_us();

	return atomic_load(&l->stop) || now >= atomic_load(&l->deadline_us) ||
	       now >= atomic_load(&l->until_us);
}

struct err *
job_stopped(struct job_run *run)
{
	return err_private(run->arena, ERR_UNAVAILABLE, "stopped before its end");
}

/* At most max bytes of s as valid text without NUL, which PostgreSQL cannot store. */
static struct str
storable(struct arena *a, struct str s, size_t max)
{
	struct buf b;

	if (s.n > max)
		s.n = max;
	buf_init_arena(&b, a, 4 * max + 16);
	while (s.n) {
		size_t good = str_utf8_prefix(s), nul = str_index(str_sub(s, 0, good), '\0', 0);
		buf_add_str(&b, str_sub(s, 0, nul));
		if (nul == s.n)
			break;
		buf_add_byte(&b, '?');
		s = str_sub(s, nul + 1, s.n);
	}
	return buf_str(&b);
}

/* Into a buffer of its own, because a run may say how far it is any number of times. */
void
job_progress(struct job_run *run, int64_t done, int64_t total, struct str note)
{
	struct job_lease *l = run->lease;
	struct arena_mark m = arena_mark(run->arena);
	struct str text = storable(run->arena, note, LIMIT_JOB_NOTE_BYTES);

	pthread_mutex_lock(&l->runner->lock);
	l->done = done;
	l->total = total;
	l->note_len = text.n;
	if (text.n)
		memcpy(l->note, text.p, text.n);
	l->progress_changed = true;
	pthread_mutex_unlock(&l->runner->lock);
	arena_release(run->arena, m);
}

void
job_again_at(struct job_run *run, struct instant at)
{
	run->lease->again_at = at;
}

void
job_retry_at(struct job_run *run, struct instant at)
{
	run->lease->retry_at = at;
}

void
job_give_up(struct job_run *run)
{
	run->lease->gives_up = true;
}

void
job_result(struct job_run *run, struct str json)
{
	struct job_lease *l = run->lease;

	check(json.n <= LIMIT_JOB_RESULT_BYTES);
	if (!l->result_room)
		l->result_room = arena_alloc(l->arena, LIMIT_JOB_RESULT_BYTES);
	if (json.n)
		memcpy(l->result_room, json.p, json.n);
	l->result = (struct str){ l->result_room, json.n };
}

/* ---- the end of a run ------------------------------------------------------------------------------------------------------- */

static int
or_preset(int value, int preset)
{
	return value ? value : preset;
}

/* Full jitter: any wait up to the doubled one, so that what failed together is not tried together. */
static int64_t
back_off_us(const struct job_kind *k, int attempt)
{
	int64_t most_s = or_preset(k->longest_retry_s, PRESET_LONGEST_RETRY_S);
	int64_t s = or_preset(k->first_retry_s, PRESET_FIRST_RETRY_S);

	for (int i = 1; i < attempt && s < most_s; i++)
		s *= 2;
	s = s < most_s ? s : most_s;
	return (int64_t)random_below((uint32_t)s * 1000 + 1) * 1000;
}

static void
plan_retry(struct job_lease *l, const struct err *e, struct instant now)
{
	int64_t wait_us = back_off_us(l->kind, l->attempt);

	l->outcome = JOB_RETRY;
	l->at = l->retry_at;
	if (l->retry_at.us)
		return;
	if (wait_us < e->retry_after_s * INSTANT_SECOND)
		wait_us = e->retry_after_s * INSTANT_SECOND;
	l->at = (struct instant){ now.us + wait_us };
}

static void
conclude_failed(struct job_lease *l, const struct err *e, struct instant now)
{
	int stop = atomic_load(&l->stop);

	l->at = now;
	if (stop & JOB_STOP_CANCEL)
		l->outcome = JOB_CANCELLED;
	else if (l->gives_up)
		l->outcome = JOB_DEAD;
	else if (stop & JOB_STOP_PROCESS && !l->retry_at.us)
		l->outcome = JOB_RELEASED;
	else if (l->attempt >= or_preset(l->kind->attempts_max, PRESET_ATTEMPTS))
		l->outcome = JOB_DEAD;
	else
		plan_retry(l, e, now);
}

/* What people read: the public message; the private detail is the log's. */
static struct str
error_text(struct job_lease *l, const struct err *e, bool overtime)
{
	struct str text = overtime ? arena_fmt(l->arena, "It took longer than %d s.",
					     or_preset(l->kind->timeout_s, PRESET_TIMEOUT_S))
				   : e->message;

	return storable(l->arena, text, LIMIT_JOB_ERROR_BYTES);
}

static void
log_failure(const struct job_lease *l, const struct err *e)
{
	if (l->outcome == JOB_RELEASED || l->outcome == JOB_CANCELLED)
		return;
	LOG(l->outcome == JOB_DEAD ? LOG_ERROR : LOG_WARN,
		l->outcome == JOB_DEAD ? "a job is dead" : "a job failed and will be tried again",
		L_CSTR("kind", l->kind->name), L_INT("company_id", l->company_id), L_INT("job", l->id),
		L_STR("key", l->key), L_INT("attempt", l->attempt), L_STR("code", err_code_word(e)),
		L_STR("reason", e->message), L_STR("detail", e->detail), L_CSTR("file", e->file),
		L_INT("line", e->line));
}

static void
conclude(struct job_lease *l, const struct err *e)
{
	struct instant now = l->runner->options.clock->now(l->runner->options.clock);
	bool overtime = monotonic_us() >= atomic_load(&l->deadline_us);

	if (e) {
		conclude_failed(l, e, now);
		if (l->outcome != JOB_RELEASED)
			l->error = error_text(l, e, overtime);
		log_failure(l, e);
		return;
	}
	l->outcome = l->again_at.us ? JOB_AGAIN : JOB_DONE;
	l->at = l->again_at.us ? l->again_at : now;
}

/* ---- a thread --------------------------------------------------------------------------------------------------------------- */

static void
run_job(struct job_lease *l, struct arena *a)
{
	struct job_runner *r = l->runner;
	struct job_run run = {
		.arena = a,
		.db = r->options.db,
		.clock = r->options.clock,
		.app = r->options.app,
		.company_id = l->company_id,
		.id = l->id,
		.kind = str_from_cstr(l->kind->name),
		.key = l->key,
		.payload = l->payload,
		.attempt = l->attempt,
		.lease = l,
	};
	int64_t timeout_us = or_preset(l->kind->timeout_s, PRESET_TIMEOUT_S) * INSTANT_SECOND;

	atomic_store(&l->deadline_us, monotonic_us() + timeout_us);
	struct err *e = l->kind->run(&run);
	if (!e && arena_is_over(a))
		e = err_private(a, ERR_TOO_LARGE, "a run used %zu bytes", arena_used(a));
	conclude(l, e);
}

/* Under the lock. NULL: the thread ends. */
static struct job_lease *
next_ready(struct runner_queue *q)
{
	struct job_runner *r = q->runner;

	while (!q->ready && !r->stopping) {
		q->idle++;
		pthread_cond_wait(&q->filled, &r->lock);
		q->idle--;
	}
	if (r->stopping)
		return NULL;
	struct job_lease *l = q->ready;
	q->ready = l->next;
	if (!q->ready)
		q->ready_tail = &q->ready;
	q->ready_count--;
	q->running++;
	r->running++;
	l->next = NULL;
	l->running = true;
	return l;
}

/* Under the lock. */
static void
put_ended(struct runner_queue *q, struct job_lease *l, int64_t took_us)
{
	struct job_runner *r = q->runner;

	l->running = false;
	l->ended = true;
	*r->ended_tail = l;
	r->ended_tail = &l->next;
	q->running--;
	r->running--;
	q->run_us += (took_us - q->run_us) / 8;
	r->wake = true;
	db_watch_wake(r->watch);
}

static void *
work(void *arg)
{
	struct runner_queue *q = arg;
	struct job_runner *r = q->runner;
	struct arena *a = arena_new(LIMIT_JOB_ARENA_BYTES);

	pthread_mutex_lock(&r->lock);
	for (struct job_lease *l; (l = next_ready(q));) {
		pthread_mutex_unlock(&r->lock);
		int64_t began_us = monotonic_us();
		run_job(l, a);
		arena_reset(a);
		pthread_mutex_lock(&r->lock);
		put_ended(q, l, monotonic_us() - began_us);
	}
	pthread_mutex_unlock(&r->lock);
	arena_free(a);
	return NULL;
}

/* ---- the queue as the dispatcher sees it ------------------------------------------------------------------------------------ */

void
runner_hand_over(struct runner_queue *q, struct job_lease *l)
{
	l->next = NULL;
	*q->ready_tail = l;
	q->ready_tail = &l->next;
	q->ready_count++;
	if (q->ready_count > q->idle && q->started < q->most &&
		pthread_create(&q->threads[q->started], NULL, work, q) == 0)
		q->started++;
	pthread_cond_signal(&q->filled);
}

int
runner_room(const struct runner_queue *q)
{
	int64_t each_us = q->run_us ? q->run_us : 1;
	int64_t ahead = q->most * AHEAD_US / each_us;

	if (ahead > AHEAD_MOST)
		ahead = AHEAD_MOST;
	return q->most + (int)ahead - q->ready_count - q->running;
}

void
runner_join(struct runner_queue *q)
{
	for (int i = 0; i < q->started; i++)
		pthread_join(q->threads[i], NULL);
}
