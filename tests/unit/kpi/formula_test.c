/* Formulas: precedence, functions, what is refused and where, and what is missing instead of wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain/kpi/formula.h"

struct world {
	struct arena *a;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	w->a = arena_new(1 << 20);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	arena_free(w->a);
	free(w);
	return 0;
}

/* {a} is 10, {b} is 4, {c} is 0.25; {none} has no value. */
static bool
evaluate(struct arena *a, const char *text, int32_t decimals, struct decimal *out)
{
	struct formula *f;
	struct err *e = formula_parse(a, str_from_cstr(text), &f);
	struct formula_input inputs[FORMULA_REFS_MAX];

	if (e)
		fail_msg("%s: %.*s", text, STR_ARG(e->message));
	for (size_t i = 0; i < formula_ref_count(f); i++) {
		struct str ref = formula_ref(f, i);
		inputs[i].present = !str_eq(ref, STR("none"));
		inputs[i].value = str_eq(ref, STR("a"))	  ? (struct decimal){ 10, 0 }
				  : str_eq(ref, STR("b")) ? (struct decimal){ 400, 2 }
							  : (struct decimal){ 25, 2 };
	}
	return formula_eval(f, inputs, decimals, out);
}

static void
assert_result(struct arena *a, const char *text, int32_t decimals, int64_t coef)
{
	struct decimal d = { 0, 0 };
	if (!evaluate(a, text, decimals, &d))
		fail_msg("%s has no result", text);
	if (d.coef != coef || d.scale != decimals)
		fail_msg("%s is %lld × 10^-%d instead of %lld × 10^-%d", text, (long long)d.coef, d.scale,
			(long long)coef, decimals);
}

static void
operators_bind_as_in_arithmetic(void **state)
{
	struct arena *a = ((struct world *)*state)->a;
	assert_result(a, "{a} + {b} * 2", 0, 18);
	assert_result(a, "({a} + {b}) * 2", 0, 28);
	assert_result(a, "{a} - {b} - 1", 0, 5);
	assert_result(a, "{a} / {b} / 2", 2, 125);
	assert_result(a, "-{a} + 1", 0, -9);
	assert_result(a, "- -{a}", 0, 10);
	assert_result(a, "{a} - -{b}", 0, 14);
	assert_result(a, "if({a} > {b} + 5, 1, 2)+{a}*0", 0, 1);
}

static void
arithmetic_is_exact_on_decimals(void **state)
{
	struct arena *a = ((struct world *)*state)->a;
	assert_result(a, "{c} + 0.1 + 0.2", 2, 55);
	assert_result(a, "{a} * 0.07", 2, 70);
	/* Ten cents a thousand times over, which a double misses. */
	assert_result(a, "{a} * 0.1 * 1000 - 1000", 2, 0);
	assert_result(a, "{a} / 3 * 3", 6, 10000000);
}

static void
results_are_rounded_half_up_once(void **state)
{
	struct arena *a = ((struct world *)*state)->a;
	assert_result(a, "{a} / 8", 2, 125);
	assert_result(a, "{a} / 8", 1, 13);
	assert_result(a, "-{a} / 8", 1, -13);
	assert_result(a, "{a} * 0.04444444449", 1, 4);
	assert_result(a, "{a} * 0.0444444445", 1, 4);
}

static void
functions_do_what_their_names_say(void **state)
{
	struct arena *a = ((struct world *)*state)->a;
	assert_result(a, "min({a}, {b}, 7)", 0, 4);
	assert_result(a, "MAX({a}, {b}, 7)", 0, 10);
	assert_result(a, "sum({a}, {b}, 7)", 0, 21);
	assert_result(a, "avg({a}, {b})", 1, 70);
	assert_result(a, "abs({b} - {a})", 0, 6);
	assert_result(a, "round({a} / 3, 2)", 6, 3330000);
	assert_result(a, "coalesce({none}, {b})", 0, 4);
	assert_result(a, "if({a} >= 10, {b}, {none})", 0, 4);
}

static void
what_cannot_be_told_is_missing(void **state)
{
	struct arena *a = ((struct world *)*state)->a;
	struct decimal d = { 7, 7 };
	static const char *const texts[] = { "{none}", "{a} + {none}", "{a} / ({b} - 4)",
		"if({none}, {a}, {b})", "min({a}, {none})",
		"{a} * 1000000000000000 * 1000000000000000 * 1000000000000000", "round({a}, -1)" };

	for (size_t i = 0; i < COUNT(texts); i++)
		if (evaluate(a, texts[i], 2, &d))
			fail_msg("%s has a result", texts[i]);
	assert_int_equal(d.coef, 7); /* untouched */
}

static void
faults_name_their_position(void **state)
{
	struct arena *a = ((struct world *)*state)->a;
	static const struct {
		const char *text, *position;
	} cases[] = {
		{ "", "position 1." },
		{ "1 + 2", "position 6." }, /* refers to nothing */
		{ "{a} +", "position 6." },
		{ "{a} {b}", "position 5." },
		{ "({a}", "position 5." },
		{ "{a", "position 1." },
		{ "{}", "position 1." },
		{ "{a} * foo(1)", "position 7." },
		{ "if({a}, 1)", "position 11." },
		{ "{a} + 1.2.3", "position 7." },
		{ "{a}; DROP TABLE kpi", "position 4." },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct formula *f = NULL;
		struct err *e = formula_parse(a, str_from_cstr(cases[i].text), &f);
		assert_non_null(e);
		assert_null(f);
		assert_int_equal(e->code, ERR_INVALID_INPUT);
		if (!str_ends_with(e->message, str_from_cstr(cases[i].position)))
			fail_msg("%s: %.*s", cases[i].text, STR_ARG(e->message));
	}
}

static void
depth_and_length_are_bounded(void **state)
{
	struct arena *a = ((struct world *)*state)->a;
	struct buf deep, wide;
	struct formula *f;

	buf_init_arena(&deep, a, 1 << 16);
	for (int i = 0; i < 5000; i++)
		buf_add_byte(&deep, '(');
	assert_non_null(formula_parse(a, buf_str(&deep), &f));
	buf_init_arena(&wide, a, 1 << 16);
	buf_add_lit(&wide, "{a}");
	for (int i = 0; i < 600; i++)
		buf_add_lit(&wide, "+{a}");
	assert_non_null(formula_parse(a, buf_str(&wide), &f));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_bind_as_in_arithmetic),
		cmocka_unit_test(arithmetic_is_exact_on_decimals),
		cmocka_unit_test(results_are_rounded_half_up_once),
		cmocka_unit_test(functions_do_what_their_names_say),
		cmocka_unit_test(what_cannot_be_told_is_missing),
		cmocka_unit_test(faults_name_their_position),
		cmocka_unit_test(depth_and_length_are_bounded),
	};
	return cmocka_run_group_tests_name("kpi: formulas", tests, setup, teardown);
}
