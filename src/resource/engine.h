/*
 * What the files of this room share and nobody outside needs: access to a record's members, the walk over a view, a value's way between
 * JSON, text, record and column, and the predicates that every statement carries.
 */
#ifndef RESOURCE_ENGINE_H
#define RESOURCE_ENGINE_H

#include "base/limits.h"
#include "resource/res_sql.h"
#include "resource/resource.h"

/* Columns that the engine itself looks after, as fields of the table; NULL where the record does not hold them. */
struct res_shape {
	const struct res_field *id;  /* of the primary key */
	const struct res_field *key; /* what a path names: .id_field */
	const struct res_field *version, *created_at, *updated_at, *owner;
	bool searched;
};
struct res_shape res_shape(const struct res_def *def);

static inline void *
res_member(const struct res_field *f, void *record)
{
	return (char *)record + f->offset;
}
static inline const void *
res_member_of(const struct res_field *f, const void *record)
{
	return (const char *)record + f->offset;
}
static inline uint64_t
res_bit(const struct res_def *def, const struct res_field *f)
{
	return (uint64_t)1 << (f - def->fields);
}
static inline bool
res_has_value(const struct res_def *def, const struct res_field *f, const void *record)
{
	return (((const struct res_row *)record)->null & res_bit(def, f)) == 0;
}
const struct res_field *res_column_find(const struct res_def *def, struct str column);

/* ---- views (view.c) ---- */

struct res_slot {
	struct str name;		   /* dots nest */
	const struct res_field *field;	   /* NULL: computed */
	const struct res_view_field *view; /* NULL: the table's own view */
	unsigned flags;			   /* of enum res_view_flag, the table's rules included */
};
struct res_walk {
	const struct res_def *def;
	const struct res_view *view;
	size_t next,
		found; /* found: where the last named field stood, so that a view in the table's order costs one comparison a field */
};
struct res_walk res_walk(const struct res_def *def, const struct res_view *view);
bool res_walk_next(struct res_walk *w, struct res_slot *out);

/* ---- plans (plan.c) ---- */

/* A member of the JSON of a view, as it is written. */
struct res_member {
	struct str group, name; /* "thresholds", "min_value"; neighbours of one group have the same group.p */
	const struct res_field *field;
	const struct res_view_field *view;
	unsigned flags;
	uint64_t bit; /* of the field in struct res_row */
};
struct res_plan {
	const struct res_def *def;
	const struct res_view *view;
	struct res_shape shape;
	struct str select;	    /* "SELECT columns": every field in the table's order */
	struct res_member *members; /* what is shown */
	size_t member_count;
};
/* Of the context's set, otherwise made on its arena. */
const struct res_plan *res_plan(
	const struct res_ctx *c, const struct res_def *def, const struct res_view *view);

/* ---- values (value.c, parse_value.c) ---- */

int res_money_decimals(const struct res_ctx *c);
/* The value as it is bound; NULL where the record has none. */
struct db_param res_param(
	const struct res_ctx *c, const struct res_def *def, const struct res_field *f, const void *record);
/* One value as it is bound, wherever it stands. */
struct db_param res_param_at(struct arena *a, const struct res_field *f, const void *at);
/* A column of the current row into the record. INTERNAL when the database holds what the table forbids. */
struct err *res_column_read(struct res_ctx *c, const struct res_def *def, const struct res_field *f,
	const struct db_rows *r, int column, void *record) MUST_USE;
/* Same value in both, also the same scale and the same absence. */
bool res_value_same(const struct res_def *def, const struct res_field *f, const void *a, const void *b);
/* The path's or event's text of the record's id. */
struct str res_id_text(struct arena *a, const struct res_field *f, const void *record);

/* Reads a value to *at. The result is the fault's message, NULL when fine; *at is untouched then. JSON null is not handled here. */
const char *res_value_parse(const struct res_ctx *c, const struct res_field *f, const json_val *v, void *at);
const char *res_value_parse_text(
	const struct res_ctx *c, const struct res_field *f, struct str text, void *at);
bool res_text_id_is_valid(struct str id);

/* ---- statements (load.c, search.c, filter.c) ---- */

struct err *res_permit(struct res_ctx *c, const struct res_def *def, enum res_op op) MUST_USE;
struct err *res_not_found(struct res_ctx *c, const struct res_def *def);
/* " FROM table WHERE company_id = $n" and, where rows are deleted softly, that they live. */
void res_sql_from(struct res_sql *s, const struct res_ctx *c, const struct res_def *def);
/* " AND …": what the actor may see. */
void res_sql_scope(struct res_sql *s, struct res_ctx *c, const struct res_def *def, enum res_op op);
/* Every column of the current row into the record. */
struct err *res_row_read(
	struct res_ctx *c, const struct res_def *def, const struct db_rows *r, void *record) MUST_USE;
/* Whether the value that the record's field refers to exists and may be seen by the actor. */
struct err *res_ref_exists(
	struct res_ctx *c, const struct res_field *f, const void *at, bool *found) MUST_USE;

void res_sql_filter(struct res_sql *s, enum db_kind kind, const struct list_filter *f);
/* One term of an ORDER BY. few: the rows are few, so sort them instead of walking an index (SQLite does not know). */
void res_sql_order(struct res_sql *s, enum db_kind kind, const struct list_sort *sort, bool few);
/* " AND id IN …"; false when the text is blank or nothing of the resource is searched. */
bool res_sql_search(struct res_sql *s, const struct res_ctx *c, const struct res_def *def, struct str search);
/* Stores the text that search looks in; old NULL: of a new row. */
struct err *res_search_store(
	struct res_ctx *c, const struct res_def *def, const void *old, const void *record) MUST_USE;
struct err *res_search_forget(struct res_ctx *c, const struct res_def *def, const void *record) MUST_USE;

/* "INSERT INTO table …" (store.c) */
void res_sql_insert(struct res_sql *s, const struct res_ctx *c, const struct res_def *def, const struct res_shape *shape,
	const void *record);
struct res_change {
	const void *old, *record;
};
/* "UPDATE table SET column = $n, …" of what differs, of everything when old is NULL; false when nothing does. */
bool res_sql_update(struct res_sql *s, const struct res_ctx *c, const struct res_def *def, const struct res_shape *shape,
	const struct res_change *change);
/* Its end: "version = version + 1, updated_at = $n WHERE …" of the one row. */
void res_sql_row(struct res_sql *s, const struct res_ctx *c, const struct res_def *def, const struct res_shape *shape,
	const void *record);

/* Text ids made by the server (text_id.c): the attempt-th try, since a client may have taken a number. */
struct err *res_text_id_next(
	struct res_ctx *c, const struct res_def *def, int attempt, struct str *out) MUST_USE;

#endif
