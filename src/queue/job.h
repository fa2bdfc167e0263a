/*
 * The durable job queue: work that must happen after a change, at a time, or again and again. A job is a row; it is enqueued in the
 * transaction of the change that wants it, so it exists exactly when the change does. Runners claim due jobs under a lease that a
 * heartbeat renews; when a runner dies its lease runs out and the job runs again, so a run must be repeatable. What the jobs do is
 * listed in jobs/; this room knows none of them by name.
 *
 * The promise is "at least once". A failed run is tried again with exponential back-off and jitter until its kind's attempts are used up;
 * then it is dead and stays to be looked at. A job whose runner died under it as often as its kind allows (twice, unless it
 * says otherwise) is poison: it is set aside and named. Before its last run others that may be to blame are kept away from it.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include "db/db.h"

struct job_runner; /* the threads that run jobs in this process */
struct job_run;

/*
 * Runs on a thread of its queue, outside any transaction. NULL: done. Any error: tried again; see job_give_up. A run that ends early because
 * job_is_stopped returns job_stopped(r).
 */
typedef struct err *job_function(struct job_run *r);

/* What a kind of job is: a row of the table in jobs/. */
struct job_kind {
	/* "webhook.deliver": stored, so it stays. The first word is its queue, which has its own threads and can be paused. */
	const char *name;
	job_function *run;
	int attempts_max;    /* runs before it is dead; 0: 10 */
	int first_retry_s;   /* back-off begins here and doubles; each wait is a random part of it; 0: 5 */
	int longest_retry_s; /* 0: 3600 */
	int timeout_s;       /* after this long job_is_stopped() says true; 0: 300. A run that goes on for a lease more is given up as crashed */
	/*
	 * Runs in a row whose runner died before the job is poison, at least 2; 0: LIMIT_JOB_CRASHES. More where runs mostly wait, so that
	 * a kill finds them running: only when one crash is left does the job run without any other that had one beside it in its process.
	 */
	int crashes_max;
	bool forgets;        /* done jobs leave no row: they are many and tell of themselves elsewhere */
	const char *doc;     /* a sentence for people */
};

/* ---- enqueueing, in the transaction of the change ------------------------------------------------------------------------------ */

#define JOB_PRIORITY_MAX 10
struct job_request {
	int64_t company_id;  /* 0: the installation's own */
	const char *kind;
	/*
	 * A key makes it unique: of one (company, kind, key) at most one job waits and one runs. When one waits already, it takes the earlier
	 * of the two times, the higher priority and the later payload, and no second is made; one that waits because it failed keeps the time
	 * of its next try. When one runs, it runs once more behind that run. While one is poison, others of its key wait for whoever looks at it.
	 */
	struct str key;
	struct str payload;  /* JSON text of at most LIMIT_JOB_PAYLOAD_BYTES; empty: {} */
	struct instant at;   /* not before; 0: at once */
	int priority;        /* ±JOB_PRIORITY_MAX, higher first; 0 is normal */
};
/* id may be NULL; of a job that waits already it is that one's. */
struct err *job_enqueue(struct db_tx *tx, struct instant now, const struct job_request *q, int64_t *id) MUST_USE;
/*
 * By company_id, kind and key of the request: a waiting job is cancelled at once, a running one is asked to stop. *found false when there
 * is none.
 */
struct err *job_cancel_key(struct db_tx *tx, struct instant now, const struct job_request *of, bool *found) MUST_USE;

/* ---- recurring ------------------------------------------------------------------------------------------------------------------ */

/*
 * A schedule enqueues its kind at every slot of a cron expression ("minute hour day month weekday", lists, ranges, steps, names, @daily …)
 * in the company's time zone: exactly once a slot however many nodes run; a local time that the clock skips runs at the moment after the
 * gap, one that comes twice runs at its first; slots missed while no node ran are made up by one run.
 */
struct job_schedule {
	int64_t company_id; /* 0: the installation's, in UTC */
	struct str name;    /* unique in the company, 1–100 bytes; becomes the job's key */
	const char *kind;
	struct str cron;
	struct str payload;
};
/* Makes it or changes it; one that stays as it was keeps its next slot. INVALID_INPUT on field "cron" with what was expected. */
struct err *job_schedule_put(struct db_tx *tx, struct instant now, const struct zone *z, const struct job_schedule *s) MUST_USE;
struct err *job_schedule_remove(struct db_tx *tx, int64_t company_id, struct str name) MUST_USE;
/* Enqueues its job now, beside its slots; id may not be NULL. NOT_FOUND. */
struct err *job_schedule_run(struct db_tx *tx, struct instant now, int64_t company_id, struct str name, int64_t *id) MUST_USE;
/* *out: a node that runs its kind has been there since late, or nobody can know because it is paused; false also when there is none. */
struct err *job_schedule_is_kept(struct db_tx *tx, struct instant late, int64_t company_id, struct str name, bool *out) MUST_USE;
/* Slots that pass while it is paused are not made up. NOT_FOUND. */
struct err *job_schedule_pause(struct db_tx *tx, struct instant now, int64_t company_id, struct str name, bool paused) MUST_USE;

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
/* What a run returns that ends early for that reason. */
struct err *job_stopped(struct job_run *r) __attribute__((returns_nonnull));
/* Shown to who watches; done ≤ total, total 0: unknown. Stored at most once a second. */
void job_progress(struct job_run *r, int64_t done, int64_t total, struct str note);
/* When the run ends without error the same job waits until then instead of being done, and its attempts count from the start. */
void job_again_at(struct job_run *r, struct instant at);
/* When the run ends with an error the next try is not before then, instead of by the kind's back-off. */
void job_retry_at(struct job_run *r, struct instant at);
/* When the run ends with an error it is dead at once: trying again would change nothing. */
void job_give_up(struct job_run *r);
/*
 * Makes the end of the run part of tx: once that has committed the job is done and gone, whatever becomes of the process, so what else tx
 * changes happens exactly once. Of a kind that forgets, without a key; the run then returns what tx ended with. UNAVAILABLE: the lease
 * was lost, and tx must not commit.
 */
struct err *job_done_with(struct db_tx *tx, struct job_run *r) MUST_USE;
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
	const struct job_kind *const *kinds;    /* NULL-terminated, those of other processes too; a job of an unknown kind waits untouched */
	const struct job_queue_threads *queues; /* ends with queue NULL; jobs and schedules of others wait for other processes */
	void *app;
	int lease_s;                            /* 0: 30 */
	int poll_ms;                            /* how often due jobs of other nodes are looked for; 0: 1000. Own ones start at once */
	bool alone;                             /* no other process runs jobs of this database: a lease found at start is of a dead one */
};
struct err *job_runner_start(struct arena *a, const struct job_runner_options *o, struct job_runner **out) MUST_USE;
/*
 * Asks running jobs to stop, waits at most drain_ms, gives the leases of the others back, ends. False when a run has not come back: its
 * thread still uses the database, so the process may only exit, or ask again later.
 */
bool job_runner_stop(struct job_runner *r, int drain_ms);

#endif
