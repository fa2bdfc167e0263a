/* `sextant demo remove`: takes the demo company and everything in it away, so that a trial can become the real thing. */
#include "app/command.h"
#include "app/demo.h"

struct err *
demo_command(struct command_context *c)
{
	if (c->config.argument_count != 1 || !str_eq(c->config.arguments[0], STR("remove")))
		return command_usage(c, "demo remove is the only form");
	struct command_database d;
	TRY(command_database_open(c, true, &d));
	struct err *e = demo_remove(d.db, c->arena);
	command_database_close(&d);
	if (!e)
		command_say(c, "the demo company is removed");
	return e;
}
