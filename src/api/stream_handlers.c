/*
 * The streams over HTTP: the WebSocket of a retrospective (contract retrospectives), the general WebSocket and the general event stream.
 * Both WebSocket addresses also answer an Accept: text/event-stream with the same messages as server-sent events, for clients behind
 * what lets no WebSocket through. Here a request becomes an opening; who may hear what is decided by live/.
 */
#include "api/registry.h"
#include "live/event_log.h"
#include "live/live.h"

/* ---- what the request asks for ---- */

static bool
accepts_events(const struct api_ctx *c)
{
	struct str left = api_request_header(c, "Accept"), one;
	while (left.p && str_split(&left, ',', &one))
		if (str_eq_nocase(
			    str_trim(str_sub(one, 0, str_index(one, ';', 0))), STR("text/event-stream")))
			return true;
	return false;
}

/* ?since=, or where an EventSource says it after a break. An unreadable Last-Event-ID is not the fault of whoever connects again. */
static void
read_since(struct api_ctx *c, struct live_opening *o, struct err **e)
{
	const struct str last = str_trim(api_request_header(c, "Last-Event-ID"));
	const struct str since = api_param(c, "since");
	if (last.n) {
		o->has_since = true;
		if (!str_to_int(last, &o->since) || o->since < 0)
			o->since = -1;
		return;
	}
	o->has_since = since.p != NULL;
	api_param_int(c, "since", 0, INT64_MAX, &o->since, e);
}

static struct err *
read_topics(struct api_ctx *c, struct live_opening *o)
{
	struct str left = api_param(c, "topics"), one;
	while (left.p && str_split(&left, ',', &one)) {
		one = str_trim(one);
		if (one.n == 0)
			continue;
		if (o->topic_count == LIVE_TOPICS_MAX)
			return err_field(
				c->res.arena, "topics", "At most %d topics a stream.", LIVE_TOPICS_MAX);
		if (!live_topic_parse(one, &o->topics[o->topic_count++]))
			return err_field(
				c->res.arena, "topics", "A topic is \"kpi:kpi-001\", \"kpi:*\" or \"*\".");
	}
	return NULL;
}

/* ---- what becomes of it ---- */

static void
refuse(struct live_opening *o, int code, const char *reason)
{
	o->refuse = code;
	o->reason = str_from_cstr(reason);
}

static struct err *
open_events(struct api_ctx *c, struct live_opening *o)
{
	o->is_events = true;
	o->has_actor = true;
	o->actor = c->actor;
	return live_check(api_live(c), &c->res, o);
}

/*
 * A page of another host cannot set Authorization on a WebSocket: a password that comes along is one the browser remembers for this host,
 * and the page has no business with it. Tokens are not remembered, so they show that the page was given them.
 */
static bool
is_borrowed(const struct api_ctx *c)
{
	const struct str origin = api_request_header(c, "Origin"),
			 auth = api_request_header(c, "Authorization");
	const size_t host = str_index(origin, '/', str_index(origin, '/', 0) + 1) + 1;
	if (origin.n == 0 || !str_eq_nocase(str_sub(auth, 0, 6), STR("Basic ")))
		return false;
	return !str_eq_nocase(str_sub(origin, host, origin.n), c->request->host);
}

/* What a browser could not read from a status is told by the code of the close frame. */
static struct err *
open_socket(struct api_ctx *c, struct live_opening *o)
{
	if (api_identity_fault(c)) {
		refuse(o, STREAM_CLOSE_UNAUTHENTICATED, "the token is not valid");
		return NULL;
	}
	if (is_borrowed(c)) {
		refuse(o, STREAM_CLOSE_FORBIDDEN, "a page of another host");
		return NULL;
	}
	o->has_actor = c->actor.kind != ACTOR_ANONYMOUS;
	if (!o->has_actor)
		return NULL;
	o->actor = c->actor;
	struct err *e = live_check(api_live(c), &c->res, o);
	if (e && e->code == ERR_NOT_FOUND)
		refuse(o, STREAM_CLOSE_NOT_FOUND, "there is no such object");
	else if (e && e->code == ERR_INSUFFICIENT_PERMISSIONS)
		refuse(o, STREAM_CLOSE_FORBIDDEN, "not permitted");
	else if (e)
		return e;
	return NULL;
}

static struct api_done *
answer(struct api_ctx *c, struct live_opening *o, bool wants_events)
{
	struct err *e = NULL;
	read_since(c, o, &e);
	if (!e && !api_live(c))
		e = err_new(c->res.arena, ERR_UNAVAILABLE, "");
	if (!e && c->request->is_head && wants_events) {
		api_no_store(c);
		return api_bytes(c, 200, STR("text/event-stream"), (struct str){ "", 0 });
	}
	if (!e && api_is_handshake(c))
		e = open_socket(c, o);
	else if (!e && wants_events)
		e = open_events(c, o);
	else if (!e)
		e = err_new(c->res.arena, ERR_UPGRADE_REQUIRED, "");
	return e ? api_fail(c, e) : api_stream(c, o);
}

static struct api_done *
retrospective_socket(struct api_ctx *c)
{
	struct live_opening *o = arena_new_of(c->res.arena, struct live_opening);
	o->dialect = LIVE_RETROSPECTIVE;
	o->topics[o->topic_count++] = (struct live_topic){ STR("retrospective"), c->path_params[0] };
	return answer(c, o, accepts_events(c));
}

static struct api_done *
general_socket(struct api_ctx *c)
{
	struct live_opening *o = arena_new_of(c->res.arena, struct live_opening);
	o->dialect = LIVE_EVENTS;
	struct err *e = read_topics(c, o);
	return e ? api_fail(c, e) : answer(c, o, accepts_events(c));
}

static struct api_done *
event_stream(struct api_ctx *c)
{
	struct live_opening *o = arena_new_of(c->res.arena, struct live_opening);
	o->dialect = LIVE_EVENTS;
	struct err *e = read_topics(c, o);
	if (e)
		return api_fail(c, e);
	if (o->topic_count == 0)
		o->topic_count = 1; /* every event that the actor may see */
	return answer(c, o, true);
}

/* ---- the list ---- */

static void
filter_by(struct api_ctx *c, struct list_query *q, const char *param, const char *field, enum list_op op,
	struct err **e)
{
	const struct str text = api_param(c, param);
	if (text.n)
		list_filter_add(&c->res, q, res_field_find(&event_res, str_from_cstr(field)), op, text,
			str_from_cstr(param), e);
}

static struct api_done *
event_list(struct api_ctx *c)
{
	struct list_query q;
	struct res_page page;
	struct err *e = api_list_query(c, &event_res, &event_view, &q);
	if (!e) {
		filter_by(c, &q, "from", "at", LIST_GTE, &e);
		filter_by(c, &q, "to", "at", LIST_LT, &e);
		filter_by(c, &q, "since", "seq", LIST_GT, &e);
	}
	if (!e)
		e = api_list_run(c, &event_res, &q, &page);
	return e ? api_fail(c, e) : api_list(c, &q, &page);
}

/* ---- routes ---- */

#define SINCE                                                                                        \
	{                                                                                            \
		"since", "{\"type\":\"integer\",\"minimum\":0}",                                     \
			"Number (`seq`) of the last event that was received: what came after it is " \
			"replayed first. "                                                           \
			"A number that is unknown or too old is answered with a message `resync`.",  \
			false                                                                        \
	}
#define TOKEN                                                                                             \
	{                                                                                                 \
		"token", "{\"type\":\"string\"}",                                                         \
			"Access token or API key, for clients that cannot set header fields (browsers).", \
			false                                                                             \
	}

static const struct api_param socket_params[] = { SINCE, TOKEN, { .name = NULL } };
static const struct api_param stream_params[] = {
	{ "topics", "{\"type\":\"string\",\"example\":\"kpi:kpi-001,retrospective:*\"}",
		"Objects (`kpi:kpi-001`), kinds of objects (`kpi:*`) or everything (`*`), with commas "
		"between "
		"them; by default all that the caller may see.",
		false },
	SINCE, TOKEN, { .name = NULL }
};

static const struct api_param list_params[] = { { "from", "{\"type\":\"string\",\"format\":\"date-time\"}",
							"Events from this moment or day on.", false },
	{ "to", "{\"type\":\"string\",\"format\":\"date-time\"}", "Events before this moment or day.",
		false },
	{ "since", "{\"type\":\"integer\",\"minimum\":0}", "Events with a greater number.", false },
	{ .name = NULL } };

#define SOCKET_DOC                                                                                           \
	"A WebSocket (RFC 6455). The token comes as `Authorization`, as `?token=`, as subprotocols "         \
	"`bearer, "                                                                                          \
	"<token>`, or within 5 seconds as first message `{\"token\": \"...\"}`. Close codes: 4401 no valid " \
	"token, or it has expired; 4403 the permission was taken away; 4404 no such object; 4429 too many "  \
	"streams of one user (429 when that is known at the handshake; 5 are allowed on all streams "        \
	"together); 1001 the server restarts: connect again with `since`; 1008 too many messages; 1013 too " \
	"slow a reader. With `Accept: text/event-stream` the same messages come as server-sent events."

static const struct api_route routes[] = {
	{
		.method = HTTP_GET,
		.path = "/api/v1/events",
		.handler = event_list,
		.perm = PERM_BIT(PERM_COMPANY_ADMIN),
		.work = API_READ,
		.res = &event_res,
		.view = &event_view,
		.op = RES_LIST,
		.summary = "List what happened",
		.doc = "The audit trail of the company, newest first: every change with who made it and what "
		       "was "
		       "there before and after.",
		.params = list_params,
	},
	{
		.method = HTTP_GET,
		.path = "/api/ws/retrospectives/{id}",
		.handler = retrospective_socket,
		.perm = PERM_AUTHENTICATED,
		.work = API_STREAM,
		.summary = "Follow a retrospective live",
		.doc = "Messages are `{event_type, data, timestamp, seq}`: `kpiUpdated` (the campaign's "
		       "values "
		       "that were recorded), `insightGenerated` (the insight), `reportApproved` and "
		       "`retrospectiveUpdated` (the retrospective), `actionUpdated` (the action) and "
		       "`presenceChanged` (who is connected). The client may send `{\"type\": "
		       "\"ping\"}`.\n\n" SOCKET_DOC,
		.params = socket_params,
		.answer_type = "text/event-stream",
	},
	{
		.method = HTTP_GET,
		.path = "/api/ws/events",
		.handler = general_socket,
		.perm = PERM_AUTHENTICATED,
		.work = API_STREAM,
		.summary = "Follow events live on a WebSocket",
		.doc = "Messages are `{type, timestamp, seq, object_type, object_id, data}`. Topics are "
		       "those of "
		       "the query, and are changed by messages `{\"subscribe\": [\"kpi:kpi-001\"]}` and "
		       "`{\"unsubscribe\": [\"kpi:*\"]}`, which are answered with `subscribed`, "
		       "`unsubscribed` "
		       "or `error`.\n\n" SOCKET_DOC,
		.params = stream_params,
		.answer_type = "text/event-stream",
	},
	{
		.method = HTTP_GET,
		.path = "/api/v1/events/stream",
		.handler = event_stream,
		.perm = PERM_AUTHENTICATED,
		.work = API_STREAM,
		.summary = "Follow events live as server-sent events",
		.doc = "Each event's data is `{type, timestamp, seq, object_type, object_id, data}` and its "
		       "id the "
		       "`seq`, so that an EventSource goes on by itself where it was (`Last-Event-ID`). Only "
		       "what the caller may read is told; a topic that he may not is 404 or 403. The stream "
		       "ends "
		       "when the token expires or the permission is taken away.",
		.params = stream_params,
		.answer_type = "text/event-stream",
	},
};

const struct api_routes stream_routes = { routes, COUNT(routes), "Live",
	"Events as they happen, on WebSockets and event streams." };
