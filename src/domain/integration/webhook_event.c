/* See the header. */
#include "domain/integration/webhook_event.h"
#include "base/limits.h"
#include <sodium.h>

#define PATTERN_CHARS_MAX 100
#define ID_BYTES	  16

/* ---- patterns --------------------------------------------------------------------------------------------------------------- */

bool
webhook_pattern_is_valid(struct str pattern)
{
	size_t dot = str_index(pattern, '.', 0);

	if (str_eq(pattern, STR("*")))
		return true;
	if (pattern.n > PATTERN_CHARS_MAX || dot == 0 || dot + 1 >= pattern.n)
		return false;
	for (size_t i = 0; i < pattern.n; i++) {
		char ch = pattern.p[i];
		bool is_word = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '.';
		bool is_last_star = ch == '*' && i + 1 == pattern.n && pattern.p[i - 1] == '.';
		if (!is_word && !is_last_star)
			return false;
	}
	return true;
}

bool
webhook_pattern_matches(struct str pattern, struct str type)
{
	if (pattern.n == 0 || pattern.p[pattern.n - 1] != '*')
		return str_eq(pattern, type);
	struct str start = str_sub(pattern, 0, pattern.n - 1); /* "kpi.", and nothing of "*" */
	return type.n > start.n && str_starts_with(type, start);
}

struct err *
webhook_patterns_parse(struct arena *a, struct str json, struct webhook_patterns *out)
{
	json_val *list, *v;

	TRY(json_parse(a, json, &list));
	struct webhook_patterns p = { .patterns =
					      arena_alloc_array(a, json_count(list), sizeof(struct str)) };
	for (struct json_iter it = json_iter(list); json_next(&it, NULL, &v);)
		if (json_type_of(v) == JSON_STRING)
			p.patterns[p.count++] = json_string(v);
	*out = p;
	return NULL;
}

/* The first words of their types, and what each would tell. */
static const struct str access_words[] = {
	STR_INIT("company"),	  /* its settings and its end */
	STR_INIT("user"),	  /* people: their addresses, their roles, whether they may log in */
	STR_INIT("role"),	  /* what each role allows */
	STR_INIT("api_key"),	  /* which keys there are, what they may do and until when */
	STR_INIT("team"),	  /* who belongs to whom, by which supervisors see and assign */
	STR_INIT("webhook"),	  /* where the company's events go */
	STR_INIT("job"),	  /* what the server does, and what went wrong with it */
	STR_INIT("job_schedule"), /* when it does it */
	STR_INIT("queue"),	  /* what it has been told to leave undone */
};

bool
webhook_event_is_access(struct str type)
{
	struct str word = str_sub(type, 0, str_index(type, '.', 0));

	for (size_t i = 0; i < COUNT(access_words); i++)
		if (str_eq(word, access_words[i]))
			return true;
	return false;
}

bool
webhook_patterns_match(const struct webhook_patterns *p, struct str type)
{
	if (str_starts_with(type, STR("session.")) || (!p->access_events && webhook_event_is_access(type)))
		return false;
	for (size_t i = 0; i < p->count; i++)
		if (webhook_pattern_matches(p->patterns[i], type))
			return true;
	return false;
}

/* ---- what is sent ----------------------------------------------------------------------------------------------------------- */

static void
put_values(struct json_out *o, struct str key, struct str json)
{
	json_key(o, key);
	json_put_raw(o, json.n ? json : STR("null"));
}

static void
put_head(struct json_out *o, struct str type, struct instant at)
{
	char text[64];
	struct buf b = { .p = text, .cap = sizeof(text), .max = sizeof(text) };

	instant_write(&b, at, INSTANT_ISO_SECONDS, NULL);
	json_begin_object(o);
	json_pair_str(o, "type", type);
	json_pair_str(o, "timestamp", buf_str(&b));
	json_key(o, STR("data"));
	json_begin_object(o);
}

static void
put_actor(struct json_out *o, const struct outbox_event *e)
{
	json_key(o, STR("actor"));
	json_begin_object(o);
	json_key(o, STR("id"));
	if (e->actor_id)
		json_put_int(o, e->actor_id);
	else
		json_put_null(o);
	json_pair_str(o, "name", e->actor_name);
	json_end_object(o);
}

struct str
webhook_payload(struct arena *a, const struct outbox_event *e)
{
	struct json_out o;
	struct buf b;

	buf_init_arena(&b, a, LIMIT_ANSWER_BYTES);
	json_out_init(&o, &b);
	put_head(&o, e->type, e->at);
	json_pair_str(&o, "id", e->object_id);
	json_pair_str(&o, "object_type", e->object_type);
	put_values(&o, STR("object"), e->new_values);
	put_values(&o, STR("previous"), e->old_values);
	put_actor(&o, e);
	json_pair_int(&o, "event_id", e->position.seq);
	json_end_object(&o);
	json_end_object(&o);
	return buf_str(&b);
}

struct str
webhook_test_payload(struct arena *a, struct str webhook_id, struct instant now)
{
	struct json_out o;
	struct buf b;

	buf_init_arena(&b, a, 1024);
	json_out_init(&o, &b);
	put_head(&o, STR("webhook.test"), now);
	json_pair_str(&o, "id", webhook_id);
	json_pair_str(&o, "object_type", STR("webhook"));
	json_pair_str(&o, "message", STR("This is a test. Nothing has changed."));
	json_end_object(&o);
	json_end_object(&o);
	return buf_str(&b);
}

struct str
webhook_message_id(struct arena *a, int64_t company_id, struct str webhook_id, struct outbox_position event)
{
	struct str text = arena_fmt(a, "%lld %.*s %lld %lld", (long long)company_id, STR_ARG(webhook_id),
		(long long)event.txid, (long long)event.seq);
	unsigned char hash[ID_BYTES];
	char hex[2 * ID_BYTES + 1];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.p, text.n, NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	return arena_fmt(a, "msg_%s", hex);
}
