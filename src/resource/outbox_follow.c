/*
 * The reader of a process: one thread that follows the event table and hands every event to its listeners, once and in order. Its
 * position is in memory only, because what listens here lives no longer than the process. It is also the one that announces this
 * process's commits to others, and that tells this process's caches of theirs.
 */
#include "base/log.h"
#include "resource/outbox.h"
#include <pthread.h>
#include <stdatomic.h>

#define BATCH		 200
#define ARENA_BYTES	 (256u << 20) /* far above a batch; events are as large as bodies may be */
#define LOOK_MS		 1000	      /* for commits of a process that died before it announced them */
#define FIRST_HELD_MS	 2	      /* events wait for an older transaction, which usually ends at once */
#define LAST_HELD_MS	 128
#define AFTER_FAILURE_US 1000000LL

struct outbox {
	struct db *db;
	struct db_watch *watch;
	struct arena *arena; /* of a batch */
	struct outbox_listener *listeners;
	size_t listener_count;
	struct outbox_position position;
	pthread_t thread;
	_Atomic bool stopping;
	bool failing; /* said so in the log */
};

struct batch {
	struct outbox_position after;
	struct outbox_event *events;
	size_t count;
	bool held_back;
};

static struct err *
read_batch(struct db_tx *tx, void *arg)
{
	static const struct outbox_filter all = { 0 };
	struct batch *b = arg;

	b->held_back = false;
	TRY(outbox_read(tx, &all, b->after, BATCH, &b->events, &b->count));
	return b->count ? NULL : outbox_is_held_back(tx, &b->held_back);
}

static struct err *
read_end(struct db_tx *tx, void *arg)
{
	return outbox_end(tx, arg);
}

/* Another node's commit has moved nothing here; one of our own has, and moves it once more. One node alone (SQLite) knows all. */
static void
move_epochs(struct outbox *o, const struct batch *b)
{
	int64_t last = 0;

	if (db_kind(o->db) == DB_SQLITE)
		return;
	for (size_t i = 0; i < b->count; i++) {
		if (b->events[i].company_id != last)
			db_epoch_move(o->db, b->events[i].company_id);
		last = b->events[i].company_id;
	}
}

static void
hand_out(struct outbox *o, const struct batch *b)
{
	move_epochs(o, b);
	for (size_t i = 0; i < o->listener_count; i++)
		o->listeners[i].events(o->listeners[i].arg, b->events, b->count);
	o->position = b->events[b->count - 1].position;
}

/* Reads to the end; false after a failure. */
static bool
catch_up(struct outbox *o, bool *held_back)
{
	struct batch b;

	do {
		arena_reset(o->arena);
		b = (struct batch){ .after = o->position };
		struct err *e = db_read(o->db, o->arena, read_batch, &b);
		if (e) {
			if (!o->failing)
				LOG(LOG_WARN, "events can't be read; trying again",
					L_STR("detail", e->detail.n ? e->detail : e->message));
			o->failing = true;
			return false;
		}
		if (b.count)
			hand_out(o, &b);
	} while (b.count && !atomic_load(&o->stopping));
	o->failing = false;
	*held_back = b.held_back;
	return true;
}

static void
pause_after_failure(struct outbox *o)
{
	int64_t until_us = monotonic_us() + AFTER_FAILURE_US;

	for (int64_t left_us; !atomic_load(&o->stopping) && (left_us = until_us - monotonic_us()) > 0;)
		(void)db_watch_wait(
			o->watch, (int)(left_us / 1000) + 1); /* what woke it is read afterwards */
}

/* A transaction that holds events back tells nobody when it ends, unless it changed something itself. */
static int
next_wait_ms(int last_ms, bool held_back)
{
	if (!held_back)
		return LOOK_MS;
	if (last_ms == LOOK_MS)
		return FIRST_HELD_MS;
	return last_ms * 2 < LAST_HELD_MS ? last_ms * 2 : LAST_HELD_MS;
}

static void *
outbox_main(void *arg)
{
	struct outbox *o = arg;
	int wait_ms = LOOK_MS;

	while (!atomic_load(&o->stopping)) {
		bool held_back = false;

		(void)db_watch_wait(o->watch, wait_ms); /* a look without reason is cheap */
		db_watch_announce(o->watch);
		if (!catch_up(o, &held_back))
			pause_after_failure(o);
		wait_ms = next_wait_ms(wait_ms, held_back);
	}
	return NULL;
}

struct err *
outbox_start(struct arena *a, struct db *db, const struct outbox_listener *listeners, size_t count,
	struct outbox **out)
{
	struct outbox *o = calloc(1, sizeof(*o));
	struct err *e;

	check(o);
	*o = (struct outbox){ .db = db, .listener_count = count };
	e = db_read(db, a, read_end, &o->position);
	if (!e)
		e = db_watch_open(db, a, &o->watch);
	if (e) {
		free(o);
		return e;
	}
	o->listeners = calloc(count ? count : 1, sizeof(*listeners));
	check(o->listeners);
	if (count)
		memcpy(o->listeners, listeners, count * sizeof(*listeners));
	o->arena = arena_new(ARENA_BYTES);
	check(pthread_create(&o->thread, NULL, outbox_main, o) == 0);
	*out = o;
	return NULL;
}

void
outbox_stop(struct outbox *o)
{
	atomic_store(&o->stopping, true);
	db_watch_wake(o->watch);
	check(pthread_join(o->thread, NULL) == 0);
	db_watch_close(o->watch);
	arena_free(o->arena);
	free(o->listeners);
	free(o);
}
