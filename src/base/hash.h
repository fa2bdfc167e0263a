/* A fast 64-bit hash of bytes for tables and entity tags in memory: not stable across versions, not for secrets. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

uint64_t hash_bytes(struct str s, uint64_t seed);
uint64_t hash_pair(uint64_t a, uint64_t b);

#endif
