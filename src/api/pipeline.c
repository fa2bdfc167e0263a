/*
 * The life of a request: route → identify → admit → work → answer. Each step runs where it may: what is in memory and short reads on the
 * server's thread, writes on the database's threads, password checks and slow handlers on the slow pool. A request never waits on a
 * server thread; it is handed on and the step that follows runs on the thread that took it. A transaction may run again, so everything
 * a handler makes is reset at its start.
 */
#include "api/core.h"

#define SLOW_REQUEST_US	  500000		 /* a request that took longer is worth a line at INFO */
#define SWEEP_INTERVAL_US (600 * INSTANT_SECOND) /* between two clearings of stored answers */

static void dispatch(struct api_pipeline *p);

/* ---- the end ---- */

/* A contract may document a 500 for what is the client's own fault; that is no reason to wake anyone. */
static enum log_level
log_level_of(const struct api_pipeline *p, int64_t took_us)
{
	if (p->answer.status >= 500 && (!p->fault || err_status(p->fault) >= 500))
		return LOG_ERROR;
	return took_us > SLOW_REQUEST_US ? LOG_INFO : LOG_DEBUG;
}

static void
log_request(const struct api_pipeline *p, int64_t took_us)
{
	const struct http_request *r = p->c.request;
	const struct err *e = p->fault;
	const int status = p->answer.status;
	const struct str detail = e && e->detail.n ? e->detail : e ? e->message : (struct str){ "", 0 };
	LOG(log_level_of(p, took_us), "request", L_CSTR("method", http_method_names[r->method]),
		L_STR("path", r->path), L_INT("status", status), L_INT("duration_us", took_us),
		L_STR("user", p->c.actor.username), L_STR("request_id", r->request_id),
		L_STR("fault", detail), L_CSTR("where", e && e->file ? e->file : ""),
		L_INT("line", e ? e->line : 0));
}

static void
add_rate_fields(struct api_pipeline *p)
{
	struct api_ctx *c = &p->c;
	if (!p->rate.counted || p->field_count + 3 > API_FIELDS_MAX)
		return;
	api_header(c, "X-RateLimit-Limit", arena_fmt(c->res.arena, "%lld", (long long)p->rate.limit));
	api_header(c, "X-RateLimit-Remaining", arena_fmt(c->res.arena, "%lld", (long long)p->rate.remaining));
	api_header(c, "X-RateLimit-Reset", arena_fmt(c->res.arena, "%lld", (long long)p->rate.reset_s));
}

/* False: no stream came of it, and p->answer says why. The exchange is gone otherwise. */
static bool
answer_with_stream(struct api_pipeline *p)
{
	struct api *api = p->c.api;
	const bool handed_on = p->suspended;
	const struct http_request *r = p->c.request;
	LOG(LOG_DEBUG, "stream", L_STR("path", r->path), L_STR("user", p->c.actor.username),
		L_STR("request_id", r->request_id));
	struct err *e = stream_answer(p);
	if (!e) {
		if (handed_on)
			atomic_fetch_sub(&api->handed_on, 1);
		return true;
	}
	p->opening = NULL;
	api_failure(p, e, 0);
	p->answer.fields = p->fields;
	p->answer.field_count = p->field_count;
	return false;
}

/* The exchange and the pipeline on its arena are gone when this returns. */
static void
answer(struct api_pipeline *p)
{
	check(p->done.made);
	p->answer.fields = p->fields;
	p->answer.field_count = p->field_count;
	if (p->cached.on && p->answer.status == 200 && !p->answer.no_etag && p->place == PLACE_SERVER)
		answer_cache_keep(p->c.api->cache, p->thread, &p->cached, &p->answer);
	add_rate_fields(p);
	p->answer.field_count = p->field_count;
	if (p->opening && answer_with_stream(p))
		return;
	log_request(p, monotonic_us() - p->began_us);
	struct api *api = p->c.api;
	const bool handed_on = p->suspended;
	http_answer(p->c.exchange, &p->answer);
	if (handed_on)
		atomic_fetch_sub(&api->handed_on, 1);
}

static void
answer_failure(struct api_pipeline *p, struct err *e)
{
	api_failure(p, e, 0);
	answer(p);
}

static struct err *
busy(struct api_pipeline *p)
{
	struct err *e = err_new(p->c.res.arena, ERR_UNAVAILABLE, "Too many requests are waiting. Try again.");
	e->retry_after_s = 1;
	return e;
}

/* ---- handing on ---- */

static void
leave_server_thread(struct api_pipeline *p)
{
	if (p->suspended)
		return;
	p->suspended = true;
	atomic_fetch_add(&p->c.api->handed_on, 1);
	http_suspend(p->c.exchange);
}

static struct api_pipeline *
pipeline_of_task(struct slow_task *task)
{
	return (struct api_pipeline *)(void *)((char *)task - offsetof(struct api_pipeline, task));
}

static void
hand_to_slow(struct api_pipeline *p, enum slow_lane lane, void (*run)(struct slow_task *))
{
	leave_server_thread(p);
	p->task.run = run;
	if (!slow_pool_submit(p->c.api->slow, lane, &p->task))
		answer_failure(p, busy(p));
}

/* ---- identity ---- */

static struct iam_credentials
credentials_of(const struct api_pipeline *p)
{
	if (p->c.route->work == API_STREAM)
		return stream_credentials(p);
	return (struct iam_credentials){
		.authorization = http_header(p->c.exchange, "Authorization"),
		.api_key = http_header(p->c.exchange, "X-API-Key"),
		.peer = p->c.request->peer,
	};
}

static void
complete_actor(struct api_pipeline *p)
{
	if (p->identity_fault)
		p->c.actor = (struct actor){ .kind = ACTOR_ANONYMOUS };
	if (!p->c.actor.zone)
		p->c.actor.zone = zone_utc();
	p->identity = IDENTITY_KNOWN;
}

static void
take_step(struct api_pipeline *p, enum iam_step step)
{
	switch (step) {
	case IAM_DONE:
		complete_actor(p);
		return;
	case IAM_NEEDS_READ:
		p->identity = IDENTITY_NEEDS_READ;
		return;
	case IAM_NEEDS_SLOW:
		p->identity = IDENTITY_NEEDS_SLOW;
		return;
	}
}

/* A route for anyone asks nobody who he is: a stale token must not keep him from logging in anew. */
static void
identify_from_memory(struct api_pipeline *p)
{
	if (p->c.route->perm & PERM_ANYONE) {
		complete_actor(p);
		return;
	}
	const struct iam_credentials credentials = credentials_of(p);
	take_step(p, iam_authenticate(p->c.api->options.iam, p->thread, p->c.res.arena, &credentials,
			     &p->c.actor, &p->identity_fault));
}

static void
identify_in(struct api_pipeline *p, struct db_tx *tx)
{
	const struct iam_credentials credentials = credentials_of(p);
	take_step(p, iam_authenticate_read(p->c.api->options.iam, p->thread, tx, &credentials, &p->c.actor,
			     &p->identity_fault));
}

static void
identify_slowly(struct slow_task *task)
{
	struct api_pipeline *p = pipeline_of_task(task);
	const struct iam_credentials credentials = credentials_of(p);
	p->place = PLACE_SLOW;
	p->identity_fault =
		iam_authenticate_slow(p->c.api->options.iam, p->c.res.arena, &credentials, &p->c.actor);
	complete_actor(p);
	dispatch(p);
}

/* ---- inside a transaction ---- */

/* Now and then a request with a key clears away the answers that have been kept long enough. */
static struct err *
sweep_keys(struct api_pipeline *p, struct db_tx *tx)
{
	_Atomic int64_t *swept_us = &p->c.api->idempotency_swept_us;
	int64_t last = atomic_load(swept_us);
	if (p->began_us - last < SWEEP_INTERVAL_US ||
		!atomic_compare_exchange_strong(swept_us, &last, p->began_us))
		return NULL;
	return idempotency_sweep(tx, p->c.res.now);
}

static struct err *
run_write(struct api_pipeline *p, struct db_tx *tx)
{
	bool stored = false;
	if (p->key.on) {
		struct err *e = idempotency_take(tx, &p->key, p->c.res.now, &stored, &p->answer);
		if (e) {
			api_failure(p, e, 0);
			return e;
		}
	}
	if (stored) {
		for (size_t i = 0; i < p->answer.field_count; i++)
			p->fields[i] = p->answer.fields[i];
		p->field_count = p->answer.field_count;
		api_header(&p->c, "Idempotent-Replayed", STR("true"));
		p->done.made = true;
		return NULL;
	}
	(void)p->c.route->handler(
		&p->c); /* the proof of a reply is for the compiler; done.made is its run-time form */
	check(p->done.made);
	if (p->rollback || !p->key.on)
		return p->rollback;
	p->answer.fields = p->fields;
	p->answer.field_count = p->field_count;
	TRY(sweep_keys(p, tx));
	return idempotency_keep(tx, &p->key, &p->answer);
}

/* Identity if still unknown, then the handler; an error returned rolls back. Ends without an answer when identity needs the slow pool. */
static struct err *
transact(struct db_tx *tx, void *arg)
{
	struct api_pipeline *p = arg;
	api_reply_reset(p);
	p->c.res.tx = tx;
	if (p->identity == IDENTITY_NEEDS_READ) {
		identify_in(p, tx);
		if (p->identity == IDENTITY_NEEDS_SLOW)
			return NULL;
	}
	if (p->identify_only)
		return NULL;
	if (!p->admitted && !api_admit(p))
		return p->rollback;
	if (p->c.route->work == API_WRITE)
		return run_write(p, tx);
	(void)p->c.route->handler(&p->c);
	check(p->done.made);
	if (p->c.api->slow_routes && p->c.route->work == API_READ)
		slow_routes_note(p->c.api->slow_routes, p->entry, db_tx_steps(tx), p->began_us);
	return p->rollback;
}

/* The transaction is over: e is its own failure, or what the handler told it to roll back with. */
static void
after_transaction(struct api_pipeline *p, struct err *e)
{
	p->c.res.tx = NULL;
	if (e && (!p->done.made || e != p->rollback)) {
		answer_failure(p, e);
		return;
	}
	if (p->done.made) {
		answer(p);
		return;
	}
	p->identify_only = false;
	if (p->identity == IDENTITY_NEEDS_SLOW)
		hand_to_slow(p, SLOW_LOGIN, identify_slowly);
	else
		dispatch(p);
}

static void
on_job_done(struct db_job *job, struct err *e)
{
	struct api_pipeline *p = job->arg;
	p->place = PLACE_DATABASE;
	after_transaction(p, e);
}

static void
submit(struct api_pipeline *p, bool read_only)
{
	leave_server_thread(p);
	p->place = PLACE_DATABASE;
	p->job = (struct db_job){ .arena = p->c.res.arena,
		.work = transact,
		.arg = p,
		.read_only = read_only,
		.done = on_job_done };
	struct err *e = db_submit(p->c.api->options.db, p->c.res.arena, &p->job);
	if (e)
		answer_failure(p, e);
}

static void
read_here_or_there(struct api_pipeline *p)
{
	struct db *db = p->c.api->options.db;
	p->epoch_before = db_epoch(db, 0);
	if (p->c.route->work == API_STREAM && p->c.api->options.live)
		p->live_before = live_position(p->c.api->options.live);
	if (p->place == PLACE_SLOW || (p->place == PLACE_SERVER && db_reads_inline(db)))
		after_transaction(p, db_read(db, p->c.res.arena, transact, p));
	else
		submit(p, true);
}

/* ---- slow work ---- */

static struct err *
take_key(struct db_tx *tx, void *arg)
{
	struct api_pipeline *p = arg;
	bool stored;
	TRY(idempotency_take(tx, &p->key, p->c.res.now, &stored, &p->answer));
	p->done.made = stored;
	return NULL;
}

static struct err *
settle_key(struct db_tx *tx, void *arg)
{
	struct api_pipeline *p = arg;
	if (p->rollback)
		return idempotency_release(tx, &p->key);
	return idempotency_keep(tx, &p->key, &p->answer);
}

/* A slow handler makes its own transactions, so its key is taken before them and the answer stored behind them. */
static void
run_slow(struct slow_task *task)
{
	struct api_pipeline *p = pipeline_of_task(task);
	struct db *db = p->c.api->options.db;
	struct arena *a = p->c.res.arena;
	p->place = PLACE_SLOW;
	api_reply_reset(p);
	struct err *e = p->key.on ? db_write(db, a, take_key, p) : NULL;
	if (e) {
		answer_failure(p, e);
		return;
	}
	if (p->done.made) {
		for (size_t i = 0; i < p->answer.field_count; i++)
			p->fields[i] = p->answer.fields[i];
		p->field_count = p->answer.field_count;
		api_header(&p->c, "Idempotent-Replayed", STR("true"));
		answer(p);
		return;
	}
	(void)p->c.route->handler(&p->c);
	check(p->done.made);
	p->answer.fields = p->fields;
	p->answer.field_count = p->field_count;
	if (p->key.on) {
		/* The work is done and told either way; a key that could not be settled is given free by its age. */
		struct err *unsettled = db_write(db, a, settle_key, p);
		if (unsettled)
			LOG(LOG_WARN, "idempotency key not settled",
				L_STR("request_id", p->c.request->request_id));
	}
	answer(p);
}

/* ---- reads that have proved slow ---- */

static bool
has_proved_slow(const struct api_pipeline *p)
{
	const struct api *api = p->c.api;
	return p->place == PLACE_SERVER && p->c.route->work == API_READ && api->slow_routes &&
	       slow_routes_have(api->slow_routes, p->entry, p->began_us);
}

static void
read_slowly(struct slow_task *task)
{
	struct api_pipeline *p = pipeline_of_task(task);
	p->place = PLACE_SLOW;
	read_here_or_there(p);
}

/* When too many wait in the pool, the read is done here all the same: that is no reason to refuse it. */
static void
read_slowly_if_possible(struct api_pipeline *p)
{
	leave_server_thread(p);
	p->task.run = read_slowly;
	if (!slow_pool_submit(p->c.api->slow, SLOW_WORK, &p->task))
		read_here_or_there(p);
}

/* ---- the machine ---- */

/* Work that cannot look the credentials up in its own transaction lets one go before it. */
static void
identify_first(struct api_pipeline *p)
{
	p->identify_only = true;
	read_here_or_there(p);
}

static void
dispatch(struct api_pipeline *p)
{
	const enum api_work work = p->c.route->work;
	if (p->identity == IDENTITY_NEEDS_SLOW) {
		hand_to_slow(p, SLOW_LOGIN, identify_slowly);
		return;
	}
	if (p->identity == IDENTITY_NEEDS_READ) {
		/* A write thread has better things to do than looking up what a reader can; where reads are not inline,
		 * a second hand-over costs more. What a server thread remembers of credentials, no other may look into. */
		const bool in_own = (work == API_READ && !has_proved_slow(p)) || work == API_STREAM ||
				    (work == API_WRITE && !db_reads_inline(p->c.api->options.db));
		if (!in_own) {
			identify_first(p);
			return;
		}
	} else if (!p->admitted) {
		api_reply_reset(p);
		if (!api_admit(p)) {
			answer(p);
			return;
		}
	}
	switch (work) {
	case API_PLAIN:
		(void)p->c.route->handler(&p->c);
		answer(p);
		return;
	case API_READ:
		if (has_proved_slow(p)) {
			read_slowly_if_possible(p);
			return;
		}
		read_here_or_there(p);
		return;
	case API_STREAM:
		read_here_or_there(p);
		return;
	case API_WRITE:
		submit(p, false);
		return;
	case API_SLOW:
		/* Slow routes for anyone are those that log in. */
		hand_to_slow(p, p->c.route->perm & PERM_ANYONE ? SLOW_LOGIN : SLOW_WORK, run_slow);
		return;
	}
}

/* ---- the beginning ---- */

void
api_ctx_init(struct api_pipeline *p, struct api *api, const struct http_request *request, struct arena *a)
{
	struct api_ctx *c = &p->c;
	p->began_us = monotonic_us();
	c->api = api;
	c->pipeline = p;
	c->request = request;
	c->dialect = dialect_of_path(request->path);
	c->actor.zone = zone_utc();
	c->res = (struct res_ctx){
		.arena = a,
		.actor = &c->actor,
		.now = api->options.clock->now(api->options.clock),
		.request_id = request->request_id,
		.plans = api->plans,
		.app = api,
	};
}

static struct api_pipeline *
pipeline_new(struct api *api, struct http_exchange *x)
{
	struct arena *a = http_arena(x);
	struct api_pipeline *p = arena_new_of(a, struct api_pipeline);
	p->thread = http_thread_index(x);
	p->c.exchange = x;
	api_ctx_init(p, api, http_request(x), a);
	return p;
}

static void
answer_unrouted(struct api_pipeline *p, enum route_result result, struct str allow)
{
	struct arena *a = p->c.res.arena;
	const struct http_request *r = p->c.request;
	/* "OPTIONS *" asks about the server as a whole (RFC 9110 §9.3.7). */
	const bool whole = r->method == HTTP_OPTIONS && str_eq(r->path, STR("*"));
	if (whole)
		allow = STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	if (result == ROUTE_UNKNOWN_PATH && !whole) {
		answer_failure(p, err_new(a, ERR_NOT_FOUND, ""));
		return;
	}
	if (r->method == HTTP_OPTIONS) {
		api_header(&p->c, "Allow", allow);
		p->answer.status = 204;
		p->done.made = true;
	} else {
		api_failure(p,
			err_new(a, ERR_METHOD_NOT_ALLOWED, "Method \"%s\" not allowed.",
				http_method_names[r->method]),
			0);
		api_header(&p->c, "Allow", allow);
	}
	answer(p);
}

void
api_on_request(void *arg, struct http_exchange *x)
{
	struct api *api = arg;
	struct api_pipeline *p = pipeline_new(api, x);
	struct route_match match;
	const enum route_result result =
		router_find(api->router, p->c.res.arena, p->c.request->method, p->c.request->path, &match);
	if (result != ROUTE_FOUND) {
		answer_unrouted(p, result, match.allow);
		return;
	}
	p->entry = match.entry;
	p->c.route = match.entry->route;
	p->c.dialect = match.entry->dialect;
	for (size_t i = 0; i < match.entry->param_count; i++)
		p->c.path_params[i] = match.params[i];
	identify_from_memory(p);
	dispatch(p);
}

void
api_on_fault(void *arg, struct http_exchange *x, const struct err *e)
{
	struct api_pipeline *p = pipeline_new(arg, x);
	struct err *copy = arena_new_of(p->c.res.arena, struct err);
	*copy = *e;
	answer_failure(p, copy);
}
