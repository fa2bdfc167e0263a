/* See the header. A retried job of a key makes way when another of the key waits: there is nothing that it would do more. */
#include "queue/job_list.h"
#include "base/limits.h"
#include "queue/job_sql.h"
#include "queue/runner.h"
#include <stdlib.h>

/* ---- one job ---------------------------------------------------------------------------------------------------------------- */

/* *state lives until the next statement. */
static struct err *
read_state(struct db_tx *tx, int64_t company_id, int64_t id, struct str *state)
{
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(tx, &sql_job_state, &rows, &found, P_INT(company_id), P_INT(id)));
	if (!found)
		return err_word(
			err_new(db_tx_arena(tx), ERR_NOT_FOUND, "There is no such job."), "JOB_NOT_FOUND");
	*state = db_text_copy(&rows, 0);
	return NULL;
}

struct err *
job_cancel(struct db_tx *tx, struct instant now, int64_t company_id, int64_t id)
{
	struct str state;

	TRY(read_state(tx, company_id, id, &state));
	job_touch(tx);
	if (str_eq(state, STR("running")))
		return DB_EXEC(tx, &sql_job_cancel_running, P_INT(company_id), P_INT(id));
	if (str_eq(state, STR("waiting")) || str_eq(state, STR("poison")))
		return DB_EXEC(tx, &sql_job_cancel_waiting, P_INT(company_id), P_INT(id), P_INSTANT(now));
	return err_word(
		err_new(db_tx_arena(tx), ERR_CONFLICT, "The job is over: it is %.*s.", STR_ARG(state)),
		"JOB_OVER");
}

static struct err *
find_twin(struct db_tx *tx, int64_t company_id, int64_t id, bool *found)
{
	struct db_rows rows;

	return DB_FIND(tx, &sql_job_twin_find, &rows, found, P_INT(company_id), P_INT(id));
}

struct err *
job_retry(struct db_tx *tx, struct instant now, int64_t company_id, int64_t id)
{
	struct str state;
	bool twin;

	TRY(read_state(tx, company_id, id, &state));
	if (str_eq(state, STR("running")) || str_eq(state, STR("done")))
		return err_word(err_new(db_tx_arena(tx), ERR_CONFLICT, "The job is %.*s.", STR_ARG(state)),
			"JOB_NOT_FAILED");
	TRY(find_twin(tx, company_id, id, &twin));
	if (twin)
		return err_word(
			err_new(db_tx_arena(tx), ERR_CONFLICT, "Another job of its key is waiting already."),
			"JOB_WAITS_ALREADY");
	job_touch(tx);
	return DB_EXEC(tx, &sql_job_retry, P_INT(company_id), P_INT(id), P_INSTANT(now));
}

/* ---- queues ----------------------------------------------------------------------------------------------------------------- */

struct queues {
	struct arena *arena;
	struct job_queue_figures *all;
	size_t count;
};

static struct job_queue_figures *
figures_of(struct queues *q, struct str name)
{
	for (size_t i = 0; i < q->count; i++)
		if (str_eq(q->all[i].name, name))
			return &q->all[i];
	q->all = arena_grow(q->arena, q->all, q->count * sizeof(*q->all), (q->count + 1) * sizeof(*q->all));
	q->all[q->count] = (struct job_queue_figures){ .name = arena_str(q->arena, name) };
	return &q->all[q->count++];
}

static void
add_figures(struct queues *q, const struct db_rows *row)
{
	struct job_queue_figures *f = figures_of(q, db_text(row, 0));
	struct str state = db_text(row, 1);

	if (str_eq(state, STR("running")))
		f->running = db_int(row, 2);
	else if (str_eq(state, STR("poison")))
		f->poison = db_int(row, 2);
	else {
		f->later = db_int(row, 2) - db_int(row, 3);
		f->due = db_int(row, 3);
		f->oldest.us = f->due ? db_int(row, 4) : 0;
	}
}

static int
by_name(const void *x, const void *y)
{
	return str_cmp(
		((const struct job_queue_figures *)x)->name, ((const struct job_queue_figures *)y)->name);
}

struct err *
job_queues_read(struct db_tx *tx, struct instant now, const struct job_kind *const *kinds,
	struct job_queue_figures **out, size_t *count)
{
	struct queues q = { .arena = db_tx_arena(tx) };
	struct db_rows rows;

	for (; *kinds; kinds++)
		(void)figures_of(
			&q, job_queue_of(str_from_cstr((*kinds)->name))); /* made by being asked for */
	TRY(DB_QUERY(tx, &sql_job_figures, &rows, P_INSTANT(now)));
	for (bool row;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		add_figures(&q, &rows);
	}
	TRY(DB_QUERY(tx, &sql_job_queue_paused_list, &rows));
	for (bool row;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		figures_of(&q, db_text(&rows, 0))->paused = true;
	}
	qsort(q.all, q.count, sizeof(*q.all), by_name);
	*out = q.all;
	*count = q.count;
	return NULL;
}

struct err *
job_queue_pause(struct db_tx *tx, struct str queue, bool paused)
{
	job_touch(tx);
	return DB_EXEC(tx, &sql_job_queue_pause, P_TEXT(queue), P_INT(paused));
}

/* ---- history ---------------------------------------------------------------------------------------------------------------- */

/* When the job ended behind which LIMIT_JOB_HISTORY younger ones ended well. */
static struct err *
overflow_before(struct db_tx *tx, int64_t *before_us)
{
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(tx, &sql_job_history_overflow, &rows, &found, P_INT(LIMIT_JOB_HISTORY)));
	*before_us = found ? db_int(&rows, 0) : 0;
	return NULL;
}

struct err *
job_history_prune(struct db_tx *tx, struct instant now, int64_t max, int64_t *removed)
{
	int64_t well_us = now.us - LIMIT_JOB_DAYS * INSTANT_DAY, overflow_us;

	TRY(overflow_before(tx, &overflow_us));
	const struct db_param p[] = { P_INT(well_us > overflow_us ? well_us : overflow_us),
		P_INT(now.us - LIMIT_JOB_TROUBLE_DAYS * INSTANT_DAY), P_INT(max) };
	return db_exec(tx, &sql_job_history_prune, p, COUNT(p), removed);
}
