/* Blocks of numbers of a PostgreSQL database, shared by its connections. Private to the room. */
#ifndef DB_SEQUENCES_H
#define DB_SEQUENCES_H

#include "db/driver.h"

/* How far a sequence goes at once: one question to the server for so many rows. SEQUENCE_BLOCK of tools/sqlgen.py is the same number. */
#define DB_SEQUENCE_BLOCK 32

/* False: ask the server for the next block and refill. */
bool db_sequences_take(struct db_sequences *s, const char *name, int64_t *out);
/* first is what nextval gave. */
void db_sequences_refill(struct db_sequences *s, const char *name, int64_t first);

#endif
