/*
 * What a chart is drawn with: lines, boxes, dots and one-line texts in points from the top left corner. Two pens exist, one that draws on
 * a page (document.h) and one that writes SVG (pen_svg.h), so that a chart is laid out once for both.
 */
#ifndef DRAW_PEN_H
#define DRAW_PEN_H

#include "base/arena.h"
#include "draw/colour.h"

struct draw_point {
	double x, y;
};
struct draw_box {
	double x, y, w, h;
};
struct draw_stroke {
	enum draw_role role;
	double width;
	bool dashed;
};
enum draw_anchor { DRAW_START, DRAW_MIDDLE, DRAW_END };
struct draw_label {
	struct draw_point at; /* y: the middle of the small letters */
	enum draw_anchor anchor;
	double size;
	double max_width; /* a longer text is cut and ends with "…"; 0: any */
	enum draw_role role;
	bool bold;
};

struct draw_pen;
struct draw_pen_ops {
	void (*path)(struct draw_pen *p, const struct draw_point *points, size_t count, struct draw_stroke s);
	void (*box)(struct draw_pen *p, struct draw_box b, enum draw_role role);
	void (*dot)(struct draw_pen *p, struct draw_point at, double radius, enum draw_role role);
	void (*label)(struct draw_pen *p, const struct draw_label *l, struct str text);
	double (*width)(struct draw_pen *p, double size, struct str text);
};
/* First member of either pen. */
struct draw_pen {
	const struct draw_pen_ops *ops;
	struct arena *arena;
};

#endif
