/* Randomness and secret memory, all of it libsodium's: the system's generator behind one name. */
#include "base/random.h"
#include <sodium.h>

bool
random_start(void)
{
	return sodium_init() >= 0;
}

void
random_bytes(void *p, size_t n)
{
	randombytes_buf(p, n);
}

uint32_t
random_below(uint32_t limit)
{
	return randombytes_uniform(limit);
}

struct str
random_token(struct arena *a, size_t n)
{
	const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	size_t size = sodium_base64_encoded_len(n, variant);
	unsigned char *raw = arena_alloc(a, n);
	char *text = arena_alloc(a, size);

	randombytes_buf(raw, n);
	sodium_bin2base64(text, size, raw, n, variant);
	sodium_memzero(raw, n);
	return (struct str){ text, size - 1 };
}

struct str
random_uuid7(struct arena *a, int64_t unix_ms)
{
	static const unsigned char dash_before[] = { 4, 6, 8, 10 };
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[16];
	char *text = arena_alloc(a, 37), *p = text;

	/* RFC 9562, section 5.7: 48 bits of milliseconds, version, 12 random bits, variant, 62 random bits. */
	randombytes_buf(raw, sizeof(raw));
	for (int i = 0; i < 6; i++)
		raw[i] = (unsigned char)((uint64_t)unix_ms >> (40 - 8 * i));
	raw[6] = (unsigned char)((raw[6] & 0x0F) | 0x70);
	raw[8] = (unsigned char)((raw[8] & 0x3F) | 0x80);
	for (unsigned i = 0; i < sizeof(raw); i++) {
		if (memchr(dash_before, (int)i, sizeof(dash_before)))
			*p++ = '-';
		*p++ = hex[raw[i] >> 4];
		*p++ = hex[raw[i] & 15];
	}
	return (struct str){ text, 36 };
}

void
secret_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}
