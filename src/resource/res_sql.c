/*
 * Statements under construction. Text and values grow together, so a value never becomes part of the text. The texts of one resource
 * repeat, so the connection's statement cache finds them prepared.
 */
#include "resource/res_sql.h"
#include "base/limits.h"

#define TEXT_BYTES 640 /* most statements fit without growing */

void
res_sql_init(struct res_sql *s, struct arena *a)
{
	*s = (struct res_sql){ .arena = a };
	buf_init_arena(&s->text, a, LIMIT_TEXT_BYTES);
	(void)buf_reserve(&s->text, TEXT_BYTES); /* a hint; running over shows when the statement is run */
}

void
res_sql_add_str(struct res_sql *s, struct str text)
{
	buf_add_str(&s->text, text);
}

void
res_sql_param(struct res_sql *s, struct db_param p)
{
	if (s->count == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 32;
		struct db_param *grown = arena_alloc_array(s->arena, cap, sizeof *grown);
		if (s->count)
			memcpy(grown, s->params, s->count * sizeof *grown);
		s->params = grown;
		s->cap = cap;
	}
	s->params[s->count++] = p;
	buf_add_byte(&s->text, '$');
	buf_add_int(&s->text, (int64_t)s->count);
}

void
res_sql_in(struct res_sql *s, const char *column, const struct db_param *values, size_t count)
{
	if (count == 0) {
		res_sql_add(s, " AND 1 = 0");
		return;
	}
	res_sql_add(s, " AND ");
	res_sql_add(s, column);
	res_sql_add(s, " IN (");
	for (size_t i = 0; i < count; i++) {
		res_sql_add(s, i ? ", " : "");
		res_sql_param(s, values[i]);
	}
	res_sql_add(s, ")");
}

static struct err *
finish(struct res_sql *s, struct db_sql *out)
{
	if (s->text.over || s->count > RES_SQL_PARAMS_MAX)
		return err_new(
			s->arena, ERR_TOO_LARGE, "The query has more than %d values.", RES_SQL_PARAMS_MAX);
	*out = db_sql_make("resource", buf_str(&s->text), (int)s->count);
	return NULL;
}

struct err *
res_sql_query(struct res_sql *s, struct db_tx *tx, struct db_rows *out)
{
	struct db_sql q;
	TRY(finish(s, &q));
	return db_query(tx, &q, s->params, s->count, out);
}

struct err *
res_sql_find(struct res_sql *s, struct db_tx *tx, struct db_rows *out, bool *found)
{
	struct db_sql q;
	TRY(finish(s, &q));
	return db_find(tx, &q, s->params, s->count, out, found);
}

struct err *
res_sql_exec(struct res_sql *s, struct db_tx *tx, int64_t *affected)
{
	struct db_sql q;
	TRY(finish(s, &q));
	return db_exec(tx, &q, s->params, s->count, affected);
}

struct err *
res_sql_prepare_check(struct res_sql *s, struct db_tx *tx)
{
	struct db_sql q;
	TRY(finish(s, &q));
	return db_prepare_check(tx, &q);
}
