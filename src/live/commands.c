/*
 * What clients may say on a WebSocket: {"token"} (also {"type": "auth", "token"}) where none came with the handshake, {"type": "ping"}, and
 * on general streams {"subscribe": […], "since"} and {"unsubscribe": […]}. What cannot be understood is answered with an error, because
 * a slip of a client is no reason to cut it; who talks too much is cut.
 */
#include "codec/json.h"
#include "live/live_parts.h"

#define SCRATCH_BYTES	(64u * LIMIT_STREAM_CLIENT_BYTES) /* tree of a message and answers */
#define TOKEN_BYTES_MAX 4096
#define REQUESTS_MAX	(2 * LIVE_TOPICS_MAX) /* that wait for a worker */

struct stream_message *
command_message(const struct live_subscriber *s, const char *kind, struct str data)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, LIMIT_STREAM_MESSAGE_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_key(&o, s->dialect == LIVE_RETROSPECTIVE ? STR("event_type") : STR("type"));
	json_put_str(&o, str_from_cstr(kind));
	json_key(&o, STR("data"));
	json_put_raw(&o, data.n ? data : STR("null"));
	json_key(&o, STR("timestamp"));
	buf_add_byte(&b, '"');
	instant_write(&b, (struct instant){ live_now_us(s->live) }, INSTANT_ISO_SECONDS, NULL);
	buf_add_byte(&b, '"');
	o.comma = true;
	json_key(&o, STR("seq"));
	if (s->told_seq)
		json_put_int(&o, s->told_seq);
	else
		json_put_null(&o);
	json_end_object(&o);
	struct stream_message *m =
		stream_message_new(str_from_cstr(kind), (struct str){ "", 0 }, buf_str(&b));
	buf_done(&b);
	return m;
}

static void
answer(struct live_subscriber *s, const char *kind, struct str data)
{
	struct stream_message *m = command_message(s, kind, data);
	subscriber_send(s, m);
	stream_message_drop(m);
}

static void
complain(struct live_subscriber *s, const char *code, const char *message)
{
	struct buf b;
	struct json_out o;
	buf_init(&b, 1024);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "code", str_from_cstr(code));
	json_pair_str(&o, "message", str_from_cstr(message));
	json_end_object(&o);
	answer(s, "error", buf_str(&b));
	buf_done(&b);
}

/* Messages of the present second. */
static bool
talks_too_much(struct live_subscriber *s)
{
	const int64_t now_us = monotonic_us();
	if (now_us - s->window_us > INSTANT_SECOND) {
		s->window_us = now_us;
		s->window_count = 0;
	}
	return ++s->window_count > LIMIT_STREAM_CLIENT_S;
}

static bool
is_text(const json_val *v)
{
	return v && json_type_of(v) == JSON_STRING;
}

/* ---- the token ---- */

static void
take_token(struct live_subscriber *s, const json_val *message)
{
	const json_val *token = json_get(message, STR("token"));
	struct str text = is_text(token) ? str_trim(json_string(token)) : (struct str){ "", 0 };
	if (text.n == 0 || text.n > TOKEN_BYTES_MAX) {
		subscriber_end(s, STREAM_CLOSE_UNAUTHENTICATED, "the first message must bring a token");
		return;
	}
	if (str_starts_with(text, STR("Bearer ")))
		text = str_trim(str_sub(text, 7, text.n));
	char *copy = malloc(text.n + 1);
	check(copy);
	memcpy(copy, text.p, text.n);
	s->token = (struct str){ copy, text.n };
	work_add(s);
}

/* ---- topics ---- */

static bool
ask_topic(struct live_subscriber *s, struct str text, const struct subscribe_request *like)
{
	struct live_topic t;
	if (s->request_count >= REQUESTS_MAX || !live_topic_parse(text, &t))
		return false;
	struct subscribe_request *q = malloc(sizeof(*q) + t.object_type.n + t.object_id.n + 1);
	check(q);
	*q = *like;
	char *room = (char *)(q + 1);
	q->topic =
		(struct live_topic){ { room, t.object_type.n }, { room + t.object_type.n, t.object_id.n } };
	if (t.object_type.n)
		memcpy(room, t.object_type.p, t.object_type.n);
	if (t.object_id.n)
		memcpy(room + t.object_type.n, t.object_id.p, t.object_id.n);
	q->next = NULL;
	*s->requests_end = q;
	s->requests_end = &q->next;
	s->request_count++;
	return true;
}

static void
ask_topics(struct live_subscriber *s, const json_val *topics, const struct subscribe_request *like)
{
	struct json_iter it = json_iter(topics);
	json_val *v;
	bool fine = json_type_of(topics) == JSON_ARRAY || is_text(topics);
	if (is_text(topics))
		fine = ask_topic(s, json_string(topics), like);
	else
		while (fine && json_next(&it, NULL, &v))
			fine = is_text(v) && ask_topic(s, json_string(v), like);
	if (!fine)
		complain(s, "INVALID_INPUT",
			"Topics are texts such as \"kpi:kpi-001\", \"kpi:*\" or \"*\", and not too many at "
			"once.");
	if (s->request_count)
		work_add(s);
}

static bool
take_topics(struct live_subscriber *s, const json_val *message)
{
	const json_val *begin = json_get(message, STR("subscribe")),
		       *end = json_get(message, STR("unsubscribe"));
	const json_val *since = json_get(message, STR("since"));
	struct subscribe_request like = { 0 };
	if (s->dialect != LIVE_EVENTS || (!begin && !end))
		return false;
	if (since && json_type_of(since) != JSON_NULL) {
		like.has_since = true;
		if (!json_int(since, &like.since)) {
			complain(s, "INVALID_INPUT", "since must be the number of an event.");
			return true;
		}
	}
	if (begin)
		ask_topics(s, begin, &like);
	like = (struct subscribe_request){ .is_end = true };
	if (end)
		ask_topics(s, end, &like);
	return true;
}

/* ---- all of them ---- */

/* Whoever hears the pong to a ping behind the token is told what happens from then on, so it has to wait for the token. */
static void
take_ping(struct live_subscriber *s)
{
	if (s->state == SUBSCRIBER_WAITING)
		s->pongs_owed++;
	else
		answer(s, "pong", (struct str){ "", 0 });
}

void
command_answer_pings(struct live_subscriber *s)
{
	for (; s->pongs_owed; s->pongs_owed--)
		answer(s, "pong", (struct str){ "", 0 });
}

static void
take_message(struct live_subscriber *s, const json_val *message)
{
	const json_val *type = json_get(message, STR("type"));
	if (s->state == SUBSCRIBER_WAITING && s->token.n == 0) {
		take_token(s, message);
		return;
	}
	if (is_text(type) && str_eq(json_string(type), STR("ping")))
		take_ping(s);
	else if (!take_topics(s, message) && !json_get(message, STR("token")))
		complain(s, "UNKNOWN_MESSAGE", "This stream does not know such a message.");
}

void
command_take(struct live_subscriber *s, struct str text)
{
	json_val *message = NULL;
	if (talks_too_much(s)) {
		subscriber_end(s, STREAM_CLOSE_POLICY, "too many messages");
		return;
	}
	struct arena *a = arena_new(SCRATCH_BYTES);
	struct err *e = json_parse(a, text, &message);
	if (!e && json_type_of(message) == JSON_OBJECT)
		take_message(s, message);
	else if (s->state == SUBSCRIBER_WAITING && s->token.n == 0)
		subscriber_end(s, STREAM_CLOSE_UNAUTHENTICATED, "the first message must bring a token");
	else
		complain(s, "MALFORMED", "A message is a JSON object.");
	arena_free(a);
}
