/* Wires the interface together and takes it apart in the opposite order: first no new requests, then what is under way, then the pools. */
#include "api/core.h"
#include "domain/kpi/prediction_cache.h"

#define STREAMED_BODY_BYTES (64u << 20) /* routes that say so take uploads of this size */

static size_t
body_limit(void *arg, enum http_method method, struct str path)
{
	const struct api *api = arg;
	if (method == HTTP_GET)
		return 0;
	return router_streams(api->router, method, path) ? STREAMED_BODY_BYTES : 0;
}

struct err *
api_start(struct arena *a, const struct api_options *o, struct api **out)
{
	struct api *api = arena_new_of(a, struct api);
	api->options = *o;
	api->started = o->clock->now(o->clock);
	TRY(router_new(a, o->tables ? o->tables : api_route_tables, &api->router));
	api->openapi = openapi_write(a, api->router, api_version);
	TRY(slow_pool_start(a, o->slow_threads > 0 ? o->slow_threads : 2, LIMIT_SLOW_QUEUE, &api->slow));
	if (!o->no_rate_limit)
		api->limiter = rate_limiter_new(&o->rates);
	if (!o->no_answer_cache && db_kind(o->db) == DB_SQLITE)
		api->cache = answer_cache_new(o->http.threads);
	api->predictions = prediction_cache_new();
	struct http_options http = o->http;
	http.handler = api_on_request;
	http.fault = api_on_fault;
	http.body_limit = body_limit;
	http.arg = api;
	struct err *e = http_server_start(a, &http, &api->http);
	if (e) {
		slow_pool_stop(api->slow);
		rate_limiter_free(api->limiter);
		answer_cache_free(api->cache);
		prediction_cache_free(api->predictions);
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

void
api_stop(struct api *api, int drain_ms)
{
	http_server_stop(api->http, drain_ms);
	slow_pool_stop(api->slow);
	http_server_free(api->http);
	rate_limiter_free(api->limiter);
	answer_cache_free(api->cache);
	prediction_cache_free(api->predictions);
}

struct err *
api_describe(struct arena *a, struct str *out)
{
	struct router *router = NULL;
	TRY(router_new(a, api_route_tables, &router));
	*out = openapi_write(a, router, api_version);
	return NULL;
}
