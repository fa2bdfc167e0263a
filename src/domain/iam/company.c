/*
 * Companies. Their rows live under company 0, the installation, and the scope below narrows what a company's own administrator sees to
 * one row; who may see more is decided by the permission, never by the path of the request.
 */
#include "domain/iam/company.h"

#include "base/decimal.h"
#include "codec/text.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"
#include "domain/iam/role.h"
#include "queue/job.h"
#include "resource/res_sql.h"

#define RES_RECORD struct company

static const char *
verify_time_zone(const void *record)
{
	const struct company *c = record;
	return zone_find(c->time_zone) ? NULL : "Not a time zone of the tz database, such as Europe/London.";
}

static const char *
verify_currency(const void *record)
{
	const struct company *c = record;
	return currency_decimals(c->currency) >= 0 ? NULL : "Not a currency code of ISO 4217, such as EUR.";
}

static const char *
verify_website(const void *record)
{
	const struct company *c = record;
	if (c->website.n == 0 || str_starts_with(c->website, STR("http://")) ||
		str_starts_with(c->website, STR("https://")))
		return NULL;
	return "Enter a valid URL.";
}

static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Number of the company."),
	F(version, INT, .flags = RF_SERVER),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(name, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT | RF_SEARCH, .max = 200,
		.doc = "Name of the company.", .example = "\"XYZ Corp\""),
	F(name_key, TEXT, .flags = RF_SERVER | RF_HIDDEN | RF_UNIQUE, .max = 800, .taken = "COMPANY_EXISTS"),
	F(gst_number, TEXT, .flags = RF_BLANK | RF_FILTER | RF_SEARCH, .max = 32, .doc = "Tax number.",
		.example = "\"18AABCU1234F1Z0\""),
	F(website, TEXT, .flags = RF_BLANK, .max = 255, .verify = verify_website,
		.doc = "Address of the website.", .example = "\"https://xyzcorp.com\""),
	F(industry, TEXT, .flags = RF_BLANK | RF_FILTER | RF_SORT, .max = 100, .doc = "Industry.",
		.example = "\"IT\""),
	F(country, TEXT, .flags = RF_BLANK | RF_FILTER | RF_SORT, .max = 100, .doc = "Country."),
	F(time_zone, TEXT, .max = 64, .preset = "UTC", .verify = verify_time_zone,
		.doc = "Time zone of the tz database; days, months and times without offset are read in it.",
		.example = "\"Europe/London\""),
	F(currency, TEXT, .max = 3, .preset = "USD", .verify = verify_currency,
		.doc = "Currency of amounts without one, ISO 4217.", .example = "\"GBP\""),
	F(active, BOOL, .flags = RF_FILTER, .preset = "true",
		.doc = "People of an inactive company cannot log in."),
};

static bool
is_platform(const struct actor *a)
{
	return actor_may(a, PERM_PLATFORM_ADMIN);
}

static struct err *
before_write(struct res_ctx *c, const void *old, void *record)
{
	const struct company *before = old;
	struct company *company = record;
	if (!is_platform(c->actor)) {
		if (!before)
			return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS, "");
		if (company->active != before->active)
			return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS, "");
	}
	company->name_key = text_fold(c->arena, company->name);
	int64_t other = 0;
	bool found = false;
	TRY(company_find(c->tx, company->name, &other, &found));
	if (found && (!before || other != before->id)) {
		struct err *e =
			err_word(err_new(c->arena, ERR_CONFLICT, "A company with this name already exists."),
				"COMPANY_EXISTS");
		err_add_field(c->arena, &e, STR("name"), "A company with this name already exists.");
		return e;
	}
	return NULL;
}

/* What recurs in a company recurs in its time zone. */
static struct err *
schedules_follow(struct res_ctx *c, const struct company *old, const struct company *now)
{
	const struct job_request job = { .kind = COMPANY_JOB_SCHEDULES, .key = STR(COMPANY_JOB_SCHEDULES) };

	if (!now || (old && str_eq(old->time_zone, now->time_zone)))
		return NULL;
	return job_enqueue(c->tx, c->now, &job, NULL);
}

static struct err *
after_write(struct res_ctx *c, const void *old, const void *record)
{
	const struct company *company = record ? record : old;
	iam_touched(c->tx);
	db_tx_touch(c->tx, company->id); /* its own people see it too */
	return schedules_follow(c, old, record);
}

static void
scope(struct res_ctx *c, struct res_sql *sql, enum res_op op)
{
	(void)op;
	if (is_platform(c->actor))
		return;
	const int64_t *own = c->app;
	res_sql_add(sql, " AND id = ");
	res_sql_param(sql, P_INT(own ? *own : 0));
}

const struct res_def company_res = {
	.name = "company",
	.title = "Company",
	.table = "company",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct company),
	.scope = SCOPE_CUSTOM,
	.perm = { [RES_LIST] = PERM_BIT(PERM_COMPANY_ADMIN) | PERM_BIT(PERM_PLATFORM_ADMIN),
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = PERM_BIT(PERM_PLATFORM_ADMIN),
		[RES_UPDATE] = PERM_BIT(PERM_COMPANY_ADMIN) | PERM_BIT(PERM_PLATFORM_ADMIN) },
	.default_sort = "id",
	.doc = "A tenant: people, KPIs and everything else belong to one company and are seen by nobody "
	       "outside it.",
	.hooks = { .before_write = before_write, .after_write = after_write, .scope = scope },
};

static const struct res_view_field crm_fields[] = {
	{ .name = "id", .field = "id" },
	{ .name = "company_id", .field = "id", .flags = RV_READ_ONLY },
	{ .name = "company_name", .field = "name" },
	{ .name = "gst_number", .field = "gst_number" },
	{ .name = "website", .field = "website" },
	{ .name = "industry", .field = "industry" },
	{ .name = "country", .field = "country" },
	{ .name = "time_zone", .field = "time_zone" },
	{ .name = "currency", .field = "currency" },
	{ .name = "active", .field = "active" },
	{ .name = "created_on", .field = "created_at" },
	{ .name = "updated_on", .field = "updated_at" },
};
const struct res_view company_crm_view = {
	.name = "CrmCompany", .fields = crm_fields, .field_count = COUNT(crm_fields)
};

struct actor
iam_system_actor(int64_t company_id)
{
	return (struct actor){
		.kind = ACTOR_SYSTEM,
		.company_id = company_id,
		.username = STR("system"),
		.role = STR("SYSTEM"),
		.permissions = PERM_BIT(PERM_COUNT) - 1,
		.zone = zone_utc(),
		.currency = STR("USD"),
	};
}

struct err *
company_actor(struct db_tx *tx, int64_t company_id, struct actor *out)
{
	struct db_rows r;
	bool found = false;
	TRY(DB_FIND(tx, &sql_company_place, &r, &found, P_INT(company_id)));
	if (!found)
		return err_new(db_tx_arena(tx), ERR_NOT_FOUND, "");
	const struct zone *zone = zone_find(db_text(&r, 0));
	*out = iam_system_actor(company_id);
	out->zone = zone ? zone : zone_utc();
	out->currency = db_text_copy(&r, 1);
	return NULL;
}

struct err *
company_act(struct db_tx *tx, struct instant now, int64_t company_id, struct company_acting *out)
{
	*out = (struct company_acting){ .res = { .arena = db_tx_arena(tx), .tx = tx, .now = now } };
	out->res.actor = &out->actor;
	return company_actor(tx, company_id, &out->actor);
}

struct err *
company_ids(struct db_tx *tx, int64_t **out, size_t *count)
{
	struct db_rows r;
	int64_t companies = 0, people = 0;
	TRY(company_count(tx, &companies, &people));
	int64_t *ids = arena_alloc_array(db_tx_arena(tx), (size_t)companies, sizeof(*ids));
	size_t n = 0;
	TRY(DB_QUERY(tx, &sql_company_id_list, &r, P_INT(companies)));
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		ids[n++] = db_int(&r, 0);
	}
	*out = ids;
	*count = n;
	return NULL;
}

struct res_ctx
company_scope(const struct res_ctx *c, struct actor *actor)
{
	int64_t *own = arena_new_of(c->arena, int64_t);
	*own = c->actor->company_id;
	*actor = *c->actor;
	actor->company_id = IAM_INSTALLATION;
	struct res_ctx out = *c;
	out.actor = actor;
	out.app = own; /* what the table's scope looks at */
	return out;
}

struct err *
company_create(struct res_ctx *c, struct company *company)
{
	TRY(res_create(c, &company_res, company));
	struct actor system = iam_system_actor(company->id);
	struct res_ctx own = *c;
	own.actor = &system;
	return role_seed(&own);
}

struct err *
company_find(struct db_tx *tx, struct str name, int64_t *id, bool *found)
{
	struct db_rows r;
	TRY(DB_FIND(tx, &sql_company_by_name, &r, found, P_TEXT(text_fold(db_tx_arena(tx), name))));
	if (*found)
		*id = db_int(&r, 0);
	return NULL;
}

struct err *
company_count(struct db_tx *tx, int64_t *companies, int64_t *people)
{
	struct db_rows r;
	bool found = false;
	TRY(DB_FIND(tx, &sql_company_count, &r, &found));
	check(found);
	*companies = db_int(&r, 0);
	*people = db_int(&r, 1);
	return NULL;
}
