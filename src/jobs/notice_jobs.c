/*
 * The jobs of notices: who is told, when summaries go out, and a person's mail. Without a mail server nothing is kept for one, so that
 * nobody finds old news in the inbox when it comes. A mail is sent between two transactions; when the process dies there it is sent again
 * under the same Message-ID.
 */
#include "codec/json.h"
#include "domain/notice/notice.h"
#include "jobs/kinds.h"
#include "net/mail_client.h"

#define MAILS_MAX 20 /* of a run; then others may have the thread */

struct mailing {
	struct job_run *run;
	const struct job_services *services;
	int64_t person_id;
	enum notice_period period;
	struct notice_mail mail;
};

/* A company that is gone wants nothing any more. */
static struct err *
but_gone(struct err *e)
{
	return e && e->code == ERR_NOT_FOUND ? NULL : e;
}

/* What never will be right is not tried again. */
static struct err *
but_wrong(struct job_run *r, struct err *e)
{
	if (e && e->code == ERR_INVALID_INPUT)
		job_give_up(r);
	return but_gone(e);
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
	const struct job_services *s = r->app;

	return s->mail ? but_wrong(r, db_write(r->db, r->arena, tell, r)) : NULL;
}

/* ---- summaries and mails ---- */

/* "period", and "person_id" unless it is NULL. */
static struct err *
read_payload(struct job_run *r, enum notice_period *period, int64_t *person_id)
{
	json_val *payload;
	struct err *e = json_parse(r->arena, r->payload, &payload);
	const json_val *name = e ? NULL : json_get(payload, STR("period"));
	const json_val *id = e ? NULL : json_get(payload, STR("person_id"));
	bool found = false;

	for (int i = 0; name && json_type_of(name) == JSON_STRING && notice_period_names[i]; i++)
		if (str_eq(json_string(name), str_from_cstr(notice_period_names[i]))) {
			*period = (enum notice_period)i;
			found = true;
		}
	if (person_id)
		found = found && id && json_type_of(id) == JSON_NUMBER && json_int(id, person_id);
	if (found)
		return NULL;
	job_give_up(r);
	return err_new(r->arena, ERR_INVALID_INPUT, "The payload names no period or person.");
}

static struct err *
plan_summaries(struct db_tx *tx, void *arg)
{
	struct mailing *m = arg;
	struct company_acting c;

	TRY(jobs_act(tx, m->run, &c));
	return notice_digest(&c.res, m->period);
}

struct err *
notice_digest_run(struct job_run *r)
{
	struct mailing m = { .run = r };

	TRY(read_payload(r, &m.period, NULL));
	return but_gone(db_write(r->db, r->arena, plan_summaries, &m));
}

static struct err *
compose(struct db_tx *tx, void *arg)
{
	struct mailing *m = arg;
	struct company_acting c;

	TRY(jobs_act(tx, m->run, &c));
	return notice_mail_read(&c.res, m->person_id, m->period, m->services->public_url, &m->mail);
}

static struct err *
settle(struct db_tx *tx, void *arg)
{
	struct mailing *m = arg;
	struct company_acting c;

	TRY(jobs_act(tx, m->run, &c));
	return notice_mail_done(&c.res, &m->mail);
}

static bool
is_over(void *arg)
{
	return job_is_stopped(arg);
}

static struct err *
send(struct mailing *m)
{
	struct job_run *r = m->run;
	const struct notice_mail *n = &m->mail;
	const struct mail mail = { .to = n->to,
		.to_name = n->to_name,
		.subject = n->subject,
		.text = n->text,
		.id = n->id,
		.date = r->clock->now(r->clock),
		.is_over = is_over,
		.arg = r };

	if (!n->is_wanted || !m->services->mail)
		return NULL;
	return mail_send(m->services->mail, r->arena, &mail);
}

/* An address that is refused for good ends its mail: the job stays, dead, and names the reason. */
static struct err *
one_mail(struct mailing *m)
{
	struct job_run *r = m->run;
	struct err *e = send(m);

	if (e && e->code != ERR_INVALID_INPUT)
		return job_is_stopped(r) ? job_stopped(r) : e;
	TRY(db_write(r->db, r->arena, settle, m));
	if (e)
		job_give_up(r);
	return e;
}

struct err *
mail_person_run(struct job_run *r)
{
	struct mailing m = { .run = r, .services = r->app };
	int64_t mailed = 0;

	TRY(read_payload(r, &m.period, &m.person_id));
	for (int i = 0; i < MAILS_MAX; i++) {
		const struct arena_mark mark = arena_mark(r->arena);
		struct err *e = db_read(r->db, r->arena, compose, &m);
		if (!e && m.mail.count)
			e = one_mail(&m);
		if (e)
			return but_gone(e);
		if (!m.mail.count) {
			job_result(r, arena_fmt(r->arena, "{\"notices_mailed\":%lld}", (long long)mailed));
			return NULL;
		}
		if (m.mail.is_wanted && m.services->mail)
			mailed += (int64_t)m.mail.count;
		arena_release(r->arena, mark);
	}
	job_again_at(r, r->clock->now(r->clock));
	return NULL;
}
