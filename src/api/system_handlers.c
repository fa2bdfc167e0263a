/* What the server says about itself: readiness for load balancers and the landing page, and the root of the business contract. */
#include "api/core.h"

static void
write_health(struct api_ctx *c, const char *status)
{
	struct json_out *o = &c->json;
	struct buf time;
	buf_init_arena(&time, c->res.arena, 64);
	instant_write(&time, (struct instant){ c->res.now.us - c->res.now.us % INSTANT_SECOND },
		INSTANT_ISO_SECONDS, zone_utc());
	json_begin_object(o);
	json_pair_str(o, "status", str_from_cstr(status));
	json_pair_str(o, "version", str_from_cstr(api_version));
	json_pair_str(o, "database", db_kind(api_db(c)) == DB_SQLITE ? STR("sqlite") : STR("postgresql"));
	json_pair_int(o, "uptime_s", (c->res.now.us - c->api->started.us) / INSTANT_SECOND);
	json_pair_str(o, "time", buf_str(&time));
	json_end_object(o);
}

/* Reaching this handler means that a read transaction could be opened, so the database answers. */
static struct api_done *
health(struct api_ctx *c)
{
	api_no_store(c);
	write_health(c, "ok");
	return api_json_bare(c, 200);
}

static struct api_done *
api_root(struct api_ctx *c)
{
	static const char *const names[][2] = {
		{ "auth", "/api/auth/" },
		{ "kpis", "/api/kpis" },
		{ "webhooks", "/api/webhooks" },
		{ "assignments", "/api/v1/kpi-management/assignments" },
		{ "health", "/api/health/" },
		{ "openapi", "/api/v1/openapi.json" },
		{ "docs", "/api/v1/docs" },
	};
	struct json_out *o = &c->json;
	const struct str base = api_base_url(c);
	json_begin_object(o);
	for (size_t i = 0; i < COUNT(names); i++) {
		json_key(o, str_from_cstr(names[i][0]));
		json_put_str(o, arena_fmt(c->res.arena, "%.*s%s", STR_ARG(base), names[i][1]));
	}
	json_end_object(o);
	return api_json_bare(c, 200);
}

#define HEALTH_SCHEMA                                                                              \
	"{\"type\":\"object\",\"required\":[\"status\",\"version\",\"database\"],\"properties\":{" \
	"\"status\":{\"type\":\"string\",\"const\":\"ok\"},\"version\":{\"type\":\"string\"},"     \
	"\"database\":{\"type\":\"string\",\"enum\":[\"sqlite\",\"postgresql\"]},"                 \
	"\"uptime_s\":{\"type\":\"integer\"},\"time\":{\"type\":\"string\",\"format\":\"date-time\"}}}"
#define HEALTH_EXAMPLE                                                                         \
	"{\"status\":\"ok\",\"version\":\"0.1.0\",\"database\":\"sqlite\",\"uptime_s\":86400," \
	"\"time\":\"2024-06-15T09:00:00Z\"}"

static const struct api_route routes[] = {
	{
		.method = HTTP_GET,
		.path = "/healthz",
		.handler = health,
		.perm = PERM_ANYONE,
		.work = API_READ,
		.summary = "Readiness",
		.doc = "Answers 200 as soon as the server takes requests and its database answers.",
		.answer_schema = HEALTH_SCHEMA,
		.answer_example = HEALTH_EXAMPLE,
	},
	{
		.method = HTTP_GET,
		.path = "/api/health",
		.handler = health,
		.perm = PERM_ANYONE,
		.work = API_READ,
		.summary = "Health of the API",
		.doc = "The same as /healthz.",
		.answer_schema = HEALTH_SCHEMA,
		.answer_example = HEALTH_EXAMPLE,
	},
	{
		.method = HTTP_GET,
		.path = "/api",
		.handler = api_root,
		.perm = PERM_ANYONE,
		.work = API_PLAIN,
		.summary = "Root of the API",
		.doc = "Links to what can be found below it.",
		.answer_schema = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\","
				 "\"format\":\"uri\"}}",
		.answer_example = "{\"kpis\":\"http://localhost:8000/api/kpis\"}",
	},
};

const struct api_routes system_routes = { routes, COUNT(routes), "System", "The server's own state." };
