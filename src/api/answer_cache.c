/*
 * A direct-mapped table: a new answer takes its slot from whichever was there. What a slot holds is one block of memory with the key and
 * all parts of the answer behind each other, so that a hit is one comparison and one copy.
 */
#include "api/answer_cache.h"
#include "base/check.h"
#include <stdlib.h>

struct part {
	uint32_t at, n;
};

#define KEPT_FIELDS_MAX 8

struct slot {
	uint64_t hash, epoch;
	int64_t made_us;
	char *bytes; /* NULL: empty */
	size_t size;
	struct part key, type, tag, body;
	struct part names[KEPT_FIELDS_MAX], values[KEPT_FIELDS_MAX];
	uint32_t field_count;
	int status;
};

struct thread_cache {
	struct slot slots[CACHE_SLOTS];
	size_t bytes;
	int64_t swept_us;
};

struct answer_cache {
	int threads;
	struct thread_cache *tables[]; /* made on first use, so that an idle server stays small */
};

struct answer_cache *
answer_cache_new(int threads)
{
	struct answer_cache *c = calloc(1, sizeof(*c) + (size_t)threads * sizeof(c->tables[0]));
	check(c);
	c->threads = threads;
	return c;
}

void
answer_cache_free(struct answer_cache *c)
{
	if (!c)
		return;
	for (int t = 0; t < c->threads; t++) {
		if (!c->tables[t])
			continue;
		for (size_t i = 0; i < CACHE_SLOTS; i++)
			free(c->tables[t]->slots[i].bytes);
		free(c->tables[t]);
	}
	free(c);
}

static struct str
str_of(const char *bytes, struct part p)
{
	return (struct str){ bytes + p.at, p.n };
}

bool
answer_cache_find(struct answer_cache *c, int thread, const struct cache_lookup *l, struct arena *a,
	struct http_answer *out)
{
	check(thread >= 0 && thread < c->threads);
	if (!c->tables[thread])
		return false;
	const struct slot *s = &c->tables[thread]->slots[l->hash % CACHE_SLOTS];
	if (!s->bytes || s->hash != l->hash || s->epoch != l->epoch ||
		l->now_us - s->made_us > CACHE_AGE_US || !str_eq(str_of(s->bytes, s->key), l->key))
		return false;
	const struct str copy = arena_str(a, (struct str){ s->bytes, s->size });
	struct http_field *fields = arena_alloc_array(a, s->field_count, sizeof(*fields));
	for (uint32_t i = 0; i < s->field_count; i++)
		fields[i] = (struct http_field){ str_of(copy.p, s->names[i]), str_of(copy.p, s->values[i]) };
	*out = (struct http_answer){
		.status = s->status,
		.content_type = str_of(copy.p, s->type),
		.etag = str_of(copy.p, s->tag),
		.body = str_of(copy.p, s->body),
		.fields = fields,
		.field_count = s->field_count,
	};
	return true;
}

static void
drop(struct thread_cache *t, struct slot *s)
{
	t->bytes -= s->size;
	free(s->bytes);
	*s = (struct slot){ .bytes = NULL };
}

static void
drop_old(struct thread_cache *t, int64_t now_us)
{
	if (now_us - t->swept_us < CACHE_AGE_US)
		return;
	t->swept_us = now_us;
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		if (t->slots[i].bytes && now_us - t->slots[i].made_us > CACHE_AGE_US)
			drop(t, &t->slots[i]);
}

static struct part
append(char *bytes, size_t *at, struct str s)
{
	const struct part p = { (uint32_t)*at, (uint32_t)s.n };
	if (s.n)
		memcpy(bytes + *at, s.p, s.n);
	*at += s.n;
	return p;
}

static size_t
size_of(const struct cache_lookup *l, const struct http_answer *answer)
{
	size_t size = l->key.n + answer->content_type.n + answer->etag.n + answer->body.n;
	for (size_t i = 0; i < answer->field_count; i++)
		size += answer->fields[i].name.n + answer->fields[i].value.n;
	return size;
}

void
answer_cache_keep(
	struct answer_cache *c, int thread, const struct cache_lookup *l, const struct http_answer *answer)
{
	check(thread >= 0 && thread < c->threads);
	const size_t size = size_of(l, answer);
	if (answer->field_count > KEPT_FIELDS_MAX || size > CACHE_ANSWER_BYTES)
		return;
	if (!c->tables[thread])
		c->tables[thread] = calloc(1, sizeof(*c->tables[thread]));
	struct thread_cache *t = c->tables[thread];
	check(t);
	struct slot *s = &t->slots[l->hash % CACHE_SLOTS];
	drop(t, s);
	if (t->bytes + size > CACHE_THREAD_BYTES)
		drop_old(t, l->now_us);
	char *bytes = t->bytes + size > CACHE_THREAD_BYTES ? NULL : malloc(size);
	if (!bytes)
		return;
	size_t at = 0;
	*s = (struct slot){
		.hash = l->hash, .epoch = l->epoch, .made_us = l->now_us, .bytes = bytes, .size = size
	};
	s->status = answer->status;
	s->key = append(bytes, &at, l->key);
	s->type = append(bytes, &at, answer->content_type);
	s->tag = append(bytes, &at, answer->etag);
	s->body = append(bytes, &at, answer->body);
	s->field_count = (uint32_t)answer->field_count;
	for (size_t i = 0; i < answer->field_count; i++) {
		s->names[i] = append(bytes, &at, answer->fields[i].name);
		s->values[i] = append(bytes, &at, answer->fields[i].value);
	}
	t->bytes += size;
}
