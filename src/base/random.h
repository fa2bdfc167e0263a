/* Random bytes and identifiers from the system's generator (libsodium). Comes through the context, so that a test can fix it. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/arena.h"

/* Must be called once at start; false when the system has no entropy source. */
bool random_start(void) MUST_USE;
void random_bytes(void *p, size_t n);
uint32_t random_below(uint32_t limit);
/* URL-safe text of n random bytes (base64url without padding). */
struct str random_token(struct arena *a, size_t n);
/* Time-ordered UUID version 7 in its text form. */
struct str random_uuid7(struct arena *a, int64_t unix_ms);
/* Overwrites secrets; not optimised away. */
void secret_wipe(void *p, size_t n);

#endif
