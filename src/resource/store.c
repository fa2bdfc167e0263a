/*
 * Create, update and delete: the record, its search text and its event in one transaction. An update writes the columns that differ and
 * nothing when none does, so repeating a request makes neither a version nor an event.
 */
#include "resource/engine.h"

#define TEXT_ID_TRIES 40

static struct str
values_of(const struct res_ctx *c, const struct res_def *def, const void *record)
{
	struct buf b;
	struct json_out o;
	buf_init_arena(&b, c->arena, LIMIT_ANSWER_BYTES);
	json_out_init(&o, &b);
	res_write(&o, c, def, NULL, record);
	return buf_str(&b);
}

static struct err *
change_add(
	struct res_ctx *c, const struct res_def *def, const char *what, const void *old, const void *record)
{
	struct str type = arena_fmt(c->arena, "%s.%s", def->name, what);
	struct str before = old ? values_of(c, def, old) : (struct str){ 0 };
	struct str after = record ? values_of(c, def, record) : (struct str){ 0 };
	struct str id = res_id_text(c->arena, res_plan(c, def, NULL)->shape.key, record ? record : old);
	return event_add(c, type, def->name, id, before, after);
}

/* A folded copy (email_key, hidden) stands for the field that people see (email). */
static struct str
public_name(const struct res_def *def, const struct res_field *f)
{
	struct str name = str_from_cstr(f->name), suffix = STR("_key");
	if (!(f->flags & RF_HIDDEN) || !str_ends_with(name, suffix))
		return name;
	const struct res_field *shown = res_field_find(def, str_sub(name, 0, name.n - suffix.n));
	return shown ? str_from_cstr(shown->name) : name;
}

/* The schema's constraint in the resource's words: which field is taken. */
static struct err *
taken(struct res_ctx *c, const struct res_def *def, struct err *e)
{
	const struct res_field *f = e ? res_column_find(def, db_err_unique_column(e)) : NULL;
	if (!f)
		return e;
	struct str name = public_name(def, f);
	struct err *named = err_new(
		c->arena, ERR_CONFLICT, "%s with this %.*s already exists.", def->title, STR_ARG(name));
	err_add_field(c->arena, &named, name, "%.*s", STR_ARG(named->message));
	named->detail = e->detail;
	return f->taken ? err_word(named, f->taken) : named;
}

static void
set_int(const struct res_def *def, const struct res_field *f, void *record, int64_t v)
{
	if (!f)
		return;
	((struct res_row *)record)->null &= ~res_bit(def, f);
	*(int64_t *)res_member(f, record) = v; /* instants are one int64_t as well */
}

static bool
is_empty(const struct res_def *def, const struct res_field *f, const void *record)
{
	const void *at = res_member_of(f, record);
	return !res_has_value(def, f, record) ||
	       (f->kind == RES_TEXT ? ((const struct str *)at)->n == 0 : *(const int64_t *)at == 0);
}

/* Who may see only what is theirs owns what they make, whatever the body says. */
static void
owner_stamp(const struct res_ctx *c, const struct res_def *def, const struct res_field *f, void *record)
{
	bool own_only = def->scope == SCOPE_OWNER && c->actor->kind != ACTOR_SYSTEM &&
			!actor_may(c->actor, def->scope_all);
	if (!own_only && !is_empty(def, f, record))
		return;
	struct res_row *row = record;
	row->null &= ~res_bit(def, f);
	if (f->kind == RES_TEXT)
		*(struct str *)res_member(f, record) = c->actor->employee_id;
	else
		*(int64_t *)res_member(f, record) = c->actor->person_id;
	if (is_empty(def, f, record) && (f->flags & RF_NULL))
		row->null |= res_bit(def, f);
}

static void
stamp_new(const struct res_ctx *c, const struct res_def *def, const struct res_shape *shape, void *record)
{
	set_int(def, shape->version, record, 1);
	set_int(def, shape->created_at, record, c->now.us);
	set_int(def, shape->updated_at, record, c->now.us);
	if (shape->owner)
		owner_stamp(c, def, shape->owner, record);
}

/* Whether the server makes this record's text id. A second key beside the primary one may stay without value. */
static bool
wants_text_id(const struct res_def *def, const struct res_shape *shape, const void *record)
{
	const struct res_field *key = shape->key;
	if (key->kind != RES_TEXT || !def->id_prefix || !is_empty(def, key, record))
		return false;
	return key == shape->id || res_has_value(def, key, record);
}

static struct err *
text_id_set(
	struct res_ctx *c, const struct res_def *def, const struct res_field *key, int attempt, void *record)
{
	((struct res_row *)record)->null &= ~res_bit(def, key);
	return res_text_id_next(c, def, attempt, res_member(key, record));
}

static struct err *
ids_set(struct res_ctx *c, const struct res_def *def, const struct res_shape *shape, bool text_id,
	void *record)
{
	if (shape->id->kind != RES_TEXT) {
		int64_t id;
		TRY(db_next_id(c->tx, def->table, &id));
		set_int(def, shape->id, record, id);
	}
	return text_id ? text_id_set(c, def, shape->key, 1, record) : NULL;
}

/* Columns of the table that the record does not hold are given by name here. */
static void
insert_columns(struct res_sql *s, const struct res_def *def, const struct res_shape *shape)
{
	res_sql_add(s, "INSERT INTO ");
	res_sql_add(s, def->table);
	res_sql_add(s, " (company_id");
	for (size_t i = 0; i < def->field_count; i++) {
		res_sql_add(s, ", ");
		res_sql_add(s, def->fields[i].column);
	}
	res_sql_add(s, shape->version ? "" : ", version");
	res_sql_add(s, shape->created_at ? "" : ", created_at");
	res_sql_add(s, shape->updated_at ? "" : ", updated_at");
	res_sql_add(s, def->scope == SCOPE_OWNER && !shape->owner ? ", owner_id" : "");
}

static void
insert_value(struct res_sql *s, struct db_param p)
{
	res_sql_add(s, s->count ? ", " : "");
	res_sql_param(s, p);
}

void
res_sql_insert(struct res_sql *s, const struct res_ctx *c, const struct res_def *def,
	const struct res_shape *shape, const void *record)
{
	insert_columns(s, def, shape);
	res_sql_add(s, ") VALUES (");
	insert_value(s, P_INT(c->actor->company_id));
	for (size_t i = 0; i < def->field_count; i++)
		insert_value(s, res_param(c, def, &def->fields[i], record));
	if (!shape->version)
		insert_value(s, P_INT(1));
	if (!shape->created_at)
		insert_value(s, P_INSTANT(c->now));
	if (!shape->updated_at)
		insert_value(s, P_INSTANT(c->now));
	if (def->scope == SCOPE_OWNER && !shape->owner)
		insert_value(s, c->actor->person_id ? P_INT(c->actor->person_id) : P_NULL);
	res_sql_add(s, ")");
}

static struct err *
insert_row(struct res_ctx *c, const struct res_def *def, const struct res_shape *shape, const void *record,
	bool text_id, bool *stored)
{
	struct res_sql s;
	int64_t affected = 0;
	res_sql_init(&s, c->arena);
	res_sql_insert(&s, c, def, shape, record);
	if (text_id) {
		res_sql_add(&s, " ON CONFLICT (company_id, ");
		res_sql_add(&s, shape->key->column);
		res_sql_add(&s, ") DO NOTHING");
	}
	TRY(taken(c, def, res_sql_exec(&s, c->tx, &affected)));
	*stored = affected == 1;
	return NULL;
}

static struct err *
insert(struct res_ctx *c, const struct res_def *def, const struct res_shape *shape, void *record,
	bool text_id)
{
	bool stored = false;
	TRY(insert_row(c, def, shape, record, text_id, &stored));
	for (int attempt = 2; !stored && attempt <= TEXT_ID_TRIES; attempt++) {
		TRY(text_id_set(c, def, shape->key, attempt, record));
		TRY(insert_row(c, def, shape, record, text_id, &stored));
	}
	return stored ? NULL : err_new(c->arena, ERR_CONFLICT, "No free id was found.");
}

struct err *
res_create(struct res_ctx *c, const struct res_def *def, void *record)
{
	TRY(res_permit(c, def, RES_CREATE));
	struct res_shape shape = res_plan(c, def, NULL)->shape;
	bool text_id = wants_text_id(def, &shape, record);
	stamp_new(c, def, &shape, record);
	TRY(ids_set(c, def, &shape, text_id, record));
	if (def->hooks.before_write)
		TRY(def->hooks.before_write(c, NULL, record));
	TRY(insert(c, def, &shape, record, text_id));
	if (shape.searched)
		TRY(res_search_store(c, def, NULL, record));
	TRY(change_add(c, def, "created", NULL, record));
	return def->hooks.after_write ? def->hooks.after_write(c, NULL, record) : NULL;
}

static bool
is_kept(const struct res_shape *shape, const struct res_field *f)
{
	return f == shape->id || f == shape->version || f == shape->created_at || f == shape->updated_at;
}

bool
res_sql_update(struct res_sql *s, const struct res_ctx *c, const struct res_def *def,
	const struct res_shape *shape, const struct res_change *change)
{
	bool differs = false;
	res_sql_add(s, "UPDATE ");
	res_sql_add(s, def->table);
	res_sql_add(s, " SET ");
	for (size_t i = 0; i < def->field_count; i++) {
		const struct res_field *f = &def->fields[i];
		if (is_kept(shape, f) || (change->old && res_value_same(def, f, change->old, change->record)))
			continue;
		res_sql_add(s, f->column);
		res_sql_add(s, " = ");
		res_sql_param(s, res_param(c, def, f, change->record));
		res_sql_add(s, ", ");
		differs = true;
	}
	return differs;
}

void
res_sql_row(struct res_sql *s, const struct res_ctx *c, const struct res_def *def,
	const struct res_shape *shape, const void *record)
{
	res_sql_add(s, "version = version + 1, updated_at = ");
	res_sql_param(s, P_INSTANT(c->now));
	res_sql_add(s, " WHERE company_id = ");
	res_sql_param(s, P_INT(c->actor->company_id));
	res_sql_add(s, " AND id = ");
	res_sql_param(s, res_param(c, def, shape->id, record));
	if (def->soft_delete)
		res_sql_add(s, " AND deleted_at IS NULL");
}

static struct err *
row_changed(struct res_ctx *c)
{
	return err_new(c->arena, ERR_PRECONDITION_FAILED, "The object has changed since it was read.");
}

static struct err *
update_row(struct res_ctx *c, const struct res_def *def, const struct res_shape *shape,
	const struct res_change *change, bool *differs)
{
	struct res_sql s;
	int64_t affected = 0;
	res_sql_init(&s, c->arena);
	*differs = res_sql_update(&s, c, def, shape, change);
	if (!*differs)
		return NULL;
	res_sql_row(&s, c, def, shape, change->old);
	if (shape->version) {
		res_sql_add(&s, " AND version = ");
		res_sql_param(&s, res_param(c, def, shape->version, change->old));
	}
	TRY(taken(c, def, res_sql_exec(&s, c->tx, &affected)));
	return affected == 1 ? NULL : row_changed(c);
}

struct err *
res_update(struct res_ctx *c, const struct res_def *def, const void *old, void *record)
{
	TRY(res_permit(c, def, RES_UPDATE));
	struct res_shape shape = res_plan(c, def, NULL)->shape;
	bool differs = false;
	if (def->hooks.before_write)
		TRY(def->hooks.before_write(c, old, record));
	TRY(update_row(c, def, &shape, &(struct res_change){ old, record }, &differs));
	if (!differs)
		return NULL;
	if (shape.version)
		set_int(def, shape.version, record, *(const int64_t *)res_member_of(shape.version, old) + 1);
	set_int(def, shape.updated_at, record, c->now.us);
	if (shape.searched)
		TRY(res_search_store(c, def, old, record));
	TRY(change_add(c, def, "updated", old, record));
	return def->hooks.after_write ? def->hooks.after_write(c, old, record) : NULL;
}

static struct err *
referred_to(struct err *e)
{
	if (str_eq(err_code_word(e), STR("REFERENCE_VIOLATION")))
		e->message = STR("It can't be deleted, because other objects refer to it.");
	return e;
}

static struct err *
delete_row(struct res_ctx *c, const struct res_def *def, const struct res_shape *shape, const void *record)
{
	struct res_sql s;
	int64_t affected = 0;
	res_sql_init(&s, c->arena);
	if (def->soft_delete) {
		res_sql_add(&s, "UPDATE ");
		res_sql_add(&s, def->table);
		res_sql_add(&s, " SET deleted_at = ");
		res_sql_param(&s, P_INSTANT(c->now));
		res_sql_add(&s, ", ");
		res_sql_row(&s, c, def, shape, record);
	} else {
		res_sql_add(&s, "DELETE FROM ");
		res_sql_add(&s, def->table);
		res_sql_add(&s, " WHERE company_id = ");
		res_sql_param(&s, P_INT(c->actor->company_id));
		res_sql_add(&s, " AND id = ");
		res_sql_param(&s, res_param(c, def, shape->id, record));
	}
	struct err *e = res_sql_exec(&s, c->tx, &affected);
	if (e)
		return referred_to(e);
	return affected == 1 ? NULL : res_not_found(c, def);
}

struct err *
res_delete(struct res_ctx *c, const struct res_def *def, struct str id)
{
	struct res_shape shape = res_plan(c, def, NULL)->shape;
	void *record = arena_alloc(c->arena, def->record_size);
	TRY(res_read_for(c, def, RES_DELETE, id, record));
	if (def->hooks.before_delete)
		TRY(def->hooks.before_delete(c, record));
	TRY(delete_row(c, def, &shape, record));
	if (shape.searched)
		TRY(res_search_forget(c, def, record));
	TRY(change_add(c, def, "deleted", record, NULL));
	return def->hooks.after_write ? def->hooks.after_write(c, record, NULL) : NULL;
}
