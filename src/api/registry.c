/* The list of everything that is served. A domain joins with its lines here. */
#include "api/registry.h"

#include "domain/campaign/campaign.h"
#include "domain/campaign/retrospective.h"
#include "domain/iam/api_key.h"
#include "domain/iam/auth.h"
#include "domain/iam/company.h"
#include "domain/iam/person.h"
#include "domain/iam/role.h"
#include "domain/iam/team.h"
#include "domain/integration/webhook_delivery.h"
#include "domain/kpi/assignment.h"
#include "jobs/job_resource.h"

const struct res_def *const api_resources[] = {
	&company_res,
	&person_res,
	&role_res,
	&team_res,
	&api_key_res,
	&kpi_res,
	&assignment_res,
	&webhook_res,
	&webhook_delivery_res,
	&campaign_res,
	&retrospective_res,
	&insight_res,
	&retro_action_res,
	&retro_settings_res,
	&job_res,
	&job_schedule_res,
	NULL,
};

const char *const api_event_objects[] = {
	SESSION_OBJECT,
	CAMPAIGN_METRIC_OBJECT,
	NULL,
};

const struct api_routes *const api_route_tables[] = {
	&page_routes,
	&system_routes,
	&login_routes,
	&user_routes,
	&company_routes,
	&kpi_routes,
	&value_routes,
	&assignment_routes,
	&employee_assignment_routes,
	&webhook_routes,
	&stream_routes,
	&webhook_delivery_routes,
	&campaign_routes,
	&retrospective_routes,
	&report_routes,
	&job_routes,
	NULL,
};
