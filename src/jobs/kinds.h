/* The functions of the kinds, for the table in jobs.c. */
#ifndef JOBS_KINDS_H
#define JOBS_KINDS_H

#include "domain/iam/company.h"
#include "jobs/jobs.h"

/* The context in which the server acts in the run's company, at the present time. NOT_FOUND: the company is gone. */
struct err *jobs_act(struct db_tx *tx, const struct job_run *r, struct company_acting *out) MUST_USE;
/* e unless it says that: a company that is gone wants nothing any more. */
struct err *jobs_but_gone(struct err *e) MUST_USE;

/* upkeep_jobs.c: what is kept for a time only, and schedules of companies that came or moved. */
job_function upkeep_jobs, upkeep_answers, upkeep_sessions, upkeep_events, upkeep_deliveries, upkeep_schedules,
	upkeep_notices, mail_upkeep;
/* kpi_jobs.c: what a passing day changes. */
job_function kpi_judge_company;
/* retrospective_jobs.c */
job_function retrospective_schedule_run, retrospective_remind_run, retrospective_close_run, retrospective_due_run;
/* notice_jobs.c: whom a notice concerns, and when summaries go out. */
job_function notice_tell_run, notice_digest_run;
/* mail_jobs.c: a person's mail, and a notice that the mail server refuses. */
job_function mail_person_run, mail_refused_run;
/* webhook_deliver.c: an endpoint's next events, those of a failing one, and replays. */
job_function webhook_deliver_run, webhook_retry_run, webhook_replay_run;

#endif
