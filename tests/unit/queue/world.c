/* See the header. */
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

void
world_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

struct instant
world_now(void)
{
	return clock_system.now(&clock_system);
}

/* ---- kinds ------------------------------------------------------------------------------------------------------------------ */

static void
keep(char *to, size_t room, struct str s)
{
	size_t n = s.n < room - 1 ? s.n : room - 1;

	memcpy(to, s.p, n);
	to[n] = '\0';
}

static void
begin(struct job_run *r)
{
	struct world *w = r->app;

	pthread_mutex_lock(&w->lock);
	struct world_run *x = &w->runs[w->run_count % WORLD_RUNS];
	x->id = r->id;
	x->attempt = r->attempt;
	keep(x->key, sizeof(x->key), r->key);
	keep(x->payload, sizeof(x->payload), r->payload);
	w->run_count++;
	if (++w->inside > w->most_inside)
		w->most_inside = w->inside;
	pthread_mutex_unlock(&w->lock);
}

static struct err *
end(struct job_run *r, struct err *e)
{
	struct world *w = r->app;

	w->inside--;
	w->ended_count++;
	return e;
}

static struct err *
run_ok(struct job_run *r)
{
	begin(r);
	return end(r, NULL);
}

static struct err *
run_fail(struct job_run *r)
{
	struct world *w = r->app;

	begin(r);
	if (w->failures_left-- > 0)
		return end(r, err_new(r->arena, ERR_UNAVAILABLE, "The receiver is away."));
	return end(r, NULL);
}

/* Until the gate opens or it is told to stop. */
static struct err *
run_gate(struct job_run *r)
{
	struct world *w = r->app;

	begin(r);
	while (w->gate_closed && !job_is_stopped(r))
		world_nap();
	if (!job_is_stopped(r))
		return end(r, NULL);
	w->stops_seen++;
	return end(r, job_stopped(r));
}

static struct err *
run_deaf(struct job_run *r)
{
	struct world *w = r->app;

	begin(r);
	while (w->gate_closed)
		world_nap();
	return end(r, NULL);
}

static struct err *
run_nap(struct job_run *r)
{
	begin(r);
	for (int i = 0; i < 10; i++)
		world_nap();
	return end(r, NULL);
}

static struct err *
run_again(struct job_run *r)
{
	struct world *w = r->app;

	begin(r);
	if (w->run_count < 3)
		job_again_at(r, (struct instant){ world_now().us + 1000 });
	return end(r, NULL);
}

static struct err *
run_give_up(struct job_run *r)
{
	begin(r);
	job_give_up(r);
	return end(r, err_new(r->arena, ERR_INVALID_INPUT, "Never."));
}

static struct err *
run_tell(struct job_run *r)
{
	begin(r);
	job_progress(r, 3, 7, STR("three of seven \xff\0bytes"));
	job_result(r, STR("{\"sent\":3}"));
	return end(r, NULL);
}

static const struct job_kind ok = { .name = "test.ok", .run = run_ok };
static const struct job_kind forgotten = { .name = "test.forgotten", .run = run_ok, .forgets = true };
static const struct job_kind failing = {
	.name = "test.fail", .run = run_fail, .attempts_max = 3, .first_retry_s = 1, .longest_retry_s = 1
};
static const struct job_kind gate = { .name = "test.gate", .run = run_gate };
static const struct job_kind patient_gate = {
	.name = "test.patient_gate", .run = run_gate, .crashes_max = 6
};
static const struct job_kind patient_nap = { .name = "test.patient_nap", .run = run_nap, .crashes_max = 6 };
static const struct job_kind overstay = { .name = "test.overstay", .run = run_deaf, .timeout_s = 1 };
static const struct job_kind deaf = { .name = "test.deaf", .run = run_deaf };
static const struct job_kind brief = {
	.name = "test.brief", .run = run_gate, .timeout_s = 1, .attempts_max = 1
};
static const struct job_kind again = { .name = "test.again", .run = run_again };
static const struct job_kind give_up = { .name = "test.give_up", .run = run_give_up };
static const struct job_kind tell = { .name = "test.tell", .run = run_tell };
const struct job_kind *const world_kinds[] = { &ok, &forgotten, &failing, &gate, &patient_gate, &patient_nap,
	&overstay, &brief, &again, &give_up, &tell, &deaf, NULL };

/* ---- the world -------------------------------------------------------------------------------------------------------------- */

/* Made once a program: a new PostgreSQL database takes longer than most tests. */
static struct fixture databases[2];
static struct db_faults faults[2];

int
world_remove_databases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(databases); i++)
		if (databases[i].db)
			fixture_end(&databases[i]);
	return 0;
}

bool
world_start(struct world *w, enum db_kind kind)
{
	static const struct job_queue_threads queues[] = { { "test", 2 }, { NULL, 0 } };

	if (w->runner) { /* of a test that failed */
		w->gate_closed = false;
		(void)job_runner_stop(w->runner, WORLD_PATIENCE_MS);
	}
	memset(w, 0, sizeof(*w));
	if (!fixture_available(kind))
		return false;
	if (!databases[kind].db) {
		databases[kind].kind = kind;
		databases[kind].faults = &faults[kind];
		fixture_start(&databases[kind]);
	}
	w->f = databases[kind];
	w->faults = &faults[kind];
	w->faults->count = 0;
	fixture_run(&w->f, "DELETE FROM job");
	fixture_run(&w->f, "DELETE FROM job_schedule");
	fixture_run(&w->f, "DELETE FROM job_queue");
	pthread_mutex_init(&w->lock, NULL);
	w->options = (struct job_runner_options){ .db = w->f.db,
		.clock = &clock_system,
		.kinds = world_kinds,
		.queues = queues,
		.app = w,
		.poll_ms = 20 };
	return true;
}

void
world_run(struct world *w)
{
	fixture_ok(job_runner_start(w->f.arena, &w->options, &w->runner));
}

void
world_stop_runner(struct world *w)
{
	w->gate_closed = false;
	if (w->runner)
		assert_true(job_runner_stop(w->runner, WORLD_PATIENCE_MS));
	w->runner = NULL;
}

void
world_end(struct world *w)
{
	world_stop_runner(w);
	pthread_mutex_destroy(&w->lock);
}

struct enqueued {
	const struct job_request *q;
	int64_t id;
};

static struct err *
enqueue(struct db_tx *tx, void *arg)
{
	struct enqueued *x = arg;

	return job_enqueue(tx, world_now(), x->q, &x->id);
}

int64_t
world_enqueue(struct world *w, const struct job_request *q)
{
	struct enqueued x = { .q = q };

	fixture_ok(db_write(w->f.db, w->f.arena, enqueue, &x));
	return x.id;
}
