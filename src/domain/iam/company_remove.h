/* Removing a whole company: for the demo. Not reachable by any request. */
#ifndef IAM_COMPANY_REMOVE_H
#define IAM_COMPANY_REMOVE_H

#include "db/db.h"

/* Every row of every table that belongs to the company, and the company itself. */
struct err *company_remove(struct db_tx *tx, int64_t company_id) MUST_USE;

#endif
