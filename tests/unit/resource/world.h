/*
 * A small world for the engine's tests: two companies, a resource with a field of every kind (thing) and one with owners (deal), on a
 * fresh database of either kind. Work runs on the database's threads, so each call does one operation and the test asserts afterwards.
 */
#ifndef TESTS_RESOURCE_WORLD_H
#define TESTS_RESOURCE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../db/fixture.h"
#include "resource/res_sql.h"
#include "resource/resource.h"

struct thing {
	struct res_row row;
	struct str id;
	int64_t version;
	struct instant created_at, updated_at;
	struct str name, note;
	int64_t count, big;
	bool active;
	struct decimal target, low, weight;
	struct money price;
	struct date due;
	struct instant at;
	int status;
	int64_t deal;
	struct str parent, extra, secret, code, code_key, hidden_text;
	int64_t score;
};
extern const struct res_def thing_res;
extern const char *const thing_statuses[];

struct deal {
	struct res_row row;
	int64_t id, version, owner_id;
	struct str title;
};
extern const struct res_def deal_res;

struct world {
	struct db *db;
	struct arena *a; /* of one test */
	struct instant now;
	struct actor admin, other_company, ann, bob, nobody; /* ann and bob see only their own deals */
	struct fixture base; /* of the db room: creates and removes the database */
};

/* Test setup: empty tables, fresh arena. */
int world_reset(void **state);
/* Runs all tests on both databases; the sum of failures. */
int world_run(const char *name, const struct CMUnitTest *tests, size_t count);

/* One operation each, in a transaction of its own. */
typedef struct err *fx_work(struct res_ctx *c, void *arg);
struct err *fx_write(struct world *f, const struct actor *actor, fx_work *work, void *arg) MUST_USE;
struct err *fx_create(struct world *f, const struct actor *actor, const struct res_def *def, const char *json,
	void *record) MUST_USE;
struct err *fx_store(
	struct world *f, const struct actor *actor, const struct res_def *def, void *record) MUST_USE;
struct err *fx_change(struct world *f, const struct actor *actor, const struct res_def *def, const char *id,
	const char *json, enum res_mode mode, void *record) MUST_USE;
struct err *fx_read(struct world *f, const struct actor *actor, const struct res_def *def, const char *id,
	void *record) MUST_USE;
struct err *fx_delete(
	struct world *f, const struct actor *actor, const struct res_def *def, const char *id) MUST_USE;
struct err *fx_list(struct world *f, const struct actor *actor, const struct res_def *def,
	const struct list_query *q, struct res_page *out) MUST_USE;
/* Only parses a create; strict as asked. */
struct err *fx_parse(struct world *f, const struct res_def *def, const struct res_view *view,
	const char *json, bool strict, void *record) MUST_USE;
/* First column of the first row as text; "" when there is none. */
struct str fx_ask(struct world *f, const char *sql);

struct res_ctx fx_ctx(struct world *f, const struct actor *actor);
struct str fx_json(
	struct world *f, const struct res_def *def, const struct res_view *view, const void *record);

/* The message of a field's fault; NULL when there is none. */
const char *fault_of(struct world *f, const struct err *e, const char *field);
size_t fault_count(const struct err *e);

#define assert_fine(expression)                                                                           \
	do {                                                                                              \
		struct err *fine_ = (expression);                                                         \
		if (fine_)                                                                                \
			fail_msg("%s:%d: %.*s / %.*s", fine_->file, fine_->line, STR_ARG(fine_->message), \
				STR_ARG(fine_->detail));                                                  \
	} while (0)
#define assert_code(expression, wanted)                                                                     \
	do {                                                                                                \
		struct err *code_ = (expression);                                                           \
		if (!code_ || code_->code != (wanted))                                                      \
			fail_msg("%s: %s", #expression, code_ ? arena_cstr(f->a, code_->message) : "fine"); \
	} while (0)
#define assert_str(s, text) assert_string_equal(arena_cstr(f->a, (s)), (text))

#endif
