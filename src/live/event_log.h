/* The audit trail as a list: every event of the company, read-only, through the engine. */
#ifndef LIVE_EVENT_LOG_H
#define LIVE_EVENT_LOG_H

#include "resource/resource.h"

struct event_record {
	struct res_row row;
	int64_t seq;
	struct str type, object_type, object_id;
	int64_t actor_id;
	struct str actor_name, request_id;
	struct instant at;
	struct str old_values, new_values;
};
extern const struct res_def event_res;
extern const struct res_view event_view;

#endif
