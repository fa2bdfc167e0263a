/*
 * Reading single records, and the predicates that stand in every statement: the company, that the row lives, and what the actor may see.
 * A row that is not visible is not found; nothing tells it apart from one that never was.
 */
#include "resource/engine.h"

struct err *
res_permit(struct res_ctx *c, const struct res_def *def, enum res_op op)
{
	if (actor_meets(c->actor, def->perm[op]))
		return NULL;
	if (c->actor->kind == ACTOR_ANONYMOUS && def->perm[op])
		return err_new(
			c->arena, ERR_UNAUTHENTICATED, "Authentication credentials were not provided.");
	return err_new(
		c->arena, ERR_INSUFFICIENT_PERMISSIONS, "You do not have permission to perform this action.");
}

struct err *
res_not_found(struct res_ctx *c, const struct res_def *def)
{
	struct err *e = err_new(c->arena, ERR_NOT_FOUND, "Not found.");
	return def->not_found ? err_word(e, def->not_found) : e;
}

void
res_sql_from(struct res_sql *s, const struct res_ctx *c, const struct res_def *def)
{
	res_sql_add(s, " FROM ");
	res_sql_add(s, def->table);
	res_sql_add(s, " WHERE company_id = ");
	res_sql_param(s, P_INT(c->actor->company_id));
	if (def->soft_delete)
		res_sql_add(s, " AND deleted_at IS NULL");
}

static void
owner_scope(struct res_sql *s, struct res_ctx *c, const struct res_def *def)
{
	if (c->actor->kind == ACTOR_SYSTEM || actor_may(c->actor, def->scope_all))
		return;
	res_sql_add(s, " AND owner_id = ");
	const struct res_field *owner = res_plan(c, def, NULL)->shape.owner;
	if (owner && owner->kind == RES_TEXT)
		res_sql_param(s, P_TEXT(c->actor->employee_id));
	else
		res_sql_param(s, P_INT(c->actor->person_id));
}

void
res_sql_scope(struct res_sql *s, struct res_ctx *c, const struct res_def *def, enum res_op op)
{
	switch (def->scope) {
	case SCOPE_COMPANY:
		return;
	case SCOPE_OWNER:
		owner_scope(s, c, def);
		return;
	case SCOPE_CUSTOM:
		def->hooks.scope(c, s, op);
		return;
	}
}

struct err *
res_row_read(struct res_ctx *c, const struct res_def *def, const struct db_rows *r, void *record)
{
	memset(record, 0, def->record_size);
	for (size_t i = 0; i < def->field_count; i++)
		TRY(res_column_read(c, def, &def->fields[i], r, (int)i, record));
	return NULL;
}

/* The key of a path as it is bound; false when no row can have it. */
static bool
key_param(const struct res_field *key, struct str id, struct db_param *out)
{
	if (key->kind == RES_TEXT) {
		*out = P_TEXT(id);
		return res_text_id_is_valid(id);
	}
	int64_t n;
	if (id.n == 0 || id.p[0] < '0' || id.p[0] > '9' || !str_to_int(id, &n))
		return false;
	*out = P_INT(n);
	return true;
}

static void
key_predicate(struct res_sql *s, const char *column, struct db_param value)
{
	res_sql_add(s, " AND ");
	res_sql_add(s, column);
	res_sql_add(s, " = ");
	res_sql_param(s, value);
}

static struct err *
find_row(struct res_ctx *c, const struct res_def *def, struct res_sql *s, void *record, bool *found)
{
	struct db_rows rows;
	TRY(res_sql_find(s, c->tx, &rows, found));
	return *found ? res_row_read(c, def, &rows, record) : NULL;
}

struct err *
res_read_for(struct res_ctx *c, const struct res_def *def, enum res_op op, struct str id, void *record)
{
	TRY(res_permit(c, def, op));
	const struct res_plan *plan = res_plan(c, def, NULL);
	struct db_param key;
	if (!key_param(plan->shape.key, id, &key))
		return res_not_found(c, def);
	struct res_sql s;
	res_sql_init(&s, c->arena);
	res_sql_add_str(&s, plan->select);
	res_sql_from(&s, c, def);
	key_predicate(&s, plan->shape.key->column, key);
	res_sql_scope(&s, c, def, op);
	if ((op == RES_UPDATE || op == RES_DELETE) && db_tx_kind(c->tx) == DB_POSTGRES)
		res_sql_add(&s, " FOR UPDATE");
	bool found = false;
	TRY(find_row(c, def, &s, record, &found));
	return found ? NULL : res_not_found(c, def);
}

struct err *
res_read(struct res_ctx *c, const struct res_def *def, struct str id, void *record)
{
	return res_read_for(c, def, RES_READ, id, record);
}

struct err *
res_find(struct res_ctx *c, const struct res_def *def, const char *field, struct db_param value, void *record,
	bool *found)
{
	struct res_sql s;
	*found = false;
	res_sql_init(&s, c->arena);
	res_sql_add_str(&s, res_plan(c, def, NULL)->select);
	res_sql_from(&s, c, def);
	key_predicate(&s, def->fields[res_field_index(def, field)].column, value);
	res_sql_add(&s, " ORDER BY id LIMIT 1");
	return find_row(c, def, &s, record, found);
}

struct err *
res_ref_exists(struct res_ctx *c, const struct res_field *f, const void *at, bool *found)
{
	const struct res_def *def = f->ref;
	const struct res_shape *shape = &res_plan(c, def, NULL)->shape;
	const struct res_field *key =
		f->kind == shape->key->kind || f->kind == RES_TEXT ? shape->key : shape->id;
	struct res_sql s;
	res_sql_init(&s, c->arena);
	res_sql_add(&s, "SELECT 1");
	res_sql_from(&s, c, def);
	key_predicate(&s, key->column, res_param_at(c->arena, f, at));
	res_sql_scope(&s, c, def, RES_READ);
	struct db_rows rows;
	return res_sql_find(&s, c->tx, &rows, found);
}
