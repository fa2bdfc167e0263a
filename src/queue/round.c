/*
 * A round of the dispatcher as one transaction: how runs ended, leases renewed, leases taken over, schedules fired, jobs claimed. A run's
 * end is stored only under the lease it ran with; when another runner has taken the job over meanwhile, the end is forgotten, and the
 * crash that was counted against the job is taken back, because nothing has crashed; unless its run was given up, which counts as one.
 */
#include "base/limits.h"
#include "base/log.h"
#include "queue/job_sql.h"
#include "queue/runner.h"

static struct db_param
text_or_null(struct str s)
{
	return s.n ? P_TEXT(s) : P_NULL;
}

static struct str
note_of(const struct job_lease *l)
{
	return (struct str){ l->note, l->note_len };
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------- */

#define OVER_WIDTH 11 /* parameters of job_end */

static struct str
over_state(enum job_outcome outcome)
{
	return outcome == JOB_DONE ? STR("done") : outcome == JOB_DEAD ? STR("dead") : STR("cancelled");
}

static void
over_params(const struct job_lease *l, struct db_param *p)
{
	const struct db_param all[OVER_WIDTH] = { P_INT(l->company_id), P_INT(l->id), P_TEXT(l->runner->name),
		P_TEXT(over_state(l->outcome)), P_INSTANT(l->at), text_or_null(l->error),
		text_or_null(l->result), P_INT(l->done), P_INT(l->total), text_or_null(note_of(l)),
		P_INT(l->started_at) };

	memcpy(p, all, sizeof(all));
}

static bool
is_over(const struct job_lease *l)
{
	return l->outcome == JOB_DONE || l->outcome == JOB_DEAD || l->outcome == JOB_CANCELLED;
}

/* Done, of a kind that leaves no row, unless it was asked for again. */
static struct err *
store_forgotten(struct db_tx *tx, const struct job_lease *l, int64_t *affected)
{
	const struct db_param claim[] = { P_INT(l->company_id), P_INT(l->id), P_TEXT(l->runner->name),
		P_INT(l->started_at) };
	struct db_param p[OVER_WIDTH];

	over_params(l, p);
	TRY(db_exec(tx, &sql_job_end_forgotten, claim, COUNT(claim), affected));
	return *affected ? NULL : db_exec(tx, &sql_job_end, p, OVER_WIDTH, affected);
}

struct err *
job_done_with(struct db_tx *tx, struct job_run *r)
{
	struct job_lease *l = r->lease;
	const struct db_param claim[] = { P_INT(l->company_id), P_INT(l->id), P_TEXT(l->runner->name),
		P_INT(l->started_at) };
	int64_t affected;

	check(l->kind->forgets && !l->key.n);
	TRY(db_exec(tx, &sql_job_end_forgotten, claim, COUNT(claim), &affected));
	l->ends_itself = affected > 0;
	return affected ? NULL : err_private(db_tx_arena(tx), ERR_UNAVAILABLE, "the lease was lost");
}

static struct err *
store_waiting(struct db_tx *tx, const struct job_lease *l, int64_t *affected)
{
	bool fresh = l->outcome == JOB_AGAIN;
	int attempt = fresh ? 0 : l->outcome == JOB_RELEASED ? l->attempt - 1 : l->attempt;
	const struct db_param p[] = { P_INT(l->company_id), P_INT(l->id), P_TEXT(l->runner->name),
		P_INSTANT(l->at), P_INT(fresh), P_INT(attempt), text_or_null(l->error),
		text_or_null(l->result), P_INT(l->done), P_INT(l->total), text_or_null(note_of(l)),
		P_INT(l->started_at) };

	if (l->key.n)
		TRY(DB_EXEC(tx, &sql_job_twin_yield, P_INT(l->company_id), P_INT(l->id),
			P_TEXT(l->runner->name), P_INT(l->started_at)));
	return db_exec(tx, &sql_job_wait, p, COUNT(p), affected);
}

static struct err *
take_poison_back(struct db_tx *tx, struct instant now, const struct job_lease *l)
{
	LOG(LOG_WARN, "a job is not poison after all", L_CSTR("kind", l->kind->name),
		L_INT("company_id", l->company_id), L_INT("job", l->id));
	if (l->key.n) {
		TRY(DB_EXEC(tx, &sql_job_poison_payload, P_INT(l->company_id), P_INT(l->id)));
		TRY(DB_EXEC(tx, &sql_job_twin_remove, P_INT(l->company_id), P_INT(l->id)));
	}
	return DB_EXEC(tx, &sql_job_poison_take_back, P_INT(l->company_id), P_INT(l->id), P_INSTANT(now));
}

/* A poison mark that counts this runner's death among others is as wrong as the count. */
static struct err *
take_crash_back(struct db_tx *tx, struct instant now, const struct job_lease *l)
{
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(tx, &sql_job_state, &rows, &found, P_INT(l->company_id), P_INT(l->id)));
	if (found && str_eq(db_text(&rows, 0), STR("poison")))
		return take_poison_back(tx, now, l);
	return DB_EXEC(tx, &sql_job_crash_take_back, P_INT(l->company_id), P_INT(l->id));
}

static struct err *
forget_lost(struct db_tx *tx, const struct runner_round *w, const struct job_lease *l, int64_t affected)
{
	if (affected || w->doubtful || l->ends_itself)
		return NULL;
	LOG(LOG_WARN, "a job ran under a lease that was lost", L_CSTR("kind", l->kind->name),
		L_INT("company_id", l->company_id), L_INT("job", l->id), L_INT("attempt", l->attempt));
	return l->given_up ? NULL : take_crash_back(tx, w->now, l);
}

/* Most runs end this way: together, because on PostgreSQL each statement alone would be a round trip. */
static struct err *
store_over(struct db_tx *tx, const struct runner_round *w, const struct job_lease **over, size_t count)
{
	struct db_param *p = arena_alloc_array(db_tx_arena(tx), count * OVER_WIDTH, sizeof(*p));
	int64_t *affected = arena_alloc_array(db_tx_arena(tx), count, sizeof(*affected));

	for (size_t i = 0; i < count; i++)
		over_params(over[i], p + i * OVER_WIDTH);
	if (count)
		TRY(db_exec_many(tx, &sql_job_end, p, OVER_WIDTH, count, affected));
	for (size_t i = 0; i < count; i++)
		TRY(forget_lost(tx, w, over[i], affected[i]));
	return NULL;
}

static struct err *
store_ends(struct db_tx *tx, const struct runner_round *w)
{
	const struct job_lease **over;
	size_t count = 0;
	int64_t affected;

	for (const struct job_lease *l = w->ended; l; l = l->next)
		count++;
	over = arena_alloc_array(db_tx_arena(tx), count, sizeof(const struct job_lease *));
	count = 0;
	for (const struct job_lease *l = w->ended; l; l = l->next) {
		if (l->outcome == JOB_DONE && l->ends_itself)
			continue;
		if (is_over(l) && !(l->outcome == JOB_DONE && l->kind->forgets)) {
			over[count++] = l;
			continue;
		}
		TRY(is_over(l) ? store_forgotten(tx, l, &affected) : store_waiting(tx, l, &affected));
		TRY(forget_lost(tx, w, l, affected));
	}
	return store_over(tx, w, over, count);
}

/* ---- while they run --------------------------------------------------------------------------------------------------------- */

static struct err *
renew(struct db_tx *tx, struct runner_round *w)
{
	enum { WIDTH = 4 };
	struct arena *a = db_tx_arena(tx);
	struct db_param *p = arena_alloc_array(a, w->renew_count * WIDTH, sizeof(*p));
	int64_t *affected = arena_alloc_array(a, w->renew_count, sizeof(*affected));

	for (size_t i = 0; i < w->renew_count; i++) {
		p[i * WIDTH] = P_INT(w->renew[i]->company_id);
		p[i * WIDTH + 1] = P_INT(w->renew[i]->id);
		p[i * WIDTH + 2] = P_TEXT(w->r->name);
		p[i * WIDTH + 3] = P_INT(runner_lease_end(w->r));
	}
	TRY(db_exec_many(tx, &sql_job_renew, p, WIDTH, w->renew_count, affected));
	for (size_t i = 0; i < w->renew_count; i++)
		w->renewed[i] = affected[i] != 0;
	return NULL;
}

static struct err *
store_progress(struct db_tx *tx, const struct runner_round *w)
{
	for (size_t i = 0; i < w->progress_count; i++) {
		const struct runner_progress *x = &w->progress[i];
		TRY(DB_EXEC(tx, &sql_job_progress_put, P_INT(x->lease->company_id), P_INT(x->lease->id),
			P_TEXT(w->r->name), P_INT(x->done), P_INT(x->total), text_or_null(x->note)));
	}
	return NULL;
}

static bool
is_held(const struct runner_round *w, int64_t company_id, int64_t id, int64_t started_at)
{
	for (size_t i = 0; i < w->held_count; i++)
		if (w->held[i].company_id == company_id && w->held[i].id == id &&
			w->held[i].started_at == started_at)
			return true;
	return false;
}

/* A commit whose answer was lost may have claimed jobs that nobody holds: they go back as if it had not. */
static struct err *
release_unheld(struct db_tx *tx, const struct runner_round *w)
{
	struct db_rows rows;
	bool row;
	struct runner_held *all = NULL;
	size_t count = 0;

	TRY(DB_QUERY(tx, &sql_job_owned_list, &rows, P_TEXT(w->r->name)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		struct runner_held x = { db_int(&rows, 0), db_int(&rows, 1), db_int(&rows, 2) };
		if (is_held(w, x.company_id, x.id, x.started_at))
			continue;
		all = arena_grow(db_tx_arena(tx), all, count * sizeof(x), (count + 1) * sizeof(x));
		all[count++] = x;
	}
	for (size_t i = 0; i < count; i++) {
		TRY(DB_EXEC(tx, &sql_job_twin_remove, P_INT(all[i].company_id), P_INT(all[i].id)));
		TRY(DB_EXEC(tx, &sql_job_unclaim, P_INT(all[i].company_id), P_INT(all[i].id),
			P_TEXT(w->r->name)));
	}
	return NULL;
}

/* ---- the round -------------------------------------------------------------------------------------------------------------- */

/* The transaction may run again: what it claimed before was not claimed. */
void
runner_round_forget(struct runner_round *w)
{
	for (size_t i = 0; i < w->r->queue_count; i++) {
		for (struct job_lease *l = w->claimed[i], *next; l; l = next) {
			next = l->next;
			runner_lease_free(l);
		}
		w->claimed[i] = NULL;
		w->claimed_count[i] = 0;
	}
	w->suspect_claimed = w->expired_more = false;
}

struct err *
runner_round_store(struct db_tx *tx, void *arg)
{
	struct runner_round *w = arg;

	runner_round_forget(w);
	TRY(store_ends(tx, w));
	if (w->renew_count)
		TRY(renew(tx, w));
	TRY(store_progress(tx, w));
	if (w->doubtful)
		TRY(release_unheld(tx, w));
	if (w->expired || w->left_behind)
		TRY(runner_take_over(tx, w));
	if (w->schedules)
		TRY(job_schedules_fire(tx, w->r, w->now));
	return runner_claim(tx, w);
}
