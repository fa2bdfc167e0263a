/*
 * A person's mail, and a notice that was set aside because the mail server refused its content. A mail is sent between two transactions;
 * when the process dies there it is sent again under the same Message-ID. A refusal for the content is answered at once, with smaller
 * mails; anything else is tried again later. Only nodes with a mail server run these.
 */
#include "base/log.h"
#include "codec/json.h"
#include "domain/notice/notice.h"
#include "jobs/kinds.h"
#include "net/mail_client.h"

#define MAILS_MAX 20 /* of a run; then others may have the thread */

struct mailing {
	struct job_run *run;
	const struct job_services *services;
	struct notice_mail_ask ask;
	struct notice_mail mail;
	int64_t mailed, refused; /* notices */
	bool is_taken;		 /* a mail was, since ask.but was refused */
};

/* ---- in transactions ---- */

static struct err *
compose(struct db_tx *tx, void *arg)
{
	struct mailing *m = arg;
	struct company_acting c;

	TRY(jobs_act(tx, m->run, &c));
	return notice_mail_read(&c.res, &m->ask, &m->mail);
}

static struct err *
settle(struct db_tx *tx, void *arg)
{
	struct mailing *m = arg;
	struct company_acting c;

	TRY(jobs_act(tx, m->run, &c));
	return notice_mail_done(&c.res, &m->mail);
}

static struct err *
part(struct db_tx *tx, void *arg)
{
	struct mailing *m = arg;
	struct company_acting c;

	TRY(jobs_act(tx, m->run, &c));
	return notice_mail_part(&c.res, &m->mail);
}

static struct err *
set_aside(struct db_tx *tx, void *arg)
{
	struct mailing *m = arg;
	struct company_acting c;

	TRY(jobs_act(tx, m->run, &c));
	return notice_mail_set_aside(&c.res, m->ask.person_id, &m->mail);
}

/* ---- one mail ---- */

static bool
is_over(void *arg)
{
	return job_is_stopped(arg);
}

static struct err *
send(const struct mailing *m, const struct notice_mail *n)
{
	struct job_run *r = m->run;
	const struct mail mail = { .to = n->to,
		.to_name = n->to_name,
		.subject = n->subject,
		.text = n->text,
		.id = n->id,
		.date = r->clock->now(r->clock),
		.is_over = is_over,
		.arg = r };

	if (!n->is_wanted)
		return NULL;
	struct err *e = mail_send(m->services->mail, r->arena, &mail);
	return e && job_is_stopped(r) ? job_stopped(r) : e;
}

static bool
is_of_content(const struct err *e)
{
	return e && str_eq(err_code_word(e), STR("CONTENT_REFUSED"));
}

/* The notice is to blame when the server takes a mail without its words; otherwise others go first, and it is tried again. */
static struct err *
one_refused(struct mailing *m, struct err *refusal)
{
	struct job_run *r = m->run;
	const struct notice_mail in_its_place = notice_mail_stand_in(r->arena, &m->mail, m->ask.url);

	LOG(LOG_WARN, "a notice's content was refused", L_INT("company_id", r->company_id),
		L_INT("person", m->ask.person_id), L_INT("notice", m->mail.ids[0]),
		L_STR("reason", refusal->message), L_STR("detail", refusal->detail));
	struct err *e = send(m, &in_its_place);
	if (is_of_content(e)) {
		m->ask.but = m->mail.ids[0];
		m->is_taken = false;
		return NULL;
	}
	TRY(e);
	m->refused++;
	m->is_taken = true;
	return db_write(r->db, r->arena, set_aside, m);
}

/* A server that has just refused harmless words too minds something else than the content: that is waited for. */
static struct err *
content_refused(struct mailing *m, struct err *refusal)
{
	if (m->ask.but && !m->is_taken)
		return refusal;
	if (m->mail.count > 1)
		return db_write(m->run->db, m->run->arena, part, m);
	return m->ask.but ? refusal : one_refused(m, refusal);
}

/* An address that is refused for good ends its mail: the job stays, dead, and names the reason. */
static struct err *
one_mail(struct mailing *m)
{
	struct job_run *r = m->run;
	struct err *e = send(m, &m->mail);

	if (is_of_content(e))
		return content_refused(m, e);
	if (e && e->code != ERR_INVALID_INPUT)
		return e;
	TRY(db_write(r->db, r->arena, settle, m));
	if (e)
		job_give_up(r);
	else if (m->mail.is_wanted) {
		m->mailed += (int64_t)m->mail.count;
		m->is_taken = true;
	}
	return e;
}

static struct err *
wrong_payload(struct job_run *r)
{
	job_give_up(r);
	return err_new(r->arena, ERR_INVALID_INPUT, "The payload does not say what is to be mailed.");
}

static bool
take_id(const json_val *payload, struct str key, int64_t *out)
{
	const json_val *v = json_get(payload, key);

	return v && json_type_of(v) == JSON_NUMBER && json_int(v, out);
}

/* ---- a person's mail ---- */

static struct err *
end(struct mailing *m, bool has_more)
{
	struct job_run *r = m->run;

	if (m->ask.but)
		return err_new(r->arena, ERR_UNAVAILABLE,
			"The mail server refused notice %lld to person %lld, and to say that there is one.",
			(long long)m->ask.but, (long long)m->ask.person_id);
	if (has_more)
		job_again_at(r, r->clock->now(r->clock));
	job_result(r, arena_fmt(r->arena, "{\"notices_mailed\":%lld,\"notices_refused\":%lld}",
			      (long long)m->mailed, (long long)m->refused));
	return NULL;
}

struct err *
mail_person_run(struct job_run *r)
{
	struct mailing m = { .run = r, .services = r->app };
	json_val *payload;

	m.ask.url = m.services->public_url;
	if (json_parse(r->arena, r->payload, &payload) || !notice_period_read(payload, &m.ask.period) ||
		!take_id(payload, STR("person_id"), &m.ask.person_id))
		return wrong_payload(r);
	for (int i = 0; i < MAILS_MAX; i++) {
		const struct arena_mark mark = arena_mark(r->arena);
		struct err *e = db_read(r->db, r->arena, compose, &m);
		if (!e && m.mail.count)
			e = one_mail(&m);
		if (e)
			return jobs_but_gone(e);
		if (!m.mail.count)
			return end(&m, false);
		arena_release(r->arena, mark);
	}
	return end(&m, true);
}

/* ---- a notice that was set aside ---- */

struct err *
mail_refused_run(struct job_run *r)
{
	struct mailing m = { .run = r, .services = r->app };
	json_val *payload;

	m.ask.url = m.services->public_url;
	if (json_parse(r->arena, r->payload, &payload) ||
		!take_id(payload, STR("person_id"), &m.ask.person_id) ||
		!take_id(payload, STR("notice_id"), &m.ask.only))
		return wrong_payload(r);
	struct err *e = db_read(r->db, r->arena, compose, &m);
	if (e || !m.mail.count)
		return jobs_but_gone(e);
	e = send(&m, &m.mail);
	if (is_of_content(e)) {
		job_give_up(r);
		e->message = arena_fmt(r->arena, "Notice %lld was not mailed to person %lld. %.*s",
			(long long)m.ask.only, (long long)m.ask.person_id, STR_ARG(e->message));
		return e;
	}
	if (e && e->code != ERR_INVALID_INPUT)
		return e;
	TRY(db_write(r->db, r->arena, settle, &m));
	if (e)
		job_give_up(r);
	return e;
}
