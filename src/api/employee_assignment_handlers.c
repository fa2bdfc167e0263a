/*
 * Employees' KPI assignments (contract kpi-assignments): bare arrays, camel case, an employee and a KPI instead of an id in the path.
 * Omitted custom values are shown as the KPI's own.
 */
#include "api/registry.h"
#include "base/limits.h"
#include "domain/kpi/assignment.h"
#include "resource/res_sql.h"

#define BULK_EMPLOYEES_MAX 500

/* ---- lists ---- */

struct list_filter_of {
	struct str employee_id, supervisor_id, kpi_id; /* p NULL: any */
	bool living_only, has_effective;
	struct date effective, today;
};

static void
add_date(struct res_ctx *c, struct res_sql *sql, struct date d)
{
	struct buf b;
	buf_init_arena(&b, c->arena, 32);
	date_write(&b, d);
	res_sql_param(sql, P_TEXT(buf_str(&b)));
}

static void
add_text(struct res_sql *sql, const char *condition, struct str value)
{
	if (!value.p)
		return;
	res_sql_add(sql, condition);
	res_sql_param(sql, P_TEXT(value));
}

static void
of_employees(struct res_ctx *c, struct res_sql *sql, void *arg)
{
	const struct list_filter_of *f = arg;

	res_sql_add(sql, " AND target_type = 'USER'");
	add_text(sql, " AND target_id = ", f->employee_id);
	add_text(sql, " AND supervisor_id = ", f->supervisor_id);
	add_text(sql, " AND kpi_id = ", f->kpi_id);
	if (f->living_only) {
		res_sql_add(sql, " AND status = 'ACTIVE' AND (end_date IS NULL OR end_date >= ");
		add_date(c, sql, f->today);
		res_sql_add(sql, ")");
	}
	if (f->has_effective) {
		res_sql_add(sql, " AND status IN ('ACTIVE', 'COMPLETED') AND effective_date <= ");
		add_date(c, sql, f->effective);
		res_sql_add(sql, " AND (end_date IS NULL OR end_date >= ");
		add_date(c, sql, f->effective);
		res_sql_add(sql, ")");
	}
}

/* All of them: the contract knows no pages. */
static struct err *
read_list(struct api_ctx *c, struct list_filter_of *f, struct res_page *page)
{
	struct list_query q = { .limit = INT32_MAX, .where = of_employees, .where_arg = f };

	f->today = zone_date(c->res.actor->zone, c->res.now);
	TRY(res_list(&c->res, &assignment_res, &q, page));
	return assignment_complete_values(&c->res, (struct assignment **)page->records, page->count);
}

static void
write_list(struct api_ctx *c, const struct res_page *page)
{
	json_begin_array(&c->json);
	for (size_t i = 0; i < page->count; i++)
		res_write(&c->json, &c->res, &assignment_res, &assignment_employee_view, page->records[i]);
	json_end_array(&c->json);
}

static struct api_done *
answer_list(struct api_ctx *c, struct list_filter_of *f)
{
	struct res_page page;
	struct err *e = read_list(c, f, &page);

	if (e)
		return api_fail(c, e);
	write_list(c, &page);
	return api_json(c, 200);
}

static struct api_done *
list_all(struct api_ctx *c)
{
	struct list_filter_of f = {
		.employee_id = api_param(c, "employee_id"),
		.supervisor_id = api_param(c, "supervisor_id"),
		.kpi_id = api_param(c, "kpi_id"),
	};
	struct err *e = NULL;

	api_param_date(c, "effective_date", &f.effective, &f.has_effective, &e);
	return e ? api_fail(c, e) : answer_list(c, &f);
}

static struct api_done *
list_of_employee(struct api_ctx *c)
{
	struct list_filter_of f = { .employee_id = c->path_params[0], .living_only = true };
	struct err *e = NULL;

	api_param_bool(c, "active_only", &f.living_only, &e);
	if (!e)
		e = assignment_require_employee(&c->res, f.employee_id);
	return e ? api_fail(c, e) : answer_list(c, &f);
}

static struct api_done *
list_of_kpi(struct api_ctx *c)
{
	struct list_filter_of f = { .kpi_id = c->path_params[0] };
	struct kpi k = { 0 };
	struct err *e = kpi_require(&c->res, f.kpi_id, KPI_MAY_VIEW, &k);
	return e ? api_fail(c, e) : answer_list(c, &f);
}

struct employee_ids {
	struct str *ids; /* each once, in the order they were first named */
	size_t count;
};

/* The parameter's ids. One named twice would be a member twice, which readers of JSON take differently. */
static struct err *
bulk_ids(struct api_ctx *c, struct employee_ids *out)
{
	struct str rest = api_param(c, "employee_ids"), id;

	out->count = 0;
	out->ids = arena_alloc_array(c->res.arena, BULK_EMPLOYEES_MAX, sizeof *out->ids);
	while (str_split(&rest, ',', &id)) {
		size_t i = 0;
		id = str_trim(id);
		while (i < out->count && !str_eq(out->ids[i], id))
			i++;
		if (str_is_empty(id) || i < out->count)
			continue;
		if (out->count == BULK_EMPLOYEES_MAX)
			return err_field(c->res.arena, "employee_ids",
				"Ensure there are no more than %d employees.", BULK_EMPLOYEES_MAX);
		out->ids[out->count++] = id;
	}
	return out->count ? NULL : err_field(c->res.arena, "employee_ids", "This field is required.");
}

/* One member of the answer: the employee's living assignments. */
static struct err *
write_employee(struct api_ctx *c, struct str employee_id)
{
	struct list_filter_of f = { .employee_id = employee_id, .living_only = true };
	struct res_page page;
	struct json_out o;
	struct buf key;

	TRY(read_list(c, &f, &page));
	/* The id is any text a client sent, so the key needs the escapes that a written string gets. */
	buf_init_arena(&key, c->res.arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &key);
	json_put_str(&o, employee_id);
	json_key(&c->json, str_sub(buf_str(&key), 1, key.len - 2));
	write_list(c, &page);
	return NULL;
}

static struct api_done *
list_bulk(struct api_ctx *c)
{
	struct employee_ids of;
	struct err *e = bulk_ids(c, &of);

	json_begin_object(&c->json);
	for (size_t i = 0; !e && i < of.count; i++)
		e = write_employee(c, of.ids[i]);
	if (e)
		return api_fail(c, e);
	json_end_object(&c->json);
	return api_json(c, 200);
}

/* ---- one assignment ---- */

static struct api_done *
answer_one(struct api_ctx *c, struct assignment *x, int status)
{
	bool over;
	struct err *e = assignment_weigh(&c->res, x, &over);

	if (!e)
		e = assignment_complete_values(&c->res, &x, 1);
	if (e)
		return api_fail(c, e);
	res_write(&c->json, &c->res, &assignment_res,
		over ? &assignment_warned_view : &assignment_employee_view, x);
	return api_json(c, status);
}

/* The KPI that the body names, as a text; what is wrong with it joins the other faults. */
static struct str
kpi_id_of_body(struct api_ctx *c, struct err **faults)
{
	json_val *id = json_get(c->body, STR("kpiDefinitionId"));

	if (!id)
		err_add_field(c->res.arena, faults, STR("kpiDefinitionId"), "This field is required.");
	else if (json_type_of(id) == JSON_NULL)
		err_add_field(c->res.arena, faults, STR("kpiDefinitionId"), "This field may not be null.");
	else if (json_type_of(id) != JSON_STRING)
		err_add_field(c->res.arena, faults, STR("kpiDefinitionId"), "Not a valid string.");
	else
		return json_string(id);
	return STR("");
}

/* One that does not exist, or is not seen, is a fault of the body here. */
static struct err *
kpi_of_body(struct api_ctx *c, struct str id, struct kpi *k)
{
	struct err *e = kpi_require(&c->res, id, KPI_MAY_ASSIGN, k);
	if (e && e->code == ERR_NOT_FOUND)
		return err_field(c->res.arena, "kpiDefinitionId",
			"Invalid pk \"%.*s\" - object does not exist.", STR_ARG(id));
	return e;
}

/* Faults of the rules are told in the contract's own names. */
static struct err *
rename_fields(struct err *e)
{
	static const struct {
		struct str from, to;
	} names[] = {
		{ STR_INIT("target_id"), STR_INIT("employeeId") },
		{ STR_INIT("supervisor_id"), STR_INIT("supervisorId") },
		{ STR_INIT("end_date"), STR_INIT("endDate") },
		{ STR_INIT("custom_weight_percentage"), STR_INIT("customWeightPercentage") },
	};

	for (struct err_field *f = e ? e->fields : NULL; f; f = f->next)
		for (size_t i = 0; i < COUNT(names); i++)
			if (str_eq(f->field, names[i].from))
				f->field = names[i].to;
	return e;
}

static struct err *
create(struct api_ctx *c, struct assignment *x)
{
	struct kpi k = { 0 };
	struct err *faults = res_parse(&c->res, &assignment_res, &assignment_employee_view, c->body,
		RES_MODE_CREATE, api_is_strict(c), x);
	struct str kpi_id = STR("");

	if (json_type_of(c->body) == JSON_OBJECT && (!faults || faults->code == ERR_INVALID_INPUT))
		kpi_id = kpi_id_of_body(c, &faults);
	TRY(faults);
	TRY(kpi_of_body(c, kpi_id, &k));
	/* Who carries the KPI sees it; changing it is another matter. */
	x->target_type = ASSIGN_USER;
	x->can_view = true;
	res_set_null(&assignment_res, x, "permissions.can_view", false);
	return rename_fields(assignment_create(&c->res, &k, x));
}

static struct api_done *
assignment_post(struct api_ctx *c)
{
	struct assignment x = { 0 };
	struct err *e = create(c, &x);
	return e ? api_fail(c, e) : answer_one(c, &x, 201);
}

/* Ids in the body must be the path's, if they are there. */
static void
check_same(struct api_ctx *c, const char *name, struct str path, struct err **e)
{
	json_val *v = json_get(c->body, str_from_cstr(name));
	if (v && json_type_of(v) != JSON_NULL &&
		(json_type_of(v) != JSON_STRING || !str_eq(json_string(v), path)))
		err_add_field(c->res.arena, e, str_from_cstr(name), "It differs from the one in the path.");
}

static struct err *
find(struct api_ctx *c, struct assignment *x)
{
	struct kpi k = { 0 };

	TRY(assignment_require_employee(&c->res, c->path_params[0]));
	TRY(kpi_require(&c->res, c->path_params[1], KPI_MAY_ASSIGN, &k));
	return assignment_of_employee(&c->res, c->path_params[0], c->path_params[1], x);
}

static struct err *
change(struct api_ctx *c, struct assignment *x)
{
	struct assignment old = { 0 };
	struct err *e = NULL;

	TRY(find(c, &old));
	check_same(c, "employeeId", c->path_params[0], &e);
	check_same(c, "kpiDefinitionId", c->path_params[1], &e);
	TRY(e);
	TRY(api_check_match(c, &old));
	*x = old;
	TRY(res_parse(&c->res, &assignment_res, &assignment_employee_view, c->body, RES_MODE_MERGE,
		api_is_strict(c), x));
	return rename_fields(assignment_change(&c->res, &old, x));
}

static struct api_done *
assignment_put(struct api_ctx *c)
{
	struct assignment x = { 0 };
	struct err *e = change(c, &x);
	return e ? api_fail(c, e) : answer_one(c, &x, 200);
}

static struct api_done *
assignment_delete(struct api_ctx *c)
{
	struct assignment x = { 0 };
	struct err *e = find(c, &x);

	if (!e)
		e = api_check_match(c, &x);
	if (!e)
		e = assignment_end(&c->res, &x);
	return e ? api_fail(c, e) : api_no_content(c);
}

/* ---- routes ---- */

#define BASE	  "/api/v1/kpi-management/assignments"
#define SEE	  (PERM_BIT(PERM_VIEW_ALL) | PERM_BIT(PERM_VIEW_TEAM))
#define SEE_OWN	  (SEE | PERM_BIT(PERM_VIEW_OWN))
#define ASSIGN	  PERM_BIT(PERM_ASSIGN_KPI)
#define ONE_PATH  BASE "/employee/{employeeId}/kpi/{kpiDefinitionId}"
#define ID_SCHEMA "{\"type\":\"string\"}"

static const struct api_param all_params[] = {
	{ "employee_id", ID_SCHEMA, "Only of this employee.", false },
	{ "supervisor_id", ID_SCHEMA, "Only under this supervisor.", false },
	{ "kpi_id", ID_SCHEMA, "Only of this KPI.", false },
	{ "effective_date", "{\"type\":\"string\",\"format\":\"date\"}", "Only those in force on this day.",
		false },
	{ NULL, NULL, NULL, false },
};
static const struct api_param employee_params[] = {
	{ "activeOnly", "{\"type\":\"boolean\",\"default\":true}",
		"Leave out what was removed, suspended or has ended.", false },
	{ NULL, NULL, NULL, false },
};
static const struct api_param bulk_params[] = {
	{ "employee_ids", ID_SCHEMA, "Employee ids, separated by commas.", true },
	{ NULL, NULL, NULL, false },
};

#define VIEW .res = &assignment_res, .view = &assignment_employee_view

static const struct api_route routes[] = {
	{ HTTP_POST, BASE, assignment_post, ASSIGN, API_WRITE, API_BODY_JSON, VIEW, .op = RES_CREATE,
		.summary = "Assign a KPI to an employee",
		.doc = "Weights of more than 100 % in all are accepted with a list of warnings." },
	{ HTTP_GET, BASE, list_all, SEE, API_READ, API_BODY_NONE, VIEW, .op = RES_LIST,
		.summary = "List employees' KPI assignments", .params = all_params },
	{ HTTP_GET, BASE "/employee/{employeeId}", list_of_employee, SEE_OWN, API_READ, API_BODY_NONE, VIEW,
		.op = RES_LIST, .summary = "List an employee's KPI assignments", .params = employee_params },
	{ HTTP_GET, BASE "/kpi/{kpiDefinitionId}", list_of_kpi, SEE, API_READ, API_BODY_NONE, VIEW,
		.op = RES_LIST, .summary = "List the employees a KPI is assigned to" },
	{ HTTP_PUT, ONE_PATH, assignment_put, ASSIGN, API_WRITE, API_BODY_JSON, VIEW, .op = RES_UPDATE,
		.summary = "Change an employee's KPI assignment", .doc = "Only what is given changes." },
	{ HTTP_GET, BASE "/bulk", list_bulk, SEE, API_READ, API_BODY_NONE,
		.summary = "List the KPI assignments of several employees",
		.doc = "Living assignments by employee id; an employee without any has an empty list.",
		.params = bulk_params,
		.answer_schema = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\","
				 "\"items\":{\"$ref\":"
				 "\"#/components/schemas/EmployeeAssignment\"}}}",
		.answer_example = "{\"emp-001\":[{\"employeeId\":\"emp-001\",\"kpiDefinitionId\":\"kpi-001\","
				  "\"assignmentId\":\"assign-001\",\"supervisorId\":\"sup-001\","
				  "\"customTargetValue\":55000.00,\"customTargetUnit\":\"USD\","
				  "\"customTargetComparisonType\":\"GREATER_THAN_OR_EQUAL\","
				  "\"customWeightPercentage\":30.0,\"customWeightIsFlexible\":false,"
				  "\"effectiveDate\":\"2025-01-01\",\"endDate\":\"2025-12-31\","
				  "\"assignedBy\":\"manager\",\"status\":\"ACTIVE\","
				  "\"createdAt\":\"2025-12-17T08:30:00.000Z\","
				  "\"updatedAt\":\"2025-12-17T08:30:00.000Z\"}],\"emp-003\":[]}" },
	{ HTTP_DELETE, ONE_PATH, assignment_delete, ASSIGN, API_WRITE, API_BODY_NONE, VIEW, .op = RES_DELETE,
		.summary = "Remove an employee's KPI assignment" },
};

const struct api_routes employee_assignment_routes = { routes, COUNT(routes), "Employees' KPI assignments",
	"KPIs given to employees, with targets and weights of their own." };
