/* Every statement that the engine makes, for the tests' resources and for all that are served, is one the schema understands. */
#include "world.h"

#include "api/registry.h"

static struct err *
prepare(struct res_ctx *c, void *arg)
{
	const struct res_def *def = arg;
	return res_prepare_check(c, def);
}

static void
expect_prepared(struct world *f, const struct res_def *def)
{
	struct err *e = fx_write(f, &f->admin, prepare, (void *)(uintptr_t)def);
	if (e)
		fail_msg("%s: %.*s", def->name, STR_ARG(e->detail));
}

static void
all_resources_are_prepared(void **state)
{
	struct world *f = *state;
	expect_prepared(f, &thing_res);
	expect_prepared(f, &deal_res);
	for (size_t i = 0; api_resources[i]; i++)
		expect_prepared(f, api_resources[i]);
}

static void
a_missing_column_is_found(void **state)
{
	struct world *f = *state;
	struct res_def wrong = thing_res;
	wrong.table = "deal";
	assert_non_null(fx_write(f, &f->admin, prepare, &wrong));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_resources_are_prepared, world_reset),
		cmocka_unit_test_setup(a_missing_column_is_found, world_reset),
	};
	return world_run("prepare", tests, COUNT(tests));
}
