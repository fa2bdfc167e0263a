/*
 * Subscribers: from the admission of a stream to its end. A subscriber is held by its stream (until closed) and by the worker that has
 * it in hands. It is in its company's list and its topics from the admission on, so that nothing between the permission check and the
 * open connection is missed, and hears of it when the stream opens.
 */
#include "base/hash.h"
#include "live/live_parts.h"

int64_t
live_now_us(const struct live *l)
{
	return l->options.clock->now(l->options.clock).us;
}

struct live_subscriber **
live_company(struct live *l, int64_t company_id)
{
	return &l->companies[hash_pair((uint64_t)company_id, 0) & (COMPANY_BUCKETS - 1)];
}

/* ---- streams of a user ---- */

static struct user_count **
user_of(struct live *l, const struct actor *a)
{
	const uint64_t hash =
		hash_pair((uint64_t)a->company_id, (uint64_t)(a->api_key_id ? -a->api_key_id : a->person_id));
	struct user_count **link = &l->users[hash & (USER_BUCKETS - 1)];
	while (*link && !((*link)->company_id == a->company_id && (*link)->person_id == a->person_id &&
				(*link)->api_key_id == a->api_key_id))
		link = &(*link)->next;
	return link;
}

bool
subscriber_count(struct live_subscriber *s)
{
	struct live *l = s->live;
	const int most = l->options.per_user;
	struct user_count **link = user_of(l, &s->actor);
	if (*link && most > 0 && (*link)->streams >= most)
		return false;
	if (!*link) {
		*link = calloc(1, sizeof(**link));
		check(*link);
		(*link)->company_id = s->actor.company_id;
		(*link)->person_id = s->actor.person_id;
		(*link)->api_key_id = s->actor.api_key_id;
	}
	(*link)->streams++;
	s->counted = true;
	return true;
}

static void
uncount(struct live_subscriber *s)
{
	struct user_count **link = user_of(s->live, &s->actor), *x = *link;
	s->counted = false;
	if (--x->streams > 0)
		return;
	*link = x->next;
	free(x);
}

/* ---- parts ---- */

static char *
keep(char *room, struct str *s)
{
	if (s->n)
		memcpy(room, s->p, s->n);
	s->p = room;
	return room + s->n;
}

void
subscriber_set_actor(struct live_subscriber *s, const struct actor *actor)
{
	char *texts =
		malloc(actor->username.n + actor->employee_id.n + actor->role.n + actor->currency.n + 1);
	check(texts);
	s->actor = *actor;
	char *room = keep(texts, &s->actor.username);
	room = keep(room, &s->actor.employee_id);
	room = keep(room, &s->actor.role);
	(void)keep(room, &s->actor.currency);
	free(s->actor_texts);
	s->actor_texts = texts;
}

struct subscription *
subscriber_topic(const struct live_subscriber *s, const struct live_topic *name, size_t *index)
{
	for (size_t i = 0; i < s->topic_count; i++) {
		const struct live_topic *t = &s->topics[i]->topic->name;
		if (!str_eq(t->object_id, name->object_id) || !str_eq(t->object_type, name->object_type))
			continue;
		if (index)
			*index = i;
		return s->topics[i];
	}
	return NULL;
}

static void
copy_past(const struct outbox_past *from, struct outbox_past *to)
{
	const size_t bytes = from->running_count * sizeof(*from->running);
	*to = *from;
	to->running = NULL;
	if (!bytes)
		return;
	to->running = malloc(bytes);
	check(to->running);
	memcpy(to->running, from->running, bytes);
}

bool
subscriber_join(struct live_subscriber *s, const struct live_topic *name, const struct outbox_past *past,
	bool whole, bool implied)
{
	struct subscription *x = subscriber_topic(s, name, NULL);
	if (!x) {
		if (s->topic_count == LIVE_TOPICS_MAX)
			return false;
		x = topics_join(&s->live->topics, s->actor.company_id, name, s);
		s->topics[s->topic_count++] = x;
		if (past)
			copy_past(past, &x->past);
	}
	x->whole = whole;
	x->implied = implied;
	return true;
}

void
subscriber_pass_over(struct live_subscriber *s, const struct outbox_past *past)
{
	for (size_t i = 0; i < s->topic_count; i++) {
		free(s->topics[i]->past.running);
		copy_past(past, &s->topics[i]->past);
	}
}

void
subscriber_leave(struct live_subscriber *s, size_t index)
{
	topics_leave(&s->live->topics, s->topics[index]);
	s->topics[index] = s->topics[--s->topic_count];
}

static void
enlist(struct live_subscriber *s)
{
	struct live_subscriber **list = live_company(s->live, s->actor.company_id);
	s->next = *list;
	if (s->next)
		s->next->link = &s->next;
	s->link = list;
	*list = s;
}

static void
delist(struct live_subscriber *s)
{
	if (!s->link)
		return;
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->link = NULL;
}

static void
free_requests(struct live_subscriber *s)
{
	struct subscribe_request *next;
	for (struct subscribe_request *r = s->requests; r; r = next) {
		next = r->next;
		free(r);
	}
	s->requests = NULL;
	s->requests_end = &s->requests;
	s->request_count = 0;
}

/* Nobody tells it anything from here on. */
static void
retire(struct live_subscriber *s)
{
	struct live *l = s->live;
	if (s->state == SUBSCRIBER_WAITING)
		l->waiting--;
	s->state = SUBSCRIBER_ENDED;
	if (s->present)
		presence_leave(l->presence, s);
	while (s->topic_count)
		subscriber_leave(s, s->topic_count - 1);
	delist(s);
	if (s->counted)
		uncount(s);
}

void
subscriber_drop(struct live_subscriber *s)
{
	if (--s->refs > 0)
		return;
	s->live->subscribers--;
	free_requests(s);
	decisions_done(&s->decisions);
	free((void *)(uintptr_t)s->first.object_id.p);
	free((void *)(uintptr_t)s->token.p);
	free((void *)(uintptr_t)s->reason.p);
	free(s->actor_texts);
	free(s);
}

void
subscriber_send(struct live_subscriber *s, struct stream_message *m)
{
	if (s->stream)
		(void)stream_send(s->stream, m); /* what is closed or cut says so by closed() */
}

void
subscriber_end(struct live_subscriber *s, int code, const char *reason)
{
	if (s->state == SUBSCRIBER_ENDED)
		return;
	retire(s);
	if (s->stream)
		stream_close(s->stream, code, str_from_cstr(reason));
}

/* ---- coming ---- */

static struct str
heap_str(struct str s)
{
	char *p = malloc(s.n + 1);
	check(p);
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

static struct live_subscriber *
subscriber_new(struct live *l, const struct live_opening *o)
{
	struct live_subscriber *s = calloc(1, sizeof(*s));
	check(s);
	s->live = l;
	s->refs = 1;
	s->dialect = o->dialect;
	s->is_events = o->is_events;
	s->requests_end = &s->requests;
	s->refuse = o->refuse;
	s->has_since = o->has_since;
	s->since = o->since;
	s->position = s->checked = o->from;
	s->scoped = o->scoped;
	if (o->refuse)
		s->reason = heap_str(o->reason);
	if (o->dialect == LIVE_RETROSPECTIVE && o->topic_count) {
		s->first.object_type = STR("retrospective");
		s->first.object_id = heap_str(o->topics[0].object_id);
	}
	return s;
}

static void
join_all(struct live_subscriber *s, const struct live_opening *o)
{
	char digits[INT_DIGITS_MAX];
	const struct outbox_past *past = s->has_since ? NULL : &o->past;
	for (size_t i = 0; i < o->topic_count; i++)
		(void)subscriber_join(
			s, &o->topics[i], past, o->whole[i], false); /* at most as many as fit */
	if (o->dialect != LIVE_RETROSPECTIVE)
		return;
	const char *first = int_digits((uint64_t)o->campaign_id, digits + sizeof(digits));
	const struct live_topic campaign = { STR("campaign"),
		{ first, (size_t)(digits + sizeof(digits) - first) } };
	(void)subscriber_join(s, &campaign, past, true, true);
}

void
subscriber_take(struct live_subscriber *s, const struct live_opening *o)
{
	subscriber_set_actor(s, &o->actor);
	enlist(s);
	join_all(s, o);
	s->state = SUBSCRIBER_BEHIND;
	if (outbox_compare(s->position, o->begin) < 0)
		s->position = o->begin;
	if (tell_missed_gate(s))
		s->recheck = true;
}

struct err *
live_admit(struct live *l, struct arena *a, const struct live_opening *o, struct live_subscriber **out)
{
	struct live_subscriber *s = subscriber_new(l, o);
	bool fits = true;
	pthread_mutex_lock(&l->lock);
	l->subscribers++;
	if (o->refuse) {
		s->state = SUBSCRIBER_ENDED;
	} else if (!o->has_actor) {
		s->state = SUBSCRIBER_WAITING;
		fits = l->waiting++ < LIMIT_STREAMS_WAITING;
	} else {
		subscriber_take(s, o);
		fits = subscriber_count(s);
	}
	if (!fits) {
		retire(s);
		subscriber_drop(s);
	}
	pthread_mutex_unlock(&l->lock);
	if (fits) {
		*out = s;
		return NULL;
	}
	struct err *e =
		o->has_actor
			? err_new(a, ERR_RATE_LIMITED, "At most %d streams a user can be open at once.",
				  l->options.per_user)
			: err_new(a, ERR_UNAVAILABLE, "Too many connections are waiting for their token.");
	e->retry_after_s = LIMIT_STREAM_TOKEN_S;
	return e;
}

void
live_abandon(struct live_subscriber *s)
{
	struct live *l = s->live;
	pthread_mutex_lock(&l->lock);
	if (s->state != SUBSCRIBER_ENDED)
		retire(s);
	subscriber_drop(s);
	pthread_mutex_unlock(&l->lock);
}

/* ---- the hub's calls ---- */

/* When the credential ends; 0: it does not. */
static void
set_deadline(struct live_subscriber *s)
{
	if (!s->actor.valid_until.us)
		return;
	const int64_t ms = (s->actor.valid_until.us - live_now_us(s->live)) / 1000;
	stream_deadline(s->stream, ms > 0 ? ms + 1 : 1);
}

void
subscriber_begin(struct live_subscriber *s)
{
	struct live_event *in_the_way;
	set_deadline(s);
	if (s->dialect == LIVE_RETROSPECTIVE && s->actor.kind == ACTOR_PERSON && !s->present)
		presence_enter(s->live->presence, s);
	if (s->has_since || tell_recent(s, &in_the_way) != TOLD_FINE || s->requests)
		work_add(s);
}

static void
on_opened(void *arg, struct stream *stream)
{
	struct live_subscriber *s = arg;
	struct live *l = s->live;
	pthread_mutex_lock(&l->lock);
	stream_hold(stream);
	s->stream = stream;
	if (s->refuse)
		stream_close(stream, s->refuse, s->reason);
	else if (s->state == SUBSCRIBER_WAITING)
		stream_deadline(stream, LIMIT_STREAM_TOKEN_S * 1000);
	else if (s->state == SUBSCRIBER_BEHIND)
		subscriber_begin(s);
	else
		stream_close(stream, STREAM_CLOSE_GOING_AWAY, STR("restart"));
	pthread_mutex_unlock(&l->lock);
}

static void
on_message(void *arg, struct stream *stream, struct str text)
{
	struct live_subscriber *s = arg;
	(void)stream;
	pthread_mutex_lock(&s->live->lock);
	if (s->state != SUBSCRIBER_ENDED)
		command_take(s, text);
	pthread_mutex_unlock(&s->live->lock);
}

static void
on_expired(void *arg, struct stream *stream)
{
	struct live_subscriber *s = arg;
	(void)stream;
	pthread_mutex_lock(&s->live->lock);
	if (s->state != SUBSCRIBER_WAITING)
		subscriber_end(s, STREAM_CLOSE_UNAUTHENTICATED, "the token has expired");
	else if (s->token.n) /* it came, and nobody could look at it */
		subscriber_end(s, STREAM_CLOSE_TRY_LATER, "the database does not answer");
	else
		subscriber_end(s, STREAM_CLOSE_UNAUTHENTICATED, "no token came");
	pthread_mutex_unlock(&s->live->lock);
}

static void
on_closed(void *arg, struct stream *stream, int code)
{
	struct live_subscriber *s = arg;
	struct live *l = s->live;
	(void)code;
	pthread_mutex_lock(&l->lock);
	if (s->state != SUBSCRIBER_ENDED)
		retire(s);
	if (s->stream) {
		s->stream = NULL;
		stream_drop(stream);
	}
	subscriber_drop(s);
	pthread_mutex_unlock(&l->lock);
}

const struct stream_handlers live_handlers = {
	.opened = on_opened, .message = on_message, .expired = on_expired, .closed = on_closed
};
