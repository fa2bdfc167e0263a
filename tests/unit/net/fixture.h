/*
 * A real server in the test's process and raw sockets as its clients. The handler answers by path: /echo tells how the request was
 * understood, /body gives its body back, /json/N and /text/N give N bytes, /later and /later/N answer from other threads, /hold waits for
 * hold_release, /nap
 * keeps its thread busy for 100 ms, /fields carries awkward header fields.
 */
#ifndef TESTS_NET_FIXTURE_H
#define TESTS_NET_FIXTURE_H

#include "net/http.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h wants the four above. */
#include <cmocka.h>

#define FIXTURE_THREADS 3
/* How long is waited for what must come: a machine may stop for many seconds between any two lines. */
#define PATIENCE_MS 60000
/* A limit of milliseconds may pass while the machine does something else, so a test of one begins anew; a broken rule fails every time. */
#define TRIES 20

struct fixture {
	struct arena *arena;
	struct http_options options;
	struct http_server *server;
	pthread_t threads[FIXTURE_THREADS];
	bool threads_run;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_exchange *queue[4096]; /* /later: answered by the threads */
	size_t queued;
	struct http_exchange *held[4096]; /* /hold */
	size_t held_count;
	bool quit;
	_Atomic int handled, faults;
};

/* Options may be changed between the two. */
struct fixture *fixture_new(void);
void fixture_start(struct fixture *f);
void fixture_free(struct fixture *f);
/* Waits until n exchanges are held; then answers all that are. */
void hold_wait(struct fixture *f, size_t n);
void hold_release(struct fixture *f);

/* The port of listening address i. */
int fixture_port(const struct fixture *f, size_t i);

/* Blocking clients; every function gives up after PATIENCE_MS and fails the test. */
int client_open(const struct fixture *f);
int client_open_from(const struct fixture *f, const char *source_address);
void client_send(int fd, const char *text);
void client_send_bytes(int fd, const void *p, size_t n);

struct reply {
	int status; /* 0: closed without an answer */
	char head[8192];
	char *body; /* free with reply_done */
	size_t body_len;
};
/* One answer; without_body for HEAD. Leaves what follows in the socket. */
void client_read(int fd, bool without_body, struct reply *r);
void reply_done(struct reply *r);
/* The value of a header field in a buffer of the thread, or NULL. */
const char *reply_field(const struct reply *r, const char *name);
/* True when the server closes within the time; input before that is dropped. What must close has PATIENCE_MS. */
bool client_is_closed(int fd, int within_ms);
/* Opens, sends, reads one answer, closes; returns the status. */
int ask(const struct fixture *f, const char *request, struct reply *r);
/* ask, and only the status. */
int ask_status(const struct fixture *f, const char *request);

#endif
