/*
 * The components: schemas of resources, one error schema and the error responses of each dialect, and how one logs in. The examples of
 * errors are written by the dialects' own writers, so they are what a client gets.
 */
#include "api/openapi.h"

const int openapi_statuses[] = { 400, 401, 403, 404, 409, 412, 413, 415, 422, 426, 429, 503 };
const size_t openapi_status_count = COUNT(openapi_statuses);

static const enum err_code codes[] = { ERR_INVALID_INPUT, ERR_UNAUTHENTICATED, ERR_INSUFFICIENT_PERMISSIONS,
	ERR_NOT_FOUND, ERR_CONFLICT, ERR_PRECONDITION_FAILED, ERR_TOO_LARGE, ERR_UNSUPPORTED_MEDIA_TYPE,
	ERR_IDEMPOTENCY_MISMATCH, ERR_UPGRADE_REQUIRED, ERR_RATE_LIMITED, ERR_UNAVAILABLE };

static const char *const texts[] = { "The request is not valid; `details` names every fault.",
	"No valid credentials.", "The actor may not do this.",
	"No such object, or none that the actor may see.", "In conflict with another object or its state.",
	"The object has changed since it was read.", "The body is larger than the limit.",
	"The body's type is not taken.", "The Idempotency-Key was used with another request.",
	"This is the address of a WebSocket.", "Too many requests; `Retry-After` says when to come back.",
	"Busy or stopping; try again." };

/* Paths whose dialect writes the examples. */
static const char *const sample_paths[DIALECT_COUNT] = {
	[DIALECT_KPI] = "/api/kpis",
	[DIALECT_ASSIGNMENTS] = "/api/v1/kpi-management/assignments",
	[DIALECT_RETRO] = "/api/retrospectives/",
	[DIALECT_BUSINESS] = "/api/clients/",
	[DIALECT_CRM] = "/api/v1/leads",
};

struct str
openapi_error_name(struct openapi *d, enum dialect_id dialect, int status)
{
	const struct str name = openapi_pascal(d->a, str_from_cstr(dialects[dialect].name));
	return arena_fmt(d->a, "%.*s%d", STR_ARG(name), status);
}

static struct str
error_schema_name(struct openapi *d, enum dialect_id dialect)
{
	return arena_fmt(
		d->a, "%.*sError", STR_ARG(openapi_pascal(d->a, str_from_cstr(dialects[dialect].name))));
}

static void
write_resource_schemas(struct openapi *d)
{
	for (size_t i = 0; i < d->schema_count; i++) {
		json_key(d->o, d->schemas[i].name);
		res_schema_write(d->o, d->schemas[i].def, d->schemas[i].view, d->schemas[i].mode);
	}
}

static const char *
details_schema(enum dialect_id dialect)
{
	if (dialect == DIALECT_BUSINESS)
		return "{\"type\":[\"object\",\"array\"],\"items\":{},\"description\":\"Faults by field, "
		       "nested as the "
		       "body is.\"}";
	if (dialects[dialect].details == DETAILS_TEXTS)
		return "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"},\"description\":"
		       "\"Fault by field.\"}";
	return "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\",\"items\":{\"type\":"
	       "\"string\"}},"
	       "\"description\":\"Faults by field.\"}";
}

static void
write_error_schema(struct openapi *d, enum dialect_id dialect)
{
	static const char *const members[] = { "error", "message", "detail", "code", "path", "request_id" };
	json_key(d->o, error_schema_name(d, dialect));
	json_begin_object(d->o);
	openapi_text(d, "type", "object");
	json_pair_str(d->o, "description",
		arena_fmt(d->a, "An error of the %s contract, with the keys of all contracts.",
			dialects[dialect].name));
	openapi_raw(d, "required",
		"[\"status\",\"error\",\"message\",\"detail\",\"code\",\"timestamp\",\"path\",\"request_id\","
		"\"details\"]");
	json_key(d->o, STR("properties"));
	json_begin_object(d->o);
	openapi_raw(d, "status", "{\"type\":\"integer\",\"description\":\"The HTTP status.\"}");
	for (size_t i = 0; i < COUNT(members); i++)
		openapi_raw(d, members[i], "{\"type\":\"string\"}");
	openapi_raw(d, "timestamp", "{\"type\":\"string\",\"format\":\"date-time\"}");
	openapi_raw(d, "details", details_schema(dialect));
	if (dialect == DIALECT_KPI)
		openapi_raw(d, "fields", details_schema(dialect));
	json_end_object(d->o);
	if (dialect == DIALECT_BUSINESS) /* the faulty fields stand beside the rest */
		json_pair_bool(d->o, "additionalProperties", true);
	json_end_object(d->o);
}

static void
write_schemas(struct openapi *d)
{
	json_key(d->o, STR("schemas"));
	json_begin_object(d->o);
	write_resource_schemas(d);
	for (int i = 0; i < DIALECT_COUNT; i++)
		if (d->errors[i])
			write_error_schema(d, (enum dialect_id)i);
	json_end_object(d->o);
}

/* What the dialect's writer makes of a typical error. */
static struct str
example(struct openapi *d, enum dialect_id dialect, enum err_code code)
{
	const struct clock fixed = clock_fixed((struct instant){ 1718442000 * INSTANT_SECOND });
	struct api api = { .options = { .clock = &fixed } };
	const struct http_request request = { .path = str_from_cstr(sample_paths[dialect]),
		.request_id = STR("5f0c9a7e1b2d4c38") };
	struct api_pipeline *p = arena_new_of(d->a, struct api_pipeline);
	struct err *e = NULL;
	api_ctx_init(p, &api, &request, d->a);
	if (code == ERR_INVALID_INPUT)
		err_add_field(d->a, &e, STR("name"), "This field is required.");
	else
		e = err_new(d->a, code, "");
	api_failure(p, e, 0);
	return p->answer.body;
}

static void
write_response(struct openapi *d, enum dialect_id dialect, size_t i)
{
	json_key(d->o, openapi_error_name(d, dialect, openapi_statuses[i]));
	json_begin_object(d->o);
	openapi_text(d, "description", texts[i]);
	if (openapi_statuses[i] == 401)
		openapi_raw(d, "headers",
			"{\"WWW-Authenticate\":{\"schema\":{\"type\":\"string\"},\"description\":\"The "
			"challenge.\"}}");
	if (openapi_statuses[i] == 429 || openapi_statuses[i] == 503)
		openapi_raw(d, "headers",
			"{\"Retry-After\":{\"schema\":{\"type\":\"integer\"},\"description\":\"Seconds to "
			"wait.\"}}");
	json_key(d->o, STR("content"));
	json_begin_object(d->o);
	json_key(d->o, STR("application/json"));
	json_begin_object(d->o);
	json_key(d->o, STR("schema"));
	openapi_ref(d, "schemas", error_schema_name(d, dialect));
	json_key(d->o, STR("example"));
	json_put_raw(d->o, example(d, dialect, codes[i]));
	json_end_object(d->o);
	json_end_object(d->o);
	json_end_object(d->o);
}

void
openapi_components_write(struct openapi *d)
{
	json_key(d->o, STR("components"));
	json_begin_object(d->o);
	write_schemas(d);
	json_key(d->o, STR("responses"));
	json_begin_object(d->o);
	for (int dialect = 0; dialect < DIALECT_COUNT; dialect++)
		for (size_t i = 0; i < openapi_status_count; i++)
			if (d->errors[dialect] & 1u << i)
				write_response(d, (enum dialect_id)dialect, i);
	json_end_object(d->o);
	openapi_raw(d, "securitySchemes",
		"{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\","
		"\"description\":\"The access token of a login.\"},"
		"\"basic\":{\"type\":\"http\",\"scheme\":\"basic\",\"description\":\"Username and "
		"password.\"},"
		"\"apiKey\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\","
		"\"description\":\"An API key of the company.\"}}");
	json_end_object(d->o);
}
