/*
 * Events: audit trail and outbox in one table, written in the transaction of the change they tell of. Whatever acts on a change (streams,
 * webhooks, jobs) reads them after commit, so an effect can be late but never invented or lost.
 */
#include "resource/engine.h"
#include "resource/engine_sql.h"

static struct db_param
text_or_null(struct str s)
{
	return s.n ? P_TEXT(s) : P_NULL;
}

struct err *
event_add(struct res_ctx *c, struct str type, const char *object_type, struct str object_id,
	struct str old_values, struct str new_values)
{
	const struct actor *a = c->actor;
	int64_t seq;
	TRY(db_next_id(c->tx, "event", &seq));
	TRY(DB_EXEC_LATER(c->tx, &sql_event_add, P_INT(a->company_id), P_INT(seq), P_TEXT(type),
		P_TEXT(str_from_cstr(object_type)), P_TEXT(object_id),
		a->person_id ? P_INT(a->person_id) : P_NULL, P_TEXT(a->username), P_TEXT(c->request_id),
		P_INSTANT(c->now), text_or_null(old_values), text_or_null(new_values)));
	db_tx_touch(c->tx, a->company_id);
	return NULL;
}
