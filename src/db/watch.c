/*
 * Watches: sleeping until something was committed. Each has an eventfd that the commit path of this process raises, and on PostgreSQL a
 * connection that hears of other processes; the waiting thread polls both. A flag beside the eventfd keeps the commit path from a system
 * call for every commit of a busy moment: only the first one after a look writes.
 */
#include "db/watch.h"
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct db_watch {
	struct db *db;
	struct db_watch *next;	  /* of the database's, under its lock */
	struct db_listen *listen; /* NULL: SQLite, which has one process */
	int wake_fd;
	_Atomic bool raised;	/* wake_fd is or will be readable */
	_Atomic bool committed; /* here, since the last announcement */
};

/* ---- open and close --------------------------------------------------------------------------------------------------------- */

static void
join(struct db_watch *w)
{
	struct db *db = w->db;

	pthread_mutex_lock(&db->watch_lock);
	w->next = db->watches;
	db->watches = w;
	atomic_fetch_add(&db->watch_count, 1);
	pthread_mutex_unlock(&db->watch_lock);
}

static void
leave(struct db_watch *w)
{
	struct db *db = w->db;
	struct db_watch **link = &db->watches;

	pthread_mutex_lock(&db->watch_lock);
	while (*link != w)
		link = &(*link)->next;
	*link = w->next;
	atomic_fetch_sub(&db->watch_count, 1);
	pthread_mutex_unlock(&db->watch_lock);
}

struct err *
db_watch_open(struct db *db, struct arena *a, struct db_watch **out)
{
	struct db_listen *listen = NULL;
	struct db_watch *w;

	if (db->kind == DB_POSTGRES)
		TRY(db_listen_open(db, a, &listen));
	w = calloc(1, sizeof(*w));
	check(w);
	w->db = db;
	w->listen = listen;
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	check(w->wake_fd >= 0);
	join(w);
	*out = w;
	return NULL;
}

void
db_watch_close(struct db_watch *w)
{
	leave(w);
	if (w->listen)
		db_listen_close(w->listen);
	(void)close(w->wake_fd); /* holds nothing that could be lost */
	free(w);
}

/* ---- waking ----------------------------------------------------------------------------------------------------------------- */

void
db_watch_wake(struct db_watch *w)
{
	uint64_t one = 1;

	if (!atomic_exchange(&w->raised, true))
		check(write(w->wake_fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

void
db_watches_wake(struct db *db)
{
	if (atomic_load(&db->watch_count) == 0)
		return;
	pthread_mutex_lock(&db->watch_lock);
	for (struct db_watch *w = db->watches; w; w = w->next) {
		atomic_store(&w->committed, true);
		db_watch_wake(w);
	}
	pthread_mutex_unlock(&db->watch_lock);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------------------- */

/* The eventfd is emptied before the flag is taken back, so that a wake between the two is seen now or polled for later, never lost. */
static bool
take_wake(struct db_watch *w)
{
	uint64_t count;
	ssize_t n = read(w->wake_fd, &count, sizeof(count));

	check(n == (ssize_t)sizeof(count) || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	return atomic_exchange(&w->raised, false);
}

static void
sleep_until(struct db_watch *w, int64_t until_us)
{
	struct pollfd fds[2] = { { .fd = w->wake_fd, .events = POLLIN }, { .fd = -1 } };
	int64_t at_us = INT64_MAX;

	if (w->listen)
		db_listen_poll(w->listen, &fds[1], &at_us);
	int64_t left_us = (at_us < until_us ? at_us : until_us) - monotonic_us();
	if (left_us < 0)
		left_us = 0;
	/* Rounded up: a time-out of zero would spin through the last millisecond. */
	int n = poll(fds, COUNT(fds), (int)((left_us + 999) / 1000));
	check(n >= 0 || errno == EINTR);
}

bool
db_watch_wait(struct db_watch *w, int timeout_ms)
{
	int64_t until_us = monotonic_us() + timeout_ms * 1000LL;

	for (;;) {
		bool heard = w->listen && db_listen_step(w->listen);
		if (take_wake(w) || heard)
			return true;
		if (monotonic_us() >= until_us)
			return false;
		sleep_until(w, until_us);
	}
}

/* Who was woken by another process has nothing to announce: two of them would wake each other for ever. */
void
db_watch_announce(struct db_watch *w)
{
	if (atomic_exchange(&w->committed, false) && w->listen)
		db_listen_announce(w->listen);
}
