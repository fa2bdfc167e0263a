/*
 * How a KPI is doing: its figure against the target, the change against the period before, trend with significance, season, anomalies,
 * change-points, and what its slices contributed to the change.
 */
#ifndef KPI_ANALYTICS_H
#define KPI_ANALYTICS_H

#include "domain/kpi/regular.h"
#include "domain/kpi/status.h"
#include "forecast/analytics.h"

#define KPI_ANOMALIES_MAX     100 /* the latest ones are told */
#define KPI_CHANGES_MAX	      50
#define KPI_CONTRIBUTIONS_MAX 20  /* the largest ones are told */
#define KPI_SLICES_MAX	      500 /* looked at for contributions */

struct kpi_contribution {
	struct str dimensions; /* canonical JSON */
	double earlier, later, change, share;
};

struct kpi_analytics {
	struct kpi_standing standing;
	struct regular_series series;
	/* The window's figure so far against as many days of the window before. */
	bool has_previous;
	struct date previous_from, previous_to;
	struct decimal previous, change;
	bool has_change_percent;
	double change_percent;
	struct analytics_trend trend;
	struct analytics_season season;
	struct analytics_anomaly anomalies[KPI_ANOMALIES_MAX];
	size_t anomaly_count;
	struct analytics_change changes[KPI_CHANGES_MAX];
	size_t change_count;
	struct kpi_contribution *contributions;
	size_t contribution_count;
};

struct err *kpi_analyse(struct res_ctx *c, const struct kpi *k, const struct regular_query *q,
	struct kpi_analytics *out) MUST_USE;

#endif
