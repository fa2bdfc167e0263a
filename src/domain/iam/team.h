/* Teams: text ids such as sales_team_1, given or made, and their members. */
#ifndef IAM_TEAM_H
#define IAM_TEAM_H

#include "resource/resource.h"

struct team {
	struct res_row row;
	struct str id;
	int64_t version;
	struct instant created_at, updated_at;
	struct str name;
	struct str description;
	int64_t lead_id; /* a person; NULL without */
};

extern const struct res_def team_res;
extern const struct res_view team_view;

/* Adding a member twice is fine. NOT_FOUND for an unknown team, a field fault for an unknown person. */
struct err *team_member_add(struct res_ctx *c, struct str team_id, int64_t person_id) MUST_USE;
/* NOT_FOUND when the person is no member. */
struct err *team_member_remove(struct res_ctx *c, struct str team_id, int64_t person_id) MUST_USE;
struct team_member {
	int64_t person_id;
	struct str username, employee_id, first_name, last_name;
};
struct err *team_members(
	struct res_ctx *c, struct str team_id, struct team_member **out, size_t *count) MUST_USE;
/* Ids of a person's teams, ascending. */
struct err *team_ids_of(struct res_ctx *c, int64_t person_id, struct str **out, size_t *count) MUST_USE;

#endif
