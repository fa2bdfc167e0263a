/* The demo company's KPIs, monthly targets, daily values and assignments, from the embedded files. */
#ifndef APP_DEMO_KPI_H
#define APP_DEMO_KPI_H

#include "resource/resource.h"

/*
 * Into the actor's company, whose people and teams are there already, in c's transaction. shift_to_today moves values and targets by as
 * many days as make the last value one of today.
 */
struct err *demo_kpis_load(struct res_ctx *c, bool shift_to_today) MUST_USE;

#endif
