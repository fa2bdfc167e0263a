/*
 * Rate limits per family of routes, counted in memory: a sliding window made of the present and the last fixed window, which allows the
 * limit in any window and needs two numbers a client. Each node counts for itself.
 */
#ifndef API_RATE_LIMIT_H
#define API_RATE_LIMIT_H

#include "base/err.h"
#include "base/time.h"

/* What is limited, by whom it is counted, the contract's number and its window in seconds. */
#define RATE_FAMILIES(X)                                       \
	X(BUSINESS_USER, "business", 1000, 3600)               \
	X(BUSINESS_ANONYMOUS, "business-anonymous", 100, 3600) \
	X(BUSINESS_ADMIN, "business-admin", 5000, 3600)        \
	X(CRM, "crm", 1000, 60)                                \
	X(CAMPAIGN, "campaign", 100, 60)                       \
	X(RETROSPECTIVE, "retrospective", 10, 60)

enum rate_family {
#define RATE_ENUM(name, word, limit, window_s) RATE_##name,
	RATE_FAMILIES(RATE_ENUM)
#undef RATE_ENUM
		RATE_FAMILY_COUNT
};
extern const char *const rate_family_names[RATE_FAMILY_COUNT];

/* What a route's requests count against; the family follows from it and from who asks. */
enum rate_kind {
	RATE_KIND_NONE,
	RATE_KIND_BUSINESS,
	RATE_KIND_CRM,
	RATE_KIND_CAMPAIGN,
	RATE_KIND_RETROSPECTIVE
};

/* Requests a window by family; 0 takes the contract's number. */
struct rate_rules {
	int64_t limits[RATE_FAMILY_COUNT];
};

/* "business=2000,crm=500" by rate_family_names. INVALID_INPUT naming the part that is no family or no positive number. */
struct err *rate_rules_parse(struct arena *a, struct str text, struct rate_rules *out) MUST_USE;

struct rate_limiter;

struct rate_state {
	bool counted; /* this request belongs to a family: its header fields are shown */
	bool refused;
	int64_t limit, remaining;
	int64_t reset_s;       /* Unix time at which the present window ends */
	int64_t retry_after_s; /* when refused */
};

struct rate_limiter *rate_limiter_new(const struct rate_rules *rules);
void rate_limiter_free(struct rate_limiter *l);
/* Counts one request of a client (a hash of who it is) unless it is refused. */
void rate_take(struct rate_limiter *l, enum rate_family family, uint64_t client, struct instant now,
	struct rate_state *out);

#endif
