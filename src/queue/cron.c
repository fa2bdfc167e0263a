/*
 * See the header. The next slot is searched in local time: days that match, their hours and minutes in order, each turned into an instant,
 * until one lies behind the given one. Local time never runs ahead of its instants, so the search can begin at the local time given.
 */
#include "queue/cron.h"

/* Two leap days are at most eight years apart; whatever else matches comes sooner. */
#define SEARCH_DAYS (9 * 366)

struct part {
	const char *name;
	int least, most;
	const char *const *names; /* of least, least + 1, …; NULL */
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
	"oct", "nov", "dec", NULL };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, PARTS };
static const struct part parts[PARTS] = {
	{ "minute", 0, 59, NULL },
	{ "hour", 0, 23, NULL },
	{ "day", 1, 31, NULL },
	{ "month", 1, 12, month_names },
	{ "weekday", 0, 7, weekday_names },
};

static const struct {
	struct str name, meaning;
} nicknames[] = {
	{ STR_INIT("@yearly"), STR_INIT("0 0 1 1 *") },
	{ STR_INIT("@annually"), STR_INIT("0 0 1 1 *") },
	{ STR_INIT("@monthly"), STR_INIT("0 0 1 * *") },
	{ STR_INIT("@weekly"), STR_INIT("0 0 * * 0") },
	{ STR_INIT("@daily"), STR_INIT("0 0 * * *") },
	{ STR_INIT("@midnight"), STR_INIT("0 0 * * *") },
	{ STR_INIT("@hourly"), STR_INIT("0 * * * *") },
};

/* ---- reading ---------------------------------------------------------------------------------------------------------------- */

/* A number within the part's bounds, or one of its names. */
static bool
read_value(const struct part *p, struct str s, int64_t *out)
{
	for (int i = 0; p->names && p->names[i]; i++)
		if (str_eq_nocase(s, str_from_cstr(p->names[i]))) {
			*out = p->least + i;
			return true;
		}
	if (s.n == 0 || s.n > 2 || s.p[0] < '0' || s.p[0] > '9')
		return false;
	return str_to_int(s, out) && *out >= p->least && *out <= p->most;
}

static bool
read_bounds(const struct part *p, struct str range, int64_t *from, int64_t *to)
{
	size_t dash = str_index(range, '-', 0);

	if (str_eq(range, STR("*"))) {
		*from = p->least;
		*to = p->names == weekday_names ? 6 : p->most;
		return true;
	}
	if (!read_value(p, str_sub(range, 0, dash), from))
		return false;
	*to = *from;
	if (dash == range.n)
		return true;
	if (!read_value(p, str_sub(range, dash + 1, range.n), to))
		return false;
	/* A week may end with the Sunday that is also its day 0. */
	if (p->names == weekday_names && *to == 0)
		*to = 7;
	return *from <= *to;
}

/* One element of a list: "*", "5", "1-5", "1-30/2". */
static bool
read_range(const struct part *p, struct str s, uint64_t *bits)
{
	size_t slash = str_index(s, '/', 0);
	struct str range = str_sub(s, 0, slash), step_text = str_sub(s, slash + 1, s.n);
	int64_t from, to, step = 1;

	if (!read_bounds(p, range, &from, &to))
		return false;
	if (slash < s.n) {
		bool single = range.p[0] != '*' && str_index(range, '-', 0) == range.n;
		if (single || step_text.n == 0 || step_text.n > 2 || step_text.p[0] < '0' ||
			step_text.p[0] > '9' || !str_to_int(step_text, &step) || step < 1)
			return false;
	}
	for (int64_t v = from; v <= to; v += step)
		*bits |= 1ULL << v;
	return true;
}

static struct err *
read_part(struct arena *a, const struct part *p, struct str s, uint64_t *bits)
{
	struct str rest = s, element;

	*bits = 0;
	while (str_split(&rest, ',', &element))
		if (!read_range(p, element, bits))
			return err_field(a, "cron",
				"\"%.*s\" is no %s: expected *, numbers from %d to %d%s, ranges, lists or "
				"steps.",
				STR_ARG(s), p->name, p->least, p->most, p->names ? " or names" : "");
	return NULL;
}

/* Splits at blanks and tabs; false unless there are exactly PARTS fields. */
static bool
split_fields(struct str text, struct str *fields)
{
	size_t count = 0, i = 0;

	while (i < text.n) {
		size_t from = i;
		while (i < text.n && text.p[i] != ' ' && text.p[i] != '\t')
			i++;
		if (i > from) {
			if (count == PARTS)
				return false;
			fields[count++] = str_sub(text, from, i - from);
		}
		i++;
	}
	return count == PARTS;
}

/* Whether any year has a day that matches by day and month alone. */
static bool
has_day(const struct cron *c)
{
	static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	for (int month = 1; month <= 12; month++)
		for (int day = 1; c->months & 1u << month && day <= lengths[month - 1]; day++)
			if (c->days & 1u << day)
				return true;
	return false;
}

struct err *
cron_parse(struct arena *a, struct str text, struct cron *out)
{
	struct str fields[PARTS];
	uint64_t bits[PARTS];

	for (size_t i = 0; i < COUNT(nicknames); i++)
		if (str_eq_nocase(text, nicknames[i].name))
			text = nicknames[i].meaning;
	if (!split_fields(text, fields))
		return err_field(a, "cron",
			"Expected five fields, \"minute hour day month weekday\", or @hourly, @daily, "
			"@weekly, @monthly, @yearly.");
	for (int i = 0; i < PARTS; i++)
		TRY(read_part(a, &parts[i], fields[i], &bits[i]));
	struct cron c = { .minutes = bits[MINUTE],
		.hours = (uint32_t)bits[HOUR],
		.days = (uint32_t)bits[DAY],
		.months = (uint32_t)bits[MONTH],
		.weekdays = (uint32_t)(bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f,
		.either_day = fields[DAY].p[0] != '*' && fields[WEEKDAY].p[0] != '*' };
	if (!c.either_day && !has_day(&c))
		return err_field(a, "cron", "No year has such a day.");
	*out = c;
	return NULL;
}

/* ---- slots ------------------------------------------------------------------------------------------------------------------ */

static bool
matches_day(const struct cron *c, struct date d)
{
	struct civil civil = date_to_civil(d);
	bool day = c->days >> civil.day & 1, weekday = c->weekdays >> (date_weekday(d) + 1) % 7 & 1;

	if (!(c->months >> civil.month & 1))
		return false;
	return c->either_day ? day || weekday : day && weekday;
}

/* The first slot of a local day that lies behind after. */
static bool
find_in_day(
	const struct cron *c, const struct zone *z, struct date d, struct instant after, struct instant *out)
{
	struct civil_time t = { .date = date_to_civil(d) };

	for (t.hour = 0; t.hour < 24; t.hour++)
		for (t.minute = 0; c->hours >> t.hour & 1 && t.minute < 60; t.minute++) {
			if (!(c->minutes >> t.minute & 1))
				continue;
			struct instant slot = zone_instant_after_gap(z, t);
			if (slot.us <= after.us)
				continue;
			*out = slot;
			return true;
		}
	return false;
}

bool
cron_next(const struct cron *c, const struct zone *z, struct instant after, struct instant *out)
{
	struct date first = zone_date(z, after);

	for (int i = 0; i < SEARCH_DAYS && first.days + i < DATE_MAX_DAYS; i++) {
		struct date d = { first.days + i };
		if (matches_day(c, d) && find_in_day(c, z, d, after, out))
			return true;
	}
	return false;
}
