/* Search: a case-insensitive substring of any alphabet, the same on both databases, with nothing special in a pattern. */
#include "world.h"

#include "codec/text.h"
#include "resource/engine.h"

static const char *const names[] = {
	"Quarterly Sales",
	"\xC3\x9Cn\xC3\xAF"
	"c\xC3\xB6"
	"d\xC3\xA9 M\xC3\xB6tley",
	"STRASSE and Stra\xC3\x9F"
	"e",
	"\xC4\xB0stanbul \xC4\xB1\xC5\x9F\xC4\xB1k",
	"rocket \xF0\x9F\x9A\x80 launch",
	"100% sure",
	"snake_case_name",
	"quote \" and ' mark",
	"back\\slash",
	"\xE6\x9D\xB1\xE4\xBA\xAC\xE3\x82\xBF\xE3\x83\xAF\xE3\x83\xBC",
	"\xCE\xA3\xCE\xAF\xCF\x83\xCF\x85\xCF\x86\xCE\xBF\xCF\x82",
	"AND OR NOT NEAR",
	"a*b (c) -d ^e :f",
	"two  blanks\tand tab",
	"ab",
};
static const char *const patterns[] = {
	"sales",
	"SALES",
	"ly Sa",
	"\xC3\xBCn\xC3\x8F",
	"\xC3\x96TLEY",
	"strasse",
	"stra\xC3\x9F"
	"e",
	"STRA\xE1\xBA\x9E"
	"E",
	"\xC4\xB0STANBUL",
	"istanbul",
	"\xF0\x9F\x9A\x80",
	"t \xF0\x9F\x9A\x80 l",
	"100%",
	"%",
	"_",
	"__",
	"e_c",
	"snake case",
	"\"",
	"'",
	"quote \"",
	"\\",
	"k\\s",
	"\xE4\xBA\xAC",
	"\xE6\x9D\xB1\xE4\xBA\xAC\xE3\x82\xBF",
	"\xCF\x83\xCE\xAF\xCF\x83\xCF\x85",
	"\xCF\x86\xCE\xBF\xCF\x83",
	"AND",
	"and OR not",
	"NEAR",
	"*",
	"a*b",
	"(c)",
	"-d ^e",
	":f",
	"folded:x",
	"two blanks",
	"blanks and",
	"a",
	"b",
	"ab",
	"zzz",
	"nothing like it",
	"\"\"\"",
	"' OR 1=1 --",
	"sales\" OR \"ab",
	"Sales\n",
	"e\xCC\x81",
	"\xEF\xBC\xB3"
	"ales",
};

static void
fill(struct world *f)
{
	struct thing t;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct buf b;
		buf_init_arena(&b, f->a, 4096);
		struct json_out o;
		json_out_init(&o, &b);
		json_begin_object(&o);
		json_pair_str(&o, "name", str_from_cstr(names[i]));
		json_pair_str(&o, "note", STR("the note"));
		json_key(&o, STR("limits"));
		json_put_raw(&o, STR("{\"target\":1}"));
		json_end_object(&o);
		assert_fine(fx_create(f, &f->admin, &thing_res, arena_cstr(f->a, buf_str(&b)), &t));
	}
}

static int64_t
hits(struct world *f, const char *pattern)
{
	struct list_query q = { .limit = 100, .with_total = true, .search = str_from_cstr(pattern) };
	struct res_page page;
	assert_fine(fx_list(f, &f->admin, &thing_res, &q, &page));
	return page.total;
}

static void
search_is_a_folded_substring(void **state)
{
	struct world *f = *state;
	fill(f);
	for (size_t p = 0; p < COUNT(patterns); p++) {
		struct str folded = str_trim(text_fold(f->a, str_from_cstr(patterns[p])));
		int64_t expected = 0;
		for (size_t i = 0; i < COUNT(names); i++) {
			struct str name = text_fold(f->a, str_from_cstr(names[i]));
			expected += memmem(name.p, name.n, folded.p, folded.n) ||
				    memmem("the note", 8, folded.p, folded.n);
		}
		if (hits(f, patterns[p]) != expected)
			fail_msg("%s: %d, not %d", patterns[p], (int)hits(f, patterns[p]), (int)expected);
	}
	assert_int_equal(hits(f, "SALES"), 1);
	assert_int_equal(hits(f, "stra\xC3\x9F"
				 "e"),
		1);
	assert_int_equal(hits(f, "\xC4\xB0STANBUL"), 1);
	assert_int_equal(hits(f, "%"), 1);
	assert_int_equal(hits(f, ""), COUNT(names));
	assert_int_equal(hits(f, "  "), COUNT(names));
	/* No hit across the end of a name and the start of a note. */
	assert_int_equal(hits(f, "sales the"), 0);
	assert_int_equal(hits(f, "ab the note"), 0);
}

static void
search_follows_changes(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(
		fx_create(f, &f->admin, &thing_res, "{\"name\":\"before\",\"limits\":{\"target\":1}}", &t));
	assert_fine(fx_change(
		f, &f->admin, &thing_res, "thing-001", "{\"name\":\"after it\"}", RES_MODE_MERGE, &t));
	assert_int_equal(hits(f, "before"), 0);
	assert_int_equal(hits(f, "after"), 1);
	assert_fine(fx_change(f, &f->admin, &thing_res, "thing-001", "{\"count\":3}", RES_MODE_MERGE, &t));
	assert_int_equal(hits(f, "after"), 1);
	assert_fine(fx_delete(f, &f->admin, &thing_res, "thing-001"));
	assert_int_equal(hits(f, "after"), 0);
}

static void
integer_ids_are_searched_too(void **state)
{
	struct world *f = *state;
	struct deal d;
	struct list_query q = { .limit = 10, .search = STR("gro\xC3\x9F") };
	struct res_page page;
	assert_fine(fx_create(f, &f->ann, &deal_res, "{\"title\":\"GROSS deal\"}", &d));
	assert_fine(fx_create(f, &f->ann, &deal_res, "{\"title\":\"small deal\"}", &d));
	assert_fine(fx_list(f, &f->ann, &deal_res, &q, &page));
	assert_int_equal(page.count, 1);
	assert_fine(fx_list(f, &f->bob, &deal_res, &q, &page));
	assert_int_equal(page.count, 0);
}

static struct err *
explain(struct res_ctx *c, void *arg)
{
	struct buf *plan = arg;
	struct res_sql s;
	struct db_rows rows;
	const struct list_sort sort = { .field = res_field_find(&thing_res, STR("created_at")) };
	res_sql_init(&s, c->arena);
	res_sql_add(&s, "EXPLAIN QUERY PLAN ");
	res_sql_add_str(&s, res_plan(c, &thing_res, NULL)->select);
	res_sql_from(&s, c, &thing_res);
	bool few = res_sql_search(&s, c, &thing_res, STR("sales"));
	res_sql_add(&s, " ORDER BY ");
	res_sql_order(&s, DB_SQLITE, &sort, few);
	TRY(res_sql_query(&s, c->tx, &rows));
	for (bool row = true; row;) {
		TRY(db_next(&rows, &row));
		if (row)
			buf_add_str(plan, db_text(&rows, 3));
	}
	return NULL;
}

/* The cost follows the hits, not the company: the plan begins in the search index and walks no other one. */
static void
search_begins_in_its_index(void **state)
{
	struct world *f = *state;
	struct buf plan;
	if (f->base.kind != DB_SQLITE)
		return;
	buf_init_arena(&plan, f->a, 1 << 16);
	assert_fine(fx_write(f, &f->admin, explain, &plan));
	const char *text = arena_cstr(f->a, buf_str(&plan));
	assert_non_null(strstr(text, "VIRTUAL TABLE"));
	assert_non_null(strstr(text, "search_text USING INTEGER PRIMARY KEY"));
	assert_null(strstr(text, "thing_created"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(search_is_a_folded_substring, world_reset),
		cmocka_unit_test_setup(search_follows_changes, world_reset),
		cmocka_unit_test_setup(integer_ids_are_searched_too, world_reset),
		cmocka_unit_test_setup(search_begins_in_its_index, world_reset),
	};
	return world_run("search", tests, COUNT(tests));
}
