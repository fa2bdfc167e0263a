/*
 * The life of a retrospective: who may make one, what may follow what, and the approval that ends it. A change reads the row for a change
 * first, so two of them follow each other and the second sees what the first did.
 */
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/report.h"

static bool
has(const struct retrospective *r, const char *field)
{
	return !res_is_null(&retrospective_res, r, field);
}

static void
put(struct retrospective *r, const char *field)
{
	res_set_null(&retrospective_res, r, field, false);
}

struct err *
retrospective_require(struct res_ctx *c, struct str id, enum res_op op, struct retrospective *out)
{
	return campaign_named(c, res_read_for(c, &retrospective_res, op, id, out), &retrospective_res, id);
}

/* ---- making ---- */

static struct err *
set_creator(struct res_ctx *c, struct retrospective *r)
{
	TRY(campaign_actor_for(c, "created_by", has(r, "created_by"), r->created_by, &r->created_by));
	res_set_null(&retrospective_res, r, "created_by", r->created_by == 0);
	return NULL;
}

/* Counted from now when the time itself has passed, so that nobody's retrospective is over as soon as it is entered. */
static struct err *
set_deadline(struct res_ctx *c, struct retrospective *r)
{
	struct retro_settings s = { 0 };

	if (has(r, "deadline") || res_is_given(&retrospective_res, r, "deadline"))
		return NULL;
	TRY(retro_settings_read(c, &s));
	if (s.deadline_days == 0)
		return NULL;
	const int64_t from = r->scheduled_time.us > c->now.us ? r->scheduled_time.us : c->now.us;
	r->deadline.us = from - from % INSTANT_SECOND + s.deadline_days * INSTANT_DAY;
	if (r->deadline.us <= INSTANT_MAX_US)
		put(r, "deadline");
	return NULL;
}

static struct err *
check_deadline(struct res_ctx *c, const struct retrospective *old, const struct retrospective *r)
{
	bool moved = !old || !has(old, "deadline") || old->deadline.us != r->deadline.us;

	if (has(r, "deadline") && moved && r->deadline.us <= c->now.us)
		return err_field(c->arena, "deadline", "Ensure this is not in the past.");
	return NULL;
}

static struct err *
check_first_status(struct res_ctx *c, struct retrospective *r)
{
	switch ((enum retrospective_status)r->status) {
	case RETRO_IN_PROGRESS:
		r->started_at = c->now;
		put(r, "started_at");
		return NULL;
	case RETRO_SCHEDULED:
		return NULL;
	case RETRO_COMPLETED:
	case RETRO_REPORTED:
	case RETRO_CANCELLED:
		break;
	}
	return err_field(c->arena, "status", "A retrospective begins as Scheduled or In Progress.");
}

struct err *
retrospective_create(struct res_ctx *c, struct retrospective *r)
{
	struct campaign k;

	TRY(set_creator(c, r));
	TRY(check_first_status(c, r));
	TRY(set_deadline(c, r));
	TRY(check_deadline(c, NULL, r));
	TRY(campaign_company_lock(c));
	TRY(campaign_require(c, r->task_id, &k));
	TRY(res_create(c, &retrospective_res, r));
	TRY(retro_actions_carry(c, r));
	return retrospective_plan(c, r);
}

/* ---- changing ---- */

static bool
is_legal(int from, int to)
{
	static const bool legal[5][5] = {
		[RETRO_SCHEDULED] = { [RETRO_IN_PROGRESS] = true, [RETRO_CANCELLED] = true },
		[RETRO_IN_PROGRESS] = { [RETRO_COMPLETED] = true, [RETRO_CANCELLED] = true },
		[RETRO_COMPLETED] = { [RETRO_IN_PROGRESS] = true, [RETRO_CANCELLED] = true },
	};
	return from == to || legal[from][to];
}

static struct err *
illegal(struct res_ctx *c, int from, int to)
{
	if (to == RETRO_REPORTED)
		return err_word(err_new(c->arena, ERR_CONFLICT,
					"A retrospective is Reported by approving its report."),
			"ILLEGAL_TRANSITION");
	return err_word(err_new(c->arena, ERR_CONFLICT, "A retrospective cannot go from %s to %s.",
				retrospective_status_names[from], retrospective_status_names[to]),
		"ILLEGAL_TRANSITION");
}

static void
enter_status(struct res_ctx *c, int from, struct retrospective *r)
{
	if (r->status == from)
		return;
	if (r->status == RETRO_IN_PROGRESS && !has(r, "started_at")) {
		r->started_at = c->now;
		put(r, "started_at");
	}
	if (r->status == RETRO_IN_PROGRESS)
		res_set_null(&retrospective_res, r, "completed_at", true);
	if (r->status == RETRO_COMPLETED || (r->status == RETRO_REPORTED && !has(r, "completed_at"))) {
		r->completed_at = c->now;
		put(r, "completed_at");
	}
}

static bool
is_same(const struct retrospective *a, const struct retrospective *b)
{
	for (size_t i = 0; i < retrospective_res.field_count; i++) {
		const char *name = retrospective_res.fields[i].name;
		if (res_is_null(&retrospective_res, a, name) != res_is_null(&retrospective_res, b, name))
			return false;
	}
	return a->status == b->status && a->scheduled_time.us == b->scheduled_time.us &&
	       a->team_id == b->team_id && a->deadline.us == b->deadline.us && str_eq(a->notes, b->notes) &&
	       str_eq(a->decisions, b->decisions);
}

struct err *
retrospective_change(struct res_ctx *c, const struct retrospective *old, struct retrospective *r)
{
	if (r->task_id != old->task_id)
		return err_field(c->arena, "task_id", "A retrospective stays with its campaign.");
	if (!is_legal(old->status, r->status))
		return illegal(c, old->status, r->status);
	if (is_same(old, r))
		return NULL;
	if (old->status == RETRO_REPORTED)
		return err_word(err_new(c->arena, ERR_CONFLICT, "A reported retrospective stays as it is."),
			"RETROSPECTIVE_REPORTED");
	TRY(check_deadline(c, old, r));
	enter_status(c, old->status, r);
	TRY(res_update(c, &retrospective_res, old, r));
	return retrospective_plan(c, r);
}

/* ---- approving ---- */

static struct err *
check_approvable(struct res_ctx *c, const struct retrospective *r, int64_t by)
{
	if (r->status == RETRO_CANCELLED)
		return err_word(
			err_new(c->arena, ERR_CONFLICT, "A cancelled retrospective cannot be approved."),
			"ILLEGAL_TRANSITION");
	if (r->status == RETRO_REPORTED && r->approved_by != by)
		return err_word(
			err_new(c->arena, ERR_CONFLICT, "The report was approved by somebody else already."),
			"ALREADY_APPROVED");
	return NULL;
}

static struct err *
keep_report(struct res_ctx *c, const struct retrospective *r)
{
	struct str report;

	TRY(report_make(c, r, &report));
	return report_keep(c, r->id, report);
}

static struct err *
store_approval(struct res_ctx *c, const struct retrospective *old, const struct retrospective_approval *a,
	int64_t by, struct retrospective *r)
{
	*r = *old;
	r->status = RETRO_REPORTED;
	enter_status(c, old->status, r);
	r->approved_by = by;
	put(r, "approved_by");
	r->approved_at = c->now;
	put(r, "approved_at");
	if (a->notes.p) {
		r->approval_notes = a->notes;
		put(r, "approval_notes");
	}
	TRY(res_update(c, &retrospective_res, old, r));
	TRY(keep_report(c, r));
	TRY(retrospective_unplan(c, r));
	return campaign_event(c, "retrospective.report_approved", &retrospective_res, r->id,
		campaign_json(c, &retrospective_res, r));
}

struct err *
retrospective_approve(
	struct res_ctx *c, struct str id, const struct retrospective_approval *a, struct retrospective *out)
{
	struct retrospective old = { 0 };
	int64_t by;

	if (!actor_may(c->actor, PERM_APPROVE_REPORT))
		return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS,
			"User does not have permission to approve reports.");
	TRY(retrospective_require(c, id, RES_UPDATE, &old));
	TRY(campaign_actor_for(c, "approved_by", a->has_approved_by, a->approved_by, &by));
	if (by == 0)
		return err_field(c->arena, "approved_by", "This field is required.");
	TRY(check_approvable(c, &old, by));
	if (old.status == RETRO_REPORTED) {
		*out = old;
		return NULL;
	}
	return store_approval(c, &old, a, by, out);
}
