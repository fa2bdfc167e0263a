/*
 * A small world for the tests of access: a fresh database of either kind, an open iam with a clock that the test moves, and one company
 * with an administrator (ada) and an employee (emil), whose passwords are PASSWORD.
 */
#ifndef TESTS_IAM_WORLD_H
#define TESTS_IAM_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../db/fixture.h"
#include "domain/iam/iam_internal.h"

#define PASSWORD "long enough"
#define PEER	 STR("192.0.2.1")

struct world {
	struct fixture base;
	struct clock clock;
	struct str secret_file;
	struct iam *iam;
	struct arena *a; /* of one test */
	int64_t company_id, ada_id, emil_id;
};

/* Test setup and teardown: everything above, fresh. The kind is a static of world.c, set by world_run. */
int world_open(void **state);
int world_close(void **state);
/* All tests on each database there is; the sum of failures. */
int world_run(const char *name, const struct CMUnitTest *tests, size_t count);

/* A second node of the same installation. */
struct iam *world_node(struct world *w, struct str secret_file);
void world_pass(struct world *w, int64_t seconds);
struct iam_tokens world_login(struct world *w, const char *name);
/* What a request with this header does: from the caches, then in a read, then slowly. *steps counts them. NULL: accepted. */
struct err *world_authenticate(
	struct world *w, struct iam *iam, struct str header, struct actor *actor, int *steps);
struct str world_bearer(struct world *w, struct str token);
struct str world_basic(struct world *w, const char *name, const char *password);

#define assert_refused(expression, wanted)                                                    \
	do {                                                                                  \
		struct err *refused_ = (expression);                                          \
		if (!refused_ || refused_->code != (wanted))                                  \
			fail_msg("%s: %s", #expression,                                       \
				refused_ ? arena_cstr(w->a, refused_->message) : "accepted"); \
	} while (0)

#endif
