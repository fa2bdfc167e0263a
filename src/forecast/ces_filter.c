/*
 * Filtering with back-casting. States live in rings, slot t mod lag, and each pass overwrites them in place: forward,
 * then on without errors through the tail, backward over the series read in reverse, on without errors through the
 * head, and forward again from there. A pair (l, c) at some lag moves by
 * l ← l − (1 − a1)c + (a0 − a1)ε, c ← l + (1 − a0)c + (a0 + a1)ε, on the right the states one lag before.
 */
#include "forecast/ces_filter.h"

#include "forecast/vector_clones.h"

#include <string.h>

/* What a pair is multiplied by, from its two parameters. */
struct pair_factors {
	ces_lanes cross, keep, level_gain, complex_gain;
};

static inline __attribute__((always_inline)) void
factors_fill(const ces_lanes *parameters, struct pair_factors *f)
{
	f->cross = 1 - parameters[1];
	f->keep = 1 - parameters[0];
	f->level_gain = parameters[0] - parameters[1];
	f->complex_gain = parameters[0] + parameters[1];
}

static inline __attribute__((always_inline)) void
pair_move(ces_lanes *pair, const struct pair_factors *f, const ces_lanes *shock)
{
	ces_lanes l = pair[0], c = pair[1], error = *shock;
	pair[0] = l - f->cross * c + f->level_gain * error;
	pair[1] = l + f->keep * c + f->complex_gain * error;
}

static inline __attribute__((always_inline)) void
pair_drift(ces_lanes *pair, const struct pair_factors *f)
{
	ces_lanes l = pair[0], c = pair[1];
	pair[0] = l - f->cross * c;
	pair[1] = l + f->keep * c;
}

struct rings {
	ces_lanes *level, *season;
	size_t level_lag, season_lag;
};

static struct rings
rings_of(const struct ces_filter *filter)
{
	return (struct rings){ filter->ring, filter->ring + 2 * filter->m, ces_lag(filter), filter->m };
}

static void
states_start(const struct ces_filter *filter, struct rings r)
{
	const ces_lanes zero = { 0 };
	for (size_t i = 0; i < r.level_lag; i++) {
		r.level[2 * i] = zero + filter->level;
		r.level[2 * i + 1] = zero + filter->level / 1.1;
	}
	for (size_t i = 0; filter->type == CES_FULL && i < r.season_lag; i++) {
		r.season[2 * i] = zero + filter->figure[i];
		r.season[2 * i + 1] = zero + filter->figure[i] / 1.1;
	}
}

/* One pass of a single pair; direction +1 forward, −1 backward. */
static inline __attribute__((always_inline)) void
pass_single(const struct ces_filter *filter, struct rings r, bool backward, ces_lanes *errors, ces_lanes *out)
{
	struct pair_factors f;
	ces_lanes squares = { 0 };
	size_t n = filter->n, lag = r.level_lag, slot = backward ? (n - 1) % lag : 0;
	factors_fill(filter->parameters, &f);
	for (size_t i = 0; i < n; i++) {
		size_t t = backward ? n - 1 - i : i;
		ces_lanes *pair = r.level + 2 * slot, error = filter->y[t] - pair[0];
		pair_move(pair, &f, &error);
		squares += error * error;
		if (errors)
			errors[t] = error;
		if (backward)
			slot = slot == 0 ? lag - 1 : slot - 1;
		else
			slot = slot + 1 == lag ? 0 : slot + 1;
	}
	*out = squares;
}

static inline __attribute__((always_inline)) void
pass_full(const struct ces_filter *filter, struct rings r, bool backward, ces_lanes *errors, ces_lanes *out)
{
	struct pair_factors fa, fb;
	ces_lanes squares = { 0 }, level[2] = { r.level[0], r.level[1] };
	size_t n = filter->n, lag = r.season_lag, slot = backward ? (n - 1) % lag : 0;
	factors_fill(filter->parameters, &fa);
	factors_fill(filter->parameters + 2, &fb);
	for (size_t i = 0; i < n; i++) {
		size_t t = backward ? n - 1 - i : i;
		ces_lanes *season = r.season + 2 * slot, error = filter->y[t] - season[0] - level[0];
		pair_move(level, &fa, &error);
		pair_move(season, &fb, &error);
		squares += error * error;
		if (errors)
			errors[t] = error;
		if (backward)
			slot = slot == 0 ? lag - 1 : slot - 1;
		else
			slot = slot + 1 == lag ? 0 : slot + 1;
	}
	memcpy(r.level, level, sizeof level);
	*out = squares;
}

/* Every state one lag on without an error: the tail after the series, or the head before it. */
static void
states_drift(const struct ces_filter *filter, struct rings r)
{
	struct pair_factors fa, fb;
	factors_fill(filter->parameters, &fa);
	factors_fill(filter->parameters + 2, &fb);
	for (size_t i = 0; i < r.level_lag; i++)
		pair_drift(r.level + 2 * i, &fa);
	for (size_t i = 0; filter->type == CES_FULL && i < r.season_lag; i++)
		pair_drift(r.season + 2 * i, &fb);
}

VECTOR_CLONES static void
run_single(struct ces_filter *filter, struct rings r, ces_lanes *errors, ces_lanes *squares)
{
	pass_single(filter, r, false, NULL, squares);
	states_drift(filter, r);
	pass_single(filter, r, true, NULL, squares);
	states_drift(filter, r);
	pass_single(filter, r, false, errors, squares);
}

VECTOR_CLONES static void
run_full(struct ces_filter *filter, struct rings r, ces_lanes *errors, ces_lanes *squares)
{
	pass_full(filter, r, false, NULL, squares);
	states_drift(filter, r);
	pass_full(filter, r, true, NULL, squares);
	states_drift(filter, r);
	pass_full(filter, r, false, errors, squares);
}

void
ces_filter_run(struct ces_filter *filter, ces_lanes *errors, ces_lanes *squares)
{
	struct rings r = rings_of(filter);
	states_start(filter, r);
	if (filter->type == CES_FULL)
		run_full(filter, r, errors, squares);
	else
		run_single(filter, r, errors, squares);
}

double
ces_filter_next(struct ces_filter *filter, size_t step)
{
	struct rings r = rings_of(filter);
	struct pair_factors fa, fb;
	factors_fill(filter->parameters, &fa);
	factors_fill(filter->parameters + 2, &fb);
	ces_lanes *level = r.level + 2 * ((filter->n + step) % r.level_lag);
	double mean = level[0][0];
	pair_drift(level, &fa);
	if (filter->type == CES_FULL) {
		ces_lanes *season = r.season + 2 * ((filter->n + step) % r.season_lag);
		mean += season[0][0];
		pair_drift(season, &fb);
	}
	return mean;
}
