/* What lives in memory only: the back-off's counts and waits, and the table of good credentials. Also the built-in roles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "domain/iam/auth_cache.h"
#include "domain/iam/backoff.h"
#include "domain/iam/role.h"

#define START_US 1000000000000LL

static struct instant
at(int64_t seconds)
{
	return (struct instant){ START_US + seconds * INSTANT_SECOND };
}

static void
fail_times(struct backoff *b, const char *name, const char *address, int times)
{
	for (int i = 0; i < times; i++)
		backoff_failed(b, str_from_cstr(name), str_from_cstr(address), at(0));
}

static int64_t
wait_of(struct backoff *b, const char *name, const char *address, int64_t seconds)
{
	return backoff_wait_s(b, str_from_cstr(name), str_from_cstr(address), at(seconds));
}

static void
waits_double_and_have_a_limit(void **state)
{
	(void)state;
	struct backoff *b = backoff_new();
	fail_times(b, "ada", "a", BACKOFF_PAIR_FREE - 1);
	assert_int_equal(wait_of(b, "ada", "a", 0), 0);
	for (int64_t wait = 1; wait < BACKOFF_WAIT_MAX_S; wait *= 2) {
		fail_times(b, "ada", "a", 1);
		assert_int_equal(wait_of(b, "ada", "a", 0), wait);
	}
	for (int i = 0; i < 50; i++)
		fail_times(b, "ada", "a", 1);
	assert_int_equal(wait_of(b, "ada", "a", 0), BACKOFF_WAIT_MAX_S);
	assert_int_equal(wait_of(b, "ada", "a", BACKOFF_WAIT_MAX_S - 1), 1);
	assert_int_equal(wait_of(b, "ada", "a", BACKOFF_WAIT_MAX_S), 0);
	backoff_free(b);
}

static void
nobody_is_locked_out_from_elsewhere(void **state)
{
	(void)state;
	struct backoff *b = backoff_new();
	fail_times(b, "ada", "a", BACKOFF_PAIR_FREE + 3);
	assert_true(wait_of(b, "ada", "a", 0) > 0);
	assert_int_equal(wait_of(b, "ada", "b", 0), 0);
	assert_int_equal(wait_of(b, "emil", "a", 0), 0);
	backoff_free(b);
}

static void
many_addresses_and_many_names_are_seen(void **state)
{
	(void)state;
	struct backoff *b = backoff_new();
	char text[2] = { 0 };
	for (int i = 0; i < BACKOFF_NAME_FREE; i++) {
		text[0] = (char)('!' + i % 90);
		fail_times(b, "ada", text, 1);
	}
	assert_true(wait_of(b, "ada", "elsewhere", 0) > 0);
	assert_int_equal(wait_of(b, "emil", "elsewhere", 0), 0);
	for (int i = 0; i < BACKOFF_ADDRESS_FREE; i++) {
		text[0] = (char)('!' + i % 90);
		fail_times(b, text, "office", 1);
	}
	assert_true(wait_of(b, "never tried", "office", 0) > 0);
	backoff_free(b);
}

static void
success_and_time_forget(void **state)
{
	(void)state;
	struct backoff *b = backoff_new();
	fail_times(b, "ada", "a", BACKOFF_PAIR_FREE);
	backoff_succeeded(b, STR("ada"), STR("a"));
	assert_int_equal(wait_of(b, "ada", "a", 0), 0);
	fail_times(b, "ada", "a", BACKOFF_PAIR_FREE - 1);
	backoff_failed(b, STR("ada"), STR("a"), at(BACKOFF_FORGET_S + 1));
	assert_int_equal(wait_of(b, "ada", "a", BACKOFF_FORGET_S + 1), 0);
	backoff_free(b);
}

static void
an_entry_is_found_until_its_end(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct auth_cache *cache = auth_cache_new(4);
	struct auth_hash one = { { 1 } }, other = { { 1 } }; /* both fall on one place */
	other.bytes[AUTH_HASH_BYTES - 1] = 9;
	struct auth_entry entry = { .actor = { .person_id = 5, .username = STR("ada"), .role = STR("ADMIN") },
		.until = at(10) };
	struct auth_entry out;
	assert_false(auth_cache_find(cache, &one, at(0), a, &out));
	auth_cache_put(cache, &one, &entry);
	assert_true(auth_cache_find(cache, &one, at(9), a, &out));
	assert_true(str_eq(out.actor.username, STR("ada")));
	assert_true(str_eq(out.actor.role, STR("ADMIN")));
	assert_int_equal(out.actor.person_id, 5);
	assert_false(auth_cache_find(cache, &one, at(10), a, &out));
	assert_false(auth_cache_find(cache, &other, at(0), a, &out));
	auth_cache_put(cache, &other, &entry);
	assert_true(auth_cache_find(cache, &other, at(0), a, &out));
	assert_false(auth_cache_find(cache, &one, at(0), a, &out)); /* pushed out */
	auth_cache_free(cache);
	arena_free(a);
}

static perm_set
allowed(struct arena *a, const char *role)
{
	return role_permissions(a, str_from_cstr(role), true, STR("[]"));
}

/* The table of the contracts: what each role has, and what it must not have. */
static void
built_in_roles_allow_what_the_contracts_say(void **state)
{
	(void)state;
#define B(name) PERM_BIT(PERM_##name)
	static const struct {
		const char *role;
		perm_set has, lacks;
	} rows[] = {
		{ "ADMIN", (PERM_BIT(PERM_COUNT) - 1) & ~B(PLATFORM_ADMIN), B(PLATFORM_ADMIN) },
		{ "MANAGER",
			B(VIEW_ALL) | B(ASSIGN_KPI) | B(MANAGE_KPI) | B(APPROVE_REPORT) | B(LEAD_READ_ALL) |
				B(REPORT_READ) | B(USER_READ),
			B(USER_WRITE) | B(COMPANY_ADMIN) | B(SYNC_RUN) | B(BUSINESS_ALL) },
		{ "SUPERVISOR", B(VIEW_TEAM) | B(ASSIGN_KPI),
			B(VIEW_ALL) | B(MANAGE_KPI) | B(USER_READ) | B(APPROVE_REPORT) },
		{ "HR", B(VIEW_ALL) | B(USER_READ) | B(USER_WRITE),
			B(ASSIGN_KPI) | B(MANAGE_KPI) | B(COMPANY_ADMIN) },
		{ "ANALYST", B(VIEW_ALL) | B(SUBMIT_VALUE) | B(SUBMIT_INSIGHT),
			B(ASSIGN_KPI) | B(MANAGE_KPI) | B(APPROVE_REPORT) },
		{ "STAFF", B(BUSINESS_ALL), B(VIEW_ALL) | B(USER_READ) | B(LEAD_READ_ALL) },
		{ "SALESPERSON", B(LEAD_READ_OWN) | B(LEAD_WRITE) | B(BUSINESS_OWN) | B(VIEW_OWN),
			B(LEAD_READ_ALL) | B(BUSINESS_ALL) | B(VIEW_ALL) },
		{ "EMPLOYEE", B(VIEW_OWN) | B(BUSINESS_OWN), ~(B(VIEW_OWN) | B(BUSINESS_OWN)) },
		{ "INTEGRATION",
			B(LEAD_READ_ALL) | B(LEAD_WRITE) | B(REPORT_CUSTOM) | B(SYNC_RUN) |
				B(WEBHOOK_MANAGE) | B(SUBMIT_VALUE),
			B(USER_READ) | B(COMPANY_ADMIN) | B(ASSIGN_KPI) | B(MANAGE_KPI) },
	};
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < COUNT(rows); i++) {
		perm_set set = allowed(a, rows[i].role);
		if ((set & rows[i].has) != rows[i].has || (set & rows[i].lacks))
			fail_msg("%s: %llx", rows[i].role, (unsigned long long)set);
	}
	assert_int_equal(allowed(a, "NOBODY"), 0);
	arena_free(a);
}

static void
stored_words_give_nothing_they_may_not(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	assert_int_equal(
		role_permissions(a, STR("X"), false, STR("[\"VIEW_OWN\",\"GONE\",1,\"PLATFORM_ADMIN\"]")),
		B(VIEW_OWN));
	assert_int_equal(role_permissions(a, STR("X"), false, STR("no json")), 0);
	assert_int_equal(
		role_permissions(a, STR("ADMIN"), false, STR("[]")), 0); /* the name alone is nothing */
	assert_true(role_is_administrative(B(USER_WRITE)));
	assert_true(role_is_administrative(B(COMPANY_ADMIN)));
	assert_false(role_is_administrative(B(USER_READ) | B(MANAGE_KPI)));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double_and_have_a_limit),
		cmocka_unit_test(nobody_is_locked_out_from_elsewhere),
		cmocka_unit_test(many_addresses_and_many_names_are_seen),
		cmocka_unit_test(success_and_time_forget),
		cmocka_unit_test(an_entry_is_found_until_its_end),
		cmocka_unit_test(built_in_roles_allow_what_the_contracts_say),
		cmocka_unit_test(stored_words_give_nothing_they_may_not),
	};
	if (!random_start())
		return 1;
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
