/*
 * Complex exponential smoothing (Svetunkov, Kourentzes & Ord 2022), opened up for its tests.
 */
#ifndef FORECAST_CES_H
#define FORECAST_CES_H

#include "forecast/member.h"

enum ces_type {
	CES_NONE,   /* no season */
	CES_SIMPLE, /* the non-seasonal recursion at lag m */
	CES_FULL    /* a second pair at lag m beside the first */
};

enum { CES_PARAMETERS = 4 };

struct ces_model {
	enum ces_type type;
	size_t m;
	double parameters[CES_PARAMETERS]; /* a0, a1, and b0, b1 of the full type */
	double squares;			   /* Σ e² of the last pass */
	double loglik, aicc, variance;
};

/* Squares, likelihood, AICc and variance at model->parameters. False when they are not finite. */
bool ces_evaluate(struct forecast_workspace *ws, const double *y, size_t n, struct ces_model *model);

/*
 * Least squares from the usual start (1.3, 1), with the prior that ces_forecast uses or without: a1 and b1 near 1 keep
 * the imaginary part from extrapolating noise, which short series need (docs/decisions/0041). False when the type
 * needs a longer series.
 */
bool ces_estimate(
	struct forecast_workspace *ws, const double *y, size_t n, bool prior, struct ces_model *model);

/* h means after the series, and the standard deviations of their errors. */
void ces_predict(struct forecast_workspace *ws, const double *y, size_t n, const struct ces_model *model,
	size_t h, struct member_path *path);

/* True when the errors of the filter die out at these parameters. */
bool ces_admissible(enum ces_type type, const double *parameters);

#endif
