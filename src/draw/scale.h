/*
 * Axes: from values to places, with ticks at round numbers. Every finite value up to DRAW_VALUE_MAX can be placed; anything else counts as
 * absent, so that no chart depends on its figures being sensible.
 */
#ifndef DRAW_SCALE_H
#define DRAW_SCALE_H

#include "base/buf.h"

#define DRAW_VALUE_MAX 1e300 /* differences of two such values are finite */
#define DRAW_TICKS_MAX 12

enum draw_notation {
	DRAW_PLAIN,  /* 1,200 and, on axes of large values, 1.2M */
	DRAW_PERCENT /* a fraction shown in percent: 0.025 is 2.5 % */
};

struct draw_scale {
	double low, high;   /* values at the ends, low < high */
	double from, to;    /* their places; from > to turns the axis round */
	double ticks[DRAW_TICKS_MAX];
	size_t tick_count;
	double step;
	enum draw_notation notation;
};

bool draw_value_is(double v);
/* Ends at round numbers that hold low and high (any order, equal ones too), with about `wanted` ticks (2 … 8). */
struct draw_scale draw_scale_make(double low, double high, int wanted);
double draw_scale_place(const struct draw_scale *s, double v);
/* A tick's text with as many decimals as the step needs. */
struct str draw_scale_text(struct arena *a, const struct draw_scale *s, double tick);

#endif
