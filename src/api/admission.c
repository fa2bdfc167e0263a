/*
 * What stands between knowing who asks and doing the work: the rate limit, the permission, the query, the body, the Idempotency-Key and
 * the answer cache, in this order. Rates are counted before anything is refused, so that guessing costs too.
 */
#include "api/core.h"
#include "base/hash.h"

/* ---- rate limit ---- */

static uint64_t
client_hash(const struct api_ctx *c)
{
	const struct actor *actor = &c->actor;
	if (actor->kind == ACTOR_ANONYMOUS)
		return hash_bytes(c->request->peer, 1);
	if (actor->kind == ACTOR_API_KEY)
		return hash_pair((uint64_t)actor->company_id ^ 2u << 30, (uint64_t)actor->api_key_id);
	return hash_pair((uint64_t)actor->company_id ^ 3u << 30, (uint64_t)actor->person_id);
}

/* Campaigns and retrospectives are counted by themselves, whoever writes to them and with however many zeros before their ids. */
static uint64_t
object_hash(const struct api_ctx *c)
{
	struct str id = c->path_params[0];
	while (id.n > 1 && id.p[0] == '0')
		id = str_sub(id, 1, id.n);
	return hash_bytes(id, (uint64_t)c->actor.company_id);
}

static void
count_request(struct api_pipeline *p)
{
	const struct api_ctx *c = &p->c;
	enum rate_family family = RATE_BUSINESS_USER;
	uint64_t client = client_hash(c);
	switch (p->entry->rate) {
	case RATE_KIND_NONE:
		return;
	case RATE_KIND_BUSINESS:
		if (c->actor.kind == ACTOR_ANONYMOUS)
			family = RATE_BUSINESS_ANONYMOUS;
		else if (actor_may(&c->actor, PERM_COMPANY_ADMIN))
			family = RATE_BUSINESS_ADMIN;
		break;
	case RATE_KIND_CRM:
		family = RATE_CRM;
		break;
	case RATE_KIND_CAMPAIGN:
		family = RATE_CAMPAIGN;
		client = object_hash(c);
		break;
	case RATE_KIND_RETROSPECTIVE:
		family = RATE_RETROSPECTIVE;
		client = object_hash(c);
		break;
	}
	rate_take(c->api->limiter, family, client, c->res.now, &p->rate);
}

static struct err *
limit_rate(struct api_pipeline *p)
{
	if (!p->c.api->limiter)
		return NULL;
	count_request(p);
	if (!p->rate.refused)
		return NULL;
	struct err *e = err_new(p->c.res.arena, ERR_RATE_LIMITED,
		"Request was throttled. Expected available in %lld second%s.",
		(long long)p->rate.retry_after_s, p->rate.retry_after_s == 1 ? "" : "s");
	e->retry_after_s = p->rate.retry_after_s;
	return e;
}

/* ---- permission, query, body ---- */

static struct err *
require_permission(struct api_pipeline *p)
{
	const struct api_ctx *c = &p->c;
	if (c->route->work == API_STREAM && api_is_handshake(c))
		return NULL;
	if (p->identity_fault)
		return p->identity_fault;
	if (actor_meets(&c->actor, c->route->perm))
		return NULL;
	return err_new(c->res.arena,
		c->actor.kind == ACTOR_ANONYMOUS ? ERR_UNAUTHENTICATED : ERR_INSUFFICIENT_PERMISSIONS, "");
}

static struct err *
read_idempotency(struct api_pipeline *p)
{
	struct api_ctx *c = &p->c;
	if (c->request->method != HTTP_POST || c->actor.kind == ACTOR_ANONYMOUS ||
		c->route->work == API_READ || c->route->work == API_PLAIN)
		return NULL;
	TRY(idempotency_read(c->res.arena, c->request, api_request_header(c, "Idempotency-Key"), &p->key));
	p->key.company_id = c->actor.company_id;
	p->key.user_id = c->actor.kind == ACTOR_API_KEY ? -c->actor.api_key_id : c->actor.person_id;
	return NULL;
}

static struct err *
admit(struct api_pipeline *p)
{
	struct api_ctx *c = &p->c;
	TRY(limit_rate(p));
	TRY(require_permission(p));
	if (c->request->query.n)
		TRY(form_parse(c->res.arena, c->request->query, LIMIT_QUERY_PARAMS, &c->query));
	TRY(api_body_read(c));
	return read_idempotency(p);
}

/* ---- answer cache ---- */

/* All that the bytes of an answer depend on besides the company's records. */
static void
make_cache_key(struct api_pipeline *p)
{
	const struct api_ctx *c = &p->c;
	const struct http_request *r = c->request;
	const uint64_t who[] = { (uint64_t)c->actor.company_id, (uint64_t)c->actor.person_id,
		(uint64_t)c->actor.api_key_id, c->actor.permissions, r->secure };
	const size_t n = sizeof(who) + r->host.n + 1 + r->path.n + 1 + r->query.n;
	char *key = arena_alloc(c->res.arena, n);
	char *at = key;
	memcpy(at, who, sizeof(who));
	at += sizeof(who);
	memcpy(at, r->host.p, r->host.n);
	at += r->host.n + 1;
	memcpy(at, r->path.p, r->path.n);
	at += r->path.n + 1;
	if (r->query.n)
		memcpy(at, r->query.p, r->query.n);
	p->cached.key = (struct str){ key, n };
	p->cached.hash = hash_bytes(p->cached.key, 0);
}

/* A platform admin sees more than one company, so any commit anywhere may change the answer. */
static uint64_t
epoch_of(const struct api_ctx *c)
{
	return db_epoch(
		c->api->options.db, actor_may(&c->actor, PERM_PLATFORM_ADMIN) ? 0 : c->actor.company_id);
}

static bool
answer_from_cache(struct api_pipeline *p)
{
	struct api_ctx *c = &p->c;
	if (!c->api->cache || c->route->work != API_READ || c->request->method != HTTP_GET ||
		p->place != PLACE_SERVER || c->actor.kind == ACTOR_ANONYMOUS)
		return false;
	make_cache_key(p);
	p->cached.epoch = epoch_of(c);
	/* Inside a transaction the snapshot may be older than this epoch, unless nothing at all was committed since before it. */
	p->cached.on = !c->res.tx || p->epoch_before == db_epoch(c->api->options.db, 0);
	p->cached.now_us = p->began_us;
	if (!answer_cache_find(c->api->cache, p->thread, &p->cached, c->res.arena, &p->answer))
		return false;
	for (size_t i = 0; i < p->answer.field_count; i++)
		p->fields[i] = p->answer.fields[i];
	p->field_count = p->answer.field_count;
	p->cached.on = false;
	p->done.made = true;
	return true;
}

bool
api_admit(struct api_pipeline *p)
{
	p->admitted = true;
	struct err *e = admit(p);
	if (e) {
		api_failure(p, e, 0);
		return false;
	}
	return !answer_from_cache(p);
}
