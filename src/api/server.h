/* Starting and stopping the interface: routes are checked, keys loaded, pools started, then the HTTP server accepts. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "api/api.h"
#include "api/rate_limit.h"
#include "api/registry.h"

struct webhook_sender; /* jobs/webhook_send.h */

struct api_options {
	struct http_options http;   /* handler, fault and arg are filled in by api_start */
	struct db *db;
	struct iam *iam;            /* open; the interface authenticates with it and does not close it */
	struct live *live;          /* started; NULL: streams are refused */
	const struct clock *clock;
	bool no_rate_limit;
	struct rate_rules rates;    /* requests a window; 0: the contract's number */
	bool no_answer_cache;
	int slow_threads;           /* pool of API_SLOW */
	struct str public_url;      /* for absolute links; empty: from the Host header */
	const struct api_routes *const *tables; /* NULL: those of the registry */
	const struct webhook_sender *webhooks; /* NULL: tests of a webhook are refused */
	bool allow_private_webhooks; /* webhook targets on this machine and in private networks */
	bool login_failures_401;    /* i_auth/ex_auth failures as 401/403 instead of the documented 500/505 */
};
/* INVALID_INPUT: a route without permission, two routes of one path, a resource without a limit …, naming it. */
struct err *api_start(struct arena *a, const struct api_options *o, struct api **out) MUST_USE;
struct http_server *api_http(struct api *api);
void api_stop(struct api *api, int drain_ms);
/* The description of every route (OpenAPI 3.1) without starting anything. */
struct err *api_describe(struct arena *a, struct str *out) MUST_USE;
/* The version of this binary. */
extern const char *const api_version;

#endif
