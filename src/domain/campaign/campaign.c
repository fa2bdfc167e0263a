/*
 * Campaigns beyond their table. The contract's clients name campaigns that nobody has entered (the id comes from their own planning tool),
 * so the first use of an id makes the campaign; of two at once one makes it and both find it.
 */
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/campaign_sql.h"
#include "domain/kpi/value.h"

struct err *
campaign_company_lock(struct res_ctx *c)
{
	struct db_rows r;
	bool found;
	return DB_FIND(c->tx, &sql_campaign_company_lock, &r, &found, P_INT(c->actor->company_id));
}

struct err *
campaign_person_exists(struct res_ctx *c, int64_t id, bool *out)
{
	struct db_rows r;
	return DB_FIND(c->tx, &sql_campaign_person, &r, out, P_INT(c->actor->company_id), P_INT(id));
}

static struct err *
find(struct res_ctx *c, int64_t id, struct campaign *out, bool *found)
{
	return res_find(c, &campaign_res, "id", P_INT(id), out, found);
}

static struct err *
created_event(struct res_ctx *c, const struct campaign *k)
{
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, c->arena, LIMIT_ANSWER_BYTES);
	json_out_init(&o, &b);
	res_write(&o, c, &campaign_res, NULL, k);
	return event_add(c, STR("campaign.created"), campaign_res.name,
		arena_fmt(c->arena, "%lld", (long long)k->id), (struct str){ 0 }, buf_str(&b));
}

struct err *
campaign_require(struct res_ctx *c, int64_t id, struct campaign *out)
{
	bool found = false;
	int64_t made = 0;

	if (id < 1 || id > KPI_CAMPAIGN_ID_MAX)
		return err_word(err_new(c->arena, ERR_NOT_FOUND, "Not found."), campaign_res.not_found);
	TRY(find(c, id, out, &found));
	if (found)
		return NULL;
	TRY(campaign_company_lock(c));
	TRY(db_exec(c->tx, &sql_campaign_insert,
		DB_ARGS(P_INT(c->actor->company_id), P_INT(id), P_INSTANT(c->now),
			P_TEXT(arena_fmt(c->arena, "Campaign %lld", (long long)id))),
		&made));
	TRY(find(c, id, out, &found));
	check(found);
	return made ? created_event(c, out) : NULL;
}
