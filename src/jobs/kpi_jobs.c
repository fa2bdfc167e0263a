/*
 * kpi.judge: a company's KPIs and assignments after its midnight. Each page of KPIs is judged in a read; what changed is written one by
 * one, so that the writer is never held for long. Running again finds nothing left to do.
 */
#include "domain/kpi/passing_time.h"
#include "jobs/kinds.h"

#define PAGE	    200 /* KPIs judged in one snapshot */
#define ASSIGNMENTS 50	/* completed in one transaction */

struct judging {
	struct job_run *run;
	struct str after, id; /* behind which KPI; the one to be written */
	struct str *ids;
	size_t count;
	struct str last;
};

static struct err *
look_at_page(struct db_tx *tx, void *arg)
{
	struct judging *j = arg;
	struct company_acting c;

	TRY(jobs_act(tx, j->run, &c));
	return kpi_states_stale(&c.res, j->after, PAGE, &j->ids, &j->count, &j->last);
}

static struct err *
refresh(struct db_tx *tx, void *arg)
{
	struct judging *j = arg;
	struct company_acting c;

	TRY(jobs_act(tx, j->run, &c));
	return kpi_state_refresh(&c.res, j->id);
}

static struct err *
complete(struct db_tx *tx, void *arg)
{
	struct judging *j = arg;
	struct company_acting c;

	TRY(jobs_act(tx, j->run, &c));
	return assignments_complete(&c.res, ASSIGNMENTS, &j->count);
}

static struct err *
judge_kpis(struct judging *j, int64_t *changed)
{
	struct job_run *r = j->run;

	for (;;) {
		if (job_is_stopped(r))
			return job_stopped(r);
		TRY(db_read(r->db, r->arena, look_at_page, j));
		if (!j->last.n)
			return NULL;
		for (size_t i = 0; i < j->count; i++) {
			j->id = j->ids[i];
			TRY(db_write(r->db, r->arena, refresh, j));
		}
		*changed += (int64_t)j->count;
		j->after = j->last;
	}
}

struct err *
kpi_judge_company(struct job_run *r)
{
	struct judging j = { .run = r, .after = STR("") };
	int64_t changed = 0, completed = 0;

	TRY(judge_kpis(&j, &changed));
	do {
		if (job_is_stopped(r))
			return job_stopped(r);
		TRY(db_write(r->db, r->arena, complete, &j));
		completed += (int64_t)j.count;
	} while (j.count == ASSIGNMENTS);
	job_result(r, arena_fmt(r->arena, "{\"kpis_changed\":%lld,\"assignments_completed\":%lld}",
			      (long long)changed, (long long)completed));
	return NULL;
}
