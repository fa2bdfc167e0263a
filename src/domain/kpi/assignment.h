/*
 * Assignments: a KPI given to a person, team, department, project or business unit, with rights on it and, for a person, target and
 * weight of their own. The kpi-management contract and the kpi-assignments contract show the same records in two views.
 */
#ifndef KPI_ASSIGNMENT_H
#define KPI_ASSIGNMENT_H

#include "domain/kpi/kpi.h"

enum assignment_target { ASSIGN_USER, ASSIGN_TEAM, ASSIGN_DEPARTMENT, ASSIGN_PROJECT, ASSIGN_BUSINESS_UNIT };
enum assignment_role { ASSIGN_OWNER, ASSIGN_CONTRIBUTOR, ASSIGN_VIEWER, ASSIGN_APPROVER };
enum assignment_preference { ASSIGN_IMMEDIATE, ASSIGN_DAILY, ASSIGN_WEEKLY, ASSIGN_NONE };
enum assignment_status { ASSIGN_ACTIVE, ASSIGN_INACTIVE, ASSIGN_SUSPENDED, ASSIGN_COMPLETED };

struct assignment {
	struct res_row row;
	struct str id, kpi_id;
	int target_type;
	struct str target_id; /* of a person: the employee id */
	int64_t person_id;
	int role;
	bool can_view, can_edit, can_assign, can_delete, can_approve;
	int preference;
	bool threshold_alerts;
	struct str supervisor_id; /* an employee id */
	struct decimal custom_target_value;
	struct str custom_target_unit;
	int custom_comparison_type; /* enum kpi_comparison */
	struct decimal custom_weight_percentage;
	bool custom_weight_is_flexible;
	struct date effective_date, end_date;
	struct str assigned_by; /* user name */
	int status;
	int64_t version;
	struct instant created_at, updated_at;
	struct decimal
		weight_total; /* not stored: what the employee carries in all, set by assignment_weigh */
};

extern const struct res_def assignment_res;
extern const char *const assignment_target_names[], *const assignment_status_names[];
/* kpi-management: nested permissions and notifications; kpi-assignments: camel case, with and without the list of warnings. */
extern const struct res_view assignment_view, assignment_employee_view, assignment_warned_view;

/* The rules of both contracts: who may assign whom, targets that exist, presets of the role. */
struct err *assignment_create(struct res_ctx *c, const struct kpi *k, struct assignment *x) MUST_USE;
struct err *assignment_change(struct res_ctx *c, const struct assignment *old, struct assignment *x) MUST_USE;
/* INACTIVE from now on. NOT_FOUND when it is no longer alive. */
struct err *assignment_end(struct res_ctx *c, const struct assignment *x) MUST_USE;
/* The living assignment of a KPI to an employee; NOT_FOUND (ASSIGNMENT_NOT_FOUND). */
struct err *assignment_of_employee(
	struct res_ctx *c, struct str employee_id, struct str kpi_id, struct assignment *out) MUST_USE;
/* NOT_FOUND (EMPLOYEE_NOT_FOUND) unless it is one of the company; INSUFFICIENT_PERMISSIONS unless the actor may see the person. */
struct err *assignment_require_employee(struct res_ctx *c, struct str employee_id) MUST_USE;
/* For showing: status COMPLETED where the end has passed. */
void assignment_status_today(const struct res_ctx *c, struct assignment *x);
/* The same for many; and custom values that were left out are those of the KPI. */
struct err *assignment_complete_values(struct res_ctx *c, struct assignment **x, size_t count) MUST_USE;
/* Sets weight_total; *over when it is more than 100 %. */
struct err *assignment_weigh(struct res_ctx *c, struct assignment *x, bool *over) MUST_USE;

#endif
