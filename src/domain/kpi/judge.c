/*
 * From a figure and a target to an achievement, and from there to a state. Pure arithmetic on exact decimals; what is read and stored
 * around it is in status.c.
 */
#include "domain/kpi/status.h"

#define ACHIEVEMENT_SCALE 6

static const struct decimal zero = { 0, 0 };
static const struct decimal one = { 1, 0 };
/* Lower is better and nothing is left: better than any fraction of the target. */
static const struct decimal best = { 10, 0 };

/* (value − from) / (to − from); false when there is no distance. */
static bool
way(struct decimal from, struct decimal to, struct decimal value, struct decimal *out)
{
	struct decimal gone, whole;
	return decimal_sub(value, from, &gone) && decimal_sub(to, from, &whole) && whole.coef != 0 &&
	       decimal_div(gone, whole, ACHIEVEMENT_SCALE, out);
}

static bool
in_range(const struct kpi *k, struct decimal value, struct decimal *out)
{
	struct decimal distance, fraction;

	if (decimal_cmp(value, k->min_value) >= 0 && decimal_cmp(value, k->max_value) <= 0) {
		*out = one;
		return true;
	}
	bool below = decimal_cmp(value, k->min_value) < 0;
	if (!(below ? decimal_sub(k->min_value, value, &distance)
		    : decimal_sub(value, k->max_value, &distance)) ||
		!decimal_add(distance, k->min_value, &distance))
		return false;
	/* The distance outside, as a part of the range's width. A range of one point has none: then any distance is too far. */
	if (!way(k->min_value, k->max_value, distance, &fraction) || !decimal_sub(one, fraction, out) ||
		out->coef < 0)
		*out = zero;
	return true;
}

static bool
higher_is_better(const struct kpi *k, struct decimal value, struct decimal target, struct decimal *out)
{
	if (decimal_cmp(target, zero) > 0)
		return decimal_div(value, target, ACHIEVEMENT_SCALE, out);
	if (!res_is_null(&kpi_res, k, "thresholds.min_value") && way(k->min_value, target, value, out))
		return true;
	*out = decimal_cmp(value, target) >= 0 ? one : zero;
	return true;
}

static bool
lower_is_better(const struct kpi *k, struct decimal value, struct decimal target, struct decimal *out)
{
	if (decimal_cmp(target, zero) > 0) {
		if (decimal_cmp(value, zero) <= 0 || !decimal_div(target, value, ACHIEVEMENT_SCALE, out) ||
			decimal_cmp(*out, best) > 0)
			*out = best;
		return true;
	}
	if (!res_is_null(&kpi_res, k, "thresholds.max_value") && way(k->max_value, target, value, out))
		return true;
	*out = decimal_cmp(value, target) <= 0 ? one : zero;
	return true;
}

bool
kpi_achievement(const struct kpi *k, struct decimal value, struct decimal target, struct decimal *out)
{
	switch ((enum kpi_direction)k->direction) {
	case KPI_HIGHER:
		return higher_is_better(k, value, target, out);
	case KPI_LOWER:
		return lower_is_better(k, value, target, out);
	case KPI_RANGE:
		return in_range(k, value, out);
	}
	return false;
}

/* A threshold as a fraction of the achievement; multiples of the target (lower is better, above 1) are turned round. */
static struct decimal
as_fraction(const struct kpi *k, struct decimal threshold)
{
	struct decimal f;
	if (k->direction == KPI_LOWER && decimal_cmp(threshold, one) > 0 &&
		decimal_div(one, threshold, ACHIEVEMENT_SCALE, &f))
		return f;
	return threshold;
}

static struct decimal
with_hysteresis(const struct kpi *k, struct decimal threshold)
{
	struct decimal sum;
	return decimal_add(threshold, k->hysteresis, &sum) ? sum : threshold;
}

enum kpi_state
kpi_judge(const struct kpi *k, struct decimal achievement, enum kpi_state previous)
{
	/* A range is kept or not: outside it nothing is on track, and being inside is as good as it gets. */
	struct decimal warning = k->direction == KPI_RANGE ? one : as_fraction(k, k->warning_threshold);
	struct decimal critical = as_fraction(k, k->critical_threshold);

	if (previous == KPI_CRITICAL)
		critical = with_hysteresis(k, critical);
	if ((previous == KPI_CRITICAL || previous == KPI_WARNING) && k->direction != KPI_RANGE)
		warning = with_hysteresis(k, warning);
	if (decimal_cmp(achievement, warning) >= 0)
		return KPI_ON_TRACK;
	return decimal_cmp(achievement, critical) >= 0 ? KPI_WARNING : KPI_CRITICAL;
}
