/*
 * What a worker does for a subscriber: bring it from where it is to the present. It says what it needs to know, asks the database without
 * the lock (round.c), and draws the conclusions under it: ends the stream, drops topics, tells a page of the past. The last step, from
 * memory to the present, is one with becoming live, so there is no moment between the two.
 */
#include "live/round.h"

#define FULL_WAIT_MS 20 /* until the client has taken some of what waits for it */
#define PATIENCE     60 /* times retry_ms without an answer; another node may have more luck */
#define SCANNED_MAX  (20 * LIMIT_REPLAY_EVENTS) /* events of the company looked at for one replay */

/* ---- what is to be asked (with the lock) ---- */

static struct live_topic
copy_topic(struct arena *a, const struct live_topic *t)
{
	return (struct live_topic){ arena_str(a, t->object_type), arena_str(a, t->object_id) };
}

static void
copy_actor(struct arena *a, const struct actor *from, struct actor *to)
{
	*to = *from;
	to->username = arena_str(a, from->username);
	to->employee_id = arena_str(a, from->employee_id);
	to->role = arena_str(a, from->role);
	to->currency = arena_str(a, from->currency);
}

static void
take_requests(struct round *r, struct arena *a, struct live_subscriber *s)
{
	r->requests = arena_alloc_array(a, s->request_count, sizeof(*r->requests));
	while (s->requests) {
		struct subscribe_request *q = s->requests;
		s->requests = q->next;
		r->requests[r->request_count++] = (struct round_request){ .asked = q };
	}
	s->requests_end = &s->requests;
	s->request_count = 0;
}

/* False: nothing has to be asked now. */
static bool
prepare(struct round *r, struct arena *a, struct live_subscriber *s)
{
	struct live *l = s->live;
	struct live_event *in_the_way = NULL;
	*r = (struct round){ .live = l, .subscriber = s, .dialect = s->dialect, .at = l->newest };
	if (s->token.n) {
		r->token = arena_str(a, s->token);
		r->first = copy_topic(a, &s->first);
		return true;
	}
	if (s->state == SUBSCRIBER_WAITING)
		return false;
	r->replay = s->has_since && s->topic_count;
	if (!s->has_since) {
		const enum told t = s->state == SUBSCRIBER_LIVE ? TOLD_FINE : tell_recent(s, &in_the_way);
		if (t == TOLD_FULL)
			work_add_later(s, FULL_WAIT_MS);
		if (t == TOLD_FULL || (t == TOLD_FINE && !s->requests && !s->recheck))
			return false;
		r->page = t == TOLD_OLDER;
		r->has_object = t == TOLD_ASK && in_the_way && !s->recheck;
		if (r->has_object)
			r->object = copy_topic(a, &in_the_way->self);
	}
	r->recheck = s->recheck;
	s->recheck = false;
	r->since = s->since;
	r->position = s->position;
	r->checked = s->checked;
	copy_actor(a, &s->actor, &r->actor);
	for (size_t i = 0; i < s->topic_count; i++)
		r->topics[r->topic_count++] = (struct round_topic){ copy_topic(a, &s->topics[i]->topic->name),
			.whole = s->topics[i]->whole, .implied = s->topics[i]->implied };
	take_requests(r, a, s);
	return r->replay || r->page || r->recheck || r->has_object || r->request_count;
}

/* ---- what follows (with the lock) ---- */

static void say(struct live_subscriber *s, const char *kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
say(struct live_subscriber *s, const char *kind, const char *format, ...)
{
	struct arena *a = arena_new(4096);
	va_list args;
	va_start(args, format);
	struct stream_message *m = command_message(s, kind, arena_vfmt(a, format, args));
	va_end(args);
	arena_free(a);
	subscriber_send(s, m);
	stream_message_drop(m);
}

/* The topic as a JSON string. */
static struct str
topic_text(struct arena *a, const struct live_topic *t)
{
	struct buf plain, quoted;
	buf_init_arena(&plain, a, 2 * LIMIT_NAME_CHARS);
	buf_init_arena(&quoted, a, 16 * LIMIT_NAME_CHARS);
	live_topic_write(&plain, t);
	buf_add_json_string(&quoted, buf_str(&plain));
	return buf_str(&quoted);
}

static void
resync(struct live_subscriber *s, const char *why)
{
	say(s, "resync", "{\"since\":%lld,\"reason\":\"%s\"}", (long long)s->since, why);
	s->has_since = false;
	s->position = s->live->head;
	s->told_seq = 0;
}

static void
lose_topics(struct round *r, struct arena *a, struct live_subscriber *s)
{
	int code = 0;
	for (size_t i = 0; i < r->topic_count; i++) {
		size_t index;
		const struct round_topic *t = &r->topics[i];
		struct subscription *x = subscriber_topic(s, &t->name, &index);
		if (!t->lost) {
			x->whole = t->whole;
			continue;
		}
		code = t->lost;
		subscriber_leave(s, index);
		if (s->dialect == LIVE_EVENTS)
			say(s, "unsubscribed", "{\"topic\":%.*s,\"code\":\"%s\"}",
				STR_ARG(topic_text(a, &t->name)),
				code == STREAM_CLOSE_NOT_FOUND ? "NOT_FOUND" : "INSUFFICIENT_PERMISSIONS");
	}
	if (code && (s->topic_count == 0 || s->dialect == LIVE_RETROSPECTIVE))
		subscriber_end(s, code,
			code == STREAM_CLOSE_NOT_FOUND ? "the object is gone"
						       : "the permission was taken away");
}

static void
take_recheck(struct round *r, struct arena *a, struct live_subscriber *s)
{
	s->live->rechecked++;
	if (!r->valid) {
		subscriber_end(s, STREAM_CLOSE_UNAUTHENTICATED, "the login has ended");
		return;
	}
	subscriber_set_actor(s, &r->actor);
	s->checked = r->at;
	s->scoped = r->scoped;
	decisions_done(&s->decisions);
	lose_topics(r, a, s);
}

static void
answer_request(const struct round *r, struct round_request *q, struct arena *a, struct live_subscriber *s)
{
	const struct live_topic *t = &q->asked->topic;
	const struct str text = topic_text(a, t);
	size_t index;
	if (q->asked->is_end) {
		if (subscriber_topic(s, t, &index))
			subscriber_leave(s, index);
		say(s, "unsubscribed", "{\"topic\":%.*s}", STR_ARG(text));
		return;
	}
	if (q->refused) {
		say(s, "error",
			"{\"topic\":%.*s,\"code\":\"%.*s\",\"message\":\"There is no such topic for you.\"}",
			STR_ARG(text), STR_ARG(err_code_word(q->refused)));
		return;
	}
	const bool is_first = s->topic_count == 0;
	if (!subscriber_join(s, t, q->asked->has_since ? NULL : &r->past, q->whole, false)) {
		say(s, "error",
			"{\"topic\":%.*s,\"code\":\"TOO_MANY_TOPICS\",\"message\":\"At most %d topics a "
			"stream.\"}",
			STR_ARG(text), LIVE_TOPICS_MAX);
		return;
	}
	say(s, "subscribed", "{\"topic\":%.*s}", STR_ARG(text));
	if (is_first && q->asked->has_since) {
		s->has_since = true;
		s->since = q->asked->since;
		s->state = SUBSCRIBER_BEHIND;
	}
}

static void
take_since(struct round *r, struct live_subscriber *s)
{
	if (!r->since_found) {
		resync(s, "the number is unknown or too old");
		subscriber_pass_over(s, &r->past);
		return;
	}
	s->has_since = false;
	s->position = r->position;
	s->told_seq = s->since;
}

/* A page of the past, as far as the client takes it. */
static void
tell_page(struct round *r, struct live_subscriber *s)
{
	for (size_t i = 0; i < r->event_count; i++) {
		struct live_event *e = r->events[i];
		if (stream_queued(s->stream) > REPLAY_QUEUE_BYTES) {
			work_add_later(s, FULL_WAIT_MS);
			return;
		}
		const int64_t told = s->live->told;
		if (tell(s, e) == TOLD_ASK)
			break;
		s->live->replayed += s->live->told - told;
		s->replayed += s->live->told - told;
		s->scanned++;
	}
	if (r->event_count == 0 && outbox_compare(s->position, r->at) < 0)
		s->position = r->at;
	if (s->replayed > LIMIT_REPLAY_EVENTS || s->scanned > SCANNED_MAX)
		resync(s, "too much was missed");
	work_add(s);
}

static void
go_on(struct round *r, struct live_subscriber *s)
{
	struct live_event *in_the_way;
	if (r->page) {
		tell_page(r, s);
	} else if (s->has_since) {
		if (s->topic_count)
			work_add(s);
	} else if (s->requests || s->recheck ||
		   (s->state == SUBSCRIBER_BEHIND && tell_recent(s, &in_the_way) != TOLD_FINE)) {
		work_add(s);
	}
}

static void
take_answers(struct round *r, struct arena *a, struct live_subscriber *s)
{
	if (r->recheck)
		take_recheck(r, a, s);
	if (s->state == SUBSCRIBER_ENDED)
		return;
	if (r->scoped)
		s->scoped = true;
	for (size_t i = 0; i < r->decision_count; i++)
		decisions_put(&s->decisions, &r->decisions[i].object, r->decisions[i].decision, r->at);
	if (r->replay)
		take_since(r, s);
	for (size_t i = 0; i < r->request_count; i++)
		answer_request(r, &r->requests[i], a, s);
	go_on(r, s);
}

/* The token of the first message. */
static void
take_identity(struct round *r, struct live_subscriber *s)
{
	struct live *l = s->live;
	free((void *)(uintptr_t)s->token.p);
	s->token = (struct str){ NULL, 0 };
	if (r->refused && r->refused->code == ERR_NOT_FOUND) {
		subscriber_end(s, STREAM_CLOSE_NOT_FOUND, "there is no such object");
	} else if (r->refused && r->refused->code == ERR_INSUFFICIENT_PERMISSIONS) {
		subscriber_end(s, STREAM_CLOSE_FORBIDDEN, "not permitted");
	} else if (r->refused) {
		subscriber_end(s, STREAM_CLOSE_UNAUTHENTICATED, "the token is not valid");
	} else {
		l->waiting--;
		s->state = SUBSCRIBER_BEHIND;
		s->scoped = r->opening.scoped;
		s->checked = r->at;
		subscriber_take(s, &r->opening);
		stream_deadline(s->stream, 0);
		if (!subscriber_count(s)) {
			subscriber_end(s, STREAM_CLOSE_TOO_MANY, "too many streams of one user");
			return;
		}
		subscriber_begin(s);
		command_answer_pings(s);
	}
}

/* What was to be asked is asked another time. */
static void
put_off(struct round *r, struct live_subscriber *s)
{
	const int64_t now_us = monotonic_us(), retry_us = s->live->options.retry_ms * 1000LL;
	for (; r->request_count; r->request_count--, s->request_count++) {
		struct subscribe_request *q = r->requests[r->request_count - 1].asked;
		q->next = s->requests;
		s->requests = q;
		if (!q->next)
			s->requests_end = &q->next;
	}
	s->recheck = !r->token.n;
	if (!s->failing_since_us)
		s->failing_since_us = now_us;
	if (now_us - s->failing_since_us > PATIENCE * retry_us)
		subscriber_end(s, STREAM_CLOSE_TRY_LATER, "the database does not answer");
	else
		work_add_later(s, s->live->options.retry_ms);
}

/*
 * Thousands of streams fail together when the database is away: one line tells it, and while it is away it is asked for one or two of them,
 * because each question takes as long as the attempts to connect again.
 */
static void
fail(struct round *r, struct live_subscriber *s, const struct err *e)
{
	struct live *l = s->live;
	if (!l->failing)
		LOG(LOG_WARN, "what streams wait for can't be read; trying again",
			L_STR("detail", e->detail.n ? e->detail : e->message));
	l->failing = true;
	if (e->code == ERR_UNAVAILABLE)
		l->away_until_us = monotonic_us() + l->options.retry_ms * 1000LL;
	put_off(r, s);
}

void
catch_up(struct live *l, struct arena *a, struct live_subscriber *s)
{
	struct round *r = arena_new_of(a, struct round);
	if (!s->stream || !prepare(r, a, s))
		return;
	if (l->away_until_us > monotonic_us()) {
		put_off(r, s);
		return;
	}
	pthread_mutex_unlock(&l->lock);
	struct err *e = db_read(l->options.db, a, round_read, r);
	pthread_mutex_lock(&l->lock);
	if (!e) {
		l->failing = false;
		l->away_until_us = 0;
		s->failing_since_us = 0;
	}
	if (s->state != SUBSCRIBER_ENDED) {
		if (e)
			fail(r, s, e);
		else if (r->token.n)
			take_identity(r, s);
		else
			take_answers(r, a, s);
	}
	round_drop_events(r);
	for (size_t i = 0; i < r->request_count; i++)
		free(r->requests[i].asked);
}
