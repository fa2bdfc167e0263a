/*
 * Calibrated quantile shapes: how far real values lie from forecasts, in units of the models' own deviation.
 */
#ifndef FORECAST_CALIBRATION_H
#define FORECAST_CALIBRATION_H

#include "forecast/distribution.h"

/* The shape for series of a calendar interval, with n values; the season in use is m (1: none). */
struct quantile_shape calibration_shape(enum forecast_calendar calendar, size_t m, size_t n);

#endif
