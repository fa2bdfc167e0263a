/*
 * Who may hear of what: whoever may read it. An object's type names a resource of the engine, whose permission and scope decide; other
 * types that events tell of (sessions) are for administrators of the company, who may read its audit trail. Whether a resource's scope
 * leaves anything out for an actor is seen from the predicate that it adds to a statement: none means that no object has to be looked at
 * by itself.
 */
#include "live/live_parts.h"
#include "resource/res_sql.h"

#define RECORD_BYTES_MAX 4096 /* of any resource's struct */

bool
live_topic_parse(struct str text, struct live_topic *out)
{
	const size_t colon = str_index(text, ':', 0);
	struct live_topic t = { .object_type = str_sub(text, 0, colon), .object_id = { "", 0 } };
	if (str_eq(text, STR("*"))) {
		*out = (struct live_topic){ { "", 0 }, { "", 0 } };
		return true;
	}
	if (colon == 0 || text.n > LIMIT_NAME_CHARS)
		return false;
	for (size_t i = 0; i < t.object_type.n; i++) {
		const char c = t.object_type.p[i];
		if (!((c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9')))
			return false;
	}
	if (colon < text.n) {
		t.object_id = str_sub(text, colon + 1, text.n);
		if (t.object_id.n == 0)
			return false;
		if (str_eq(t.object_id, STR("*")))
			t.object_id = (struct str){ "", 0 };
	}
	*out = t;
	return true;
}

void
live_topic_write(struct buf *b, const struct live_topic *t)
{
	if (t->object_type.n) {
		buf_add_str(b, t->object_type);
		buf_add_byte(b, ':');
	}
	if (t->object_id.n)
		buf_add_str(b, t->object_id);
	else
		buf_add_byte(b, '*');
}

struct res_ctx
live_ctx(struct live *l, struct db_tx *tx, const struct actor *actor)
{
	return (struct res_ctx){ .arena = db_tx_arena(tx),
		.tx = tx,
		.actor = actor,
		.now = l->options.clock->now(l->options.clock),
		.request_id = { "", 0 },
		.plans = l->plans };
}

static const struct res_def *
resource_of(const struct live *l, struct str object_type)
{
	for (const struct res_def *const *def = l->options.resources; *def; def++)
		if (str_eq(str_from_cstr((*def)->name), object_type))
			return *def;
	return NULL;
}

/* Whether events tell of such objects at all. */
static bool
is_told_of(const struct live *l, struct str object_type)
{
	for (const char *const *other = l->options.others; *other; other++)
		if (str_eq(str_from_cstr(*other), object_type))
			return true;
	return resource_of(l, object_type) != NULL;
}

static bool
sees_all(struct res_ctx *c, const struct res_def *def)
{
	struct res_sql sql;
	switch (def->scope) {
	case SCOPE_COMPANY:
		return true;
	case SCOPE_OWNER:
		return actor_may(c->actor, def->scope_all);
	case SCOPE_CUSTOM:
		res_sql_init(&sql, c->arena);
		def->hooks.scope(c, &sql, RES_READ);
		return buf_str(&sql.text).n == 0;
	}
	return false;
}

enum decision
permission_type(struct live *l, struct res_ctx *c, struct str object_type)
{
	const struct res_def *def = resource_of(l, object_type);
	if (actor_may(c->actor, PERM_COMPANY_ADMIN))
		return DECISION_YES;
	if (!def || !actor_meets(c->actor, def->perm[RES_READ]))
		return DECISION_NO;
	return sees_all(c, def) ? DECISION_YES : DECISION_UNKNOWN;
}

/* What is no object or out of sight is a no; anything else is the database's failure. */
static bool
is_no(const struct err *e)
{
	return e->code == ERR_NOT_FOUND || e->code == ERR_INSUFFICIENT_PERMISSIONS ||
	       e->code == ERR_INVALID_INPUT;
}

struct err *
permission_object(struct live *l, struct res_ctx *c, const struct live_topic *object, bool *yes, bool *scoped)
{
	const enum decision type = permission_type(l, c, object->object_type);
	*scoped = type == DECISION_UNKNOWN;
	*yes = type == DECISION_YES;
	if (type != DECISION_UNKNOWN)
		return NULL;
	const struct res_def *def = resource_of(l, object->object_type);
	check(def && def->record_size <= RECORD_BYTES_MAX);
	_Alignas(max_align_t) char record[RECORD_BYTES_MAX];
	struct err *e = res_read(c, def, object->object_id, record);
	*yes = e == NULL;
	return e && !is_no(e) ? e : NULL;
}

/* ---- topics ---- */

static struct err *
no_topic(struct res_ctx *c, const struct live_topic *t)
{
	struct buf b;
	buf_init_arena(&b, c->arena, LIMIT_NAME_CHARS * 2);
	live_topic_write(&b, t);
	return err_new(c->arena, ERR_NOT_FOUND, "There is no \"%.*s\".", STR_ARG(buf_str(&b)));
}

struct err *
live_may_hear(struct live *l, struct res_ctx *c, const struct live_topic *t, bool *whole)
{
	_Alignas(max_align_t) char record[RECORD_BYTES_MAX];
	if (t->object_type.n == 0) {
		*whole = actor_may(c->actor, PERM_COMPANY_ADMIN);
		return NULL;
	}
	const struct res_def *def = resource_of(l, t->object_type);
	const enum decision type = permission_type(l, c, t->object_type);
	if (!is_told_of(l, t->object_type) || (!def && type == DECISION_NO))
		return no_topic(c, t);
	if (type == DECISION_NO)
		return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS, "");
	*whole = type == DECISION_YES;
	if (t->object_id.n == 0 || !def)
		return NULL;
	check(def->record_size <= RECORD_BYTES_MAX);
	struct err *e = res_read(c, def, t->object_id, record);
	return e && is_no(e) ? no_topic(c, t) : e;
}

struct err *
permission_campaign(struct live *l, struct res_ctx *c, struct str retrospective_id, int64_t *campaign_id)
{
	_Alignas(max_align_t) char record[RECORD_BYTES_MAX];
	const struct res_def *def = resource_of(l, STR("retrospective"));
	if (!def)
		return err_new(c->arena, ERR_NOT_FOUND, "");
	const struct res_field *f = res_field_find(def, STR("task_id"));
	check(def->record_size <= RECORD_BYTES_MAX && f);
	TRY(res_read(c, def, retrospective_id, record));
	memcpy(campaign_id, record + f->offset, sizeof(*campaign_id));
	return NULL;
}

struct err *
live_check(struct live *l, struct res_ctx *c, struct live_opening *o)
{
	TRY(outbox_past_read(c->tx, &o->past));
	o->begin = o->past.end;
	for (size_t i = 0; i < o->topic_count; i++) {
		TRY(live_may_hear(l, c, &o->topics[i], &o->whole[i]));
		if (!o->whole[i])
			o->scoped = true;
	}
	if (o->dialect == LIVE_RETROSPECTIVE)
		TRY(permission_campaign(l, c, o->topics[0].object_id, &o->campaign_id));
	return NULL;
}
