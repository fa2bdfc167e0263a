/*
 * The life of a request over a real socket and both databases: who may come in, what a failure takes back, what a key repeats, what a
 * cache may still say, and that bad input of every kind gets its own answer.
 */
#include "api/core.h"
#include "service.h"
#include <curl/curl.h>
#include <pthread.h>

static _Atomic int slow_runs;

/* Stores an item, then thinks better of it. */
static struct api_done *
half_done(struct api_ctx *c)
{
	struct item item = { .name = STR("half") };
	res_defaults(&c->res, &item_res, &item);
	item.name = STR("half");
	struct err *e = res_create(&c->res, &item_res, &item);
	return api_fail(c, e ? e : err_word(err_new(c->res.arena, ERR_CONFLICT, "Half done."), "HALF_DONE"));
}

/* The same with a body of its own. */
static struct api_done *
half_told(struct api_ctx *c)
{
	struct item item = { .name = STR("half") };
	res_defaults(&c->res, &item_res, &item);
	item.name = STR("half");
	struct err *e = res_create(&c->res, &item_res, &item);
	if (e)
		return api_fail(c, e);
	json_begin_object(&c->json);
	json_pair_str(&c->json, "told", STR("no"));
	json_end_object(&c->json);
	return api_json(c, 409);
}

static struct api_done *
slow_work(struct api_ctx *c)
{
	const int run = ++slow_runs;
	if (str_eq(api_param(c, "fail"), STR("1")))
		return api_fail(c, err_new(c->res.arena, ERR_CONFLICT, "No."));
	json_begin_object(&c->json);
	json_pair_int(&c->json, "run", run);
	json_end_object(&c->json);
	api_header(c, "Location", STR("/api/kpis/slow/1"));
	return api_json(c, 201);
}

/* Takes longer than the server is willing to drain in the test that asks for it. */
static struct api_done *
dawdle(struct api_ctx *c)
{
	const struct timespec pause = { .tv_nsec = 300000000 };
	nanosleep(&pause, NULL);
	return api_no_content(c);
}

static struct api_done *
echo(struct api_ctx *c)
{
	struct buf b;
	buf_init_arena(&b, c->res.arena, LIMIT_ANSWER_BYTES);
	json_write_val(&b, c->body);
	json_put_raw(&c->json, buf_str(&b));
	return api_json_bare(c, 200);
}

static struct api_done *
whoami(struct api_ctx *c)
{
	json_begin_object(&c->json);
	json_pair_str(&c->json, "username", c->actor.username);
	json_end_object(&c->json);
	return api_json(c, 200);
}

/* Reads as long as it is told to, and says where it ran. */
static struct api_done *
count_up(struct api_ctx *c)
{
	struct db_sql q = db_sql_make("test",
		STR("WITH RECURSIVE up(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM up WHERE i < $1) "
		    "SELECT CAST(COUNT(*) AS BIGINT) FROM up"),
		1);
	struct db_rows rows;
	int64_t to = 1;
	bool row;
	struct err *e = NULL;

	api_param_int(c, "to", 1, INT32_MAX, &to, &e);
	if (!e)
		e = DB_QUERY(c->res.tx, &q, &rows, P_INT(to));
	if (!e)
		e = db_next(&rows, &row);
	if (e)
		return api_fail(c, e);
	db_rows_close(&rows);
	json_begin_object(&c->json);
	json_pair_bool(&c->json, "slow", c->pipeline->place == PLACE_SLOW);
	json_end_object(&c->json);
	return api_json(c, 200);
}

#define ITEM .res = &item_res, .summary = "Item"
#define ROW(m, p, h, w, b)                                                                        \
	.method = HTTP_##m, .path = p, .handler = h, .perm = PERM_AUTHENTICATED, .work = API_##w, \
	.body = API_BODY_##b
static const struct api_route routes[] = {
	{ ROW(GET, "/api/kpis/items", api_res_list, READ, NONE), ITEM, .op = RES_LIST },
	{ ROW(POST, "/api/kpis/items", api_res_create, WRITE, JSON), ITEM, .op = RES_CREATE },
	{ ROW(GET, "/api/kpis/items/{id}", api_res_read, READ, NONE), ITEM, .op = RES_READ },
	{ ROW(PUT, "/api/kpis/items/{id}", api_res_replace, WRITE, JSON), ITEM, .op = RES_UPDATE },
	{ ROW(PATCH, "/api/kpis/items/{id}", api_res_merge, WRITE, JSON), ITEM, .op = RES_UPDATE },
	{ ROW(DELETE, "/api/kpis/items/{id}", api_res_delete, WRITE, NONE), ITEM, .op = RES_DELETE },
	{ ROW(POST, "/api/kpis/half", half_done, WRITE, JSON), .summary = "Half" },
	{ ROW(POST, "/api/kpis/told", half_told, WRITE, JSON), .summary = "Told" },
	{ ROW(POST, "/api/kpis/slow", slow_work, SLOW, JSON), .summary = "Slow" },
	{ ROW(POST, "/api/kpis/dawdle", dawdle, SLOW, JSON), .summary = "Dawdle" },
	{ ROW(POST, "/api/kpis/echo", echo, PLAIN, JSON), .summary = "Echo" },
	{ ROW(POST, "/api/kpis/form", echo, PLAIN, JSON_OR_FORM), .summary = "Form" },
	{ ROW(GET, "/api/kpis/count", count_up, READ, NONE), .summary = "Count" },
	{ ROW(GET, "/api/kpis/who", whoami, PLAIN, NONE), .summary = "Who" },
	{ ROW(GET, "/api/clients", api_res_list, READ, NONE), ITEM, .op = RES_LIST },
	{ ROW(GET, "/api/v1/kpi-management/who", whoami, PLAIN, NONE), .summary = "Who" },
	{ .method = HTTP_GET,
		.path = "/api/open",
		.handler = whoami,
		.perm = PERM_ANYONE,
		.work = API_PLAIN,
		.summary = "Open" },
	{ .method = HTTP_GET,
		.path = "/api/kpis/platform",
		.handler = whoami,
		.perm = PERM_BIT(PERM_SUPPORT),
		.work = API_PLAIN,
		.summary = "For one permission" },
};
static const struct api_routes table = { routes, COUNT(routes), "Tests", "" };
static const struct api_routes *const tables[] = { &table, NULL };

static int
start(void **state, enum db_kind kind)
{
	static const struct api_options options = { .tables = tables };
	if (!fixture_available(kind)) {
		*state = NULL;
		return 0;
	}
	*state = service_new(kind, &options);
	return 0;
}

static int
start_sqlite(void **state)
{
	return start(state, DB_SQLITE);
}

static int
start_postgres(void **state)
{
	return start(state, DB_POSTGRES);
}

static int
stop(void **state)
{
	if (*state)
		service_free(*state);
	return 0;
}

#define SERVICE                     \
	struct service *s = *state; \
	if (!s)                     \
	skip()

static int64_t
items(struct service *s, const char *where)
{
	char sql[200];
	assert_true(
		snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM item WHERE %s", where) < (int)sizeof(sql));
	return fixture_int(&s->db, arena_cstr(s->arena, arena_str(s->arena, str_from_cstr(sql))));
}

static void
contains(const struct reply *r, const char *text)
{
	if (!strstr(r->body, text))
		fail_msg("no %s in %s", text, r->body);
}

/* ---- who may come in ---- */

static void
only_those_who_are_known_come_in(void **state)
{
	SERVICE;
	struct reply r = service_ask(s, "GET", "/api/kpis/who", "", NULL);
	assert_int_equal(r.status, 401);
	assert_string_equal(reply_field(&r, "WWW-Authenticate"), "Bearer realm=\"api\"");
	contains(&r, "\"code\":\"UNAUTHENTICATED\"");
	reply_done(&r);
	r = service_ask(s, "GET", "/api/v1/kpi-management/who", "", NULL);
	assert_int_equal(strncmp(reply_field(&r, "WWW-Authenticate"), "Basic ", 6), 0);
	reply_done(&r);
	for (int i = 0; i < 3; i++) {
		r = service_ask(s, "GET", "/api/kpis/who", ADMIN, NULL);
		assert_int_equal(r.status, 200);
		contains(&r, "{\"username\":\"ada\"}");
		reply_done(&r);
	}
	service_expect(s, 401, "GET", "/api/kpis/who", "Authorization: Basic YWRhOndyb25n", NULL);
	service_expect(s, 401, "GET", "/api/kpis/who", "Authorization: Basic !!!", NULL);
	service_expect(s, 401, "GET", "/api/kpis/who", "Authorization: Bearer x.y.z", NULL);
	service_expect(s, 401, "GET", "/api/kpis/items", "Authorization: Bearer x.y.z", NULL);
	service_expect(s, 401, "POST", "/api/kpis/items", "Authorization: Bearer x.y.z", "{}");
	service_expect(s, 401, "POST", "/api/kpis/slow", "Authorization: Bearer x.y.z", "{}");
	service_expect(s, 401, "GET", "/api/kpis/who", "Authorization: Nonsense", NULL);
	service_expect(s, 401, "GET", "/api/kpis/who", "X-API-Key: nonsense", NULL);
	service_expect(s, 200, "GET", "/api/open", "Authorization: Bearer x.y.z", NULL);
}

/* ---- what takes long is done elsewhere ---- */

static void
count_runs(struct service *s, const char *path, bool slowly)
{
	struct reply r = service_ask(s, "GET", path, ADMIN, NULL);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, slowly ? "{\"slow\":true}" : "{\"slow\":false}");
	reply_done(&r);
}

/* Nobody on a server thread waits for a read that is known to take long; short ones stay where they are quickest. */
static void
reads_that_have_proved_slow_leave_the_server_threads(void **state)
{
	SERVICE;
	if (!db_reads_inline(s->db.db))
		skip();
	count_runs(s, "/api/kpis/count?to=1", false);
	count_runs(s, "/api/kpis/count?to=2", false);
	count_runs(s, "/api/kpis/count?to=100000", false);
	count_runs(s, "/api/kpis/count?to=3", true);
	/* With credentials that have to be looked up anew, too. */
	service_expect(s, 201, "POST", "/api/kpis/items", ADMIN, "{\"name\":\"between\"}");
	count_runs(s, "/api/kpis/count?to=4", true);
	service_expect(s, 401, "GET", "/api/kpis/count?to=5", "Authorization: Bearer x.y.z", NULL);
	service_expect(s, 400, "GET", "/api/kpis/count?to=none", ADMIN, NULL);
	service_expect(s, 200, "GET", "/api/kpis/items", ADMIN, NULL);
}

/* ---- a resource's life ---- */

static void
a_record_lives_and_its_versions_are_guarded(void **state)
{
	SERVICE;
	char path[100], match[200], tag[100];
	struct reply r = service_ask(s, "POST", "/api/kpis/items", ADMIN, "{\"name\":\"Bolt\",\"amount\":5}");
	assert_int_equal(r.status, 201);
	assert_true(snprintf(path, sizeof(path), "%s", reply_field(&r, "Location")) < (int)sizeof(path));
	assert_int_equal(strncmp(path, "/api/kpis/items/", 16), 0);
	assert_true(snprintf(tag, sizeof(tag), "%s", reply_field(&r, "ETag")) < (int)sizeof(tag));
	reply_done(&r);
	r = service_ask(s, "GET", path, ADMIN, NULL);
	assert_int_equal(r.status, 200);
	assert_string_equal(reply_field(&r, "ETag"), tag);
	reply_done(&r);
	assert_true(snprintf(match, sizeof(match), ADMIN "\nIf-None-Match: %s", tag) < (int)sizeof(match));
	r = service_ask(s, "GET", path, match, NULL);
	assert_int_equal(r.status, 304);
	assert_int_equal(strlen(r.body), 0);
	reply_done(&r);
	assert_true(snprintf(match, sizeof(match), ADMIN "\nIf-Match: %s", tag) < (int)sizeof(match));
	service_expect(s, 200, "PATCH", path, match, "{\"amount\":6}");
	service_expect(s, 412, "PATCH", path, match, "{\"amount\":7}");
	service_expect(s, 412, "PUT", path, match, "{\"name\":\"Nut\"}");
	service_expect(s, 412, "DELETE", path, match, NULL);
	service_expect(s, 200, "PATCH", path, ADMIN "\nIf-Match: \"9\", \"2\"", "{\"amount\":8}");
	service_expect(s, 400, "PUT", path, ADMIN, "{\"amount\":9}");
	r = service_ask(s, "PUT", path, ADMIN "\nIf-Match: *", "{\"name\":\"Nut\"}");
	assert_int_equal(r.status, 200);
	contains(&r, "\"amount\":8");
	reply_done(&r);
	service_expect(s, 204, "DELETE", path, ADMIN, NULL);
	service_expect(s, 404, "DELETE", path, ADMIN, NULL);
	service_expect(s, 404, "GET", path, ADMIN, NULL);
}

static void
what_failed_leaves_nothing(void **state)
{
	SERVICE;
	struct reply r = service_ask(s, "POST", "/api/kpis/half", ADMIN, "{}");
	assert_int_equal(r.status, 409);
	contains(&r, "\"code\":\"HALF_DONE\"");
	reply_done(&r);
	r = service_ask(s, "POST", "/api/kpis/told", ADMIN, "{}");
	assert_int_equal(r.status, 409);
	assert_string_equal(r.body, "{\"told\":\"no\"}");
	reply_done(&r);
	assert_int_equal(items(s, "name = 'half'"), 0);
}

static void
no_answer_is_older_than_the_last_change(void **state)
{
	SERVICE;
	char body[64];
	service_expect(s, 201, "POST", "/api/kpis/items", ADMIN, "{\"name\":\"cached\"}");
	for (int i = 0; i < 50; i++) {
		service_expect(s, 200, "GET", "/api/kpis/items?name=cached", ADMIN, NULL);
		struct reply r = service_ask(s, "GET", "/api/kpis/items?name=cached&limit=1", ADMIN, NULL);
		char *id = strstr(r.body, "\"id\":");
		assert_non_null(id);
		char path[100];
		assert_true(
			snprintf(path, sizeof(path), "/api/kpis/items/%ld", strtol(id + 5, NULL, 10)) > 0);
		reply_done(&r);
		assert_true(snprintf(body, sizeof(body), "{\"amount\":%d}", i) > 0);
		service_expect(s, 200, "PATCH", path, ADMIN, body);
		assert_true(snprintf(body, sizeof(body), "\"amount\":%d,", i) > 0);
		for (int again = 0; again < 3; again++) {
			r = service_ask(s, "GET", "/api/kpis/items?name=cached&limit=1", ADMIN, NULL);
			contains(&r, body);
			reply_done(&r);
		}
	}
}

/* ---- idempotency ---- */

#define KEY(k) ADMIN "\nIdempotency-Key: " k

static void
a_key_does_its_work_once(void **state)
{
	SERVICE;
	struct reply first = service_ask(s, "POST", "/api/kpis/items", KEY("once-1"), "{\"name\":\"once\"}");
	struct reply again = service_ask(s, "POST", "/api/kpis/items/", KEY("once-1"), "{\"name\":\"once\"}");
	assert_int_equal(first.status, 201);
	assert_int_equal(again.status, 201);
	assert_string_equal(first.body, again.body);
	assert_string_equal(reply_field(&first, "Idempotent-Replayed"), "");
	assert_string_equal(reply_field(&again, "Idempotent-Replayed"), "true");
	assert_int_equal(strncmp(reply_field(&again, "Location"), "/api/kpis/items/", 16), 0);
	assert_int_equal(reply_field(&again, "ETag")[0], '"');
	assert_int_equal(strncmp(reply_field(&again, "Content-Type"), "application/json", 16), 0);
	reply_done(&first);
	reply_done(&again);
	struct reply other = service_ask(s, "POST", "/api/kpis/items", KEY("once-1"), "{\"name\":\"other\"}");
	assert_int_equal(other.status, 422);
	contains(&other, "IDEMPOTENCY_MISMATCH");
	reply_done(&other);
	service_expect(s, 422, "POST", "/api/kpis/half", KEY("once-1"), "{\"name\":\"once\"}");
	assert_int_equal(items(s, "name IN ('once', 'other')"), 1);
	service_expect(s, 201, "POST", "/api/kpis/items", KEY("once-2"), "{\"name\":\"once\"}");
}

static void
a_failure_does_not_use_up_the_key(void **state)
{
	SERVICE;
	service_expect(s, 400, "POST", "/api/kpis/items", KEY("fail-1"), "{\"amount\":1}");
	service_expect(s, 201, "POST", "/api/kpis/items", KEY("fail-1"), "{\"name\":\"corrected\"}");
	service_expect(s, 409, "POST", "/api/kpis/half", KEY("fail-2"), "{}");
	service_expect(s, 409, "POST", "/api/kpis/half", KEY("fail-2"), "{}");
}

static void
bad_keys_are_refused(void **state)
{
	SERVICE;
	char header[400];
	memset(header, 'k', sizeof(header));
	header[snprintf(header, sizeof(header), KEY(""))] = 'k';
	header[sizeof(header) - 1] = 0;
	service_expect(s, 400, "POST", "/api/kpis/items", header, "{\"name\":\"bad key\"}");
	service_expect(s, 400, "POST", "/api/kpis/items", KEY("\xc3\xa4"), "{\"name\":\"bad key\"}");
	assert_int_equal(items(s, "name = 'bad key'"), 0);
}

static void
slow_work_is_repeated_by_its_answer_too(void **state)
{
	SERVICE;
	slow_runs = 0;
	struct reply r = service_ask(s, "POST", "/api/kpis/slow", KEY("slow-1"), "{}");
	assert_int_equal(r.status, 201);
	reply_done(&r);
	r = service_ask(s, "POST", "/api/kpis/slow", KEY("slow-1"), "{}");
	assert_int_equal(r.status, 201);
	assert_string_equal(r.body, "{\"run\":1}");
	assert_string_equal(reply_field(&r, "Location"), "/api/kpis/slow/1");
	reply_done(&r);
	assert_int_equal(slow_runs, 1);
	service_expect(s, 422, "POST", "/api/kpis/slow?fail=1", KEY("slow-1"), "{}");
	service_expect(s, 409, "POST", "/api/kpis/slow?fail=1", KEY("slow-2"), "{}");
	service_expect(s, 409, "POST", "/api/kpis/slow?fail=1", KEY("slow-2"), "{}");
	assert_int_equal(slow_runs, 3);
}

static void *
post_once(void *arg)
{
	struct service *s = arg;
	struct reply r =
		service_ask(s, "POST", "/api/kpis/items", KEY("together"), "{\"name\":\"together\"}");
	const long status = r.status;
	reply_done(&r);
	return (void *)(intptr_t)status;
}

static void
the_same_key_at_once_does_its_work_once(void **state)
{
	pthread_t threads[8];
	SERVICE;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_once, s), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *status;
		pthread_join(threads[i], &status);
		assert_int_equal((intptr_t)status, 201);
	}
	assert_int_equal(items(s, "name = 'together'"), 1);
}

/* ---- input of every kind ---- */

static void
paths_and_methods(void **state)
{
	SERVICE;
	service_expect(s, 404, "GET", "/api/kpis/items/1/2", ADMIN, NULL);
	service_expect(s, 404, "GET", "/api/kpis/items/999999999999999999999999", ADMIN, NULL);
	service_expect(s, 404, "GET", "/api/kpis/items/abc", ADMIN, NULL);
	service_expect(s, 404, "GET", "/api/kpis/items/%00", ADMIN, NULL);
	service_expect(s, 404, "GET", "//", ADMIN, NULL);
	struct reply r = service_ask(s, "DELETE", "/api/kpis/items", ADMIN, NULL);
	assert_int_equal(r.status, 405);
	assert_string_equal(reply_field(&r, "Allow"), "GET, HEAD, POST, OPTIONS");
	contains(&r, "Method \\\"DELETE\\\" not allowed.");
	reply_done(&r);
	r = service_ask(s, "OPTIONS", "/api/kpis/items/4", "", NULL);
	assert_int_equal(r.status, 204);
	assert_string_equal(reply_field(&r, "Allow"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
	reply_done(&r);
	r = service_ask(s, "OPTIONS", "*", "", NULL);
	assert_int_equal(r.status, 204);
	assert_non_null(strstr(reply_field(&r, "Allow"), "PATCH"));
	reply_done(&r);
	service_expect(s, 404, "OPTIONS", "/nowhere", "", NULL);
	r = service_ask(s, "HEAD", "/api/kpis/items", ADMIN, NULL);
	assert_int_equal(r.status, 200);
	assert_int_equal(strlen(r.body), 0);
	assert_true(strtol(reply_field(&r, "Content-Length"), NULL, 10) > 0);
	reply_done(&r);
	service_expect(s, 405, "BREW", "/api/kpis/items", ADMIN, NULL);
}

static void
bodies(void **state)
{
	SERVICE;
	struct reply r = service_ask(s, "POST", "/api/kpis/echo", ADMIN "\nContent-Type: text/plain", "{}");
	assert_int_equal(r.status, 415);
	contains(&r, "Unsupported media type \\\"text/plain\\\" in request.");
	reply_done(&r);
	service_expect(s, 415, "POST", "/api/kpis/echo",
		ADMIN "\nContent-Type: application/x-www-form-urlencoded", "a=1");
	service_expect(s, 200, "POST", "/api/kpis/echo",
		ADMIN "\nContent-Type: application/merge-patch+json; x=y", "{}");
	service_expect(s, 200, "POST", "/api/kpis/echo", ADMIN "\nContent-Type:", "{}");
	r = service_ask(s, "POST", "/api/kpis/echo", ADMIN, "{\"a\":NaN}");
	assert_int_equal(r.status, 400);
	contains(&r, "JSON parse error");
	reply_done(&r);
	r = service_ask(s, "POST", "/api/kpis/echo", ADMIN, "");
	assert_string_equal(r.body, "{}");
	reply_done(&r);
	r = service_ask(s, "POST", "/api/kpis/form",
		ADMIN "\nContent-Type: application/x-www-form-urlencoded", "user=a%20b&x=%C3%A4");
	assert_string_equal(r.body, "{\"user\":\"a b\",\"x\":\"\xc3\xa4\"}");
	reply_done(&r);
	service_expect(s, 400, "POST", "/api/kpis/form",
		ADMIN "\nContent-Type: application/x-www-form-urlencoded", "a=%FF");
	r = service_ask(s, "POST", "/api/kpis/form", ADMIN "\nContent-Type: multipart/form-data; boundary=B",
		"--B\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nada\r\n--B--\r\n");
	assert_string_equal(r.body, "{\"user\":\"ada\"}");
	reply_done(&r);
	service_expect(s, 400, "POST", "/api/kpis/form",
		ADMIN "\nContent-Type: multipart/form-data; boundary=B", "--C\r\n");
	service_expect(s, 400, "POST", "/api/kpis/items", ADMIN, "[1]");
	service_expect(s, 201, "POST", "/api/kpis/items", ADMIN, "{\"name\":\"lax\",\"unknown\":1}");
	service_expect(
		s, 400, "POST", "/api/kpis/items?strict=1", ADMIN, "{\"name\":\"strict\",\"unknown\":1}");
	assert_int_equal(items(s, "name = 'strict'"), 0);
}

static void
too_large_a_body_is_413_in_the_dialect(void **state)
{
	SERVICE;
	char *large = calloc(1, LIMIT_BODY_BYTES + 2);
	memset(large, ' ', LIMIT_BODY_BYTES + 1);
	struct reply r = service_send(s, "POST", "/api/kpis/echo", ADMIN "\nContent-Type: application/json",
		(struct str){ large, LIMIT_BODY_BYTES + 1 });
	assert_int_equal(r.status, 413);
	contains(&r, "\"code\":\"TOO_LARGE\"");
	reply_done(&r);
	free(large);
}

static void
queries(void **state)
{
	SERVICE;
	char path[2000] = "/api/kpis/items?a=1";
	service_expect(s, 400, "GET", "/api/kpis/items?a=%FF", ADMIN, NULL);
	service_expect(s, 400, "GET", "/api/kpis/items?limit=0", ADMIN, NULL);
	service_expect(s, 200, "GET", "/api/kpis/items?unknown=%20&&=&x", ADMIN, NULL);
	service_expect(s, 200, "GET", "/api/kpis/items?search=%25_%22%27&skip=100000000000", ADMIN, NULL);
	size_t n = strlen(path);
	for (int i = 0; i < 101; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "&p%d=1", i);
	service_expect(s, 400, "GET", path, ADMIN, NULL);
	service_expect(s, 404, "GET", "/api/clients/?page=999999", ADMIN, NULL);
	service_expect(s, 200, "GET", "/api/clients/?page=last&page_size=2", ADMIN, NULL);
}

/* ---- a database that fails ---- */

/* Meets the next calls of this sort. */
static void
plan(struct db_faults *faults, struct db_fault *fault, enum db_fault_at at, enum db_fault_kind kind,
	int times)
{
	*fault = (struct db_fault){
		.at = at, .kind = kind, .first = atomic_load(&faults->seen[at]) + 1, .times = times
	};
	faults->list = fault;
	faults->count = 1;
}

static void
faults_of(enum db_kind kind)
{
	static const struct api_options options = { .tables = tables };
	struct db_faults faults = { 0 };
	struct db_fault fault;
	if (!fixture_available(kind))
		skip();
	struct service *s = service_new_faulty(kind, &options, &faults);
	service_expect(s, 200, "GET", "/api/kpis/who", ADMIN, NULL);

	/* A write that has to run again is told once, as one. */
	plan(&faults, &fault, DB_AT_COMMIT, DB_FAULT_BUSY, 2);
	service_expect(s, 201, "POST", "/api/kpis/items", KEY("busy"), "{\"name\":\"busy\"}");
	assert_int_equal(items(s, "name = 'busy'"), 1);

	plan(&faults, &fault, DB_AT_COMMIT, DB_FAULT_FULL, 1);
	struct reply r = service_ask(s, "POST", "/api/kpis/items", ADMIN, "{\"name\":\"full\"}");
	assert_int_equal(r.status, 503);
	contains(&r, "\"code\":\"UNAVAILABLE\"");
	assert_string_equal(reply_field(&r, "Retry-After"), "1");
	assert_string_equal(reply_field(&r, "Location"), "");
	reply_done(&r);
	assert_int_equal(items(s, "name = 'full'"), 0);

	if (kind == DB_POSTGRES) {
		/* The change is there although nobody could say so; the same key finds its answer. */
		plan(&faults, &fault, DB_AT_COMMIT, DB_FAULT_LOST_AFTER, 1);
		r = service_ask(s, "POST", "/api/kpis/items", KEY("lost"), "{\"name\":\"lost\"}");
		assert_int_equal(r.status, 503);
		contains(&r, "\"code\":\"COMMIT_UNKNOWN\"");
		reply_done(&r);
		r = service_ask(s, "POST", "/api/kpis/items", KEY("lost"), "{\"name\":\"lost\"}");
		assert_int_equal(r.status, 201);
		assert_string_equal(reply_field(&r, "Idempotent-Replayed"), "true");
		reply_done(&r);
		assert_int_equal(items(s, "name = 'lost'"), 1);
	}
	faults.count = 0;
	service_free(s);
}

static void
what_a_failing_database_did_is_told_truly_on_sqlite(void **state)
{
	(void)state;
	faults_of(DB_SQLITE);
}

static void
what_a_failing_database_did_is_told_truly_on_postgres(void **state)
{
	(void)state;
	faults_of(DB_POSTGRES);
}

/* ---- limits ---- */

static void
rates_are_limited_and_told(void **state)
{
	/* Standing still within a window, whatever time it is outside. */
	const struct clock noon = clock_fixed((struct instant){ 1784894400LL * INSTANT_SECOND });
	struct api_options options = { .tables = tables, .clock = &noon };
	(void)state;
	options.rates.limits[RATE_BUSINESS_ADMIN] = 3;
	options.rates.limits[RATE_BUSINESS_ANONYMOUS] = 2;
	struct service *s = service_new(DB_SQLITE, &options);
	for (int left = 2; left >= 0; left--) {
		struct reply r = service_ask(s, "GET", "/api/clients/", ADMIN, NULL);
		assert_int_equal(r.status, 200);
		assert_string_equal(reply_field(&r, "X-RateLimit-Limit"), "3");
		assert_int_equal(strtol(reply_field(&r, "X-RateLimit-Remaining"), NULL, 10), left);
		assert_true(strtol(reply_field(&r, "X-RateLimit-Reset"), NULL, 10) > 1700000000);
		reply_done(&r);
	}
	struct reply r = service_ask(s, "GET", "/api/clients/", ADMIN, NULL);
	assert_int_equal(r.status, 429);
	assert_true(strtol(reply_field(&r, "Retry-After"), NULL, 10) > 0);
	assert_string_equal(reply_field(&r, "X-RateLimit-Remaining"), "0");
	contains(&r, "Request was throttled. Expected available in ");
	reply_done(&r);
	/* Failed logins count for the address; other contracts are not limited. */
	service_expect(s, 401, "GET", "/api/clients/", "", NULL);
	service_expect(s, 401, "GET", "/api/clients/", "Authorization: Bearer x", NULL);
	service_expect(s, 429, "GET", "/api/clients/", "", NULL);
	r = service_ask(s, "GET", "/api/kpis/who", ADMIN, NULL);
	assert_int_equal(r.status, 200);
	assert_string_equal(reply_field(&r, "X-RateLimit-Limit"), "");
	reply_done(&r);
	service_free(s);
}

/* The server may end before it answers, so the outcome does not matter. */
static void *
ask_the_dawdler(void *arg)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *list = curl_slist_append(NULL, ADMIN);
	char url[200];
	assert_true(snprintf(url, sizeof(url), "%s/api/kpis/dawdle", (const char *)arg) < (int)sizeof(url));
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_perform(curl);
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	return NULL;
}

static void
stopping_waits_for_work_that_outlives_the_drain(void **state)
{
	static const struct api_options options = { .tables = tables, .slow_threads = 2 };
	(void)state;
	struct service *s = service_new(DB_SQLITE, &options);
	pthread_t threads[6];
	const struct timespec pause = { .tv_nsec = 100000000 };
	char url[200]; /* the service's own ends with it */
	assert_true(snprintf(url, sizeof(url), "%.*s", STR_ARG(s->url)) < (int)sizeof(url));
	service_expect(s, 200, "GET", "/api/kpis/who", ADMIN, NULL);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_the_dawdler, url), 0);
	nanosleep(&pause, NULL);
	s->drain_ms = 1;
	service_free(s);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
}

#define ALL_TESTS(X)                                            \
	X(only_those_who_are_known_come_in)                     \
	X(reads_that_have_proved_slow_leave_the_server_threads) \
	X(a_record_lives_and_its_versions_are_guarded)          \
	X(what_failed_leaves_nothing)                           \
	X(no_answer_is_older_than_the_last_change)              \
	X(a_key_does_its_work_once)                             \
	X(a_failure_does_not_use_up_the_key)                    \
	X(bad_keys_are_refused)                                 \
	X(slow_work_is_repeated_by_its_answer_too)              \
	X(the_same_key_at_once_does_its_work_once)              \
	X(paths_and_methods)                                    \
	X(bodies)                                               \
	X(too_large_a_body_is_413_in_the_dialect)               \
	X(queries)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST_ROW(test) cmocka_unit_test(test),
		ALL_TESTS(TEST_ROW)
#undef TEST_ROW
	};
	static const struct CMUnitTest alone[] = {
		cmocka_unit_test(rates_are_limited_and_told),
		cmocka_unit_test(stopping_waits_for_work_that_outlives_the_drain),
		cmocka_unit_test(what_a_failing_database_did_is_told_truly_on_sqlite),
		cmocka_unit_test(what_a_failing_database_did_is_told_truly_on_postgres),
	};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int failed = cmocka_run_group_tests_name("SQLite", tests, start_sqlite, stop);
	failed += cmocka_run_group_tests_name("PostgreSQL", tests, start_postgres, stop);
	failed += cmocka_run_group_tests_name("alone", alone, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
