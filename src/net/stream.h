/*
 * Streams: connections that the server writes to when something happens, as WebSocket (RFC 6455) or as server-sent events (HTML standard
 * §9.2). A request becomes a stream by http_answer_stream; from then on one hub serves all of them from an epoll thread or two, and no
 * stream holds a thread. What is said on a stream is the business of the rooms above.
 *
 * A stream that does not take its bytes is cut when queue_bytes_max wait for it (WebSocket code 1013), never buffered without bound. Dead
 * peers are found by pings (WebSocket) or comments (events) that nobody acknowledges.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/http.h"

struct stream_hub;
struct stream;         /* counted: see stream_hold */
struct stream_message; /* counted, constant: framed once, sent to many */

enum stream_kind { STREAM_WEBSOCKET, STREAM_EVENTS };

/* RFC 6455 §7.4.1 and the server's own from 4000. */
enum stream_close_code {
	STREAM_CLOSE_NORMAL = 1000,
	STREAM_CLOSE_GOING_AWAY = 1001,    /* the server stops: connect again */
	STREAM_CLOSE_PROTOCOL = 1002,
	STREAM_CLOSE_UNSUPPORTED = 1003,   /* binary where text is spoken */
	STREAM_CLOSE_NO_STATUS = 1005,     /* never sent: the peer's close frame had no code */
	STREAM_CLOSE_ABNORMAL = 1006,      /* never sent: the connection broke */
	STREAM_CLOSE_NOT_UTF8 = 1007,
	STREAM_CLOSE_POLICY = 1008,
	STREAM_CLOSE_TOO_LARGE = 1009,
	STREAM_CLOSE_INTERNAL = 1011,
	STREAM_CLOSE_TRY_LATER = 1013,     /* too slow a reader */
	STREAM_CLOSE_UNAUTHENTICATED = 4401, /* no valid token, or it has expired */
	STREAM_CLOSE_FORBIDDEN = 4403,     /* the permission was taken away */
	STREAM_CLOSE_NOT_FOUND = 4404,     /* the object is gone */
	STREAM_CLOSE_TOO_MANY = 4429
};

/* On the hub's thread; must not wait. A stream ends with exactly one closed. */
struct stream_handlers {
	void (*opened)(void *arg, struct stream *s);
	void (*message)(void *arg, struct stream *s, struct str text); /* one complete, valid UTF-8 text; WebSocket only */
	void (*expired)(void *arg, struct stream *s);                  /* stream_deadline has passed */
	void (*closed)(void *arg, struct stream *s, int code);         /* arg is not used afterwards */
};

struct stream_options {
	enum stream_kind kind;
	const struct stream_handlers *handlers;
	void *arg;
	struct str subprotocol;     /* chosen among the client's (RFC 6455 §1.9); empty: none */
	struct str hello;           /* bytes of the first event: "retry: 2000\\n\\n"; events only */
	const struct http_field *fields; /* more header fields of the answer */
	size_t field_count;
	int ping_ms;                /* 0: 25,000; two unanswered ones end it */
	int message_ms;             /* 0: 30,000; a message that takes longer from its first byte to its last closes with 1008 */
	size_t message_bytes_max;   /* 0: 64 kB; longer ones close with 1009 as soon as their length is known */
	size_t queue_bytes_max;     /* 0: 256 kB */
};

struct err *stream_hub_start(struct arena *a, int threads, struct stream_hub **out) MUST_USE;
/* Closes every stream with 1001 and the reason ("restart" hints to connect again), waits at most drain_ms for the closing handshakes. No new ones. */
void stream_hub_stop(struct stream_hub *h, int drain_ms);
void stream_hub_free(struct stream_hub *h);

/*
 * Answers the exchange by making it a stream; like http_answer, the exchange must not be touched afterwards. INVALID_INPUT (nothing has been
 * answered then) when it is no WebSocket handshake: method, Upgrade, Connection, Sec-WebSocket-Key or -Version (the answer to a wrong
 * version is 426 with Sec-WebSocket-Version: 13).
 */
struct err *http_answer_stream(struct http_exchange *x, struct stream_hub *h, const struct stream_options *o) MUST_USE;

void stream_hold(struct stream *s);
void stream_drop(struct stream *s);
void *stream_arg(struct stream *s);

/* A text as WebSocket message and as event ("event:", "id:" where not empty, "data:" a line each). */
struct stream_message *stream_message_new(struct str event, struct str id, struct str text);
void stream_message_hold(struct stream_message *m);
void stream_message_drop(struct stream_message *m);

/* Any thread; order is kept for one calling thread. False: it is closed, or was cut now because too much waits. */
bool stream_send(struct stream *s, struct stream_message *m);
/* Bytes that wait: a replay goes on when there is room. */
size_t stream_queued(const struct stream *s);
/* Sends what waits, then the close frame (events: the end). Any thread; a second call does nothing. */
void stream_close(struct stream *s, int code, struct str reason);
/* handlers.expired is called when ms have passed; 0 takes it back. */
void stream_deadline(struct stream *s, int64_t ms);

struct stream_stats {
	int64_t open, sent, cut, bytes_queued;
};
struct stream_stats stream_hub_stats(const struct stream_hub *h);

#endif
