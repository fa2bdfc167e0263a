/* Actors and login candidates as the database knows them: what a credential stands for at this moment. */
#include "codec/text.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"
#include "domain/iam/person.h"
#include "domain/iam/role.h"

/* The first ten columns of the actor statements. */
static void
read_row(const struct db_rows *r, int64_t company_id, struct iam_actor_row *out)
{
	struct arena *a = db_tx_arena(r->tx);
	struct str role = db_text_copy(r, 3);
	const struct zone *zone = zone_find(db_text(r, 7));
	*out = (struct iam_actor_row) {
		.actor = {
			.kind = ACTOR_PERSON,
			.company_id = company_id,
			.person_id = db_int(r, 0),
			.username = db_text_copy(r, 1),
			.employee_id = db_text_copy(r, 2),
			.role = role,
			.permissions = role_permissions(a, role, db_int(r, 5) != 0, db_text(r, 4)),
			.zone = zone ? zone : zone_utc(),
			.currency = db_text_copy(r, 8),
		},
		.usable = db_int(r, 9) != 0,
		.password_hash = db_text_copy(r, 10),
		.expires_us = db_int(r, 11),
	};
	if (db_int(r, 6) != 0)
		out->actor.permissions |= PERM_BIT(PERM_PLATFORM_ADMIN);
}

struct err *
iam_actor_by_session(struct db_tx *tx, int64_t company_id, int64_t session_id, struct instant now,
	struct iam_actor_row *out, bool *found)
{
	struct db_rows r;
	TRY(DB_FIND(tx, &sql_actor_by_session, &r, found, P_INT(company_id), P_INT(session_id)));
	if (!*found)
		return NULL;
	read_row(&r, company_id, out);
	out->actor.session_id = session_id;
	out->usable = out->usable && out->expires_us > now.us;
	return NULL;
}

struct err *
iam_actor_by_person(
	struct db_tx *tx, int64_t company_id, int64_t person_id, struct iam_actor_row *out, bool *found)
{
	struct db_rows r;
	TRY(DB_FIND(tx, &sql_actor_by_person, &r, found, P_INT(company_id), P_INT(person_id)));
	if (*found)
		read_row(&r, company_id, out);
	return NULL;
}

static void
read_key_row(const struct db_rows *r, int64_t company_id, struct instant now, struct iam_actor_row *out)
{
	read_row(r, company_id, out);
	out->actor.kind = ACTOR_API_KEY;
	out->actor.api_key_id = db_int(r, 12);
	out->usable = out->usable && (out->expires_us == 0 || out->expires_us > now.us);
}

struct err *
iam_actor_by_key(struct db_tx *tx, int64_t company_id, struct str key_hash, struct instant now,
	struct iam_actor_row *out, bool *found)
{
	struct db_rows r;
	TRY(DB_FIND(tx, &sql_actor_by_key, &r, found, P_INT(company_id), P_TEXT(key_hash)));
	if (*found)
		read_key_row(&r, company_id, now, out);
	return NULL;
}

struct err *
iam_actor_by_key_id(struct db_tx *tx, int64_t company_id, int64_t id, struct instant now,
	struct iam_actor_row *out, bool *found)
{
	struct db_rows r;
	TRY(DB_FIND(tx, &sql_actor_by_key_id, &r, found, P_INT(company_id), P_INT(id)));
	if (*found)
		read_key_row(&r, company_id, now, out);
	return NULL;
}

/* One person who has the address; two in different companies have to say which company they mean. */
static struct err *
find_by_email(
	struct db_tx *tx, struct str key, int64_t company_id, int64_t *company, int64_t *person, bool *found)
{
	struct db_rows r;
	TRY(DB_QUERY(tx, &sql_person_by_email, &r, P_TEXT(key), P_INT(company_id)));
	size_t n = 0;
	for (bool row;; n++) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		*company = db_int(&r, 0);
		*person = db_int(&r, 1);
	}
	*found = n == 1;
	return NULL;
}

struct err *
iam_candidate_find(struct db_tx *tx, struct str name, int64_t company_id, struct iam_candidate *out)
{
	*out = (struct iam_candidate){ 0 };
	if (!str_is_utf8(name) || memchr(name.p ? name.p : "", 0, name.n))
		return NULL;
	struct str key = person_name_key(db_tx_arena(tx), name);
	struct db_rows r;
	bool found = false;
	int64_t company = 0, person = 0;
	TRY(DB_FIND(tx, &sql_login_name_find, &r, &found, P_TEXT(key)));
	if (found) {
		company = db_int(&r, 0);
		person = db_int(&r, 1);
	} else {
		TRY(find_by_email(tx, key, company_id, &company, &person, &found));
	}
	if (!found || (company_id && company_id != company))
		return NULL;
	TRY(DB_FIND(tx, &sql_person_credentials, &r, &found, P_INT(company), P_INT(person)));
	if (!found)
		return NULL;
	*out = (struct iam_candidate){
		.found = true,
		.company_id = company,
		.person_id = person,
		.password_hash = db_text_copy(&r, 0),
		.active = db_int(&r, 1) != 0 && db_int(&r, 3) != 0,
		.suspended = db_int(&r, 2) != 0,
	};
	return NULL;
}
