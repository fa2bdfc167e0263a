/*
 * Notices: what a person is told by mail without having asked. Whoever changes something worth telling puts a notice in the same
 * transaction; a job finds out whom it concerns and how often each of them wants mail; another mails each person everything that has come
 * together. Until the mail server has taken a notice over it stands in the table notice, however long that server is away, and then it
 * comes in one mail with the others.
 */
#ifndef NOTICE_NOTICE_H
#define NOTICE_NOTICE_H

#include "resource/resource.h"

/* With which mail a notice goes: at once, or in a summary at seven in the morning, on Mondays that of the week. */
enum notice_period { NOTICE_IMMEDIATE, NOTICE_DAILY, NOTICE_WEEKLY, NOTICE_NEVER };
extern const char *const notice_period_names[]; /* IMMEDIATE, DAILY, WEEKLY, NONE: the preferences of assignments */

struct notice {
	const char *type;     /* of the event that it tells: a row of the table in notice_text.c */
	struct str object_id; /* the event's object */
	struct str details;   /* JSON object with what the text needs */
};
/* Puts it with c's transaction, at c's time, to be told to whom it concerns then. */
struct err *notice_put(struct res_ctx *c, const struct notice *n) MUST_USE;

/* ---- run by jobs, in a company_act ---- */

#define NOTICE_JOB_TELL	  "notice.tell"	  /* {"type","object_id","at","details"} */
#define NOTICE_JOB_DIGEST "notice.digest" /* {"period":"DAILY"}: by schedule */
#define NOTICE_JOB_MAIL	  "mail.person"	  /* {"person_id":5,"period":"DAILY"}, key 5:DAILY */
#define NOTICE_DELAY_S	  2		  /* so that what happens together comes in one mail */
#define NOTICE_DAYS_MAX	  30		  /* what could not be mailed for so long is not told any more */

/* Stores a row for everybody whom it concerns and plans the mails of those who want them at once. INVALID_INPUT: not such a payload. */
struct err *notice_tell(struct res_ctx *c, struct str payload) MUST_USE;
/* Plans a mail for everybody for whom something of the period waits. */
struct err *notice_digest(struct res_ctx *c, enum notice_period p) MUST_USE;

#define NOTICE_MAIL_MAX 100 /* notices in one mail; more make another */
struct notice_mail {
	bool is_wanted; /* false: remove the ids without sending */
	struct str to, to_name, subject, text, id; /* as in struct mail */
	int64_t *ids;	/* of the notices in it */
	size_t count;	/* 0: nothing waits */
};
/* What waits for a person, as a mail. url: where the server is reached, empty: not known. The person may be gone: nothing is wanted then. */
struct err *notice_mail_read(
	struct res_ctx *c, int64_t person_id, enum notice_period p, struct str url, struct notice_mail *out) MUST_USE;
/* Takes away what was sent, or is not wanted any more. */
struct err *notice_mail_done(struct res_ctx *c, const struct notice_mail *m) MUST_USE;

#endif
