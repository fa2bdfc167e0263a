/*
 * PostgreSQL's faults in the house's words. They are told apart by SQLSTATE (PostgreSQL 15, appendix A) and by names of constraints,
 * never by their text, whose language belongs to the server.
 */
#include "db/postgres.h"

static const char *
field_of(const PGresult *result, int code)
{
	const char *s = result ? PQresultErrorField(result, code) : NULL;

	return s ? s : "";
}

/* The last column between the first parentheses of the detail, which every translation keeps: Key (company_id, email)=(1, x) … */
static struct str
column_of_detail(struct str detail)
{
	size_t from = str_index(detail, '(', 0) + 1;
	size_t to = str_index(detail, ')', from);

	if (from >= to || to >= detail.n)
		return (struct str){ NULL, 0 };
	struct str columns = str_sub(detail, from, to - from);
	for (size_t comma = str_index(columns, ',', 0); comma < columns.n; comma = str_index(columns, ',', 0))
		columns = str_sub(columns, comma + 1, columns.n);
	return str_trim(columns);
}

/* person_email_key of table person → email; keys without such a name, like the primary one, tell it in their detail. */
static struct str
unique_column(const PGresult *result)
{
	struct str name = str_from_cstr(field_of(result, PG_DIAG_CONSTRAINT_NAME));
	struct str table = str_from_cstr(field_of(result, PG_DIAG_TABLE_NAME));
	size_t around = table.n + sizeof("_") - 1 + sizeof("_key") - 1;

	if (str_starts_with(name, table) && str_ends_with(name, STR("_key")) && name.n > around)
		return str_sub(name, table.n + 1, name.n - around);
	return column_of_detail(str_from_cstr(field_of(result, PG_DIAG_MESSAGE_DETAIL)));
}

static bool
state_is(struct str state, const char *code)
{
	return str_starts_with(state, str_from_cstr(code));
}

/* Conditions that the same transaction does not meet again when it runs once more. */
static bool
is_passing(struct str state)
{
	static const char *const codes[] = {
		"40001", /* serialization_failure */
		"40P01", /* deadlock_detected */
		"55P03", /* lock_not_available: lock_timeout */
	};

	for (size_t i = 0; i < COUNT(codes); i++)
		if (state_is(state, codes[i]))
			return true;
	return false;
}

/* The prepared statement is of no use any more: deallocated, or its plan's result type changed with a migration. */
static bool
is_stale_statement(struct str state)
{
	return state_is(state, "26000") || state_is(state, "0A000");
}

/* The server ends the session. */
static bool
is_end_of_session(struct str state)
{
	return state_is(state, "08") || state_is(state, "57P") || state_is(state, "25P03");
}

static struct err *
unavailable(struct postgres *c, struct arena *a, enum db_trouble trouble, struct str text)
{
	c->base.trouble = trouble;
	return err_private(a, ERR_UNAVAILABLE, "%.*s", STR_ARG(text));
}

struct err *
db_postgres_err(struct postgres *c, struct arena *a, const PGresult *result, const char *where)
{
	struct str state = str_from_cstr(field_of(result, PG_DIAG_SQLSTATE));
	const char *message = result ? PQresultErrorMessage(result) : PQerrorMessage(c->handle);
	struct str text = str_trim(arena_fmt(a, "%s: %.*s %s", where, STR_ARG(state), message));

	c->stale = is_stale_statement(state);
	if (PQstatus(c->handle) == CONNECTION_BAD || is_end_of_session(state))
		return unavailable(c, a, DB_TROUBLE_LOST, text);
	/* read_only_sql_transaction of a write: this server follows another one now, a new connection may find that one. */
	if (!c->in_read && state_is(state, "25006"))
		return unavailable(c, a, DB_TROUBLE_LOST, text);
	if (c->stale || is_passing(state))
		return unavailable(c, a, DB_TROUBLE_RETRY, text);
	c->base.trouble = DB_TROUBLE_FINAL;
	if (state_is(state, "23505")) /* unique_violation */
		return db_err_unique(a, unique_column(result), text);
	if (state_is(state, "23503")) /* foreign_key_violation */
		return db_err_reference(a, text);
	/* Out of disk, memory or connections; a statement that took too long. */
	if (state_is(state, "53") || state_is(state, "57014") || state_is(state, "58"))
		return unavailable(c, a, DB_TROUBLE_FINAL, text);
	return err_private(a, ERR_INTERNAL, "%.*s", STR_ARG(text));
}
