/* See the header. An operation that is missing from .perm is closed, so nothing here can be written through the engine. */
#include "jobs/job_resource.h"

#define ADMINISTRATORS (PERM_BIT(PERM_COMPANY_ADMIN) | PERM_BIT(PERM_PLATFORM_ADMIN))

static const char *const job_state_names[] = { "waiting", "running", "done", "dead", "cancelled", "poison",
	NULL };

#define RES_RECORD struct job_record
static const struct res_field job_fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Generated.", .example = "41"),
	F(kind, TEXT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "What it does.",
		.example = "\"kpi.judge\""),
	F(queue, TEXT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "The first word of its kind.",
		.example = "\"kpi\""),
	F(key, TEXT, .flags = RF_SERVER | RF_NULL | RF_FILTER,
		.doc = "Of one key one job waits and one runs; null: it stands for itself.",
		.example = "\"kpi.judge\""),
	F(state, ENUM, .flags = RF_SERVER | RF_FILTER | RF_SORT, .names = job_state_names,
		.doc = "dead: failed for the last time; poison: the server died under it too often.",
		.example = "\"done\""),
	F(priority, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT,
		.doc = "From -10 to 10; higher runs first.", .example = "0"),
	F(run_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "It does not run before.",
		.example = "\"2024-06-15T00:05:00Z\""),
	F(attempt, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Runs begun.", .example = "1"),
	F(crashes, INT, .flags = RF_SERVER | RF_FILTER, .doc = "Runs under which the server died.",
		.example = "0"),
	F(cancel_asked, BOOL, .flags = RF_SERVER | RF_FILTER, .doc = "Whether it was asked to stop.",
		.example = "false"),
	FN(progress_done, "progress.done", INT, .flags = RF_SERVER, .doc = "How far it is.",
		.example = "120"),
	FN(progress_total, "progress.total", INT, .flags = RF_SERVER,
		.doc = "Of how much; 0: it does not know.", .example = "400"),
	FN(progress_note, "progress.note", TEXT, .flags = RF_SERVER | RF_NULL, .doc = "In its own words.",
		.example = "\"KPIs judged\""),
	F(error, TEXT, .flags = RF_SERVER | RF_NULL, .max = 1000, .doc = "Why its last failed run failed.",
		.example = "null"),
	F(result, JSON, .flags = RF_SERVER | RF_NULL, .doc = "What it left.",
		.example = "{\"kpis_changed\":2}"),
	F(payload, JSON, .flags = RF_SERVER, .doc = "What it was told.", .example = "{}"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was enqueued.",
		.example = "\"2024-06-15T00:05:00Z\""),
	F(started_at, INSTANT, .flags = RF_SERVER | RF_NULL | RF_FILTER | RF_SORT,
		.doc = "When its last run began.", .example = "\"2024-06-15T00:05:00Z\""),
	F(finished_at, INSTANT, .flags = RF_SERVER | RF_NULL | RF_FILTER | RF_SORT,
		.doc = "When it was over.", .example = "\"2024-06-15T00:05:01Z\""),
};

const struct res_def job_res = {
	.name = "job",
	.title = "Job",
	.table = "job",
	.fields = job_fields,
	.field_count = COUNT(job_fields),
	.record_size = sizeof(struct job_record),
	.scope = SCOPE_COMPANY,
	.perm = { [RES_LIST] = ADMINISTRATORS, [RES_READ] = ADMINISTRATORS },
	.default_sort = "-created_at,-id",
	.not_found = "JOB_NOT_FOUND",
	.doc = "Work that the server does by itself.",
};
#undef RES_RECORD

#define RES_RECORD struct schedule_record
static const struct res_field schedule_fields[] = {
	FN(id, "name", TEXT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Its name.",
		.example = "\"kpi.judge\""),
	F(kind, TEXT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "The kind of job that it enqueues.",
		.example = "\"kpi.judge\""),
	F(cron, TEXT, .flags = RF_SERVER, .doc = "When: minute, hour, day, month, weekday.",
		.example = "\"5 0 * * *\""),
	F(time_zone, TEXT, .flags = RF_SERVER | RF_FILTER, .doc = "Whose clock is meant.",
		.example = "\"Asia/Kolkata\""),
	F(payload, JSON, .flags = RF_SERVER, .doc = "What the jobs are told.", .example = "{}"),
	F(paused, BOOL, .flags = RF_SERVER | RF_FILTER, .doc = "A paused one enqueues nothing.",
		.example = "false"),
	F(next_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "The time that comes next.",
		.example = "\"2024-06-15T18:35:00Z\""),
	F(last_at, INSTANT, .flags = RF_SERVER | RF_NULL | RF_FILTER | RF_SORT,
		.doc = "The time that it ran for last.", .example = "\"2024-06-14T18:35:00Z\""),
};

const struct res_def job_schedule_res = {
	.name = "job_schedule",
	.title = "Schedule",
	.table = "job_schedule",
	.fields = schedule_fields,
	.field_count = COUNT(schedule_fields),
	.record_size = sizeof(struct schedule_record),
	.id_field = "name",
	.scope = SCOPE_COMPANY,
	.perm = { [RES_LIST] = ADMINISTRATORS, [RES_READ] = ADMINISTRATORS },
	.default_sort = "name",
	.not_found = "SCHEDULE_NOT_FOUND",
	.doc = "Jobs that come again and again.",
};
