/*
 * Joining is explicit: registry.c lists every resource and every table of routes; nothing registers itself. A domain's handlers and
 * their table live in src/api/<domain>_handlers.c and are declared here.
 */
#ifndef API_REGISTRY_H
#define API_REGISTRY_H

#include "api/api.h"

struct api_routes {
	const struct api_route *routes;
	size_t count;
	const char *tag;     /* heading in the description */
	const char *tag_doc; /* a sentence about it */
};
/* Every resource: NULL-terminated. */
extern const struct res_def *const api_resources[];
/* What events of companies tell of besides resources: NULL-terminated. */
extern const char *const api_event_objects[];
/* Every table of routes: NULL-terminated. */
extern const struct api_routes *const api_route_tables[];

extern const struct api_routes page_routes;   /* landing page, documentation and their files */
extern const struct api_routes system_routes; /* health, root */
extern const struct api_routes kpi_routes;    /* KPIs, targets, analytics, predictions */
extern const struct api_routes value_routes;  /* measured values */
extern const struct api_routes assignment_routes;          /* contract kpi-management */
extern const struct api_routes webhook_routes;
extern const struct api_routes stream_routes; /* WebSockets and event streams */
extern const struct api_routes webhook_delivery_routes;
extern const struct api_routes employee_assignment_routes; /* contract kpi-assignments */
extern const struct api_routes campaign_routes, retrospective_routes; /* contract retrospectives */
extern const struct api_routes report_routes; /* reports of retrospectives */
extern const struct api_routes job_routes; /* the job queue */
extern const struct api_routes login_routes, user_routes, company_routes; /* people and access */

#endif
