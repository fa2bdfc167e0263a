/* The list of everything that is served. A domain joins with its lines here. */
#include "api/registry.h"

const struct res_def *const api_resources[] = {
	NULL,
};

const struct api_routes *const api_route_tables[] = {
	&page_routes,
	&system_routes,
	NULL,
};
