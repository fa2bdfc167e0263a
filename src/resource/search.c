/*
 * Text search: case-insensitive substring over the fields marked RF_SEARCH. What is searched is one folded text an object, its fields
 * parted by line feeds; folding makes every white space a blank, so no pattern can match across two fields. Patterns of three characters
 * and more use the trigram index of either database, shorter ones read the company's texts.
 */
#include "codec/text.h"
#include "resource/engine.h"
#include "resource/engine_sql.h"

#define INDEXED_CHARS 3 /* a trigram */

/* With %, _ and the escape itself escaped by a backslash, between two %. */
static struct str
like_pattern(struct arena *a, struct str text)
{
	struct buf b;
	buf_init_arena(&b, a, 2 * text.n + 16);
	buf_add_byte(&b, '%');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '\\')
			buf_add_byte(&b, '\\');
		buf_add_byte(&b, text.p[i]);
	}
	buf_add_byte(&b, '%');
	return buf_str(&b);
}

/* One phrase of FTS5's query language: nothing in it is an operator. */
static struct str
phrase(struct arena *a, struct str text)
{
	struct buf b;
	buf_init_arena(&b, a, 2 * text.n + 16);
	buf_add_byte(&b, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_add_byte(&b, '"');
		buf_add_byte(&b, text.p[i]);
	}
	buf_add_byte(&b, '"');
	return buf_str(&b);
}

static void
company_texts(struct res_sql *s, const struct res_ctx *c, const struct res_def *def)
{
	res_sql_add(s, "company_id = ");
	res_sql_param(s, P_INT(c->actor->company_id));
	res_sql_add(s, " AND resource = ");
	res_sql_param(s, P_TEXT(str_from_cstr(def->name)));
}

/*
 * SQLite has no statistics of its search index: CROSS JOIN makes it begin there, so that the cost follows the number of hits and not the
 * size of the company.
 */
static void
indexed_hits(struct res_sql *s, const struct res_ctx *c, const struct res_def *def, struct str folded)
{
	res_sql_add(s, "search_index CROSS JOIN search_text ON search_text.id = search_index.rowid WHERE "
		       "search_index MATCH ");
	res_sql_param(s, P_TEXT(phrase(c->arena, folded)));
	res_sql_add(s, " AND ");
	company_texts(s, c, def);
}

static void
scanned_hits(struct res_sql *s, const struct res_ctx *c, const struct res_def *def, struct str folded)
{
	bool sqlite = db_tx_kind(c->tx) == DB_SQLITE;
	res_sql_add(s, "search_text WHERE ");
	company_texts(s, c, def);
	res_sql_add(s, sqlite ? " AND instr(folded, " : " AND folded LIKE ");
	res_sql_param(s, P_TEXT(sqlite ? folded : like_pattern(c->arena, folded)));
	res_sql_add(s, sqlite ? ") > 0" : "");
}

bool
res_sql_search(struct res_sql *s, const struct res_ctx *c, const struct res_def *def, struct str search)
{
	struct str folded = text_fold(c->arena, search);
	struct res_shape shape = res_plan(c, def, NULL)->shape;
	if (folded.n == 0 || !shape.searched)
		return false;
	res_sql_add(s, " AND id IN (SELECT ");
	res_sql_add(s, shape.id->kind == RES_TEXT ? "object_id FROM " : "CAST(object_id AS BIGINT) FROM ");
	if (db_tx_kind(c->tx) == DB_SQLITE && str_utf8_len(folded) >= INDEXED_CHARS)
		indexed_hits(s, c, def, folded);
	else
		scanned_hits(s, c, def, folded);
	res_sql_add(s, ")");
	return true;
}

static struct str
searched_text(struct res_ctx *c, const struct res_def *def, const void *record)
{
	struct buf b;
	buf_init_arena(&b, c->arena, LIMIT_BODY_BYTES);
	for (size_t i = 0; i < def->field_count; i++) {
		const struct res_field *f = &def->fields[i];
		if (!(f->flags & RF_SEARCH) || !res_has_value(def, f, record))
			continue;
		struct db_param p = res_param_at(c->arena, f, res_member_of(f, record));
		struct str text = p.type == DB_TEXT ? p.s : arena_fmt(c->arena, "%lld", (long long)p.i);
		buf_add_str(&b, text_fold(c->arena, text));
		buf_add_byte(&b, '\n');
	}
	return buf_str(&b);
}

static bool
searched_differs(const struct res_def *def, const void *old, const void *record)
{
	for (size_t i = 0; i < def->field_count; i++)
		if ((def->fields[i].flags & RF_SEARCH) && !res_value_same(def, &def->fields[i], old, record))
			return true;
	return false;
}

struct err *
res_search_store(struct res_ctx *c, const struct res_def *def, const void *old, const void *record)
{
	if (old && !searched_differs(def, old, record))
		return NULL;
	struct str id = res_id_text(c->arena, res_plan(c, def, NULL)->shape.id, record);
	return DB_EXEC(c->tx, &sql_search_text_put, P_INT(c->actor->company_id),
		P_TEXT(str_from_cstr(def->name)), P_TEXT(id), P_TEXT(searched_text(c, def, record)));
}

struct err *
res_search_forget(struct res_ctx *c, const struct res_def *def, const void *record)
{
	struct str id = res_id_text(c->arena, res_plan(c, def, NULL)->shape.id, record);
	return DB_EXEC(c->tx, &sql_search_text_remove, P_INT(c->actor->company_id),
		P_TEXT(str_from_cstr(def->name)), P_TEXT(id));
}
