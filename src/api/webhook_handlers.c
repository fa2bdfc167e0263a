/*
 * Webhook subscriptions over HTTP (contract kpi-management). Create and change seal the secret between validation and storing; the
 * rest are the generic handlers.
 */
#include "api/registry.h"
#include "domain/iam/auth.h"
#include "domain/integration/webhook.h"

static struct err *
take_body(struct api_ctx *c, enum res_mode mode, struct webhook *w)
{
	w->may_be_private = api_allows_private_webhooks(c);
	TRY(res_parse(&c->res, &webhook_res, c->route->view, c->body, mode, api_is_strict(c), w));
	if (res_is_given(&webhook_res, w, "secret"))
		w->secret = iam_seal(api_iam(c), c->res.arena, w->secret);
	return NULL;
}

static struct err *
create(struct api_ctx *c, struct webhook *w)
{
	TRY(take_body(c, RES_MODE_CREATE, w));
	return res_create(&c->res, &webhook_res, w);
}

static struct api_done *
webhook_post(struct api_ctx *c)
{
	struct webhook w = { 0 };
	struct err *e = create(c, &w);
	return e ? api_fail(c, e) : api_created(c, &w, w.id);
}

static struct err *
change(struct api_ctx *c, struct webhook *w)
{
	struct webhook old = { 0 };

	TRY(res_read_for(&c->res, &webhook_res, RES_UPDATE, c->path_params[0], &old));
	TRY(api_check_match(c, &old));
	*w = old;
	TRY(take_body(c, RES_MODE_MERGE, w));
	return res_update(&c->res, &webhook_res, &old, w);
}

static struct api_done *
webhook_put(struct api_ctx *c)
{
	struct webhook w = { 0 };
	struct err *e = change(c, &w);
	return e ? api_fail(c, e) : api_record(c, &w);
}

#define MANAGE PERM_BIT(PERM_WEBHOOK_MANAGE)

static const struct api_route routes[] = {
	{ HTTP_GET, "/api/webhooks", api_res_list, MANAGE, API_READ, API_BODY_NONE, &webhook_res, NULL,
		RES_LIST, .summary = "List webhook subscriptions" },
	{ HTTP_POST, "/api/webhooks", webhook_post, MANAGE, API_WRITE, API_BODY_JSON, &webhook_res, NULL,
		RES_CREATE, .summary = "Subscribe to events",
		.doc = "Targets on this machine or in private networks are refused unless the operator "
		       "allows them. Events about access (of company, user, role, api_key, team, webhook, "
		       "job, job_schedule and queue) are told to what an administrator subscribes: others "
		       "cannot name them, and their \"*\" leaves them out." },
	{ HTTP_GET, "/api/webhooks/{webhook_id}", api_res_read, MANAGE, API_READ, API_BODY_NONE, &webhook_res,
		NULL, RES_READ, .summary = "Read a webhook subscription" },
	{ HTTP_PUT, "/api/webhooks/{webhook_id}", webhook_put, MANAGE, API_WRITE, API_BODY_JSON, &webhook_res,
		NULL, RES_UPDATE, .summary = "Change a webhook subscription",
		.doc = "Only what is given changes. When somebody who is no administrator sets url, events, "
		       "secret or status, the subscription is told no more of events about access." },
	{ HTTP_DELETE, "/api/webhooks/{webhook_id}", api_res_delete, MANAGE, API_WRITE, API_BODY_NONE,
		&webhook_res, NULL, RES_DELETE, .summary = "Delete a webhook subscription" },
};

const struct api_routes webhook_routes = { routes, COUNT(routes), "Webhooks", "Subscriptions to events." };
