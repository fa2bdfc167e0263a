/*
 * Fields by name and the two bits a record keeps for each: whether the body gave it and whether it has a value. Lookups are linear: a
 * table has at most 64 fields and a name differs in its first bytes.
 */
#include "resource/engine.h"

const struct res_field *
res_field_find(const struct res_def *def, struct str name)
{
	for (size_t i = 0; i < def->field_count; i++) {
		const char *n = def->fields[i].name;
		if (strncmp(n, name.p ? name.p : "", name.n) == 0 && n[name.n] == '\0')
			return &def->fields[i];
	}
	return NULL;
}

const struct res_field *
res_column_find(const struct res_def *def, struct str column)
{
	for (size_t i = 0; i < def->field_count; i++)
		if (str_eq(column, str_from_cstr(def->fields[i].column)))
			return &def->fields[i];
	return NULL;
}

size_t
res_field_index(const struct res_def *def, const char *name)
{
	/* Linkers keep one copy of equal literals, so the address mostly tells. */
	for (size_t i = 0; i < def->field_count; i++)
		if (def->fields[i].name == name)
			return i;
	const struct res_field *f = res_field_find(def, str_from_cstr(name));
	check(f);
	return (size_t)(f - def->fields);
}

bool
res_is_null(const struct res_def *def, const void *record, const char *name)
{
	return ((const struct res_row *)record)->null >> res_field_index(def, name) & 1;
}

void
res_set_null(const struct res_def *def, void *record, const char *name, bool null)
{
	struct res_row *row = record;
	uint64_t bit = (uint64_t)1 << res_field_index(def, name);
	row->null = null ? row->null | bit : row->null & ~bit;
}

bool
res_is_given(const struct res_def *def, const void *record, const char *name)
{
	return ((const struct res_row *)record)->given >> res_field_index(def, name) & 1;
}

void
res_defaults(const struct res_ctx *c, const struct res_def *def, void *record)
{
	struct res_row *row = record;
	check(def->field_count <= 64);
	for (size_t i = 0; i < def->field_count; i++) {
		const struct res_field *f = &def->fields[i];
		if (f->preset)
			check(!res_value_parse_text(c, f, str_from_cstr(f->preset), res_member(f, record)));
		else if (f->flags & RF_NULL)
			row->null |= (uint64_t)1 << i;
	}
}

struct res_shape
res_shape(const struct res_def *def)
{
	struct res_shape s = { 0 };
	const char *key = def->id_field ? def->id_field : "id";
	for (size_t i = 0; i < def->field_count; i++) {
		const struct res_field *f = &def->fields[i];
		s.searched |= (f->flags & RF_SEARCH) != 0;
		if (strcmp(f->name, key) == 0)
			s.key = f;
		switch (f->column[0]) {
		case 'i':
			s.id = strcmp(f->column, "id") == 0 ? f : s.id;
			break;
		case 'v':
			s.version = strcmp(f->column, "version") == 0 ? f : s.version;
			break;
		case 'c':
			s.created_at = strcmp(f->column, "created_at") == 0 ? f : s.created_at;
			break;
		case 'u':
			s.updated_at = strcmp(f->column, "updated_at") == 0 ? f : s.updated_at;
			break;
		case 'o':
			s.owner = strcmp(f->column, "owner_id") == 0 ? f : s.owner;
			break;
		}
	}
	check(s.id && s.key);
	return s;
}
