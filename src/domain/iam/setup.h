/*
 * The first company and its administrator: made by the set-up page with a one-time token, by `user add`, or by the demo. All three go
 * through account_add, whose first administrator also manages the installation.
 */
#ifndef IAM_SETUP_H
#define IAM_SETUP_H

#include "domain/iam/auth.h"

struct account {
	struct str company;		/* found by name, or made */
	struct str time_zone, currency; /* of a new company; empty: the presets */
	struct str username, password, email;
	struct str role; /* name; empty: EMPLOYEE */
};
/* Checks what a person of the table must fulfil; INVALID_INPUT with a fault a field. Slow (it hashes the password). */
struct err *account_add(struct db *db, struct arena *a, const struct clock *clock,
	const struct account *account, int64_t *company_id, int64_t *person_id) MUST_USE;

/* A one-time token when nobody exists yet, otherwise empty. */
struct err *iam_setup_token(struct iam *iam, struct arena *a, struct str *out) MUST_USE;
/* Whether the token is the one given out and nobody exists yet. */
bool iam_setup_is_open(struct iam *iam, struct arena *a, struct db_tx *tx, struct str token);
/* account_add as ADMIN with the token, once: NOT_FOUND when it is wrong or somebody exists. Slow. */
struct err *iam_setup_finish(
	struct iam *iam, struct arena *a, struct str token, const struct account *account) MUST_USE;

#endif
