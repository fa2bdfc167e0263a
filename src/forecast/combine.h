/*
 * The combination of methods that the default is made of.
 */
#ifndef FORECAST_COMBINE_H
#define FORECAST_COMBINE_H

#include "forecast/member.h"

/* One member: a method and the period it works with (1: without season). */
struct combine_member {
	member_method *run;
	size_t m;
};

enum { COMBINE_MAX_MEMBERS = 8 };

struct combine_plan {
	size_t count;
	struct combine_member members[COMBINE_MAX_MEMBERS];
};

/*
 * The mean of the members' means and standard deviations. Members that do not apply, are not finite or leave
 * [min − 3·range, max + 3·range] of the history are left out. False when none is left.
 */
bool combine_forecast(struct forecast_workspace *ws, const struct member_task *task,
	const struct combine_plan *plan, struct member_path *path);

#endif
