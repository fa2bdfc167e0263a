/*
 * The table of dialects and the choice by path. The prefixes are compared by whole segments, the longest one wins; what no prefix names
 * speaks crm below /api/v1 and business elsewhere.
 */
#include "api/dialect_writers.h"

/* Lists without documented paging are still bounded: this many rows, more with skip and limit. */
#define BARE_LIST_MAX 10000

const struct dialect dialects[DIALECT_COUNT] = {
	[DIALECT_KPI] = {
		.id = DIALECT_KPI,
		.name = "kpi-management",
		.paging = PAGING_SKIP_LIMIT,
		.limit_default = 100,
		.limit_max = 1000,
		.sort = SORT_BY_ASCENDING,
		.details = DETAILS_LISTS,
		.full_stops = true,
		.instants = INSTANT_ISO_SECONDS,
		.write_list = kpi_list_write,
		.write_error = kpi_error_write,
	},
	[DIALECT_ASSIGNMENTS] = {
		.id = DIALECT_ASSIGNMENTS,
		.name = "kpi-assignments",
		.paging = PAGING_NONE,
		.limit_default = BARE_LIST_MAX,
		.limit_max = BARE_LIST_MAX,
		.sort = SORT_NONE,
		.details = DETAILS_LISTS,
		.full_stops = true,
		.challenge_basic = true,
		.instants = INSTANT_ISO_MILLIS,
		.write_list = bare_list_write,
		.write_error = assignments_error_write,
	},
	[DIALECT_RETRO] = {
		.id = DIALECT_RETRO,
		.name = "retrospectives",
		.paging = PAGING_NONE,
		.limit_default = BARE_LIST_MAX,
		.limit_max = BARE_LIST_MAX,
		.sort = SORT_NONE,
		.details = DETAILS_LISTS,
		.instants = INSTANT_ISO_SECONDS,
		.write_list = bare_list_write,
		.write_error = retro_error_write,
	},
	[DIALECT_BUSINESS] = {
		.id = DIALECT_BUSINESS,
		.name = "business",
		.paging = PAGING_PAGE_SIZE,
		.limit_default = 20,
		.limit_max = 100,
		.limit_clamps = true,
		.sort = SORT_ORDERING,
		.sort_ignores_unknown = true,
		.filter_suffixes = true,
		.details = DETAILS_LISTS,
		.full_stops = true,
		.instants = INSTANT_ISO_SECONDS,
		.write_list = business_list_write,
		.write_error = business_error_write,
	},
	[DIALECT_CRM] = {
		.id = DIALECT_CRM,
		.name = "crm",
		.paging = PAGING_PAGE_LIMIT,
		.limit_default = 20,
		.limit_max = 200,
		.sort = SORT_COLON,
		.filter_json = true,
		.details = DETAILS_TEXTS,
		.full_stops = true,
		.envelope = true,
		.instants = INSTANT_ISO_SECONDS,
		.write_list = crm_list_write,
		.write_error = crm_error_write,
	},
};

static const struct {
	struct str prefix;
	enum dialect_id id;
} prefixes[] = {
	{ STR_INIT("/api/kpis/campaigns"), DIALECT_RETRO },
	{ STR_INIT("/api/kpis"), DIALECT_KPI },
	{ STR_INIT("/api/webhooks"), DIALECT_KPI },
	{ STR_INIT("/api/campaigns"), DIALECT_RETRO },
	{ STR_INIT("/api/retrospectives"), DIALECT_RETRO },
	{ STR_INIT("/api/ws/retrospectives"), DIALECT_RETRO },
	{ STR_INIT("/api/v1/kpi-management"), DIALECT_ASSIGNMENTS },
	{ STR_INIT("/api/v1"), DIALECT_CRM },
};

static bool
below(struct str path, struct str prefix)
{
	return str_starts_with(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/');
}

const struct dialect *
dialect_of_path(struct str path)
{
	const struct dialect *found = &dialects[DIALECT_BUSINESS];
	size_t longest = 0;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		if (prefixes[i].prefix.n <= longest || !below(path, prefixes[i].prefix))
			continue;
		longest = prefixes[i].prefix.n;
		found = &dialects[prefixes[i].id];
	}
	return found;
}
