/*
 * The HTTP server (the only room that knows microhttpd.h). It owns sockets, TLS, limits, reading the body, compression, conditional
 * answers and draining. What a request means is the business of one handler above. A handler answers at once on the server's thread or
 * later from any thread: exactly one call of http_answer per exchange, and the exchange must not be touched afterwards.
 *
 * Refused before the handler: what is malformed or could be read in two ways (request smuggling), headers and targets that do not fit the
 * connection's memory (431, 414; these two and versions other than HTTP/1.x have a fixed answer, the others go through `fault`), bodies
 * over their limit (413), content codings but gzip (415). Slow clients are cut: a header has LIMIT_HEADER_S, bodies and answers must move
 * LIMIT_SLOW_BYTES_S over LIMIT_IDLE_S, an idle connection has LIMIT_IDLE_S.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/err.h"
#include "base/time.h"
#include "base/buf.h"

struct http_server;
struct http_exchange; /* one request and its answer */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER };
extern const char *const http_method_names[];

/* The request as read; everything borrows from the exchange's arena. HEAD arrives as HTTP_GET with is_head (the body is dropped on the way out). */
struct http_request {
	enum http_method method;
	bool is_head;
	struct str path;         /* undecoded, without query */
	struct str query;        /* undecoded, without "?" */
	struct str body;         /* complete; gzip-encoded bodies are expanded */
	struct str peer;         /* address text of the client; behind a trusted proxy the last hop of X-Forwarded-For */
	/* Host, the authority of an absolute target, X-Forwarded-Host behind a proxy; for HTTP/1.0 without Host the first listening address. */
	struct str host;
	bool secure;             /* TLS, or X-Forwarded-Proto: https behind a trusted proxy */
	struct instant received;
	struct str request_id;   /* X-Request-ID of the client when it is 1–64 of [A-Za-z0-9._-], otherwise made */
};
/* p NULL when absent; name in any case. */
struct str http_header(const struct http_exchange *x, const char *name);
const struct http_request *http_request(const struct http_exchange *x);
/* The request's arena (LIMIT_REQUEST_ARENA_BYTES); reset when the answer has been sent. */
struct arena *http_arena(struct http_exchange *x);

struct http_field {
	struct str name, value;
};

/* An answer. Bytes are borrowed from the exchange's arena or are constant; the server keeps the arena until they are sent. */
struct http_answer {
	int status;
	struct str content_type;         /* empty when there is no body */
	struct str body;
	const struct http_field *fields; /* more header fields */
	size_t field_count;
	bool no_etag;                    /* the answer is not to be cached or compared (streams, logins) */
	struct str etag;                 /* with quotes; empty: the server makes one of the body for GET 200 */
	bool close;                      /* close the connection after it */
};
/*
 * Sends. For a GET with 200: ETag, and 304 when If-None-Match names it; gzip from LIMIT_GZIP_MIN_BYTES when accepted and the type is
 * text, JSON, XML or JavaScript (Vary: Accept-Encoding), which makes the tag weak: compare If-Match without its W/. HEAD sends the
 * header alone. Adds Date, Server, X-Request-ID, X-Content-Type-Options, CORS fields, and unless the answer has them Referrer-Policy and
 * Cache-Control: "private, no-cache" with a tag, "no-store" without. For a preflight the caller answers OPTIONS as it likes (Allow); the
 * Access-Control-Allow-… fields are added here. A header field with a control character in its name or value is left out.
 */
void http_answer(struct http_exchange *x, const struct http_answer *answer);

/* Called on a server thread with the complete request. It answers, or suspends and answers later. */
typedef void http_handler(void *arg, struct http_exchange *x);
/*
 * Must be called inside the handler before the exchange is given to another thread. The request stays readable until http_answer, even if
 * the client goes or the server stops.
 */
void http_suspend(struct http_exchange *x);
/* The index of the server thread the handler runs on, 0 … threads − 1: for per-thread caches. */
int http_thread_index(const struct http_exchange *x);

struct http_options {
	const struct str *listen;   /* "127.0.0.1:8000", "[::1]:0", … */
	size_t listen_count;
	int threads;                /* one a core */
	struct str tls_cert_file, tls_key_file; /* PEM; both or none */
	bool behind_proxy;          /* trust X-Forwarded-For/-Proto of the direct peer; plain HTTP on any address is fine */
	bool insecure_http;         /* plain HTTP on a non-loopback address although nobody encrypts it */
	struct str cors_origins;    /* "*", or a comma-separated list; empty: no CORS fields */
	size_t body_bytes_max;      /* 0: LIMIT_BODY_BYTES */
	int connections_max;        /* 0: LIMIT_CONNECTIONS; never more than the process's descriptors allow */
	int connections_per_address; /* 0: LIMIT_CONNECTIONS_PER_IP; not applied behind a proxy */
	int idle_ms;                /* idle connections and pauses of slow clients; 0: LIMIT_IDLE_S */
	int header_ms;              /* from the request line to the end of the header; 0: LIMIT_HEADER_S */
	/* Asked as soon as the header is read: the body limit for this path (0: the default). May be NULL. */
	size_t (*body_limit)(void *arg, enum http_method m, struct str path);
	/* Writes the error answer of a fault found before the handler (413, 414, 400 …) in the dialect of the path. */
	void (*fault)(void *arg, struct http_exchange *x, const struct err *e);
	http_handler *handler;
	void *arg;
	const struct clock *clock;
};

/* Binds and starts. INVALID_INPUT naming the option: bad address, unreadable key, plain HTTP on a public address. UNAVAILABLE: in use. */
struct err *http_server_start(struct arena *a, const struct http_options *o, struct http_server **out) MUST_USE;
/* The bound addresses in order, "127.0.0.1:43121". */
struct str http_server_address(const struct http_server *s, size_t index);
/*
 * Stops accepting, answers what is under way (at most drain_ms) with "Connection: close", closes idle connections. An exchange that is
 * still suspended then loses its client; its http_answer must still come, before http_server_free, and is dropped.
 */
void http_server_stop(struct http_server *s, int drain_ms);
void http_server_free(struct http_server *s);

struct http_stats {
	int64_t connections, requests, bytes_in, bytes_out;
};
struct http_stats http_server_stats(const struct http_server *s);

#endif
