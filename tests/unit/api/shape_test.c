/* What each dialect answers: lists, errors with every contract's keys, challenges, envelopes, entity tags. */
#include "context.h"

static const char *const paths[DIALECT_COUNT] = {
	[DIALECT_KPI] = "/api/kpis",
	[DIALECT_ASSIGNMENTS] = "/api/v1/kpi-management/assignments",
	[DIALECT_RETRO] = "/api/retrospectives/",
	[DIALECT_BUSINESS] = "/api/clients/",
	[DIALECT_CRM] = "/api/v1/leads",
};

static json_val *
parsed(const struct context *x)
{
	json_val *v;
	context_ok(json_parse(x->arena, str_from_cstr(context_body(x)), &v));
	return v;
}

static void
text_is(const json_val *object, const char *path, const char *text)
{
	const json_val *v = json_get_path(object, str_from_cstr(path));
	if (!v || json_type_of(v) != JSON_STRING)
		fail_msg("no text at %s", path);
	else if (!str_eq(json_string(v), str_from_cstr(text)))
		fail_msg("%s is \"%.*s\", not \"%s\"", path, STR_ARG(json_string(v)), text);
}

static void
number_is(const json_val *object, const char *path, int64_t want)
{
	int64_t n = -1;
	const json_val *v = json_get_path(object, str_from_cstr(path));
	assert_non_null(v);
	assert_true(json_int(v, &n));
	assert_int_equal(n, want);
}

static void
every_path_speaks_its_dialect(void **state)
{
	static const struct {
		const char *path;
		enum dialect_id id;
	} rows[] = {
		{ "/api/kpis", DIALECT_KPI },
		{ "/api/kpis/kpi-001/values/", DIALECT_KPI },
		{ "/api/kpisx", DIALECT_BUSINESS },
		{ "/api/webhooks/1", DIALECT_KPI },
		{ "/api/kpis/campaigns/1", DIALECT_RETRO },
		{ "/api/kpis/campaigns", DIALECT_RETRO },
		{ "/api/kpis/campaignsx", DIALECT_KPI },
		{ "/api/retrospectives/", DIALECT_RETRO },
		{ "/api/ws/retrospectives/4", DIALECT_RETRO },
		{ "/api/ws/dashboard", DIALECT_BUSINESS },
		{ "/api/v1/kpi-management/assignments", DIALECT_ASSIGNMENTS },
		{ "/api/v1/leads", DIALECT_CRM },
		{ "/api/v1/nowhere", DIALECT_CRM },
		{ "/api/v12", DIALECT_BUSINESS },
		{ "/api/auth/token/", DIALECT_BUSINESS },
		{ "/", DIALECT_BUSINESS },
		{ "", DIALECT_BUSINESS },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (dialect_of_path(str_from_cstr(rows[i].path))->id != rows[i].id)
			fail_msg("%s speaks %s", rows[i].path,
				dialect_of_path(str_from_cstr(rows[i].path))->name);
}

static void
every_error_has_every_contracts_keys(void **state)
{
	static const char *const keys[] = { "error", "message", "detail", "code", "status", "details",
		"timestamp", "path", "request_id" };
	(void)state;
	for (int d = 0; d < DIALECT_COUNT; d++) {
		struct context *x = context_new(paths[d], "", NULL);
		struct err *e = NULL;
		err_add_field(x->arena, &e, STR("name"), "This field is required.");
		(void)api_fail(x->c, e);
		const json_val *v = parsed(x);
		for (size_t k = 0; k < COUNT(keys); k++)
			if (!json_get(v, str_from_cstr(keys[k])))
				fail_msg("%s has no %s", dialects[d].name, keys[k]);
		number_is(v, "status", 400);
		text_is(v, "path", paths[d]);
		text_is(v, "request_id", "req-1");
		text_is(v, "code", "INVALID_INPUT");
		assert_int_equal(json_count(json_get(v, STR("details"))), 1);
		assert_int_equal(x->p->answer.status, 400);
		context_free(x);
	}
}

static struct context *
failed(enum dialect_id d, enum err_code code, const char *word, const char *message)
{
	struct context *x = context_new(paths[d], "", NULL);
	struct err *e = err_new(x->arena, code, "%s", message);
	(void)api_fail(x->c, word ? err_word(e, word) : e);
	return x;
}

static void
kpi_errors(void **state)
{
	(void)state;
	struct context *x = failed(DIALECT_KPI, ERR_NOT_FOUND, "KPI_NOT_FOUND", "KPI not found.");
	const json_val *v = parsed(x);
	text_is(v, "detail", "KPI not found.");
	text_is(v, "code", "KPI_NOT_FOUND");
	text_is(v, "timestamp", "2024-06-15T11:00:00+02:00");
	assert_null(json_get(v, STR("fields")));
	context_free(x);
	x = context_new(paths[DIALECT_KPI], "", NULL);
	struct err *e = NULL;
	err_add_field(x->arena, &e, STR("thresholds.min_value"), "Too large.");
	err_add_field(x->arena, &e, STR("name"), "One.");
	err_add_field(x->arena, &e, STR("name"), "Two.");
	(void)api_fail(x->c, e);
	v = parsed(x);
	text_is(v, "detail", "thresholds.min_value: Too large.");
	assert_int_equal(json_count(json_get(json_get(v, STR("fields")), STR("name"))), 2);
	context_free(x);
}

static void
assignments_errors(void **state)
{
	(void)state;
	struct context *x = failed(DIALECT_ASSIGNMENTS, ERR_CONFLICT, NULL, "Taken.");
	const json_val *v = parsed(x);
	number_is(v, "status", 409);
	text_is(v, "error", "Conflict");
	text_is(v, "message", "Taken.");
	text_is(v, "timestamp", "2024-06-15T09:00:00.250Z");
	context_free(x);
}

static void
retro_errors(void **state)
{
	(void)state;
	struct context *x = failed(DIALECT_RETRO, ERR_NOT_FOUND, "RETROSPECTIVE_NOT_FOUND",
		"Retrospective with ID 456 does not exist.");
	const json_val *v = parsed(x);
	text_is(v, "error", "Retrospective not found");
	text_is(v, "message", "Retrospective with ID 456 does not exist");
	context_free(x);
	x = failed(DIALECT_RETRO, ERR_INSUFFICIENT_PERMISSIONS, NULL,
		"User does not have permission to approve reports.");
	v = parsed(x);
	text_is(v, "error", "Insufficient permissions");
	text_is(v, "message", "User does not have permission to approve reports");
	context_free(x);
	x = context_new(paths[DIALECT_RETRO], "", NULL);
	struct err *e = NULL;
	err_add_field(x->arena, &e, STR("metric"), "This field is required.");
	(void)api_fail(x->c, e);
	if (!strstr(context_body(x), "\"details\":{\"metric\":[\"This field is required\"]}"))
		fail_msg("%s", context_body(x));
	text_is(parsed(x), "error", "Validation failed");
	context_free(x);
}

static void
crm_errors(void **state)
{
	(void)state;
	struct context *x = context_new(paths[DIALECT_CRM], "", NULL);
	struct err *e = NULL;
	err_add_field(x->arena, &e, STR("client_email_id"), "Enter a valid email address.");
	(void)api_fail(x->c, e);
	const json_val *v = parsed(x);
	text_is(v, "message", "Bad request");
	text_is(v, "error", "Validation failed");
	text_is(v, "details.client_email_id", "Enter a valid email address.");
	context_free(x);
	x = context_new("/api/v1/i_auth", "", NULL);
	(void)api_fail_as(x->c, err_new(x->arena, ERR_INVALID_CREDENTIALS, ""), 505);
	assert_int_equal(x->p->answer.status, 505);
	number_is(parsed(x), "status", 505);
	context_free(x);
}

static void
business_errors_nest_as_the_framework_nests(void **state)
{
	(void)state;
	struct context *x = context_new(paths[DIALECT_BUSINESS], "", NULL);
	struct err *e = NULL;
	err_add_field(x->arena, &e, STR("line_items[2].quantity"), "A valid integer is required.");
	err_add_field(x->arena, &e, STR("line_items[1].description"), "This field is required.");
	err_add_field(x->arena, &e, STR("line_items[1].description"), "Twice.");
	err_add_field(x->arena, &e, STR("status"), "\"x\" is not a valid choice.");
	err_add_field(x->arena, &e, STR(""), "Both dates.");
	(void)api_fail(x->c, e);
	const char *body = context_body(x);
	if (!strstr(body, "\"details\":{\"line_items\":[{},{\"description\":[\"This field is "
			  "required.\",\"Twice.\"]},"
			  "{\"quantity\":[\"A valid integer is required.\"]}],"
			  "\"status\":[\"\\\"x\\\" is not a valid choice.\"],\"non_field_errors\":[\"Both "
			  "dates.\"]}"))
		fail_msg("%s", body);
	/* At the top level too, but never over the contract's own keys. */
	const json_val *v = parsed(x);
	assert_int_equal(json_type_of(json_get(v, STR("line_items"))), JSON_ARRAY);
	number_is(v, "status", 400);
	context_free(x);
	x = failed(DIALECT_BUSINESS, ERR_INVALID_TOKEN, NULL, "Given token not valid for any token type");
	text_is(parsed(x), "code", "token_not_valid");
	text_is(parsed(x), "detail", "Given token not valid for any token type");
	context_free(x);
}

static void
hostile_field_names_do_not_break_the_body(void **state)
{
	static const char *const names[] = { "a[", "a[x]", "[0]", "[-1]", "[99999999999999999999]", "a..b",
		".", "a[0][1].b", "]", "a[0]", "a.b", "\x01\"\\", "a[123456789]" };
	(void)state;
	for (int d = 0; d < DIALECT_COUNT; d++) {
		struct context *x = context_new(paths[d], "", NULL);
		struct err *e = NULL;
		for (size_t i = 0; i < COUNT(names); i++)
			err_add_field(x->arena, &e, str_from_cstr(names[i]), "Bad.");
		(void)api_fail(x->c, e);
		assert_non_null(json_get(parsed(x), STR("details")));
		context_free(x);
	}
}

static void
challenges(void **state)
{
	(void)state;
	for (int d = 0; d < DIALECT_COUNT; d++) {
		struct context *x = failed((enum dialect_id)d, ERR_UNAUTHENTICATED, NULL, "No.");
		const char *challenge = context_field(x, "WWW-Authenticate");
		assert_non_null(challenge);
		assert_int_equal(strncmp(challenge, d == DIALECT_ASSIGNMENTS ? "Basic " : "Bearer ", 6), 0);
		context_free(x);
		x = failed((enum dialect_id)d, ERR_NOT_FOUND, NULL, "No.");
		assert_null(context_field(x, "WWW-Authenticate"));
		context_free(x);
	}
}

static void
nothing_private_is_shown(void **state)
{
	(void)state;
	for (int d = 0; d < DIALECT_COUNT; d++) {
		struct context *x = context_new(paths[d], "", NULL);
		(void)api_fail(x->c, err_private(x->arena, ERR_INTERNAL, "SELECT secret FROM person"));
		assert_null(strstr(context_body(x), "SELECT"));
		assert_int_equal(x->p->answer.status, 500);
		context_free(x);
	}
}

/* ---- lists and records ---- */

static struct item
item_of(int64_t id)
{
	return (struct item){ .id = id, .version = 3, .name = STR("Bolt"), .amount = 5 };
}

static struct context *
listed(const char *path, const char *query, int64_t total)
{
	struct context *x = context_new(path, query, NULL);
	static struct item one;
	static void *records[1] = { &one };
	const struct res_page page = { .records = records, .count = 1, .total = total };
	struct list_query q;
	one = item_of(1);
	context_ok(api_list_query(x->c, &item_res, NULL, &q));
	(void)api_list(x->c, &q, &page);
	return x;
}

static void
list_shapes(void **state)
{
	(void)state;
	struct context *x = listed(paths[DIALECT_KPI], "skip=20&limit=10", 95);
	number_is(parsed(x), "total", 95);
	number_is(parsed(x), "page", 3);
	number_is(parsed(x), "pages", 10);
	assert_int_equal(json_count(json_get(parsed(x), STR("items"))), 1);
	context_free(x);
	x = listed(paths[DIALECT_CRM], "page=2&limit=20", 45);
	number_is(parsed(x), "status", 200);
	number_is(parsed(x), "count", 1);
	number_is(parsed(x), "page", 2);
	number_is(parsed(x), "limit", 20);
	number_is(parsed(x), "total", 45);
	text_is(parsed(x), "timestamp", "2024-06-15T09:00:00Z");
	assert_string_equal(context_field(x, "X-Total-Count"), "45");
	assert_string_equal(context_field(x, "X-Page-Count"), "3");
	context_free(x);
	x = listed(paths[DIALECT_RETRO], "", 1);
	assert_int_equal(json_type_of(parsed(x)), JSON_ARRAY);
	assert_string_equal(context_field(x, "X-Total-Count"), "1");
	context_free(x);
}

static void
links_of_business_keep_the_query(void **state)
{
	(void)state;
	struct context *x = listed("/api/invoices/", "status=active&page=2&page_size=10&search=a%26b", 25);
	number_is(parsed(x), "count", 25);
	text_is(parsed(x), "next",
		"http://api.example/api/invoices/?status=active&page=3&page_size=10&search=a%26b");
	text_is(parsed(x), "previous",
		"http://api.example/api/invoices/?status=active&page_size=10&search=a%26b");
	context_free(x);
	x = listed("/api/invoices/", "", 25);
	text_is(parsed(x), "next", "http://api.example/api/invoices/?page=2");
	assert_int_equal(json_type_of(json_get(parsed(x), STR("previous"))), JSON_NULL);
	context_free(x);
	x = listed("/api/invoices/", "page=4", 25);
	assert_int_equal(x->p->answer.status, 404);
	text_is(parsed(x), "detail", "Invalid page.");
	context_free(x);
	x = listed("/api/invoices/", "", 0);
	assert_int_equal(x->p->answer.status, 200);
	context_free(x);
	x = listed(paths[DIALECT_CRM], "page=40", 25);
	assert_int_equal(x->p->answer.status, 200);
	context_free(x);
}

static void
the_envelope_is_crms_alone(void **state)
{
	(void)state;
	for (int d = 0; d < DIALECT_COUNT; d++) {
		struct context *x = context_new(paths[d], "", NULL);
		const struct item item = item_of(9);
		(void)api_created(x->c, &item, STR("a b"));
		assert_int_equal(x->p->answer.status, 201);
		if (d == DIALECT_CRM) {
			number_is(parsed(x), "data.id", 9);
			number_is(parsed(x), "status", 201);
		} else {
			number_is(parsed(x), "id", 9);
		}
		const char *location = context_field(x, "Location");
		assert_non_null(location);
		const size_t n = strlen(paths[d]);
		const bool slash = paths[d][n - 1] == '/';
		assert_int_equal(strncmp(location, paths[d], n), 0);
		assert_string_equal(location + n, slash ? "a%20b/" : "/a%20b");
		context_free(x);
		x = context_new(paths[d], "", NULL);
		(void)api_no_content(x->c);
		assert_int_equal(x->p->answer.status, d == DIALECT_CRM ? 200 : 204);
		assert_int_equal(x->p->answer.body.n > 0, d == DIALECT_CRM);
		context_free(x);
	}
}

static void
members_are_hoisted_beside_the_envelopes_own(void **state)
{
	(void)state;
	struct context *x = context_new("/api/v1/i_auth", "", NULL);
	json_begin_object(&x->c->json);
	json_pair_str(&x->c->json, "token", STR("t"));
	json_pair_str(&x->c->json, "status", STR("mine"));
	json_key(&x->c->json, STR("list"));
	json_put_raw(&x->c->json, STR("[1,{\"a\":2.50}]"));
	json_end_object(&x->c->json);
	(void)api_json_hoisted(x->c, 200);
	const json_val *v = parsed(x);
	text_is(v, "token", "t");
	text_is(v, "data.token", "t");
	number_is(v, "status", 200);
	assert_non_null(strstr(context_body(x), "],\"timestamp\"") ? context_body(x)
								   : strstr(context_body(x), "2.50"));
	context_free(x);
}

static void
the_tag_names_version_and_content(void **state)
{
	(void)state;
	struct context *x = context_new(paths[DIALECT_KPI], "", NULL);
	struct item item = item_of(9);
	(void)api_record(x->c, &item);
	const struct str first = arena_str(x->arena, x->p->answer.etag);
	assert_true(str_starts_with(first, STR("\"3-")));
	struct context *y = context_new(paths[DIALECT_KPI], "", NULL);
	item.amount = 6;
	(void)api_record(y->c, &item);
	assert_true(str_starts_with(y->p->answer.etag, STR("\"3-")));
	assert_false(str_eq(first, y->p->answer.etag));
	context_free(x);
	context_free(y);
}

static void
a_handler_that_answers_with_a_failure_rolls_back(void **state)
{
	(void)state;
	struct context *x = context_new(paths[DIALECT_KPI], "", NULL);
	json_begin_object(&x->c->json);
	json_end_object(&x->c->json);
	(void)api_json(x->c, 200);
	assert_null(x->p->rollback);
	context_free(x);
	x = context_new(paths[DIALECT_KPI], "", NULL);
	json_begin_object(&x->c->json);
	json_end_object(&x->c->json);
	(void)api_json(x->c, 409);
	assert_non_null(x->p->rollback);
	context_free(x);
	x = failed(DIALECT_KPI, ERR_NOT_FOUND, NULL, "No.");
	assert_non_null(x->p->rollback);
	context_free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_speaks_its_dialect),
		cmocka_unit_test(every_error_has_every_contracts_keys),
		cmocka_unit_test(kpi_errors),
		cmocka_unit_test(assignments_errors),
		cmocka_unit_test(retro_errors),
		cmocka_unit_test(crm_errors),
		cmocka_unit_test(business_errors_nest_as_the_framework_nests),
		cmocka_unit_test(hostile_field_names_do_not_break_the_body),
		cmocka_unit_test(challenges),
		cmocka_unit_test(nothing_private_is_shown),
		cmocka_unit_test(list_shapes),
		cmocka_unit_test(links_of_business_keep_the_query),
		cmocka_unit_test(the_envelope_is_crms_alone),
		cmocka_unit_test(members_are_hoisted_beside_the_envelopes_own),
		cmocka_unit_test(the_tag_names_version_and_content),
		cmocka_unit_test(a_handler_that_answers_with_a_failure_rolls_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
