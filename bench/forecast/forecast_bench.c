/*
 * Accuracy and speed of the forecasting library on a directory of competition series, beside reference figures:
 * sMAPE, MASE, OWA (relative to Naive2, as M4 defines it), coverage and MSIS of the 95 % interval, series a second
 * on one thread. Usage: forecast_bench DIR [methods, comma separated] [groups, comma separated]. DIR holds
 * dev_train.csv, dev_test.csv, meta.csv and, when known, reference_dev.txt. It reports and never fails by a figure.
 */
#include "app/forecast_csv.h"
#include "forecast/forecast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_SERIES = 5000, MAX_HORIZON = 48, GROUP_COUNT = 7, NAME_BYTES = 32 };

/* What the default method is to reach, and where the figures of other programs stand in reference_dev.txt. */
struct group {
	const char *name;
	double target_owa, target_msis, least_speed, wanted_speed;
	const char *references[4];
};

static const struct group groups[GROUP_COUNT] = {
	{ "Y", .923, 25.5, 1850, 10000, { "ets", "comb_e_a_t", "SCUM", "mean_e_a_d" } },
	{ "Q", .849, 9.6, 350, 2000, { "ets", "comb_e_a_t", "SCUM", "mean_e_a_d" } },
	{ "M", .805, 7.25, 160, 1000, { "ets", "comb_e_a_t", "SCUM", "mean_e_a_d" } },
	{ "W", .785, 16.7, 100, 250, { "ets", "comb_e_a_t", "SCUM", "mean_e_a_d" } },
	{ "D", .977, NAN, 113, 300, { "ets", "comb_e_a_t", "SCUM", "mean_e_a_d" } },
	{ "D7", .470, NAN, 113, 300, { "ets", "comb_e_a_t", "SCUM", "mean_e_a_d" } },
	{ "H", NAN, NAN, 32, 60, { "ets", "mstl168", "SCUM", "mean_ets_ces_dotm" } },
};

struct entry {
	struct forecast_csv_row train, test;
	char group[NAME_BYTES];
	double scale; /* mean absolute seasonal difference of the training part */
};

struct collection {
	struct entry *entries;
	size_t count;
};

struct score {
	double smape, mase, coverage, msis, seconds;
	size_t count;
};

static FILE *
open_in(const char *directory, const char *name)
{
	char path[4096];
	int length = snprintf(path, sizeof path, "%s/%s", directory, name);
	return length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
}

/* The group of each id from meta.csv (set,group,series_id,…), in the order of the training file. */
static bool
groups_read(const char *directory, struct collection *all)
{
	FILE *file = open_in(directory, "meta.csv");
	char *line = NULL;
	size_t cap = 0, at = 0;
	while (file && getline(&line, &cap, file) > 0 && at < all->count) {
		char *rest = line, *set = strsep(&rest, ","), *group = strsep(&rest, ","),
		     *id = strsep(&rest, ",");
		if (!id || strcmp(set, "dev") != 0 || strcmp(id, all->entries[at].train.id) != 0)
			continue;
		size_t length = strnlen(group, NAME_BYTES - 1);
		memcpy(all->entries[at++].group, group, length); /* zeroed before */
	}
	free(line);
	if (file)
		fclose(file);
	return at == all->count;
}

static bool
rows_read(const char *directory, const char *name, struct collection *all, bool test)
{
	FILE *file = open_in(directory, name);
	char *line = NULL;
	size_t cap = 0, at = 0;
	ssize_t length;
	bool good = file != NULL;
	while (good && at < MAX_SERIES && (length = getline(&line, &cap, file)) > 0) {
		struct entry *e = &all->entries[at++];
		good = forecast_csv_parse(line, (size_t)length, test ? &e->test : &e->train) == NULL;
	}
	free(line);
	if (file)
		fclose(file);
	good = good && (!test || at == all->count);
	all->count = at;
	return good;
}

static void
scale_fill(struct entry *e)
{
	size_t m = e->train.frequency;
	double sum = 0;
	for (size_t i = m; i < e->train.count; i++)
		sum += fabs(e->train.values[i] - e->train.values[i - m]);
	e->scale = sum / (double)(e->train.count - m);
}

static struct forecast_series
series_of(const struct entry *e)
{
	struct forecast_series s = {
		.values = e->train.values, .count = e->train.count, .non_negative = true
	};
	s.calendar = strcmp(e->group, "W") == 0 ? FORECAST_WEEK : forecast_calendar_of(e->train.frequency);
	for (size_t i = 0; i < s.count; i++)
		s.non_negative = s.non_negative && !(s.values[i] < 0);
	return s;
}

static void
score_add(struct score *score, const struct entry *e, const struct forecast_result *r)
{
	double smape = 0, error = 0, inside = 0, interval = 0;
	for (size_t i = 0; i < r->horizon; i++) {
		double y = e->test.values[i], f = r->mean[i], low = r->lower[i], high = r->upper[i];
		double size = fabs(y) + fabs(f);
		smape += size > 0 ? 200 * fabs(y - f) / size : 0;
		error += fabs(y - f);
		inside += y >= low && y <= high;
		interval += high - low + 40 * (y < low ? low - y : 0) + 40 * (y > high ? y - high : 0);
	}
	double h = (double)r->horizon;
	score->smape += smape / h;
	score->mase += error / h / e->scale;
	score->coverage += inside / h;
	score->msis += interval / h / e->scale;
	score->count++;
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct score
score_of(const struct collection *all, const char *group, const char *method)
{
	const double level = 95;
	struct forecast_workspace *ws = forecast_workspace_new();
	struct score score = { 0 };
	for (size_t i = 0; i < all->count; i++) {
		const struct entry *e = &all->entries[i];
		if (strcmp(e->group, group) != 0)
			continue;
		struct forecast_series series = series_of(e);
		if (strcmp(method, "naive2") == 0)
			series.calendar =
				forecast_calendar_of(e->train.frequency); /* M4's weeks have no season */
		struct forecast_options options = {
			.horizon = e->test.count, .levels = &level, .level_count = 1, .method = method
		};
		struct forecast_result *result = NULL;
		double start = now();
		if (forecast_run(ws, &series, &options, &result, NULL) != FORECAST_OK)
			continue;
		score.seconds += now() - start;
		score_add(&score, e, result);
		forecast_result_free(result);
	}
	forecast_workspace_free(ws);
	double count = (double)(score.count ? score.count : 1);
	score.smape /= count;
	score.mase /= count;
	score.coverage /= count;
	score.msis /= count;
	score.seconds /= count;
	return score;
}

static bool
listed(const char *list, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = list; at && (at = strstr(at, name)); at++)
		if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
			return true;
	return list == NULL;
}

/* Cuts the next word off *rest; NULL at the end of the line. */
static char *
word_next(char **rest)
{
	char *word;
	while ((word = strsep(rest, " \t\n")) && !*word)
		continue;
	return word;
}

/* sMAPE, MASE, coverage, MSIS, OWA of a line of the reference, then the number of series and the seconds. */
static void
reference_line_print(const char *name, char *rest)
{
	double figures[5];
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		char *word = word_next(&rest);
		if (!word)
			return;
		if (!forecast_csv_number(word, strlen(word), &figures[i]))
			figures[i] = NAN;
	}
	(void)word_next(&rest); /* the number of series */
	const char *seconds = word_next(&rest);
	printf("   R %-10s %8.4f %8.4f %7.4f %9.4f %7.4f   %s s a series\n", name, figures[0], figures[1],
		figures[2], figures[3], figures[4], seconds ? seconds : "?");
}

/* The line of a method in the group's part of the reference file, printed under ours. */
static void
reference_print(const char *directory, const char *group, const char *method)
{
	FILE *file = open_in(directory, "reference_dev.txt");
	char *line = NULL;
	size_t cap = 0;
	bool inside = false;
	while (file && getline(&line, &cap, file) > 0) {
		char *rest = line, *first = word_next(&rest);
		if (!first)
			continue;
		if (strcmp(first, "==") == 0) {
			const char *set = word_next(&rest), *name = word_next(&rest);
			inside = set && name && strcmp(name, group) == 0;
		} else if (inside && strcmp(first, method) == 0) {
			reference_line_print(first, rest);
		}
	}
	free(line);
	if (file)
		fclose(file);
}

static void
group_print(
	const char *directory, const struct collection *all, const struct group *group, const char *methods)
{
	struct score base = score_of(all, group->name, "naive2");
	printf("\n== %s, %zu series: sMAPE, MASE, coverage, MSIS, OWA, series/s\n", group->name, base.count);
	for (size_t m = 0; forecast_method_name(m); m++) {
		const char *method = forecast_method_name(m);
		if (!listed(methods, method))
			continue;
		struct score s = score_of(all, group->name, method);
		double owa = (s.smape / base.smape + s.mase / base.mase) / 2;
		printf("%-14s %8.4f %8.4f %7.4f %9.4f %7.4f %9.1f\n", method, s.smape, s.mase, s.coverage,
			s.msis, owa, 1 / s.seconds);
		if (m == 0)
			printf("   target                       .93-.97 %9.4f %7.4f %9.1f (wanted %.0f)\n",
				group->target_msis, group->target_owa, group->least_speed,
				group->wanted_speed);
		reference_print(directory, group->name, method);
		fflush(stdout);
	}
	for (size_t i = 0; !methods && i < sizeof group->references / sizeof group->references[0]; i++)
		reference_print(directory, group->name, group->references[i]);
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: forecast_bench DIR [methods] [groups]\n");
		return 2;
	}
	struct collection all = { calloc(MAX_SERIES, sizeof(struct entry)), 0 };
	if (!all.entries || !rows_read(argv[1], "dev_train.csv", &all, false) ||
		!rows_read(argv[1], "dev_test.csv", &all, true) || !groups_read(argv[1], &all)) {
		printf("forecast_bench: skipped, no complete set of series in %s\n", argv[1]);
		free(all.entries);
		return 0;
	}
	for (size_t i = 0; i < all.count; i++)
		scale_fill(&all.entries[i]);
	for (size_t g = 0; g < GROUP_COUNT; g++)
		if (listed(argc > 3 ? argv[3] : NULL, groups[g].name))
			group_print(argv[1], &all, &groups[g], argc > 2 && argv[2][0] ? argv[2] : NULL);
	for (size_t i = 0; i < all.count; i++) {
		forecast_csv_row_done(&all.entries[i].train);
		forecast_csv_row_done(&all.entries[i].test);
	}
	free(all.entries);
	return 0;
}
