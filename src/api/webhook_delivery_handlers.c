/*
 * What happens to webhooks over HTTP (contract kpi-management): the log of deliveries, replays, a test, the rotation of the secret. Only the
 * test sends while somebody waits, on the pool for slow work and with a shorter time limit.
 */
#include "api/kpi_answers.h"
#include "api/registry.h"
#include "base/limits.h"
#include "codec/webhook_signature.h"
#include "domain/iam/auth.h"
#include "domain/integration/webhook_delivery.h"
#include "domain/integration/webhook_event.h"
#include "domain/integration/webhook_sql.h"
#include "jobs/webhook_deliver.h"
#include "net/http_client.h"
#include "resource/res_sql.h"

#define ATTEMPTS_SHOWN	  100
#define OVERLAP_HOURS	  24
#define OVERLAP_HOURS_MAX 720
#define HOUR		  (3600 * INSTANT_SECOND)
#define ACCESS_REFUSED	  "Events about access are sent only where an administrator has set up the subscription."

static struct webhook_key
key_of(const struct api_ctx *c)
{
	return (struct webhook_key){ c->actor.company_id, c->path_params[0] };
}

/* The path's subscription, of the actor's company. */
static struct err *
find_webhook(struct api_ctx *c, enum res_op op, struct webhook *w)
{
	return op == RES_READ ? res_read(&c->res, &webhook_res, c->path_params[0], w)
			      : res_read_for(&c->res, &webhook_res, op, c->path_params[0], w);
}

/* ---- the log ---------------------------------------------------------------------------------------------------------------- */

static void
of_webhook(struct res_ctx *c, struct res_sql *sql, void *arg)
{
	const struct str *webhook_id = arg;

	(void)c;
	res_sql_add(sql, " AND webhook_id = ");
	res_sql_param(sql, P_TEXT(*webhook_id));
}

static struct err *
list(struct api_ctx *c, struct list_query *q, struct res_page *page)
{
	struct webhook w = { 0 };

	TRY(find_webhook(c, RES_READ, &w));
	TRY(api_list_query(c, &webhook_delivery_res, c->route->view, q));
	q->where = of_webhook;
	q->where_arg = &c->path_params[0];
	return api_list_run(c, &webhook_delivery_res, q, page);
}

static struct api_done *
deliveries_list(struct api_ctx *c)
{
	struct list_query q;
	struct res_page page;
	struct err *e = list(c, &q, &page);

	return e ? api_fail(c, e) : api_list(c, &q, &page);
}

static struct err *
find_delivery(struct api_ctx *c, struct webhook *w, struct webhook_delivery *d)
{
	TRY(find_webhook(c, RES_READ, w));
	TRY(res_read(&c->res, &webhook_delivery_res, c->path_params[1], d));
	if (!str_eq(d->webhook_id, w->id))
		return err_word(err_new(c->res.arena, ERR_NOT_FOUND, ""), webhook_delivery_res.not_found);
	return NULL;
}

static void
put_text_or_null(struct json_out *o, struct str key, struct str s)
{
	json_key(o, key);
	if (s.n)
		json_put_str(o, s);
	else
		json_put_null(o);
}

static void
write_attempt(struct json_out *o, const struct webhook_attempt *t)
{
	answer_instant(o, STR("at"), t->at);
	answer_number(o, STR("duration_ms"), true, (double)t->duration_us / 1000);
	json_key(o, STR("request"));
	json_begin_object(o);
	json_pair_str(o, "url", t->url);
	put_text_or_null(o, STR("address"), t->address);
	json_key(o, STR("headers"));
	json_put_raw(o, t->request_headers);
	json_end_object(o);
	json_key(o, STR("status"));
	if (t->status)
		json_put_int(o, t->status);
	else
		json_put_null(o);
	put_text_or_null(o, STR("fault"), t->fault);
	put_text_or_null(o, STR("answer"), t->answer);
}

static struct webhook_attempt
attempt_of(const struct db_rows *r)
{
	return (struct webhook_attempt){ .at = { db_int(r, 1) },
		.duration_us = db_int(r, 2),
		.url = db_text(r, 3),
		.address = db_text(r, 4),
		.request_headers = db_text(r, 5),
		.status = (int)db_int(r, 6),
		.fault = db_text(r, 7),
		.answer = db_text(r, 8) };
}

/* What was sent and what came back, which may repeat it: of events about access for administrators, as the audit trail is. */
static bool
may_see_body(const struct api_ctx *c, const struct webhook_delivery *d)
{
	return !webhook_event_is_access(d->event_type) || actor_may(&c->actor, PERM_COMPANY_ADMIN);
}

static struct err *
write_history(struct api_ctx *c, const struct webhook_delivery *d)
{
	struct json_out *o = &c->json;
	struct db_rows r;

	TRY(DB_QUERY(c->res.tx, &sql_webhook_attempt_list, &r, P_INT(c->actor.company_id), P_TEXT(d->id),
		P_INT(ATTEMPTS_SHOWN)));
	json_key(o, STR("history"));
	json_begin_array(o);
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row)
			break;
		struct webhook_attempt t = attempt_of(&r);
		if (!may_see_body(c, d))
			t.answer = (struct str){ 0 };
		json_begin_object(o);
		json_pair_int(o, "attempt", db_int(&r, 0));
		write_attempt(o, &t);
		json_end_object(o);
	}
	json_end_array(o);
	return NULL;
}

static struct api_done *
delivery_get(struct api_ctx *c)
{
	struct webhook_delivery d = { 0 };
	struct webhook w = { 0 };
	struct err *e = find_delivery(c, &w, &d);

	if (e)
		return api_fail(c, e);
	json_begin_object(&c->json);
	res_write_members(&c->json, &c->res, &webhook_delivery_res, NULL, &d);
	json_key(&c->json, STR("payload"));
	json_put_raw(&c->json, may_see_body(c, &d) ? d.payload : STR("null"));
	e = write_history(c, &d);
	if (e)
		return api_fail(c, e);
	json_end_object(&c->json);
	return api_json(c, 200);
}

/* ---- replays ---------------------------------------------------------------------------------------------------------------- */

static struct err *
replay_one(struct api_ctx *c, struct webhook_delivery *made)
{
	const struct webhook_key key = key_of(c);
	struct webhook_delivery d = { 0 };
	struct webhook w = { 0 };
	struct str id;

	TRY(find_delivery(c, &w, &d));
	if (!w.access_events && webhook_event_is_access(d.event_type))
		return err_new(c->res.arena, ERR_INSUFFICIENT_PERMISSIONS, ACCESS_REFUSED);
	TRY(webhook_replay_one(c->res.tx, c->res.now, &key, &d, &id));
	return res_read(&c->res, &webhook_delivery_res, id, made);
}

static struct api_done *
delivery_replay(struct api_ctx *c)
{
	struct webhook_delivery made = { 0 };
	struct err *e = replay_one(c, &made);

	return e ? api_fail(c, e) : api_record(c, &made);
}

static void
read_instant(struct api_ctx *c, const char *name, struct instant *out, struct err **e)
{
	json_val *v = json_get(c->body, str_from_cstr(name));

	if (!v)
		err_add_field(c->res.arena, e, str_from_cstr(name), "This field is required.");
	else if (json_type_of(v) != JSON_STRING || !instant_parse(json_string(v), c->actor.zone, out))
		err_add_field(
			c->res.arena, e, str_from_cstr(name), "Enter a valid date and time (ISO 8601).");
}

static struct err *
read_patterns(struct api_ctx *c, const struct webhook *w, struct str *out, struct err **e)
{
	json_val *v = json_get(c->body, STR("events")), *one;
	struct buf text;

	*out = w->events;
	if (!v)
		return NULL;
	bool fine = json_type_of(v) == JSON_ARRAY && json_count(v) > 0, names_access = false;
	for (struct json_iter it = json_iter(v); fine && json_next(&it, NULL, &one);) {
		fine = json_type_of(one) == JSON_STRING && webhook_pattern_is_valid(json_string(one));
		names_access = names_access || (fine && webhook_event_is_access(json_string(one)));
	}
	if (!fine) {
		err_add_field(c->res.arena, e, STR("events"),
			"Expected a list of event types, such as \"kpi.created\", \"threshold.*\" or \"*\".");
		return NULL;
	}
	if (names_access && !w->access_events) {
		err_add_field(c->res.arena, e, STR("events"), ACCESS_REFUSED);
		return NULL;
	}
	buf_init_arena(&text, c->res.arena, LIMIT_TEXT_BYTES);
	json_write_val(&text, v);
	*out = buf_str(&text);
	return buf_is_over(&text) ? err_field(c->res.arena, "events", "The list is too long.") : NULL;
}

static struct err *
replay_range(struct api_ctx *c, int64_t *count)
{
	struct webhook w = { 0 };
	struct webhook_range r = { .key = key_of(c) };
	struct err *e = NULL;

	TRY(find_webhook(c, RES_READ, &w));
	read_instant(c, "from", &r.from, &e);
	read_instant(c, "to", &r.to, &e);
	TRY(read_patterns(c, &w, &r.patterns, &e));
	r.access_events = w.access_events;
	if (!e && r.to.us <= r.from.us)
		err_add_field(c->res.arena, &e, STR("to"), "Must be later than from.");
	return e ? e : webhook_replay_range(c->res.tx, c->res.now, &r, count);
}

static struct api_done *
webhook_replay(struct api_ctx *c)
{
	int64_t count = 0;
	struct err *e = replay_range(c, &count);

	if (e)
		return api_fail(c, e);
	json_begin_object(&c->json);
	json_pair_int(&c->json, "deliveries", count);
	json_end_object(&c->json);
	return api_json(c, 202);
}

/* ---- test ------------------------------------------------------------------------------------------------------------------- */

static struct err *
send_test(struct api_ctx *c, struct str *id, struct webhook_attempt *out)
{
	struct webhook_work w = { .db = api_db(c),
		.sender = api_webhook_sender(c),
		.key = key_of(c),
		.client = http_client_new() };
	struct err *e = w.sender ? webhook_test_send(&w, c->res.arena, id, out)
				 : err_new(c->res.arena, ERR_UNAVAILABLE, "This server sends no webhooks.");

	http_client_free(w.client);
	return e;
}

static struct api_done *
webhook_test(struct api_ctx *c)
{
	struct webhook_attempt t = { 0 };
	struct str id;
	struct err *e = send_test(c, &id, &t);

	if (e)
		return api_fail(c, e);
	json_begin_object(&c->json);
	json_pair_str(&c->json, "delivery_id", id);
	json_pair_bool(&c->json, "delivered", t.fault.n == 0);
	write_attempt(&c->json, &t);
	json_end_object(&c->json);
	return api_json(c, 200);
}

/* ---- rotation --------------------------------------------------------------------------------------------------------------- */

struct rotation {
	struct str secret;
	int64_t hours;
	struct instant until;
};

static struct err *
read_rotation(struct api_ctx *c, struct rotation *out)
{
	json_val *secret = json_get(c->body, STR("secret")), *hours = json_get(c->body, STR("overlap_hours"));
	struct rotation r = { .hours = OVERLAP_HOURS };
	struct err *e = NULL;

	if (!secret)
		r.secret = webhook_secret_new(c->res.arena);
	else if (json_type_of(secret) != JSON_STRING)
		err_add_field(c->res.arena, &e, STR("secret"), "Not a valid string.");
	else
		r.secret = json_string(secret);
	if (!e && (str_utf8_len(r.secret) < WEBHOOK_SECRET_MIN || str_utf8_len(r.secret) > LIMIT_NAME_CHARS ||
			  str_index(r.secret, '\0', 0) < r.secret.n))
		err_add_field(c->res.arena, &e, STR("secret"), "Ensure this field has %d to %d characters.",
			WEBHOOK_SECRET_MIN, LIMIT_NAME_CHARS);
	if (hours && (json_type_of(hours) != JSON_NUMBER || !json_int(hours, &r.hours) || r.hours < 0 ||
			     r.hours > OVERLAP_HOURS_MAX))
		err_add_field(c->res.arena, &e, STR("overlap_hours"), "Expected a whole number from 0 to %d.",
			OVERLAP_HOURS_MAX);
	r.until = (struct instant){ c->res.now.us + r.hours * HOUR };
	*out = r;
	return e;
}

static struct err *
rotate(struct api_ctx *c, struct rotation *r)
{
	struct webhook old = { 0 }, w;

	TRY(find_webhook(c, RES_UPDATE, &old));
	TRY(api_check_match(c, &old));
	TRY(read_rotation(c, r));
	w = old;
	w.secret = iam_seal(api_iam(c), c->res.arena, r->secret);
	TRY(DB_EXEC(c->res.tx, &sql_webhook_secret_rotate, P_INT(c->actor.company_id), P_TEXT(w.id),
		r->hours ? P_TEXT(old.secret) : P_NULL, r->hours ? P_INSTANT(r->until) : P_NULL));
	return res_update(&c->res, &webhook_res, &old, &w);
}

static struct api_done *
webhook_rotate(struct api_ctx *c)
{
	struct rotation r = { 0 };
	struct err *e = rotate(c, &r);

	if (e)
		return api_fail(c, e);
	api_no_store(c);
	json_begin_object(&c->json);
	json_pair_str(&c->json, "secret", r.secret);
	answer_instant(&c->json, STR("previous_secret_until"), r.until);
	json_end_object(&c->json);
	return api_json(c, 200);
}

/* ---- routes ----------------------------------------------------------------------------------------------------------------- */

#define MANAGE	    PERM_BIT(PERM_WEBHOOK_MANAGE)
#define TEXT_SCHEMA "{\"type\":\"string\"}"
#define TIME_SCHEMA "{\"type\":\"string\",\"format\":\"date-time\"}"
#define ATTEMPT_PROPERTIES                                                                                  \
	"\"at\":" TIME_SCHEMA ",\"duration_ms\":{\"type\":\"number\"},\"request\":{\"type\":\"object\","    \
	"\"properties\":{\"url\":" TEXT_SCHEMA ",\"address\":{\"type\":[\"string\",\"null\"]},\"headers\":" \
	"{\"type\":\"object\",\"additionalProperties\":" TEXT_SCHEMA "}}},"                                 \
	"\"status\":{\"type\":[\"integer\",\"null\"]},\"fault\":{\"type\":[\"string\",\"null\"]},"          \
	"\"answer\":{\"type\":[\"string\",\"null\"]}"
#define ATTEMPT_EXAMPLE                                                                                   \
	"\"at\":\"2024-06-15T09:00:00Z\",\"duration_ms\":38.2,\"request\":{\"url\":"                      \
	"\"https://your-domain.com/webhook\",\"address\":\"93.184.216.34\",\"headers\":{\"webhook-id\":"  \
	"\"msg_2f5cb7a8d9e0f1a2b3c4d5e6f7081920\",\"webhook-timestamp\":\"1718442000\"}},\"status\":200," \
	"\"fault\":null,\"answer\":\"ok\""
#define DELIVERY_EXAMPLE                                                                              \
	"\"id\":\"msg_2f5cb7a8d9e0f1a2b3c4d5e6f7081920\",\"message_id\":"                             \
	"\"msg_2f5cb7a8d9e0f1a2b3c4d5e6f7081920\",\"webhook_id\":\"wh-001\",\"event_id\":4711,"       \
	"\"event_type\":\"kpi.updated\",\"reason\":\"event\",\"state\":\"delivered\",\"attempts\":1," \
	"\"created_at\":\"2024-06-15T09:00:00Z\",\"updated_at\":\"2024-06-15T09:00:00Z\","            \
	"\"delivered_at\":\"2024-06-15T09:00:00Z\",\"next_at\":null"
#define DETAIL_SCHEMA                                                                                   \
	"{\"allOf\":[{\"$ref\":\"#/components/schemas/WebhookDelivery\"},{\"type\":\"object\","         \
	"\"properties\":{\"payload\":{\"type\":[\"object\",\"null\"]},\"history\":{\"type\":\"array\"," \
	"\"items\":"                                                                                    \
	"{\"type\":\"object\",\"properties\":{\"attempt\":{\"type\":\"integer\"}," ATTEMPT_PROPERTIES   \
	"}}}}}]}"
#define TEST_SCHEMA                                                                                     \
	"{\"type\":\"object\",\"required\":[\"delivery_id\",\"delivered\"],\"properties\":{\"delivery_" \
	"id\":" TEXT_SCHEMA ",\"delivered\":{\"type\":\"boolean\"}," ATTEMPT_PROPERTIES "}}"

static const struct api_route routes[] = {
	{ HTTP_GET, "/api/webhooks/{webhook_id}/deliveries", deliveries_list, MANAGE, API_READ, API_BODY_NONE,
		&webhook_delivery_res, NULL, RES_LIST, .summary = "List deliveries",
		.doc = "The newest first. Kept for 30 days." },
	{ HTTP_GET, "/api/webhooks/{webhook_id}/deliveries/{delivery_id}", delivery_get, MANAGE, API_READ,
		API_BODY_NONE, .summary = "Read a delivery",
		.doc = "With its body and every attempt: what was sent, what came back, how long it took. "
		       "Body "
		       "and answers of events about access are null for everyone but administrators of the "
		       "company.",
		.answer_schema = DETAIL_SCHEMA,
		.answer_example =
			"{" DELIVERY_EXAMPLE ",\"payload\":{\"type\":\"kpi.updated\",\"timestamp\":"
			"\"2024-06-15T09:00:00Z\",\"data\":{}},\"history\":[{\"attempt\":1," ATTEMPT_EXAMPLE
			"}]}" },
	{ HTTP_POST, "/api/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", delivery_replay, MANAGE,
		API_WRITE, API_BODY_NONE, &webhook_delivery_res, NULL, RES_READ, .success = 202,
		.summary = "Send a delivery again",
		.doc = "As a delivery of its own behind other replays, with the webhook-id of the first "
		       "one. Of an event about access only while the subscription has access_events." },
	{ HTTP_POST, "/api/webhooks/{webhook_id}/replay", webhook_replay, MANAGE, API_WRITE, API_BODY_JSON,
		.success = 202, .summary = "Send the events of a time range again",
		.doc = "In their order, beside the live deliveries. events narrows to some types; at most "
		       "1000 "
		       "events at once.",
		.request_schema = "{\"type\":\"object\",\"required\":[\"from\",\"to\"],\"properties\":{"
				  "\"from\":" TIME_SCHEMA ",\"to\":" TIME_SCHEMA
				  ",\"events\":{\"type\":\"array\",\"items\":" TEXT_SCHEMA "}}}",
		.request_example = "{\"from\":\"2024-06-15T00:00:00Z\",\"to\":\"2024-06-16T00:00:00Z\"}",
		.answer_schema = "{\"type\":\"object\",\"required\":[\"deliveries\"],\"properties\":{"
				 "\"deliveries\":{\"type\":\"integer\"}}}",
		.answer_example = "{\"deliveries\":12}" },
	{ HTTP_POST, "/api/webhooks/{webhook_id}/test", webhook_test, MANAGE, API_SLOW, API_BODY_NONE,
		.success = 200, .summary = "Send a test",
		.doc = "Sends webhook.test at once, also to a paused subscription, and answers what came of "
		       "it.",
		.answer_schema = TEST_SCHEMA,
		.answer_example = "{\"delivery_id\":\"msg_1yqYkS3bTq0bYx8mJw2b5l0A\",\"delivered\":"
				  "true," ATTEMPT_EXAMPLE "}" },
	{ HTTP_POST, "/api/webhooks/{webhook_id}/rotate-secret", webhook_rotate, MANAGE, API_WRITE,
		API_BODY_JSON, &webhook_res, NULL, RES_UPDATE, .success = 200, .summary = "Change the secret",
		.doc = "The new secret (made by the server unless it is given) is shown this once. Until the "
		       "overlap is over every delivery carries a signature of each.",
		.request_schema =
			"{\"type\":\"object\",\"properties\":{\"secret\":{\"type\":\"string\","
			"\"minLength\":8,\"maxLength\":255},\"overlap_hours\":{\"type\":\"integer\","
			"\"minimum\":0,\"maximum\":720,\"default\":24}}}",
		.request_example = "{\"overlap_hours\":48}",
		.answer_schema = "{\"type\":\"object\",\"required\":[\"secret\"],\"properties\":{"
				 "\"secret\":" TEXT_SCHEMA ",\"previous_secret_until\":" TIME_SCHEMA "}}",
		.answer_example = "{\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\","
				  "\"previous_secret_until\":\"2024-06-17T09:00:00Z\"}" },
};

const struct api_routes webhook_delivery_routes = { routes, COUNT(routes), "Webhook deliveries",
	"What was sent to subscriptions, and sending it again." };
