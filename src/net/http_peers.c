/*
 * Counts open connections by address, so that one client cannot take all of them. An open hash table under one lock, which is taken only
 * when a connection begins and ends; for IPv6 a /64 counts as one address, since every customer has at least that.
 */
#include "net/http_internal.h"

struct slot {
	uint64_t high, low;
	uint32_t count; /* 0: free */
};

struct http_peers {
	pthread_mutex_t lock;
	uint32_t limit;
	size_t mask, used;
	struct slot *slots;
};

struct http_peers *
http_peers_new(size_t limit)
{
	struct http_peers *p = calloc(1, sizeof(*p));

	check(p && limit > 0 && limit < UINT32_MAX);
	check(pthread_mutex_init(&p->lock, NULL) == 0);
	p->limit = (uint32_t)limit;
	p->mask = 63;
	p->slots = calloc(p->mask + 1, sizeof(*p->slots));
	check(p->slots);
	return p;
}

void
http_peers_free(struct http_peers *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p->slots);
	free(p);
}

struct in6_addr
http_address_of(const struct sockaddr *sa)
{
	struct in6_addr a = { 0 };

	if (sa->sa_family == AF_INET6)
		return ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	a.s6_addr[10] = a.s6_addr[11] = 0xff;
	memcpy(&a.s6_addr[12], &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	return a;
}

static struct slot
key_of(const struct in6_addr *a)
{
	struct slot k = { 0 };

	memcpy(&k.high, a->s6_addr, 8);
	if (IN6_IS_ADDR_V4MAPPED(a))
		memcpy(&k.low, a->s6_addr + 8, 8);
	return k;
}

static size_t
home_of(const struct http_peers *p, const struct slot *k)
{
	uint64_t h = (k->high ^ (k->low * 0x9e3779b97f4a7c15u)) * 0xd6e8feb86659fd93u;

	return (size_t)(h >> 32) & p->mask;
}

static struct slot *
find(struct http_peers *p, const struct slot *k)
{
	size_t i = home_of(p, k);

	while (p->slots[i].count && (p->slots[i].high != k->high || p->slots[i].low != k->low))
		i = (i + 1) & p->mask;
	return &p->slots[i];
}

static void
grow(struct http_peers *p)
{
	struct slot *old = p->slots;
	size_t count = p->mask + 1;

	p->mask = count * 2 - 1;
	p->slots = calloc(p->mask + 1, sizeof(*p->slots));
	check(p->slots);
	for (size_t i = 0; i < count; i++)
		if (old[i].count)
			*find(p, &old[i]) = old[i];
	free(old);
}

bool
http_peers_enter(struct http_peers *p, const struct in6_addr *address)
{
	struct slot k = key_of(address), *s;
	bool fine;

	pthread_mutex_lock(&p->lock);
	s = find(p, &k);
	fine = s->count < p->limit;
	if (fine && s->count++ == 0) {
		s->high = k.high;
		s->low = k.low;
		if (++p->used * 2 > p->mask)
			grow(p);
	}
	pthread_mutex_unlock(&p->lock);
	return fine;
}

/* Frees a slot and moves up those behind it that would no longer be found. */
static void
vacate(struct http_peers *p, size_t hole)
{
	for (size_t i = (hole + 1) & p->mask; p->slots[i].count; i = (i + 1) & p->mask) {
		size_t distance = (i - home_of(p, &p->slots[i])) & p->mask;

		if (distance >= ((i - hole) & p->mask)) {
			p->slots[hole] = p->slots[i];
			hole = i;
		}
	}
	p->slots[hole] = (struct slot){ 0 };
	p->used--;
}

void
http_peers_leave(struct http_peers *p, const struct in6_addr *address)
{
	struct slot k = key_of(address), *s;

	pthread_mutex_lock(&p->lock);
	s = find(p, &k);
	if (s->count && --s->count == 0) {
		s->count = 1; /* occupied until it is moved over */
		vacate(p, (size_t)(s - p->slots));
	}
	pthread_mutex_unlock(&p->lock);
}
