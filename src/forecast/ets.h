/*
 * Exponential smoothing in state-space form (Hyndman, Koehler, Ord & Snyder 2008): 15 models, error {A, M} × trend
 * {N, A, Ad} × season {N, A, M} without additive errors with a multiplicative season. ets_fit.c estimates one model,
 * ets_forecast.c forecasts with it, ets_select.c chooses the model by AICc.
 */
#ifndef FORECAST_ETS_H
#define FORECAST_ETS_H

#include "forecast/member.h"
#include "forecast/season.h"

enum ets_trend { TREND_NONE, TREND_ADDITIVE, TREND_DAMPED };

enum {
	ETS_MAX_PERIOD = 24, /* longer seasons are left to STL and CES */
	ETS_MAX_PARAMETERS = 4 + 2 + ETS_MAX_PERIOD - 1
};

struct ets_form {
	bool multiplicative_error;
	enum ets_trend trend;
	enum season_kind season;
	size_t m; /* 1 without season */
};

/*
 * Parameters and states. season[i] is the seasonal state that the i-th value meets (i < m), sum 0 or mean 1.
 * The recursions, with q = l + φb, d = y − μ and r = d/s, r' = d/q for a multiplicative season (else r = r' = d):
 * l ← q + αr, b ← φb + βr, s ← s + γr'.
 */
struct ets_state {
	double alpha, beta, gamma, phi; /* unused ones are 0, phi 1 without damping */
	double level, slope;
	double season[ETS_MAX_PERIOD];
};

struct ets_model {
	struct ets_form form;
	struct ets_state start, last; /* last.season[0] is what the next value meets */
	double criterion; /* L = n ln Σe² (+ 2Σ ln|μ|); −2 log-likelihood up to a constant */
	double aicc, aic;
	double variance; /* σ² of the one-step error (relative for multiplicative errors) */
	double squares;	 /* Σe² */
	bool good;
};

/* Which initial states are searched beside the smoothing parameters; the others stay at their heuristic start. */
enum ets_states {
	ETS_STATES_FIXED,
	ETS_STATES_SEASON,
	ETS_STATES_FREE /* maximum likelihood over everything */
};

/* How hard to search, and for what. */
struct ets_effort {
	int iterations;	  /* of the least-squares search at most */
	double tolerance; /* stop when L falls by less in an iteration */
	enum ets_states states;
	bool prior; /* weak priors on α and β, for short series */
};

/* Number of estimated quantities including the variance: k of the AICc. */
size_t ets_parameter_count(const struct ets_form *form);

/* Writes "ets(MAdM)" into a buffer of MEMBER_NAME_SIZE. */
void ets_name(const struct ets_form *form, char *name);

/* Initial states by heuristics and starting parameters for the form. False when n is too small for it. */
bool ets_start(struct forecast_workspace *ws, const double *y, size_t n, const struct ets_form *form,
	struct ets_state *state);

/* Runs the recursions from model->start: fills last, criterion, aicc, variance, squares, good. residuals may be NULL;
 * else it receives n one-step errors (relative ones for multiplicative errors). */
void ets_evaluate(const double *y, size_t n, struct ets_model *model, double *residuals);

/* True when the parameters lie in the usual and the admissible region. */
bool ets_admissible(const struct ets_form *form, const struct ets_state *state);

/* Estimates the model from model->start on; leaves the best found in start and the rest evaluated. */
void ets_estimate(struct forecast_workspace *ws, const double *y, size_t n, struct ets_effort effort,
	struct ets_model *model);

/* Means and standard deviations of h steps. */
void ets_predict(
	const struct ets_model *model, struct forecast_workspace *ws, size_t h, double *mean, double *sd);

/* The best model by AICc among all forms, or the non-seasonal ones. False when none fits. */
struct ets_choice {
	size_t m;
	bool seasonal;
	bool prior; /* see struct ets_effort */
};
bool ets_select(struct forecast_workspace *ws, const double *y, size_t n, struct ets_choice choice,
	struct ets_model *best);

member_method ets_forecast, ses_forecast, holt_forecast, damped_forecast;

#endif
