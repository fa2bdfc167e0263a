/*
 * The list of every job, its threads and the installation's schedules. The first word of a kind is its queue; a queue is paused as a whole
 * and has threads of its own, so slow receivers of webhooks do not hold up housekeeping.
 */
#include "jobs/jobs.h"
#include "domain/campaign/retrospective.h"
#include "domain/iam/company.h"
#include "domain/integration/webhook_delivery.h"
#include "domain/notice/notice.h"
#include "jobs/kinds.h"

#define KIND(var, ...) static const struct job_kind var = { __VA_ARGS__ }

KIND(jobs_prune, .name = "upkeep.jobs", .run = upkeep_jobs, .doc = "Removes jobs that ended long ago.");
KIND(answers_prune, .name = "upkeep.answers", .run = upkeep_answers,
	.doc = "Removes stored answers of idempotency keys that are over.");
KIND(sessions_prune, .name = "upkeep.sessions", .run = upkeep_sessions,
	.doc = "Removes sessions and refresh tokens that are over.");
KIND(events_prune, .name = "upkeep.events", .run = upkeep_events, .timeout_s = 3600,
	.doc = "Removes old events, never one that an active webhook has not been told.");
KIND(deliveries_prune, .name = "upkeep.deliveries", .run = upkeep_deliveries,
	.doc = "Removes old webhook deliveries.");
KIND(notices_prune, .name = "upkeep.notices", .run = upkeep_notices,
	.doc = "Removes what waits to be mailed when there is no mail server.");
KIND(schedules_put, .name = COMPANY_JOB_SCHEDULES, .run = upkeep_schedules, .forgets = true,
	.doc = "Gives every company its schedules, in its time zone.");
KIND(kpi_judge_day, .name = "kpi.judge", .run = kpi_judge_company, .timeout_s = 1800,
	.doc = "Judges what a passing day changes: KPIs without new values, assignments that are over.");
KIND(retrospective_schedule, .name = RETRO_JOB_SCHEDULE, .run = retrospective_schedule_run,
	.doc = "Schedules the retrospective of a completed campaign.");
KIND(retrospective_remind_one, .name = RETRO_JOB_REMIND, .run = retrospective_remind_run,
	.doc = "Reminds of a retrospective.");
KIND(retrospective_close_one, .name = RETRO_JOB_CLOSE, .run = retrospective_close_run,
	.doc = "Closes a retrospective on its deadline.");
KIND(retrospective_due, .name = RETRO_JOB_DUE, .run = retrospective_due_run,
	.doc = "Reminds of actions that are due.");
KIND(notice_tell_one, .name = NOTICE_JOB_TELL, .run = notice_tell_run, .forgets = true,
	.doc = "Finds out whom a notice concerns.");
KIND(notice_digest_one, .name = NOTICE_JOB_DIGEST, .run = notice_digest_run, .doc = "Sends summaries.");
/* Runs of webhooks and mail mostly wait for other servers: a process that is killed finds them running, and they are not to blame. */
#define WAITING_CRASHES 6
/* Waits are random parts of a quarter of an hour, half of it on average: 600 attempts are three days. */
KIND(mail_person, .name = NOTICE_JOB_MAIL, .run = mail_person_run, .attempts_max = 600,
	.longest_retry_s = 900, .crashes_max = WAITING_CRASHES,
	.doc = "Mails a person what has come together.");
KIND(mail_refused, .name = NOTICE_JOB_REFUSED, .run = mail_refused_run, .attempts_max = 600,
	.longest_retry_s = 900, .crashes_max = WAITING_CRASHES,
	.doc = "Stands for a notice whose content the mail server refused; tried again it is mailed alone.");
KIND(mail_prune, .name = NOTICE_JOB_UPKEEP, .run = mail_upkeep,
	.doc = "Drops notices that could not be mailed for thirty days. That it runs tells all nodes of a "
	       "mail server.");
KIND(webhook_deliver, .name = WEBHOOK_DELIVER_JOB, .run = webhook_deliver_run, .longest_retry_s = 60,
	.crashes_max = WAITING_CRASHES, .forgets = true, .doc = "Tells an endpoint its next events.");
KIND(webhook_retry, .name = WEBHOOK_RETRY_JOB, .run = webhook_retry_run, .longest_retry_s = 60,
	.crashes_max = WAITING_CRASHES, .forgets = true, .doc = "Tries a failing endpoint again.");
KIND(webhook_replay, .name = WEBHOOK_REPLAY_JOB, .run = webhook_replay_run, .longest_retry_s = 60,
	.crashes_max = WAITING_CRASHES, .forgets = true,
	.doc = "Sends deliveries again that somebody asked for.");

const struct job_kind *const job_kinds[] = {
	&jobs_prune,
	&answers_prune,
	&sessions_prune,
	&events_prune,
	&deliveries_prune,
	&notices_prune,
	&schedules_put,
	&kpi_judge_day,
	&retrospective_schedule,
	&retrospective_remind_one,
	&retrospective_close_one,
	&retrospective_due,
	&notice_tell_one,
	&notice_digest_one,
	&mail_person,
	&mail_refused,
	&mail_prune,
	&webhook_deliver,
	&webhook_retry,
	&webhook_replay,
	NULL,
};

const struct job_queue_threads job_threads[] = {
	{ "upkeep", 1 },
	{ "kpi", 1 },
	{ "retrospective", 1 },
	{ "notice", 1 },
	{ "mail", 2 },	   /* they wait for the mail server */
	{ "webhook", 32 }, /* they wait for others' servers; failing ones apart, because those wait longest */
	{ "webhook_retry", 8 },
	{ NULL, 0 },
};

struct err *
jobs_act(struct db_tx *tx, const struct job_run *r, struct company_acting *out)
{
	return company_act(tx, r->clock->now(r->clock), r->company_id, out);
}

struct err *
jobs_but_gone(struct err *e)
{
	return e && e->code == ERR_NOT_FOUND ? NULL : e;
}

/* The installation's, in UTC. Minutes differ so that they do not begin together. */
static const struct {
	const char *kind, *cron;
} schedules[] = {
	{ "upkeep.jobs", "7 * * * *" },
	{ "upkeep.answers", "17 * * * *" },
	{ "upkeep.sessions", "27 * * * *" },
	{ "upkeep.events", "37 2 * * *" },
	{ "upkeep.deliveries", "47 * * * *" },
	{ "upkeep.notices", "52 * * * *" },
	{ COMPANY_JOB_SCHEDULES, "57 * * * *" },
};

static struct err *
put_schedule(struct db_tx *tx, struct instant now, const char *kind, const char *cron)
{
	const struct job_schedule s = {
		.name = str_from_cstr(kind), .kind = kind, .cron = str_from_cstr(cron)
	};

	return job_schedule_put(tx, now, zone_utc(), &s);
}

/* One that is there already may be late since the last node with a mail server ended. A process that is alone is the only one that knows. */
static struct err *
put_mail_schedule(struct db_tx *tx, struct instant now, const struct jobs_options *o)
{
	if (o->services->mail || o->alone)
		TRY(job_schedule_remove(tx, 0, STR(NOTICE_JOB_UPKEEP)));
	return o->services->mail ? put_schedule(tx, now, NOTICE_JOB_UPKEEP, "12 * * * *") : NULL;
}

static struct err *
put_schedules(struct db_tx *tx, void *arg)
{
	static const char *const at_once[] = { "upkeep.notices", COMPANY_JOB_SCHEDULES };
	const struct jobs_options *o = arg;
	const struct instant now = o->clock->now(o->clock);

	for (size_t i = 0; i < COUNT(schedules); i++)
		TRY(put_schedule(tx, now, schedules[i].kind, schedules[i].cron));
	TRY(put_mail_schedule(tx, now, o));
	for (size_t i = 0; i < COUNT(at_once); i++) {
		const struct job_request job = { .kind = at_once[i], .key = str_from_cstr(at_once[i]) };
		TRY(job_enqueue(tx, now, &job, NULL));
	}
	return NULL;
}

/* What only nodes with a mail server run: elsewhere a notice would be lost. */
static bool
is_of_mail(const char *queue)
{
	return strcmp(queue, "notice") == 0 || strcmp(queue, "mail") == 0;
}

struct err *
jobs_start(struct arena *a, const struct jobs_options *o, struct job_runner **out)
{
	struct job_queue_threads *threads = arena_alloc(a, sizeof(job_threads));
	const struct job_runner_options runner = {
		.db = o->db,
		.clock = o->clock,
		.kinds = job_kinds,
		.queues = threads,
		.app = (void *)(uintptr_t)o->services,
		.alone = o->alone,
	};
	size_t n = 0;

	for (const struct job_queue_threads *t = job_threads; t->queue; t++)
		if (o->services->mail || !is_of_mail(t->queue))
			threads[n++] = *t;
	threads[n] = (struct job_queue_threads){ 0 };
	TRY(db_write(o->db, a, put_schedules, (void *)(uintptr_t)o));
	return job_runner_start(a, &runner, out);
}
