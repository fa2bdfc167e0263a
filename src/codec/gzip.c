/*
 * gzip through zlib. A small text needs only a small window: zlib clears its tables at each start, and for an answer of a few kilobytes
 * that would cost more than compressing it.
 */
#include "codec/gzip.h"
#define ZLIB_CONST
#include <limits.h>
#include <zlib.h>

#define GZIP_FORMAT 16 /* added to the window bits: a gzip head and trailer instead of zlib's */
#define PIECE	    (32u << 10)

/* The smallest window that holds the whole text. */
static int
window_bits_for(size_t n)
{
	int bits = 9;

	while (bits < MAX_WBITS && ((size_t)1 << bits) < n)
		bits++;
	return bits;
}

/* Gives zlib the next piece of a text that may be longer than its counter. */
static void
feed(z_stream *z, struct str *rest)
{
	uInt n = rest->n > UINT_MAX ? UINT_MAX : (uInt)rest->n;

	if (z->avail_in)
		return;
	z->next_in = (const unsigned char *)rest->p;
	z->avail_in = n;
	*rest = str_sub(*rest, n, rest->n);
}

bool
gzip_compress(struct buf *b, struct str plain, int level)
{
	z_stream z = { 0 };
	int bits = window_bits_for(plain.n), memory = bits - 7 > 8 ? 8 : bits - 7, state = Z_OK;

	check(level >= 1 && level <= 9);
	if (deflateInit2(&z, level, Z_DEFLATED, bits + GZIP_FORMAT, memory, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	while (state == Z_OK) {
		char *to = buf_reserve(b, PIECE);

		if (!to)
			break;
		feed(&z, &plain);
		z.next_out = (unsigned char *)to;
		z.avail_out = PIECE;
		state = deflate(&z, plain.n ? Z_NO_FLUSH : Z_FINISH);
		b->len += PIECE - z.avail_out;
	}
	deflateEnd(&z);
	return state == Z_STREAM_END;
}

/* One step of expanding; Z_STREAM_END when the last member has ended. A file may have several members (RFC 1952, section 2.2). */
static int
expand_step(z_stream *z, struct buf *b, struct str *rest, size_t room)
{
	char *to = buf_reserve(b, room);

	check(to);
	feed(z, rest);
	z->next_out = (unsigned char *)to;
	z->avail_out = (uInt)room;
	int state = inflate(z, Z_NO_FLUSH);
	b->len += room - z->avail_out;
	if (state == Z_STREAM_END && (z->avail_in || rest->n))
		state = inflateReset(z);
	return state;
}

struct err *
gzip_expand(struct arena *a, struct str packed, size_t max, struct str *out)
{
	z_stream z = { 0 };
	struct buf b;
	int state = Z_OK;

	/* One byte more than allowed: a text that reaches it is too large, whatever would follow. */
	buf_init_arena(&b, a, max + 1);
	if (inflateInit2(&z, MAX_WBITS + GZIP_FORMAT) != Z_OK)
		return err_private(a, ERR_UNAVAILABLE, "zlib has no memory");
	while (state == Z_OK && b.len <= max) {
		size_t room = max + 1 - b.len;

		state = expand_step(&z, &b, &packed, room < PIECE ? room : PIECE);
	}
	inflateEnd(&z);
	if (b.len > max)
		return err_new(a, ERR_TOO_LARGE, "The expanded body is larger than %zu bytes.", max);
	if (state != Z_STREAM_END)
		return err_new(a, ERR_MALFORMED, "The gzip body is broken.");
	*out = buf_str(&b);
	return NULL;
}
