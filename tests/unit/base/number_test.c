/* Doubles and text. The oracle is the C library in the "C" locale. */
#include "base/number.h"
#include "base/random.h"
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf text;

static const char *
written(double v)
{
	buf_clear(&text);
	double_write(&text, v);
	buf_add_byte(&text, '\0');
	return text.p;
}

static bool
same(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
numbers_of_json_are_read(void **state)
{
	static const struct {
		const char *text;
		double value;
	} cases[] = { { "0", 0 }, { "-0", -0.0 }, { "-0.0", -0.0 }, { "1", 1 }, { "1.5", 1.5 },
		{ "-2.50", -2.5 }, { "0.1", 0.1 }, { "1e3", 1000 }, { "1E+3", 1000 }, { "5e-1", 0.5 },
		{ "123456789012345678", 123456789012345678.0 },
		{ "1.7976931348623157e308", 1.7976931348623157e308 }, { "5e-324", 5e-324 }, { "1e-400", 0 },
		{ "9007199254740993", 9007199254740992.0 }, { "0.30000000000000004", 0.30000000000000004 },
		{ "2.2250738585072011e-308", 2.2250738585072011e-308 } };
	double v;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(double_parse(str_from_cstr(cases[i].text), &v));
		if (!same(v, cases[i].value))
			fail_msg("%s", cases[i].text);
	}
}

static void
other_texts_are_refused(void **state)
{
	static const char *const wrong[] = { "", "-", "+1", "01", "-01", ".5", "5.", "1.e3", "1e", "1e+",
		"0x10", "nan", "inf", "Infinity", "1e309", "-1e309", " 1", "1 ", "1,5", "1_0", "--1", "1.5.5",
		"1e5e5" };
	double v = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (double_parse(str_from_cstr(wrong[i]), &v))
			fail_msg("accepted: %s", wrong[i]);
	assert_false(double_parse((struct str){ "1\0", 2 }, &v));
	assert_true(v == 7);
}

static void
figures_are_written_short(void **state)
{
	(void)state;
	assert_string_equal(written(0), "0");
	assert_string_equal(written(-0.0), "-0");
	assert_string_equal(written(1), "1");
	assert_string_equal(written(-2.5), "-2.5");
	assert_string_equal(written(0.1), "0.1");
	assert_string_equal(written(0.07), "0.07");
	assert_string_equal(written(55000.25), "55000.25");
	assert_string_equal(written(1.0 / 3), "0.3333333333333333");
	assert_string_equal(written(0.1 + 0.2), "0.30000000000000004");
	assert_string_equal(written(999999999999999), "999999999999999");
	assert_string_equal(written(1e15), "1e+15");
	assert_string_equal(written(0.000001), "0.000001");
	assert_string_equal(written(1e23), "1e+23");
}

/* Whatever is written is JSON, reads back as the same double and is no longer than %.17g. */
static void
assert_round_trip(double v)
{
	char reference[64];
	double back;
	const char *z = written(v);

	if (!double_parse(str_from_cstr(z), &back) || !same(back, v) || !same(strtod(z, NULL), v))
		fail_msg("%.17g was written as %s", v, z);
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(reference, sizeof(reference), "%.*g", precision, v);
		if (same(strtod(reference, NULL), v))
			break;
	}
	/* Fixed notation may be longer than the exponent's of small numbers (0.000001), never by more than its zeros. */
	if (strlen(z) > strlen(reference) + 3)
		fail_msg("%s could be %s", z, reference);
}

static void
random_doubles_survive_the_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t bits;
		double v;

		random_bytes(&bits, sizeof(bits));
		memcpy(&v, &bits, sizeof(v));
		if (isfinite(v))
			assert_round_trip(v);
		assert_round_trip((double)((int64_t)bits >> (bits & 31)) / 100);
		assert_round_trip((double)(bits >> 34) / 1000);
		assert_round_trip((double)(bits >> 20) * 1e-6);
	}
}

static void
parsing_is_as_exact_as_the_c_library(void **state)
{
	char z[64];
	double v;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t bits;

		random_bytes(&bits, sizeof(bits));
		snprintf(z, sizeof(z), "%s%llu.%0*u", bits & 1 ? "-" : "",
			(unsigned long long)(bits >> (20 + bits % 40)), 1 + (int)(bits % 9),
			random_below(1000));
		assert_true(double_parse(str_from_cstr(z), &v));
		if (!same(v, strtod(z, NULL)))
			fail_msg("%s", z);
	}
}

/* Runs a program and waits; its exit status. */
static int
run(const char *const *arguments)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (freopen("/dev/null", "w", stderr))
			execvp(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* A locale whose decimal point is a comma, made for the test; NULL where the system can't make one. */
static locale_t
german(const char *folder)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/de_DE.UTF-8", folder);
	if (run((const char *const[]){ "localedef", "-i", "de_DE", "-f", "UTF-8", path, NULL }) != 0)
		return NULL;
	setenv("LOCPATH", folder, 1);
	return newlocale(LC_ALL_MASK, "de_DE.UTF-8", NULL);
}

enum { RIGHT = 0, WRONG = 1, NO_LOCALE = 77 };

static int
convert_in_german(const char *folder)
{
	char comma[8];
	double v;
	locale_t l = german(folder);

	if (!l)
		return NO_LOCALE;
	uselocale(l);
	snprintf(comma, sizeof(comma), "%.1f", 0.5);
	bool right = strcmp(comma, "0,5") == 0; /* or the test would show nothing */
	right &= strcmp(written(1.0 / 3), "0.3333333333333333") == 0;
	right &= double_parse(STR("1.2345678901234567e10"), &v) && same(v, 12345678901.234567);
	return right ? RIGHT : WRONG;
}

/* In a child, because the C library does not give back what a locale took. */
static void
the_locale_does_not_matter(void **state)
{
	char folder[] = "locale-XXXXXX";
	int status;

	(void)state;
	assert_non_null(mkdtemp(folder));
	pid_t child = fork();
	if (child == 0)
		_exit(convert_in_german(folder));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(run((const char *const[]){ "rm", "-r", folder, NULL }), 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_LOCALE) {
		print_message("skipped: the locale de_DE can't be made here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), RIGHT);
}

static void
a_prefix_ends_where_the_number_does(void **state)
{
	(void)state;
	assert_int_equal(number_prefix(STR("12.5e3x")), 6);
	assert_int_equal(number_prefix(STR("12.")), 2);
	assert_int_equal(number_prefix(STR("12e")), 2);
	assert_int_equal(number_prefix(STR("007")), 1);
	assert_int_equal(number_prefix(STR("-")), 0);
	assert_int_equal(number_prefix(STR("")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_json_are_read),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(figures_are_written_short),
		cmocka_unit_test(random_doubles_survive_the_round_trip),
		cmocka_unit_test(parsing_is_as_exact_as_the_c_library),
		cmocka_unit_test(the_locale_does_not_matter),
		cmocka_unit_test(a_prefix_ends_where_the_number_does),
	};

	buf_init(&text, 4096);
	int failed = random_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	buf_done(&text);
	return failed;
}
