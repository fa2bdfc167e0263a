/* The kpi-management contract: {items,total,page,pages}, and {detail,code,timestamp} with `fields` on 400. */
#include "api/dialect_writers.h"

void
kpi_list_write(struct api_ctx *c, const struct list_query *q, const struct res_page *page)
{
	struct json_out *o = &c->json;
	json_begin_object(o);
	json_key(o, STR("items"));
	api_write_records(c, page);
	json_pair_int(o, "total", page->total);
	json_pair_int(o, "page", list_page_number(q));
	json_pair_int(o, "pages", list_page_count(q, page->total));
	json_end_object(o);
}

/* The first fault with its field, because a client of this contract may show `detail` alone. */
static struct str
detail_of(const struct api_ctx *c, const struct err *e)
{
	const struct err_field *f = e->fields;
	if (!f || f->field.n == 0)
		return failure_message(c, e);
	return arena_fmt(c->res.arena, "%.*s: %.*s", STR_ARG(f->field), STR_ARG(f->message));
}

void
kpi_error_write(struct json_out *o, struct api_ctx *c, const struct err *e)
{
	const struct failure_texts texts = {
		.error = status_reason(c->pipeline->answer.status),
		.message = failure_message(c, e),
		.detail = detail_of(c, e),
		.code = err_code_word(e),
	};
	json_begin_object(o);
	failure_members(o, c, e, &texts);
	json_key(o, STR("details"));
	details_write(o, e, DETAILS_LISTS);
	if (c->pipeline->answer.status == 400) {
		json_key(o, STR("fields"));
		details_write(o, e, DETAILS_LISTS);
	}
	json_end_object(o);
}
