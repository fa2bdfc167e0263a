/* Which route a path finds: literals before parameters, both slash forms, escapes, methods, and tables that must not start. */
#include "context.h"

static struct api_done *
nothing(struct api_ctx *c)
{
	return api_no_content(c);
}

#define ROUTE(m, p)                                                                                  \
	{                                                                                            \
		.method = HTTP_##m, .path = p, .handler = nothing, .perm = PERM_ANYONE, .summary = p \
	}

static const struct api_route sample[] = {
	ROUTE(GET, "/"),
	ROUTE(GET, "/api/kpis"),
	ROUTE(POST, "/api/kpis"),
	ROUTE(GET, "/api/kpis/{kpi_id}"),
	ROUTE(PUT, "/api/kpis/{kpi_id}"),
	ROUTE(GET, "/api/kpis/{kpi_id}/assignments/{assignment_id}"),
	ROUTE(GET, "/api/kpis/campaigns/{campaign_id}"),
	ROUTE(GET, "/api/v1/folders"),
	ROUTE(GET, "/api/v1/folders/{path*}"),
};

struct setup {
	struct arena *a;
	struct router *r;
};

static struct err *
build(struct arena *a, const struct api_route *routes, size_t count, struct router **r)
{
	struct api_routes *table = arena_new_of(a, struct api_routes);
	const struct api_routes **tables = arena_alloc_array(a, 2, sizeof(*tables));
	*table = (struct api_routes){ routes, count, "Tests", "" };
	tables[0] = table;
	return router_new(a, tables, r);
}

static int
start(void **state)
{
	struct arena *a = arena_new(1u << 20);
	struct setup *s = arena_new_of(a, struct setup);
	s->a = a;
	context_ok(build(a, sample, COUNT(sample), &s->r));
	*state = s;
	return 0;
}

static int
stop(void **state)
{
	arena_free(((struct setup *)*state)->a);
	return 0;
}

/* The path of the route found, or "404" or "405". */
static const char *
found(void **state, enum http_method m, const char *path, struct route_match *match)
{
	struct setup *s = *state;
	memset(match, 0, sizeof(*match));
	switch (router_find(s->r, s->a, m, str_from_cstr(path), match)) {
	case ROUTE_FOUND:
		return match->entry->route->path;
	case ROUTE_UNKNOWN_PATH:
		return "404";
	case ROUTE_WRONG_METHOD:
		return "405";
	}
	return "";
}

static void
both_slash_forms_find_the_route(void **state)
{
	struct route_match m;
	assert_string_equal(found(state, HTTP_GET, "/api/kpis", &m), "/api/kpis");
	assert_string_equal(found(state, HTTP_GET, "/api/kpis/", &m), "/api/kpis");
	assert_string_equal(found(state, HTTP_GET, "/", &m), "/");
	assert_string_equal(found(state, HTTP_GET, "/api/kpis//", &m), "404");
	assert_string_equal(found(state, HTTP_GET, "//", &m), "404");
	assert_string_equal(found(state, HTTP_GET, "*", &m), "404");
	assert_string_equal(found(state, HTTP_GET, "", &m), "404");
}

static void
literals_beat_parameters_and_give_way_where_they_end(void **state)
{
	struct route_match m;
	assert_string_equal(
		found(state, HTTP_GET, "/api/kpis/campaigns/5", &m), "/api/kpis/campaigns/{campaign_id}");
	assert_true(str_eq(m.params[0], STR("5")));
	assert_string_equal(found(state, HTTP_GET, "/api/kpis/campaigns", &m), "/api/kpis/{kpi_id}");
	assert_true(str_eq(m.params[0], STR("campaigns")));
	assert_string_equal(found(state, HTTP_GET, "/api/kpis/campaigns/assignments/a1", &m),
		"/api/kpis/{kpi_id}/assignments/{assignment_id}");
	assert_true(str_eq(m.params[0], STR("campaigns")));
	assert_true(str_eq(m.params[1], STR("a1")));
}

static void
parameters_are_decoded_and_bad_escapes_find_nothing(void **state)
{
	struct route_match m;
	assert_string_equal(found(state, HTTP_GET, "/api/kpis/a%2Fb%20c+d", &m), "/api/kpis/{kpi_id}");
	assert_true(str_eq(m.params[0], STR("a/b c+d")));
	assert_string_equal(found(state, HTTP_GET, "/api/%6Bpis/x", &m), "/api/kpis/{kpi_id}");
	assert_string_equal(found(state, HTTP_GET, "/api/kpis/%zz", &m), "404");
	assert_string_equal(found(state, HTTP_GET, "/api/kpis/%00", &m), "404");
	assert_string_equal(found(state, HTTP_GET, "/api/kpis/%FF", &m), "404");
}

static void
the_rest_of_a_path_is_one_parameter(void **state)
{
	struct route_match m;
	assert_string_equal(
		found(state, HTTP_GET, "/api/v1/folders/a/b%20c/d/", &m), "/api/v1/folders/{path*}");
	assert_true(str_eq(m.params[0], STR("a/b c/d")));
	assert_string_equal(found(state, HTTP_GET, "/api/v1/folders/", &m), "/api/v1/folders");
}

static void
another_method_is_told_what_there_is(void **state)
{
	struct route_match m;
	assert_string_equal(found(state, HTTP_DELETE, "/api/kpis", &m), "405");
	assert_true(str_eq(m.allow, STR("GET, HEAD, POST, OPTIONS")));
	assert_string_equal(found(state, HTTP_OPTIONS, "/api/kpis/x/", &m), "405");
	assert_true(str_eq(m.allow, STR("GET, HEAD, PUT, OPTIONS")));
	assert_string_equal(found(state, HTTP_OTHER, "/api/v1/folders/x", &m), "405");
}

static void
very_long_paths_find_nothing(void **state)
{
	struct route_match m;
	char path[4001];
	memset(path, '/', sizeof(path) - 1);
	for (size_t i = 1; i < sizeof(path) - 1; i += 2)
		path[i] = 'a';
	path[sizeof(path) - 1] = 0;
	assert_string_equal(found(state, HTTP_GET, path, &m), "404");
}

static void
bad_tables_do_not_start(void **state)
{
	static const struct api_route bad[] = {
		{ .method = HTTP_GET, .path = "/a", .handler = nothing, .summary = "no permission" },
		{ .method = HTTP_GET, .path = "/a", .perm = PERM_ANYONE, .summary = "no handler" },
		{ .method = HTTP_GET, .path = "/a", .handler = nothing, .perm = PERM_ANYONE },
		ROUTE(GET, "a"),
		ROUTE(GET, "/a/"),
		ROUTE(GET, "/a//b"),
		ROUTE(GET, "/{a*}/b"),
		ROUTE(HEAD, "/a"),
		ROUTE(OPTIONS, "/a"),
		ROUTE(GET, "/{a}/{b}/{c}/{d}/{e}"),
	};
	struct setup *s = *state;
	struct router *r;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err *e = build(s->a, &bad[i], 1, &r);
		if (!e)
			fail_msg("row %zu started", i);
		assert_int_equal(e->code, ERR_INVALID_INPUT);
	}
	const struct api_route twice[] = { ROUTE(GET, "/a/{x}"), ROUTE(GET, "/a/{y}") };
	assert_non_null(build(s->a, twice, 2, &r));
	const struct api_route apart[] = { ROUTE(GET, "/a/{x}"), ROUTE(PUT, "/a/{y}") };
	context_ok(build(s->a, apart, 2, &r));
}

static void
every_registered_route_is_well_made(void **state)
{
	struct setup *s = *state;
	struct router *r;
	context_ok(router_new(s->a, api_route_tables, &r));
	assert_true(router_count(r) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_slash_forms_find_the_route),
		cmocka_unit_test(literals_beat_parameters_and_give_way_where_they_end),
		cmocka_unit_test(parameters_are_decoded_and_bad_escapes_find_nothing),
		cmocka_unit_test(the_rest_of_a_path_is_one_parameter),
		cmocka_unit_test(another_method_is_told_what_there_is),
		cmocka_unit_test(very_long_paths_find_nothing),
		cmocka_unit_test(bad_tables_do_not_start),
		cmocka_unit_test(every_registered_route_is_well_made),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
