/*
 * The router: route tables compiled into a tree of path segments. A literal segment beats a parameter, both slash forms match, and a
 * path that exists under other methods tells which ones it has. Built once at start, read by all threads without a lock.
 */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/dialect.h"
#include "api/rate_limit.h"
#include "api/registry.h"

/* A route as compiled: what would otherwise be looked up with each request. */
struct route_entry {
	const struct api_route *route;
	const struct dialect *dialect;
	const struct api_routes *table;
	enum rate_kind rate;
	size_t version_offset; /* of the record's version member */
	bool has_version;
	size_t param_count;
	struct str param_names[API_PATH_PARAMS_MAX];
};

struct router;

/* INVALID_INPUT naming the route: no permission or handler, a bad path, a path and method that another route has already. */
struct err *router_new(struct arena *a, const struct api_routes *const *tables, struct router **out) MUST_USE;

enum route_result { ROUTE_FOUND, ROUTE_UNKNOWN_PATH, ROUTE_WRONG_METHOD };

struct route_match {
	const struct route_entry *entry;
	struct str params[API_PATH_PARAMS_MAX]; /* decoded, on the arena or borrowed from path */
	struct str allow;			/* for WRONG_METHOD: "GET, HEAD, POST, OPTIONS" */
};
/* path: undecoded. allocates only for escaped segments. */
enum route_result router_find(const struct router *r, struct arena *a, enum http_method method,
	struct str path, struct route_match *out);

/* Whether the path's route takes bodies beyond the usual limit. */
bool router_streams(const struct router *r, enum http_method method, struct str path);

/* All routes in the order of their tables, for the description. */
size_t router_count(const struct router *r);
const struct route_entry *router_entry(const struct router *r, size_t index);

#endif
