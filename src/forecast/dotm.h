/*
 * The dynamic optimised Theta model, opened up for its tests.
 */
#ifndef FORECAST_DOTM_H
#define FORECAST_DOTM_H

#include "forecast/member.h"

/* ℓ₀ is relative to y[0]; weight is 1 − 1/θ; squares is Σ_{t≥3} (y − μ)². */
struct dotm_fit {
	double alpha, level, weight, squares;
};

/* Least squares over α ∈ [.1, .99], θ >= 1 and ℓ₀. False with fewer than 4 values. */
bool dotm_estimate(struct forecast_workspace *ws, const double *y, size_t n, struct dotm_fit *fit);

/* h means after the n values. */
void dotm_predict(const double *y, size_t n, const struct dotm_fit *fit, size_t h, double *mean);

#endif
