/*
 * What the commands share: opening the database and holding the data directory. On SQLite one process serves a database, because what it
 * remembers of credentials is only told by its own commits; a lock on the directory keeps a second one out.
 */
#include "app/command.h"
#include "domain/kpi/kpi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err *
make_directory(struct command_context *c)
{
	const char *path = arena_cstr(c->arena, c->config.data);
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return NULL;
	return err_new(c->arena, ERR_UNAVAILABLE, "The data directory %s cannot be made: %s.", path,
		strerror(errno));
}

struct err *
command_lock(struct command_context *c, int *lock)
{
	TRY(make_directory(c));
	const char *path = arena_cstr(c->arena, config_file(c->arena, &c->config, "lock"));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_new(c->arena, ERR_UNAVAILABLE, "%s cannot be opened: %s.", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		(void)close(fd); /* nothing was written */
		return err_new(c->arena, ERR_UNAVAILABLE, "A server is running on %.*s; stop it first.",
			STR_ARG(c->config.data));
	}
	*lock = fd;
	return NULL;
}

struct err *
command_database_open(struct command_context *c, bool exclusive, struct command_database *out)
{
	struct command_database d = { .lock = -1 };
	TRY(make_directory(c));
	if (exclusive && c->config.database.n == 0)
		TRY(command_lock(c, &d.lock));
	struct db_options o = { .url = config_database(c->arena, &c->config),
		.connections = c->config.connections ? (int)c->config.connections : 8,
		.memory = &kpi_memory_kind };
	struct err *e = db_open(c->arena, &o, &d.db);
	if (!e) {
		int64_t applied = 0;
		e = db_migrate(d.db, c->arena, &applied);
	}
	if (e) {
		command_database_close(&d);
		return e;
	}
	*out = d;
	return NULL;
}

void
command_database_close(struct command_database *d)
{
	if (d->db)
		db_close(d->db);
	if (d->lock >= 0)
		(void)close(d->lock); /* gives the lock free whatever it returns */
	*d = (struct command_database){ .lock = -1 };
}

struct err *
command_usage(struct command_context *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str text = arena_vfmt(c->arena, format, args);
	va_end(args);
	return err_new(c->arena, ERR_INVALID_INPUT, "%s", text.p);
}

void
command_say(struct command_context *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str text = arena_vfmt(c->arena, format, args);
	va_end(args);
	(void)fprintf(stdout, "%s\n", text.p); /* a closed standard output is no reason to stop */
	(void)fflush(stdout);
}
