/*
 * The kinds of notices and what they say. A text is made of the details that came with the change alone, so it tells what was true then,
 * whenever the mail goes out.
 */
#include "base/decimal.h"
#include "domain/notice/notice_parts.h"

/* ---- members of the details ---- */

/* Text of a string or the digits of a number; empty for everything else. */
static struct str
member(const struct notice_row *n, const char *key)
{
	const json_val *v = json_get(n->details, str_from_cstr(key));

	if (v && json_type_of(v) == JSON_STRING)
		return json_string(v);
	if (v && json_type_of(v) == JSON_NUMBER)
		return json_number(v);
	return (struct str){ "", 0 };
}

/* Bytes of a character that ends a line or turns the direction of what follows (U+0000–1F, 7F–9F, 2028–202E, 2066–2069); 0: none. */
static size_t
breaker_length(struct str s)
{
	const unsigned char *c = (const unsigned char *)s.p;

	if (c[0] < ' ' || c[0] == 0x7f)
		return 1;
	if (c[0] == 0xc2 && s.n > 1 && c[1] < 0xa0)
		return 2;
	if (c[0] != 0xe2 || s.n < 3)
		return 0;
	return (c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
			       (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)
		       ? 3
		       : 0;
}

void
notice_add_line_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		const size_t n = breaker_length(str_sub(s, i, s.n));
		buf_add_byte(b, n ? ' ' : s.p[i]);
		i += n ? n : 1;
	}
}

static void
add_line(struct buf *b, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_add_fmt(b, "  %-13s ", name);
	notice_add_line_text(b, value);
	buf_add_byte(b, '\n');
}

void
notice_add_time(struct buf *b, const struct zone *z, struct instant at)
{
	instant_write(b, at, INSTANT_BLANK, z);
	buf_add_fmt(b, " (%.*s)", STR_ARG(zone_name(z)));
}

static void
add_time_line(struct buf *b, const struct notice_place *p, const char *name, struct instant at)
{
	buf_add_fmt(b, "  %-13s ", name);
	notice_add_time(b, p->zone, at);
	buf_add_byte(b, '\n');
}

/* The member as an instant; false when it is none. */
static bool
member_time(const struct notice_row *n, const char *key, struct instant *out)
{
	return instant_parse(member(n, key), zone_utc(), out);
}

/* ---- KPIs ---- */

/* "on_track" → "on track". */
static struct str
words(struct arena *a, struct str name)
{
	struct buf b;

	buf_init_arena(&b, a, name.n + 1);
	for (size_t i = 0; i < name.n; i++)
		buf_add_byte(&b, name.p[i] == '_' ? ' ' : name.p[i]);
	return buf_str(&b);
}

static void
kpi_title(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	const struct str status = member(n, "status");
	const bool better = str_eq(n->type, STR("threshold.recovered"));

	notice_add_line_text(b, member(n, "name"));
	if (str_eq(status, STR("no_data")))
		buf_add_lit(b, " has no new data");
	else
		buf_add_fmt(
			b, " is %s%.*s", better ? "better again: " : "", STR_ARG(words(p->arena, status)));
}

/* A figure without trailing zeros, with its unit. */
static struct str
figure(const struct notice_place *p, const struct notice_row *n, const char *key)
{
	const struct str unit = member(n, "unit");
	struct decimal d;
	struct buf b;

	if (decimal_parse(member(n, key), &d) != DECIMAL_OK)
		return (struct str){ "", 0 };
	buf_init_arena(&b, p->arena, 64 + unit.n);
	decimal_write_short(&b, d);
	if (unit.n) {
		buf_add_byte(&b, ' ');
		buf_add_str(&b, unit);
	}
	return buf_str(&b);
}

/* A fraction as "82.4 %". */
static struct str
percentage(const struct notice_place *p, const struct notice_row *n, const char *key)
{
	static const struct decimal hundred = { 100, 0 };
	struct decimal d;
	struct buf b;

	if (decimal_parse(member(n, key), &d) != DECIMAL_OK || !decimal_mul(d, hundred, 1, &d))
		return (struct str){ "", 0 };
	buf_init_arena(&b, p->arena, 64);
	decimal_write_short(&b, d);
	buf_add_lit(&b, " %");
	return buf_str(&b);
}

static void
kpi_lines(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	const struct str from = member(n, "from"), as_of = member(n, "as_of");

	add_line(b, "Before", words(p->arena, member(n, "previous_status")));
	add_line(b, "Value", figure(p, n, "value"));
	add_line(b, "Expected", figure(p, n, "expected"));
	add_line(b, "Target", figure(p, n, "target"));
	add_line(b, "Achievement", percentage(p, n, "achievement"));
	if (from.n)
		add_line(b, "Days", arena_fmt(p->arena, "%.*s to %.*s", STR_ARG(from), STR_ARG(as_of)));
	add_time_line(b, p, "When", n->at);
	add_line(b, "KPI", n->object_id);
}

/* ---- retrospectives ---- */

static void
retrospective_title(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	struct instant at;

	buf_add_lit(b, "Retrospective of ");
	notice_add_line_text(b, member(n, "campaign"));
	if (str_eq(n->type, STR("retrospective.closed")))
		buf_add_lit(b, " was closed on its deadline");
	else if (member_time(n, "scheduled_time", &at)) {
		buf_add_lit(b, " on ");
		notice_add_time(b, p->zone, at);
	}
}

static void
retrospective_lines(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	struct instant at;

	if (member_time(n, "scheduled_time", &at))
		add_time_line(b, p, "Scheduled", at);
	if (member_time(n, "deadline", &at))
		add_time_line(b, p, "Deadline", at);
	if (p->url.n)
		add_line(b, "Report",
			arena_fmt(p->arena, "%.*s/api/retrospectives/%.*s/report?format=html",
				STR_ARG(p->url), STR_ARG(n->object_id)));
	add_line(b, "Number", n->object_id);
}

static void
action_title(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	(void)p;
	buf_add_lit(b, str_eq(n->type, STR("retro_action.due")) ? "Due: " : "To do: ");
	notice_add_line_text(b, member(n, "title"));
}

static void
action_lines(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	add_line(b, "Until", member(n, "due_date"));
	add_line(b, "From", member(n, "from"));
	add_time_line(b, p, "When", n->at);
	add_line(b, "Retrospective", member(n, "retrospective_id"));
}

/* ---- webhooks ---- */

static void
webhook_title(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	(void)p;
	buf_add_lit(b, "Webhook ");
	notice_add_line_text(b, n->object_id);
	if (str_eq(n->type, STR("webhook.paused")))
		buf_add_lit(b, " is paused");
	else
		buf_add_lit(b, " was removed");
}

static void
webhook_lines(struct buf *b, const struct notice_place *p, const struct notice_row *n)
{
	add_line(b, "URL", member(n, "url"));
	add_line(b, "Reason", member(n, "reason"));
	add_time_line(b, p, "When", n->at);
	if (str_eq(n->type, STR("webhook.paused")))
		add_line(b, "What to do",
			STR("Its events wait; they are delivered when its status is active again."));
}

/* ---- the table ---- */

static const char kpi_why[] =
	"You are told because the KPI is yours or assigned to you. How often mail comes, or that none does,\n"
	"is set at the assignment (notifications.preference and threshold_alerts).";
static const char retrospective_why[] =
	"You are told because you scheduled the retrospective, belong to its team or have an action in it.";
static const char action_why[] = "You are told because the action of a retrospective is yours.";
static const char webhook_why[] = "You are told because you made the subscription or administer the company.";

static const struct notice_kind kinds[] = {
	{ "threshold.breached", notice_kpi_people, kpi_title, kpi_lines, kpi_why },
	{ "threshold.recovered", notice_kpi_people, kpi_title, kpi_lines, kpi_why },
	{ "threshold.no_data", notice_kpi_people, kpi_title, kpi_lines, kpi_why },
	{ "retrospective.reminder", notice_retrospective_people, retrospective_title, retrospective_lines,
		retrospective_why },
	{ "retrospective.closed", notice_retrospective_people, retrospective_title, retrospective_lines,
		retrospective_why },
	{ "retro_action.created", notice_owner_people, action_title, action_lines, action_why },
	{ "retro_action.updated", notice_owner_people, action_title, action_lines, action_why },
	{ "retro_action.due", notice_owner_people, action_title, action_lines, action_why },
	{ "webhook.paused", notice_webhook_people, webhook_title, webhook_lines, webhook_why },
	{ "webhook.deleted", notice_webhook_people, webhook_title, webhook_lines, webhook_why },
};

const struct notice_kind *
notice_kind_find(struct str type)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (str_eq(type, str_from_cstr(kinds[i].type)))
			return &kinds[i];
	return NULL;
}
