/*
 * Retrospectives: after a campaign, what its figures say, what to do about it, and who approved that. One row goes from Scheduled to
 * Reported; insights and actions hang on it. Contract: retrospectives.
 *
 * Transitions: Scheduled → In Progress → Completed → Reported; Scheduled, In Progress and Completed → Cancelled; Completed → In Progress
 * (opened again). A recorded insight moves Scheduled to In Progress. Reported is reached by approval alone, which is possible from every
 * state before it but Cancelled, because a client of the contract's four steps never sets a state. Any other is CONFLICT. What was
 * reported stays as it is. The deadline completes one that was never begun, too.
 */
#ifndef CAMPAIGN_RETROSPECTIVE_H
#define CAMPAIGN_RETROSPECTIVE_H

#include "domain/campaign/campaign.h"

enum retrospective_status { RETRO_SCHEDULED, RETRO_IN_PROGRESS, RETRO_COMPLETED, RETRO_REPORTED, RETRO_CANCELLED };
enum insight_severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
enum action_status { ACTION_OPEN, ACTION_IN_PROGRESS, ACTION_DONE, ACTION_DISMISSED };

extern const char *const retrospective_status_names[], *const insight_severity_names[], *const action_status_names[];

struct retrospective {
	struct res_row row;
	int64_t id;
	int64_t task_id;      /* the campaign */
	int64_t created_by;
	struct instant scheduled_time;
	int status;           /* enum retrospective_status */
	int64_t team_id;
	struct instant deadline; /* it is completed by itself then; null: never */
	struct str notes, decisions;
	struct instant started_at, completed_at;
	int64_t approved_by;
	struct instant approved_at;
	struct str approval_notes;
	struct instant reminded_for; /* the scheduled_time whose reminder was sent */
	int64_t version;
	struct instant created_at, updated_at;
};
extern const struct res_def retrospective_res;

struct insight {
	struct res_row row;
	int64_t id;
	int64_t retrospective_task_id; /* the retrospective */
	struct str type;               /* "Underperforming Creative" */
	struct str summary;
	int severity;                  /* enum insight_severity */
	struct str action_suggestion;
	struct str generated_by;       /* "ai_rule_001", a rule's id, or a person */
	struct str evidence;           /* JSON object: the numbers behind it */
	int64_t version;
	struct instant created_at, updated_at;
};
extern const struct res_def insight_res;

/* A suggestion that was accepted: who does it until when. Open ones are carried over to the team's next retrospective until they are done. */
struct retro_action {
	struct res_row row;
	int64_t id;
	int64_t retrospective_id;       /* where it stands now */
	int64_t first_retrospective_id; /* where it was accepted */
	int64_t insight_id;             /* null: entered by hand */
	struct str title;
	int64_t owner_id;
	struct date due_date;
	int status;                     /* enum action_status */
	int64_t carried;                /* how often it was carried over */
	int64_t version;
	struct instant created_at, updated_at;
};
extern const struct res_def retro_action_res;

/* Settings of a company, one row; presets until it is changed. */
struct retro_settings {
	struct res_row row;
	int64_t id;              /* 1 */
	bool auto_schedule;      /* a completed campaign gets a retrospective by itself: true */
	int64_t delay_hours;     /* from completion to scheduled_time: 24 */
	int64_t remind_hours;    /* before scheduled_time: 24; 0: no reminder */
	int64_t deadline_days;   /* from scheduled_time to deadline: 14; 0: none */
	struct decimal false_positive_rate; /* of all rules together on noise, per run: 0.05 */
	struct str rules;        /* JSON object: rule id → {"enabled": false, "parameter": number …} over the built-in rules */
	int64_t version;
	struct instant created_at, updated_at;
};
extern const struct res_def retro_settings_res;
/* The company's, or the presets (version 0). */
struct err *retro_settings_read(struct res_ctx *c, struct retro_settings *out) MUST_USE;

/* By the id in a path, for op; NOT_FOUND says "Retrospective with ID 456 does not exist." */
struct err *retrospective_require(struct res_ctx *c, struct str id, enum res_op op, struct retrospective *out) MUST_USE;
struct err *retro_action_require(struct res_ctx *c, struct str id, enum res_op op, struct retro_action *out) MUST_USE;

/* created_by other than the actor needs COMPANY_ADMIN. Makes the campaign when it is unknown, carries open actions over, plans reminder and deadline. */
struct err *retrospective_create(struct res_ctx *c, struct retrospective *r) MUST_USE;
/* Legal transitions only; sets started_at, completed_at; plans anew when the times move. */
struct err *retrospective_change(struct res_ctx *c, const struct retrospective *old, struct retrospective *r) MUST_USE;

struct retrospective_approval {
	bool has_approved_by;
	int64_t approved_by; /* other than the actor: needs COMPANY_ADMIN */
	struct str notes;    /* p NULL: none */
};
/* Makes and keeps the report, moves to Reported. Again by the same approver: the same answer. CONFLICT for another or a cancelled one. */
struct err *retrospective_approve(struct res_ctx *c, struct str id, const struct retrospective_approval *a, struct retrospective *out) MUST_USE;

/* Stores one insight (moves Scheduled to In Progress). r was read for a change. Event "retrospective.insight_generated" beside the row's own. */
struct err *insight_add(struct res_ctx *c, struct retrospective *r, struct insight *i) MUST_USE;
/* Runs the rules on the campaign's values and stores what they find and is not there yet, word for word; insights are on the arena. */
struct err *insights_generate(struct res_ctx *c, struct retrospective *r, struct insight ***out, size_t *count) MUST_USE;

/* Stores an action of r, which was read for a change: of an insight (its suggestion, once), or by hand with a title. */
struct err *retro_action_add(struct res_ctx *c, const struct retrospective *r, struct retro_action *x) MUST_USE;
/* Who may not change retrospectives may still change the status of an own action. */
struct err *retro_action_change(struct res_ctx *c, const struct retro_action *old, struct retro_action *x) MUST_USE;
/* The row, made with the presets when there is none yet, read for a change. */
struct err *retro_settings_require(struct res_ctx *c, struct retro_settings *out) MUST_USE;

/*
 * Of jobs. Each may run again and then does nothing: a completed campaign's retrospective (none is made twice), the reminder's event
 * "retrospective.reminder", the deadline with "retrospective.closed". NULL too when the object is gone or no longer wants it.
 */
#define RETRO_JOB_SCHEDULE "retrospective.schedule" /* {"campaign_id": 123}, key campaign:123:schedule */
#define RETRO_JOB_REMIND   "retrospective.remind"   /* {"retrospective_id": 456}, key retro:456:remind */
#define RETRO_JOB_CLOSE    "retrospective.close"    /* {"retrospective_id": 456}, key retro:456:close */
struct err *retrospective_schedule_for(struct res_ctx *c, int64_t campaign_id) MUST_USE;
struct err *retrospective_remind(struct res_ctx *c, int64_t id) MUST_USE;
struct err *retrospective_close(struct res_ctx *c, int64_t id) MUST_USE;
/*
 * Reminds the owners of at most max open actions that are due on the company's present day or were before: event "retro_action.due", once
 * for each due date. Fewer than max in *count: there are no more.
 */
#define RETRO_JOB_DUE "retrospective.due"
struct err *retro_actions_remind(struct res_ctx *c, size_t max, size_t *count) MUST_USE;

#endif
