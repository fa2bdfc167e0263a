/* Actions: suggestions that were accepted, with an owner and a date. */
#include "domain/campaign/campaign_parts.h"
#include "domain/campaign/retrospective_sql.h"
#include "domain/notice/notice.h"

const char *const action_status_names[] = { "Open", "In Progress", "Done", "Dismissed", NULL };

#define RES_RECORD struct retro_action
static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "Id.", .example = "1"),
	F(retrospective_id, INT, .flags = RF_SERVER | RF_FILTER,
		.doc = "The retrospective in which it stands now.", .example = "456"),
	F(first_retrospective_id, INT, .flags = RF_SERVER | RF_FILTER,
		.doc = "The one in which it was accepted.", .example = "456"),
	F(insight_id, INT, .flags = RF_NULL | RF_CREATE_ONLY | RF_FILTER,
		.doc = "The insight whose suggestion it is.", .example = "1"),
	F(title, TEXT, .flags = RF_SORT, .max = 4000,
		.doc = "What is to be done; the insight's suggestion when not given.",
		.example = "\"Pause Creative A\""),
	F(owner_id, INT, .flags = RF_NULL | RF_FILTER, .doc = "The person who does it.", .example = "1"),
	F(due_date, DATE, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "Until when.",
		.example = "\"2024-06-30\""),
	F(status, ENUM, .flags = RF_FILTER | RF_SORT, .names = action_status_names, .preset = "Open",
		.doc = "Open and In Progress ones are carried over to the next retrospective.",
		.example = "\"Open\""),
	F(carried, INT, .flags = RF_SERVER, .doc = "How often it was carried over.", .example = "0"),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was accepted.",
		.example = "\"2024-06-15T10:30:00Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was last changed.",
		.example = "\"2024-06-15T10:30:00Z\""),
};

const struct res_def retro_action_res = {
	.name = "retro_action",
	.title = "Action",
	.table = "retro_action",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct retro_action),
	.scope = SCOPE_CUSTOM,
	.perm = {
		[RES_LIST] = PERM_AUTHENTICATED,
		[RES_READ] = PERM_AUTHENTICATED,
		[RES_CREATE] = CAMPAIGN_WRITERS,
		[RES_UPDATE] = PERM_AUTHENTICATED, /* writers and the owner; the rules of a change decide */
	},
	.default_sort = "id",
	.not_found = "ACTION_NOT_FOUND",
	.doc = "A suggestion that was accepted: who does it until when.",
	.hooks = { .scope = retro_action_scope },
};

struct err *
retro_action_require(struct res_ctx *c, struct str id, enum res_op op, struct retro_action *out)
{
	return campaign_named(c, res_read_for(c, &retro_action_res, op, id, out), &retro_action_res, id);
}

static bool
has(const struct retro_action *x, const char *field)
{
	return !res_is_null(&retro_action_res, x, field);
}

static void
put(struct retro_action *x, const char *field)
{
	res_set_null(&retro_action_res, x, field, false);
}

/* ---- accepting ---- */

static struct err *
insight_of(struct res_ctx *c, const struct retrospective *r, int64_t id, struct insight *out)
{
	bool found;

	TRY(res_find(c, &insight_res, "id", P_INT(id), out, &found));
	if (found && out->retrospective_task_id == r->id)
		return NULL;
	return err_field(
		c->arena, "insight_id", "Invalid pk \"%lld\" - object does not exist.", (long long)id);
}

/* The suggestion becomes the title; the same one is accepted once. */
static struct err *
take_suggestion(struct res_ctx *c, const struct retrospective *r, struct retro_action *x)
{
	struct insight i = { 0 };
	struct db_rows rows;
	bool found;

	TRY(insight_of(c, r, x->insight_id, &i));
	if (str_is_empty(x->title))
		x->title = str_is_empty(i.action_suggestion) ? i.summary : i.action_suggestion;
	TRY(DB_FIND(c->tx, &sql_retro_action_of_insight, &rows, &found, P_INT(c->actor->company_id),
		P_INT(x->insight_id), P_TEXT(x->title)));
	if (!found)
		return NULL;
	return err_word(
		err_new(c->arena, ERR_CONFLICT, "This suggestion was accepted already."), "ACTION_EXISTS");
}

static struct err *
check_owner(struct res_ctx *c, const struct retro_action *x)
{
	bool exists;

	if (!has(x, "owner_id"))
		return NULL;
	TRY(campaign_person_exists(c, x->owner_id, &exists));
	if (exists)
		return NULL;
	return err_field(
		c->arena, "owner_id", "Invalid pk \"%lld\" - object does not exist.", (long long)x->owner_id);
}

/* Who is to do it hears of it, unless they said so themselves. */
static struct err *
tell_owner(struct res_ctx *c, const char *type, const struct retro_action *x)
{
	struct json_out o;
	struct buf b, due;

	if (!has(x, "owner_id") || x->owner_id == c->actor->person_id)
		return NULL;
	buf_init_arena(&b, c->arena, LIMIT_TEXT_BYTES);
	buf_init_arena(&due, c->arena, 16);
	if (has(x, "due_date"))
		date_write(&due, x->due_date);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "title", x->title);
	json_pair_int(&o, "owner_id", x->owner_id);
	json_pair_str(&o, "due_date", buf_str(&due));
	json_pair_int(&o, "retrospective_id", x->retrospective_id);
	json_pair_str(&o, "from", c->actor->username);
	json_end_object(&o);
	const struct notice notice = { type, arena_fmt(c->arena, "%lld", (long long)x->id), buf_str(&b) };
	return notice_put(c, &notice);
}

struct err *
retro_action_add(struct res_ctx *c, const struct retrospective *r, struct retro_action *x)
{
	if (r->status == RETRO_CANCELLED)
		return err_word(
			err_new(c->arena, ERR_CONFLICT, "A cancelled retrospective takes no actions."),
			"RETROSPECTIVE_CLOSED");
	if (has(x, "insight_id"))
		TRY(take_suggestion(c, r, x));
	else if (str_is_empty(x->title))
		return err_field(c->arena, "title", "This field is required.");
	if (!has(x, "owner_id") && !res_is_given(&retro_action_res, x, "owner_id") && c->actor->person_id) {
		x->owner_id = c->actor->person_id;
		put(x, "owner_id");
	}
	TRY(check_owner(c, x));
	x->retrospective_id = r->id;
	x->first_retrospective_id = r->id;
	TRY(res_create(c, &retro_action_res, x));
	return tell_owner(c, "retro_action.created", x);
}

/* ---- changing ---- */

/* Whether anything but the status differs. */
static bool
is_rewritten(const struct retro_action *a, const struct retro_action *b)
{
	return !str_eq(a->title, b->title) || a->owner_id != b->owner_id ||
	       has(a, "owner_id") != has(b, "owner_id") || a->due_date.days != b->due_date.days ||
	       has(a, "due_date") != has(b, "due_date");
}

struct err *
retro_action_change(struct res_ctx *c, const struct retro_action *old, struct retro_action *x)
{
	bool is_writer = c->actor->kind == ACTOR_SYSTEM || (c->actor->permissions & CAMPAIGN_WRITERS);
	bool is_own =
		has(old, "owner_id") && old->owner_id == c->actor->person_id && c->actor->person_id != 0;

	if (!is_writer && (!is_own || is_rewritten(old, x)))
		return err_new(c->arena, ERR_INSUFFICIENT_PERMISSIONS,
			"User does not have permission to change this action.");
	if (old->owner_id == x->owner_id)
		return res_update(c, &retro_action_res, old, x);
	TRY(check_owner(c, x));
	TRY(res_update(c, &retro_action_res, old, x));
	return tell_owner(c, "retro_action.updated", x);
}

/* ---- reminding ---- */

static struct err *
remind(struct res_ctx *c, int64_t id)
{
	struct retro_action x = { 0 };

	TRY(res_read_for(c, &retro_action_res, RES_UPDATE, arena_fmt(c->arena, "%lld", (long long)id), &x));
	TRY(DB_EXEC(c->tx, &sql_retro_action_reminded, P_INT(c->actor->company_id), P_INT(id)));
	TRY(campaign_event(
		c, "retro_action.due", &retro_action_res, id, campaign_json(c, &retro_action_res, &x)));
	return tell_owner(c, "retro_action.due", &x);
}

struct err *
retro_actions_remind(struct res_ctx *c, size_t max, size_t *count)
{
	int64_t *ids = arena_alloc(c->arena, max * sizeof(*ids));
	struct db_rows rows;
	struct buf day;
	size_t n = 0;
	bool row;

	buf_init_arena(&day, c->arena, 16);
	date_write(&day, zone_date(c->actor->zone, c->now));
	TRY(DB_QUERY(c->tx, &sql_retro_actions_due, &rows, P_INT(c->actor->company_id), P_TEXT(buf_str(&day)),
		P_INT(max)));
	for (;; n++) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		ids[n] = db_int(&rows, 0);
	}
	for (size_t i = 0; i < n; i++)
		TRY(remind(c, ids[i]));
	*count = n;
	return NULL;
}

/* ---- carrying over ---- */

#define IDS_STEP 32

static struct err *
ids_left(struct res_ctx *c, const struct retrospective *r, int64_t **out, size_t *count)
{
	struct db_rows rows;
	int64_t *ids = NULL;
	size_t n = 0, cap = 0;

	TRY(DB_QUERY(c->tx, &sql_retro_actions_left, &rows, P_INT(c->actor->company_id), P_INT(r->id),
		res_is_null(&retrospective_res, r, "team_id") ? P_NULL : P_INT(r->team_id),
		res_is_null(&retrospective_res, r, "created_by") ? P_NULL : P_INT(r->created_by)));
	for (bool row;; n++) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		if (n == cap) {
			ids = arena_grow(
				c->arena, ids, cap * sizeof *ids, (cap * 2 + IDS_STEP) * sizeof *ids);
			cap = cap * 2 + IDS_STEP;
		}
		ids[n] = db_int(&rows, 0);
	}
	*out = ids;
	*count = n;
	return NULL;
}

struct err *
retro_actions_carry(struct res_ctx *c, const struct retrospective *r)
{
	int64_t *ids;
	size_t n;

	TRY(ids_left(c, r, &ids, &n));
	for (size_t i = 0; i < n; i++) {
		struct retro_action old = { 0 }, x;
		TRY(res_read_for(c, &retro_action_res, RES_UPDATE,
			arena_fmt(c->arena, "%lld", (long long)ids[i]), &old));
		if (old.status != ACTION_OPEN && old.status != ACTION_IN_PROGRESS)
			continue; /* done in this moment */
		x = old;
		x.retrospective_id = r->id;
		x.carried++;
		TRY(res_update(c, &retro_action_res, &old, &x));
		TRY(campaign_event(c, "retro_action.carried_over", &retro_action_res, x.id,
			campaign_json(c, &retro_action_res, &x)));
	}
	return NULL;
}
