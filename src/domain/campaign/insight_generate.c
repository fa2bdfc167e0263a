/*
 * Running the rules for a retrospective: the company's settings, the campaign's facts, and what of the findings is not told yet. The
 * comparison with what is there is by rule and summary, whose numbers change when the figures do; then it is news.
 */
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/insight_facts_sql.h"
#include "domain/campaign/insight_rules.h"

static struct err *
is_told(struct res_ctx *c, const struct retrospective *r, const struct insight_finding *f, bool *told)
{
	struct db_rows rows;
	return DB_FIND(c->tx, &sql_insight_told, &rows, told, P_INT(c->actor->company_id), P_INT(r->id),
		P_TEXT(f->rule_id), P_TEXT(f->summary));
}

static struct err *
finding_store(
	struct res_ctx *c, struct retrospective *r, const struct insight_finding *f, struct insight **out)
{
	struct insight *i = arena_new_of(c->arena, struct insight);
	res_defaults(c, &insight_res, i);
	i->retrospective_task_id = r->id;
	i->type = f->type;
	i->summary = f->summary;
	i->severity = f->severity;
	i->action_suggestion = f->action_suggestion;
	i->generated_by = f->rule_id;
	i->evidence = f->evidence;
	res_set_null(&insight_res, i, "action_suggestion", false);
	res_set_null(&insight_res, i, "generated_by", false);
	res_set_null(&insight_res, i, "evidence", false);
	TRY(insight_add(c, r, i));
	*out = i;
	return NULL;
}

struct err *
insights_generate(struct res_ctx *c, struct retrospective *r, struct insight ***out, size_t *count)
{
	struct retro_settings settings = { 0 };
	struct campaign_facts facts;
	struct insight_finding *found;
	size_t n, stored = 0;

	TRY(retro_settings_read(c, &settings));
	TRY(campaign_facts_read(c, r->task_id, &facts));
	struct insight_options o = { .false_positive_rate = decimal_to_double(settings.false_positive_rate),
		.rules = settings.rules };
	TRY(insight_rules_run(c->arena, &facts, &o, &found, &n));
	struct insight **insights = arena_alloc_array(c->arena, n, sizeof *insights);
	for (size_t i = 0; i < n; i++) {
		bool told;
		TRY(is_told(c, r, &found[i], &told));
		if (!told)
			TRY(finding_store(c, r, &found[i], &insights[stored++]));
	}
	*out = insights;
	*count = stored;
	return NULL;
}
