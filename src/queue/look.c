/*
 * Looking whether there is something to do: a read, so that an idle server leaves its database alone. It also tells the database's clock,
 * by which leases are counted, and which running jobs somebody has cancelled.
 */
#include "queue/job_sql.h"
#include "queue/runner.h"

struct look {
	struct runner_round *w;
	bool due[JOB_QUEUES_MAX], last_chance; /* one at its last chance is due */
	struct runner_held *cancelled;
	size_t cancelled_count;
};

static struct err *
look_at_queues(struct db_tx *tx, struct look *k)
{
	struct runner_round *w = k->w;
	struct db_rows rows;
	bool found;

	for (size_t i = 0; i < w->r->queue_count; i++) {
		struct str name = w->r->queues[i].name;
		if (w->room[i] > 0) {
			TRY(DB_FIND(tx, &sql_job_due_find, &rows, &found, P_TEXT(name), P_INSTANT(w->now),
				P_INT(runner_crashes_allowed(w))));
			k->due[i] = found;
		}
		if (!w->last_chance_held && !k->last_chance) {
			TRY(DB_FIND(tx, &sql_job_last_chance_find, &rows, &found, P_TEXT(name),
				P_INSTANT(w->now), P_TEXT(w->r->queues[i].kinds)));
			k->last_chance = found;
		}
	}
	return NULL;
}

static struct err *
look_for_cancelled(struct db_tx *tx, struct look *k)
{
	struct db_rows rows;
	bool row;

	TRY(DB_QUERY(tx, &sql_job_cancelled_list, &rows, P_TEXT(k->w->r->name)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return NULL;
		struct runner_held x = { .company_id = db_int(&rows, 0), .id = db_int(&rows, 1) };
		k->cancelled = arena_grow(db_tx_arena(tx), k->cancelled, k->cancelled_count * sizeof(x),
			(k->cancelled_count + 1) * sizeof(x));
		k->cancelled[k->cancelled_count++] = x;
	}
}

static struct err *
look_work(struct db_tx *tx, void *arg)
{
	struct look *k = arg;
	struct runner_round *w = k->w;
	struct db_rows rows;
	bool found;

	*k = (struct look){ .w = w };
	TRY(DB_FIND(tx, &sql_job_look, &rows, &found, P_INSTANT(w->now), P_TEXT(w->r->kinds)));
	w->r->clock_offset_us = db_int(&rows, 0) - monotonic_us();
	w->expired = db_int(&rows, 1);
	w->schedules = db_int(&rows, 2);
	TRY(look_for_cancelled(tx, k));
	return look_at_queues(tx, k);
}

static void
stop_cancelled(struct job_runner *r, const struct look *k)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < k->cancelled_count; i++)
		for (struct job_lease *l = r->held; l; l = l->older)
			if (l->company_id == k->cancelled[i].company_id && l->id == k->cancelled[i].id)
				atomic_fetch_or(&l->stop, JOB_STOP_CANCEL);
	pthread_mutex_unlock(&r->lock);
}

/* One that is due waits while suspects are held; since when is remembered, so that they cannot keep it waiting for ever. */
static void
note_last_chance(struct job_runner *r, struct runner_round *w, bool due)
{
	w->last_chance = w->last_chance && due;
	if (!due)
		r->last_chance_due_us = 0;
	else if (!r->last_chance_due_us)
		r->last_chance_due_us = monotonic_us();
}

struct err *
runner_look(struct job_runner *r, struct runner_round *w)
{
	struct look k = { .w = w };

	TRY(db_read(r->options.db, r->scratch, look_work, &k));
	stop_cancelled(r, &k);
	note_last_chance(r, w, k.last_chance);
	for (size_t i = 0; i < r->queue_count; i++) {
		if (w->room[i] <= 0)
			r->queues[i].more = true; /* not looked at: nobody knows */
		else if (!k.due[i])
			w->room[i] = 0;
	}
	r->looked_us = monotonic_us();
	return NULL;
}
