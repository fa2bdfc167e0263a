/*
 * What the files of this room share: the running interface and the state of one request. Handlers see api.h alone.
 */
#ifndef API_CORE_H
#define API_CORE_H

#include "api/answer_cache.h"
#include "api/idempotency.h"
#include "api/rate_limit.h"
#include "api/router.h"
#include "api/server.h"
#include "api/slow_pool.h"
#include "api/slow_routes.h"
#include "base/asset.h"
#include "base/limits.h"
#include "base/log.h"
#include "domain/iam/auth.h"
#include "live/live.h"
#include <stdatomic.h>

struct api {
	struct api_options options;
	struct http_server *http;
	struct stream_hub *streams;
	struct router *router;
	struct slow_pool *slow;
	struct slow_routes *slow_routes; /* NULL: reads do not run on the server's threads anyway */
	struct rate_limiter *limiter; /* NULL: off */
	struct answer_cache *cache;   /* NULL: off */
	struct prediction_cache *predictions;
	struct asset openapi; /* the description, made once at start */
	struct res_plans *plans;      /* of every resource and every view that a route names */
	struct instant started;
	_Atomic int64_t handed_on; /* requests that left their server thread and have not been answered */
	_Atomic int64_t idempotency_swept_us; /* when stored answers were last looked through for old ones */
};

struct api_done {
	bool made;
};

#define API_FIELDS_MAX 16 /* header fields of one answer besides the server's own */

/* Where a step runs: a server thread must not wait, the other two may. */
enum api_place { PLACE_SERVER, PLACE_DATABASE, PLACE_SLOW };

enum api_identity { IDENTITY_NEEDS_READ, IDENTITY_NEEDS_SLOW, IDENTITY_KNOWN };

struct api_pipeline {
	struct api_ctx c;
	const struct route_entry *entry;
	int thread; /* index of the server thread the request came in on */
	enum api_place place;
	bool suspended;
	enum api_identity identity;
	struct err *identity_fault;
	bool admitted;	    /* limits, permission and body have been looked at */
	bool identify_only; /* the transaction under way is for the credentials alone */
	struct db_job job;
	struct slow_task task;
	/* the answer */
	struct api_done done;
	struct http_answer answer;
	struct http_field fields[API_FIELDS_MAX];
	size_t field_count;
	struct err *fault;    /* what the log tells */
	struct err *rollback; /* what the transaction is told when the answer is no success */
	struct rate_state rate;
	struct idempotency_key key;
	struct cache_lookup cached;
	uint64_t epoch_before; /* of all companies, before the read transaction began */
	bool wants_last_page;
	struct live_opening *opening;	     /* the answer is a stream */
	struct outbox_position live_before; /* of API_STREAM: the present before the transaction */
	int64_t began_us;
};

/* stream.c: credentials of a stream's request, wherever they stand; and its answer, or the error that it is answered with. */
struct iam_credentials stream_credentials(const struct api_pipeline *p);
struct err *stream_answer(struct api_pipeline *p) MUST_USE;

/* pipeline.c: the server's handler, arg is the struct api. */
void api_on_request(void *arg, struct http_exchange *x);
/* A fault found before there was a request to route. */
void api_on_fault(void *arg, struct http_exchange *x, const struct err *e);
/* A context for a request, with arena, dialect and clock set; what unit tests start from too. */
void api_ctx_init(
	struct api_pipeline *p, struct api *api, const struct http_request *request, struct arena *a);

/* admission.c: rate limit, permission, query, body and Idempotency-Key. False: the answer has been made. */
bool api_admit(struct api_pipeline *p);
/* body.c: c->body from the request's, as the route's kind of body says. */
struct err *api_body_read(struct api_ctx *c) MUST_USE;

/* reply.c: before a handler runs (again): no answer, no fields, an empty body. */
void api_reply_reset(struct api_pipeline *p);
/* reply.c: {"items": [ … ]}'s array: the page's records in the route's view. */
void api_write_records(struct api_ctx *c, const struct res_page *page);

/* failure.c: the error's answer in p->answer, with its challenge. status 0: the code's. */
void api_failure(struct api_pipeline *p, struct err *e, int status);
/* failure.c: the members every error body has; error, message and detail are the dialect's wording. */
struct failure_texts {
	struct str error, message, detail, code;
};
void failure_members(
	struct json_out *o, struct api_ctx *c, const struct err *e, const struct failure_texts *t);
/* "Bad Request", and with a small second word "Bad request". */
struct str status_reason(int status);
struct str status_reason_plain(struct arena *a, int status);
/* The message as the dialect ends it. */
struct str failure_message(const struct api_ctx *c, const struct err *e);
/* details.c: {field: [text]}, {field: text}, or nested objects and arrays of lists as Django REST Framework nests them. */
void details_write(struct json_out *o, const struct err *e, enum details_style style);
void details_write_nested(struct json_out *o, struct arena *a, const struct err *e);
/* The members of the nested form alone, but those whose names are taken already. */
void details_hoist(struct json_out *o, struct arena *a, const struct err *e, const char *const *taken);

/* list_query.c / params.c */
bool param_name_matches(const struct dialect *d, struct str given, struct str name);
/* The present page's number for dialects that count pages, from 1. */
int64_t list_page_number(const struct list_query *q);
int64_t list_page_count(const struct list_query *q, int64_t total);

/* openapi.c: the description of every route as JSON text on the arena. */
struct str openapi_write(struct arena *a, const struct router *r, const char *version);

/* The version of this binary. */
extern const char *const api_version;

#endif
