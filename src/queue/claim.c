/*
 * Claiming what is due, and taking over what runners have left behind. A job under which a runner died is a suspect; whoever killed the
 * runner is one of those that died with it. Suspects run beside each other as long as all of them have chances left. One at its last
 * chance, which the next crash makes poison, runs beside no other suspect of the process, so the mark falls on the job that earned it.
 */
#include "base/limits.h"
#include "base/log.h"
#include "queue/job_sql.h"
#include "queue/runner.h"
#include <stdlib.h>

#define LEASE_ARENA_BYTES (4u * LIMIT_JOB_PAYLOAD_BYTES)

int64_t
runner_lease_end(const struct job_runner *r)
{
	return monotonic_us() + r->clock_offset_us + r->lease_us;
}

/* Of a job that is claimed beside others: any number that leaves it chances, or none while suspects may not begin. */
int64_t
runner_crashes_allowed(const struct runner_round *w)
{
	return w->suspects ? INT64_MAX : 0;
}

/* ---- leases ----------------------------------------------------------------------------------------------------------------- */

void
runner_lease_free(struct job_lease *l)
{
	arena_free(l->arena);
}

/* From a row of the claim statements. */
static struct job_lease *
lease_new(struct runner_queue *q, struct instant now, const struct db_rows *row)
{
	struct arena *a = arena_new(LEASE_ARENA_BYTES);
	struct job_lease *l = arena_new_of(a, struct job_lease);

	*l = (struct job_lease){ .arena = a, .runner = q->runner, .queue = q };
	l->company_id = db_int(row, 0);
	l->id = db_int(row, 1);
	l->kind = runner_kind(q->runner, db_text(row, 2));
	l->key = arena_str(a, db_text(row, 3));
	l->payload = arena_str(a, db_text(row, 4));
	l->attempt = (int)db_int(row, 5);
	l->crashes = (int)db_int(row, 6);
	l->run_at = db_int(row, 7);
	l->priority = db_int(row, 8);
	l->last_chance = db_int(row, 9);
	l->started_at = now.us;
	l->until_us = monotonic_us() + q->runner->lease_us;
	check(l->kind);
	return l;
}

static struct err *
take_rows(struct runner_round *w, size_t i, struct db_rows *rows)
{
	bool row;

	for (;;) {
		TRY(db_next(rows, &row));
		if (!row)
			return NULL;
		struct job_lease *l = lease_new(&w->r->queues[i], w->now, rows);
		l->next = w->claimed[i];
		w->claimed[i] = l;
		w->claimed_count[i]++;
		w->suspect_claimed = w->suspect_claimed || l->crashes;
	}
}

/* ---- claiming --------------------------------------------------------------------------------------------------------------- */

static struct err *
claim_queue(struct db_tx *tx, struct runner_round *w, size_t i)
{
	struct job_runner *r = w->r;
	struct runner_queue *q = &r->queues[i];
	int64_t priority = JOB_PRIORITY_MAX + 1, crashes = runner_crashes_allowed(w);

	while (w->claimed_count[i] < w->room[i]) {
		struct db_rows rows;
		bool found;
		TRY(DB_FIND(tx, &sql_job_priority_next, &rows, &found, P_TEXT(q->name), P_INT(priority),
			P_INT(crashes)));
		if (!found)
			return NULL;
		priority = db_int(&rows, 0);
		TRY(DB_QUERY(tx, &sql_job_claim, &rows, P_TEXT(q->name), P_INT(priority), P_INSTANT(w->now),
			P_TEXT(q->kinds), P_INT(w->room[i] - w->claimed_count[i]), P_TEXT(r->name),
			P_INT(runner_lease_end(r)), P_INT(crashes)));
		TRY(take_rows(w, i, &rows));
	}
	return NULL;
}

static struct err *
claim_last_chance(struct db_tx *tx, struct runner_round *w)
{
	struct job_runner *r = w->r;

	for (size_t i = 0; i < r->queue_count && !w->suspect_claimed; i++) {
		struct runner_queue *q = &r->queues[i];
		struct db_rows rows;
		bool found;
		TRY(DB_FIND(tx, &sql_job_last_chance_find, &rows, &found, P_TEXT(q->name), P_INSTANT(w->now),
			P_TEXT(q->kinds)));
		if (!found)
			continue;
		TRY(DB_QUERY(tx, &sql_job_claim_last_chance, &rows, P_TEXT(q->name), P_INSTANT(w->now),
			P_TEXT(q->kinds), P_TEXT(r->name), P_INT(runner_lease_end(r))));
		TRY(take_rows(w, i, &rows));
	}
	return NULL;
}

static int
before(const void *x, const void *y)
{
	const struct job_lease *const *a = x, *const *b = y;

	if ((*a)->priority != (*b)->priority)
		return (*a)->priority > (*b)->priority ? -1 : 1;
	if ((*a)->run_at != (*b)->run_at)
		return (*a)->run_at < (*b)->run_at ? -1 : 1;
	return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

/* The rows of an UPDATE come in no order: first the urgent, then the older. */
static void
put_in_order(struct arena *a, struct job_lease **list, int count)
{
	struct job_lease **all = arena_alloc_array(a, (size_t)count, sizeof(struct job_lease *)),
			 **link = list;
	int n = 0;

	for (struct job_lease *l = *list; l; l = l->next)
		all[n++] = l;
	qsort(all, (size_t)n, sizeof(struct job_lease *), before);
	for (int i = 0; i < n; i++, link = &(*link)->next)
		*link = all[i];
	*link = NULL;
}

struct err *
runner_claim(struct db_tx *tx, struct runner_round *w)
{
	for (size_t i = 0; i < w->r->queue_count; i++)
		TRY(claim_queue(tx, w, i));
	if (w->last_chance)
		TRY(claim_last_chance(tx, w));
	for (size_t i = 0; i < w->r->queue_count; i++)
		if (w->claimed_count[i] > 1)
			put_in_order(db_tx_arena(tx), &w->claimed[i], w->claimed_count[i]);
	return NULL;
}

/* ---- leases that ran out ---------------------------------------------------------------------------------------------------- */

struct expired {
	struct expired *next;
	int64_t company_id, id;
	struct str kind, key, owner;
	int64_t crashes, attempt;
	bool cancelled;
};

static struct err *
set_aside(struct db_tx *tx, struct instant now, const struct expired *x)
{
	struct str error = x->cancelled ? STR("Cancelled; its runner ended without a word.")
					: arena_fmt(db_tx_arena(tx),
						  "The process died %lld times while it ran this job.",
						  (long long)x->crashes + 1);

	LOG(x->cancelled ? LOG_WARN : LOG_ERROR,
		x->cancelled ? "a cancelled job's runner died" : "a job is poison", L_STR("kind", x->kind),
		L_INT("company_id", x->company_id), L_INT("job", x->id), L_STR("key", x->key),
		L_INT("crashes", x->crashes + 1), L_STR("runner", x->owner));
	return DB_EXEC(tx, &sql_job_set_aside, P_INT(x->company_id), P_INT(x->id),
		P_TEXT(x->cancelled ? STR("cancelled") : STR("poison")), P_INSTANT(now), P_TEXT(error));
}

static int64_t
crashes_max(const struct runner_round *w, struct str kind)
{
	const struct job_kind *k = runner_kind(w->r, kind);
	return k && k->crashes_max ? k->crashes_max : LIMIT_JOB_CRASHES;
}

static struct err *
take_over(struct db_tx *tx, const struct runner_round *w, const struct expired *x)
{
	if (x->cancelled || x->crashes + 1 >= crashes_max(w, x->kind))
		return set_aside(tx, w->now, x);
	LOG(LOG_WARN, "a job's runner died; it runs again", L_STR("kind", x->kind),
		L_INT("company_id", x->company_id), L_INT("job", x->id), L_STR("key", x->key),
		L_INT("attempt", x->attempt), L_STR("runner", x->owner));
	if (x->key.n)
		TRY(DB_EXEC(tx, &sql_job_twin_remove, P_INT(x->company_id), P_INT(x->id)));
	return DB_EXEC(tx, &sql_job_take_over, P_INT(x->company_id), P_INT(x->id), P_INSTANT(w->now),
		P_INT(x->crashes + 2 >= crashes_max(w, x->kind)));
}

struct err *
runner_take_over(struct db_tx *tx, struct runner_round *w)
{
	struct expired *all = NULL, **link = &all;
	struct db_rows rows;
	bool row;
	/* Alone and with nothing claimed yet, every lease has been left behind, however long it still is. */
	int64_t before_us = w->left_behind ? INT64_MAX : runner_lease_end(w->r) - w->r->lease_us;

	TRY(DB_QUERY(tx, &sql_job_expired_list, &rows, P_INT(before_us)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		struct expired *x = arena_new_of(db_tx_arena(tx), struct expired);
		*x = (struct expired){ .company_id = db_int(&rows, 0),
			.id = db_int(&rows, 1),
			.kind = db_text_copy(&rows, 2),
			.key = db_text_copy(&rows, 3),
			.crashes = db_int(&rows, 4),
			.cancelled = db_int(&rows, 5),
			.owner = db_text_copy(&rows, 6),
			.attempt = db_int(&rows, 7) };
		*link = x;
		link = &x->next;
	}
	for (const struct expired *x = all; x; x = x->next)
		TRY(take_over(tx, w, x));
	w->expired_more = all;
	return NULL;
}
