/*
 * Dates and instants as text, in and out. Reading walks a cursor over the slice and accepts only what the header names; writing puts
 * digits straight into the buffer, because every object of an answer carries two or three instants.
 */
#include "base/time.h"

struct cursor {
	const char *p, *end;
};

static bool
take(struct cursor *c, char wanted)
{
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

/* Exactly n digits. */
static bool
take_number(struct cursor *c, int n, int *out)
{
	int v = 0;

	if (c->end - c->p < n)
		return false;
	for (int i = 0; i < n; i++) {
		if (c->p[i] < '0' || c->p[i] > '9')
			return false;
		v = v * 10 + (c->p[i] - '0');
	}
	c->p += n;
	*out = v;
	return true;
}

static bool
take_date(struct cursor *c, struct civil *out)
{
	return take_number(c, 4, &out->year) && take(c, '-') && take_number(c, 2, &out->month) &&
	       take(c, '-') && take_number(c, 2, &out->day) && civil_is_valid(*out);
}

/* The digits behind the point, 1 to 9; what is finer than a microsecond is cut off, so that no moment moves into the future. */
static bool
take_fraction(struct cursor *c, int *us)
{
	int v = 0, digits = 0;

	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++)
		if (++digits <= 6)
			v = v * 10 + (*c->p - '0');
	for (int i = digits; i < 6; i++)
		v *= 10;
	*us = v;
	return digits >= 1 && digits <= 9;
}

static bool
take_time(struct cursor *c, struct civil_time *out)
{
	if (!take_number(c, 2, &out->hour) || !take(c, ':') || !take_number(c, 2, &out->minute))
		return false;
	if (take(c, ':')) {
		if (!take_number(c, 2, &out->second))
			return false;
		if (take(c, '.') && !take_fraction(c, &out->us))
			return false;
	}
	return out->hour < 24 && out->minute < 60 && out->second < 60;
}

/* "Z", ±HH:MM, ±HHMM, ±HH. */
static bool
take_offset(struct cursor *c, int *seconds)
{
	int hours, minutes = 0;

	*seconds = 0;
	if (take(c, 'Z') || take(c, 'z'))
		return true;
	bool west = take(c, '-');
	if (!west && !take(c, '+'))
		return false;
	if (!take_number(c, 2, &hours))
		return false;
	if (c->p < c->end) {
		(void)take(c, ':'); /* optional */
		if (!take_number(c, 2, &minutes))
			return false;
	}
	*seconds = (hours * 60 + minutes) * (west ? -60 : 60);
	return hours < 24 && minutes < 60;
}

bool
date_parse(struct str s, struct date *out)
{
	struct cursor c = { s.p, s.p + s.n };
	struct civil civil;

	if (s.n != 10 || !take_date(&c, &civil))
		return false;
	*out = date_from_civil(civil);
	return true;
}

bool
instant_parse(struct str s, const struct zone *z, struct instant *out)
{
	struct cursor c = { s.p, s.p + s.n };
	struct civil_time local = { 0 };
	struct instant t;
	int offset_s;

	if (s.n < 10 || !take_date(&c, &local.date))
		return false;
	if (c.p == c.end) {
		t = zone_day_start(z, date_from_civil(local.date));
	} else {
		if (!take(&c, 'T') && !take(&c, 't') && !take(&c, ' '))
			return false;
		if (!take_time(&c, &local))
			return false;
		if (c.p == c.end)
			t = zone_instant(z, local);
		else if (take_offset(&c, &offset_s) && c.p == c.end)
			t = (struct instant){ zone_instant(zone_utc(), local).us -
					      offset_s * INSTANT_SECOND };
		else
			return false;
	}
	if (t.us < INSTANT_MIN_US || t.us > INSTANT_MAX_US)
		return false;
	*out = t;
	return true;
}

static char *
put_number(char *p, int v, int width)
{
	for (int i = width; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

static char *
put_date(char *p, struct civil c)
{
	p = put_number(p, c.year, 4);
	*p++ = '-';
	p = put_number(p, c.month, 2);
	*p++ = '-';
	return put_number(p, c.day, 2);
}

static char *
put_time(char *p, const struct civil_time *t)
{
	p = put_number(p, t->hour, 2);
	*p++ = ':';
	p = put_number(p, t->minute, 2);
	*p++ = ':';
	return put_number(p, t->second, 2);
}

static char *
put_fraction(char *p, int v, int width)
{
	*p++ = '.';
	return put_number(p, v, width);
}

static char *
put_offset(char *p, int minutes)
{
	*p++ = minutes < 0 ? '-' : '+';
	minutes = minutes < 0 ? -minutes : minutes;
	p = put_number(p, minutes / 60, 2);
	*p++ = ':';
	return put_number(p, minutes % 60, 2);
}

void
date_write(struct buf *b, struct date d)
{
	char text[10];

	buf_add(b, text, (size_t)(put_date(text, date_to_civil(d)) - text));
}

/* The parts of an instant shown with an offset; what lies outside the accepted range is shown as its end. */
static struct civil_time
parts_of(struct instant t, int64_t offset_s, struct date *day)
{
	int64_t us = t.us < INSTANT_MIN_US ? INSTANT_MIN_US : t.us > INSTANT_MAX_US ? INSTANT_MAX_US : t.us;

	us += offset_s * INSTANT_SECOND;
	us = us < INSTANT_MIN_US ? INSTANT_MIN_US : us > INSTANT_MAX_US ? INSTANT_MAX_US : us;
	int64_t since = us - INSTANT_MIN_US; /* positive, so that division and remainder go together */
	*day = (struct date){ (int32_t)(since / INSTANT_DAY) + DATE_MIN_DAYS };
	int second = (int)(since % INSTANT_DAY / INSTANT_SECOND);
	return (struct civil_time){
		.date = date_to_civil(*day),
		.hour = second / 3600,
		.minute = second / 60 % 60,
		.second = second % 60,
		.us = (int)(since % INSTANT_SECOND),
	};
}

static char *
put_http(char *p, const struct civil_time *t, struct date day)
{
	static const char days[] = "Mon, Tue, Wed, Thu, Fri, Sat, Sun, ",
			  months[] = " Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";

	memcpy(p, days + 5 * date_weekday(day), 5);
	p = put_number(p + 5, t->date.day, 2);
	memcpy(p, months + 4 * (t->date.month - 1), 5);
	p = put_number(p + 5, t->date.year, 4);
	*p++ = ' ';
	p = put_time(p, t);
	memcpy(p, " GMT", 4);
	return p + 4;
}

void
instant_write(struct buf *b, struct instant t, enum instant_format f, const struct zone *z)
{
	bool is_local = f == INSTANT_ISO_OFFSET || f == INSTANT_BLANK;
	/* Offsets before standard time have seconds, which ISO 8601 cannot say: cut, the text still names the same instant. */
	int offset_min = is_local ? zone_offset_s(z, t) / 60 : 0;
	struct date day;
	struct civil_time parts = parts_of(t, offset_min * 60, &day);
	char text[40], *p = text;

	if (f == INSTANT_HTTP) {
		buf_add(b, text, (size_t)(put_http(text, &parts, day) - text));
		return;
	}
	p = put_date(p, parts.date);
	*p++ = f == INSTANT_BLANK ? ' ' : 'T';
	p = put_time(p, &parts);
	if (f == INSTANT_ISO_MILLIS)
		p = put_fraction(p, parts.us / 1000, 3);
	else if (f != INSTANT_BLANK && parts.us)
		p = put_fraction(p, parts.us, 6);
	if (f == INSTANT_ISO_OFFSET)
		p = put_offset(p, offset_min);
	else if (f != INSTANT_BLANK)
		*p++ = 'Z';
	buf_add(b, text, (size_t)(p - text));
}
