/* `sextant user add`: a person from the command line, also the very first one. The password is read from standard input, never from an
 * argument, which other users of the machine could see. */
#include "app/command.h"
#include "base/random.h"
#include "domain/iam/person.h"
#include "domain/iam/setup.h"
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define LINE_BYTES (4 * PERSON_PASSWORD_MAX + 2)

/* A line without its end; false at the end of input or when it is too long. */
static bool
read_line(struct arena *a, struct str *out)
{
	char line[LINE_BYTES];
	if (!fgets(line, sizeof(line), stdin))
		return false;
	size_t n = strlen(line);
	bool whole = n + 1 < sizeof(line) || line[n - 1] == '\n';
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	*out = arena_str(a, (struct str){ line, n });
	secret_wipe(line, sizeof(line));
	return whole;
}

static struct err *
ask_password(struct command_context *c, struct str *out)
{
	struct termios before, silent;
	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return command_usage(c, "without a terminal the password comes from --password-stdin");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	struct str again = { 0 };
	(void)fputs("Password: ", stderr);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent); /* worst case it is visible */
	bool fine = read_line(c->arena, out);
	(void)fputs("\nAgain: ", stderr);
	fine = fine && read_line(c->arena, &again);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	(void)fputs("\n", stderr);
	if (!fine || !str_eq(*out, again))
		return command_usage(c, "the two passwords differ");
	return NULL;
}

struct err *
user_command(struct command_context *c)
{
	const struct config *o = &c->config;
	if (o->argument_count != 1 || !str_eq(o->arguments[0], STR("add")))
		return command_usage(c, "user add is the only form");
	if (o->username.n == 0 || o->company.n == 0)
		return command_usage(c, "user add needs --username and --company");
	struct account account = {
		.company = o->company, .username = o->username, .email = o->email, .role = o->role
	};
	if (!o->password_stdin)
		TRY(ask_password(c, &account.password));
	else if (!read_line(c->arena, &account.password))
		return command_usage(c, "standard input holds no password");
	if (account.password.n == 0)
		return command_usage(c, "the password is empty");

	struct command_database d;
	int64_t company_id = 0, person_id = 0;
	TRY(command_database_open(c, false, &d));
	struct err *e = account_add(d.db, c->arena, &clock_system, &account, &company_id, &person_id);
	command_database_close(&d);
	if (e)
		return e;
	command_say(c, "user %.*s (id %lld) of company %.*s (id %lld) added", STR_ARG(o->username),
		(long long)person_id, STR_ARG(o->company), (long long)company_id);
	return NULL;
}
