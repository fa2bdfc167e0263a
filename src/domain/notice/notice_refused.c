/*
 * A mail whose content the mail server refuses. Nobody knows which of its notices is to blame, so it is told in halves until one is refused
 * alone; that one is set aside, and the others wait for it no longer. How far this has come stands with the notices: a process that dies
 * in between sends the same mails again and no others.
 */
#include "base/limits.h"
#include "domain/notice/notice_parts.h"
#include "domain/notice/notice_sql.h"
#include "queue/job.h"

struct err *
notice_mail_part(struct res_ctx *c, const struct notice_mail *m)
{
	const int64_t half = (int64_t)(m->count + 1) / 2;

	check(m->count > 1);
	for (size_t i = 0; i < m->count; i++)
		TRY(DB_EXEC_LATER(
			c->tx, &sql_notice_part, P_INT(c->actor->company_id), P_INT(m->ids[i]), P_INT(half)));
	return NULL;
}

struct notice_mail
notice_mail_stand_in(struct arena *a, const struct notice_mail *m, struct str url)
{
	struct notice_mail out = *m;
	struct buf text;

	buf_init_arena(&text, a, LIMIT_TEXT_BYTES);
	buf_add_fmt(&text,
		"Hello,\n\nthe mail server has refused a notice to you for its content. This mail only says "
		"that\n"
		"there is one:\n\n  %.*s\n\n"
		"Please look for it in Sextant. Administrators find it among the jobs (queue mail) and can "
		"have it\n"
		"sent again from there.\n\nSextant",
		STR_ARG(m->about));
	if (url.n)
		buf_add_fmt(&text, ", %.*s", STR_ARG(url));
	buf_add_byte(&text, '\n');
	out.to_name = STR("");
	out.subject = STR("A notice could not be mailed");
	out.text = buf_str(&text);
	out.id = arena_fmt(a, "%.*s.refused", STR_ARG(m->id));
	return out;
}

struct err *
notice_mail_set_aside(struct res_ctx *c, int64_t person_id, const struct notice_mail *m)
{
	const long long id = m->ids[0], person = person_id;
	const struct job_request job = {
		.company_id = c->actor->company_id,
		.kind = NOTICE_JOB_REFUSED,
		.key = arena_fmt(c->arena, "%lld", id),
		.payload = arena_fmt(c->arena, "{\"person_id\":%lld,\"notice_id\":%lld}", person, id),
	};

	check(m->count == 1);
	TRY(DB_EXEC(c->tx, &sql_notice_set_aside, P_INT(c->actor->company_id), P_INT(id)));
	return job_enqueue(c->tx, c->now, &job, NULL);
}
