/*
 * Campaigns and what is measured of them. A campaign that a value or a retrospective names and nobody has made yet is made then. Measured
 * values are the company's one time series store (domain/kpi/value.h): each metric is a KPI, each value one of its values with the
 * dimensions campaign, source, channel, creative and whatever else the client gave; here is only the integer id that the contract shows.
 * Contract: retrospectives.
 */
#ifndef CAMPAIGN_CAMPAIGN_H
#define CAMPAIGN_CAMPAIGN_H

#include "resource/resource.h"

enum campaign_status { CAMPAIGN_PLANNED, CAMPAIGN_ACTIVE, CAMPAIGN_COMPLETED, CAMPAIGN_CANCELLED };

struct campaign {
	struct res_row row;
	int64_t id;
	struct str name, description;
	int status;             /* enum campaign_status */
	int64_t team_id;        /* the team whose id is this number */
	int64_t owner_id;       /* person */
	struct money budget;
	struct date start_date, end_date;
	struct instant completed_at;
	struct str targets;     /* JSON object: metric → number, never empty */
	int64_t version;
	struct instant created_at, updated_at;
};
extern const struct res_def campaign_res;

extern const char *const campaign_status_names[];

/* The campaign under an id (1 … 2^53); made as "Campaign 123" when there is none. NOT_FOUND for an id out of that range. */
struct err *campaign_require(struct res_ctx *c, int64_t id, struct campaign *out) MUST_USE;

/* By the id in a path, for op, within the actor's scope; NOT_FOUND says "Campaign with ID 123 does not exist." */
struct err *campaign_find_for(struct res_ctx *c, struct str id, enum res_op op, struct campaign *out) MUST_USE;

/* ---- metrics -------------------------------------------------------------------------------------------------------------------- */

/* What a metric is worth knowing about: how its values add up and whether they may be negative. Built-in ones by name, others as they come. */
enum campaign_metric_part {
	METRIC_OTHER,        /* a figure of its own: averaged */
	METRIC_IMPRESSIONS,  /* parts that add up, from which the ratios below are computed when they are there */
	METRIC_CLICKS,
	METRIC_SPEND,
	METRIC_CONVERSIONS,
	METRIC_REVENUE,
	METRIC_CTR,          /* clicks / impressions */
	METRIC_CPC,          /* spend / clicks */
	METRIC_CPM,          /* 1000 spend / impressions */
	METRIC_CPA,          /* spend / conversions */
	METRIC_CONVERSION_RATE, /* conversions / clicks */
	METRIC_ROAS,         /* revenue / spend */
	METRIC_ROI           /* revenue / spend, as the contract's 2.45; signed, for companies that enter the net return (docs/decisions/0062) */
};
struct campaign_metric {
	struct str name;     /* as first spelled; found regardless of case */
	struct str kpi_id;
	int part;            /* enum campaign_metric_part */
	bool is_signed;      /* negative values are fine */
	int64_t decimals;    /* of its KPI */
};
#define CAMPAIGN_METRIC_CHARS_MAX 100
#define CAMPAIGN_METRIC_OBJECT "campaign_metric" /* what events of registered metrics are about; no resource */
/* The company's metrics by name. */
struct err *campaign_metrics(struct res_ctx *c, struct campaign_metric **out, size_t *count) MUST_USE;
/* The metric of a name in any case ("_" is a blank); *found false when nobody has used it yet. */
struct err *campaign_metric_find(struct res_ctx *c, struct str name, struct campaign_metric *out, bool *found) MUST_USE;
/* What is known of a name before anybody uses it: part and sign; kpi_id is empty. */
void campaign_metric_known(struct arena *a, struct str name, struct campaign_metric *out);
/* Makes it with its KPI when there is none, and sets its sign (NULL: as it is). */
struct err *campaign_metric_register(struct res_ctx *c, struct str name, const bool *is_signed, struct campaign_metric *out) MUST_USE;
/* {"name", "kpi_id", "part", "signed"} */
void campaign_metric_write(struct json_out *o, const struct campaign_metric *m);

/* ---- values --------------------------------------------------------------------------------------------------------------------- */

struct campaign_value {
	int64_t id;
	int64_t campaign_id;
	struct str metric;
	struct decimal value;
	struct instant recorded_at;
	struct str source, channel, creative; /* empty: not given */
	struct str dimensions;                /* further ones: JSON object of texts, or empty */
};
#define CAMPAIGN_VALUES_MAX	1000 /* in one request */
#define CAMPAIGN_DIMENSIONS_MAX 4    /* further ones: a KPI's value has eight */

/*
 * Reads {"campaign_id", "metric", "value", "recorded_at", "source", "channel", "creative", "dimensions"}, one object or an array of them.
 * Every fault at once. In an array it stands under its element's name ("[3].value") and once under the field's own ("value"), where
 * clients of the contract look for it. Numbers are brought to the decimals of the metric's KPI.
 */
struct err *campaign_values_parse(struct res_ctx *c, int64_t campaign_id, const json_val *body, struct campaign_value **out,
	size_t *count) MUST_USE;
/* All or nothing; fills ids, and the metrics as first spelled. The same metric, instant and dimensions again replaces the value and keeps its id. One event "campaign.kpi_updated". */
struct err *campaign_values_put(struct res_ctx *c, int64_t campaign_id, struct campaign_value *v, size_t count) MUST_USE;

struct kpi;
struct kpi_value;
/*
 * For values that came through their KPI's own door and have been stored: makes the same event for every campaign among their dimensions
 * that there is, so that who watches a campaign hears of them too. Nothing for a KPI that is no metric.
 */
struct err *campaign_values_recorded(struct res_ctx *c, const struct kpi *k, const struct kpi_value *v, size_t count) MUST_USE;

struct campaign_value_query {
	struct str metric, source, channel; /* empty: any */
	struct instant from, to;            /* from ≤ recorded_at < to; 0: open */
	int64_t offset, limit;              /* by recorded_at, id */
};
struct err *campaign_values_list(struct res_ctx *c, int64_t campaign_id, const struct campaign_value_query *q,
	struct campaign_value **out, size_t *count) MUST_USE;
/* One as the contract shows it. */
void campaign_value_write(struct json_out *o, struct arena *a, const struct campaign_value *v);

#endif
