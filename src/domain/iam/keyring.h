/*
 * The keys that sign tokens. They lie in the database, sealed with the master key of the secret file, so that several nodes share them
 * and a copy of the database alone signs nothing. The newest one signs; all of them verify.
 */
#ifndef IAM_KEYRING_H
#define IAM_KEYRING_H

#include "db/db.h"

#define KEYRING_KEYS_MAX \
	16 /* the newest ones; a token outlives fifteen rotations only when they come faster than it expires */
#define KEYRING_KEY_BYTES 32
#define KEYRING_KID_BYTES 16

struct keyring;
struct signing_key {
	char kid[KEYRING_KID_BYTES + 1];
	unsigned char secret[KEYRING_KEY_BYTES];
};

/* Reads the secret file, or makes it with mode 0600 (UNAVAILABLE naming the file: unreadable, not a secret file). */
struct err *keyring_new(struct arena *a, struct str secret_file, struct keyring **out) MUST_USE;
void keyring_free(struct keyring *k);
/* Reads all keys; *count their number. One that was sealed with another secret file (a restored database) is left out with a warning. */
struct err *keyring_load(struct keyring *k, struct db_tx *tx, size_t *count) MUST_USE;
/* Stores a new key, which signs from the next keyring_load on. */
struct err *keyring_add(struct keyring *k, struct db_tx *tx, struct instant now) MUST_USE;
/* The one that signs. There is one once loading found any. */
void keyring_newest(struct keyring *k, struct signing_key *out);
bool keyring_find(struct keyring *k, struct str kid, struct signing_key *out) MUST_USE;
/* Seconds since the newest was made. */
int64_t keyring_age_s(struct keyring *k, struct instant now);
/* Whether an unknown kid is worth another look into the database: at most once a second. */
bool keyring_may_reload(struct keyring *k);

/* A secret of any length sealed under the master key, as base64url text on the arena; for secrets that must be read again (webhooks). */
struct str keyring_seal(const struct keyring *k, struct arena *a, struct str plain);
/* False when it was sealed with another secret file, or is no sealed text. */
bool keyring_unseal(const struct keyring *k, struct arena *a, struct str sealed, struct str *plain) MUST_USE;

#endif
