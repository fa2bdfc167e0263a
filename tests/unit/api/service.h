/* The interface over a real database and a real socket, with routes of the test's own; requests go through libcurl. */
#ifndef TEST_API_SERVICE_H
#define TEST_API_SERVICE_H

#include "../db/fixture.h"
#include "db/faults.h"
#include "item.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ADMIN "Authorization: Basic YWRhOmxvdmVsYWNlLTE4NDM=" /* ada:lovelace-1843 */

struct service {
	struct fixture db;
	struct arena *arena; /* of the interface; ended with it */
	struct iam *iam;
	struct api *api;
	struct str url; /* http://127.0.0.1:PORT */
	char *secret_file;
	int drain_ms; /* of service_free; a minute when 0 */
};

/* With the table `item` and the administrator ada of one company. o gives limits, tables and maybe a clock; the rest is filled in. */
struct service *service_new(enum db_kind kind, const struct api_options *o);
/* The same on a database with a plan of faults. */
struct service *service_new_faulty(enum db_kind kind, const struct api_options *o, struct db_faults *faults);
void service_free(struct service *s);

struct reply {
	long status;
	char *head; /* header lines */
	char *body;
};
/* headers: lines separated by '\n', "" for none. body NULL: none. */
struct reply service_ask(
	struct service *s, const char *method, const char *path, const char *headers, const char *body);
/* The same with a body of n bytes. */
struct reply service_send(
	struct service *s, const char *method, const char *path, const char *headers, struct str body);
/* The value of a header field, or "". Lives as long as the reply. */
const char *reply_field(struct reply *r, const char *name);
void reply_done(struct reply *r);
/* Asks, checks the status and forgets the rest. */
void service_expect(struct service *s, long status, const char *method, const char *path, const char *headers,
	const char *body);

#endif
