/*
 * The reply functions of api.h: each finishes p->answer and returns the one proof of it. The body is what stands in c->out; nothing is
 * copied on the way to the server. A record's entity tag is its version and a hash of its bytes: If-Match compares the version alone,
 * so that a figure that moved with the clock does not refuse a change, and If-None-Match compares both.
 */
#include "api/dialect_writers.h"
#include "base/hash.h"

#define FIRST_BODY_BYTES 2048 /* most records fit without growing */

void
api_reply_reset(struct api_pipeline *p)
{
	struct api_ctx *c = &p->c;
	p->answer = (struct http_answer){ .status = 0 };
	p->field_count = 0;
	p->fault = NULL;
	p->rollback = NULL;
	p->opening = NULL;
	p->done.made = false;
	if (c->out.p)
		buf_clear(&c->out);
	else
		buf_init_arena(&c->out, c->res.arena, LIMIT_ANSWER_BYTES);
	json_out_init(&c->json, &c->out);
}

void
api_header(struct api_ctx *c, const char *name, struct str value)
{
	struct api_pipeline *p = c->pipeline;
	check(p->field_count < API_FIELDS_MAX);
	p->fields[p->field_count++] = (struct http_field){ str_from_cstr(name), value };
}

void
api_no_store(struct api_ctx *c)
{
	c->pipeline->answer.no_etag = true;
}

static struct api_done *
finish(struct api_ctx *c, int status, struct str content_type, struct str body)
{
	struct api_pipeline *p = c->pipeline;
	check(!p->done.made);
	if (c->out.over)
		return api_fail(c, err_new(c->res.arena, ERR_TOO_LARGE,
					   "The answer would be larger than the limit of %u bytes; ask for "
					   "less at once.",
					   LIMIT_ANSWER_BYTES));
	p->answer.status = status;
	p->answer.content_type = content_type;
	p->answer.body = body;
	p->done.made = true;
	/* A handler may tell of a failure with a body of its own; its changes are taken back all the same. */
	if (status >= 400)
		p->rollback = err_private(c->res.arena, ERR_CONFLICT, "answered %d", status);
	return &p->done;
}

struct api_done *
api_fail(struct api_ctx *c, struct err *e)
{
	return api_fail_as(c, e, 0);
}

struct api_done *
api_fail_as(struct api_ctx *c, struct err *e, int status)
{
	api_failure(c->pipeline, e, status);
	return &c->pipeline->done;
}

/* ---- entity tags ---- */

static void
put_hex(char *to, uint64_t v)
{
	for (int i = 15; i >= 0; i--, v >>= 4)
		to[i] = "0123456789abcdef"[v & 15];
}

void
reply_tag_body(struct api_ctx *c, struct str lasting)
{
	struct http_answer *answer = &c->pipeline->answer;
	if (c->request->method != HTTP_GET || answer->no_etag || answer->etag.n)
		return;
	char hash[16];
	put_hex(hash, hash_bytes(lasting, 0));
	answer->etag = arena_fmt(c->res.arena, "\"%.16s\"", hash);
}

/* ---- JSON ---- */

struct api_done *
api_json_bare(struct api_ctx *c, int status)
{
	return finish(c, status, STR("application/json"), buf_str(&c->out));
}

static struct api_done *
json_wrapped(struct api_ctx *c, int status, bool hoist)
{
	if (c->dialect->envelope)
		crm_envelope_wrap(c, status, hoist);
	return api_json_bare(c, status);
}

struct api_done *
api_json(struct api_ctx *c, int status)
{
	return json_wrapped(c, status, false);
}

struct api_done *
api_json_hoisted(struct api_ctx *c, int status)
{
	return json_wrapped(c, status, true);
}

struct api_done *
api_no_content(struct api_ctx *c)
{
	if (c->dialect->envelope) {
		buf_clear(&c->out);
		json_out_init(&c->json, &c->out);
		return api_json(c, 200);
	}
	return finish(c, 204, (struct str){ NULL, 0 }, (struct str){ NULL, 0 });
}

struct api_done *
api_bytes(struct api_ctx *c, int status, struct str content_type, struct str body)
{
	return finish(c, status, content_type, body);
}

/* ---- records ---- */

static int64_t
version_of(const struct api_ctx *c, const void *record)
{
	int64_t version;
	memcpy(&version, (const char *)record + c->pipeline->entry->version_offset, sizeof(version));
	return version;
}

/* "12-8f3c…" with its quotes. */
static struct str
record_tag(struct api_ctx *c, int64_t version)
{
	struct buf b;
	buf_init_arena(&b, c->res.arena, 64);
	char hash[16];
	put_hex(hash, hash_bytes(buf_str(&c->out), 0));
	buf_add_byte(&b, '"');
	buf_add_int(&b, version);
	buf_add_byte(&b, '-');
	buf_add(&b, hash, sizeof(hash));
	buf_add_byte(&b, '"');
	return buf_str(&b);
}

static struct api_done *
record_reply(struct api_ctx *c, const void *record, int status)
{
	const struct api_route *route = c->route;
	check(route->res);
	buf_reserve(&c->out, FIRST_BODY_BYTES);
	res_write(&c->json, &c->res, route->res, route->view, record);
	if (c->pipeline->entry->has_version && !c->pipeline->answer.no_etag)
		c->pipeline->answer.etag = record_tag(c, version_of(c, record));
	return api_json(c, status);
}

struct api_done *
api_record(struct api_ctx *c, const void *record)
{
	return record_reply(c, record, c->route->success ? c->route->success : 200);
}

/* Where a created object is found: below the path it was sent to, without the query. */
static struct str
location_of(struct api_ctx *c, struct str id)
{
	struct str base = c->request->path;
	const bool slash = base.n > 1 && base.p[base.n - 1] == '/';
	struct buf b;
	buf_init_arena(&b, c->res.arena, LIMIT_URL_BYTES * 2);
	buf_add_str(&b, base);
	if (!slash)
		buf_add_byte(&b, '/');
	form_escape(&b, id);
	if (slash)
		buf_add_byte(&b, '/');
	return buf_str(&b);
}

struct api_done *
api_created(struct api_ctx *c, const void *record, struct str id)
{
	api_header(c, "Location", location_of(c, id));
	return record_reply(c, record, c->route->success ? c->route->success : 201);
}

/* What an If-Match names: "12", "12-8f…" or W/"12"; false for the tag of something without a version. */
static bool
tag_version(struct str tag, int64_t *out)
{
	if (str_starts_with(tag, STR("W/")))
		tag = str_sub(tag, 2, tag.n);
	if (tag.n < 3 || tag.p[0] != '"' || tag.p[tag.n - 1] != '"')
		return false;
	tag = str_sub(tag, 1, tag.n - 2);
	return str_to_int(str_sub(tag, 0, str_index(tag, '-', 1)), out);
}

struct err *
api_check_match(struct api_ctx *c, const void *record)
{
	const struct str wanted = str_trim(api_request_header(c, "If-Match"));
	if (!wanted.p || str_eq(wanted, STR("*")) || !c->pipeline->entry->has_version)
		return NULL;
	struct str left = wanted;
	struct str tag;
	int64_t version;
	while (str_split(&left, ',', &tag))
		if (tag_version(str_trim(tag), &version) && version == version_of(c, record))
			return NULL;
	return err_new(c->res.arena, ERR_PRECONDITION_FAILED, "");
}

/* ---- lists ---- */

void
api_write_records(struct api_ctx *c, const struct res_page *page)
{
	json_begin_array(&c->json);
	for (size_t i = 0; i < page->count; i++)
		res_write(&c->json, &c->res, c->route->res, c->route->view, page->records[i]);
	json_end_array(&c->json);
}

struct api_done *
api_list(struct api_ctx *c, const struct list_query *q, const struct res_page *page)
{
	const bool beyond = page->total >= 0 && q->offset > 0 && q->offset >= page->total;
	if (beyond && c->dialect->paging == PAGING_PAGE_SIZE)
		return api_fail(c, err_new(c->res.arena, ERR_NOT_FOUND, "Invalid page."));
	buf_reserve(&c->out, FIRST_BODY_BYTES);
	c->dialect->write_list(c, q, page);
	return api_json_bare(c, c->route->success ? c->route->success : 200);
}

/* ---- services ---- */

struct db *
api_db(struct api_ctx *c)
{
	return c->api->options.db;
}

struct iam *
api_iam(struct api_ctx *c)
{
	return c->api->options.iam;
}

struct prediction_cache *
api_predictions(struct api_ctx *c)
{
	return c->api->predictions;
}

const struct clock *
api_clock(struct api_ctx *c)
{
	return c->api->options.clock;
}

const struct webhook_sender *
api_webhook_sender(const struct api_ctx *c)
{
	return c->api->options.webhooks;
}

bool
api_allows_private_webhooks(const struct api_ctx *c)
{
	return c->api->options.allow_private_webhooks;
}

bool
api_login_failures_401(const struct api_ctx *c)
{
	return c->api->options.login_failures_401;
}

struct str
api_request_header(const struct api_ctx *c, const char *name)
{
	return c->exchange ? http_header(c->exchange, name) : (struct str){ NULL, 0 };
}

struct str
api_base_url(const struct api_ctx *c)
{
	if (c->api->options.public_url.n)
		return c->api->options.public_url;
	return arena_fmt(
		c->res.arena, "%s://%.*s", c->request->secure ? "https" : "http", STR_ARG(c->request->host));
}
