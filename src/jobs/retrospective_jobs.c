/*
 * The jobs of retrospectives: their rules are the campaign room's, here they get a transaction and the server as their actor. A company
 * that is gone wants nothing any more.
 */
#include "codec/json.h"
#include "domain/campaign/retrospective.h"
#include "jobs/kinds.h"

#define REMINDERS 50 /* of actions in one transaction */

typedef struct err *step(struct res_ctx *c, int64_t id);

struct working {
	struct job_run *run;
	step *step;
	int64_t id;
};

static struct err *
work(struct db_tx *tx, void *arg)
{
	struct working *w = arg;
	struct company_acting c;

	TRY(jobs_act(tx, w->run, &c));
	return w->step(&c.res, w->id);
}

/* The payload is {"…_id": 123}. */
static struct err *
run_step(struct job_run *r, struct str member, step *s)
{
	struct working w = { .run = r, .step = s };
	json_val *payload, *id;

	TRY(json_parse(r->arena, r->payload, &payload));
	id = json_get(payload, member);
	if (!id || json_type_of(id) != JSON_NUMBER || !json_int(id, &w.id)) {
		job_give_up(r);
		return err_new(r->arena, ERR_INVALID_INPUT, "The payload has no %.*s.", STR_ARG(member));
	}
	return jobs_but_gone(db_write(r->db, r->arena, work, &w));
}

struct reminding {
	struct job_run *run;
	size_t count;
};

static struct err *
remind_owners(struct db_tx *tx, void *arg)
{
	struct reminding *w = arg;
	struct company_acting c;

	TRY(jobs_act(tx, w->run, &c));
	return retro_actions_remind(&c.res, REMINDERS, &w->count);
}

struct err *
retrospective_due_run(struct job_run *r)
{
	struct reminding w = { .run = r };

	do {
		if (job_is_stopped(r))
			return job_stopped(r);
		struct err *e = db_write(r->db, r->arena, remind_owners, &w);
		if (e)
			return jobs_but_gone(e);
	} while (w.count == REMINDERS);
	return NULL;
}

struct err *
retrospective_schedule_run(struct job_run *r)
{
	return run_step(r, STR("campaign_id"), retrospective_schedule_for);
}

struct err *
retrospective_remind_run(struct job_run *r)
{
	return run_step(r, STR("retrospective_id"), retrospective_remind);
}

struct err *
retrospective_close_run(struct job_run *r)
{
	return run_step(r, STR("retrospective_id"), retrospective_close);
}
