/*
 * Simulated continuations of a series and the questions they answer. A path is a Gaussian error process put through
 * the calibrated quantile function of each step. Its dependence over time is read from how the variance of the
 * forecast grows: the growth from one step to the next is what a shock leaves behind for good, so with shocks ε
 * the error at step h is σ₁ε_h + Σ_{j<h} √(v_{j+1} − v_j) ε_j, which is exact for a local level and has the right
 * variance v_h for every model. Paths come in antithetic pairs, which makes means of totals nearly exact.
 */
#include "forecast/distribution.h"
#include "forecast/numeric.h"
#include "forecast/prepare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_PATHS = 2000,
	MAX_PATH_VALUES = 20000000 /* paths × horizon: 160 MB */
};

struct forecast_paths {
	size_t count, horizon;
	double values[];
};

/* What a path is made of at each step: the share of the step's own shock and of the past in a unit variance. */
struct path_weights {
	double *own, *level, *growth;
};

static void
weights_fill(const struct forecast_distribution *d, struct path_weights w)
{
	double first = 0, past = 0;
	for (size_t i = 0; i < d->horizon && first <= 0; i++)
		first = d->support_count > 0 ? 1 : d->sd[i] * d->sd[i];
	for (size_t i = 0; i < d->horizon; i++) {
		double v = d->support_count > 0 || first <= 0 ? 1 : d->sd[i] * d->sd[i] / first;
		v = fmax(v, 1 + past); /* a variance that shrinks would need a mean-reverting process */
		w.own[i] = 1 / sqrt(v);
		w.level[i] = w.own[i];
		double next = i + 1 < d->horizon && d->support_count == 0 && first > 0
				      ? d->sd[i + 1] * d->sd[i + 1] / first
				      : v;
		w.growth[i] = sqrt(fmax(next - (1 + past), 0));
		past += w.growth[i] * w.growth[i];
	}
}

static void
pair_fill(const struct forecast_distribution *d, struct path_weights w, struct random_source *random,
	double *pair)
{
	double level = 0;
	for (size_t i = 0; i < d->horizon; i++) {
		double shock = random_normal(random), z = w.own[i] * shock + w.level[i] * level;
		pair[i] = distribution_value(d, i, z);
		pair[d->horizon + i] = distribution_value(d, i, -z);
		level += w.growth[i] * shock;
	}
}

enum forecast_code
forecast_paths_new(const struct forecast_result *result, size_t path_count, uint64_t seed,
	struct forecast_paths **paths, struct forecast_error *error)
{
	const struct forecast_distribution *d = result->distribution;
	size_t count = path_count ? path_count : DEFAULT_PATHS, h = d->horizon;
	if (count > FORECAST_MAX_PATHS)
		return forecast_fail(error, FORECAST_BAD_OPTION, 0, "more than 100,000 paths");
	if (!path_count && count * h > MAX_PATH_VALUES)
		count = MAX_PATH_VALUES / h;
	if (count * h > MAX_PATH_VALUES)
		return forecast_fail(error, FORECAST_BAD_OPTION, 0, "paths times horizon above 20,000,000");
	size_t even = (count + 1) / 2 * 2;
	struct forecast_paths *made = malloc(sizeof *made + even * h * sizeof made->values[0]);
	double *weights = malloc(3 * h * sizeof *weights);
	if (!made || !weights) {
		free(made);
		free(weights);
		return forecast_fail(error, FORECAST_NO_MEMORY, 0, "out of memory for the simulated paths");
	}
	struct path_weights w = { weights, weights + h, weights + 2 * h };
	struct random_source random;
	random_init(&random, seed);
	weights_fill(d, w);
	for (size_t i = 0; i < even; i += 2)
		pair_fill(d, w, &random, made->values + i * h);
	free(weights);
	made->count = count;
	made->horizon = h;
	*paths = made;
	return FORECAST_OK;
}

void
forecast_paths_free(struct forecast_paths *paths)
{
	free(paths);
}

size_t
forecast_paths_count(const struct forecast_paths *paths)
{
	return paths->count;
}

size_t
forecast_paths_horizon(const struct forecast_paths *paths)
{
	return paths->horizon;
}

const double *
forecast_path(const struct forecast_paths *paths, size_t index)
{
	return paths->values + index * paths->horizon;
}

static size_t
goal_steps(const struct forecast_paths *paths, const struct forecast_goal *goal)
{
	return goal->steps == 0 || goal->steps > paths->horizon ? paths->horizon : goal->steps;
}

static bool
goal_reached(const struct forecast_goal *goal, double value)
{
	return goal->direction == FORECAST_AT_LEAST ? value >= goal->target : value <= goal->target;
}

/* The first step (from 1) at which the path reaches the goal, 0 when it does not. */
static size_t
path_first_step(const double *path, size_t steps, const struct forecast_goal *goal)
{
	double sum = goal->known;
	for (size_t i = 0; i < steps; i++) {
		sum += path[i];
		if (goal_reached(goal, goal->measure == FORECAST_CUMULATIVE ? sum : path[i]))
			return i + 1;
	}
	return 0;
}

/* The first step by which share of all paths have reached the goal; NaN when they never do. */
static double
step_of_share(const struct forecast_paths *paths, const struct forecast_goal *goal, double share)
{
	size_t steps = goal_steps(paths, goal), low = 1, high = steps,
	       needed = (size_t)ceil(share * (double)paths->count);
	double answer = NAN;
	while (low <= high) {
		size_t middle = (low + high) / 2, reached = 0;
		for (size_t i = 0; i < paths->count; i++)
			reached += path_first_step(forecast_path(paths, i), middle, goal) > 0;
		if (reached >= needed) {
			answer = (double)middle;
			high = middle - 1;
		} else {
			low = middle + 1;
		}
	}
	return answer;
}

struct forecast_reach
forecast_reach(const struct forecast_paths *paths, const struct forecast_goal *goal)
{
	size_t steps = goal_steps(paths, goal), reached = 0;
	double sum = 0;
	for (size_t i = 0; i < paths->count; i++) {
		size_t first = path_first_step(forecast_path(paths, i), steps, goal);
		reached += first > 0;
		sum += (double)first;
	}
	return (struct forecast_reach){
		.probability = (double)reached / (double)paths->count,
		.expected_step = reached ? sum / (double)reached : NAN,
		.median_step = step_of_share(paths, goal, 0.5),
		.early_step = step_of_share(paths, goal, 0.1),
		.late_step = step_of_share(paths, goal, 0.9),
	};
}

struct forecast_total
forecast_total(const struct forecast_paths *paths, const struct forecast_goal *goal, double level)
{
	size_t steps = goal_steps(paths, goal), reached = 0;
	double tail = level > 0 && level < 100 ? (1 - level / 100) / 2 : 0.025;
	struct forecast_total total = { NAN, NAN, NAN, NAN, NAN };
	double *sums = malloc(paths->count * sizeof *sums);
	if (!sums)
		return total;
	for (size_t i = 0; i < paths->count; i++) {
		const double *path = forecast_path(paths, i);
		sums[i] = goal->known;
		for (size_t k = 0; k < steps; k++)
			sums[i] += path[k];
		reached += goal_reached(goal, sums[i]);
	}
	total.mean = numeric_mean(sums, paths->count);
	numeric_sort(sums, paths->count);
	total.median = numeric_sorted_quantile(sums, paths->count, 0.5);
	total.lower = numeric_sorted_quantile(sums, paths->count, tail);
	total.upper = numeric_sorted_quantile(sums, paths->count, 1 - tail);
	total.probability = (double)reached / (double)paths->count;
	free(sums);
	return total;
}
