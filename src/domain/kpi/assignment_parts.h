/* What the files about assignments share among themselves. */
#ifndef KPI_ASSIGNMENT_PARTS_H
#define KPI_ASSIGNMENT_PARTS_H

#include "domain/kpi/assignment.h"

/* Hooks of assignment_res. */
struct err *assignment_rules(struct res_ctx *c, const void *record, struct err **e) MUST_USE;
struct err *assignment_before_write(struct res_ctx *c, const void *old, void *record);

#endif
