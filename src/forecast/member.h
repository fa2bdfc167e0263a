/*
 * What every forecasting method looks like from the inside: a complete, scaled series in, one path of means and
 * standard deviations out. Methods never allocate; they take what they need from the workspace and give it back.
 */
#ifndef FORECAST_MEMBER_H
#define FORECAST_MEMBER_H

#include "forecast/workspace.h"

enum { MEMBER_NAME_SIZE = 48 };

struct member_task {
	const double *y; /* n complete values, n >= 1 */
	size_t n;
	size_t m;	       /* seasonal period, 1: none */
	size_t h;	       /* steps wanted, >= 1 */
	const size_t *periods; /* all periods, ascending, for methods that take several; the first is m */
	size_t period_count;
};

struct member_path {
	double *mean; /* h values, provided by the caller */
	double *sd;   /* h values, provided by the caller: the standard deviation of the error at each step */
	char name[MEMBER_NAME_SIZE];
};

/* Fills path. False when the method does not apply to the series (too short, zeros, …); path is then undefined. */
typedef bool member_method(
	struct forecast_workspace *ws, const struct member_task *task, struct member_path *path);

member_method naive_forecast, snaive_forecast, naive2_forecast;
member_method theta_forecast, dotm_forecast, ces_forecast;

/* Sets path->name, cut to its size. */
void member_name(struct member_path *path, const char *name);

#endif
