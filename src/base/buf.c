/*
 * Growing buffers. The capacity doubles up to the maximum and one spare byte, so that vsnprintf can put its terminator behind the
 * content. A buffer that went over stays over until it is cleared: a later, shorter piece must not be appended behind a missing one.
 */
#include "base/buf.h"
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAP 256u

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_init_arena(struct buf *b, struct arena *a, size_t max)
{
	*b = (struct buf){ .max = max, .arena = a };
}

void
buf_done(struct buf *b)
{
	if (!b->arena)
		free(b->p);
	*b = (struct buf){ .max = b->max, .arena = b->arena };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->over = false;
}

char *
buf_reserve_slowly(struct buf *b, size_t n)
{
	if (b->over || n > b->max - b->len) {
		b->over = true;
		return NULL;
	}
	size_t need = b->len + n + 1, cap = b->cap ? b->cap : FIRST_CAP;
	while (cap < need)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	if (cap > b->cap) {
		char *p = b->arena ? arena_grow(b->arena, b->p, b->cap, cap) : realloc(b->p, cap);

		if (!p) {
			b->over = true;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
	}
	return b->p + b->len;
}

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

char *
int_digits(uint64_t v, char *end)
{
	while (v >= 100) {
		memcpy(end -= 2, digit_pairs + 2 * (v % 100), 2);
		v /= 100;
	}
	if (v >= 10)
		memcpy(end -= 2, digit_pairs + 2 * v, 2);
	else
		*--end = (char)('0' + v);
	return end;
}

void
buf_add_int(struct buf *b, int64_t v)
{
	char text[INT_DIGITS_MAX + 1], *end = text + sizeof(text);
	/* The negation is done unsigned, where the smallest int64 has a counterpart. */
	char *p = int_digits(v < 0 ? 0 - (uint64_t)v : (uint64_t)v, end);

	if (v < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(end - p));
}

void
buf_add_fmt(struct buf *b, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	size_t spare = b->cap > b->len && !b->over ? b->cap - b->len : 0;
	int n = vsnprintf(spare ? b->p + b->len : NULL, spare, format, args);
	check(n >= 0);
	if ((size_t)n < spare) {
		b->len += (size_t)n;
	} else {
		char *to = buf_reserve(b, (size_t)n);

		if (to) {
			check(vsnprintf(to, (size_t)n + 1, format, again) == n);
			b->len += (size_t)n;
		}
	}
	va_end(again);
	va_end(args);
}

/* True when one of the eight bytes is a control character, a quote or a backslash. Bytes above 0x7F are none of them. */
static bool
word_needs_escape(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');

	return (((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops;
}

/* Copies the bytes at the start of s that stand for themselves in a JSON string; how many they are. */
static size_t
copy_plain(char *to, struct str s)
{
	size_t i = 0;
	uint64_t w;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&w, s.p + i, 8);
		if (word_needs_escape(w))
			break;
		memcpy(to + i, &w, 8);
	}
	for (; i < s.n && (unsigned char)s.p[i] >= 0x20 && s.p[i] != '"' && s.p[i] != '\\'; i++)
		to[i] = s.p[i];
	return i;
}

static void
add_escape(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef", letters[] = "btn?fr"; /* for 8 to 13; 11 has none */
	char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (c == '"' || c == '\\')
		text[1] = (char)c;
	else if (c >= 8 && c <= 13 && c != 11)
		text[1] = letters[c - 8];
	buf_add(b, text, text[1] == 'u' ? 6 : 2);
}

void
buf_add_json_string(struct buf *b, struct str s)
{
	buf_add_byte(b, '"');
	for (;;) {
		/* Room for the closing quote too. */
		char *to = buf_reserve(b, s.n + 1);
		if (!to)
			return;
		size_t n = copy_plain(to, s);
		b->len += n;
		if (n == s.n) {
			to[n] = '"';
			b->len++;
			return;
		}
		add_escape(b, (unsigned char)s.p[n]);
		s = (struct str){ s.p + n + 1, s.n - n - 1 };
	}
}

struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->len };
}

void
buf_add_markup(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':
			buf_add_lit(b, "&amp;");
			break;
		case '<':
			buf_add_lit(b, "&lt;");
			break;
		case '>':
			buf_add_lit(b, "&gt;");
			break;
		case '"':
			buf_add_lit(b, "&quot;");
			break;
		case '\'':
			buf_add_lit(b, "&#39;");
			break;
		default:
			buf_add_byte(b, s.p[i]);
		}
	}
}
