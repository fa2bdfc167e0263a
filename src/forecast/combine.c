/*
 * Averages members (see combine.h). One member going astray is the main risk of automatic forecasting, so each path
 * is held against the history before it counts, and the deviation of a member whose variance explodes (a
 * multiplicative model far from its data) is limited to what a random walk over the whole range would do.
 */
#include "forecast/combine.h"

#include <math.h>
#include <string.h>

struct history {
	double least, most, range;
};

static struct history
history_of(const double *y, size_t n)
{
	struct history h = { y[0], y[0], 0 };
	for (size_t i = 1; i < n; i++) {
		h.least = fmin(h.least, y[i]);
		h.most = fmax(h.most, y[i]);
	}
	h.range = h.most - h.least;
	return h;
}

static bool
path_plausible(const struct history *history, const double *mean, const double *sd, size_t h)
{
	double low = history->least - 3 * history->range, high = history->most + 3 * history->range;
	for (size_t i = 0; i < h; i++)
		if (!(mean[i] >= low && mean[i] <= high) || isnan(sd[i]))
			return false;
	return true;
}

static void
path_add(const struct history *history, const struct member_path *member, size_t h, struct member_path *sum)
{
	for (size_t i = 0; i < h; i++) {
		sum->mean[i] += member->mean[i];
		sum->sd[i] += fmin(member->sd[i], history->range * sqrt((double)(i + 1)));
	}
}

bool
combine_forecast(struct forecast_workspace *ws, const struct member_task *task,
	const struct combine_plan *plan, struct member_path *path)
{
	size_t mark = workspace_mark(ws), used = 0, h = task->h;
	struct history history = history_of(task->y, task->n);
	struct member_path member = { workspace_take(ws, h), workspace_take(ws, h), "" };
	memset(path->mean, 0, h * sizeof *path->mean);
	memset(path->sd, 0, h * sizeof *path->sd);
	for (size_t k = 0; k < plan->count; k++) {
		struct member_task part = *task;
		part.m = plan->members[k].m;
		if (!plan->members[k].run(ws, &part, &member) ||
			!path_plausible(&history, member.mean, member.sd, h))
			continue;
		path_add(&history, &member, h, path);
		used++;
	}
	for (size_t i = 0; used > 0 && i < h; i++) {
		path->mean[i] /= (double)used;
		path->sd[i] /= (double)used;
	}
	workspace_release(ws, mark);
	member_name(path, "combined");
	return used > 0;
}
