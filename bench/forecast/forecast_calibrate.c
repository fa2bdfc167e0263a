/*
 * Prints the quantiles of |y − forecast| / deviation of the default method on the development series: the figures that
 * src/forecast/calibration.c rounds. Usage: forecast_calibrate DIR. A group a line, above and below the forecast and
 * together, then by length of the series, which shows whether one row a group is enough.
 */
#include "app/forecast_csv.h"
#include "forecast/distribution.h"
#include "forecast/numeric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ERRORS = 200000, GROUP_BYTES = 8 };

/* One error in units of its deviation. */
struct sample {
	char group[GROUP_BYTES];
	size_t count, step;
	double u;
};

struct samples {
	struct sample *rows;
	size_t count;
};

static FILE *
open_in(const char *directory, const char *name)
{
	char path[4096];
	int length = snprintf(path, sizeof path, "%s/%s", directory, name);
	return length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
}

static void
row_add(struct forecast_workspace *ws, const struct forecast_csv_row *train,
	const struct forecast_csv_row *test, const char *group, struct samples *all)
{
	struct forecast_series series = { .values = train->values, .count = train->count };
	struct forecast_options options = { .horizon = test->count };
	struct forecast_result *r = NULL;
	series.calendar = strcmp(group, "W") == 0 ? FORECAST_WEEK : forecast_calendar_of(train->frequency);
	if (forecast_run(ws, &series, &options, &r, NULL) != FORECAST_OK)
		return;
	const struct forecast_distribution *d = r->distribution;
	for (size_t i = 0; i < r->horizon && d->support_count == 0 && all->count < MAX_ERRORS; i++) {
		struct sample *s = &all->rows[all->count++];
		*s = (struct sample){
			.count = train->count, .step = i, .u = (test->values[i] - d->mean[i]) / d->sd[i]
		};
		memcpy(s->group, group, strnlen(group, GROUP_BYTES - 1));
	}
	forecast_result_free(r);
}

/* Prints the quantiles of the samples of a group whose error has the sign (0: both) and whose length lies in a range. */
static void
quantiles_print(const struct samples *all, const char *group, int sign, size_t least, size_t most)
{
	static const double levels[] = { 0.5, 0.8, 0.9, 0.95, 0.99 };
	double *u = malloc(MAX_ERRORS * sizeof *u);
	size_t count = 0;
	for (size_t i = 0; u && i < all->count; i++) {
		const struct sample *s = &all->rows[i];
		if (strcmp(s->group, group) == 0 && s->u * sign >= 0 && s->count >= least && s->count < most)
			u[count++] = fabs(s->u);
	}
	if (count > 0) {
		numeric_sort(u, count);
		printf("%-3s %-5s %7zu to %7zu values, %6zu errors:", group,
			sign ? sign > 0 ? "above" : "below" : "both", least, most - 1, count);
		for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
			printf(" %5.2f", numeric_sorted_quantile(u, count, levels[i]));
		putchar('\n');
	}
	free(u);
}

static void
samples_read(const char *directory, struct samples *all)
{
	FILE *files[] = { open_in(directory, "dev_train.csv"), open_in(directory, "dev_test.csv"),
		open_in(directory, "meta.csv") };
	char *lines[3] = { NULL, NULL, NULL };
	size_t caps[3] = { 0 };
	struct forecast_csv_row train = { 0 }, test = { 0 };
	struct forecast_workspace *ws = forecast_workspace_new();
	bool good = ws && files[0] && files[1] && files[2] && getline(&lines[2], &caps[2], files[2]) > 0;
	while (good) {
		ssize_t lengths[3];
		for (int i = 0; i < 3; i++)
			good = good && (lengths[i] = getline(&lines[i], &caps[i], files[i])) > 0;
		char *rest = lines[2];
		(void)strsep(&rest, ","); /* the set; the development series come first */
		const char *group = strsep(&rest, ",");
		if (good && group && !forecast_csv_parse(lines[0], (size_t)lengths[0], &train) &&
			!forecast_csv_parse(lines[1], (size_t)lengths[1], &test))
			row_add(ws, &train, &test, group, all);
	}
	for (int i = 0; i < 3; i++) {
		free(lines[i]);
		if (files[i])
			fclose(files[i]);
	}
	forecast_csv_row_done(&train);
	forecast_csv_row_done(&test);
	forecast_workspace_free(ws);
}

int
main(int argc, char **argv)
{
	static const char *const groups[] = { "Y", "Q", "M", "W", "D", "D7", "H" };
	static const size_t lengths[] = { 0, 20, 50, 100, 200, 500, 1000, 1000001 };
	struct samples all = { calloc(MAX_ERRORS, sizeof *all.rows), 0 };
	if (argc < 2 || !all.rows) {
		fprintf(stderr, "usage: forecast_calibrate DIR\n");
		return 2;
	}
	samples_read(argv[1], &all);
	puts("quantiles of |y - forecast| / deviation at 50, 80, 90, 95 and 99 %");
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
		for (int sign = -1; sign <= 1; sign++)
			quantiles_print(&all, groups[g], sign, 0, 1000001);
		for (size_t i = 0; i + 1 < sizeof lengths / sizeof lengths[0]; i++)
			quantiles_print(&all, groups[g], 0, lengths[i], lengths[i + 1]);
	}
	free(all.rows);
	return 0;
}
