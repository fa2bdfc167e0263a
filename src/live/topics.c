/*
 * Who has subscribed to what, by hash, so that an event costs those it concerns and nobody else: a topic is (company, type, id), with
 * empty texts for "every". A subscription knows its place among the topic's members, so leaving costs nothing either.
 */
#include "base/hash.h"
#include "live/live_parts.h"

#define FIRST_BUCKETS 256

static uint64_t
hash_of(int64_t company_id, const struct live_topic *name)
{
	return hash_bytes(name->object_id, hash_bytes(name->object_type, (uint64_t)company_id));
}

void
topics_init(struct topics *t)
{
	t->mask = FIRST_BUCKETS - 1;
	t->count = 0;
	t->buckets = calloc(FIRST_BUCKETS, sizeof(*t->buckets));
	check(t->buckets);
}

void
topics_done(struct topics *t)
{
	for (size_t i = 0; i <= t->mask; i++)
		check(!t->buckets[i]);
	free(t->buckets);
}

static struct topic *
find(const struct topics *t, int64_t company_id, const struct live_topic *name, uint64_t hash)
{
	for (struct topic *x = t->buckets[hash & t->mask]; x; x = x->next)
		if (x->hash == hash && x->company_id == company_id &&
			str_eq(x->name.object_id, name->object_id) &&
			str_eq(x->name.object_type, name->object_type))
			return x;
	return NULL;
}

struct topic *
topics_find(const struct topics *t, int64_t company_id, const struct live_topic *name)
{
	return find(t, company_id, name, hash_of(company_id, name));
}

static void
grow(struct topics *t)
{
	const size_t mask = t->mask * 2 + 1;
	struct topic **buckets = calloc(mask + 1, sizeof(*buckets));
	check(buckets);
	for (size_t i = 0; i <= t->mask; i++) {
		struct topic *next;
		for (struct topic *x = t->buckets[i]; x; x = next) {
			next = x->next;
			x->next = buckets[x->hash & mask];
			buckets[x->hash & mask] = x;
		}
	}
	free(t->buckets);
	t->buckets = buckets;
	t->mask = mask;
}

static struct topic *
add(struct topics *t, int64_t company_id, const struct live_topic *name, uint64_t hash)
{
	if (t->count++ > t->mask)
		grow(t);
	struct topic *x = malloc(sizeof(*x) + name->object_type.n + name->object_id.n + 1);
	check(x);
	char *room = (char *)(x + 1);
	*x = (struct topic){ .next = t->buckets[hash & t->mask],
		.hash = hash,
		.company_id = company_id,
		.name = {
			{ room, name->object_type.n }, { room + name->object_type.n, name->object_id.n } } };
	if (name->object_type.n)
		memcpy(room, name->object_type.p, name->object_type.n);
	if (name->object_id.n)
		memcpy(room + name->object_type.n, name->object_id.p, name->object_id.n);
	t->buckets[hash & t->mask] = x;
	return x;
}

struct subscription *
topics_join(struct topics *t, int64_t company_id, const struct live_topic *name, struct live_subscriber *s)
{
	const uint64_t hash = hash_of(company_id, name);
	struct topic *topic = find(t, company_id, name, hash);
	if (!topic)
		topic = add(t, company_id, name, hash);
	if (topic->count == topic->cap) {
		topic->cap = topic->cap ? topic->cap * 2 : 1;
		topic->members = realloc(topic->members, topic->cap * sizeof(struct subscription *));
		check(topic->members);
	}
	struct subscription *x = calloc(1, sizeof(*x));
	check(x);
	x->topic = topic;
	x->subscriber = s;
	x->slot = topic->count;
	topic->members[topic->count++] = x;
	return x;
}

static void
remove_topic(struct topics *t, struct topic *topic)
{
	struct topic **link = &t->buckets[topic->hash & t->mask];
	while (*link != topic)
		link = &(*link)->next;
	*link = topic->next;
	free(topic->members);
	free(topic);
	t->count--;
}

void
topics_leave(struct topics *t, struct subscription *x)
{
	struct topic *topic = x->topic;
	struct subscription *last = topic->members[--topic->count];
	topic->members[x->slot] = last;
	last->slot = x->slot;
	free(x->past.running);
	free(x);
	if (topic->count == 0)
		remove_topic(t, topic);
}
