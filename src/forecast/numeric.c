/*
 * Implementation of numeric.h. Order statistics use a quickselect with a median-of-three pivot that falls back to
 * heapsort, so that the worst case stays n log n; the normal quantile is a rough start polished by
 * Halley steps on erfc, exact to rounding.
 */
#include "forecast/numeric.h"

#include <math.h>

static void
sift_down(double *x, size_t root, size_t count)
{
	double v = x[root];
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && x[child + 1] > x[child])
			child++;
		if (x[child] <= v)
			break;
		x[root] = x[child];
	}
	x[root] = v;
}

static void
insertion_sort(double *x, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		double v = x[i];
		size_t j = i;
		for (; j > 0 && x[j - 1] > v; j--)
			x[j] = x[j - 1];
		x[j] = v;
	}
}

void
numeric_sort(double *x, size_t count)
{
	if (count <= 24) {
		insertion_sort(x, count);
		return;
	}
	for (size_t i = count / 2; i-- > 0;)
		sift_down(x, i, count);
	for (size_t end = count; --end > 0;) {
		double top = x[0];
		x[0] = x[end];
		x[end] = top;
		sift_down(x, 0, end);
	}
}

static void
swap(double *a, double *b)
{
	double t = *a;
	*a = *b;
	*b = t;
}

double
numeric_select(double *x, size_t count, size_t rank)
{
	size_t left = 0, right = count - 1;
	for (int round = 0; right > left && round < 128; round++) {
		size_t middle = left + (right - left) / 2;
		if (x[middle] < x[left])
			swap(&x[middle], &x[left]);
		if (x[right] < x[left])
			swap(&x[right], &x[left]);
		if (x[right] < x[middle])
			swap(&x[right], &x[middle]);
		double pivot = x[middle];
		size_t i = left, j = right;
		for (;;) {
			while (x[i] < pivot)
				i++;
			while (x[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap(&x[i++], &x[j--]);
		}
		if (rank <= j)
			right = j;
		else
			left = j + 1;
	}
	if (right > left) /* an unlucky sequence of pivots: sort what is left */
		numeric_sort(x + left, right - left + 1);
	return x[rank];
}

double
numeric_median(double *x, size_t count)
{
	if (count <= 24) {
		insertion_sort(x, count);
		return count % 2 ? x[count / 2] : (x[count / 2 - 1] + x[count / 2]) / 2;
	}
	double upper = numeric_select(x, count, count / 2);
	if (count % 2)
		return upper;
	double lower = x[0];
	for (size_t i = 1; i < count / 2; i++)
		lower = fmax(lower, x[i]);
	return (lower + upper) / 2;
}

double
numeric_sorted_quantile(const double *sorted, size_t count, double p)
{
	double at = p * (double)(count - 1);
	size_t i = (size_t)at;
	if (i + 1 >= count)
		return sorted[count - 1];
	double part = at - (double)i;
	return sorted[i] * (1 - part) + sorted[i + 1] * part;
}

double
numeric_mean(const double *x, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += x[i];
	return sum / (double)count;
}

void
numeric_line(const double *x, size_t count, double *intercept, double *slope)
{
	double mean = numeric_mean(x, count), middle = ((double)count - 1) / 2, sxy = 0, sxx = 0;
	for (size_t i = 0; i < count; i++) {
		double d = (double)i - middle;
		sxy += d * (x[i] - mean);
		sxx += d * d;
	}
	*slope = sxx > 0 ? sxy / sxx : 0;
	*intercept = mean - *slope * middle;
}

double
normal_cdf(double z)
{
	return erfc(-z * M_SQRT1_2) / 2;
}

double
normal_quantile(double p)
{
	if (p > 0.5)
		return -normal_quantile(1 - p);
	if (p == 0.5)
		return 0;
	/* Abramowitz & Stegun 26.2.23, error below 5e-4. */
	double t = sqrt(-2 * log(p));
	double z = -t + (2.515517 + t * (0.802853 + t * 0.010328)) /
				(1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
	for (int i = 0; i < 2; i++) {
		double density = exp(-z * z / 2) / sqrt(2 * M_PI);
		if (density <= 0)
			break;
		double step = (normal_cdf(z) - p) / density;
		z -= step / (1 + z * step / 2);
	}
	return z;
}

/* The continued fraction of the incomplete beta function (Lentz's method); about √(a + b) terms are needed. */
static double
beta_fraction(double x, double a, double b)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1);
	d = 1 / (fabs(d) < tiny ? tiny : d);
	double f = d;
	for (int i = 1; i <= 2000; i++) {
		double k = i;
		for (int half = 0; half < 2; half++) {
			double term = half == 0
					      ? k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
					      : -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
			d = 1 + term * d;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = 1 + term / c;
			c = fabs(c) < tiny ? tiny : c;
			f *= c * d;
		}
		if (fabs(c * d - 1) < 1e-14)
			break;
	}
	return f;
}

/* By Stirling's series; lgamma would write a global. */
double
log_gamma(double x)
{
	double shift = 0;
	for (; x < 12; x += 1)
		shift -= log(x);
	double r = 1 / (x * x);
	double series = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r / 1680))) / x;
	return shift + (x - 0.5) * log(x) - x + log(2 * M_PI) / 2 + series;
}

double
incomplete_beta(double x, double a, double b)
{
	if (x <= 0)
		return 0;
	if (x >= 1)
		return 1;
	double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
	return x < (a + 1) / (a + b + 2) ? front * beta_fraction(x, a, b) / a
					 : 1 - front * beta_fraction(1 - x, b, a) / b;
}

double
student_p_value(double t, double df)
{
	return incomplete_beta(df / (df + t * t), df / 2, 0.5);
}

static uint64_t
rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void
random_init(struct random_source *source, uint64_t seed)
{
	source->has_spare = false;
	for (int i = 0; i < 4; i++) {
		seed += 0x9e3779b97f4a7c15U;
		uint64_t z = seed;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
		source->state[i] = z ^ (z >> 31);
	}
}

double
random_uniform(struct random_source *source)
{
	uint64_t *s = source->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return (double)(result >> 11) * 0x1p-53;
}

/* Marsaglia's polar method. A pair is rejected with probability 0.21, so 200 rejections in a row do not happen. */
double
random_normal(struct random_source *source)
{
	if (source->has_spare) {
		source->has_spare = false;
		return source->spare;
	}
	for (int i = 0; i < 200; i++) {
		double a = 2 * random_uniform(source) - 1, b = 2 * random_uniform(source) - 1,
		       r = a * a + b * b;
		if (r >= 1 || r == 0)
			continue;
		double factor = sqrt(-2 * log(r) / r);
		source->spare = b * factor;
		source->has_spare = true;
		return a * factor;
	}
	return 0;
}

bool
numeric_cholesky_solve(double *a, size_t n, size_t stride, double *b)
{
	for (size_t i = 0; i < n; i++) {
		double *row = a + i * stride;
		for (size_t j = 0; j <= i; j++) {
			const double *other = a + j * stride;
			double sum = row[j];
			for (size_t k = 0; k < j; k++)
				sum -= row[k] * other[k];
			if (j < i) {
				row[j] = sum * other[j];
			} else {
				if (!(sum > 0))
					return false;
				row[i] = 1 / sqrt(sum); /* the diagonal holds reciprocals */
			}
		}
	}
	for (size_t i = 0; i < n; i++) {
		double sum = b[i];
		for (size_t k = 0; k < i; k++)
			sum -= a[i * stride + k] * b[k];
		b[i] = sum * a[i * stride + i];
	}
	for (size_t i = n; i-- > 0;) {
		b[i] *= a[i * stride + i];
		for (size_t k = 0; k < i; k++)
			b[k] -= a[i * stride + k] * b[i];
	}
	return true;
}

/* Brent's minimisation without derivatives (golden section with parabolic steps) on [a, b] from x with f(x) = fx. */
static double
brent(double (*f)(double, void *), void *context, double a, double b, double x, double fx, double tolerance)
{
	const double golden = 0.3819660112501051;
	double w = x, v = x, fw = fx, fv = fx, step = 0, before = 0;
	for (int i = 0; i < 60; i++) {
		double middle = (a + b) / 2, tol = tolerance / 3;
		if (fabs(x - middle) <= 2 * tol - (b - a) / 2)
			break;
		double r = (x - w) * (fx - fv), q = (x - v) * (fx - fw), p = (x - v) * q - (x - w) * r;
		q = 2 * (q - r);
		p = q > 0 ? -p : p;
		q = fabs(q);
		if (fabs(before) > tol && fabs(p) < fabs(q * before / 2) && p > q * (a - x) &&
			p < q * (b - x)) {
			before = step;
			step = p / q;
		} else {
			before = x < middle ? b - x : a - x;
			step = golden * before;
		}
		double u = x + (fabs(step) >= tol ? step : copysign(tol, step));
		u = fmin(fmax(u, a), b);
		double fu = f(u, context);
		if (fu <= fx) {
			if (u >= x)
				a = x;
			else
				b = x;
			v = w, fv = fw, w = x, fw = fx, x = u, fx = fu;
		} else {
			if (u < x)
				a = u;
			else
				b = u;
			if (fu <= fw || w == x)
				v = w, fv = fw, w = u, fw = fu;
			else if (fu <= fv || v == x || v == w)
				v = u, fv = fu;
		}
	}
	return x;
}

double
numeric_minimise(double (*f)(double, void *), void *context, struct scalar_search search)
{
	double best = search.low, least = INFINITY, width = (search.high - search.low) / (search.points - 1);
	for (int i = 0; i < search.points; i++) {
		double x = i + 1 < search.points ? search.low + i * width : search.high;
		double fx = f(x, context);
		if (fx < least) {
			least = fx;
			best = x;
		}
	}
	double a = fmax(search.low, best - width), b = fmin(search.high, best + width);
	double x = brent(f, context, a, b, best, least, search.tolerance);
	return f(x, context) <= least ? x : best;
}
