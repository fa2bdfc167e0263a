/*
 * Housekeeping: rows that are kept for a time only go in parts, each a short transaction of its own, because on SQLite everybody waits for
 * the one writer. Running again, or being stopped in the middle, costs nothing: what is left is removed next time.
 */
#include "base/limits.h"
#include "domain/campaign/retrospective.h"
#include "domain/iam/company.h"
#include "domain/notice/notice.h"
#include "jobs/kinds.h"
#include "jobs/upkeep_sql.h"
#include "queue/job_list.h"

#define PART 1000 /* rows of one transaction */

#define JUDGE_SCHEDULE "5 0 * * *" /* in the company's zone: shortly after its midnight */

/* One transaction's worth; *removed is PART when there may be more. */
struct part {
	struct job_run *run;
	struct instant before;
	int64_t company_id;
	int64_t txid, seq;	 /* of events: looked at up to here */
	int64_t to_txid, to_seq; /* and in this part up to here */
	int64_t removed;
	bool more;
};

static struct instant
ago(const struct job_run *r, int64_t seconds)
{
	return (struct instant){ r->clock->now(r->clock).us - seconds * INSTANT_SECOND };
}

/* Parts until one is not full. */
static struct err *
remove_all(struct part *p, db_work *work)
{
	int64_t total = 0;

	do {
		if (job_is_stopped(p->run))
			return job_stopped(p->run);
		TRY(db_write(p->run->db, p->run->arena, work, p));
		total += p->removed;
	} while (p->more);
	job_result(p->run, arena_fmt(p->run->arena, "{\"removed\":%lld}", (long long)total));
	return NULL;
}

static struct err *
remove_by(struct db_tx *tx, struct part *p, const struct db_sql *q)
{
	const struct db_param params[] = { P_INSTANT(p->before), P_INT(PART) };

	TRY(db_exec(tx, q, params, COUNT(params), &p->removed));
	p->more = p->removed >= PART;
	return NULL;
}

/* ---- jobs and answers ------------------------------------------------------------------------------------------------------- */

static struct err *
remove_jobs(struct db_tx *tx, void *arg)
{
	struct part *p = arg;

	TRY(job_history_prune(tx, p->run->clock->now(p->run->clock), PART, &p->removed));
	p->more = p->removed >= PART;
	return NULL;
}

struct err *
upkeep_jobs(struct job_run *r)
{
	struct part p = { .run = r };

	return remove_all(&p, remove_jobs);
}

static struct err *
remove_answers(struct db_tx *tx, void *arg)
{
	return remove_by(tx, arg, &sql_upkeep_answers);
}

struct err *
upkeep_answers(struct job_run *r)
{
	struct part p = { .run = r, .before = ago(r, LIMIT_IDEMPOTENCY_S) };

	return remove_all(&p, remove_answers);
}

/* ---- sessions --------------------------------------------------------------------------------------------------------------- */

struct companies {
	int64_t *ids;
	size_t count;
};

static struct err *
read_companies(struct db_tx *tx, void *arg)
{
	struct companies *c = arg;

	return company_ids(tx, &c->ids, &c->count);
}

static struct err *
remove_sessions(struct db_tx *tx, void *arg)
{
	struct part *p = arg;
	const struct db_param params[] = { P_INT(p->company_id), P_INSTANT(p->before), P_INT(PART) };
	int64_t tokens;

	TRY(db_exec(tx, &sql_upkeep_refresh_tokens, params, COUNT(params), &tokens));
	TRY(db_exec(tx, &sql_upkeep_sessions, params, COUNT(params), &p->removed));
	p->more = p->removed >= PART || tokens >= PART;
	return NULL;
}

struct err *
upkeep_sessions(struct job_run *r)
{
	struct companies c;

	TRY(db_read(r->db, r->arena, read_companies, &c));
	for (size_t i = 0; i < c.count; i++) {
		struct part p = { .run = r, .before = ago(r, 0), .company_id = c.ids[i] };
		TRY(remove_all(&p, remove_sessions));
	}
	return NULL;
}

/* ---- events ----------------------------------------------------------------------------------------------------------------- */

static struct err *
remove_events(struct db_tx *tx, void *arg)
{
	struct part *p = arg;
	struct db_rows rows;
	bool found;

	p->removed = 0;
	TRY(DB_FIND(tx, &sql_upkeep_event_page, &rows, &found, P_INT(p->txid), P_INT(p->seq), P_INT(PART)));
	p->more = found && !db_is_null(&rows, 0) && db_int(&rows, 2) < p->before.us;
	if (!p->more)
		return NULL;
	p->to_txid = db_int(&rows, 0);
	p->to_seq = db_int(&rows, 1);
	const struct db_param params[] = { P_INSTANT(p->before), P_INT(p->txid), P_INT(p->seq),
		P_INT(p->to_txid), P_INT(p->to_seq) };
	return db_exec(tx, &sql_upkeep_events, params, COUNT(params), &p->removed);
}

struct err *
upkeep_events(struct job_run *r)
{
	const struct job_services *s = r->app;
	struct part p = { .run = r, .before = ago(r, s->event_days * 86400LL) };
	int64_t total = 0;

	p.before.us -= p.before.us % INSTANT_DAY; /* whole days */
	if (s->event_days == 0)
		return NULL;
	do {
		if (job_is_stopped(r))
			return job_stopped(r);
		TRY(db_write(r->db, r->arena, remove_events, &p));
		p.txid = p.to_txid;
		p.seq = p.to_seq;
		total += p.removed;
		job_progress(r, total, 0, STR("events removed"));
	} while (p.more);
	return NULL;
}

/* ---- webhook deliveries ----------------------------------------------------------------------------------------------------- */

static struct err *
remove_deliveries(struct db_tx *tx, void *arg)
{
	struct part *p = arg;

	TRY(DB_EXEC(tx, &sql_upkeep_attempts, P_INSTANT(p->before), P_INT(PART)));
	return remove_by(tx, p, &sql_upkeep_deliveries);
}

struct err *
upkeep_deliveries(struct job_run *r)
{
	struct part p = { .run = r, .before = ago(r, LIMIT_DELIVERY_DAYS * 86400LL) };

	return remove_all(&p, remove_deliveries);
}

/* ---- notices ---------------------------------------------------------------------------------------------------------------- */

static struct err *
remove_notices(struct db_tx *tx, void *arg)
{
	return remove_by(tx, arg, &sql_upkeep_notices);
}

struct err *
mail_upkeep(struct job_run *r)
{
	struct part p = { .run = r, .before = ago(r, NOTICE_DAYS_MAX * 86400LL) };

	return remove_all(&p, remove_notices);
}

/* What waits for a mail server that is gone. */
static struct err *
remove_unmailed(struct db_tx *tx, void *arg)
{
	struct part *p = arg;
	const struct db_param params[] = { P_INSTANT(p->before), P_INT(PART) };
	bool is_mailed;
	int64_t jobs;

	p->removed = 0;
	p->more = false;
	TRY(notice_is_mailed(tx, p->before, &is_mailed));
	if (is_mailed)
		return NULL;
	TRY(db_exec(tx, &sql_upkeep_mail_jobs, params, COUNT(params), &jobs));
	TRY(remove_by(tx, p, &sql_upkeep_notices));
	p->more = p->more || jobs >= PART;
	return NULL;
}

struct err *
upkeep_notices(struct job_run *r)
{
	struct part p = { .run = r, .before = ago(r, 0) };

	return remove_all(&p, remove_unmailed);
}

/* ---- schedules -------------------------------------------------------------------------------------------------------------- */

/* What every company has, at its own time of day. Minutes differ so that they do not begin together. */
static const struct {
	const char *name, *kind, *cron, *payload;
} company_schedules[] = {
	{ "kpi.judge", "kpi.judge", JUDGE_SCHEDULE, "" },
	{ RETRO_JOB_DUE, RETRO_JOB_DUE, "50 6 * * *", "" },
	{ "notice.daily", NOTICE_JOB_DIGEST, "0 7 * * *", "{\"period\":\"DAILY\"}" },
	{ "notice.weekly", NOTICE_JOB_DIGEST, "3 7 * * 1", "{\"period\":\"WEEKLY\"}" },
};

static struct err *
put_company_schedules(struct db_tx *tx, void *arg)
{
	struct part *p = arg;
	struct company_acting c;
	struct err *e = company_act(tx, ago(p->run, 0), p->company_id, &c);
	bool is_mailed;

	if (e)
		return e->code == ERR_NOT_FOUND ? NULL : e; /* removed since its id was read */
	TRY(notice_is_mailed(tx, c.res.now, &is_mailed));
	for (size_t i = 0; i < COUNT(company_schedules); i++) {
		if (!is_mailed && strcmp(company_schedules[i].kind, NOTICE_JOB_DIGEST) == 0) {
			TRY(job_schedule_remove(tx, p->company_id, str_from_cstr(company_schedules[i].name)));
			continue;
		}
		const struct job_schedule s = { .company_id = p->company_id,
			.name = str_from_cstr(company_schedules[i].name),
			.kind = company_schedules[i].kind,
			.cron = str_from_cstr(company_schedules[i].cron),
			.payload = str_from_cstr(company_schedules[i].payload) };
		TRY(job_schedule_put(tx, c.res.now, c.actor.zone, &s));
	}
	return NULL;
}

struct err *
upkeep_schedules(struct job_run *r)
{
	struct companies c;

	TRY(db_read(r->db, r->arena, read_companies, &c));
	for (size_t i = 0; i < c.count; i++) {
		struct part p = { .run = r, .company_id = c.ids[i] };
		if (job_is_stopped(r))
			return job_stopped(r);
		TRY(db_write(r->db, r->arena, put_company_schedules, &p));
	}
	return NULL;
}
