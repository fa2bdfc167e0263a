/*
 * Blocks of numbers taken from PostgreSQL's sequences: each of them counts in steps of DB_SEQUENCE_BLOCK, and the numbers of a step are
 * handed out here without asking again. Numbers of one node rise; between nodes they only differ.
 */
#include "db/sequences.h"

/* Sequences there are, one a table; the table is never emptied. */
#define SEQUENCES_MAX 256

struct block {
	char name[64];
	int64_t next, end;
};

struct db_sequences {
	pthread_mutex_t lock;
	struct block blocks[SEQUENCES_MAX];
	int count;
};

struct db_sequences *
db_sequences_new(void)
{
	struct db_sequences *s = calloc(1, sizeof(*s));

	check(s);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void
db_sequences_free(struct db_sequences *s)
{
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct block *
block_of(struct db_sequences *s, const char *name)
{
	struct block *b = s->blocks;
	size_t n = strlen(name);

	while (b < s->blocks + s->count && strcmp(b->name, name) != 0)
		b++;
	if (b == s->blocks + s->count) {
		check(s->count < SEQUENCES_MAX && n < sizeof(b->name));
		memcpy(b->name, name, n + 1);
		s->count++;
	}
	return b;
}

bool
db_sequences_take(struct db_sequences *s, const char *name, int64_t *out)
{
	pthread_mutex_lock(&s->lock);
	struct block *b = block_of(s, name);
	bool left = b->next < b->end;
	if (left)
		*out = b->next++;
	pthread_mutex_unlock(&s->lock);
	return left;
}

void
db_sequences_refill(struct db_sequences *s, const char *name, int64_t first)
{
	pthread_mutex_lock(&s->lock);
	struct block *b = block_of(s, name);
	/* Two threads may have asked at once: the later block counts, the rest of the earlier one is a gap. */
	if (first >= b->next) {
		b->next = first;
		b->end = first + DB_SEQUENCE_BLOCK;
	}
	pthread_mutex_unlock(&s->lock);
}
