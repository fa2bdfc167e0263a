/* Validation: every message, all faults at once, nothing bent into shape. */
#include "world.h"

#define GOOD "\"name\":\"ok\",\"limits\":{\"target\":1}"

static void
expect_fault(struct world *f, const char *member, const char *field, const char *message)
{
	struct thing t;
	const char *json = arena_fmt(f->a, "{%s,%s}", GOOD, member).p;
	struct err *e = fx_parse(f, &thing_res, NULL, json, false, &t);
	const char *told = fault_of(f, e, field);
	if (!told || strcmp(told, message) != 0 || fault_count(e) != 1)
		fail_msg("%s: %s (%zu faults)", member, told ? told : "no fault", fault_count(e));
	assert_int_equal(e->code, ERR_INVALID_INPUT);
}

static void
expect_fine(struct world *f, const char *member, const char *shown)
{
	struct thing t;
	const char *json = arena_fmt(f->a, "{%s,%s}", GOOD, member).p;
	struct err *e = fx_parse(f, &thing_res, NULL, json, false, &t);
	if (e)
		fail_msg("%s: %.*s", member, STR_ARG(e->fields ? e->fields->message : e->message));
	const char *text = arena_cstr(f->a, fx_json(f, &thing_res, NULL, &t));
	if (!strstr(text, shown))
		fail_msg("%s: %s", member, text);
}

static const char *
of_length(struct world *f, const char *member, const char *character, size_t count)
{
	struct buf b;
	buf_init_arena(&b, f->a, 1 << 20);
	buf_add_fmt(&b, "\"%s\":\"", member);
	for (size_t i = 0; i < count; i++)
		buf_add_str(&b, str_from_cstr(character));
	buf_add_lit(&b, "\"");
	return arena_cstr(f->a, buf_str(&b));
}

static void
text_messages(void **state)
{
	struct world *f = *state;
	expect_fault(f, "\"name\":\"\"", "name", "This field may not be blank.");
	expect_fault(f, "\"name\":\" \\t\\n\"", "name", "This field may not be blank.");
	expect_fault(f, "\"name\":null", "name", "This field may not be null.");
	expect_fault(f, "\"name\":5", "name", "Not a valid string.");
	expect_fault(f, "\"name\":true", "name", "Not a valid string.");
	expect_fault(f, "\"name\":[\"x\"]", "name", "Not a valid string.");
	expect_fault(f, "\"name\":{\"x\":1}", "name", "Not a valid string.");
	expect_fault(f, "\"name\":\"x\"", "name", "Ensure this field has at least 2 characters.");
	expect_fault(f, "\"name\":\"a\\u0000b\"", "name", "Null characters are not allowed.");
	expect_fault(f, of_length(f, "name", "x", 41), "name",
		"Ensure this field has no more than 40 characters.");
	expect_fault(f, of_length(f, "note", "x", 256), "note",
		"Ensure this field has no more than 255 characters.");
	expect_fine(f, of_length(f, "name", "\xF0\x9F\x98\x80", 40), "\"name\":\"\xF0\x9F\x98\x80");
	expect_fine(f, "\"note\":\"\"", "\"note\":\"\"");
	expect_fine(f, "\"note\":null", "\"note\":null");
	expect_fine(f, "\"name\":\"  padded  \"", "\"name\":\"  padded  \"");
	expect_fine(f, "\"id\":null", "\"id\"");
}

static void
id_messages(void **state)
{
	struct world *f = *state;
	const char *wrong =
		"Enter 1 to 64 letters, digits or \".\", \"_\", \"-\", \":\", not beginning with \".\".";
	expect_fault(f, "\"id\":\".x\"", "id", wrong);
	expect_fault(f, "\"id\":\"a/b\"", "id", wrong);
	expect_fault(f, "\"id\":\"a b\"", "id", wrong);
	expect_fault(f, "\"id\":\"\xC3\xBC\"", "id", wrong);
	expect_fault(f, of_length(f, "id", "x", 65), "id", wrong);
	expect_fault(f, "\"id\":\"\"", "id", "This field may not be blank.");
	expect_fine(f, of_length(f, "id", "x", 64), "\"id\":\"xxx");
	expect_fine(f, "\"id\":\"A.b_c-1:2\"", "\"id\":\"A.b_c-1:2\"");
}

static void
number_messages(void **state)
{
	struct world *f = *state;
	expect_fault(f, "\"count\":\"x\"", "count", "A valid integer is required.");
	expect_fault(f, "\"count\":1.5", "count", "A valid integer is required.");
	expect_fault(f, "\"count\":true", "count", "A valid integer is required.");
	expect_fault(f, "\"count\":\"\"", "count", "A valid integer is required.");
	expect_fault(f, "\"count\":null", "count", "This field may not be null.");
	expect_fault(f, "\"count\":1001", "count", "Ensure this value is less than or equal to 1000.");
	expect_fault(f, "\"count\":-6", "count", "Ensure this value is greater than or equal to -5.");
	expect_fault(f, "\"big\":9223372036854775808", "big", "A valid integer is required.");
	expect_fault(f, "\"big\":1e400", "big", "A valid integer is required.");
	expect_fault(f, "\"big\":13", "big", "Thirteen is not accepted.");
	expect_fault(f, "\"weight\":\"x\"", "weight", "A valid number is required.");
	expect_fault(f, "\"weight\":false", "weight", "A valid number is required.");
	expect_fault(f, "\"weight\":\"NaN\"", "weight", "A valid number is required.");
	expect_fault(
		f, "\"weight\":1.2345", "weight", "Ensure that there are no more than 3 decimal places.");
	expect_fault(
		f, "\"weight\":1e300", "weight", "Ensure that there are no more than 18 digits in total.");
	expect_fault(f, "\"price\":1.234", "price", "Ensure that there are no more than 2 decimal places.");
	expect_fault(f, "\"price\":\"12,50\"", "price", "A valid number is required.");
	expect_fault(f, "\"price\":99999999999999999999", "price",
		"Ensure that there are no more than 18 digits in total.");
	expect_fine(f, "\"big\":9223372036854775807", "\"big\":9223372036854775807");
	expect_fine(f, "\"big\":\"-42\"", "\"big\":-42");
	expect_fine(f, "\"count\":5.0", "\"count\":5");
	expect_fine(f, "\"weight\":55000.00", "\"weight\":55000.00");
	expect_fine(f, "\"weight\":\"0.10\"", "\"weight\":0.10");
	expect_fine(f, "\"price\":\"12.5\"", "\"price\":12.50");
	expect_fine(f, "\"price\":-3", "\"price\":-3.00");
}

static void
other_messages(void **state)
{
	struct world *f = *state;
	const char *date = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
	const char *instant = "Datetime has wrong format. Use one of these formats instead: "
			      "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
	expect_fault(f, "\"active\":\"maybe\"", "active", "Must be a valid boolean.");
	expect_fault(f, "\"active\":2", "active", "Must be a valid boolean.");
	expect_fault(f, "\"active\":[]", "active", "Must be a valid boolean.");
	expect_fault(f, "\"active\":null", "active", "This field may not be null.");
	expect_fault(f, "\"due\":\"2023-02-30\"", "due", date);
	expect_fault(f, "\"due\":20230201", "due", date);
	expect_fault(f, "\"due\":\"2023-02-01T00:00:00\"", "due", date);
	expect_fault(f, "\"due\":\"\"", "due", date);
	expect_fault(f, "\"at\":\"yesterday\"", "at", instant);
	expect_fault(f, "\"at\":\"2024-06-15T25:00:00Z\"", "at", instant);
	expect_fault(f, "\"at\":1718442000", "at", instant);
	expect_fault(f, "\"status\":\"bogus\"", "status", "\"bogus\" is not a valid choice.");
	expect_fault(f, "\"status\":\"\"", "status", "\"\" is not a valid choice.");
	expect_fault(f, "\"status\":3", "status", "\"3\" is not a valid choice.");
	expect_fault(f, "\"status\":[1]", "status", "\"[1]\" is not a valid choice.");
	expect_fault(f, "\"status\":null", "status", "This field may not be null.");
	expect_fault(f, "\"limits\":[]", "limits", "Invalid data. Expected a dictionary, but got list.");
	expect_fault(f, "\"limits\":\"x\"", "limits", "Invalid data. Expected a dictionary, but got str.");
	expect_fault(f, "\"limits\":null", "limits", "This field may not be null.");
	expect_fault(f, "\"limits\":{\"target\":1,\"deep\":7}", "limits.deep",
		"Invalid data. Expected a dictionary, but got int.");
	expect_fault(f, "\"limits\":{}", "limits.target", "This field is required.");
	expect_fault(f, of_length(f, "extra", "x", 70000), "extra",
		"Ensure this field has no more than 65536 bytes of JSON.");
	expect_fine(f, "\"limits\":{\"target\":2,\"deep\":null}",
		"\"limits\":{\"target\":2,\"deep\":{\"low\":null}}");
	expect_fine(f, "\"active\":\"FALSE\"", "\"active\":false");
	expect_fine(f, "\"active\":0", "\"active\":false");
	expect_fine(f, "\"status\":\"ON hold\"", "\"status\":\"On Hold\"");
	expect_fine(f, "\"at\":\"2024-06-15T14:30:00+05:30\"", "\"at\":\"2024-06-15T09:00:00Z\"");
	expect_fine(f, "\"at\":\"2024-06-15T14:30:00\"", "\"at\":\"2024-06-15T09:00:00Z\"");
	expect_fine(f, "\"extra\":{ \"a\" : [1.50, null, \"\\u0000\"] }",
		"\"extra\":{\"a\":[1.50,null,\"\\u0000\"]}");
}

static void
reference_messages(void **state)
{
	struct world *f = *state;
	expect_fault(f, "\"deal\":99999", "deal", "Invalid pk \"99999\" - object does not exist.");
	expect_fault(f, "\"deal\":\"99999\"", "deal", "Invalid pk \"99999\" - object does not exist.");
	expect_fault(f, "\"deal\":99999999999999999999", "deal",
		"Invalid pk \"99999999999999999999\" - object does not exist.");
	expect_fault(f, "\"deal\":-1", "deal", "Invalid pk \"-1\" - object does not exist.");
	expect_fault(f, "\"deal\":\"abc\"", "deal", "Incorrect type. Expected pk value, received str.");
	expect_fault(f, "\"deal\":true", "deal", "Incorrect type. Expected pk value, received bool.");
	expect_fault(f, "\"deal\":{}", "deal", "Incorrect type. Expected pk value, received dict.");
	expect_fault(
		f, "\"parent\":\"thing-404\"", "parent", "Invalid pk \"thing-404\" - object does not exist.");
	expect_fault(
		f, "\"parent\":\"' OR 1=1\"", "parent", "Invalid pk \"' OR 1=1\" - object does not exist.");
	expect_fine(f, "\"deal\":null", "\"deal\":null");
}

static void
a_reference_must_be_visible(void **state)
{
	struct world *f = *state;
	struct deal d;
	struct thing t;
	assert_fine(fx_create(f, &f->ann, &deal_res, "{\"title\":\"hers\"}", &d));
	const char *json = arena_fmt(f->a, "{%s,\"deal\":%lld}", GOOD, (long long)d.id).p;
	assert_code(fx_create(f, &f->bob, &thing_res, json, &t), ERR_INVALID_INPUT);
	assert_code(fx_create(f, &f->other_company, &thing_res, json, &t), ERR_INVALID_INPUT);
	assert_fine(fx_create(f, &f->ann, &thing_res, json, &t));
	/* Bob may change the thing without touching what he can't see. */
	assert_fine(fx_change(f, &f->bob, &thing_res, "thing-001",
		arena_fmt(f->a, "{\"count\":7,\"deal\":%lld}", (long long)d.id).p, RES_MODE_MERGE, &t));
}

static void
all_faults_are_told_at_once(void **state)
{
	struct world *f = *state;
	struct thing t;
	struct err *e = fx_parse(f, &thing_res, NULL,
		"{\"count\":\"x\",\"due\":\"x\",\"status\":\"x\",\"deal\":5}", false, &t);
	assert_int_equal(fault_count(e), 6);
	assert_string_equal(fault_of(f, e, "name"), "This field is required.");
	assert_string_equal(fault_of(f, e, "limits"), "This field is required.");
	assert_non_null(fault_of(f, e, "count"));
	assert_non_null(fault_of(f, e, "due"));
	assert_non_null(fault_of(f, e, "status"));
	assert_non_null(fault_of(f, e, "deal"));
	assert_str(e->fields->field, "name");
	e = fx_parse(f, &thing_res, NULL, "{\"name\":\"\",\"limits\":[],\"count\":\"x\"}", false, &t);
	assert_str(e->fields->field, "name");
	assert_str(e->fields->next->field, "count");
	assert_str(e->fields->next->next->field, "limits");
}

static void
a_body_is_an_object(void **state)
{
	struct world *f = *state;
	static const char *const bodies[][2] = { { "[]", "list" }, { "\"x\"", "str" }, { "5", "int" },
		{ "true", "bool" }, { "1.5", "float" } };
	struct thing t;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct err *e = fx_parse(f, &thing_res, NULL, bodies[i][0], false, &t);
		assert_string_equal(fault_of(f, e, "non_field_errors"),
			arena_fmt(f->a, "Invalid data. Expected a dictionary, but got %s.", bodies[i][1]).p);
	}
}

static void
unknown_and_server_fields_are_ignored(void **state)
{
	struct world *f = *state;
	struct thing t;
	const char *json = "{" GOOD ",\"version\":9,\"score\":3,\"hidden_text\":\"x\",\"company_id\":2,"
			   "\"nope\":1,\"limits.target\":5}";
	assert_fine(fx_parse(f, &thing_res, NULL, json, false, &t));
	assert_int_equal(t.version, 0);
	assert_true(res_is_null(&thing_res, &t, "score"));
	assert_true(res_is_null(&thing_res, &t, "hidden_text"));
	assert_int_equal(t.target.coef, 1);
	struct err *e = fx_parse(f, &thing_res, NULL,
		"{" GOOD ",\"nope\":1,\"limits\":{\"target\":1,\"x\":2},\"version\":9}", true, &t);
	assert_int_equal(fault_count(e), 2);
	assert_string_equal(fault_of(f, e, "nope"), "Unknown field.");
	assert_string_equal(fault_of(f, e, "limits.x"), "Unknown field.");
}

static void
presets_fill_a_create(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_parse(f, &thing_res, NULL, "{" GOOD "}", false, &t));
	assert_int_equal(t.count, 1);
	assert_true(t.active);
	assert_int_equal(t.status, 0);
	assert_true(res_is_null(&thing_res, &t, "weight"));
	assert_true(res_is_given(&thing_res, &t, "name"));
	assert_false(res_is_given(&thing_res, &t, "count"));
}

static void
a_repeated_key_keeps_its_last_value(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_parse(f, &thing_res, NULL, "{\"count\":\"bad\"," GOOD ",\"count\":7}", false, &t));
	assert_int_equal(t.count, 7);
}

static const struct res_view_field other_names[] = {
	{ .name = "title", .field = "name" },
	{ .name = "goal.value", .field = "limits.target", .flags = RV_SHORT },
	{ .name = "why", .field = "note", .flags = RV_REQUIRED | RV_OMIT_NULL },
	{ .name = "state", .field = "status", .flags = RV_READ_ONLY },
	{ .name = "password", .field = "secret" },
	{ .name = "inner", .field = "hidden_text" },
};
static const struct res_view other_view = {
	.name = "Other", .fields = other_names, .field_count = COUNT(other_names), .money_as_text = true
};

static void
a_view_names_and_narrows(void **state)
{
	struct world *f = *state;
	struct thing t;
	struct err *e = fx_parse(f, &thing_res, &other_view, "{\"name\":\"x\"}", false, &t);
	assert_int_equal(fault_count(e), 3);
	assert_string_equal(fault_of(f, e, "title"), "This field is required.");
	assert_string_equal(fault_of(f, e, "goal"), "This field is required.");
	assert_string_equal(fault_of(f, e, "why"), "This field is required.");
	assert_fine(fx_parse(f, &thing_res, &other_view,
		"{\"title\":\"ok\",\"goal\":{\"value\":2.50},\"why\":null,\"state\":\"Closed\",\"password\":"
		"\"pw\",\"inner\":\"in\"}",
		false, &t));
	assert_int_equal(t.status, 0);
	assert_str(t.secret, "pw");
	assert_str(fx_json(f, &thing_res, &other_view, &t),
		"{\"title\":\"ok\",\"goal\":{\"value\":2.5},\"state\":\"open\",\"inner\":\"in\"}");
}

static void
many_unknown_members_cost_little(void **state)
{
	struct world *f = *state;
	struct buf b;
	struct thing t;
	buf_init_arena(&b, f->a, 32 << 20);
	buf_add_lit(&b, "{");
	for (int i = 0; i < 9000; i++)
		buf_add_fmt(&b, "\"k%d\":%d,", i, i);
	buf_add_lit(&b, GOOD "}");
	const char *json = arena_cstr(f->a, buf_str(&b));
	assert_fine(fx_parse(f, &thing_res, NULL, json, false, &t));
	struct err *e = fx_parse(f, &thing_res, NULL, json, true, &t);
	assert_true(fault_count(e) <= 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(text_messages, world_reset),
		cmocka_unit_test_setup(id_messages, world_reset),
		cmocka_unit_test_setup(number_messages, world_reset),
		cmocka_unit_test_setup(other_messages, world_reset),
		cmocka_unit_test_setup(reference_messages, world_reset),
		cmocka_unit_test_setup(a_reference_must_be_visible, world_reset),
		cmocka_unit_test_setup(all_faults_are_told_at_once, world_reset),
		cmocka_unit_test_setup(a_body_is_an_object, world_reset),
		cmocka_unit_test_setup(unknown_and_server_fields_are_ignored, world_reset),
		cmocka_unit_test_setup(presets_fill_a_create, world_reset),
		cmocka_unit_test_setup(a_repeated_key_keeps_its_last_value, world_reset),
		cmocka_unit_test_setup(a_view_names_and_narrows, world_reset),
		cmocka_unit_test_setup(many_unknown_members_cost_little, world_reset),
	};
	return world_run("parse", tests, COUNT(tests));
}
