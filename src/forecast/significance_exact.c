/*
 * Exact tests of counts and the corrections for many comparisons. Binomial tails come from the incomplete beta function, hypergeometric ones
 * from summing the distribution outwards from its mode; where counts are so large that both would be slow or lose digits, the signed root
 * of the likelihood ratio is normal to more digits than anybody reads.
 */
#include "forecast/numeric.h"
#include "forecast/significance.h"

#include <math.h>
#include <stdlib.h>

static const double LARGE_VARIANCE = 2500, LARGE_CELL = 400;

static const struct significance_tails unknown = { NAN, NAN, NAN, NAN, NAN };

static struct significance_tails
tails_of(double below, double at, double above)
{
	struct significance_tails t = {
		.lower = fmin(1, below + at),
		.upper = fmin(1, above + at),
		.lower_mid = fmin(1, below + at / 2),
		.upper_mid = fmin(1, above + at / 2),
	};
	t.two_sided = fmin(1, 2 * fmin(t.lower, t.upper));
	return t;
}

/* observed · log(observed / expected), 0 for nothing observed. */
static double
deviance_part(double observed, double expected)
{
	return observed > 0 ? observed * log(observed / expected) : 0;
}

static struct significance_tails
tails_normal(double deviance, bool below)
{
	double z = sqrt(fmax(0, 2 * deviance));
	return tails_of(normal_cdf(below ? -z : z), 0, normal_cdf(below ? z : -z));
}

static double
binomial_probability(double k, double n, double p)
{
	if (p <= 0 || p >= 1)
		return k == (p <= 0 ? 0 : n);
	double log_choose = log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1);
	return exp(log_choose + k * log(p) + (n - k) * log1p(-p));
}

struct significance_tails
significance_binomial(double count, double trials, double p)
{
	if (!(count >= 0 && count <= trials && p >= 0 && p <= 1 && isfinite(trials)))
		return unknown;
	double q = 1 - p;
	if (trials * p * q > LARGE_VARIANCE)
		return tails_normal(
			deviance_part(count, trials * p) + deviance_part(trials - count, trials * q),
			count < trials * p);
	double at = binomial_probability(count, trials, p);
	double lower = count < trials ? incomplete_beta(q, trials - count, count + 1) : 1;
	double upper = count > 0 ? incomplete_beta(p, count, trials - count + 1) : 1;
	return tails_of(fmax(0, lower - at), at, fmax(0, upper - at));
}

/* P(X = k) for k successes of n drawn from successes and failures. */
static double
hypergeometric(double k, double n, double successes, double failures)
{
	double total = successes + failures;
	return exp(log_gamma(successes + 1) - log_gamma(k + 1) - log_gamma(successes - k + 1) +
		   log_gamma(failures + 1) - log_gamma(n - k + 1) - log_gamma(failures - n + k + 1) -
		   log_gamma(total + 1) + log_gamma(n + 1) + log_gamma(total - n + 1));
}

/* The sum of P(X) from k in steps of direction, until what is left cannot matter. */
static double
hypergeometric_tail(double k, double direction, double n, double successes, double failures)
{
	double low = fmax(0, n - failures), high = fmin(n, successes), sum = 0;
	if (k < low || k > high)
		return 0;
	double mode = floor((n + 1) * (successes + 1) / (successes + failures + 2));
	double p = hypergeometric(k, n, successes, failures);
	for (; k >= low && k <= high; k += direction) {
		sum += p;
		if (p < 1e-18 * sum && (k - mode) * direction > 0)
			break;
		p *= direction > 0 ? (successes - k) * (n - k) / ((k + 1) * (failures - n + k + 1))
				   : k * (failures - n + k) / ((successes - k + 1) * (n - k + 1));
	}
	return sum;
}

static struct significance_tails
proportions_large(double a, double n1, double b, double n2)
{
	double p = (a + b) / (n1 + n2);
	double deviance = deviance_part(a, n1 * p) + deviance_part(n1 - a, n1 * (1 - p)) +
			  deviance_part(b, n2 * p) + deviance_part(n2 - b, n2 * (1 - p));
	return tails_normal(deviance, a * n2 < b * n1);
}

struct significance_tails
significance_proportions(double count, double trials, double peer_count, double peer_trials)
{
	double a = round(count), n1 = round(trials), b = round(peer_count), n2 = round(peer_trials);
	if (!(a >= 0 && a <= n1 && b >= 0 && b <= n2 && isfinite(n1 + n2) && n1 > 0 && n2 > 0))
		return unknown;
	double successes = a + b, failures = n1 + n2 - successes,
	       least = fmin(n1, n2) * fmin(successes, failures) / (n1 + n2);
	if (least > LARGE_CELL)
		return proportions_large(a, n1, b, n2);
	double at = hypergeometric(a, n1, successes, failures);
	if (at < 1e-250) /* its neighbours cannot be had from it */
		return proportions_large(a, n1, b, n2);
	double below = hypergeometric_tail(a - 1, -1, n1, successes, failures);
	double above = hypergeometric_tail(a + 1, 1, n1, successes, failures);
	/* Log-gamma of large totals costs digits; the three parts are everything there is. */
	double all = below + at + above;
	return tails_of(below / all, at / all, above / all);
}

struct significance_tails
significance_rates(double count, double exposure, double peer_count, double peer_exposure)
{
	if (!(exposure > 0 && peer_exposure > 0))
		return unknown;
	return significance_binomial(count, count + peer_count, exposure / (exposure + peer_exposure));
}

struct significance_interval
significance_wilson(double count, double trials, double level)
{
	if (!(count >= 0 && count <= trials && trials > 0 && level > 0 && level < 1))
		return (struct significance_interval){ NAN, NAN };
	double z = normal_quantile(0.5 + level / 2), p = count / trials, z2 = z * z / trials;
	double middle = (p + z2 / 2) / (1 + z2),
	       half = z / (1 + z2) * sqrt(p * (1 - p) / trials + z2 / trials / 4);
	return (struct significance_interval){ fmax(0, middle - half), fmin(1, middle + half) };
}

/* ---- many comparisons ---- */

struct ranked {
	double p;
	size_t at;
};

static int
by_p(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->p != y->p)
		return x->p < y->p ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void
step_down(const struct ranked *r, size_t count, double *corrected)
{
	double largest = 0;
	for (size_t i = 0; i < count; i++) {
		largest = fmax(largest, fmin(1, r[i].p * (double)(count - i)));
		corrected[r[i].at] = largest;
	}
}

static void
step_up(const struct ranked *r, size_t count, double factor, double *corrected)
{
	double least = 1;
	for (size_t i = count; i-- > 0;) {
		least = fmin(least, r[i].p * factor * (double)count / (double)(i + 1));
		corrected[r[i].at] = least;
	}
}

enum forecast_code
significance_correct(const double *p, size_t count, enum significance_correction method, double *corrected)
{
	double harmonic = 0;
	for (size_t i = 0; i < count; i++) {
		if (!(p[i] >= 0 && p[i] <= 1))
			return FORECAST_BAD_VALUE;
		harmonic += 1 / (double)(i + 1);
	}
	struct ranked *r = count ? malloc(count * sizeof *r) : NULL;
	if (count && !r)
		return FORECAST_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		r[i] = (struct ranked){ p[i], i };
	if (count > 1)
		qsort(r, count, sizeof *r, by_p);
	switch (method) {
	case SIGNIFICANCE_HOLM:
		step_down(r, count, corrected);
		break;
	case SIGNIFICANCE_BH:
		step_up(r, count, 1, corrected);
		break;
	case SIGNIFICANCE_BY:
		step_up(r, count, harmonic, corrected);
		break;
	}
	free(r);
	return FORECAST_OK;
}
