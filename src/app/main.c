/*
 * The program's entry: a table of commands, their help, and the way from a result to an exit code. What a command does stands in its
 * own file; forecasting takes its arguments as they are, because its library knows nothing of the rest.
 */
#include "api/server.h"
#include "app/command.h"
#include "app/forecast_command.h"
#include "base/random.h"
#include <stdio.h>

#define COMMAND_MEMORY (256u << 20) /* of one run; the server's requests have their own */

struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	enum config_command options;
	command_function *run;
};

static struct err *openapi_command(struct command_context *c);
static struct err *version_command(struct command_context *c);
static struct err *help_command(struct command_context *c);

static const struct command commands[] = {
	{ "serve", "", "run the server", CONFIG_SERVE, serve_command },
	{ "user", "add", "add a person who can log in, and the company when it is new", CONFIG_USER,
		user_command },
	{ "migrate", "", "bring the database's schema to this version", CONFIG_DATABASE, migrate_command },
	{ "backup", "FILE", "write a consistent copy of the database", CONFIG_DATABASE, backup_command },
	{ "restore", "FILE", "put such a copy in the database's place", CONFIG_RESTORE, restore_command },
	{ "check", "", "look for damage in the database", CONFIG_DATABASE, check_command },
	{ "recalculate", "", "make every stored figure anew from the records and say which were wrong",
		CONFIG_DATABASE, recalculate_command },
	{ "import", "FILE.csv", "record a file's values for a KPI", CONFIG_IMPORT, import_command },
	{ "demo", "remove", "remove the demo company and everything in it", CONFIG_DEMO, demo_command },
	{ "mail", "test ADDR", "send a message to see whether the mail server takes it", CONFIG_MAIL,
		mail_command },
	{ "openapi", "", "print the description of the interface", CONFIG_NONE, openapi_command },
	{ "version", "", "print the version", CONFIG_NONE, version_command },
	{ "help", "[COMMAND]", "print this, or the options of a command", CONFIG_NONE, help_command },
};

static const struct command *
command_find(struct str name)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (str_eq(name, str_from_cstr(commands[i].name)))
			return &commands[i];
	return NULL;
}

static struct err *
openapi_command(struct command_context *c)
{
	struct str text;
	TRY(api_describe(c->arena, &text));
	command_say(c, "%.*s", STR_ARG(text));
	return NULL;
}

static struct err *
version_command(struct command_context *c)
{
	command_say(c, "sextant %s", api_version);
	return NULL;
}

static void
print_overview(struct command_context *c)
{
	struct buf b;
	buf_init_arena(&b, c->arena, 65536);
	buf_add_lit(&b, "usage: sextant COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < COUNT(commands); i++)
		buf_add_fmt(&b, "  %-11s %-10s %s\n", commands[i].name, commands[i].arguments,
			commands[i].summary);
	buf_add_fmt(&b, "  %-11s %-10s %s\n", "forecast", "FILE.csv", "forecast the series of a file");
	buf_add_lit(&b, "\nsextant help COMMAND lists the options of a command; each can also be set in the "
			"environment,\n"
			"--tls-cert FILE as SEXTANT_TLS_CERT=FILE.");
	command_say(c, "%.*s", (int)b.len, b.p);
}

static void
print_command(struct command_context *c, const struct command *command)
{
	struct buf b;
	buf_init_arena(&b, c->arena, 65536);
	buf_add_fmt(&b, "usage: sextant %s %s%s[OPTION...]\n\n%s\n\n", command->name, command->arguments,
		command->arguments[0] ? " " : "", command->summary);
	config_help(&b, command->options);
	command_say(c, "%.*s", (int)b.len - 1, b.p);
}

static struct err *
help_command(struct command_context *c)
{
	if (c->config.argument_count == 0) {
		print_overview(c);
		return NULL;
	}
	const struct command *command = command_find(c->config.arguments[0]);
	if (!command)
		return command_usage(c, "there is no command %.*s", STR_ARG(c->config.arguments[0]));
	print_command(c, command);
	return NULL;
}

static int
fail(const struct err *e, const struct command *command)
{
	struct buf b;
	buf_init(&b, 65536);
	buf_add_lit(&b, "sextant: ");
	buf_add_str(&b, e->message);
	for (const struct err_field *f = e->fields; f; f = f->next)
		buf_add_fmt(&b, "\n  %.*s: %.*s", STR_ARG(f->field), STR_ARG(f->message));
	if (e->detail.n)
		buf_add_fmt(&b, "\n  %.*s", STR_ARG(e->detail));
	bool usage = e->code == ERR_INVALID_INPUT && !e->fields;
	if (usage)
		buf_add_fmt(
			&b, "\n  try: sextant help%s%s", command ? " " : "", command ? command->name : "");
	(void)fprintf(stderr, "%.*s\n", (int)b.len, b.p); /* where else could a failure to say it be said */
	buf_done(&b);
	return usage ? EXIT_USAGE : EXIT_FAULT;
}

static int
run(struct command_context *c, int argc, char **argv)
{
	struct str name = argc > 1 ? str_from_cstr(argv[1]) : STR("help");
	if (str_eq(name, STR("--help")) || str_eq(name, STR("-h")))
		name = STR("help");
	if (str_eq(name, STR("--version")))
		name = STR("version");
	const struct command *command = command_find(name);
	if (!command)
		return fail(command_usage(c, "there is no command %.*s", STR_ARG(name)), NULL);
	for (int i = 2; i < argc; i++) {
		if (str_eq(str_from_cstr(argv[i]), STR("--help"))) {
			print_command(c, command);
			return EXIT_FINE;
		}
	}
	struct err *e =
		config_read(c->arena, command->options, argc > 2 ? argc - 2 : 0, argv + 2, &c->config);
	if (e)
		return fail(e, command);
	log_set_level(config_log_level(&c->config));
	e = command->run(c);
	return e ? fail(e, command) : EXIT_FINE;
}

int
main(int argc, char **argv)
{
	if (argc > 1 && str_eq(str_from_cstr(argv[1]), STR("forecast")))
		return forecast_command(argc - 1, argv + 1);
	if (!random_start()) {
		(void)fprintf(stderr,
			"sextant: the system has no source of randomness\n"); /* nothing more can be done */
		return EXIT_FAULT;
	}
	struct command_context c = { .arena = arena_new(COMMAND_MEMORY) };
	int code = run(&c, argc, argv);
	arena_free(c.arena);
	return code;
}
