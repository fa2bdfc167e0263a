/*
 * The retrospectives contract: {error,message}, or {error,details:{field:[text]}}. `error` is a short phrase, made of the stable word
 * ("Retrospective not found"), and sentences come without their final full stop.
 */
#include "api/dialect_writers.h"

/* RETROSPECTIVE_NOT_FOUND → "Retrospective not found"; KPI keeps its capitals. */
static struct str
phrase_of(struct arena *a, struct str word)
{
	char *text = arena_alloc(a, word.n + 1);
	for (size_t i = 0; i < word.n; i++) {
		const char ch = word.p[i];
		text[i] = ch == '_' ? ' ' : i > 0 && ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
	}
	if (str_starts_with(word, STR("KPI_")))
		memcpy(text, "KPI", 3);
	return (struct str){ text, word.n };
}

void
retro_error_write(struct json_out *o, struct api_ctx *c, const struct err *e)
{
	struct arena *a = c->res.arena;
	const struct str message = failure_message(c, e);
	struct str phrase;
	if (e->fields)
		phrase = STR("Validation failed");
	else if (e->code == ERR_INSUFFICIENT_PERMISSIONS)
		phrase = STR("Insufficient permissions");
	else if (str_is_empty(e->word) && e->code != ERR_NOT_FOUND)
		phrase = message;
	else
		phrase = phrase_of(a, err_code_word(e));
	const struct failure_texts texts = {
		.error = phrase,
		.message = message,
		.detail = message,
		.code = err_code_word(e),
	};
	struct err shown = *e;
	struct err_field **link = &shown.fields;
	for (const struct err_field *f = e->fields; f; f = f->next) {
		*link = arena_new_of(a, struct err_field);
		**link = (struct err_field){ .field = f->field, .message = f->message };
		if (str_ends_with(f->message, STR(".")))
			(*link)->message.n--;
		link = &(*link)->next;
	}
	json_begin_object(o);
	failure_members(o, c, e, &texts);
	json_key(o, STR("details"));
	details_write(o, &shown, DETAILS_LISTS);
	json_end_object(o);
}
