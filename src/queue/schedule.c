/*
 * Schedules: rows with the slot that comes next. Moving a row to its next slot and enqueueing the job are one transaction that succeeds
 * only from the slot it read, so however many nodes look at a slot, and whatever their clocks do, one of them runs it.
 */
#include "base/log.h"
#include "queue/cron.h"
#include "queue/job_sql.h"
#include "queue/runner.h"

#define SCHEDULE_NAME_MAX 100

struct err *
job_schedule_put(struct db_tx *tx, struct instant now, const struct zone *z, const struct job_schedule *s)
{
	struct cron c;
	struct instant next;

	check(s->name.n > 0 && s->name.n <= SCHEDULE_NAME_MAX);
	TRY(cron_parse(db_tx_arena(tx), s->cron, &c));
	if (!cron_next(&c, z, now, &next))
		return err_field(db_tx_arena(tx), "cron", "No such time comes.");
	TRY(DB_EXEC(tx, &sql_job_schedule_put, P_INT(s->company_id), P_TEXT(s->name),
		P_TEXT(str_from_cstr(s->kind)), P_TEXT(s->cron), P_TEXT(zone_name(z)),
		P_TEXT(s->payload.n ? s->payload : STR("{}")), P_INSTANT(next)));
	job_touch(tx);
	return NULL;
}

struct err *
job_schedule_remove(struct db_tx *tx, int64_t company_id, struct str name)
{
	return DB_EXEC(tx, &sql_job_schedule_remove, P_INT(company_id), P_TEXT(name));
}

struct err *
job_schedule_is_kept(struct db_tx *tx, struct instant late, int64_t company_id, struct str name, bool *out)
{
	struct db_rows rows;

	return DB_FIND(
		tx, &sql_job_schedule_kept, &rows, out, P_INT(company_id), P_TEXT(name), P_INSTANT(late));
}

/* ---- by people -------------------------------------------------------------------------------------------------------------- */

struct schedule {
	struct schedule *next;
	int64_t company_id, next_at;
	struct str name, kind, cron, zone, payload;
};

static struct schedule *
schedule_of(struct arena *a, const struct db_rows *row)
{
	struct schedule *s = arena_new_of(a, struct schedule);

	*s = (struct schedule){ .company_id = db_int(row, 0),
		.name = db_text_copy(row, 1),
		.kind = db_text_copy(row, 2),
		.cron = db_text_copy(row, 3),
		.zone = db_text_copy(row, 4),
		.payload = db_text_copy(row, 5),
		.next_at = db_int(row, 6) };
	return s;
}

/* What was stored was valid; a zone that the system has lost counts as UTC. */
static bool
next_slot(struct arena *a, const struct schedule *s, struct instant now, struct instant *out)
{
	const struct zone *z = zone_find(s->zone);
	struct cron c;

	return !cron_parse(a, s->cron, &c) && cron_next(&c, z ? z : zone_utc(), now, out);
}

static struct err *
enqueue_schedule(struct db_tx *tx, struct instant now, const struct schedule *s, int64_t *id)
{
	struct job_request q = { .company_id = s->company_id,
		.kind = arena_cstr(db_tx_arena(tx), s->kind),
		.key = s->name,
		.payload = s->payload };

	return job_enqueue(tx, now, &q, id);
}

static struct err *
find_schedule(struct db_tx *tx, int64_t company_id, struct str name, struct schedule **out)
{
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(tx, &sql_job_schedule_find, &rows, &found, P_INT(company_id), P_TEXT(name)));
	*out = found ? schedule_of(db_tx_arena(tx), &rows) : NULL;
	return NULL;
}

struct err *
job_schedule_run(struct db_tx *tx, struct instant now, int64_t company_id, struct str name, int64_t *id)
{
	struct schedule *s;

	TRY(find_schedule(tx, company_id, name, &s));
	if (!s)
		return err_new(db_tx_arena(tx), ERR_NOT_FOUND, "There is no such schedule.");
	return enqueue_schedule(tx, now, s, id);
}

struct err *
job_schedule_pause(struct db_tx *tx, struct instant now, int64_t company_id, struct str name, bool paused)
{
	struct schedule *s;
	struct instant next;

	TRY(find_schedule(tx, company_id, name, &s));
	if (!s)
		return err_new(db_tx_arena(tx), ERR_NOT_FOUND, "There is no such schedule.");
	if (!next_slot(db_tx_arena(tx), s, now, &next))
		next.us = s->next_at;
	job_touch(tx);
	return DB_EXEC(
		tx, &sql_job_schedule_pause, P_INT(company_id), P_TEXT(name), P_INT(paused), P_INSTANT(next));
}

/* ---- by the clock ----------------------------------------------------------------------------------------------------------- */

static struct err *
fire(struct db_tx *tx, struct instant now, const struct schedule *s)
{
	struct instant next;
	int64_t affected, id;

	if (!next_slot(db_tx_arena(tx), s, now, &next)) {
		LOG(LOG_ERROR, "a schedule has no next time and is paused",
			L_INT("company_id", s->company_id), L_STR("name", s->name), L_STR("cron", s->cron));
		return DB_EXEC(tx, &sql_job_schedule_pause, P_INT(s->company_id), P_TEXT(s->name),
			P_INT(true), P_INT(s->next_at));
	}
	const struct db_param p[] = { P_INT(s->company_id), P_TEXT(s->name), P_INT(s->next_at),
		P_INSTANT(next) };
	TRY(db_exec(tx, &sql_job_schedule_move, p, COUNT(p), &affected));
	return affected ? enqueue_schedule(tx, now, s, &id) : NULL;
}

struct err *
job_schedules_fire(struct db_tx *tx, const struct job_runner *r, struct instant now)
{
	struct schedule *all = NULL;
	struct db_rows rows;
	bool row;

	TRY(DB_QUERY(tx, &sql_job_schedule_due, &rows, P_INSTANT(now), P_TEXT(r->kinds)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		struct schedule *s = schedule_of(db_tx_arena(tx), &rows);
		s->next = all;
		all = s;
	}
	for (const struct schedule *s = all; s; s = s->next)
		TRY(fire(tx, now, s));
	return NULL;
}
