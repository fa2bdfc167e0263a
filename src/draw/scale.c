/* Round steps (1, 2, 5 times a power of ten) and their texts. */
#include "draw/scale.h"
#include <math.h>

bool
draw_value_is(double v)
{
	return isfinite(v) && fabs(v) <= DRAW_VALUE_MAX;
}

/* A range in which neighbouring ticks are different numbers, however close or equal the ends are. */
static void
widen(double *low, double *high)
{
	double size = fmax(fabs(*low), fabs(*high));
	double least = fmax(size * 1e-9, 1e-290);

	if (*high - *low >= least)
		return;
	double half = size < 1e-280 ? 0.5 : size * 0.05;
	*low -= half;
	*high += half;
}

static double
round_step(double rough)
{
	double power = pow(10, floor(log10(rough)));
	double digits = rough / power;

	return (digits <= 1 ? 1 : digits <= 2 ? 2 : digits <= 5 ? 5 : 10) * power;
}

struct draw_scale
draw_scale_make(double low, double high, int wanted)
{
	struct draw_scale s = { .low = fmin(low, high), .high = fmax(low, high), .from = 0, .to = 1 };

	widen(&s.low, &s.high);
	s.step = round_step((s.high - s.low) / wanted);
	double first = floor(s.low / s.step + 1e-9), last = ceil(s.high / s.step - 1e-9);
	s.low = first * s.step;
	s.high = last * s.step;
	for (double k = first; k <= last && s.tick_count < DRAW_TICKS_MAX; k++)
		s.ticks[s.tick_count++] = k * s.step;
	return s;
}

double
draw_scale_place(const struct draw_scale *s, double v)
{
	double part = (v - s->low) / (s->high - s->low);

	return s->from + fmin(fmax(part, 0), 1) * (s->to - s->from);
}

/* Digits behind the point that tell neighbouring ticks apart. */
static int
decimals_of(double step)
{
	int n = 0;

	while (n < 9 && fabs(step - round(step)) > 1e-6 * step) {
		step *= 10;
		n++;
	}
	return n;
}

static void
add_grouped(struct buf *b, struct str digits)
{
	size_t i = digits.n && digits.p[0] == '-';
	size_t whole = str_index(digits, '.', 0);

	if (i)
		buf_add_lit(b, "\xE2\x88\x92"); /* minus sign */
	for (; i < digits.n; i++) {
		buf_add_byte(b, digits.p[i]);
		if (i + 1 < whole && (whole - i - 1) % 3 == 0)
			buf_add_byte(b, ',');
	}
}

struct str
draw_scale_text(struct arena *a, const struct draw_scale *s, double tick)
{
	static const struct {
		double unit;
		const char *sign;
	} units[] = { { 1e12, "T" }, { 1e9, "B" }, { 1e6, "M" }, { 1e4, "k" } };
	double size = fmax(fabs(s->low), fabs(s->high));
	struct buf b;

	buf_init_arena(&b, a, 512);
	if (s->notation == DRAW_PERCENT && size < 1e9) {
		add_grouped(&b, arena_fmt(a, "%.*f", decimals_of(s->step * 100), tick * 100 + 0.0));
		buf_add_lit(&b, " %");
		return buf_str(&b);
	}
	if (size >= 1e15 || (size < 1e-6 && size > 0))
		return arena_fmt(a, "%.3g", tick + 0.0);
	for (size_t i = 0; i < COUNT(units); i++) {
		double unit = units[i].unit == 1e4 ? 1e3 : units[i].unit;
		if (size < units[i].unit)
			continue;
		add_grouped(&b, arena_fmt(a, "%.*f", decimals_of(s->step / unit), tick / unit + 0.0));
		if (tick != 0)
			buf_add_fmt(&b, "%s", units[i].sign);
		return buf_str(&b);
	}
	add_grouped(&b, arena_fmt(a, "%.*f", decimals_of(s->step), tick + 0.0));
	return buf_str(&b);
}
