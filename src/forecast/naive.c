/*
 * Naive, seasonal naive and Naive2 (M4's: naive on the classically deseasonalised series when its test finds a
 * season). Their errors at step h have the variance of h (or of the whole periods passed) one-step errors.
 */
#include "forecast/member.h"
#include "forecast/season.h"

#include <math.h>
#include <string.h>

void
member_name(struct member_path *path, const char *name)
{
	size_t length = strnlen(name, MEMBER_NAME_SIZE - 1);
	memcpy(path->name, name, length);
	path->name[length] = '\0';
}

/* Root mean square of the differences at lag m. */
static double
difference_sd(const double *y, size_t n, size_t m)
{
	double sum = 0;
	for (size_t i = m; i < n; i++)
		sum += (y[i] - y[i - m]) * (y[i] - y[i - m]);
	return n > m ? sqrt(sum / (double)(n - m)) : 0;
}

bool
naive_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	(void)ws; /* needs none */
	double sd = difference_sd(task->y, task->n, 1);
	for (size_t i = 0; i < task->h; i++) {
		path->mean[i] = task->y[task->n - 1];
		path->sd[i] = sd * sqrt((double)(i + 1));
	}
	member_name(path, "naive");
	return task->n >= 2;
}

bool
snaive_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	size_t n = task->n, m = task->m;
	if (m < 2)
		return naive_forecast(ws, task, path);
	if (n <= m)
		return false;
	double sd = difference_sd(task->y, n, m);
	for (size_t i = 0; i < task->h; i++) {
		path->mean[i] = task->y[n - m + i % m];
		path->sd[i] = sd * sqrt((double)(i / m + 1));
	}
	member_name(path, "snaive");
	return true;
}

bool
naive2_forecast(struct forecast_workspace *ws, const struct member_task *task, struct member_path *path)
{
	const struct season_rule m4 = { .least = 3, .limit = 1.645, .multiplicative = true };
	size_t mark = workspace_mark(ws), n = task->n, m = task->m;
	double *figure = workspace_take(ws, m), *adjusted = workspace_take(ws, n);
	enum season_kind kind = season_adjust(ws, task->y, n, m, m4, figure, adjusted);
	struct member_task inner = { .y = adjusted, .n = n, .m = 1, .h = task->h };
	bool good = naive_forecast(ws, &inner, path);
	season_restore(kind, figure, m, n, task->h, path->mean, path->sd);
	workspace_release(ws, mark);
	member_name(path, "naive2");
	return good;
}
