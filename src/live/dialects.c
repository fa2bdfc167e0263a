/*
 * The two ways of telling an event. The general one gives the event's own names and the object as it is kept in the event table; the one
 * of the retrospectives contract has a word for each of the few events that its clients know, and passes the others over. Values are
 * the JSON texts that were written with the change: nothing is read from the database, so an old event is told as it was then.
 */
#include "live/dialects.h"
#include "base/limits.h"
#include "codec/json.h"

#define AROUND_BYTES 4096 /* of a message besides its values: names are far shorter than their limits */

/* ---- belonging ---- */

struct parent_row {
	struct str object_type, member, parent_type;
};

static const struct parent_row parents[] = {
	{ STR_INIT("insight"), STR_INIT("\"retrospective_task_id\":"), STR_INIT("retrospective") },
	{ STR_INIT("retro_action"), STR_INIT("\"retrospective_id\":"), STR_INIT("retrospective") },
};

/* The integer behind a member's name in compact JSON of the engine's own, in which a text cannot hold an unescaped quote. */
static struct str
integer_member(struct str json, struct str member)
{
	const char *at = json.n ? memmem(json.p, json.n, member.p, member.n) : NULL;
	if (!at)
		return (struct str){ "", 0 };
	struct str rest = str_sub(json, (size_t)(at - json.p) + member.n, json.n);
	size_t n = 0;
	while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
		n++;
	return str_sub(rest, 0, n);
}

struct live_topic
dialect_parent(const struct outbox_event *e)
{
	for (size_t i = 0; i < COUNT(parents); i++) {
		if (!str_eq(e->object_type, parents[i].object_type))
			continue;
		struct str id =
			integer_member(e->new_values.n ? e->new_values : e->old_values, parents[i].member);
		if (id.n)
			return (struct live_topic){ parents[i].parent_type, id };
	}
	return (struct live_topic){ { "", 0 }, { "", 0 } };
}

/* ---- texts ---- */

/* "data": the object after the change, or before its deletion. What would not fit a message is left out, and its size is told. */
static void
put_values(struct json_out *o, const struct outbox_event *e)
{
	const struct str values = e->new_values.n   ? e->new_values
				  : e->old_values.n ? e->old_values
						    : STR("null");
	const bool fits = values.n <= LIMIT_STREAM_MESSAGE_BYTES - AROUND_BYTES;
	json_key(o, STR("data"));
	json_put_raw(o, fits ? values : STR("null"));
	if (!fits)
		json_pair_int(o, "omitted_bytes", (int64_t)values.n);
}

static void
put_time(struct json_out *o, struct instant at)
{
	json_key(o, STR("timestamp"));
	buf_add_byte(o->b, '"');
	instant_write(o->b, at, INSTANT_ISO_SECONDS, NULL);
	buf_add_byte(o->b, '"');
	o->comma = true;
}

static void
write_general(const struct outbox_event *e, struct buf *text)
{
	struct json_out o;
	json_out_init(&o, text);
	json_begin_object(&o);
	json_pair_str(&o, "type", e->type);
	put_time(&o, e->at);
	json_pair_int(&o, "seq", e->position.seq);
	json_pair_str(&o, "object_type", e->object_type);
	json_pair_str(&o, "object_id", e->object_id);
	put_values(&o, e);
	json_end_object(&o);
}

/* ---- retrospectives ---- */

struct word_row {
	struct str type;
	const char *word;
};

static const struct word_row words[] = {
	{ STR_INIT("campaign.kpi_updated"), "kpiUpdated" },
	{ STR_INIT("retrospective.insight_generated"), "insightGenerated" },
	{ STR_INIT("retrospective.report_approved"), "reportApproved" },
	{ STR_INIT("retrospective.updated"), "retrospectiveUpdated" },
	{ STR_INIT("retrospective.reminder"), "reminder" },
	{ STR_INIT("retro_action.created"), "actionUpdated" },
	{ STR_INIT("retro_action.updated"), "actionUpdated" },
	{ STR_INIT("retro_action.carried_over"), "actionUpdated" },
};

/* NULL: nothing that clients of this contract know. */
static const char *
word_of(const struct outbox_event *e)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(e->type, words[i].type))
			return words[i].word;
	return NULL;
}

static void
write_retrospective(const struct outbox_event *e, struct buf *text)
{
	const char *word = word_of(e);
	struct json_out o;
	if (!word)
		return;
	json_out_init(&o, text);
	json_begin_object(&o);
	json_pair_str(&o, "event_type", str_from_cstr(word));
	put_values(&o, e);
	put_time(&o, e->at);
	json_pair_int(&o, "seq", e->position.seq);
	json_end_object(&o);
}

/* ---- messages ---- */

typedef void writer(const struct outbox_event *e, struct buf *text);

static writer *const writers[] = {
	[LIVE_EVENTS] = write_general,
	[LIVE_RETROSPECTIVE] = write_retrospective,
};

struct stream_message *
dialect_message(enum live_dialect_id dialect, const struct outbox_event *e)
{
	struct stream_message *m = NULL;
	struct buf text, id;
	buf_init(&text, LIMIT_STREAM_MESSAGE_BYTES);
	buf_init(&id, INT_DIGITS_MAX + 1);
	writers[dialect](e, &text);
	buf_add_int(&id, e->position.seq);
	if (text.len && !buf_is_over(&text))
		m = stream_message_new((struct str){ "", 0 }, buf_str(&id), buf_str(&text));
	buf_done(&text);
	buf_done(&id);
	return m;
}
