/*
 * Login back-off: after some failures in a row a longer and longer wait. Three counts stop three attacks: one address guessing one
 * name, one address trying many names, many addresses guessing one name. The first is the strict one, so that nobody can lock
 * others out from elsewhere. Counts are kept in memory and forgotten after an hour; each node counts for itself.
 */
#ifndef IAM_BACKOFF_H
#define IAM_BACKOFF_H

#include "base/str.h"
#include "base/time.h"

#define BACKOFF_PAIR_FREE    10	  /* failures of one name from one address before the first wait */
#define BACKOFF_NAME_FREE    100  /* of one name from anywhere */
#define BACKOFF_ADDRESS_FREE 200  /* from one address with any name: an office may sit behind one */
#define BACKOFF_WAIT_MAX_S   900  /* longest wait */
#define BACKOFF_FORGET_S     3600 /* without another failure */

struct backoff;

struct backoff *backoff_new(void);
void backoff_free(struct backoff *b);
/* Seconds to wait before this attempt may be made; 0: now. */
int64_t backoff_wait_s(struct backoff *b, struct str name, struct str address, struct instant now);
void backoff_failed(struct backoff *b, struct str name, struct str address, struct instant now);
/* Clears the pair's count; the other two stay. */
void backoff_succeeded(struct backoff *b, struct str name, struct str address);

#endif
