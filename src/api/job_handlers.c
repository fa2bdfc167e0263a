/*
 * The job queue over HTTP (dialect crm): a company's jobs and schedules for its administrators, the installation's (?installation=true)
 * and the queues, which all companies share, for those of the platform. Rows are shown by the engine and changed by the queue. No answer
 * is remembered, because jobs move without their company's epoch. What an administrator changes is told by an event in the same transaction;
 * that of the installation and its queues is an event of company 0, which no company's streams and webhooks read.
 */
#include "api/api.h"
#include "api/registry.h"
#include "jobs/job_resource.h"
#include "jobs/jobs.h"
#include "queue/job_list.h"

#define JOB_VALUES_BYTES (1u << 16)

/* ---- whose ------------------------------------------------------------------------------------------------------------------ */

/* From here on the request is the installation's, in the name of whoever sent it. */
static void
act_for_installation(struct api_ctx *c)
{
	struct actor *server = arena_new_of(c->res.arena, struct actor);

	*server = c->actor;
	server->company_id = 0;
	c->res.actor = server;
}

static struct err *
enter(struct api_ctx *c)
{
	struct err *e = NULL;
	bool installation = false;

	api_no_store(c);
	api_param_bool(c, "installation", &installation, &e);
	if (e || !installation)
		return e;
	if (!actor_may(&c->actor, PERM_PLATFORM_ADMIN))
		return err_new(c->res.arena, ERR_INSUFFICIENT_PERMISSIONS, "");
	act_for_installation(c);
	return NULL;
}

static struct api_done *
list(struct api_ctx *c)
{
	struct err *e = enter(c);
	return e ? api_fail(c, e) : api_res_list(c);
}

static struct api_done *
read(struct api_ctx *c)
{
	struct err *e = enter(c);
	return e ? api_fail(c, e) : api_res_read(c);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------------- */

/* What is done to a job and how its event is called. */
struct job_change {
	struct err *(*make)(struct db_tx *tx, struct instant now, int64_t company_id, int64_t id);
	const char *event;
};

/* Neither payload nor result: they may be large, and the job has them. */
static struct str
job_values(struct api_ctx *c, const struct job_record *job)
{
	struct json_out o;
	struct buf b;

	buf_init_arena(&b, c->res.arena, JOB_VALUES_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_int(&o, "id", job->id);
	json_pair_str(&o, "kind", job->kind);
	json_key(&o, STR("key"));
	if (job->key.n)
		json_put_str(&o, job->key);
	else
		json_put_null(&o);
	json_pair_str(&o, "state", str_from_cstr(res_field_find(&job_res, STR("state"))->names[job->state]));
	json_pair_int(&o, "attempt", job->attempt);
	json_pair_bool(&o, "cancel_asked", job->cancel_asked);
	json_end_object(&o);
	return buf_str(&b);
}

/* Asking a job to stop that was asked already is no change; an event follows every other. */
static struct err *
change_job(struct api_ctx *c, const struct job_change *change, struct job_record *job)
{
	TRY(enter(c));
	TRY(res_read(&c->res, &job_res, c->path_params[0], job));
	struct str before = job_values(c, job), id = arena_fmt(c->res.arena, "%lld", (long long)job->id);
	bool was_asked = job->state == JOB_STATE_RUNNING && job->cancel_asked;
	TRY(change->make(c->res.tx, c->res.now, c->res.actor->company_id, job->id));
	TRY(res_read(&c->res, &job_res, id, job));
	if (was_asked)
		return NULL;
	return event_add(&c->res, str_from_cstr(change->event), job_res.name, id, before, job_values(c, job));
}

static struct api_done *
answer_change(struct api_ctx *c, const struct job_change *change)
{
	struct job_record job = { 0 };
	struct err *e = change_job(c, change, &job);
	return e ? api_fail(c, e) : api_record(c, &job);
}

static struct api_done *
cancel(struct api_ctx *c)
{
	static const struct job_change change = { job_cancel, "job.cancelled" };
	return answer_change(c, &change);
}

static struct api_done *
retry(struct api_ctx *c)
{
	static const struct job_change change = { job_retry, "job.retried" };
	return answer_change(c, &change);
}

/* ---- pausing ---------------------------------------------------------------------------------------------------------------- */

static struct str
pause_values(struct api_ctx *c, bool paused)
{
	return arena_fmt(c->res.arena, "{\"paused\":%s}", paused ? "true" : "false");
}

/* Of a queue or a schedule, and only when it was not so before. */
static struct err *
tell_pause(struct api_ctx *c, const char *object_type, struct str name, bool was, bool paused)
{
	if (was == paused)
		return NULL;
	struct str type = arena_fmt(c->res.arena, "%s.%s", object_type, paused ? "paused" : "resumed");
	return event_add(&c->res, type, object_type, name, pause_values(c, was), pause_values(c, paused));
}

/* ---- queues ----------------------------------------------------------------------------------------------------------------- */

static void
write_instant(struct json_out *o, struct arena *a, struct instant t)
{
	struct buf b;

	if (!t.us) {
		json_put_null(o);
		return;
	}
	buf_init_arena(&b, a, 64);
	instant_write(&b, t, INSTANT_ISO_SECONDS, NULL);
	json_put_str(o, buf_str(&b));
}

static void
write_queue(struct api_ctx *c, const struct job_queue_figures *q)
{
	struct json_out *o = &c->json;

	json_begin_object(o);
	json_pair_str(o, "name", q->name);
	json_pair_bool(o, "paused", q->paused);
	json_pair_int(o, "due", q->due);
	json_pair_int(o, "later", q->later);
	json_pair_int(o, "running", q->running);
	json_pair_int(o, "poison", q->poison);
	json_key(o, STR("oldest"));
	write_instant(o, c->res.arena, q->oldest);
	json_end_object(o);
}

static struct api_done *
queues(struct api_ctx *c)
{
	struct job_queue_figures *all;
	size_t count;

	api_no_store(c);
	struct err *e = job_queues_read(c->res.tx, c->res.now, job_kinds, &all, &count);
	if (e)
		return api_fail(c, e);
	json_begin_array(&c->json);
	for (size_t i = 0; i < count; i++)
		write_queue(c, &all[i]);
	json_end_array(&c->json);
	return api_json(c, 200);
}

static struct err *
pause_queue(struct api_ctx *c, bool paused, struct job_queue_figures *out)
{
	struct job_queue_figures *all;
	size_t count, i = 0;

	TRY(job_queues_read(c->res.tx, c->res.now, job_kinds, &all, &count));
	while (i < count && !str_eq(all[i].name, c->path_params[0]))
		i++;
	if (i == count)
		return err_word(
			err_new(c->res.arena, ERR_NOT_FOUND, "There is no such queue."), "QUEUE_NOT_FOUND");
	*out = all[i];
	out->paused = paused;
	TRY(job_queue_pause(c->res.tx, out->name, paused));
	act_for_installation(c);
	return tell_pause(c, "queue", out->name, all[i].paused, paused);
}

static struct api_done *
answer_queue(struct api_ctx *c, bool paused)
{
	struct job_queue_figures q;
	struct err *e = pause_queue(c, paused, &q);

	if (e)
		return api_fail(c, e);
	write_queue(c, &q);
	return api_json(c, 200);
}

static struct api_done *
queue_pause(struct api_ctx *c)
{
	return answer_queue(c, true);
}

static struct api_done *
queue_resume(struct api_ctx *c)
{
	return answer_queue(c, false);
}

/* ---- schedules -------------------------------------------------------------------------------------------------------------- */

static struct err *
read_schedule(struct api_ctx *c, struct schedule_record *s)
{
	return res_read(&c->res, &job_schedule_res, c->path_params[0], s);
}

static struct err *
pause_schedule(struct api_ctx *c, bool paused, struct schedule_record *s)
{
	TRY(enter(c));
	TRY(read_schedule(c, s));
	TRY(job_schedule_pause(c->res.tx, c->res.now, c->res.actor->company_id, s->id, paused));
	TRY(tell_pause(c, job_schedule_res.name, s->id, s->paused, paused));
	return read_schedule(c, s);
}

static struct api_done *
answer_schedule(struct api_ctx *c, bool paused)
{
	struct schedule_record s = { 0 };
	struct err *e = pause_schedule(c, paused, &s);
	return e ? api_fail(c, e) : api_record(c, &s);
}

static struct api_done *
schedule_pause(struct api_ctx *c)
{
	return answer_schedule(c, true);
}

static struct api_done *
schedule_resume(struct api_ctx *c)
{
	return answer_schedule(c, false);
}

/* The job made (or the one that waits already) is the answer. */
static struct err *
run_schedule(struct api_ctx *c, struct job_record *job)
{
	struct schedule_record s = { 0 };
	int64_t id;

	TRY(enter(c));
	TRY(read_schedule(c, &s));
	TRY(job_schedule_run(c->res.tx, c->res.now, c->res.actor->company_id, s.id, &id));
	TRY(event_add(&c->res, STR("job_schedule.run"), job_schedule_res.name, s.id, STR(""),
		arena_fmt(c->res.arena, "{\"job\":%lld}", (long long)id)));
	return res_read(&c->res, &job_res, arena_fmt(c->res.arena, "%lld", (long long)id), job);
}

static struct api_done *
schedule_run(struct api_ctx *c)
{
	struct job_record job = { 0 };
	struct err *e = run_schedule(c, &job);
	return e ? api_fail(c, e) : api_record(c, &job);
}

/* ---- routes ----------------------------------------------------------------------------------------------------------------- */

#define ADMINISTRATORS (PERM_BIT(PERM_COMPANY_ADMIN) | PERM_BIT(PERM_PLATFORM_ADMIN))
#define PLATFORM       PERM_BIT(PERM_PLATFORM_ADMIN)

static const struct api_param whose[] = {
	{ "installation", "{\"type\":\"boolean\"}",
		"The installation's own instead of the company's; for administrators of the platform.",
		false },
	{ NULL, NULL, NULL, false },
};

#define QUEUE_SCHEMA                                                                                         \
	"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"paused\":{\"type\":"          \
	"\"boolean\"},"                                                                                      \
	"\"due\":{\"type\":\"integer\",\"description\":\"Jobs that wait for nothing but a thread.\"},"       \
	"\"later\":{\"type\":\"integer\",\"description\":\"Jobs that wait for their time.\"},"               \
	"\"running\":{\"type\":\"integer\"},"                                                                \
	"\"poison\":{\"type\":\"integer\",\"description\":\"Jobs under which the server died too often.\"}," \
	"\"oldest\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\","                               \
	"\"description\":\"Since when the oldest due one waits.\"}}}"
#define QUEUE_EXAMPLE                                                                              \
	"{\"name\":\"webhook\",\"paused\":false,\"due\":2,\"later\":1,\"running\":4,\"poison\":0," \
	"\"oldest\":\"2024-06-15T09:00:00Z\"}"
#define ENVELOPE_SCHEMA(schema)                                                                \
	"{\"type\":\"object\",\"required\":[\"status\",\"message\",\"data\"],\"properties\":{" \
	"\"status\":{\"type\":\"integer\"},\"message\":{\"type\":\"string\"},\"data\":" schema \
	",\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"}}}"
#define ENVELOPE_EXAMPLE(example)                                                \
	"{\"status\":200,\"message\":\"Operation successful\",\"data\":" example \
	",\"timestamp\":\"2024-06-15T09:00:01Z\"}"

static const struct api_route routes[] = {
	{ HTTP_GET, "/api/v1/jobs", list, ADMINISTRATORS, API_READ, API_BODY_NONE, &job_res, NULL, RES_LIST,
		.summary = "List jobs", .doc = "Work that the server does by itself, newest first.",
		.params = whose },
	{ HTTP_GET, "/api/v1/jobs/{job_id}", read, ADMINISTRATORS, API_READ, API_BODY_NONE, &job_res, NULL,
		RES_READ, .summary = "Read a job", .params = whose },
	{ HTTP_POST, "/api/v1/jobs/{job_id}/cancel", cancel, ADMINISTRATORS, API_WRITE, API_BODY_NONE,
		&job_res, NULL, RES_READ, .summary = "Cancel a job",
		.doc = "A waiting job is cancelled at once, a running one is asked to stop. 409 when it is "
		       "over.",
		.params = whose, .success = 200 },
	{ HTTP_POST, "/api/v1/jobs/{job_id}/retry", retry, ADMINISTRATORS, API_WRITE, API_BODY_NONE, &job_res,
		NULL, RES_READ, .summary = "Run a job again",
		.doc = "A dead, poison or cancelled job waits again with all its attempts; a waiting one "
		       "runs at once.",
		.params = whose, .success = 200 },
	{ HTTP_GET, "/api/v1/jobs/queues", queues, PLATFORM, API_READ, API_BODY_NONE,
		.summary = "List queues",
		.doc = "What waits and runs in each queue, of all companies together.",
		.answer_schema = ENVELOPE_SCHEMA("{\"type\":\"array\",\"items\":" QUEUE_SCHEMA "}"),
		.answer_example = ENVELOPE_EXAMPLE("[" QUEUE_EXAMPLE "]") },
	{ HTTP_POST, "/api/v1/jobs/queues/{queue}/pause", queue_pause, PLATFORM, API_WRITE, API_BODY_NONE,
		.summary = "Pause a queue",
		.doc = "Nothing of it begins any more, on no node; what runs goes on.",
		.answer_schema = ENVELOPE_SCHEMA(QUEUE_SCHEMA),
		.answer_example = ENVELOPE_EXAMPLE(QUEUE_EXAMPLE), .success = 200 },
	{ HTTP_POST, "/api/v1/jobs/queues/{queue}/resume", queue_resume, PLATFORM, API_WRITE, API_BODY_NONE,
		.summary = "Resume a queue", .answer_schema = ENVELOPE_SCHEMA(QUEUE_SCHEMA),
		.answer_example = ENVELOPE_EXAMPLE(QUEUE_EXAMPLE), .success = 200 },
	{ HTTP_GET, "/api/v1/jobs/schedules", list, ADMINISTRATORS, API_READ, API_BODY_NONE,
		&job_schedule_res, NULL, RES_LIST, .summary = "List schedules",
		.doc = "Jobs that come again and again.", .params = whose },
	{ HTTP_POST, "/api/v1/jobs/schedules/{name}/run", schedule_run, ADMINISTRATORS, API_WRITE,
		API_BODY_NONE, &job_res, NULL, RES_READ, .summary = "Run a schedule now",
		.doc = "Answers with its job. The times that the schedule names stay as they are.",
		.params = whose, .success = 200 },
	{ HTTP_POST, "/api/v1/jobs/schedules/{name}/pause", schedule_pause, ADMINISTRATORS, API_WRITE,
		API_BODY_NONE, &job_schedule_res, NULL, RES_READ, .summary = "Pause a schedule",
		.doc = "Times that pass while it is paused are not made up.", .params = whose,
		.success = 200 },
	{ HTTP_POST, "/api/v1/jobs/schedules/{name}/resume", schedule_resume, ADMINISTRATORS, API_WRITE,
		API_BODY_NONE, &job_schedule_res, NULL, RES_READ, .summary = "Resume a schedule",
		.params = whose, .success = 200 },
};

const struct api_routes job_routes = { routes, COUNT(routes), "Jobs",
	"Work that the server does by itself: its jobs, queues and schedules." };
