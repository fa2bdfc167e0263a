/*
 * The parts of the insight rules: the rules as read from their JSON, the facts as numbered groups, the comparisons that rules make of them,
 * and the texts of what is found. Of domain/campaign/insight_*.c and its tests only.
 */
#ifndef CAMPAIGN_INSIGHT_PARTS_H
#define CAMPAIGN_INSIGHT_PARTS_H

#include "domain/campaign/insight_rules.h"
#include "forecast/significance.h"

/* ---- rules (insight_table.c) ---- */

enum insight_figure {
	FIGURE_CTR,
	FIGURE_CONVERSION_RATE,
	FIGURE_CPC,
	FIGURE_CPM,
	FIGURE_CPA,
	FIGURE_ROI,
	FIGURE_SPEND,
	FIGURE_COUNT
};
enum insight_compare {
	COMPARE_PEERS,   /* members of a dimension with each other */
	COMPARE_TARGET,  /* the campaign, or each member of a dimension, with a number */
	COMPARE_EARLIER, /* the campaign with earlier ones of its team */
	COMPARE_TREND,   /* falling day by day */
	COMPARE_CHANGE,  /* a level that changed from one day to the next */
	COMPARE_BUDGET   /* money spent with the part of the budget that the days gone by are */
};

/* Numbers of a rule that a company may change: name, smallest, largest, preset. Effects are shares: 0.1 is 10 %. */
#define INSIGHT_PARAMETERS(X)                                                                              \
	X(minimum_count, 0, 1e9, 30)     /* clicks, conversions … that the peers' rate would give the member */ \
	X(minimum_effect, 0, 100, 0.1)   /* smaller differences are not worth telling */                   \
	X(assumed_variation, 0, 10, 0.1) /* of units, where too few tell it */                            \
	X(medium, 0, 1e6, 0.15)          /* effect from which the severity is Medium, High, Critical */    \
	X(high, 0, 1e6, 0.3)                                                                               \
	X(critical, 0, 1e6, 0.6)                                                                           \
	X(target, -1e9, 1e9, (double)NAN) /* NaN: the campaign's own */                                    \
	X(minimum_days, 1, 1000, 10)                                                                       \
	X(most, 1, 1000, 5)              /* findings of a rule in one run */

struct insight_rule {
	struct str id, type, dimension, summary, suggestion;
	enum insight_figure figure;
	enum insight_compare compare;
	enum significance_correction correction;
	bool enabled;
#define INSIGHT_MEMBER(name, low, high_, preset) double name;
	INSIGHT_PARAMETERS(INSIGHT_MEMBER)
#undef INSIGHT_MEMBER
};

/* The rules of a table's text with the company's changes; INVALID_INPUT with a field for each fault ("rules.ai_rule_001.medium"). */
struct err *insight_table_read(struct arena *a, struct str table, struct str changes, struct insight_rule **out, size_t *count) MUST_USE;
/* The built-in table's text. */
struct str insight_table_text(void);

/* ---- facts in groups (insight_figures.c) ---- */

enum { DIMENSION_CREATIVE, DIMENSION_CHANNEL, DIMENSION_SOURCE, DIMENSION_FURTHER, DIMENSIONS_MAX = 16 };

/* What one figure is made of. Lower is always worse in count / exposure; an inverted figure is shown as exposure / count. */
struct figure {
	const char *word, *label;        /* "ctr", "CTR" */
	const char *count, *exposure;    /* what is counted: "clicks", "impressions"; of money: "spent" */
	size_t count_at, exposure_at;    /* in struct campaign_fact */
	size_t entered_at;               /* the figure as entered */
	enum significance_chance chance;
	bool linear, inverted;
	enum { SHOWN_PERCENT, SHOWN_MONEY, SHOWN_RATIO } shown;
	double factor;                   /* shown value = factor × exposure / count */
};
extern const struct figure figures[FIGURE_COUNT];

/* Facts with their dimensions as numbers: value[fact * DIMENSIONS_MAX + dimension], 0 where a fact has none. */
struct groups {
	const struct campaign_facts *facts;
	struct str dimension[DIMENSIONS_MAX];
	uint32_t dimension_count;
	struct str *name[DIMENSIONS_MAX]; /* of each value, from 1 */
	uint32_t values[DIMENSIONS_MAX];  /* largest number */
	uint32_t *value;
	uint32_t *slice;                  /* of each fact: one for every combination of dimensions */
	uint32_t slices;
};
struct err *insight_groups_make(struct arena *a, const struct campaign_facts *f, struct groups **out) MUST_USE;
/* The dimension's number; dimension_count when no fact has it. */
uint32_t insight_dimension(const struct groups *g, struct str name);

/* Count and exposure of a fact for a figure, by whichever way the campaign's figures were entered. */
struct reading {
	const struct figure *figure;
	bool entered; /* as ratios: every fact is one amount, without chance */
	bool over;    /* some count is above its exposure: not a proportion */
};
struct reading insight_reading(const struct campaign_facts *f, enum insight_figure figure, int64_t campaign_id);
bool insight_read(const struct reading *r, const struct campaign_fact *fact, double *count, double *exposure);
enum significance_chance insight_chance(const struct reading *r);

/* ---- comparisons (insight_peers.c, insight_time.c) ---- */

struct comparison {
	const struct insight_rule *rule;
	const struct figure *figure;
	struct str dimension, member;  /* empty: the campaign */
	struct str adjusted;           /* JSON array of the dimensions held equal, or empty */
	struct significance_comparison found;
	bool entered;                  /* from ratios, of which there are `units` */
	size_t units;
	double value, reference;       /* as shown */
	double effect, low, high;      /* of the shown figure: 0.15 is 15 % higher */
	double fit;                    /* share of the variance that a trend or change explains */
	size_t days;
	struct date day;               /* of a change */
	struct str best;               /* the best other member, or empty */
	bool better;                   /* a change for the better */
	double p_value, corrected;     /* NaN: a recorded figure, which is no estimate */
	const char *test;
};
struct comparisons {
	struct arena *arena;
	struct arena *scratch; /* forgotten after each rule */
	const struct groups *groups;
	const struct insight_rule *rule;
	struct comparison *list;
	size_t count, cap;
};
/* Adds a zeroed comparison of the present rule. */
struct comparison *comparison_add(struct comparisons *c);
/* Sets value, reference, effect and interval as the figure is shown from found. */
void comparison_show(struct comparison *k, const struct reading *r);

struct err *insight_compare_peers(struct comparisons *c) MUST_USE;
struct err *insight_compare_target(struct comparisons *c) MUST_USE;
struct err *insight_compare_earlier(struct comparisons *c) MUST_USE;
struct err *insight_compare_trend(struct comparisons *c) MUST_USE;
struct err *insight_compare_change(struct comparisons *c) MUST_USE;
struct err *insight_compare_budget(struct comparisons *c) MUST_USE;

/* ---- sentences (insight_text.c) ---- */

/* A template with its {names} replaced by the comparison's numbers. */
struct str insight_text(struct arena *a, struct str template, const struct comparison *k, const struct campaign_facts *f);
struct str insight_evidence(struct arena *a, const struct comparison *k, size_t comparisons);
/* Every {name} of a template is known. */
bool insight_text_is_known(struct str template, struct str *unknown);

/* ---- the run (insight_rules.c) ---- */

/* insight_rules_run with another table than the built-in one. */
struct err *insight_rules_run_table(struct arena *a, struct str table, const struct campaign_facts *f, const struct insight_options *o,
	struct insight_finding **out, size_t *count) MUST_USE;

#endif
