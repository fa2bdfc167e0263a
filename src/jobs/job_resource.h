/*
 * Jobs and schedules as resources that are only read: lists, filters, paging, scope and description are the engine's. They are changed by
 * the queue's own functions alone.
 */
#ifndef JOBS_JOB_RESOURCE_H
#define JOBS_JOB_RESOURCE_H

#include "resource/resource.h"

#define JOB_STATE_RUNNING 1 /* of job_record.state */

struct job_record {
	struct res_row row;
	int64_t id;
	struct str kind, queue, key, payload;
	int state; /* as job_state_names */
	int64_t priority, attempt, crashes;
	int64_t progress_done, progress_total;
	struct str progress_note, error, result;
	bool cancel_asked;
	struct instant run_at, created_at, started_at, finished_at;
};
extern const struct res_def job_res;

struct schedule_record {
	struct res_row row;
	struct str id; /* its name */
	struct str kind, cron, time_zone, payload;
	bool paused;
	struct instant next_at, last_at;
};
extern const struct res_def job_schedule_res;

#endif
