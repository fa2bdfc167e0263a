/* The company's settings of retrospectives: one row, made by the first change; until then the presets hold. */
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/insight_rules.h"
#include "domain/campaign/retrospective_sql.h"

#define HOURS_MAX 8760 /* a year */
#define DAYS_MAX  365

#define RES_RECORD struct retro_settings
static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_HIDDEN),
	F(auto_schedule, BOOL, .preset = "true",
		.doc = "Whether a completed campaign gets a retrospective by itself.", .example = "true"),
	F(delay_hours, INT, .max = HOURS_MAX, .preset = "24",
		.doc = "From a campaign's completion to its retrospective.", .example = "24"),
	F(remind_hours, INT, .max = HOURS_MAX, .preset = "24",
		.doc = "How long before a retrospective its reminder is sent; 0: none.", .example = "24"),
	F(deadline_days, INT, .max = DAYS_MAX, .preset = "14",
		.doc = "From a retrospective to its deadline, when it is completed by itself; 0: never.",
		.example = "14"),
	F(false_positive_rate, DECIMAL, .max = 4, .preset = "0.05",
		.doc = "How often the rules may say something about figures in which there is nothing.",
		.example = "0.05"),
	F(rules, JSON, .preset = "{}", .doc = "Changes over the built-in rules: rule id to its parameters.",
		.example = "{}"),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes; 0 until the first.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_HIDDEN | RF_NULL),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_NULL, .doc = "When they were last changed.",
		.example = "\"2024-06-01T08:00:00Z\""),
};

static struct err *
rules(struct res_ctx *c, const void *record, struct err **e)
{
	const struct retro_settings *s = record;
	const struct decimal least = { 1, 4 }, most = { 5, 1 };

	if (!res_is_null(&retro_settings_res, s, "false_positive_rate") &&
		(decimal_cmp(s->false_positive_rate, least) < 0 ||
			decimal_cmp(s->false_positive_rate, most) > 0))
		err_add_field(c->arena, e, STR("false_positive_rate"),
			"Ensure this value is between 0.0001 and 0.5.");
	if (res_is_null(&retro_settings_res, s, "rules"))
		return NULL;
	const struct err *fault = insight_rules_check(c->arena, s->rules);
	for (const struct err_field *f = fault ? fault->fields : NULL; f; f = f->next)
		err_add_field(c->arena, e, f->field, "%.*s", STR_ARG(f->message));
	return NULL;
}

static struct err *
before_write(struct res_ctx *c, const void *old, void *record)
{
	struct err *e = NULL;

	(void)old;
	TRY(rules(c, record, &e));
	return e;
}

const struct res_def retro_settings_res = {
	.name = "retro_settings",
	.title = "Retrospective settings",
	.table = "retro_settings",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct retro_settings),
	.scope = SCOPE_COMPANY,
	.perm = {
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_UPDATE] = PERM_BIT(PERM_COMPANY_ADMIN) | PERM_BIT(PERM_APPROVE_REPORT),
	},
	.default_sort = "id",
	.doc = "How retrospectives are scheduled, reminded of and closed, and how sure the rules have to be.",
	.hooks = { .rules = rules, .before_write = before_write },
};

struct err *
retro_settings_read(struct res_ctx *c, struct retro_settings *out)
{
	bool found = false;

	TRY(res_find(c, &retro_settings_res, "id", P_INT(1), out, &found));
	if (!found) {
		*out = (struct retro_settings){ 0 };
		res_defaults(c, &retro_settings_res, out);
	}
	return NULL;
}

static struct str
decimal_text(struct arena *a, struct decimal d)
{
	struct buf b;
	buf_init_arena(&b, a, 64);
	decimal_write(&b, d);
	return buf_str(&b);
}

struct err *
retro_settings_require(struct res_ctx *c, struct retro_settings *out)
{
	struct retro_settings preset = { 0 };

	res_defaults(c, &retro_settings_res, &preset);
	TRY(DB_EXEC(c->tx, &sql_retro_settings_insert, P_INT(c->actor->company_id), P_INSTANT(c->now),
		P_INT(preset.auto_schedule), P_INT(preset.delay_hours), P_INT(preset.remind_hours),
		P_INT(preset.deadline_days), P_TEXT(decimal_text(c->arena, preset.false_positive_rate)),
		P_TEXT(preset.rules)));
	return res_read_for(c, &retro_settings_res, RES_UPDATE, STR("1"), out);
}
