/*
 * STL (one period) or MSTL (several) with ETS: the series without its seasons is forecast by a non-seasonal ETS model,
 * and the last cycle of each season is repeated. Works for any period, also for those ETS itself cannot take.
 */
#include "forecast/stl_forecast.h"

#include "forecast/ets.h"
#include "forecast/stl.h"

#include <math.h>
#include <string.h>

static bool
adjusted_forecast(
	struct forecast_workspace *ws, const double *adjusted, size_t n, size_t h, struct member_path *path)
{
	struct ets_model best;
	struct ets_choice choice = { .m = 1 };
	if (!ets_select(ws, adjusted, n, choice, &best))
		return false;
	ets_predict(&best, ws, h, path->mean, path->sd);
	return true;
}

static bool
decomposed_forecast(struct forecast_workspace *ws, const struct member_task *task, const size_t *periods,
	size_t count, struct member_path *path)
{
	size_t mark = workspace_mark(ws), n = task->n;
	double *seasons[FORECAST_MAX_PERIODS], *adjusted = workspace_take(ws, n);
	double *trend = workspace_take(ws, n), *remainder = workspace_take(ws, n);
	for (size_t k = 0; k < count; k++)
		seasons[k] = workspace_take(ws, n);
	bool good = mstl_decompose(ws, task->y, n, periods, count, seasons, trend, remainder);
	for (size_t i = 0; good && i < n; i++)
		adjusted[i] = trend[i] + remainder[i];
	good = good && adjusted_forecast(ws, adjusted, n, task->h, path);
	for (size_t k = 0; good && k < count; k++)
		for (size_t i = 0; i < task->h; i++)
			path->mean[i] += seasons[k][n - periods[k] + i % periods[k]];
	workspace_release(ws, mark);
	return good;
}

bool
stl_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	member_name(path, "stl");
	return task->m > 1 && task->n >= 2 * task->m && decomposed_forecast(ws, task, &task->m, 1, path);
}

bool
mstl_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	size_t count = 0;
	while (count < task->period_count && task->n >= 2 * task->periods[count])
		count++;
	if (count < 2)
		return stl_forecast(ws, task, path);
	member_name(path, "mstl");
	return decomposed_forecast(ws, task, task->periods, count, path);
}
