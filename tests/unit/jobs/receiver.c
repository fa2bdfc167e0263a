/* One connection after the other, one request each. */
#include "receiver.h"
#include "base/check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_BYTES 65536

/* Reads to the end of the body. */
static size_t
read_request(int fd, char *text)
{
	size_t n = 0, wanted = SIZE_MAX;

	while (n < wanted) {
		ssize_t got = read(fd, text + n, REQUEST_BYTES - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = 0;
		const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
		if (end && length)
			wanted = (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10);
	}
	return n;
}

static void
remember(struct receiver *r, const char *text)
{
	const char *id = strstr(text, "webhook-id: ");
	int i = atomic_load(&r->count);

	check(id && i < RECEIVER_IDS);
	size_t n = strcspn(id + 12, "\r");
	check(n < sizeof(r->ids[i]));
	memcpy(r->ids[i], id + 12, n);
	r->ids[i][n] = 0;
	atomic_fetch_add(&r->count, 1);
}

static void
serve(struct receiver *r, int fd, char *text)
{
	char answer[128];
	int status = atomic_load(&r->status);

	if (!read_request(fd, text))
		return;
	remember(r, text);
	if (!status)
		return;
	int n = snprintf(answer, sizeof(answer),
		"HTTP/1.1 %d X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", status);
	check(write(fd, answer, (size_t)n) == n);
}

static void *
receiver_main(void *arg)
{
	struct receiver *r = arg;
	char *text = malloc(REQUEST_BYTES);

	check(text);
	for (int fd; (fd = accept(r->fd, NULL, NULL)) >= 0;) {
		serve(r, fd, text);
		(void)close(fd);
	}
	free(text);
	return NULL;
}

void
receiver_start(struct receiver *r)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);

	*r = (struct receiver){ .status = 200 };
	r->fd = socket(AF_INET, SOCK_STREAM, 0);
	check(r->fd >= 0 && bind(r->fd, (struct sockaddr *)&at, n) == 0 && listen(r->fd, 16) == 0);
	check(getsockname(r->fd, (struct sockaddr *)&at, &n) == 0);
	r->port = ntohs(at.sin_port);
	check(pthread_create(&r->thread, NULL, receiver_main, r) == 0);
}

void
receiver_stop(struct receiver *r)
{
	(void)shutdown(r->fd, SHUT_RDWR); /* wakes the accept */
	pthread_join(r->thread, NULL);
	(void)close(r->fd);
}
