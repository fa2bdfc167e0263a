/*
 * Doubles in and out. Both directions have an exact fast path for what occurs: numbers of at most 15 digits with few decimals. It rests
 * on one fact: a quotient or product of two exactly representable doubles is correctly rounded by the processor. The rest goes through
 * the C library with the "C" locale given explicitly or its decimal point put right, since a library may have set another locale.
 */
#include "base/number.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>

#define EXACT_DIGITS \
	15 /* any decimal of so many digits is a distinct double, and its digits are exact as an integer */
#define EXACT_POWER 22	/* 10^22 is the largest power of ten that a double holds exactly */
#define NUMBER_MAX  512 /* bytes; a longer literal is no measured figure, and its digits would not matter */

static const double powers[EXACT_POWER + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static size_t
digits_at(struct str s, size_t from)
{
	size_t i = from;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i - from;
}

size_t
number_prefix(struct str s)
{
	size_t i = s.n && s.p[0] == '-', digits = digits_at(s, i);

	if (digits == 0)
		return 0;
	i += s.p[i] == '0' ? 1 : digits;
	if (i < s.n && s.p[i] == '.') {
		digits = digits_at(s, i + 1);
		if (digits == 0)
			return i;
		i += 1 + digits;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		size_t sign = i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+');

		digits = digits_at(s, i + 1 + sign);
		if (digits)
			i += 1 + sign + digits;
	}
	return i;
}

/* Literals without exponent and of at most 15 digits. */
static bool
parse_short(struct str s, double *out)
{
	bool negative = s.p[0] == '-';
	int64_t digits = 0;
	int decimals = -1;

	if (s.n > EXACT_DIGITS + 1)
		return false;
	for (size_t i = negative; i < s.n; i++) {
		if (s.p[i] == '.')
			decimals = 0;
		else if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		else {
			digits = digits * 10 + (s.p[i] - '0');
			decimals += decimals >= 0;
		}
	}
	double v = (double)digits / powers[decimals > 0 ? decimals : 0];
	*out = negative ? -v : v;
	return true;
}

bool
double_parse(struct str s, double *out)
{
	char text[NUMBER_MAX];
	double v;

	if (s.n == 0 || s.n >= sizeof(text) || number_prefix(s) != s.n)
		return false;
	if (parse_short(s, out))
		return true;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	/* glibc and musl return the static "C" locale here; nothing is allocated. */
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	check(plain);
	v = strtod_l(text, NULL, plain);
	freelocale(plain);
	if (!isfinite(v))
		return false;
	*out = v;
	return true;
}

/* v as digits × 10^-decimals when that is exact enough to read back and short. */
static bool
write_short(struct buf *b, double v)
{
	static const int decimals_tried[] = { 0, 2, 6 };
	char text[EXACT_DIGITS + 8], *end = text + sizeof(text), *p = end;

	for (unsigned i = 0; i < COUNT(decimals_tried); i++) {
		int decimals = decimals_tried[i];
		double whole = nearbyint(fabs(v) * powers[decimals]);

		if (whole >= powers[EXACT_DIGITS] || whole / powers[decimals] != fabs(v))
			continue;
		uint64_t digits = (uint64_t)whole;
		for (; decimals && digits % 10 == 0; decimals--)
			digits /= 10;
		for (int n = decimals; n; n--, digits /= 10)
			*--p = (char)('0' + digits % 10);
		if (decimals)
			*--p = '.';
		p = int_digits(digits, p);
		if (signbit(v))
			*--p = '-';
		buf_add(b, p, (size_t)(end - p));
		return true;
	}
	return false;
}

/* Whatever stands for the decimal point in the locale, of one byte or more, becomes a point. The new length. */
static size_t
put_point(char *text, size_t n)
{
	size_t to = 0;
	bool in_point = false;

	for (size_t i = 0; i < n; i++) {
		bool part = (text[i] >= '0' && text[i] <= '9') || text[i] == '-' || text[i] == '+' ||
			    text[i] == 'e';

		if (part || !in_point)
			text[to++] = part ? text[i] : '.';
		in_point = !part;
	}
	return to;
}

void
double_write(struct buf *b, double v)
{
	char text[64];
	size_t n = 0;
	double back = 0;

	check(isfinite(v));
	if (write_short(b, v))
		return;
	for (int precision = 15; precision <= 17; precision++) {
		int written = snprintf(text, sizeof(text), "%.*g", precision, v);

		check(written > 0 && (size_t)written < sizeof(text));
		n = put_point(text, (size_t)written);
		if (double_parse((struct str){ text, n }, &back) && back == v)
			break;
	}
	buf_add(b, text, n);
}
