/* One operation: its name, permissions, body, and answers in the shape its dialect gives them. */
#include "api/openapi.h"

/* ---- schemas of resources ---- */

static const char *
mode_suffix(enum res_schema_mode mode)
{
	switch (mode) {
	case RES_SCHEMA_READ:
		return "";
	case RES_SCHEMA_CREATE:
		return "Create";
	case RES_SCHEMA_REPLACE:
		return "Replace";
	case RES_SCHEMA_MERGE:
		return "Change";
	}
	return "";
}

/* Notes the schema for the components; a name that another resource has already gets the resource's own in front. */
static struct str
schema_name(struct openapi *d, const struct api_route *r, enum res_schema_mode mode)
{
	const struct res_view *view = r->view && r->view->name ? r->view : NULL;
	struct str name = openapi_pascal(d->a, str_from_cstr(view ? view->name : r->res->name));
	name = arena_fmt(d->a, "%.*s%s", STR_ARG(name), mode_suffix(mode));
	for (size_t i = 0; i < d->schema_count; i++) {
		const struct openapi_schema *s = &d->schemas[i];
		if (s->def == r->res && s->view == r->view && s->mode == mode)
			return s->name;
		if (str_eq(s->name, name))
			name = arena_fmt(d->a, "%.*s%.*s",
				STR_ARG(openapi_pascal(d->a, str_from_cstr(r->res->name))), STR_ARG(name));
	}
	check(d->schema_count < OPENAPI_SCHEMAS_MAX);
	d->schemas[d->schema_count++] = (struct openapi_schema){ name, r->res, r->view, mode };
	return name;
}

static void
record_ref(struct openapi *d, const struct api_route *r)
{
	openapi_ref(d, "schemas", schema_name(d, r, RES_SCHEMA_READ));
}

static void
record_array(struct openapi *d, const struct api_route *r)
{
	json_begin_object(d->o);
	openapi_text(d, "type", "array");
	json_key(d->o, STR("items"));
	record_ref(d, r);
	json_end_object(d->o);
}

/* ---- answers ---- */

#define INTEGER	 "{\"type\":\"integer\"}"
#define LINK	 "{\"type\":[\"string\",\"null\"],\"format\":\"uri\"}"
#define INSTANT	 "{\"type\":\"string\",\"format\":\"date-time\"}"
#define SENTENCE "{\"type\":\"string\"}"

static void
begin_shape(struct openapi *d, const char *required)
{
	json_begin_object(d->o);
	openapi_text(d, "type", "object");
	openapi_raw(d, "required", required);
	json_key(d->o, STR("properties"));
	json_begin_object(d->o);
}

static void
end_shape(struct openapi *d)
{
	json_end_object(d->o);
	json_end_object(d->o);
}

static void
envelope_members(struct openapi *d)
{
	openapi_raw(d, "status", INTEGER);
	openapi_raw(d, "message", SENTENCE);
	openapi_raw(d, "timestamp", INSTANT);
}

static void
list_schema(struct openapi *d, const struct route_entry *entry)
{
	const struct api_route *r = entry->route;
	switch (entry->dialect->id) {
	case DIALECT_KPI:
		begin_shape(d, "[\"items\",\"total\",\"page\",\"pages\"]");
		json_key(d->o, STR("items"));
		record_array(d, r);
		openapi_raw(d, "total", INTEGER);
		openapi_raw(d, "page", INTEGER);
		openapi_raw(d, "pages", INTEGER);
		end_shape(d);
		return;
	case DIALECT_BUSINESS:
		begin_shape(d, "[\"count\",\"next\",\"previous\",\"results\"]");
		openapi_raw(d, "count", INTEGER);
		openapi_raw(d, "next", LINK);
		openapi_raw(d, "previous", LINK);
		json_key(d->o, STR("results"));
		record_array(d, r);
		end_shape(d);
		return;
	case DIALECT_CRM:
		begin_shape(d, "[\"status\",\"message\",\"data\",\"count\",\"page\",\"limit\",\"total\","
			       "\"timestamp\"]");
		envelope_members(d);
		json_key(d->o, STR("data"));
		record_array(d, r);
		openapi_raw(d, "count", INTEGER);
		openapi_raw(d, "page", INTEGER);
		openapi_raw(d, "limit", INTEGER);
		openapi_raw(d, "total", INTEGER);
		end_shape(d);
		return;
	case DIALECT_ASSIGNMENTS:
	case DIALECT_RETRO:
	case DIALECT_COUNT:
		record_array(d, r);
		return;
	}
}

static void
answer_schema(struct openapi *d, const struct route_entry *entry)
{
	const struct api_route *r = entry->route;
	if (r->answer_schema) {
		json_put_raw(d->o, str_from_cstr(r->answer_schema));
	} else if (openapi_is_list(r)) {
		list_schema(d, entry);
	} else if (entry->dialect->envelope) {
		begin_shape(d, "[\"status\",\"message\",\"data\",\"timestamp\"]");
		envelope_members(d);
		json_key(d->o, STR("data"));
		if (r->res && r->method != HTTP_DELETE)
			record_ref(d, r);
		else
			json_put_raw(d->o, STR("{}"));
		end_shape(d);
	} else if (r->res) {
		record_ref(d, r);
	} else {
		json_put_raw(d->o, STR("{}"));
	}
}

static int
success_of(const struct route_entry *entry)
{
	const struct api_route *r = entry->route;
	if (r->success)
		return r->success;
	if (r->method == HTTP_DELETE)
		return entry->dialect->envelope || r->answer_schema ? 200 : 204;
	return r->method == HTTP_POST && (r->res || !r->answer_schema) && !r->answer_type ? 201 : 200;
}

static const char *
success_text(int status)
{
	switch (status) {
	case 201:
		return "Created.";
	case 202:
		return "Accepted; the work follows.";
	case 204:
		return "Done; no content.";
	}
	return "Fine.";
}

static void
header_fields(struct openapi *d, const struct route_entry *entry, int status)
{
	static const char text[] = "{\"schema\":{\"type\":\"string\"},\"description\":\"%s\"}";
	const bool tagged = entry->route->method == HTTP_GET || (entry->has_version && status < 204);
	json_key(d->o, STR("headers"));
	json_begin_object(d->o);
	openapi_raw(d, "X-Request-ID", arena_fmt(d->a, text, "Names this request in the server's log.").p);
	if (tagged)
		openapi_raw(d, "ETag", arena_fmt(d->a, text, "Version of the answer.").p);
	if (status == 201)
		openapi_raw(d, "Location", arena_fmt(d->a, text, "Path of the object created.").p);
	if (entry->rate != RATE_KIND_NONE) {
		openapi_raw(d, "X-RateLimit-Limit",
			"{\"schema\":{\"type\":\"integer\"},\"description\":\"Requests a window.\"}");
		openapi_raw(d, "X-RateLimit-Remaining",
			"{\"schema\":{\"type\":\"integer\"},\"description\":\"Requests left in it.\"}");
		openapi_raw(d, "X-RateLimit-Reset",
			"{\"schema\":{\"type\":\"integer\"},\"description\":\"Unix time of its end.\"}");
	}
	json_end_object(d->o);
}

/* Forms of the same answer that no schema describes. */
static void
other_forms(struct openapi *d, const struct api_route *r)
{
	for (const char *const *type = r->other_answer_types; type && *type; type++)
		openapi_raw(d, *type, "{\"schema\":{\"type\":\"string\"}}");
}

static void
success_response(struct openapi *d, const struct route_entry *entry)
{
	const struct api_route *r = entry->route;
	const int status = success_of(entry);
	json_key(d->o, arena_fmt(d->a, "%d", status));
	json_begin_object(d->o);
	openapi_text(d, "description", success_text(status));
	header_fields(d, entry, status);
	if (status != 204) {
		json_key(d->o, STR("content"));
		json_begin_object(d->o);
		json_key(d->o, str_from_cstr(r->answer_type ? r->answer_type : "application/json"));
		json_begin_object(d->o);
		json_key(d->o, STR("schema"));
		if (r->answer_type)
			json_put_raw(d->o, STR("{\"type\":\"string\"}"));
		else
			answer_schema(d, entry);
		if (r->answer_example)
			openapi_raw(d, "example", r->answer_example);
		json_end_object(d->o);
		other_forms(d, r);
		json_end_object(d->o);
	}
	json_end_object(d->o);
}

static bool
is_socket(const struct api_route *r)
{
	return r->work == API_STREAM && str_starts_with(str_from_cstr(r->path), STR("/api/ws/"));
}

/* A WebSocket begins as a GET. */
static void
switching_response(struct openapi *d, const struct route_entry *entry)
{
	if (!is_socket(entry->route))
		return;
	json_key(d->o, STR("101"));
	json_put_raw(d->o, STR("{\"description\":\"The connection is a WebSocket from here on.\"}"));
}

static bool
may_answer(const struct route_entry *entry, int status)
{
	const struct api_route *r = entry->route;
	const bool known = !(r->perm & PERM_ANYONE);
	const bool change = r->method != HTTP_GET;
	switch (status) {
	case 400: /* at least a query that is no query */
		return true;
	case 401:
	case 403:
		return known;
	case 404:
		return entry->param_count > 0;
	case 409:
		return change && r->res;
	case 412:
		return change && entry->has_version && r->method != HTTP_POST;
	case 413:
		return r->body != API_BODY_NONE;
	case 415:
		return r->body == API_BODY_JSON || r->body == API_BODY_JSON_OR_FORM;
	case 426:
		return is_socket(r);
	case 422:
		return known && r->method == HTTP_POST && (r->work == API_WRITE || r->work == API_SLOW);
	case 429:
		return entry->rate != RATE_KIND_NONE || r->work == API_STREAM;
	case 503:
		return r->work != API_PLAIN;
	}
	return false;
}

static void
responses(struct openapi *d, const struct route_entry *entry)
{
	json_key(d->o, STR("responses"));
	json_begin_object(d->o);
	switching_response(d, entry);
	success_response(d, entry);
	for (size_t i = 0; i < openapi_status_count; i++) {
		const int status = openapi_statuses[i];
		if (!may_answer(entry, status))
			continue;
		d->errors[entry->dialect->id] |= 1u << i;
		json_key(d->o, arena_fmt(d->a, "%d", status));
		openapi_ref(d, "responses", openapi_error_name(d, entry->dialect->id, status));
	}
	json_end_object(d->o);
}

/* ---- body ---- */

static enum res_schema_mode
body_mode(const struct api_route *r)
{
	if (r->method == HTTP_POST)
		return RES_SCHEMA_CREATE;
	return r->handler == api_res_replace ? RES_SCHEMA_REPLACE : RES_SCHEMA_MERGE;
}

static void
body_content(struct openapi *d, const struct api_route *r, const char *type)
{
	json_key(d->o, str_from_cstr(type));
	json_begin_object(d->o);
	json_key(d->o, STR("schema"));
	if (r->request_schema)
		json_put_raw(d->o, str_from_cstr(r->request_schema));
	else if (r->body == API_BODY_RAW)
		json_put_raw(d->o, STR("{\"type\":\"string\"}"));
	else if (r->res)
		openapi_ref(d, "schemas", schema_name(d, r, body_mode(r)));
	else
		json_put_raw(d->o, STR("{\"type\":\"object\"}"));
	if (r->request_example)
		openapi_raw(d, "example", r->request_example);
	json_end_object(d->o);
}

static void
request_body(struct openapi *d, const struct api_route *r)
{
	if (r->body == API_BODY_NONE)
		return;
	json_key(d->o, STR("requestBody"));
	json_begin_object(d->o);
	json_pair_bool(d->o, "required", r->body != API_BODY_RAW);
	json_key(d->o, STR("content"));
	json_begin_object(d->o);
	body_content(d, r, "application/json");
	if (r->body == API_BODY_JSON_OR_FORM)
		body_content(d, r, "application/x-www-form-urlencoded");
	if (r->body == API_BODY_RAW) {
		json_key(d->o, STR("text/csv"));
		json_put_raw(d->o, STR("{\"schema\":{\"type\":\"string\"}}"));
	}
	json_end_object(d->o);
	json_end_object(d->o);
}

/* ---- all of it ---- */

static struct str
operation_id(struct openapi *d, const struct api_route *r)
{
	static const char *const verbs[] = {
		[HTTP_GET] = "get",
		[HTTP_HEAD] = "head",
		[HTTP_POST] = "create",
		[HTTP_PUT] = "put",
		[HTTP_PATCH] = "patch",
		[HTTP_DELETE] = "delete",
		[HTTP_OPTIONS] = "options",
		[HTTP_OTHER] = "other",
	};
	struct str path = str_from_cstr(r->path);
	if (str_starts_with(path, STR("/api/")))
		path = str_sub(path, 4, path.n);
	const struct str words = openapi_pascal(d->a, path);
	return arena_fmt(d->a, "%s%.*s", verbs[r->method], STR_ARG(words.n ? words : STR("Root")));
}

static void
permissions(struct openapi *d, perm_set set)
{
	json_key(d->o, STR("x-permissions"));
	json_begin_array(d->o);
	if (set & PERM_ANYONE)
		json_put_str(d->o, STR("ANYONE"));
	if (set & PERM_AUTHENTICATED)
		json_put_str(d->o, STR("AUTHENTICATED"));
	for (int i = 0; i < PERM_COUNT; i++)
		if (set & PERM_BIT(i))
			json_put_str(d->o, str_from_cstr(permission_names[i]));
	json_end_array(d->o);
}

static struct str
description(struct openapi *d, const struct route_entry *entry)
{
	const struct api_route *r = entry->route;
	struct buf b;
	bool several = false;
	buf_init_arena(&b, d->a, 65536);
	buf_add_str(&b, str_from_cstr(r->doc ? r->doc : r->summary));
	if (b.len && b.p[b.len - 1] != '.')
		buf_add_byte(&b, '.');
	if (r->perm & PERM_ANYONE) {
		buf_add_lit(&b, "\n\nNo login is needed.");
	} else if (r->perm & PERM_AUTHENTICATED) {
		buf_add_lit(&b, "\n\nAny login will do; what it shows or takes depends on role and scope.");
	} else {
		buf_add_lit(&b, "\n\nNeeds ");
		for (int i = 0; i < PERM_COUNT; i++) {
			if (!(r->perm & PERM_BIT(i)))
				continue;
			buf_add_fmt(&b, "%s`%s`", several ? " or " : "", permission_names[i]);
			several = true;
		}
		buf_add_byte(&b, '.');
	}
	return buf_str(&b);
}

void
openapi_operation_write(struct openapi *d, const struct route_entry *entry)
{
	const struct api_route *r = entry->route;
	json_begin_object(d->o);
	json_pair_str(d->o, "operationId", operation_id(d, r));
	json_key(d->o, STR("tags"));
	json_begin_array(d->o);
	json_put_str(d->o, str_from_cstr(entry->table->tag));
	json_end_array(d->o);
	openapi_text(d, "summary", r->summary);
	json_pair_str(d->o, "description", description(d, entry));
	openapi_text(d, "x-contract", entry->dialect->name);
	permissions(d, r->perm);
	if (r->perm & PERM_ANYONE)
		openapi_raw(d, "security", "[]");
	json_key(d->o, STR("parameters"));
	openapi_parameters_write(d, entry);
	request_body(d, r);
	responses(d, entry);
	json_end_object(d->o);
}
