/*
 * JSON Web Tokens (RFC 7519) as this server makes them: HS256 with a kid, and nothing else is accepted. Pure: keys and time are
 * parameters; whether the session still lives is asked elsewhere.
 */
#ifndef IAM_TOKEN_H
#define IAM_TOKEN_H

#include "base/err.h"
#include "base/time.h"
#include "domain/iam/keyring.h"

#define TOKEN_BYTES_MAX 4096 /* far above any of ours */

enum token_kind { TOKEN_ACCESS, TOKEN_REFRESH };

struct token_claims {
	enum token_kind kind;
	int64_t company_id, person_id, session_id;
	struct instant issued, expires; /* whole seconds */
	struct str id; /* jti: makes each refresh token another one; empty in access tokens */
};

enum token_fault {
	TOKEN_OK,
	TOKEN_MALFORMED, /* no token of ours: syntax, algorithm, claims, signature */
	TOKEN_UNKNOWN_KEY,
	TOKEN_EXPIRED
};

/* Signed with the newest key. */
struct str token_make(struct arena *a, struct keyring *keys, const struct token_claims *claims);
/* *claims is set for TOKEN_OK and TOKEN_EXPIRED; its texts live on the arena. */
enum token_fault token_read(struct arena *a, struct keyring *keys, struct str text, struct instant now,
	struct token_claims *claims) MUST_USE;

#endif
