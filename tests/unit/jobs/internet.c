/* See the header. What comes before the C library's functions finds those by dlsym; libcurl resolves on threads of its own. */
#include "internet.h"
#include "base/check.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

static struct {
	pthread_mutex_t lock;
	const char *const *answers; /* NULL: not in use */
	size_t count;
	int port, looks, others_reached;
} internet = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
internet_set(const char *const *answers, size_t count, int port)
{
	pthread_mutex_lock(&internet.lock);
	internet.answers = answers;
	internet.count = count;
	internet.port = port;
	internet.looks = internet.others_reached = 0;
	pthread_mutex_unlock(&internet.lock);
}

void
internet_unset(void)
{
	internet_set(NULL, 0, 0);
}

int
internet_looks(void)
{
	pthread_mutex_lock(&internet.lock);
	int looks = internet.looks;
	pthread_mutex_unlock(&internet.lock);
	return looks;
}

int
internet_others_reached(void)
{
	pthread_mutex_lock(&internet.lock);
	int reached = internet.others_reached;
	pthread_mutex_unlock(&internet.lock);
	return reached;
}

/* libcurl finds them although the program hides what it does not mean to share. */
#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

/* ---- names ------------------------------------------------------------------------------------------------------------------ */

typedef int lookup_function(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int
look_up_really(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	void *found = dlsym(RTLD_NEXT, "getaddrinfo");
	lookup_function *really;

	check(found);
	memcpy(&really, &found, sizeof(really));
	return really(name, service, hints, out);
}

/* The addresses of an answer in its order, whatever families the caller believes in. */
static int
answer(const char *addresses, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	struct addrinfo any = { 0 }, **link = out;
	char one[INET6_ADDRSTRLEN];

	if (hints)
		any = *hints;
	any.ai_family = AF_UNSPEC;
	any.ai_flags = AI_NUMERICHOST;
	for (const char *p = addresses;; p++) {
		size_t n = strcspn(p, ",");
		check(n < sizeof(one));
		memcpy(one, p, n);
		one[n] = '\0';
		check(look_up_really(one, service, &any, link) == 0);
		while (*link)
			link = &(*link)->ai_next;
		p += n;
		if (!*p)
			return 0;
	}
}

SEEN_BY_LIBRARIES int
getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
	struct addrinfo **restrict out)
{
	const char *addresses = NULL;

	pthread_mutex_lock(&internet.lock);
	if (internet.answers && name && strcmp(name, INTERNET_NAME) == 0) {
		size_t look = (size_t)internet.looks++;
		addresses = internet.answers[look < internet.count ? look : internet.count - 1];
	}
	pthread_mutex_unlock(&internet.lock);
	return addresses ? answer(addresses, service, hints, out) : look_up_really(name, service, hints, out);
}

/* ---- connections ------------------------------------------------------------------------------------------------------------ */

typedef int connect_function(int, const struct sockaddr *, socklen_t);

static int
connect_really(int fd, const struct sockaddr *address, socklen_t n)
{
	void *found = dlsym(RTLD_NEXT, "connect");
	connect_function *really;

	check(found);
	memcpy(&really, &found, sizeof(really));
	return really(fd, address, n);
}

static bool
is_address(const struct sockaddr *address, const char *text)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
	struct in_addr wanted;

	check(inet_pton(AF_INET, text, &wanted) == 1);
	return address->sa_family == AF_INET && v4->sin_addr.s_addr == wanted.s_addr;
}

SEEN_BY_LIBRARIES int
connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t n)
{
	const struct sockaddr *address = to.__sockaddr__;
	bool is_public = is_address(address, INTERNET_PUBLIC), is_down = is_address(address, INTERNET_DOWN);
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	pthread_mutex_lock(&internet.lock);
	bool in_use = internet.answers;
	here.sin_port = htons((uint16_t)internet.port);
	if (in_use && !is_public && !is_down)
		internet.others_reached++;
	pthread_mutex_unlock(&internet.lock);
	if (in_use && is_down) {
		errno = ECONNREFUSED;
		return -1;
	}
	return in_use && is_public ? connect_really(fd, (const struct sockaddr *)&here, sizeof(here))
				   : connect_really(fd, address, n);
}
