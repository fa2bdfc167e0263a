/*
 * What the SQLite driver needs besides rows and transactions: its errors in the house's words, numbered parameters, and sequences.
 */
#include "db/sequence_sql.h"
#include "db/sqlite.h"

/* ---- errors ----------------------------------------------------------------------------------------------------------------- */

static struct err *
unavailable(struct sqlite *c, struct arena *a, enum db_trouble trouble, const char *where)
{
	c->base.trouble = trouble;
	return err_private(a, ERR_UNAVAILABLE, "%s: %s", where, sqlite3_errmsg(c->handle));
}

/* "UNIQUE constraint failed: person.company_id, person.email" → email */
static struct str
unique_column(struct str message)
{
	size_t start = message.n;

	while (start > 0 && message.p[start - 1] != '.' && message.p[start - 1] != ' ')
		start--;
	return str_sub(message, start, message.n);
}

static struct err *
constraint(struct sqlite *c, struct arena *a, int code, const char *where)
{
	struct str message = str_from_cstr(sqlite3_errmsg(c->handle));

	c->base.trouble = DB_TROUBLE_FINAL;
	if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
		code == SQLITE_CONSTRAINT_ROWID)
		return db_err_unique(a, unique_column(message), message);
	if (code == SQLITE_CONSTRAINT_FOREIGNKEY)
		return db_err_reference(a, message);
	return err_private(a, ERR_INTERNAL, "%s: %.*s", where, STR_ARG(message));
}

struct err *
db_sqlite_err(struct sqlite *c, struct arena *a, int code, const char *where)
{
	switch (code & 0xff) { /* the primary code */
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return unavailable(c, a, DB_TROUBLE_RETRY, where);
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_NOMEM:
	case SQLITE_PROTOCOL:
		return unavailable(c, a, DB_TROUBLE_FINAL, where);
	case SQLITE_CONSTRAINT:
		return constraint(c, a, code, where);
	default: /* not our enumeration: every other code is a fault of the program or the file */
		c->base.trouble = DB_TROUBLE_FINAL;
		return err_private(a, ERR_INTERNAL, "%s: %s (%d)", where, sqlite3_errmsg(c->handle), code);
	}
}

/* ---- parameters ------------------------------------------------------------------------------------------------------------- */

struct str
db_sqlite_parameters(struct arena *a, struct str text)
{
	char *out = arena_alloc(a, text.n + 1);
	char quote = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool digit_follows = i + 1 < text.n && text.p[i + 1] >= '0' && text.p[i + 1] <= '9';
		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '\'' || c == '"')
			quote = c;
		out[i] = !quote && c == '$' && digit_follows ? '?' : c;
	}
	return (struct str){ out, text.n };
}

/* ---- sequences -------------------------------------------------------------------------------------------------------------- */

static struct err *
sequence_read(struct db_tx *tx, const char *name, struct sqlite_sequence *out)
{
	struct db_rows r;
	bool found;

	TRY(DB_FIND(tx, &sql_sequence_find, &r, &found, P_TEXT(str_from_cstr(name))));
	if (!found) {
		tx->conn->trouble = DB_TROUBLE_FINAL;
		return err_private(tx->arena, ERR_INTERNAL, "no sequence %s", name);
	}
	*out = (struct sqlite_sequence){ .name = name, .next = db_int(&r, 0) };
	return NULL;
}

struct err *
db_sqlite_next_id(struct db_tx *tx, const char *sequence, int64_t *out)
{
	struct sqlite *c = (struct sqlite *)tx->conn;
	struct sqlite_sequence *s = c->sequences;
	struct sqlite_sequence *end = s + c->sequence_count;

	while (s < end && s->name != sequence && strcmp(s->name, sequence) != 0)
		s++;
	if (s == end) {
		check(c->sequence_count < SQLITE_SEQUENCES);
		TRY(sequence_read(tx, sequence, s));
		c->sequence_count++;
	}
	*out = s->next++;
	return NULL;
}

struct err *
db_sqlite_sequences_write(struct sqlite *c, struct arena *a)
{
	struct db_tx tx = db_tx_start(&c->base, a, true);

	for (int i = 0; i < c->sequence_count; i++)
		TRY(DB_EXEC(&tx, &sql_sequence_write, P_TEXT(str_from_cstr(c->sequences[i].name)),
			P_INT(c->sequences[i].next)));
	c->sequence_count = 0;
	return NULL;
}
