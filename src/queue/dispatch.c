/*
 * The dispatcher's thread. A round begins when something was enqueued here, a run ended, a lease wants renewing, or the time to look for
 * other nodes' jobs has come. Under load the next round stores all that ended during the last one, so many jobs share a commit.
 */
#include "base/log.h"
#include "queue/runner.h"

#define PROGRESS_US	 1000000 /* progress is stored at most this often */
#define HINT_US		 100000	 /* a commit elsewhere is a reason to look at most this often */
#define FAILURE_FIRST_US 100000	 /* wait after a round that failed; doubles up to the poll */
#define RENEW_PARTS	 3	 /* a lease is renewed when a third of it is over */

/* ---- what a round has to do ------------------------------------------------------------------------------------------------- */

/* A run that went on for a lease longer than it may is given up: its lease is left to run out. */
static bool
is_given_up(const struct job_lease *l, int64_t lease_us, int64_t now_us)
{
	int64_t deadline_us = atomic_load(&l->deadline_us);

	return deadline_us && now_us > deadline_us + lease_us;
}

/* Under the lock. Nobody waits for a run that was given up: it may never come back. */
static void
note_suspect(struct runner_round *w, const struct job_lease *l)
{
	if (!l->crashes || l->ended || l->given_up)
		return;
	w->suspects_held = true;
	w->last_chance_held = w->last_chance_held || l->last_chance;
}

/* Under the lock. */
static void
plan_held(struct job_runner *r, struct runner_round *w)
{
	int64_t now_us = monotonic_us();
	size_t count = 0;

	for (const struct job_lease *l = r->held; l; l = l->older)
		count++;
	w->renew = arena_alloc_array(r->scratch, count, sizeof(struct job_lease *));
	w->renewed = arena_alloc_array(r->scratch, count, sizeof(bool));
	w->progress = arena_alloc_array(r->scratch, count, sizeof(struct runner_progress));
	w->held = arena_alloc_array(r->scratch, count, sizeof(struct runner_held));
	for (struct job_lease *l = r->held; l; l = l->older) {
		w->held[w->held_count++] = (struct runner_held){ l->company_id, l->id, l->started_at };
		l->given_up = l->given_up || (!l->ended && is_given_up(l, r->lease_us, now_us));
		note_suspect(w, l);
		if (atomic_load(&l->until_us) - now_us < r->lease_us - r->lease_us / RENEW_PARTS &&
			!l->given_up && !(atomic_load(&l->stop) & JOB_STOP_LOST))
			w->renew[w->renew_count++] = l;
		if (l->running && l->progress_changed && now_us - l->stored_us >= PROGRESS_US) {
			w->progress[w->progress_count++] = (struct runner_progress){ l, l->done, l->total,
				arena_str(r->scratch, (struct str){ l->note, l->note_len }) };
			l->progress_changed = false;
			l->stored_us = now_us;
		}
	}
}

/* After a lease of waiting no suspect is begun any more until one at its last chance has had its run. */
static bool
last_chance_has_turn(const struct job_runner *r)
{
	return r->last_chance_due_us && monotonic_us() - r->last_chance_due_us >= r->lease_us;
}

static void
plan(struct job_runner *r, struct runner_round *w)
{
	*w = (struct runner_round){ .r = r, .now = r->options.clock->now(r->options.clock) };
	w->doubtful = r->doubtful;
	w->left_behind = r->left_behind;
	pthread_mutex_lock(&r->lock);
	r->wake = false;
	w->ended = r->ended;
	r->ended = NULL;
	r->ended_tail = &r->ended;
	plan_held(r, w);
	w->suspects = !w->last_chance_held && !last_chance_has_turn(r);
	w->last_chance = !w->suspects_held && !r->stopping;
	for (size_t i = 0; i < r->queue_count && !r->stopping; i++)
		w->room[i] = runner_room(&r->queues[i]);
	pthread_mutex_unlock(&r->lock);
}

static bool
has_work(const struct runner_round *w)
{
	bool claims = w->last_chance;

	for (size_t i = 0; i < w->r->queue_count; i++)
		claims = claims || w->room[i] > 0;
	return claims || w->ended || w->renew_count || w->progress_count || w->doubtful || w->expired ||
	       w->left_behind || w->schedules;
}

/* ---- after a round ---------------------------------------------------------------------------------------------------------- */

/* Under the lock. */
static void
let_go(struct job_runner *r, struct job_lease *l)
{
	if (l->newer)
		l->newer->older = l->older;
	else
		r->held = l->older;
	if (l->older)
		l->older->newer = l->newer;
	if (l->crashes)
		r->looked_us = 0; /* others may have waited for its end */
	runner_lease_free(l);
}

/* Under the lock. */
static void
hold(struct job_runner *r, struct job_lease *l)
{
	l->newer = NULL;
	l->older = r->held;
	if (r->held)
		r->held->newer = l;
	r->held = l;
	if (l->last_chance)
		r->last_chance_due_us = 0;
	runner_hand_over(l->queue, l);
}

static void
apply(struct job_runner *r, struct runner_round *w)
{
	int64_t until_us = monotonic_us() + r->lease_us;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < w->renew_count; i++) {
		if (w->renewed[i])
			atomic_store(&w->renew[i]->until_us, until_us);
		else
			atomic_fetch_or(&w->renew[i]->stop, JOB_STOP_LOST);
	}
	for (struct job_lease *l = w->ended, *next; l; l = next) {
		next = l->next;
		let_go(r, l);
	}
	for (size_t i = 0; i < r->queue_count; i++) {
		if (w->room[i] > 0)
			r->queues[i].more = w->claimed_count[i] >= w->room[i];
		for (struct job_lease *l = w->claimed[i], *next; l; l = next) {
			next = l->next;
			hold(r, l);
		}
	}
	pthread_mutex_unlock(&r->lock);
	r->doubtful = false;
	if (r->left_behind && !w->expired_more)
		r->left_behind = false;
}

/* What could not be stored is stored in the next round. */
static void
put_back(struct job_runner *r, struct job_lease *ended)
{
	if (!ended)
		return;
	pthread_mutex_lock(&r->lock);
	struct job_lease *last = ended;
	while (last->next)
		last = last->next;
	last->next = r->ended;
	if (!r->ended)
		r->ended_tail = &last->next;
	r->ended = ended;
	pthread_mutex_unlock(&r->lock);
}

static struct err *
store(struct job_runner *r, struct runner_round *w)
{
	struct err *e = db_write(r->options.db, r->scratch, runner_round_store, w);

	if (!e) {
		apply(r, w);
		return NULL;
	}
	runner_round_forget(w);
	r->doubtful = r->doubtful || e->code == ERR_COMMIT_UNKNOWN;
	return e;
}

/*
 * The database refuses the round as a whole although it works: the ends are stored one by one, and one that cannot be is dropped. Its
 * lease then runs out, which sets the job aside after the second time.
 */
static void
store_singly(struct job_runner *r, struct job_lease *ended)
{
	for (struct job_lease *l = ended, *next; l; l = next) {
		struct runner_round w = { .r = r, .now = l->at, .ended = l };
		next = l->next;
		l->next = NULL;
		struct err *e = store(r, &w);
		if (!e)
			continue;
		if (e->code == ERR_UNAVAILABLE || e->code == ERR_COMMIT_UNKNOWN) {
			put_back(r, l);
			continue;
		}
		LOG(LOG_ERROR, "the end of a job could not be stored", L_CSTR("kind", l->kind->name),
			L_INT("job", l->id), L_STR("reason", e->message), L_STR("detail", e->detail));
		pthread_mutex_lock(&r->lock);
		let_go(r, l);
		pthread_mutex_unlock(&r->lock);
	}
}

/* ---- the dispatcher --------------------------------------------------------------------------------------------------------- */

static bool
wants_look(struct job_runner *r)
{
	uint64_t epoch = job_epoch(r->options.db);
	bool moved = epoch != r->epoch;

	r->epoch = epoch;
	return moved || monotonic_us() - r->looked_us >= r->poll_us;
}

/* Without a look only a queue whose last claim was full is worth a claim. */
static void
narrow(struct job_runner *r, struct runner_round *w)
{
	w->last_chance = false;
	for (size_t i = 0; i < r->queue_count; i++)
		if (!r->queues[i].more)
			w->room[i] = 0;
}

static struct err *
run_round(struct job_runner *r)
{
	struct runner_round w;
	struct err *e = NULL;

	arena_reset(r->scratch);
	bool looks = wants_look(r);
	plan(r, &w);
	if (looks || w.left_behind)
		e = runner_look(r, &w);
	else
		narrow(r, &w);
	if (w.left_behind) {
		w.last_chance = false;
		memset(w.room, 0, sizeof(w.room));
	}
	if (!e && has_work(&w))
		e = store(r, &w);
	if (!e)
		return NULL;
	if (e->code == ERR_UNAVAILABLE || e->code == ERR_COMMIT_UNKNOWN || !w.ended || !r->failures)
		put_back(r, w.ended);
	else
		store_singly(r, w.ended);
	return e;
}

/* Under the lock. */
static bool
can_claim_more(const struct job_runner *r)
{
	for (size_t i = 0; i < r->queue_count; i++)
		if (r->queues[i].more && runner_room(&r->queues[i]) > 0)
			return true;
	return false;
}

/*
 * Another process has committed something, or this one something else than a job: worth a look, but not one for every commit of a busy
 * moment. On SQLite there is no other process.
 */
static bool
is_hint(const struct job_runner *r)
{
	return db_kind(r->options.db) == DB_POSTGRES && monotonic_us() - r->looked_us >= HINT_US;
}

static bool
has_reason(struct job_runner *r)
{
	pthread_mutex_lock(&r->lock);
	bool reason = r->wake || can_claim_more(r);
	pthread_mutex_unlock(&r->lock);
	return reason || r->left_behind || job_epoch(r->options.db) != r->epoch;
}

/* Until something ended here, something was enqueued here, or it is time to look. */
static void
wait_for_work(struct job_runner *r)
{
	while (!has_reason(r)) {
		int64_t left_us = r->looked_us + r->poll_us - monotonic_us();
		if (left_us <= 0)
			return;
		bool woken = db_watch_wait(r->watch, (int)((left_us + 999) / 1000));
		if (woken && is_hint(r))
			r->looked_us = 0;
	}
}

static bool
is_stopping(struct job_runner *r)
{
	pthread_mutex_lock(&r->lock);
	bool stopping = r->stopping;
	pthread_mutex_unlock(&r->lock);
	return stopping;
}

static void
wait_after_failure(struct job_runner *r, const struct err *e)
{
	int64_t us = FAILURE_FIRST_US << (r->failures < 10 ? r->failures : 10);
	int64_t until_us = monotonic_us() + (us < r->poll_us ? us : r->poll_us);

	if (r->failures++ == 0)
		LOG(LOG_WARN, "the job queue cannot reach its database; it goes on trying",
			L_STR("reason", e->message), L_STR("detail", e->detail));
	while (!is_stopping(r) && monotonic_us() < until_us)
		(void)db_watch_wait(r->watch,
			(int)((until_us - monotonic_us() + 999) / 1000)); /* why it ended shows above */
}

/* Under no lock. Whether the dispatcher may end: nothing runs, nothing ended is unstored; or it was told not to wait. */
static bool
is_over(struct job_runner *r)
{
	pthread_mutex_lock(&r->lock);
	bool over = r->stopping && (r->given_up || (!r->running && !r->ended));
	pthread_mutex_unlock(&r->lock);
	return over;
}

void *
runner_dispatch(void *arg)
{
	struct job_runner *r = arg;

	while (!is_over(r)) {
		struct err *e = run_round(r);
		if (e) {
			wait_after_failure(r, e);
			continue;
		}
		r->failures = 0;
		wait_for_work(r);
	}
	pthread_mutex_lock(&r->lock);
	r->over = true;
	pthread_cond_broadcast(&r->ended_all);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}
