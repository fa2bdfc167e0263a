/*
 * The figures of a report: measured values brought together exactly, in total and by channel, source and period. Counts and amounts add
 * up; a ratio comes from the sums of its parts wherever both are there (clicks by impressions, not the mean of daily CTRs), and is the
 * mean of what was entered otherwise, and says which. Pure: values in, figures out, every step on decimals.
 */
#ifndef CAMPAIGN_REPORT_FIGURES_H
#define CAMPAIGN_REPORT_FIGURES_H

#include "domain/campaign/campaign.h"

enum report_axis { REPORT_TOTAL, REPORT_CHANNEL, REPORT_SOURCE, REPORT_PERIOD, REPORT_AXES };
enum report_basis {
	REPORT_ABSENT,   /* no value, or none that fits a decimal */
	REPORT_SUM,
	REPORT_COMPUTED, /* a ratio of sums */
	REPORT_AVERAGED  /* the mean of values entered as they are */
};
extern const char *const report_basis_names[];
/* What a figure's number is: how it is shown, and its unit in the JSON. */
enum report_unit {
	REPORT_COUNT,
	REPORT_MONEY,  /* of the company's currency */
	REPORT_RATIO,  /* a fraction, shown in percent */
	REPORT_FACTOR, /* a multiple, as ROI and ROAS are entered */
	REPORT_OTHER   /* the KPI's own unit */
};

struct report_metric {
	struct str name;
	struct str kpi_id; /* empty: derived from others */
	int part;          /* enum campaign_metric_part */
	bool adds_up;
	enum report_unit unit;
	struct str unit_text; /* of REPORT_OTHER; may be empty */
};

struct report_figure {
	enum report_basis basis;
	struct decimal value;
	int64_t values;     /* entered under the metric's name; 0 of a derived figure */
	bool has_entered;   /* of a computed ratio that was entered too: the mean of what was entered */
	struct decimal entered;
	bool has_interval;  /* of a computed share (clicks of impressions, conversions of clicks): Wilson, 95 % */
	double low, high;
};

struct report_slices {
	struct str *names; /* "" is: not given */
	size_t count;
};

struct report_figures;
/* currency_decimals: amounts keep at least so many. */
struct report_figures *report_figures_new(struct arena *a, int currency_decimals);
/* The index of a metric, to add values under; all of them before the first value. */
size_t report_figures_metric(struct report_figures *f, const struct report_metric *m);

struct report_entry {
	size_t metric;
	struct decimal value;
	struct str channel, source; /* copied when first seen */
	int64_t period;             /* any number that tells periods apart */
};
void report_figures_add(struct report_figures *f, const struct report_entry *e);
/* Adds the ratios whose parts were measured and that nobody entered, and puts metrics and slices into their order. Nothing is added behind this. */
void report_figures_close(struct report_figures *f);

size_t report_metric_count(const struct report_figures *f);
const struct report_metric *report_metric_at(const struct report_figures *f, size_t i); /* parts first, then by name */
/* Of REPORT_CHANNEL and REPORT_SOURCE, by name; the empty one last. */
struct report_slices report_slices(const struct report_figures *f, enum report_axis axis);
/* slice: 0 for REPORT_TOTAL, the index of report_slices, or the period. i: as report_metric_at. */
struct report_figure report_figure(const struct report_figures *f, size_t i, enum report_axis axis, int64_t slice);
/* Several slices of an axis as if they were one. */
struct report_figure report_figure_of(const struct report_figures *f, size_t i, enum report_axis axis, const int64_t *slices, size_t count);
/* "clicks / impressions"; NULL for a metric that is no ratio. */
const char *report_formula(int part);

#endif
