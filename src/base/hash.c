/* Multiply-and-fold over words of eight bytes: about a byte a tenth of a nanosecond, where FNV needs a nanosecond. */
#include "base/hash.h"

#define PRIME_1 0x9E3779B97F4A7C15ull
#define PRIME_2 0xE7037ED1A0B428DBull

__extension__ typedef unsigned __int128 wide;

uint64_t
hash_pair(uint64_t a, uint64_t b)
{
	const wide product = (wide)(a ^ PRIME_1) * (b ^ PRIME_2);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t
hash_bytes(struct str s, uint64_t seed)
{
	uint64_t h = hash_pair(seed, s.n);
	uint64_t word;
	size_t at = 0;
	for (; at + sizeof(word) <= s.n; at += sizeof(word)) {
		memcpy(&word, s.p + at, sizeof(word));
		h = hash_pair(h, word);
	}
	word = 0;
	if (at < s.n)
		memcpy(&word, s.p + at, s.n - at);
	return hash_pair(h, word ^ PRIME_1);
}
