/* The table of options and the one loop that reads them from either place. */
#include "app/config.h"

#include "base/decimal.h"
#include "base/limits.h"
#include <stdlib.h>

enum kind { FLAG, TEXT, NUMBER, ADDRESSES, LEVEL };

struct option {
	const char *name;
	enum kind kind;
	unsigned commands;
	size_t offset;
	int64_t min, max;  /* of numbers */
	const char *value; /* as the help names it */
	const char *doc;
};

#define O(member) offsetof(struct config, member)
#define MAIL	  (CONFIG_SERVE | CONFIG_MAIL)
#define ALL_DB	  (CONFIG_SERVE | CONFIG_USER | CONFIG_DATABASE | CONFIG_IMPORT | CONFIG_RESTORE | CONFIG_DEMO)

static const struct option options[] = {
	{ "data", TEXT, ALL_DB, O(data), 0, 0, "DIR", "directory of the server's files (./sextant-data)" },
	{ "database", TEXT, ALL_DB, O(database), 0, 0, "URL",
		"postgres://…; without it SQLite in the data directory" },
	{ "listen", ADDRESSES, CONFIG_SERVE, O(listen), 0, 0, "ADDR:PORT",
		"where to listen (127.0.0.1:8000); may be repeated, port 0 takes a free one" },
	{ "demo", FLAG, CONFIG_SERVE, O(demo), 0, 0, NULL,
		"load the demo company when there is no company yet" },
	{ "demo-shift", FLAG, CONFIG_SERVE, O(demo_shift), 0, 0, NULL,
		"move the demo's dates so that they end today" },
	{ "no-rate-limit", FLAG, CONFIG_SERVE, O(no_rate_limit), 0, 0, NULL,
		"accept any number of requests" },
	{ "rate-limits", TEXT, CONFIG_SERVE, O(rate_limits), 0, 0, "LIST",
		"business=1000,business-anonymous=100,business-admin=5000,crm=1000,campaign=100,"
		"retrospective=10" },
	{ "no-answer-cache", FLAG, CONFIG_SERVE, O(no_answer_cache), 0, 0, NULL, "make every answer anew" },
	{ "tls-cert", TEXT, CONFIG_SERVE, O(tls_cert), 0, 0, "FILE",
		"certificate chain in PEM: serve HTTPS" },
	{ "tls-key", TEXT, CONFIG_SERVE, O(tls_key), 0, 0, "FILE", "its private key in PEM" },
	{ "behind-proxy", FLAG, CONFIG_SERVE, O(behind_proxy), 0, 0, NULL,
		"trust X-Forwarded-For and -Proto of the peer" },
	{ "insecure-http", FLAG, CONFIG_SERVE, O(insecure_http), 0, 0, NULL,
		"allow plain HTTP on a public address" },
	{ "cors", TEXT, CONFIG_SERVE, O(cors), 0, 0, "ORIGINS",
		"origins that browsers may call from: *, a list, or none (*)" },
	{ "public-url", TEXT, CONFIG_SERVE, O(public_url), 0, 0, "URL",
		"the server's address as clients see it" },
	{ "threads", NUMBER, CONFIG_SERVE, O(threads), 1, 256, "N", "HTTP threads (one a core)" },
	{ "connections", NUMBER, CONFIG_SERVE | CONFIG_IMPORT, O(connections), 1, 1000, "N",
		"database connections (8)" },
	{ "slow-threads", NUMBER, CONFIG_SERVE, O(slow_threads), 1, 64, "N",
		"threads for slow work (one a core, at least 2)" },
	{ "access-token-seconds", NUMBER, CONFIG_SERVE, O(access_token_s), 1, 31536000, "N",
		"life of an access token (3600)" },
	{ "refresh-token-seconds", NUMBER, CONFIG_SERVE, O(refresh_token_s), 1, 315360000, "N",
		"life of a refresh token (604800)" },
	{ "event-days", NUMBER, CONFIG_SERVE, O(event_days), 0, 36500, "N",
		"days that events, the audit trail, are kept; 0 for ever (400)" },
	{ "login-failures-401", FLAG, CONFIG_SERVE, O(login_failures_401), 0, 0, NULL,
		"i_auth and ex_auth answer failures with 401 and 403 instead of 500 and 505" },
	{ "allow-private-webhooks", FLAG, CONFIG_SERVE, O(allow_private_webhooks), 0, 0, NULL,
		"webhooks may reach this machine and private networks" },
	{ "mail-server", TEXT, MAIL, O(mail_server), 0, 0, "URL",
		"smtp://host:587 or smtps://host:465; without it nobody is mailed" },
	{ "mail-from", TEXT, MAIL, O(mail_from), 0, 0, "ADDRESS",
		"sender of mail: kpi@example.com or \"Sextant <kpi@example.com>\"" },
	{ "mail-user", TEXT, MAIL, O(mail_user), 0, 0, "NAME",
		"name at the mail server; without it no login" },
	{ "mail-password-file", TEXT, MAIL, O(mail_password_file), 0, 0, "FILE",
		"file with the password there" },
	{ "mail-ca", TEXT, MAIL, O(mail_ca), 0, 0, "FILE",
		"certificates in PEM that the mail server's may come from (the system's)" },
	{ "mail-insecure", FLAG, MAIL, O(mail_insecure), 0, 0, NULL,
		"send mail in clear when a mail server elsewhere offers no TLS" },
	{ "log-level", LEVEL, ALL_DB | CONFIG_MAIL, O(log_level), 0, 0, "LEVEL",
		"debug, info, warn or error (info)" },
	{ "username", TEXT, CONFIG_USER, O(username), 0, 0, "NAME", "name to log in with" },
	{ "email", TEXT, CONFIG_USER, O(email), 0, 0, "ADDRESS", "e-mail address" },
	{ "role", TEXT, CONFIG_USER, O(role), 0, 0, "ROLE",
		"ADMIN, MANAGER, SUPERVISOR, HR, ANALYST, STAFF, … (EMPLOYEE)" },
	{ "company", TEXT, CONFIG_USER | CONFIG_IMPORT, O(company), 0, 0, "NAME",
		"company; made when there is none of the name" },
	{ "kpi", TEXT, CONFIG_IMPORT, O(kpi), 0, 0, "ID", "the KPI whose values are imported" },
	{ "password-stdin", FLAG, CONFIG_USER, O(password_stdin), 0, 0, NULL,
		"read the password from standard input" },
	{ "force", FLAG, CONFIG_RESTORE, O(force), 0, 0, NULL, "replace the database that is there" },
};

static struct err *
bad(struct arena *a, const struct option *o, const char *from, const char *what)
{
	return err_new(a, ERR_INVALID_INPUT, "%s%s: %s", from, o->name, what);
}

static struct err *
take_number(struct arena *a, const struct option *o, struct str value, const char *from, int64_t *at)
{
	int64_t n = 0;
	if (!str_to_int(value, &n) || n < o->min || n > o->max)
		return bad(a, o, from,
			arena_fmt(a, "a number from %lld to %lld is expected", (long long)o->min,
				(long long)o->max)
				.p);
	*at = n;
	return NULL;
}

static struct err *
take_addresses(struct arena *a, const struct option *o, struct str value, const char *from, struct config *c)
{
	struct str rest = value, one;
	while (str_split(&rest, ',', &one)) {
		if (c->listen_count == CONFIG_LISTEN_MAX)
			return bad(a, o, from, "too many addresses");
		c->listen[c->listen_count++] = str_trim(one);
	}
	return NULL;
}

static struct err *
take_flag(struct arena *a, const struct option *o, struct str value, const char *from, bool *at)
{
	static const char *const yes[] = { "", "1", "true", "yes", "on" };
	static const char *const no[] = { "0", "false", "no", "off" };
	for (size_t i = 0; i < COUNT(yes); i++)
		if (str_eq_nocase(value, str_from_cstr(yes[i]))) {
			*at = true;
			return NULL;
		}
	for (size_t i = 0; i < COUNT(no); i++)
		if (str_eq_nocase(value, str_from_cstr(no[i]))) {
			*at = false;
			return NULL;
		}
	return bad(a, o, from, "true or false is expected");
}

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"
};

static bool
level_find(struct str name, enum log_level *out)
{
	for (size_t i = 0; i < COUNT(level_names); i++)
		if (str_eq_nocase(name, str_from_cstr(level_names[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

static struct err *
take(struct arena *a, const struct option *o, struct str value, const char *from, struct config *c)
{
	char *at = (char *)c + o->offset;
	enum log_level level;
	switch (o->kind) {
	case FLAG:
		return take_flag(a, o, value, from, (bool *)at);
	case NUMBER:
		return take_number(a, o, value, from, (int64_t *)(void *)at);
	case ADDRESSES:
		return take_addresses(a, o, value, from, c);
	case LEVEL:
		if (!level_find(value, &level))
			return bad(a, o, from, "debug, info, warn or error is expected");
		*(struct str *)(void *)at = value;
		return NULL;
	case TEXT:
		*(struct str *)(void *)at = value;
		return NULL;
	}
	return NULL;
}

/* "tls-cert" → "SEXTANT_TLS_CERT" */
static const char *
environment_name(struct arena *a, const struct option *o)
{
	struct str name = arena_fmt(a, "SEXTANT_%s", o->name);
	char *p = (char *)(uintptr_t)name.p;
	for (size_t i = 0; i < name.n; i++)
		p[i] = p[i] == '-' ? '_' : p[i] >= 'a' && p[i] <= 'z' ? (char)(p[i] - 'a' + 'A') : p[i];
	return name.p;
}

static struct err *
read_environment(struct arena *a, enum config_command command, struct config *c)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		const char *name = environment_name(a, &options[i]);
		const char *value = getenv(name);
		if (!value || !(options[i].commands & (unsigned)command))
			continue;
		struct err *e = take(a, &options[i], str_from_cstr(value), arena_fmt(a, "%s, --", name).p, c);
		if (e)
			return e;
	}
	return NULL;
}

static const struct option *
option_find(struct str name)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (str_eq(name, str_from_cstr(options[i].name)))
			return &options[i];
	return NULL;
}

/* "--name", "--name=value" or "--name value"; *used arguments were taken. */
static struct err *
read_option(struct arena *a, enum config_command command, int left, char **argv, struct config *c, int *used)
{
	struct str text = str_sub(str_from_cstr(argv[0]), 2, SIZE_MAX);
	size_t equals = str_index(text, '=', 0);
	struct str name = str_sub(text, 0, equals);
	const struct option *o = option_find(name);
	*used = 1;
	if (!o)
		return err_new(a, ERR_INVALID_INPUT, "unknown option --%.*s", STR_ARG(name));
	if (!(o->commands & (unsigned)command))
		return err_new(a, ERR_INVALID_INPUT, "this command has no option --%s", o->name);
	if (equals < text.n)
		return take(a, o, str_sub(text, equals + 1, SIZE_MAX), "--", c);
	if (o->kind == FLAG)
		return take(a, o, STR(""), "--", c);
	if (left < 2)
		return bad(a, o, "--", "a value is missing");
	*used = 2;
	return take(a, o, str_from_cstr(argv[1]), "--", c);
}

struct err *
config_read(struct arena *a, enum config_command command, int argc, char **argv, struct config *out)
{
	struct config c = { .data = STR("./sextant-data"), .cors = STR("*"), .event_days = LIMIT_EVENT_DAYS };
	TRY(read_environment(a, command, &c));
	size_t from_environment = c.listen_count;
	for (int i = 0, used = 0; i < argc; i += used) {
		used = 1;
		if (str_starts_with(str_from_cstr(argv[i]), STR("--"))) {
			/* Addresses of the command line replace those of the environment. */
			if (from_environment && str_starts_with(str_from_cstr(argv[i]), STR("--listen")))
				c.listen_count = from_environment = 0;
			TRY(read_option(a, command, argc - i, argv + i, &c, &used));
		} else if (c.argument_count < CONFIG_ARGUMENTS_MAX) {
			c.arguments[c.argument_count++] = str_from_cstr(argv[i]);
		} else {
			return err_new(a, ERR_INVALID_INPUT, "too many arguments: %s", argv[i]);
		}
	}
	if (c.data.n == 0)
		return err_new(a, ERR_INVALID_INPUT, "--data: a directory is expected");
	if ((c.tls_cert.n == 0) != (c.tls_key.n == 0))
		return err_new(a, ERR_INVALID_INPUT, "--tls-cert and --tls-key belong together");
	*out = c;
	return NULL;
}

void
config_help(struct buf *b, enum config_command command)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		const struct option *o = &options[i];
		if (!(o->commands & (unsigned)command))
			continue;
		size_t before = b->len;
		buf_add_fmt(b, "  --%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
		while (b->len - before < 30)
			buf_add_byte(b, ' ');
		buf_add_fmt(b, " %s\n", o->doc);
	}
}

enum log_level
config_log_level(const struct config *c)
{
	enum log_level level = LOG_INFO;
	if (c->log_level.n)
		(void)level_find(c->log_level, &level); /* it was checked when it was read */
	return level;
}

struct str
config_file(struct arena *a, const struct config *c, const char *name)
{
	return arena_fmt(a, "%.*s/%s", STR_ARG(c->data), name);
}

struct str
config_database(struct arena *a, const struct config *c)
{
	return c->database.n ? c->database : config_file(a, c, "sextant.db");
}
