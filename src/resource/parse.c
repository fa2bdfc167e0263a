/*
 * A body into a record. The view's dotted names make a small tree of members; the body is walked once along it, so the cost is linear in
 * the body and in the view. All faults are collected in the view's order: what is wrong in one field never hides what is wrong in another.
 */
#include "resource/engine.h"

#define REQUIRED    "This field is required."
#define NOT_NULL    "This field may not be null."
#define MEMBERS_MAX 250 /* fields and objects of one view */
#define BUCKETS	    256

enum given { ABSENT, GIVEN, NULLED, UNUSABLE };

/* A name at one level: a field, or an object that holds further ones. */
struct member {
	struct str name, path;
	struct res_slot slot; /* field NULL: an object, or a computed field */
	const json_val *v;
	enum given state;
	bool object, nullable, told; /* told: its absence is reported already */
	uint8_t parent, next;	     /* next in its bucket; 0 ends */
};

struct parse {
	struct res_ctx *c;
	const struct res_def *def;
	enum res_mode mode;
	bool strict;
	void *record;
	struct err *faults;
	size_t fault_count;
	uint64_t seen; /* table fields with a value in the body, under whatever name */
	uint64_t faulty;
	size_t count;
	struct member *members; /* [0] is the body itself; an object stands before what it holds */
	uint8_t buckets[BUCKETS];
};

static void
fault(struct parse *p, struct str path, const char *message)
{
	if (p->fault_count++ < LIMIT_FIELD_ERRORS)
		err_add_field(p->c->arena, &p->faults, path, "%s", message);
}

static uint8_t *
bucket_of(struct parse *p, size_t parent, struct str name)
{
	size_t h = parent * 31 + name.n;
	if (name.n)
		h += (unsigned char)name.p[0] * 7u + (unsigned char)name.p[name.n - 1] * 13u +
		     (unsigned char)name.p[name.n / 2] * 3u;
	return &p->buckets[h % BUCKETS];
}

static struct member *
member_find(struct parse *p, size_t parent, struct str name)
{
	for (size_t i = *bucket_of(p, parent, name); i; i = p->members[i].next)
		if (p->members[i].parent == parent && str_eq(p->members[i].name, name))
			return &p->members[i];
	return NULL;
}

static struct member *
member_add(struct parse *p, size_t parent, struct str name, struct str path)
{
	check(p->count < MEMBERS_MAX);
	uint8_t *bucket = bucket_of(p, parent, name);
	struct member *m = &p->members[p->count];
	*m = (struct member){
		.name = name, .path = path, .parent = (uint8_t)parent, .next = *bucket, .nullable = true
	};
	*bucket = (uint8_t)p->count++;
	return m;
}

static bool
is_read(const struct parse *p, const struct res_slot *slot)
{
	return slot->field && !(slot->flags & RV_READ_ONLY) &&
	       (p->mode == RES_MODE_CREATE || !(slot->field->flags & RF_CREATE_ONLY));
}

/* The member of a slot, below objects made as its dots want them. */
static void
slot_add(struct parse *p, const struct res_slot *slot)
{
	size_t parent = 0, from = 0, dot;
	bool nullable = !is_read(p, slot) || (slot->field->flags & RF_NULL);
	while ((dot = str_index(slot->name, '.', from)) < slot->name.n) {
		struct str name = str_sub(slot->name, from, dot - from);
		struct member *o = member_find(p, parent, name);
		if (!o)
			o = member_add(p, parent, name, str_sub(slot->name, 0, dot));
		o->object = true;
		o->nullable &= nullable;
		parent = (size_t)(o - p->members);
		from = dot + 1;
	}
	member_add(p, parent, str_sub(slot->name, from, slot->name.n), slot->name)->slot = *slot;
}

static void
members_make(struct parse *p, const struct res_view *view)
{
	size_t dots = 0;
	struct res_walk w = res_walk(p->def, view);
	struct res_slot slot;
	size_t slots = 0;
	while (res_walk_next(&w, &slot)) {
		slots++;
		for (size_t i = 0; i < slot.name.n; i++)
			dots += slot.name.p[i] == '.';
	}
	p->members = arena_alloc_array(p->c->arena, 1 + slots + dots, sizeof *p->members);
	p->count = 1;
	w = res_walk(p->def, view);
	while (res_walk_next(&w, &slot))
		slot_add(p, &slot);
}

/* Notes what an object of the body holds. */
static void
collect(struct parse *p, size_t parent, const json_val *object)
{
	struct json_iter it = json_iter(object);
	struct str key;
	json_val *v;
	while (json_next(&it, &key, &v)) {
		struct member *m = member_find(p, parent, key);
		if (m)
			m->v = v;
		else if (p->strict && p->fault_count < LIMIT_FIELD_ERRORS) {
			struct str above = p->members[parent].path;
			fault(p,
				arena_fmt(p->c->arena, "%.*s%s%.*s", STR_ARG(above), above.n ? "." : "",
					STR_ARG(key)),
				"Unknown field.");
		}
	}
}

static enum given
object_state(const struct member *m)
{
	if (!m->v)
		return ABSENT;
	switch (json_type_of(m->v)) {
	case JSON_OBJECT:
		return GIVEN;
	case JSON_NULL:
		return m->nullable ? NULLED : UNUSABLE;
	case JSON_BOOL:
	case JSON_NUMBER:
	case JSON_STRING:
	case JSON_ARRAY:
		break;
	}
	return UNUSABLE;
}

static void
object_open(struct parse *p, struct member *m)
{
	enum given above = p->members[m->parent].state;
	m->state = above == GIVEN ? object_state(m) : above;
	if (m->state == GIVEN)
		collect(p, (size_t)(m - p->members), m->v);
}

/* An object that is none; below it nothing is looked at. */
static void
object_take(struct parse *p, const struct member *m)
{
	if (m->state != UNUSABLE || p->members[m->parent].state != GIVEN)
		return;
	if (json_type_of(m->v) == JSON_NULL)
		fault(p, m->path, NOT_NULL);
	else
		fault(p, m->path,
			arena_fmt(p->c->arena, "Invalid data. Expected a dictionary, but got %s.",
				json_type_word(m->v))
				.p);
}

/* Walks down, and notes the state of every field and which table fields the body gives. */
static void
members_match(struct parse *p, const json_val *body)
{
	p->members[0].state = GIVEN;
	collect(p, 0, body);
	for (size_t i = 1; i < p->count; i++) {
		struct member *m = &p->members[i];
		if (m->object) {
			object_open(p, m);
			continue;
		}
		enum given above = p->members[m->parent].state;
		if (above == GIVEN)
			m->state = !m->v ? ABSENT : json_type_of(m->v) == JSON_NULL ? NULLED : GIVEN;
		else
			m->state = above;
		if (m->state != ABSENT && is_read(p, &m->slot))
			p->seen |= res_bit(p->def, m->slot.field);
	}
}

/* A required field that is missing is reported as its outermost missing object, once. */
static void
missing(struct parse *p, struct member *m)
{
	struct member *top = m;
	while (top->parent && p->members[top->parent].state == ABSENT)
		top = &p->members[top->parent];
	if (!top->told)
		fault(p, top->path, REQUIRED);
	top->told = true;
}

static bool
is_required(const struct parse *p, const struct res_slot *slot)
{
	return p->mode != RES_MODE_MERGE &&
	       ((slot->field->flags & RF_REQUIRED) || (slot->flags & RV_REQUIRED));
}

/* A made id may be given as null, which asks for one. */
static bool
is_made_id(const struct res_def *def, const struct res_field *f)
{
	return def->id_prefix && strcmp(f->name, def->id_field ? def->id_field : "id") == 0;
}

static void
null_take(struct parse *p, const struct member *m)
{
	const struct res_field *f = m->slot.field;
	struct res_row *row = p->record;
	if (f->flags & RF_NULL)
		row->null |= res_bit(p->def, f);
	else if (!is_made_id(p->def, f))
		fault(p, m->path, NOT_NULL);
}

static size_t
kind_size(enum res_kind kind)
{
	static const size_t sizes[] = { [RES_TEXT] = sizeof(struct str),
		[RES_INT] = sizeof(int64_t),
		[RES_BOOL] = sizeof(bool),
		[RES_DECIMAL] = sizeof(struct decimal),
		[RES_MONEY] = sizeof(struct money),
		[RES_DATE] = sizeof(struct date),
		[RES_INSTANT] = sizeof(struct instant),
		[RES_ENUM] = sizeof(int),
		[RES_REF] = sizeof(int64_t),
		[RES_JSON] = sizeof(struct str) };
	return sizes[kind];
}

/* A reference that stays what it was is not looked up: its object may have been deleted since. */
static struct err *
ref_check(struct parse *p, const struct member *m, const void *before, bool had)
{
	const struct res_field *f = m->slot.field;
	const void *at = res_member(f, p->record);
	bool same = f->kind == RES_TEXT ? str_eq(*(const struct str *)at, *(const struct str *)before)
					: *(const int64_t *)at == *(const int64_t *)before;
	if (had && same && p->mode != RES_MODE_CREATE)
		return NULL;
	bool found = false;
	TRY(res_ref_exists(p->c, f, at, &found));
	if (!found) {
		struct str id = f->kind == RES_TEXT
					? *(const struct str *)at
					: arena_fmt(p->c->arena, "%lld", (long long)*(const int64_t *)at);
		fault(p, m->path,
			arena_fmt(p->c->arena, "Invalid pk \"%.*s\" - object does not exist.", STR_ARG(id))
				.p);
	}
	return NULL;
}

static struct err *
value_take(struct parse *p, const struct member *m)
{
	const struct res_field *f = m->slot.field;
	struct res_row *row = p->record;
	void *at = res_member(f, p->record);
	bool had = res_has_value(p->def, f, p->record);
	union {
		struct str text;
		int64_t number;
		unsigned char bytes[sizeof(struct str)];
	} before;
	_Static_assert(sizeof before >= sizeof(struct decimal), "every kind fits");
	memcpy(before.bytes, at, kind_size(f->kind));
	const char *message = res_value_parse(p->c, f, m->v, at);
	if (!message) {
		row->null &= ~res_bit(p->def, f);
		if (f->ref)
			TRY(ref_check(p, m, before.bytes, had));
		if (f->verify)
			message = f->verify(p->record);
	}
	if (message)
		fault(p, m->path, message);
	return NULL;
}

static struct err *
state_take(struct parse *p, struct member *m)
{
	switch (m->state) {
	case ABSENT:
		if (is_required(p, &m->slot) && !(p->seen & res_bit(p->def, m->slot.field)))
			missing(p, m);
		return NULL;
	case NULLED:
		null_take(p, m);
		return NULL;
	case GIVEN:
		return value_take(p, m);
	case UNUSABLE:
		return NULL;
	}
	return NULL;
}

static struct err *
field_take(struct parse *p, struct member *m)
{
	size_t before = p->fault_count;
	if (!is_read(p, &m->slot))
		return NULL;
	TRY(state_take(p, m));
	if (p->fault_count > before || m->state == UNUSABLE)
		p->faulty |= res_bit(p->def, m->slot.field);
	return NULL;
}

static bool
is_told(const struct err *faults, struct str field)
{
	for (const struct err_field *f = faults->fields; f; f = f->next)
		if (str_eq(f->field, field))
			return true;
	return false;
}

/* The faults of the rules across fields, behind those of the fields; a field that has its fault already is not told another. */
static struct err *
rules_check(struct parse *p)
{
	struct err *more = NULL;
	if (!p->faults || !p->def->hooks.rules)
		return NULL;
	((struct res_row *)p->record)->null |= p->faulty;
	TRY(p->def->hooks.rules(p->c, p->record, &more));
	for (const struct err_field *f = more ? more->fields : NULL; f; f = f->next)
		if (!is_told(p->faults, f->field))
			fault(p, f->field, arena_cstr(p->c->arena, f->message));
	return NULL;
}

struct err *
res_parse(struct res_ctx *c, const struct res_def *def, const struct res_view *view, const json_val *body,
	enum res_mode mode, bool strict, void *record)
{
	struct parse p = { .c = c, .def = def, .mode = mode, .strict = strict, .record = record };
	if (!body || json_type_of(body) != JSON_OBJECT)
		return err_field(c->arena, "non_field_errors",
			"Invalid data. Expected a dictionary, but got %s.",
			body ? json_type_word(body) : "NoneType");
	if (mode == RES_MODE_CREATE)
		res_defaults(c, def, record);
	members_make(&p, view);
	members_match(&p, body);
	((struct res_row *)record)->given = p.seen;
	for (size_t i = 1; i < p.count; i++)
		if (p.members[i].object)
			object_take(&p, &p.members[i]);
		else
			TRY(field_take(&p, &p.members[i]));
	TRY(rules_check(&p));
	return p.faults;
}
