/*
 * Charts: bars and dots lie beside their labels from top to bottom, lines run along them from left to right. A point may have an interval
 * and a target mark; what is absent (NaN, infinite, beyond DRAW_VALUE_MAX) leaves a gap. A chart is laid out once, for a page
 * (draw_chart in document.h) and for SVG. Colours never stand alone: each figure has its text, each series its name.
 */
#ifndef DRAW_CHART_H
#define DRAW_CHART_H

#include "draw/pen.h"
#include "draw/scale.h"

enum chart_kind { CHART_BAR, CHART_DOT, CHART_LINE };

struct chart_point {
	double value;
	double low, high; /* interval; NaN: none */
	double target;    /* NaN: none */
	struct str text;  /* the figure as text, written beside bars and dots; may be empty */
};
/* A point without interval and target. */
struct chart_point chart_value(double value, struct str text);

struct chart_series {
	struct str name;                  /* shown when there are several */
	const struct chart_point *points; /* one for each label */
};

struct chart {
	enum chart_kind kind;
	struct str title, description; /* of the SVG element; on a page the text around says it */
	struct str unit;               /* stands at the axis of values: "EUR"; may be empty */
	const struct str *labels;
	size_t label_count;
	const struct chart_series *series;
	size_t series_count;
	double target;          /* a line across all points; NaN: none */
	struct str target_text; /* beside it */
	enum draw_notation notation;
};

/* Height that gives bars and dots room for every label; of lines one that looks right at the width. */
double chart_height(const struct chart *c, double width);
/* Draws into the box (0, 0, size.x, size.y). An empty chart says "No values". */
void chart_draw(struct draw_pen *pen, const struct chart *c, struct draw_point size);

/*
 * An <svg> element with role="img", title and description; id makes its own ids unique in the page (letters, digits, "-"). The style
 * sheet gives every role its colour: .fill-accent { fill: … } .line-accent { stroke: …; fill: none }, as chart_svg_style writes them from
 * custom properties named --accent and so on.
 */
void chart_svg(struct arena *a, const struct chart *c, struct str id, double width, struct buf *out);
void chart_svg_style(struct buf *out);

#endif
