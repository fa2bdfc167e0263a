/*
 * Reading TZif: the second header and its 64-bit block, then the footer, a POSIX TZ text that rules all time behind the last
 * transition. The rule is expanded into transitions for 402 years, so that one table answers every question: the Gregorian calendar
 * repeats after 400 years to the day of the week, hence so does any such rule.
 */
#include "base/tzif.h"
#include "base/time.h"

#define HEADER	    44
#define FILE_COUNTS 65536 /* of each kind: many times what any zone has */
#define RULE_YEARS  403
#define DAY_S	    86400
#define RULE_HOURS  167 /* RFC 8536, section 3.3.1 */

struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

/* When a rule's change happens each year: POSIX "Jn", "n" or "Mm.w.d", and the local second of that day. */
struct change {
	char form; /* 'J', '0' or 'M' */
	int month, week, day;
	int32_t time_s;
};

struct rule {
	int32_t standard_s, summer_s;
	bool has_summer;
	struct change to_summer, to_standard;
};

static uint64_t
big_endian(const char *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/* The header at the start of s; false when it is none or its counts are absurd. */
static bool
read_header(struct str s, struct counts *c)
{
	uint32_t v[6];

	if (s.n < HEADER || memcmp(s.p, "TZif", 4) != 0 || s.p[4] < '2')
		return false;
	for (int i = 0; i < 6; i++) {
		v[i] = (uint32_t)big_endian(s.p + 20 + 4 * i, 4);
		if (v[i] > FILE_COUNTS)
			return false;
	}
	*c = (struct counts){ v[0], v[1], v[2], v[3], v[4], v[5] };
	return true;
}

/* Bytes of the block behind a header, whose times have so many bytes. */
static size_t
block_size(const struct counts *c, size_t time_size)
{
	return c->time * (time_size + 1) + c->type * 6 + c->chars + c->leap * (time_size + 4) + c->isstd +
	       c->isut;
}

static bool
take(struct str *s, char wanted)
{
	if (s->n == 0 || s->p[0] != wanted)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static bool
take_number(struct str *s, int most, int *out)
{
	int v = 0;
	size_t i = 0;

	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9' && v <= most; i++)
		v = v * 10 + (s->p[i] - '0');
	*s = str_sub(*s, i, s->n);
	*out = v;
	return i > 0 && v <= most;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool
take_hms(struct str *s, int most_hours, int32_t *out)
{
	bool negative = take(s, '-');
	int hours, minutes = 0, seconds = 0;

	if (!negative)
		(void)take(s, '+'); /* optional */
	if (!take_number(s, most_hours, &hours))
		return false;
	if (take(s, ':') &&
		(!take_number(s, 59, &minutes) || (take(s, ':') && !take_number(s, 59, &seconds))))
		return false;
	*out = (hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
	return true;
}

/* A zone's abbreviation, plain or in <>; only its extent matters here. */
static bool
take_abbreviation(struct str *s)
{
	size_t n = 0;

	if (take(s, '<')) {
		n = str_index(*s, '>', 0);
		bool closed = n < s->n;
		*s = str_sub(*s, n + 1, s->n);
		return closed;
	}
	while (n < s->n && ((s->p[n] >= 'A' && s->p[n] <= 'Z') || (s->p[n] >= 'a' && s->p[n] <= 'z')))
		n++;
	*s = str_sub(*s, n, s->n);
	return n >= 3;
}

static bool
take_change(struct str *s, struct change *c)
{
	*c = (struct change){ .form = '0', .time_s = 2 * 3600 };
	if (take(s, 'M')) {
		c->form = 'M';
		if (!take_number(s, 12, &c->month) || !take(s, '.') || !take_number(s, 5, &c->week) ||
			!take(s, '.') || !take_number(s, 6, &c->day) || c->month < 1 || c->week < 1)
			return false;
	} else {
		c->form = take(s, 'J') ? 'J' : '0';
		if (!take_number(s, 365, &c->day) || (c->form == 'J' && c->day < 1))
			return false;
	}
	return !take(s, '/') || take_hms(s, RULE_HOURS, &c->time_s);
}

/* "GMT0BST,M3.5.0/1,M10.5.0"; POSIX counts offsets westwards. */
static bool
read_rule(struct str s, struct rule *r)
{
	*r = (struct rule){ 0 };
	if (!take_abbreviation(&s) || !take_hms(&s, 25, &r->standard_s))
		return false;
	r->standard_s = -r->standard_s;
	if (s.n == 0)
		return true;
	r->has_summer = true;
	r->summer_s = r->standard_s + 3600;
	if (!take_abbreviation(&s))
		return false;
	if (s.n && s.p[0] != ',') {
		if (!take_hms(&s, 25, &r->summer_s))
			return false;
		r->summer_s = -r->summer_s;
	}
	return take(&s, ',') && take_change(&s, &r->to_summer) && take(&s, ',') &&
	       take_change(&s, &r->to_standard) && s.n == 0;
}

/* Days since 1970 on which the change happens in a year. */
static int32_t
change_day(const struct change *c, int year)
{
	struct date new_year = date_from_civil((struct civil){ year, 1, 1 });
	bool leap = civil_is_valid((struct civil){ year, 2, 29 });

	if (c->form == '0')
		return new_year.days + c->day;
	if (c->form == 'J')
		return new_year.days + c->day - 1 + (leap && c->day >= 60); /* J60 is always 1 March */
	struct date first = date_from_civil((struct civil){ year, c->month, 1 });
	int sunday_first = (date_weekday(first) + 1) % 7;
	int32_t day = first.days + (c->day - sunday_first + 7) % 7 + 7 * (c->week - 1);
	/* Week 5 is the last one, which may be the fourth. */
	return civil_is_valid((struct civil){ year, c->month, day - first.days + 1 }) ? day : day - 7;
}

/* A table under construction; room for what the file and the rule can give. */
struct table {
	int64_t *at_s;
	int32_t *offset_s;
	size_t count;
};

/* Transitions must ascend; one at the same moment as the last takes its place. */
static bool
add_transition(struct table *t, int64_t at_s, int32_t offset_s)
{
	if (t->count && at_s <= t->at_s[t->count - 1]) {
		if (at_s < t->at_s[t->count - 1])
			return false;
		t->count--;
	}
	t->at_s[t->count++] = at_s;
	t->offset_s[t->count] = offset_s;
	return true;
}

static int64_t
change_at(const struct change *c, int year, int32_t offset_before_s)
{
	return (int64_t)change_day(c, year) * DAY_S + c->time_s - offset_before_s;
}

/* Appends the rule's transitions behind the file's. The second from which on the table repeats. */
static int64_t
expand_rule(struct table *t, const struct rule *r)
{
	int64_t last_s = t->count ? t->at_s[t->count - 1] : INT64_MIN;
	int first_year = 1;

	if (t->count && last_s > INSTANT_MIN_US / INSTANT_SECOND && last_s < INSTANT_MAX_US / INSTANT_SECOND)
		first_year = date_to_civil((struct date){ (int32_t)(last_s / DAY_S) }).year;
	if (first_year + RULE_YEARS > 9999)
		return INT64_MAX;
	for (int year = first_year; year < first_year + RULE_YEARS; year++) {
		int64_t summer = change_at(&r->to_summer, year, r->standard_s);
		int64_t standard = change_at(&r->to_standard, year, r->summer_s);
		bool summer_first = summer < standard;

		for (int i = 0; i < 2; i++) {
			bool is_summer = (i == 0) == summer_first;
			int64_t at_s = is_summer ? summer : standard;

			/* A change before the last one can only come from a rule whose hours reach into another year. */
			if (at_s > last_s)
				(void)add_transition(t, at_s, is_summer ? r->summer_s : r->standard_s);
		}
	}
	return (int64_t)date_from_civil((struct civil){ first_year + RULE_YEARS - 1, 1, 1 }).days * DAY_S;
}

/* The 64-bit block: transitions, their types, the types. */
static bool
read_block(struct str s, const struct counts *c, struct table *t)
{
	const char *times = s.p, *kinds = times + c->time * 8, *types = kinds + c->time;

	if (c->type == 0 || c->leap != 0)
		return false;
	for (uint32_t i = 0; i < c->type; i++) {
		int32_t offset_s = (int32_t)big_endian(types + 6 * i, 4);

		if (offset_s > TZIF_OFFSET_MAX || offset_s < -TZIF_OFFSET_MAX)
			return false;
	}
	/* Before the first transition the first type is in force (RFC 8536, section 3.2). */
	t->offset_s[0] = (int32_t)big_endian(types, 4);
	for (uint32_t i = 0; i < c->time; i++) {
		unsigned char kind = (unsigned char)kinds[i];

		if (kind >= c->type || !add_transition(t, (int64_t)big_endian(times + 8 * i, 8),
					       (int32_t)big_endian(types + 6 * kind, 4)))
			return false;
	}
	return true;
}

/* The line behind the last block: empty, or a rule. */
static bool
read_footer(struct str s, struct rule *r)
{
	*r = (struct rule){ 0 };
	if (!take(&s, '\n'))
		return false;
	size_t n = str_index(s, '\n', 0);
	return n < s.n && (n == 0 || read_rule(str_sub(s, 0, n), r));
}

struct zone *
tzif_parse(struct arena *a, struct str file)
{
	struct counts c;
	struct rule r;

	if (!read_header(file, &c))
		return NULL;
	file = str_sub(file, HEADER + block_size(&c, 4), file.n);
	if (!read_header(file, &c) || file.n - HEADER < block_size(&c, 8))
		return NULL;
	if (!read_footer(str_sub(file, HEADER + block_size(&c, 8), file.n), &r))
		return NULL;
	size_t room = (size_t)c.time + (r.has_summer ? 2 * RULE_YEARS : 0);
	struct table t = { arena_alloc_array(a, room, sizeof(*t.at_s)),
		arena_alloc_array(a, room + 1, sizeof(*t.offset_s)), 0 };
	if (!read_block(str_sub(file, HEADER, file.n), &c, &t))
		return NULL;
	struct zone *z = arena_new_of(a, struct zone);
	*z = (struct zone){ .at_s = t.at_s, .offset_s = t.offset_s, .repeat_s = INT64_MAX };
	if (r.has_summer)
		z->repeat_s = expand_rule(&t, &r);
	z->count = t.count;
	return z;
}
