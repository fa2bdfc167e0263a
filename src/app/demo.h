/*
 * The demo company: made of the files in demo/, which the binary carries. Loaded by `serve --demo` when no company exists, removed by
 * `sextant demo remove`.
 */
#ifndef APP_DEMO_H
#define APP_DEMO_H

#include "db/db.h"

/* shift: values and targets move so that the last value is of today. *loaded false: there is a company already. Slow (passwords). */
struct err *demo_load(
	struct db *db, struct arena *a, const struct clock *clock, bool shift, bool *loaded) MUST_USE;
/* NOT_FOUND when there is no demo company. */
struct err *demo_remove(struct db *db, struct arena *a) MUST_USE;

#endif
