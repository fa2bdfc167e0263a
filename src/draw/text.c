/* Plain text, escaping and the guess of widths. */
#include "draw/text.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* Length of the code point at the start of s, which is not empty; 0 when it is no valid UTF-8. */
static size_t
code_point(struct str s, uint32_t *out)
{
	unsigned char first = (unsigned char)s.p[0];
	size_t n = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

	if (n > s.n || !str_is_utf8(str_sub(s, 0, n)))
		return 0;
	uint32_t v = n == 1 ? first : first & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++)
		v = v << 6 | ((unsigned char)s.p[i] & 0x3Fu);
	*out = v;
	return n;
}

/* What neither XML nor a text layout takes: controls but tab and line feed, and the two non-characters at the end of the first plane. */
static bool
is_plain(uint32_t c)
{
	return (c >= 0x20 || c == '\n' || c == '\t') && !(c >= 0x7F && c < 0xA0) && c != 0xFFFE &&
	       c != 0xFFFF;
}

struct str
draw_plain(struct arena *a, struct str s)
{
	struct buf b;
	size_t kept = 0, i = 0;

	buf_init_arena(&b, a, s.n * 3 + 1);
	while (i < s.n) {
		uint32_t c = 0;
		size_t n = code_point(str_sub(s, i, s.n - i), &c);
		if (n && is_plain(c)) {
			i += n;
			continue;
		}
		buf_add(&b, s.p + kept, i - kept);
		i += n ? n : 1;
		kept = i;
		/* A carriage return belongs to the line end behind it. */
		if (c != '\r')
			buf_add_lit(&b, REPLACEMENT);
		else if (i >= s.n || s.p[i] != '\n')
			buf_add_byte(&b, '\n');
	}
	if (kept == 0)
		return s;
	buf_add(&b, s.p + kept, s.n - kept);
	return buf_str(&b);
}

void
draw_escape(struct buf *b, struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		uint32_t c = 0;
		size_t n = code_point(str_sub(s, i, s.n - i), &c);
		if (n && is_plain(c))
			buf_add_markup(b, str_sub(s, i, n));
		else if (c != '\r')
			buf_add_lit(b, REPLACEMENT);
		i += n ? n : 1;
	}
}

/* In hundredths of the size, from the widths of common sans-serif fonts. */
static int
guess_advance(uint32_t c)
{
	if (c >= 0x1100 &&
		(c <= 0x115F || (c >= 0x2E80 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
			(c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) || c >= 0x1F000))
		return 105;
	if (c >= 0x300 && c <= 0x36F)
		return 0;
	if (c < 0x80 && strchr("iljtfI.,:;'|!()[] ", (int)c))
		return 38;
	if (c == 'm' || c == 'w' || c == 'M' || c == 'W' || c == '%' || c == '@')
		return 96;
	if (c >= 'A' && c <= 'Z')
		return 72;
	return 62;
}

/* Bytes of s whose width stays within limit (hundredths); *width is theirs. */
static size_t
guess_prefix(struct str s, double limit, double *width)
{
	size_t i = 0;
	double sum = 0;

	while (i < s.n) {
		uint32_t c = 0xFFFD;
		size_t n = code_point(str_sub(s, i, s.n - i), &c);
		double next = sum + guess_advance(c);
		if (next > limit)
			break;
		sum = next;
		i += n ? n : 1;
	}
	*width = sum;
	return i;
}

double
draw_guess_width(struct str s)
{
	double width;

	guess_prefix(s, 1e12, &width);
	return width / 100;
}

struct str
draw_guess_fit(struct arena *a, struct str s, double width)
{
	double used;

	if (guess_prefix(s, width * 100, &used) == s.n)
		return s;
	size_t n = guess_prefix(s, width * 100 - 100, &used);
	return arena_fmt(a, "%.*s…", (int)n, s.p);
}
