/* What the files of this room share: the open iam and its parts. Nothing above includes it. */
#ifndef IAM_INTERNAL_H
#define IAM_INTERNAL_H

#include "domain/iam/auth.h"
#include "domain/iam/auth_cache.h"
#include "domain/iam/backoff.h"
#include "domain/iam/keyring.h"
#include "domain/iam/token.h"
#include <stdatomic.h>

/* The tenant of the installation's own rows: companies, login names, signing keys. */
#define IAM_INSTALLATION 0
/* A company that does not exist: its epoch moves with every change that may take access away. */
#define IAM_EPOCH_COMPANY (-1)

struct iam {
	struct db *db;
	const struct clock *clock;
	int64_t access_s, refresh_s;
	bool remembers_actors; /* one node (SQLite): what a cache says holds until the epoch moves */
	struct keyring *keys;
	struct auth_cache **caches; /* one an HTTP thread: tokens and keys */
	int cache_count;
	_Atomic uint64_t *epochs; /* one a thread: what it last compared with */
	struct auth_cache *basic; /* verified passwords, of all threads */
	struct backoff *backoff;
	unsigned char hash_key[32]; /* of this process: for remembered credentials */
	char setup_hash
		[64]; /* of the one-time set-up token; set before the server starts, zeros when there is none */
};

/* A new signing key when the newest one is old; before a login, so that no timer is needed. */
struct err *iam_renew_key(struct iam *iam, struct arena *a) MUST_USE;
/* Notes that this transaction may take access away. */
void iam_touched(struct db_tx *tx);

/* A row of one of the actor statements (person, session, key), whose first columns are the same. */
struct iam_actor_row {
	struct actor actor;
	bool usable;		  /* active, not suspended, company active, not expired or ended */
	struct str password_hash; /* of the statements by person */
	int64_t expires_us;	  /* of the credential, 0: none */
};
struct err *iam_actor_by_session(struct db_tx *tx, int64_t company_id, int64_t session_id, struct instant now,
	struct iam_actor_row *out, bool *found) MUST_USE;
struct err *iam_actor_by_person(struct db_tx *tx, int64_t company_id, int64_t person_id,
	struct iam_actor_row *out, bool *found) MUST_USE;
struct err *iam_actor_by_key(struct db_tx *tx, int64_t company_id, struct str key_hash, struct instant now,
	struct iam_actor_row *out, bool *found) MUST_USE;
struct err *iam_actor_by_key_id(struct db_tx *tx, int64_t company_id, int64_t id, struct instant now,
	struct iam_actor_row *out, bool *found) MUST_USE;

/* Who answers to a login name. Texts live on the arena of the transaction. */
struct iam_candidate {
	bool found;
	int64_t company_id, person_id;
	struct str password_hash;
	bool active, suspended;
};
/* By user name, or by e-mail address where exactly one person has it. company_id 0: any. */
struct err *iam_candidate_find(
	struct db_tx *tx, struct str name, int64_t company_id, struct iam_candidate *out) MUST_USE;
/*
 * The password check behind a login and behind Basic: back-off, look-up, argon2id, back-off again. INVALID_CREDENTIALS with one text
 * for unknown and wrong; *fault tells the inactive apart only where the password was right.
 */
struct iam_login_attempt {
	struct str name, password, peer;
	int64_t company_id;
};
struct err *iam_check_password(struct iam *iam, struct arena *a, const struct iam_login_attempt *attempt,
	struct iam_candidate *out, enum iam_login_fault *fault) MUST_USE;

struct err *iam_credentials_error(struct arena *a); /* INVALID_CREDENTIALS */
struct err *iam_token_error(struct arena *a);	    /* INVALID_TOKEN with the words of simplejwt */

/* Hash of a secret that is random itself (refresh token, API key), as stored: 64 hexadecimal digits. */
struct str iam_secret_hash(struct arena *a, struct str secret);

#endif
