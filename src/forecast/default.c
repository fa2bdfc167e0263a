/*
 * What the default method is made of, by the kind of series (docs/decisions/0040): a combination of structurally
 * different methods, never a single selected one. The plans differ only in the members and their periods.
 */
#include "forecast/combine.h"
#include "forecast/ets.h"
#include "forecast/methods.h"
#include "forecast/season.h"
#include "forecast/stl_forecast.h"

enum {
	QUARTERS = 4,
	LONG_SEASON_CYCLES = 3, /* history from which a season too long for ETS is worth its parameters */
	DAYS_A_WEEK = 7,
	LONG_DAILY_CYCLES = 20 /* weeks of history from which daily series get the plan of long ones */
};

static const struct combine_plan plain = { 4,
	{ { ets_forecast, 1 }, { dotm_forecast, 1 }, { ces_forecast, 1 }, { theta_forecast, 1 } } };

/* Quarters have few values a season and long trends for it: a damped line on the adjusted series steadies them. */
static struct combine_plan
seasonal_plan(size_t m)
{
	return (struct combine_plan){ m <= QUARTERS ? 6 : 5,
		{ { ets_forecast, m }, { dotm_forecast, m }, { ces_forecast, m }, { theta_forecast, m },
			{ stl_forecast, m }, { damped_forecast, m } } };
}

static struct combine_plan
weekly_plan(size_t m)
{
	return (struct combine_plan){ 5, { { ets_forecast, 1 }, { dotm_forecast, 1 }, { dotm_forecast, m },
						 { ces_forecast, m }, { stl_forecast, m } } };
}

static struct combine_plan
long_daily_plan(size_t m)
{
	return (struct combine_plan){ 3, { { dotm_forecast, m }, { ces_forecast, m }, { stl_forecast, m } } };
}

/* Hours, and other series of several periods: MSTL for the structure, seasonal naive against its overconfidence. */
static struct combine_plan
nested_plan(size_t m)
{
	return (struct combine_plan){ 2, { { mstl_forecast, m }, { snaive_forecast, m } } };
}

static struct combine_plan
plan_for(const struct prepared *p, const struct season_plan *seasons)
{
	size_t m = seasons->count ? seasons->periods[0] : 1, n = p->count;
	if (seasons->count > 1)
		return nested_plan(m);
	if (m == 1 || n < 2 * m)
		return plain;
	if (m > ETS_MAX_PERIOD)
		return n >= LONG_SEASON_CYCLES * m ? weekly_plan(m) : plain;
	if (m == DAYS_A_WEEK && !(season_score(p->y, n, m) > 1.645))
		return plain;
	if (m == DAYS_A_WEEK && n >= LONG_DAILY_CYCLES * m)
		return long_daily_plan(m);
	return seasonal_plan(m);
}

bool
default_forecast(struct forecast_workspace *ws, const struct method_task *task, struct method_answer *answer)
{
	const struct prepared *p = task->prepared;
	struct combine_plan plan = plan_for(p, &task->plan);
	struct member_task inner = member_task_of(task);
	return combine_forecast(ws, &inner, &plan, &answer->path);
}
