/*
 * Hash table with chains and a list in order of use; see the header. Texts are compared besides the hash: statements made at run
 * time follow what a client asked for, and a hash that is not cryptographic can be made to collide.
 */
#include "db/statements.h"
#include "base/check.h"
#include <stdlib.h>

static struct statement **
bucket_of(struct statements *all, uint64_t hash)
{
	return &all->buckets[hash & (STATEMENT_BUCKETS - 1)];
}

static void
unlink_use(struct statements *all, struct statement *s)
{
	*(s->newer ? &s->newer->older : &all->newest) = s->older;
	*(s->older ? &s->older->newer : &all->oldest) = s->newer;
}

static void
make_newest(struct statements *all, struct statement *s)
{
	s->newer = NULL;
	s->older = all->newest;
	*(all->newest ? &all->newest->newer : &all->oldest) = s;
	all->newest = s;
}

struct statement *
statements_find(struct statements *all, uint64_t hash, struct str text)
{
	struct statement *s = *bucket_of(all, hash);

	while (s && (s->hash != hash || s->busy || !str_eq(s->text, text)))
		s = s->chain;
	if (s && s != all->newest) {
		unlink_use(all, s);
		make_newest(all, s);
	}
	return s;
}

struct statement *
statements_add(struct statements *all, uint64_t hash, struct str text, void *handle)
{
	struct statement *s = malloc(sizeof(*s) + text.n + 1);
	struct statement **bucket = bucket_of(all, hash);

	check(s);
	char *copy = (char *)(s + 1);
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	*s = (struct statement){ .chain = *bucket, .hash = hash, .text = { copy, text.n }, .handle = handle };
	s->number = ++all->numbers;
	*bucket = s;
	make_newest(all, s);
	all->count++;
	return s;
}

struct statement *
statements_victim(struct statements *all)
{
	struct statement *s = all->count >= LIMIT_STATEMENTS ? all->oldest : NULL;

	while (s && s->busy)
		s = s->newer;
	return s;
}

void
statements_remove(struct statements *all, struct statement *s)
{
	struct statement **link = bucket_of(all, s->hash);

	while (*link != s)
		link = &(*link)->chain;
	*link = s->chain;
	unlink_use(all, s);
	all->count--;
	free(s);
}
