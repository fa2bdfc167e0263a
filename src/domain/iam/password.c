/*
 * Passwords: argon2id with 19 MiB and 2 passes (OWASP's first recommendation), and the check behind a login. An unknown name costs the
 * same time as a wrong password, so that names cannot be told apart by a clock.
 */
#include "base/limits.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/iam_sql.h"
#include "domain/iam/person.h"
#include <sodium.h>

#define PASSES	     2
#define MEMORY_BYTES (19u * 1024 * 1024)

/* Of a random text nobody knows, with the same cost. */
static const char unknown_hash[crypto_pwhash_STRBYTES] =
	"$argon2id$v=19$m=19456,t=2,p=1$QUDgdmEgxwG9x/uDlYVO3g$XKGjsUBkMjGsWvoYWAbxrEVDgBbyxnPpYQxGzQQbM2A";

struct err *
iam_password_hash(struct arena *a, struct str password, struct str *out)
{
	char text[crypto_pwhash_STRBYTES];
	if (crypto_pwhash_str_alg(text, password.p ? password.p : "", password.n, PASSES, MEMORY_BYTES,
		    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_private(a, ERR_UNAVAILABLE, "no memory for hashing a password");
	*out = arena_str(a, str_from_cstr(text));
	return NULL;
}

static bool
verify(struct arena *a, struct str hash, struct str password)
{
	const char *text = unknown_hash;
	if (hash.n && hash.n < crypto_pwhash_STRBYTES) {
		char *padded = arena_alloc(a, crypto_pwhash_STRBYTES); /* the library's array has this size */
		memcpy(padded, hash.p, hash.n);
		text = padded;
	}
	bool right = crypto_pwhash_str_verify(text, password.p ? password.p : "", password.n) == 0;
	return right && text != unknown_hash;
}

struct err *
iam_credentials_error(struct arena *a)
{
	return err_word(err_new(a, ERR_INVALID_CREDENTIALS, ""), "INVALID_CREDENTIALS");
}

static struct err *
wait_error(struct arena *a, int64_t seconds)
{
	struct err *e =
		err_new(a, ERR_RATE_LIMITED, "Request was throttled. Expected available in %lld second%s.",
			(long long)seconds, seconds == 1 ? "" : "s");
	e->retry_after_s = seconds;
	return e;
}

struct find_work {
	const struct iam_login_attempt *attempt;
	struct iam_candidate candidate;
};

static struct err *
find_work(struct db_tx *tx, void *arg)
{
	struct find_work *w = arg;
	return iam_candidate_find(tx, w->attempt->name, w->attempt->company_id, &w->candidate);
}

struct err *
iam_check_password(struct iam *iam, struct arena *a, const struct iam_login_attempt *attempt,
	struct iam_candidate *out, enum iam_login_fault *fault)
{
	*fault = IAM_LOGIN_WRONG;
	struct str name = attempt->name, password = attempt->password;
	if (name.n > 4 * LIMIT_NAME_CHARS || password.n > 4 * PERSON_PASSWORD_MAX)
		return iam_credentials_error(a);
	struct str key = person_name_key(a, name);
	struct instant now = iam->clock->now(iam->clock);
	int64_t wait_s = backoff_wait_s(iam->backoff, key, attempt->peer, now);
	if (wait_s)
		return wait_error(a, wait_s);

	struct find_work w = { .attempt = attempt };
	TRY(db_read(iam->db, a, find_work, &w));
	bool right = verify(a, w.candidate.found ? w.candidate.password_hash : (struct str){ 0 }, password);
	if (!right) {
		backoff_failed(iam->backoff, key, attempt->peer, iam->clock->now(iam->clock));
		return iam_credentials_error(a);
	}
	backoff_succeeded(iam->backoff, key, attempt->peer);
	*fault = w.candidate.suspended ? IAM_LOGIN_SUSPENDED
		 : !w.candidate.active ? IAM_LOGIN_INACTIVE
				       : IAM_LOGIN_OK;
	if (*fault != IAM_LOGIN_OK)
		return iam_credentials_error(a);
	*out = w.candidate;
	return NULL;
}

struct str
iam_secret_hash(struct arena *a, struct str secret)
{
	unsigned char h[32];
	crypto_generichash(h, sizeof(h), (const unsigned char *)secret.p, secret.n, NULL, 0);
	char *text = arena_alloc(a, 2 * sizeof(h) + 1);
	sodium_bin2hex(text, 2 * sizeof(h) + 1, h, sizeof(h));
	return (struct str){ text, 2 * sizeof(h) };
}
