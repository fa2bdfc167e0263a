/*
 * A view as JSON Schema. The walk is the one of reader and writer, so what is described is what is validated and shown; limits that only
 * concern input stay out of the schema of answers, whose values may be older than a limit.
 */
#include "resource/describe.h"
#include "base/limits.h"
#include "resource/engine.h"

#define SLOTS_MAX 250 /* as the reader takes */

struct schema {
	struct json_out *o;
	const struct res_view *view;
	enum res_schema_mode mode;
	size_t count;
	struct res_slot slots[SLOTS_MAX];
};

static bool
is_input(const struct schema *s)
{
	return s->mode != RES_SCHEMA_READ;
}

static bool
is_described(const struct schema *s, const struct res_slot *slot)
{
	if (!is_input(s))
		return !(slot->flags & RV_WRITE_ONLY);
	if (slot->flags & RV_READ_ONLY)
		return false;
	return s->mode == RES_SCHEMA_CREATE || !(slot->field->flags & RF_CREATE_ONLY);
}

static bool
is_required(const struct schema *s, const struct res_slot *slot)
{
	switch (s->mode) {
	case RES_SCHEMA_READ:
		return !(slot->flags & RV_OMIT_NULL);
	case RES_SCHEMA_CREATE:
	case RES_SCHEMA_REPLACE:
		return (slot->field->flags & RF_REQUIRED) || (slot->flags & RV_REQUIRED);
	case RES_SCHEMA_MERGE:
		return false;
	}
	return false;
}

static void
put_word(struct json_out *o, const char *word)
{
	json_put_str(o, str_from_cstr(word));
}

static void
pair_word(struct json_out *o, struct str key, const char *word)
{
	json_key(o, key);
	put_word(o, word);
}

/* "type": one word, or a list with null. also may be NULL. */
static void
type_write(struct json_out *o, const char *word, const char *also, bool nullable)
{
	json_key(o, STR("type"));
	if (!also && !nullable) {
		put_word(o, word);
		return;
	}
	json_begin_array(o);
	put_word(o, word);
	if (also)
		put_word(o, also);
	if (nullable)
		put_word(o, "null");
	json_end_array(o);
}

static void
text_write(struct json_out *o, const struct res_field *f, bool input, bool nullable)
{
	type_write(o, "string", NULL, nullable);
	if (!input)
		return;
	if (f->ref || strcmp(f->column, "id") == 0) {
		json_pair_str(o, "pattern", STR("^[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,63}$"));
		return;
	}
	if (!(f->flags & RF_BLANK)) {
		json_pair_int(o, "minLength", f->min > 1 ? f->min : 1);
		json_pair_str(o, "pattern", STR("\\S"));
	} else if (f->min > 0) {
		json_pair_int(o, "minLength", f->min);
	}
	json_pair_int(o, "maxLength", f->max ? f->max : LIMIT_NAME_CHARS);
}

static void
enum_write(struct json_out *o, const struct res_field *f, bool nullable)
{
	type_write(o, "string", NULL, nullable);
	json_key(o, STR("enum"));
	json_begin_array(o);
	for (size_t i = 0; f->names[i]; i++)
		put_word(o, f->names[i]);
	if (nullable)
		json_put_null(o);
	json_end_array(o);
}

static void
int_write(struct json_out *o, const struct res_field *f, bool input, bool nullable)
{
	type_write(o, "integer", NULL, nullable);
	json_pair_str(o, "format", STR("int64"));
	if (input && (f->min || f->max)) {
		json_pair_int(o, "minimum", f->min);
		json_pair_int(o, "maximum", f->max);
	}
}

static void
money_write(struct json_out *o, const struct res_view *view, bool input, bool nullable)
{
	bool text = view && view->money_as_text;
	if (!text) {
		type_write(o, "number", NULL, nullable);
		return;
	}
	type_write(o, "string", input ? "number" : NULL, nullable);
	json_pair_str(o, "pattern", STR("^-?[0-9]+(\\.[0-9]+)?$"));
}

static void
instant_write_schema(struct json_out *o, const struct res_view *view, bool nullable)
{
	type_write(o, "string", NULL, nullable);
	enum instant_format format = view ? view->instants : INSTANT_ISO_SECONDS;
	if (format != INSTANT_BLANK && format != INSTANT_HTTP)
		json_pair_str(o, "format", STR("date-time"));
}

static void
kind_write(struct json_out *o, const struct res_field *f, const struct res_view *view, bool input)
{
	bool nullable = (f->flags & RF_NULL) != 0;
	switch (f->kind) {
	case RES_TEXT:
		text_write(o, f, input, nullable);
		return;
	case RES_INT:
		int_write(o, f, input, nullable);
		return;
	case RES_REF:
		type_write(o, "integer", NULL, nullable);
		json_pair_str(o, "format", STR("int64"));
		return;
	case RES_BOOL:
		type_write(o, "boolean", NULL, nullable);
		return;
	case RES_DECIMAL:
		type_write(o, "number", NULL, nullable);
		return;
	case RES_MONEY:
		money_write(o, view, input, nullable);
		return;
	case RES_DATE:
		type_write(o, "string", NULL, nullable);
		json_pair_str(o, "format", STR("date"));
		return;
	case RES_INSTANT:
		instant_write_schema(o, view, nullable);
		return;
	case RES_ENUM:
		enum_write(o, f, nullable);
		return;
	case RES_JSON: /* any value */
		return;
	}
}

static bool
is_quoted(enum res_kind kind)
{
	return kind == RES_TEXT || kind == RES_ENUM || kind == RES_DATE || kind == RES_INSTANT;
}

static void
field_write(const struct schema *s, const struct res_slot *slot)
{
	struct json_out *o = s->o;
	const struct res_field *f = slot->field;
	if (!f) {
		json_put_raw(o, str_from_cstr(slot->view->schema ? slot->view->schema : "{}"));
		return;
	}
	json_begin_object(o);
	kind_write(o, f, s->view, is_input(s));
	if (f->doc)
		pair_word(o, STR("description"), f->doc);
	if (f->preset && s->mode == RES_SCHEMA_CREATE) {
		json_key(o, STR("default"));
		if (is_quoted(f->kind))
			put_word(o, f->preset);
		else
			json_put_raw(o, str_from_cstr(f->preset));
	}
	if (f->example) {
		json_key(o, STR("examples"));
		json_begin_array(o);
		json_put_raw(o, str_from_cstr(f->example));
		json_end_array(o);
	}
	if (!is_input(s) && (slot->flags & RV_READ_ONLY))
		json_pair_bool(o, "readOnly", true);
	if (is_input(s) && (slot->flags & RV_WRITE_ONLY))
		json_pair_bool(o, "writeOnly", true);
	json_end_object(o);
}

/* Part of slots from..to below one object: their names share the first `prefix` bytes. */
struct span {
	size_t from, to, prefix;
};

/* The first member of a span: its name, and the part of the span it takes (several slots when it is an object). */
static struct str
span_first(const struct schema *s, const struct span *span, struct span *member)
{
	struct str path = s->slots[span->from].name;
	size_t end = str_index(path, '.', span->prefix);
	*member = (struct span){ span->from, span->from + 1, 0 };
	if (end < path.n) {
		struct str group = str_sub(path, 0, end + 1);
		while (member->to < span->to && str_starts_with(s->slots[member->to].name, group))
			member->to++;
		member->prefix = group.n;
	}
	return str_sub(path, span->prefix, end - span->prefix);
}

static bool
span_required(const struct schema *s, const struct span *span)
{
	for (size_t i = span->from; i < span->to; i++)
		if (is_required(s, &s->slots[i]))
			return true;
	return false;
}

static void
required_write(const struct schema *s, struct span span)
{
	struct span member;
	if (!span_required(s, &span))
		return;
	json_key(s->o, STR("required"));
	json_begin_array(s->o);
	for (; span.from < span.to; span.from = member.to) {
		struct str name = span_first(s, &span, &member);
		if (span_required(s, &member))
			json_put_str(s->o, name);
	}
	json_end_array(s->o);
}

/* The members of an object schema; nested objects are at most as deep as names have dots. */
static void
object_members_write(const struct schema *s, struct span all)
{
	struct span span = all, member;
	json_pair_str(s->o, "type", STR("object"));
	json_key(s->o, STR("properties"));
	json_begin_object(s->o);
	for (; span.from < span.to; span.from = member.to) {
		json_key(s->o, span_first(s, &span, &member));
		if (member.prefix) {
			json_begin_object(s->o);
			object_members_write(s, member);
			json_end_object(s->o);
		} else {
			field_write(s, &s->slots[member.from]);
		}
	}
	json_end_object(s->o);
	required_write(s, all);
}

void
res_schema_write(
	struct json_out *o, const struct res_def *def, const struct res_view *view, enum res_schema_mode mode)
{
	struct schema s = { .o = o, .view = view, .mode = mode };
	struct res_walk w = res_walk(def, view);
	struct res_slot slot;
	while (res_walk_next(&w, &slot))
		if (is_described(&s, &slot)) {
			check(s.count < SLOTS_MAX);
			s.slots[s.count++] = slot;
		}
	json_begin_object(o);
	if (def->doc)
		pair_word(o, STR("description"), def->doc);
	object_members_write(&s, (struct span){ 0, s.count, 0 });
	json_end_object(o);
}

void
res_schema_field_write(struct json_out *o, const struct res_field *f)
{
	json_begin_object(o);
	kind_write(o, f, NULL, false);
	json_end_object(o);
}
