/*
 * Watches within the room: the commit path wakes them, and on PostgreSQL each has a connection that listens (postgres_listen.c).
 * Private to the room.
 */
#ifndef DB_WATCH_H
#define DB_WATCH_H

#include "db/driver.h"

/* After a commit that somebody may wait for. Costs a load when nobody watches. */
void db_watches_wake(struct db *db);

/* A listening connection; used by the one thread that waits. */
struct db_listen;
struct err *db_listen_open(struct db *db, struct arena *a, struct db_listen **out) MUST_USE;
void db_listen_close(struct db_listen *l);
/*
 * Takes what has arrived, sends what waits, opens a lost connection again when that is due. True: another process has announced
 * something, or it may have while the connection was lost.
 */
bool db_listen_step(struct db_listen *l);
/* Sends an announcement with the next step; several become one. */
void db_listen_announce(struct db_listen *l);
/* What to poll for (fd −1: nothing, the connection is lost), and in *at_us the monotonic time of the next step that needs no input. */
struct pollfd;
void db_listen_poll(const struct db_listen *l, struct pollfd *out, int64_t *at_us);

#endif
