/*
 * Dialects: how each of the five contracts spells paging, sorting, lists, errors and challenges. A dialect is a row of constants and a
 * few writers; it is chosen by the path, and no business code ever sees which one speaks.
 */
#ifndef API_DIALECT_H
#define API_DIALECT_H

#include "api/api.h"

enum dialect_id { DIALECT_KPI, DIALECT_ASSIGNMENTS, DIALECT_RETRO, DIALECT_BUSINESS, DIALECT_CRM, DIALECT_COUNT };

enum paging_style { PAGING_NONE, PAGING_SKIP_LIMIT, PAGING_PAGE_SIZE, PAGING_PAGE_LIMIT };
enum sort_style { SORT_NONE, SORT_BY_ASCENDING, SORT_ORDERING, SORT_COLON };
enum details_style { DETAILS_LISTS, DETAILS_TEXTS }; /* {field:[text]} or {field:text} */

struct dialect {
	enum dialect_id id;
	const char *name;            /* "kpi-management" */
	enum paging_style paging;
	int64_t limit_default, limit_max;
	bool limit_clamps;           /* out of range is clamped (Django) instead of 400 */
	enum sort_style sort;
	bool sort_ignores_unknown;   /* Django ignores bad ordering parts */
	bool filter_suffixes;        /* field__gte, __lte, __gt, __lt, __icontains, __in */
	bool filter_json;            /* ?filter={"status":"Demo"} */
	enum details_style details;
	bool full_stops;             /* messages keep their final full stop (retrospectives drops it) */
	bool challenge_basic;        /* WWW-Authenticate: Basic instead of Bearer */
	bool envelope;               /* {status,message,data,…} */
	enum instant_format instants;
	/* The list body around the records, which write_records writes. */
	void (*write_list)(struct api_ctx *c, const struct list_query *q, const struct res_page *page);
	void (*write_error)(struct json_out *o, struct api_ctx *c, const struct err *e);
};

extern const struct dialect dialects[DIALECT_COUNT];
/* By the path's longest matching prefix; the crm dialect for unknown paths below /api/v1, business for the rest. */
const struct dialect *dialect_of_path(struct str path);

#endif
