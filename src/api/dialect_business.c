/*
 * The business contract: what Django REST Framework with simplejwt answers, under the contract's own keys as well. Lists are
 * {count,next,previous,results} with absolute links that keep the query; faults of fields nest as the framework nests them, and stand
 * at the top level too, where its clients look for them.
 */
#include "api/dialect_writers.h"

static struct str
link_to(struct api_ctx *c, int64_t page)
{
	struct buf b;
	buf_init_arena(&b, c->res.arena, LIMIT_URL_BYTES * 4);
	buf_add_str(&b, api_base_url(c));
	buf_add_str(&b, c->request->path);
	char separator = '?';
	bool page_written = page == 1;
	for (size_t i = 0; i < c->query.count; i++) {
		const struct form_pair *pair = &c->query.pairs[i];
		const bool is_page = str_eq(pair->name, STR("page"));
		if (is_page && page_written)
			continue;
		buf_add_byte(&b, separator);
		separator = '&';
		form_escape(&b, pair->name);
		buf_add_byte(&b, '=');
		if (is_page)
			buf_add_int(&b, page);
		else
			form_escape(&b, pair->value);
		page_written = page_written || is_page;
	}
	if (!page_written) {
		buf_add_byte(&b, separator);
		buf_add_lit(&b, "page=");
		buf_add_int(&b, page);
	}
	return buf_str(&b);
}

void
business_list_write(struct api_ctx *c, const struct list_query *q, const struct res_page *page)
{
	struct json_out *o = &c->json;
	const int64_t number = list_page_number(q);
	json_begin_object(o);
	json_pair_int(o, "count", page->total);
	json_key(o, STR("next"));
	if (number < list_page_count(q, page->total))
		json_put_str(o, link_to(c, number + 1));
	else
		json_put_null(o);
	json_key(o, STR("previous"));
	if (number > 1)
		json_put_str(o, link_to(c, number - 1));
	else
		json_put_null(o);
	json_key(o, STR("results"));
	api_write_records(c, page);
	json_end_object(o);
}

void
business_error_write(struct json_out *o, struct api_ctx *c, const struct err *e)
{
	static const char *const taken[] = { "error", "message", "detail", "code", "status", "details",
		"timestamp", "path", "request_id", NULL };
	const struct str message = failure_message(c, e);
	const struct failure_texts texts = {
		.error = message,
		.message = message,
		.detail = message,
		.code = e->code == ERR_INVALID_TOKEN ? STR("token_not_valid") : err_code_word(e),
	};
	json_begin_object(o);
	failure_members(o, c, e, &texts);
	json_key(o, STR("details"));
	details_write_nested(o, c->res.arena, e);
	details_hoist(o, c->res.arena, e, taken);
	json_end_object(o);
}
