/*
 * One person's mail: everything that waits for a period, the oldest first. It is made when it is sent, so that the address is the present
 * one and what has been overtaken meanwhile is left out.
 */
#include "base/limits.h"
#include "domain/notice/notice_parts.h"
#include "domain/notice/notice_sql.h"

#define SUBJECT_CHARS 250 /* of a title: programs show less, servers limit the header */

struct waiting {
	struct notice_row *list;
	size_t count, told; /* told: those that still hold, which come first */
};

static struct err *
query(struct res_ctx *c, const struct notice_mail_ask *ask, struct db_rows *r)
{
	const int64_t company_id = c->actor->company_id;

	if (ask->only)
		return DB_QUERY(c->tx, &sql_notice_set_aside_find, r, P_INT(company_id),
			P_INT(ask->person_id), P_INT(ask->only));
	return DB_QUERY(c->tx, &sql_notice_of_person, r, P_INT(company_id), P_INT(ask->person_id),
		P_TEXT(str_from_cstr(notice_period_names[ask->period])), P_INT(NOTICE_MAIL_MAX),
		P_INT(ask->but));
}

/* The first ones that may be in one mail. */
static struct err *
read_waiting(struct res_ctx *c, const struct notice_mail_ask *ask, struct waiting *out)
{
	struct db_rows r;
	bool row;

	out->list = arena_alloc(c->arena, NOTICE_MAIL_MAX * sizeof(*out->list));
	TRY(query(c, ask, &r));
	for (;;) {
		TRY(db_next(&r, &row));
		if (!row)
			return NULL;
		const int64_t together = db_int(&r, 5), first = out->count ? out->list[0].together : together;
		if (together != first || (int64_t)out->count >= first)
			continue;
		struct notice_row *n = &out->list[out->count++];
		*n = (struct notice_row){ .id = db_int(&r, 0),
			.type = db_text_copy(&r, 1),
			.object_id = db_text_copy(&r, 2),
			.at = { db_int(&r, 3) },
			.together = together };
		TRY(json_parse(c->arena, db_text_copy(&r, 4), &n->details));
	}
}

/* A reminder of a time that has passed or was moved tells something wrong. */
static struct err *
holds(struct res_ctx *c, const struct notice_row *n, bool *out)
{
	const json_val *time = json_get(n->details, STR("scheduled_time"));
	struct instant at;
	struct db_rows r;
	int64_t id;

	*out = notice_kind_find(n->type) != NULL;
	if (!str_eq(n->type, STR("retrospective.reminder")))
		return NULL;
	*out = false;
	if (!str_to_int(n->object_id, &id) || !time || json_type_of(time) != JSON_STRING ||
		!instant_parse(json_string(time), zone_utc(), &at) || at.us <= c->now.us)
		return NULL;
	return DB_FIND(c->tx, &sql_notice_reminder_holds, &r, out, P_INT(c->actor->company_id), P_INT(id),
		P_INSTANT(at));
}

static struct err *
choose(struct res_ctx *c, struct waiting *w, struct notice_mail *out)
{
	bool fine;

	out->ids = arena_alloc(c->arena, NOTICE_MAIL_MAX * sizeof(*out->ids));
	out->count = w->count;
	for (size_t i = 0; i < w->count; i++) {
		out->ids[i] = w->list[i].id;
		TRY(holds(c, &w->list[i], &fine));
		if (fine)
			w->list[w->told++] = w->list[i];
	}
	return NULL;
}

/* ---- the texts ---- */

static void
add_title(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	notice_kind_find(n->type)->title(b, p, n);
}

/* The first characters of a title that is too long; the text has all of it. */
static void
add_short_title(struct buf *b, const struct notice_place *place, const struct notice_row *n)
{
	struct buf title;
	size_t end = 0, chars = 0;

	buf_init_arena(&title, place->arena, LIMIT_ANSWER_BYTES);
	add_title(&title, place, n);
	const struct str all = buf_str(&title);
	if (str_utf8_len(all) <= SUBJECT_CHARS) {
		buf_add_str(b, all);
		return;
	}
	for (; chars < SUBJECT_CHARS; end++)
		chars += ((unsigned char)all.p[end] & 0xc0) != 0x80;
	buf_add_str(b, str_sub(all, 0, end - 1));
	buf_add_lit(b, "…");
}

static void
add_subject(struct buf *b, const struct notice_place *place, const struct waiting *w, enum notice_period p)
{
	if (p != NOTICE_IMMEDIATE) {
		buf_add_fmt(b, "Your %s summary: %zu notice%s", p == NOTICE_DAILY ? "daily" : "weekly",
			w->told, w->told == 1 ? "" : "s");
		return;
	}
	add_short_title(b, place, &w->list[0]);
	if (w->told > 1)
		buf_add_fmt(b, ", and %zu more", w->told - 1);
}

/* Each kind's reason once, behind everything. */
static void
add_reasons(struct buf *b, const struct waiting *w)
{
	for (size_t i = 0; i < w->told; i++) {
		const char *why = notice_kind_find(w->list[i].type)->why;
		bool said = false;
		for (size_t k = 0; k < i && !said; k++)
			said = notice_kind_find(w->list[k].type)->why == why;
		if (!said)
			buf_add_fmt(b, "\n%s\n", why);
	}
}

static void
add_text(struct buf *b, const struct notice_place *place, const struct waiting *w,
	const struct notice_reader *who)
{
	const struct str name = who->first_name.n ? who->first_name : who->username;

	buf_add_lit(b, "Hello ");
	notice_add_line_text(b, name);
	buf_add_lit(b, ",\n");
	for (size_t i = 0; i < w->told; i++) {
		buf_add_byte(b, '\n');
		add_title(b, place, &w->list[i]);
		buf_add_lit(b, ".\n\n");
		notice_kind_find(w->list[i].type)->lines(b, place, &w->list[i]);
	}
	add_reasons(b, w);
	buf_add_lit(b, "\nSextant");
	if (place->url.n)
		buf_add_fmt(b, ", %.*s", STR_ARG(place->url));
	buf_add_byte(b, '\n');
}

static void
compose(struct res_ctx *c, enum notice_period p, const struct notice_place *place, const struct waiting *w,
	const struct notice_reader *who, struct notice_mail *out)
{
	struct buf subject, text, name, about;

	buf_init_arena(&subject, c->arena, LIMIT_TEXT_BYTES);
	buf_init_arena(&text, c->arena, LIMIT_ANSWER_BYTES);
	buf_init_arena(&name, c->arena, LIMIT_TEXT_BYTES);
	buf_init_arena(&about, c->arena, LIMIT_TEXT_BYTES);
	add_subject(&subject, place, w, p);
	add_text(&text, place, w, who);
	out->subject = buf_str(&subject);
	out->text = buf_str(&text);
	out->to = who->email;
	notice_add_line_text(&name, who->first_name);
	buf_add_byte(&name, ' ');
	notice_add_line_text(&name, who->last_name);
	out->to_name = str_trim(buf_str(&name));
	buf_add_fmt(&about, "%.*s, ", STR_ARG(w->list[0].type));
	notice_add_time(&about, place->zone, w->list[0].at);
	out->about = buf_str(&about);
	out->id = arena_fmt(c->arena, "notice.%lld.%lld.%lld", (long long)c->actor->company_id,
		(long long)w->list[0].id, (long long)w->list[w->told - 1].id);
}

struct err *
notice_mail_read(struct res_ctx *c, const struct notice_mail_ask *ask, struct notice_mail *out)
{
	const struct notice_place place = { .arena = c->arena, .zone = c->actor->zone, .url = ask->url };
	struct waiting w = { 0 };
	struct notice_reader who = { 0 };
	bool is_mailed;

	*out = (struct notice_mail){ 0 };
	TRY(notice_reader_find(c, ask->person_id, &who, &is_mailed));
	TRY(read_waiting(c, ask, &w));
	TRY(choose(c, &w, out));
	out->is_wanted = is_mailed && w.told > 0;
	if (out->is_wanted)
		compose(c, ask->period, &place, &w, &who, out);
	return NULL;
}

struct err *
notice_mail_done(struct res_ctx *c, const struct notice_mail *m)
{
	for (size_t i = 0; i < m->count; i++)
		TRY(DB_EXEC_LATER(c->tx, &sql_notice_remove, P_INT(c->actor->company_id), P_INT(m->ids[i])));
	return NULL;
}
