/*
 * The keeper: one thread that accepts connections and ends those that take too long. A connection's socket is shut down, not closed, so
 * that its worker notices and tidies up; the worker's lock makes sure that the descriptor still is that connection's. Time limits are as
 * exact as the keeper's tick, a quarter of the shortest one and at most a second. Time in which the keeper had no processor is not held
 * against anybody: what clients sent meanwhile is there, and nobody has read it.
 *
 * MHD (0.9.75) asks epoll again, without a time limit, when it was given as many events as it asked for, 128, before it acts on any of
 * them: when just so many clients wait, nothing ever comes. A worker with that many connections is therefore woken every few ms.
 */
#include "net/http_internal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h> /* its tcp_info has the byte counters */
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ACCEPT_SERIES 64 /* connections taken of one address before the others have their turn */
#define LISTENERS_MAX 64
#define CROWD	      128 /* MHD's MAX_EVENTS */
#define KICK_MS	      5
#define EXHAUSTED_MS  50 /* pause when the process has no descriptor left */

static void
add(_Atomic int64_t *counter, int64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void
peer_text(struct http_connection *c)
{
	const char *done;

	if (IN6_IS_ADDR_V4MAPPED(&c->address))
		done = inet_ntop(AF_INET, &c->address.s6_addr[12], c->peer, sizeof(c->peer));
	else
		done = inet_ntop(AF_INET6, &c->address, c->peer, sizeof(c->peer));
	c->peer_len = done ? (uint8_t)strlen(c->peer) : 0;
}

static void
begin_connection(struct http_worker *w, struct MHD_Connection *mhd, void **socket_context)
{
	struct http_connection *c = calloc(1, sizeof(*c));

	check(c);
	c->worker = w;
	c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	c->address = http_address_of(
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	peer_text(c);
	http_phase_set(c, PHASE_IDLE);
	pthread_mutex_lock(&w->lock);
	c->next = w->connections;
	if (c->next)
		c->next->prev = c;
	w->connections = c;
	pthread_mutex_unlock(&w->lock);
	*socket_context = c;
}

static void
end_connection(struct http_connection *c)
{
	struct http_worker *w = c->worker;

	pthread_mutex_lock(&w->lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		w->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	pthread_mutex_unlock(&w->lock);
	if (w->server->peers && !c->handed_over)
		http_peers_leave(w->server->peers, &c->address);
	add(&w->connection_count, -1);
	free(c);
}

void
http_connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_worker *w = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		begin_connection(w, mhd, socket_context);
	else if (*socket_context)
		end_connection(*socket_context);
}

static struct http_worker *
least_busy(struct http_server *s)
{
	struct http_worker *best = &s->workers[0];

	for (int i = 1; i < s->options.threads; i++)
		if (atomic_load_explicit(&s->workers[i].connection_count, memory_order_relaxed) <
			atomic_load_explicit(&best->connection_count, memory_order_relaxed))
			best = &s->workers[i];
	return best;
}

static int64_t
connections_open(const struct http_server *s)
{
	int64_t n = atomic_load_explicit(&s->streams, memory_order_relaxed);

	for (int i = 0; i < s->options.threads; i++)
		n += atomic_load_explicit(&s->workers[i].connection_count, memory_order_relaxed);
	return n;
}

/* Says why where that is possible without waiting: before TLS nothing can be said. */
static void
refuse(const struct http_server *s, int fd, struct str answer)
{
	if (!s->tls) {
		(void)send(fd, answer.p, answer.n,
			MSG_DONTWAIT | MSG_NOSIGNAL); /* a courtesy: nothing depends on it */
		(void)shutdown(fd, SHUT_WR);
	}
	(void)close(fd);
}

static void
admit(struct http_server *s, int fd, const struct sockaddr *sa, socklen_t len)
{
	struct in6_addr address = http_address_of(sa);
	struct http_worker *w;

	if (connections_open(s) >= s->options.connections_max) {
		refuse(s, fd,
			STR("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: "
			    "0\r\nConnection: close\r\n\r\n"));
		return;
	}
	if (s->peers && !http_peers_enter(s->peers, &address)) {
		refuse(s, fd,
			STR("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nContent-Length: "
			    "0\r\nConnection: close\r\n\r\n"));
		return;
	}
	w = least_busy(s);
	add(&w->connection_count, 1);
	if (MHD_add_connection(w->daemon, fd, sa, len) == MHD_YES)
		return;
	add(&w->connection_count, -1);
	if (s->peers)
		http_peers_leave(s->peers, &address);
}

/* False when the process has run out of descriptors or memory. */
static bool
accept_some(struct http_server *s, int listening)
{
	for (int i = 0; i < ACCEPT_SERIES; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		int fd = accept4(
			listening, (struct sockaddr *)(void *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
		admit(s, fd, (const struct sockaddr *)(const void *)&sa, len);
	}
	return true;
}

/* Bytes of the connection that the client has acknowledged. */
static int64_t
acknowledged(int fd)
{
	struct tcp_info i = { 0 };
	socklen_t len = sizeof(i);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) != 0)
		return -1;
	return (int64_t)i.tcpi_bytes_acked;
}

/* A transfer is too slow when a whole idle time brings less than the minimum rate. */
static bool
is_stalled(struct http_connection *c, int64_t now, int64_t since, int64_t bytes, int idle_ms)
{
	int64_t least = (int64_t)LIMIT_SLOW_BYTES_S * idle_ms / 1000;

	if (c->seen_ms < since) {
		c->seen_ms = now;
		c->seen_bytes = bytes;
		return false;
	}
	if (now - c->seen_ms < idle_ms)
		return false;
	if (bytes - c->seen_bytes < least)
		return true;
	c->seen_ms = now;
	c->seen_bytes = bytes;
	return false;
}

static bool
is_overdue(const struct http_server *s, struct http_connection *c, int64_t now)
{
	int64_t since = atomic_load_explicit(&c->since_ms, memory_order_relaxed);

	switch ((enum http_phase)atomic_load_explicit(&c->phase, memory_order_relaxed)) {
	case PHASE_IDLE:
		return now - since > s->options.idle_ms;
	case PHASE_HEADER:
		return now - since > s->options.header_ms;
	case PHASE_BODY:
		return is_stalled(c, now, since, atomic_load_explicit(&c->moved_bytes, memory_order_relaxed),
			s->options.idle_ms);
	case PHASE_SENDING:
		return now - since > s->options.idle_ms / 2 &&
		       is_stalled(c, now, since, acknowledged(c->fd), s->options.idle_ms);
	case PHASE_WORKING:
	case PHASE_STREAM:
		break;
	}
	return false;
}

static void
end_overdue(struct http_server *s)
{
	int64_t now = atomic_load_explicit(&s->now_ms, memory_order_relaxed);

	for (int i = 0; i < s->options.threads; i++) {
		struct http_worker *w = &s->workers[i];

		pthread_mutex_lock(&w->lock);
		for (struct http_connection *c = w->connections; c; c = c->next)
			if (is_overdue(s, c, now))
				(void)shutdown(c->fd, SHUT_RDWR);
		pthread_mutex_unlock(&w->lock);
	}
}

static int
tick_ms(const struct http_server *s)
{
	int shortest = s->options.idle_ms < s->options.header_ms ? s->options.idle_ms : s->options.header_ms;
	int tick = shortest / 4;

	return tick > 1000 ? 1000 : tick < 10 ? 10 : tick;
}

/* True when a worker may need another kick. */
static bool
kick_crowds(const struct http_server *s)
{
	uint64_t one = 1;
	bool crowded = false;

	for (int i = 0; i < s->options.threads; i++) {
		const struct http_worker *w = &s->workers[i];

		if (atomic_load_explicit(&w->connection_count, memory_order_relaxed) < CROWD)
			continue;
		(void)!write(w->kick_fd, &one, sizeof(one)); /* cannot fail before 2^64 kicks */
		crowded = true;
	}
	return crowded;
}

/* The keeper's clock: two ticks at most pass between two looks at it, however long the machine stood still. */
static int64_t
clock_step(struct http_server *s, int64_t *looked_us, int tick)
{
	int64_t us = monotonic_us(), passed = (us - *looked_us) / 1000, most = 2 * (int64_t)tick;
	int64_t now =
		atomic_load_explicit(&s->now_ms, memory_order_relaxed) + (passed < most ? passed : most);

	*looked_us = passed < most ? *looked_us + passed * 1000 : us;
	atomic_store_explicit(&s->now_ms, now, memory_order_relaxed);
	return now;
}

void *
http_keeper_run(void *server)
{
	struct http_server *s = server;
	struct pollfd at[LISTENERS_MAX + 1];
	nfds_t count = 0;
	int tick = tick_ms(s);
	int64_t looked = 0, looked_us = monotonic_us();
	bool exhausted = false, crowded = false;

	at[count++] = (struct pollfd){ .fd = s->wake_fd, .events = POLLIN };
	for (size_t i = 0; i < s->listener_count; i++)
		at[count++] = (struct pollfd){ .fd = s->listeners[i].fd, .events = POLLIN };
	while (atomic_load(&s->state) == SERVER_RUNNING) {
		int64_t now;

		(void)poll(at, exhausted ? 1 : count, crowded ? KICK_MS : exhausted ? EXHAUSTED_MS : tick);
		now = clock_step(s, &looked_us, tick);
		crowded = kick_crowds(s);
		exhausted = false;
		for (nfds_t i = 1; i < count; i++)
			if (at[i].revents && !accept_some(s, at[i].fd))
				exhausted = true;
		if (now - looked >= tick) {
			end_overdue(s);
			looked = now;
		}
	}
	return NULL;
}
