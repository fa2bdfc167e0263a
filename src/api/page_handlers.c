/*
 * What a browser gets: the landing page, the documentation with Swagger UI and the files both load, all embedded in the binary. No page
 * needs another host, and the content security policy holds them to that; Swagger UI sets styles on its elements, so that one page
 * allows them.
 */
#include "api/core.h"
#include "base/asset.h"

#define POLICY_STRICT                                                                                 \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src " \
	"'self'; "                                                                                    \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
#define POLICY_DOCS                                                                                        \
	"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "  \
	"connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors " \
	"'none'"

static bool
accepts_gzip(const struct api_ctx *c)
{
	struct str left = api_request_header(c, "Accept-Encoding");
	struct str coding;
	while (str_split(&left, ',', &coding))
		if (str_eq_nocase(str_trim(coding), STR("gzip")))
			return true;
	return false;
}

/* Compressed before where that is shorter; the tag tells the two forms apart. Plain answers are left to the server. */
static struct api_done *
serve(struct api_ctx *c, const struct asset *asset, struct str policy)
{
	struct http_answer *answer = &c->pipeline->answer;
	struct str body = asset->bytes;
	answer->etag = asset->etag;
	if (asset->gzip.n && accepts_gzip(c)) {
		body = asset->gzip;
		answer->etag = arena_fmt(c->res.arena, "%.*s-gz\"", (int)asset->etag.n - 1, asset->etag.p);
		api_header(c, "Content-Encoding", STR("gzip"));
		api_header(c, "Vary", STR("Accept-Encoding"));
	}
	if (policy.n)
		api_header(c, "Content-Security-Policy", policy);
	return api_bytes(c, 200, asset->content_type, body);
}

static struct api_done *
serve_page(struct api_ctx *c, const char *name, struct str policy)
{
	const struct asset *page = asset_find(&web_assets, str_from_cstr(name));
	check(page);
	return serve(c, page, policy);
}

static struct api_done *
landing_page(struct api_ctx *c)
{
	return serve_page(c, "index.html", STR(POLICY_STRICT));
}

static struct api_done *
docs_page(struct api_ctx *c)
{
	return serve_page(c, "docs.html", STR(POLICY_DOCS));
}

static struct api_done *
asset_file(struct api_ctx *c)
{
	const struct asset *asset = asset_find(&web_assets, c->path_params[0]);
	if (!asset)
		return api_fail(c, err_new(c->res.arena, ERR_NOT_FOUND, ""));
	return serve(c, asset, (struct str){ "", 0 });
}

static struct api_done *
description(struct api_ctx *c)
{
	return serve(c, &c->api->openapi, (struct str){ "", 0 });
}

static const struct api_route routes[] = {
	{
		.method = HTTP_GET,
		.path = "/",
		.handler = landing_page,
		.perm = PERM_ANYONE,
		.work = API_PLAIN,
		.summary = "Landing page",
		.doc = "What the server is and how it is doing, for a browser.",
		.answer_type = "text/html",
	},
	{
		.method = HTTP_GET,
		.path = "/api/v1/openapi.json",
		.handler = description,
		.perm = PERM_ANYONE,
		.work = API_PLAIN,
		.summary = "This description",
		.doc = "Every operation of all five contracts as an OpenAPI 3.1 document, generated from the "
		       "tables that route and validate.",
		.answer_schema = "{\"type\":\"object\",\"required\":[\"openapi\",\"info\",\"paths\"]}",
	},
	{
		.method = HTTP_GET,
		.path = "/api/v1/docs",
		.handler = docs_page,
		.perm = PERM_ANYONE,
		.work = API_PLAIN,
		.summary = "Documentation",
		.doc = "The description as pages to read and try out.",
		.answer_type = "text/html",
	},
	{
		.method = HTTP_GET,
		.path = "/api/v1/docs/{file}",
		.handler = asset_file,
		.perm = PERM_ANYONE,
		.work = API_PLAIN,
		.summary = "A file of the documentation",
		.doc = "Scripts, styles and images that the documentation loads.",
		.answer_type = "*/*",
	},
	{
		.method = HTTP_GET,
		.path = "/assets/{file}",
		.handler = asset_file,
		.perm = PERM_ANYONE,
		.work = API_PLAIN,
		.summary = "A file of the pages",
		.doc = "Scripts, styles and images that the pages load.",
		.answer_type = "*/*",
	},
};

const struct api_routes page_routes = { routes, COUNT(routes), "Pages", "What a browser is shown." };
