/* The commands of the program: one row of the table in main.c each, one file each. */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include "app/config.h"
#include "db/db.h"

/* Exit codes. */
#define EXIT_FINE  0
#define EXIT_FAULT 1 /* it was tried and went wrong */
#define EXIT_USAGE 2 /* it was not understood */

/* What a command works with; made by main.c, freed when it returns. */
struct command_context {
	struct arena *arena; /* of the whole run */
	struct config config;
};
typedef struct err *command_function(struct command_context *c);

struct err *serve_command(struct command_context *c) MUST_USE;
struct err *user_command(struct command_context *c) MUST_USE;
struct err *migrate_command(struct command_context *c) MUST_USE;
struct err *backup_command(struct command_context *c) MUST_USE;
struct err *restore_command(struct command_context *c) MUST_USE;
struct err *check_command(struct command_context *c) MUST_USE;
struct err *recalculate_command(struct command_context *c) MUST_USE;
struct err *import_command(struct command_context *c) MUST_USE;
struct err *demo_command(struct command_context *c) MUST_USE;
struct err *mail_command(struct command_context *c) MUST_USE;

/* Opens the configured database, making the data directory first. SQLite: UNAVAILABLE when exclusive and a server runs on it. */
struct command_database {
	struct db *db;
	int lock; /* descriptor that holds the data directory, −1: none */
};
struct err *command_database_open(
	struct command_context *c, bool exclusive, struct command_database *out) MUST_USE;
void command_database_close(struct command_database *d);
/* The data directory for this process alone, without opening a database. */
struct err *command_lock(struct command_context *c, int *lock) MUST_USE;

/* The mail server of the options, password and all, checked. out->url empty: none is set. */
struct mail_server;
struct err *command_mail_server(struct command_context *c, struct mail_server *out) MUST_USE;

/* An error of a wrong command line: exit code 2. */
struct err *command_usage(struct command_context *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* One line on standard output. */
void command_say(struct command_context *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
