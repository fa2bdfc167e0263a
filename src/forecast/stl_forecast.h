/*
 * Forecasts by seasonal decomposition and ETS: one period (task->m), or all periods of the task.
 */
#ifndef FORECAST_STL_FORECAST_H
#define FORECAST_STL_FORECAST_H

#include "forecast/member.h"

member_method stl_forecast, mstl_forecast;

#endif
