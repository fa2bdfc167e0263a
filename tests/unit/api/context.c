/* See the header: a context is what pipeline.c makes of a request, without the socket. */
#include "context.h"

struct context *
context_new(const char *path, const char *query, const struct res_view *view)
{
	struct arena *a = arena_new(4u << 20);
	struct context *x = arena_new_of(a, struct context);
	struct instant now;
	assert_true(instant_parse(STR("2024-06-15T09:00:00.250Z"), zone_utc(), &now));
	x->arena = a;
	x->clock = clock_fixed(now);
	x->api.options.clock = &x->clock;
	x->api.options.public_url = STR("http://api.example");
	x->request = (struct http_request){
		.method = HTTP_GET,
		.path = str_from_cstr(path),
		.query = str_from_cstr(query),
		.peer = STR("192.0.2.7"),
		.host = STR("api.example"),
		.request_id = STR("req-1"),
	};
	x->route = (struct api_route){ .method = HTTP_GET, .path = path, .res = &item_res, .view = view };
	x->p = arena_new_of(a, struct api_pipeline);
	x->c = &x->p->c;
	api_ctx_init(x->p, &x->api, &x->request, a);
	x->c->route = &x->route;
	x->entry = (struct route_entry){
		.route = &x->route,
		.dialect = x->c->dialect,
		.has_version = true,
		.version_offset = offsetof(struct item, version),
	};
	x->p->entry = &x->entry;
	x->c->actor = (struct actor){
		.kind = ACTOR_PERSON, .company_id = 1, .person_id = 7, .zone = zone_find(STR("Europe/Berlin"))
	};
	assert_non_null(x->c->actor.zone);
	context_ok(form_parse(a, x->request.query, 100, &x->c->query));
	api_reply_reset(x->p);
	return x;
}

void
context_free(struct context *x)
{
	arena_free(x->arena);
}

const char *
context_body(const struct context *x)
{
	return arena_cstr(x->arena, x->p->done.made ? x->p->answer.body : buf_str(&x->c->out));
}

const char *
context_field(const struct context *x, const char *name)
{
	for (size_t i = 0; i < x->p->field_count; i++)
		if (str_eq(x->p->fields[i].name, str_from_cstr(name)))
			return arena_cstr(x->arena, x->p->fields[i].value);
	return NULL;
}

void
context_ok(struct err *e)
{
	if (e)
		fail_msg("%.*s (%.*s)", STR_ARG(e->message), STR_ARG(e->detail));
}
