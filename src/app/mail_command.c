/* The options of the mail server, and `sextant mail test ADDRESS`, which sends one message with them and says what came of it. */
#include "app/command.h"
#include "base/random.h"
#include "net/mail_client.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define PASSWORD_BYTES 1024

/* The file's first line. */
static struct err *
read_password(struct arena *a, struct str file, struct str *out)
{
	char line[PASSWORD_BYTES];
	FILE *f = fopen(arena_cstr(a, file), "re");

	if (!f)
		return err_new(
			a, ERR_UNAVAILABLE, "mail-password-file: %.*s: %s", STR_ARG(file), strerror(errno));
	size_t n = fread(line, 1, sizeof(line), f);
	const bool failed = ferror(f);
	(void)fclose(f); /* only read from */
	const struct str all = arena_str(a, (struct str){ line, n });
	secret_wipe(line, sizeof(line));
	*out = str_sub(all, 0, str_index(all, '\n', 0));
	if (out->n && out->p[out->n - 1] == '\r')
		*out = str_sub(*out, 0, out->n - 1);
	if (failed || out->n == 0 || n == sizeof(line) || str_index(*out, '\0', 0) < out->n)
		return err_new(a, ERR_UNAVAILABLE,
			"mail-password-file: %.*s holds no password in its first line", STR_ARG(file));
	return NULL;
}

struct err *
command_mail_server(struct command_context *c, struct mail_server *out)
{
	const struct config *o = &c->config;

	*out = (struct mail_server){ .url = o->mail_server,
		.user = o->mail_user,
		.from = o->mail_from,
		.allows_plain = o->mail_insecure,
		.ca_file = o->mail_ca };
	if (!o->mail_server.n) {
		if (o->mail_from.n || o->mail_user.n || o->mail_password_file.n || o->mail_ca.n ||
			o->mail_insecure)
			return command_usage(c, "mail needs --mail-server too");
		return NULL;
	}
	if (!o->mail_from.n)
		return command_usage(c, "--mail-server needs --mail-from");
	if (o->mail_user.n != 0 && !o->mail_password_file.n)
		return command_usage(c, "--mail-user needs --mail-password-file");
	if (o->mail_password_file.n && !o->mail_user.n)
		return command_usage(c, "--mail-password-file needs --mail-user");
	if (o->mail_password_file.n)
		TRY(read_password(c->arena, o->mail_password_file, &out->password));
	if (o->mail_ca.n && access(arena_cstr(c->arena, o->mail_ca), R_OK) != 0)
		return err_new(
			c->arena, ERR_UNAVAILABLE, "mail-ca: %.*s: %s", STR_ARG(o->mail_ca), strerror(errno));
	return mail_server_check(c->arena, out);
}

struct err *
mail_command(struct command_context *c)
{
	const struct config *o = &c->config;
	struct mail_server server;

	if (o->argument_count != 2 || !str_eq(o->arguments[0], STR("test")))
		return command_usage(c, "mail test ADDRESS is the only form");
	TRY(command_mail_server(c, &server));
	if (!server.url.n)
		return command_usage(c, "mail test needs --mail-server and --mail-from");
	const struct mail mail = { .to = o->arguments[1],
		.subject = STR("Mail from Sextant arrives"),
		.text = STR(
			"Hello,\n\nthis message was sent to see whether Sextant's mail arrives. It does.\n"),
		.id = arena_fmt(c->arena, "test.%lld", (long long)clock_system.now(&clock_system).us),
		.date = clock_system.now(&clock_system) };
	struct err *e = mail_send(&server, c->arena, &mail);
	if (e) {
		e->code = ERR_UNAVAILABLE; /* it was understood and did not work */
		return e;
	}
	command_say(c, "%.*s has taken a message to %.*s over", STR_ARG(server.url), STR_ARG(mail.to));
	return NULL;
}
