/* Commands that look after the database: migrate, backup, restore, check. */
#include "app/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err *
one_argument(struct command_context *c, struct str *out)
{
	if (c->config.argument_count != 1)
		return command_usage(c, "one file name is expected");
	*out = c->config.arguments[0];
	return NULL;
}

static struct err *
no_argument(struct command_context *c)
{
	return c->config.argument_count ? command_usage(c, "no argument is expected") : NULL;
}

struct err *
migrate_command(struct command_context *c)
{
	TRY(no_argument(c));
	struct command_database d;
	int64_t applied = 0, latest = 0;
	TRY(command_database_open(c, false, &d));
	struct err *e = db_schema_version(d.db, c->arena, &applied, &latest);
	command_database_close(&d);
	if (!e)
		command_say(c, "schema version %lld", (long long)applied);
	return e;
}

struct err *
backup_command(struct command_context *c)
{
	struct str file;
	TRY(one_argument(c, &file));
	struct command_database d;
	TRY(command_database_open(c, false, &d));
	struct err *e = db_backup(d.db, c->arena, file);
	command_database_close(&d);
	if (!e)
		command_say(c, "written to %.*s; keep %.*s/secret.key with it", STR_ARG(file),
			STR_ARG(c->config.data));
	return e;
}

struct err *
check_command(struct command_context *c)
{
	TRY(no_argument(c));
	struct command_database d;
	struct buf findings;
	buf_init_arena(&findings, c->arena, 1 << 20);
	TRY(command_database_open(c, false, &d));
	struct err *e = db_check(d.db, c->arena, &findings);
	command_database_close(&d);
	if (e)
		return e;
	if (findings.len)
		return err_new(c->arena, ERR_UNAVAILABLE, "The database is damaged:\n%.*s", (int)findings.len,
			findings.p);
	command_say(c, "the database is sound");
	return NULL;
}

static struct err *
file_error(struct command_context *c, const char *path, const char *what)
{
	return err_new(c->arena, ERR_UNAVAILABLE, "%s cannot be %s: %s.", path, what, strerror(errno));
}

/* Bytes of one file into a new one, on the disk when it returns. */
static struct err *
copy_file(struct command_context *c, const char *from, const char *to)
{
	char block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return file_error(c, from, "read");
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = out < 0 ? -1 : 1;
	while (n > 0) {
		n = read(in, block, sizeof(block));
		if (n > 0 && write(out, block, (size_t)n) != n)
			n = -1;
	}
	struct err *e = n < 0 || fsync(out) != 0 ? file_error(c, to, "written") : NULL;
	(void)close(in); /* only read */
	if (out >= 0 && close(out) != 0 && !e)
		e = file_error(c, to, "written");
	return e;
}

/* A copy that opens, is sound and not newer than this program; the message names what it was copied from. */
static struct err *
check_copy(struct command_context *c, struct str file, struct str original)
{
	struct db *db = NULL;
	struct buf findings;
	int64_t applied = 0, latest = 0;
	struct db_options o = { .url = file, .connections = 1, .read_only = true };
	buf_init_arena(&findings, c->arena, 1 << 20);
	struct err *e = db_open(c->arena, &o, &db);
	if (!e)
		e = db_check(db, c->arena, &findings);
	if (!e)
		e = db_schema_version(db, c->arena, &applied, &latest);
	if (db)
		db_close(db);
	if (!e && findings.len == 0 && applied > 0 && applied <= latest)
		return NULL;
	struct err *told = err_new(c->arena, ERR_UNAVAILABLE,
		"%.*s is no sound database of this program, or of a newer version.", STR_ARG(original));
	if (e)
		told->detail = e->detail;
	return told;
}

static struct err *
replace_database(struct command_context *c, const char *copy)
{
	static const char *const rest[] = { "sextant.db-wal", "sextant.db-shm" };
	const char *target = arena_cstr(c->arena, config_file(c->arena, &c->config, "sextant.db"));
	for (size_t i = 0; i < COUNT(rest); i++) {
		const char *path = arena_cstr(c->arena, config_file(c->arena, &c->config, rest[i]));
		if (unlink(path) != 0 && errno != ENOENT)
			return file_error(c, path, "removed");
	}
	return rename(copy, target) == 0 ? NULL : file_error(c, target, "replaced");
}

struct err *
restore_command(struct command_context *c)
{
	struct str file;
	struct stat st;
	int lock = -1;
	TRY(one_argument(c, &file));
	if (c->config.database.n)
		return command_usage(c, "restore is for SQLite; use pg_restore for PostgreSQL");
	const char *target = arena_cstr(c->arena, config_file(c->arena, &c->config, "sextant.db"));
	const char *copy = arena_cstr(c->arena, config_file(c->arena, &c->config, "sextant.db.restore"));
	if (stat(target, &st) == 0 && !c->config.force)
		return err_new(c->arena, ERR_UNAVAILABLE, "%s exists; --force replaces it.", target);
	TRY(command_lock(c, &lock));
	struct err *e = copy_file(c, arena_cstr(c->arena, file), copy);
	if (!e)
		e = check_copy(c, str_from_cstr(copy), file);
	if (!e)
		e = replace_database(c, copy);
	if (e)
		(void)unlink(copy); /* what was not put in place is of no use */
	(void)close(lock);
	if (!e)
		command_say(c, "restored from %.*s", STR_ARG(file));
	return e;
}
