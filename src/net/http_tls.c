/*
 * Streams over TLS. MHD keeps the connection, suspended, and the hub speaks through its GnuTLS session, which nobody else touches until the
 * connection is resumed to be closed. MHD's own way, the upgrade with a socket pair, would do for WebSocket alone, and version 0.9.75
 * forwards four bytes at a time there, each as a TLS record.
 */
#include "net/http_internal.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <sys/uio.h>

#define RECORD_BYTES_MAX 16384

struct tls_socket {
	struct MHD_Connection *mhd;
	gnutls_session_t session;
	bool unflushed; /* GnuTLS has taken a record that the socket has not */
};

static bool
is_later(ssize_t result)
{
	return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED;
}

static ssize_t
tls_read(const struct stream_socket *k, void *to, size_t room)
{
	struct tls_socket *t = k->cls;
	ssize_t n = gnutls_record_recv(t->session, to, room);

	if (n >= 0)
		return n;
	errno = is_later(n) ? EAGAIN : EPROTO;
	return -1;
}

static bool
tls_flush(const struct stream_socket *k)
{
	struct tls_socket *t = k->cls;
	ssize_t n;

	if (!t->unflushed)
		return true;
	n = gnutls_record_send(t->session, NULL, 0);
	if (n < 0) {
		errno = is_later(n) ? EAGAIN : EPIPE;
		return false;
	}
	t->unflushed = false;
	return true;
}

/* One record of what is there. */
static ssize_t
tls_write(const struct stream_socket *k, const struct iovec *at, size_t count)
{
	struct tls_socket *t = k->cls;
	char record[RECORD_BYTES_MAX];
	size_t max = gnutls_record_get_max_size(t->session), n = 0;
	ssize_t sent;

	if (!tls_flush(k))
		return -1;
	if (max > sizeof(record))
		max = sizeof(record);
	for (size_t i = 0; i < count && n < max; i++) {
		size_t part = at[i].iov_len < max - n ? at[i].iov_len : max - n;

		memcpy(record + n, at[i].iov_base, part);
		n += part;
	}
	sent = gnutls_record_send(t->session, record, n);
	if (sent > 0)
		return sent;
	if (!is_later(sent)) {
		errno = EPIPE;
		return -1;
	}
	/* Encrypted and kept: only the socket's turn is missing. */
	t->unflushed = true;
	return (ssize_t)n;
}

static void
tls_shut(const struct stream_socket *k)
{
	struct tls_socket *t = k->cls;

	(void)gnutls_bye(t->session, GNUTLS_SHUT_WR); /* the shutdown says the same where this fails */
	(void)shutdown(k->fd, SHUT_WR);
}

static void
tls_release(const struct stream_socket *k)
{
	struct tls_socket *t = k->cls;

	MHD_resume_connection(t->mhd);
	free(t);
}

static const struct stream_transport tls_transport = { tls_read, tls_write, tls_flush, tls_shut,
	tls_release };

bool
http_tls_socket(struct http_exchange *x, struct stream_socket *out)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	struct tls_socket *t;

	if (!i || !i->tls_session)
		return false;
	t = malloc(sizeof(*t));
	check(t);
	*t = (struct tls_socket){ .mhd = x->mhd, .session = i->tls_session };
	*out = (struct stream_socket){ .fd = x->connection->fd, .transport = &tls_transport, .cls = t };
	return true;
}
