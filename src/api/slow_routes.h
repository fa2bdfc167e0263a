/*
 * Which reads have proved slow. SQLite's reads run on the threads that serve connections, because most of them are shorter than handing
 * them on; a list of millions is not, and everybody else on its thread would wait for it. Nobody can tell beforehand which it will be, so
 * a route whose last read took many steps has its next ones done by the slow pool, until a while has passed without such a read.
 */
#ifndef API_SLOW_ROUTES_H
#define API_SLOW_ROUTES_H

#include "api/router.h"

#define SLOW_READ_STEPS 100000 /* of SQLite's machine: some milliseconds */
#define SLOW_ROUTE_US	(60 * INSTANT_SECOND)

struct slow_routes;

struct slow_routes *slow_routes_new(struct arena *a, const struct router *r);
/* A read of the route has taken so many steps. now_us: monotonic. From any thread. */
void slow_routes_note(struct slow_routes *s, const struct route_entry *entry, int64_t steps, int64_t now_us);
bool slow_routes_have(struct slow_routes *s, const struct route_entry *entry, int64_t now_us);

#endif
