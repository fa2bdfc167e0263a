/*
 * WebSocket frames from bytes. wslay takes frames apart (lengths, masks, the rules of control frames); the rules that span frames are here:
 * masking, reserved bits and opcodes, fragmentation, UTF-8 as it arrives, close codes, the limit of a message. A reader exists only while
 * something is incomplete, because wslay's is 4 kB and an idle stream shall hold nothing.
 */
#include "net/stream_internal.h"
#include <stdlib.h>
#include <wslay/wslay.h>

#define CONTROL_BYTES_MAX 125

struct stream_reader {
	wslay_frame_context_ptr frames;
	struct str input;	 /* what wslay may still take */
	size_t taken, accounted; /* bytes wslay has, and those of frames it has shown */
	/* The current frame. */
	bool in_frame, fin;
	uint8_t opcode;
	uint64_t left; /* payload that has not come yet */
	uint8_t control[CONTROL_BYTES_MAX];
	size_t control_len;
	/* The current message. */
	bool in_message;
	struct buf message;
	size_t message_max;
	struct utf8_state utf8;
};

static ssize_t
give(uint8_t *to, size_t room, int flags, void *arg)
{
	struct stream_reader *r = arg;
	size_t n = r->input.n < room ? r->input.n : room;

	(void)flags;
	if (n == 0)
		return -1; /* wslay then wants to read later */
	memcpy(to, r->input.p, n);
	r->input = str_sub(r->input, n, r->input.n);
	r->taken += n;
	return (ssize_t)n;
}

static struct stream_reader *
reader_new(size_t message_max)
{
	static const struct wslay_frame_callbacks callbacks = { .recv_callback = give };
	struct stream_reader *r = calloc(1, sizeof(*r));

	check(r);
	check(wslay_frame_context_init(&r->frames, &callbacks, r) == 0);
	r->message_max = message_max;
	return r;
}

void
stream_reader_free(struct stream_reader *r)
{
	if (!r)
		return;
	wslay_frame_context_free(r->frames);
	if (r->message.max)
		buf_done(&r->message);
	free(r);
}

static size_t
head_bytes(const struct wslay_frame_iocb *f)
{
	size_t length = f->payload_length < 126 ? 0 : f->payload_length < 65536 ? 2 : 8;

	return 2 + length + (f->mask ? 4 : 0);
}

/* RFC 6455 §5.2–5.5: what a client may begin here. */
static int
begin_frame(struct stream_reader *r, const struct wslay_frame_iocb *f)
{
	bool control = wslay_is_ctrl_frame(f->opcode);

	r->accounted += head_bytes(f);
	if (!f->mask || f->rsv)
		return STREAM_CLOSE_PROTOCOL;
	r->in_frame = true;
	r->fin = f->fin;
	r->opcode = f->opcode;
	r->left = f->payload_length;
	r->control_len = 0;
	if (control)
		return f->opcode <= WSLAY_PONG ? 0 : STREAM_CLOSE_PROTOCOL;
	if (f->opcode > WSLAY_BINARY_FRAME || (f->opcode == WSLAY_CONTINUATION_FRAME) != r->in_message)
		return STREAM_CLOSE_PROTOCOL;
	if (f->opcode == WSLAY_BINARY_FRAME)
		return STREAM_CLOSE_UNSUPPORTED;
	if (!r->in_message) {
		r->in_message = true;
		r->utf8 = (struct utf8_state){ 0 };
		if (!r->message.max)
			buf_init(&r->message, r->message_max + 1);
	}
	return f->payload_length > r->message_max - r->message.len ? STREAM_CLOSE_TOO_LARGE : 0;
}

static int
take_payload(struct stream_reader *r, const struct wslay_frame_iocb *f)
{
	r->accounted += f->data_length;
	r->left -= f->data_length;
	if (wslay_is_ctrl_frame(r->opcode)) {
		memcpy(r->control + r->control_len, f->data, f->data_length);
		r->control_len += f->data_length;
		return 0;
	}
	if (!utf8_feed(&r->utf8, f->data, f->data_length))
		return STREAM_CLOSE_NOT_UTF8;
	buf_add(&r->message, f->data, f->data_length);
	return 0;
}

/* RFC 6455 §7.4: codes a peer may send, with those registered since (1012–1014). */
static bool
is_close_code(int code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return code >= 1000 && code <= 1014 && code != 1004 && code != STREAM_CLOSE_NO_STATUS &&
	       code != STREAM_CLOSE_ABNORMAL;
}

static int
end_close(const struct stream_reader *r, const struct stream_sink *sink)
{
	int code = STREAM_CLOSE_NO_STATUS;

	if (r->control_len == 1)
		return STREAM_CLOSE_PROTOCOL;
	if (r->control_len >= 2) {
		code = r->control[0] << 8 | r->control[1];
		if (!is_close_code(code))
			return STREAM_CLOSE_PROTOCOL;
		if (!str_is_utf8((struct str){ (const char *)r->control + 2, r->control_len - 2 }))
			return STREAM_CLOSE_NOT_UTF8;
	}
	sink->closed(sink->arg, code);
	return 0;
}

static int
end_frame(struct stream_reader *r, const struct stream_sink *sink)
{
	r->in_frame = false;
	switch (r->opcode) {
	case WSLAY_CONNECTION_CLOSE:
		return end_close(r, sink);
	case WSLAY_PING:
		sink->ping(sink->arg, (struct str){ (const char *)r->control, r->control_len });
		return 0;
	case WSLAY_PONG:
		return 0;
	}
	if (!r->fin)
		return 0;
	if (!utf8_is_complete(&r->utf8))
		return STREAM_CLOSE_NOT_UTF8;
	r->in_message = false;
	sink->text(sink->arg, buf_str(&r->message));
	buf_clear(&r->message);
	return 0;
}

/* One step of wslay: a piece of a frame, or its beginning. Returns 0, a close code, or -1 when more input is needed. */
static int
step(struct stream_reader *r, const struct stream_sink *sink, bool *message_done)
{
	struct wslay_frame_iocb f = { 0 };
	ssize_t n = wslay_frame_recv(r->frames, &f);
	int code = 0;

	if (n == WSLAY_ERR_WANT_READ)
		return -1;
	if (n < 0)
		return STREAM_CLOSE_PROTOCOL;
	if (!r->in_frame)
		code = begin_frame(r, &f);
	if (!code)
		code = take_payload(r, &f);
	if (!code && r->left == 0) {
		code = end_frame(r, sink);
		*message_done |= !r->in_message;
	}
	return code;
}

int
stream_reader_feed(struct stream_reader **reader, size_t message_bytes_max, struct str bytes,
	const struct stream_sink *sink, bool *message_done)
{
	struct stream_reader *r = *reader ? *reader : reader_new(message_bytes_max);
	int code = 0;

	*reader = r;
	r->input = bytes;
	*message_done = false;
	while (code == 0 && !sink->is_over(sink->arg))
		code = step(r, sink, message_done);
	if (code == 0 || (code == -1 && !r->in_frame && !r->in_message && r->taken == r->accounted)) {
		stream_reader_free(r);
		*reader = NULL;
	}
	return code == -1 ? 0 : code;
}
