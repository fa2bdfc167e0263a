/*
 * A level that shifts and a level that falls: the best cut of a series into two, and its line. Neither statistic follows a table when
 * neighbouring values resemble each other, as days do, so each is judged against series made by chance with the same correlation: what the
 * fit leaves is freed from its correlation, shuffled, and given it again (a sieve bootstrap, Bühlmann 1997). The correlation of what a fit
 * leaves is too small, the more so the more freely it fits; the corrections here were found by simulation and lean to the cautious side.
 */
#include "forecast/numeric.h"
#include "forecast/significance.h"

#include <math.h>
#include <stdlib.h>

enum {
	MAX_VALUES = 1000,
	LEAST_SEGMENT = 5,
	LEAST_TREND = 8,
	WARM_UP = 20,
	MOST_DRAWS = 9999,
	ENOUGH_EXCEEDED = 30 /* then it is noise, and more draws only make that surer */
};

struct cut {
	size_t at;
	double t; /* absolute */
};

/* The cut of x[0 … n) with the largest difference of means in units of its standard error. */
static struct cut
best_cut(const double *x, size_t n)
{
	struct cut best = { 0 };
	double left = 0, sum = 0, squares = 0;
	for (size_t i = 0; i < n; i++) {
		sum += x[i];
		squares += x[i] * x[i];
	}
	double mean = sum / (double)n, total = squares - sum * mean;
	for (size_t k = 1; k + LEAST_SEGMENT <= n; k++) {
		left += x[k - 1];
		if (k < LEAST_SEGMENT)
			continue;
		double a = (double)k, b = (double)(n - k), off = left - a * mean;
		double between = off * off / a + off * off / b, within = fmax(1e-12 * total, total - between);
		double t = within > 0 ? sqrt(between * (double)(n - 2) / within) : 0;
		if (t > best.t)
			best = (struct cut){ k, t };
	}
	return best;
}

static double
cut_statistic(const double *x, size_t n)
{
	return best_cut(x, n).t;
}

/* Student's t of the least-squares slope, turned so that falling is large. */
static double
fall_statistic(const double *x, size_t n)
{
	double intercept, slope, middle = (double)(n - 1) / 2, rest = 0, spread = 0;
	numeric_line(x, n, &intercept, &slope);
	for (size_t i = 0; i < n; i++) {
		double off = x[i] - intercept - slope * (double)i;
		rest += off * off;
		spread += ((double)i - middle) * ((double)i - middle);
	}
	return rest > 0 ? -slope * sqrt(spread * (double)(n - 2) / rest) : slope < 0 ? 1e12 : 0;
}

/* Lag-1 correlation of what a fit leaves, with what the fit took from it given back, and some of its standard error for caution. */
static double
correlation_of(const double *rest, size_t n, double errors)
{
	double products = 0, squares = 0;
	for (size_t i = 0; i < n; i++) {
		products += i > 0 ? rest[i] * rest[i - 1] : 0;
		squares += rest[i] * rest[i];
	}
	double r = squares > 0 ? products / squares : 0;
	r += 7 * r / (double)n + errors / sqrt((double)n);
	return fmin(0.9, fmax(0, r));
}

struct judged_series {
	double *rest; /* what the fit leaves; then its innovations */
	double *drawn;
	size_t n;
	double correlation;
	double (*statistic)(const double *x, size_t n);
};

static void
draw(const struct judged_series *s, struct random_source *random)
{
	double last = 0;
	for (size_t i = 0; i < s->n + WARM_UP; i++) {
		size_t k = (size_t)(random_uniform(random) * (double)s->n);
		last = s->correlation * last + s->rest[k];
		if (i >= WARM_UP)
			s->drawn[i - WARM_UP] = last;
	}
}

/* Probability of a statistic as large by chance. */
static double
judged_p(struct judged_series *s, double statistic)
{
	struct random_source random;
	int exceeded = 0, done = 0;
	random_init(&random, 20240615 + s->n);
	for (size_t i = s->n; i-- > 1;)
		s->rest[i] -= s->correlation * s->rest[i - 1];
	s->rest[0] *= sqrt(1 - s->correlation * s->correlation);
	while (done < MOST_DRAWS && exceeded < ENOUGH_EXCEEDED) {
		draw(s, &random);
		exceeded += s->statistic(s->drawn, s->n) >= statistic;
		done++;
	}
	return exceeded < ENOUGH_EXCEEDED ? (double)(exceeded + 1) / (double)(done + 1)
					  : (double)exceeded / (double)done;
}

/* The known values of a series and where they stand. */
struct known {
	double *x, *rest, *drawn;
	size_t *at;
	size_t n;
};

static enum forecast_code
known_take(const double *values, size_t count, struct known *k)
{
	*k = (struct known){ 0 };
	if (count > MAX_VALUES)
		return FORECAST_BAD_COUNT;
	for (size_t i = 0; i < count; i++)
		if (isinf(values[i]))
			return FORECAST_BAD_VALUE;
	k->x = calloc(3 * count + 1, sizeof *k->x);
	k->at = calloc(count + 1, sizeof *k->at);
	if (!k->x || !k->at)
		return FORECAST_NO_MEMORY;
	k->rest = k->x + count;
	k->drawn = k->rest + count;
	for (size_t i = 0; i < count; i++)
		if (!isnan(values[i])) {
			k->at[k->n] = i;
			k->x[k->n++] = values[i];
		}
	return FORECAST_OK;
}

static bool
varies(const struct known *k)
{
	for (size_t i = 1; i < k->n; i++)
		if (k->x[i] != k->x[0])
			return true;
	return false;
}

static void
known_free(struct known *k)
{
	free(k->x);
	free(k->at);
}

static void
shift_fill(struct known *k, struct significance_shift *out)
{
	double middle = numeric_mean(k->x, k->n);
	for (size_t i = 0; i < k->n; i++)
		k->x[i] -= middle;
	struct cut cut = best_cut(k->x, k->n);
	if (cut.at == 0)
		return;
	double before = numeric_mean(k->x, cut.at), after = numeric_mean(k->x + cut.at, k->n - cut.at);
	for (size_t i = 0; i < k->n; i++)
		k->rest[i] = k->x[i] - (i < cut.at ? before : after);
	struct judged_series s = { k->rest, k->drawn, k->n, correlation_of(k->rest, k->n, 1.5),
		cut_statistic };
	*out = (struct significance_shift){
		.enough = true, .index = k->at[cut.at], .before = before + middle, .after = after + middle
	};
	out->p_value = judged_p(&s, cut.t);
}

enum forecast_code
significance_shift(const double *values, size_t count, struct significance_shift *out)
{
	struct known k;
	enum forecast_code code = known_take(values, count, &k);
	*out = (struct significance_shift){ .p_value = NAN };
	if (code == FORECAST_OK && k.n >= 2 * LEAST_SEGMENT && varies(&k))
		shift_fill(&k, out);
	known_free(&k);
	return code;
}

static void
fall_fill(struct known *k, struct significance_fall *out)
{
	double intercept, slope;
	numeric_line(k->x, k->n, &intercept, &slope);
	for (size_t i = 0; i < k->n; i++)
		k->rest[i] = k->x[i] - intercept - slope * (double)i;
	struct judged_series s = { k->rest, k->drawn, k->n, correlation_of(k->rest, k->n, 1),
		fall_statistic };
	*out = (struct significance_fall){ .enough = true };
	out->p_value = judged_p(&s, fall_statistic(k->x, k->n));
}

enum forecast_code
significance_fall(const double *values, size_t count, struct significance_fall *out)
{
	struct known k;
	enum forecast_code code = known_take(values, count, &k);
	*out = (struct significance_fall){ .p_value = NAN };
	if (code == FORECAST_OK && k.n >= LEAST_TREND && varies(&k))
		fall_fill(&k, out);
	known_free(&k);
	return code;
}
