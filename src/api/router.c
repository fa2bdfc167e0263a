/*
 * Compiles route tables into a tree and walks it. A node has its literal children in a list ordered by use in the tables, one child for
 * a parameter and possibly one for the rest of the path. The walk goes back to the parameter when the literal branch has no such path
 * (/api/kpis/campaigns is then the KPI of that id).
 */
#include "api/router.h"
#include "base/limits.h"

#define SEGMENTS_MAX 16 /* longer paths match no route */
#define METHODS	     (HTTP_OTHER + 1)

struct route_node {
	struct str literal;
	struct route_node *next;	   /* sibling */
	struct route_node *first;	   /* literal children */
	struct route_node *param;	   /* child for {name} */
	struct route_entry *rest[METHODS]; /* {name*} */
	bool has_rest;
	struct route_entry *entries[METHODS];
	bool has_entries;
	struct str allow, rest_allow;
};

struct router {
	struct route_node root;
	struct route_entry *entries;
	size_t count;
};

/* ---- compiling ---- */

static struct route_node *
child_of(struct arena *a, struct route_node *node, struct str segment)
{
	struct route_node **link = &node->first;
	while (*link && !str_eq((*link)->literal, segment))
		link = &(*link)->next;
	if (!*link) {
		*link = arena_new_of(a, struct route_node);
		(*link)->literal = segment;
	}
	return *link;
}

static bool
is_param(struct str segment)
{
	return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

static bool
is_rest(struct str segment)
{
	return is_param(segment) && segment.n > 3 && segment.p[segment.n - 2] == '*';
}

/* The node of a route's path; *rest says that the route takes everything below it. NULL: the path is not well made. */
static struct route_node *
node_of(struct arena *a, struct router *r, struct route_entry *entry, bool *rest)
{
	struct str left = str_from_cstr(entry->route->path);
	struct route_node *node = &r->root;
	struct str segment;
	*rest = false;
	if (left.n == 0 || left.p[0] != '/' || (left.n > 1 && str_ends_with(left, STR("/"))))
		return NULL;
	left = str_sub(left, 1, left.n);
	while (left.n > 0 && str_split(&left, '/', &segment)) {
		if (*rest || segment.n == 0)
			return NULL;
		if (!is_param(segment)) {
			node = child_of(a, node, segment);
			continue;
		}
		if (entry->param_count == API_PATH_PARAMS_MAX)
			return NULL;
		*rest = is_rest(segment);
		entry->param_names[entry->param_count++] = str_sub(segment, 1, segment.n - (*rest ? 3 : 2));
		if (*rest)
			continue;
		if (!node->param)
			node->param = arena_new_of(a, struct route_node);
		node = node->param;
	}
	return node;
}

static bool
below(const char *path, struct str prefix)
{
	const struct str p = str_from_cstr(path);
	return str_starts_with(p, prefix) && (p.n == prefix.n || p.p[prefix.n] == '/');
}

/* The families of the contracts. What a browser or a load balancer asks for is in none. */
static enum rate_kind
rate_kind_of(const struct route_entry *entry)
{
	const char *path = entry->route->path;
	const bool is_post = entry->route->method == HTTP_POST;
	switch (entry->dialect->id) {
	case DIALECT_KPI:
	case DIALECT_ASSIGNMENTS:
		return RATE_KIND_NONE;
	case DIALECT_RETRO:
		if (is_post && below(path, STR("/api/kpis/campaigns")))
			return RATE_KIND_CAMPAIGN;
		return is_post && str_ends_with(str_from_cstr(path), STR("/insights"))
			       ? RATE_KIND_RETROSPECTIVE
			       : RATE_KIND_NONE;
	case DIALECT_BUSINESS:
		return below(path, STR("/api")) && !below(path, STR("/api/health")) ? RATE_KIND_BUSINESS
										    : RATE_KIND_NONE;
	case DIALECT_CRM:
		return below(path, STR("/api/v1/docs")) || below(path, STR("/api/v1/openapi.json"))
			       ? RATE_KIND_NONE
			       : RATE_KIND_CRM;
	case DIALECT_COUNT:
		break;
	}
	return RATE_KIND_NONE;
}

static void
find_version(struct route_entry *entry)
{
	const struct res_def *def = entry->route->res;
	const struct res_field *f = def ? res_field_find(def, STR("version")) : NULL;
	if (f && f->kind == RES_INT) {
		entry->has_version = true;
		entry->version_offset = f->offset;
	}
}

static struct err *
add_route(struct arena *a, struct router *r, const struct api_routes *table, const struct api_route *route)
{
	struct route_entry *entry = &r->entries[r->count];
	bool rest;
	const char *method = http_method_names[route->method];
	*entry = (struct route_entry){ .route = route, .table = table };
	if (!route->path || !route->handler || !route->summary)
		return err_new(
			a, ERR_INVALID_INPUT, "A route of '%s' has no path, handler or summary.", table->tag);
	if (route->perm == 0)
		return err_new(a, ERR_INVALID_INPUT, "%s %s has no permission.", method, route->path);
	struct route_node *node = node_of(a, r, entry, &rest);
	if (!node || route->method > HTTP_DELETE || route->method == HTTP_HEAD)
		return err_new(a, ERR_INVALID_INPUT, "%s %s is not a path or method of a route.", method,
			route->path);
	struct route_entry **slot = rest ? &node->rest[route->method] : &node->entries[route->method];
	if (*slot)
		return err_new(a, ERR_INVALID_INPUT, "%s %s is routed twice.", method, route->path);
	*slot = entry;
	*(rest ? &node->has_rest : &node->has_entries) = true;
	entry->dialect = dialect_of_path(str_from_cstr(route->path));
	entry->rate = rate_kind_of(entry);
	find_version(entry);
	r->count++;
	return NULL;
}

static struct str
allow_text(struct arena *a, struct route_entry *const *entries)
{
	struct buf b;
	buf_init_arena(&b, a, 128);
	for (int m = 0; m < METHODS; m++) {
		if (!entries[m])
			continue;
		buf_add_str(&b, str_from_cstr(http_method_names[m]));
		if (m == HTTP_GET)
			buf_add_lit(&b, ", HEAD");
		buf_add_lit(&b, ", ");
	}
	buf_add_lit(&b, "OPTIONS");
	return buf_str(&b);
}

static void
fill_allow(struct arena *a, struct route_node *node)
{
	if (node->has_entries)
		node->allow = allow_text(a, node->entries);
	if (node->has_rest)
		node->rest_allow = allow_text(a, node->rest);
	for (struct route_node *child = node->first; child; child = child->next)
		fill_allow(a, child);
	if (node->param)
		fill_allow(a, node->param);
}

struct err *
router_new(struct arena *a, const struct api_routes *const *tables, struct router **out)
{
	struct router *r = arena_new_of(a, struct router);
	size_t count = 0;
	for (size_t i = 0; tables[i]; i++)
		count += tables[i]->count;
	r->entries = arena_alloc_array(a, count, sizeof(*r->entries));
	for (size_t i = 0; tables[i]; i++)
		for (size_t j = 0; j < tables[i]->count; j++)
			TRY(add_route(a, r, tables[i], &tables[i]->routes[j]));
	fill_allow(a, &r->root);
	*out = r;
	return NULL;
}

/* ---- finding ---- */

struct walk {
	struct str segments[SEGMENTS_MAX]; /* decoded */
	const char *starts[SEGMENTS_MAX];  /* where each begins in the path, for the rest of it */
	size_t count;
	const char *end;
	struct str params[API_PATH_PARAMS_MAX];
	size_t param_count;
	struct str rest;
	bool has_rest;
};

/* False: an escape that decodes to nothing valid, or more segments than any route has. */
static bool
split_path(struct arena *a, struct str path, struct walk *w)
{
	if (path.n == 0 || path.p[0] != '/')
		return false;
	if (path.n > 1 && path.p[path.n - 1] == '/' && path.p[--path.n - 1] == '/')
		return false;
	w->end = path.p + path.n;
	size_t at = 1;
	while (at < path.n) {
		if (w->count == SEGMENTS_MAX)
			return false;
		const size_t end = str_index(path, '/', at);
		struct str segment = str_sub(path, at, end - at);
		w->starts[w->count] = path.p + at;
		if (memchr(segment.p, '%', segment.n) && !form_unescape_segment(a, segment, &segment))
			return false;
		w->segments[w->count++] = segment;
		at = end + 1;
	}
	return true;
}

static const struct route_node *
walk_down(const struct route_node *node, struct walk *w, size_t depth)
{
	if (depth == w->count)
		return node->has_entries ? node : NULL;
	const struct str segment = w->segments[depth];
	for (const struct route_node *child = node->first; child; child = child->next) {
		if (!str_eq(child->literal, segment))
			continue;
		const struct route_node *found = walk_down(child, w, depth + 1);
		if (found)
			return found;
	}
	if (node->param && segment.n > 0) {
		w->params[w->param_count++] = segment;
		const struct route_node *found = walk_down(node->param, w, depth + 1);
		if (found)
			return found;
		w->param_count--;
	}
	if (!node->has_rest || w->param_count == API_PATH_PARAMS_MAX)
		return NULL;
	w->rest = (struct str){ w->starts[depth], (size_t)(w->end - w->starts[depth]) };
	w->has_rest = true;
	return node;
}

enum route_result
router_find(const struct router *r, struct arena *a, enum http_method method, struct str path,
	struct route_match *out)
{
	struct walk w;
	w.count = 0;
	w.param_count = 0;
	w.has_rest = false;
	if (!split_path(a, path, &w))
		return ROUTE_UNKNOWN_PATH;
	const struct route_node *node = walk_down(&r->root, &w, 0);
	if (!node)
		return ROUTE_UNKNOWN_PATH;
	if (w.has_rest) {
		struct str rest = w.rest;
		if (memchr(rest.p, '%', rest.n) && !form_unescape_segment(a, rest, &rest))
			return ROUTE_UNKNOWN_PATH;
		w.params[w.param_count++] = rest;
	}
	const struct route_entry *entry = w.has_rest ? node->rest[method] : node->entries[method];
	out->allow = w.has_rest ? node->rest_allow : node->allow;
	if (!entry)
		return ROUTE_WRONG_METHOD;
	out->entry = entry;
	for (size_t i = 0; i < w.param_count; i++)
		out->params[i] = w.params[i];
	return ROUTE_FOUND;
}

bool
router_streams(const struct router *r, enum http_method method, struct str path)
{
	/* Only escaped segments need memory. */
	struct arena *scratch =
		memchr(path.p ? path.p : "", '%', path.n) ? arena_new(LIMIT_URL_BYTES * 4) : NULL;
	struct route_match match;
	const bool streams = router_find(r, scratch, method, path, &match) == ROUTE_FOUND &&
			     match.entry->route->streams_body;
	if (scratch)
		arena_free(scratch);
	return streams;
}

size_t
router_count(const struct router *r)
{
	return r->count;
}

const struct route_entry *
router_entry(const struct router *r, size_t index)
{
	check(index < r->count);
	return &r->entries[index];
}
