/* Page and PDF of a report: whatever the JSON says, they show it as text, they end, and they are the same each time. */
#include "base/limits.h"
#include "codec/json.h"
#include "domain/campaign/report.h"
#include "domain/campaign/report_view.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *
page_of(struct arena *a, struct str json)
{
	struct buf b;
	struct err *e;

	buf_init_arena(&b, a, LIMIT_ANSWER_BYTES);
	e = report_html(a, json, &b);
	if (e)
		fail_msg("%.*s %.*s", STR_ARG(e->message), STR_ARG(e->detail));
	assert_true(str_is_utf8(buf_str(&b)));
	return arena_cstr(a, buf_str(&b));
}

static void
check_pdf(struct arena *a, struct str json)
{
	struct buf one, two;

	buf_init_arena(&one, a, LIMIT_ANSWER_BYTES);
	buf_init_arena(&two, a, LIMIT_ANSWER_BYTES);
	assert_null(report_pdf(a, json, &one));
	assert_null(report_pdf(a, json, &two));
	assert_true(str_starts_with(buf_str(&one), STR("%PDF-")));
	assert_true(str_eq(buf_str(&one), buf_str(&two)));
}

/* A report in which every text is the one given. */
static struct str
report_with(struct arena *a, struct str text)
{
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, a, 1 << 20);
	json_out_init(&o, &b);
	json_put_str(&o, text);
	struct str t = arena_str(a, buf_str(&b));
	buf_clear(&b);
#define T "%.*s"
	buf_add_fmt(&b,
		"{\"retrospective_id\":1,\"draft\":true,\"generated_at\":" T ",\"currency\":" T
		",\"campaign\":{\"id\":1,\"name\":" T ",\"description\":" T "},\"period\":{\"from\":" T
		",\"to\":" T "},\"retrospective\":{\"id\":1,\"notes\":" T ",\"team\":{\"id\":1,\"name\":" T
		"}},\"decisions\":" T ",\"earlier_campaigns\":[{\"id\":2,\"name\":" T
		"}],\"kpis\":[{\"metric\":" T ",\"value\":1.5,\"unit\":" T
		",\"basis\":\"computed\",\"formula\":" T ",\"target\":{\"value\":2,\"status\":" T
		",\"achievement_percent\":75},\"earlier\":null}],",
		STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t),
		STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t));
	buf_add_fmt(&b,
		"\"channels\":{\"slices\":[{\"name\":" T ",\"others\":0,\"figures\":[{\"metric\":" T
		",\"value\":1,\"unit\":" T "}]}]},\"course\":{\"interval\":" T ",\"metrics\":[{\"metric\":" T
		",\"unit\":" T ",\"points\":[{\"date\":" T
		",\"value\":1}]}]},\"insights\":[{\"id\":1,\"severity\":" T ",\"type\":" T ",\"summary\":" T
		",\"action_suggestion\":" T ",\"generated_by\":" T ",\"created_at\":" T
		",\"evidence\":{\"a\":" T ",\"b\":[" T "]}}],",
		STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t),
		STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t),
		STR_ARG(t));
	buf_add_fmt(&b,
		"\"actions\":[{\"id\":1,\"title\":" T ",\"owner\":{\"id\":1,\"name\":" T "},\"due_date\":" T
		",\"status\":" T "}],\"approval\":{\"approved_by\":{\"id\":1,\"name\":" T
		"},\"approved_at\":" T ",\"notes\":" T "}}",
		STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t), STR_ARG(t));
#undef T
	assert_false(buf_is_over(&b));
	return buf_str(&b);
}

static size_t
count_of(const char *page, const char *what)
{
	size_t n = 0;

	for (const char *at = page; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void
no_text_becomes_markup(void **state)
{
	struct arena *a = arena_new(64 << 20);
	const char *page = page_of(
		a, report_with(a, STR("<script>alert(\"1\")</script>'><img src=x onerror=y>]]>&amp;")));

	(void)state;
	assert_int_equal(count_of(page, "<script"), 0);
	assert_int_equal(count_of(page, "<img"), 0);
	assert_true(count_of(page, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;") > 20);
	/* What the text does not bring along, the page has once. */
	assert_int_equal(count_of(page, "<h1"), 1);
	assert_int_equal(count_of(page, "</style>"), 1);
	assert_int_equal(count_of(page, "</title>"), count_of(page, "<title"));
	arena_free(a);
}

static void
odd_texts_are_taken_by_page_and_pdf(void **state)
{
	static char word[4000];
	const struct str texts[] = { STR(""), STR("\x01\x1B\x7F"),
		STR("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD9\x85\xD8\xB1\xD8\xAD\xD8\xA8\xD8\xA7"),
		STR("\xF0\x9F\xA6\x91\xF3\xB0\x80\x80\xE4\xBD\xA0"), STR("\xE2\x80\xAE reversed"),
		STR("line\nline\r\n\n\tline"), { word, sizeof(word) } };

	(void)state;
	memset(word, 'w', sizeof(word));
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct arena *a = arena_new(128 << 20);
		struct str json = report_with(a, texts[i]);
		const char *page = page_of(a, json);
		assert_null(strchr(page, 0x1B));
		check_pdf(a, json);
		arena_free(a);
	}
}

/* Reports of other versions, and members of other kinds than expected, show less; they do not fail. */
static void
absent_and_unexpected_members_are_passed_over(void **state)
{
	const struct str jsons[] = { STR("{}"), STR("[]"), STR("null"),
		STR("{\"kpis\":[],\"insights\":[],\"channels\":{},\"course\":{}}"),
		STR("{\"kpis\":[{}],\"channels\":{\"slices\":[{},{}]},\"course\":{\"metrics\":[{}]},"
		    "\"insights\":[{}],\"actions\":[{}]}"),
		STR("{\"kpis\":{\"a\":1},\"campaign\":5,\"period\":\"x\",\"insights\":7,\"actions\":\"y\","
		    "\"approval\":{}}"),
		STR("{\"kpis\":[{\"metric\":\"m\",\"value\":1e400,\"unit\":\"count\"},{\"metric\":5,"
		    "\"value\":\"x\"},null,[1]],"
		    "\"channels\":{\"slices\":[{\"figures\":[{\"value\":1e300},{\"value\":-1e300}]},{"
		    "\"figures\":[null,{\"value\":1e-320,"
		    "\"interval_95\":[2,1]}]}]}}") };

	(void)state;
	for (size_t i = 0; i < COUNT(jsons); i++) {
		struct arena *a = arena_new(64 << 20);
		assert_non_null(strstr(page_of(a, jsons[i]), "</html>"));
		check_pdf(a, jsons[i]);
		arena_free(a);
	}
	struct arena *a = arena_new(1 << 20);
	struct buf b;
	buf_init_arena(&b, a, 1 << 20);
	assert_int_equal(report_html(a, STR("{"), &b)->code, ERR_MALFORMED);
	assert_int_equal(report_pdf(a, STR(""), &b)->code, ERR_MALFORMED);
	arena_free(a);
}

static const json_val *
number(struct arena *a, const char *text)
{
	json_val *v;

	assert_null(json_parse(a, str_from_cstr(text), &v));
	return v;
}

#define NBSP "\xC2\xA0"

static void
figures_read_as_people_write_them(void **state)
{
	static const struct {
		const char *json, *unit, *shown;
	} rows[] = {
		{ "1234567", "count", "1,234,567" },
		{ "-1234.5", "number",
			"\xE2\x88\x92"
			"1,234.5" },
		{ "0.023412", "ratio", "2.34" NBSP "%" },
		{ "0.000412", "ratio", "0.0412" NBSP "%" },
		{ "1", "ratio", "100.00" NBSP "%" },
		{ "5368.50", "GBP", "5,368.50" NBSP "GBP" },
		{ "9007199254740993.00", "EUR", "9,007,199,254,740,993.00" NBSP "EUR" },
		{ "3.7669", "factor", "3.77" },
		{ "0.0523", "factor", "0.0523" },
		{ "2", "factor", "2.00" },
		{ "41.500000", "rides", "41.500000" NBSP "rides" },
		{ "null", "count", "\xE2\x80\x93" },
		{ "1e400", "count", "1e400" },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(
			arena_cstr(a, view_number(a, number(a, rows[i].json), str_from_cstr(rows[i].unit))),
			rows[i].shown);
	assert_string_equal(arena_cstr(a, view_change(a, number(a, "12.4"))), "+12.4" NBSP "%");
	assert_string_equal(arena_cstr(a, view_date(a, STR("2024-06-01"))), "1 June 2024");
	assert_string_equal(
		arena_cstr(a, view_instant(a, STR("2024-06-15T09:05:00Z"))), "15 June 2024, 09:05 UTC");
	assert_string_equal(arena_cstr(a, view_date(a, STR("soon"))), "soon");
	arena_free(a);
}

static void
evidence_is_flat_and_bounded(void **state)
{
	struct arena *a = arena_new(4 << 20);
	size_t n, left_out;
	struct view_pair *p = view_evidence(a,
		number(a, "{\"p_value\":0.01,\"of\":{\"name\":\"A\",\"clicks\":1200},\"days\":[1,2]}"), &n,
		&left_out);

	(void)state;
	assert_int_equal(n, 5);
	assert_int_equal(left_out, 0);
	assert_true(str_eq(p[0].name, STR("p value")) && str_eq(p[0].value, STR("0.01")));
	assert_true(str_eq(p[2].value, STR("1,200")));
	struct buf b;
	buf_init_arena(&b, a, 1 << 16);
	buf_add_byte(&b, '[');
	for (int i = 0; i < 1000; i++)
		buf_add_fmt(&b, "%s[[[[[%d]]]]]", i ? "," : "", i);
	buf_add_byte(&b, ']');
	view_evidence(a, number(a, arena_cstr(a, buf_str(&b))), &n, &left_out);
	assert_int_equal(n, VIEW_EVIDENCE_MAX);
	assert_int_equal(n + left_out, 1000);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_text_becomes_markup),
		cmocka_unit_test(odd_texts_are_taken_by_page_and_pdf),
		cmocka_unit_test(absent_and_unexpected_members_are_passed_over),
		cmocka_unit_test(figures_read_as_people_write_them),
		cmocka_unit_test(evidence_is_flat_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
