/*
 * Analytics beside the forecasts: trend with significance, strength of the season, anomalies, change-points,
 * what explains a change, and comparison of periods. All functions are pure, take NaN as a gap, and either answer
 * or say in `enough` that the series is too short for a statement; nothing is guessed from too few points.
 */
#ifndef FORECAST_ANALYTICS_H
#define FORECAST_ANALYTICS_H

#include "forecast/forecast.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- trend ---- */

enum analytics_direction { ANALYTICS_FLAT, ANALYTICS_RISING, ANALYTICS_FALLING };

/*
 * Theil–Sen slope with its interval and the Mann–Kendall test, its variance corrected for serial correlation
 * (Hamed & Rao 1998). For seasonal series the season is removed first.
 */
struct analytics_trend {
	bool enough;			    /* at least 4 values */
	enum analytics_direction direction; /* FLAT when p_value >= 0.05 */
	double slope;			    /* per step */
	double slope_low, slope_high;	    /* 95 % */
	double intercept;		    /* value of the line at index 0 */
	double relative_slope;		    /* slope / |median|, NaN when the median is 0 */
	double tau;			    /* Kendall's, −1 … 1 */
	double p_value;			    /* two-sided */
};

/* Series of more than 600 values are summed up in means of consecutive values first: the pairs grow with the square. */
enum forecast_code analytics_trend(
	const struct forecast_series *series, struct analytics_trend *trend, struct forecast_error *error);

/* ---- season ---- */

struct analytics_season {
	bool enough;	 /* two whole periods and 5 values */
	unsigned period; /* the period looked at, 1 when the series has none */
	double strength; /* 0 … 1, 1 − var(remainder) / var(season + remainder), from STL */
	double trend_strength;
	bool significant; /* the autocorrelation test finds it */
	size_t high, low; /* phase (index modulo period) of the largest and smallest seasonal value */
};

/* Strength of the first period of the series (or the calendar's default one). profile, when not NULL, receives
 * period values: the last seasonal figure of each phase, as a deviation from the trend. It must have room for
 * the period, which analytics_period tells. */
enum forecast_code analytics_season(const struct forecast_series *series, struct analytics_season *season,
	double *profile, struct forecast_error *error);

/* The period analytics_season will look at (1 when none). */
unsigned analytics_period(const struct forecast_series *series);

/* ---- anomalies ---- */

struct analytics_anomaly {
	size_t index;
	double value;
	double expected;
	double score; /* deviation from expected in robust standard deviations, signed */
};

/* Values that both the STL remainder and the one-step forecast residual call unusual. Writes at most capacity
 * rows in order of time; *count is the number found. sensitivity is the number of robust standard deviations
 * (0: the default of 3.5; 2 … 20). */
enum forecast_code analytics_anomalies(const struct forecast_series *series, double sensitivity,
	struct analytics_anomaly *anomalies, size_t capacity, size_t *count);

/* ---- change-points ---- */

struct analytics_change {
	size_t index;	      /* first index of the later segment */
	double before, after; /* means of the segments beside it, season removed */
};

/* PELT (Killick et al. 2012) on the mean of the deseasonalised series, penalty 3 ln n in units of the noise
 * variance, segments of at least max(5, period). Writes at most capacity rows; *count is the number found. */
enum forecast_code analytics_changes(const struct forecast_series *series, struct analytics_change *changes,
	size_t capacity, size_t *count);

/* ---- comparison of periods ---- */

struct analytics_comparison {
	bool enough;	       /* both have a value */
	double earlier, later; /* total of the known values */
	size_t earlier_count, later_count;
	double earlier_mean, later_mean;
	double change;		/* later − earlier totals; of means when the numbers of values differ */
	double relative_change; /* change / |earlier|, NaN when that is 0 */
	double p_value;		/* Welch's t-test of the means, NaN with fewer than 2 values on a side */
};

/* Compares values [earlier, earlier + length) with [later, later + length) of a series; gaps are left out. */
struct analytics_comparison analytics_compare(
	const struct forecast_series *series, size_t earlier, size_t later, size_t length);

/* ---- contribution of dimensions to a change ---- */

/* One member of a dimension (a region, a product) in both periods. For a ratio KPI (numerator / denominator, e.g.
 * conversion) give the weights too; for a sum leave them 0. */
struct analytics_member {
	double earlier, later;		     /* sum, or numerator of the ratio */
	double earlier_weight, later_weight; /* denominator of the ratio */
};

struct analytics_contribution {
	double change; /* this member's part of the total change; all parts add up to it exactly */
	double share;  /* change / total change, NaN when the total did not change */
	double rate;   /* ratio: the part that comes from the member's own rate */
	double mix;    /* ratio: the part that comes from its weight */
	size_t rank;   /* 0: the largest absolute change */
};

/* Fills contributions[i] for members[i]; *total is the change of the whole (of the ratio with weights). */
enum forecast_code analytics_contributions(const struct analytics_member *members, size_t count, bool ratio,
	struct analytics_contribution *contributions, double *total);

#endif
