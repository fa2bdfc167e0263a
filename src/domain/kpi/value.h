/*
 * Measured values: one time series a KPI, each value at an instant, optionally of dimensions ({"country":"France"}). A value is identified
 * by (KPI, instant, dimensions); entering it again replaces it. Day rollups are kept in the same transaction, by taking the old
 * contribution out and putting the new one in, so that any period's figure reads days, never values.
 */
#ifndef KPI_VALUE_H
#define KPI_VALUE_H

#include "domain/kpi/kpi.h"

struct kpi_value {
	struct instant at;
	struct str dimensions; /* '' or canonical JSON object */
	struct decimal value;  /* at the KPI's decimals */
	struct str note;
	int64_t recorded_by;
	struct instant recorded_at;
	/* Of a value with the dimension "campaign" that is a campaign's id: that id, and the value's own in the campaign's list; else 0. */
	int64_t campaign_id, number;
};
/* Campaign ids that a dimension can name: every integer that JSON's readers keep exact. */
#define KPI_CAMPAIGN_ID_MAX ((int64_t)1 << 53)

/* The public id of a value: its instant in microseconds, with a hash of the dimensions where there are any. */
struct str kpi_value_id(struct arena *a, const struct kpi_value *v);
/* Any JSON object of texts, numbers and booleans as canonical text: keys sorted, values as texts; an empty one is ''. */
struct err *kpi_dimensions_parse(struct arena *a, const json_val *v, struct str *out) MUST_USE;

/*
 * Reads one value from JSON: {"value", "at" (also "timestamp", "recorded_at", "date"; now when absent), "dimensions", "note"}. Faults are
 * added to *e with prefix ("" or "[3]."). The number is brought to the KPI's decimals: CURRENCY, COUNT and BOOLEAN refuse more digits,
 * others round half up.
 */
void kpi_value_parse(struct res_ctx *c, const struct kpi *k, const json_val *v, struct str prefix,
	struct kpi_value *out, struct err **e);
/*
 * Stores values (all or nothing), numbers those of campaigns, maintains the rollups, evaluates states and writes one event. INVALID_INPUT on overflow or a formula KPI.
 * Here and in the changes below k was read for a change in this transaction: by kpi_require with KPI_MAY_SUBMIT, or by res_read_for.
 */
struct err *kpi_values_put(
	struct res_ctx *c, const struct kpi *k, struct kpi_value *v, size_t count) MUST_USE;
struct err *kpi_value_find(struct res_ctx *c, const struct kpi *k, struct str value_id,
	struct kpi_value *out) MUST_USE; /* NOT_FOUND */
/* Correction: the value under value_id becomes v (which may move it to another instant). */
struct err *kpi_value_change(
	struct res_ctx *c, const struct kpi *k, struct str value_id, struct kpi_value *v) MUST_USE;
struct err *kpi_value_remove(struct res_ctx *c, const struct kpi *k, struct str value_id) MUST_USE;

/* CSV with a header row: at|timestamp|date, value, optional note, every other column a dimension. Row faults name their line. */
struct err *kpi_values_parse_csv(struct res_ctx *c, const struct kpi *k, struct str text,
	struct kpi_value **out, size_t *count) MUST_USE;

/* ---- reading ---- */

struct kpi_value_query {
	bool has_from, has_to;
	struct instant from, to; /* from ≤ at < to */
	bool has_dimensions;
	struct str dimensions; /* exactly these */
	int64_t offset, limit;
	bool descending;
};
struct kpi_value_list {
	struct kpi_value *values;
	size_t count;
	int64_t total;
};
struct err *kpi_values_list(struct res_ctx *c, const struct kpi *k, const struct kpi_value_query *q,
	struct kpi_value_list *out) MUST_USE;

/* The figure of one calendar period. */
struct kpi_point {
	struct date start;
	struct decimal value; /* at the KPI's decimals; an average has at least six */
	int64_t count;	      /* values in it; 1 for formulas */
};
struct kpi_series {
	struct kpi_point *points; /* ascending; periods without values are absent */
	size_t count;
};
/* Days from … to (inclusive) of all values together (dimensions "*") or of one slice, brought together by period. Formula KPIs too. */
struct err *kpi_series_read(struct res_ctx *c, const struct kpi *k, struct str dimensions, struct date from,
	struct date to, enum period period, struct kpi_series *out) MUST_USE;
/* One figure over [from, to]; *found false without values. */
struct err *kpi_figure(struct res_ctx *c, const struct kpi *k, struct str dimensions, struct date from,
	struct date to, struct decimal *out, bool *found) MUST_USE;
/* First day with values (NULL: not wanted) and the last one not after until; *found false without any. */
struct err *kpi_extent(struct res_ctx *c, const struct kpi *k, struct date until, struct date *first,
	struct date *last, bool *found) MUST_USE;
/* The slices that have values: canonical texts, in their order, at most max. */
struct err *kpi_slices(
	struct res_ctx *c, const struct kpi *k, size_t max, struct str **out, size_t *count) MUST_USE;

/* Makes the rollups anew from the values; *differences counts the days that had been wrong. */
struct err *kpi_recalculate(struct res_ctx *c, const struct kpi *k, int64_t *differences) MUST_USE;
/* The same for every KPI of the actor's company, in one transaction. */
struct err *kpi_recalculate_company(struct res_ctx *c, int64_t *differences) MUST_USE;

#endif
