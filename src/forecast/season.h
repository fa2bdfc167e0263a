/*
 * Finding, testing and removing a season: autocorrelations, the tests the Theta methods and M4's Naive2 use, and the
 * classical decomposition (Kendall & Stuart) by centred moving averages.
 */
#ifndef FORECAST_SEASON_H
#define FORECAST_SEASON_H

#include "forecast/workspace.h"

enum season_kind { SEASON_NONE, SEASON_ADDITIVE, SEASON_MULTIPLICATIVE };

/* r[k] for k = 0 … lags (r[0] = 1); all 0 for a constant series. */
void autocorrelations(const double *y, size_t n, size_t lags, double *r);

/* |r_m| / √((1 + 2Σ_{k<m} r_k²) / n): above 1.645 a season of length m is significant at 10 %. 0 when n <= m. */
double season_score(const double *y, size_t n, size_t m);

/* True when every value is above zero. */
bool all_positive(const double *y, size_t n);

/*
 * Classical decomposition. figure receives the m seasonal figures of phases 0 … m − 1 (index modulo m), normalised
 * to sum 0 (additive) or mean 1 (multiplicative). False when n < 2m, or when a multiplicative figure is not positive.
 */
bool classical_figure(struct forecast_workspace *ws, const double *y, size_t n, size_t m,
	enum season_kind kind, double *figure);

/* y without its season in adjusted (may be y itself). */
void season_remove(
	const double *y, size_t n, const double *figure, size_t m, enum season_kind kind, double *adjusted);

/*
 * The usual preparation of the Theta family: when m > 1, n allows it and the test finds the season, fills adjusted
 * and figure and returns the kind (multiplicative for positive series, else additive); otherwise copies y.
 */
struct season_rule {
	size_t least;	     /* values needed, as a multiple of m */
	double limit;	     /* of season_score */
	bool multiplicative; /* also for series that are not positive, as the M4 competition did */
};
enum season_kind season_adjust(struct forecast_workspace *ws, const double *y, size_t n, size_t m,
	struct season_rule rule, double *figure, double *adjusted);

/* Puts the season back on h steps after index n − 1, on the mean and (multiplicative) on the deviations. */
void season_restore(
	enum season_kind kind, const double *figure, size_t m, size_t n, size_t h, double *mean, double *sd);

#endif
