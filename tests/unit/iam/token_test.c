/* Tokens made by a library with the server's own key: only the one form that the server makes itself is believed. */
#include "codec/json.h"
#include "world.h"
#include <jwt.h>
#include <stdlib.h>

static struct token_claims
claims_now(const struct world *w, enum token_kind kind)
{
	return (struct token_claims){ .kind = kind,
		.company_id = 3,
		.person_id = 7,
		.session_id = 11,
		.issued = w->clock.fixed,
		.expires = { w->clock.fixed.us + 60 * INSTANT_SECOND },
		.id = kind == TOKEN_REFRESH ? STR("some-id") : (struct str){ NULL, 0 } };
}

static enum token_fault
judge(struct world *w, struct str text)
{
	struct token_claims claims;
	return token_read(w->a, w->iam->keys, text, w->clock.fixed, &claims);
}

static void
a_token_says_what_was_said(void **state)
{
	struct world *w = *state;
	for (enum token_kind kind = TOKEN_ACCESS; kind <= TOKEN_REFRESH; kind++) {
		struct token_claims in = claims_now(w, kind), out;
		struct str text = token_make(w->a, w->iam->keys, &in);
		assert_int_equal(token_read(w->a, w->iam->keys, text, w->clock.fixed, &out), TOKEN_OK);
		assert_int_equal(out.kind, kind);
		assert_int_equal(out.company_id, 3);
		assert_int_equal(out.person_id, 7);
		assert_int_equal(out.session_id, 11);
		assert_int_equal(out.issued.us, in.issued.us);
		assert_int_equal(out.expires.us, in.expires.us);
		assert_true(str_eq(out.id, in.id));
	}
}

static void
it_ends_at_its_second(void **state)
{
	struct world *w = *state;
	struct token_claims claims = claims_now(w, TOKEN_ACCESS);
	struct str text = token_make(w->a, w->iam->keys, &claims);
	world_pass(w, 59);
	assert_int_equal(judge(w, text), TOKEN_OK);
	world_pass(w, 1);
	assert_int_equal(judge(w, text), TOKEN_EXPIRED);
}

static void
every_changed_byte_is_seen(void **state)
{
	struct world *w = *state;
	struct token_claims claims = claims_now(w, TOKEN_ACCESS);
	struct str text = token_make(w->a, w->iam->keys, &claims);
	for (size_t i = 0; i + 1 < text.n; i++) { /* the last character holds bits that mean nothing */
		struct str changed = arena_str(w->a, text);
		char *p = (char *)(uintptr_t)changed.p;
		p[i] = p[i] == 'A' ? 'B' : 'A';
		assert_int_not_equal(judge(w, changed), TOKEN_OK);
	}
	for (size_t n = 0; n < text.n; n++)
		assert_int_not_equal(judge(w, str_sub(text, 0, n)), TOKEN_OK);
	assert_int_not_equal(judge(w, arena_fmt(w->a, "%.*s.x", STR_ARG(text))), TOKEN_OK);
	assert_int_not_equal(judge(w, (struct str){ NULL, 0 }), TOKEN_OK);
}

/* A token by the library, with this server's key where with_key says so. */
struct recipe {
	jwt_alg_t alg;
	const char *kid, *iss, *sub, *typ, *crit;
	long company, session, iat, exp;
};

static struct recipe
good_recipe(const struct world *w, const struct signing_key *key)
{
	long now = (long)(w->clock.fixed.us / INSTANT_SECOND);
	return (struct recipe){ JWT_ALG_HS256, key->kid, "sextant", "7", "access", NULL, 3, 11, now,
		now + 60 };
}

static void
put_text(jwt_t *jwt, int (*put)(jwt_t *, const char *, const char *), const char *name, const char *value)
{
	if (value)
		assert_int_equal(put(jwt, name, value), 0);
}

static struct str
cook(struct world *w, const struct recipe *r, const struct signing_key *key)
{
	jwt_t *jwt = NULL;
	assert_int_equal(jwt_new(&jwt), 0);
	bool none = r->alg == JWT_ALG_NONE;
	assert_int_equal(
		jwt_set_alg(jwt, r->alg, none ? NULL : key->secret, none ? 0 : (int)sizeof(key->secret)), 0);
	put_text(jwt, jwt_add_header, "kid", r->kid);
	put_text(jwt, jwt_add_header, "crit", r->crit);
	put_text(jwt, jwt_add_grant, "iss", r->iss);
	put_text(jwt, jwt_add_grant, "sub", r->sub);
	put_text(jwt, jwt_add_grant, "typ", r->typ);
	assert_int_equal(jwt_add_grant_int(jwt, "company", r->company), 0);
	assert_int_equal(jwt_add_grant_int(jwt, "session", r->session), 0);
	assert_int_equal(jwt_add_grant_int(jwt, "iat", r->iat), 0);
	assert_int_equal(jwt_add_grant_int(jwt, "exp", r->exp), 0);
	char *text = jwt_encode_str(jwt);
	assert_non_null(text);
	struct str out = arena_str(w->a, str_from_cstr(text));
	free(text);
	jwt_free(jwt);
	return out;
}

static void
only_the_one_algorithm_even_with_the_right_key(void **state)
{
	struct world *w = *state;
	struct signing_key key;
	keyring_newest(w->iam->keys, &key);
	struct recipe r = good_recipe(w, &key);
	assert_int_equal(judge(w, cook(w, &r, &key)), TOKEN_OK);
	static const jwt_alg_t others[] = { JWT_ALG_NONE, JWT_ALG_HS384, JWT_ALG_HS512 };
	for (size_t i = 0; i < COUNT(others); i++) {
		r.alg = others[i];
		assert_int_equal(judge(w, cook(w, &r, &key)), TOKEN_MALFORMED);
	}
}

static void
every_claim_is_needed(void **state)
{
	struct world *w = *state;
	struct signing_key key;
	keyring_newest(w->iam->keys, &key);
	const struct recipe good = good_recipe(w, &key);
	struct recipe bad[] = { good, good, good, good, good, good, good, good, good, good, good, good };
	bad[0].kid = NULL;
	bad[1].iss = "another";
	bad[2].iss = NULL;
	bad[3].sub = "x";
	bad[4].sub = NULL;
	bad[5].typ = "id";
	bad[6].typ = NULL;
	bad[7].company = 0;
	bad[8].session = -1;
	bad[9].exp = -1;
	bad[10].exp = INT64_MAX;
	bad[11].crit = "x";
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(judge(w, cook(w, &bad[i], &key)), TOKEN_MALFORMED);
	struct recipe unknown = good;
	unknown.kid = "0123456789abcdef";
	assert_int_equal(judge(w, cook(w, &unknown, &key)), TOKEN_UNKNOWN_KEY);
}

static void
a_token_has_a_greatest_length(void **state)
{
	struct world *w = *state;
	char *text = arena_alloc(w->a, TOKEN_BYTES_MAX + 2);
	memset(text, 'A', TOKEN_BYTES_MAX + 1);
	assert_int_equal(judge(w, (struct str){ text, TOKEN_BYTES_MAX + 1 }), TOKEN_MALFORMED);
	text[10] = '\0';
	assert_int_equal(judge(w, (struct str){ text, 100 }), TOKEN_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_token_says_what_was_said, world_open, world_close),
		cmocka_unit_test_setup_teardown(it_ends_at_its_second, world_open, world_close),
		cmocka_unit_test_setup_teardown(every_changed_byte_is_seen, world_open, world_close),
		cmocka_unit_test_setup_teardown(
			only_the_one_algorithm_even_with_the_right_key, world_open, world_close),
		cmocka_unit_test_setup_teardown(every_claim_is_needed, world_open, world_close),
		cmocka_unit_test_setup_teardown(a_token_has_a_greatest_length, world_open, world_close),
	};
	return world_run("token", tests, COUNT(tests));
}
