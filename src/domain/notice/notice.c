/* From a change to the rows of those whom it concerns, and to the jobs that mail them. */
#include "base/limits.h"
#include "domain/notice/notice_parts.h"
#include "domain/notice/notice_sql.h"
#include "queue/job.h"

const char *const notice_period_names[] = { "IMMEDIATE", "DAILY", "WEEKLY", "NONE", NULL };

bool
notice_period_read(const json_val *payload, enum notice_period *out)
{
	const json_val *name = json_get(payload, STR("period"));

	if (!name || json_type_of(name) != JSON_STRING)
		return false;
	for (int i = 0; notice_period_names[i]; i++)
		if (str_eq(json_string(name), str_from_cstr(notice_period_names[i]))) {
			*out = (enum notice_period)i;
			return true;
		}
	return false;
}

struct err *
notice_is_mailed(struct db_tx *tx, struct instant now, bool *out)
{
	const struct instant late = { now.us - NOTICE_MAILER_DAYS * INSTANT_DAY };

	return job_schedule_is_kept(tx, late, 0, STR(NOTICE_JOB_UPKEEP), out);
}

struct err *
notice_put(struct res_ctx *c, const struct notice *n)
{
	struct json_out o;
	struct buf b, at;
	bool is_mailed;

	check(notice_kind_find(str_from_cstr(n->type)));
	TRY(notice_is_mailed(c->tx, c->now, &is_mailed));
	if (!is_mailed)
		return NULL;
	buf_init_arena(&at, c->arena, 64);
	instant_write(&at, c->now, INSTANT_ISO_SECONDS, NULL);
	buf_init_arena(&b, c->arena, LIMIT_JOB_PAYLOAD_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "type", str_from_cstr(n->type));
	json_pair_str(&o, "object_id", n->object_id);
	json_pair_str(&o, "at", buf_str(&at));
	json_key(&o, STR("details"));
	json_put_raw(&o, n->details);
	json_end_object(&o);
	if (b.over) /* nobody is told too much; the event itself is stored */
		return NULL;
	const struct job_request job = {
		.company_id = c->actor->company_id, .kind = NOTICE_JOB_TELL, .payload = buf_str(&b)
	};
	return job_enqueue(c->tx, c->now, &job, NULL);
}

/* ---- telling ---- */

static struct err *
plan_mail(struct res_ctx *c, int64_t person_id, enum notice_period p, struct instant at)
{
	const char *period = notice_period_names[p];
	const struct job_request job = {
		.company_id = c->actor->company_id,
		.kind = NOTICE_JOB_MAIL,
		.key = arena_fmt(c->arena, "%lld:%s", (long long)person_id, period),
		.payload = arena_fmt(
			c->arena, "{\"person_id\":%lld,\"period\":\"%s\"}", (long long)person_id, period),
		.at = at,
	};
	return job_enqueue(c->tx, c->now, &job, NULL);
}

static struct err *
tell_one(struct res_ctx *c, const struct notice_row *n, struct str details, const struct notice_person *p)
{
	struct notice_reader reader;
	bool is_mailed;
	int64_t id;

	if (p->period == NOTICE_NEVER)
		return NULL;
	TRY(notice_reader_find(c, p->id, &reader, &is_mailed));
	if (!is_mailed)
		return NULL;
	TRY(db_next_id(c->tx, "notice", &id));
	TRY(DB_EXEC(c->tx, &sql_notice_add, P_INT(c->actor->company_id), P_INT(id), P_INT(p->id),
		P_TEXT(str_from_cstr(notice_period_names[p->period])), P_TEXT(n->type), P_TEXT(n->object_id),
		P_INSTANT(n->at), P_TEXT(details), P_INT(NOTICE_MAIL_MAX)));
	if (p->period != NOTICE_IMMEDIATE)
		return NULL;
	return plan_mail(
		c, p->id, p->period, (struct instant){ c->now.us + NOTICE_DELAY_S * INSTANT_SECOND });
}

static bool
take_text(const json_val *payload, struct str key, struct str *out)
{
	const json_val *v = json_get(payload, key);

	if (!v || json_type_of(v) != JSON_STRING)
		return false;
	*out = json_string(v);
	return true;
}

static struct err *
read_payload(struct arena *a, struct str text, struct notice_row *out)
{
	struct str at;
	json_val *payload;

	TRY(json_parse(a, text, &payload));
	out->details = json_get(payload, STR("details"));
	if (!take_text(payload, STR("type"), &out->type) ||
		!take_text(payload, STR("object_id"), &out->object_id) ||
		!take_text(payload, STR("at"), &at) || !instant_parse(at, zone_utc(), &out->at) ||
		!out->details || json_type_of(out->details) != JSON_OBJECT)
		return err_new(a, ERR_INVALID_INPUT, "The payload is no notice.");
	return NULL;
}

struct err *
notice_tell(struct res_ctx *c, struct str payload)
{
	struct notice_row n = { 0 };
	struct notice_people people = { 0 };
	struct buf details;

	TRY(read_payload(c->arena, payload, &n));
	const struct notice_kind *kind = notice_kind_find(n.type);
	if (!kind)
		return err_new(c->arena, ERR_INVALID_INPUT, "There are no notices of this type.");
	TRY(kind->people(c, &n, &people));
	buf_init_arena(&details, c->arena, LIMIT_JOB_PAYLOAD_BYTES);
	json_write_val(&details, n.details);
	for (size_t i = 0; i < people.count; i++)
		TRY(tell_one(c, &n, buf_str(&details), &people.list[i]));
	return NULL;
}

struct err *
notice_digest(struct res_ctx *c, enum notice_period p)
{
	struct notice_people people = { 0 };
	struct db_rows rows;
	bool row;

	TRY(DB_QUERY(c->tx, &sql_notice_waiting, &rows, P_INT(c->actor->company_id),
		P_TEXT(str_from_cstr(notice_period_names[p]))));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		notice_people_add(c->arena, &people, db_int(&rows, 0), p);
	}
	for (size_t i = 0; i < people.count; i++)
		TRY(plan_mail(c, people.list[i].id, p, c->now));
	return NULL;
}
