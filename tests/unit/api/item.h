/* A resource for the tests of this room: every kind of field that a list grammar treats in its own way. */
#ifndef TEST_API_ITEM_H
#define TEST_API_ITEM_H

#include "api/core.h"

struct item {
	struct res_row row;
	int64_t id, version;
	struct instant created_at, updated_at;
	struct str name;
	int64_t amount;
	int status;
	int64_t team_id;
	struct date due;
};

extern const struct res_def item_res;
extern const struct res_view item_camel_view; /* dueDate, itemName */

#endif
