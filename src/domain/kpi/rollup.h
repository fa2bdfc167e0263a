/* Day rollups: the figures of one KPI, one day and one slice, kept beside the values in the transaction that changes them. */
#ifndef KPI_ROLLUP_H
#define KPI_ROLLUP_H

#include "domain/kpi/value.h"

/* The slice that holds all values of a KPI together. */
#define ROLLUP_ALL STR("*")

/* The figures of a day; count 0: it has no values and no row. */
struct bucket {
	int64_t count, sum, min, max, last, last_at;
};

/* A change to one value: in, out, or replaced. */
struct rollup_change {
	struct instant at;
	struct str dimensions;
	int64_t value; /* in units of 10^-decimals; what stands there now, unless removed */
	bool is_new; /* nothing stood there before and it was not removed: it can be added without reading the day's values */
};

/*
 * Brings the rollups of the days and slices touched up to date; the values have been written already. INVALID_INPUT on "value" when a
 * day's sum leaves 64 bits.
 */
struct err *rollup_apply(
	struct res_ctx *c, const struct kpi *k, const struct rollup_change *changes, size_t count) MUST_USE;
/* Makes one day of one slice anew from the values; *differs tells whether it had been wrong (NULL: not asked). */
struct err *rollup_rebuild_day(
	struct res_ctx *c, const struct kpi *k, struct str slice, struct date day, bool *differs) MUST_USE;

#endif
