/*
 * Tokens through libjwt. Its decoder takes the algorithm from the token, so the header is read here first and everything but HS256 with
 * a known kid is refused before the library sees it; a public key can never be mistaken for a secret, because none is known.
 */
#include "domain/iam/token.h"

#include "base/random.h"
#include "codec/json.h"
#include <jwt.h>
#include <sodium.h>

#define ISSUER "sextant"

static const char *const kind_names[] = { [TOKEN_ACCESS] = "access", [TOKEN_REFRESH] = "refresh" };

struct str
token_make(struct arena *a, struct keyring *keys, const struct token_claims *claims)
{
	struct signing_key key;
	keyring_newest(keys, &key);
	const char *subject = arena_cstr(a, arena_fmt(a, "%lld", (long long)claims->person_id));
	jwt_t *jwt = NULL;
	int rc = jwt_new(&jwt);
	rc |= jwt_set_alg(jwt, JWT_ALG_HS256, key.secret, sizeof(key.secret));
	rc |= jwt_add_header(jwt, "kid", key.kid);
	rc |= jwt_add_grant(jwt, "iss", ISSUER);
	rc |= jwt_add_grant(jwt, "sub", subject);
	rc |= jwt_add_grant(jwt, "typ", kind_names[claims->kind]);
	rc |= jwt_add_grant_int(jwt, "user_id", claims->person_id);
	rc |= jwt_add_grant_int(jwt, "company", claims->company_id);
	rc |= jwt_add_grant_int(jwt, "session", claims->session_id);
	rc |= jwt_add_grant_int(jwt, "iat", claims->issued.us / INSTANT_SECOND);
	rc |= jwt_add_grant_int(jwt, "exp", claims->expires.us / INSTANT_SECOND);
	if (claims->id.n)
		rc |= jwt_add_grant(jwt, "jti", arena_cstr(a, claims->id));
	char *text = rc == 0 ? jwt_encode_str(jwt) : NULL;
	check(text); /* only memory can have run out */
	struct str out = arena_str(a, str_from_cstr(text));
	free(text);
	jwt_free(jwt);
	secret_wipe(&key, sizeof(key));
	return out;
}

/* The kid of a header that says HS256 and has no extension that must be understood. */
static bool
read_header(struct arena *a, struct str text, struct str *kid)
{
	size_t dot = str_index(text, '.', 0);
	if (dot == text.n || dot == 0)
		return false;
	char *plain = arena_alloc(a, dot);
	size_t n = 0;
	if (sodium_base642bin((unsigned char *)plain, dot, text.p, dot, NULL, &n, NULL,
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return false;
	json_val *header = NULL;
	struct err *e = json_parse(a, (struct str){ plain, n }, &header);
	if (e || json_type_of(header) != JSON_OBJECT)
		return false;
	const json_val *alg = json_get(header, STR("alg"));
	const json_val *key = json_get(header, STR("kid"));
	if (!alg || json_type_of(alg) != JSON_STRING || !str_eq(json_string(alg), STR("HS256")))
		return false;
	if (json_get(header, STR("crit")) || !key || json_type_of(key) != JSON_STRING)
		return false;
	*kid = json_string(key);
	return true;
}

static bool
read_kind(jwt_t *jwt, enum token_kind *out)
{
	const char *name = jwt_get_grant(jwt, "typ");
	for (size_t i = 0; name && i < COUNT(kind_names); i++) {
		if (strcmp(name, kind_names[i]) == 0) {
			*out = (enum token_kind)i;
			return true;
		}
	}
	return false;
}

static bool
read_claims(struct arena *a, jwt_t *jwt, struct token_claims *out)
{
	const char *issuer = jwt_get_grant(jwt, "iss");
	const char *subject = jwt_get_grant(jwt, "sub");
	const char *id = jwt_get_grant(jwt, "jti");
	if (!issuer || strcmp(issuer, ISSUER) != 0 || !subject || !read_kind(jwt, &out->kind))
		return false;
	if (!str_to_int(str_from_cstr(subject), &out->person_id))
		return false;
	out->company_id = jwt_get_grant_int(jwt, "company");
	out->session_id = jwt_get_grant_int(jwt, "session");
	int64_t issued = jwt_get_grant_int(jwt, "iat");
	int64_t expires = jwt_get_grant_int(jwt, "exp");
	int64_t most = INT64_MAX / INSTANT_SECOND;
	if (out->company_id <= 0 || out->session_id <= 0 || issued <= 0 || expires <= 0 || issued > most ||
		expires > most)
		return false;
	out->issued.us = issued * INSTANT_SECOND;
	out->expires.us = expires * INSTANT_SECOND;
	out->id = id ? arena_str(a, str_from_cstr(id)) : (struct str){ NULL, 0 };
	return true;
}

enum token_fault
token_read(struct arena *a, struct keyring *keys, struct str text, struct instant now,
	struct token_claims *claims)
{
	struct str kid;
	if (text.n > TOKEN_BYTES_MAX || memchr(text.p ? text.p : "", 0, text.n) ||
		!read_header(a, text, &kid))
		return TOKEN_MALFORMED;
	struct signing_key key;
	if (!keyring_find(keys, kid, &key))
		return TOKEN_UNKNOWN_KEY;
	jwt_t *jwt = NULL;
	int rc = jwt_decode(&jwt, arena_cstr(a, text), key.secret, sizeof(key.secret));
	secret_wipe(&key, sizeof(key));
	if (rc != 0)
		return TOKEN_MALFORMED;
	struct token_claims read = { 0 };
	bool fine = jwt_get_alg(jwt) == JWT_ALG_HS256 && read_claims(a, jwt, &read);
	jwt_free(jwt);
	if (!fine)
		return TOKEN_MALFORMED;
	*claims = read;
	return now.us < read.expires.us ? TOKEN_OK : TOKEN_EXPIRED;
}
