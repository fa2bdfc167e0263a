/* What json_parse accepts is written to a text that reads the same again, and every member is found under its key. */
#include "codec/json.h"
#include "fuzz.h"

static struct str
written(struct arena *a, const json_val *v)
{
	struct buf b;

	buf_init_arena(&b, a, 64 << 20);
	json_write_val(&b, v);
	check(!buf_is_over(&b));
	return buf_str(&b);
}

static void
look_up_members(const json_val *object)
{
	struct json_iter it = json_iter(object);
	struct str key;
	json_val *v;
	int looked_up = 0;

	while (json_next(&it, &key, &v)) {
		check(str_is_utf8(key));
		/* Looking up takes the length of the object each time. */
		if (looked_up++ < 100)
			check(json_get(object, key) == v);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *a = arena_new(256 << 20);
	json_val *v, *again;
	int64_t n;

	if (!json_parse(a, (struct str){ (const char *)bytes, size }, &v)) {
		struct str text = written(a, v);

		check(!json_parse(a, text, &again));
		check(str_eq(written(a, again), text));
		check(json_count(v) == json_count(again));
		if (json_type_of(v) == JSON_OBJECT)
			look_up_members(v);
		if (json_int(v, &n))
			check(json_type_of(v) == JSON_NUMBER);
	}
	arena_free(a);
	return 0;
}
