/* The webhook subscription as a resource, and the checks of its URL and its events. */
#include "domain/integration/webhook.h"
#include "base/limits.h"
#include "domain/integration/webhook_delivery.h"
#include "domain/integration/webhook_event.h"
#include "net/http_client.h"
#include <arpa/inet.h>
#include <netinet/in.h>

#define EVENTS_MAX    50
#define URL_CHARS_MAX 2000

static const char *const status_names[] = { "active", "paused", NULL };

#define HOST_CHARS_MAX 253 /* of a name in the DNS */

struct target {
	struct str host; /* without brackets */
	bool is_v6;
	struct str port; /* empty: the scheme's */
};

/* Host and port between "://" and the path; false where there is none or something stands behind the brackets. */
static bool
url_target(struct str url, struct target *t)
{
	struct str rest = str_sub(url, str_index(url, ':', 0) + 3, url.n);
	size_t end = 0, colon;

	while (end < rest.n && !strchr("/?#", rest.p[end]))
		end++;
	struct str authority = str_sub(rest, 0, end);
	t->is_v6 = authority.n > 0 && authority.p[0] == '[';
	colon = str_index(authority, ':', t->is_v6 ? str_index(authority, ']', 0) : 0);
	t->host = str_sub(authority, 0, colon);
	t->port = str_sub(authority, colon + 1, authority.n);
	if (t->is_v6) {
		if (t->host.n < 3 || t->host.p[t->host.n - 1] != ']')
			return false;
		t->host = str_sub(t->host, 1, t->host.n - 2);
	}
	return t->host.n > 0 && t->host.n <= HOST_CHARS_MAX;
}

/* Letters, digits, hyphens and dots: an escape or another script would be read by someone else than who looks at it here. */
static bool
host_is_well_formed(const struct target *t)
{
	char text[HOST_CHARS_MAX + 1] = { 0 };
	struct in6_addr v6;

	if (t->is_v6) {
		memcpy(text, t->host.p, t->host.n);
		return inet_pton(AF_INET6, text, &v6) == 1;
	}
	for (size_t i = 0; i < t->host.n; i++) {
		char ch = t->host.p[i];
		bool is_word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
			       (ch >= '0' && ch <= '9') || ch == '-' || ch == '_';
		bool is_inner_dot = ch == '.' && i > 0 && t->host.p[i - 1] != '.';
		if (!is_word && !is_inner_dot)
			return false;
	}
	return true;
}

/* Digits: a sign would be read here and refused by the client. Nothing behind the colon is the scheme's port. */
static bool
port_is_well_formed(struct str port)
{
	int64_t n = 1;

	for (size_t i = 0; i < port.n; i++)
		if (port.p[i] < '0' || port.p[i] > '9')
			return false;
	return str_is_empty(port) || (str_to_int(port, &n) && n > 0 && n <= UINT16_MAX);
}

static bool
url_is_well_formed(struct str url)
{
	struct target t;

	if (!str_starts_with(url, STR("http://")) && !str_starts_with(url, STR("https://")))
		return false;
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' || url.p[i] == '\\' || url.p[i] == '@' ||
			(unsigned char)url.p[i] >= 0x7f)
			return false;
	return url_target(url, &t) && host_is_well_formed(&t) && port_is_well_formed(t.port);
}

static bool
address_is_private(struct arena *a, struct str host)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const char *text = arena_cstr(a, host);

	/* inet_aton takes the short and octal spellings too that a resolver would. */
	if (inet_aton(text, &v4.sin_addr))
		return !http_address_is_public((const struct sockaddr *)&v4);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		return !http_address_is_public((const struct sockaddr *)&v6);
	return false;
}

bool
webhook_target_is_private(struct arena *a, struct str url)
{
	struct target t;

	if (!url_target(url, &t))
		return true;
	struct str host = t.host;
	if (str_ends_with(host, STR(".")))
		host = str_sub(host, 0, host.n - 1);
	struct str tail = str_sub(host, host.n > 10 ? host.n - 10 : 0, 10);
	return str_eq_nocase(host, STR("localhost")) || str_eq_nocase(tail, STR(".localhost")) ||
	       address_is_private(a, host);
}

static const char *
verify_url(const void *record)
{
	const struct webhook *w = record;
	return url_is_well_formed(w->url)
		       ? NULL
		       : "Enter a valid URL that starts with http:// or https:// and holds no credentials.";
}

/* A pattern that a subscription without access_events would never be told anything for. */
static void
refuse_access_event(struct res_ctx *c, size_t i, struct str pattern, struct err **e)
{
	err_add_field(c->arena, e, arena_fmt(c->arena, "events[%zu]", i),
		"Only administrators of the company may subscribe to \"%.*s\": it tells about access.",
		STR_ARG(pattern));
}

static struct err *
check_events(struct res_ctx *c, const struct webhook *w, bool names_access, struct err **e)
{
	struct json_iter it;
	json_val *events, *v;
	size_t i = 0;

	TRY(json_parse(c->arena, w->events, &events));
	if (json_type_of(events) != JSON_ARRAY || json_count(events) == 0 ||
		json_count(events) > EVENTS_MAX) {
		err_add_field(c->arena, e, STR("events"),
			"Expected a list of 1 to %d event types, such as \"kpi.created\".", EVENTS_MAX);
		return NULL;
	}
	for (it = json_iter(events); json_next(&it, NULL, &v); i++) {
		if (json_type_of(v) != JSON_STRING || !webhook_pattern_is_valid(json_string(v)))
			err_add_field(c->arena, e, arena_fmt(c->arena, "events[%zu]", i),
				"Not an event type; expected one such as \"kpi.created\", \"threshold.*\" or "
				"\"*\".");
		else if (!names_access && webhook_event_is_access(json_string(v)))
			refuse_access_event(c, i, json_string(v), e);
	}
	return NULL;
}

static bool
is_said(const struct webhook *w, const char *field)
{
	return res_is_given(&webhook_res, w, field) && !res_is_null(&webhook_res, w, field);
}

/* What is given is looked at; what stands there already was. */
static struct err *
rules(struct res_ctx *c, const void *record, struct err **e)
{
	const struct webhook *w = record;
	bool names_access = actor_may(c->actor, PERM_COMPANY_ADMIN);

	if (is_said(w, "url") && !w->may_be_private && webhook_target_is_private(c->arena, w->url))
		err_add_field(
			c->arena, e, STR("url"), "The target is on this machine or in a private network.");
	return is_said(w, "events") ? check_events(c, w, names_access, e) : NULL;
}

/* Where it goes, what it wants, who can read it, whether it goes at all: whoever says one of them answers for all of them. */
static bool
says_where_or_what(const struct webhook *before, const struct webhook *w)
{
	return !before || is_said(w, "events") || is_said(w, "url") || is_said(w, "secret") ||
	       is_said(w, "status") || !str_eq(before->events, w->events) || !str_eq(before->url, w->url) ||
	       !str_eq(before->secret, w->secret) || before->status != w->status;
}

/* Set active again by somebody: the reason is settled, and the days of failing count anew. It is no healthy one yet. */
static void
settle_pause(struct webhook *w)
{
	res_set_null(&webhook_res, w, "paused_reason", true);
	res_set_null(&webhook_res, w, "failing_since", true);
	w->paused_reason = (struct str){ 0 };
	w->failing_since = (struct instant){ 0 };
}

static struct err *
before_write(struct res_ctx *c, const void *old, void *record)
{
	const struct webhook *before = old;
	struct webhook *w = record;
	struct err *e = NULL;

	if (!before) {
		w->owner_id = c->actor->person_id;
		res_set_null(&webhook_res, w, "owner_id", w->owner_id == 0);
	}
	TRY(rules(c, w, &e));
	if (says_where_or_what(before, w))
		w->access_events = actor_may(c->actor, PERM_COMPANY_ADMIN);
	if (!e && before && before->status == WEBHOOK_PAUSED && w->status == WEBHOOK_ACTIVE)
		settle_pause(w);
	/* Whoever changes a failing endpoint has repaired something: it is tried at once. */
	if (!e && before && before->failures > 0) {
		res_set_null(&webhook_res, w, "next_attempt_at", true);
		w->next_attempt_at = (struct instant){ 0 };
	}
	return e;
}

static struct err *
after_write(struct res_ctx *c, const void *old, const void *record)
{
	const struct webhook *w = record ? record : old;
	const struct webhook_key key = { c->actor->company_id, w->id };

	if (!record)
		return webhook_state_remove(c->tx, &key);
	if (!old)
		return webhook_state_add(c->tx, &key);
	return w->status == WEBHOOK_ACTIVE ? webhook_wake(c->tx, c->now, &key, w->failures > 0) : NULL;
}

#define RES_RECORD struct webhook
static const struct res_field fields[] = {
	F(id, TEXT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .max = LIMIT_ID_CHARS, .doc = "Generated.",
		.example = "\"wh-001\""),
	F(url, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT, .max = URL_CHARS_MAX, .verify = verify_url,
		.doc = "Where events are posted; http or https.",
		.example = "\"https://your-domain.com/webhook\""),
	F(events, JSON, .flags = RF_REQUIRED,
		.doc = "Event types; \"kpi.*\" stands for all of a kind, \"*\" for all that the subscription "
		       "may be told (access_events).",
		.example = "[\"kpi.created\",\"kpi.updated\",\"threshold.breached\"]"),
	F(secret, TEXT, .flags = RF_REQUIRED | RF_SECRET, .min = WEBHOOK_SECRET_MIN, .max = LIMIT_NAME_CHARS,
		.doc = "Signs the deliveries; stored sealed and never shown.",
		.example = "\"your_webhook_secret\""),
	F(description, TEXT, .flags = RF_NULL | RF_BLANK, .max = 1000, .doc = "What it is for.",
		.example = "\"Sales channel\""),
	F(status, ENUM, .flags = RF_FILTER | RF_SORT, .names = status_names, .preset = "active",
		.doc = "Nothing is delivered to a paused one; its events wait. The server pauses one by "
		       "itself "
		       "when nothing could be delivered for 3 days.",
		.example = "\"active\""),
	F(owner_id, INT, .flags = RF_SERVER | RF_NULL | RF_HIDDEN),
	F(access_events, BOOL, .flags = RF_SERVER | RF_FILTER, .preset = "false",
		.doc = "Whether it is told of events about access (company, user, role, api_key, team, "
		       "webhook, job, job_schedule, queue): the last to set url, events, secret or status "
		       "was an administrator.",
		.example = "true"),
	F(paused_reason, TEXT, .flags = RF_SERVER | RF_NULL, .max = 1000, .doc = "Why the server paused it.",
		.example = "null"),
	F(failing_since, INSTANT, .flags = RF_SERVER | RF_NULL | RF_FILTER | RF_SORT,
		.doc = "The first failure since the last success.", .example = "null"),
	F(failures, INT, .flags = RF_SERVER, .preset = "0", .doc = "Failures in a row.", .example = "0"),
	F(next_attempt_at, INSTANT, .flags = RF_SERVER | RF_NULL, .doc = "When a failing one is tried again.",
		.example = "null"),
	F(last_attempt_at, INSTANT, .flags = RF_SERVER | RF_NULL | RF_SORT, .doc = "The last attempt.",
		.example = "\"2024-01-01T00:00:00Z\""),
	F(last_result, TEXT, .flags = RF_SERVER | RF_NULL, .max = 100,
		.doc = "What came of it: the status answered, or the fault.", .example = "\"200\""),
	F(version, INT, .flags = RF_SERVER, .doc = "Counts the changes.", .example = "1"),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was created.",
		.example = "\"2024-01-01T00:00:00Z\""),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT, .doc = "When it was last changed.",
		.example = "\"2024-01-01T00:00:00Z\""),
};

const struct res_def webhook_res = {
	.name = "webhook",
	.title = "Webhook",
	.table = "webhook",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct webhook),
	.id_prefix = "wh-",
	.scope = SCOPE_COMPANY,
	.perm = {
		[RES_LIST] = PERM_BIT(PERM_WEBHOOK_MANAGE),
		[RES_READ] = PERM_BIT(PERM_WEBHOOK_MANAGE),
		[RES_CREATE] = PERM_BIT(PERM_WEBHOOK_MANAGE),
		[RES_UPDATE] = PERM_BIT(PERM_WEBHOOK_MANAGE),
		[RES_DELETE] = PERM_BIT(PERM_WEBHOOK_MANAGE),
	},
	.default_sort = "created_at,id",
	.not_found = "WEBHOOK_NOT_FOUND",
	.doc = "A subscription to events, delivered by HTTP.",
	.hooks = { .rules = rules, .before_write = before_write, .after_write = after_write },
};
