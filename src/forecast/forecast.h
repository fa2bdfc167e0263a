/*
 * Public interface of the forecasting library: a series goes in, forecasts with calibrated intervals and
 * probabilities come out. The library is pure: it reads no clock, no files and no environment, includes nothing
 * of the other rooms, and gives bit-identical results for the same input whatever the number of threads.
 * Its callers translate struct forecast_error into their own error type. Methods and equations stand in the
 * .c file of each method; series analytics (trend, anomalies, …) are in analytics.h, holidays in holidays.h.
 */
#ifndef FORECAST_FORECAST_H
#define FORECAST_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FORECAST_MAX_COUNT = 1000000, /* points of a series: a minute series of two years */
	FORECAST_MAX_HORIZON = 10000, /* steps ahead: 27 years of days */
	FORECAST_MAX_PERIODS = 3,     /* seasonal periods of one series: day, week and year of hours */
	FORECAST_MAX_LEVELS = 16,     /* interval levels of one result */
	FORECAST_MAX_PATHS = 100000,  /* simulated paths of one result */
	FORECAST_MAX_THREADS = 256
};

/* Largest absolute value accepted: squares and sums of squares of a whole series stay finite below it. */
#define FORECAST_MAX_ABS 1e120

enum forecast_code {
	FORECAST_OK = 0,
	FORECAST_BAD_VALUE,   /* infinite or beyond FORECAST_MAX_ABS; position tells which */
	FORECAST_BAD_COUNT,   /* more than FORECAST_MAX_COUNT points */
	FORECAST_BAD_HORIZON, /* 0 or more than FORECAST_MAX_HORIZON */
	FORECAST_BAD_LEVEL,   /* not strictly between 0 and 100, or too many levels */
	FORECAST_BAD_PERIOD,  /* a period of 0, larger than the series, repeated, or too many */
	FORECAST_BAD_METHOD,  /* no method of that name */
	FORECAST_BAD_OPTION,  /* another option out of its range; the text names it */
	FORECAST_NO_MEMORY
};

/* What was refused. text is an English sentence without the caller's values other than positions and limits. */
struct forecast_error {
	enum forecast_code code;
	size_t position; /* index into values, levels or periods where one is meant, else 0 */
	char text[128];
};

/* The calendar interval between two points. It decides the default seasonal period and the calibration. */
enum forecast_calendar {
	FORECAST_CALENDAR_UNKNOWN = 0,
	FORECAST_YEAR,
	FORECAST_QUARTER,
	FORECAST_MONTH,
	FORECAST_WEEK,
	FORECAST_DAY,
	FORECAST_HOUR
};

struct forecast_holidays; /* holidays.h */

/*
 * One series, oldest value first, equally spaced. NaN is a gap; gaps at both ends are allowed (the forecast always
 * starts one step after values[count - 1], also when that one is a gap).
 * With period_count 0 the periods come from the calendar: year none, quarter 4, month 12, week 52, day 7, hour 24 and
 * 168; each method tests whether the series has the season. Holidays stand for what repeats by the date.
 * A period given explicitly must be at least 1 and at most count; 1 means "no season". One that does not leave two
 * whole cycles is accepted and not used.
 */
struct forecast_series {
	const double *values;
	size_t count;
	enum forecast_calendar calendar;
	unsigned period_count;
	unsigned periods[FORECAST_MAX_PERIODS];
	bool non_negative; /* forecasts, bounds and paths are never below zero */
	bool integer;	   /* quantiles, bounds and paths are whole numbers; the mean is not rounded */
	const struct forecast_holidays *holidays; /* NULL: none. Only with FORECAST_DAY */
};

/* What is asked. Zero-initialise and set horizon; everything else has a default. */
struct forecast_options {
	size_t horizon;	      /* 1 … FORECAST_MAX_HORIZON */
	const double *levels; /* per cent, each strictly between 0 and 100; NULL: 80 and 95 */
	size_t level_count;
	const char *method; /* a name of forecast_method_name(); NULL or "default": chosen by the library */
};

/*
 * A result. Read the members; the arrays belong to the result. lower and upper have one row of horizon values a
 * level, in the order of the levels asked: lower[level * horizon + step], step 0 being the first step ahead.
 * The mean is always inside every interval. All numbers are finite.
 */
struct forecast_result {
	const char *method; /* the method used, e.g. "combined", "ets(MAdM)", "tsb" */
	const char *reason; /* NULL, or a sentence why a simpler method was used (too short, constant, …) */
	unsigned period;    /* the (longest) seasonal period in use, 1 when none */
	size_t horizon;
	size_t level_count;
	double levels[FORECAST_MAX_LEVELS];
	const double *mean;
	const double *lower;
	const double *upper;
	const struct forecast_distribution
		*distribution; /* behind forecast_quantile and forecast_paths_new */
};

/* A thread's memory, reused over many calls. Not shared between threads at the same time. */
struct forecast_workspace;

/* Returns an empty workspace that grows to the largest series it has seen, or NULL without memory. */
struct forecast_workspace *forecast_workspace_new(void);

/* Frees a workspace; NULL is allowed. */
void forecast_workspace_free(struct forecast_workspace *workspace);

/*
 * Forecasts one series. workspace may be NULL (then one is made for the call). On FORECAST_OK *result must be freed
 * with forecast_result_free. On failure *result is not touched and *error (may be NULL) tells why.
 * Series of 0 to 10 points are answered too: with wide honest intervals and a reason.
 */
enum forecast_code forecast_run(struct forecast_workspace *workspace, const struct forecast_series *series,
	const struct forecast_options *options, struct forecast_result **result,
	struct forecast_error *error);

/* Frees a result; NULL is allowed. */
void forecast_result_free(struct forecast_result *result);

/* Called after each finished series from the calling thread or a worker, never by two at once. */
typedef void forecast_progress(void *user, size_t done, size_t count);

/* The work of forecast_many. results[i] is NULL and errors[i] set when series i was refused. */
struct forecast_batch {
	const struct forecast_series *series;
	size_t count;
	const struct forecast_options *options; /* one for each series when per_series, else one for all */
	bool per_series;
	unsigned threads; /* 0: as many as there are processors */
	struct forecast_result **results;
	struct forecast_error *errors;
	forecast_progress *progress; /* may be NULL */
	void *user;
};

/* Forecasts many series on several threads. The results do not depend on the number of threads.
 * Fails only for threads above FORECAST_MAX_THREADS or without memory; refused series are in batch->errors. */
enum forecast_code forecast_many(const struct forecast_batch *batch, struct forecast_error *error);

/* ---- the calibrated distribution of a result ---- */

/* The value that the series at step (0 … horizon − 1) stays below with probability p, strictly between 0 and 1.
 * Monotone in p, and consistent with lower/upper of every level. NaN for a step or p out of range. */
double forecast_quantile(const struct forecast_result *result, size_t step, double p);

/* Which side of a target counts as reached. */
enum forecast_direction { FORECAST_AT_LEAST, FORECAST_AT_MOST };

/* Probability (0 … 1) that the value at step is at least / at most target. NaN for a step out of range. */
double forecast_probability(
	const struct forecast_result *result, size_t step, double target, enum forecast_direction direction);

/* ---- simulated paths: questions about several steps at once ---- */

struct forecast_paths;

/*
 * Simulates path_count (0: 2,000) possible continuations whose values at each step follow the calibrated
 * distribution of that step and whose steps depend on each other as the model says. The same seed gives the
 * same paths. Must be freed with forecast_paths_free; the result may be freed before.
 */
enum forecast_code forecast_paths_new(const struct forecast_result *result, size_t path_count, uint64_t seed,
	struct forecast_paths **paths, struct forecast_error *error);

void forecast_paths_free(struct forecast_paths *paths);

size_t forecast_paths_count(const struct forecast_paths *paths);
size_t forecast_paths_horizon(const struct forecast_paths *paths);

/* The horizon values of one path (0 … forecast_paths_count − 1). */
const double *forecast_path(const struct forecast_paths *paths, size_t index);

/* What has to reach the target: each step's value, or the sum of the steps so far on top of an amount known. */
enum forecast_measure { FORECAST_VALUE, FORECAST_CUMULATIVE };

struct forecast_goal {
	double target;
	enum forecast_direction direction;
	enum forecast_measure measure;
	double known; /* with FORECAST_CUMULATIVE: the part of the period that is already measured */
	size_t steps; /* steps 0 … steps − 1 count; 0 or more than the horizon: the whole horizon */
};

/* Steps are counted from 1 here: 1 is the first step ahead. They are NaN when the paths that reach it do not
 * allow a statement: expected_step needs one path, median_step half of all paths. */
struct forecast_reach {
	double probability;   /* of reaching the goal at any step within the horizon */
	double expected_step; /* mean first step of the paths that reach it */
	double median_step;   /* the step by which half of all paths have reached it */
	double early_step;    /* 10 % of all paths have reached it */
	double late_step;     /* 90 % of all paths have reached it */
};

/* When a goal is reached, from the paths. */
struct forecast_reach forecast_reach(const struct forecast_paths *paths, const struct forecast_goal *goal);

struct forecast_total {
	double mean, median, lower, upper;
	double probability; /* of goal->target, in its direction, at the end of the period */
};

/* The total of a period, known + the sum of the next goal->steps values, with its interval at level per cent
 * (out of range: 95). goal->measure is ignored. A period's mean is the total divided by its number of points. */
struct forecast_total forecast_total(
	const struct forecast_paths *paths, const struct forecast_goal *goal, double level);

/* ---- names ---- */

/* The name of the index-th method ("default" first), NULL after the last one. */
const char *forecast_method_name(size_t index);

/* True when name is a method's name. */
bool forecast_method_exists(const char *name);

/* The M4 horizon of a frequency (1: 6, 4: 8, 12: 18, 52: 13, 7: 14, 24: 48), 0 for another frequency. */
size_t forecast_default_horizon(unsigned frequency);

/* The calendar interval a frequency (points in the next larger cycle: 1, 4, 12, 52, 7, 24) stands for;
 * 1 and unknown ones give FORECAST_CALENDAR_UNKNOWN, because yearly and unmarked series look the same. */
enum forecast_calendar forecast_calendar_of(unsigned frequency);

#endif
