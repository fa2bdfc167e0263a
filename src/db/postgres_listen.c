/*
 * The connection of a watch: it listens for what other processes announce, and announces for this one. Nothing here waits for the
 * server but the connecting itself. An announcement is a statement of its own and not part of the writes, because PostgreSQL lets only
 * one transaction that notifies commit at a time.
 */
#include "base/log.h"
#include "db/postgres.h"
#include "db/watch.h"
#include <poll.h>

#define CHANNEL		   "sextant"
#define FIRST_RECONNECT_US 100000
#define LAST_RECONNECT_US  5000000

struct db_listen {
	struct db *db;
	PGconn *handle; /* NULL: lost */
	bool sending;	/* an announcement is under way */
	bool waiting;	/* another one shall follow */
	int64_t reconnect_at_us, reconnect_after_us;
};

/* ---- connecting ------------------------------------------------------------------------------------------------------------- */

static bool
is_listening(PGconn *handle)
{
	if (PQstatus(handle) != CONNECTION_OK)
		return false;
	PGresult *r = PQexec(handle, "LISTEN " CHANNEL);
	bool done = r && PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	return done && PQsetnonblocking(handle, 1) == 0;
}

static PGconn *
connect_listening(struct db *db)
{
	PGconn *handle = db_postgres_dial(db);

	if (is_listening(handle))
		return handle;
	PQfinish(handle);
	return NULL;
}

struct err *
db_listen_open(struct db *db, struct arena *a, struct db_listen **out)
{
	struct db_listen *l;
	PGconn *handle = connect_listening(db);

	if (!handle)
		return err_private(a, ERR_UNAVAILABLE, "cannot listen on the PostgreSQL database");
	l = calloc(1, sizeof(*l));
	check(l);
	*l = (struct db_listen){ .db = db, .handle = handle, .reconnect_after_us = FIRST_RECONNECT_US };
	*out = l;
	return NULL;
}

void
db_listen_close(struct db_listen *l)
{
	if (l->handle)
		PQfinish(l->handle);
	free(l);
}

/* What was being announced may not have been heard: it is announced again. */
static void
lose(struct db_listen *l)
{
	LOG(LOG_WARN, "the listening connection to the database is lost");
	PQfinish(l->handle);
	l->handle = NULL;
	l->waiting = l->waiting || l->sending;
	l->sending = false;
	l->reconnect_at_us = monotonic_us();
	l->reconnect_after_us = FIRST_RECONNECT_US;
}

/* True when it listens again. */
static bool
reconnect(struct db_listen *l)
{
	if (monotonic_us() < l->reconnect_at_us)
		return false;
	l->handle = connect_listening(l->db);
	if (l->handle)
		return true;
	l->reconnect_at_us = monotonic_us() + l->reconnect_after_us;
	l->reconnect_after_us *= 2;
	if (l->reconnect_after_us > LAST_RECONNECT_US)
		l->reconnect_after_us = LAST_RECONNECT_US;
	return false;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------ */

static void
take_results(struct db_listen *l)
{
	while (l->sending && !PQisBusy(l->handle)) {
		PGresult *r = PQgetResult(l->handle);
		l->sending = r;
		PQclear(r);
	}
}

/* Whether one of them is of another connection. */
static bool
take_notifications(struct db_listen *l)
{
	bool heard = false;
	PGnotify *n;

	while ((n = PQnotifies(l->handle))) {
		heard = heard || n->be_pid != PQbackendPID(l->handle);
		PQfreemem(n);
	}
	return heard;
}

/* False: the connection is lost. */
static bool
exchange(struct db_listen *l)
{
	if (!PQconsumeInput(l->handle) || PQstatus(l->handle) != CONNECTION_OK)
		return false;
	take_results(l);
	if (l->waiting && !l->sending) {
		l->sending = PQsendQuery(l->handle, "NOTIFY " CHANNEL);
		if (!l->sending)
			return false;
		l->waiting = false;
	}
	return PQflush(l->handle) >= 0;
}

bool
db_listen_step(struct db_listen *l)
{
	bool again = !l->handle && reconnect(l);
	bool heard;

	if (!l->handle)
		return false;
	if (!exchange(l)) {
		lose(l);
		return again;
	}
	heard = take_notifications(l);
	return heard || again;
}

void
db_listen_announce(struct db_listen *l)
{
	l->waiting = true;
}

void
db_listen_poll(const struct db_listen *l, struct pollfd *out, int64_t *at_us)
{
	*out = (struct pollfd){ .fd = -1 };
	*at_us = INT64_MAX;
	if (!l->handle) {
		*at_us = l->reconnect_at_us;
		return;
	}
	out->fd = PQsocket(l->handle);
	/* Writable is asked for only while something waits to be sent: a notification fits any socket's buffer otherwise. */
	out->events = POLLIN;
	if (l->sending && PQflush(l->handle) == 1)
		out->events |= POLLOUT;
}
