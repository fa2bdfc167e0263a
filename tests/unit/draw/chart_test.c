/* Scales and charts: everything lies inside the picture, whatever the figures are. */
#include "draw/chart.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A pen that looks where it is asked to draw. */
struct looking_pen {
	struct draw_pen pen;
	struct draw_point size;
	size_t boxes, dots, paths, labels;
	bool outside;
	struct str texts[200];
};

static void
look(struct draw_pen *p, double x, double y)
{
	struct looking_pen *l = (struct looking_pen *)p;
	bool inside =
		isfinite(x) && isfinite(y) && x >= -1 && y >= -1 && x <= l->size.x + 1 && y <= l->size.y + 1;

	l->outside = l->outside || !inside;
}

static void
look_path(struct draw_pen *p, const struct draw_point *points, size_t count, struct draw_stroke s)
{
	assert_true(s.width > 0);
	for (size_t i = 0; i < count; i++)
		look(p, points[i].x, points[i].y);
	((struct looking_pen *)p)->paths++;
}

static void
look_box(struct draw_pen *p, struct draw_box b, enum draw_role role)
{
	(void)role;
	assert_true(b.w >= 0 && b.h >= 0);
	look(p, b.x, b.y);
	look(p, b.x + b.w, b.y + b.h);
	((struct looking_pen *)p)->boxes++;
}

static void
look_dot(struct draw_pen *p, struct draw_point at, double radius, enum draw_role role)
{
	(void)radius;
	(void)role;
	look(p, at.x, at.y);
	((struct looking_pen *)p)->dots++;
}

static void
look_label(struct draw_pen *p, const struct draw_label *label, struct str text)
{
	struct looking_pen *l = (struct looking_pen *)p;

	look(p, label->at.x, label->at.y);
	assert_true(str_is_utf8(text));
	if (l->labels < COUNT(l->texts))
		l->texts[l->labels] = text;
	l->labels++;
}

static double
look_width(struct draw_pen *p, double size, struct str text)
{
	(void)p;
	return size * 0.6 * (double)str_utf8_len(text);
}

static const struct draw_pen_ops looking = { look_path, look_box, look_dot, look_label, look_width };

static struct looking_pen
draw(struct arena *a, const struct chart *c)
{
	struct looking_pen l = { .pen = { &looking, a }, .size = { 420, chart_height(c, 420) } };

	assert_true(isfinite(l.size.y) && l.size.y > 0);
	chart_draw(&l.pen, c, l.size);
	assert_false(l.outside);
	return l;
}

static void
ticks_are_round_rising_and_hold_the_range(void **state)
{
	static const double ends[] = { 0, 1, -1, 0.1, 3e-7, 999, 12345.678, -4e9, 1e15, 1e15 + 1, 1e300,
		-1e300, DBL_MIN, 5e-324, 1 / 3.0 };
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++)
		for (size_t j = 0; j < COUNT(ends); j++)
			for (int wanted = 2; wanted <= 8; wanted++) {
				struct draw_scale s = draw_scale_make(ends[i], ends[j], wanted);
				assert_true(s.low < s.high && s.tick_count >= 2);
				assert_true(s.low <= fmin(ends[i], ends[j]) + s.step * 1e-6);
				assert_true(s.high >= fmax(ends[i], ends[j]) - s.step * 1e-6);
				for (size_t t = 1; t < s.tick_count; t++) {
					assert_true(s.ticks[t] > s.ticks[t - 1]);
					struct str one = draw_scale_text(a, &s, s.ticks[t - 1]),
						   other = draw_scale_text(a, &s, s.ticks[t]);
					/* Neighbours read differently as long as doubles of that size can be told apart in a few digits. */
					if (fabs(s.high) < 1e9 && s.step > 1e-6 && fabs(s.low) < 1e9)
						assert_false(str_eq(one, other));
				}
				assert_true(draw_scale_place(&s, ends[i]) >= 0 &&
					    draw_scale_place(&s, ends[i]) <= 1);
			}
	arena_free(a);
}

static void
assert_tick(double low, double high, enum draw_notation notation, double tick, const char *expected)
{
	struct arena *a = arena_new(1 << 16);
	struct draw_scale s = draw_scale_make(low, high, 5);

	s.notation = notation;
	assert_string_equal(arena_cstr(a, draw_scale_text(a, &s, tick)), expected);
	arena_free(a);
}

static void
ticks_read_as_people_write_figures(void **state)
{
	(void)state;
	assert_tick(0, 5000, DRAW_PLAIN, 2000, "2,000");
	assert_tick(0, 50000, DRAW_PLAIN, 20000, "20k");
	assert_tick(0, 5e6, DRAW_PLAIN, 1e6, "1M");
	assert_tick(0, 3e6, DRAW_PLAIN, 0, "0");
	assert_tick(-2, 2, DRAW_PLAIN, -1,
		"\xE2\x88\x92"
		"1");
	assert_tick(0, 1, DRAW_PLAIN, 0.2, "0.2");
	assert_tick(0, 0.05, DRAW_PERCENT, 0.01, "1 %");
	assert_tick(0, 0.004, DRAW_PERCENT, 0.001, "0.1 %");
}

static const double odd[] = { 0, 1, -1, 42, NAN, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, 1e300, -1e300,
	5e-324, 1e-9, 1e17 };

/* Every chart of one to three odd points, of every kind, with targets and intervals of the same oddity. */
static void
no_figure_leads_outside_the_picture(void **state)
{
	struct arena *a = arena_new(64 << 20);
	struct str labels[] = { STR("a"), STR("b"), STR("c") };

	(void)state;
	for (size_t i = 0; i < COUNT(odd) * COUNT(odd) * COUNT(odd); i++) {
		struct arena_mark mark = arena_mark(a);
		double x = odd[i % COUNT(odd)], y = odd[i / COUNT(odd) % COUNT(odd)],
		       z = odd[i / COUNT(odd) / COUNT(odd)];
		struct chart_point points[] = { { x, y, z, y, STR("x") }, { y, z, x, NAN, STR("") },
			{ z, x, y, x, STR("z") } };
		struct chart_series series[] = { { STR("one"), points }, { STR("two"), points } };
		for (int kind = CHART_BAR; kind <= CHART_LINE; kind++)
			for (size_t n = 0; n <= 3; n++) {
				struct chart c = { .kind = (enum chart_kind)kind,
					.labels = labels,
					.label_count = n,
					.series = series,
					.series_count = 1 + n % 2,
					.target = z,
					.target_text = STR("target"),
					.notation = (enum draw_notation)(i % 2) };
				draw(a, &c);
			}
		arena_release(a, mark);
	}
	arena_free(a);
}

static void
what_is_absent_leaves_a_gap_and_what_is_there_is_drawn(void **state)
{
	struct arena *a = arena_new(4 << 20);
	struct str labels[] = { STR("a"), STR("b"), STR("c"), STR("d"), STR("e") };
	struct chart_point p[] = { chart_value(1, STR("1")), chart_value(2, STR("2")),
		chart_value(NAN, STR("\xE2\x80\x93")), chart_value(INFINITY, STR("")),
		chart_value(5, STR("5")) };
	struct chart_series s[] = { { STR("x"), p } };
	struct chart c = { .kind = CHART_BAR,
		.labels = labels,
		.label_count = 5,
		.series = s,
		.series_count = 1,
		.target = NAN };

	(void)state;
	assert_int_equal(draw(a, &c).boxes, 3);
	c.kind = CHART_DOT;
	assert_int_equal(draw(a, &c).dots, 3);
	c.kind = CHART_LINE;
	/* Dots of the three, one of them again because it stands alone; a line through the first two. */
	assert_int_equal(draw(a, &c).dots, 4);
	c.label_count = 0;
	struct looking_pen none = draw(a, &c);
	assert_int_equal(none.labels, 1);
	assert_true(str_eq(none.texts[0], STR("No values")));
	arena_free(a);
}

static void
svg_tells_what_it_shows_and_no_text_breaks_out_of_it(void **state)
{
	struct arena *a = arena_new(4 << 20);
	struct str labels[] = { STR("</text><script>alert(1)</script>") };
	struct chart_point p[] = { chart_value(1, STR("\"1\" & more")) };
	struct chart_series s[] = { { STR("<b>"), p } };
	struct chart c = { .kind = CHART_BAR,
		.title = STR("CTR <by> channel"),
		.description = STR("&"),
		.labels = labels,
		.label_count = 1,
		.series = s,
		.series_count = 1,
		.target = NAN };
	struct buf b;

	(void)state;
	buf_init_arena(&b, a, 1 << 20);
	chart_svg(a, &c, STR("c1"), 420, &b);
	const char *text = arena_cstr(a, buf_str(&b));
	assert_non_null(strstr(text, "role=\"img\" aria-labelledby=\"c1-t c1-d\""));
	assert_non_null(strstr(
		text, "<title id=\"c1-t\">CTR &lt;by&gt; channel</title><desc id=\"c1-d\">&amp;</desc>"));
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "<b>"));
	assert_non_null(strstr(text, "&quot;1&quot; &amp; more"));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_round_rising_and_hold_the_range),
		cmocka_unit_test(ticks_read_as_people_write_figures),
		cmocka_unit_test(no_figure_leads_outside_the_picture),
		cmocka_unit_test(what_is_absent_leaves_a_gap_and_what_is_there_is_drawn),
		cmocka_unit_test(svg_tells_what_it_shows_and_no_text_breaks_out_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
