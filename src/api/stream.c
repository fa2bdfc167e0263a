/*
 * How a request becomes a stream: credentials that stand where browsers can put them, and the hand-over to the streams' hub when the
 * transaction that decided about it is over. What is told on a stream is the business of live/.
 */
#include "api/core.h"

static const struct str subprotocol_name = STR_INIT("bearer");

/* "bearer, <token>" as browsers send what is given as list of subprotocols. */
static struct str
subprotocol_token(const struct http_exchange *x)
{
	struct str left = http_header(x, "Sec-WebSocket-Protocol"), one;
	bool is_next = false;
	while (left.p && str_split(&left, ',', &one)) {
		one = str_trim(one);
		if (is_next)
			return one;
		is_next = str_eq_nocase(one, subprotocol_name);
	}
	return (struct str){ NULL, 0 };
}

static struct str
query_token(const struct api_pipeline *p)
{
	struct form query = { 0 };
	struct err *e = form_parse(p->c.res.arena, p->c.request->query, LIMIT_QUERY_PARAMS, &query);
	/* A query that is none is told by the admission. */
	return e ? (struct str){ NULL, 0 } : form_get(&query, STR("token"));
}

struct iam_credentials
stream_credentials(const struct api_pipeline *p)
{
	const struct http_exchange *x = p->c.exchange;
	struct iam_credentials c = {
		.authorization = http_header(x, "Authorization"),
		.api_key = http_header(x, "X-API-Key"),
		.peer = p->c.request->peer,
	};
	if (str_trim(c.authorization).n || str_trim(c.api_key).n)
		return c;
	struct str token = p->c.request->query.n ? query_token(p) : (struct str){ NULL, 0 };
	if (token.n == 0)
		token = subprotocol_token(x);
	if (token.n)
		c.authorization = arena_fmt(p->c.res.arena, "Bearer %.*s", STR_ARG(token));
	return c;
}

bool
api_is_handshake(const struct api_ctx *c)
{
	struct str left = api_request_header(c, "Upgrade"), one;
	while (left.p && str_split(&left, ',', &one))
		if (str_eq_nocase(str_trim(one), STR("websocket")))
			return true;
	return false;
}

struct err *
api_identity_fault(const struct api_ctx *c)
{
	return c->pipeline->identity_fault;
}

struct live *
api_live(struct api_ctx *c)
{
	return c->api->options.live;
}

struct outbox_position
api_live_position(const struct api_ctx *c)
{
	return c->pipeline->live_before;
}

struct api_done *
api_stream(struct api_ctx *c, struct live_opening *o)
{
	struct api_pipeline *p = c->pipeline;
	check(c->route->work == API_STREAM && !p->done.made);
	p->opening = o;
	p->answer.status = o->is_events ? 200 : 101;
	p->done.made = true;
	return &p->done;
}

struct err *
stream_answer(struct api_pipeline *p)
{
	struct api *api = p->c.api;
	struct live_opening *o = p->opening;
	struct live_subscriber *s = NULL;
	if (!api->options.live || !api->streams)
		return err_new(p->c.res.arena, ERR_UNAVAILABLE, "");
	o->from = p->live_before;
	TRY(live_admit(api->options.live, p->c.res.arena, o, &s));
	const struct stream_options options = {
		.kind = o->is_events ? STREAM_EVENTS : STREAM_WEBSOCKET,
		.handlers = &live_handlers,
		.arg = s,
		.subprotocol = subprotocol_name,
		.hello = o->is_events ? STR("retry: 2000\n\n") : (struct str){ "", 0 },
		.fields = p->fields,
		.field_count = p->field_count,
		.message_bytes_max = LIMIT_STREAM_CLIENT_BYTES,
		.queue_bytes_max = LIMIT_STREAM_QUEUE_BYTES,
	};
	struct err *e = http_answer_stream(p->c.exchange, api->streams, &options);
	if (e)
		live_abandon(s);
	return e;
}
