/*
 * Text ids made by the server: a prefix and a number of a sequence per company and resource, which the database counts, so two requests
 * never get the same one. A client may have taken a number with an id of its own; the next tries then leap ahead in growing steps, so a
 * long taken range costs a few tries and not one a number.
 */
#include "resource/engine.h"
#include "resource/engine_sql.h"

#define TRIES_ONE_BY_ONE 8

struct err *
res_text_id_next(struct res_ctx *c, const struct res_def *def, int attempt, struct str *out)
{
	struct db_rows rows;
	bool found = false;
	int64_t step = attempt <= TRIES_ONE_BY_ONE ? 1 : (int64_t)1 << (attempt - TRIES_ONE_BY_ONE);
	TRY(DB_FIND(c->tx, &sql_text_id_next, &rows, &found, P_INT(c->actor->company_id),
		P_TEXT(str_from_cstr(def->name)), P_INT(step)));
	check(found);
	*out = arena_fmt(c->arena, "%s%03lld", def->id_prefix, (long long)db_int(&rows, 0));
	return NULL;
}
