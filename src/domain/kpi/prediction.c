/* Predictions from the forecasting library: history laid on the calendar in, points and target probabilities out. */
#include "domain/kpi/prediction.h"
#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/prediction_cache.h"
#include "domain/kpi/regular.h"
#include "domain/kpi/status.h"
#include <math.h>

#define LEVEL_80    0
#define LEVEL_95    1
#define PATHS_COUNT 2000
/* The same question gets the same answer: paths are simulated from a fixed seed. */
#define PATHS_SEED 20111209

static struct err *
as_err(struct res_ctx *c, enum forecast_code code, const struct forecast_error *e)
{
	switch (code) {
	case FORECAST_OK:
		return NULL;
	case FORECAST_BAD_HORIZON:
		return err_field(c->arena, "horizon", "%s", e->text);
	case FORECAST_NO_MEMORY:
		return err_private(c->arena, ERR_UNAVAILABLE, "forecast: %s", e->text);
	case FORECAST_BAD_VALUE:
	case FORECAST_BAD_COUNT:
	case FORECAST_BAD_LEVEL:
	case FORECAST_BAD_PERIOD:
	case FORECAST_BAD_METHOD:
	case FORECAST_BAD_OPTION:
		break;
	}
	return err_private(c->arena, ERR_INTERNAL, "forecast: %s", e->text);
}

static void
copy_points(struct res_ctx *c, const struct forecast_result *r, const struct regular_series *s,
	struct prediction *out)
{
	out->count = out->horizon;
	out->points = arena_alloc_array(c->arena, out->count, sizeof *out->points);
	for (size_t i = 0; i < out->count; i++) {
		out->points[i] = (struct prediction_point){
			.date = regular_step(s, i + 1),
			.value = r->mean[i],
			.lower_80 = r->lower[LEVEL_80 * r->horizon + i],
			.upper_80 = r->upper[LEVEL_80 * r->horizon + i],
			.lower_95 = r->lower[LEVEL_95 * r->horizon + i],
			.upper_95 = r->upper[LEVEL_95 * r->horizon + i],
		};
	}
}

/* Intervals that begin after the last one in history and not after the window's end. */
static size_t
steps_until(const struct regular_series *s, struct date to)
{
	size_t steps = 0;
	while (steps < PREDICTION_HORIZON_MAX && regular_step(s, steps + 1).days <= to.days)
		steps++;
	return steps;
}

/* What of the window is measured already and lies before the first step. */
static struct err *
known_part(struct res_ctx *c, const struct kpi *k, const struct regular_series *s,
	const struct kpi_standing *st, double *known)
{
	struct decimal figure;
	struct date end = { regular_step(s, 1).days - 1 };
	bool found = false;

	*known = 0;
	if (end.days >= st->from.days)
		TRY(kpi_figure(c, k, STR("*"), st->from, end, &figure, &found));
	if (found)
		*known = decimal_to_double(figure);
	return NULL;
}

static void
take_reach(const struct forecast_reach *reach, const struct regular_series *s, struct prediction *out)
{
	out->has_target = true;
	out->probability = reach->probability;
	out->has_expected_date = isfinite(reach->expected_step) && reach->probability > 0;
	if (out->has_expected_date) {
		double step = isfinite(reach->median_step) ? reach->median_step : reach->expected_step;
		out->expected_date = regular_step(s, (size_t)(step < 1 ? 1 : lround(step)));
	}
}

/* What a prediction is made from. */
struct question {
	const struct kpi *k;
	struct regular_series series;
	struct kpi_standing standing;
	size_t remaining; /* steps until the window's end, where values add up to a target */
	double known;	  /* what of the window lies before the first step */
};

static struct err *
predict_target(
	struct res_ctx *c, const struct question *q, const struct forecast_result *r, struct prediction *out)
{
	struct forecast_paths *paths;
	struct forecast_error e;
	bool sums = q->k->aggregation == KPI_SUM;
	struct forecast_goal goal = {
		.target = decimal_to_double(q->standing.target),
		.direction = q->k->direction == KPI_LOWER ? FORECAST_AT_MOST : FORECAST_AT_LEAST,
		.measure = sums ? FORECAST_CUMULATIVE : FORECAST_VALUE,
		.steps = sums ? q->remaining : out->horizon,
		.known = q->known,
	};

	if (goal.steps == 0)
		return NULL; /* the window is over: nothing is left to predict */
	TRY(as_err(c, forecast_paths_new(r, PATHS_COUNT, PATHS_SEED, &paths, &e), &e));
	struct forecast_reach reach = forecast_reach(paths, &goal);
	take_reach(&reach, &q->series, out);
	if (sums) {
		struct forecast_total total = forecast_total(paths, &goal, 95);
		out->has_total = true;
		out->total = total.mean;
		out->total_lower = total.lower;
		out->total_upper = total.upper;
		/* A limit must still hold at the window's end; a target that is passed on the way stays passed. */
		if (goal.direction == FORECAST_AT_MOST) {
			out->probability = total.probability;
			out->has_expected_date = false;
		}
	}
	forecast_paths_free(paths);
	return NULL;
}

static struct err *
predict_anew(struct res_ctx *c, const struct question *q, struct prediction *out)
{
	static const double levels[] = { 80, 95 };
	struct forecast_series series = regular_forecast_series(q->k, &q->series);
	struct forecast_options options = {
		.horizon = q->remaining > out->horizon ? q->remaining : out->horizon,
		.levels = levels,
		.level_count = COUNT(levels),
	};
	struct forecast_result *r;
	struct forecast_error e;

	TRY(as_err(c, forecast_run(NULL, &series, &options, &r, &e), &e));
	out->model = arena_str(c->arena, str_from_cstr(r->method));
	if (r->reason)
		out->reason = arena_str(c->arena, str_from_cstr(r->reason));
	copy_points(c, r, &q->series, out);
	struct err *fault = q->standing.has_target ? predict_target(c, q, r, out) : NULL;
	forecast_result_free(r);
	return fault;
}

struct err *
kpi_predict(struct res_ctx *c, struct prediction_cache *cache, const struct kpi *k, size_t horizon,
	const enum period *interval, struct prediction *out)
{
	struct question q = { .k = k };

	*out = (struct prediction){ .horizon = horizon };
	TRY(regular_read(c, k, &(struct regular_query){ .interval = interval }, &q.series));
	out->interval = q.series.interval;
	if (q.series.known < PREDICTION_VALUES_MIN) {
		out->reason =
			arena_fmt(c->arena, "At least %d complete %ss with values are needed; there are %zu.",
				PREDICTION_VALUES_MIN, period_names[q.series.interval], q.series.known);
		return NULL;
	}
	TRY(kpi_standing(c, k, &q.standing));
	out->from = q.standing.from;
	out->to = q.standing.to;
	out->target = q.standing.target;
	if (q.standing.has_target && k->aggregation == KPI_SUM) {
		q.remaining = steps_until(&q.series, q.standing.to);
		TRY(known_part(c, k, &q.series, &q.standing, &q.known));
	}
	struct prediction_key key = prediction_key(k, &q.series, &q.standing, horizon, q.known);
	if (prediction_cache_get(cache, &key, c->arena, out))
		return NULL;
	TRY(predict_anew(c, &q, out));
	prediction_cache_put(cache, &key, out);
	return NULL;
}
