/*
 * `sextant serve`: opens everything from the bottom up, says where it listens, waits for a signal, and closes everything from the top
 * down. Signals are blocked in all threads and taken by this one, so that no handler runs between two instructions of anything.
 */
#include "api/server.h"
#include "app/command.h"
#include "app/demo.h"
#include "domain/iam/auth.h"
#include "domain/iam/setup.h"
#include "jobs/jobs.h"
#include "jobs/webhook_feed.h"
#include "jobs/webhook_send.h"
#include "live/live.h"
#include "net/mail_client.h"
#include "resource/outbox.h"
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define DRAIN_MS    10000	 /* for what is under way when the server stops */
#define DEMO_MEMORY (256u << 20) /* while the demo is loaded */

struct server {
	struct command_context *c;
	struct command_database database;
	struct iam *iam;
	struct live *live;
	struct webhook_sender webhooks;
	struct mail_server mail;
	struct webhook_feed *feed;
	struct outbox *outbox;
	struct api *api;
	struct job_services services;
	struct job_runner *jobs;
	struct str setup; /* the one-time token of a first start; empty later */
};

static int
core_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (int)n : 1;
}

static int
thread_count(const struct config *o)
{
	return o->threads ? (int)o->threads : core_count();
}

/* Everyone inherits the mask; a peer that hangs up while it is written to is an error code, no signal. */
static void
block_signals(sigset_t *stops)
{
	sigemptyset(stops);
	sigaddset(stops, SIGTERM);
	sigaddset(stops, SIGINT);
	sigset_t all = *stops;
	sigaddset(&all, SIGPIPE);
	check(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
}

static struct err *
open_iam(struct server *s)
{
	struct command_context *c = s->c;
	struct iam_options o = {
		.db = s->database.db,
		.clock = &clock_system,
		.threads = thread_count(&c->config),
		.secret_file = config_file(c->arena, &c->config, "secret.key"),
		.access_s = c->config.access_token_s,
		.refresh_s = c->config.refresh_token_s,
	};
	return iam_open(c->arena, &o, &s->iam);
}

static struct err *
start_api(struct server *s)
{
	struct command_context *c = s->c;
	const struct config *o = &c->config;
	static const struct str preset = STR_INIT("127.0.0.1:8000");
	struct api_options api = {
		.http = {
			.listen = o->listen_count ? o->listen : &preset,
			.listen_count = o->listen_count ? o->listen_count : 1,
			.threads = thread_count(o),
			.tls_cert_file = o->tls_cert,
			.tls_key_file = o->tls_key,
			.behind_proxy = o->behind_proxy,
			.insecure_http = o->insecure_http,
			.cors_origins = str_eq(o->cors, STR("none")) ? STR("") : o->cors,
			.clock = &clock_system,
		},
		.db = s->database.db,
		.iam = s->iam,
		.live = s->live,
		.clock = &clock_system,
		.no_rate_limit = o->no_rate_limit,
		.no_answer_cache = o->no_answer_cache,
		.slow_threads = o->slow_threads ? (int)o->slow_threads : core_count() > 2 ? core_count() : 2,
		.public_url = o->public_url,
		.login_failures_401 = o->login_failures_401,
		.allow_private_webhooks = o->allow_private_webhooks,
		.webhooks = &s->webhooks,
	};
	TRY(rate_rules_parse(c->arena, o->rate_limits, &api.rates));
	return api_start(c->arena, &api, &s->api);
}

/* What happens in here and on other nodes reaches those who wait for it. */
static struct err *
start_following(struct server *s)
{
	struct command_context *c = s->c;
	const struct live_options live = {
		.db = s->database.db,
		.iam = s->iam,
		.clock = &clock_system,
		.resources = api_resources,
		.others = api_event_objects,
		.per_user = c->config.no_rate_limit ? -1 : 0,
	};
	const struct webhook_feed_options feed = { .db = s->database.db, .clock = &clock_system };
	TRY(live_start(c->arena, &live, &s->live));
	s->feed = webhook_feed_new(&feed);
	const struct outbox_listener listeners[] = { live_listener(s->live), webhook_feed_listener(s->feed) };
	TRY(outbox_start(c->arena, s->database.db, listeners, COUNT(listeners), &s->outbox));
	webhook_feed_start(s->feed);
	return NULL;
}

static void
stop_following(struct server *s)
{
	if (s->outbox)
		outbox_stop(s->outbox);
	if (s->feed)
		webhook_feed_free(s->feed);
	if (s->live)
		live_stop(s->live);
	live_free(s->live);
}

/* Loading needs far more memory than serving; it is given back to the system before the server starts. */
static struct err *
load_demo(struct server *s)
{
	bool loaded = false;
	if (!s->c->config.demo)
		return NULL;
	int64_t began_us = monotonic_us();
	struct arena *a = arena_new(DEMO_MEMORY);
	TRY(demo_load(s->database.db, a, &clock_system, s->c->config.demo_shift, &loaded));
	arena_free(a);
	(void)malloc_trim(0); /* whether there was something to give back does not matter */
	if (loaded)
		LOG(LOG_INFO, "the demo company is loaded",
			L_INT("duration_ms", (monotonic_us() - began_us) / 1000));
	return NULL;
}

/* SQLite has one server, which holds the lock of its directory: leases found there are of one that died. */
static struct err *
start_jobs(struct server *s)
{
	const struct config *o = &s->c->config;
	const struct jobs_options jobs = {
		.db = s->database.db,
		.clock = &clock_system,
		.alone = db_kind(s->database.db) == DB_SQLITE,
		.services = &s->services,
	};

	s->services = (struct job_services){ .event_days = (int)o->event_days,
		.webhooks = &s->webhooks,
		.mail = s->mail.url.n ? &s->mail : NULL,
		.public_url = o->public_url };
	return jobs_start(s->c->arena, &jobs, &s->jobs);
}

static struct err *
open_all(struct server *s)
{
	TRY(command_mail_server(s->c, &s->mail));
	TRY(command_database_open(s->c, true, &s->database));
	TRY(load_demo(s));
	TRY(open_iam(s));
	TRY(iam_setup_token(s->iam, s->c->arena, &s->setup));
	s->webhooks = (struct webhook_sender){
		.clock = &clock_system, .iam = s->iam, .allows_private = s->c->config.allow_private_webhooks
	};
	TRY(start_following(s));
	TRY(start_api(s));
	return start_jobs(s);
}

static void
close_all(struct server *s)
{
	bool idle = !s->jobs || job_runner_stop(s->jobs, DRAIN_MS);
	if (s->api)
		api_stop(s->api, DRAIN_MS);
	stop_following(s);
	/* A job that did not stop still uses what would be closed and freed from here on. The process ends with it. */
	if (!idle)
		_exit(EXIT_FINE);
	iam_close(s->iam);
	command_database_close(&s->database);
}

/* "http://127.0.0.1:8000" of the i-th listener. */
static struct str
address_url(struct server *s, size_t i)
{
	return arena_fmt(s->c->arena, "http%s://%.*s", s->c->config.tls_cert.n ? "s" : "",
		STR_ARG(http_server_address(api_http(s->api), i)));
}

static void
announce(struct server *s)
{
	const struct config *o = &s->c->config;
	size_t count = o->listen_count ? o->listen_count : 1;
	if (s->setup.n) {
		struct str base = o->public_url.n ? o->public_url : address_url(s, 0);
		command_say(s->c,
			"nobody can log in yet; make the first administrator at %.*s/setup?token=%.*s",
			STR_ARG(base), STR_ARG(s->setup));
	}
	for (size_t i = 0; i < count; i++)
		command_say(s->c, "ready %.*s", STR_ARG(address_url(s, i)));
}

static struct err *
run(struct server *s, const sigset_t *stops)
{
	TRY(open_all(s));
	announce(s);
	int signal = 0;
	while (sigwait(stops, &signal) != 0)
		;
	LOG(LOG_INFO, "stopping", L_INT("signal", signal));
	return NULL;
}

struct err *
serve_command(struct command_context *c)
{
	struct server s = { .c = c, .database = { .lock = -1 } };
	sigset_t stops;
	if (c->config.argument_count)
		return command_usage(c, "serve takes options only");
	block_signals(&stops);
	struct err *e = run(&s, &stops);
	close_all(&s);
	return e;
}
