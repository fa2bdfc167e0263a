/* Create, read, update, delete: ids, versions, conflicts, events, and that nobody reaches what is not theirs. */
#include "world.h"

#include <pthread.h>

static const char *
thing_body(struct world *f, const char *name)
{
	return arena_fmt(f->a, "{\"name\":\"%s\",\"limits\":{\"target\":10.50}}", name).p;
}

static void
a_record_comes_back_as_it_was_sent(void **state)
{
	struct world *f = *state;
	struct thing made, read;
	struct deal d;
	assert_fine(fx_create(f, &f->admin, &deal_res, "{\"title\":\"d\"}", &d));
	const char *json = arena_fmt(f->a,
		"{\"name\":\"\xC3\x9Cn\xC3\xAF '\\\"\\\\ "
		"%%s;--\",\"note\":\"\\t\xF0\x9F\x98\x80\",\"count\":7,\"big\":-9223372036854775808,"
		"\"active\":false,\"limits\":{\"target\":55000.00,\"deep\":{\"low\":-0.001}},\"weight\":1."
		"500,\"price\":-0.05,"
		"\"due\":\"0001-01-01\",\"at\":\"9999-12-31T23:59:59.999999Z\",\"status\":\"On "
		"Hold\",\"deal\":%lld,\"parent\":null,"
		"\"extra\":{\"a\":[1,2.50,\"\xC3\xA9\"]},\"secret\":\"pw\",\"code\":\"c\"}",
		(long long)d.id)
				   .p;
	assert_fine(fx_create(f, &f->admin, &thing_res, json, &made));
	assert_fine(fx_read(f, &f->admin, &thing_res, "thing-001", &read));
	struct str a = fx_json(f, &thing_res, NULL, &made), b = fx_json(f, &thing_res, NULL, &read);
	assert_str(a, arena_cstr(f->a, b));
	assert_str(b,
		arena_fmt(f->a,
			"{\"id\":\"thing-001\",\"version\":1,\"created_at\":\"2024-06-15T09:00:00Z\","
			"\"updated_at\":\"2024-06-15T09:00:00Z\","
			"\"name\":\"\xC3\x9Cn\xC3\xAF '\\\"\\\\ "
			"%%s;--\",\"note\":\"\\t\xF0\x9F\x98\x80\",\"count\":7,\"big\":-9223372036854775808,"
			"\"active\":false,\"limits\":{\"target\":55000.00,\"deep\":{\"low\":-0.001}},"
			"\"weight\":1.500,\"price\":-0.05,"
			"\"due\":\"0001-01-01\",\"at\":\"9999-12-31T23:59:59.999999Z\",\"status\":\"On "
			"Hold\",\"deal\":%lld,\"parent\":null,"
			"\"extra\":{\"a\":[1,2.50,\"\xC3\xA9\"]},\"code\":\"c\",\"score\":14}",
			(long long)d.id)
			.p);
	assert_str(read.secret, "pw");
}

static void
text_ids_are_made_or_taken(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "first"), &t));
	assert_str(t.id, "thing-001");
	for (int i = 2; i <= 40; i++) {
		const char *json = arena_fmt(
			f->a, "{\"id\":\"thing-%03d\",\"name\":\"own %d\",\"limits\":{\"target\":1}}", i, i)
					   .p;
		assert_fine(fx_create(f, &f->admin, &thing_res, json, &t));
	}
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "second"), &t));
	assert_true(t.id.n >= 9 && str_starts_with(t.id, STR("thing-")));
	assert_fine(fx_read(f, &f->admin, &thing_res, arena_cstr(f->a, t.id), &t));
	assert_str(t.name, "second");
	assert_fine(fx_create(f, &f->other_company, &thing_res, thing_body(f, "first"), &t));
	assert_str(t.id, "thing-001");
	struct err *e = fx_create(f, &f->admin, &thing_res,
		"{\"id\":\"thing-001\",\"name\":\"xx\",\"limits\":{\"target\":1}}", &t);
	assert_code(e, ERR_CONFLICT);
	assert_str(err_code_word(e), "THING_EXISTS");
}

static void
a_taken_name_is_a_conflict_on_the_field(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "same"), &t));
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "other"), &t));
	assert_fine(fx_create(f, &f->other_company, &thing_res, thing_body(f, "same"), &t));
	struct err *e = fx_create(f, &f->admin, &thing_res, thing_body(f, "same"), &t);
	assert_code(e, ERR_CONFLICT);
	assert_str(err_code_word(e), "THING_NAME_EXISTS");
	assert_string_equal(fault_of(f, e, "name"), "Thing with this name already exists.");
	e = fx_change(f, &f->admin, &thing_res, "thing-002", "{\"name\":\"same\"}", RES_MODE_MERGE, &t);
	assert_code(e, ERR_CONFLICT);
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM event WHERE company_id = 1"), "2");
}

static void
a_folded_copy_stands_for_what_people_see(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_create(
		f, &f->admin, &thing_res, "{\"name\":\"ab\",\"limits\":{\"target\":1},\"code\":\"c\"}", &t));
	struct err *e = fx_create(
		f, &f->admin, &thing_res, "{\"name\":\"cd\",\"limits\":{\"target\":1},\"code\":\"c\"}", &t);
	assert_code(e, ERR_CONFLICT);
	assert_str(err_code_word(e), "THING_CODE_EXISTS");
	assert_non_null(fault_of(f, e, "code"));
}

static void
modes_of_change(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_create(f, &f->admin, &thing_res,
		"{\"name\":\"ab\",\"note\":\"n\",\"limits\":{\"target\":5,\"deep\":{\"low\":1}},\"code\":"
		"\"c\"}",
		&t));
	assert_fine(fx_change(f, &f->admin, &thing_res, "thing-001",
		"{\"limits\":{\"target\":6},\"code\":\"d\",\"id\":\"zz\"}", RES_MODE_MERGE, &t));
	assert_int_equal(t.version, 2);
	assert_fine(fx_read(f, &f->admin, &thing_res, "thing-001", &t));
	assert_int_equal(t.target.coef, 6);
	assert_int_equal(t.low.coef, 1);
	assert_str(t.code, "c");
	assert_str(t.note, "n");
	struct err *e =
		fx_change(f, &f->admin, &thing_res, "thing-001", "{\"note\":null}", RES_MODE_REPLACE, &t);
	assert_string_equal(fault_of(f, e, "name"), "This field is required.");
	assert_string_equal(fault_of(f, e, "limits"), "This field is required.");
	assert_fine(fx_change(f, &f->admin, &thing_res, "thing-001",
		"{\"name\":\"cd\",\"limits\":{\"target\":7},\"note\":null}", RES_MODE_REPLACE, &t));
	assert_fine(fx_read(f, &f->admin, &thing_res, "thing-001", &t));
	assert_int_equal(t.low.coef, 1);
	assert_true(res_is_null(&thing_res, &t, "note"));
	assert_int_equal(t.version, 3);
	e = fx_change(f, &f->admin, &thing_res, "thing-001", "{\"limits\":{\"deep\":{\"low\":8}}}",
		RES_MODE_MERGE, &t);
	assert_string_equal(fault_of(f, e, "limits.deep.low"), "Ensure it is not above the target.");
}

static void
nothing_changed_writes_nothing(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "same"), &t));
	f->now.us += INSTANT_SECOND;
	assert_fine(fx_change(
		f, &f->admin, &thing_res, "thing-001", thing_body(f, "same"), RES_MODE_REPLACE, &t));
	assert_int_equal(t.version, 1);
	assert_fine(fx_read(f, &f->admin, &thing_res, "thing-001", &t));
	assert_int_equal(t.version, 1);
	assert_int_equal(t.updated_at.us, t.created_at.us);
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM event"), "1");
	/* Another scale is another value: numbers are shown as they were sent. */
	assert_fine(fx_change(
		f, &f->admin, &thing_res, "thing-001", "{\"limits\":{\"target\":10.5}}", RES_MODE_MERGE, &t));
	assert_int_equal(t.version, 2);
}

struct race {
	struct thing old, record;
};

static struct err *
store_stale(struct res_ctx *c, void *arg)
{
	struct race *r = arg;
	return res_update(c, &thing_res, &r->old, &r->record);
}

static void
a_stale_record_is_refused(void **state)
{
	struct world *f = *state;
	struct race r;
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "one"), &r.old));
	r.record = r.old;
	r.record.count = 99;
	struct thing t;
	assert_fine(fx_change(f, &f->admin, &thing_res, "thing-001", "{\"count\":5}", RES_MODE_MERGE, &t));
	assert_code(fx_write(f, &f->admin, store_stale, &r), ERR_PRECONDITION_FAILED);
	r.old = t;
	assert_code(fx_write(f, &f->other_company, store_stale, &r), ERR_PRECONDITION_FAILED);
	assert_fine(fx_read(f, &f->admin, &thing_res, "thing-001", &t));
	assert_int_equal(t.count, 5);
}

static void
other_companies_find_nothing(void **state)
{
	struct world *f = *state;
	struct thing t;
	struct deal d;
	struct list_query q = { .limit = 10, .with_total = true };
	struct res_page page;
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "mine"), &t));
	assert_fine(fx_create(f, &f->admin, &deal_res, "{\"title\":\"mine\"}", &d));
	const char *deal = arena_fmt(f->a, "%lld", (long long)d.id).p;
	struct err *e = fx_read(f, &f->other_company, &thing_res, "thing-001", &t);
	assert_code(e, ERR_NOT_FOUND);
	assert_str(err_code_word(e), "THING_NOT_FOUND");
	assert_code(
		fx_change(f, &f->other_company, &thing_res, "thing-001", "{\"count\":2}", RES_MODE_MERGE, &t),
		ERR_NOT_FOUND);
	assert_code(fx_delete(f, &f->other_company, &thing_res, "thing-001"), ERR_NOT_FOUND);
	assert_code(fx_read(f, &f->other_company, &deal_res, deal, &d), ERR_NOT_FOUND);
	assert_code(fx_delete(f, &f->other_company, &deal_res, deal), ERR_NOT_FOUND);
	assert_fine(fx_list(f, &f->other_company, &thing_res, &q, &page));
	assert_int_equal(page.count, 0);
	assert_int_equal(page.total, 0);
	q.search = STR("mine");
	assert_fine(fx_list(f, &f->other_company, &thing_res, &q, &page));
	assert_int_equal(page.count, 0);
	assert_fine(fx_list(f, &f->admin, &thing_res, &q, &page));
	assert_int_equal(page.count, 1);
}

static void
other_owners_find_nothing(void **state)
{
	struct world *f = *state;
	struct deal d, read;
	struct list_query q = { .limit = 10, .with_total = true };
	struct res_page page;
	assert_fine(fx_create(f, &f->ann, &deal_res, "{\"title\":\"hers\",\"owner_id\":4}", &d));
	assert_int_equal(d.owner_id, f->ann.person_id);
	const char *id = arena_fmt(f->a, "%lld", (long long)d.id).p;
	assert_fine(fx_read(f, &f->ann, &deal_res, id, &read));
	assert_fine(fx_read(f, &f->admin, &deal_res, id, &read));
	assert_code(fx_read(f, &f->bob, &deal_res, id, &read), ERR_NOT_FOUND);
	assert_code(fx_change(f, &f->bob, &deal_res, id, "{\"title\":\"x\"}", RES_MODE_MERGE, &read),
		ERR_NOT_FOUND);
	assert_code(fx_delete(f, &f->bob, &deal_res, id), ERR_NOT_FOUND);
	assert_fine(fx_list(f, &f->bob, &deal_res, &q, &page));
	assert_int_equal(page.total, 0);
	assert_fine(fx_list(f, &f->ann, &deal_res, &q, &page));
	assert_int_equal(page.total, 1);
}

static void
permission_is_asked_by_every_operation(void **state)
{
	struct world *f = *state;
	struct thing t;
	struct list_query q = { .limit = 10 };
	struct res_page page;
	struct actor anonymous = { .kind = ACTOR_ANONYMOUS, .company_id = 1, .zone = zone_utc() };
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "one"), &t));
	assert_code(fx_read(f, &f->nobody, &thing_res, "thing-001", &t), ERR_INSUFFICIENT_PERMISSIONS);
	assert_code(fx_list(f, &f->nobody, &thing_res, &q, &page), ERR_INSUFFICIENT_PERMISSIONS);
	assert_code(
		fx_create(f, &f->nobody, &thing_res, thing_body(f, "two"), &t), ERR_INSUFFICIENT_PERMISSIONS);
	assert_code(fx_change(f, &f->nobody, &thing_res, "thing-001", "{}", RES_MODE_MERGE, &t),
		ERR_INSUFFICIENT_PERMISSIONS);
	assert_code(fx_delete(f, &f->nobody, &thing_res, "thing-001"), ERR_INSUFFICIENT_PERMISSIONS);
	assert_code(fx_read(f, &anonymous, &thing_res, "thing-001", &t), ERR_UNAUTHENTICATED);
}

static void
an_empty_requirement_is_closed(void **state)
{
	(void)state;
	struct actor admin = { .kind = ACTOR_PERSON, .permissions = ~(perm_set)0 },
		     nobody = { .kind = ACTOR_ANONYMOUS };
	struct actor person = { .kind = ACTOR_PERSON },
		     key = { .kind = ACTOR_API_KEY, .permissions = PERM_BIT(PERM_LEAD_WRITE) };
	assert_false(actor_meets(&admin, 0));
	assert_true(actor_meets(&nobody, PERM_ANYONE));
	assert_false(actor_meets(&nobody, PERM_AUTHENTICATED));
	assert_true(actor_meets(&person, PERM_AUTHENTICATED));
	assert_false(actor_meets(&person, PERM_BIT(PERM_VIEW_ALL)));
	assert_true(actor_meets(&key, PERM_BIT(PERM_LEAD_WRITE) | PERM_BIT(PERM_VIEW_ALL)));
	enum permission p;
	assert_true(permission_find(STR("MANAGE_KPI"), &p));
	assert_int_equal(p, PERM_MANAGE_KPI);
	assert_false(permission_find(STR("MANAGE"), &p));
}

static void
ids_that_no_row_can_have(void **state)
{
	struct world *f = *state;
	struct thing t;
	struct deal d;
	static const char *const ids[] = { "0", "-1", "+1", " 1", "1 ", "1x", "abc", "",
		"99999999999999999999", "9223372036854775808", "1;DROP TABLE deal", "'", "1e3", "0x1",
		"\xC3\xBC" };
	assert_fine(fx_create(f, &f->admin, &deal_res, "{\"title\":\"d\"}", &d));
	for (size_t i = 0; i < COUNT(ids); i++) {
		assert_code(fx_read(f, &f->admin, &deal_res, ids[i], &d), ERR_NOT_FOUND);
		assert_code(fx_read(f, &f->admin, &thing_res, ids[i], &t), ERR_NOT_FOUND);
		assert_code(fx_delete(f, &f->admin, &deal_res, ids[i]), ERR_NOT_FOUND);
	}
}

static void
a_deleted_row_is_gone(void **state)
{
	struct world *f = *state;
	struct thing t;
	struct list_query q = { .limit = 10, .with_total = true };
	struct res_page page;
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "short-lived"), &t));
	assert_fine(fx_delete(f, &f->admin, &thing_res, "thing-001"));
	assert_code(fx_delete(f, &f->admin, &thing_res, "thing-001"), ERR_NOT_FOUND);
	assert_code(fx_read(f, &f->admin, &thing_res, "thing-001", &t), ERR_NOT_FOUND);
	assert_code(
		fx_change(f, &f->admin, &thing_res, "thing-001", "{}", RES_MODE_MERGE, &t), ERR_NOT_FOUND);
	assert_fine(fx_list(f, &f->admin, &thing_res, &q, &page));
	assert_int_equal(page.total, 0);
	struct err *e = fx_create(f, &f->admin, &thing_res,
		"{\"name\":\"child\",\"limits\":{\"target\":1},\"parent\":\"thing-001\"}", &t);
	assert_non_null(fault_of(f, e, "parent"));
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM search_text"), "0");
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM thing WHERE deleted_at IS NOT NULL"), "1");
}

static void
a_row_referred_to_stays(void **state)
{
	struct world *f = *state;
	struct thing t;
	struct deal d;
	assert_fine(fx_create(f, &f->admin, &deal_res, "{\"title\":\"d\"}", &d));
	const char *id = arena_fmt(f->a, "%lld", (long long)d.id).p;
	assert_fine(fx_create(f, &f->admin, &thing_res,
		arena_fmt(f->a, "{\"name\":\"xy\",\"limits\":{\"target\":1},\"deal\":%s}", id).p, &t));
	struct err *e = fx_delete(f, &f->admin, &deal_res, id);
	assert_code(e, ERR_CONFLICT);
	assert_str(err_code_word(e), "REFERENCE_VIOLATION");
	assert_str(e->message, "It can't be deleted, because other objects refer to it.");
	assert_fine(fx_read(f, &f->admin, &deal_res, id, &d));
}

static void
every_change_is_an_event(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_create(f, &f->admin, &thing_res,
		"{\"name\":\"ab\",\"limits\":{\"target\":1},\"secret\":\"pw\"}", &t));
	assert_fine(fx_change(f, &f->admin, &thing_res, "thing-001", "{\"count\":8}", RES_MODE_MERGE, &t));
	assert_fine(fx_delete(f, &f->admin, &thing_res, "thing-001"));
	assert_str(fx_ask(f, "SELECT type FROM event ORDER BY seq LIMIT 1"), "thing.created");
	assert_str(fx_ask(f, "SELECT type FROM event ORDER BY seq LIMIT 1 OFFSET 1"), "thing.updated");
	assert_str(fx_ask(f, "SELECT type FROM event ORDER BY seq DESC LIMIT 1"), "thing.deleted");
	assert_str(fx_ask(f, "SELECT object_id FROM event ORDER BY seq LIMIT 1"), "thing-001");
	assert_str(fx_ask(f, "SELECT actor_name FROM event ORDER BY seq LIMIT 1"), "someone");
	assert_str(fx_ask(f, "SELECT request_id FROM event ORDER BY seq LIMIT 1"), "req-1");
	assert_str(
		fx_ask(f,
			"SELECT COUNT(*) FROM event WHERE new_values LIKE '%pw%' OR old_values LIKE '%pw%'"),
		"0");
	const char *after =
		arena_cstr(f->a, fx_ask(f, "SELECT new_values FROM event WHERE type = 'thing.updated'"));
	const char *before =
		arena_cstr(f->a, fx_ask(f, "SELECT old_values FROM event WHERE type = 'thing.updated'"));
	assert_non_null(strstr(after, "\"count\":8"));
	assert_non_null(strstr(after, "\"version\":2"));
	assert_non_null(strstr(before, "\"count\":1"));
	assert_str(fx_ask(f, "SELECT old_values FROM event WHERE type = 'thing.created'"), "");
	assert_str(fx_ask(f, "SELECT new_values FROM event WHERE type = 'thing.deleted'"), "");
}

static struct err *
create_then_fail(struct res_ctx *c, void *arg)
{
	TRY(res_create(c, &thing_res, arg));
	return err_new(c->arena, ERR_CONFLICT, "No.");
}

static void
a_failed_transaction_leaves_nothing(void **state)
{
	struct world *f = *state;
	struct thing t;
	assert_fine(fx_parse(f, &thing_res, NULL, thing_body(f, "gone"), false, &t));
	assert_code(fx_write(f, &f->admin, create_then_fail, &t), ERR_CONFLICT);
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM thing"), "0");
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM event"), "0");
	assert_str(fx_ask(f, "SELECT COUNT(*) FROM search_text"), "0");
}

struct search_one {
	const char *field;
	struct db_param value;
	bool found;
	struct thing t;
};

static struct err *
find_one(struct res_ctx *c, void *arg)
{
	struct search_one *s = arg;
	return res_find(c, &thing_res, s->field, s->value, &s->t, &s->found);
}

static void
the_server_finds_without_permission_within_the_company(void **state)
{
	struct world *f = *state;
	struct thing t;
	struct search_one s = { .field = "name", .value = P_TEXT(STR("one")) };
	assert_fine(fx_create(f, &f->admin, &thing_res, thing_body(f, "one"), &t));
	assert_fine(fx_write(f, &f->nobody, find_one, &s));
	assert_true(s.found);
	assert_str(s.t.id, "thing-001");
	assert_fine(fx_write(f, &f->other_company, find_one, &s));
	assert_false(s.found);
}

#define WRITERS 4
#define EACH	25

struct writer {
	struct world *f;
	int number, failures;
};

static void *
write_many(void *arg)
{
	struct writer *w = arg;
	for (int i = 0; i < EACH; i++) {
		struct world own = *w->f;
		own.a = arena_new(1 << 20);
		struct thing t;
		const char *json =
			arena_fmt(own.a, "{\"name\":\"w%d-%d\",\"limits\":{\"target\":1}}", w->number, i).p;
		w->failures += fx_create(&own, &own.admin, &thing_res, json, &t) != NULL;
		arena_free(own.a);
	}
	return NULL;
}

static void
made_ids_are_unique_under_concurrency(void **state)
{
	struct world *f = *state;
	pthread_t threads[WRITERS];
	struct writer writers[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ f, i, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(writers[i].failures, 0);
	}
	assert_str(fx_ask(f, "SELECT COUNT(DISTINCT id) FROM thing"), "100");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_record_comes_back_as_it_was_sent, world_reset),
		cmocka_unit_test_setup(text_ids_are_made_or_taken, world_reset),
		cmocka_unit_test_setup(a_taken_name_is_a_conflict_on_the_field, world_reset),
		cmocka_unit_test_setup(a_folded_copy_stands_for_what_people_see, world_reset),
		cmocka_unit_test_setup(modes_of_change, world_reset),
		cmocka_unit_test_setup(nothing_changed_writes_nothing, world_reset),
		cmocka_unit_test_setup(a_stale_record_is_refused, world_reset),
		cmocka_unit_test_setup(other_companies_find_nothing, world_reset),
		cmocka_unit_test_setup(other_owners_find_nothing, world_reset),
		cmocka_unit_test_setup(permission_is_asked_by_every_operation, world_reset),
		cmocka_unit_test_setup(an_empty_requirement_is_closed, world_reset),
		cmocka_unit_test_setup(ids_that_no_row_can_have, world_reset),
		cmocka_unit_test_setup(a_deleted_row_is_gone, world_reset),
		cmocka_unit_test_setup(a_row_referred_to_stays, world_reset),
		cmocka_unit_test_setup(every_change_is_an_event, world_reset),
		cmocka_unit_test_setup(a_failed_transaction_leaves_nothing, world_reset),
		cmocka_unit_test_setup(the_server_finds_without_permission_within_the_company, world_reset),
		cmocka_unit_test_setup(made_ids_are_unique_under_concurrency, world_reset),
	};
	return world_run("store", tests, COUNT(tests));
}
