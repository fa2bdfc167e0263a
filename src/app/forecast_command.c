/*
 * The command `forecast` (see forecast_command.h). Rows are read in batches, forecast on all threads and written in
 * order, so that a file of any size needs little memory. Series without a negative value are taken as never negative.
 */
#include "app/forecast_command.h"

#include "app/forecast_csv.h"
#include "forecast/forecast.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BATCH_ROWS = 256,
	BATCH_VALUES = 4000000, /* 32 MB: a batch ends when its rows hold more */
	EXIT_GOOD = 0,
	EXIT_ROWS = 1,
	EXIT_COMMAND = 2
};

struct settings {
	const char *path;
	const char *method;
	size_t horizon;
	double levels[FORECAST_MAX_LEVELS];
	size_t level_count;
	unsigned threads;
	unsigned period;
};

/* One row of a batch and what becomes of it. */
struct item {
	struct forecast_csv_row row;
	size_t line;
	const char *problem;
};

struct batch {
	struct item items[BATCH_ROWS];
	struct forecast_series series[BATCH_ROWS];
	struct forecast_options options[BATCH_ROWS];
	struct forecast_result *results[BATCH_ROWS];
	struct forecast_error errors[BATCH_ROWS];
	size_t count;
};

struct progress {
	bool terminal;
	size_t before; /* series of earlier batches */
};

static int
usage(const char *problem, const char *argument)
{
	fprintf(stderr,
		"sextant forecast: %s%s%s\n"
		"usage: sextant forecast FILE.csv [--horizon N] [--method NAME] [--levels 80,95] [--threads "
		"N]"
		" [--period M]\n",
		problem, argument ? ": " : "", argument ? argument : "");
	return EXIT_COMMAND;
}

static bool
whole_number(const char *text, double least, double most, double *value)
{
	return forecast_csv_number(text, strlen(text), value) && *value >= least && *value <= most &&
	       *value == floor(*value);
}

static const char *
levels_parse(const char *text, struct settings *s)
{
	s->level_count = 0;
	while (*text) {
		size_t length = strcspn(text, ",");
		double level;
		if (s->level_count == FORECAST_MAX_LEVELS)
			return "more than 16 levels";
		if (!forecast_csv_number(text, length, &level) || !(level > 0 && level < 100))
			return "a level must lie between 0 and 100 per cent";
		s->levels[s->level_count++] = level;
		text += length + (text[length] == ',');
	}
	return s->level_count ? NULL : "no levels are given";
}

/* Takes one option and its value; returns what is wrong with them. */
static const char *
option_take(const char *name, const char *value, struct settings *s)
{
	double number;
	if (strcmp(name, "--method") == 0) {
		s->method = value;
		return forecast_method_exists(value) ? NULL : "there is no method of that name";
	}
	if (strcmp(name, "--levels") == 0)
		return levels_parse(value, s);
	if (strcmp(name, "--horizon") == 0) {
		if (!whole_number(value, 1, FORECAST_MAX_HORIZON, &number))
			return "the horizon must be a whole number from 1 to 10,000";
		s->horizon = (size_t)number;
		return NULL;
	}
	if (strcmp(name, "--threads") == 0) {
		if (!whole_number(value, 1, FORECAST_MAX_THREADS, &number))
			return "the number of threads must be 1 to 256";
		s->threads = (unsigned)number;
		return NULL;
	}
	if (strcmp(name, "--period") == 0) {
		if (!whole_number(value, 1, FORECAST_MAX_COUNT, &number))
			return "the period must be a whole number from 1 to 1,000,000";
		s->period = (unsigned)number;
		return NULL;
	}
	return "there is no such option";
}

static int
settings_read(int argc, char **argv, struct settings *s)
{
	*s = (struct settings){ .levels = { 80, 95 }, .level_count = 2 };
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0) {
			if (s->path)
				return usage("more than one file is given", argv[i]);
			s->path = argv[i];
			continue;
		}
		char name[32];
		const char *equals = strchr(argv[i], '='), *value = equals ? equals + 1 : argv[i + 1];
		int length =
			snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - argv[i]) : 31, argv[i]);
		if (length < 0 || !value)
			return usage("an option lacks its value", argv[i]);
		const char *problem = option_take(name, value, s);
		if (problem)
			return usage(problem, equals ? argv[i] : value);
		i += equals ? 0 : 1;
	}
	return s->path ? EXIT_GOOD : usage("no file is given", NULL);
}

/* The season and the horizon of a row. */
static void
item_describe(const struct settings *s, const struct item *item, struct forecast_series *series,
	struct forecast_options *options)
{
	const struct forecast_csv_row *row = &item->row;
	unsigned frequency = s->period ? s->period : row->frequency;
	size_t standard = forecast_default_horizon(frequency);
	*series = (struct forecast_series){ .values = row->values,
		.count = row->count,
		.calendar = forecast_calendar_of(frequency),
		.non_negative = true };
	if (s->period > 1 || (series->calendar == FORECAST_CALENDAR_UNKNOWN && frequency <= row->count)) {
		series->period_count = 1;
		series->periods[0] = frequency;
	}
	for (size_t i = 0; i < row->count; i++)
		series->non_negative = series->non_negative && !(row->values[i] < 0);
	size_t horizon = standard ? standard : frequency;
	horizon = horizon > FORECAST_MAX_HORIZON ? FORECAST_MAX_HORIZON : horizon;
	*options = (struct forecast_options){ .horizon = s->horizon ? s->horizon : horizon,
		.levels = s->levels,
		.level_count = s->level_count,
		.method = s->method };
}

static void
progress_show(void *user, size_t done, size_t count)
{
	struct progress *p = user;
	if (p->terminal && (done % 64 == 0 || done == count))
		fprintf(stderr, "\r%zu series", p->before + done);
}

/* Writes an id as a CSV cell. */
static void
id_write(const char *id)
{
	if (!strpbrk(id, ",\"\n\r")) {
		fputs(id, stdout);
		return;
	}
	putchar('"');
	for (const char *c = id; *c; c++) {
		if (*c == '"')
			putchar('"');
		putchar(*c);
	}
	putchar('"');
}

static void
result_write(const char *id, const struct forecast_result *r)
{
	for (size_t step = 0; step < r->horizon; step++) {
		id_write(id);
		printf(",%s,%zu,%.10g", r->method, step + 1, r->mean[step]);
		for (size_t l = 0; l < r->level_count; l++)
			printf(",%.10g,%.10g", r->lower[l * r->horizon + step],
				r->upper[l * r->horizon + step]);
		putchar('\n');
	}
}

/* Forecasts and writes a batch and empties it; returns the number of bad rows. */
static size_t
batch_finish(const struct settings *s, struct batch *b, struct progress *progress)
{
	size_t bad = 0, good[BATCH_ROWS], count = 0;
	for (size_t i = 0; i < b->count; i++)
		if (!b->items[i].problem) {
			item_describe(s, &b->items[i], &b->series[count], &b->options[count]);
			good[count++] = i;
		}
	struct forecast_batch work = { .series = b->series,
		.count = count,
		.options = b->options,
		.per_series = true,
		.threads = s->threads,
		.results = b->results,
		.errors = b->errors,
		.progress = progress_show,
		.user = progress };
	struct forecast_error error = { 0 };
	enum forecast_code code = forecast_many(&work, &error);
	for (size_t i = 0; code == FORECAST_OK && i < count; i++) {
		struct item *item = &b->items[good[i]];
		if (b->results[i])
			result_write(item->row.id, b->results[i]);
		else
			item->problem = b->errors[i].text;
		forecast_result_free(b->results[i]);
	}
	for (size_t i = 0; i < b->count; i++) {
		struct item *item = &b->items[i];
		const char *problem = code == FORECAST_OK ? item->problem : error.text;
		if (problem) {
			fprintf(stderr, "%sline %zu: %s\n", progress->terminal ? "\r" : "", item->line,
				problem);
			bad++;
		}
	}
	progress->before += count;
	b->count = 0;
	return bad;
}

/* Reads the file through; returns the number of bad rows. */
static size_t
rows_run(const struct settings *s, FILE *file, struct batch *b)
{
	struct progress progress = { .terminal = isatty(STDERR_FILENO) };
	char *text = NULL;
	size_t cap = 0, bad = 0, values = 0;
	ssize_t length;
	for (size_t line = 1; (length = getline(&text, &cap, file)) >= 0; line++) {
		struct item *item = &b->items[b->count];
		item->line = line;
		const char *start = text;
		if (line == 1 && length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
			start += 3; /* a byte order mark */
			length -= 3;
		}
		item->problem = forecast_csv_parse(start, (size_t)length, &item->row);
		if (!item->problem && !item->row.id)
			continue;
		values += item->row.count;
		if (++b->count == BATCH_ROWS || values > BATCH_VALUES) {
			bad += batch_finish(s, b, &progress);
			values = 0;
		}
	}
	bad += batch_finish(s, b, &progress);
	if (progress.terminal)
		fputc('\n', stderr);
	free(text);
	return bad;
}

static int
file_run(const struct settings *s, FILE *file)
{
	struct batch *b = calloc(1, sizeof *b);
	if (!b) {
		fputs("sextant forecast: out of memory\n", stderr);
		return EXIT_ROWS;
	}
	size_t bad = rows_run(s, file, b);
	bool broken = ferror(file) != 0;
	for (size_t i = 0; i < BATCH_ROWS; i++)
		forecast_csv_row_done(&b->items[i].row);
	free(b);
	if (broken)
		fprintf(stderr, "sextant forecast: %s cannot be read: %s\n", s->path, strerror(errno));
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "sextant forecast: the result cannot be written: %s\n", strerror(errno));
		return EXIT_ROWS;
	}
	return bad > 0 || broken ? EXIT_ROWS : EXIT_GOOD;
}

int
forecast_command(int argc, char **argv)
{
	struct settings s;
	int code = settings_read(argc, argv, &s);
	if (code != EXIT_GOOD)
		return code;
	bool standard_input = strcmp(s.path, "-") == 0;
	FILE *file = standard_input ? stdin : fopen(s.path, "re");
	if (!file) {
		fprintf(stderr, "sextant forecast: %s cannot be opened: %s\n", s.path, strerror(errno));
		return EXIT_ROWS;
	}
	code = file_run(&s, file);
	if (!standard_input)
		(void)fclose(file); /* it was only read */
	return code;
}
