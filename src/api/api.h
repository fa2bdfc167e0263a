/*
 * What a handler sees: the request context, the reply functions and the route rows. A route row declares method, path, permission, body
 * and kind of work; the pipeline (pipeline.c) has routed, authenticated, limited, parsed and opened the transaction before a handler
 * runs, so a handler holds only its own thought. A handler must return a struct api_done, which only the reply functions make: forgetting
 * to reply does not compile.
 */
#ifndef API_API_H
#define API_API_H

#include "codec/form.h"
#include "net/http.h"
#include "resource/outbox.h"
#include "resource/resource.h"

struct api;        /* the running interface: routes, caches, keys, limits, database */
struct api_done;   /* opaque proof that a reply was made */
struct api_ctx;
struct iam;        /* domain/iam/auth.h */
struct live;       /* live/live.h */
struct live_opening;
struct dialect;    /* dialect.h: how a contract spells lists, paging, errors */

typedef struct api_done *api_handler(struct api_ctx *c);

enum api_work {
	API_PLAIN, /* no database: on the HTTP thread, must be short */
	API_READ,  /* in a read snapshot: on the HTTP thread where db_reads_inline(), on a database thread otherwise */
	API_WRITE, /* in a write transaction of the group-commit writer; the answer is sent when it is durable; may run again */
	/*
	 * Like API_READ, but the answer is a stream (api_stream). Credentials may also come as ?token= or in the list of subprotocols, because
	 * browsers cannot set header fields here; and a WebSocket handshake reaches the handler whoever sends it, because they cannot see
	 * the status of a refused one either: it opens, and closes with 4401 (api_identity_fault).
	 */
	API_STREAM,
	API_SLOW   /* on the pool for slow work, without transaction: the handler calls db_read/db_write itself (password hashing, exports) */
};

enum api_body {
	API_BODY_NONE,
	API_BODY_JSON,         /* application/json (or no type): c->body */
	API_BODY_JSON_OR_FORM, /* also urlencoded and multipart fields, read into c->body as strings */
	API_BODY_RAW           /* any type: c->request->body; the handler looks at the type itself (CSV, uploads) */
};

/* Documented query parameter of a route; list routes get those of their dialect and table by themselves. */
struct api_param {
	const char *name;
	const char *schema; /* JSON Schema text */
	const char *doc;
	bool required;
};

struct api_route {
	enum http_method method;
	/* "/api/kpis/{kpi_id}/assignments": without trailing slash; both forms are served. A last segment "{path*}" takes the rest. */
	const char *path;
	api_handler *handler;
	perm_set perm;        /* any of them, PERM_ANYONE or PERM_AUTHENTICATED; 0 does not start */
	enum api_work work;
	enum api_body body;
	const struct res_def *res;   /* the generic handlers work on it; for others it names the schema */
	const struct res_view *view;
	enum res_op op;              /* of a generic handler */
	const char *summary;         /* for the description; required */
	const char *doc;
	const struct api_param *params; /* ends with name NULL; may be NULL */
	const char *request_schema;  /* JSON Schema of a body that no table describes; NULL otherwise */
	const char *answer_schema;   /* likewise of the answer */
	const char *answer_type;     /* media type of an answer that is not JSON; NULL otherwise */
	const char *const *other_answer_types; /* further ones that the client may ask for; ends with NULL; may be NULL */
	const char *request_example; /* JSON text; likewise answer_example */
	const char *answer_example;
	int success;                 /* 0: by method and operation (GET 200, POST 201, DELETE 204) */
	bool streams_body;           /* larger body limit */
};

#define API_PATH_PARAMS_MAX 4

struct api_ctx {
	struct res_ctx res;             /* arena, tx, actor, now, request_id: given to the engine and the domains */
	struct api *api;
	const struct api_route *route;
	const struct dialect *dialect;
	struct http_exchange *exchange;
	const struct http_request *request;
	struct str path_params[API_PATH_PARAMS_MAX]; /* decoded, in order of the path */
	struct form query;
	json_val *body;                 /* parsed, for JSON bodies; an empty one is {}, NULL where the route takes none */
	struct actor actor;
	struct buf out;                 /* the answer's body */
	struct json_out json;           /* writes into out */
	/* owned by pipeline.c from here on */
	struct api_pipeline *pipeline;
};

/* ---- replies: each makes the one struct api_done ------------------------------------------------------------------------------- */

/* The dialect's error body. e is logged when it is INTERNAL or has a detail. */
struct api_done *api_fail(struct api_ctx *c, struct err *e);
/* The same with another status than the code's, for contracts that document one (crm's logins). */
struct api_done *api_fail_as(struct api_ctx *c, struct err *e, int status);
/* One record in the route's view, wrapped as the dialect does (crm's envelope), 200 (or the route's success). ETag from its version. */
struct api_done *api_record(struct api_ctx *c, const void *record);
/* The same with 201 and Location. */
struct api_done *api_created(struct api_ctx *c, const void *record, struct str id);
/* What the handler wrote into c->json, as it stands, with this status; wrapped only where the dialect has an envelope. */
struct api_done *api_json(struct api_ctx *c, int status);
/* The same without any envelope. */
struct api_done *api_json_bare(struct api_ctx *c, int status);
/* The same (an object) in the envelope, with its members at the top level too where the dialect has an envelope. */
struct api_done *api_json_hoisted(struct api_ctx *c, int status);
/* 204; crm answers 200 with its envelope. */
struct api_done *api_no_content(struct api_ctx *c);
/* A stream of the subscriber that live_admit makes of the opening, which lives on the arena: as WebSocket, or as server-sent events when it says so. */
struct api_done *api_stream(struct api_ctx *c, struct live_opening *o);
/* Other bytes than JSON. body must live on the arena or be constant. */
struct api_done *api_bytes(struct api_ctx *c, int status, struct str content_type, struct str body);
/* More header fields of the answer; call before the reply function. value on the arena. */
void api_header(struct api_ctx *c, const char *name, struct str value);
/* The answer holds a secret, or depends on more than actor, address and query: no cache keeps it. Call before the reply function. */
void api_no_store(struct api_ctx *c);

/* ---- for handlers -------------------------------------------------------------------------------------------------------------- */

/* The query parameters of a list in the dialect's grammar → q (paging, sort, filters, search), checked. All faults at once. */
struct err *api_list_query(struct api_ctx *c, const struct res_def *def, const struct res_view *view, struct list_query *q) MUST_USE;
/* res_list for what api_list_query made; knows the last page, which can only be found by counting (page=last). */
struct err *api_list_run(struct api_ctx *c, const struct res_def *def, struct list_query *q, struct res_page *page) MUST_USE;
/* A page in the dialect's shape with its headers. Records are written in the route's view. */
struct api_done *api_list(struct api_ctx *c, const struct list_query *q, const struct res_page *page);
/* A query parameter; p NULL when absent. */
struct str api_param(const struct api_ctx *c, const char *name);
/* Typed ones: *out keeps its value when absent; a bad one adds a fault under its name to *e. */
void api_param_int(struct api_ctx *c, const char *name, int64_t min, int64_t max, int64_t *out, struct err **e);
void api_param_bool(struct api_ctx *c, const char *name, bool *out, struct err **e);
void api_param_date(struct api_ctx *c, const char *name, struct date *out, bool *given, struct err **e);
void api_param_instant(struct api_ctx *c, const char *name, struct instant *out, bool *given, struct err **e);
/* Index into a NULL-terminated list of names. */
void api_param_enum(struct api_ctx *c, const char *name, const char *const *names, int *out, struct err **e);
/* If-Match of the request against the record's version: PRECONDITION_FAILED when it names another. */
struct err *api_check_match(struct api_ctx *c, const void *record) MUST_USE;
/* The same for a record that the handler does not read itself: of the route's resource, by its id. Nothing is read without If-Match. */
struct err *api_check_match_by_id(struct api_ctx *c, enum res_op op, struct str id) MUST_USE;
/* Whether unknown body members are faults (?strict=1); a handler hands it to res_parse. */
bool api_is_strict(const struct api_ctx *c);
/* A header field of the request; p NULL when absent. */
struct str api_request_header(const struct api_ctx *c, const char *name);
struct db *api_db(struct api_ctx *c);
/* NULL where nothing is live (commands that only describe). */
struct live *api_live(struct api_ctx *c);
/* Whether the request wants to become a WebSocket. */
bool api_is_handshake(const struct api_ctx *c);
/* Of API_STREAM: what is wrong with the credentials; NULL when they are fine or there are none (ACTOR_ANONYMOUS). */
struct err *api_identity_fault(const struct api_ctx *c);
/* Of API_STREAM: where the present stood before this request's transaction. */
struct outbox_position api_live_position(const struct api_ctx *c);
struct iam *api_iam(struct api_ctx *c);
/* Where predictions are remembered. */
struct prediction_cache;
struct prediction_cache *api_predictions(struct api_ctx *c);
/* Whether failed logins of crm are 401 and 403 instead of the documented 500 and 505. */
bool api_login_failures_401(const struct api_ctx *c);
/* Whether the operator lets webhooks reach this machine and private networks. */
bool api_allows_private_webhooks(const struct api_ctx *c);
/* What webhooks are sent with; NULL when this server sends none. */
struct webhook_sender;
const struct webhook_sender *api_webhook_sender(const struct api_ctx *c);
/* "https://example.com": what absolute links start with. */
struct str api_base_url(const struct api_ctx *c);
const struct clock *api_clock(struct api_ctx *c);

/* Generic handlers for rows with .res, .view and .op. */
api_handler api_res_list, api_res_read, api_res_create, api_res_replace, api_res_merge, api_res_delete;

#endif
