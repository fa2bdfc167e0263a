/*
 * KPIs: what is measured, how its values come together, when it is on track. The record, its choices and its rules; values are in
 * value.h, formulas in formula.h, states in status.h, assignments in assignment.h. A KPI and a "KPI definition" of the
 * kpi-assignments contract are the same thing.
 */
#ifndef KPI_KPI_H
#define KPI_KPI_H

#include "resource/resource.h"

enum kpi_type { KPI_NUMERIC, KPI_PERCENTAGE, KPI_CURRENCY, KPI_COUNT, KPI_RATIO, KPI_DURATION, KPI_BOOLEAN };
enum kpi_status { KPI_ACTIVE, KPI_INACTIVE, KPI_ARCHIVED };
enum kpi_aggregation { KPI_SUM, KPI_AVG, KPI_LAST, KPI_MIN, KPI_MAX };
enum kpi_direction { KPI_HIGHER, KPI_LOWER, KPI_RANGE };
enum kpi_comparison {
	KPI_CMP_GT,
	KPI_CMP_LT,
	KPI_CMP_EQ,
	KPI_CMP_NE,
	KPI_CMP_GTE,
	KPI_CMP_LTE,
	KPI_CMP_RANGE,
	KPI_CMP_EQUAL
};

extern const char *const kpi_type_names[],
	*const kpi_status_names[], *const kpi_aggregation_names[], *const kpi_direction_names[],
									   *const kpi_comparison_names[],
										   *const kpi_period_names[];

struct kpi {
	struct res_row row;
	struct str id, name, description;
	int type;		      /* enum kpi_type */
	int status;		      /* enum kpi_status */
	struct str team_id, owner_id; /* a team's id; an employee's id */
	struct str unit, currency;
	int64_t decimals;   /* values are kept in units of 10^-decimals */
	int aggregation;    /* enum kpi_aggregation: how values of a period become its figure */
	struct str formula; /* empty: values are entered */
	struct decimal min_value, max_value, target_value;
	struct decimal warning_threshold, critical_threshold; /* fractions of the target */
	int direction;					      /* enum kpi_direction */
	struct decimal
		hysteresis; /* a state improves only this far beyond its threshold (fraction of the target) */
	bool prorate;	    /* in an unfinished period the target counts in proportion to the days gone */
	struct instant start_date, end_date;
	int period; /* enum period: the calendar period a figure is judged on when no dates are given */
	int64_t no_data_after_days;
	int comparison_type; /* enum kpi_comparison */
	struct decimal weight_percentage;
	bool weight_is_flexible;
	int64_t version;
	struct instant created_at, updated_at;
};

/* Decimals of a KPI whose client gives none: 6 keeps ratios and rates; an int64 then reaches 9.2e12. */
#define KPI_DECIMALS_DEFAULT 6
#define KPI_DECIMALS_MAX     12

extern const struct res_def kpi_res;
/* What SQLite's writer remembers of KPIs between values: for db_options.memory. */
extern const struct db_memory_kind kpi_memory_kind;

/* What an actor may do with one KPI: from the role, ownership and the assignments that reach the actor. */
enum kpi_right {
	KPI_MAY_VIEW,
	KPI_MAY_EDIT,
	KPI_MAY_ASSIGN,
	KPI_MAY_DELETE,
	KPI_MAY_APPROVE,
	KPI_MAY_SUBMIT
};
/*
 * NOT_FOUND (KPI_NOT_FOUND) when the actor may not even see it, INSUFFICIENT_PERMISSIONS when the right is missing. For KPI_MAY_EDIT,
 * _DELETE and _SUBMIT the row is read for a change: whoever else asks for that waits until this transaction ends.
 */
struct err *kpi_require(struct res_ctx *c, struct str kpi_id, enum kpi_right right, struct kpi *out) MUST_USE;
/* Whether every person of the company is visible to the actor, or the one asked for: VIEW_ALL, VIEW_TEAM (supervised and own teams), self. */
struct err *kpi_may_see_employee(struct res_ctx *c, struct str employee_id, bool *out) MUST_USE;

/* Create, merge and delete with their rules (formula compiled, references stored, state evaluated anew). */
struct err *kpi_create(struct res_ctx *c, struct kpi *k) MUST_USE;
struct err *kpi_change(struct res_ctx *c, const struct kpi *old, struct kpi *k) MUST_USE;
struct err *kpi_remove(struct res_ctx *c, struct str id) MUST_USE;

#endif
