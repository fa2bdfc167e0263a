/*
 * WebSocket frames: the input's first byte says in which pieces the rest arrives. However it is cut, the same is read: the same texts, pings
 * and close in the same order, and the same fault. Texts are UTF-8 and within the limit; nothing is read after a close or a fault.
 */
#include "fuzz.h"
#include "net/stream_internal.h"

#define MESSAGE_BYTES_MAX 1000

/* What a reading has given, as a hash of its order and content. */
struct heard {
	uint64_t hash;
	size_t count;
	bool is_over;
};

static void
add(struct heard *h, char what, struct str s)
{
	check(!h->is_over);
	h->hash = (h->hash ^ str_hash(s) ^ (uint64_t)what) * 0x9e3779b97f4a7c15u;
	h->count++;
}

static void
on_text(void *arg, struct str text)
{
	check(str_is_utf8(text) && text.n <= MESSAGE_BYTES_MAX);
	add(arg, 't', text);
}

static void
on_ping(void *arg, struct str payload)
{
	check(payload.n <= 125);
	add(arg, 'p', payload);
}

static void
on_closed(void *arg, int code)
{
	struct heard *h = arg;
	char bytes[2] = { (char)(code >> 8), (char)code };

	check(code >= 1000 && code <= 4999 && code != STREAM_CLOSE_ABNORMAL);
	add(h, 'c', (struct str){ bytes, 2 });
	h->is_over = true;
}

static bool
is_over(void *arg)
{
	const struct heard *h = arg;

	return h->is_over;
}

/* Pieces of `piece` bytes; 0: all at once. */
static int
read_all(struct str rest, size_t piece, struct heard *h)
{
	const struct stream_sink sink = { on_text, on_ping, on_closed, is_over, h };
	struct stream_reader *r = NULL;
	bool message_done;
	int code = 0;

	while (rest.n && !code && !h->is_over) {
		size_t n = piece && piece < rest.n ? piece : rest.n;

		code = stream_reader_feed(&r, MESSAGE_BYTES_MAX, str_sub(rest, 0, n), &sink, &message_done);
		rest = str_sub(rest, n, rest.n);
	}
	stream_reader_free(r);
	return code;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct heard whole = { 0 }, pieces = { 0 };
	struct str rest = { (const char *)bytes + 1, size - 1 };
	int code;

	if (size < 2)
		return 0;
	code = read_all(rest, 0, &whole);
	check(code == read_all(rest, 1 + bytes[0] % 16, &pieces));
	check(whole.hash == pieces.hash && whole.count == pieces.count);
	check(code == 0 || (code >= 1002 && code <= 1009));
	return 0;
}
