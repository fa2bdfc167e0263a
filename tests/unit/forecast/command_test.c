/* The forecast command: rows in, rows out, in order; broken rows cost nothing else; wrong command lines are refused. */
#include "app/forecast_command.h"
#include "app/forecast_csv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { OUTPUT_BYTES = 65536, MAX_ARGUMENTS = 12 };

/* What a run of the command printed. */
struct run {
	int code;
	char output[OUTPUT_BYTES], errors[OUTPUT_BYTES];
};

static void
slurp(FILE *file, char *text)
{
	rewind(file);
	size_t length = fread(text, 1, OUTPUT_BYTES - 1, file);
	text[length] = '\0';
	fclose(file);
}

/* Runs the command on a file of this text, standard output and error going to temporary files. */
static void
command_run(struct run *run, const char *text, const char *const *options)
{
	char path[] = "/tmp/forecast_command_XXXXXX", *argv[MAX_ARGUMENTS] = { "forecast", path };
	int argc = 2, fd = mkstemp(path), out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	FILE *output = tmpfile(), *errors = tmpfile();
	assert_true(fd >= 0 && out >= 0 && err >= 0 && output && errors);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	for (; options && options[argc - 2]; argc++)
		argv[argc] = (char *)(uintptr_t)options[argc - 2];
	fflush(NULL);
	dup2(fileno(output), STDOUT_FILENO);
	dup2(fileno(errors), STDERR_FILENO);
	run->code = forecast_command(argc, argv);
	fflush(NULL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	unlink(path);
	slurp(output, run->output);
	slurp(errors, run->errors);
}

static size_t
lines_starting(const char *text, const char *start)
{
	size_t count = 0, length = strlen(start);
	for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		count += strncmp(at, start, length) == 0;
	return count;
}

static void
rows_come_out_in_order_with_the_usual_horizon(void **state)
{
	(void)state;
	static struct run run;
	command_run(&run, "b,4,1,2,3,4,2,3,4,5,3,4,5,6\na,1,5,6,7,8,9,10\n", NULL);
	assert_int_equal(run.code, 0);
	assert_string_equal(run.errors, "");
	assert_int_equal(lines_starting(run.output, "b,"), 8);
	assert_int_equal(lines_starting(run.output, "a,"), 6);
	assert_true(strncmp(run.output, "b,combined,1,", 13) == 0);
	assert_true(strstr(run.output, "\na,combined,6,") != NULL);
}

static void
columns_follow_the_levels(void **state)
{
	(void)state;
	static struct run run;
	const char *const options[] = { "--levels", "95,50", "--horizon=1", "--method", "naive", NULL };
	command_run(&run, "a,1,5,6,8,7,9,10\n", options);
	assert_int_equal(run.code, 0);
	double figures[5];
	char *rest = run.output;
	for (int i = 0; i < 3; i++)
		(void)strsep(&rest, ",");
	for (int i = 0; i < 5; i++) {
		char *cell = strsep(&rest, ",\n");
		assert_true(cell && forecast_csv_number(cell, strlen(cell), &figures[i]));
	}
	assert_true(figures[0] == 10);
	assert_true(figures[1] < figures[3] && figures[3] < 10 && 10 < figures[4] && figures[4] < figures[2]);
}

static void
broken_rows_cost_nothing_else(void **state)
{
	(void)state;
	static struct run run;
	command_run(&run,
		"\xef\xbb\xbfgood,1,1,2,3,4,5\r\nx,1,1,two\n,1,1\ny,0,1\nz,1,\"1\nv,1,1e308,2\n\n\"com,ma\","
		"1,1,,3,4,6,5\n"
		"nan,1,nan\n",
		NULL);
	assert_int_equal(run.code, 1);
	assert_int_equal(lines_starting(run.output, "good,"), 6);
	assert_int_equal(lines_starting(run.output, "\"com,ma\","), 6);
	assert_int_equal(lines_starting(run.output, ""), 12);
	const char *const lines[] = {
		"line 2: ", "line 3: ", "line 4: ", "line 5: ", "line 6: ", "line 9: "
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_int_equal(lines_starting(run.errors, lines[i]), 1);
	assert_int_equal(lines_starting(run.errors, "line"), 6);
}

static void
threads_do_not_change_a_byte(void **state)
{
	(void)state;
	static struct run one, three;
	static char text[40000];
	size_t length = 0;
	for (int row = 0; row < 40; row++) {
		length += (size_t)snprintf(text + length, sizeof text - length, "r%d,12", row);
		for (int i = 0; i < row + 5; i++)
			length += (size_t)snprintf(
				text + length, sizeof text - length, ",%d", 50 + (i * 7 + row) % 23);
		length += (size_t)snprintf(text + length, sizeof text - length, "\n");
	}
	const char *const single[] = { "--threads", "1", "--horizon", "3", NULL };
	const char *const several[] = { "--threads", "3", "--horizon", "3", NULL };
	command_run(&one, text, single);
	command_run(&three, text, several);
	assert_int_equal(one.code, 0);
	assert_int_equal(lines_starting(one.output, "r"), 120);
	assert_string_equal(one.output, three.output);
}

static void
a_period_replaces_the_frequency(void **state)
{
	(void)state;
	static struct run run;
	const char *const options[] = { "--period", "4", "--method", "snaive", NULL };
	command_run(&run, "a,1,1,5,3,2,1,5,3,2\nshort,1,1,2\n", options);
	assert_int_equal(lines_starting(run.output, "a,snaive,"), 8);
	assert_true(strstr(run.output, "a,snaive,2,5,") != NULL);
	assert_int_equal(run.code, 1); /* the period is larger than the second series */
	assert_int_equal(lines_starting(run.errors, "line 2: "), 1);
}

static void
wrong_command_lines_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[][2] = { { "--horizon", "0" }, { "--horizon", "100000" },
		{ "--horizon", "x" }, { "--levels", "0" }, { "--levels", "80,100" }, { "--levels", "" },
		{ "--threads", "0" }, { "--period", "0" }, { "--method", "magic" }, { "--colour", "red" },
		{ "--horizon", NULL }, { "second.csv", NULL } };
	static struct run run;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const char *const options[] = { wrong[i][0], wrong[i][1], NULL };
		command_run(&run, "a,1,1,2,3\n", options);
		assert_int_equal(run.code, 2);
		assert_string_equal(run.output, "");
		assert_true(strstr(run.errors, "usage: sextant forecast") != NULL);
	}
}

static void
numbers_are_decimal_and_nothing_else(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} good[] = { { "1", 1 }, { " -2.5 ", -2.5 }, { "+3", 3 }, { ".5", 0.5 }, { "7.", 7 }, { "007", 7 },
		{ "1e3", 1000 }, { "1E-2", 0.01 }, { "12345678901234567890", 12345678901234567890.0 } };
	static const char *const bad[] = { "", " ", "-", ".", "e5", "1e", "1,5", "0x10", "nan", "inf",
		"1e999", "1 2", "--1" };
	double value;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(forecast_csv_number(good[i].text, strlen(good[i].text), &value));
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(forecast_csv_number(bad[i], strlen(bad[i]), &value));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_decimal_and_nothing_else),
		cmocka_unit_test(rows_come_out_in_order_with_the_usual_horizon),
		cmocka_unit_test(columns_follow_the_levels),
		cmocka_unit_test(broken_rows_cost_nothing_else),
		cmocka_unit_test(threads_do_not_change_a_byte),
		cmocka_unit_test(a_period_replaces_the_frequency),
		cmocka_unit_test(wrong_command_lines_are_refused),
	};
	return cmocka_run_group_tests_name("forecast command", tests, NULL, NULL);
}
