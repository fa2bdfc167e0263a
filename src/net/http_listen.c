/*
 * Listening sockets: from the text of an address to a bound socket, and the rule that plain HTTP stays on the machine unless someone
 * has said that a proxy encrypts it or that it may be insecure.
 */
#include "net/http_internal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define BACKLOG 1024

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* "127.0.0.1:8000", "localhost:8000", "[::1]:0". */
static bool
parse_address(struct arena *a, struct str text, struct address *out)
{
	size_t colon = text.n;
	int64_t port;
	struct str host;
	const char *z;
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&out->sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&out->sa;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon < 2 || memchr(text.p, '\0', text.n) || !str_to_int(str_sub(text, colon, text.n), &port) ||
		port < 0 || port > 65535)
		return false;
	host = str_sub(text, 0, colon - 1);
	memset(&out->sa, 0, sizeof(out->sa));
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		z = arena_cstr(a, str_sub(host, 1, host.n - 2));
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		out->len = sizeof(*v6);
		return inet_pton(AF_INET6, z, &v6->sin6_addr) == 1;
	}
	z = str_eq(host, STR("localhost")) ? "127.0.0.1" : arena_cstr(a, host);
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	out->len = sizeof(*v4);
	return inet_pton(AF_INET, z, &v4->sin_addr) == 1;
}

static bool
is_loopback(const struct address *at)
{
	struct in6_addr a = http_address_of((const struct sockaddr *)(const void *)&at->sa);

	return IN6_IS_ADDR_LOOPBACK(&a) || (IN6_IS_ADDR_V4MAPPED(&a) && a.s6_addr[12] == 127);
}

/* The bound address as text, with the port the kernel chose. */
static void
describe(struct http_listener *l)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char host[INET6_ADDRSTRLEN] = "";
	uint16_t port;
	bool v6;
	int n;

	check(getsockname(l->fd, (struct sockaddr *)(void *)&sa, &len) == 0);
	v6 = sa.ss_family == AF_INET6;
	if (v6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)&sa;

		port = ntohs(in->sin6_port);
		(void)inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&sa;

		port = ntohs(in->sin_port);
		(void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
	}
	n = snprintf(l->text, sizeof(l->text), v6 ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
	check(n > 0 && (size_t)n < sizeof(l->text));
	l->address = (struct str){ l->text, (size_t)n };
}

static struct err *
open_listener(struct arena *a, struct str text, const struct address *at, struct http_listener *l)
{
	int on = 1, fd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int failed;

	if (fd < 0)
		return err_private(a, ERR_UNAVAILABLE, "socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Accepted sockets inherit it: answers leave at once, whatever pieces they are written in. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (at->sa.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)(const void *)&at->sa, at->len) == 0 &&
		listen(fd, BACKLOG) == 0) {
		l->fd = fd;
		describe(l);
		return NULL;
	}
	failed = errno;
	(void)close(fd);
	if (failed == EADDRINUSE)
		return err_new(a, ERR_UNAVAILABLE, "The address %.*s is in use.", STR_ARG(text));
	return err_field(a, "listen", "Cannot listen on %.*s: %s.", STR_ARG(text), strerror(failed));
}

struct err *
http_listen(struct arena *a, struct http_server *s)
{
	const struct http_options *o = &s->options;

	for (size_t i = 0; i < o->listen_count; i++) {
		struct str text = o->listen[i];
		struct address at;

		if (!parse_address(a, text, &at))
			return err_field(a, "listen",
				"\"%.*s\" is not an address like 127.0.0.1:8000 or [::1]:8000.",
				STR_ARG(text));
		if (!s->tls && !is_loopback(&at) && !o->behind_proxy && !o->insecure_http)
			return err_field(a, "listen",
				"%.*s can be reached from outside, and plain HTTP would show passwords: give "
				"a TLS "
				"certificate, or say that a proxy encrypts (behind-proxy) or that it may be "
				"insecure "
				"(insecure-http).",
				STR_ARG(text));
		TRY(open_listener(a, text, &at, &s->listeners[i]));
		s->listener_count++;
	}
	return NULL;
}
