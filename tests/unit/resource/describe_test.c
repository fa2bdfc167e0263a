/* The description: it is JSON, says what validation does, and holds no secret and nothing hidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resource/describe.h"
#include "world.h"

static int
setup(void **state)
{
	*state = arena_new(1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static json_val *
schema(struct arena *a, const struct res_view *view, enum res_schema_mode mode)
{
	struct buf b;
	struct json_out o;
	json_val *v;
	buf_init_arena(&b, a, 1 << 20);
	json_out_init(&o, &b);
	res_schema_write(&o, &thing_res, view, mode);
	assert_null(json_parse(a, buf_str(&b), &v));
	return v;
}

static bool
lists(const json_val *array, const char *word)
{
	struct json_iter it = json_iter(array);
	json_val *v;
	while (array && json_next(&it, NULL, &v))
		if (json_type_of(v) == JSON_STRING && str_eq(json_string(v), str_from_cstr(word)))
			return true;
	return false;
}

static json_val *
at(const json_val *v, const char *path)
{
	return json_get_path(v, str_from_cstr(path));
}

static void
a_create_is_described(void **state)
{
	json_val *v = schema(*state, NULL, RES_SCHEMA_CREATE);
	assert_true(str_eq(json_string(at(v, "type")), STR("object")));
	assert_true(lists(at(v, "required"), "name"));
	assert_true(lists(at(v, "required"), "limits"));
	assert_int_equal(json_count(at(v, "required")), 2);
	assert_true(lists(at(v, "properties.limits.required"), "target"));
	assert_true(str_eq(json_number(at(v, "properties.name.maxLength")), STR("40")));
	assert_true(str_eq(json_number(at(v, "properties.name.minLength")), STR("2")));
	assert_true(str_eq(json_string(at(v, "properties.name.description")), STR("What people call it.")));
	assert_true(lists(at(v, "properties.name.examples"), "Revenue"));
	assert_true(str_eq(json_number(at(v, "properties.count.maximum")), STR("1000")));
	assert_true(str_eq(json_string(at(v, "properties.status.default")), STR("open")));
	assert_int_equal(json_type_of(at(v, "properties.active.default")), JSON_BOOL);
	assert_true(lists(at(v, "properties.status.enum"), "On Hold"));
	assert_true(lists(at(v, "properties.limits.properties.deep.properties.low.type"), "null"));
	assert_true(str_eq(json_string(at(v, "properties.due.format")), STR("date")));
	assert_true(json_bool(at(v, "properties.secret.writeOnly")));
	assert_null(at(v, "properties.version"));
	assert_null(at(v, "properties.hidden_text"));
	assert_non_null(at(v, "properties.code"));
}

static void
an_update_is_described(void **state)
{
	json_val *v = schema(*state, NULL, RES_SCHEMA_MERGE);
	assert_null(at(v, "required"));
	assert_null(at(v, "properties.limits.required"));
	assert_null(at(v, "properties.code"));
	assert_null(at(v, "properties.id"));
	v = schema(*state, NULL, RES_SCHEMA_REPLACE);
	assert_true(lists(at(v, "required"), "name"));
	assert_null(at(v, "properties.code"));
}

static void
an_answer_is_described(void **state)
{
	json_val *v = schema(*state, NULL, RES_SCHEMA_READ);
	assert_true(lists(at(v, "required"), "weight"));
	assert_true(json_bool(at(v, "properties.version.readOnly")));
	assert_null(at(v, "properties.secret"));
	assert_null(at(v, "properties.hidden_text"));
	assert_null(at(v, "properties.name.maxLength"));
}

static void
computed_write(struct json_out *o, const struct res_ctx *c, const void *record)
{
	(void)c;
	(void)record;
	json_put_int(o, 1);
}

static const struct res_view_field fields[] = {
	{ .name = "title", .field = "name", .flags = RV_OMIT_NULL },
	{ .name = "amounts.price", .field = "price" },
	{ .name = "amounts.twice", .write = computed_write, .schema = "{\"type\":\"integer\"}" },
	{ .name = "since", .field = "created_at" },
};
static const struct res_view view = { .name = "Other",
	.fields = fields,
	.field_count = COUNT(fields),
	.instants = INSTANT_BLANK,
	.money_as_text = true };

static void
a_view_is_described_in_its_names(void **state)
{
	json_val *v = schema(*state, &view, RES_SCHEMA_READ);
	assert_false(lists(at(v, "required"), "title"));
	assert_true(lists(at(v, "required"), "amounts"));
	assert_true(str_eq(json_string(at(v, "properties.amounts.properties.twice.type")), STR("integer")));
	assert_true(lists(at(v, "properties.amounts.properties.price.type"), "string"));
	assert_null(at(v, "properties.since.format"));
	v = schema(*state, &view, RES_SCHEMA_CREATE);
	assert_null(at(v, "properties.amounts.properties.twice"));
	assert_true(lists(at(v, "properties.amounts.properties.price.type"), "number"));
	assert_null(at(v, "properties.since"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_create_is_described, setup, teardown),
		cmocka_unit_test_setup_teardown(an_update_is_described, setup, teardown),
		cmocka_unit_test_setup_teardown(an_answer_is_described, setup, teardown),
		cmocka_unit_test_setup_teardown(a_view_is_described_in_its_names, setup, teardown),
	};
	return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
