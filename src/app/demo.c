/*
 * Loads the demo company from the embedded files, through the same tables and checks that a request goes through. Everything is one
 * transaction, so that a start that is interrupted leaves nothing behind.
 */
#include "app/demo.h"

#include "app/csv_table.h"
#include "app/demo_kpi.h"
#include "base/asset.h"
#include "base/limits.h"
#include "domain/iam/auth.h"
#include "domain/iam/company.h"
#include "domain/iam/company_remove.h"
#include "domain/iam/person.h"
#include "domain/iam/team.h"

struct demo {
	const struct clock *clock;
	bool shift;
	struct csv_table company, people, teams;
	struct str *hashes; /* of the people's passwords; empty: no login */
	bool loaded;
};

/* ---- files ---- */

static struct err *
read_file(struct arena *a, const char *name, struct csv_table *out)
{
	const struct asset *asset = asset_find(&demo_assets, str_from_cstr(name));
	check(asset);
	return csv_table_read(a, asset->bytes, out);
}

static struct err *
cell(struct arena *a, const struct csv_table *t, size_t row, const char *name, struct str *out)
{
	size_t column = 0;
	TRY(csv_table_column(a, t, name, &column));
	*out = csv_table_cell(t, row, column);
	return NULL;
}

static bool
is_one_of(struct str name, const char *const *list)
{
	for (size_t i = 0; list[i]; i++)
		if (str_eq(name, str_from_cstr(list[i])))
			return true;
	return false;
}

/* A row's filled cells as a body, but those that name other rows. */
static struct err *
body_of(struct arena *a, const struct csv_table *t, size_t row, const char *const *but, json_val **out)
{
	struct buf b;
	struct json_out o;
	buf_init_arena(&b, a, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	for (size_t i = 0; i < t->columns; i++) {
		struct str value = csv_table_cell(t, row, i);
		if (value.n == 0 || is_one_of(t->names[i], but))
			continue;
		json_key(&o, t->names[i]);
		json_put_str(&o, value);
	}
	json_end_object(&o);
	return json_parse(a, buf_str(&b), out);
}

/* ---- company, people, teams ---- */

static struct err *
add_company(struct res_ctx *c, const struct demo *d, struct actor *actor)
{
	static const char *const none[] = { NULL };
	struct company company = { 0 };
	json_val *body = NULL;
	TRY(body_of(c->arena, &d->company, 0, none, &body));
	TRY(res_parse(c, &company_res, NULL, body, RES_MODE_CREATE, true, &company));
	TRY(company_create(c, &company));
	*actor = iam_system_actor(company.id);
	actor->zone = zone_find(company.time_zone);
	actor->currency = company.currency;
	check(actor->zone);
	return NULL;
}

static struct err *
find_employee(struct res_ctx *c, struct str employee_id, int64_t *id)
{
	struct person person;
	bool found = false;
	TRY(person_find_employee(c, employee_id, &person, &found));
	if (!found)
		return err_new(c->arena, ERR_INTERNAL, "the demo files name an unknown employee %.*s",
			STR_ARG(employee_id));
	*id = person.id;
	return NULL;
}

static struct err *
add_person(struct res_ctx *c, const struct demo *d, size_t row)
{
	static const char *const but[] = { "password", "supervisor", "team", NULL };
	struct person person = { 0 };
	struct str supervisor;
	json_val *body = NULL;
	TRY(cell(c->arena, &d->people, row, "supervisor", &supervisor));
	TRY(body_of(c->arena, &d->people, row, but, &body));
	TRY(res_parse(c, &person_res, NULL, body, RES_MODE_CREATE, true, &person));
	person.password = d->hashes[row];
	if (supervisor.n) {
		TRY(find_employee(c, supervisor, &person.supervisor_id));
		res_set_null(&person_res, &person, "supervisor_id", false);
	}
	return res_create(c, &person_res, &person);
}

static struct err *
add_team(struct res_ctx *c, const struct demo *d, size_t row)
{
	static const char *const but[] = { "lead", NULL };
	struct team team = { 0 };
	struct str lead;
	json_val *body = NULL;
	TRY(cell(c->arena, &d->teams, row, "lead", &lead));
	TRY(body_of(c->arena, &d->teams, row, but, &body));
	TRY(res_parse(c, &team_res, NULL, body, RES_MODE_CREATE, true, &team));
	if (lead.n) {
		TRY(find_employee(c, lead, &team.lead_id));
		res_set_null(&team_res, &team, "lead_id", false);
	}
	return res_create(c, &team_res, &team);
}

static struct err *
join_team(struct res_ctx *c, const struct demo *d, size_t row)
{
	struct str team, employee;
	int64_t id = 0;
	TRY(cell(c->arena, &d->people, row, "team", &team));
	TRY(cell(c->arena, &d->people, row, "employee_id", &employee));
	if (team.n == 0)
		return NULL;
	TRY(find_employee(c, employee, &id));
	return team_member_add(c, team, id);
}

static struct err *
load_work(struct db_tx *tx, void *arg)
{
	struct demo *d = arg;
	struct actor actor = iam_system_actor(0);
	struct res_ctx c = {
		.arena = db_tx_arena(tx), .tx = tx, .actor = &actor, .now = d->clock->now(d->clock)
	};
	int64_t companies = 0, people = 0;
	d->loaded = false;
	TRY(company_count(tx, &companies, &people));
	if (companies > 0)
		return NULL;
	TRY(add_company(&c, d, &actor));
	for (size_t i = 0; i < d->people.rows; i++)
		TRY(add_person(&c, d, i));
	for (size_t i = 0; i < d->teams.rows; i++)
		TRY(add_team(&c, d, i));
	for (size_t i = 0; i < d->people.rows; i++)
		TRY(join_team(&c, d, i));
	TRY(demo_kpis_load(&c, d->shift));
	d->loaded = true;
	return NULL;
}

/* ---- the whole ---- */

static struct err *
hash_passwords(struct arena *a, struct demo *d)
{
	d->hashes = arena_alloc_array(a, d->people.rows, sizeof(*d->hashes));
	for (size_t i = 0; i < d->people.rows; i++) {
		struct str password;
		TRY(cell(a, &d->people, i, "password", &password));
		if (password.n)
			TRY(iam_password_hash(a, password, &d->hashes[i]));
	}
	return NULL;
}

struct counts {
	int64_t companies, people;
};

static struct err *
count_work(struct db_tx *tx, void *arg)
{
	struct counts *n = arg;
	return company_count(tx, &n->companies, &n->people);
}

struct err *
demo_load(struct db *db, struct arena *a, const struct clock *clock, bool shift, bool *loaded)
{
	struct demo d = { .clock = clock, .shift = shift };
	struct counts n = { 0 };
	*loaded = false;
	TRY(db_read(db, a, count_work, &n));
	if (n.companies > 0)
		return NULL;
	TRY(read_file(a, "company.csv", &d.company));
	TRY(read_file(a, "people.csv", &d.people));
	TRY(read_file(a, "teams.csv", &d.teams));
	TRY(hash_passwords(a, &d));
	TRY(db_write(db, a, load_work, &d));
	*loaded = d.loaded;
	return NULL;
}

static struct err *
remove_work(struct db_tx *tx, void *arg)
{
	const struct csv_table *company = arg;
	struct str name;
	int64_t id = 0;
	bool found = false;
	TRY(cell(db_tx_arena(tx), company, 0, "name", &name));
	TRY(company_find(tx, name, &id, &found));
	if (!found)
		return err_new(db_tx_arena(tx), ERR_NOT_FOUND, "There is no demo company.");
	return company_remove(tx, id);
}

struct err *
demo_remove(struct db *db, struct arena *a)
{
	struct csv_table company;
	TRY(read_file(a, "company.csv", &company));
	return db_write(db, a, remove_work, &company);
}
