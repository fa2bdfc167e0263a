/* Wires the interface together and takes it apart in the opposite order: first no new requests, then what is under way, then the pools. */
#include "api/core.h"
#include "base/hash.h"
#include "codec/gzip.h"
#include "domain/kpi/prediction_cache.h"
#include <time.h>

/* Routes that say so take uploads of this size; a few copies of one fit the request's arena. */
#define STREAMED_BODY_BYTES (32u << 20)
#define LATE_ANSWER_MS	    5000 /* behind the drain, for work that the database or the slow pool still does */
#define GZIP_LEVEL	    9	 /* once, at start */
#define STREAM_THREADS	    2	 /* of the streams' hub: they only move bytes */

static size_t
body_limit(void *arg, enum http_method method, struct str path)
{
	const struct api *api = arg;
	if (method == HTTP_GET)
		return 0;
	return router_streams(api->router, method, path) ? STREAMED_BODY_BYTES : 0;
}

/* The description with its compressed form and tag, so that serving it costs nothing. */
static void
describe(struct api *api, struct arena *a)
{
	const struct str text = openapi_write(a, api->router, api_version);
	struct buf packed;
	buf_init_arena(&packed, a, text.n);
	const bool shorter = gzip_compress(&packed, text, GZIP_LEVEL);
	api->openapi = (struct asset){ .name = STR("openapi.json"),
		.content_type = STR("application/json"),
		.bytes = text,
		.gzip = shorter ? buf_str(&packed) : (struct str){ NULL, 0 },
		.etag = arena_fmt(a, "\"%016llx\"", (unsigned long long)hash_bytes(text, 0)) };
}

/* What the routes show, and what events hold: the resources by their own names. */
static struct res_plans *
plans_new(struct arena *a, const struct router *router)
{
	struct res_plans *plans = res_plans_new(a);
	for (const struct res_def *const *def = api_resources; *def; def++)
		res_plans_add(plans, *def, NULL);
	for (size_t i = 0; i < router_count(router); i++) {
		const struct api_route *route = router_entry(router, i)->route;
		if (!route->res)
			continue;
		res_plans_add(plans, route->res, NULL);
		res_plans_add(plans, route->res, route->view);
	}
	return plans;
}

static void
free_parts(struct api *api)
{
	stream_hub_free(api->streams);
	rate_limiter_free(api->limiter);
	answer_cache_free(api->cache);
	prediction_cache_free(api->predictions);
}

static struct err *
start_serving(struct arena *a, struct api *api)
{
	struct http_options http = api->options.http;
	http.handler = api_on_request;
	http.fault = api_on_fault;
	http.body_limit = body_limit;
	http.arg = api;
	if (api->options.live)
		TRY(stream_hub_start(a, STREAM_THREADS, &api->streams));
	return http_server_start(a, &http, &api->http);
}

struct err *
api_start(struct arena *a, const struct api_options *o, struct api **out)
{
	struct api *api = arena_new_of(a, struct api);
	api->options = *o;
	if (api->options.http.threads < 1)
		api->options.http.threads = 1;
	api->started = o->clock->now(o->clock);
	TRY(router_new(a, o->tables ? o->tables : api_route_tables, &api->router));
	describe(api, a);
	api->plans = plans_new(a, api->router);
	TRY(slow_pool_start(a, o->slow_threads > 0 ? o->slow_threads : 2, LIMIT_SLOW_QUEUE, &api->slow));
	if (db_reads_inline(o->db))
		api->slow_routes = slow_routes_new(a, api->router);
	if (!o->no_rate_limit)
		api->limiter = rate_limiter_new(&o->rates);
	if (!o->no_answer_cache && db_kind(o->db) == DB_SQLITE)
		api->cache = answer_cache_new(api->options.http.threads);
	api->predictions = prediction_cache_new();
	struct err *e = start_serving(a, api);
	if (e) {
		slow_pool_stop(api->slow);
		free_parts(api);
		return e;
	}
	*out = api;
	return NULL;
}

struct http_server *
api_http(struct api *api)
{
	return api->http;
}

/* Whether every request that was handed to another thread has come back. */
static bool
all_came_back(struct api *api, int wait_ms)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	for (; atomic_load(&api->handed_on) > 0 && wait_ms > 0; wait_ms--)
		nanosleep(&pause, NULL);
	return atomic_load(&api->handed_on) == 0;
}

void
api_stop(struct api *api, int drain_ms)
{
	http_server_stop(api->http, drain_ms);
	slow_pool_stop(api->slow);
	if (!all_came_back(api, LATE_ANSWER_MS)) {
		/* A database that does not answer still holds their exchanges: what they stand on must stay. */
		LOG(LOG_WARN, "requests were still under way at the end",
			L_INT("count", atomic_load(&api->handed_on)));
		return;
	}
	http_server_free(api->http);
	free_parts(api);
}

struct err *
api_describe(struct arena *a, struct str *out)
{
	struct router *router = NULL;
	TRY(router_new(a, api_route_tables, &router));
	*out = openapi_write(a, router, api_version);
	return NULL;
}
