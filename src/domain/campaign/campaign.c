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

/* Only an id that could be one is repeated. */
struct err *
campaign_named(struct res_ctx *c, struct err *e, const struct res_def *def, struct str id)
{
	int64_t n;

	if (e && e->code == ERR_NOT_FOUND && id.n > 0 && id.p[0] != '+' && str_to_int(id, &n))
		e->message = arena_fmt(c->arena, "%s with ID %lld does not exist.", def->title, (long long)n);
	return e;
}

struct str
campaign_json(struct res_ctx *c, const struct res_def *def, const void *record)
{
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, c->arena, LIMIT_ANSWER_BYTES);
	json_out_init(&o, &b);
	res_write(&o, c, def, NULL, record);
	return buf_str(&b);
}

struct err *
campaign_event(
	struct res_ctx *c, const char *type, const struct res_def *def, int64_t id, struct str new_values)
{
	return event_add(c, str_from_cstr(type), def->name, arena_fmt(c->arena, "%lld", (long long)id),
		(struct str){ 0 }, new_values);
}

struct err *
campaign_actor_for(struct res_ctx *c, const char *field, bool given, int64_t person_id, int64_t *out)
{
	bool exists;

	*out = c->actor->person_id;
	if (!given || person_id == c->actor->person_id)
		return NULL;
	if (c->actor->kind != ACTOR_SYSTEM && !actor_may(c->actor, PERM_COMPANY_ADMIN))
		return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS,
			"User does not have permission to act for another person.");
	TRY(campaign_person_exists(c, person_id, &exists));
	if (!exists)
		return err_field(c->arena, field, "Invalid pk \"%lld\" - object does not exist.",
			(long long)person_id);
	*out = person_id;
	return NULL;
}

struct err *
campaign_find_for(struct res_ctx *c, struct str id, enum res_op op, struct campaign *out)
{
	return campaign_named(c, res_read_for(c, &campaign_res, op, id, out), &campaign_res, id);
}

struct err *
campaign_require(struct res_ctx *c, int64_t id, struct campaign *out)
{
	struct db_rows r;
	bool found = false;
	int64_t made = 0;

	if (id < 1 || id > KPI_CAMPAIGN_ID_MAX)
		return err_word(err_new(c->arena, ERR_NOT_FOUND, "Not found."), campaign_res.not_found);
	/* One that somebody else made meanwhile may be deleted again before it is held: then once more. */
	while (!found && !made) {
		TRY(DB_FIND(c->tx, &sql_campaign_hold, &r, &found, P_INT(c->actor->company_id), P_INT(id)));
		if (found)
			break;
		TRY(campaign_company_lock(c));
		TRY(db_exec(c->tx, &sql_campaign_insert,
			DB_ARGS(P_INT(c->actor->company_id), P_INT(id), P_INSTANT(c->now),
				P_TEXT(arena_fmt(c->arena, "Campaign %lld", (long long)id))),
			&made));
	}
	TRY(res_find(c, &campaign_res, "id", P_INT(id), out, &found));
	check(found);
	if (!made)
		return NULL;
	return campaign_event(c, "campaign.created", &campaign_res, id, campaign_json(c, &campaign_res, out));
}
