/* The table of connections by address keeps exact counts while it grows, fills and empties. */
#include "fixture.h"
#include "net/http_internal.h"

enum { ADDRESSES = 3000, LIMIT = 3 };

static struct in6_addr
address_of(uint32_t i)
{
	struct in6_addr a = { 0 };

	/* Half of them IPv4, half IPv6 networks. */
	if (i % 2) {
		a.s6_addr[10] = a.s6_addr[11] = 0xff;
		memcpy(&a.s6_addr[12], &i, 4);
	} else {
		a.s6_addr[0] = 0x20;
		memcpy(&a.s6_addr[4], &i, 4);
	}
	return a;
}

static void
counts_stay_exact(void **state)
{
	struct http_peers *p = http_peers_new(LIMIT);
	static uint32_t counts[ADDRESSES];
	uint32_t random = 1;

	(void)state;
	for (int step = 0; step < 200000; step++) {
		struct in6_addr a;
		uint32_t i;

		random = random * 1664525u + 1013904223u;
		i = (random >> 8) % ADDRESSES;
		a = address_of(i);
		/* The first half fills more than it empties, the second the other way. */
		if ((random >> 24) % 100 < (step < 100000 ? 60u : 40u)) {
			assert_int_equal(http_peers_enter(p, &a), counts[i] < LIMIT);
			counts[i] += counts[i] < LIMIT;
		} else if (counts[i]) {
			http_peers_leave(p, &a);
			counts[i]--;
		}
	}
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		struct in6_addr a = address_of(i);

		for (; counts[i] < LIMIT; counts[i]++)
			assert_true(http_peers_enter(p, &a));
		assert_false(http_peers_enter(p, &a));
	}
	http_peers_free(p);
}

static void
a_64_network_is_one_address(void **state)
{
	struct http_peers *p = http_peers_new(1);
	struct in6_addr one = address_of(2), other = one, elsewhere = one;

	(void)state;
	other.s6_addr[15] = 9;
	elsewhere.s6_addr[7] ^= 1;
	assert_true(http_peers_enter(p, &one));
	assert_false(http_peers_enter(p, &other));
	assert_true(http_peers_enter(p, &elsewhere));
	http_peers_leave(p, &one);
	assert_true(http_peers_enter(p, &other));
	http_peers_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_stay_exact),
		cmocka_unit_test(a_64_network_is_one_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
