/* Lists: filters mean the same on both databases and in memory, orders are total, pages meet without gap, hostile values are values. */
#include "world.h"

#include "base/random.h"

#define THINGS 60
#define ROUNDS 150

static void
add_filter(struct world *f, struct list_query *q, const char *field, enum list_op op, const char *text,
	struct err **e)
{
	struct res_ctx c = fx_ctx(f, &f->admin);
	const struct res_field *x = res_field_find(&thing_res, str_from_cstr(field));
	assert_non_null(x);
	list_filter_add(&c, q, x, op, str_from_cstr(text), str_from_cstr(field), e);
}

static struct res_page
list(struct world *f, const struct list_query *q)
{
	struct res_page page;
	assert_fine(fx_list(f, &f->admin, &thing_res, q, &page));
	return page;
}

static int64_t
count_of(struct world *f, const char *field, enum list_op op, const char *text)
{
	struct list_query q = { .limit = 100, .with_total = true };
	struct err *e = NULL;
	add_filter(f, &q, field, op, text, &e);
	if (e)
		fail_msg("%s %s: %.*s", field, text, STR_ARG(e->fields->message));
	struct res_page page = list(f, &q);
	assert_int_equal(page.total, page.count);
	return page.total;
}

/* Small ranges, so that filters hit; about a third of the optional values is missing. */
static const char *
random_thing(struct world *f, int number)
{
	static const char *const texts[] = { "alpha", "Beta", "50%", "a_b", "\\\\x", "it's", "\xC3\x9C", "" };
	static const char *const weights[] = { "1", "1.0", "1.50", "-2.25", "10", "9.999", "0" };
	struct buf b;
	buf_init_arena(&b, f->a, 4096);
	buf_add_fmt(&b,
		"{\"name\":\"n%02d\",\"limits\":{\"target\":1},\"count\":%u,\"active\":%s,\"status\":\"%s\"",
		number, random_below(5), random_below(2) ? "true" : "false", thing_statuses[random_below(3)]);
	if (random_below(3))
		buf_add_fmt(&b, ",\"note\":\"%s\"", texts[random_below(COUNT(texts))]);
	if (random_below(3))
		buf_add_fmt(&b, ",\"big\":%d", (int)random_below(7) - 3);
	if (random_below(3))
		buf_add_fmt(&b, ",\"weight\":%s", weights[random_below(COUNT(weights))]);
	if (random_below(3))
		buf_add_fmt(&b, ",\"price\":\"%u.%02u\"", random_below(3), random_below(2) * 50);
	if (random_below(3))
		buf_add_fmt(&b, ",\"due\":\"2024-0%u-1%u\"", 1 + random_below(3), random_below(3));
	if (random_below(3))
		buf_add_fmt(&b, ",\"at\":\"2024-06-1%uT%02u:00:00Z\"", random_below(4), random_below(24));
	buf_add_lit(&b, "}");
	return arena_cstr(f->a, buf_str(&b));
}

static struct thing *
fill(struct world *f)
{
	struct thing *things = arena_alloc_array(f->a, THINGS, sizeof *things);
	for (int i = 0; i < THINGS; i++)
		assert_fine(fx_create(f, &f->admin, &thing_res, random_thing(f, i), &things[i]));
	return things;
}

/* ---- the same in memory ---- */

static int
compare_values(const struct res_field *f, const void *a, const void *b)
{
	const char *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;
	int64_t i, j;
	switch (f->kind) {
	case RES_TEXT:
	case RES_JSON:
		return str_cmp(*(const struct str *)(const void *)x, *(const struct str *)(const void *)y);
	case RES_DECIMAL:
		return decimal_cmp(
			*(const struct decimal *)(const void *)x, *(const struct decimal *)(const void *)y);
	case RES_ENUM:
		return strcmp(
			f->names[*(const int *)(const void *)x], f->names[*(const int *)(const void *)y]);
	case RES_BOOL:
		return *(const bool *)x - *(const bool *)y;
	case RES_DATE:
		i = ((const struct date *)(const void *)x)->days;
		j = ((const struct date *)(const void *)y)->days;
		return (i > j) - (i < j);
	case RES_INT:
	case RES_REF:
	case RES_MONEY:
	case RES_INSTANT:
		break;
	}
	i = *(const int64_t *)(const void *)x;
	j = *(const int64_t *)(const void *)y;
	return (i > j) - (i < j);
}

static bool
is_null(const struct thing *t, const struct res_field *f)
{
	return t->row.null >> (f - thing_res.fields) & 1;
}

/* What a filter says of a thing, given the thing that holds the filter's value. */
static bool
matches(const struct thing *t, const struct res_field *f, enum list_op op, const struct thing *value)
{
	if (op == LIST_IS_NULL)
		return is_null(t, f);
	if (is_null(t, f))
		return op == LIST_NE;
	int order = compare_values(f, t, value);
	switch (op) {
	case LIST_EQ:
	case LIST_IN:
		return order == 0;
	case LIST_NE:
		return order != 0;
	case LIST_GT:
		return order > 0;
	case LIST_GTE:
		return order >= 0;
	case LIST_LT:
		return order < 0;
	case LIST_LTE:
		return order <= 0;
	case LIST_CONTAINS:
	case LIST_IS_NULL:
		break;
	}
	return false;
}

/* The value of another thing as a filter's text, read from its JSON. */
static const char *
text_of(struct world *f, const struct thing *t, const struct res_field *field)
{
	json_val *v;
	assert_fine(json_parse(f->a, fx_json(f, &thing_res, NULL, t), &v));
	v = json_get_path(v, str_from_cstr(field->name));
	if (json_type_of(v) == JSON_STRING)
		return arena_cstr(f->a, json_string(v));
	struct buf b;
	buf_init_arena(&b, f->a, 256);
	json_write_val(&b, v);
	return arena_cstr(f->a, buf_str(&b));
}

struct condition {
	const struct res_field *field;
	enum list_op op;
	bool negate;
	const struct thing *value;
};

static bool
random_condition(struct world *f, const struct thing *things, struct list_query *q, struct condition *out)
{
	static const char *const fields[] = { "name", "note", "count", "big", "active", "weight", "price",
		"due", "at", "status", "score" };
	static const enum list_op ops[] = { LIST_EQ, LIST_NE, LIST_GT, LIST_GTE, LIST_LT, LIST_LTE, LIST_IN,
		LIST_IS_NULL };
	out->field = res_field_find(&thing_res, str_from_cstr(fields[random_below(COUNT(fields))]));
	out->op = ops[random_below(COUNT(ops))];
	out->negate = random_below(4) == 0;
	out->value = &things[random_below(THINGS)];
	if (is_null(out->value, out->field) ||
		(out->field->kind == RES_BOOL && out->op >= LIST_GT && out->op <= LIST_LTE))
		return false;
	struct err *e = NULL;
	size_t before = q->filter_count;
	add_filter(f, q, out->field->name, out->op,
		out->op == LIST_IS_NULL ? "true" : text_of(f, out->value, out->field), &e);
	assert_null(e);
	assert_int_equal(q->filter_count, before + 1);
	q->filters[before].negate = out->negate;
	return true;
}

static void
filters_mean_what_they_mean_in_memory(void **state)
{
	struct world *f = *state;
	struct thing *things = fill(f);
	for (int round = 0; round < ROUNDS; round++) {
		struct list_query q = { .limit = THINGS, .with_total = true };
		struct condition conditions[3];
		size_t count = 0;
		for (size_t i = 1 + random_below(3); i > 0; i--)
			count += random_condition(f, things, &q, &conditions[count]);
		size_t expected = 0;
		for (size_t i = 0; i < THINGS; i++) {
			bool all = true;
			for (size_t k = 0; k < count; k++)
				all &= matches(&things[i], conditions[k].field, conditions[k].op,
					       conditions[k].value) != conditions[k].negate;
			expected += all;
		}
		struct res_page page = list(f, &q);
		if (page.count != expected || page.total != (int64_t)expected)
			fail_msg("%s op %d %s%s: %zu, not %zu", conditions[0].field->name, conditions[0].op,
				text_of(f, conditions[0].value, conditions[0].field),
				conditions[0].negate ? " negated" : "", page.count, expected);
		for (size_t i = 0; i < page.count; i++)
			for (size_t k = 0; k < count; k++)
				assert_int_equal(matches(page.records[i], conditions[k].field,
							 conditions[k].op, conditions[k].value),
					!conditions[k].negate);
	}
}

static void
orders_are_total_and_pages_meet(void **state)
{
	struct world *f = *state;
	static const char *const fields[] = { "name", "note", "count", "big", "weight", "price", "due", "at",
		"status", "score", "created_at" };
	fill(f);
	for (size_t i = 0; i < 2 * COUNT(fields); i++) {
		const struct res_field *x = res_field_find(&thing_res, str_from_cstr(fields[i / 2]));
		struct list_query q = { .limit = THINGS };
		assert_true(list_sort_add(&q, x, i % 2));
		struct res_page all = list(f, &q);
		assert_int_equal(all.count, THINGS);
		assert_int_equal(all.total, -1);
		for (size_t k = 1; k < all.count; k++) {
			const struct thing *a = all.records[k - 1], *b = all.records[k];
			int order = is_null(a, x) || is_null(b, x) ? is_null(b, x) - is_null(a, x)
								   : compare_values(x, a, b);
			order = i % 2 ? -order : order;
			int by_id = i % 2 ? str_cmp(b->id, a->id) : str_cmp(a->id, b->id);
			assert_true(order < 0 || (order == 0 && by_id < 0));
		}
		q.limit = 7;
		size_t seen = 0;
		for (q.offset = 0; q.offset < THINGS; q.offset += q.limit) {
			struct res_page page = list(f, &q);
			for (size_t k = 0; k < page.count; k++, seen++)
				assert_true(str_eq(((struct thing *)page.records[k])->id,
					((struct thing *)all.records[seen])->id));
		}
		assert_int_equal(seen, THINGS);
	}
}

static void
totals_count_all_pages(void **state)
{
	struct world *f = *state;
	fill(f);
	static const int64_t pages[][3] = { { 10, 0, THINGS }, { 10, 50, THINGS }, { 10, 55, THINGS },
		{ 10, 60, THINGS }, { 10, 1000, THINGS }, { 0, 0, THINGS }, { 100, 0, THINGS },
		{ 1, INT64_MAX, THINGS } };
	for (size_t i = 0; i < COUNT(pages); i++) {
		struct list_query q = { .limit = pages[i][0], .offset = pages[i][1], .with_total = true };
		assert_int_equal(list(f, &q).total, pages[i][2]);
	}
}

static void
dates_of_instants_are_local_days(void **state)
{
	struct world *f = *state;
	static const char *const times[] = { "2024-06-14T18:29:59Z", "2024-06-14T18:30:00Z",
		"2024-06-15T18:29:59.999999Z", "2024-06-15T18:30:00Z" };
	struct thing t;
	for (size_t i = 0; i < COUNT(times); i++)
		assert_fine(fx_create(f, &f->admin, &thing_res,
			arena_fmt(f->a, "{\"name\":\"t%zu\",\"limits\":{\"target\":1},\"at\":\"%s\"}", i,
				times[i])
				.p,
			&t));
	assert_int_equal(count_of(f, "at", LIST_EQ, "2024-06-15"), 2);
	assert_int_equal(count_of(f, "at", LIST_NE, "2024-06-15"), 2);
	assert_int_equal(count_of(f, "at", LIST_GTE, "2024-06-15"), 3);
	assert_int_equal(count_of(f, "at", LIST_LT, "2024-06-15"), 1);
	assert_int_equal(count_of(f, "at", LIST_LTE, "2024-06-15"), 3);
	assert_int_equal(count_of(f, "at", LIST_EQ, "2024-06-14T18:30:00Z"), 1);
	assert_int_equal(count_of(f, "at", LIST_IN, "2024-06-14T18:30:00Z,2024-06-15T18:30:00Z"), 2);
}

static void
hostile_values_are_only_values(void **state)
{
	struct world *f = *state;
	static const char *const hostile[] = { "' OR '1'='1", "'; DROP TABLE thing; --", "%", "_", "\\", "a%",
		"%%", "$1", "?", "NULL", "\xEF\xBF\xBF", "\xF0\x9F\x92\xA9", ") OR (1=1", "\" OR \"\"=\"",
		"/*", "--" };
	struct thing t;
	fill(f);
	assert_fine(fx_create(
		f, &f->admin, &thing_res, "{\"name\":\"100%_\\\\\",\"limits\":{\"target\":1}}", &t));
	for (size_t i = 0; i < COUNT(hostile); i++) {
		assert_int_equal(count_of(f, "name", LIST_EQ, hostile[i]), 0);
		assert_int_equal(count_of(f, "name", LIST_IN, hostile[i]), 0);
		(void)count_of(f, "name", LIST_CONTAINS, hostile[i]);
	}
	assert_int_equal(count_of(f, "name", LIST_CONTAINS, "%"), 1);
	assert_int_equal(count_of(f, "name", LIST_CONTAINS, "_"), 1);
	assert_int_equal(count_of(f, "name", LIST_CONTAINS, "\\"), 1);
	assert_int_equal(count_of(f, "name", LIST_CONTAINS, "%_\\"), 1);
	assert_int_equal(count_of(f, "name", LIST_CONTAINS, "N1"), 10);
	assert_fine(fx_create(f, &f->admin, &thing_res,
		"{\"name\":\"\xC3\x9C"
		"BER  Stra\xC3\x9F"
		"e \xF0\x9F\x9A\x80\",\"limits\":{\"target\":1}}",
		&t));
	assert_int_equal(count_of(f, "name", LIST_CONTAINS,
				 "\xC3\xBC"
				 "ber stra"),
		1);
	assert_int_equal(count_of(f, "name", LIST_CONTAINS, "STRASSE"), 1);
	assert_int_equal(count_of(f, "name", LIST_CONTAINS, "\xF0\x9F\x9A\x80"), 1);
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM thing"), "62");
}

static void
expect_refusal(struct world *f, const char *field, enum list_op op, const char *text, const char *message)
{
	struct list_query q = { .limit = 1 };
	struct err *e = NULL;
	add_filter(f, &q, field, op, text, &e);
	const char *told = fault_of(f, e, field);
	if (!told || strcmp(told, message) != 0)
		fail_msg("%s %s: %s", field, text, told ? told : "no fault");
	assert_int_equal(q.filter_count, 0);
}

static void
bad_values_are_faults_of_the_parameter(void **state)
{
	struct world *f = *state;
	expect_refusal(f, "count", LIST_EQ, "x", "A valid integer is required.");
	expect_refusal(f, "big", LIST_GT, "9223372036854775808", "A valid integer is required.");
	expect_refusal(f, "weight", LIST_EQ, "NaN", "A valid number is required.");
	expect_refusal(f, "status", LIST_EQ, "bogus", "\"bogus\" is not a valid choice.");
	expect_refusal(f, "due", LIST_GTE, "notadate",
		"Date has wrong format. Use one of these formats instead: YYYY-MM-DD.");
	expect_refusal(f, "due", LIST_GTE, "2023-02-30",
		"Date has wrong format. Use one of these formats instead: YYYY-MM-DD.");
	expect_refusal(f, "active", LIST_EQ, "maybe", "Must be a valid boolean.");
	expect_refusal(f, "active", LIST_GT, "true", "This filter is not available for the field.");
	expect_refusal(f, "count", LIST_CONTAINS, "1", "This filter is not available for the field.");
	expect_refusal(f, "note", LIST_IS_NULL, "perhaps", "Must be a valid boolean.");
	expect_refusal(f, "count", LIST_IN, "1,x", "A valid integer is required.");
	struct buf b;
	buf_init_arena(&b, f->a, 1 << 16);
	for (int i = 0; i < 1001; i++)
		buf_add_lit(&b, "1,");
	expect_refusal(f, "count", LIST_IN, arena_cstr(f->a, buf_str(&b)),
		"Ensure this list has no more than 1000 values.");
}

static void
what_is_not_declared_is_no_filter(void **state)
{
	struct world *f = *state;
	struct list_query q = { .limit = 1 };
	struct err *e = NULL;
	add_filter(f, &q, "secret", LIST_EQ, "pw", &e);
	assert_int_equal(q.filter_count, 0);
	assert_null(e);
	assert_false(list_sort_add(&q, res_field_find(&thing_res, STR("secret")), false));
	for (int i = 0; i < LIST_FILTERS_MAX + 1; i++)
		add_filter(f, &q, "count", LIST_EQ, "1", &e);
	assert_int_equal(q.filter_count, LIST_FILTERS_MAX);
	assert_int_equal(fault_count(e), 1);
}

static void
only_name_n07(struct res_ctx *c, struct res_sql *s, void *arg)
{
	(void)c;
	res_sql_add(s, " AND name = ");
	res_sql_param(s, P_TEXT(str_from_cstr(arg)));
}

static void
a_handler_adds_its_predicate(void **state)
{
	struct world *f = *state;
	char name[] = "n07";
	struct list_query q = { .limit = 10, .with_total = true, .where = only_name_n07, .where_arg = name };
	fill(f);
	assert_int_equal(list(f, &q).total, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(filters_mean_what_they_mean_in_memory, world_reset),
		cmocka_unit_test_setup(orders_are_total_and_pages_meet, world_reset),
		cmocka_unit_test_setup(totals_count_all_pages, world_reset),
		cmocka_unit_test_setup(dates_of_instants_are_local_days, world_reset),
		cmocka_unit_test_setup(hostile_values_are_only_values, world_reset),
		cmocka_unit_test_setup(bad_values_are_faults_of_the_parameter, world_reset),
		cmocka_unit_test_setup(what_is_not_declared_is_no_filter, world_reset),
		cmocka_unit_test_setup(a_handler_adds_its_predicate, world_reset),
	};
	assert_true(random_start());
	return world_run("list", tests, COUNT(tests));
}
