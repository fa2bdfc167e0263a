/*
 * Steps of an endpoint: read what is next, send it, store what came of it. A crash between sending and storing repeats the delivery with
 * the same id; a position that another one has moved makes the result void.
 */
#include "jobs/webhook_deliver.h"
#include "base/random.h"
#include "domain/integration/webhook_event.h"
#include "jobs/kinds.h"
#include "net/http_client.h"

#define STEPS_MAX 500 /* of one run; others of the queue want the thread too */
/*
 * An event is as large as a request's body. Reading holds it a few times, in one of the few connections; what is held while a receiver
 * takes its time, by each of 40 threads, is the body alone.
 */
#define READING_BYTES (192u << 20)
#define ARENA_BYTES   (64u << 20)
#define JITTER	      1000000
/* A position this far behind is worth a write, although there is nothing to send: the events before it may go. */
#define SKIP_WORTH 100
#define ID_BYTES   18

/* ---- one step --------------------------------------------------------------------------------------------------------------- */

struct step {
	const struct webhook_work *work;
	struct webhook_next next;
	struct webhook_attempt attempt;
	struct webhook_report report;
	struct instant now;
};

static struct err *
read_next(struct db_tx *tx, void *arg)
{
	struct step *s = arg;

	if (s->work->lane == WEBHOOK_LANE_REPLAY)
		return webhook_next_replay_read(tx, &s->work->key, &s->next);
	return webhook_next_read(tx, &s->work->key, &s->next);
}

static struct err *
read_step(struct step *s, struct arena *a)
{
	struct arena *reading = arena_new(READING_BYTES);
	struct err *e = db_read(s->work->db, reading, read_next, s);

	if (e)
		e = err_private(a, e->code, "%.*s %.*s", STR_ARG(e->message), STR_ARG(e->detail));
	else
		webhook_next_copy(a, &s->next);
	arena_free(reading);
	return e;
}

/* With the first success behind failures the healthy queue takes over; with the first failure it hands over. */
static struct err *
change_lane(struct db_tx *tx, const struct step *s)
{
	bool failed = s->report.outcome == WEBHOOK_WAITS, lane_fails = s->work->lane == WEBHOOK_LANE_RETRY;
	struct job_request q = { .company_id = s->work->key.company_id,
		.kind = failed ? WEBHOOK_RETRY_JOB : WEBHOOK_DELIVER_JOB,
		.key = s->work->key.webhook_id,
		.at = failed ? s->report.retry_at : s->attempt.at };

	if (s->report.outcome == WEBHOOK_STOPPED || failed == lane_fails)
		return NULL;
	return job_enqueue(tx, s->attempt.at, &q, NULL);
}

static struct err *
store_report(struct db_tx *tx, void *arg)
{
	struct step *s = arg;

	if (s->work->lane == WEBHOOK_LANE_REPLAY)
		return webhook_replay_store(tx, &s->report);
	TRY(webhook_report_store(tx, &s->report));
	return change_lane(tx, s);
}

static struct err *
store_skip(struct db_tx *tx, void *arg)
{
	const struct step *s = arg;
	return webhook_skip_store(tx, &s->work->key, &s->next);
}

static struct err *
deliver(struct step *s, struct arena *a, enum webhook_step *out, struct instant *at)
{
	const struct webhook_work *w = s->work;
	const struct webhook_call call = { .client = w->client,
		.target = &s->next.target,
		.message = &s->next.message,
		.is_over = w->is_over,
		.arg = w->arg };

	if (!webhook_send(w->sender, a, &call, &s->attempt)) {
		*out = WEBHOOK_STEP_OVER;
		return NULL;
	}
	s->report = (struct webhook_report){
		.key = w->key, .next = &s->next, .attempt = &s->attempt, .jitter = random_below(JITTER)
	};
	TRY(db_write(w->db, a, store_report, s));
	bool waits = s->report.outcome == WEBHOOK_WAITS;
	*at = s->report.retry_at;
	if (waits)
		*out = w->lane == WEBHOOK_LANE_HEALTHY ? WEBHOOK_STEP_IDLE : WEBHOOK_STEP_LATER;
	else if (s->report.outcome == WEBHOOK_STOPPED || w->lane == WEBHOOK_LANE_RETRY)
		*out = WEBHOOK_STEP_IDLE;
	else
		*out = WEBHOOK_STEP_MORE;
	return NULL;
}

/* Whether an endpoint of this health is this lane's. */
static bool
is_mine(const struct step *s)
{
	switch (s->work->lane) {
	case WEBHOOK_LANE_HEALTHY:
		return !s->next.is_failing;
	case WEBHOOK_LANE_RETRY:
		return s->next.is_failing;
	case WEBHOOK_LANE_REPLAY:
		return true;
	}
	return false;
}

struct err *
webhook_step(const struct webhook_work *w, struct arena *a, enum webhook_step *out, struct instant *at)
{
	struct step s = { .work = w, .now = w->sender->clock->now(w->sender->clock) };

	TRY(read_step(&s, a));
	*out = WEBHOOK_STEP_IDLE;
	if (!s.next.is_active || !is_mine(&s))
		return NULL;
	if (s.next.has_message && s.next.next_attempt_at.us > s.now.us) {
		*out = WEBHOOK_STEP_LATER;
		*at = s.next.next_attempt_at;
		return NULL;
	}
	if (s.next.has_message)
		return deliver(&s, a, out, at);
	if (s.next.reached_end && s.next.seen.seq - s.next.position.seq < SKIP_WORTH)
		return NULL;
	*out = s.next.reached_end ? WEBHOOK_STEP_IDLE : WEBHOOK_STEP_MORE;
	return db_write(w->db, a, store_skip, &s);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------------- */

static bool
run_is_over(void *arg)
{
	return job_is_stopped(arg);
}

/* The steps of one run; each has its memory for itself. */
static struct err *
run_steps(struct job_run *r, const struct webhook_work *w, struct arena *a)
{
	for (int i = 0; i < STEPS_MAX && !job_is_stopped(r); i++) {
		enum webhook_step step;
		struct instant at = { 0 };

		arena_reset(a);
		struct err *e = webhook_step(w, a, &step, &at);
		if (e)
			return err_private(
				r->arena, e->code, "%.*s %.*s", STR_ARG(e->message), STR_ARG(e->detail));
		switch (step) {
		case WEBHOOK_STEP_MORE:
			continue;
		case WEBHOOK_STEP_IDLE:
			return NULL;
		case WEBHOOK_STEP_LATER:
			job_again_at(r, at);
			return NULL;
		case WEBHOOK_STEP_OVER:
			return job_stopped(r);
		}
	}
	if (job_is_stopped(r))
		return job_stopped(r);
	job_again_at(r, r->clock->now(r->clock));
	return NULL;
}

static struct err *
run(struct job_run *r, enum webhook_lane lane)
{
	const struct job_services *app = r->app;
	struct arena *a = arena_new(ARENA_BYTES);
	struct webhook_work w = {
		.db = r->db,
		.sender = app->webhooks,
		.key = { r->company_id, r->key },
		.lane = lane,
		.client = http_client_new(),
		.is_over = run_is_over,
		.arg = r,
	};
	struct err *e = run_steps(r, &w, a);

	http_client_free(w.client);
	arena_free(a);
	return e;
}

struct err *
webhook_deliver_run(struct job_run *r)
{
	return run(r, WEBHOOK_LANE_HEALTHY);
}

struct err *
webhook_retry_run(struct job_run *r)
{
	return run(r, WEBHOOK_LANE_RETRY);
}

struct err *
webhook_replay_run(struct job_run *r)
{
	return run(r, WEBHOOK_LANE_REPLAY);
}

/* ---- tests ------------------------------------------------------------------------------------------------------------------ */

static struct err *
store_test(struct db_tx *tx, void *arg)
{
	struct step *s = arg;
	return webhook_test_store(tx, &s->report);
}

static struct err *
read_target(struct db_tx *tx, void *arg)
{
	struct step *s = arg;
	return webhook_target_read(tx, &s->work->key, &s->next.target);
}

struct err *
webhook_test_send(
	const struct webhook_work *w, struct arena *a, struct str *delivery_id, struct webhook_attempt *out)
{
	struct step s = { .work = w, .now = w->sender->clock->now(w->sender->clock) };
	struct webhook_sender sender = *w->sender;
	struct str id = arena_fmt(a, "msg_%.*s", STR_ARG(random_token(a, ID_BYTES)));
	const struct webhook_call call = {
		.client = w->client, .target = &s.next.target, .message = &s.next.message
	};

	sender.timeout_ms = WEBHOOK_TEST_TIMEOUT_MS;
	TRY(db_read(w->db, a, read_target, &s));
	s.next.message = (struct webhook_message){ .delivery_id = id,
		.message_id = id,
		.event_type = STR("webhook.test"),
		.body = webhook_test_payload(a, w->key.webhook_id, s.now),
		.reason = WEBHOOK_REASON_TEST };
	(void)webhook_send(&sender, a, &call, &s.attempt); /* nobody gives it up */
	s.report = (struct webhook_report){ .key = w->key, .next = &s.next, .attempt = &s.attempt };
	TRY(db_write(w->db, a, store_test, &s));
	*delivery_id = id;
	*out = s.attempt;
	return NULL;
}
