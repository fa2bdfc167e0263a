/*
 * The newest events, copied out of the outbox's thread: the dispatcher's queue and, behind it, what a subscriber that was asked about in
 * the meantime is told without reading the database. An event's text is written once for each dialect and shared by all who get it.
 */
#include "live/dialects.h"
#include "live/live_parts.h"

/* Which events of a type count. */
enum gate_rule {
	ANY_EVENT,
	NOT_CREATION, /* it takes nothing away from anyone */
	CHANGES	      /* ….updated and ….deleted alone */
};

struct gate_row {
	struct str object_type;
	enum live_gate gate;
	enum gate_rule rule;
};

static const struct gate_row gates[] = {
	{ STR_INIT("session"), GATE_SESSION, NOT_CREATION },
	{ STR_INIT("api_key"), GATE_KEY, NOT_CREATION },
	{ STR_INIT("user"), GATE_PERSON, NOT_CREATION },
	{ STR_INIT("role"), GATE_COMPANY, NOT_CREATION },
	{ STR_INIT("company"), GATE_COMPANY, NOT_CREATION },
	{ STR_INIT("team"), GATE_RELATIONS, NOT_CREATION },
	{ STR_INIT("assignment"), GATE_RELATIONS, ANY_EVENT },
	{ STR_INIT("retro_action"), GATE_RELATIONS, ANY_EVENT },
	{ STR_INIT("retrospective"), GATE_RELATIONS, CHANGES },
};

static enum live_gate
gate_of(const struct live_event *e)
{
	for (size_t i = 0; i < COUNT(gates); i++) {
		const struct gate_row *g = &gates[i];
		if (!str_eq(e->self.object_type, g->object_type))
			continue;
		if (g->rule == CHANGES && !e->is_change && !e->is_deletion)
			return GATE_NONE;
		return g->rule == NOT_CREATION && str_ends_with(e->e.type, STR(".created")) ? GATE_NONE
											    : g->gate;
	}
	return GATE_NONE;
}

static struct str
keep(char **room, struct str s)
{
	struct str kept = { *room, s.n };
	if (s.n)
		memcpy(*room, s.p, s.n);
	*room += s.n;
	return kept;
}

struct live_event *
live_event_new(const struct outbox_event *e)
{
	const struct live_topic parent = dialect_parent(e);
	const size_t texts = e->type.n + e->object_type.n + e->object_id.n + e->actor_name.n +
			     e->request_id.n + e->old_values.n + e->new_values.n + parent.object_type.n +
			     parent.object_id.n;
	struct live_event *copy = calloc(1, sizeof(*copy) + texts + 1);
	check(copy);
	char *room = (char *)(copy + 1);
	copy->refs = 1;
	copy->bytes = sizeof(*copy) + texts;
	copy->e = *e;
	copy->e.type = keep(&room, e->type);
	copy->e.object_type = keep(&room, e->object_type);
	copy->e.object_id = keep(&room, e->object_id);
	copy->e.actor_name = keep(&room, e->actor_name);
	copy->e.request_id = keep(&room, e->request_id);
	copy->e.old_values = keep(&room, e->old_values);
	copy->e.new_values = keep(&room, e->new_values);
	copy->self = (struct live_topic){ copy->e.object_type, copy->e.object_id };
	copy->parent.object_type = keep(&room, parent.object_type);
	copy->parent.object_id = keep(&room, parent.object_id);
	copy->is_change = str_ends_with(e->type, STR(".updated"));
	copy->is_deletion = str_ends_with(e->type, STR(".deleted"));
	copy->gate = gate_of(copy);
	if (!str_to_int(e->object_id, &copy->gate_id))
		copy->gate_id = 0;
	return copy;
}

void
live_event_drop(struct live_event *e)
{
	if (--e->refs > 0)
		return;
	for (size_t i = 0; i < LIVE_DIALECT_COUNT; i++)
		if (e->messages[i])
			stream_message_drop(e->messages[i]);
	free(e);
}

struct stream_message *
live_event_message(struct live_event *e, enum live_dialect_id dialect)
{
	if (!e->written[dialect]) {
		e->written[dialect] = true;
		e->messages[dialect] = dialect_message(dialect, &e->e);
	}
	return e->messages[dialect];
}

/* ---- in order ---- */

struct live_event *
recent_get(const struct recent *r, uint64_t number)
{
	return r->at[number & (RECENT_EVENTS_MAX - 1)];
}

static void
drop_first(struct recent *r)
{
	struct live_event *e = recent_get(r, r->first++);
	r->before = e->e.position;
	r->bytes -= e->bytes;
	live_event_drop(e);
}

bool
recent_add(struct recent *r, struct live_event *e)
{
	bool kept = true;
	while (r->end - r->first == RECENT_EVENTS_MAX ||
		(r->end > r->first && r->bytes + e->bytes > RECENT_BYTES_MAX)) {
		if (r->first == r->told) {
			kept = false;
			r->told++;
		}
		drop_first(r);
	}
	r->at[r->end++ & (RECENT_EVENTS_MAX - 1)] = e;
	r->bytes += e->bytes;
	return kept;
}

bool
recent_find(const struct recent *r, struct outbox_position after, uint64_t *number)
{
	if (outbox_compare(after, r->before) < 0)
		return false;
	uint64_t low = r->first, high = r->end;
	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;
		if (outbox_compare(recent_get(r, middle)->e.position, after) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	*number = low;
	return true;
}

void
recent_clear(struct recent *r)
{
	while (r->first < r->end)
		drop_first(r);
	r->told = r->first;
}
