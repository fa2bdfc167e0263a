/*
 * Configuration: every option is a row of one table, can be given on the command line or as SEXTANT_… in the environment, and is
 * refused where a command has no use for it. The command line wins.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

#define CONFIG_LISTEN_MAX    8
#define CONFIG_ARGUMENTS_MAX 4

/* Who takes an option. */
enum config_command {
	CONFIG_SERVE = 1 << 0,
	CONFIG_USER = 1 << 1,
	CONFIG_DATABASE = 1 << 2, /* commands that only need the database */
	CONFIG_IMPORT = 1 << 3,
	CONFIG_RESTORE = 1 << 4,
	CONFIG_DEMO = 1 << 5,
	CONFIG_MAIL = 1 << 6,
	CONFIG_NONE = 1 << 7,
};

struct config {
	struct str data;     /* directory */
	struct str database; /* URL; empty: SQLite in data */
	struct str listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	bool demo, demo_shift;
	bool no_rate_limit, no_answer_cache;
	bool behind_proxy, insecure_http;
	bool login_failures_401, allow_private_webhooks;
	struct str tls_cert, tls_key;
	struct str cors, public_url, log_level, rate_limits;
	struct str mail_server, mail_from, mail_user, mail_password_file, mail_ca;
	bool mail_insecure;
	int64_t threads, connections, slow_threads;
	int64_t access_token_s, refresh_token_s, event_days;
	/* of user add, import and restore */
	struct str username, role, company, email, kpi;
	bool password_stdin, force;
	/* what is no option */
	struct str arguments[CONFIG_ARGUMENTS_MAX];
	size_t argument_count;
};

/*
 * Reads the environment, then the arguments behind the command's name. INVALID_INPUT with a message for people: unknown option, missing
 * or bad value, too many arguments.
 */
struct err *config_read(
	struct arena *a, enum config_command command, int argc, char **argv, struct config *out) MUST_USE;
/* The options of a command, one a line, for its help. */
void config_help(struct buf *b, enum config_command command);
enum log_level config_log_level(const struct config *c);
/* The URL given, or the file below the data directory. */
struct str config_database(struct arena *a, const struct config *c);
struct str config_file(struct arena *a, const struct config *c, const char *name);

#endif
