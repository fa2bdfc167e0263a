/*
 * Whatever a client sends is refused as a whole with the documented fault, or stored and shown exactly as it was understood: bodies and
 * filters are mixed from hostile values, and a failing one is printed.
 */
#include "world.h"

#include "base/random.h"

#define ROUNDS 400

static const char *const values[] = { "null", "true", "false", "[]", "{}", "[1]", "{\"a\":1}",
	"{\"target\":1}", "{\"target\":\"x\",\"deep\":{\"low\":1}}", "{\"target\":5,\"deep\":{\"low\":null}}",
	"{\"deep\":[]}", "0", "-0", "0.0", "1", "-1", "5.0", "1e2", "1E400", "-1e-400", "1.10", "1.005",
	"1e-15", "1e-16", "0.000000000000001", "123456789012345678", "999999999999999999",
	"9223372036854775807", "-9223372036854775808", "9223372036854775808",
	"1234567890123456789012345678901234567890", "\"\"", "\" \"", "\"0\"", "\"1\"", "\"-7\"", "\"+7\"",
	"\"1e3\"", "\"0x10\"", "\"NaN\"", "\"Infinity\"", "\"true\"", "\"open\"", "\"CLOSED\"", "\"on hold\"",
	"\"2024-02-29\"", "\"2023-02-29\"", "\"0000-01-01\"", "\"0001-01-01\"", "\"9999-12-31\"",
	"\"10000-01-01\"", "\"2024-06-15T09:00:00Z\"", "\"2024-06-15 09:00\"",
	"\"0001-01-01T00:00:00+14:00\"", "\"9999-12-31T23:59:59.999999-14:00\"", "\"2024-06-15T09:00:60Z\"",
	"\"\\u0000\"", "\"a\\u0000b\"", "\"\\ufeff\"", "\"\\uffff\"", "\"\\ud83d\\ude00\"",
	"\"\\u202e\\u0301\"", "\"\\u0001\\u001f\\u007f\"", "\"' OR '1'='1\"", "\"'; DROP TABLE thing; --\"",
	"\"\\\\\"", "\"\\\"\"", "\"%s%n\"", "\"$1\"", "\"?\"", "\"{}\"", "\"../../etc/passwd\"",
	"\"<script>alert(1)</script>\"", "\"\xEF\xB7\xBA\"", "\"\xC4\xB0\xC5\xBF\xEF\xAC\x81\"",
	"\"thing-001\"", "\"thing-999\"", "\".\"", "\"a\"", "\"ab\"" };

static const char *
random_body(struct world *f, int round)
{
	struct buf b;
	buf_init_arena(&b, f->a, 1 << 16);
	buf_add_fmt(&b, "{\"name\":\"r%d\",\"limits\":{\"target\":1.5}", round);
	for (size_t i = random_below(5) + 1; i > 0; i--) {
		const char *name = thing_res.fields[random_below((uint32_t)thing_res.field_count)].name;
		buf_add_fmt(&b, ",\"%s\":%s", strncmp(name, "limits", 6) == 0 ? "limits" : name,
			values[random_below(COUNT(values))]);
	}
	buf_add_lit(&b, "}");
	return arena_cstr(f->a, buf_str(&b));
}

static void
a_body_is_refused_or_comes_back(void **state)
{
	struct world *f = *state;
	int accepted = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct thing made, read;
		const char *body = random_body(f, round);
		struct err *e = fx_create(f, &f->admin, &thing_res, body, &made);
		if (e && e->code != ERR_INVALID_INPUT && e->code != ERR_CONFLICT)
			fail_msg("%s: %.*s", body, STR_ARG(e->detail));
		if (e) {
			assert_non_null(e->fields);
			continue;
		}
		accepted++;
		assert_fine(fx_read(f, &f->admin, &thing_res, arena_cstr(f->a, made.id), &read));
		struct str sent = fx_json(f, &thing_res, NULL, &made),
			   shown = fx_json(f, &thing_res, NULL, &read);
		if (!str_eq(sent, shown))
			fail_msg("%s: %.*s and %.*s", body, STR_ARG(sent), STR_ARG(shown));
		assert_true(str_eq(made.secret, read.secret));
	}
	assert_true(accepted > ROUNDS / 20);
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM thing"), arena_fmt(f->a, "%d", accepted).p);
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM event"), arena_fmt(f->a, "%d", accepted).p);
}

static void
a_change_is_refused_or_comes_back(void **state)
{
	struct world *f = *state;
	struct thing made, read;
	assert_fine(fx_create(f, &f->admin, &thing_res,
		"{\"id\":\"it\",\"name\":\"it\",\"limits\":{\"target\":1}}", &made));
	for (int round = 0; round < ROUNDS; round++) {
		struct thing changed;
		const char *body = random_body(f, round);
		struct err *e = fx_change(f, &f->admin, &thing_res, "it", body,
			random_below(2) ? RES_MODE_MERGE : RES_MODE_REPLACE, &changed);
		if (e && e->code != ERR_INVALID_INPUT)
			fail_msg("%s: %.*s", body, STR_ARG(e->detail));
		assert_fine(fx_read(f, &f->admin, &thing_res, "it", &read));
		made = e ? made : changed;
		assert_str(fx_json(f, &thing_res, NULL, &made),
			arena_cstr(f->a, fx_json(f, &thing_res, NULL, &read)));
	}
}

static void
a_filter_is_refused_or_runs(void **state)
{
	struct world *f = *state;
	struct res_ctx c = fx_ctx(f, &f->admin);
	struct thing made;
	assert_fine(fx_create(f, &f->admin, &thing_res,
		"{\"name\":\"it\",\"limits\":{\"target\":1},\"weight\":1.5,\"price\":2}", &made));
	for (int round = 0; round < ROUNDS; round++) {
		struct list_query q = { .limit = 5, .with_total = true };
		struct res_page page;
		struct err *e = NULL;
		const struct res_field *x = &thing_res.fields[random_below((uint32_t)thing_res.field_count)];
		struct str text = str_from_cstr(values[random_below(COUNT(values))]);
		if (random_below(2) && text.n > 1 && text.p[0] == '"')
			text = str_sub(text, 1, text.n - 2);
		list_filter_add(&c, &q, x, (enum list_op)random_below(LIST_IS_NULL + 1), text, STR("p"), &e);
		assert_true(!e || e->code == ERR_INVALID_INPUT);
		q.search = random_below(4) ? STR("") : text;
		struct err *listed = fx_list(f, &f->admin, &thing_res, &q, &page);
		if (listed)
			fail_msg("%s %.*s: %.*s", x->name, STR_ARG(text), STR_ARG(listed->detail));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_body_is_refused_or_comes_back, world_reset),
		cmocka_unit_test_setup(a_change_is_refused_or_comes_back, world_reset),
		cmocka_unit_test_setup(a_filter_is_refused_or_runs, world_reset),
	};
	assert_true(random_start());
	return world_run("hostile", tests, COUNT(tests));
}
