/*
 * Joining is explicit: registry.c lists every resource and every table of routes; nothing registers itself.
 */
#ifndef API_REGISTRY_H
#define API_REGISTRY_H

#include "api/api.h"

struct api_routes {
	const struct api_route *routes;
	size_t count;
	const char *tag; /* heading in the description */
};
/* Every resource: NULL-terminated. */
extern const struct res_def *const api_resources[];
extern const struct api_routes api_route_tables[];
extern const size_t api_route_table_count;

#endif
