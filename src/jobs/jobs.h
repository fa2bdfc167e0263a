/*
 * What runs in the job queue: one file lists every kind, with what each may use. A kind's function stands in the file of its topic; adding
 * one is a row in jobs.c. Jobs act as the server itself, in the company of their row.
 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "queue/job.h"

struct webhook_sender; /* webhook_send.h */
struct mail_server;    /* net/mail_client.h */

/* Services of the process that runs find as job_run.app. */
struct job_services {
	int event_days; /* the event table keeps this many days; 0: everything */
	const struct webhook_sender *webhooks;
	const struct mail_server *mail; /* NULL: this node mails nobody and leaves that to others, from the start */
	struct str public_url;          /* for links in mail; empty: none */
};

/* Every kind, and the threads of their queues. */
extern const struct job_kind *const job_kinds[];
extern const struct job_queue_threads job_threads[];

struct jobs_options {
	struct db *db;
	const struct clock *clock;
	bool alone;                          /* see job_runner_options */
	const struct job_services *services; /* must outlive the runner */
};
/* Puts the installation's schedules and starts the runner. */
struct err *jobs_start(struct arena *a, const struct jobs_options *o, struct job_runner **out) MUST_USE;

#endif
