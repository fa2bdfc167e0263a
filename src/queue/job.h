/*
 * The durable job queue: work that must happen after a change, at a time, or again and again. A job is a row; it is enqueued in the
 * transaction of the change that wants it, so it exists exactly when the change does. Runners claim due jobs under a lease that a
 * heartbeat renews; when a runner dies its lease runs out and the job runs again, so a run must be repeatable. What the jobs do is
 * listed in jobs/; this room knows none of them by name.
 *
 * The promise is "at least once". A failed run is tried again with exponential back-off and jitter until its kind's attempts are used up;
 * then it is dead and stays to be looked at. A job whose runner died under it twice is poison: it is set aside and named.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include "db/db.h"

struct job_runner; /* the threads that run jobs in this process */
struct job_run;

/* Runs on a thread of its queue, outside any transaction. NULL: done. ERR_UNAVAILABLE and any other error: tried again; see job_give_up. */
typedef struct err *job_function(struct job_run *r);

/* What a kind of job is: a row of the table in jobs/. */
struct job_kind {
	const char *name;   /* "webhook.deliver": stored, so it stays */
	const char *queue;  /* "default", "webhooks", … : each has its own threads, can be paused */
	job_function *run;
	int attempts_max;   /* runs before it is dead; 0: 10 */
	int first_retry_s;  /* back-off begins here and doubles; 0: 5 */
	int longest_retry_s;/* 0: 3600 */
	int timeout_s;      /* after this long job_is_stopped() says true and the run counts as failed; 0: 300 */
	const char *doc;    /* a sentence for people */
};

/* ---- enqueueing, in the transaction of the change ------------------------------------------------------------------------------ */

struct job_request {
	int64_t company_id;  /* 0: the installation's own */
	const char *kind;
	/*
	 * A key makes it unique: of one (company, kind, key) at most one job waits and one runs. When one waits already, it takes the earlier
	 * of the two times and no second is made; when one runs, exactly one more will run behind it.
	 */
	struct str key;
	struct str payload;  /* JSON text; empty: {} */
	struct instant at;   /* not before; 0: at once */
	int priority;        /* −10 … 10, higher first; 0 is normal */
};
/* id may be NULL; of a job that waits already it is that one's. */
struct err *job_enqueue(struct db_tx *tx, struct instant now, const struct job_request *q, int64_t *id) MUST_USE;
/* A waiting job is cancelled at once, a running one is asked to stop. *found false when there is none under the key. */
struct err *job_cancel_key(struct db_tx *tx, int64_t company_id, const char *kind, struct str key, bool *found) MUST_USE;

/* ---- recurring ------------------------------------------------------------------------------------------------------------------ */

/*
 * A schedule enqueues its kind at every slot of a cron expression ("minute hour day month weekday", lists, ranges, steps, names, @daily …)
 * in the company's time zone: exactly once a slot however many nodes run; a local time that the clock skips runs at the moment after the
 * gap, one that comes twice runs at its first; slots missed while no node ran are made up by one run.
 */
struct job_schedule {
	int64_t company_id; /* 0: the installation's, in UTC */
	struct str name;    /* unique in the company; becomes the job's key */
	const char *kind;
	struct str cron;
	struct str payload;
};
/* Makes it or changes it. INVALID_INPUT on field "cron" with what was expected. */
struct err *job_schedule_put(struct db_tx *tx, struct instant now, const struct zone *z, const struct job_schedule *s) MUST_USE;
struct err *job_schedule_remove(struct db_tx *tx, int64_t company_id, struct str name) MUST_USE;

/* ---- inside a run --------------------------------------------------------------------------------------------------------------- */

struct job_run {
	struct arena *arena; /* of this run */
	struct db *db;
	const struct clock *clock;
	void *app;           /* what the process gave to job_runner_start: services of the rooms above */
	int64_t company_id, id;
	struct str kind, key, payload;
	int attempt;         /* from 1 */
	/* the runner's from here on */
	struct job_lease *lease;
};
/* Whether the run should end soon: cancelled, timed out, lease lost, or the process stops. Cheap; ask between steps. */
bool job_is_stopped(struct job_run *r);
/* Shown to who watches; done ≤ total, total 0: unknown. Stored at most once a second. */
void job_progress(struct job_run *r, int64_t done, int64_t total, struct str note);
/* When the run ends without error the same job waits until then instead of being done, and its attempts count from the start. */
void job_again_at(struct job_run *r, struct instant at);
/* When the run ends with an error the next try is not before then, instead of by the kind's back-off. */
void job_retry_at(struct job_run *r, struct instant at);
/* When the run ends with an error it is dead at once: trying again would change nothing. */
void job_give_up(struct job_run *r);
/* Kept with the job for people: JSON text, at most 4 kB. */
void job_result(struct job_run *r, struct str json);

/* ---- the process's runner ------------------------------------------------------------------------------------------------------- */

struct job_queue_threads {
	const char *queue;
	int threads;
};
struct job_runner_options {
	struct db *db;
	const struct clock *clock;
	const struct job_kind *const *kinds;    /* NULL-terminated; a stored job of an unknown kind waits untouched */
	const struct job_queue_threads *queues; /* ends with queue NULL; jobs of others are not run by this process */
	void *app;
	int lease_s;                            /* 0: 30 */
	int poll_ms;                            /* how often due jobs of other nodes are looked for; 0: 1000. Own ones start at once */
};
struct err *job_runner_start(struct arena *a, const struct job_runner_options *o, struct job_runner **out) MUST_USE;
/* Asks running jobs to stop, waits at most drain_ms, gives the leases of the others back, ends. */
void job_runner_stop(struct job_runner *r, int drain_ms);

#endif
