/* The rules of a change to a person: hooks of person_res. Private to the room. */
#ifndef IAM_PERSON_RULES_H
#define IAM_PERSON_RULES_H

#include "domain/iam/person.h"

struct err *person_before_write(struct res_ctx *c, const void *old, void *record) MUST_USE;
struct err *person_after_write(struct res_ctx *c, const void *old, const void *record) MUST_USE;
struct err *person_before_delete(struct res_ctx *c, const void *record) MUST_USE;

#endif
