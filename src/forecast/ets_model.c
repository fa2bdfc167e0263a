/*
 * One ETS model at given parameters: names, counts, the recursions without derivatives, and the admissible region.
 * The recursions of additive and multiplicative errors are the same function of the data; only the likelihood
 * differs, so one loop serves both.
 */
#include "forecast/ets.h"

#include <math.h>
#include <string.h>

enum {
	PRODUCT_LENGTH = 8 /* means multiplied before one logarithm is taken */
};

static const double least_mean =
	1e-30; /* of series scaled to 1: below it a model of positive values has failed */

size_t
ets_parameter_count(const struct ets_form *form)
{
	size_t k = 3; /* α, level, variance */
	k += form->trend != TREND_NONE ? 2 : 0;
	k += form->trend == TREND_DAMPED ? 1 : 0;
	return k + (form->season != SEASON_NONE ? form->m : 0); /* γ and m − 1 states */
}

void
ets_name(const struct ets_form *form, char *name)
{
	static const char *const trends[] = { "N", "A", "Ad" }, *const seasons[] = { "N", "A", "M" };
	const char *parts[] = { "ets(", form->multiplicative_error ? "M" : "A", trends[form->trend],
		seasons[form->season], ")" };
	size_t at = 0;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		for (const char *c = parts[i]; *c; c++)
			name[at++] = *c;
	name[at] = '\0';
}

/* All roots of z^degree + a[degree-1] z^(degree-1) + … + a[0] inside the unit circle, by the Schur–Cohn reduction. */
static bool
roots_inside(double *a, size_t degree)
{
	for (; degree > 0; degree--) {
		double k = a[0]; /* leading coefficient is 1 */
		if (!(fabs(k) < 1))
			return false;
		/* The next polynomial, of degree − 1, made monic: (a_{i} − k a_{degree−i}) / (1 − k²), i = 1 … degree. */
		double scale = 1 / (1 - k * k);
		for (size_t i = 1, j = degree - 1; i <= j; i++, j--) {
			double ai = a[i], aj = a[j];
			a[i] = (ai - k * aj) * scale;
			a[j] = (aj - k * ai) * scale;
		}
		memmove(a, a + 1, (degree - 1) * sizeof *a);
	}
	return true;
}

static bool
season_admissible(const struct ets_state *s, double m, size_t period)
{
	double a = s->alpha, b = s->beta, g = s->gamma, f = s->phi;
	if (g < fmax(0, 1 - 1 / f - a) || g > 1 + 1 / f - a)
		return false;
	if (a < 1 - 1 / f - g * (1 - m + f + f * m) / (2 * f * m) || b < -(1 - f) * (g / m + a))
		return false;
	double polynomial[ETS_MAX_PERIOD + 2];
	polynomial[0] = f * (1 - a - g);
	polynomial[1] = a + b - a * f + g - 1;
	for (size_t i = 2; i < period; i++)
		polynomial[i] = a + b - a * f;
	polynomial[period] = a + b - f;
	polynomial[period + 1] = 1;
	size_t degree = period + 1;
	if (f == 1 &&
		b == 0) { /* without a trend one root is exactly 1 and belongs to the level: divide it out */
		for (size_t i = degree; i-- > 1;)
			polynomial[i] += polynomial[i + 1];
		memmove(polynomial, polynomial + 1, degree * sizeof *polynomial);
		degree--;
	}
	return roots_inside(polynomial, degree);
}

bool
ets_admissible(const struct ets_form *form, const struct ets_state *s)
{
	if (!(s->alpha >= 1e-4 - 1e-12 && s->alpha <= 0.9999 + 1e-12 && s->beta <= s->alpha + 1e-12))
		return false;
	if (form->season != SEASON_NONE && !(s->gamma <= 1 - s->alpha + 1e-12))
		return false;
	if (form->season == SEASON_NONE)
		return s->alpha <= 1 + 1 / s->phi && s->beta <= (1 + s->phi) * (2 - s->alpha);
	return season_admissible(s, (double)form->m, form->m);
}

/* Sums the recursions accumulate; failed when a mean or state leaves the domain of the model. */
struct ets_sums {
	double squares, log_means, product;
	int length;
	bool failed;
};

static inline void
mean_multiply(struct ets_sums *sums, double mean)
{
	sums->product *= mean;
	if (++sums->length == PRODUCT_LENGTH) {
		sums->log_means += log(sums->product);
		sums->product = 1;
		sums->length = 0;
	}
}

static inline void
error_add(struct ets_sums *sums, double difference, double mean, bool relative, double *residual)
{
	double e = relative ? difference / mean : difference;
	if (relative) {
		sums->failed = sums->failed || !(mean > least_mean);
		mean_multiply(sums, mean);
	}
	sums->squares += e * e;
	if (residual)
		*residual = e;
}

static void
recursions(const double *y, size_t n, struct ets_model *model, double *residuals, struct ets_sums *sums)
{
	struct ets_state *s = &model->last;
	const struct ets_form *form = &model->form;
	size_t m = form->m, phase = 0;
	for (size_t i = 0; i < n && !sums->failed; i++) {
		double push = s->phi * s->slope, q = s->level + push, *season = &s->season[phase];
		double level_error = 0, mean = 0;
		double *residual = residuals ? &residuals[i] : NULL;
		switch (form->season) {
		case SEASON_NONE:
			mean = q;
			level_error = y[i] - mean;
			error_add(sums, level_error, mean, form->multiplicative_error, residual);
			break;
		case SEASON_ADDITIVE:
			mean = q + *season;
			level_error = y[i] - mean;
			error_add(sums, level_error, mean, form->multiplicative_error, residual);
			*season += s->gamma * level_error;
			break;
		case SEASON_MULTIPLICATIVE:
			mean = q * *season;
			sums->failed = !(q > least_mean && *season > least_mean);
			level_error = y[i] - mean;
			error_add(sums, level_error, mean, form->multiplicative_error, residual);
			double season_error = level_error / q;
			level_error /= *season;
			*season += s->gamma * season_error;
			break;
		}
		s->level = q + s->alpha * level_error;
		s->slope = push + s->beta * level_error;
		phase = phase + 1 == m ? 0 : phase + 1;
	}
}

/* Turns the ring so that the next value meets season[0]. */
static void
season_turn(double *season, size_t m, size_t n)
{
	double turned[ETS_MAX_PERIOD];
	for (size_t i = 0; i < m; i++)
		turned[i] = season[(n + i) % m];
	memcpy(season, turned, m * sizeof *season);
}

void
ets_evaluate(const double *y, size_t n, struct ets_model *model, double *residuals)
{
	struct ets_sums sums = { .product = 1 };
	model->last = model->start;
	recursions(y, n, model, residuals, &sums);
	double count = (double)n, k = (double)ets_parameter_count(&model->form);
	sums.log_means += sums.length ? log(sums.product) : 0;
	model->squares = fmax(sums.squares, 1e-28 * count);
	model->criterion = count * log(model->squares) + 2 * sums.log_means;
	model->aic = model->criterion + 2 * k;
	model->aicc = count - k - 1 > 0 ? model->aic + 2 * k * (k + 1) / (count - k - 1) : INFINITY;
	model->variance = model->squares / fmax(count - k + 1, 1);
	model->good =
		!sums.failed && isfinite(model->criterion) && isfinite(model->last.level + model->last.slope);
	if (model->form.season != SEASON_NONE)
		season_turn(model->last.season, model->form.m, n);
}
