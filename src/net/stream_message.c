/*
 * Messages: the bytes of one text as a WebSocket frame (RFC 6455 §5.2; a server's frames have no mask, so they are the same for everyone)
 * and as an event (HTML standard §9.2.6). Both forms are made once, with the text, and are constant from then on.
 */
#include "net/stream_internal.h"
#include <stdlib.h>

#define FRAME_HEAD_BYTES_MAX 10
#define FIN		     0x80

static struct stream_message *
new_message(size_t bytes)
{
	struct stream_message *m = malloc(sizeof(*m) + bytes);

	check(m);
	*m = (struct stream_message){ 0 };
	atomic_init(&m->refs, 1);
	return m;
}

static char *
bytes_of(struct stream_message *m)
{
	return (char *)(m + 1);
}

static char *
write_bytes(char *to, struct str s)
{
	if (s.n)
		memcpy(to, s.p, s.n);
	return to + s.n;
}

static char *
write_frame(char *to, int opcode, struct str payload)
{
	uint64_t n = payload.n;
	int shift;

	*to++ = (char)(FIN | opcode);
	if (n < 126) {
		*to++ = (char)n;
		shift = 0;
	} else if (n < 65536) {
		*to++ = 126;
		shift = 16;
	} else {
		*to++ = 127;
		shift = 64;
	}
	while (shift) {
		shift -= 8;
		*to++ = (char)(n >> shift);
	}
	return write_bytes(to, payload);
}

static bool
is_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '\0')
			return false;
	return s.n > 0;
}

/* The next line of the text; a line ends with CR, LF or both. False after the last one. */
static bool
next_line(struct str *rest, struct str *line)
{
	size_t n = 0;

	if (!rest->p)
		return false;
	while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
		n++;
	*line = str_sub(*rest, 0, n);
	if (n == rest->n) {
		*rest = (struct str){ 0 };
		return true;
	}
	n += rest->p[n] == '\r' && n + 1 < rest->n && rest->p[n + 1] == '\n' ? 2 : 1;
	*rest = str_sub(*rest, n, rest->n);
	return true;
}

static size_t
count_lines(struct str text)
{
	struct str line;
	size_t n = 0;

	while (next_line(&text, &line))
		n++;
	return n;
}

static char *
write_event(char *to, struct str event, struct str id, struct str text)
{
	struct str line;

	if (is_line(id)) {
		to = write_bytes(to, STR("id: "));
		to = write_bytes(to, id);
		*to++ = '\n';
	}
	if (is_line(event)) {
		to = write_bytes(to, STR("event: "));
		to = write_bytes(to, event);
		*to++ = '\n';
	}
	while (next_line(&text, &line)) {
		to = write_bytes(to, STR("data: "));
		to = write_bytes(to, line);
		*to++ = '\n';
	}
	*to++ = '\n';
	return to;
}

struct stream_message *
stream_message_new(struct str event, struct str id, struct str text)
{
	struct str shown = text.p ? text : STR("");
	size_t event_max = event.n + id.n + sizeof("id: \nevent: \n\n") + shown.n +
			   count_lines(shown) * sizeof("data: \n");
	struct stream_message *m = new_message(FRAME_HEAD_BYTES_MAX + shown.n + event_max);
	char *frame = bytes_of(m), *between = write_frame(frame, OPCODE_TEXT, shown);
	char *end = write_event(between, event, id, shown);

	m->form[STREAM_WEBSOCKET] = (struct str){ frame, (size_t)(between - frame) };
	m->form[STREAM_EVENTS] = (struct str){ between, (size_t)(end - between) };
	return m;
}

struct stream_message *
stream_message_frame(int opcode, struct str payload)
{
	struct stream_message *m = new_message(FRAME_HEAD_BYTES_MAX + payload.n);
	char *frame = bytes_of(m), *end = write_frame(frame, opcode, payload);

	m->form[STREAM_WEBSOCKET] = (struct str){ frame, (size_t)(end - frame) };
	return m;
}

struct stream_message *
stream_message_close(int code, struct str reason)
{
	char payload[125] = { (char)(code >> 8), (char)code };

	if (code == STREAM_CLOSE_NO_STATUS)
		return stream_message_frame(OPCODE_CLOSE, (struct str){ 0 });
	/* A control frame has 125 bytes at most, and a character must not be cut. */
	reason = str_sub(reason, 0, sizeof(payload) - 2);
	reason.n = str_utf8_prefix(reason);
	(void)write_bytes(payload + 2, reason);
	return stream_message_frame(OPCODE_CLOSE, (struct str){ payload, 2 + reason.n });
}

struct stream_message *
stream_message_raw(enum stream_kind kind, struct str bytes)
{
	struct stream_message *m = new_message(bytes.n);

	(void)write_bytes(bytes_of(m), bytes);
	m->form[kind] = (struct str){ bytes_of(m), bytes.n };
	return m;
}

void
stream_message_hold(struct stream_message *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

void
stream_message_drop(struct stream_message *m)
{
	if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		free(m);
}
