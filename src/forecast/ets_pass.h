/*
 * The inner loop of the first round of ETS: recursions and derivatives for the smoothing parameters alone.
 */
#ifndef FORECAST_ETS_PASS_H
#define FORECAST_ETS_PASS_H

#include "forecast/ets.h"

enum {
	PASS_LANES = 4 /* α, fraction of β, fraction of γ, φ */
};

struct ets_pass_sums {
	double squares, log_means; /* log_means: Σ ln μ for multiplicative errors, else 0; NaN when the model failed */
	double gradient[PASS_LANES], normal[PASS_LANES * PASS_LANES];
	double log_mean_slopes[PASS_LANES]; /* derivatives of Σ ln μ */
};

/* How the lanes act on the states at each step: what multiplies the error in level, slope and season. */
struct ets_pass_seeds {
	double level[PASS_LANES], slope[PASS_LANES], season[PASS_LANES];
	bool phi; /* φ is searched */
};

/* One pass over y from the state *s, which is left as it is after the last value. scratch: m × PASS_LANES doubles
 * aligned to 32 bytes. */
void ets_pass_run(const double *y, size_t n, const struct ets_form *form, const struct ets_pass_seeds *seeds,
	struct ets_state *s, double *scratch, struct ets_pass_sums *sums);

#endif
