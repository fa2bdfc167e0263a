/* What the files about assignments share among themselves. */
#ifndef KPI_ASSIGNMENT_PARTS_H
#define KPI_ASSIGNMENT_PARTS_H

#include "domain/kpi/assignment.h"

struct err *assignment_before_write(struct res_ctx *c, const void *old, void *record);

#endif
