/*
 * Telling events. The dispatcher is the thread that hands each event to those who are up to date; whoever has to be asked about first, or
 * comes later, is behind: a worker brings it up through the same function, from memory or from the event table, and takes the last step
 * to the present under the lock. That is why nothing is told twice or left out, and why nobody waits for anybody else's permission check.
 */
#include "live/live_parts.h"

/* ---- one event, one subscriber ---- */

static bool
is_of_company(const struct live_subscriber *s, const struct live_event *e)
{
	if (e->gate == GATE_COMPANY && str_eq(e->self.object_type, STR("company")))
		return s->actor.company_id == e->gate_id;
	return s->actor.company_id == e->e.company_id;
}

/* Whether the event may change who the subscriber is or what it may hear of. */
static bool
decides_about(const struct live_subscriber *s, const struct live_event *e)
{
	if (!is_of_company(s, e))
		return false;
	switch (e->gate) {
	case GATE_NONE:
		return false;
	case GATE_SESSION:
		return s->actor.session_id && s->actor.session_id == e->gate_id;
	case GATE_KEY:
		return s->actor.api_key_id && s->actor.api_key_id == e->gate_id;
	case GATE_PERSON:
		return s->scoped || s->actor.person_id == e->gate_id;
	case GATE_RELATIONS:
		return s->scoped;
	case GATE_COMPANY:
		return true;
	}
	return true;
}

static bool
is_exact(const struct live_topic *name)
{
	return name->object_id.n > 0;
}

static bool
is_same(const struct live_topic *a, const struct live_topic *b)
{
	return str_eq(a->object_id, b->object_id) && str_eq(a->object_type, b->object_type);
}

/* The strongest of its subscriptions that the event touches and that it did not come before; NULL: none. */
static const struct subscription *
touched(const struct live_subscriber *s, const struct live_event *e)
{
	const struct subscription *found = NULL;
	for (size_t i = 0; i < s->topic_count; i++) {
		const struct live_topic *name = &s->topics[i]->topic->name;
		if (outbox_is_past(&s->topics[i]->past, e->e.position))
			continue;
		if (is_exact(name)) {
			if (is_same(name, &e->self) || is_same(name, &e->parent))
				return s->topics[i];
		} else if (name->object_type.n == 0 || str_eq(name->object_type, e->self.object_type)) {
			found = found && found->whole ? found : s->topics[i];
		}
	}
	return found;
}

/* The object itself changed, and its scope may have with it. */
static bool
reopens(const struct subscription *x, const struct live_event *e)
{
	return e->is_change && !x->whole && is_same(&x->topic->name, &e->self);
}

static void
send_event(struct live_subscriber *s, struct live_event *e)
{
	struct stream_message *m = live_event_message(e, s->dialect);
	if (!m)
		return;
	s->live->told++;
	s->told_seq = e->e.position.seq;
	subscriber_send(s, m);
}

static enum decision
decision_about(const struct live_subscriber *s, const struct subscription *x, const struct live_event *e)
{
	if (is_exact(&x->topic->name) || x->whole)
		return DECISION_YES;
	/* A change may move the object out of sight; a deletion is told to those who knew it. */
	const enum decision d = decisions_find(
		&s->decisions, &e->self, e->is_change ? e->e.position : (struct outbox_position){ 0 });
	return d == DECISION_UNKNOWN && e->is_deletion ? DECISION_NO : d;
}

enum told
tell(struct live_subscriber *s, struct live_event *e)
{
	const bool unchecked = outbox_compare(e->e.position, s->checked) > 0;
	if (unchecked && decides_about(s, e))
		s->recheck = true;
	if (s->recheck)
		return TOLD_ASK;
	if (s->actor.company_id != e->e.company_id || outbox_compare(e->e.position, s->position) <= 0)
		return TOLD_FINE;
	const struct subscription *x = touched(s, e);
	if (x) {
		if (unchecked && reopens(x, e)) {
			s->recheck = true;
			return TOLD_ASK;
		}
		const enum decision d = decision_about(s, x, e);
		if (d == DECISION_UNKNOWN)
			return TOLD_ASK;
		if (d == DECISION_YES)
			send_event(s, e);
		if (e->is_deletion && is_same(&x->topic->name, &e->self))
			s->recheck =
				true; /* it has heard of the end; what is left of its topics is looked at */
	}
	s->position = e->e.position;
	return TOLD_FINE;
}

enum told
tell_recent(struct live_subscriber *s, struct live_event **in_the_way)
{
	struct live *l = s->live;
	uint64_t number;
	if (!recent_find(&l->recent, s->position, &number))
		return TOLD_OLDER;
	for (; number < l->recent.told; number++) {
		struct live_event *e = recent_get(&l->recent, number);
		if (stream_queued(s->stream) > REPLAY_QUEUE_BYTES)
			return TOLD_FULL;
		if (tell(s, e) == TOLD_ASK) {
			*in_the_way = e;
			return TOLD_ASK;
		}
	}
	if (s->recheck)
		return TOLD_ASK;
	if (outbox_compare(s->position, l->head) < 0)
		s->position = l->head;
	s->state = SUBSCRIBER_LIVE;
	s->replayed = s->scanned = 0;
	return TOLD_FINE;
}

bool
tell_missed_gate(const struct live_subscriber *s)
{
	const struct recent *recent = &s->live->recent;
	uint64_t number;
	if (!recent_find(recent, s->checked, &number))
		return true;
	while (number < recent->told)
		if (decides_about(s, recent_get(recent, number++)))
			return true;
	return false;
}

/* ---- one event, everyone ---- */

static void
fall_behind(struct live_subscriber *s)
{
	struct live *l = s->live;
	if (s->state == SUBSCRIBER_LIVE) {
		if (outbox_compare(s->position, l->head) < 0)
			s->position = l->head;
		s->state = SUBSCRIBER_BEHIND;
	}
	work_add(s);
}

static void
ask_company(struct live *l, struct live_event *e, int64_t company_id)
{
	for (struct live_subscriber *s = *live_company(l, company_id); s; s = s->next) {
		if (s->state != SUBSCRIBER_LIVE && s->state != SUBSCRIBER_BEHIND)
			continue;
		if (outbox_compare(e->e.position, s->checked) > 0 && decides_about(s, e)) {
			s->recheck = true;
			fall_behind(s);
		}
	}
}

static void
tell_members(struct live *l, struct live_event *e, struct live_topic name)
{
	const struct topic *t = topics_find(&l->topics, e->e.company_id, &name);
	for (uint32_t i = 0; t && i < t->count; i++) {
		struct live_subscriber *s = t->members[i]->subscriber;
		if (s->state == SUBSCRIBER_LIVE && (tell(s, e) == TOLD_ASK || s->recheck))
			fall_behind(s);
	}
}

static void
hand_out(struct live *l, struct live_event *e)
{
	if (e->gate > GATE_NONE) {
		ask_company(l, e, e->e.company_id);
		if (e->gate == GATE_COMPANY && e->gate_id != e->e.company_id)
			ask_company(l, e, e->gate_id);
	}
	tell_members(l, e, e->self);
	tell_members(l, e, (struct live_topic){ .object_type = e->self.object_type });
	tell_members(l, e, (struct live_topic){ .object_type = { "", 0 } });
	if (e->parent.object_type.n)
		tell_members(l, e, e->parent);
	l->head = e->e.position;
	l->recent.told++;
}

/* The lock is let go between two events, so that whoever comes or goes waits for one at most. */
void *
live_dispatcher_main(void *arg)
{
	struct live *l = arg;
	pthread_mutex_lock(&l->lock);
	while (!l->stopping) {
		if (l->recent.told == l->recent.end) {
			pthread_cond_wait(&l->events_come, &l->lock);
			continue;
		}
		hand_out(l, recent_get(&l->recent, l->recent.told));
		pthread_mutex_unlock(&l->lock);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* ---- from the outbox ---- */

/* Nobody listens: nothing is copied, and a subscriber who comes later reads the table for what was before. */
static void
skip(struct live *l, const struct outbox_event *e, size_t count)
{
	recent_clear(&l->recent);
	l->recent.before = l->head = e[count - 1].position;
}

/* Events had to go before they were told. Whoever was up to date reads them from the table. */
static void
overrun(struct live *l, struct outbox_position last)
{
	LOG(LOG_WARN, "streams are told from the event table, because events come faster than they can be "
		      "handed out");
	for (size_t i = 0; i < COMPANY_BUCKETS; i++) {
		for (struct live_subscriber *s = l->companies[i]; s; s = s->next) {
			if (s->state != SUBSCRIBER_LIVE && s->state != SUBSCRIBER_BEHIND)
				continue;
			s->recheck = true;
			fall_behind(s);
		}
	}
	recent_clear(&l->recent);
	l->recent.before = l->head = last;
}

void
live_take_events(void *arg, const struct outbox_event *e, size_t count)
{
	struct live *l = arg;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < count && l->subscribers; i++) {
		struct live_event *copy = live_event_new(&e[i]);
		const bool fits = recent_add(&l->recent, copy);
		l->newest = e[i].position;
		if (!fits)
			overrun(l, e[i].position);
	}
	if (!l->subscribers)
		skip(l, e, count);
	l->newest = e[count - 1].position;
	pthread_cond_signal(&l->events_come);
	pthread_mutex_unlock(&l->lock);
}
