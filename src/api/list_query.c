/*
 * The five grammars of lists → one struct list_query. A filter is any declared field by the name the view shows; what is neither that
 * nor a word of the grammar is ignored. All faults of a query are collected before it is refused.
 */
#include "api/core.h"
#include "resource/res_sql.h"

#define PAGE_NUMBER_MAX 1000000000 /* times the largest limit it stays far below int64 */

struct reading {
	struct api_ctx *c;
	const struct res_def *def;
	const struct res_view *view;
	struct list_query *q;
	struct err *e;
};

/* ---- names ---- */

static const struct res_field *
declared(const struct reading *r, struct str name)
{
	if (!r->view || !r->view->fields)
		return res_field_find(r->def, name);
	for (size_t i = 0; i < r->view->field_count; i++) {
		const struct res_view_field *f = &r->view->fields[i];
		if (f->field && param_name_matches(r->c->dialect, name, str_from_cstr(f->name)))
			return res_field_find(r->def, str_from_cstr(f->field));
	}
	return NULL;
}

/* A field the client names: as the view does, or a reference without its "_id" (team for team_id). */
static const struct res_field *
field_named(const struct reading *r, struct str name)
{
	if (name.n == 0)
		return NULL;
	const struct res_field *f = declared(r, name);
	return f ? f : declared(r, arena_fmt(r->c->res.arena, "%.*s_id", STR_ARG(name)));
}

/* ---- paging ---- */

static void
add_fault(struct reading *r, const char *name, const char *message)
{
	err_add_field(r->c->res.arena, &r->e, str_from_cstr(name), "%s", message);
}

static void
read_skip_limit(struct reading *r)
{
	const struct dialect *d = r->c->dialect;
	api_param_int(r->c, "skip", 0, PAGE_NUMBER_MAX * d->limit_max, &r->q->offset, &r->e);
	api_param_int(r->c, "limit", 1, d->limit_max, &r->q->limit, &r->e);
}

static void
read_page_limit(struct reading *r)
{
	int64_t page = 1;
	api_param_int(r->c, "limit", 1, r->c->dialect->limit_max, &r->q->limit, &r->e);
	api_param_int(r->c, "page", 1, PAGE_NUMBER_MAX, &page, &r->e);
	r->q->offset = (page - 1) * r->q->limit;
}

static bool
is_digits(struct str s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n == s.n;
}

/* As Django REST Framework pages: a bad page_size is the default or the maximum, a bad page is no page. */
static struct err *
read_page_size(struct reading *r)
{
	const struct dialect *d = r->c->dialect;
	const struct str size = api_param(r->c, "page_size");
	const struct str page = api_param(r->c, "page");
	int64_t n = 0;
	if (str_to_int(size, &n) && n > 0)
		r->q->limit = n < d->limit_max ? n : d->limit_max;
	else if (is_digits(size) && size.n > 18)
		r->q->limit = d->limit_max;
	if (!page.p || page.n == 0)
		return NULL;
	if (str_eq(page, STR("last"))) {
		r->c->pipeline->wants_last_page = true;
		return NULL;
	}
	if (!str_to_int(page, &n) || n < 1 || n > PAGE_NUMBER_MAX)
		return err_new(r->c->res.arena, ERR_NOT_FOUND, "Invalid page.");
	r->q->offset = (n - 1) * r->q->limit;
	return NULL;
}

static struct err *
read_paging(struct reading *r)
{
	r->q->limit = r->c->dialect->limit_default;
	r->q->with_total = true;
	switch (r->c->dialect->paging) {
	case PAGING_NONE:
	case PAGING_SKIP_LIMIT:
		read_skip_limit(r);
		return NULL;
	case PAGING_PAGE_SIZE:
		return read_page_size(r);
	case PAGING_PAGE_LIMIT:
		read_page_limit(r);
		return NULL;
	}
	return NULL;
}

int64_t
list_page_number(const struct list_query *q)
{
	return q->offset / q->limit + 1;
}

int64_t
list_page_count(const struct list_query *q, int64_t total)
{
	return (total + q->limit - 1) / q->limit;
}

/* ---- order ---- */

static bool
sort_add(struct reading *r, struct str name, bool descending)
{
	const struct res_field *f = field_named(r, name);
	return f && list_sort_add(r->q, f, descending);
}

static void
read_sort_by(struct reading *r)
{
	const struct str by = api_param(r->c, "sort_by");
	bool ascending = true;
	api_param_bool(r->c, "ascending", &ascending, &r->e);
	if (by.n && !sort_add(r, by, !ascending))
		err_add_field(r->c->res.arena, &r->e, STR("sort_by"), "\"%.*s\" is not a valid choice.",
			STR_ARG(by));
}

static void
read_ordering(struct reading *r)
{
	struct str left = api_param(r->c, "ordering");
	struct str part;
	while (str_split(&left, ',', &part)) {
		part = str_trim(part);
		const bool descending = str_starts_with(part, STR("-"));
		(void)sort_add(
			r, str_sub(part, descending, part.n), descending); /* unknown parts are ignored */
	}
}

static void
read_sort_colon(struct reading *r)
{
	struct str left = api_param(r->c, "sort");
	struct str part;
	while (left.n && str_split(&left, ',', &part)) {
		part = str_trim(part);
		const size_t colon = str_index(part, ':', 0);
		const struct str way = str_sub(part, colon + 1, part.n);
		const bool descending = str_eq_nocase(way, STR("desc"));
		if ((!descending && way.n && !str_eq_nocase(way, STR("asc"))) ||
			!sort_add(r, str_sub(part, 0, colon), descending))
			err_add_field(r->c->res.arena, &r->e, STR("sort"), "\"%.*s\" is not a valid choice.",
				STR_ARG(part));
	}
}

static void
read_order(struct reading *r)
{
	switch (r->c->dialect->sort) {
	case SORT_NONE:
		return;
	case SORT_BY_ASCENDING:
		read_sort_by(r);
		return;
	case SORT_ORDERING:
		read_ordering(r);
		return;
	case SORT_COLON:
		read_sort_colon(r);
		return;
	}
}

/* ---- filters ---- */

static void
filter_add(struct reading *r, const struct res_field *f, enum list_op op, struct str value, struct str param)
{
	list_filter_add(&r->c->res, r->q, f, op, value, param, &r->e);
}

/* Splits "created_at__gte"; a name without a known suffix is a plain filter. */
static struct str
without_suffix(struct str name, enum list_op *op)
{
	static const struct {
		struct str suffix;
		enum list_op op;
	} suffixes[] = {
		{ STR_INIT("__gte"), LIST_GTE },
		{ STR_INIT("__lte"), LIST_LTE },
		{ STR_INIT("__gt"), LIST_GT },
		{ STR_INIT("__lt"), LIST_LT },
		{ STR_INIT("__icontains"), LIST_CONTAINS },
		{ STR_INIT("__in"), LIST_IN },
		{ STR_INIT("__isnull"), LIST_IS_NULL },
	};
	*op = LIST_EQ;
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		if (!str_ends_with(name, suffixes[i].suffix))
			continue;
		*op = suffixes[i].op;
		return str_sub(name, 0, name.n - suffixes[i].suffix.n);
	}
	return name;
}

static bool
is_word_of_grammar(const struct dialect *d, struct str name)
{
	static const char *const words[] = { "skip", "limit", "page", "page_size", "sort_by", "ascending",
		"ordering", "sort", "search", "strict", "filter", "format" };
	const size_t count = COUNT(words);
	for (size_t i = 0; i < count; i++)
		if (param_name_matches(d, name, str_from_cstr(words[i])))
			return true;
	return false;
}

static void
match_nothing(struct res_ctx *c, struct res_sql *sql, void *arg)
{
	(void)c;
	(void)arg;
	res_sql_add(sql, " AND 1 = 0");
}

/* crm's standard filters that are no fields: created_from, created_to, and the actor's own company. */
static bool
crm_filter(struct reading *r, struct str name, struct str value)
{
	const bool from = str_eq(name, STR("created_from"));
	if (from || str_eq(name, STR("created_to"))) {
		const struct res_field *f = res_field_find(r->def, STR("created_at"));
		if (f)
			filter_add(r, f, from ? LIST_GTE : LIST_LTE, value, name);
		return true;
	}
	if (!str_eq(name, STR("company_id")) || field_named(r, name))
		return false;
	int64_t company = 0;
	if (!str_to_int(value, &company))
		add_fault(r, "company_id", "A valid integer is required.");
	else if (company != r->c->actor.company_id && !actor_may(&r->c->actor, PERM_PLATFORM_ADMIN))
		r->q->where = match_nothing;
	return true;
}

static void
read_filter(struct reading *r, struct str name, struct str value, struct str param)
{
	enum list_op op = LIST_EQ;
	const struct dialect *d = r->c->dialect;
	if (value.n == 0 || is_word_of_grammar(d, name) || (d->filter_json && crm_filter(r, name, value)))
		return;
	const struct str base = d->filter_suffixes ? without_suffix(name, &op) : name;
	const struct res_field *f = field_named(r, base);
	if (f)
		filter_add(r, f, op, value, param);
}

/* The text of a JSON filter's value, elements of an array joined by commas; false for an object. */
static bool
filter_text(struct arena *a, const json_val *v, struct str *out)
{
	struct buf b;
	buf_init_arena(&b, a, LIMIT_URL_BYTES);
	switch (json_type_of(v)) {
	case JSON_STRING:
		*out = json_string(v);
		return true;
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_NUMBER:
		json_write_val(&b, v);
		*out = buf_str(&b);
		return true;
	case JSON_ARRAY: {
		struct json_iter it = json_iter(v);
		json_val *element;
		while (json_next(&it, NULL, &element)) {
			struct str text;
			if (json_type_of(element) == JSON_ARRAY || !filter_text(a, element, &text))
				return false;
			if (b.len)
				buf_add_byte(&b, ',');
			buf_add_str(&b, text);
		}
		*out = buf_str(&b);
		return true;
	}
	case JSON_OBJECT:
		return false;
	}
	return false;
}

static void
read_json_member(struct reading *r, struct str name, const json_val *v)
{
	struct arena *a = r->c->res.arena;
	const struct str param = arena_fmt(a, "filter.%.*s", STR_ARG(name));
	struct str text;
	if (!filter_text(a, v, &text)) {
		err_add_field(a, &r->e, param, "Must be a value or a list of values.");
		return;
	}
	if (crm_filter(r, name, text))
		return;
	const struct res_field *f = field_named(r, name);
	if (!f || !(f->flags & RF_FILTER))
		err_add_field(a, &r->e, param, "\"%.*s\" is not a valid choice.", STR_ARG(name));
	else if (json_type_of(v) == JSON_NULL)
		filter_add(r, f, LIST_IS_NULL, STR("true"), param);
	else
		filter_add(r, f, json_type_of(v) == JSON_ARRAY ? LIST_IN : LIST_EQ, text, param);
}

static void
read_json_filter(struct reading *r)
{
	const struct str text = api_param(r->c, "filter");
	json_val *filter;
	if (!r->c->dialect->filter_json || text.n == 0)
		return;
	if (json_parse(r->c->res.arena, text, &filter) || json_type_of(filter) != JSON_OBJECT) {
		add_fault(r, "filter", "Must be a JSON object.");
		return;
	}
	struct json_iter it = json_iter(filter);
	struct str name;
	json_val *v;
	while (json_next(&it, &name, &v))
		read_json_member(r, name, v);
}

/* ---- all of it ---- */

struct err *
api_list_query(
	struct api_ctx *c, const struct res_def *def, const struct res_view *view, struct list_query *q)
{
	struct reading r = { .c = c, .def = def, .view = view, .q = q };
	memset(q, 0, sizeof(*q));
	c->pipeline->wants_last_page = false;
	TRY(read_paging(&r));
	read_order(&r);
	q->search = str_trim(api_param(c, "search"));
	for (size_t i = 0; i < c->query.count; i++)
		read_filter(&r, c->query.pairs[i].name, c->query.pairs[i].value, c->query.pairs[i].name);
	read_json_filter(&r);
	return r.e;
}

struct err *
api_list_run(struct api_ctx *c, const struct res_def *def, struct list_query *q, struct res_page *page)
{
	if (c->pipeline->wants_last_page) {
		struct list_query count = *q;
		count.limit = 1;
		TRY(res_list(&c->res, def, &count, page));
		q->offset = page->total > 0 ? (page->total - 1) / q->limit * q->limit : 0;
	}
	return res_list(&c->res, def, q, page);
}
