/*
 * The description of the whole interface as one OpenAPI 3.1 document, made from the tables that route and validate, so that it cannot say
 * anything else than the server does. Paths are written first; they note which schemas and error responses they refer to, and the
 * components follow.
 */
#include "api/openapi.h"
#include "api/version.h"

#define OPENAPI_BYTES (16u << 20)

const char *const api_version = SEXTANT_VERSION;

void
openapi_text(struct openapi *d, const char *key, const char *text)
{
	json_key(d->o, str_from_cstr(key));
	json_put_str(d->o, str_from_cstr(text));
}

void
openapi_raw(struct openapi *d, const char *key, const char *json)
{
	json_key(d->o, str_from_cstr(key));
	json_put_raw(d->o, str_from_cstr(json));
}

void
openapi_ref(struct openapi *d, const char *kind, struct str name)
{
	json_begin_object(d->o);
	json_key(d->o, STR("$ref"));
	json_put_str(d->o, arena_fmt(d->a, "#/components/%s/%.*s", kind, STR_ARG(name)));
	json_end_object(d->o);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

struct str
openapi_pascal(struct arena *a, struct str words)
{
	char *out = arena_alloc(a, words.n + 1);
	size_t n = 0;
	bool first = true;
	for (size_t i = 0; i < words.n; i++) {
		const char c = words.p[i];
		if (!is_letter(c)) {
			first = true;
			continue;
		}
		out[n++] = first && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
		first = false;
	}
	return (struct str){ out, n };
}

static void
write_head(struct openapi *d, const char *version)
{
	openapi_text(d, "openapi", "3.1.0");
	json_key(d->o, STR("info"));
	json_begin_object(d->o);
	openapi_text(d, "title", "Sextant");
	openapi_text(d, "version", version);
	openapi_text(d, "summary", "KPIs, targets, measured values, assignments and forecasts of a company.");
	openapi_text(d, "description",
		"Five contracts on one port, told apart by path; each keeps its own paging, sorting, list "
		"shape and "
		"errors. Every path is served with and without a trailing slash. Every error body holds the "
		"keys of all "
		"five contracts; `details` maps fields to what is wrong with them, and `code` is a stable "
		"word.\n\n"
		"Bearer tokens, HTTP Basic credentials and API keys (`X-API-Key`) are accepted on every "
		"operation. "
		"`x-permissions` names the permissions of which one is needed.\n\n"
		"GET answers carry an ETag and honour If-None-Match; changes honour If-Match. A POST with an "
		"Idempotency-Key does its work once within 24 hours. Unknown query parameters and unknown "
		"members of a "
		"body are ignored; with `?strict=1` the latter are refused.");
	openapi_raw(d, "contact", "{\"name\":\"Sextant\",\"url\":\"https://github.com/sextant\"}");
	openapi_raw(d, "license", "{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}");
	json_end_object(d->o);
	openapi_raw(d, "servers", "[{\"url\":\"/\",\"description\":\"This server\"}]");
	openapi_raw(d, "security", "[{\"bearer\":[]},{\"basic\":[]},{\"apiKey\":[]}]");
}

static bool
tag_seen_before(const struct router *r, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(router_entry(r, i)->table->tag, router_entry(r, index)->table->tag) == 0)
			return true;
	return false;
}

static void
write_tags(struct openapi *d)
{
	json_key(d->o, STR("tags"));
	json_begin_array(d->o);
	for (size_t i = 0; i < router_count(d->router); i++) {
		const struct api_routes *table = router_entry(d->router, i)->table;
		if (tag_seen_before(d->router, i))
			continue;
		json_begin_object(d->o);
		openapi_text(d, "name", table->tag);
		openapi_text(d, "description", table->tag_doc ? table->tag_doc : table->tag);
		json_end_object(d->o);
	}
	json_end_array(d->o);
}

/* As the document spells it: a tail parameter is an ordinary one there. */
static struct str
described_path(struct openapi *d, const char *path)
{
	const struct str p = str_from_cstr(path);
	if (str_ends_with(p, STR("*}")))
		return arena_fmt(d->a, "%.*s}", (int)p.n - 2, p.p);
	return p;
}

static bool
path_seen_before(const struct router *r, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(router_entry(r, i)->route->path, router_entry(r, index)->route->path) == 0)
			return true;
	return false;
}

static const char *
method_key(enum http_method m)
{
	static const char *const keys[] = {
		[HTTP_GET] = "get",
		[HTTP_HEAD] = "head",
		[HTTP_POST] = "post",
		[HTTP_PUT] = "put",
		[HTTP_PATCH] = "patch",
		[HTTP_DELETE] = "delete",
		[HTTP_OPTIONS] = "options",
		[HTTP_OTHER] = "trace",
	};
	return keys[m];
}

static void
write_path(struct openapi *d, size_t first)
{
	const char *path = router_entry(d->router, first)->route->path;
	json_key(d->o, described_path(d, path));
	json_begin_object(d->o);
	for (size_t i = first; i < router_count(d->router); i++) {
		const struct route_entry *entry = router_entry(d->router, i);
		if (strcmp(entry->route->path, path) != 0)
			continue;
		json_key(d->o, str_from_cstr(method_key(entry->route->method)));
		openapi_operation_write(d, entry);
	}
	json_end_object(d->o);
}

static void
write_paths(struct openapi *d)
{
	json_key(d->o, STR("paths"));
	json_begin_object(d->o);
	for (size_t i = 0; i < router_count(d->router); i++)
		if (!path_seen_before(d->router, i))
			write_path(d, i);
	json_end_object(d->o);
}

struct str
openapi_write(struct arena *a, const struct router *r, const char *version)
{
	struct arena *scratch = arena_new(OPENAPI_BYTES);
	struct buf b;
	struct json_out o;
	struct openapi *d = arena_new_of(scratch, struct openapi);
	buf_init(&b, OPENAPI_BYTES);
	json_out_init(&o, &b);
	d->a = scratch;
	d->o = &o;
	d->router = r;
	json_begin_object(&o);
	write_head(d, version);
	write_tags(d);
	write_paths(d);
	openapi_components_write(d);
	json_end_object(&o);
	check(!b.over);
	const struct str text = arena_str(a, buf_str(&b));
	buf_done(&b);
	arena_free(scratch);
	return text;
}
