/*
 * The prepared statements of one connection, found by hash and text, the least recently used given up first. Private to the room. A
 * statement that a cursor uses is not lent twice: the same query inside its own rows gets a second one.
 */
#ifndef DB_STATEMENTS_H
#define DB_STATEMENTS_H

#include "base/limits.h"
#include "base/str.h"

#define STATEMENT_BUCKETS 512 /* twice LIMIT_STATEMENTS, a power of two */

struct statement {
	struct statement *chain;	 /* of the bucket */
	struct statement *newer, *older; /* in order of use */
	uint64_t hash;
	struct str text; /* own copy */
	bool busy;
	bool watched;	 /* it writes to a table that the writer remembers rows of */
	void *handle;	 /* the driver's */
	uint64_t number; /* unlike any other of the connection */
};

struct statements {
	struct statement *buckets[STATEMENT_BUCKETS];
	struct statement *newest, *oldest;
	int count;
	uint64_t numbers;
};

/* One that is not busy, or NULL; it becomes the newest. */
struct statement *statements_find(struct statements *all, uint64_t hash, struct str text);
struct statement *statements_add(struct statements *all, uint64_t hash, struct str text, void *handle);
/* The one to give up before another is added: NULL while there is room, or when all are busy. */
struct statement *statements_victim(struct statements *all);
/* The driver has given up the handle before. */
void statements_remove(struct statements *all, struct statement *s);

#endif
