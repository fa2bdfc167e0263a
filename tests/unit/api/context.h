/* A request's context without a server, for what is pure in this room: grammars, bodies of errors and lists, replies. */
#ifndef TEST_API_CONTEXT_H
#define TEST_API_CONTEXT_H

#include "item.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct context {
	struct arena *arena;
	struct clock clock;
	struct api api;
	struct http_request request;
	struct api_route route;
	struct route_entry entry;
	struct api_pipeline *p;
	struct api_ctx *c;
};

/* GET path?query of a person of company 1 in Europe/Berlin at 2024-06-15T09:00:00.250Z, view and resource as given. */
struct context *context_new(const char *path, const char *query, const struct res_view *view);
void context_free(struct context *x);
/* What the reply wrote, as a NUL-terminated text. */
const char *context_body(const struct context *x);
/* A header field of the reply; NULL when absent. */
const char *context_field(const struct context *x, const char *name);
/* Must be NULL. */
void context_ok(struct err *e);

#endif
