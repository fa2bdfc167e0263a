/*
 * Decimals. Properties are tried on random values against arithmetic in 128 bits that is written here a second time, in the plainest
 * way: one power of ten at a time, rounding by doubling the remainder.
 */
#include "base/decimal.h"
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROUNDS 50000

__extension__ typedef __int128 wide;

static struct buf text;

static const char *
written(struct decimal d)
{
	buf_clear(&text);
	decimal_write(&text, d);
	buf_add_byte(&text, '\0');
	return text.p;
}

static const char *
written_short(struct decimal d)
{
	buf_clear(&text);
	decimal_write_short(&text, d);
	buf_add_byte(&text, '\0');
	return text.p;
}

static struct decimal
parsed(const char *z)
{
	struct decimal d = { 0 };

	if (decimal_parse(str_from_cstr(z), &d) != DECIMAL_OK)
		fail_msg("not parsed: %s", z);
	return d;
}

static void
assert_fault(const char *z, enum decimal_fault expected)
{
	struct decimal d = { 77, 7 };

	if (decimal_parse(str_from_cstr(z), &d) != expected)
		fail_msg("%s is not fault %d", z, (int)expected);
	assert_true(d.coef == 77 && d.scale == 7);
}

static void
literals_keep_their_digits(void **state)
{
	static const struct {
		const char *text;
		int64_t coef;
		int32_t scale;
	} cases[] = { { "0", 0, 0 }, { "-0", 0, 0 }, { "0.00", 0, 2 }, { "55000.00", 5500000, 2 },
		{ "-2.450", -2450, 3 }, { "5.5e4", 55000, 0 }, { "1e2", 100, 0 }, { "1.50e1", 150, 1 },
		{ "1E-3", 1, 3 }, { "120e-2", 120, 2 }, { "1.20e0", 120, 2 }, { "0e99999", 0, 0 },
		{ "0.0e-99999", 0, 15 }, { "9223372036854775807", INT64_MAX, 0 },
		{ "-9223372036854775808", INT64_MIN, 0 }, { "9223372036854775807.0", INT64_MAX, 0 },
		{ "9223372036854775807.000e0", INT64_MAX, 0 }, { "0.000000000000001", 1, 15 },
		{ "1.0000000000000000000000", 1000000000000000, 15 },
		{ "100000000000000000000e-2", 1000000000000000000, 0 },
		{ "1000000000000.0000000", 1000000000000000000, 6 }, { "10e-1", 10, 1 }, { "0.1e1", 1, 0 },
		{ "0.10e1", 10, 1 }, { "922337203685.4775807", INT64_MAX, 7 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct decimal d = parsed(cases[i].text);

		if (d.coef != cases[i].coef || d.scale != cases[i].scale)
			fail_msg("%s became %lld at scale %d", cases[i].text, (long long)d.coef, d.scale);
	}
}

static void
faults_are_told_apart(void **state)
{
	static const char *const no_numbers[] = { "", "-", "+1", ".5", "1.", "01", "1e", "abc", "1 ", " 1",
		"NaN", "1,5", "0x1", "--1", "1e+" };
	static const char *const too_large[] = { "9223372036854775808", "-9223372036854775809", "1e19",
		"1e99999999999999999999", "1e18446744073709551616", "10000000000000000000.5",
		"123456789012345678901234567890" };
	static const char *const too_precise[] = { "0.0000000000000001", "1e-16", "1e-99999999999999999999",
		"1.1234567890123456", "123456789012.12345678901", "0.12345678901234567890123" };

	(void)state;
	for (size_t i = 0; i < COUNT(no_numbers); i++)
		assert_fault(no_numbers[i], DECIMAL_NOT_A_NUMBER);
	for (size_t i = 0; i < COUNT(too_large); i++)
		assert_fault(too_large[i], DECIMAL_TOO_LARGE);
	for (size_t i = 0; i < COUNT(too_precise); i++)
		assert_fault(too_precise[i], DECIMAL_TOO_PRECISE);
}

static void
a_long_literal_costs_no_more_than_its_length(void **state)
{
	struct decimal d;
	size_t n = 1 << 20;
	char *z = malloc(n);

	(void)state;
	assert_non_null(z);
	memset(z, '0', n);
	z[1] = '.';
	assert_int_equal(decimal_parse((struct str){ z, n }, &d), DECIMAL_OK);
	assert_int_equal(d.coef, 0);
	z[n - 1] = '1';
	assert_int_equal(decimal_parse((struct str){ z, n }, &d), DECIMAL_TOO_PRECISE);
	memset(z, '9', n);
	assert_int_equal(decimal_parse((struct str){ z, n }, &d), DECIMAL_TOO_LARGE);
	free(z);
}

static void
decimals_are_written_plainly(void **state)
{
	(void)state;
	assert_string_equal(written((struct decimal){ 5500000, 2 }), "55000.00");
	assert_string_equal(written((struct decimal){ 5, 2 }), "0.05");
	assert_string_equal(written((struct decimal){ -5, 2 }), "-0.05");
	assert_string_equal(written((struct decimal){ 0, 2 }), "0.00");
	assert_string_equal(written((struct decimal){ -7, 0 }), "-7");
	assert_string_equal(written((struct decimal){ INT64_MIN, 15 }), "-9223.372036854775808");
	assert_string_equal(written((struct decimal){ INT64_MAX, 0 }), "9223372036854775807");
	assert_string_equal(written_short((struct decimal){ 2450, 3 }), "2.45");
	assert_string_equal(written_short((struct decimal){ 3000, 3 }), "3");
	assert_string_equal(written_short((struct decimal){ 300, 0 }), "300");
	assert_string_equal(written_short((struct decimal){ 0, 15 }), "0");
}

static struct decimal
random_decimal(void)
{
	struct decimal d;

	random_bytes(&d.coef, sizeof(d.coef));
	d.coef >>= random_below(64);
	d.scale = (int32_t)random_below(DECIMAL_SCALE_MAX + 1);
	return d;
}

static void
what_is_written_is_parsed_to_the_same(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal d = random_decimal(), back = parsed(written(d));

		assert_true(back.coef == d.coef && back.scale == d.scale);
		back = parsed(written_short(d));
		assert_int_equal(decimal_cmp(back, d), 0);
		assert_true(back.scale == 0 || back.coef % 10 != 0);
	}
}

/* A literal built from its parts reads as coefficient × 10^exponent whatever way it is spelled. */
static void
spelling_does_not_change_the_value(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		int64_t coef = (int64_t)random_below(1000000) - 500000;
		int exponent = (int)random_below(12) - 6;
		char z[80];

		if (coef == 0) /* zeros can't be appended to it */
			continue;
		snprintf(z, sizeof(z), "%llde%d", (long long)coef, exponent);
		struct decimal plain = parsed(z);
		snprintf(z, sizeof(z), "%s%lld.%04lldE%+03d", coef < 0 ? "-" : "",
			llabs((long long)coef) / 10000, llabs((long long)coef) % 10000, exponent + 4);
		assert_int_equal(decimal_cmp(parsed(z), plain), 0);
		snprintf(z, sizeof(z), "%lld0000.000e%d", (long long)coef, exponent - 4);
		assert_int_equal(decimal_cmp(parsed(z), plain), 0);
	}
}

/* n / 10^digits, half away from zero. */
static wide
shrink(wide n, int digits)
{
	wide unit = 1;

	while (digits-- > 0)
		unit *= 10;
	wide size = n < 0 ? -n : n, quotient = size / unit;
	if (2 * (size % unit) >= unit)
		quotient++;
	return n < 0 ? -quotient : quotient;
}

static wide
enlarge(wide n, int digits)
{
	while (digits-- > 0)
		n *= 10;
	return n;
}

static bool
fits(wide v)
{
	return v >= INT64_MIN && v <= INT64_MAX;
}

static void
rescaling_is_exact_or_rounds_half_up(void **state)
{
	struct decimal d;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal from = random_decimal();
		int32_t to = (int32_t)random_below(DECIMAL_SCALE_MAX + 1);
		wide expected = to >= from.scale ? enlarge(from.coef, to - from.scale)
						 : shrink(from.coef, from.scale - to);
		enum decimal_fault fault = decimal_rescale(from, to, true, &d);

		assert_int_equal(fault, fits(expected) ? DECIMAL_OK : DECIMAL_TOO_LARGE);
		assert_true(fault != DECIMAL_OK || (d.coef == expected && d.scale == to));
		bool lossless = to >= from.scale ||
				enlarge(shrink(from.coef, from.scale - to), from.scale - to) == from.coef;
		assert_int_equal(decimal_rescale(from, to, false, &d), !lossless	? DECIMAL_TOO_PRECISE
								       : fits(expected) ? DECIMAL_OK
											: DECIMAL_TOO_LARGE);
	}
	assert_int_equal(decimal_rescale(parsed("2.345"), 2, true, &d), DECIMAL_OK);
	assert_string_equal(written(d), "2.35");
	assert_int_equal(decimal_rescale(parsed("-2.345"), 2, true, &d), DECIMAL_OK);
	assert_string_equal(written(d), "-2.35");
	assert_int_equal(decimal_rescale(parsed("2.3449"), 2, true, &d), DECIMAL_OK);
	assert_string_equal(written(d), "2.34");
}

static void
sums_and_products_are_those_of_wider_arithmetic(void **state)
{
	struct decimal d;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal a = random_decimal(), b = random_decimal();
		int32_t wider = a.scale > b.scale ? a.scale : b.scale,
			scale = (int32_t)random_below(DECIMAL_SCALE_MAX + 1);
		wide x = enlarge(a.coef, wider - a.scale), y = enlarge(b.coef, wider - b.scale);

		assert_int_equal(decimal_add(a, b, &d), fits(x + y));
		assert_true(!fits(x + y) || (d.coef == x + y && d.scale == wider));
		assert_int_equal(decimal_sub(a, b, &d), fits(x - y));
		assert_true(!fits(x - y) || (d.coef == x - y && d.scale == wider));
		assert_int_equal(decimal_cmp(a, b), (x > y) - (x < y));
		wide product = (wide)a.coef * b.coef;
		int more = scale - a.scale - b.scale;
		/* Enlarging stays within 128 bits only for what has a chance to fit. */
		wide limit = ((wide)1 << 120) / 1000000000000000;
		bool hopeless = more > 0 && (product > limit || product < -limit);
		wide expected = hopeless   ? (wide)1 << 100
				: more > 0 ? enlarge(product, more)
					   : shrink(product, -more);
		assert_int_equal(decimal_mul(a, b, scale, &d), fits(expected));
		assert_true(!fits(expected) || (d.coef == expected && d.scale == scale));
	}
}

/* q is the quotient a / b rounded half up when |a - q b| is at most half of |b|, and half only when |q b| > |a|. */
static void
quotients_are_nearest(void **state)
{
	struct decimal d;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal a = random_decimal(), b = random_decimal();
		int32_t scale = (int32_t)random_below(7);

		a.coef >>= 12;
		if (!decimal_div(a, b, scale, &d)) {
			assert_true(
				b.coef == 0 ||
				fabs(decimal_to_double(a) / decimal_to_double(b)) * pow(10, scale) > 9.2e18);
			continue;
		}
		assert_int_equal(d.scale, scale);
		/* Compare a × 10^(scale + b.scale) with q × b × 10^a.scale, where both fit. */
		long double x = (long double)a.coef * powl(10, scale + b.scale),
			    unit = (long double)b.coef * powl(10, a.scale);
		if (fabsl(x) > 1e17L || fabsl(unit) > 1e17L || fabsl((long double)d.coef * unit) > 1e18L)
			continue;
		wide n = (wide)x, u = (wide)unit, rest = n - (wide)d.coef * u, size = u < 0 ? -u : u;
		assert_true(2 * (rest < 0 ? -rest : rest) <= size);
		if (2 * (rest < 0 ? -rest : rest) == size)
			assert_true((wide)d.coef * u * (n < 0 ? -1 : 1) > (n < 0 ? -n : n));
	}
	assert_true(decimal_div(parsed("1"), parsed("3"), 2, &d));
	assert_string_equal(written(d), "0.33");
	assert_true(decimal_div(parsed("-1"), parsed("8"), 2, &d));
	assert_string_equal(written(d), "-0.13");
	assert_true(decimal_div(parsed("1"), parsed("-8"), 2, &d));
	assert_string_equal(written(d), "-0.13");
	assert_false(decimal_div(parsed("1"), parsed("0.00"), 2, &d));
	assert_false(decimal_div(parsed("9000000000000000000"), parsed("0.1"), 0, &d));
	assert_true(decimal_div((struct decimal){ INT64_MIN, 0 }, (struct decimal){ INT64_MIN, 15 }, 2, &d));
	assert_string_equal(written(d), "1000000000000000.00");
	assert_false(decimal_div((struct decimal){ INT64_MIN, 0 }, parsed("-1"), 0, &d));
}

static void
doubles_are_the_edge_of_statistics(void **state)
{
	struct decimal d;

	(void)state;
	assert_true(decimal_to_double(parsed("2.45")) == 2.45);
	assert_true(decimal_to_double(parsed("-55000.00")) == -55000);
	assert_true(decimal_from_double(2.5, 0, &d));
	assert_string_equal(written(d), "3");
	assert_true(decimal_from_double(-2.5, 0, &d));
	assert_string_equal(written(d), "-3");
	/* The double nearest to 1.005 lies below it; the exact value counts, not its product with 100. */
	assert_true(decimal_from_double(1.005, 2, &d));
	assert_string_equal(written(d), "1.00");
	/* Here the product with 100 even looks like an exact half. */
	assert_true(2.675 * 100 == 267.5);
	assert_true(decimal_from_double(2.675, 2, &d));
	assert_string_equal(written(d), "2.67");
	assert_true(decimal_from_double(0.125, 2, &d));
	assert_string_equal(written(d), "0.13");
	assert_true(decimal_from_double(0.49999999999999994, 0, &d));
	assert_string_equal(written(d), "0");
	assert_true(decimal_from_double(4503599627370497.5, 0, &d));
	assert_string_equal(written(d), "4503599627370498");
	assert_true(decimal_from_double(1e-30, 15, &d));
	assert_int_equal(d.coef, 0);
	assert_false(decimal_from_double(1e19, 0, &d));
	assert_false(decimal_from_double(-1e10, 15, &d));
	assert_false(decimal_from_double((double)NAN, 2, &d));
	assert_false(decimal_from_double((double)INFINITY, 2, &d));
	for (int i = 0; i < ROUNDS; i++) {
		/* At most 15 digits come back from a double unharmed. */
		struct decimal from = { (int64_t)random_below(1000000000) * 1000 - 500000000000,
			(int32_t)random_below(10) };

		assert_true(decimal_from_double(decimal_to_double(from), from.scale, &d));
		assert_true(d.coef == from.coef);
	}
}

static void
nearest_agrees_with_printf(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal d;
		uint64_t bits;
		char z[64];

		random_bytes(&bits, sizeof(bits));
		double v = (double)(int64_t)bits / pow(2, 20 + (int)random_below(50));
		int32_t scale = (int32_t)random_below(5);
		if (!decimal_from_double(v, scale, &d))
			continue;
		/* printf rounds the exact value; it differs only at exact halves, which random values do not hit at these scales. */
		snprintf(z, sizeof(z), "%.*f", scale, v);
		struct decimal expected = parsed(z);
		if (expected.coef != d.coef &&
			2 * fabs(v) * pow(10, scale) != floor(2 * fabs(v) * pow(10, scale)))
			fail_msg("%.20g at scale %d: %lld", v, scale, (long long)d.coef);
	}
}

static void
integers_are_checked(void **state)
{
	int64_t v = 5;

	(void)state;
	assert_false(int_add(INT64_MAX, 1, &v));
	assert_false(int_sub(INT64_MIN, 1, &v));
	assert_false(int_mul(INT64_MAX / 2 + 1, 2, &v));
	assert_int_equal(v, 5);
	assert_true(int_add(2, 3, &v) && v == 5);
	assert_true(int_sub(2, 3, &v) && v == -1);
	assert_true(int_mul(-2, 3, &v) && v == -6);
}

static void
currencies_know_their_decimals(void **state)
{
	(void)state;
	assert_int_equal(currency_decimals(STR("GBP")), 2);
	assert_int_equal(currency_decimals(STR("AED")), 2);
	assert_int_equal(currency_decimals(STR("ZWG")), 2);
	assert_int_equal(currency_decimals(STR("JPY")), 0);
	assert_int_equal(currency_decimals(STR("KWD")), 3);
	assert_int_equal(currency_decimals(STR("CLF")), 4);
	assert_int_equal(currency_decimals(STR("gbp")), -1);
	assert_int_equal(currency_decimals(STR("XXX")), -1);
	assert_int_equal(currency_decimals(STR("GB")), -1);
	assert_int_equal(currency_decimals(STR("P G")), -1);
	assert_int_equal(currency_decimals(STR("")), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_keep_their_digits),
		cmocka_unit_test(faults_are_told_apart),
		cmocka_unit_test(a_long_literal_costs_no_more_than_its_length),
		cmocka_unit_test(decimals_are_written_plainly),
		cmocka_unit_test(what_is_written_is_parsed_to_the_same),
		cmocka_unit_test(spelling_does_not_change_the_value),
		cmocka_unit_test(rescaling_is_exact_or_rounds_half_up),
		cmocka_unit_test(sums_and_products_are_those_of_wider_arithmetic),
		cmocka_unit_test(quotients_are_nearest),
		cmocka_unit_test(doubles_are_the_edge_of_statistics),
		cmocka_unit_test(nearest_agrees_with_printf),
		cmocka_unit_test(integers_are_checked),
		cmocka_unit_test(currencies_know_their_decimals),
	};

	buf_init(&text, 4096);
	int failed = random_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	buf_done(&text);
	return failed;
}
