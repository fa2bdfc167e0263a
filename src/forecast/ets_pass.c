/*
 * One pass of an ETS model with derivatives for four parameters (see ets_pass.h): the derivatives of each state are one
 * vector that stays in registers. The loop is written once and compiled for each kind of season, with and without
 * multiplicative errors; ets_fit.c has the general form for any number of lanes.
 */
#include "forecast/ets_pass.h"

#include "forecast/vector_clones.h"

#include <math.h>
#include <string.h>

typedef double lanes4 __attribute__((vector_size(PASS_LANES * sizeof(double))));

static const double least_mean = 1e-30;

/* The arguments of a pass. */
struct job {
	const double *y;
	size_t n, m;
	const struct ets_pass_seeds *seeds;
	struct ets_state *s;
	lanes4 *season;
	struct ets_pass_sums *sums;
};

static inline __attribute__((always_inline)) void
load(lanes4 *to, const double *from)
{
	memcpy(to, from, sizeof *to);
}

/* What is summed up along the way. */
struct totals {
	lanes4 gradient, normal[PASS_LANES], log_slopes;
	double squares, logs, product;
};

static inline __attribute__((always_inline)) void
totals_add(struct totals *t, const lanes4 *slopes, double error)
{
	lanes4 row = *slopes;
	t->squares += error * error;
	t->gradient += row * error;
	for (int k = 0; k < PASS_LANES; k++)
		t->normal[k] += row * row[k];
}

static void
totals_store(const struct totals *t, bool relative, struct ets_pass_sums *sums)
{
	sums->squares = t->squares;
	sums->log_means = relative ? t->logs + log(t->product) : 0;
	memcpy(sums->gradient, &t->gradient, sizeof sums->gradient);
	memcpy(sums->normal, t->normal, sizeof sums->normal);
	memcpy(sums->log_mean_slopes, &t->log_slopes, sizeof sums->log_mean_slopes);
}

static inline __attribute__((always_inline)) void
pass(const struct job *job, enum season_kind kind, bool relative)
{
	struct ets_state *s = job->s;
	double alpha = s->alpha, beta = s->beta, gamma = s->gamma, phi = s->phi, l = s->level, b = s->slope;
	lanes4 level = { 0 }, slope = { 0 }, level_seed, slope_seed, season_seed, none = { 0 };
	lanes4 phi_seed = { 0, 0, 0, job->seeds->phi ? 1 : 0 };
	struct totals t = { .product = 1 };
	load(&level_seed, job->seeds->level);
	load(&slope_seed, job->seeds->slope);
	load(&season_seed, job->seeds->season);
	job->sums->log_means = NAN;
	for (size_t i = 0, phase = 0; i < job->n; i++) {
		double push = phi * b, q = l + push, state = kind == SEASON_NONE ? 0 : s->season[phase];
		double mean = kind == SEASON_MULTIPLICATIVE ? q * state : q + state, d = job->y[i] - mean;
		if (kind == SEASON_MULTIPLICATIVE && !(q > least_mean && state > least_mean))
			return;
		lanes4 season = kind == SEASON_NONE ? none : job->season[phase];
		lanes4 pushes = phi * slope + phi_seed * b, qs = level + pushes;
		lanes4 ds = kind == SEASON_MULTIPLICATIVE ? -(qs * state + q * season) : -(qs + season);
		if (relative) {
			if (!(mean > least_mean))
				return;
			double inverse = 1 / mean;
			lanes4 row = ds * (job->y[i] * inverse * inverse);
			t.log_slopes -= ds * inverse;
			totals_add(&t, &row, d * inverse);
			t.product *= mean;
			if (i % 8 == 7) {
				t.logs += log(t.product);
				t.product = 1;
			}
		} else {
			totals_add(&t, &ds, d);
		}
		double r = d, rs = d;
		lanes4 errors = ds, season_errors = ds;
		if (kind == SEASON_MULTIPLICATIVE) {
			double inverse_state = 1 / state, inverse_q = 1 / q;
			r = d * inverse_state;
			rs = d * inverse_q;
			errors = (ds - r * season) * inverse_state;
			season_errors = (ds - rs * qs) * inverse_q;
		}
		level = qs + alpha * errors + level_seed * r;
		slope = pushes + beta * errors + slope_seed * r;
		l = q + alpha * r;
		b = push + beta * r;
		if (kind != SEASON_NONE) {
			job->season[phase] = season + gamma * season_errors + season_seed * rs;
			s->season[phase] += gamma * rs;
			phase = phase + 1 == job->m ? 0 : phase + 1;
		}
	}
	s->level = l;
	s->slope = b;
	totals_store(&t, relative, job->sums);
}

VECTOR_CLONES static void
pass_none(const struct job *job, bool relative)
{
	if (relative)
		pass(job, SEASON_NONE, true);
	else
		pass(job, SEASON_NONE, false);
}

VECTOR_CLONES static void
pass_additive(const struct job *job, bool relative)
{
	if (relative)
		pass(job, SEASON_ADDITIVE, true);
	else
		pass(job, SEASON_ADDITIVE, false);
}

VECTOR_CLONES static void
pass_multiplicative(const struct job *job)
{
	pass(job, SEASON_MULTIPLICATIVE, true);
}

void
ets_pass_run(const double *y, size_t n, const struct ets_form *form, const struct ets_pass_seeds *seeds,
	struct ets_state *s, double *scratch, struct ets_pass_sums *sums)
{
	struct job job = { y, n, form->m, seeds, s, (lanes4 *)(void *)scratch, sums };
	memset(scratch, 0, form->m * PASS_LANES * sizeof *scratch);
	switch (form->season) {
	case SEASON_NONE:
		pass_none(&job, form->multiplicative_error);
		break;
	case SEASON_ADDITIVE:
		pass_additive(&job, form->multiplicative_error);
		break;
	case SEASON_MULTIPLICATIVE:
		pass_multiplicative(&job);
		break;
	}
}
