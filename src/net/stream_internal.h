/*
 * What the files of the streams share. A hub has one loop a thread: an epoll set, the streams that belong to it, a heap of what is due,
 * and a list of the streams that another thread wants looked at. Other threads only append to a stream's queue and put the stream on that
 * list; sockets, timers and handlers belong to the loop's thread alone.
 */
#ifndef NET_STREAM_INTERNAL_H
#define NET_STREAM_INTERNAL_H

#include "base/log.h"
#include "base/random.h"
#include "net/stream.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

struct iovec;

/* A message as both kinds of stream send it. A control frame has no event form, a comment no WebSocket form: empty then. */
struct stream_message {
	_Atomic int refs;
	struct str form[2]; /* by enum stream_kind; the bytes follow the struct */
};

enum stream_state {
	STATE_ATTACHING, /* the HTTP server still holds the socket */
	STATE_OPEN,
	STATE_CLOSING, /* nothing more is accepted; what waits and the close frame are sent */
	STATE_ENDED
};

/* The socket as the HTTP server hands it over. fd is for epoll; everything else goes through the transport, on the loop's thread. */
struct stream_socket {
	int fd;
	const struct stream_transport *transport;
	void *cls;
};

/* Plain TCP or TLS. read and write are like recv and writev without waiting: −1 with errno EAGAIN when it is not the time. */
struct stream_transport {
	ssize_t (*read)(const struct stream_socket *k, void *to, size_t room);
	ssize_t (*write)(const struct stream_socket *k, const struct iovec *at, size_t count);
	/* True when the transport itself holds nothing back; false with errno. */
	bool (*flush)(const struct stream_socket *k);
	/* Nothing more will be written: the peer reads an end. */
	void (*shut)(const struct stream_socket *k);
	/* Closes it, once. */
	void (*release)(const struct stream_socket *k);
};

struct stream_reader;

struct stream {
	struct stream_loop *loop;
	const struct stream_handlers *handlers;
	void *arg;
	_Atomic int refs;
	uint8_t kind; /* enum stream_kind */

	pthread_mutex_t lock;
	/* Under lock. */
	uint8_t state; /* enum stream_state */
	bool listed;   /* on the loop's list of streams to look at */
	bool given_up; /* the socket never came */
	bool deadline_changed;
	uint32_t queue_head, queue_count, queue_cap; /* a ring; cap is a power of two */
	struct stream_message **queue;
	size_t head_sent; /* bytes of the first message that are in the socket */
	int close_code;	  /* what closed is told; 0: nothing has happened yet */
	int64_t deadline_ms;
	struct stream *next_listed;
	struct stream_socket socket;
	struct buf early; /* bytes that came with the request */
	_Atomic size_t queued_bytes;

	/* The loop's thread only. */
	struct stream *next, *prev;    /* the loop's streams; next also in its list of dead ones */
	struct stream_reader *reader;  /* only while a frame or message is incomplete */
	size_t timer_index;	       /* place in the heap plus one; 0: not in it */
	int64_t due_ms, ping_due_ms, message_due_ms, close_due_ms, deadline_due_ms;
	uint32_t message_bytes_max, queue_bytes_max;
	int ping_ms, message_ms;
	uint8_t pings_unanswered;
	bool attached, wants_write, is_shut, input_is_over, finished;
};

struct stream_loop {
	struct stream_hub *hub;
	pthread_t thread;
	bool started;
	int epoll_fd, wake_fd;
	pthread_mutex_t lock;
	/* Under lock. */
	struct stream *listed; /* newest first */
	bool woken, stopping;
	int64_t stop_due_ms;
	/* The loop's thread only. */
	struct stream *streams, *dead;
	struct stream **heap;
	size_t heap_count, heap_cap;
	bool draining;
	char *buffer;
	_Atomic int64_t count; /* streams that have not ended, attached or not */
	_Atomic int64_t sent, cut, bytes_queued;
};

struct stream_hub {
	struct stream_loop *loops;
	int count;
	_Atomic unsigned next;
	_Atomic bool stopped;
	struct stream_message *ping, *comment;
};

#define STREAM_READ_BYTES 65536 /* the loop's input buffer; also what one stream may bring in its turn */

/* stream.c */
/* NULL when the hub has stopped. Exactly one of stream_attach and stream_give_up must follow. */
struct stream *stream_new(struct stream_hub *h, const struct stream_options *o);
/* early: bytes the client sent behind its request. first: sent before anything else, may be NULL; its reference passes. */
void stream_attach(struct stream *s, const struct stream_socket *socket, struct str early, struct stream_message *first);
void stream_give_up(struct stream *s);
/* Puts s on its loop's list; under s->lock. */
void stream_list(struct stream *s);
/* The queue; under s->lock. */
void stream_queue_add(struct stream *s, struct stream_message *m);
void stream_queue_pop(struct stream *s, size_t bytes);
/* Drops all that waits, but what the client has a part of when keep_begun. */
void stream_queue_clear(struct stream *s, bool keep_begun);
/* Begins the closing under s->lock: the close frame (or the events' end) is queued and nothing is accepted afterwards. */
void stream_begin_close(struct stream *s, int code, struct str reason);

/* stream_hub.c */
void stream_loop_wake(struct stream_loop *l);
/* The loop's thread: 1001 to one stream, because the hub stops. */
void stream_loop_close_one(struct stream *s);

/* stream_serve.c: the loop's thread. */
void stream_attend(struct stream *s, int64_t now_ms);
void stream_on_event(struct stream *s, uint32_t events, int64_t now_ms);
void stream_on_timer(struct stream *s, int64_t now_ms);
/* Ends it at once; code when nothing has been said yet. */
void stream_finish(struct stream *s, int code);

/* stream_timer.c: a heap by due_ms; INT64_MAX: not in it. */
void stream_timer_set(struct stream_loop *l, struct stream *s, int64_t due_ms);

/* stream_message.c */
enum { OPCODE_TEXT = 1, OPCODE_CLOSE = 8, OPCODE_PING = 9, OPCODE_PONG = 10 };
struct stream_message *stream_message_frame(int opcode, struct str payload);
struct stream_message *stream_message_close(int code, struct str reason);
/* Bytes as they are, for one kind of stream. */
struct stream_message *stream_message_raw(enum stream_kind kind, struct str bytes);

/* stream_reader.c: WebSocket frames from bytes; knows no socket. */
struct stream_sink {
	void (*text)(void *arg, struct str text);
	void (*ping)(void *arg, struct str payload);
	void (*closed)(void *arg, int code); /* the peer's close frame; 1005 when it has no code */
	bool (*is_over)(void *arg);	     /* asked after each frame: read no further */
	void *arg;
};
/*
 * Reads bytes; *r is made and freed as needed, and is NULL afterwards when nothing is incomplete. Returns 0, or the close code of the fault
 * after which nothing must be fed. message_done tells that a message or control frame ended outside of a message.
 */
int stream_reader_feed(struct stream_reader **r, size_t message_bytes_max, struct str bytes, const struct stream_sink *sink,
	bool *message_done);
void stream_reader_free(struct stream_reader *r);

/* stream_utf8.c: validation in pieces. */
struct utf8_state {
	uint8_t missing, low, high; /* continuation bytes that must follow; bounds of the next one */
};
/* False at the first byte that no valid text can have there. */
bool utf8_feed(struct utf8_state *u, const uint8_t *p, size_t n);
static inline bool
utf8_is_complete(const struct utf8_state *u)
{
	return u->missing == 0;
}

#endif
