/*
 * forecast_run: checks, prepares, runs the method, and makes the result, one block of memory with the numbers of
 * all levels. This is the only place where scaled numbers become the caller's again.
 */
#include "forecast/holiday_effects.h"
#include "forecast/methods.h"

#include "forecast/numeric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double default_levels[] = { 80, 95 };

/* A result and everything it points to. */
struct result_block {
	struct forecast_result result;
	struct forecast_distribution distribution;
	char method[MEMBER_NAME_SIZE];
	double numbers[];
};

static struct result_block *
block_new(const struct forecast_options *options, size_t support_count)
{
	size_t h = options->horizon;
	size_t level_count =
		options->levels ? options->level_count : sizeof default_levels / sizeof default_levels[0];
	size_t count = h * (3 + 2 * level_count) + 2 * support_count;
	struct result_block *block = calloc(1, sizeof *block + count * sizeof block->numbers[0]);
	if (!block)
		return NULL;
	struct forecast_result *r = &block->result;
	r->method = block->method;
	r->horizon = h;
	r->level_count = level_count;
	memcpy(r->levels, options->levels ? options->levels : default_levels,
		level_count * sizeof r->levels[0]);
	r->distribution = &block->distribution;
	return block;
}

static double
bounded(double x)
{
	return isfinite(x) ? fmin(fmax(x, -FORECAST_MAX_ABS), FORECAST_MAX_ABS)
			   : copysign(FORECAST_MAX_ABS, x);
}

/* The bounds of every level, widened where rounding or clipping would leave the mean outside. */
static void
bounds_fill(struct result_block *block, double *lower, double *upper)
{
	const struct forecast_distribution *d = &block->distribution;
	struct forecast_result *r = &block->result;
	for (size_t l = 0; l < r->level_count; l++) {
		double tail = (100 - r->levels[l]) / 200;
		for (size_t i = 0; i < r->horizon; i++) {
			double mean = r->mean[i], low = distribution_quantile(d, i, tail);
			double high = distribution_quantile(d, i, 1 - tail);
			lower[l * r->horizon + i] = bounded(fmin(low, d->integer ? floor(mean) : mean));
			upper[l * r->horizon + i] = bounded(fmax(high, d->integer ? ceil(mean) : mean));
		}
	}
}

static void
block_fill(struct result_block *block, const struct forecast_series *series, const struct prepared *prepared,
	const struct method_answer *answer)
{
	size_t h = block->result.horizon, lead = prepared->lead;
	double *mean = block->numbers, *centre = mean + h, *sd = centre + h, *lower = sd + h;
	double *upper = lower + h * block->result.level_count,
	       *support = upper + h * block->result.level_count;
	double *cumulative = support + answer->support_count;
	struct forecast_distribution *d = &block->distribution;
	for (size_t i = 0; i < h; i++) {
		centre[i] = bounded(answer->path.mean[lead + i] * prepared->scale);
		sd[i] = fmin(fabs(answer->path.sd[lead + i]) * prepared->scale, FORECAST_MAX_ABS);
		mean[i] = series->non_negative && !(centre[i] > 0) ? 0 : centre[i];
	}
	for (size_t i = 0; i < answer->support_count; i++) {
		support[i] = answer->support[i] * prepared->scale;
		cumulative[i] = answer->cumulative[i];
	}
	*d = (struct forecast_distribution){ .horizon = h,
		.mean = centre,
		.sd = sd,
		.shape = answer->shape,
		.support = support,
		.cumulative = cumulative,
		.support_count = answer->support_count,
		.non_negative = series->non_negative,
		.integer = series->integer };
	memcpy(block->method, answer->path.name, MEMBER_NAME_SIZE);
	block->result.mean = mean;
	block->result.reason = answer->reason;
	block->result.lower = lower;
	block->result.upper = upper;
	bounds_fill(block, lower, upper);
}

static size_t
longest(const struct season_plan *plan)
{
	return plan->count ? plan->periods[plan->count - 1] : 1;
}

static enum forecast_code
run_with(struct forecast_workspace *ws, const struct forecast_series *series,
	const struct forecast_options *options, struct forecast_result **result, struct forecast_error *error)
{
	struct method_task task = { .calendar = series->calendar, .plan = season_plan_of(series) };
	size_t steps =
		options->horizon + series->count; /* gaps at the end come before the first step asked */
	if (!workspace_reserve(ws, workspace_need(series->count, longest(&task.plan), steps)))
		return forecast_fail(error, FORECAST_NO_MEMORY, 0, "out of memory for the forecast");
	struct prepared prepared;
	series_prepare(ws, series, task.plan.count ? task.plan.periods[0] : 1, &prepared);
	task.prepared = &prepared;
	task.h = prepared.lead + options->horizon;
	struct method_answer answer;
	answer.path.mean = workspace_take(ws, task.h);
	answer.path.sd = workspace_take(ws, task.h);
	struct holiday_effects effects;
	bool holidays = series->holidays && series->calendar == FORECAST_DAY &&
			holiday_effects_fit(ws, series->holidays, &prepared, &effects);
	if (holidays)
		holiday_effects_remove(&effects, series->holidays, prepared.skip, prepared.y, prepared.count);
	method_run(ws, options->method, &task, &answer);
	if (holidays)
		holiday_effects_restore(
			&effects, series->holidays, prepared.skip + prepared.count, &answer.path, task.h);
	struct result_block *block = block_new(options, answer.support_count);
	if (!block)
		return forecast_fail(error, FORECAST_NO_MEMORY, 0, "out of memory for the result");
	block->result.period = (unsigned)longest(&task.plan);
	block_fill(block, series, &prepared, &answer);
	*result = &block->result;
	return FORECAST_OK;
}

enum forecast_code
forecast_run(struct forecast_workspace *workspace, const struct forecast_series *series,
	const struct forecast_options *options, struct forecast_result **result, struct forecast_error *error)
{
	enum forecast_code code = series_check(series, error);
	if (code == FORECAST_OK)
		code = options_check(options, error);
	if (code != FORECAST_OK)
		return code;
	struct forecast_workspace *own = workspace ? NULL : forecast_workspace_new();
	if (!workspace && !own)
		return forecast_fail(error, FORECAST_NO_MEMORY, 0, "out of memory for the forecast");
	code = run_with(workspace ? workspace : own, series, options, result, error);
	forecast_workspace_free(own);
	return code;
}

void
forecast_result_free(struct forecast_result *result)
{
	free(result); /* the first member of its result_block */
}
