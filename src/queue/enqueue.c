/*
 * Enqueueing and cancelling by key, in the caller's transaction. A request under a key first looks for a job that serves it already and
 * holds that one in place until the caller's transaction ends; otherwise a job claimed a moment too early would not see the change that
 * the request is about, and nobody would run for it.
 */
#include "base/limits.h"
#include "queue/job_sql.h"
#include "queue/runner.h"

/* A transaction that enqueues moves this epoch, which is no company's: the process's own runner then looks at once. */
#define JOB_EPOCH (-1)

struct str
job_queue_of(struct str kind)
{
	return str_sub(kind, 0, str_index(kind, '.', 0));
}

uint64_t
job_epoch(const struct db *db)
{
	return db_epoch(db, JOB_EPOCH);
}

void
job_touch(struct db_tx *tx)
{
	db_tx_touch(tx, JOB_EPOCH);
}

/* *found: a job that waits or runs has taken the request. */
static struct err *
join(struct db_tx *tx, const struct db_param *p, int64_t *id, bool *found)
{
	struct db_rows rows;

	TRY(db_find(tx, &sql_job_serving_find, p, 6, &rows, found));
	if (!*found)
		TRY(db_find(tx, &sql_job_join, p, 6, &rows, found));
	if (*found)
		*id = db_int(&rows, 0);
	return NULL;
}

static struct err *
add(struct db_tx *tx, struct instant now, const struct db_param *p, int64_t *id)
{
	struct db_rows rows;
	bool found;
	int64_t next;

	TRY(db_next_id(tx, "job", &next));
	TRY(DB_FIND(tx, &sql_job_add, &rows, &found, p[0], P_INT(next), p[1], P_TEXT(job_queue_of(p[1].s)),
		p[2], p[3], p[5], p[4], P_INSTANT(now)));
	*id = found ? db_int(&rows, 0) : next;
	return NULL;
}

struct err *
job_enqueue(struct db_tx *tx, struct instant now, const struct job_request *q, int64_t *id)
{
	struct instant at = q->at.us > now.us ? q->at : now;
	const struct db_param p[] = { P_INT(q->company_id), P_TEXT(str_from_cstr(q->kind)),
		q->key.n ? P_TEXT(q->key) : P_NULL, P_TEXT(q->payload.n ? q->payload : STR("{}")),
		P_INSTANT(at), P_INT(q->priority) };
	int64_t made = 0;
	bool found = false;

	check(q->priority >= -JOB_PRIORITY_MAX && q->priority <= JOB_PRIORITY_MAX);
	if (q->payload.n > LIMIT_JOB_PAYLOAD_BYTES)
		return err_private(db_tx_arena(tx), ERR_TOO_LARGE, "a payload of %zu bytes for %s",
			q->payload.n, q->kind);
	if (q->key.n)
		TRY(join(tx, p, &made, &found));
	if (!found)
		TRY(add(tx, now, p, &made));
	job_touch(tx);
	if (id)
		*id = made;
	return NULL;
}

struct err *
job_cancel_key(struct db_tx *tx, struct instant now, const struct job_request *of, bool *found)
{
	const struct db_param p[] = { P_INT(of->company_id), P_TEXT(str_from_cstr(of->kind)), P_TEXT(of->key),
		P_INSTANT(now) };
	int64_t waiting, running;

	TRY(db_exec(tx, &sql_job_cancel_waiting_key, p, COUNT(p), &waiting));
	TRY(db_exec(tx, &sql_job_cancel_running_key, p, COUNT(p) - 1, &running));
	job_touch(tx);
	*found = waiting || running;
	return NULL;
}
