/*
 * The HTTP server alone, for its benchmark: /kb answers one kilobyte of JSON on the server's thread, /later the same from another thread.
 * It prints its address and ends when its standard input does.
 */
#include "base/random.h"
#include "net/http.h"
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define WAITING_MAX 20000

struct bench {
	char body[1024];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_exchange *waiting[WAITING_MAX];
	size_t count;
	bool quit;
};

static void
answer(const struct bench *b, struct http_exchange *x)
{
	struct http_answer a = {
		.status = 200, .content_type = STR("application/json"), .body = { b->body, sizeof(b->body) }
	};

	http_answer(x, &a);
}

static void
handle(void *arg, struct http_exchange *x)
{
	struct bench *b = arg;

	if (!str_eq(http_request(x)->path, STR("/later"))) {
		answer(b, x);
		return;
	}
	http_suspend(x);
	pthread_mutex_lock(&b->lock);
	check(b->count < WAITING_MAX);
	b->waiting[b->count++] = x;
	if (b->count == 1)
		pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

/* Takes all that wait at once, as the writer does with a batch. */
static void *
answer_waiting(void *arg)
{
	static struct http_exchange *batch[WAITING_MAX];
	struct bench *b = arg;

	for (;;) {
		size_t n;

		pthread_mutex_lock(&b->lock);
		while (!b->count && !b->quit)
			pthread_cond_wait(&b->changed, &b->lock);
		n = b->count;
		memcpy(batch, b->waiting, n * sizeof(batch[0]));
		b->count = 0;
		pthread_mutex_unlock(&b->lock);
		if (n == 0)
			return NULL;
		for (size_t i = 0; i < n; i++)
			answer(b, batch[i]);
	}
}

int
main(void)
{
	static struct bench b;
	struct str listen = STR("127.0.0.1:0"), address;
	struct http_options o = { .listen = &listen,
		.listen_count = 1,
		.threads = (int)sysconf(_SC_NPROCESSORS_ONLN),
		.connections_per_address = WAITING_MAX,
		.handler = handle,
		.arg = &b };
	struct arena *a = arena_new(1u << 20);
	struct http_server *s;
	pthread_t thread;
	struct err *e;

	check(random_start());
	memset(b.body, 'x', sizeof(b.body));
	pthread_mutex_init(&b.lock, NULL);
	pthread_cond_init(&b.changed, NULL);
	e = http_server_start(a, &o, &s);
	if (e) {
		(void)fprintf(stderr, "%.*s\n", STR_ARG(e->message));
		return 1;
	}
	check(pthread_create(&thread, NULL, answer_waiting, &b) == 0);
	address = http_server_address(s, 0);
	(void)printf("%.*s\n", STR_ARG(address));
	(void)fflush(stdout);
	while (getchar() != EOF)
		continue;
	http_server_stop(s, 1000);
	pthread_mutex_lock(&b.lock);
	b.quit = true;
	pthread_cond_signal(&b.changed);
	pthread_mutex_unlock(&b.lock);
	pthread_join(thread, NULL);
	http_server_free(s);
	arena_free(a);
	return 0;
}
