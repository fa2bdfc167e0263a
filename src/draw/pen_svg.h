/* The pen that writes SVG elements into a buffer; colours are classes (chart.h names the style sheet). */
#ifndef DRAW_PEN_SVG_H
#define DRAW_PEN_SVG_H

#include "base/buf.h"
#include "draw/pen.h"

struct draw_pen_svg {
	struct draw_pen pen;
	struct buf *out;
};
void draw_pen_svg_init(struct draw_pen_svg *p, struct arena *a, struct buf *out);

#endif
