/*
 * The kpi-assignments contract: bare arrays, and errors as Spring shows them, where `error` is the status's reason and `message` says
 * what was wrong. The total of a bare array is told in X-Total-Count.
 */
#include "api/dialect_writers.h"

void
bare_list_write(struct api_ctx *c, const struct list_query *q, const struct res_page *page)
{
	(void)q;
	api_write_records(c, page);
	if (page->total >= 0)
		api_header(c, "X-Total-Count", arena_fmt(c->res.arena, "%lld", (long long)page->total));
}

/* Every faulty field with its message in one line: this contract has no other place for them. */
static struct str
message_of(const struct api_ctx *c, const struct err *e)
{
	if (!e->fields)
		return failure_message(c, e);
	struct buf b;
	buf_init_arena(&b, c->res.arena, LIMIT_ANSWER_BYTES);
	for (const struct err_field *f = e->fields; f; f = f->next) {
		if (b.len)
			buf_add_byte(&b, ' ');
		if (f->field.n) {
			buf_add_str(&b, f->field);
			buf_add_lit(&b, ": ");
		}
		buf_add_str(&b, f->message);
	}
	return buf_str(&b);
}

void
assignments_error_write(struct json_out *o, struct api_ctx *c, const struct err *e)
{
	const struct str message = message_of(c, e);
	const struct failure_texts texts = {
		.error = status_reason(c->pipeline->answer.status),
		.message = message,
		.detail = message,
		.code = err_code_word(e),
	};
	json_begin_object(o);
	failure_members(o, c, e, &texts);
	json_key(o, STR("details"));
	details_write(o, e, DETAILS_LISTS);
	json_end_object(o);
}
