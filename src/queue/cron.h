/*
 * Cron expressions: when a schedule runs. Five fields "minute hour day month weekday" of numbers, names (jan, mon), ranges, lists and
 * steps, or @hourly, @daily, @weekly, @monthly, @yearly. As in cron itself, a day matches when day and weekday both match if one of them
 * begins with *, and when either matches otherwise. Times are local; see job.h for what happens where clocks are changed.
 */
#ifndef QUEUE_CRON_H
#define QUEUE_CRON_H

#include "base/err.h"
#include "base/time.h"

struct cron {
	uint64_t minutes;               /* bit n: minute n */
	uint32_t hours, days, months;   /* bit n: hour, day, month n */
	uint32_t weekdays;              /* bit n: weekday n, 0 is Sunday */
	bool either_day;                /* day or weekday suffices */
};

/* INVALID_INPUT on field "cron" with what was expected; also for a day that no year has. */
struct err *cron_parse(struct arena *a, struct str text, struct cron *out) MUST_USE;
/* The first slot after an instant. False: none before the end of time. */
bool cron_next(const struct cron *c, const struct zone *z, struct instant after, struct instant *out) MUST_USE;

#endif
