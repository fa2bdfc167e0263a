/* The world of world.h. Databases come from the db room's fixture. */
#include "world.h"

#include "base/limits.h"
#include <stdlib.h>

static const char *const tables[] = {
	"CREATE TABLE deal (company_id BIGINT NOT NULL, id BIGINT NOT NULL, version BIGINT NOT NULL, "
	"created_at BIGINT NOT NULL, "
	"updated_at BIGINT NOT NULL, owner_id BIGINT, title TEXT NOT NULL, PRIMARY KEY (company_id, id))",
	"CREATE TABLE thing (company_id BIGINT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, "
	"created_at BIGINT NOT NULL, "
	"updated_at BIGINT NOT NULL, deleted_at BIGINT, name TEXT NOT NULL, note TEXT, count BIGINT NOT "
	"NULL, big BIGINT, "
	"active BIGINT NOT NULL, target TEXT NOT NULL, low TEXT, weight TEXT, price BIGINT, due TEXT, at "
	"BIGINT, status TEXT NOT NULL, "
	"deal BIGINT, parent TEXT, extra TEXT, secret TEXT, code TEXT, code_key TEXT, hidden_text TEXT, "
	"score BIGINT, "
	"PRIMARY KEY (company_id, id), "
	"CONSTRAINT thing_name_key UNIQUE (company_id, name), CONSTRAINT thing_code_key_key UNIQUE "
	"(company_id, code_key), "
	"FOREIGN KEY (company_id, deal) REFERENCES deal (company_id, id))",
	"CREATE INDEX thing_created ON thing (company_id, created_at, id)",
};
static const char *const tables_sqlite[] = { "INSERT INTO sequence (name, next) VALUES ('deal', 1)" };
static const char *const tables_postgres[] = { "CREATE SEQUENCE deal_seq",
	"ALTER TABLE thing ALTER id TYPE TEXT COLLATE \"C\"",
	"ALTER TABLE thing ALTER name TYPE TEXT COLLATE \"C\"",
	"ALTER TABLE thing ALTER note TYPE TEXT COLLATE \"C\"",
	"ALTER TABLE thing ALTER status TYPE TEXT COLLATE \"C\"",
	"ALTER TABLE thing ALTER due TYPE TEXT COLLATE \"C\"" };
static const char *const emptied[] = { "DELETE FROM thing", "DELETE FROM deal", "DELETE FROM event",
	"DELETE FROM search_text", "DELETE FROM id_sequence" };

static struct actor
person(int64_t company, int64_t id, perm_set permissions)
{
	return (struct actor){ .kind = ACTOR_PERSON,
		.company_id = company,
		.person_id = id,
		.username = STR("someone"),
		.permissions = permissions,
		.zone = zone_find(STR("Asia/Kolkata")),
		.currency = STR("GBP") };
}

static void
must_run(struct world *f, const char *const *sql, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fixture_run(&f->base, sql[i]);
}

static int
world_open(void **state, enum db_kind kind)
{
	perm_set all = PERM_BIT(PERM_COUNT) - 1;
	struct world *f = calloc(1, sizeof *f);
	f->base.kind = kind;
	fixture_start(&f->base);
	f->db = f->base.db;
	f->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	must_run(f, tables, COUNT(tables));
	if (kind == DB_SQLITE)
		must_run(f, tables_sqlite, COUNT(tables_sqlite));
	else
		must_run(f, tables_postgres, COUNT(tables_postgres));
	f->admin = person(1, 1, all);
	f->other_company = person(2, 2, all);
	f->ann = person(1, 3, PERM_BIT(PERM_VIEW_ALL) | PERM_BIT(PERM_MANAGE_KPI));
	f->bob = person(1, 4, PERM_BIT(PERM_VIEW_ALL) | PERM_BIT(PERM_MANAGE_KPI));
	f->nobody = person(1, 5, 0);
	f->now = (struct instant){ 1718442000LL * INSTANT_SECOND };
	*state = f;
	return 0;
}

static int
world_sqlite(void **state)
{
	return world_open(state, DB_SQLITE);
}

static int
world_postgres(void **state)
{
	return world_open(state, DB_POSTGRES);
}

static int
world_close(void **state)
{
	struct world *f = *state;
	arena_free(f->a);
	fixture_end(&f->base);
	free(f);
	return 0;
}

int
world_reset(void **state)
{
	struct world *f = *state;
	arena_reset(f->a);
	must_run(f, emptied, COUNT(emptied));
	return 0;
}

int
world_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	int failed = _cmocka_run_group_tests(name, tests, count, world_sqlite, world_close);
	if (fixture_available(DB_POSTGRES))
		failed += _cmocka_run_group_tests(name, tests, count, world_postgres, world_close);
	return failed;
}

struct res_ctx
fx_ctx(struct world *f, const struct actor *actor)
{
	return (struct res_ctx){ .arena = f->a, .actor = actor, .now = f->now, .request_id = STR("req-1") };
}

struct job {
	struct world *f;
	const struct actor *actor;
	fx_work *work;
	void *arg;
};

static struct err *
run_job(struct db_tx *tx, void *arg)
{
	struct job *j = arg;
	struct res_ctx c = fx_ctx(j->f, j->actor);
	c.tx = tx;
	return j->work(&c, j->arg);
}

struct err *
fx_write(struct world *f, const struct actor *actor, fx_work *work, void *arg)
{
	return db_write(f->db, f->a, run_job, &(struct job){ f, actor, work, arg });
}

static struct err *
fx_look(struct world *f, const struct actor *actor, fx_work *work, void *arg)
{
	return db_read(f->db, f->a, run_job, &(struct job){ f, actor, work, arg });
}

struct request {
	const struct res_def *def;
	const struct res_view *view;
	const char *id, *json;
	enum res_mode mode;
	bool strict;
	void *record;
	const struct list_query *q;
	struct res_page *page;
};

static struct err *
parse_body(struct res_ctx *c, const struct request *r)
{
	json_val *body;
	TRY(json_parse(c->arena, str_from_cstr(r->json), &body));
	return res_parse(c, r->def, r->view, body, r->mode, r->strict, r->record);
}

static struct err *
do_create(struct res_ctx *c, void *arg)
{
	struct request *r = arg;
	memset(r->record, 0, r->def->record_size);
	TRY(parse_body(c, r));
	return res_create(c, r->def, r->record);
}

static struct err *
do_store(struct res_ctx *c, void *arg)
{
	struct request *r = arg;
	return res_create(c, r->def, r->record);
}

static struct err *
do_change(struct res_ctx *c, void *arg)
{
	struct request *r = arg;
	void *old = arena_alloc(c->arena, r->def->record_size);
	TRY(res_read_for(c, r->def, RES_UPDATE, str_from_cstr(r->id), old));
	memcpy(r->record, old, r->def->record_size);
	TRY(parse_body(c, r));
	return res_update(c, r->def, old, r->record);
}

static struct err *
do_read(struct res_ctx *c, void *arg)
{
	struct request *r = arg;
	return res_read(c, r->def, str_from_cstr(r->id), r->record);
}

static struct err *
do_delete(struct res_ctx *c, void *arg)
{
	struct request *r = arg;
	return res_delete(c, r->def, str_from_cstr(r->id));
}

static struct err *
do_list(struct res_ctx *c, void *arg)
{
	struct request *r = arg;
	return res_list(c, r->def, r->q, r->page);
}

static struct err *
do_parse(struct res_ctx *c, void *arg)
{
	struct request *r = arg;
	memset(r->record, 0, r->def->record_size);
	return parse_body(c, r);
}

struct err *
fx_create(
	struct world *f, const struct actor *actor, const struct res_def *def, const char *json, void *record)
{
	return fx_write(f, actor, do_create, &(struct request){ .def = def, .json = json, .record = record });
}

struct err *
fx_store(struct world *f, const struct actor *actor, const struct res_def *def, void *record)
{
	return fx_write(f, actor, do_store, &(struct request){ .def = def, .record = record });
}

struct err *
fx_change(struct world *f, const struct actor *actor, const struct res_def *def, const char *id,
	const char *json, enum res_mode mode, void *record)
{
	struct request r = { .def = def, .id = id, .json = json, .mode = mode, .record = record };
	return fx_write(f, actor, do_change, &r);
}

struct err *
fx_read(struct world *f, const struct actor *actor, const struct res_def *def, const char *id, void *record)
{
	return fx_look(f, actor, do_read, &(struct request){ .def = def, .id = id, .record = record });
}

struct err *
fx_delete(struct world *f, const struct actor *actor, const struct res_def *def, const char *id)
{
	return fx_write(f, actor, do_delete, &(struct request){ .def = def, .id = id });
}

struct err *
fx_list(struct world *f, const struct actor *actor, const struct res_def *def, const struct list_query *q,
	struct res_page *out)
{
	return fx_look(f, actor, do_list, &(struct request){ .def = def, .q = q, .page = out });
}

struct err *
fx_parse(struct world *f, const struct res_def *def, const struct res_view *view, const char *json,
	bool strict, void *record)
{
	struct request r = { .def = def, .view = view, .json = json, .strict = strict, .record = record };
	return fx_look(f, &f->admin, do_parse, &r);
}

struct question {
	const char *sql;
	struct str answer;
};

static struct err *
do_ask(struct res_ctx *c, void *arg)
{
	struct question *q = arg;
	struct db_sql sql = db_sql_make("test", str_from_cstr(q->sql), 0);
	struct db_rows rows;
	bool found;
	q->answer = STR("");
	TRY(DB_FIND(c->tx, &sql, &rows, &found));
	if (found && !db_is_null(&rows, 0))
		q->answer = db_text_copy(&rows, 0);
	return NULL;
}

struct str
fx_ask(struct world *f, const char *sql)
{
	struct question q = { .sql = sql };
	assert_fine(fx_look(f, &f->admin, do_ask, &q));
	return q.answer;
}

struct str
fx_json(struct world *f, const struct res_def *def, const struct res_view *view, const void *record)
{
	struct res_ctx c = fx_ctx(f, &f->admin);
	struct buf b;
	struct json_out o;
	buf_init_arena(&b, f->a, LIMIT_ANSWER_BYTES);
	json_out_init(&o, &b);
	res_write(&o, &c, def, view, record);
	return buf_str(&b);
}

const char *
fault_of(struct world *f, const struct err *e, const char *field)
{
	for (const struct err_field *x = e ? e->fields : NULL; x; x = x->next)
		if (str_eq(x->field, str_from_cstr(field)))
			return arena_cstr(f->a, x->message);
	return NULL;
}

size_t
fault_count(const struct err *e)
{
	size_t n = 0;
	for (const struct err_field *x = e ? e->fields : NULL; x; x = x->next)
		n++;
	return n;
}
