/*
 * What the files of the HTTP server share. A server has one worker a thread: an MHD daemon of its own without a listening socket, whose
 * callbacks get the worker. One more thread, the keeper, accepts on all addresses, hands each connection to the worker that has
 * fewest, and ends connections that have outstayed a time limit. MHD's own timeouts are off: they cost a lock and a clock reading at
 * each read and write, and a client that sends one byte a minute resets them.
 */
#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H

#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"
#include "net/http.h"
#include "net/stream_internal.h"
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define HTTP_HEADERS_MAX       100 /* request header fields; MHD's memory holds fewer */
#define HTTP_ANSWER_FIELDS_MAX 40  /* answer header fields, the server's own among them */
#define HTTP_POOLED_EXCHANGES  64  /* a worker keeps so many for reuse: 16 kB each */
#define HTTP_ANSWER_HEAD_BYTES \
	1600 /* MHD's memory that must be left for the answer's header when the request's has been read */
#define HTTP_PEER_TEXT_BYTES 48 /* an IPv6 address as text */

/* What a connection is doing, for the keeper. */
enum http_phase { PHASE_IDLE, PHASE_HEADER, PHASE_BODY, PHASE_WORKING, PHASE_SENDING, PHASE_STREAM };

/* One open connection; lives from MHD's start notification to its end notification. */
struct http_connection {
	struct http_connection *next, *prev; /* the worker's list, under its lock */
	struct http_worker *worker;
	int fd;
	_Atomic int phase;	     /* enum http_phase; written by the worker, read by the keeper */
	_Atomic int64_t since_ms;    /* when the phase began */
	_Atomic int64_t moved_bytes; /* body bytes received in this phase */
	int64_t seen_bytes, seen_ms; /* the keeper's: progress at its last look */
	bool handed_over;	     /* its socket is a stream's now, which counts in its place */
	uint8_t peer_len;
	char peer[HTTP_PEER_TEXT_BYTES];
	struct in6_addr address;
};

struct http_worker {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	int kick_fd; /* wakes the daemon; see http_keeper.c */
	int index;
	struct http_exchange *pool; /* only this worker's thread */
	int pooled;
	uint64_t id_seed, id_next;
	pthread_mutex_t lock;
	struct http_connection *connections; /* under lock */
	struct http_exchange *suspended;     /* under lock */
	_Atomic int64_t connection_count, requests, bytes_in, bytes_out;
	_Atomic int64_t active; /* requests given to the handler whose answer has not been sent */
	_Atomic int waking;	/* threads that are giving the daemon an answer; it must not end before they have let go of it */
};

/* How many connections each address has; see http_peers.c. */
struct http_peers;

enum http_server_state { SERVER_RUNNING, SERVER_DRAINING, SERVER_CLOSED };

struct http_listener {
	int fd;
	struct str address; /* as bound */
	char text[HTTP_PEER_TEXT_BYTES + 10];
};

struct http_server {
	struct http_options options;
	struct str *cors_origins;
	size_t cors_count;
	bool cors_any, tls;
	struct arena *arena; /* copies of the options */
	struct http_worker *workers;
	struct http_listener *listeners;
	size_t listener_count;
	struct http_peers *peers;
	pthread_t keeper;
	bool keeper_started;
	int wake_fd;
	int dead_fd;			  /* a socket whose peer has gone; see http_stream.c */
	_Atomic int64_t streams;	  /* sockets that were handed over and are open */
	struct stream_hub *_Atomic hub; /* the one of its streams; stopped with the server */
	_Atomic int state;	/* enum http_server_state */
	_Atomic int64_t now_ms; /* the keeper's clock: monotonic, as fine as its tick */
};

/* How far a request has come; only the worker's thread changes it. Over: its connection is a stream's, and closes when MHD has it back. */
enum http_stage { STAGE_LINE, STAGE_BODY, STAGE_RUN, STAGE_OVER };

/* Who may act on a suspended exchange next. */
enum http_turn { TURN_WORKER, TURN_SUSPENDED, TURN_ANSWERED, TURN_ABANDONED };

struct http_exchange {
	struct http_exchange *next, *prev; /* the pool, or the worker's suspended ones */
	struct http_worker *worker;
	struct MHD_Connection *mhd;
	struct http_connection *connection;
	struct arena *arena;
	struct http_request request;
	enum http_stage stage;
	_Atomic int turn; /* enum http_turn */
	_Atomic int refs; /* MHD's side, and the handler's once suspended; the last one frees */
	bool suspended, answered, counted, framing_broken, expects_continue, http10, over;
	struct stream *stream; /* the answer is this stream, whose socket has not been handed over yet */
	enum stream_kind stream_kind;
	struct str hello;
	/* The request line as MHD shows it, and where it stood in MHD's memory. */
	const char *line_target;
	size_t line_target_len, line_path_len; /* with the query, without */
	/* The body: small ones on the arena, others in a growing buffer. */
	size_t body_max, body_len, body_expected;
	struct buf body;
	struct err *fault;
	bool head_is_full; /* the header has taken the memory that the answer's needs too */
	struct {
		int status;
		struct str body;
		struct buf packed; /* the compressed body */
		size_t field_count;
		bool close;
	} out;
	size_t header_count;
	/* Not cleared for a new request. */
	struct http_field headers[HTTP_HEADERS_MAX];
	struct {
		const char *name, *value;
	} fields[HTTP_ANSWER_FIELDS_MAX];
};

/* http_exchange.c */
struct http_exchange *http_exchange_new(struct http_worker *w);
/* Gives up one reference. */
void http_exchange_drop(struct http_exchange *x, bool on_worker);
void http_exchange_free(struct http_exchange *x);
/* Gives back what only the request needed; the exchange itself stays until MHD is done with its connection. */
void http_exchange_slim(struct http_exchange *x);
/* Resumes every suspended exchange of the worker with TURN_ABANDONED: its connection closes, its late answer is dropped. */
void http_worker_abandon(struct http_worker *w);

/* http_request.c: the callbacks of MHD; cls is the worker. */
void *http_on_target(void *cls, const char *target, struct MHD_Connection *mhd);
size_t http_on_unescape(void *cls, struct MHD_Connection *mhd, char *text);
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_len, void **context);
void http_on_completed(
	void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code);

/* http_head.c: fills x->request from the header and sets x->fault. mhd_method and version are MHD's strings. */
void http_head_read(struct http_exchange *x, const char *method, const char *version);

/* http_request.c: the request is over, whatever becomes of its connection. */
void http_request_end(struct http_exchange *x);

/* http_answer.c */
void http_answer_prepare(struct http_exchange *x, const struct http_answer *a);
/* Lets the worker send what was prepared. False when nobody waits for it any more. */
bool http_answer_deliver(struct http_exchange *x);
/* Hands the prepared answer to MHD; on the worker's thread. */
enum MHD_Result http_answer_send(struct http_exchange *x);
/* Answers x->fault, by the application's writer when it has one. */
void http_answer_fault(struct http_exchange *x);

/* http_stream.c: begins the stream that is the answer; on the worker's thread. */
enum MHD_Result http_stream_begin(struct http_exchange *x);

/* http_tls.c: the suspended connection's socket and session. False where it has none. */
bool http_tls_socket(struct http_exchange *x, struct stream_socket *out);

/* http_etag.c */
#define HTTP_ETAG_BYTES 24
struct str http_etag_of(struct str body, char out[HTTP_ETAG_BYTES]);
/* RFC 9110 §13.1.2: "*" or a list whose weak comparison finds tag. */
bool http_etag_matches(struct str if_none_match, struct str tag);

/* http_keeper.c: accepting and time limits. */
void *http_keeper_run(void *server);
void http_connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode code);
static inline void
http_phase_set(struct http_connection *c, enum http_phase p)
{
	atomic_store_explicit(&c->since_ms,
		atomic_load_explicit(&c->worker->server->now_ms, memory_order_relaxed), memory_order_relaxed);
	atomic_store_explicit(&c->moved_bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&c->phase, (int)p, memory_order_relaxed);
}

/* http_listen.c */
struct err *http_listen(struct arena *a, struct http_server *s) MUST_USE;

/* http_peers.c: counts connections of an address (IPv6: of a /64). */
struct http_peers *http_peers_new(size_t limit);
void http_peers_free(struct http_peers *p);
/* False when the address has its share already. */
bool http_peers_enter(struct http_peers *p, const struct in6_addr *address);
void http_peers_leave(struct http_peers *p, const struct in6_addr *address);
/* IPv4 addresses as ::ffff:a.b.c.d. */
struct in6_addr http_address_of(const struct sockaddr *sa);

#endif
