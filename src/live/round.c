/* What a round asks of the database, all in one snapshot: whatever is told afterwards was permitted when it was read. */
#include "live/round.h"

void
round_drop_events(struct round *r)
{
	for (size_t i = 0; i < r->event_count; i++)
		live_event_drop(r->events[i]);
	r->event_count = 0;
}

/* ---- who it is ---- */

static struct err *
read_token(struct round *r, struct db_tx *tx)
{
	struct live_opening *o = &r->opening;
	*o = (struct live_opening){ .dialect = r->dialect, .has_actor = true };
	r->refused = iam_identify(r->live->options.iam, tx, r->token, &o->actor);
	if (r->refused)
		return r->refused->code == ERR_INVALID_TOKEN ? NULL : r->refused;
	if (r->dialect == LIVE_RETROSPECTIVE)
		o->topics[o->topic_count++] = r->first;
	struct res_ctx c = live_ctx(r->live, tx, &o->actor);
	r->refused = live_check(r->live, &c, o);
	if (r->refused && r->refused->code != ERR_NOT_FOUND &&
		r->refused->code != ERR_INSUFFICIENT_PERMISSIONS)
		return r->refused;
	return NULL;
}

/* A topic that was permitted and is no longer: taken away, or is there no such object any more? */
static struct err *
why_lost(struct round *r, struct db_tx *tx, struct round_topic *t)
{
	bool whole;
	const struct actor server = { .kind = ACTOR_SYSTEM,
		.company_id = r->actor.company_id,
		.permissions = PERM_BIT(PERM_COUNT) - 1,
		.zone = r->actor.zone,
		.currency = r->actor.currency };
	struct res_ctx c = live_ctx(r->live, tx, &server);
	struct err *e = live_may_hear(r->live, &c, &t->name, &whole);
	if (e && e->code != ERR_NOT_FOUND && e->code != ERR_INSUFFICIENT_PERMISSIONS)
		return e;
	t->lost = e && e->code == ERR_NOT_FOUND ? STREAM_CLOSE_NOT_FOUND : STREAM_CLOSE_FORBIDDEN;
	return NULL;
}

static struct err *
recheck_topic(struct round *r, struct res_ctx *c, struct round_topic *t)
{
	if (t->implied)
		return NULL;
	struct err *e = live_may_hear(r->live, c, &t->name, &t->whole);
	if (!e && !t->whole)
		r->scoped = true;
	if (!e)
		return NULL;
	if (e->code != ERR_NOT_FOUND && e->code != ERR_INSUFFICIENT_PERMISSIONS)
		return e;
	return why_lost(r, c->tx, t);
}

static struct err *
recheck(struct round *r, struct db_tx *tx)
{
	struct actor now;
	r->scoped = false;
	TRY(iam_actor_now(r->live->options.iam, tx, &r->actor, &now, &r->valid));
	if (!r->valid)
		return NULL;
	r->actor = now;
	struct res_ctx c = live_ctx(r->live, tx, &r->actor);
	for (size_t i = 0; i < r->topic_count; i++)
		TRY(recheck_topic(r, &c, &r->topics[i]));
	return NULL;
}

/* ---- what it missed ---- */

static struct err *
find_since(struct round *r, struct db_tx *tx)
{
	struct outbox_position found;
	TRY(outbox_find(tx, r->actor.company_id, r->since, &found, &r->since_found));
	if (r->since_found)
		r->position = found;
	else
		TRY(outbox_past_read(tx, &r->past));
	r->page = r->since_found;
	return NULL;
}

static struct err *
read_page(struct round *r, struct db_tx *tx)
{
	const struct outbox_filter mine = { .company_id = r->actor.company_id };
	struct outbox_event *events;
	size_t count;
	TRY(outbox_read(tx, &mine, r->position, ROUND_EVENTS, &events, &count));
	r->events = arena_alloc_array(db_tx_arena(tx), count, sizeof(struct live_event *));
	for (size_t i = 0; i < count; i++) {
		struct live_event *e = live_event_new(&events[i]);
		r->events[r->event_count++] = e;
		if (e->gate > GATE_NONE && outbox_compare(e->e.position, r->checked) > 0)
			r->recheck = true;
	}
	if (count && outbox_compare(events[count - 1].position, r->at) > 0)
		r->at = events[count - 1].position;
	return NULL;
}

/* ---- what it may hear of ---- */

static struct err *
decide(struct round *r, struct res_ctx *c, const struct live_topic *object)
{
	bool yes, scoped;
	for (size_t i = 0; i < r->decision_count; i++) {
		const struct live_topic *known = &r->decisions[i].object;
		if (str_eq(known->object_type, object->object_type) &&
			(known->object_id.n == 0 || str_eq(known->object_id, object->object_id)))
			return NULL;
	}
	TRY(permission_object(r->live, c, object, &yes, &scoped));
	struct round_decision *d = &r->decisions[r->decision_count++];
	d->object.object_type = arena_str(c->arena, object->object_type);
	/* What holds for the whole type is kept for the type, so that its other objects need not be asked about. */
	d->object.object_id = scoped ? arena_str(c->arena, object->object_id) : (struct str){ "", 0 };
	d->decision = yes ? DECISION_YES : DECISION_NO;
	if (scoped)
		r->scoped = true;
	return NULL;
}

static bool
is_wide_open(const struct round_topic *t, const struct live_event *e)
{
	const bool wide = t->name.object_id.n == 0 && !t->whole && !t->lost;
	return wide && (t->name.object_type.n == 0 || str_eq(t->name.object_type, e->self.object_type));
}

static struct err *
decide_all(struct round *r, struct db_tx *tx)
{
	struct res_ctx c = live_ctx(r->live, tx, &r->actor);
	r->decisions = arena_alloc_array(c.arena, r->event_count + 1, sizeof(*r->decisions));
	if (r->has_object)
		TRY(decide(r, &c, &r->object));
	for (size_t i = 0; i < r->event_count; i++) {
		bool open = false;
		for (size_t k = 0; k < r->topic_count && !open; k++)
			open = is_wide_open(&r->topics[k], r->events[i]);
		if (open && !r->events[i]->is_deletion)
			TRY(decide(r, &c, &r->events[i]->self));
	}
	return NULL;
}

static struct err *
read_requests(struct round *r, struct db_tx *tx)
{
	struct res_ctx c = live_ctx(r->live, tx, &r->actor);
	if (r->request_count)
		TRY(outbox_past_read(tx, &r->past));
	for (size_t i = 0; i < r->request_count; i++) {
		struct round_request *q = &r->requests[i];
		if (q->asked->is_end)
			continue;
		q->refused = live_may_hear(r->live, &c, &q->asked->topic, &q->whole);
		if (q->refused && q->refused->code != ERR_NOT_FOUND &&
			q->refused->code != ERR_INSUFFICIENT_PERMISSIONS)
			return q->refused;
		if (!q->refused && !q->whole)
			r->scoped = true;
	}
	return NULL;
}

struct err *
round_read(struct db_tx *tx, void *arg)
{
	struct round *r = arg;
	round_drop_events(r);
	r->decision_count = 0;
	r->valid = true;
	if (r->token.n)
		return read_token(r, tx);
	if (r->replay)
		TRY(find_since(r, tx));
	if (r->page)
		TRY(read_page(r, tx));
	if (r->recheck)
		TRY(recheck(r, tx));
	if (!r->valid)
		return NULL;
	TRY(read_requests(r, tx));
	return decide_all(r, tx);
}
