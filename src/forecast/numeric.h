/*
 * Small numerics shared by the methods: medians and order statistics, the normal distribution, random numbers,
 * least squares of small systems and one-dimensional minimisation. Everything is deterministic and bounded.
 */
#ifndef FORECAST_NUMERIC_H
#define FORECAST_NUMERIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorts ascending, in place. No NaN. */
void numeric_sort(double *x, size_t count);

/* Median; reorders x. count >= 1. */
double numeric_median(double *x, size_t count);

/* The value that would stand at index rank if x were sorted; reorders x. rank < count. */
double numeric_select(double *x, size_t count, size_t rank);

/* Quantile (linear interpolation between order statistics) of an ascending array. count >= 1, 0 <= p <= 1. */
double numeric_sorted_quantile(const double *sorted, size_t count, double p);

double numeric_mean(const double *x, size_t count);

/* Least-squares line through x[0 … count − 1] over 0 … count − 1. */
void numeric_line(const double *x, size_t count, double *intercept, double *slope);

/* Standard normal distribution function, and its inverse for 0 < p < 1. */
double normal_cdf(double z);
double normal_quantile(double p);

/* Logarithm of the gamma function for x > 0. */
double log_gamma(double x);

/* The regularised incomplete beta function I_x(a, b), a and b > 0; x is taken into 0 … 1. */
double incomplete_beta(double x, double a, double b);

/* Student's t: two-sided p-value of t with df > 0 degrees of freedom. */
double student_p_value(double t, double df);

/* SplitMix64-seeded xoshiro256**. */
struct random_source {
	uint64_t state[4];
	double spare;
	bool has_spare;
};

void random_init(struct random_source *source, uint64_t seed);
double random_uniform(struct random_source *source); /* 0 <= u < 1 */
double random_normal(struct random_source *source);

/*
 * Solves the symmetric positive definite n × n system a x = b by Cholesky, in place: a (row-major, row length
 * stride) is overwritten, b becomes x. False when a is not positive definite; b is then undefined.
 */
bool numeric_cholesky_solve(double *a, size_t n, size_t stride, double *b);

/* Minimum of f on [low, high]: a grid of points, then Brent's method around the best one until the interval is
 * shorter than tolerance or 60 evaluations. Returns the argument. */
struct scalar_search {
	double low, high, tolerance;
	int points; /* of the grid, >= 3 */
};
double numeric_minimise(double (*f)(double x, void *context), void *context, struct scalar_search search);

#endif
