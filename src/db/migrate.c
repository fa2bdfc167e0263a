/*
 * Brings the schema to this binary's version. Each migration commits together with its row in schema_migration; the lock is taken anew
 * for each, and what was applied is read under it, so that several nodes may start at once. The first migration makes the table itself.
 */
#include "db/migrate.h"
#include "db/driver.h"
#include "db/migrate_sql.h"

struct progress {
	int64_t applied; /* highest version in the database */
	int64_t applied_now;
};

static struct err *
newer_than_binary(struct arena *a, int64_t version)
{
	return err_new(a, ERR_UNAVAILABLE,
		"The database has schema version %lld, this program only knows %zu: use a newer program.",
		(long long)version, db_migration_count);
}

/* Compares a row of schema_migration with what this binary brings. */
static struct err *
check_row(struct arena *a, int64_t version, struct str checksum)
{
	if (version < 1 || (size_t)version > db_migration_count)
		return newer_than_binary(a, version);
	const struct db_migration *m = &db_migrations[version - 1];
	if (!str_eq(checksum, m->checksum))
		return err_new(a, ERR_UNAVAILABLE,
			"Migration %04lld_%s of the database is not the one of this program: the database "
			"was made by a changed program.",
			(long long)version, m->name);
	return NULL;
}

static struct err *
read_applied(struct db_tx *tx, int64_t *applied)
{
	struct db_rows r;
	bool row;
	int64_t expected = 1, version;

	*applied = 0;
	TRY(DB_FIND(tx, &sql_migration_table_find, &r, &row));
	if (!row)
		return NULL;
	TRY(DB_QUERY(tx, &sql_migration_list, &r));
	for (;;) {
		TRY(db_next(&r, &row));
		if (!row)
			return NULL;
		version = db_int(&r, 0);
		TRY(check_row(db_tx_arena(tx), version, db_text(&r, 2)));
		if (version != expected++)
			return err_new(db_tx_arena(tx), ERR_UNAVAILABLE,
				"Migration %04lld is missing in the database.", (long long)expected - 1);
		*applied = version;
	}
}

static struct err *
read_version(struct db_tx *tx, void *arg)
{
	return read_applied(tx, arg);
}

/* Applies the next migration, if there is one. */
static struct err *
apply_next(struct db_tx *tx, void *arg)
{
	struct progress *p = arg;
	struct db_rows r;
	bool found;

	p->applied_now = 0;
	TRY(DB_FIND(tx, &sql_migration_lock, &r, &found));
	TRY(read_applied(tx, &p->applied));
	if ((size_t)p->applied == db_migration_count)
		return NULL;
	const struct db_migration *m = &db_migrations[p->applied];
	TRY(tx->conn->driver->script(tx, m->text[db_tx_kind(tx)]));
	p->applied = m->version;
	p->applied_now = 1;
	return DB_EXEC(tx, &sql_migration_add, P_INT(m->version), P_TEXT(str_from_cstr(m->name)),
		P_TEXT(m->checksum), P_INSTANT(clock_system.now(&clock_system)));
}

struct err *
db_migrate(struct db *db, struct arena *a, int64_t *applied)
{
	struct progress p;
	int64_t count = 0;

	do {
		TRY(db_write(db, a, apply_next, &p));
		count += p.applied_now;
	} while (p.applied_now && (size_t)p.applied < db_migration_count);
	if (applied)
		*applied = count;
	return NULL;
}

struct err *
db_schema_version(struct db *db, struct arena *a, int64_t *applied, int64_t *latest)
{
	int64_t version;

	TRY(db_read(db, a, read_version, &version));
	*applied = version;
	*latest = (int64_t)db_migration_count;
	return NULL;
}
