/* See fixture.h. */
#include "fixture.h"
#include "base/random.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct str
text_of(struct arena *a, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = "{\"name\":\"value\",\"count\":1234} "[i % 30];
	return (struct str){ p, n };
}

static void
answer(struct http_exchange *x, const char *type, struct str body)
{
	struct http_answer a = { .status = 200, .content_type = str_from_cstr(type), .body = body };

	http_answer(x, &a);
}

static void
answer_echo(struct http_exchange *x)
{
	const struct http_request *r = http_request(x);

	answer(x, "text/plain",
		arena_fmt(http_arena(x),
			"method=%s head=%d path=%.*s query=%.*s body=%zu peer=%.*s host=%.*s secure=%d "
			"id=%.*s thread=%d\n",
			http_method_names[r->method], r->is_head, STR_ARG(r->path), STR_ARG(r->query),
			r->body.n, STR_ARG(r->peer), STR_ARG(r->host), r->secure, STR_ARG(r->request_id),
			http_thread_index(x)));
}

static void
answer_fields(struct http_exchange *x)
{
	struct http_field fields[] = {
		{ STR("Location"), STR("/ok") },
		{ STR("X-Evil"), STR("a\r\nSet-Cookie: b=c") },
		{ STR("Bad\r\nName"), STR("x") },
		{ STR("Cache-Control"), STR("public, max-age=60") },
	};
	struct http_answer a = { .status = 201,
		.content_type = STR("text/plain"),
		.body = STR("made"),
		.fields = fields,
		.field_count = COUNT(fields),
		.etag = STR("\"v7\"") };

	http_answer(x, &a);
}

static size_t
number_in(struct str path, size_t from)
{
	int64_t n = 0;

	return str_to_int(str_sub(path, from, path.n), &n) && n >= 0 ? (size_t)n : 0;
}

static void
enqueue(struct fixture *f, struct http_exchange *x, bool hold)
{
	http_suspend(x);
	pthread_mutex_lock(&f->lock);
	if (hold)
		f->held[f->held_count++] = x;
	else
		f->queue[f->queued++] = x;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void
handle(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;
	struct str path = http_request(x)->path;

	f->handled++;
	if (str_starts_with(path, STR("/json/")))
		answer(x, "application/json", text_of(http_arena(x), number_in(path, 6)));
	else if (str_starts_with(path, STR("/binary/")))
		answer(x, "application/octet-stream", text_of(http_arena(x), number_in(path, 8)));
	else if (str_eq(path, STR("/body")))
		answer(x, "application/octet-stream", http_request(x)->body);
	else if (str_starts_with(path, STR("/nap"))) {
		usleep(100000);
		answer(x, "text/plain", STR("awake"));
	} else if (str_starts_with(path, STR("/later")))
		enqueue(f, x, false);
	else if (str_eq(path, STR("/hold")))
		enqueue(f, x, true);
	else if (str_eq(path, STR("/fields")))
		answer_fields(x);
	else if (str_eq(path, STR("/secret"))) {
		struct http_answer a = { .status = 200,
			.content_type = STR("text/plain"),
			.body = STR("secret"),
			.no_etag = true };

		http_answer(x, &a);
	} else if (str_eq(path, STR("/close"))) {
		struct http_answer a = { .status = 204, .close = true };

		http_answer(x, &a);
	} else
		answer_echo(x);
}

static size_t
body_limit(void *arg, enum http_method m, struct str path)
{
	(void)arg;
	(void)m;
	return str_starts_with(path, STR("/small")) ? 1000 : 0;
}

static void
fault(void *arg, struct http_exchange *x, const struct err *e)
{
	struct fixture *f = arg;
	struct http_answer a = { .status = err_status(e),
		.content_type = STR("application/json"),
		.body = arena_fmt(http_arena(x), "{\"fault\":\"%.*s\"}", STR_ARG(err_code_word(e))) };

	f->faults++;
	http_answer(x, &a);
}

static void *
answer_later(void *arg)
{
	struct fixture *f = arg;

	pthread_mutex_lock(&f->lock);
	while (!f->quit || f->queued) {
		struct http_exchange *x;
		struct str path;

		if (!f->queued) {
			pthread_cond_wait(&f->changed, &f->lock);
			continue;
		}
		x = f->queue[--f->queued];
		pthread_mutex_unlock(&f->lock);
		path = http_request(x)->path;
		if (path.n > 7)
			answer(x, "application/json", text_of(http_arena(x), number_in(path, 7)));
		else
			answer_echo(x);
		pthread_mutex_lock(&f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

struct fixture *
fixture_new(void)
{
	static const struct str listen[] = { STR_INIT("127.0.0.1:0"), STR_INIT("[::1]:0") };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_true(random_start());
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	f->arena = arena_new(1u << 20);
	f->options = (struct http_options){ .listen = listen,
		.listen_count = 2,
		.threads = 2,
		.handler = handle,
		.arg = f,
		.fault = fault,
		.body_limit = body_limit,
		.clock = &clock_system };
	return f;
}

void
fixture_start(struct fixture *f)
{
	struct err *e = http_server_start(f->arena, &f->options, &f->server);

	if (e)
		fail_msg("the server does not start: %.*s",
			STR_ARG(e->fields ? e->fields->message : e->message));
	for (int i = 0; i < FIXTURE_THREADS; i++)
		assert_int_equal(pthread_create(&f->threads[i], NULL, answer_later, f), 0);
	f->threads_run = true;
}

void
fixture_free(struct fixture *f)
{
	hold_release(f);
	if (f->server)
		http_server_stop(f->server, 5000);
	pthread_mutex_lock(&f->lock);
	f->quit = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	for (int i = 0; f->threads_run && i < FIXTURE_THREADS; i++)
		pthread_join(f->threads[i], NULL);
	hold_release(f); /* what came after the first time */
	http_server_free(f->server);
	arena_free(f->arena);
	free(f);
}

void
hold_wait(struct fixture *f, size_t n)
{
	for (int i = 0; i < PATIENCE_MS; i++) {
		size_t have;

		pthread_mutex_lock(&f->lock);
		have = f->held_count;
		pthread_mutex_unlock(&f->lock);
		if (have >= n)
			return;
		usleep(1000);
	}
	fail_msg("the handler did not get %zu requests", n);
}

void
hold_release(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	while (f->held_count) {
		struct http_exchange *x = f->held[--f->held_count];

		pthread_mutex_unlock(&f->lock);
		answer(x, "text/plain", STR("released"));
		pthread_mutex_lock(&f->lock);
	}
	pthread_mutex_unlock(&f->lock);
}

int
fixture_port(const struct fixture *f, size_t i)
{
	struct str address = http_server_address(f->server, i);
	int64_t port = 0;
	size_t colon = address.n;

	while (colon && address.p[colon - 1] != ':')
		colon--;
	assert_true(str_to_int(str_sub(address, colon, address.n), &port));
	return (int)port;
}

int
client_open_from(const struct fixture *f, const char *source)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)fixture_port(f, 0)) };
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &to.sin_addr), 1);
	assert_int_equal(inet_pton(AF_INET, source, &from.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

int
client_open(const struct fixture *f)
{
	return client_open_from(f, "127.0.0.1");
}

void
client_send_bytes(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the server may close while it refuses; the answer is what counts */
		at += sent;
		n -= (size_t)sent;
	}
}

void
client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text));
}

static ssize_t
read_some(int fd, void *p, size_t n)
{
	struct pollfd at = { .fd = fd, .events = POLLIN };

	if (poll(&at, 1, PATIENCE_MS) != 1)
		fail_msg("no answer in %d ms", PATIENCE_MS);
	return recv(fd, p, n, 0);
}

/* A byte at a time, so that nothing of the next answer is taken. */
static bool
read_head(int fd, struct reply *r)
{
	size_t n = 0;

	for (;;) {
		if (read_some(fd, r->head + n, 1) != 1)
			return false;
		r->head[++n] = '\0';
		assert_true(n < sizeof(r->head) - 1);
		if (n >= 4 && !memcmp(r->head + n - 4, "\r\n\r\n", 4))
			return true;
	}
}

const char *
reply_field(const struct reply *r, const char *name)
{
	static _Thread_local char value[1024];
	size_t len = strlen(name);

	for (const char *line = strstr(r->head, "\r\n"); line && line[2] != '\r';
		line = strstr(line + 2, "\r\n")) {
		const char *at = line + 2, *end = strstr(at, "\r\n");

		if (!strncasecmp(at, name, len) && at[len] == ':' && end) {
			size_t n = (size_t)(end - at) - len - 2;

			assert_true(n < sizeof(value));
			memcpy(value, at + len + 2, n);
			value[n] = '\0';
			return value;
		}
	}
	return NULL;
}

void
client_read(int fd, bool without_body, struct reply *r)
{
	const char *field;
	int64_t status = 0, length = 0;

	memset(r, 0, sizeof(*r));
	if (!read_head(fd, r))
		return;
	assert_true(str_to_int((struct str){ r->head + 9, 3 }, &status));
	r->status = (int)status;
	field = reply_field(r, "Content-Length");
	if (field)
		assert_true(str_to_int(str_from_cstr(field), &length));
	if (without_body || status == 304 || status == 204 || status == 100)
		return;
	r->body = calloc(1, (size_t)length + 1);
	assert_non_null(r->body);
	while (r->body_len < (size_t)length) {
		ssize_t got = read_some(fd, r->body + r->body_len, (size_t)length - r->body_len);

		if (got <= 0)
			fail_msg("the body ends after %zu of %d bytes", r->body_len, (int)length);
		r->body_len += (size_t)got;
	}
}

void
reply_done(struct reply *r)
{
	free(r->body);
	r->body = NULL;
}

bool
client_is_closed(int fd, int within_ms)
{
	int64_t end = monotonic_us() / 1000 + within_ms;
	char drop[4096];

	for (;;) {
		struct pollfd at = { .fd = fd, .events = POLLIN };
		int64_t left = end - monotonic_us() / 1000;

		if (left <= 0 || poll(&at, 1, (int)left) == 0)
			return false;
		if (recv(fd, drop, sizeof(drop), 0) <= 0)
			return true;
	}
}

int
ask(const struct fixture *f, const char *request, struct reply *r)
{
	int fd = client_open(f);

	client_send(fd, request);
	client_read(fd, !strncmp(request, "HEAD ", 5), r);
	close(fd);
	return r->status;
}

int
ask_status(const struct fixture *f, const char *request)
{
	struct reply r;
	int status = ask(f, request, &r);

	reply_done(&r);
	return status;
}
