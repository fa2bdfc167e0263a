/*
 * From an error to an answer: status, the dialect's body, the challenge of a 401, Retry-After. Every body holds the same members, so that
 * a client of any contract finds its own; the dialect words them. What is wrong inside the server never reaches the body.
 */
#include "api/core.h"

static const struct {
	int status;
	struct str reason;
} reasons[] = {
	{ 400, STR_INIT("Bad Request") },
	{ 401, STR_INIT("Unauthorized") },
	{ 403, STR_INIT("Forbidden") },
	{ 404, STR_INIT("Not Found") },
	{ 405, STR_INIT("Method Not Allowed") },
	{ 409, STR_INIT("Conflict") },
	{ 412, STR_INIT("Precondition Failed") },
	{ 413, STR_INIT("Content Too Large") },
	{ 414, STR_INIT("URI Too Long") },
	{ 415, STR_INIT("Unsupported Media Type") },
	{ 422, STR_INIT("Unprocessable Content") },
	{ 429, STR_INIT("Too Many Requests") },
	{ 431, STR_INIT("Request Header Fields Too Large") },
	{ 500, STR_INIT("Internal Server Error") },
	{ 503, STR_INIT("Service Unavailable") },
	{ 505, STR_INIT("Account Suspended") },
};

struct str
status_reason(int status)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return STR("Error");
}

struct str
status_reason_plain(struct arena *a, int status)
{
	const struct str reason = status_reason(status);
	char *text = arena_alloc(a, reason.n + 1);
	for (size_t i = 0; i < reason.n; i++) {
		const char ch = reason.p[i];
		text[i] = i > 0 && ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
	}
	return (struct str){ text, reason.n };
}

struct str
failure_message(const struct api_ctx *c, const struct err *e)
{
	if (!c->dialect->full_stops && str_ends_with(e->message, STR(".")))
		return str_sub(e->message, 0, e->message.n - 1);
	return e->message;
}

/* Whole seconds, but for the contract that shows milliseconds; kpi-management shows the company's own offset, the others UTC. */
static void
put_timestamp(struct json_out *o, struct api_ctx *c)
{
	const bool local = c->dialect->id == DIALECT_KPI;
	const enum instant_format format = local ? INSTANT_ISO_OFFSET : c->dialect->instants;
	struct instant now = c->res.now;
	struct buf b;
	if (format != INSTANT_ISO_MILLIS)
		now.us -= now.us % INSTANT_SECOND;
	buf_init_arena(&b, c->res.arena, 64);
	instant_write(&b, now, format, local ? c->actor.zone : zone_utc());
	json_pair_str(o, "timestamp", buf_str(&b));
}

void
failure_members(struct json_out *o, struct api_ctx *c, const struct err *e, const struct failure_texts *t)
{
	(void)e;
	json_pair_int(o, "status", c->pipeline->answer.status);
	json_pair_str(o, "error", t->error);
	json_pair_str(o, "message", t->message);
	json_pair_str(o, "detail", t->detail);
	json_pair_str(o, "code", t->code);
	put_timestamp(o, c);
	json_pair_str(o, "path", c->request->path);
	json_pair_str(o, "request_id", c->request->request_id);
}

static void
add_challenge(struct api_ctx *c)
{
	api_header(c, "WWW-Authenticate",
		c->dialect->challenge_basic ? STR("Basic realm=\"api\", charset=\"UTF-8\"")
					    : STR("Bearer realm=\"api\""));
}

void
api_failure(struct api_pipeline *p, struct err *e, int status)
{
	struct api_ctx *c = &p->c;
	api_reply_reset(p);
	p->answer.status = status ? status : err_status(e);
	p->answer.content_type = STR("application/json");
	p->fault = e;
	p->rollback = e;
	if (p->answer.status == 401)
		add_challenge(c);
	if (e->retry_after_s > 0)
		api_header(c, "Retry-After", arena_fmt(c->res.arena, "%lld", (long long)e->retry_after_s));
	else if (p->answer.status == 503)
		api_header(c, "Retry-After", STR("1"));
	c->dialect->write_error(&c->json, c, e);
	p->answer.body = buf_str(&c->out);
	p->answer.no_etag = true;
	p->done.made = true;
}
