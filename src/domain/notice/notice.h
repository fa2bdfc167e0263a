/*
 * Notices: what a person is told by mail without having asked. Whoever changes something worth telling puts a notice in the same
 * transaction; a job finds out whom it concerns and how often each of them wants mail; another mails each person everything that has come
 * together. Until the mail server has taken a notice over it stands in the table notice, however long that server is away, and then it
 * comes in one mail with the others.
 */
#ifndef NOTICE_NOTICE_H
#define NOTICE_NOTICE_H

#include "codec/json.h"
#include "resource/resource.h"

/* With which mail a notice goes: at once, or in a summary at seven in the morning, on Mondays that of the week. */
enum notice_period { NOTICE_IMMEDIATE, NOTICE_DAILY, NOTICE_WEEKLY, NOTICE_NEVER };
extern const char *const notice_period_names[]; /* IMMEDIATE, DAILY, WEEKLY, NONE: the preferences of assignments */
/* The member "period" of a job's payload; false: it names none. */
bool notice_period_read(const json_val *payload, enum notice_period *out);

struct notice {
	const char *type;     /* of the event that it tells: a row of the table in notice_text.c */
	struct str object_id; /* the event's object */
	struct str details;   /* JSON object with what the text needs */
};
/* Puts it with c's transaction, at c's time, to be told to whom it concerns then; nothing while nobody mails. */
struct err *notice_put(struct res_ctx *c, const struct notice *n) MUST_USE;

/* ---- run by jobs, in a company_act ---- */

#define NOTICE_JOB_TELL	  "notice.tell"	  /* {"type","object_id","at","details"} */
#define NOTICE_JOB_DIGEST "notice.digest" /* {"period":"DAILY"}: by schedule */
#define NOTICE_JOB_MAIL	  "mail.person"	  /* {"person_id":5,"period":"DAILY"}, key 5:DAILY */
#define NOTICE_JOB_REFUSED "mail.refused" /* {"person_id":5,"notice_id":17}, key 17 */
#define NOTICE_JOB_UPKEEP "mail.upkeep" /* of the installation, by a schedule of that name, which only nodes with a mail server run */
#define NOTICE_MAILER_DAYS 3 /* a mail server counts as there for so long after the last node that had one */
#define NOTICE_DELAY_S	  2		  /* so that what happens together comes in one mail */
#define NOTICE_DAYS_MAX	  30		  /* what could not be mailed for so long is not told any more */

/* Whether a node of the installation has a mail server. */
struct err *notice_is_mailed(struct db_tx *tx, struct instant now, bool *out) MUST_USE;
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
	struct str about; /* type and time of the oldest one, which are nobody's words */
};
struct notice_mail_ask {
	int64_t person_id; /* who may be gone: nothing is wanted then */
	enum notice_period period;
	int64_t but;  /* not this notice; 0: any */
	int64_t only; /* this notice, which was set aside; 0: what waits for the period */
	struct str url; /* where the server is reached; empty: not known */
};
/* What comes next for a person, as a mail. */
struct err *notice_mail_read(struct res_ctx *c, const struct notice_mail_ask *ask, struct notice_mail *out) MUST_USE;
/* Takes away what was sent, or is not wanted any more. */
struct err *notice_mail_done(struct res_ctx *c, const struct notice_mail *m) MUST_USE;

/* ---- a mail whose content the server refuses ---- */

/* Of more than one notice: the next mails have half as many, those of this one before all others. */
struct err *notice_mail_part(struct res_ctx *c, const struct notice_mail *m) MUST_USE;
/*
 * Of one notice: a mail that only says that there is one, in words of nobody but the server itself. When that is refused too, it is not
 * the notice that the mail server minds.
 */
struct notice_mail notice_mail_stand_in(struct arena *a, const struct notice_mail *m, struct str url);
/* Of one notice: it waits for no mail any more but has a job of its own, which is the entry that says so. */
struct err *notice_mail_set_aside(struct res_ctx *c, int64_t person_id, const struct notice_mail *m) MUST_USE;

#endif
