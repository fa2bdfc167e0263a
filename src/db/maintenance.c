/*
 * Care of a whole database: a consistent copy while it is in use, and the database's own check of itself. Both run on a connection of
 * their own, so that neither readers nor the writer wait for them.
 */
#include "base/buf.h"
#include "db/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- backup ----------------------------------------------------------------------------------------------------------------- */

static struct err *
sqlite_fault(struct arena *a, sqlite3 *handle, const char *what, const char *file)
{
	return err_private(
		a, ERR_UNAVAILABLE, "%s %s: %s", what, file, handle ? sqlite3_errmsg(handle) : "no memory");
}

/* One step takes all pages from one snapshot; in WAL mode nobody waits for it. */
static struct err *
copy_pages(struct arena *a, sqlite3 *from, sqlite3 *to, const char *file)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");

	if (!b)
		return sqlite_fault(a, to, "cannot copy into", file);
	(void)sqlite3_backup_step(b, -1); /* finish tells its outcome */
	if (sqlite3_backup_finish(b) != SQLITE_OK)
		return sqlite_fault(a, to, "cannot copy into", file);
	/* The copy shall be one file, without a log beside it. */
	if (sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_fault(a, to, "cannot finish", file);
	return NULL;
}

static struct err *
copy_into(struct arena *a, sqlite3 *from, const char *file)
{
	sqlite3 *to = NULL;
	struct err *e;

	if (sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		e = sqlite_fault(a, to, "cannot open", file);
	else
		e = copy_pages(a, from, to, file);
	if (sqlite3_close(to) != SQLITE_OK && !e)
		e = err_private(a, ERR_UNAVAILABLE, "cannot close %s", file);
	return e;
}

/* The new name must survive a power failure too. */
static struct err *
sync_directory(struct arena *a, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *directory = !slash		? "."
				: slash == file ? "/"
						: arena_cstr(a, (struct str){ file, (size_t)(slash - file) });
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd); /* nothing was written through it */
	return synced ? NULL
		      : err_private(a, ERR_UNAVAILABLE, "cannot sync %s: %s", directory, strerror(errno));
}

static struct err *
backup_to(struct db *db, struct arena *a, const char *file)
{
	const char *partial = arena_cstr(a, arena_fmt(a, "%s.partial", file));
	struct db_conn *c;
	struct err *e;

	int fd = open(partial, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd))
		return err_private(a, ERR_UNAVAILABLE, "cannot write %s: %s", partial, strerror(errno));
	TRY(db_sqlite_connect(db, a, DB_READER, &c));
	e = copy_into(a, ((struct sqlite *)c)->handle, partial);
	c->driver->close(c);
	if (!e && rename(partial, file))
		e = err_private(
			a, ERR_UNAVAILABLE, "cannot rename %s to %s: %s", partial, file, strerror(errno));
	if (e)
		(void)unlink(partial); /* the error is what counts */
	return e ? e : sync_directory(a, file);
}

struct err *
db_backup(struct db *db, struct arena *a, struct str file)
{
	if (db->kind == DB_POSTGRES)
		return err_new(a, ERR_UNAVAILABLE,
			"A PostgreSQL database is copied with its own tools: pg_dump --format=custom.");
	return backup_to(db, a, arena_cstr(a, file));
}

/* ---- check ------------------------------------------------------------------------------------------------------------------ */

#define FINDINGS_MAX 100

static struct err *
findings(struct db_tx *tx, const char *text, struct buf *out)
{
	struct db_sql q = db_sql_make("check", str_from_cstr(text), 0);
	struct db_rows r;
	bool row;

	TRY(DB_QUERY(tx, &q, &r));
	for (int i = 0; i < FINDINGS_MAX; i++) {
		TRY(db_next(&r, &row));
		if (!row)
			return NULL;
		buf_add_str(out, db_text(&r, 0));
		buf_add_byte(out, '\n');
	}
	db_rows_close(&r);
	return NULL;
}

static struct err *
check_all(struct db_tx *tx, void *arg)
{
	struct buf *out = arg;

	buf_clear(out);
	/* PostgreSQL checks pages by their checksums when it reads them; what is left to ask is whether rules were left unproven. */
	if (db_tx_kind(tx) == DB_POSTGRES)
		return findings(tx,
			"SELECT 'constraint ' || conname || ' of ' || CAST(CAST(conrelid AS regclass) AS "
			"text) || ' is not validated' "
			"FROM pg_constraint WHERE NOT convalidated "
			"UNION ALL SELECT 'index ' || CAST(CAST(indexrelid AS regclass) AS text) || ' is not "
			"valid' "
			"FROM pg_index WHERE NOT indisvalid",
			out);
	TRY(findings(
		tx, "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'", out));
	return findings(tx,
		"SELECT 'row ' || coalesce(\"rowid\", '') || ' of ' || \"table\" || ' refers to a missing "
		"row of ' || parent "
		"FROM pragma_foreign_key_check",
		out);
}

struct err *
db_check(struct db *db, struct arena *a, struct buf *out)
{
	return db_read(db, a, check_all, out);
}
