/*
 * Roles: named sets of permissions. The built-in ones are a table in role.c, so that a release can correct them; their rows in each
 * company carry the ids that people refer to. A company adds its own.
 */
#ifndef IAM_ROLE_H
#define IAM_ROLE_H

#include "resource/resource.h"

struct role {
	struct res_row row;
	int64_t id;
	int64_t version;
	struct instant created_at, updated_at;
	struct str name;
	struct str description;
	struct str permissions; /* JSON array of names */
	bool built_in;
};

extern const struct res_def role_res;

/* Inserts the built-in roles of a company that was just created. */
struct err *role_seed(struct res_ctx *c) MUST_USE;
/* What a role allows: the program's table for built-in ones, the stored list otherwise. Unknown words are ignored. */
perm_set role_permissions(struct arena *a, struct str name, bool built_in, struct str permissions);
/* Permissions that make an administrator of people: only administrators may hand them out. */
bool role_is_administrative(perm_set permissions);
struct err *role_find(struct res_ctx *c, struct str name, struct role *out, bool *found) MUST_USE;
/*
 * Settles a record's pair of role_id and role name, of which a body may give either: the other follows. Faults: unknown role, both
 * given and not of one role, a role that the actor may not hand out (INSUFFICIENT_PERMISSIONS). preset: the name when neither is set.
 */
struct role_choice {
	bool id_given, name_given;
	int64_t id;
	struct str name;
	const char *preset;
};
struct err *role_choose(struct res_ctx *c, const struct role_choice *choice, struct role *out) MUST_USE;

#endif
