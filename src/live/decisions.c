/*
 * What has been decided about the objects that one subscriber may hear of: of an object, or of a whole type under an empty id. A table
 * on the heap that only those have whose topics are wider than what they may see; the object's text is compared, never its hash alone,
 * because clients choose ids.
 */
#include "base/hash.h"
#include "live/live_parts.h"

#define FIRST_BUCKETS 32

struct decision_entry {
	struct decision_entry *next;
	uint64_t hash;
	enum decision decision;
	struct outbox_position at;
	struct live_topic object;
};

static uint64_t
hash_of(const struct live_topic *object)
{
	return hash_bytes(object->object_id, hash_bytes(object->object_type, 0));
}

static struct decision_entry **
find(const struct decisions *d, const struct live_topic *object)
{
	const uint64_t hash = hash_of(object);
	struct decision_entry **link = &d->buckets[hash & d->mask];
	while (*link && !((*link)->hash == hash && str_eq((*link)->object.object_id, object->object_id) &&
				str_eq((*link)->object.object_type, object->object_type)))
		link = &(*link)->next;
	return link;
}

void
decisions_done(struct decisions *d)
{
	for (size_t i = 0; d->buckets && i <= d->mask; i++) {
		struct decision_entry *next;
		for (struct decision_entry *x = d->buckets[i]; x; x = next) {
			next = x->next;
			free(x);
		}
	}
	free(d->buckets);
	*d = (struct decisions){ 0 };
}

enum decision
decisions_find(const struct decisions *d, const struct live_topic *object, struct outbox_position at)
{
	if (!d->buckets)
		return DECISION_UNKNOWN;
	const struct live_topic type = { .object_type = object->object_type };
	const struct decision_entry *whole = *find(d, &type);
	if (whole && whole->decision != DECISION_UNKNOWN)
		return whole->decision;
	const struct decision_entry *single = *find(d, object);
	return single && outbox_compare(single->at, at) >= 0 ? single->decision : DECISION_UNKNOWN;
}

static void
grow(struct decisions *d)
{
	const size_t mask = d->mask * 2 + 1;
	struct decision_entry **buckets = calloc(mask + 1, sizeof(struct decision_entry *));
	check(buckets);
	for (size_t i = 0; i <= d->mask; i++) {
		struct decision_entry *next;
		for (struct decision_entry *x = d->buckets[i]; x; x = next) {
			next = x->next;
			x->next = buckets[x->hash & mask];
			buckets[x->hash & mask] = x;
		}
	}
	free(d->buckets);
	d->buckets = buckets;
	d->mask = mask;
}

void
decisions_put(struct decisions *d, const struct live_topic *object, enum decision decision,
	struct outbox_position at)
{
	if (d->count >= DECISIONS_MAX)
		decisions_done(d);
	if (!d->buckets) {
		d->mask = FIRST_BUCKETS - 1;
		d->buckets = calloc(FIRST_BUCKETS, sizeof(struct decision_entry *));
		check(d->buckets);
	}
	struct decision_entry **link = find(d, object);
	if (*link) {
		(*link)->decision = decision;
		(*link)->at = at;
		return;
	}
	struct decision_entry *x = malloc(sizeof(*x) + object->object_type.n + object->object_id.n + 1);
	check(x);
	char *room = (char *)(x + 1);
	*x = (struct decision_entry){ .hash = hash_of(object),
		.decision = decision,
		.at = at,
		.object = { { room, object->object_type.n },
			{ room + object->object_type.n, object->object_id.n } } };
	if (object->object_type.n)
		memcpy(room, object->object_type.p, object->object_type.n);
	if (object->object_id.n)
		memcpy(room + object->object_type.n, object->object_id.p, object->object_id.n);
	*link = x;
	if (++d->count > d->mask)
		grow(d);
}
