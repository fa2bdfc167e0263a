/*
 * What the comparison of groups is made from: the sums over units that significance_units.c prepares once, and what it asks of them for one
 * member. Of forecast/significance_*.c only.
 */
#ifndef FORECAST_SIGNIFICANCE_PARTS_H
#define FORECAST_SIGNIFICANCE_PARTS_H

#include "forecast/significance.h"

#define NO_SLICE UINT32_MAX

struct sums {
	double count, exposure;
};

struct slice {
	double count, exposure;
	uint32_t member, stratum;
	uint32_t next; /* of the same member; NO_SLICE at the end */
};

/* A day's part of one comparison: the deviations from what is usual, relative, and the shares of the expectation. */
struct day {
	double deviation, share;
	double peer_deviation, peer_share;
};

/* Squared relative variation of a unit beyond chance, and how many units' worth it is known from. */
struct variation {
	double variance, df;
};

struct tables {
	const struct significance_design *design;
	struct sums *cell;     /* member × strata + stratum */
	struct sums *stratum;
	struct slice *slice;
	uint32_t *first_slice; /* of each member */
	struct day *day;
	double *deviation;     /* room for one number a day */
	int32_t first_day;
	size_t days;
	double overall;	       /* |count / exposure| of everything, or the target: the scale of linear comparisons */
	struct variation within;
};

/* A member and what its peers would have done with its exposure, over the strata where it has peers. */
struct against {
	uint32_t member;
	bool enough;
	double count, exposure, expected;    /* weighted by strata */
	double squared_weights;		     /* Σ weight² · count */
	double own_count, own_exposure;	     /* as they are */
	double peer_count, peer_exposure;
	double scale, peer_scale; /* what deviations are relative to */
};

/* ---- significance_units.c ---- */

/* The spread of single-slice members other than this one. */
struct variation spread_of_others(const struct tables *t, uint32_t member);
/* Fills t->day for one comparison. */
void days_fill(const struct tables *t, const struct against *g);
/* The member's numbers of slices and days. */
void counts_fill(const struct tables *t, uint32_t member, struct significance_comparison *out);

/* ---- significance_compare.c ---- */

/* What the peers' rate (or the target) makes of an exposure of the member in a stratum; NaN without peers there. */
double expected_of(const struct tables *t, uint32_t member, uint32_t stratum, double exposure);
/* A stratum's weight for a member: the peers' share of its exposure (Mantel & Haenszel 1959). */
double weight_of(const struct tables *t, uint32_t member, uint32_t stratum);
void member_compare(const struct tables *t, uint32_t member, struct significance_comparison *out);

#endif
