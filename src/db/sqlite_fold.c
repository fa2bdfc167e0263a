/*
 * text_fold(text) as a function of SQL, the same folding that stored search texts have, so that a filter can look into any column without
 * regard to case. PostgreSQL has its own of that name, made by the first migration.
 */
#include "codec/text.h"
#include "db/sqlite.h"

#define SCRATCH_BYTES (16u << 20) /* a stored text is at most LIMIT_BODY_BYTES, and folded it grows little */

static void
fold(sqlite3_context *call, int count, sqlite3_value **values)
{
	(void)count;
	const unsigned char *text = sqlite3_value_text(values[0]);
	if (!text)
		return; /* NULL stays NULL */
	struct str s = { (const char *)text, (size_t)sqlite3_value_bytes(values[0]) };
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	struct str folded = str_is_utf8(s) ? text_fold(scratch, s) : s;
	sqlite3_result_text64(call, folded.n ? folded.p : "", folded.n, SQLITE_TRANSIENT, SQLITE_UTF8);
	arena_free(scratch);
}

int
db_sqlite_fold_register(sqlite3 *handle)
{
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	return sqlite3_create_function_v2(handle, "text_fold", 1, flags, NULL, fold, NULL, NULL, NULL);
}
