/*
 * The feed's thread writes; the listener only marks, because the outbox's reader must not wait. Subscriptions are read anew when an event
 * tells of one.
 */
#include "jobs/webhook_feed.h"
#include "base/log.h"
#include "domain/integration/webhook_delivery.h"
#include "domain/integration/webhook_event.h"
#include "domain/integration/webhook_sql.h"
#include "queue/job.h"
#include <errno.h>
#include <pthread.h>

#define SWEEP_MS	 60000
#define AFTER_FAILURE_MS 1000
#define WAKES_AT_ONCE	 500
#define SET_BYTES	 (64u << 20) /* of all active subscriptions */
#define SCRATCH_BYTES	 (64u << 20)

struct subscription {
	int64_t company_id;
	struct str id, events;
	struct webhook_patterns patterns;
	bool due;
};

/* Sorted by company, as the query gives them. */
struct subscriptions {
	struct arena *arena;
	struct subscription *all;
	size_t count;
};

struct webhook_feed {
	struct webhook_feed_options options;
	struct arena *scratch; /* of the thread */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t moved;
	struct subscriptions set;
	bool stopping, any_due, reload;
};

/* ---- hearing ---------------------------------------------------------------------------------------------------------------- */

/* The first subscription of a company. */
static size_t
first_of(const struct subscriptions *s, int64_t company_id)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->all[middle].company_id < company_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Under the lock. */
static void
mark(struct webhook_feed *f, const struct outbox_event *e)
{
	for (size_t i = first_of(&f->set, e->company_id); i < f->set.count; i++) {
		struct subscription *s = &f->set.all[i];
		if (s->company_id != e->company_id)
			break;
		if (!s->due && webhook_patterns_match(&s->patterns, e->type))
			s->due = f->any_due = true;
	}
}

static void
on_events(void *arg, const struct outbox_event *e, size_t count)
{
	struct webhook_feed *f = arg;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < count; i++) {
		if (str_eq(e[i].object_type, str_from_cstr(webhook_res.name)))
			f->reload = true;
		mark(f, &e[i]);
	}
	if (f->reload || f->any_due)
		pthread_cond_signal(&f->moved);
	pthread_mutex_unlock(&f->lock);
}

/* ---- subscriptions ---------------------------------------------------------------------------------------------------------- */

static struct err *
read_active(struct db_tx *tx, void *arg)
{
	struct subscriptions *s = arg;
	struct db_rows r;
	size_t cap = 0;

	arena_reset(s->arena);
	*s = (struct subscriptions){ .arena = s->arena };
	TRY(DB_QUERY(tx, &sql_webhook_active_list, &r));
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row)
			return NULL;
		if (s->count == cap) {
			size_t more = cap ? 2 * cap : 64;
			s->all = arena_grow(s->arena, s->all, cap * sizeof(*s->all), more * sizeof(*s->all));
			cap = more;
		}
		struct subscription *x = &s->all[s->count++];
		*x = (struct subscription){ .company_id = db_int(&r, 0),
			.id = arena_str(s->arena, db_text(&r, 1)) };
		x->events = arena_str(s->arena, db_text(&r, 2));
		TRY(webhook_patterns_parse(s->arena, x->events, &x->patterns));
		x->patterns.access_events = db_int(&r, 3);
	}
}

static bool
is_as_before(const struct subscription *before, const struct subscription *x)
{
	return str_eq(before->events, x->events) &&
	       before->patterns.access_events == x->patterns.access_events;
}

/* The same subscription as it was known before; NULL when it is new or wants other events. */
static const struct subscription *
known(const struct subscriptions *s, const struct subscription *x)
{
	for (size_t i = first_of(s, x->company_id); i < s->count && s->all[i].company_id == x->company_id;
		i++)
		if (str_eq(s->all[i].id, x->id))
			return is_as_before(&s->all[i], x) ? &s->all[i] : NULL;
	return NULL;
}

/* What a new one wants may have passed unheard: it is due, unless a sweep follows, which finds that out. */
static struct err *
reload(struct webhook_feed *f, bool sweeps)
{
	struct subscriptions fresh = { .arena = arena_new(SET_BYTES) };
	struct err *e = db_read(f->options.db, f->scratch, read_active, &fresh);
	struct arena *old = fresh.arena;

	if (!e) {
		pthread_mutex_lock(&f->lock);
		for (size_t i = 0; i < fresh.count; i++) {
			const struct subscription *before = known(&f->set, &fresh.all[i]);
			fresh.all[i].due = before ? before->due : !sweeps;
			f->any_due = f->any_due || fresh.all[i].due;
		}
		old = f->set.arena;
		f->set = fresh;
		pthread_mutex_unlock(&f->lock);
	}
	arena_free(old);
	return e;
}

/* ---- waking ----------------------------------------------------------------------------------------------------------------- */

struct wake {
	struct webhook_key key;
	const char *kind;
	struct instant at;
};
struct wakes {
	struct webhook_feed *feed;
	struct wake list[WAKES_AT_ONCE];
	size_t count;
};

static struct err *
enqueue_wakes(struct db_tx *tx, void *arg)
{
	const struct wakes *w = arg;
	const struct clock *clock = w->feed->options.clock;

	for (size_t i = 0; i < w->count; i++) {
		struct job_request q = { .company_id = w->list[i].key.company_id,
			.kind = w->list[i].kind,
			.key = w->list[i].key.webhook_id,
			.at = w->list[i].at };
		TRY(job_enqueue(tx, clock->now(clock), &q, NULL));
	}
	return NULL;
}

static struct err *
store_wakes(struct wakes *w)
{
	struct err *e = w->count ? db_write(w->feed->options.db, w->feed->scratch, enqueue_wakes, w) : NULL;

	w->count = 0;
	return e;
}

/* Takes some of the due ones; a failure puts all back by reading the subscriptions anew. */
static void
take_due(struct webhook_feed *f, struct wakes *w)
{
	pthread_mutex_lock(&f->lock);
	f->any_due = false;
	for (size_t i = 0; i < f->set.count; i++) {
		struct subscription *s = &f->set.all[i];
		if (!s->due)
			continue;
		if (w->count == WAKES_AT_ONCE) {
			f->any_due = true;
			break;
		}
		s->due = false;
		w->list[w->count++] = (struct wake){ .key = { s->company_id, arena_str(f->scratch, s->id) },
			.kind = WEBHOOK_DELIVER_JOB };
	}
	pthread_mutex_unlock(&f->lock);
}

/* ---- the sweep -------------------------------------------------------------------------------------------------------------- */

/* Some of the endpoints that something may wait for, in the order of their keys. */
struct page {
	struct wakes *wakes;
	bool of_replays;
	struct webhook_key after;
};

static struct err *
query_page(struct db_tx *tx, const struct page *p, struct db_rows *r)
{
	const struct webhook_key *k = &p->after;

	if (p->of_replays)
		return DB_QUERY(tx, &sql_webhook_replays_list, r, P_INT(k->company_id), P_TEXT(k->webhook_id),
			P_INT(WAKES_AT_ONCE));
	return DB_QUERY(tx, &sql_webhook_behind_list, r, P_INT(k->company_id), P_TEXT(k->webhook_id),
		P_INT(WAKES_AT_ONCE));
}

static struct err *
find_page(struct db_tx *tx, void *arg)
{
	const struct page *p = arg;
	struct wakes *w = p->wakes;
	struct db_rows r;

	w->count = 0;
	TRY(query_page(tx, p, &r));
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row)
			return NULL;
		struct wake *x = &w->list[w->count++];
		*x = (struct wake){ .key = { db_int(&r, 0), db_text_copy(&r, 1) },
			.kind = WEBHOOK_REPLAY_JOB };
		if (p->of_replays)
			continue;
		x->kind = db_int(&r, 2) > 0 ? WEBHOOK_RETRY_JOB : WEBHOOK_DELIVER_JOB;
		x->at.us = db_int(&r, 3);
	}
}

static struct err *
sweep(struct webhook_feed *f, struct wakes *w, bool of_replays)
{
	struct page p = { .wakes = w, .of_replays = of_replays, .after = { 0, STR("") } };
	size_t count;

	do {
		TRY(db_read(f->options.db, f->scratch, find_page, &p));
		count = w->count;
		if (count)
			p.after = w->list[count - 1].key;
		TRY(store_wakes(w));
	} while (count == WAKES_AT_ONCE);
	return NULL;
}

/* ---- the thread ------------------------------------------------------------------------------------------------------------- */

/* Until something moved or the time has come; false: the end. */
static bool
wait(struct webhook_feed *f, int64_t until_us, bool *reloads)
{
	struct timespec until = { .tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000 };

	pthread_mutex_lock(&f->lock);
	while (!f->stopping && !f->any_due && !f->reload)
		if (pthread_cond_timedwait(&f->moved, &f->lock, &until) == ETIMEDOUT)
			break;
	bool goes_on = !f->stopping;
	*reloads = f->reload;
	f->reload = false;
	pthread_mutex_unlock(&f->lock);
	return goes_on;
}

static struct err *
work(struct webhook_feed *f, struct wakes *w, bool reloads, bool sweeps)
{
	arena_reset(f->scratch);
	w->count = 0;
	if (reloads)
		TRY(reload(f, sweeps));
	if (sweeps) {
		TRY(sweep(f, w, false));
		TRY(sweep(f, w, true));
	}
	take_due(f, w);
	return store_wakes(w);
}

static void
after_failure(struct webhook_feed *f, const struct err *e, bool said)
{
	if (!said)
		LOG(LOG_WARN, "webhooks can't be woken; trying again",
			L_STR("detail", e->detail.n ? e->detail : e->message));
	pthread_mutex_lock(&f->lock);
	f->reload = false;
	f->any_due = false;
	pthread_mutex_unlock(&f->lock);
}

static void *
feed_main(void *arg)
{
	struct webhook_feed *f = arg;
	struct wakes *w = calloc(1, sizeof(*w));
	int64_t sweep_us = (f->options.sweep_ms ? f->options.sweep_ms : SWEEP_MS) * 1000LL;
	int64_t next_sweep_us = monotonic_us(); /* the first at once */
	bool reloads, failing = true, said = false;

	check(w);
	w->feed = f;
	while (wait(f, next_sweep_us, &reloads)) {
		bool sweeps = monotonic_us() >= next_sweep_us;
		struct err *e = work(f, w, reloads || failing, sweeps);
		if (e)
			after_failure(f, e, said);
		/* After a failure everything is looked at again: subscriptions, and who is behind. */
		failing = said = e;
		if (e)
			next_sweep_us = monotonic_us() + AFTER_FAILURE_MS * 1000LL;
		else if (sweeps)
			next_sweep_us = monotonic_us() + sweep_us;
	}
	free(w);
	return NULL;
}

/* ---- start and stop --------------------------------------------------------------------------------------------------------- */

struct webhook_feed *
webhook_feed_new(const struct webhook_feed_options *o)
{
	struct webhook_feed *f = calloc(1, sizeof(*f));
	pthread_condattr_t monotonic;

	check(f);
	*f = (struct webhook_feed){ .options = *o };
	f->scratch = arena_new(SCRATCH_BYTES);
	f->set.arena = arena_new(SET_BYTES);
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&f->moved, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return f;
}

struct outbox_listener
webhook_feed_listener(struct webhook_feed *f)
{
	return (struct outbox_listener){ .events = on_events, .arg = f };
}

void
webhook_feed_start(struct webhook_feed *f)
{
	check(pthread_create(&f->thread, NULL, feed_main, f) == 0);
	f->started = true;
}

void
webhook_feed_free(struct webhook_feed *f)
{
	if (f->started) {
		pthread_mutex_lock(&f->lock);
		f->stopping = true;
		pthread_cond_signal(&f->moved);
		pthread_mutex_unlock(&f->lock);
		check(pthread_join(f->thread, NULL) == 0);
	}
	pthread_cond_destroy(&f->moved);
	pthread_mutex_destroy(&f->lock);
	arena_free(f->set.arena);
	arena_free(f->scratch);
	free(f);
}
