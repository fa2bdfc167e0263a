/* What the files that make a report share; nobody outside includes it. */
#ifndef CAMPAIGN_REPORT_PARTS_H
#define CAMPAIGN_REPORT_PARTS_H

#include "domain/campaign/report.h"
#include "domain/campaign/report_figures.h"
#include "domain/kpi/kpi.h"

#define REPORT_EARLIER_MAX  5   /* campaigns that figures are held against */
#define REPORT_METRICS_MAX  60  /* told one by one; the rest is counted */
#define REPORT_SLICES_MAX   20  /* of an axis told one by one; the rest is told together */
#define REPORT_POINTS_MAX   120 /* periods of the time course */
#define REPORT_INSIGHTS_MAX 500
#define REPORT_ACTIONS_MAX  500

struct report_earlier {
	int64_t id;
	struct str name, start_date, end_date; /* dates as text; empty: none */
	struct report_figures *figures;
};

/* Everything that the figures' part of a report is made of. */
struct report_input {
	struct campaign campaign;
	int currency_decimals;
	struct report_figures *figures;
	int64_t value_count;
	struct date first, last; /* days with values, when value_count is not 0 */
	enum period interval;    /* of the time course */
	json_val *targets;       /* campaign.targets */
	struct report_earlier earlier[REPORT_EARLIER_MAX];
	size_t earlier_count;
};

struct err *report_input_read(struct res_ctx *c, const struct retrospective *r, struct report_input *out) MUST_USE;
/* Members of the open object: "kpis", "channels" or "sources", "course". */
struct err *report_write_kpis(struct json_out *o, struct res_ctx *c, const struct report_input *in) MUST_USE;
void report_write_slices(struct json_out *o, struct res_ctx *c, const struct report_input *in, enum report_axis axis);
void report_write_course(struct json_out *o, struct res_ctx *c, const struct report_input *in);

/* Whether anything was measured of a metric, directly or through its parts. */
bool report_is_shown(const struct report_input *in, size_t i);
/* The unit of a metric's figures in the JSON. */
struct str report_unit_text(const struct res_ctx *c, const struct report_metric *m);
void report_put_number(struct json_out *o, const char *key, struct decimal d);
/* Members of one figure in the open object: metric, value, unit, basis, values and what else is known of it. */
void report_put_figure(struct json_out *o, const struct res_ctx *c, const struct report_metric *m, const struct report_figure *f);

#endif
