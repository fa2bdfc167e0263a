/* Sessions on both databases: what is remembered, what takes access away and from when, rotation of refresh tokens and of keys. */
#include "base/limits.h"
#include "domain/iam/company.h"
#include "domain/iam/person.h"
#include "world.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
remembers(const struct world *w)
{
	return w->base.kind == DB_SQLITE;
}

static void
a_token_is_remembered_on_one_node_only(void **state)
{
	struct world *w = *state;
	struct iam_tokens t = world_login(w, "ada");
	struct str header = world_bearer(w, t.access);
	struct actor actor;
	int steps = 0;
	fixture_ok(world_authenticate(w, w->iam, header, &actor, &steps));
	assert_int_equal(steps, 2);
	fixture_ok(world_authenticate(w, w->iam, header, &actor, &steps));
	assert_int_equal(steps, remembers(w) ? 1 : 2);
	assert_int_equal(actor.person_id, w->ada_id);
	assert_int_equal(actor.company_id, w->company_id);
	assert_true(str_eq(actor.role, STR("ADMIN")));
	assert_true(actor_may(&actor, PERM_PLATFORM_ADMIN));
	world_pass(w, LIMIT_ACCESS_TOKEN_S);
	assert_refused(world_authenticate(w, w->iam, header, &actor, NULL), ERR_INVALID_TOKEN);
}

struct change {
	struct world *w;
	struct actor actor;
	int64_t person_id;
	const char *role;
	bool deactivate, delete, logout;
};

static struct err *
change_work(struct db_tx *tx, void *arg)
{
	struct change *ch = arg;
	struct res_ctx c = {
		.arena = db_tx_arena(tx), .tx = tx, .actor = &ch->actor, .now = ch->w->clock.fixed
	};
	struct str id = arena_fmt(c.arena, "%lld", (long long)ch->person_id);
	struct person old, p;
	if (ch->logout)
		return iam_logout(ch->w->iam, &c);
	if (ch->delete)
		return person_remove(&c, id);
	if (ch->deactivate)
		return person_deactivate(&c, id, &p);
	TRY(res_read_for(&c, &person_res, RES_UPDATE, id, &old));
	p = old;
	p.role = str_from_cstr(ch->role);
	p.row.given = (uint64_t)1 << res_field_index(&person_res, "role");
	return res_update(&c, &person_res, &old, &p);
}

static struct change
by_system(struct world *w, int64_t person_id)
{
	return (struct change){ .w = w, .actor = iam_system_actor(w->company_id), .person_id = person_id };
}

static void
what_takes_access_away_does_so_at_once(void **state)
{
	struct world *w = *state;
	struct str basic = world_basic(w, "emil", PASSWORD);
	struct actor actor;
	int steps = 0;
	struct iam_tokens t = world_login(w, "emil");
	fixture_ok(world_authenticate(w, w->iam, world_bearer(w, t.access), &actor, NULL));
	struct change logout = { .w = w, .actor = actor, .logout = true };
	fixture_ok(db_write(w->base.db, w->a, change_work, &logout));
	assert_refused(
		world_authenticate(w, w->iam, world_bearer(w, t.access), &actor, NULL), ERR_INVALID_TOKEN);

	fixture_ok(world_authenticate(w, w->iam, basic, &actor, &steps));
	assert_int_equal(steps, 3);
	fixture_ok(world_authenticate(w, w->iam, basic, &actor, &steps));
	assert_int_equal(steps, remembers(w) ? 1 : 2);
	assert_false(actor_may(&actor, PERM_VIEW_ALL));

	struct change role = by_system(w, w->emil_id);
	role.role = "ANALYST";
	fixture_ok(db_write(w->base.db, w->a, change_work, &role));
	fixture_ok(world_authenticate(w, w->iam, basic, &actor, &steps));
	assert_int_equal(steps, 2); /* the password is not checked anew, the person is read anew */
	assert_true(actor_may(&actor, PERM_VIEW_ALL));

	struct change gone = by_system(w, w->emil_id);
	gone.deactivate = true;
	fixture_ok(db_write(w->base.db, w->a, change_work, &gone));
	assert_refused(world_authenticate(w, w->iam, basic, &actor, NULL), ERR_INVALID_CREDENTIALS);
}

static void
a_remembered_password_is_checked_again_in_time(void **state)
{
	struct world *w = *state;
	struct str basic = world_basic(w, "ada", PASSWORD);
	struct actor actor;
	int steps = 0;
	fixture_ok(world_authenticate(w, w->iam, basic, &actor, &steps));
	world_pass(w, LIMIT_BASIC_CACHE_S - 1);
	fixture_ok(world_authenticate(w, w->iam, basic, &actor, &steps));
	assert_true(steps < 3);
	world_pass(w, 1);
	fixture_ok(world_authenticate(w, w->iam, basic, &actor, &steps));
	assert_int_equal(steps, 3);
	assert_refused(world_authenticate(w, w->iam, world_basic(w, "ada", "wrong"), &actor, NULL),
		ERR_INVALID_CREDENTIALS);
}

static void
a_refresh_token_works_once(void **state)
{
	struct world *w = *state;
	struct iam_tokens first = world_login(w, "ada"), second, third;
	fixture_ok(iam_refresh(w->iam, w->a, first.refresh, &second));
	fixture_ok(iam_refresh(w->iam, w->a, second.refresh, &third));
	assert_false(str_eq(first.refresh, second.refresh));
	struct iam_tokens none;
	assert_refused(iam_refresh(w->iam, w->a, first.refresh, &none), ERR_INVALID_TOKEN);
	assert_refused(
		iam_refresh(w->iam, w->a, third.refresh, &none), ERR_INVALID_TOKEN); /* the session ended */
	struct actor actor;
	assert_refused(world_authenticate(w, w->iam, world_bearer(w, third.access), &actor, NULL),
		ERR_INVALID_TOKEN);
	assert_refused(iam_refresh(w->iam, w->a, third.access, &none), ERR_INVALID_TOKEN);
}

static void
refreshing_keeps_a_session_beyond_its_first_end(void **state)
{
	struct world *w = *state;
	struct iam_tokens t = world_login(w, "ada");
	for (int i = 0; i < 3; i++) {
		world_pass(w, LIMIT_REFRESH_TOKEN_S - 10);
		fixture_ok(iam_refresh(w->iam, w->a, t.refresh, &t));
	}
	struct actor actor;
	fixture_ok(world_authenticate(w, w->iam, world_bearer(w, t.access), &actor, NULL));
	world_pass(w, LIMIT_REFRESH_TOKEN_S);
	assert_refused(iam_refresh(w->iam, w->a, t.refresh, &t), ERR_INVALID_TOKEN);
	(void)world_login(w, "ada"); /* clears what has ended */
	assert_int_equal(fixture_int(&w->base, "SELECT COUNT(*) FROM session"), 1);
	assert_int_equal(fixture_int(&w->base, "SELECT COUNT(*) FROM refresh_token"), 1);
}

static void
nothing_secret_is_stored(void **state)
{
	struct world *w = *state;
	struct iam_tokens t = world_login(w, "ada");
	const char *found = arena_fmt(
		w->a, "SELECT COUNT(*) FROM refresh_token WHERE token_hash = '%.*s'", STR_ARG(t.refresh))
				    .p;
	assert_int_equal(fixture_int(&w->base, found), 0);
	assert_int_equal(fixture_int(&w->base,
				 "SELECT COUNT(*) FROM person WHERE password_hash LIKE '%" PASSWORD "%'"),
		0);
	assert_int_equal(fixture_int(&w->base, "SELECT COUNT(*) FROM person WHERE password_hash LIKE "
					       "'$argon2id$v=19$m=19456,t=2,p=1$%'"),
		2);
	assert_int_equal(fixture_int(&w->base, "SELECT COUNT(*) FROM event WHERE new_values LIKE '%argon2%' "
					       "OR old_values LIKE '%argon2%'"),
		0);
	struct stat st;
	assert_int_equal(stat(arena_cstr(w->a, w->secret_file), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
keys_rotate_and_nodes_learn_them(void **state)
{
	struct world *w = *state;
	struct iam *other = world_node(w, w->secret_file);
	struct iam_tokens before = world_login(w, "ada");
	struct signing_key first, second;
	keyring_newest(w->iam->keys, &first);
	world_pass(w, 1);
	fixture_ok(iam_rotate_key(w->iam, w->a));
	keyring_newest(w->iam->keys, &second);
	assert_string_not_equal(first.kid, second.kid);
	struct iam_tokens after = world_login(w, "ada");
	struct actor actor;
	fixture_ok(world_authenticate(w, w->iam, world_bearer(w, before.access), &actor, NULL));
	fixture_ok(world_authenticate(w, w->iam, world_bearer(w, after.access), &actor, NULL));
	fixture_ok(world_authenticate(w, other, world_bearer(w, before.access), &actor, NULL));
	(void)usleep(1100000); /* a node looks for new keys at most once a second of real time */
	fixture_ok(world_authenticate(w, other, world_bearer(w, after.access), &actor, NULL));
	iam_close(other);
}

static void
an_old_key_is_renewed_by_the_next_login(void **state)
{
	struct world *w = *state;
	struct signing_key first, second, third;
	(void)world_login(w, "ada");
	keyring_newest(w->iam->keys, &first);
	world_pass(w, LIMIT_SIGNING_KEY_S - 1);
	struct iam_tokens before = world_login(w, "ada");
	world_pass(w, 1);
	struct iam_tokens after = world_login(w, "ada");
	keyring_newest(w->iam->keys, &second);
	assert_string_not_equal(first.kid, second.kid);
	struct actor actor;
	fixture_ok(world_authenticate(w, w->iam, world_bearer(w, before.access), &actor, NULL));
	fixture_ok(world_authenticate(w, w->iam, world_bearer(w, after.access), &actor, NULL));
	(void)world_login(w, "ada");
	keyring_newest(w->iam->keys, &third);
	assert_string_equal(second.kid, third.kid);
}

static void
another_secret_file_believes_no_old_token(void **state)
{
	struct world *w = *state;
	struct iam_tokens t = world_login(w, "ada");
	struct str file = arena_fmt(w->a, "%.*s.other", STR_ARG(w->secret_file));
	struct iam *other = world_node(w, file);
	struct actor actor;
	assert_refused(
		world_authenticate(w, other, world_bearer(w, t.access), &actor, NULL), ERR_INVALID_TOKEN);
	iam_close(other);
	assert_int_equal(unlink(arena_cstr(w->a, file)), 0);
}

static void
a_broken_secret_file_is_named(void **state)
{
	struct world *w = *state;
	struct str file = arena_fmt(w->a, "%.*s.broken", STR_ARG(w->secret_file));
	FILE *f = fopen(arena_cstr(w->a, file), "w");
	assert_non_null(f);
	assert_true(fputs("not a key\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	struct iam_options o = { .db = w->base.db, .clock = &w->clock, .threads = 1, .secret_file = file };
	struct iam *iam = NULL;
	struct err *e = iam_open(w->a, &o, &iam);
	assert_refused(e, ERR_UNAVAILABLE);
	assert_non_null(strstr(arena_cstr(w->a, e->message), ".broken"));
	assert_int_equal(unlink(arena_cstr(w->a, file)), 0);
}

static void
guessing_gets_slower(void **state)
{
	struct world *w = *state;
	struct iam_tokens t;
	enum iam_login_fault fault;
	for (int i = 0; i < BACKOFF_PAIR_FREE; i++)
		assert_refused(iam_login(w->iam, w->a, STR("ada"), STR("no"), 0, PEER, &t, &fault),
			ERR_INVALID_CREDENTIALS);
	struct err *e = iam_login(w->iam, w->a, STR("ADA"), STR(PASSWORD), 0, PEER, &t, &fault);
	assert_refused(e, ERR_RATE_LIMITED);
	assert_int_equal(e->retry_after_s, 1);
	fixture_ok(iam_login(w->iam, w->a, STR("ada"), STR(PASSWORD), 0, STR("192.0.2.2"), &t, &fault));
	world_pass(w, 1);
	fixture_ok(iam_login(w->iam, w->a, STR("ada"), STR(PASSWORD), 0, PEER, &t, &fault));
}

static void
faults_tell_only_who_knows_the_password(void **state)
{
	struct world *w = *state;
	struct iam_tokens t;
	enum iam_login_fault fault;
	assert_refused(iam_login(w->iam, w->a, STR("ghost"), STR(PASSWORD), 0, PEER, &t, &fault),
		ERR_INVALID_CREDENTIALS);
	assert_int_equal(fault, IAM_LOGIN_WRONG);
	struct change gone = by_system(w, w->emil_id);
	gone.deactivate = true;
	fixture_ok(db_write(w->base.db, w->a, change_work, &gone));
	assert_refused(iam_login(w->iam, w->a, STR("emil"), STR("no"), 0, PEER, &t, &fault),
		ERR_INVALID_CREDENTIALS);
	assert_int_equal(fault, IAM_LOGIN_WRONG);
	assert_refused(iam_login(w->iam, w->a, STR("emil"), STR(PASSWORD), 0, PEER, &t, &fault),
		ERR_INVALID_CREDENTIALS);
	assert_int_equal(fault, IAM_LOGIN_INACTIVE);
	assert_refused(
		iam_login(w->iam, w->a, STR("ada"), STR(PASSWORD), w->company_id + 1, PEER, &t, &fault),
		ERR_INVALID_CREDENTIALS);
}

static void
the_only_administrator_stays_even_for_the_server(void **state)
{
	struct world *w = *state;
	struct change gone = by_system(w, w->ada_id);
	gone.delete = true;
	assert_refused(db_write(w->base.db, w->a, change_work, &gone), ERR_CONFLICT);
	struct change lower = by_system(w, w->ada_id);
	lower.role = "MANAGER";
	assert_refused(db_write(w->base.db, w->a, change_work, &lower), ERR_CONFLICT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_remembered_on_one_node_only),
		TEST(what_takes_access_away_does_so_at_once),
		TEST(a_remembered_password_is_checked_again_in_time),
		TEST(a_refresh_token_works_once),
		TEST(refreshing_keeps_a_session_beyond_its_first_end),
		TEST(nothing_secret_is_stored),
		TEST(keys_rotate_and_nodes_learn_them),
		TEST(an_old_key_is_renewed_by_the_next_login),
		TEST(another_secret_file_believes_no_old_token),
		TEST(a_broken_secret_file_is_named),
		TEST(guessing_gets_slower),
		TEST(faults_tell_only_who_knows_the_password),
		TEST(the_only_administrator_stays_even_for_the_server),
	};
	return world_run("session", tests, COUNT(tests));
}
