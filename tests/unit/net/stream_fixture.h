/*
 * A server whose requests become streams, and raw sockets that speak WebSocket as badly as a test wants. /ws is a WebSocket that answers a
 * text with itself, /quiet one that does not, /events is an event stream, /later/… the same answered from another thread. What the handlers
 * were told is counted; "close 4403" and "deadline 50" as texts make the server do so.
 */
#ifndef TESTS_NET_STREAM_FIXTURE_H
#define TESTS_NET_STREAM_FIXTURE_H

#include "fixture.h"
#include "net/stream.h"

#define STREAMS_MAX 12000

struct streams {
	struct arena *arena;
	struct http_options http;
	struct http_server *server;
	struct stream_hub *hub;
	struct stream_options options; /* kind and arg are set for each request */
	int hub_threads;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct stream *open[STREAMS_MAX]; /* held; NULL after closed */
	_Atomic size_t opened;
	_Atomic int closed, expired, messages, stillborn;
	_Atomic int last_code;
	_Atomic int refused;
	int answering; /* threads of /later */
};

/* Options may be changed between the two. */
struct streams *streams_new(void);
void streams_start(struct streams *t);
void streams_free(struct streams *t);
/* Waits until *counter is at least n. */
void streams_wait(struct streams *t, const _Atomic int *counter, int n);
void streams_wait_open(struct streams *t, size_t n);
/* Sends to every open stream; the number that took it. */
int streams_send_all(struct streams *t, const char *text);
/* Waits until the server counts just so many connections, streams with them. */
void streams_wait_connections(const struct streams *t, int n);

int streams_port(const struct streams *t);
int streams_connect(const struct streams *t);
/* A WebSocket at path after its handshake. */
int ws_open(const struct streams *t, const char *path);
/* The handshake's answer, header alone. */
int ws_handshake(const struct streams *t, const char *request, char *head, size_t room);
/* An event stream at path after its header. */
int events_open(const struct streams *t, const char *path);

/* A masked frame; b0 is the first byte with FIN, RSV and opcode. */
void ws_frame(int fd, int b0, const void *payload, size_t n);
void ws_text(int fd, const char *text);
struct frame {
	int b0; /* -1: the connection has ended */
	size_t n;
	char *payload; /* with a NUL behind it; free it */
};
struct frame ws_read(int fd);
/* Reads on until a close frame; its code, 1005 without one, 1006 when the connection ends. */
int ws_read_close(int fd);
/* Expects one text frame of this content. */
void ws_expect(int fd, const char *text);
/* Reads until the text has come. */
void events_expect(int fd, const char *text);
bool reads_end(int fd);
void nap_ms(int ms);

#endif
