/* Each dialect's grammar of lists: what becomes of the same wishes, and that no dialect hears another's words. */
#include "context.h"

#define KPI	    "/api/kpis"
#define ASSIGNMENTS "/api/v1/kpi-management/assignments"
#define RETRO	    "/api/retrospectives/"
#define BUSINESS    "/api/clients/"
#define CRM	    "/api/v1/leads"

struct want {
	int64_t offset, limit;
	size_t filters, sorts;
};

static void
reads(const char *path, const char *query, struct want w)
{
	struct context *x = context_new(path, query, NULL);
	struct list_query q;
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	if (q.offset != w.offset || q.limit != w.limit || q.filter_count != w.filters ||
		q.sort_count != w.sorts)
		fail_msg("%s?%s: offset %lld limit %lld filters %zu sorts %zu", path, query,
			(long long)q.offset, (long long)q.limit, q.filter_count, q.sort_count);
	assert_true(q.with_total);
	context_free(x);
}

static void
refuses(const char *path, const char *query, const char *field)
{
	struct context *x = context_new(path, query, NULL);
	struct list_query q;
	const struct err *e = api_list_query(x->c, &item_res, NULL, &q);
	if (!e)
		fail_msg("%s?%s is taken", path, query);
	assert_int_equal(e->code, ERR_INVALID_INPUT);
	assert_non_null(e->fields);
	if (!str_eq(e->fields->field, str_from_cstr(field)))
		fail_msg("%s?%s blames %.*s", path, query, STR_ARG(e->fields->field));
	context_free(x);
}

static void
paging_of_each(void **state)
{
	(void)state;
	reads(KPI, "", (struct want){ 0, 100, 0, 0 });
	reads(KPI, "skip=20&limit=10", (struct want){ 20, 10, 0, 0 });
	refuses(KPI, "limit=1001", "limit");
	refuses(KPI, "limit=0", "limit");
	refuses(KPI, "skip=-1", "skip");
	refuses(KPI, "limit=ten", "limit");
	reads(CRM, "page=3&limit=50", (struct want){ 100, 50, 0, 0 });
	reads(CRM, "", (struct want){ 0, 20, 0, 0 });
	refuses(CRM, "page=0", "page");
	refuses(CRM, "limit=201", "limit");
	refuses(CRM, "page=99999999999999999999", "page");
	reads(BUSINESS, "page=2&page_size=10", (struct want){ 10, 10, 0, 0 });
	reads(BUSINESS, "page_size=1000", (struct want){ 0, 100, 0, 0 });
	reads(BUSINESS, "page_size=0", (struct want){ 0, 20, 0, 0 });
	reads(BUSINESS, "page_size=abc", (struct want){ 0, 20, 0, 0 });
	reads(BUSINESS, "page_size=9999999999999999999x", (struct want){ 0, 20, 0, 0 });
	reads(BUSINESS, "page_size=99999999999999999999", (struct want){ 0, 100, 0, 0 });
	reads(RETRO, "", (struct want){ 0, 10000, 0, 0 });
	reads(ASSIGNMENTS, "", (struct want){ 0, 10000, 0, 0 });
}

static void
a_bad_page_of_business_is_not_found(void **state)
{
	static const char *const pages[] = { "page=0", "page=abc", "page=-1", "page=1.5",
		"page=99999999999999999999" };
	(void)state;
	for (size_t i = 0; i < COUNT(pages); i++) {
		struct context *x = context_new(BUSINESS, pages[i], NULL);
		struct list_query q;
		const struct err *e = api_list_query(x->c, &item_res, NULL, &q);
		assert_non_null(e);
		assert_int_equal(e->code, ERR_NOT_FOUND);
		assert_true(str_eq(e->message, STR("Invalid page.")));
		context_free(x);
	}
	reads(BUSINESS, "page=", (struct want){ 0, 20, 0, 0 });
}

static void
no_dialect_hears_the_words_of_another(void **state)
{
	(void)state;
	reads(KPI, "page=5&page_size=7&ordering=name&sort=name:asc&created_at__gte=2024-01-01&filter={}",
		(struct want){ 0, 100, 0, 0 });
	reads(BUSINESS, "skip=5&limit=7&sort_by=name&sort=name:asc&filter={}", (struct want){ 0, 20, 0, 0 });
	reads(CRM, "skip=5&page_size=7&sort_by=name&ordering=name&created_at__gte=2024-01-01",
		(struct want){ 0, 20, 0, 0 });
	reads(RETRO, "page=2&page_size=7&ordering=name&sort=name&sort_by=name",
		(struct want){ 0, 10000, 0, 0 });
}

static void
order_of_each(void **state)
{
	(void)state;
	struct context *x = context_new(KPI, "sort_by=created_at&ascending=false", NULL);
	struct list_query q;
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	assert_int_equal(q.sort_count, 1);
	assert_true(q.sorts[0].descending);
	assert_string_equal(q.sorts[0].field->name, "created_at");
	context_free(x);
	x = context_new(BUSINESS, "ordering=-amount,nonsense,name,", NULL);
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	assert_int_equal(q.sort_count, 2);
	assert_true(q.sorts[0].descending);
	assert_false(q.sorts[1].descending);
	context_free(x);
	x = context_new(CRM, "sort=amount:desc,name:asc,due", NULL);
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	assert_int_equal(q.sort_count, 3);
	assert_true(q.sorts[0].descending);
	assert_false(q.sorts[2].descending);
	context_free(x);
	refuses(KPI, "sort_by=nonsense", "sort_by");
	refuses(KPI, "sort_by=status", "sort_by");
	refuses(KPI, "sort_by=name&ascending=maybe", "ascending");
	refuses(CRM, "sort=name:sideways", "sort");
	refuses(CRM, "sort=nonsense:asc", "sort");
}

static void
filters_of_all(void **state)
{
	static const char *const paths[] = { KPI, ASSIGNMENTS, RETRO, BUSINESS, CRM };
	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct context *x =
			context_new(paths[i], "status=ACTIVE&team=4&amount=5&unknown=1&due=", NULL);
		struct list_query q;
		context_ok(api_list_query(x->c, &item_res, NULL, &q));
		assert_int_equal(q.filter_count, 3);
		context_free(x);
		refuses(paths[i], "status=bogus", "status");
		refuses(paths[i], "due=2024-02-30", "due");
		refuses(paths[i], "amount=five", "amount");
	}
}

static void
suffixes_of_business(void **state)
{
	(void)state;
	struct context *x = context_new(BUSINESS,
		"created_at__gte=2024-01-01&amount__lt=5&name__icontains=a&amount__in=1,2,3&due__isnull=true",
		NULL);
	struct list_query q;
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	assert_int_equal(q.filter_count, 5);
	assert_int_equal(q.filters[0].op, LIST_GTE);
	assert_int_equal(q.filters[1].op, LIST_LT);
	assert_int_equal(q.filters[2].op, LIST_CONTAINS);
	assert_int_equal(q.filters[3].count, 3);
	assert_int_equal(q.filters[4].op, LIST_IS_NULL);
	context_free(x);
	refuses(BUSINESS, "created_at__gte=notadate", "created_at__gte");
	reads(BUSINESS, "nonsense__gte=1&name__bogus=1", (struct want){ 0, 20, 0, 0 });
}

static void
json_filter_of_crm(void **state)
{
	(void)state;
	struct context *x = context_new(
		CRM, "filter=%7B%22status%22:%22active%22,%22amount%22:[1,2],%22due%22:null%7D", NULL);
	struct list_query q;
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	assert_int_equal(q.filter_count, 3);
	assert_int_equal(q.filters[1].op, LIST_IN);
	assert_int_equal(q.filters[2].op, LIST_IS_NULL);
	context_free(x);
	refuses(CRM, "filter=%7B", "filter");
	refuses(CRM, "filter=[]", "filter");
	refuses(CRM, "filter=%7B%22status%22:%7B%7D%7D", "filter.status");
	refuses(CRM, "filter=%7B%22nonsense%22:1%7D", "filter.nonsense");
	reads(CRM, "created_from=2024-01-01&created_to=2024-02-05", (struct want){ 0, 20, 2, 0 });
	refuses(CRM, "created_from=yesterday", "created_from");
	reads(CRM, "company_id=1", (struct want){ 0, 20, 0, 0 });
	x = context_new(CRM, "company_id=2", NULL);
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	assert_non_null(q.where);
	context_free(x);
}

static void
assignments_take_snake_and_camel_case(void **state)
{
	static const char *const queries[] = { "due_date=2024-01-01&team_id=3",
		"dueDate=2024-01-01&teamId=3" };
	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		struct context *x = context_new(ASSIGNMENTS, queries[i], &item_camel_view);
		struct list_query q;
		context_ok(api_list_query(x->c, &item_res, &item_camel_view, &q));
		assert_int_equal(q.filter_count, 2);
		context_free(x);
	}
	struct context *x = context_new(ASSIGNMENTS, "active_only=false", NULL);
	bool active = true;
	struct err *e = NULL;
	api_param_bool(x->c, "activeOnly", &active, &e);
	assert_null(e);
	assert_false(active);
	context_free(x);
	x = context_new(KPI, "dueDate=2024-01-01", NULL);
	struct list_query q;
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	assert_int_equal(q.filter_count, 0);
	context_free(x);
}

static void
all_faults_are_told_at_once(void **state)
{
	(void)state;
	struct context *x = context_new(KPI, "limit=0&skip=x&status=bogus&sort_by=nonsense", NULL);
	struct list_query q;
	const struct err *e = api_list_query(x->c, &item_res, NULL, &q);
	int count = 0;
	assert_non_null(e);
	for (const struct err_field *f = e->fields; f; f = f->next)
		count++;
	assert_int_equal(count, 4);
	context_free(x);
}

static void
typed_parameters(void **state)
{
	(void)state;
	struct context *x = context_new(
		KPI, "n=7&big=99&d=2024-02-29&bad=2023-02-29&t=2024-06-15T12:00&e=CLOSED&strict=1", NULL);
	static const char *const names[] = { "active", "closed", NULL };
	struct err *e = NULL;
	int64_t n = 1;
	int choice = 0;
	bool given;
	struct date d;
	struct instant t;
	api_param_int(x->c, "n", 1, 10, &n, &e);
	assert_int_equal(n, 7);
	api_param_int(x->c, "absent", 1, 10, &n, &e);
	assert_int_equal(n, 7);
	api_param_date(x->c, "d", &d, &given, &e);
	assert_true(given);
	api_param_instant(x->c, "t", &t, &given, &e);
	assert_true(given);
	struct instant noon;
	assert_true(instant_parse(STR("2024-06-15T10:00:00Z"), zone_utc(), &noon));
	assert_int_equal(t.us, noon.us); /* noon in Berlin's summer */
	api_param_enum(x->c, "e", names, &choice, &e);
	assert_int_equal(choice, 1);
	assert_true(api_is_strict(x->c));
	assert_null(e);
	api_param_int(x->c, "big", 1, 10, &n, &e);
	api_param_date(x->c, "bad", &d, &given, &e);
	assert_false(given);
	api_param_enum(x->c, "n", names, &choice, &e);
	assert_non_null(e);
	assert_true(str_eq(e->fields->message, STR("Ensure this value is less than or equal to 10.")));
	assert_true(str_eq(e->fields->next->message,
		STR("Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")));
	assert_true(str_eq(e->fields->next->next->message, STR("\"7\" is not a valid choice.")));
	context_free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paging_of_each),
		cmocka_unit_test(a_bad_page_of_business_is_not_found),
		cmocka_unit_test(no_dialect_hears_the_words_of_another),
		cmocka_unit_test(order_of_each),
		cmocka_unit_test(filters_of_all),
		cmocka_unit_test(suffixes_of_business),
		cmocka_unit_test(json_filter_of_crm),
		cmocka_unit_test(assignments_take_snake_and_camel_case),
		cmocka_unit_test(all_faults_are_told_at_once),
		cmocka_unit_test(typed_parameters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
