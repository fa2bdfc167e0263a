/* The jobs of notices: who is told, and when summaries go out. Only nodes with a mail server run them. */
#include "codec/json.h"
#include "domain/notice/notice.h"
#include "jobs/kinds.h"

/* What never will be right is not tried again. */
static struct err *
but_wrong(struct job_run *r, struct err *e)
{
	if (e && e->code == ERR_INVALID_INPUT)
		job_give_up(r);
	return jobs_but_gone(e);
}

/* ---- telling ---- */

static struct err *
tell(struct db_tx *tx, void *arg)
{
	struct job_run *r = arg;
	struct company_acting c;

	TRY(jobs_act(tx, r, &c));
	TRY(notice_tell(&c.res, r->payload));
	return job_done_with(tx, r); /* told again would be mailed again */
}

struct err *
notice_tell_run(struct job_run *r)
{
	return but_wrong(r, db_write(r->db, r->arena, tell, r));
}

/* ---- summaries ---- */

struct summing {
	struct job_run *run;
	enum notice_period period;
};

static struct err *
plan_summaries(struct db_tx *tx, void *arg)
{
	struct summing *s = arg;
	struct company_acting c;

	TRY(jobs_act(tx, s->run, &c));
	return notice_digest(&c.res, s->period);
}

struct err *
notice_digest_run(struct job_run *r)
{
	struct summing s = { .run = r };
	json_val *payload;
	struct err *e = json_parse(r->arena, r->payload, &payload);

	if (!e && !notice_period_read(payload, &s.period))
		e = err_new(r->arena, ERR_INVALID_INPUT, "The payload names no period.");
	if (e)
		job_give_up(r);
	return e ? e : jobs_but_gone(db_write(r->db, r->arena, plan_summaries, &s));
}
