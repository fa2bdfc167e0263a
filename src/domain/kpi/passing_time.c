/* See the header. Most KPIs do not change overnight, so they are judged in a read, and only those that did are locked and written. */
#include "domain/kpi/passing_time.h"
#include "domain/kpi/assignment.h"
#include "domain/kpi/assignment_sql.h"
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/kpi_sql.h"
#include "domain/kpi/status.h"

static struct err *
add_when_stale(struct res_ctx *c, struct str id, struct str *ids, size_t *count)
{
	struct kpi k = { 0 };
	bool found, stale = false;

	TRY(res_find(c, &kpi_res, "id", P_TEXT(id), &k, &found));
	if (found)
		TRY(kpi_state_is_stale(c, &k, &stale));
	if (stale)
		ids[(*count)++] = id;
	return NULL;
}

struct err *
kpi_states_stale(
	struct res_ctx *c, struct str after, size_t max, struct str **ids, size_t *count, struct str *last)
{
	struct str *all = arena_alloc_array(c->arena, max, sizeof(*all));
	struct db_rows rows;
	size_t n = 0;

	TRY(DB_QUERY(
		c->tx, &sql_kpi_active_list, &rows, P_INT(c->actor->company_id), P_TEXT(after), P_INT(max)));
	for (bool row;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		all[n++] = db_text_copy(&rows, 0);
	}
	*ids = all;
	*count = 0;
	*last = n ? all[n - 1] : STR("");
	for (size_t i = 0; i < n; i++)
		TRY(add_when_stale(c, all[i], all, count));
	return NULL;
}

struct err *
kpi_state_refresh(struct res_ctx *c, struct str id)
{
	struct kpi k = { 0 };
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(c->tx, &sql_kpi_lock, &rows, &found, P_INT(c->actor->company_id), P_TEXT(id)));
	if (found)
		TRY(res_find(c, &kpi_res, "id", P_TEXT(id), &k, &found));
	return found ? kpi_state_update(c, &k) : NULL;
}

struct err *
assignments_complete(struct res_ctx *c, size_t max, size_t *count)
{
	struct str *ids = arena_alloc_array(c->arena, max, sizeof(*ids));
	struct str today = kpi_date_text(c->arena, kpi_day(c, c->now));
	struct db_rows rows;

	*count = 0;
	TRY(DB_QUERY(c->tx, &sql_assignment_over_list, &rows, P_INT(c->actor->company_id), P_TEXT(today),
		P_INT(max)));
	for (bool row;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		ids[(*count)++] = db_text_copy(&rows, 0);
	}
	for (size_t i = 0; i < *count; i++) {
		struct assignment old = { 0 }, now;
		bool found;
		TRY(res_find(c, &assignment_res, "id", P_TEXT(ids[i]), &old, &found));
		if (!found)
			continue;
		now = old;
		now.status = ASSIGN_COMPLETED;
		TRY(res_update(c, &assignment_res, &old, &now));
	}
	return NULL;
}
