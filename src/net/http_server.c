/*
 * Starting and stopping the HTTP server. Starting checks the options, binds, and starts one MHD daemon a thread and the keeper that
 * feeds them. Stopping goes in three steps: no new connections; requests under way are answered with "Connection: close"; and when none
 * is left, or the time is over, new requests are dropped unread and the daemons end.
 */
#include "net/http_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_RESERVED 128	/* for databases, files and outgoing connections */
#define PEM_BYTES_MAX	     (1u << 20) /* a chain of certificates is a few kB */
#define STOP_STEP_NS	     1000000	/* how often the drain looks */
#define THREADS_MAX	     256
#define LISTEN_MAX	     64
/* TLS 1.2 and 1.3; the server's order counts, not the client's. */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

struct pem {
	char *cert, *key;
	size_t key_len;
};

static struct err *
read_pem(struct arena *a, const char *option, struct str path, char **out)
{
	int fd = memchr(path.p, '\0', path.n) ? -1 : open(arena_cstr(a, path), O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t len;
	ssize_t got;

	if (fd < 0)
		return err_field(a, option, "Cannot read %.*s.", STR_ARG(path));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
		st.st_size > (off_t)PEM_BYTES_MAX) {
		(void)close(fd);
		return err_field(a, option, "%.*s is not a PEM file.", STR_ARG(path));
	}
	len = (size_t)st.st_size;
	*out = calloc(1, len + 1);
	check(*out);
	got = read(fd, *out, len);
	(void)close(fd);
	if (got != (ssize_t)len || !strstr(*out, "-----BEGIN "))
		return err_field(a, option, "%.*s is not a PEM file.", STR_ARG(path));
	return NULL;
}

static struct err *
read_tls(struct arena *a, const struct http_options *o, struct pem *pem)
{
	if (!o->tls_cert_file.n && !o->tls_key_file.n)
		return NULL;
	if (!o->tls_cert_file.n || !o->tls_key_file.n)
		return err_field(a, o->tls_cert_file.n ? "tls-key" : "tls-cert",
			"TLS needs both a certificate and its key.");
	TRY(read_pem(a, "tls-cert", o->tls_cert_file, &pem->cert));
	TRY(read_pem(a, "tls-key", o->tls_key_file, &pem->key));
	pem->key_len = strlen(pem->key);
	return NULL;
}

static void
pem_done(struct pem *pem)
{
	if (pem->key)
		secret_wipe(pem->key, pem->key_len);
	free(pem->key);
	free(pem->cert);
}

static int
descriptors_max(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY || r.rlim_cur > INT32_MAX)
		return INT32_MAX;
	return (int)r.rlim_cur;
}

static void
keep_options(struct http_server *s, const struct http_options *o)
{
	struct http_options *k = &s->options;
	struct str rest, one;
	int room = descriptors_max() - DESCRIPTORS_RESERVED;

	*k = *o;
	if (k->threads < 1)
		k->threads = 1;
	if (k->connections_max <= 0)
		k->connections_max = LIMIT_CONNECTIONS;
	if (k->connections_max > room)
		k->connections_max = room > 1 ? room : 1;
	if (k->connections_per_address <= 0)
		k->connections_per_address = LIMIT_CONNECTIONS_PER_IP;
	if (k->idle_ms <= 0)
		k->idle_ms = LIMIT_IDLE_S * 1000;
	if (k->header_ms <= 0)
		k->header_ms = LIMIT_HEADER_S * 1000;
	if (!k->clock)
		k->clock = &clock_system;
	s->tls = o->tls_cert_file.n > 0;
	k->cors_origins = rest = arena_str(s->arena, o->cors_origins);
	s->cors_any = str_eq(str_trim(rest), STR("*"));
	s->cors_origins = arena_alloc_array(s->arena, rest.n / 2 + 1, sizeof(struct str));
	while (!s->cors_any && rest.n && str_split(&rest, ',', &one))
		if (str_trim(one).n)
			s->cors_origins[s->cors_count++] = str_trim(one);
	s->listeners = arena_alloc_array(s->arena, o->listen_count, sizeof(struct http_listener));
	s->workers = arena_alloc_array(s->arena, (size_t)k->threads, sizeof(struct http_worker));
}

static struct err *
check_options(struct arena *a, const struct http_options *o)
{
	if (o->listen_count < 1 || o->listen_count > LISTEN_MAX)
		return err_field(a, "listen", "Give 1 to %d addresses.", LISTEN_MAX);
	if (o->threads > THREADS_MAX)
		return err_field(a, "threads", "At most %d threads.", THREADS_MAX);
	check(o->handler);
	return NULL;
}

static struct MHD_Daemon *
start_daemon(struct http_worker *w, const struct pem *pem)
{
	struct http_server *s = w->server;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_ALLOW_UPGRADE;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, pem->key },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, pem->cert },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (s->tls)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	return MHD_start_daemon(flags, 0, NULL, NULL, http_on_request, w,		 /* */
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_CONNECTION_BYTES, /* */
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)s->options.connections_max + 16u,		 /* the keeper counts */
		MHD_OPTION_STRICT_FOR_CLIENT, 1,			 /* */
		MHD_OPTION_URI_LOG_CALLBACK, http_on_target, w,		 /* */
		MHD_OPTION_UNESCAPE_CALLBACK, http_on_unescape, NULL,	 /* */
		MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, w,	 /* */
		MHD_OPTION_NOTIFY_CONNECTION, http_connection_notify, w, /* */
		MHD_OPTION_ARRAY, tls,					 /* */
		MHD_OPTION_END);
}

/* A record of MHD's epoll set that names no connection is only a reason to wake. */
static bool
add_kick(struct http_worker *w)
{
	const union MHD_DaemonInfo *i = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };

	w->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return i && w->kick_fd >= 0 && epoll_ctl(i->epoll_fd, EPOLL_CTL_ADD, w->kick_fd, &e) == 0;
}

static struct err *
start_workers(struct arena *a, struct http_server *s, const struct pem *pem)
{
	for (int i = 0; i < s->options.threads; i++) {
		struct http_worker *w = &s->workers[i];

		w->server = s;
		w->index = i;
		w->kick_fd = -1;
		random_bytes(&w->id_seed, sizeof(w->id_seed));
		check(pthread_mutex_init(&w->lock, NULL) == 0);
		w->daemon = start_daemon(w, pem);
		if (!w->daemon && s->tls)
			return err_field(
				a, "tls-cert", "The certificate and the key cannot be used together.");
		if (!w->daemon)
			return err_private(a, ERR_UNAVAILABLE, "MHD_start_daemon: %s", strerror(errno));
		if (!add_kick(w))
			return err_private(a, ERR_UNAVAILABLE, "eventfd: %s", strerror(errno));
	}
	return NULL;
}

static int
dead_socket(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	(void)close(pair[1]);
	return pair[0];
}

static struct err *
start(struct arena *a, struct http_server *s, const struct pem *pem)
{
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		return err_private(a, ERR_UNAVAILABLE, "eventfd: %s", strerror(errno));
	s->dead_fd = dead_socket();
	if (s->dead_fd < 0)
		return err_private(a, ERR_UNAVAILABLE, "socketpair: %s", strerror(errno));
	TRY(http_listen(a, s));
	if (!s->options.behind_proxy)
		s->peers = http_peers_new((size_t)s->options.connections_per_address);
	atomic_store(&s->now_ms, monotonic_us() / 1000);
	TRY(start_workers(a, s, pem));
	if (pthread_create(&s->keeper, NULL, http_keeper_run, s) != 0)
		return err_private(a, ERR_UNAVAILABLE, "pthread_create");
	s->keeper_started = true;
	return NULL;
}

struct err *
http_server_start(struct arena *a, const struct http_options *o, struct http_server **out)
{
	struct http_server *s;
	struct pem pem = { 0 };
	struct err *e;

	TRY(check_options(a, o));
	s = calloc(1, sizeof(*s));
	check(s);
	s->wake_fd = s->dead_fd = -1;
	s->arena = arena_new(1u << 20);
	keep_options(s, o);
	e = read_tls(a, o, &pem);
	if (!e)
		e = start(a, s, &pem);
	pem_done(&pem);
	if (e) {
		http_server_stop(s, 0);
		http_server_free(s);
		return e;
	}
	*out = s;
	return NULL;
}

struct str
http_server_address(const struct http_server *s, size_t index)
{
	check(index < s->listener_count);
	return s->listeners[index].address;
}

static void
pause_a_step(void)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = STOP_STEP_NS }, NULL);
}

static bool
is_quiet(struct http_server *s)
{
	for (int i = 0; i < s->options.threads; i++)
		if (atomic_load(&s->workers[i].active) != 0)
			return false;
	return true;
}

static bool
has_suspended(struct http_worker *w)
{
	pthread_mutex_lock(&w->lock);
	bool has = w->suspended != NULL;
	pthread_mutex_unlock(&w->lock);
	return has;
}

static void
stop_accepting(struct http_server *s)
{
	uint64_t one = 1;

	atomic_store(&s->state, SERVER_DRAINING);
	if (s->keeper_started) {
		(void)!write(s->wake_fd, &one, sizeof(one)); /* at worst the keeper wakes at its next tick */
		pthread_join(s->keeper, NULL);
		s->keeper_started = false;
	}
	for (size_t i = 0; i < s->listener_count; i++) {
		if (s->listeners[i].fd >= 0)
			(void)close(s->listeners[i].fd);
		s->listeners[i].fd = -1;
	}
}

/* Before the daemons end: over TLS a stream's bytes pass through them. */
static void
stop_streams(struct http_server *s, int64_t end_us)
{
	struct stream_hub *hub = atomic_load(&s->hub);
	int64_t left_ms = (end_us - monotonic_us()) / 1000;

	if (hub)
		stream_hub_stop(hub, left_ms > 0 ? (int)left_ms : 0);
}

void
http_server_stop(struct http_server *s, int drain_ms)
{
	int64_t end = monotonic_us() + (int64_t)drain_ms * 1000;

	if (atomic_load(&s->state) != SERVER_RUNNING)
		return;
	stop_accepting(s);
	while (!is_quiet(s) && monotonic_us() < end)
		pause_a_step();
	atomic_store(&s->state, SERVER_CLOSED);
	/* A request may have begun between the last look and the closing: it has its time too. */
	while (!is_quiet(s) && monotonic_us() < end)
		pause_a_step();
	stop_streams(s, end);
	for (int i = 0; i < s->options.threads; i++) {
		struct http_worker *w = &s->workers[i];

		if (!w->daemon)
			continue;
		http_worker_abandon(w);
		while (has_suspended(w) || atomic_load(&w->waking))
			pause_a_step();
		MHD_stop_daemon(w->daemon);
		w->daemon = NULL;
	}
}

void
http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_server_stop(s, 0);
	for (int i = 0; i < s->options.threads; i++) {
		struct http_worker *w = &s->workers[i];

		while (w->pool) {
			struct http_exchange *x = w->pool;

			w->pool = x->next;
			http_exchange_free(x);
		}
		if (!w->server)
			continue;
		if (w->kick_fd >= 0)
			(void)close(w->kick_fd);
		pthread_mutex_destroy(&w->lock);
	}
	http_peers_free(s->peers);
	if (s->wake_fd >= 0)
		(void)close(s->wake_fd);
	if (s->dead_fd >= 0)
		(void)close(s->dead_fd);
	arena_free(s->arena);
	free(s);
}

struct http_stats
http_server_stats(const struct http_server *s)
{
	struct http_stats sum = { .connections = atomic_load_explicit(&s->streams, memory_order_relaxed) };

	for (int i = 0; i < s->options.threads; i++) {
		const struct http_worker *w = &s->workers[i];

		sum.connections += atomic_load_explicit(&w->connection_count, memory_order_relaxed);
		sum.requests += atomic_load_explicit(&w->requests, memory_order_relaxed);
		sum.bytes_in += atomic_load_explicit(&w->bytes_in, memory_order_relaxed);
		sum.bytes_out += atomic_load_explicit(&w->bytes_out, memory_order_relaxed);
	}
	return sum;
}
