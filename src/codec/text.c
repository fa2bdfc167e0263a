/*
 * Folding of texts for search and uniqueness. Most texts are ASCII and take a short way of their own, which gives what the long way
 * would. Folding twice changes nothing more, so that stored folded texts can be compared with folded input.
 */
#include "codec/text.h"
#include <utf8proc.h>

static bool
is_ascii(struct str s)
{
	unsigned char bits = 0;

	for (size_t i = 0; i < s.n; i++)
		bits |= (unsigned char)s.p[i];
	return bits < 0x80;
}

/* Unicode's White_Space that compatibility mapping has not made a blank yet. */
static bool
is_space(int32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0x1680 || c == 0x2028 || c == 0x2029;
}

static struct str
fold_ascii(struct arena *a, struct str s)
{
	char *text = arena_alloc(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_space(c))
			text[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
		else if (n && text[n - 1] != ' ')
			text[n++] = ' ';
	}
	return (struct str){ text, n && text[n - 1] == ' ' ? n - 1 : n };
}

/* One blank for each run of white space, none at the ends. The new number of code points. */
static utf8proc_ssize_t
fold_spaces(utf8proc_int32_t *points, utf8proc_ssize_t count)
{
	utf8proc_ssize_t n = 0;

	for (utf8proc_ssize_t i = 0; i < count; i++) {
		if (!is_space(points[i]))
			points[n++] = points[i];
		else if (n && points[n - 1] != ' ')
			points[n++] = ' ';
	}
	return n && points[n - 1] == ' ' ? n - 1 : n;
}

struct str
text_fold(struct arena *a, struct str s)
{
	/* NFKC_Casefold (Unicode 15, section 3.13): characters without appearance of their own are dropped. */
	const utf8proc_option_t options =
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
	const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)s.p;

	if (is_ascii(s))
		return fold_ascii(a, s);
	utf8proc_ssize_t count = utf8proc_decompose(bytes, (utf8proc_ssize_t)s.n, NULL, 0, options);
	check(count >= 0);
	/* One more for the terminator that reencoding writes. */
	utf8proc_int32_t *points = arena_alloc_array(a, (size_t)count + 1, sizeof(*points));
	check(utf8proc_decompose(bytes, (utf8proc_ssize_t)s.n, points, count, options) == count);
	count = utf8proc_reencode(points, fold_spaces(points, count), options);
	check(count >= 0);
	return (struct str){ (const char *)points, (size_t)count };
}
