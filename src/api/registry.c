/* The list of everything that is served. A domain joins with its lines here. */
#include "api/registry.h"
#include "domain/integration/webhook.h"
#include "domain/kpi/assignment.h"

const struct res_def *const api_resources[] = {
	&kpi_res,
	&assignment_res,
	&webhook_res,
	NULL,
};

const struct api_routes *const api_route_tables[] = {
	&page_routes,
	&system_routes,
	&kpi_routes,
	&value_routes,
	&assignment_routes,
	&employee_assignment_routes,
	&webhook_routes,
	NULL,
};
