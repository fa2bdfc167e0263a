/* The tz database's compiled files (TZif, RFC 8536) as tables of offsets. Private to the time functions of base. */
#ifndef BASE_TZIF_H
#define BASE_TZIF_H

#include "base/arena.h"

/* offset_s[i] is in force from at_s[i - 1] until before at_s[i]; offset_s has one element more than at_s. */
struct zone {
	struct zone *next; /* in the cache */
	struct str name;
	size_t count;
	const int64_t *at_s;	 /* seconds since 1970 UTC, ascending */
	const int32_t *offset_s; /* seconds east of UTC, within ±26 hours */
	/* From here on the table repeats every 400 years, after which the calendar does; INT64_MAX without a rule for the future. */
	int64_t repeat_s;
};

#define TZIF_OFFSET_MAX 93600		   /* 26 hours, in seconds: the format's own bound */
#define TZIF_CYCLE_S	(146097LL * 86400) /* 400 years */

/* NULL when the file is malformed, of version 1, or counts leap seconds. Everything lives on a. */
struct zone *tzif_parse(struct arena *a, struct str file);

#endif
