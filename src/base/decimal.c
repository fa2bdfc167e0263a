/*
 * Exact decimals. Every operation is done in 128 bits, where the operands' full range fits, and checked once at the end when the result
 * goes back to 64. There is one rounding function; its rule is half up, away from zero.
 */
#include "base/decimal.h"
#include "base/number.h"
#include <math.h>

__extension__ typedef __int128 wide;

#define POWER_MAX 18 /* the largest power of ten within int64 */

static const int64_t powers[POWER_MAX + 1] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
	1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
	1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000 };

/* 10^n for n from 0 to 2 * POWER_MAX. */
static wide
power(int32_t n)
{
	return n <= POWER_MAX ? (wide)powers[n] : (wide)powers[POWER_MAX] * powers[n - POWER_MAX];
}

static bool
narrow(wide v, int64_t *out)
{
	if (v > INT64_MAX || v < INT64_MIN)
		return false;
	*out = (int64_t)v;
	return true;
}

/* n / d rounded half up, away from zero; d > 0 and far from the limits of 128 bits. */
static wide
divide_half_up(wide n, wide d)
{
	wide quotient = n / d, rest = n % d;

	if (rest < 0)
		rest = -rest;
	if (rest >= d - rest)
		quotient += n < 0 ? -1 : 1;
	return quotient;
}

/* A literal taken apart: ±coef × 10^(zeros - scale), where zeros are those at the end of the digits. */
struct literal {
	int64_t coef;
	int64_t zeros, scale;
	int64_t digits; /* significant ones, trailing zeros included */
	bool overflow;
};

static void
add_digit(struct literal *l, int digit, bool negative)
{
	if (l->digits || digit)
		l->digits++;
	if (digit == 0) {
		l->zeros += l->coef != 0;
		return;
	}
	for (; l->zeros >= 0; l->zeros--)
		if (l->overflow || __builtin_mul_overflow(l->coef, (int64_t)10, &l->coef)) {
			l->overflow = true;
			break;
		}
	l->zeros = 0;
	l->overflow |= __builtin_add_overflow(l->coef, (int64_t)(negative ? -digit : digit), &l->coef);
}

static int64_t
read_exponent(struct str s)
{
	const int64_t most = (int64_t)1 << 40; /* beyond any text's length, far from overflow */
	bool negative = s.p[0] == '-';
	int64_t v = 0;

	for (size_t i = s.p[0] == '-' || s.p[0] == '+'; i < s.n; i++)
		v = v < most ? v * 10 + (s.p[i] - '0') : v;
	return negative ? -v : v;
}

static struct literal
read_literal(struct str s)
{
	struct literal l = { 0 };
	bool negative = s.p[0] == '-', fraction = false;

	for (size_t i = negative; i < s.n; i++) {
		if (s.p[i] == '.') {
			fraction = true;
		} else if (s.p[i] == 'e' || s.p[i] == 'E') {
			l.scale -= read_exponent(str_sub(s, i + 1, s.n));
			break;
		} else {
			add_digit(&l, s.p[i] - '0', negative);
			l.scale += fraction;
		}
	}
	return l;
}

enum decimal_fault
decimal_parse(struct str s, struct decimal *out)
{
	if (s.n == 0 || number_prefix(s) != s.n)
		return DECIMAL_NOT_A_NUMBER;
	struct literal l = read_literal(s);
	if (!l.overflow && l.coef == 0) {
		l.scale = l.scale < 0 ? 0 : l.scale;
		*out = (struct decimal){ 0,
			l.scale > DECIMAL_SCALE_MAX ? DECIMAL_SCALE_MAX : (int32_t)l.scale };
		return DECIMAL_OK;
	}
	enum decimal_fault fault = l.digits - l.scale > POWER_MAX ? DECIMAL_TOO_LARGE : DECIMAL_TOO_PRECISE;
	if (l.overflow)
		return fault;
	/* An integer's zeros must all be kept; of a fraction's as many as fit, because they carry no value. */
	int64_t least = l.scale < l.zeros ? l.zeros - l.scale : 0,
		zeros = l.scale < 0 ? l.zeros - l.scale : l.zeros;
	int64_t scale = l.scale < 0 ? 0 : l.scale, coef;
	if (least > POWER_MAX)
		return DECIMAL_TOO_LARGE;
	for (; zeros >= least; zeros--, scale--) {
		if (zeros > POWER_MAX || scale > DECIMAL_SCALE_MAX ||
			__builtin_mul_overflow(l.coef, powers[zeros], &coef))
			continue;
		*out = (struct decimal){ coef, (int32_t)scale };
		return DECIMAL_OK;
	}
	return fault;
}

void
decimal_write(struct buf *b, struct decimal d)
{
	char text[INT_DIGITS_MAX + DECIMAL_SCALE_MAX + 2], *end = text + sizeof(text), *p = end;
	uint64_t v = d.coef < 0 ? 0 - (uint64_t)d.coef : (uint64_t)d.coef;

	if (d.scale == 0) {
		buf_add_int(b, d.coef);
		return;
	}
	check(d.scale > 0 && d.scale <= DECIMAL_SCALE_MAX);
	for (int32_t i = 0; i < d.scale; i++, v /= 10)
		*--p = (char)('0' + v % 10);
	*--p = '.';
	p = int_digits(v, p);
	if (d.coef < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(end - p));
}

void
decimal_write_short(struct buf *b, struct decimal d)
{
	for (; d.scale > 0 && d.coef % 10 == 0; d.scale--)
		d.coef /= 10;
	decimal_write(b, d);
}

enum decimal_fault
decimal_rescale(struct decimal d, int32_t scale, bool may_round, struct decimal *out)
{
	int64_t coef;

	check(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
	if (scale >= d.scale) {
		if (__builtin_mul_overflow(d.coef, powers[scale - d.scale], &coef))
			return DECIMAL_TOO_LARGE;
	} else {
		int64_t unit = powers[d.scale - scale];

		if (!may_round && d.coef % unit)
			return DECIMAL_TOO_PRECISE;
		coef = (int64_t)divide_half_up(d.coef, unit);
	}
	*out = (struct decimal){ coef, scale };
	return DECIMAL_OK;
}

int
decimal_cmp(struct decimal a, struct decimal b)
{
	wide x = a.coef, y = b.coef;

	if (a.scale < b.scale)
		x *= powers[b.scale - a.scale];
	else
		y *= powers[a.scale - b.scale];
	return (x > y) - (x < y);
}

static bool
add_wide(struct decimal a, struct decimal b, int sign, struct decimal *out)
{
	int32_t scale = a.scale > b.scale ? a.scale : b.scale;
	int64_t coef;

	if (!narrow((wide)a.coef * powers[scale - a.scale] + sign * ((wide)b.coef * powers[scale - b.scale]),
		    &coef))
		return false;
	*out = (struct decimal){ coef, scale };
	return true;
}

bool
decimal_add(struct decimal a, struct decimal b, struct decimal *out)
{
	return add_wide(a, b, 1, out);
}

bool
decimal_sub(struct decimal a, struct decimal b, struct decimal *out)
{
	return add_wide(a, b, -1, out);
}

bool
decimal_mul(struct decimal a, struct decimal b, int32_t scale, struct decimal *out)
{
	wide product = (wide)a.coef * b.coef;
	int32_t more = scale - a.scale - b.scale;
	int64_t coef;

	check(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
	if (more < 0)
		product = divide_half_up(product, power(-more));
	else if (__builtin_mul_overflow(product, power(more), &product))
		return false;
	if (!narrow(product, &coef))
		return false;
	*out = (struct decimal){ coef, scale };
	return true;
}

bool
decimal_div(struct decimal a, struct decimal b, int32_t scale, struct decimal *out)
{
	wide n = a.coef, d = b.coef;
	int32_t more = scale + b.scale - a.scale;
	int64_t coef;

	check(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
	if (d == 0)
		return false;
	if (d < 0) {
		n = -n;
		d = -d;
	}
	/* A numerator beyond 128 bits means a quotient beyond 64, because the divisor has at most 64 bits. */
	if (more < 0)
		d *= power(-more);
	else if (__builtin_mul_overflow(n, power(more), &n))
		return false;
	if (!narrow(divide_half_up(n, d), &coef))
		return false;
	*out = (struct decimal){ coef, scale };
	return true;
}

double
decimal_to_double(struct decimal d)
{
	/* The quotient is correctly rounded while the coefficient has at most 53 bits; beyond that the error is below one unit. */
	return (double)d.coef / (double)powers[d.scale];
}

bool
decimal_from_double(double v, int32_t scale, struct decimal *out)
{
	check(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
	double unit = (double)powers[scale], size = fabs(v), whole = floor(size * unit);

	if (!isfinite(v) || size * unit >= 9.2e18)
		return false;
	/* The product rounds; its error is exact by fma and decides where the fraction looks like a half. */
	double fraction = size * unit - whole, error = fma(size, unit, -(size * unit));
	int64_t coef = (int64_t)whole;
	if (fraction > 0)
		coef += fraction > 0.5 || (fraction == 0.5 && error >= 0);
	else
		coef += (int64_t)floor(error) + (error - floor(error) >= 0.5);
	*out = (struct decimal){ v < 0 ? -coef : coef, scale };
	return true;
}

bool
int_add(int64_t a, int64_t b, int64_t *out)
{
	int64_t v;

	if (__builtin_add_overflow(a, b, &v))
		return false;
	*out = v;
	return true;
}

bool
int_sub(int64_t a, int64_t b, int64_t *out)
{
	int64_t v;

	if (__builtin_sub_overflow(a, b, &v))
		return false;
	*out = v;
	return true;
}

bool
int_mul(int64_t a, int64_t b, int64_t *out)
{
	int64_t v;

	if (__builtin_mul_overflow(a, b, &v))
		return false;
	*out = v;
	return true;
}
