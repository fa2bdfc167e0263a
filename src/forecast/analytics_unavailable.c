/*
 * Answers "not enough" to every question of analytics.h, so that callers link while the analytics themselves are being built; whoever
 * brings a function of analytics.h takes it out here.
 */
#include "forecast/analytics.h"
#include <string.h>

enum forecast_code
analytics_trend(
	const struct forecast_series *series, struct analytics_trend *trend, struct forecast_error *error)
{
	(void)series;
	(void)error;
	memset(trend, 0, sizeof *trend);
	return FORECAST_OK;
}

enum forecast_code
analytics_season(const struct forecast_series *series, struct analytics_season *season, double *profile,
	struct forecast_error *error)
{
	(void)series;
	(void)profile;
	(void)error;
	memset(season, 0, sizeof *season);
	return FORECAST_OK;
}

enum forecast_code
analytics_anomalies(const struct forecast_series *series, double sensitivity,
	struct analytics_anomaly *anomalies, size_t capacity, size_t *count)
{
	(void)series;
	(void)sensitivity;
	(void)anomalies;
	(void)capacity;
	*count = 0;
	return FORECAST_OK;
}

enum forecast_code
analytics_changes(const struct forecast_series *series, struct analytics_change *changes, size_t capacity,
	size_t *count)
{
	(void)series;
	(void)changes;
	(void)capacity;
	*count = 0;
	return FORECAST_OK;
}

enum forecast_code
analytics_contributions(const struct analytics_member *members, size_t count, bool ratio,
	struct analytics_contribution *contributions, double *total)
{
	(void)members;
	(void)ratio;
	memset(contributions, 0, count * sizeof *contributions);
	*total = 0;
	return FORECAST_OK;
}
