/*
 * What happens to retrospectives by themselves: jobs that make, remind of and close them. They are enqueued with the change that wants
 * them; a job that comes too early or too late looks at the record and does nothing.
 */
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/retrospective_sql.h"
#include "domain/notice/notice.h"
#include "queue/job.h"

#define HOUR_US (3600 * INSTANT_SECOND)

static struct str
job_key(struct res_ctx *c, int64_t id, const char *what)
{
	return arena_fmt(c->arena, "retro:%lld:%s", (long long)id, what);
}

/* A waiting job takes the earlier of two times when it is asked for again, so one that moves is cancelled first. at 0: only that. */
static struct err *
move_job(struct res_ctx *c, const char *kind, const char *what, int64_t id, struct instant at)
{
	bool found;
	const struct job_request job = {
		.company_id = c->actor->company_id,
		.kind = kind,
		.key = job_key(c, id, what),
		.payload = arena_fmt(c->arena, "{\"retrospective_id\":%lld}", (long long)id),
		.at = at,
	};

	TRY(job_cancel_key(c->tx, c->now, &job, &found));
	return at.us ? job_enqueue(c->tx, c->now, &job, NULL) : NULL;
}

static bool
is_open(const struct retrospective *r)
{
	return r->status == RETRO_SCHEDULED || r->status == RETRO_IN_PROGRESS;
}

struct err *
retrospective_plan(struct res_ctx *c, const struct retrospective *r)
{
	struct retro_settings s = { 0 };
	struct instant remind = { 0 }, close = { 0 };

	TRY(retro_settings_read(c, &s));
	if (r->status == RETRO_SCHEDULED && s.remind_hours > 0)
		remind.us = r->scheduled_time.us - s.remind_hours * HOUR_US;
	if (remind.us <= c->now.us)
		remind.us = 0; /* a reminder of what is about to happen anyway tells nothing */
	if (is_open(r) && !res_is_null(&retrospective_res, r, "deadline"))
		close = r->deadline;
	TRY(move_job(c, RETRO_JOB_REMIND, "remind", r->id, remind));
	return move_job(c, RETRO_JOB_CLOSE, "close", r->id, close);
}

struct err *
retrospective_unplan(struct res_ctx *c, const struct retrospective *r)
{
	TRY(move_job(c, RETRO_JOB_REMIND, "remind", r->id, (struct instant){ 0 }));
	return move_job(c, RETRO_JOB_CLOSE, "close", r->id, (struct instant){ 0 });
}

struct err *
retrospective_plan_for(struct res_ctx *c, const struct campaign *k)
{
	struct retro_settings s = { 0 };

	TRY(retro_settings_read(c, &s));
	if (!s.auto_schedule)
		return NULL;
	const struct job_request job = {
		.company_id = c->actor->company_id,
		.kind = RETRO_JOB_SCHEDULE,
		.key = arena_fmt(c->arena, "campaign:%lld:schedule", (long long)k->id),
		.payload = arena_fmt(c->arena, "{\"campaign_id\":%lld}", (long long)k->id),
	};
	return job_enqueue(c->tx, c->now, &job, NULL);
}

/* ---- run by jobs ---- */

static void
put(struct retrospective *r, const char *field)
{
	res_set_null(&retrospective_res, r, field, false);
}

static struct err *
make_for(struct res_ctx *c, const struct campaign *k, const struct retro_settings *s)
{
	struct retrospective r = { 0 };
	bool has_owner = !res_is_null(&campaign_res, k, "owner_id");
	int64_t delay = s->delay_hours * HOUR_US;

	res_defaults(c, &retrospective_res, &r);
	r.task_id = k->id;
	r.scheduled_time.us = k->completed_at.us + delay;
	if (has_owner)
		TRY(campaign_person_exists(c, k->owner_id, &has_owner));
	if (has_owner) {
		r.created_by = k->owner_id;
		put(&r, "created_by");
	}
	if (!res_is_null(&campaign_res, k, "team_id")) {
		r.team_id = k->team_id;
		put(&r, "team_id");
	}
	return retrospective_create(c, &r);
}

struct err *
retrospective_schedule_for(struct res_ctx *c, int64_t campaign_id)
{
	struct campaign k = { 0 };
	struct retro_settings s = { 0 };
	struct db_rows rows;
	bool found;

	TRY(campaign_company_lock(c));
	TRY(res_find(c, &campaign_res, "id", P_INT(campaign_id), &k, &found));
	if (!found || k.status != CAMPAIGN_COMPLETED)
		return NULL;
	TRY(retro_settings_read(c, &s));
	if (!s.auto_schedule)
		return NULL;
	TRY(DB_FIND(c->tx, &sql_retro_of_campaign, &rows, &found, P_INT(c->actor->company_id),
		P_INT(campaign_id)));
	return found ? NULL : make_for(c, &k, &s);
}

/* Read for a change; *found false when it is gone. */
static struct err *
find(struct res_ctx *c, int64_t id, struct retrospective *r, bool *found)
{
	struct err *e = res_read_for(
		c, &retrospective_res, RES_UPDATE, arena_fmt(c->arena, "%lld", (long long)id), r);

	*found = !e;
	return e && e->code == ERR_NOT_FOUND ? NULL : e;
}

static void
put_time(struct json_out *o, struct res_ctx *c, const char *key, struct instant at)
{
	struct buf b;

	buf_init_arena(&b, c->arena, 64);
	instant_write(&b, at, INSTANT_ISO_SECONDS, NULL);
	json_key(o, str_from_cstr(key));
	json_put_str(o, buf_str(&b));
}

/* Those whom it concerns get a mail that can be read without looking anything up. */
static struct err *
notify(struct res_ctx *c, const char *type, const struct retrospective *r)
{
	struct campaign k = { 0 };
	struct json_out o;
	struct buf b;
	bool found;

	TRY(res_find(c, &campaign_res, "id", P_INT(r->task_id), &k, &found));
	buf_init_arena(&b, c->arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "campaign", found ? k.name : STR(""));
	put_time(&o, c, "scheduled_time", r->scheduled_time);
	if (!res_is_null(&retrospective_res, r, "deadline"))
		put_time(&o, c, "deadline", r->deadline);
	json_end_object(&o);
	const struct notice notice = { type, arena_fmt(c->arena, "%lld", (long long)r->id), buf_str(&b) };
	return notice_put(c, &notice);
}

struct err *
retrospective_remind(struct res_ctx *c, int64_t id)
{
	struct retrospective r = { 0 };
	bool found;

	TRY(find(c, id, &r, &found));
	if (!found || r.status != RETRO_SCHEDULED || r.scheduled_time.us <= c->now.us)
		return NULL;
	if (r.reminded_for.us == r.scheduled_time.us)
		return NULL;
	TRY(DB_EXEC(c->tx, &sql_retro_reminded, P_INT(c->actor->company_id), P_INT(id),
		P_INSTANT(r.scheduled_time)));
	TRY(notify(c, "retrospective.reminder", &r));
	return campaign_event(c, "retrospective.reminder", &retrospective_res, id,
		campaign_json(c, &retrospective_res, &r));
}

struct err *
retrospective_close(struct res_ctx *c, int64_t id)
{
	struct retrospective old = { 0 }, r;
	bool found;

	TRY(find(c, id, &old, &found));
	if (!found || !is_open(&old) || res_is_null(&retrospective_res, &old, "deadline") ||
		old.deadline.us > c->now.us)
		return NULL;
	r = old;
	r.status = RETRO_COMPLETED;
	r.completed_at = c->now;
	put(&r, "completed_at");
	TRY(res_update(c, &retrospective_res, &old, &r));
	TRY(notify(c, "retrospective.closed", &r));
	return campaign_event(
		c, "retrospective.closed", &retrospective_res, id, campaign_json(c, &retrospective_res, &r));
}
