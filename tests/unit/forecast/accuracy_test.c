/* On real series the default method beats Naive2 and its 95 % intervals hold about 95 %. Needs the shared series. */
#include "app/forecast_csv.h"
#include "forecast/forecast.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	EVERY = 6, /* of the series, so that the test takes seconds with sanitizers */
	FREQUENCIES = 25
};

struct score {
	double ours, naive2, inside, values;
};

static FILE *
shared_open(const char *name)
{
	const char *shared = getenv("SEXTANT_SHARED");
	char path[4096];
	if (!shared)
		return NULL;
	int length = snprintf(path, sizeof path, "%s/data/forecast/%s", shared, name);
	return length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
}

static bool
row_next(FILE *file, struct forecast_csv_row *row)
{
	static char *line;
	static size_t cap;
	ssize_t length = getline(&line, &cap, file);
	return length > 0 && forecast_csv_parse(line, (size_t)length, row) == NULL;
}

/* Adds the scaled absolute errors of both methods on one series. */
static void
row_score(struct forecast_workspace *ws, const struct forecast_csv_row *train,
	const struct forecast_csv_row *test, struct score *score)
{
	const double level = 95;
	size_t m = train->frequency;
	double scale = 0;
	for (size_t i = m; i < train->count; i++)
		scale += fabs(train->values[i] - train->values[i - m]) / (double)(train->count - m);
	struct forecast_series series = { .values = train->values,
		.count = train->count,
		.calendar = forecast_calendar_of(train->frequency) };
	for (int method = 0; method < 2; method++) {
		struct forecast_options options = {
			.horizon = test->count, .levels = &level, .level_count = 1
		};
		struct forecast_result *r = NULL;
		options.method = method ? "naive2" : "default";
		assert_int_equal(forecast_run(ws, &series, &options, &r, NULL), FORECAST_OK);
		for (size_t i = 0; i < r->horizon; i++) {
			double error = fabs(test->values[i] - r->mean[i]) / scale / (double)r->horizon;
			*(method ? &score->naive2 : &score->ours) += error;
			if (!method) {
				score->inside +=
					test->values[i] >= r->lower[i] && test->values[i] <= r->upper[i];
				score->values++;
			}
		}
		forecast_result_free(r);
	}
}

static void
default_beats_naive2_with_honest_intervals(void **state)
{
	(void)state;
	FILE *train_file = shared_open("dev_train.csv"), *test_file = shared_open("dev_test.csv");
	if (!train_file || !test_file) {
		print_message("skipped: there are no shared series (SEXTANT_SHARED)\n");
		skip();
	}
	struct forecast_csv_row train = { 0 }, test = { 0 };
	struct forecast_workspace *ws = forecast_workspace_new();
	struct score scores[FREQUENCIES] = { 0 };
	for (size_t i = 0; row_next(train_file, &train) && row_next(test_file, &test); i++)
		if (i % EVERY == 0 && train.frequency < FREQUENCIES)
			row_score(ws, &train, &test, &scores[train.frequency]);
	for (size_t f = 0; f < FREQUENCIES; f++) {
		if (!(scores[f].values > 0))
			continue;
		double coverage = scores[f].inside / scores[f].values;
		assert_true(scores[f].ours < scores[f].naive2);
		assert_true(coverage > 0.9 && coverage < 0.99);
	}
	forecast_csv_row_done(&train);
	forecast_csv_row_done(&test);
	forecast_workspace_free(ws);
	fclose(train_file);
	fclose(test_file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(default_beats_naive2_with_honest_intervals) };
	return cmocka_run_group_tests_name("forecast accuracy", tests, NULL, NULL);
}
