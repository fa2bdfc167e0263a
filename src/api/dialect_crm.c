/*
 * The crm contract: everything in the envelope {status,message,data,count,page,limit,total,timestamp}, totals in headers too, and errors
 * {status,message,error,details:{field:text}} where `message` is the status's reason and `error` says what was wrong.
 */
#include "api/dialect_writers.h"

static void
put_timestamp(struct api_ctx *c)
{
	const struct instant now = { c->res.now.us - c->res.now.us % INSTANT_SECOND };
	struct buf b;
	buf_init_arena(&b, c->res.arena, 64);
	instant_write(&b, now, c->dialect->instants, zone_utc());
	json_pair_str(&c->json, "timestamp", buf_str(&b));
}

static void
begin_envelope(struct api_ctx *c, int status)
{
	json_begin_object(&c->json);
	json_pair_int(&c->json, "status", status);
	json_pair_str(&c->json, "message", STR("Operation successful"));
	json_key(&c->json, STR("data"));
}

void
crm_list_write(struct api_ctx *c, const struct list_query *q, const struct res_page *page)
{
	struct json_out *o = &c->json;
	const int64_t pages = list_page_count(q, page->total);
	begin_envelope(c, 200);
	api_write_records(c, page);
	json_pair_int(o, "count", (int64_t)page->count);
	json_pair_int(o, "page", list_page_number(q));
	json_pair_int(o, "limit", q->limit);
	json_pair_int(o, "total", page->total);
	reply_tag_body(c, buf_str(&c->out));
	put_timestamp(c);
	json_end_object(o);
	api_header(c, "X-Total-Count", arena_fmt(c->res.arena, "%lld", (long long)page->total));
	api_header(c, "X-Page-Count", arena_fmt(c->res.arena, "%lld", (long long)pages));
}

/* Members of an object that the envelope's own do not hide. */
static void
hoist_members(struct api_ctx *c, struct str object)
{
	static const char *const own[] = { "status", "message", "data", "timestamp" };
	json_val *v = NULL;
	struct err *e = json_parse(c->res.arena, object, &v);
	check(!e); /* it was written by our own writer */
	struct json_iter it = json_iter(v);
	struct str key;
	json_val *member;
	while (json_next(&it, &key, &member)) {
		bool hidden = false;
		for (size_t i = 0; i < COUNT(own); i++)
			hidden = hidden || str_eq(key, str_from_cstr(own[i]));
		if (hidden)
			continue;
		struct buf b;
		buf_init_arena(&b, c->res.arena, LIMIT_ANSWER_BYTES);
		json_write_val(&b, member);
		json_key_escaped(&c->json, key);
		json_put_raw(&c->json, buf_str(&b));
	}
}

void
crm_envelope_wrap(struct api_ctx *c, int status, bool hoist)
{
	const struct buf inner = c->out;
	const struct str value = inner.len ? buf_str(&inner) : STR("null");
	reply_tag_body(c, value);
	buf_init_arena(&c->out, c->res.arena, LIMIT_ANSWER_BYTES);
	json_out_init(&c->json, &c->out);
	buf_reserve(&c->out, value.n + 160);
	begin_envelope(c, status);
	json_put_raw(&c->json, value);
	if (hoist && value.n && value.p[0] == '{')
		hoist_members(c, value);
	put_timestamp(c);
	json_end_object(&c->json);
	c->out.over = c->out.over || inner.over;
}

static struct str
without_full_stop(struct str s)
{
	return str_ends_with(s, STR(".")) ? str_sub(s, 0, s.n - 1) : s;
}

void
crm_error_write(struct json_out *o, struct api_ctx *c, const struct err *e)
{
	const struct str message = failure_message(c, e);
	const struct failure_texts texts = {
		.error = without_full_stop(message),
		.message = status_reason_plain(c->res.arena, c->pipeline->answer.status),
		.detail = message,
		.code = err_code_word(e),
	};
	json_begin_object(o);
	failure_members(o, c, e, &texts);
	json_key(o, STR("details"));
	details_write(o, e, DETAILS_TEXTS);
	json_end_object(o);
}
