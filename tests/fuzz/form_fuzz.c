/* Decoded pairs are clean text, survive escaping and decoding again, and make a JSON object that reads. */
#include "codec/form.h"
#include "codec/json.h"
#include "fuzz.h"

#define PAIRS 50

static void
check_pairs(struct arena *a, const struct form *f)
{
	struct form again;
	struct buf b;

	buf_init_arena(&b, a, 16 << 20);
	for (size_t i = 0; i < f->count; i++) {
		check(str_is_utf8(f->pairs[i].name) && str_is_utf8(f->pairs[i].value));
		check(str_index(f->pairs[i].value, '\0', 0) == f->pairs[i].value.n);
		if (i)
			buf_add_byte(&b, '&');
		form_escape(&b, f->pairs[i].name);
		buf_add_byte(&b, '=');
		form_escape(&b, f->pairs[i].value);
	}
	check(!form_parse(a, buf_str(&b), PAIRS, &again));
	check(again.count == f->count);
	for (size_t i = 0; i < f->count; i++)
		check(str_eq(again.pairs[i].name, f->pairs[i].name) &&
			str_eq(again.pairs[i].value, f->pairs[i].value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *a = arena_new(256 << 20);
	struct str text = { (const char *)bytes, size }, segment;
	struct form f;
	json_val *v;

	if (!form_parse(a, text, PAIRS, &f)) {
		check_pairs(a, &f);
		check(!json_parse(a, form_to_json(a, &f), &v));
		check(json_count(v) <= f.count);
	}
	if (form_unescape_segment(a, text, &segment))
		check(str_is_utf8(segment) && segment.n <= size);
	arena_free(a);
	return 0;
}
