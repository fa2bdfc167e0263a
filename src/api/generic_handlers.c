/*
 * The handlers of routes that are nothing but a resource: list, read, create, replace, merge, delete. The row of the route names table,
 * view and operation; what is special about a resource is in its hooks.
 */
#include "api/core.h"

static struct str
id_of(const struct api_ctx *c)
{
	const size_t count = c->pipeline->entry->param_count;
	check(count > 0);
	return c->path_params[count - 1];
}

struct api_done *
api_res_list(struct api_ctx *c)
{
	struct list_query q;
	struct res_page page;
	struct err *e = api_list_query(c, c->route->res, c->route->view, &q);
	if (!e)
		e = api_list_run(c, c->route->res, &q, &page);
	return e ? api_fail(c, e) : api_list(c, &q, &page);
}

struct api_done *
api_res_read(struct api_ctx *c)
{
	void *record = arena_alloc(c->res.arena, c->route->res->record_size);
	struct err *e = res_read(&c->res, c->route->res, id_of(c), record);
	return e ? api_fail(c, e) : api_record(c, record);
}

/* The id as the path will name it: the text of an integer or text field. */
static struct str
record_id(const struct api_ctx *c, const void *record)
{
	const struct res_def *def = c->route->res;
	const struct res_field *f = res_field_find(def, str_from_cstr(def->id_field ? def->id_field : "id"));
	check(f && (f->kind == RES_TEXT || f->kind == RES_INT));
	if (f->kind == RES_TEXT) {
		struct str id;
		memcpy(&id, (const char *)record + f->offset, sizeof(id));
		return id;
	}
	int64_t id;
	memcpy(&id, (const char *)record + f->offset, sizeof(id));
	return arena_fmt(c->res.arena, "%lld", (long long)id);
}

struct api_done *
api_res_create(struct api_ctx *c)
{
	const struct res_def *def = c->route->res;
	void *record = arena_alloc(c->res.arena, def->record_size);
	struct err *e =
		res_parse(&c->res, def, c->route->view, c->body, RES_MODE_CREATE, api_is_strict(c), record);
	if (!e)
		e = res_create(&c->res, def, record);
	return e ? api_fail(c, e) : api_created(c, record, record_id(c, record));
}

static struct err *
change(struct api_ctx *c, enum res_mode mode, void **record)
{
	const struct res_def *def = c->route->res;
	void *old = arena_alloc(c->res.arena, def->record_size);
	*record = arena_alloc(c->res.arena, def->record_size);
	TRY(res_read_for(&c->res, def, RES_UPDATE, id_of(c), old));
	TRY(api_check_match(c, old));
	memcpy(*record, old, def->record_size);
	TRY(res_parse(&c->res, def, c->route->view, c->body, mode, api_is_strict(c), *record));
	return res_update(&c->res, def, old, *record);
}

struct api_done *
api_res_replace(struct api_ctx *c)
{
	void *record;
	struct err *e = change(c, RES_MODE_REPLACE, &record);
	return e ? api_fail(c, e) : api_record(c, record);
}

struct api_done *
api_res_merge(struct api_ctx *c)
{
	void *record;
	struct err *e = change(c, RES_MODE_MERGE, &record);
	return e ? api_fail(c, e) : api_record(c, record);
}

struct err *
api_check_match_by_id(struct api_ctx *c, enum res_op op, struct str id)
{
	if (!api_request_header(c, "If-Match").p)
		return NULL;
	void *record = arena_alloc(c->res.arena, c->route->res->record_size);
	TRY(res_read_for(&c->res, c->route->res, op, id, record));
	return api_check_match(c, record);
}

struct api_done *
api_res_delete(struct api_ctx *c)
{
	struct err *e = api_check_match_by_id(c, RES_DELETE, id_of(c));
	if (!e)
		e = res_delete(&c->res, c->route->res, id_of(c));
	return e ? api_fail(c, e) : api_no_content(c);
}
