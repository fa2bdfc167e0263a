/* The parameters of an operation: of its path, of its dialect's lists, of its own table row, and the header fields of changes. */
#include "api/openapi.h"

bool
openapi_is_list(const struct api_route *r)
{
	return r->method == HTTP_GET && r->res && r->op == RES_LIST && !r->answer_schema;
}

static void
begin_parameter(struct openapi *d, const char *in, struct str name, const char *doc)
{
	json_begin_object(d->o);
	json_pair_str(d->o, "name", name);
	openapi_text(d, "in", in);
	openapi_text(d, "description", doc);
}

static void
query_parameter(struct openapi *d, const char *name, const char *schema, const char *doc)
{
	begin_parameter(d, "query", str_from_cstr(name), doc);
	openapi_raw(d, "schema", schema);
	json_end_object(d->o);
}

/* ---- path ---- */

static const char *
example_of(struct str name)
{
	static const char *const rows[][2] = {
		{ "kpi", "kpi-001" },
		{ "assignment", "assign-001" },
		{ "employee", "emp-001" },
		{ "webhook", "wh-001" },
		{ "delivery", "msg_2f5cb7a8d9e0f1a2b3c4d5e6f7081920" },
		{ "period", "month" },
		{ "start", "2024-01-01" },
		{ "file", "site.css" },
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (str_starts_with(name, str_from_cstr(rows[i][0])))
			return rows[i][1];
	return "1";
}

static void
path_parameters(struct openapi *d, const struct route_entry *entry)
{
	for (size_t i = 0; i < entry->param_count; i++) {
		const struct str name = entry->param_names[i];
		begin_parameter(d, "path", name, "Names the object.");
		json_pair_bool(d->o, "required", true);
		openapi_raw(d, "schema", "{\"type\":\"string\",\"minLength\":1}");
		openapi_text(d, "example", example_of(name));
		json_end_object(d->o);
	}
}

/* ---- lists ---- */

/* The fields of a view by their public names, or the table's own. */
static bool
next_field(const struct api_route *r, size_t *at, const char **name, const struct res_field **field)
{
	const struct res_view *view = r->view;
	const bool own = !view || !view->fields;
	while (*at < (own ? r->res->field_count : view->field_count)) {
		const size_t i = (*at)++;
		*name = own ? r->res->fields[i].name : view->fields[i].name;
		*field = own ? &r->res->fields[i]
			 : view->fields[i].field
				 ? res_field_find(r->res, str_from_cstr(view->fields[i].field))
				 : NULL;
		if (*field && !((*field)->flags & (own ? RF_HIDDEN | RF_SECRET : RF_SECRET)))
			return true;
	}
	return false;
}

static bool
any_flag(const struct api_route *r, unsigned flag)
{
	size_t at = 0;
	const char *name;
	const struct res_field *f;
	while (next_field(r, &at, &name, &f))
		if (f->flags & flag)
			return true;
	return false;
}

static void
paging_parameters(struct openapi *d, const struct dialect *l)
{
	const char *limit =
		arena_fmt(d->a, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":%lld,\"default\":%lld}",
			(long long)l->limit_max, (long long)l->limit_default)
			.p;
	static const char page[] = "{\"type\":\"integer\",\"minimum\":1,\"default\":1}";
	switch (l->paging) {
	case PAGING_NONE:
	case PAGING_SKIP_LIMIT:
		query_parameter(d, "skip", "{\"type\":\"integer\",\"minimum\":0,\"default\":0}",
			"Records to pass over.");
		query_parameter(d, "limit", limit, "Most records in the answer.");
		return;
	case PAGING_PAGE_SIZE:
		query_parameter(d, "page",
			"{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1},{\"type\":\"string\",\"const\":"
			"\"last\"}],"
			"\"default\":1}",
			"Page number, or `last`.");
		query_parameter(
			d, "page_size", limit, "Records a page; a larger number counts as the largest.");
		return;
	case PAGING_PAGE_LIMIT:
		query_parameter(d, "page", page, "Page number.");
		query_parameter(d, "limit", limit, "Records a page.");
		return;
	}
}

static struct str
sort_names(struct openapi *d, const struct api_route *r, const char *between)
{
	struct buf b;
	size_t at = 0;
	const char *name;
	const struct res_field *f;
	buf_init_arena(&b, d->a, 65536);
	while (next_field(r, &at, &name, &f)) {
		if (!(f->flags & RF_SORT))
			continue;
		buf_add_str(&b, b.len ? str_from_cstr(between) : STR(""));
		buf_add_str(&b, str_from_cstr(name));
	}
	return buf_str(&b);
}

static void
sort_parameters(struct openapi *d, const struct api_route *r, const struct dialect *l)
{
	static const char text[] = "{\"type\":\"string\"}";
	if (!any_flag(r, RF_SORT))
		return;
	const struct str names = sort_names(d, r, ", ");
	switch (l->sort) {
	case SORT_NONE:
		return;
	case SORT_BY_ASCENDING:
		query_parameter(d, "sort_by",
			arena_fmt(d->a, "{\"type\":\"string\",\"enum\":[\"%.*s\"]}",
				STR_ARG(sort_names(d, r, "\",\"")))
				.p,
			"Field to sort by.");
		query_parameter(
			d, "ascending", "{\"type\":\"boolean\",\"default\":true}", "Order of `sort_by`.");
		return;
	case SORT_ORDERING:
		query_parameter(d, "ordering", text,
			arena_fmt(d->a, "Fields separated by commas, with `-` for falling order: %.*s.",
				STR_ARG(names))
				.p);
		return;
	case SORT_COLON:
		query_parameter(d, "sort", text,
			arena_fmt(d->a, "`field:asc` or `field:desc`, separated by commas: %.*s.",
				STR_ARG(names))
				.p);
		return;
	}
}

static bool
is_comparable(enum res_kind kind)
{
	return kind != RES_TEXT && kind != RES_BOOL && kind != RES_ENUM && kind != RES_REF &&
	       kind != RES_JSON;
}

static void
filter_parameter(struct openapi *d, const struct res_field *f, struct str name, const char *doc)
{
	begin_parameter(d, "query", name, doc);
	json_key(d->o, STR("schema"));
	res_schema_field_write(d->o, f);
	json_end_object(d->o);
}

static void
filter_parameters(struct openapi *d, const struct api_route *r, const struct dialect *l)
{
	size_t at = 0;
	const char *name;
	const struct res_field *f;
	while (next_field(r, &at, &name, &f)) {
		if (!(f->flags & RF_FILTER))
			continue;
		filter_parameter(
			d, f, str_from_cstr(name), arena_fmt(d->a, "Only records with this `%s`.", name).p);
		if (!l->filter_suffixes || !is_comparable(f->kind))
			continue;
		filter_parameter(d, f, arena_fmt(d->a, "%s__gte", name),
			arena_fmt(d->a, "Only records with this `%s` or a greater one; `__gt` excludes it.",
				name)
				.p);
		filter_parameter(d, f, arena_fmt(d->a, "%s__lte", name),
			arena_fmt(d->a, "Only records with this `%s` or a smaller one; `__lt` excludes it.",
				name)
				.p);
	}
	if (l->filter_json)
		query_parameter(d, "filter",
			"{\"type\":\"string\",\"contentMediaType\":\"application/json\"}",
			"A JSON object of fields and values (or lists of values): `{\"status\":\"Demo\"}`.");
}

static void
list_parameters(struct openapi *d, const struct api_route *r, const struct dialect *l)
{
	paging_parameters(d, l);
	sort_parameters(d, r, l);
	if (any_flag(r, RF_SEARCH))
		query_parameter(d, "search", "{\"type\":\"string\"}",
			"Only records that hold this text, in any case.");
	filter_parameters(d, r, l);
}

/* ---- the rest ---- */

static bool
own_has(const struct api_route *r, const char *name)
{
	for (const struct api_param *p = r->params; p && p->name; p++)
		if (strcmp(p->name, name) == 0)
			return true;
	return false;
}

static void
own_parameters(struct openapi *d, const struct api_route *r)
{
	for (const struct api_param *p = r->params; p && p->name; p++) {
		begin_parameter(d, "query", str_from_cstr(p->name), p->doc);
		if (p->required)
			json_pair_bool(d->o, "required", true);
		openapi_raw(d, "schema", p->schema);
		json_end_object(d->o);
	}
}

static void
change_parameters(struct openapi *d, const struct route_entry *entry)
{
	const struct api_route *r = entry->route;
	const bool takes_body = r->body == API_BODY_JSON || r->body == API_BODY_JSON_OR_FORM;
	if (takes_body && r->res && !own_has(r, "strict"))
		query_parameter(d, "strict", "{\"type\":\"boolean\",\"default\":false}",
			"Refuse unknown members of the body.");
	if (r->method == HTTP_POST && !(r->perm & PERM_ANYONE) &&
		(r->work == API_WRITE || r->work == API_SLOW)) {
		begin_parameter(d, "header", STR("Idempotency-Key"),
			"With the same key and request the stored answer is sent again; with another request "
			"422.");
		openapi_raw(d, "schema", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}");
		json_end_object(d->o);
	}
	if (entry->has_version &&
		(r->method == HTTP_PUT || r->method == HTTP_PATCH || r->method == HTTP_DELETE)) {
		begin_parameter(d, "header", STR("If-Match"),
			"ETag of the version to be changed; 412 when there is a later one.");
		openapi_raw(d, "schema", "{\"type\":\"string\"}");
		json_end_object(d->o);
	}
}

void
openapi_parameters_write(struct openapi *d, const struct route_entry *entry)
{
	json_begin_array(d->o);
	path_parameters(d, entry);
	if (openapi_is_list(entry->route))
		list_parameters(d, entry->route, entry->dialect);
	own_parameters(d, entry->route);
	change_parameters(d, entry);
	json_end_array(d->o);
}
