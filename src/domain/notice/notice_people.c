/*
 * Whom a notice concerns. Nobody is told of what they may not read: assignments with can_view and owners see their KPI, and whoever made,
 * leads, is in the team of or has something to do in a retrospective sees that.
 */
#include "domain/iam/role.h"
#include "domain/notice/notice_parts.h"
#include "domain/notice/notice_sql.h"
#include "net/mail_message.h"

/* One that cannot be sent to for another reason is told in the jobs; of made-up people nobody wants to hear. */
static bool
is_made_up(struct arena *a, struct str email)
{
	struct str encoded;

	return mail_address_encode(a, email, &encoded) && mail_address_is_reserved(encoded);
}

struct err *
notice_reader_find(struct res_ctx *c, int64_t person_id, struct notice_reader *out, bool *found)
{
	struct db_rows r;

	TRY(DB_FIND(c->tx, &sql_notice_person, &r, found, P_INT(c->actor->company_id), P_INT(person_id)));
	if (!*found)
		return NULL;
	*out = (struct notice_reader){ .username = db_text_copy(&r, 0),
		.first_name = db_text_copy(&r, 1),
		.last_name = db_text_copy(&r, 2),
		.email = db_text_copy(&r, 3) };
	*found = !is_made_up(c->arena, out->email);
	return NULL;
}

void
notice_people_add(struct arena *a, struct notice_people *p, int64_t id, enum notice_period period)
{
	if (p->count == p->room) {
		const size_t room = p->room ? 2 * p->room : 16;
		p->list = arena_grow(a, p->list, p->room * sizeof(*p->list), room * sizeof(*p->list));
		p->room = room;
	}
	p->list[p->count++] = (struct notice_person){ id, period };
}

static enum notice_period
period_named(struct str name)
{
	for (int i = 0; notice_period_names[i]; i++)
		if (str_eq(name, str_from_cstr(notice_period_names[i])))
			return (enum notice_period)i;
	return NOTICE_NEVER;
}

/* Their own assignment decides; without one, of their teams' the one that tells soonest; without any they own it. */
struct err *
notice_kpi_people(struct res_ctx *c, const struct notice_row *n, struct notice_people *out)
{
	struct buf day;
	struct db_rows rows;
	bool row;
	int64_t standing = 0;

	buf_init_arena(&day, c->arena, 16);
	date_write(&day, zone_date(c->actor->zone, n->at));
	TRY(DB_QUERY(c->tx, &sql_notice_kpi_people, &rows, P_INT(c->actor->company_id), P_TEXT(n->object_id),
		P_TEXT(buf_str(&day))));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			return NULL;
		const int64_t person = db_int(&rows, 0);
		const enum notice_period period =
			db_int(&rows, 3) ? period_named(db_text(&rows, 2)) : NOTICE_NEVER;
		struct notice_person *last = out->count ? &out->list[out->count - 1] : NULL;
		if (!last || last->id != person) {
			notice_people_add(c->arena, out, person, period);
			standing = db_int(&rows, 1);
		} else if (db_int(&rows, 1) == standing && period < last->period)
			last->period = period;
	}
}

static struct err *
add_all(struct res_ctx *c, struct db_rows *rows, struct notice_people *out)
{
	bool row;

	for (;;) {
		TRY(db_next(rows, &row));
		if (!row)
			return NULL;
		notice_people_add(c->arena, out, db_int(rows, 0), NOTICE_IMMEDIATE);
	}
}

struct err *
notice_retrospective_people(struct res_ctx *c, const struct notice_row *n, struct notice_people *out)
{
	struct db_rows rows;
	int64_t id;

	if (!str_to_int(n->object_id, &id))
		return NULL;
	TRY(DB_QUERY(c->tx, &sql_notice_retrospective_people, &rows, P_INT(c->actor->company_id), P_INT(id)));
	return add_all(c, &rows, out);
}

static bool
owner_of(const struct notice_row *n, int64_t *id)
{
	const json_val *owner = json_get(n->details, STR("owner_id"));

	return owner && json_type_of(owner) == JSON_NUMBER && json_int(owner, id);
}

/* Whom the details name: the object may be another's by now. */
struct err *
notice_owner_people(struct res_ctx *c, const struct notice_row *n, struct notice_people *out)
{
	int64_t id;

	if (owner_of(n, &id))
		notice_people_add(c->arena, out, id, NOTICE_IMMEDIATE);
	return NULL;
}

static struct err *
manages_webhooks(struct res_ctx *c, int64_t person_id, bool *out)
{
	struct notice_reader reader;
	struct db_rows r;

	TRY(notice_reader_find(c, person_id, &reader, out));
	if (!*out)
		return NULL;
	TRY(DB_FIND(c->tx, &sql_notice_role, &r, out, P_INT(c->actor->company_id), P_INT(person_id)));
	*out = *out && (role_permissions(c->arena, db_text(&r, 0), db_int(&r, 1) != 0, db_text(&r, 2)) &
			       PERM_BIT(PERM_WEBHOOK_MANAGE)) != 0;
	return NULL;
}

/* Who made it, while they can be mailed and may still see where it goes; otherwise who administers the company. */
struct err *
notice_webhook_people(struct res_ctx *c, const struct notice_row *n, struct notice_people *out)
{
	struct db_rows rows;
	bool is_told = false;
	int64_t id;

	if (owner_of(n, &id))
		TRY(manages_webhooks(c, id, &is_told));
	if (is_told) {
		notice_people_add(c->arena, out, id, NOTICE_IMMEDIATE);
		return NULL;
	}
	TRY(DB_QUERY(c->tx, &sql_notice_administrators, &rows, P_INT(c->actor->company_id)));
	return add_all(c, &rows, out);
}
