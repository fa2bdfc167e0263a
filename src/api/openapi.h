/* What the files of the description share; private to them. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "api/core.h"
#include "resource/describe.h"

#define OPENAPI_SCHEMAS_MAX 512

/* A schema that an operation refers to: a resource as a view shows or takes it. */
struct openapi_schema {
	struct str name;
	const struct res_def *def;
	const struct res_view *view;
	enum res_schema_mode mode;
};

struct openapi {
	struct arena *a;
	struct json_out *o;
	const struct router *router;
	struct openapi_schema schemas[OPENAPI_SCHEMAS_MAX]; /* used so far */
	size_t schema_count;
	uint32_t errors[DIALECT_COUNT]; /* bit i: the error response of openapi_statuses[i] is referred to */
};

extern const int openapi_statuses[];
extern const size_t openapi_status_count;

/* openapi_operation.c: the value of a path's method. */
void openapi_operation_write(struct openapi *d, const struct route_entry *entry);
/* openapi_parameters.c: the array of parameters. */
void openapi_parameters_write(struct openapi *d, const struct route_entry *entry);
bool openapi_is_list(const struct api_route *r);
/* openapi_components.c: schemas, error responses, security schemes. */
void openapi_components_write(struct openapi *d);
/* "KpiManagement404" */
struct str openapi_error_name(struct openapi *d, enum dialect_id dialect, int status);

/* openapi.c: small pieces of JSON. */
void openapi_text(struct openapi *d, const char *key, const char *text);
void openapi_raw(struct openapi *d, const char *key, const char *json);
void openapi_ref(
	struct openapi *d, const char *kind, struct str name); /* {"$ref":"#/components/kind/name"} */
/* "kpi-management" → "KpiManagement", "/api/kpis/{kpi_id}" → "ApiKpisKpiId" */
struct str openapi_pascal(struct arena *a, struct str words);

#endif
