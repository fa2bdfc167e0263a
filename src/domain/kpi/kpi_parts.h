/* What the files of the KPI room share among themselves; nobody outside includes it. */
#ifndef KPI_KPI_PARTS_H
#define KPI_KPI_PARTS_H

#include "base/limits.h"
#include "base/number.h"
#include "domain/kpi/kpi.h"
#include "domain/kpi/value.h"
#include "resource/res_sql.h"

/* Hooks of kpi_res (kpi_rules.c, kpi_scope.c). */
struct err *kpi_rules(struct res_ctx *c, const void *record, struct err **e) MUST_USE;
struct err *kpi_before_write(struct res_ctx *c, const void *old, void *record);
struct err *kpi_after_write(struct res_ctx *c, const void *old, const void *record);
struct err *kpi_before_delete(struct res_ctx *c, const void *record);
void kpi_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op);
/* Whether an assignment that reaches the actor today gives a right on the KPI. */
struct err *kpi_assigned_right(struct res_ctx *c, struct str kpi_id, enum kpi_right right, bool *out) MUST_USE;
/* By role, by owning it, or by such an assignment. */
struct err *kpi_has_right(struct res_ctx *c, const struct kpi *k, enum kpi_right right, bool *out) MUST_USE;
/* Hooks of assignment_res. */
void kpi_assignment_scope(struct res_ctx *c, struct res_sql *sql, enum res_op op);

/* The company's date of an instant and today's. */
static inline struct date
kpi_day(const struct res_ctx *c, struct instant t)
{
	return zone_date(c->actor->zone, t);
}

/* ISO text of a date on the arena, as dates are stored. */
struct str kpi_date_text(struct arena *a, struct date d);

/* The running figure of days brought together, in order. */
struct gather {
	bool any;
	struct date start; /* of the period, where a series has several */
	struct date last_day;
	int64_t count, sum, min, max, last;
};
/* The days of a slice in a window, inclusive; g->any false without values. INVALID_INPUT when their sum leaves 64 bits. */
struct err *gather_read(struct res_ctx *c, const struct kpi *k, struct str slice, struct date from,
	struct date to, struct gather *g) MUST_USE;
struct decimal gather_figure(const struct kpi *k, const struct gather *g);

/* A fact of one KPI that may be absent. */
static inline bool
kpi_has(const struct kpi *k, const char *field)
{
	return !res_is_null(&kpi_res, k, field);
}

#endif
