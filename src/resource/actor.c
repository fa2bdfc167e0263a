/* Permissions by name and the decision whether an actor meets a requirement. Closed by default: an empty requirement is met by nobody. */
#include "resource/actor.h"

const char *const permission_names[PERM_COUNT] = {
#define PERMISSION_NAME(name, doc) #name,
	PERMISSIONS(PERMISSION_NAME)
#undef PERMISSION_NAME
};

const char *const permission_docs[PERM_COUNT] = {
#define PERMISSION_DOC(name, doc) doc,
	PERMISSIONS(PERMISSION_DOC)
#undef PERMISSION_DOC
};

bool
permission_find(struct str name, enum permission *out)
{
	for (int i = 0; i < PERM_COUNT; i++)
		if (str_eq(name, str_from_cstr(permission_names[i]))) {
			*out = (enum permission)i;
			return true;
		}
	return false;
}

bool
actor_meets(const struct actor *a, perm_set requirement)
{
	if (requirement & PERM_ANYONE)
		return true;
	if (requirement == 0 || a->kind == ACTOR_ANONYMOUS)
		return false;
	if (a->kind == ACTOR_SYSTEM || (requirement & PERM_AUTHENTICATED))
		return true;
	return (a->permissions & requirement) != 0;
}
