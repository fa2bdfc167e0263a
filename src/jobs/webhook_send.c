/* The request is signed anew for every attempt, because its timestamp is part of what is signed. */
#include "jobs/webhook_send.h"
#include "codec/webhook_signature.h"
#include "net/http_client.h"

#define FIELDS_MAX 8

struct signing {
	const struct webhook_sender *sender;
	const struct webhook_call *call;
	struct instant now;
	struct http_field fields[FIELDS_MAX];
	size_t count;
	struct str header_json;
};

static void
add_field(struct signing *s, const char *name, struct str value)
{
	check(s->count < FIELDS_MAX);
	s->fields[s->count++] = (struct http_field){ str_from_cstr(name), value };
}

/* "v1,… v1,…" while the secret before the last rotation still counts; X-Webhook-Signature has room for one alone. */
static bool
sign(struct signing *s, struct arena *a)
{
	const struct webhook_target *t = s->call->target;
	const struct webhook_signed m = { .id = s->call->message->message_id,
		.timestamp_s = s->now.us / INSTANT_SECOND,
		.body = s->call->message->body };
	struct str secret, old;
	struct buf all, body;

	if (!iam_unseal(s->sender->iam, a, t->secret, &secret))
		return false;
	buf_init_arena(&all, a, 256);
	buf_init_arena(&body, a, 128);
	webhook_signature_write(&all, secret, &m);
	webhook_body_signature_write(&body, secret, m.body);
	if (t->old_secret.n && s->now.us < t->old_secret_until.us &&
		iam_unseal(s->sender->iam, a, t->old_secret, &old)) {
		buf_add_byte(&all, ' ');
		webhook_signature_write(&all, old, &m);
	}
	add_field(s, "webhook-signature", buf_str(&all));
	add_field(s, "X-Webhook-Signature", buf_str(&body));
	return true;
}

static bool
add_fields(struct signing *s, struct arena *a)
{
	const struct webhook_message *m = s->call->message;

	add_field(s, "Content-Type", STR("application/json"));
	add_field(s, "User-Agent", STR("Sextant-Webhooks/1"));
	add_field(s, "webhook-id", m->message_id);
	add_field(s, "webhook-timestamp", arena_fmt(a, "%lld", (long long)(s->now.us / INSTANT_SECOND)));
	add_field(s, "X-Webhook-Event", m->event_type);
	return sign(s, a);
}

static struct str
fields_json(const struct signing *s, struct arena *a)
{
	struct json_out o;
	struct buf b;

	buf_init_arena(&b, a, 4096);
	json_out_init(&o, &b);
	json_begin_object(&o);
	for (size_t i = 0; i < s->count; i++) {
		json_key(&o, s->fields[i].name);
		json_put_str(&o, s->fields[i].value);
	}
	json_end_object(&o);
	return buf_str(&b);
}

/* ---- what came back --------------------------------------------------------------------------------------------------------- */

/* As much of it as is kept, as text that any database stores. */
static struct str
kept_answer(struct arena *a, struct str body)
{
	struct str rest = str_sub(body, 0, WEBHOOK_ANSWER_KEPT);
	struct buf b;

	buf_init_arena(&b, a, 4 * WEBHOOK_ANSWER_KEPT + 16);
	while (rest.n) {
		struct str good = str_sub(rest, 0, str_utf8_prefix(rest));
		size_t nul = str_index(good, '\0', 0);
		buf_add_str(&b, str_sub(good, 0, nul));
		rest = str_sub(rest, nul, rest.n);
		if (rest.n) {
			buf_add_byte(&b, '?');
			rest = str_sub(rest, 1, rest.n);
		}
	}
	return buf_str(&b);
}

static void
judge(struct arena *a, const struct http_reply *reply, struct webhook_attempt *out)
{
	out->status = reply->status;
	out->answer = kept_answer(a, reply->body);
	out->retry_after_s = reply->retry_after_s;
	if (reply->status >= 300 && reply->status < 400) {
		out->fault = STR("REDIRECT");
		out->answer = arena_fmt(a, "Redirects are not followed; it pointed to %.*s",
			STR_ARG(kept_answer(a, str_sub(reply->location, 0, 500))));
	} else if (reply->status < 200 || reply->status >= 300) {
		out->fault = arena_fmt(a, "STATUS_%d", reply->status);
	}
}

static bool
may_connect(void *arg, const struct sockaddr *address)
{
	const struct signing *s = arg;
	return s->sender->allows_private || http_address_is_public(address);
}

static bool
is_over(void *arg)
{
	const struct signing *s = arg;
	return s->call->is_over(s->call->arg);
}

static bool
call_endpoint(struct signing *s, struct arena *a, struct webhook_attempt *out)
{
	const struct webhook_call *c = s->call;
	const struct http_call call = {
		.method = STR("POST"),
		.url = c->target->url,
		.fields = s->fields,
		.field_count = s->count,
		.body = c->message->body,
		.timeout_ms = s->sender->timeout_ms ? s->sender->timeout_ms : WEBHOOK_TIMEOUT_MS,
		.answer_bytes_max = WEBHOOK_ANSWER_BYTES,
		.cuts_answer = true,
		.is_over = c->is_over ? is_over : NULL,
		.may_connect = may_connect,
		.arg = s,
	};
	struct http_reply reply;
	int64_t began_us = monotonic_us();
	struct err *e = http_client_call(c->client, a, &call, &reply);

	out->duration_us = monotonic_us() - began_us;
	out->address = reply.address;
	if (!e)
		judge(a, &reply, out);
	else
		out->fault = err_code_word(e);
	return !e || !str_eq(out->fault, STR("STOPPED"));
}

bool
webhook_send(const struct webhook_sender *sender, struct arena *a, const struct webhook_call *call,
	struct webhook_attempt *out)
{
	struct signing s = { .sender = sender, .call = call, .now = sender->clock->now(sender->clock) };
	bool is_signed = add_fields(&s, a);

	*out = (struct webhook_attempt){ .at = s.now, .url = call->target->url };
	out->request_headers = fields_json(&s, a);
	if (!is_signed) {
		out->fault = STR("SECRET_UNREADABLE");
		return true;
	}
	return call_endpoint(&s, a, out);
}
