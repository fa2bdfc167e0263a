/*
 * The end of the process after a broken invariant: one line that names the place, then abort, so that a core or a sanitizer report
 * shows the stack. It writes with the plainest means, because whatever failed may be the allocator or the log.
 */
#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>

_Noreturn void
check_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr,
		"{\"level\":\"error\",\"message\":\"invariant broken\",\"file\":\"%s\",\"line\":%d}\n%s\n",
		file, line, condition);
	abort();
}
