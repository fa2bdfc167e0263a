/*
 * Significance: whether a difference is more than chance. Exact tests of counts, rates compared between groups whose units (advertisements,
 * days) vary more than counting alone explains, a level that shifts within a series, and corrections for many comparisons at once. The
 * p-values are one-sided towards "lower" where nothing else is said, because a rule asks whether something is worse. Pure, without
 * memory of its own but for the length of a call.
 */
#ifndef FORECAST_SIGNIFICANCE_H
#define FORECAST_SIGNIFICANCE_H

#include "forecast/forecast.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- counts ---- */

/* Probabilities of what was counted or something more extreme. The mid-p ones count half of the outcome itself (Lancaster 1961). */
struct significance_tails {
	double lower, upper; /* P(X <= x), P(X >= x) */
	double lower_mid, upper_mid;
	double two_sided; /* twice the smaller of lower and upper, at most 1 */
};

/*
 * count of trials with probability p each. Exact up to a variance of 2,500, beyond that the signed root of the likelihood ratio.
 * Counts are taken as they are when they are not whole; NaN for count outside 0 … trials or p outside 0 … 1.
 */
struct significance_tails significance_binomial(double count, double trials, double p);

/* Fisher's exact test: count of trials against peer_count of peer_trials. Exact to an expectation of 400 in the smallest cell, beyond that
 * the signed root of the likelihood ratio. lower: the first proportion is smaller. Counts are rounded to whole ones. */
struct significance_tails significance_proportions(double count, double trials, double peer_count, double peer_trials);

/* Two Poisson rates, count per exposure: conditional on the sum the first count is binomial (Przyborowski & Wilenski 1940). */
struct significance_tails significance_rates(double count, double exposure, double peer_count, double peer_exposure);

struct significance_interval {
	double low, high;
};
/* Of a proportion (Wilson 1927); level between 0 and 1. */
struct significance_interval significance_wilson(double count, double trials, double level);

/* ---- rates of groups ---- */

/* What chance alone does to a count, given the exposure. */
enum significance_chance {
	SIGNIFICANCE_AMOUNT,   /* not a count (money): only the units tell how it varies */
	SIGNIFICANCE_BINOMIAL, /* the count is a part of the exposure: clicks of impressions */
	SIGNIFICANCE_POISSON   /* clicks for an amount of money */
};

/*
 * One slice (an advertisement, a combination of dimensions) on one day. A slice belongs to one member and one stratum. Members are the
 * groups compared (creatives), strata what they are compared within (channels): a member's peers are the other members in the same
 * strata, weighted as the member's own exposure is.
 */
struct significance_unit {
	uint32_t member, stratum, slice;
	int32_t day;
	double count, exposure; /* exposure > 0 */
};

enum {
	SIGNIFICANCE_MAX_CELLS = 1000000, /* members × strata */
	SIGNIFICANCE_LEAST_DAYS = 6	  /* fewer days than these say nothing about the variation between days */
};

struct significance_design {
	const struct significance_unit *units;
	size_t unit_count;
	uint32_t members, strata, slices;
	enum significance_chance chance;
	bool linear;	/* differences of the rates rather than ratios: for figures that may be zero or negative */
	double assumed; /* variation (standard deviation over mean) between units where too few tell it; weighs as 4 units do; half of it where days tell, too */
	double target;	/* compared with this rate instead of peers; NaN: peers */
};

/* Which variation decided: the one with the greatest p-value. */
enum significance_basis { SIGNIFICANCE_BY_CHANCE, SIGNIFICANCE_BY_SLICES, SIGNIFICANCE_BY_DAYS, SIGNIFICANCE_BY_SPREAD };

/* A member against its peers (or the target). */
struct significance_comparison {
	bool enough; /* has a figure, and peers for at least half of its exposure */
	double count, exposure, rate;
	double peer_rate;  /* what the peers do with this member's mix of strata */
	double peer_count; /* of all peers in these strata */
	double peer_exposure;
	double effect;	  /* rate / peer_rate − 1; with linear: (rate − peer_rate) / |peer_rate| */
	double low, high; /* 95 % interval of the effect */
	double p_value;	  /* one-sided: the rate is lower; the greatest of those below */
	double p_chance, p_slices, p_days, p_spread; /* NaN: not to be told */
	enum significance_basis basis;
	double df;		/* of the one that decided; INFINITY for chance */
	double peer_slice_df;	/* how many units' worth the variation between slices is known from */
	size_t slices, days;	/* the member's own */
};

/*
 * Compares every member with its peers. A difference counts when it is more than chance (exact, mid-p), more than the slices vary within
 * members and strata, and more than the days vary: p_value is the greatest, each being valid where it applies.
 *
 * Variation between slices: the variance of a rate is what counting explains plus a part that grows with the square of the expectation;
 * that part is estimated by moments from the residuals of all slices (as in quasi-likelihood with a random effect, Williams 1982) and
 * drawn up towards `assumed` where it is less (weight 4, after Smyth 2004); a member of 8 or more slices has its own sandwich estimate (HC3). Variation between days:
 * sandwich over days, a day's deviation of member and peers together, with the correlation of neighbouring days (Newey & West 1987).
 * Where every member is one slice and days are few, the spread of the other members stands for it. Student's t with Satterthwaite's
 * degrees of freedom throughout.
 *
 * BAD_COUNT for more than SIGNIFICANCE_MAX_CELLS, BAD_VALUE for a unit that is not finite, out of its range or in two members or strata.
 */
enum forecast_code significance_compare(
	const struct significance_design *design, struct significance_comparison *out, struct forecast_error *error);

/* ---- a level that shifts or falls ---- */

struct significance_shift {
	bool enough;	      /* 2 segments of 5 known values, and they vary */
	size_t index;	      /* first index of the later segment */
	double before, after; /* means of the segments */
	double p_value;	      /* two-sided */
};

/*
 * The largest difference of means over all places where a series can be cut. Judged against series drawn with the same serial correlation
 * (a bootstrap of at most 9,999 draws, fewer when it is clearly nothing: Besag & Clifford 1991). NaN is a gap, left out; BAD_COUNT for
 * more than 1,000 values, BAD_VALUE for one that is infinite. The same series gives the same answer.
 */
enum forecast_code significance_shift(const double *values, size_t count, struct significance_shift *out);

struct significance_fall {
	bool enough;	/* 8 known values, and they vary */
	double p_value; /* one-sided: falling */
};

/* Whether a series falls: its least-squares slope, judged in the same way. analytics_trend tells how much. */
enum forecast_code significance_fall(const double *values, size_t count, struct significance_fall *out);

/* ---- many comparisons ---- */

enum significance_correction {
	SIGNIFICANCE_HOLM, /* no false one among all, with the probability asked, whatever the dependence */
	SIGNIFICANCE_BH,   /* share of false ones among those found (Benjamini & Hochberg 1995); none false when none is true, likewise */
	SIGNIFICANCE_BY	   /* the same under any dependence (Benjamini & Yekutieli 2001) */
};

/* Corrected p-values in the order of p; corrected may be p. NO_MEMORY, or BAD_VALUE for one outside 0 … 1. */
enum forecast_code significance_correct(const double *p, size_t count, enum significance_correction method, double *corrected);

#endif
