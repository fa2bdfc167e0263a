/*
 * Calls to other servers over HTTP: webhooks, connectors. Blocking, with hard limits on time and size; redirects are not followed and the
 * proxy variables of the environment are ignored. The address is judged when the connection is made, after the name has been resolved,
 * so that a name which resolves to something else on second look gains nothing.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/err.h"
#include "net/http.h"

struct sockaddr;
struct http_client; /* keeps connections for reuse; one thread at a time */

struct http_client *http_client_new(void);
void http_client_free(struct http_client *c);

struct http_call {
	struct str method;               /* GET, POST … */
	struct str url;                  /* http:// or https:// */
	const struct http_field *fields; /* header fields */
	size_t field_count;
	struct str body;
	int timeout_ms;                  /* for the whole call, > 0 */
	size_t answer_bytes_max;         /* a longer answer is ERR_TOO_LARGE */
	bool cuts_answer;                /* or, with this, is an answer of that length: the rest is not read */
	/* Asked about every second while the call runs: true ends it with the word STOPPED. May be NULL; arg is the same. */
	bool (*is_over)(void *arg);
	/* Asked for every address before it is connected to; NULL: any. A kept connection is not asked about again. */
	bool (*may_connect)(void *arg, const struct sockaddr *address);
	void *arg;
	struct str ca_file;              /* PEM; empty: the system's */
};

struct http_reply {
	int status;
	struct str content_type, body, location;
	int64_t retry_after_s;           /* 0: not said */
	struct str address;              /* connected to, as text; also set on errors once known */
	int64_t duration_us;
};

/*
 * NULL when an answer came, whatever its status. INVALID_INPUT: no such URL, method or field. TOO_LARGE: the answer. Otherwise UNAVAILABLE
 * with the word ADDRESS_REFUSED, NAME_UNKNOWN, TIMEOUT, TLS_FAILED, STOPPED or CONNECTION_FAILED. The reply lives in a; its duration is set in any case.
 */
struct err *http_client_call(struct http_client *c, struct arena *a, const struct http_call *call,
	struct http_reply *out) MUST_USE;

/*
 * False for addresses that are not the public Internet: this machine, private and shared networks, link-local (cloud metadata), multicast,
 * documentation and reserved ranges, and IPv6 forms that carry such an IPv4 address. IANA special-purpose registries.
 */
bool http_address_is_public(const struct sockaddr *address);

#endif
