/* Errors, random identifiers and the log. */
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena *a;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new(4 << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void
assert_str(struct str s, const char *expected)
{
	assert_string_equal(arena_cstr(a, s), expected);
}

static void
a_code_brings_its_status_word_and_message(void **state)
{
	struct err *e = err_new(a, ERR_NOT_FOUND, "");

	(void)state;
	assert_int_equal(err_status(e), 404);
	assert_str(err_code_word(e), "NOT_FOUND");
	assert_str(e->message, "Not found.");
	assert_int_equal(e->detail.n, 0);
	e = err_new(a, ERR_CONFLICT, "KPI %s exists.", "kpi-001");
	assert_str(e->message, "KPI kpi-001 exists.");
	assert_int_equal(e->line, __LINE__ - 2);
	assert_str(err_code_word(err_word(e, "KPI_EXISTS")), "KPI_EXISTS");
	assert_int_equal(err_status(e), 409);
}

static void
a_private_text_never_becomes_the_message(void **state)
{
	struct err *e = err_private(a, ERR_INTERNAL, "no such table: %s", "secret");

	(void)state;
	assert_str(e->message, "Internal server error.");
	assert_str(e->detail, "no such table: secret");
}

static void
field_errors_keep_their_order_and_their_own_copy(void **state)
{
	struct err *e = NULL;
	char field[] = "lines[0].quantity";

	(void)state;
	err_add_field(a, &e, str_from_cstr(field), "Must be at least %d.", 1);
	field[0] = 'X';
	err_add_field(a, &e, STR("name"), "This field is required.");
	assert_int_equal(e->code, ERR_INVALID_INPUT);
	assert_str(e->fields->field, "lines[0].quantity");
	assert_str(e->fields->message, "Must be at least 1.");
	assert_str(e->fields->next->field, "name");
	assert_null(e->fields->next->next);
	e = err_field(a, "email", "Enter a valid email address.");
	assert_str(e->fields->field, "email");
	assert_int_equal(err_status(e), 400);
}

static void
field_errors_are_limited(void **state)
{
	struct err *e = NULL;
	int count = 0;

	(void)state;
	for (int i = 0; i < 3 * LIMIT_FIELD_ERRORS; i++)
		err_add_field(a, &e, STR("f"), "%d", i);
	for (struct err_field *f = e->fields; f; f = f->next)
		count++;
	assert_int_equal(count, LIMIT_FIELD_ERRORS);
}

static void
tokens_and_ids_have_their_form_and_differ(void **state)
{
	struct str t1 = random_token(a, 32), t2 = random_token(a, 32);

	(void)state;
	assert_int_equal(t1.n, 43);
	assert_false(str_eq(t1, t2));
	for (size_t i = 0; i < t1.n; i++)
		assert_non_null(
			strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", t1.p[i]));
	struct str id = random_uuid7(a, 0x0123456789AB);
	assert_int_equal(id.n, 36);
	assert_true(str_starts_with(id, STR("01234567-89ab-7")));
	assert_non_null(strchr("89ab", id.p[19]));
	assert_true(id.p[18] == '-' && id.p[23] == '-');
	assert_false(str_eq(id, random_uuid7(a, 0x0123456789AB)));
	assert_true(str_cmp(random_uuid7(a, 1700000000000), random_uuid7(a, 1700000000001)) < 0);
	for (int i = 0; i < 1000; i++)
		assert_true(random_below(7) < 7);
	char secret[] = "secret";
	secret_wipe(secret, sizeof(secret));
	assert_memory_equal(secret, "\0\0\0\0\0\0\0", 7);
}

/* What the log wrote while deed ran. */
static struct str
logged(void (*deed)(void))
{
	char *text = arena_alloc(a, 1 << 20);
	FILE *f = tmpfile();
	int err_fd = dup(STDERR_FILENO);

	assert_non_null(f);
	dup2(fileno(f), STDERR_FILENO);
	deed();
	dup2(err_fd, STDERR_FILENO);
	close(err_fd);
	rewind(f);
	size_t n = fread(text, 1, 1 << 20, f);
	fclose(f);
	return (struct str){ text, n };
}

static void
log_one(void)
{
	LOG(LOG_WARN, "slow \"request\"", L_CSTR("path", "/a\n\xFF\xC3\xA4\xC3"), L_INT("ms", -5),
		L_BOOL("retry", true));
}

static void
log_little(void)
{
	LOG(LOG_DEBUG, "not at this level");
	LOG(LOG_INFO, "no fields");
}

static void
log_much(void)
{
	struct str s = { arena_alloc(a, LIMIT_LOG_LINE_BYTES), LIMIT_LOG_LINE_BYTES };

	LOG(LOG_INFO, "much", L_STR("text", s));
}

static void
a_log_line_is_one_json_object(void **state)
{
	struct str s = logged(log_one);

	(void)state;
	assert_true(str_starts_with(s, STR("{\"time\":\"20")));
	assert_true(
		str_ends_with(s, STR("Z\",\"level\":\"warn\",\"message\":\"slow "
				     "\\\"request\\\"\",\"path\":\"/a\\n\xEF\xBF\xBD\xC3\xA4\xEF\xBF\xBD\","
				     "\"ms\":-5,\"retry\":true}\n")));
	assert_int_equal(str_index(s, '\n', 0), s.n - 1);
}

static void
the_level_and_the_length_of_lines_are_limited(void **state)
{
	struct str s = logged(log_little);

	(void)state;
	assert_true(str_ends_with(s, STR("\"info\",\"message\":\"no fields\"}\n")));
	assert_int_equal(str_index(s, '\n', 0), s.n - 1);
	s = logged(log_much);
	assert_true(s.n < 200);
	assert_true(str_ends_with(s, STR("longer than the limit\"}\n")));
	log_set_level(LOG_ERROR);
	assert_int_equal(logged(log_one).n, 0);
	log_set_level(LOG_INFO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_brings_its_status_word_and_message),
		cmocka_unit_test(a_private_text_never_becomes_the_message),
		cmocka_unit_test(field_errors_keep_their_order_and_their_own_copy),
		cmocka_unit_test(field_errors_are_limited),
		cmocka_unit_test(tokens_and_ids_have_their_form_and_differ),
		cmocka_unit_test(a_log_line_is_one_json_object),
		cmocka_unit_test(the_level_and_the_length_of_lines_are_limited),
	};

	return random_start() ? cmocka_run_group_tests(tests, set_up, tear_down) : 1;
}
