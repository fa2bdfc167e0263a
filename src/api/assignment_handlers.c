/*
 * Assignments below a KPI (contract kpi-management): nested permissions and notifications, every kind of target. The same records as
 * employees' assignments are served by employee_assignment_handlers.c.
 */
#include "api/registry.h"
#include "domain/kpi/assignment.h"
#include "resource/res_sql.h"

/* Only living assignments of the path's KPI. */
static void
of_kpi(struct res_ctx *c, struct res_sql *sql, void *arg)
{
	const struct str *kpi_id = arg;
	(void)c;
	res_sql_add(sql, " AND kpi_id = ");
	res_sql_param(sql, P_TEXT(*kpi_id));
	res_sql_add(sql, " AND status <> 'INACTIVE'");
}

static struct err *
list(struct api_ctx *c, struct list_query *q, struct res_page *page)
{
	struct kpi k = { 0 };

	TRY(kpi_require(&c->res, c->path_params[0], KPI_MAY_VIEW, &k));
	TRY(api_list_query(c, &assignment_res, c->route->view, q));
	q->where = of_kpi;
	q->where_arg = &c->path_params[0];
	return api_list_run(c, &assignment_res, q, page);
}

static struct api_done *
assignments_list(struct api_ctx *c)
{
	struct list_query q;
	struct res_page page;
	struct err *e = list(c, &q, &page);

	if (e)
		return api_fail(c, e);
	for (size_t i = 0; i < page.count; i++)
		assignment_status_today(&c->res, page.records[i]);
	return api_list(c, &q, &page);
}

/* The path's assignment, if it belongs to the path's KPI and has not been removed. */
static struct err *
find(struct api_ctx *c, enum kpi_right right, struct kpi *k, struct assignment *x)
{
	TRY(kpi_require(&c->res, c->path_params[0], right, k));
	TRY(res_read_for(&c->res, &assignment_res, right == KPI_MAY_VIEW ? RES_READ : RES_UPDATE,
		c->path_params[1], x));
	if (!str_eq(x->kpi_id, k->id) || x->status == ASSIGN_INACTIVE)
		return err_word(err_new(c->res.arena, ERR_NOT_FOUND, ""), "ASSIGNMENT_NOT_FOUND");
	return NULL;
}

static struct api_done *
assignment_get(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct assignment x = { 0 };
	struct err *e = find(c, KPI_MAY_VIEW, &k, &x);

	assignment_status_today(&c->res, &x);
	return e ? api_fail(c, e) : api_record(c, &x);
}

static struct err *
create(struct api_ctx *c, struct assignment *x)
{
	struct kpi k = { 0 };

	TRY(kpi_require(&c->res, c->path_params[0], KPI_MAY_ASSIGN, &k));
	TRY(res_parse(
		&c->res, &assignment_res, c->route->view, c->body, RES_MODE_CREATE, api_is_strict(c), x));
	return assignment_create(&c->res, &k, x);
}

static struct api_done *
assignment_post(struct api_ctx *c)
{
	struct assignment x = { 0 };
	struct err *e = create(c, &x);
	return e ? api_fail(c, e) : api_created(c, &x, x.id);
}

static struct err *
change(struct api_ctx *c, struct assignment *x)
{
	struct kpi k = { 0 };
	struct assignment old = { 0 };

	TRY(find(c, KPI_MAY_ASSIGN, &k, &old));
	TRY(api_check_match(c, &old));
	*x = old;
	TRY(res_parse(
		&c->res, &assignment_res, c->route->view, c->body, RES_MODE_MERGE, api_is_strict(c), x));
	return assignment_change(&c->res, &old, x);
}

static struct api_done *
assignment_put(struct api_ctx *c)
{
	struct assignment x = { 0 };
	struct err *e = change(c, &x);
	return e ? api_fail(c, e) : api_record(c, &x);
}

static struct api_done *
assignment_delete(struct api_ctx *c)
{
	struct kpi k = { 0 };
	struct assignment x = { 0 };
	struct err *e = find(c, KPI_MAY_ASSIGN, &k, &x);

	if (!e)
		e = api_check_match(c, &x);
	if (!e)
		e = assignment_end(&c->res, &x);
	return e ? api_fail(c, e) : api_no_content(c);
}

static const struct api_route routes[] = {
	{ HTTP_GET, "/api/kpis/{kpi_id}/assignments", assignments_list, PERM_AUTHENTICATED, API_READ,
		API_BODY_NONE, &assignment_res, &assignment_view, RES_LIST,
		.summary = "List a KPI's assignments" },
	{ HTTP_POST, "/api/kpis/{kpi_id}/assignments", assignment_post, PERM_AUTHENTICATED, API_WRITE,
		API_BODY_JSON, &assignment_res, &assignment_view, RES_CREATE, .summary = "Assign a KPI",
		.doc = "Needs ASSIGN_KPI, MANAGE_KPI or an assignment with can_assign. Rights that are not "
		       "named are those of the role when "
		       "none is named, otherwise none." },
	{ HTTP_GET, "/api/kpis/{kpi_id}/assignments/{assignment_id}", assignment_get, PERM_AUTHENTICATED,
		API_READ, API_BODY_NONE, &assignment_res, &assignment_view, RES_READ,
		.summary = "Read an assignment" },
	{ HTTP_PUT, "/api/kpis/{kpi_id}/assignments/{assignment_id}", assignment_put, PERM_AUTHENTICATED,
		API_WRITE, API_BODY_JSON, &assignment_res, &assignment_view, RES_UPDATE,
		.summary = "Change an assignment",
		.doc = "Only what is given changes, nested objects included." },
	{ HTTP_DELETE, "/api/kpis/{kpi_id}/assignments/{assignment_id}", assignment_delete,
		PERM_AUTHENTICATED, API_WRITE, API_BODY_NONE, &assignment_res, &assignment_view, RES_DELETE,
		.summary = "Remove an assignment" },
};

const struct api_routes assignment_routes = { routes, COUNT(routes), "KPI assignments",
	"To whom a KPI is given, and with which rights." };
