/*
 * API keys: credentials of programs, with a role and an optional end. The key is shown once; a hash of it is kept. Its text names the
 * company, so that looking it up needs the tenant's index only.
 */
#ifndef IAM_API_KEY_H
#define IAM_API_KEY_H

#include "resource/resource.h"

struct api_key {
	struct res_row row;
	int64_t id;
	int64_t version;
	struct instant created_at, updated_at;
	struct str name;
	struct str prefix; /* its first characters, to tell keys apart */
	struct str key_hash;
	int64_t role_id;
	struct str role;    /* its name */
	int64_t created_by; /* a person; NULL: the server */
	bool active;
	struct instant expires_at; /* NULL: never */
};

#define API_KEY_PREFIX "sxt_"

extern const struct res_def api_key_res;
extern const struct res_view api_key_view;

/* Stores a validated record; *secret gets the key, which cannot be read again. Needs COMPANY_ADMIN. */
struct err *api_key_create(struct res_ctx *c, struct api_key *record, struct str *secret) MUST_USE;
/* The company that a key's text names and its hash; false when it is no key of this server. */
bool api_key_parse(struct arena *a, struct str text, int64_t *company_id, struct str *hash) MUST_USE;

#endif
