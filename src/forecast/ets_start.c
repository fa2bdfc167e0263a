/*
 * Where the search for an ETS model starts: seasonal states from classical decomposition (or from a regression on the
 * first Fourier pair when the series is shorter than three periods), level and slope from a line through the first
 * deseasonalised values.
 */
#include "forecast/ets.h"

#include "forecast/numeric.h"

#include <math.h>
#include <string.h>

enum {
	FOURIER_TERMS = 4 /* constant, trend, sine, cosine */
};

static const double least_figure = 0.01; /* of a multiplicative season */

/* Seasonal figure from least squares of y on a line and one Fourier pair. */
static bool
fourier_figure(const double *y, size_t n, size_t m, enum season_kind kind, double *figure)
{
	double a[FOURIER_TERMS * FOURIER_TERMS] = { 0 }, b[FOURIER_TERMS] = { 0 };
	for (size_t i = 0; i < n; i++) {
		double angle = 2 * M_PI * (double)(i % m) / (double)m;
		double x[FOURIER_TERMS] = { 1, (double)i / (double)n, sin(angle), cos(angle) };
		for (size_t r = 0; r < FOURIER_TERMS; r++) {
			b[r] += x[r] * y[i];
			for (size_t c = 0; c <= r; c++)
				a[r * FOURIER_TERMS + c] += x[r] * x[c];
		}
	}
	size_t terms = m == 2 ? FOURIER_TERMS - 1 : FOURIER_TERMS; /* the sine of a period of two is zero */
	if (m == 2) {
		a[2 * FOURIER_TERMS] = a[3 * FOURIER_TERMS];
		a[2 * FOURIER_TERMS + 1] = a[3 * FOURIER_TERMS + 1];
		a[2 * FOURIER_TERMS + 2] = a[3 * FOURIER_TERMS + 3];
		b[2] = b[3];
	}
	for (size_t r = 0; r < terms; r++)
		a[r * FOURIER_TERMS + r] *= 1 + 1e-12;
	if (!numeric_cholesky_solve(a, terms, FOURIER_TERMS, b))
		return false;
	double middle = b[0] + b[1] / 2;
	for (size_t i = 0; i < m; i++) {
		double angle = 2 * M_PI * (double)i / (double)m;
		double wave = m == 2 ? b[2] * cos(angle) : b[2] * sin(angle) + b[3] * cos(angle);
		figure[i] = kind == SEASON_ADDITIVE ? wave : 1 + wave / middle;
	}
	return isfinite(figure[0]);
}

/* Makes a multiplicative figure positive with mean 1. */
static void
figure_floor(double *figure, size_t m)
{
	double sum = 0;
	for (size_t i = 0; i < m; i++) {
		figure[i] = fmax(figure[i], least_figure);
		sum += figure[i];
	}
	for (size_t i = 0; i < m; i++)
		figure[i] *= (double)m / sum;
}

static bool
season_start(
	struct forecast_workspace *ws, const double *y, size_t n, const struct ets_form *form, double *figure)
{
	size_t m = form->m;
	bool good = n >= 3 * m && classical_figure(ws, y, n, m, form->season, figure);
	if (!good && !fourier_figure(y, n, m, form->season, figure))
		return false;
	if (form->season == SEASON_MULTIPLICATIVE)
		figure_floor(figure, m);
	return true;
}

static void
parameters_start(const struct ets_form *form, struct ets_state *s)
{
	s->alpha = 1e-4 + 0.2 * 0.9998 / (double)form->m;
	s->beta = form->trend == TREND_NONE ? 0 : 1e-4 + 0.1 * (s->alpha - 1e-4);
	s->gamma = form->season == SEASON_NONE ? 0 : 1e-4 + 0.05 * (1 - s->alpha - 1e-4);
	s->phi = form->trend == TREND_DAMPED ? 0.978 : 1;
}

/* Level and slope before the first value, from the line through the first deseasonalised ones. */
static void
level_start(const double *adjusted, size_t length, const struct ets_form *form, struct ets_state *s)
{
	double intercept, slope;
	numeric_line(adjusted, length, &intercept, &slope);
	if (form->trend == TREND_NONE) {
		s->level = numeric_mean(adjusted, length);
		s->slope = 0;
		return;
	}
	s->slope = slope / s->phi;
	s->level = intercept - slope; /* the line one step before the first value */
}

/* Whether a model of positive means can run from here: its first means must all be positive. */
static bool
start_positive(const struct ets_form *form, const struct ets_state *s)
{
	double q = s->level + s->phi * s->slope;
	for (size_t i = 0; i < form->m; i++)
		if (!(q + (form->season == SEASON_ADDITIVE ? s->season[i] : 0) > 0))
			return false;
	return true;
}

/*
 * A start for models of positive means whose usual start is not: on a series that grew by an order of magnitude an
 * average additive figure is larger than the first values. Level and figure of the first period, half way to flat.
 */
static void
start_positive_make(const double *y, const struct ets_form *form, struct ets_state *s)
{
	double mean = numeric_mean(y, form->m);
	s->level = form->m > 1 ? mean : fmax(fabs(y[0]), 1e-6);
	s->slope = 0;
	for (size_t i = 0; i < form->m && form->season == SEASON_ADDITIVE; i++)
		s->season[i] = (y[i] - mean) / 2;
}

bool
ets_start(struct forecast_workspace *ws, const double *y, size_t n, const struct ets_form *form,
	struct ets_state *state)
{
	if (n < ets_parameter_count(form) + 1 || (form->season != SEASON_NONE && n <= form->m))
		return false;
	*state = (struct ets_state){ 0 };
	parameters_start(form, state);
	size_t mark = workspace_mark(ws), length = form->m > 5 ? 2 * form->m : 10;
	length = length < n ? length : n;
	double *adjusted = workspace_take(ws, n);
	memcpy(adjusted, y, n * sizeof *y);
	bool good = true;
	if (form->season != SEASON_NONE) {
		good = season_start(ws, y, n, form, state->season);
		season_remove(y, n, state->season, form->m, form->season, adjusted);
	}
	level_start(adjusted, length, form, state);
	bool positive = form->multiplicative_error || form->season == SEASON_MULTIPLICATIVE;
	if (good && positive && !start_positive(form, state))
		start_positive_make(y, form, state);
	workspace_release(ws, mark);
	return good;
}
