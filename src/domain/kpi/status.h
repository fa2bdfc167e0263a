/*
 * The state of a KPI: on_track, warning, critical or no_data, judged on the figure of the period that its latest value falls in. It is
 * evaluated in the transaction that changes a value, a target or the KPI itself, with hysteresis against the state it had, and each
 * crossing writes one event: threshold.breached when it gets worse, threshold.recovered when it gets better.
 */
#ifndef KPI_STATUS_H
#define KPI_STATUS_H

#include "domain/kpi/kpi.h"

enum kpi_state { KPI_ON_TRACK, KPI_WARNING, KPI_CRITICAL, KPI_NO_DATA };
extern const char *const kpi_state_names[];

/* What a KPI was judged on. */
struct kpi_standing {
	enum kpi_state state; /* with hysteresis against the stored one */
	bool has_value, has_target, has_achievement;
	struct date as_of;     /* day of the latest value up to today */
	struct date from, to;  /* the window judged, inclusive; of a calendar period its whole length */
	struct decimal value;  /* figure of the window; for aggregation last the latest value */
	struct decimal target; /* of the window */
	struct decimal
		expected; /* the part of the target that counts by as_of (the whole when not prorated) */
	struct decimal achievement; /* 1 = target reached; six decimals */
};

/* Judges as of today without changing anything. */
struct err *kpi_standing(struct res_ctx *c, const struct kpi *k, struct kpi_standing *out) MUST_USE;
/* Whether the state is another by now than the stored one; never for a KPI that is not active. */
struct err *kpi_state_is_stale(struct res_ctx *c, const struct kpi *k, bool *stale) MUST_USE;
/* Judges, stores a changed state, writes the events of a crossing; then does the same for the formulas that read this KPI. */
struct err *kpi_state_update(struct res_ctx *c, const struct kpi *k) MUST_USE;
/* Achievement by the KPI's direction, six decimals; false where it cannot be told. Pure. */
bool kpi_achievement(const struct kpi *k, struct decimal value, struct decimal target, struct decimal *out);
/* The state of an achievement, coming from previous (KPI_NO_DATA: none). Pure. */
enum kpi_state kpi_judge(const struct kpi *k, struct decimal achievement, enum kpi_state previous);

/* ---- targets of calendar periods ---- */

struct kpi_target {
	enum period period;
	struct date start; /* first day of its period */
	struct decimal value;
};
/* The target of a calendar period in force on a day: of the shortest period that has one; *found false without any. */
struct err *kpi_target_on(struct res_ctx *c, const struct kpi *k, struct date day, struct kpi_target *out,
	bool *found) MUST_USE;
struct err *kpi_targets_list(
	struct res_ctx *c, const struct kpi *k, struct kpi_target **out, size_t *count) MUST_USE;
/* JSON {period, start, value} or an array of them, all or nothing; same period and start replace. */
struct err *kpi_targets_put(struct res_ctx *c, const struct kpi *k, const json_val *body,
	struct kpi_target **out, size_t *count) MUST_USE;
struct err *kpi_target_remove(
	struct res_ctx *c, const struct kpi *k, struct str period, struct str start) MUST_USE; /* NOT_FOUND */

#endif
