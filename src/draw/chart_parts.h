/* What the parts of the chart room share: frame and range of a chart. */
#ifndef DRAW_CHART_PARTS_H
#define DRAW_CHART_PARTS_H

#include "draw/chart.h"

#define CHART_TEXT	10.0 /* size of texts */
#define CHART_ROW	18.0 /* height of a bar or dot with its space, one series */
#define CHART_ROW_MORE	11.0 /* of each further series */
#define CHART_AXIS	20.0 /* room of the axis of values below bars and dots */
#define CHART_LEGEND	18.0

struct chart_range {
	double low, high;
	bool any;
};
/* Of every value, interval and target. */
struct chart_range chart_range_of(const struct chart *c);
enum draw_role chart_series_role(size_t series);
void chart_label(struct draw_pen *p, struct draw_label l, struct str text);
void chart_draw_rows(struct draw_pen *p, const struct chart *c, struct draw_box frame);
void chart_draw_lines(struct draw_pen *p, const struct chart *c, struct draw_box frame);

#endif
