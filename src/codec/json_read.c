/*
 * Reading JSON. yyjson parses without recursion into one array of values on the arena; a single pass over that array then enforces
 * what the parser does not: the depth, and that a repeated key keeps its last value. An overridden key stays in the array but loses its
 * type, and the object's count says how many members live; every walk over members skips the dead ones.
 */
#include "base/limits.h"
#include "codec/json.h"
#include <stdlib.h>
#include <yyjson.h>

#define FEW_KEYS 16 /* up to here comparing each pair is cheaper than sorting */

static void *
tree_alloc(void *arena, size_t size)
{
	return size > LIMIT_JSON_TREE_BYTES ? NULL : arena_grow(arena, NULL, 0, size);
}

static void *
tree_realloc(void *arena, void *p, size_t old_size, size_t size)
{
	return size > LIMIT_JSON_TREE_BYTES ? NULL : arena_grow(arena, p, old_size, size);
}

static void
tree_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

static struct str
key_of(const yyjson_val *key)
{
	return (struct str){ unsafe_yyjson_get_str((void *)key), unsafe_yyjson_get_len((void *)key) };
}

static void
bury(yyjson_val *object, yyjson_val *key)
{
	unsafe_yyjson_set_type(key, YYJSON_TYPE_NONE, YYJSON_SUBTYPE_NONE);
	unsafe_yyjson_set_len(object, unsafe_yyjson_get_len(object) - 1);
}

static void
override_few(yyjson_val *object, size_t count)
{
	yyjson_val *keys[FEW_KEYS], *key = unsafe_yyjson_get_first(object);

	for (size_t i = 0; i < count; i++) {
		keys[i] = key;
		for (size_t k = 0; k < i; k++) {
			if (keys[k] && str_eq(key_of(keys[k]), key_of(key))) {
				bury(object, keys[k]);
				keys[k] = NULL;
			}
		}
		key = unsafe_yyjson_get_next(key + 1);
	}
}

static int
key_order(const void *a, const void *b)
{
	const yyjson_val *x = *(yyjson_val *const *)a, *y = *(yyjson_val *const *)b;
	int order = str_cmp(key_of(x), key_of(y));

	return order ? order : (x > y) - (x < y);
}

static void
override_many(struct arena *a, yyjson_val *object, size_t count)
{
	struct arena_mark scratch = arena_mark(a);
	yyjson_val **keys = arena_alloc_array(a, count, sizeof(*keys)),
		   *key = unsafe_yyjson_get_first(object);

	for (size_t i = 0; i < count; i++) {
		keys[i] = key;
		key = unsafe_yyjson_get_next(key + 1);
	}
	qsort(keys, count, sizeof(*keys), key_order);
	for (size_t i = 0; i + 1 < count; i++)
		if (str_eq(key_of(keys[i]), key_of(keys[i + 1])))
			bury(object, keys[i]);
	arena_release(a, scratch);
}

/* Depth and repeated keys, in one walk over all values in the order of the text. */
static struct err *
check_tree(struct arena *a, yyjson_val *root)
{
	yyjson_val *ends[LIMIT_JSON_DEPTH], *end = unsafe_yyjson_get_next(root);
	unsigned depth = 0;

	for (yyjson_val *v = root; v < end; v++) {
		while (depth && v >= ends[depth - 1])
			depth--;
		if (!unsafe_yyjson_is_ctn(v))
			continue;
		if (depth == LIMIT_JSON_DEPTH)
			return err_new(a, ERR_MALFORMED, "JSON parse error - nested deeper than %d levels.",
				LIMIT_JSON_DEPTH);
		ends[depth++] = unsafe_yyjson_get_next(v);
		size_t count = unsafe_yyjson_get_len(v);
		if (unsafe_yyjson_get_type(v) != YYJSON_TYPE_OBJ || count < 2)
			continue;
		if (count > LIMIT_JSON_MEMBERS)
			return err_new(
				a, ERR_TOO_LARGE, "An object has more than %d members.", LIMIT_JSON_MEMBERS);
		if (count <= FEW_KEYS)
			override_few(v, count);
		else
			override_many(a, v, count);
	}
	return NULL;
}

struct err *
json_parse(struct arena *a, struct str text, json_val **out)
{
	const yyjson_read_flag flags = YYJSON_READ_INSITU | YYJSON_READ_NUMBER_AS_RAW;
	yyjson_alc alc = { tree_alloc, tree_realloc, tree_free, a };
	yyjson_read_err fault = { 0 };

	/* yyjson decodes escapes in place, so it gets a copy with the zeroed padding it asks for. */
	char *copy = arena_grow(a, NULL, 0, text.n + YYJSON_PADDING_SIZE);
	if (text.n)
		memcpy(copy, text.p, text.n);
	memset(copy + text.n, 0, YYJSON_PADDING_SIZE);
	yyjson_doc *doc = text.n ? yyjson_read_opts(copy, text.n, flags, &alc, &fault) : NULL;
	if (!doc && text.n == 0)
		return err_new(a, ERR_MALFORMED, "JSON parse error - the body is empty.");
	if (!doc && fault.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
		return err_new(a, ERR_TOO_LARGE, "The JSON document has too many values.");
	if (!doc)
		return err_new(a, ERR_MALFORMED, "JSON parse error - %s at byte %zu.", fault.msg, fault.pos);
	TRY(check_tree(a, yyjson_doc_get_root(doc)));
	*out = yyjson_doc_get_root(doc);
	return NULL;
}

enum json_type
json_type_of(const json_val *v)
{
	switch (unsafe_yyjson_get_type((void *)v)) {
	case YYJSON_TYPE_BOOL:
		return JSON_BOOL;
	case YYJSON_TYPE_RAW:
		return JSON_NUMBER;
	case YYJSON_TYPE_STR:
		return JSON_STRING;
	case YYJSON_TYPE_ARR:
		return JSON_ARRAY;
	case YYJSON_TYPE_OBJ:
		return JSON_OBJECT;
	}
	return JSON_NULL;
}

const char *
json_type_word(const json_val *v)
{
	switch (json_type_of(v)) {
	case JSON_NULL:
		break;
	case JSON_BOOL:
		return "bool";
	case JSON_NUMBER: {
		struct str text = json_number(v);

		for (size_t i = 0; i < text.n; i++)
			if (text.p[i] == '.' || text.p[i] == 'e' || text.p[i] == 'E')
				return "float";
		return "int";
	}
	case JSON_STRING:
		return "str";
	case JSON_ARRAY:
		return "list";
	case JSON_OBJECT:
		return "dict";
	}
	return "NoneType";
}

bool
json_bool(const json_val *v)
{
	check(json_type_of(v) == JSON_BOOL);
	return unsafe_yyjson_get_bool((void *)v);
}

struct str
json_string(const json_val *v)
{
	check(json_type_of(v) == JSON_STRING);
	return key_of(v);
}

struct str
json_number(const json_val *v)
{
	check(json_type_of(v) == JSON_NUMBER);
	return (struct str){ unsafe_yyjson_get_raw((void *)v), unsafe_yyjson_get_len((void *)v) };
}

bool
json_int(const json_val *v, int64_t *out)
{
	struct decimal d;

	if (json_type_of(v) != JSON_NUMBER)
		return false;
	struct str text = json_number(v);
	if (str_to_int(text, out))
		return true;
	if (decimal_parse(text, &d) != DECIMAL_OK || decimal_rescale(d, 0, false, &d) != DECIMAL_OK)
		return false;
	*out = d.coef;
	return true;
}

/* The first living key from p on; there must be one. */
static yyjson_val *
living(yyjson_val *p)
{
	while (unsafe_yyjson_get_type(p) == YYJSON_TYPE_NONE)
		p = unsafe_yyjson_get_next(p + 1);
	return p;
}

json_val *
json_get(const json_val *object, struct str key)
{
	if (!object || json_type_of(object) != JSON_OBJECT)
		return NULL;
	yyjson_val *p = unsafe_yyjson_get_first((yyjson_val *)object);
	for (size_t n = unsafe_yyjson_get_len((void *)object); n; n--) {
		p = living(p);
		if (str_eq(key_of(p), key))
			return p + 1;
		p = unsafe_yyjson_get_next(p + 1);
	}
	return NULL;
}

json_val *
json_get_path(const json_val *object, struct str path)
{
	json_val *v = (json_val *)object;
	struct str head;

	while (v && str_split(&path, '.', &head))
		v = json_get(v, head);
	return v;
}

size_t
json_count(const json_val *v)
{
	return unsafe_yyjson_is_ctn((void *)v) ? unsafe_yyjson_get_len((void *)v) : 0;
}

struct json_iter
json_iter(const json_val *array_or_object)
{
	return (struct json_iter){
		.container = array_or_object,
		.next = unsafe_yyjson_get_first((yyjson_val *)array_or_object),
		.count = json_count(array_or_object),
	};
}

bool
json_next(struct json_iter *it, struct str *key, json_val **v)
{
	yyjson_val *p = it->next;

	if (it->index == it->count)
		return false;
	it->index++;
	if (json_type_of(it->container) == JSON_OBJECT) {
		p = living(p);
		if (key)
			*key = key_of(p);
		p++;
	}
	*v = p;
	it->next = unsafe_yyjson_get_next(p);
	return true;
}
