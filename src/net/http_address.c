/* Which addresses belong to the public Internet, by the special-purpose address registries of IANA (RFC 6890 and its updates). */
#include "net/http_client.h"
#include <netinet/in.h>
#include <sys/socket.h>

struct range4 {
	uint8_t bytes[4];
	int bits;
};

static const struct range4 special4[] = {
	{ { 0, 0, 0, 0 }, 8 },	     /* this network */
	{ { 10, 0, 0, 0 }, 8 },	     /* private */
	{ { 100, 64, 0, 0 }, 10 },   /* shared by carriers */
	{ { 127, 0, 0, 0 }, 8 },     /* loopback */
	{ { 169, 254, 0, 0 }, 16 },  /* link-local, cloud metadata */
	{ { 172, 16, 0, 0 }, 12 },   /* private */
	{ { 192, 0, 0, 0 }, 24 },    /* protocol assignments */
	{ { 192, 0, 2, 0 }, 24 },    /* documentation */
	{ { 192, 88, 99, 0 }, 24 },  /* 6to4 relays, abandoned */
	{ { 192, 168, 0, 0 }, 16 },  /* private */
	{ { 198, 18, 0, 0 }, 15 },   /* benchmarks */
	{ { 198, 51, 100, 0 }, 24 }, /* documentation */
	{ { 203, 0, 113, 0 }, 24 },  /* documentation */
	{ { 224, 0, 0, 0 }, 3 },     /* multicast, reserved, broadcast */
};

struct range6 {
	uint8_t bytes[16];
	int bits;
};

/* Only 2000::/3 is given out; these parts of it are special. */
static const struct range6 special6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },	    /* protocol assignments, Teredo */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
	{ { 0x3f, 0xff }, 20 },		    /* documentation */
};

static bool
has_prefix(const uint8_t *address, const uint8_t *prefix, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	if (memcmp(address, prefix, (size_t)whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static bool
is_public4(const uint8_t *address)
{
	for (size_t i = 0; i < COUNT(special4); i++)
		if (has_prefix(address, special4[i].bytes, special4[i].bits))
			return false;
	return true;
}

static bool
is_public6(const uint8_t *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t global[1] = { 0x20 };
	static const uint8_t six_to_four[2] = { 0x20, 0x02 };

	if (has_prefix(address, mapped, 96) || has_prefix(address, nat64, 96))
		return is_public4(address + 12);
	if (has_prefix(address, six_to_four, 16))
		return is_public4(address + 2);
	if (!has_prefix(address, global, 3))
		return false;
	for (size_t i = 0; i < COUNT(special6); i++)
		if (has_prefix(address, special6[i].bytes, special6[i].bits))
			return false;
	return true;
}

bool
http_address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;

		return is_public4((const uint8_t *)&v4->sin_addr);
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;

		return is_public6(v6->sin6_addr.s6_addr);
	}
	return false;
}
