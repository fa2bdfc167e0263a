/*
 * UTF-8 validation in pieces, so that a text is refused at its first wrong byte although it comes in many frames. The state is what
 * the next byte may be: RFC 3629's table of well-formed sequences needs a special range for the second byte only.
 */
#include "net/stream_internal.h"

static bool
begin_sequence(struct utf8_state *u, uint8_t c)
{
	u->low = 0x80;
	u->high = 0xbf;
	if (c >= 0xc2 && c <= 0xdf) {
		u->missing = 1;
	} else if (c >= 0xe0 && c <= 0xef) {
		u->missing = 2;
		if (c == 0xe0)
			u->low = 0xa0; /* shorter forms exist below */
		if (c == 0xed)
			u->high = 0x9f; /* surrogates above */
	} else if (c >= 0xf0 && c <= 0xf4) {
		u->missing = 3;
		if (c == 0xf0)
			u->low = 0x90;
		if (c == 0xf4)
			u->high = 0x8f; /* beyond U+10FFFF */
	} else {
		return false;
	}
	return true;
}

bool
utf8_feed(struct utf8_state *u, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (u->missing) {
			if (p[i] < u->low || p[i] > u->high)
				return false;
			u->missing--;
			u->low = 0x80;
			u->high = 0xbf;
			continue;
		}
		/* Whole texts at once where they arrive whole: str_utf8_prefix takes eight bytes at a time. */
		i += str_utf8_prefix((struct str){ (const char *)p + i, n - i });
		if (i == n)
			return true;
		if (!begin_sequence(u, p[i]))
			return false;
	}
	return true;
}
