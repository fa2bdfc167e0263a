/*
 * Authentication: from credentials (Bearer token, Basic, API key) to an actor, and from a login to tokens. The api room drives it in up
 * to three steps, because a remembered credential needs no database, a token needs one read and an unknown password needs argon2id on
 * the pool for slow work. Nothing here knows HTTP beyond the two header texts.
 *
 * Everything that takes access away (logout, deactivation, role change, key revocation, refresh-token reuse) takes effect with its commit:
 * on SQLite through an epoch that empties the caches, on PostgreSQL because the session row is read with each request.
 */
#ifndef IAM_AUTH_H
#define IAM_AUTH_H

#include "resource/resource.h"

#define SESSION_OBJECT "session" /* what events of logins are about; no resource */

struct iam;

struct iam_options {
	struct db *db;
	const struct clock *clock;
	int threads;		     /* HTTP threads: a cache each */
	struct str secret_file;	     /* master key for secrets at rest; made on first start with mode 0600 */
	int64_t access_s, refresh_s; /* token lives; 0: LIMIT_ACCESS_TOKEN_S, LIMIT_REFRESH_TOKEN_S */
};
/* Loads or makes the signing keys. */
struct err *iam_open(struct arena *a, const struct iam_options *o, struct iam **out) MUST_USE;
void iam_close(struct iam *iam);
/* A new signing key; tokens of older ones stay valid until they expire. A login does so by itself every LIMIT_SIGNING_KEY_S. */
struct err *iam_rotate_key(struct iam *iam, struct arena *a) MUST_USE;

struct iam_credentials {
	struct str authorization; /* header text; p NULL when absent */
	struct str api_key;	  /* X-API-Key */
	struct str peer;	  /* address, for back-off */
};

enum iam_step {
	IAM_DONE,	/* *actor is set (ACTOR_ANONYMOUS without credentials), or the error says why not */
	IAM_NEEDS_READ, /* call iam_authenticate_read inside a read transaction */
	IAM_NEEDS_SLOW	/* call iam_authenticate_slow on the slow pool */
};
/* Without database: caches only. actor's texts live on the arena. */
enum iam_step iam_authenticate(struct iam *iam, int thread, struct arena *a, const struct iam_credentials *c,
	struct actor *actor, struct err **e);
/* May answer IAM_NEEDS_SLOW for an unremembered Basic credential. Remembers what it found. */
enum iam_step iam_authenticate_read(struct iam *iam, int thread, struct db_tx *tx,
	const struct iam_credentials *c, struct actor *actor, struct err **e);
/* Checks a password (tens of milliseconds, argon2id) and does its own database work. Back-off per user and address: RATE_LIMITED. */
struct err *iam_authenticate_slow(
	struct iam *iam, struct arena *a, const struct iam_credentials *c, struct actor *actor) MUST_USE;

/* A token or API key on its own, read from the database and not remembered; INVALID_TOKEN. For streams, whose first message may bring it. */
struct err *iam_identify(struct iam *iam, struct db_tx *tx, struct str token, struct actor *actor) MUST_USE;
/*
 * Who an actor that was identified before is by now, in a read transaction: role and permissions may have changed. *valid false, and *now
 * untouched: the session has ended, the person or company was deactivated, the password (of Basic) is another one, the key was revoked
 * or has expired.
 */
struct err *iam_actor_now(
	struct iam *iam, struct db_tx *tx, const struct actor *old, struct actor *now, bool *valid) MUST_USE;

/* Why a login failed, for contracts that tell it apart by status (crm: 500 and 505). */
enum iam_login_fault { IAM_LOGIN_OK, IAM_LOGIN_WRONG, IAM_LOGIN_INACTIVE, IAM_LOGIN_SUSPENDED };

struct iam_tokens {
	struct str access, refresh;
	int64_t expires_in_s;
	struct actor actor; /* who logged in */
};
/*
 * A login with name (username or e-mail) and password; company_id 0: found by the name. Slow: for the slow pool. INVALID_CREDENTIALS with
 * one message for unknown name and wrong password, RATE_LIMITED by back-off; *fault says which for the audit trail and crm.
 */
struct err *iam_login(struct iam *iam, struct arena *a, struct str name, struct str password,
	int64_t company_id, struct str peer, struct iam_tokens *out, enum iam_login_fault *fault) MUST_USE;
/* A new pair for a refresh token, which is used up; presenting a used one ends its whole session (INVALID_TOKEN). */
struct err *iam_refresh(
	struct iam *iam, struct arena *a, struct str refresh, struct iam_tokens *out) MUST_USE;
/* INVALID_TOKEN unless it is a valid access or refresh token of a living session. */
struct err *iam_verify(struct iam *iam, struct arena *a, struct db_tx *tx, struct str token) MUST_USE;
/* Ends the actor's session (logout), inside a write transaction. */
struct err *iam_logout(struct iam *iam, struct res_ctx *c) MUST_USE;
/* To be called in the transaction that changes people, roles, keys or sessions: caches are emptied when it commits. */
void iam_touch(struct iam *iam, struct db_tx *tx);

/* A secret that the server must be able to read again, sealed for storing under the master key. */
struct str iam_seal(const struct iam *iam, struct arena *a, struct str plain);
/* False when it was sealed with another secret file. */
bool iam_unseal(const struct iam *iam, struct arena *a, struct str sealed, struct str *plain) MUST_USE;

/* argon2id hash of a password (slow). */
struct err *iam_password_hash(struct arena *a, struct str password, struct str *out) MUST_USE;

#endif
