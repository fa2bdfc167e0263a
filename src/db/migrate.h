/* The migrations that this binary brings, made from src/db/migrations by tools/sqlgen.py. Private to the room. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "db/db.h"

struct db_migration {
	int64_t version;
	const char *name;
	struct str checksum; /* SHA-256 in hexadecimal */
	struct str text[2];  /* by enum db_kind; several statements */
};

/* In the order of their versions, which start at 1 and have no gaps. */
extern const struct db_migration db_migrations[];
extern const size_t db_migration_count;

#endif
