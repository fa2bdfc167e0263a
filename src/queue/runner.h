/*
 * The runner as its own files see it. Private to the room. One thread, the dispatcher, speaks with the database: each of its rounds is one
 * transaction that stores how the runs of the last moments ended, renews leases and claims what comes next, so that under load many jobs
 * share a commit. The threads of the queues only run; they meet the dispatcher in lists under one lock.
 */
#ifndef QUEUE_RUNNER_H
#define QUEUE_RUNNER_H

#include "base/limits.h"
#include "queue/job.h"
#include <pthread.h>
#include <stdatomic.h>

#define JOB_QUEUES_MAX 16    /* queues one process may run */
#define RUNNER_RUN_US  20000 /* how long a run of a queue is thought to take before one was timed */

/* Why a run should end soon. */
enum job_stop { JOB_STOP_CANCEL = 1, JOB_STOP_PROCESS = 2, JOB_STOP_LOST = 4 };

enum job_outcome {
	JOB_DONE,
	JOB_AGAIN,     /* waits until it.at, as if it had never run */
	JOB_RETRY,     /* failed; waits until it.at */
	JOB_RELEASED,  /* the process stops: waits, the run does not count */
	JOB_DEAD,
	JOB_CANCELLED,
};

/* A claimed job from claim to stored end. */
struct job_lease {
	struct job_lease *next;          /* in the list it is in: ready or ended */
	struct job_lease *newer, *older; /* of all that are held */
	struct job_runner *runner;
	struct runner_queue *queue;
	const struct job_kind *kind;
	struct arena *arena; /* holds this struct and the job's texts */
	int64_t company_id, id, run_at, priority;
	int64_t started_at; /* of the claim: with owner and id it names this claim and no later one */
	struct str key, payload;
	int attempt, crashes;
	bool last_chance; /* another crash makes it poison */
	bool given_up;    /* it overstayed its time limit by a lease, which is left to run out. The dispatcher's */

	_Atomic int stop;               /* enum job_stop, or-ed */
	_Atomic int64_t until_us;       /* the lease's end, monotonic */
	_Atomic int64_t deadline_us;    /* of the run, monotonic; 0: not begun */
	int64_t stored_us;              /* when progress was stored last, monotonic; the dispatcher's */

	/* under the runner's lock while it runs */
	int64_t done, total;
	char note[LIMIT_JOB_NOTE_BYTES];
	size_t note_len;
	bool progress_changed, running, ended;

	/* set by the run, read when it has ended */
	struct instant again_at, retry_at;
	bool gives_up;
	bool ends_itself; /* by job_done_with; whether that came to be is the database's to say */
	enum job_outcome outcome;
	struct instant at;
	struct str error, result;
	char *result_room;
};

/* The threads of one queue. */
struct runner_queue {
	struct job_runner *runner;
	struct str name;
	struct str kinds; /* those of this queue, a JSON array */
	int most, started, idle;
	pthread_t *threads;
	pthread_cond_t filled;
	struct job_lease *ready, **ready_tail;
	int ready_count, running;
	int64_t run_us; /* of one run, a running mean, at first RUNNER_RUN_US */
	bool more;      /* there may be due jobs that were not claimed for want of room. The dispatcher's */
};

struct job_runner {
	struct job_runner_options options;
	struct str name; /* of its leases */
	int64_t lease_us, poll_us;
	struct arena *arena;   /* what lives as long as the runner */
	struct arena *scratch; /* a round's */
	struct runner_queue queues[JOB_QUEUES_MAX];
	size_t queue_count;
	struct str kinds; /* those of its queues, a JSON array */
	pthread_t dispatcher;
	struct db_watch *watch; /* where it sleeps */

	pthread_mutex_t lock;
	pthread_cond_t ended_all; /* the dispatcher is over; monotonic */
	bool wake, stopping;
	bool given_up, over; /* the dispatcher is not to wait for runs; it has ended */
	struct job_lease *held;                /* newest first */
	struct job_lease *ended, **ended_tail; /* runs whose end is not stored */
	int running;

	/* the dispatcher's own */
	int64_t clock_offset_us; /* the database's clock less the monotonic one */
	uint64_t epoch;
	int64_t looked_us;
	int64_t last_chance_due_us; /* since when a job at its last chance is known to wait; 0: none does */
	bool doubtful;    /* a commit's outcome is not known */
	bool left_behind; /* leases of dead processes are taken over before anything is claimed */
	int failures;     /* rounds in a row */
};

/* ---- threads (work.c) ----------------------------------------------------------------------------------------------------------- */

/* Under the lock: appends to what the queue's threads run next, and starts a thread when none is idle. */
void runner_hand_over(struct runner_queue *q, struct job_lease *l);
/* Under the lock: how many jobs more the queue can take now. */
int runner_room(const struct runner_queue *q);
/* Waits until its threads have ended. */
void runner_join(struct runner_queue *q);
const struct job_kind *runner_kind(const struct job_runner *r, struct str name);

/* ---- the dispatcher (dispatch.c, look.c) --------------------------------------------------------------------------------------- */

struct runner_round;

void *runner_dispatch(void *runner);
/* Narrows the round to what there is to do. */
struct err *runner_look(struct job_runner *r, struct runner_round *w) MUST_USE;

/* ---- the database (round.c, claim.c) -------------------------------------------------------------------------------------------- */

struct runner_progress {
	struct job_lease *lease;
	int64_t done, total;
	struct str note;
};
struct runner_held {
	int64_t company_id, id, started_at;
};

/* What one transaction of the dispatcher does. */
struct runner_round {
	struct job_runner *r;
	struct instant now;
	struct job_lease *ended; /* to be stored, linked by next */
	struct job_lease **renew;
	bool *renewed;
	size_t renew_count;
	struct runner_progress *progress;
	size_t progress_count;
	int room[JOB_QUEUES_MAX];  /* jobs to claim */
	bool suspects_held, last_chance_held; /* jobs under which a runner died run here; one of them at its last chance */
	bool suspects;             /* jobs under which a runner died may be among those to claim */
	bool last_chance;          /* claim one at its last chance, unless another suspect is claimed */
	bool expired, left_behind; /* look after leases that ran out; all leases have */
	bool schedules;            /* enqueue what is due */
	bool doubtful;             /* what the database says this runner owns is compared with what it holds */
	struct runner_held *held;
	size_t held_count;
	/* results, made anew when the transaction runs again; renewed is one of them */
	struct job_lease *claimed[JOB_QUEUES_MAX];
	int claimed_count[JOB_QUEUES_MAX];
	bool suspect_claimed, expired_more;
};

db_work runner_round_store;
int64_t runner_crashes_allowed(const struct runner_round *w);
/* Frees what was claimed by a transaction that did not come to be. */
void runner_round_forget(struct runner_round *w);
struct err *runner_claim(struct db_tx *tx, struct runner_round *w) MUST_USE;
void runner_lease_free(struct job_lease *l);
/* By the database's clock. */
int64_t runner_lease_end(const struct job_runner *r);
struct err *runner_take_over(struct db_tx *tx, struct runner_round *w) MUST_USE;
/* Enqueues what the schedules have due (schedule.c). */
struct err *job_schedules_fire(struct db_tx *tx, const struct job_runner *r, struct instant now) MUST_USE;
/* The queue of a kind: its first word. */
struct str job_queue_of(struct str kind);
/* Moves when a transaction of this process that enqueued or cancelled has committed. */
uint64_t job_epoch(const struct db *db);
void job_touch(struct db_tx *tx);

#endif
