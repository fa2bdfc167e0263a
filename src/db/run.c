/*
 * One transaction from begin to its outcome, tried again a bounded number of times. What may be tried again is decided by the driver's
 * trouble, never by the text of an error; a COMMIT whose answer was lost is never tried again.
 */
#include "base/limits.h"
#include "base/random.h"
#include "db/driver.h"
#include <errno.h>

#define FIRST_BUSY_WAIT_US 1000	 /* a conflicting transaction is over by then */
#define FIRST_LOST_WAIT_US 50000 /* a restarted server answers again within a second or two */
#define LONGEST_WAIT_US	   1000000

void
db_back_off(int attempt, int64_t first_us)
{
	int64_t most = first_us << (attempt < 10 ? attempt : 10);
	struct timespec t;

	if (most > LONGEST_WAIT_US)
		most = LONGEST_WAIT_US;
	most = most / 2 + random_below((uint32_t)(most / 2) + 1);
	t = (struct timespec){ .tv_sec = most / 1000000, .tv_nsec = most % 1000000 * 1000 };
	while (nanosleep(&t, &t) && errno == EINTR)
		continue;
}

struct err *
db_err_copy(struct arena *a, const struct err *e)
{
	struct err *copy = arena_new_of(a, struct err);

	*copy = *e;
	copy->message = arena_str(a, e->message);
	copy->detail = arena_str(a, e->detail);
	copy->fields = NULL;
	return copy;
}

struct err *
db_tx_work(struct db_tx *tx, db_work *work, void *arg)
{
	struct err *e = work(tx, arg);

	if (tx->found.cursor)
		db_rows_close(&tx->found);
	return e ? e : tx->failure;
}

/* One attempt. *trouble tells whether another one makes sense. */
static struct err *
attempt(struct db_tx *tx, db_work *work, void *arg, enum db_trouble *trouble)
{
	struct db_conn *c = tx->conn;
	struct err *e = c->driver->begin(c, tx->arena, tx->write);

	*trouble = c->trouble;
	if (e)
		return e;
	e = db_tx_work(tx, work, arg);
	*trouble = tx->failure ? tx->trouble : DB_TROUBLE_FINAL;
	if (!e) {
		e = c->driver->commit(c, tx->arena);
		*trouble = c->trouble;
	}
	if (e)
		c->driver->rollback(c);
	if (!e || *trouble == DB_TROUBLE_UNKNOWN)
		if (tx->write)
			db_tx_publish(tx);
	return e;
}

/* Whether to go on after an attempt; waits when that makes sense. A connection found dead is opened again at once the first time. */
static bool
prepare_retry(struct db *db, enum db_trouble trouble, int attempts)
{
	if (trouble != DB_TROUBLE_RETRY && trouble != DB_TROUBLE_LOST)
		return false;
	if (attempts > LIMIT_DB_RETRIES)
		return false;
	atomic_fetch_add_explicit(&db->retries, 1, memory_order_relaxed);
	if (trouble == DB_TROUBLE_RETRY)
		db_back_off(attempts - 1, FIRST_BUSY_WAIT_US);
	else if (attempts > 1)
		db_back_off(attempts - 2, FIRST_LOST_WAIT_US);
	return true;
}

struct err *
db_run_alone(struct db_conn *c, struct arena *a, bool write, db_work *work, void *arg)
{
	struct err *e = NULL;
	enum db_trouble trouble = DB_TROUBLE_NONE;

	for (int attempts = 1;; attempts++) {
		if (trouble == DB_TROUBLE_LOST)
			e = c->driver->revive(c, a);
		if (trouble != DB_TROUBLE_LOST || !e) {
			struct db_tx tx = db_tx_start(c, a, write);
			e = attempt(&tx, work, arg, &trouble);
			if (!e)
				return NULL;
		}
		if (!prepare_retry(c->db, trouble, attempts))
			break;
	}
	if (e->code == ERR_UNAVAILABLE && !e->retry_after_s)
		e->retry_after_s = 1;
	return e;
}
