/* A statement under construction: text with $n parameters and the values bound to them. The one place that makes WHERE clauses. */
#ifndef RESOURCE_RES_SQL_H
#define RESOURCE_RES_SQL_H

#include "db/db.h"

#define RES_SQL_PARAMS_MAX 1200

struct res_sql {
	struct buf text;
	struct db_param *params; /* on the arena */
	size_t count, cap;
	struct arena *arena;
};

void res_sql_init(struct res_sql *s, struct arena *a);
void res_sql_add_str(struct res_sql *s, struct str text);      /* SQL of ours, never a value */
/* Inline, because the compiler knows the length of a literal. */
static inline void
res_sql_add(struct res_sql *s, const char *literal)
{
	res_sql_add_str(s, (struct str) { literal, strlen(literal) });
}
void res_sql_param(struct res_sql *s, struct db_param p);      /* appends $n and binds p */
/* " AND column IN ($n, …)"; an empty list matches nothing. */
void res_sql_in(struct res_sql *s, const char *column, const struct db_param *values, size_t count);
/* Runs it through the connection's statement cache. */
struct err *res_sql_query(struct res_sql *s, struct db_tx *tx, struct db_rows *out) MUST_USE;
/* The same for one wanted row (see db_find), for none (see db_exec), and only to prepare it (see db_prepare_check). */
struct err *res_sql_find(struct res_sql *s, struct db_tx *tx, struct db_rows *out, bool *found) MUST_USE;
struct err *res_sql_exec(struct res_sql *s, struct db_tx *tx, int64_t *affected) MUST_USE;
struct err *res_sql_prepare_check(struct res_sql *s, struct db_tx *tx) MUST_USE;

#endif
