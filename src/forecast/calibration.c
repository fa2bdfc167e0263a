/*
 * The table of calibrated quantiles. Every model's own interval is too narrow, because it takes its form and its
 * parameters as given; how much too narrow depends on the kind of series. The figures are quantiles of
 * |y − forecast| / deviation, apart above and below the forecast where growth makes the errors skewed, of the default
 * method on the M1, M3, M4, tourism and NN5 development series, as `forecast_calibrate DIR` (bench/forecast) prints
 * them, rounded towards each other where a group has few series. docs/decisions/0042 says how.
 */
#include "forecast/calibration.h"

#include <math.h>

/* Order: quantiles of 50, 80, 90, 95 and 99 %, first above, then below the mean. */
static const struct quantile_shape yearly = { { 0.90, 2.05, 2.90, 3.70, 6.40 },
	{ 0.80, 1.75, 2.38, 3.00, 4.80 } };
static const struct quantile_shape quarterly = { { 0.69, 1.56, 2.17, 2.85, 4.18 },
	{ 0.67, 1.54, 2.20, 2.80, 4.20 } };
static const struct quantile_shape monthly = { { 0.72, 1.47, 1.97, 2.48, 3.95 },
	{ 0.68, 1.41, 1.89, 2.36, 3.65 } };
static const struct quantile_shape weekly = { { 0.48, 1.07, 1.49, 1.90, 2.90 },
	{ 0.42, 0.98, 1.36, 1.74, 2.85 } };
static const struct quantile_shape daily = { { 0.41, 1.12, 1.70, 2.08, 3.45 },
	{ 0.39, 1.08, 1.65, 2.04, 3.35 } };
static const struct quantile_shape day_of_week = { { 0.39, 0.79, 1.09, 1.50, 2.70 },
	{ 0.39, 0.79, 1.11, 1.54, 2.75 } };
static const struct quantile_shape hourly = { { 0.47, 1.06, 1.48, 1.90, 2.95 },
	{ 0.41, 0.96, 1.32, 1.72, 2.80 } };

/* Without a calendar and without a season a short series looks like years and a long one like days or weeks. */
enum { SHORT_LENGTH = 40, LONG_LENGTH = 120 };

static struct quantile_shape
unmarked(size_t n)
{
	double part = (log((double)n) - log(SHORT_LENGTH)) / (log(LONG_LENGTH) - log(SHORT_LENGTH));
	struct quantile_shape shape;
	part = fmin(fmax(part, 0), 1);
	for (int i = 0; i < DISTRIBUTION_KNOTS; i++) {
		shape.upper[i] = (1 - part) * yearly.upper[i] + part * daily.upper[i];
		shape.lower[i] = (1 - part) * yearly.lower[i] + part * daily.lower[i];
	}
	return shape;
}

static struct quantile_shape
by_season(size_t m, size_t n)
{
	if (m <= 1)
		return unmarked(n);
	if (m <= 5)
		return quarterly;
	if (m == 7)
		return day_of_week;
	if (m <= 13)
		return monthly;
	return m <= 31 || m > 60 ? hourly : weekly;
}

struct quantile_shape
calibration_shape(enum forecast_calendar calendar, size_t m, size_t n)
{
	switch (calendar) {
	case FORECAST_YEAR:
		return yearly;
	case FORECAST_QUARTER:
		return quarterly;
	case FORECAST_MONTH:
		return monthly;
	case FORECAST_WEEK:
		return weekly;
	case FORECAST_DAY:
		return m == 7 ? day_of_week : daily;
	case FORECAST_HOUR:
		return hourly;
	case FORECAST_CALENDAR_UNKNOWN:
		break;
	}
	return by_season(m, n);
}
