/* The resources of the tests. */
#include "world.h"

const char *const thing_statuses[] = { "open", "Closed", "On Hold", NULL };

static const char *
score_verify(const void *record)
{
	const struct thing *t = record;
	return t->big == 13 ? "Thirteen is not accepted." : NULL;
}

#define RES_RECORD struct deal
static const struct res_field deal_fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(version, INT, .flags = RF_SERVER),
	F(owner_id, INT, .flags = RF_NULL),
	F(title, TEXT, .flags = RF_REQUIRED | RF_SEARCH | RF_SORT),
};
#undef RES_RECORD

const struct res_def deal_res = {
	.name = "deal",
	.title = "Deal",
	.table = "deal",
	.fields = deal_fields,
	.field_count = COUNT(deal_fields),
	.record_size = sizeof(struct deal),
	.scope = SCOPE_OWNER,
	.scope_all = PERM_BUSINESS_ALL,
	.perm = { PERM_AUTHENTICATED, PERM_AUTHENTICATED, PERM_AUTHENTICATED, PERM_AUTHENTICATED,
		PERM_AUTHENTICATED },
	.default_sort = "id",
};

#define RES_RECORD struct thing
static const struct res_field thing_fields[] = {
	F(id, TEXT, .flags = RF_CREATE_ONLY | RF_UNIQUE | RF_FILTER | RF_SORT, .taken = "THING_EXISTS"),
	F(version, INT, .flags = RF_SERVER | RF_FILTER),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_SORT),
	F(updated_at, INSTANT, .flags = RF_SERVER),
	F(name, TEXT, .flags = RF_REQUIRED | RF_UNIQUE | RF_FILTER | RF_SORT | RF_SEARCH, .min = 2, .max = 40,
		.taken = "THING_NAME_EXISTS", .doc = "What people call it.", .example = "\"Revenue\""),
	F(note, TEXT, .flags = RF_BLANK | RF_NULL | RF_SEARCH | RF_FILTER | RF_SORT),
	F(count, INT, .flags = RF_FILTER | RF_SORT, .min = -5, .max = 1000, .preset = "1"),
	F(big, INT, .flags = RF_NULL | RF_FILTER | RF_SORT, .verify = score_verify),
	F(active, BOOL, .flags = RF_FILTER, .preset = "true"),
	FN(target, "limits.target", DECIMAL, .flags = RF_REQUIRED),
	FN(low, "limits.deep.low", DECIMAL, .flags = RF_NULL),
	F(weight, DECIMAL, .flags = RF_NULL | RF_FILTER | RF_SORT, .max = 3),
	F(price, MONEY, .flags = RF_NULL | RF_FILTER | RF_SORT),
	F(due, DATE, .flags = RF_NULL | RF_FILTER | RF_SORT),
	F(at, INSTANT, .flags = RF_NULL | RF_FILTER | RF_SORT),
	F(status, ENUM, .flags = RF_FILTER | RF_SORT, .names = thing_statuses, .preset = "open"),
	F(deal, REF, .flags = RF_NULL | RF_FILTER, .ref = &deal_res),
	F(parent, TEXT, .flags = RF_NULL | RF_FILTER, .ref = &thing_res),
	F(extra, JSON, .flags = RF_NULL),
	F(secret, TEXT, .flags = RF_NULL | RF_SECRET),
	F(code, TEXT, .flags = RF_NULL | RF_CREATE_ONLY),
	F(code_key, TEXT, .flags = RF_SERVER | RF_NULL | RF_HIDDEN | RF_UNIQUE, .taken = "THING_CODE_EXISTS"),
	F(hidden_text, TEXT, .flags = RF_NULL | RF_HIDDEN),
	F(score, INT, .flags = RF_SERVER | RF_NULL | RF_FILTER | RF_SORT),
};
#undef RES_RECORD

/* A derived value and a rule over two fields. */
static struct err *
thing_before_write(struct res_ctx *c, const void *old, void *record)
{
	(void)old;
	struct thing *t = record;
	struct err *e = NULL;
	if (!res_is_null(&thing_res, t, "limits.deep.low") && decimal_cmp(t->low, t->target) > 0)
		err_add_field(c->arena, &e, STR("limits.deep.low"), "Ensure it is not above the target.");
	res_set_null(&thing_res, t, "score", false);
	t->score = t->count * 2;
	t->code_key = t->code;
	res_set_null(&thing_res, t, "code_key", res_is_null(&thing_res, t, "code"));
	return e;
}

const struct res_def thing_res = {
	.name = "thing",
	.title = "Thing",
	.table = "thing",
	.fields = thing_fields,
	.field_count = COUNT(thing_fields),
	.record_size = sizeof(struct thing),
	.id_prefix = "thing-",
	.soft_delete = true,
	.perm = { PERM_BIT(PERM_VIEW_ALL), PERM_BIT(PERM_VIEW_ALL), PERM_BIT(PERM_MANAGE_KPI),
		PERM_BIT(PERM_MANAGE_KPI), PERM_BIT(PERM_MANAGE_KPI) },
	.default_sort = "-created_at",
	.not_found = "THING_NOT_FOUND",
	.doc = "A thing of the tests.",
	.hooks = { .before_write = thing_before_write },
};
