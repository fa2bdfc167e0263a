/*
 * Entity tags. The server's own is a 128-bit hash of the body: two lanes of multiply-and-fold over 32 bytes a step, about one byte a
 * tenth of a nanosecond. It is no cryptography: whoever could make two bodies collide would only spoil a cache of his own. The constants
 * are fixed, so that every node and every restart gives the same tag.
 */
#include "net/http_internal.h"

static uint64_t
read64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

__extension__ typedef unsigned __int128 product128;

/* All 128 bits of the product, folded. */
static uint64_t
fold(uint64_t a, uint64_t b)
{
	product128 product = (product128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Digits of the golden ratio and of square roots: odd, and of mixed bits. */
#define K0 0x9e3779b97f4a7c15u
#define K1 0xbb67ae8584caa73bu
#define K2 0x3c6ef372fe94f82bu
#define K3 0xa54ff53a5f1d36f1u

static void
hash128(struct str s, uint64_t out[2])
{
	uint64_t a = K0 ^ s.n, b = K1 + s.n;
	const char *p = s.p;
	size_t left = s.n;
	char tail[32] = { 0 };

	for (; left >= 32; left -= 32, p += 32) {
		a = fold(read64(p) ^ K2, read64(p + 8) ^ a);
		b = fold(read64(p + 16) ^ K3, read64(p + 24) ^ b);
	}
	if (left)
		memcpy(tail, p, left);
	a = fold(read64(tail) ^ K2, read64(tail + 8) ^ a);
	b = fold(read64(tail + 16) ^ K3, read64(tail + 24) ^ b);
	out[0] = fold(a ^ K1, b ^ K0) ^ a;
	out[1] = fold(b ^ K2, a ^ K3) ^ b;
}

struct str
http_etag_of(struct str body, char out[HTTP_ETAG_BYTES])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t h[2];
	size_t n = 0;

	hash128(body, h);
	out[n++] = '"';
	for (int i = 0; i < 2; i++)
		for (int shift = 0; shift < 60; shift += 6)
			out[n++] = digits[(h[i] >> shift) & 63];
	out[n++] = '"';
	return (struct str){ out, n };
}

static struct str
opaque_part(struct str tag)
{
	return str_starts_with(tag, STR("W/")) ? str_sub(tag, 2, tag.n) : tag;
}

bool
http_etag_matches(struct str list, struct str tag)
{
	struct str wanted = opaque_part(tag);
	size_t i = 0;

	if (str_eq(str_trim(list), STR("*")))
		return true;
	/* A quoted tag may hold commas, so the list is walked from quote to quote. */
	while (i < list.n) {
		size_t open = str_index(list, '"', i), close = str_index(list, '"', open + 1);

		if (close >= list.n)
			return false;
		if (str_eq(str_sub(list, open, close - open + 1), wanted))
			return true;
		i = close + 1;
	}
	return false;
}
