/*
 * Every table carries company_id, so the list of tables is taken from the schema and no room can be forgotten. A table is emptied when
 * nothing that is left refers to it; the schema's references give the order.
 */
#include "domain/iam/company_remove.h"

#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"

#define TABLES_MAX 200

struct table {
	struct str name;
	bool emptied;
};

struct reference {
	struct str from, to;
};

struct schema {
	struct table tables[TABLES_MAX];
	struct reference references[TABLES_MAX];
	size_t table_count, reference_count;
};

static struct err *
read_schema(struct db_tx *tx, struct schema *s)
{
	struct db_rows r;
	TRY(DB_QUERY(tx, &sql_company_tables, &r));
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		check(s->table_count < TABLES_MAX);
		s->tables[s->table_count++].name = db_text_copy(&r, 0);
	}
	TRY(DB_QUERY(tx, &sql_company_references, &r));
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		check(s->reference_count < TABLES_MAX);
		s->references[s->reference_count++] =
			(struct reference){ .from = db_text_copy(&r, 0), .to = db_text_copy(&r, 1) };
	}
	return NULL;
}

static bool
is_left(const struct schema *s, struct str name)
{
	for (size_t i = 0; i < s->table_count; i++)
		if (str_eq(s->tables[i].name, name))
			return !s->tables[i].emptied;
	return false;
}

static bool
is_free(const struct schema *s, struct str name)
{
	for (size_t i = 0; i < s->reference_count; i++) {
		const struct reference *f = &s->references[i];
		if (str_eq(f->to, name) && !str_eq(f->from, name) && is_left(s, f->from))
			return false;
	}
	return true;
}

static struct err *
empty(struct db_tx *tx, struct str table, int64_t company_id)
{
	struct str text =
		arena_fmt(db_tx_arena(tx), "DELETE FROM \"%.*s\" WHERE company_id = $1", STR_ARG(table));
	struct db_sql q = db_sql_make("company_remove", text, 1);
	return DB_EXEC(tx, &q, P_INT(company_id));
}

struct err *
company_remove(struct db_tx *tx, int64_t company_id)
{
	struct schema *s = arena_new_of(db_tx_arena(tx), struct schema);
	TRY(read_schema(tx, s));
	iam_touched(tx);
	for (size_t left = s->table_count; left > 0;) {
		size_t before = left;
		for (size_t i = 0; i < s->table_count; i++) {
			struct table *t = &s->tables[i];
			if (t->emptied || !is_free(s, t->name))
				continue;
			TRY(empty(tx, t->name, company_id));
			t->emptied = true;
			left--;
		}
		check(left < before); /* the schema has no circle of references */
	}
	TRY(DB_EXEC(tx, &sql_login_name_drop_company, P_INT(company_id)));
	TRY(DB_EXEC(tx, &sql_company_search_drop, P_TEXT(STR("company")), P_INT(company_id)));
	return DB_EXEC(tx, &sql_company_drop, P_INT(company_id));
}
