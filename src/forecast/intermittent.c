/*
 * Intermittent demand (see intermittent.h). A demand z_k comes after an interval of q_k periods; Croston smooths both,
 * TSB smooths the probability of a demand in every period, so that its forecast falls while nothing is sold, and
 * ADIDA and IMAPA smooth sums over blocks of periods, in which the zeros disappear.
 */
#include "forecast/intermittent.h"

#include "forecast/numeric.h"

#include <math.h>
#include <string.h>

enum {
	GRID_SIZE = 10,	 /* of each TSB parameter */
	MAX_BLOCK = 1000 /* periods summed up by ADIDA and IMAPA at most */
};

static const double croston_smoothing = 0.1, size_smoothing = 0.05;

/* What is known of the demands: mean size, mean interval, variance of a value. */
struct demand {
	double count, size, probability, variance;
};

static bool
demand_of(const struct member_task *task, struct demand *d)
{
	double sum = 0, squares = 0, n = (double)task->n;
	*d = (struct demand){ 0 };
	for (size_t i = 0; i < task->n; i++) {
		if (task->y[i] < 0)
			return false;
		d->count += task->y[i] > 0;
		sum += task->y[i];
		squares += task->y[i] * task->y[i];
	}
	if (!(d->count > 0))
		return false;
	d->size = sum / d->count;
	d->probability = d->count / n;
	d->variance = fmax(0, squares / n - sum / n * (sum / n));
	return true;
}

static void
flat_fill(double mean, double variance, size_t h, struct member_path *path)
{
	for (size_t i = 0; i < h; i++) {
		path->mean[i] = mean;
		path->sd[i] = sqrt(variance);
	}
}

/* Smoothed size over smoothed interval. */
static double
croston_rate(const struct member_task *task)
{
	double size = 0, interval = 0, since = 1;
	for (size_t i = 0; i < task->n; i++, since++) {
		if (!(task->y[i] > 0))
			continue;
		size = interval > 0 ? size + croston_smoothing * (task->y[i] - size) : task->y[i];
		interval = interval > 0 ? interval + croston_smoothing * (since - interval) : since;
		since = 0;
	}
	return size / interval;
}

bool
croston_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	(void)ws; /* needs none */
	struct demand d;
	if (!demand_of(task, &d))
		return false;
	flat_fill(croston_rate(task), d.variance, task->h, path);
	member_name(path, "croston");
	return true;
}

bool
sba_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	(void)ws; /* needs none */
	struct demand d;
	if (!demand_of(task, &d))
		return false;
	flat_fill((1 - croston_smoothing / 2) * croston_rate(task), d.variance, task->h, path);
	member_name(path, "sba");
	return true;
}

/* One pass of TSB: the squared one-step errors, and the last rate. */
static double
tsb_pass(const struct member_task *task, const struct demand *d, double alpha, double beta, double *rate)
{
	double size = d->size, probability = d->probability, squares = 0;
	for (size_t i = 0; i < task->n; i++) {
		double y = task->y[i], e = y - probability * size;
		squares += e * e;
		if (y > 0)
			size += alpha * (y - size);
		probability += beta * ((y > 0) - probability);
	}
	*rate = probability * size;
	return squares;
}

bool
tsb_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	static const double grid[GRID_SIZE] = { 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5 };
	(void)ws; /* needs none */
	struct demand d;
	double least = INFINITY, best = 0;
	if (!demand_of(task, &d))
		return false;
	for (int a = 0; a < GRID_SIZE; a++)
		for (int b = 0; b < GRID_SIZE; b++) {
			double rate, squares = tsb_pass(task, &d, grid[a], grid[b], &rate);
			if (squares < least) {
				least = squares;
				best = rate;
			}
		}
	flat_fill(best, d.variance, task->h, path);
	member_name(path, "tsb");
	return true;
}

struct blocks {
	const double *sums;
	size_t count;
};

static double
blocks_squares(double alpha, void *context)
{
	const struct blocks *b = context;
	double level = b->sums[0], squares = 0;
	for (size_t i = 1; i < b->count; i++) {
		double e = b->sums[i] - level;
		squares += e * e;
		level += alpha * e;
	}
	return squares;
}

/* The rate per period from simple exponential smoothing of sums over blocks of periods, aligned to the end. */
static double
block_rate(struct forecast_workspace *ws, const struct member_task *task, size_t block)
{
	size_t mark = workspace_mark(ws), count = task->n / block, first = task->n - count * block;
	double *sums = workspace_take_zero(ws, count);
	for (size_t i = first; i < task->n; i++)
		sums[(i - first) / block] += task->y[i];
	struct blocks blocks = { sums, count };
	struct scalar_search range = { .low = 0.01, .high = 0.5, .tolerance = 1e-3, .points = 5 };
	double alpha = count > 2 ? numeric_minimise(blocks_squares, &blocks, range) : 0.1, level = sums[0];
	for (size_t i = 1; i < count; i++)
		level += alpha * (sums[i] - level);
	workspace_release(ws, mark);
	return level / (double)block;
}

static size_t
mean_interval(const struct member_task *task, const struct demand *d)
{
	size_t block = (size_t)round(1 / d->probability), limit = task->n / 2 > 0 ? task->n / 2 : 1;
	block = block < limit ? block : limit;
	return block < MAX_BLOCK ? block : MAX_BLOCK;
}

bool
adida_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	struct demand d;
	if (!demand_of(task, &d))
		return false;
	flat_fill(block_rate(ws, task, mean_interval(task, &d)), d.variance, task->h, path);
	member_name(path, "adida");
	return true;
}

bool
imapa_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	struct demand d;
	if (!demand_of(task, &d))
		return false;
	size_t longest = mean_interval(task, &d);
	double sum = 0;
	for (size_t block = 1; block <= longest; block++)
		sum += block_rate(ws, task, block);
	flat_fill(sum / (double)longest, d.variance, task->h, path);
	member_name(path, "imapa");
	return true;
}

/* TSB falls while nothing is sold, IMAPA sees slow changes through the zeros: their mean beats both parts' risks. */
bool
intermittent_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	if (!tsb_forecast(ws, task, path))
		return false;
	double rate = path->mean[0];
	if (imapa_forecast(ws, task, path))
		rate = (rate + path->mean[0]) / 2;
	for (size_t i = 0; i < task->h; i++)
		path->mean[i] = rate;
	member_name(path, "intermittent");
	return true;
}

bool
intermittent_is(member_method *run)
{
	return run == croston_forecast || run == sba_forecast || run == tsb_forecast ||
	       run == adida_forecast || run == imapa_forecast || run == intermittent_forecast;
}

/* Ascending distinct values of x in place; returns how many. */
static size_t
distinct(double *x, size_t count)
{
	size_t kept = 0;
	numeric_sort(x, count);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || x[i] != x[kept - 1])
			x[kept++] = x[i];
	return kept;
}

static size_t
position(const double *sorted, size_t count, double value)
{
	size_t low = 0, high = count - 1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (sorted[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
intermittent_distribution(struct forecast_workspace *ws, const struct member_task *task, double mean,
	double **support, double **cumulative)
{
	size_t count = 0;
	double *sizes = workspace_take(ws, task->n + 1), *weights = workspace_take_zero(ws, task->n + 1);
	sizes[count++] = 0;
	for (size_t i = 0; i < task->n; i++)
		if (task->y[i] > 0)
			sizes[count++] = task->y[i];
	count = distinct(sizes, count);
	double weight = 1, whole = 0, size = 0;
	for (size_t i = task->n; i-- > 0;) {
		if (!(task->y[i] > 0))
			continue;
		weights[position(sizes, count, task->y[i])] += weight;
		whole += weight;
		size += weight * task->y[i];
		weight *= 1 - size_smoothing;
	}
	double probability = fmin(1, fmax(mean, 0) / (size / whole)), sum = 1 - probability;
	weights[0] = sum;
	for (size_t i = 1; i < count; i++) {
		sum += probability * weights[i] / whole;
		weights[i] = sum;
	}
	weights[count - 1] = 1;
	*support = sizes;
	*cumulative = weights;
	return count;
}
