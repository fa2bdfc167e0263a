/*
 * The streams alone, for their benchmark and for tests with real clients: /ws and /events are streams that hear what is published, /echo is
 * a WebSocket that does not. Both answer each text with itself: who has heard its own on /ws hears all that is published from then on,
 * while the 101 alone says nothing of that. POST /publish?COUNT,RATE publishes that many events of half a kilobyte, RATE a second (0: at
 * once), each with the monotonic clock's nanoseconds when its sending began. Prints its address and ends with its standard input.
 *
 *   bench_stream_server [CERTIFICATE.pem KEY.pem]
 */
#include "base/random.h"
#include "net/stream.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define SUBSCRIBERS_MAX 20000
#define EVENT_BYTES	500
#define DRAIN_MS	20000 /* so long that a test sees whether anybody is waited for */
#define NS_PER_S	1000000000

struct subscriber {
	struct bench *bench;
	struct stream *stream;
	size_t index;
	bool unsubscribed;
};

struct bench {
	struct stream_hub *hub;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct subscriber *all[SUBSCRIBERS_MAX];
	size_t count;
	int64_t left, rate; /* events to publish */
	bool quit;
};

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void
on_opened(void *arg, struct stream *s)
{
	struct subscriber *u = arg;
	struct bench *b = u->bench;

	u->stream = s;
	if (u->unsubscribed)
		return;
	pthread_mutex_lock(&b->lock);
	check(b->count < SUBSCRIBERS_MAX);
	u->index = b->count;
	b->all[b->count++] = u;
	pthread_mutex_unlock(&b->lock);
}

static void
on_message(void *arg, struct stream *s, struct str text)
{
	struct stream_message *m;

	(void)arg;
	m = stream_message_new(STR(""), STR(""), text);
	(void)stream_send(s, m);
	stream_message_drop(m);
}

static void
on_closed(void *arg, struct stream *s, int code)
{
	struct subscriber *u = arg;
	struct bench *b = u->bench;

	(void)s;
	(void)code;
	pthread_mutex_lock(&b->lock);
	if (u->stream && !u->unsubscribed) {
		b->all[u->index] = b->all[--b->count];
		b->all[u->index]->index = u->index;
	}
	pthread_mutex_unlock(&b->lock);
	free(u);
}

static const struct stream_handlers handlers = {
	.opened = on_opened, .message = on_message, .closed = on_closed
};

static void
publish(struct bench *b)
{
	char text[EVENT_BYTES + 1];
	struct stream_message *m;
	int n = snprintf(text, sizeof(text), "{\"t\":%lld,\"pad\":\"", (long long)now_ns());

	check(n > 0 && n < EVENT_BYTES / 2);
	memset(text + n, 'x', (size_t)(EVENT_BYTES - n));
	memcpy(text + EVENT_BYTES - 2, "\"}", 2);
	m = stream_message_new(STR("tick"), STR("1"), (struct str){ text, EVENT_BYTES });
	pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < b->count; i++)
		(void)stream_send(b->all[i]->stream, m);
	pthread_mutex_unlock(&b->lock);
	stream_message_drop(m);
}

static void
publish_series(struct bench *b, int64_t count, int64_t rate)
{
	int64_t begun = now_ns();

	for (int64_t i = 0; i < count; i++) {
		int64_t due = rate ? begun + i * (NS_PER_S / rate) : 0;
		struct timespec at = { .tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S };

		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		publish(b);
	}
}

static void *
publisher(void *arg)
{
	struct bench *b = arg;

	for (;;) {
		int64_t count, rate;

		pthread_mutex_lock(&b->lock);
		while (!b->left && !b->quit)
			pthread_cond_wait(&b->changed, &b->lock);
		count = b->left;
		rate = b->rate;
		b->left = 0;
		pthread_mutex_unlock(&b->lock);
		if (!count)
			return NULL;
		publish_series(b, count, rate);
	}
}

static void
order(struct bench *b, struct http_exchange *x)
{
	struct http_answer a = { .status = 204 };
	struct str rest = http_request(x)->query, one;
	int64_t numbers[2] = { 0 };

	for (size_t i = 0; i < 2 && str_split(&rest, ',', &one); i++)
		(void)str_to_int(one, &numbers[i]); /* 0 stays when it is no number */
	pthread_mutex_lock(&b->lock);
	b->left = numbers[0];
	b->rate = numbers[1];
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
	/* As a write does it, whose answer comes from another thread: the library then looks through all that it has suspended. */
	http_suspend(x);
	http_answer(x, &a);
}

static void
handle(void *arg, struct http_exchange *x)
{
	struct bench *b = arg;
	struct str path = http_request(x)->path;
	struct http_answer refusal = { .status = 400 };
	struct subscriber *u;
	struct stream_options o = {
		.handlers = &handlers, .hello = STR("retry: 2000\n\n"), .subprotocol = STR("bench.v1")
	};

	if (str_eq(path, STR("/publish"))) {
		order(b, x);
		return;
	}
	u = calloc(1, sizeof(*u));
	check(u);
	u->bench = b;
	u->unsubscribed = str_eq(path, STR("/echo"));
	o.kind = str_eq(path, STR("/events")) ? STREAM_EVENTS : STREAM_WEBSOCKET;
	o.arg = u;
	if (http_answer_stream(x, b->hub, &o)) {
		free(u);
		http_answer(x, &refusal);
	}
}

static bool
start(struct bench *b, struct arena *a, struct http_server **s, char **tls)
{
	struct str listen = STR("127.0.0.1:0");
	struct http_options o = { .listen = &listen,
		.listen_count = 1,
		.threads = (int)sysconf(_SC_NPROCESSORS_ONLN),
		.connections_per_address = SUBSCRIBERS_MAX,
		.handler = handle,
		.arg = b };
	struct err *e;

	if (tls) {
		o.tls_cert_file = str_from_cstr(tls[0]);
		o.tls_key_file = str_from_cstr(tls[1]);
	}
	e = stream_hub_start(a, o.threads, &b->hub);
	if (!e)
		e = http_server_start(a, &o, s);
	if (e)
		(void)fprintf(stderr, "%.*s\n", STR_ARG(e->message));
	return e == NULL;
}

int
main(int argc, char **argv)
{
	static struct bench b;
	struct arena *a = arena_new(1u << 20);
	struct http_server *s;
	pthread_t thread;

	check(random_start());
	pthread_mutex_init(&b.lock, NULL);
	pthread_cond_init(&b.changed, NULL);
	if (!start(&b, a, &s, argc == 3 ? argv + 1 : NULL))
		return 1;
	check(pthread_create(&thread, NULL, publisher, &b) == 0);
	(void)printf("%.*s\n", STR_ARG(http_server_address(s, 0)));
	(void)fflush(stdout);
	while (getchar() != EOF)
		continue;
	pthread_mutex_lock(&b.lock);
	b.quit = true;
	pthread_cond_signal(&b.changed);
	pthread_mutex_unlock(&b.lock);
	pthread_join(thread, NULL);
	http_server_stop(s, DRAIN_MS);
	stream_hub_stop(b.hub, DRAIN_MS);
	http_server_free(s);
	stream_hub_free(b.hub);
	arena_free(a);
	return 0;
}
