/*
 * The report as JSON: who, when, the figures, what was found, decided and agreed on. It is written from the database in one go; once kept
 * it is read back as it was, byte for byte.
 */
#include "base/limits.h"
#include "domain/campaign/report_parts.h"
#include "domain/campaign/report_sql.h"

/* ---- small parts ---- */

static void
put_text(struct json_out *o, const char *key, struct str s)
{
	json_key(o, str_from_cstr(key));
	s.n ? json_put_str(o, s) : json_put_null(o);
}

static void
put_instant(struct json_out *o, struct arena *a, const char *key, bool given, struct instant t)
{
	struct buf b;

	buf_init_arena(&b, a, 64);
	if (given)
		instant_write(&b, t, INSTANT_ISO_SECONDS, NULL);
	put_text(o, key, buf_str(&b));
}

static void
put_date(struct json_out *o, struct arena *a, const char *key, bool given, struct date d)
{
	struct buf b;

	buf_init_arena(&b, a, 32);
	if (given)
		date_write(&b, d);
	put_text(o, key, buf_str(&b));
}

/* {"id", "name"}, or null without an id. */
static struct err *
put_person(struct json_out *o, struct res_ctx *c, const char *key, bool given, int64_t id)
{
	struct db_rows r;
	bool found;

	json_key(o, str_from_cstr(key));
	if (!given) {
		json_put_null(o);
		return NULL;
	}
	TRY(DB_FIND(c->tx, &sql_report_person, &r, &found, P_INT(c->actor->company_id), P_INT(id)));
	struct str name = { "", 0 };
	if (found)
		name = str_trim(
			arena_fmt(c->arena, "%.*s %.*s", STR_ARG(db_text(&r, 0)), STR_ARG(db_text(&r, 1))));
	if (found && name.n == 0)
		name = db_text_copy(&r, 2);
	json_begin_object(o);
	json_pair_int(o, "id", id);
	put_text(o, "name", name);
	json_end_object(o);
	return NULL;
}

static struct err *
put_team(struct json_out *o, struct res_ctx *c, bool given, int64_t id)
{
	struct db_rows r;
	bool found;

	json_key(o, STR("team"));
	if (!given) {
		json_put_null(o);
		return NULL;
	}
	TRY(DB_FIND(c->tx, &sql_report_team, &r, &found, P_INT(c->actor->company_id),
		P_TEXT(arena_fmt(c->arena, "%lld", (long long)id))));
	json_begin_object(o);
	json_pair_int(o, "id", id);
	put_text(o, "name", found ? db_text_copy(&r, 0) : (struct str){ "", 0 });
	json_end_object(o);
	return NULL;
}

/* ---- campaign and retrospective ---- */

static void
put_budget(struct json_out *o, struct res_ctx *c, const struct report_input *in)
{
	json_key(o, STR("budget"));
	if (res_is_null(&campaign_res, &in->campaign, "budget")) {
		json_put_null(o);
		return;
	}
	json_begin_object(o);
	report_put_number(o, "value", (struct decimal){ in->campaign.budget.minor, in->currency_decimals });
	json_pair_str(o, "unit", c->actor->currency);
	json_end_object(o);
}

static struct err *
write_campaign(struct json_out *o, struct res_ctx *c, const struct report_input *in)
{
	const struct campaign *k = &in->campaign;
	bool has_start = !res_is_null(&campaign_res, k, "start_date"),
	     has_end = !res_is_null(&campaign_res, k, "end_date");

	json_key(o, STR("campaign"));
	json_begin_object(o);
	json_pair_int(o, "id", k->id);
	json_pair_str(o, "name", k->name);
	put_text(o, "description", k->description);
	json_pair_str(o, "status", str_from_cstr(campaign_status_names[k->status]));
	TRY(put_person(o, c, "owner", !res_is_null(&campaign_res, k, "owner_id"), k->owner_id));
	put_budget(o, c, in);
	json_end_object(o);
	/* What counts are all values of the campaign; its dates are what was planned. */
	json_key(o, STR("period"));
	json_begin_object(o);
	put_date(o, c->arena, "from", has_start || in->value_count, has_start ? k->start_date : in->first);
	put_date(o, c->arena, "to", has_end || in->value_count, has_end ? k->end_date : in->last);
	put_date(o, c->arena, "first_value", in->value_count, in->first);
	put_date(o, c->arena, "last_value", in->value_count, in->last);
	json_pair_int(o, "values", in->value_count);
	json_end_object(o);
	return NULL;
}

static struct err *
write_retrospective(struct json_out *o, struct res_ctx *c, const struct retrospective *r)
{
	json_key(o, STR("retrospective"));
	json_begin_object(o);
	json_pair_int(o, "id", r->id);
	json_pair_str(o, "status", str_from_cstr(retrospective_status_names[r->status]));
	put_instant(o, c->arena, "scheduled_time", true, r->scheduled_time);
	TRY(put_team(o, c, !res_is_null(&retrospective_res, r, "team_id"), r->team_id));
	TRY(put_person(o, c, "created_by", !res_is_null(&retrospective_res, r, "created_by"), r->created_by));
	put_text(o, "notes", r->notes);
	json_end_object(o);
	put_text(o, "decisions", r->decisions);
	return NULL;
}

static struct err *
write_approval(struct json_out *o, struct res_ctx *c, const struct retrospective *r)
{
	if (res_is_null(&retrospective_res, r, "approved_at") || r->approved_at.us == 0) {
		json_pair_null(o, "approval");
		return NULL;
	}
	json_key(o, STR("approval"));
	json_begin_object(o);
	TRY(put_person(
		o, c, "approved_by", !res_is_null(&retrospective_res, r, "approved_by"), r->approved_by));
	put_instant(o, c->arena, "approved_at", true, r->approved_at);
	put_text(o, "notes", r->approval_notes);
	json_end_object(o);
	return NULL;
}

static void
write_earlier(struct json_out *o, const struct report_input *in)
{
	json_key(o, STR("earlier_campaigns"));
	json_begin_array(o);
	for (size_t i = 0; i < in->earlier_count; i++) {
		json_begin_object(o);
		json_pair_int(o, "id", in->earlier[i].id);
		json_pair_str(o, "name", in->earlier[i].name);
		put_text(o, "start_date", in->earlier[i].start_date);
		put_text(o, "end_date", in->earlier[i].end_date);
		json_end_object(o);
	}
	json_end_array(o);
}

/* ---- insights and actions ---- */

static void
put_evidence(struct json_out *o, struct str evidence)
{
	json_key(o, STR("evidence"));
	evidence.n ? json_put_raw(o, evidence) : json_put_null(o);
}

static struct err *
write_insights(struct json_out *o, struct res_ctx *c, const struct retrospective *r)
{
	struct db_rows rows;

	TRY(DB_QUERY(c->tx, &sql_report_insights, &rows, P_INT(c->actor->company_id), P_INT(r->id),
		P_INT(REPORT_INSIGHTS_MAX)));
	json_key(o, STR("insights"));
	json_begin_array(o);
	for (bool row;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		json_begin_object(o);
		json_pair_int(o, "id", db_int(&rows, 0));
		json_pair_str(o, "severity", db_text(&rows, 3));
		json_pair_str(o, "type", db_text(&rows, 1));
		json_pair_str(o, "summary", db_text(&rows, 2));
		put_text(o, "action_suggestion", db_text(&rows, 4));
		json_pair_str(o, "generated_by", db_text(&rows, 5));
		put_evidence(o, db_text(&rows, 6));
		put_instant(o, c->arena, "created_at", true, (struct instant){ db_int(&rows, 7) });
		json_end_object(o);
	}
	json_end_array(o);
	return NULL;
}

static struct err *
write_insight_counts(struct json_out *o, struct res_ctx *c, const struct retrospective *r)
{
	struct db_rows rows;
	int64_t counts[SEVERITY_CRITICAL + 1] = { 0 };

	TRY(DB_QUERY(c->tx, &sql_report_insight_counts, &rows, P_INT(c->actor->company_id), P_INT(r->id)));
	for (bool row;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		for (size_t i = 0; i < COUNT(counts); i++)
			if (str_eq(db_text(&rows, 0), str_from_cstr(insight_severity_names[i])))
				counts[i] = db_int(&rows, 1);
	}
	json_key(o, STR("insight_counts"));
	json_begin_object(o);
	for (size_t i = COUNT(counts); i-- > 0;) {
		json_key(o, str_from_cstr(insight_severity_names[i]));
		json_put_int(o, counts[i]);
	}
	json_end_object(o);
	return NULL;
}

struct action {
	int64_t id, owner_id, insight_id, carried, first, now;
	bool has_owner, has_insight;
	struct str title, due_date, status;
};

static struct err *
read_actions(struct res_ctx *c, const struct retrospective *r, struct action **out, size_t *count)
{
	struct db_rows rows;
	struct action *list = arena_alloc_array(c->arena, REPORT_ACTIONS_MAX, sizeof(*list));

	*count = 0;
	TRY(DB_QUERY(c->tx, &sql_report_actions, &rows, P_INT(c->actor->company_id), P_INT(r->id),
		P_INT(REPORT_ACTIONS_MAX)));
	for (bool row; *count < REPORT_ACTIONS_MAX; (*count)++) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		list[*count] = (struct action){ .id = db_int(&rows, 0),
			.title = db_text_copy(&rows, 1),
			.has_owner = !db_is_null(&rows, 2),
			.owner_id = db_int(&rows, 2),
			.due_date = db_text_copy(&rows, 3),
			.status = db_text_copy(&rows, 4),
			.has_insight = !db_is_null(&rows, 5),
			.insight_id = db_int(&rows, 5),
			.carried = db_int(&rows, 6),
			.first = db_int(&rows, 7),
			.now = db_int(&rows, 8) };
	}
	db_rows_close(&rows);
	*out = list;
	return NULL;
}

static struct err *
write_action(struct json_out *o, struct res_ctx *c, const struct action *a, int64_t retrospective_id)
{
	json_begin_object(o);
	json_pair_int(o, "id", a->id);
	json_pair_str(o, "title", a->title);
	TRY(put_person(o, c, "owner", a->has_owner, a->owner_id));
	put_text(o, "due_date", a->due_date);
	json_pair_str(o, "status", a->status);
	json_key(o, STR("insight_id"));
	a->has_insight ? json_put_int(o, a->insight_id) : json_put_null(o);
	json_pair_int(o, "carried", a->carried);
	json_pair_int(o, "first_retrospective_id", a->first);
	/* Where it is followed up now, when that is a later retrospective. */
	json_key(o, STR("moved_to"));
	a->now == retrospective_id ? json_put_null(o) : json_put_int(o, a->now);
	json_end_object(o);
	return NULL;
}

static struct err *
write_actions(struct json_out *o, struct res_ctx *c, const struct retrospective *r)
{
	struct action *list;
	size_t count;

	TRY(read_actions(c, r, &list, &count));
	for (int carried = 0; carried < 2; carried++) {
		json_key(o, carried ? STR("carried_over") : STR("actions"));
		json_begin_array(o);
		for (size_t i = 0; i < count; i++)
			if ((list[i].first != r->id) == carried)
				TRY(write_action(o, c, &list[i], r->id));
		json_end_array(o);
	}
	return NULL;
}

/* ---- the whole ---- */

static struct err *
write_report(struct json_out *o, struct res_ctx *c, const struct retrospective *r, bool draft)
{
	struct report_input in;

	TRY(report_input_read(c, r, &in));
	json_begin_object(o);
	json_pair_int(o, "retrospective_id", r->id);
	json_pair_bool(o, "draft", draft);
	put_instant(o, c->arena, "generated_at", true, c->now);
	json_pair_str(o, "currency", c->actor->currency);
	TRY(write_campaign(o, c, &in));
	TRY(write_retrospective(o, c, r));
	write_earlier(o, &in);
	TRY(report_write_kpis(o, c, &in));
	report_write_slices(o, c, &in, REPORT_CHANNEL);
	report_write_slices(o, c, &in, REPORT_SOURCE);
	report_write_course(o, c, &in);
	TRY(write_insight_counts(o, c, r));
	TRY(write_insights(o, c, r));
	TRY(write_actions(o, c, r));
	TRY(write_approval(o, c, r));
	json_end_object(o);
	return NULL;
}

static struct err *
make(struct res_ctx *c, const struct retrospective *r, bool draft, struct str *json)
{
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, c->arena, LIMIT_ANSWER_BYTES);
	json_out_init(&o, &b);
	TRY(write_report(&o, c, r, draft));
	if (buf_is_over(&b))
		return err_new(c->arena, ERR_TOO_LARGE, "The report would be larger than %u bytes.",
			LIMIT_ANSWER_BYTES);
	*json = buf_str(&b);
	return NULL;
}

struct err *
report_make(struct res_ctx *c, const struct retrospective *r, struct str *json)
{
	return make(c, r, false, json);
}

struct err *
report_keep(struct res_ctx *c, int64_t retrospective_id, struct str json)
{
	return DB_EXEC(c->tx, &sql_report_put, P_INT(c->actor->company_id), P_INT(retrospective_id),
		P_INSTANT(c->now), P_TEXT(json));
}

struct err *
report_read(struct res_ctx *c, const struct retrospective *r, struct str *json)
{
	struct db_rows rows;
	bool found;

	TRY(DB_FIND(c->tx, &sql_report_get, &rows, &found, P_INT(c->actor->company_id), P_INT(r->id)));
	if (!found)
		return make(c, r, true, json);
	*json = db_text_copy(&rows, 0);
	return NULL;
}
