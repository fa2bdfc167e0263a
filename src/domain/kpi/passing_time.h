/*
 * What changes because a day has passed and not because anybody wrote: KPIs without new values, values dated ahead that begin to count,
 * assignments whose last day is over. Showing them needs none of this; events do, and a job brings them.
 */
#ifndef KPI_PASSING_TIME_H
#define KPI_PASSING_TIME_H

#include "resource/resource.h"

/*
 * Of at most max active KPIs behind the id after (empty: from the first), those whose state is another today than the stored one. *last is
 * the id looked at last, empty when there was none.
 */
struct err *kpi_states_stale(struct res_ctx *c, struct str after, size_t max, struct str **ids, size_t *count, struct str *last) MUST_USE;
/* Judges one KPI as of now and tells a crossing, as writing a value does. Nothing when it is gone. */
struct err *kpi_state_refresh(struct res_ctx *c, struct str id) MUST_USE;
/* Completes at most max assignments whose last day is over, each with its event; *count of them. */
struct err *assignments_complete(struct res_ctx *c, size_t max, size_t *count) MUST_USE;

#endif
