/*
 * Reads a request's header strictly. MHD accepts much that a proxy in front may read differently (request smuggling): so conflicting or
 * unknown framing fields, folded lines, bare line feeds, NUL and control characters, and names that are no tokens are refused here.
 * MHD 0.9 overwrites separators with NUL in place, so that its strings must follow each other at fixed distances; where they do not,
 * the header held something that MHD skipped or joined.
 */
#include "net/http_internal.h"
#include <arpa/inet.h>

#define ID_BYTES_MAX	 64
#define MHD_RECORD_BYTES 80 /* MHD's record of one header field */

/* RFC 9110 §5.6.2. */
static bool
is_token_byte(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token_byte((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static bool
has_control(struct str s, bool tab_is_fine)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && !(c == '\t' && tab_is_fine)) || c == 0x7f)
			return true;
	}
	return false;
}

/* A fault after which the next request's beginning is not certain: answered at once, and the connection closes. */
static void
break_framing(struct http_exchange *x, const char *message)
{
	if (!x->fault)
		x->fault = err_word(err_new(x->arena, ERR_MALFORMED, "%s", message), "BAD_REQUEST");
	x->framing_broken = true;
}

static void
fault(struct http_exchange *x, const char *message)
{
	if (!x->fault)
		x->fault = err_word(err_new(x->arena, ERR_MALFORMED, "%s", message), "BAD_REQUEST");
}

static void
head_is_full(struct http_exchange *x)
{
	x->head_is_full = true;
	if (!x->fault)
		x->fault = err_new(x->arena, ERR_HEADER_TOO_LARGE, "");
}

static enum MHD_Result
collect(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
	size_t value_len)
{
	struct http_exchange *x = cls;

	(void)kind;
	if (x->header_count == HTTP_HEADERS_MAX) {
		head_is_full(x);
		return MHD_NO;
	}
	x->headers[x->header_count++] = (struct http_field){
		.name = { name, name_len },
		.value = { value ? value : "", value ? value_len : 0 },
	};
	return MHD_YES;
}

static size_t
header_bytes(const struct http_exchange *x)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return i ? i->header_size : 0;
}

/* See the head of this file; only MHD before 1.0 is so lax, later ones check by themselves. */
static bool
lines_are_contiguous(const struct http_exchange *x, const char *method, const char *version)
{
	const char *next = version + strlen(version) + 2;

	if (MHD_VERSION >= 0x01000000)
		return true;
	if (x->line_target != method + strlen(method) + 1 ||
		version != x->line_target + x->line_target_len + 1)
		return false;
	for (size_t i = 0; i < x->header_count; i++) {
		const struct http_field *f = &x->headers[i];
		const char *gap = f->name.p + f->name.n + 1;

		if (f->name.p != next || f->value.p < gap || f->value.p > gap + LIMIT_HTTP_CONNECTION_BYTES)
			return false;
		for (; gap < f->value.p; gap++)
			if (*gap != ' ' && *gap != '\t')
				return false;
		next = f->value.p + f->value.n + 2;
	}
	return next + 2 == method + header_bytes(x);
}

static struct str
trim_end(struct str s)
{
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static void
check_fields(struct http_exchange *x)
{
	for (size_t i = 0; i < x->header_count; i++) {
		struct http_field *f = &x->headers[i];

		f->value = trim_end(f->value);
		if (!is_token(f->name)) {
			break_framing(x, "A header field's name is malformed.");
			return;
		}
		if (has_control(f->value, true)) {
			break_framing(x, "A header field holds a control character.");
			return;
		}
	}
}

static size_t
count_of(const struct http_exchange *x, const char *name)
{
	struct str wanted = str_from_cstr(name);
	size_t n = 0;

	for (size_t i = 0; i < x->header_count; i++)
		n += x->headers[i].name.n == wanted.n && str_eq_nocase(x->headers[i].name, wanted);
	return n;
}

/* RFC 9112 §6: one way to tell the body's end, or none. */
static void
check_framing(struct http_exchange *x, bool http10)
{
	size_t lengths = count_of(x, "Content-Length"), codings = count_of(x, "Transfer-Encoding");

	if (lengths > 1 || codings > 1 || (lengths && codings))
		break_framing(x, "The body's length is given twice.");
	else if (codings && (http10 || !str_eq_nocase(http_header(x, "Transfer-Encoding"), STR("chunked"))))
		break_framing(x, "Transfer-Encoding may be chunked only.");
}

static enum http_method
method_of(const char *name)
{
	static const enum http_method known[] = { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH,
		HTTP_DELETE, HTTP_OPTIONS };

	for (size_t i = 0; i < COUNT(known); i++)
		if (!strcmp(name, http_method_names[known[i]]))
			return known[i];
	return HTTP_OTHER;
}

/* Origin form, absolute form (whose authority replaces Host) or "*"; RFC 9112 §3.2. */
static void
read_target(struct http_exchange *x)
{
	struct http_request *r = &x->request;
	struct str target = { x->line_target, x->line_path_len };

	if (x->line_target_len > LIMIT_URL_BYTES && !x->fault)
		x->fault = err_new(x->arena, ERR_URI_TOO_LONG, "");
	for (size_t i = 0; i < 2; i++) {
		struct str scheme = i ? STR("https://") : STR("http://");

		if (target.n > scheme.n && str_eq_nocase(str_sub(target, 0, scheme.n), scheme)) {
			size_t slash = str_index(target, '/', scheme.n);

			r->host = str_sub(target, scheme.n, slash - scheme.n);
			target = slash < target.n ? str_sub(target, slash, target.n) : STR("/");
			break;
		}
	}
	r->path = target;
	if (has_control(target, false) || has_control(r->query, false))
		fault(x, "The request target holds a control character.");
	else if (target.n == 0 ||
		 (target.p[0] != '/' && !(r->method == HTTP_OPTIONS && str_eq(target, STR("*")))))
		fault(x, "The request target is malformed.");
}

static bool
is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    strchr("-._~:[]%", c)) ||
			!c)
			return false;
	}
	return s.n > 0 && s.n <= 260;
}

/* The part after the last comma of the last field of that name: what the direct peer has added. */
static struct str
last_element(const struct http_exchange *x, const char *name)
{
	struct str found = { 0 }, wanted = str_from_cstr(name);

	for (size_t i = 0; i < x->header_count; i++)
		if (str_eq_nocase(x->headers[i].name, wanted))
			found = x->headers[i].value;
	for (size_t i = found.n; i > 0; i--)
		if (found.p[i - 1] == ',')
			return str_trim(str_sub(found, i, found.n));
	return str_trim(found);
}

static bool
is_address(struct str s)
{
	char text[HTTP_PEER_TEXT_BYTES];
	unsigned char bytes[16];

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static void
trust_proxy(struct http_exchange *x)
{
	struct http_request *r = &x->request;
	struct str hop = last_element(x, "X-Forwarded-For"), host = last_element(x, "X-Forwarded-Host");

	if (is_address(hop))
		r->peer = hop;
	if (str_eq_nocase(last_element(x, "X-Forwarded-Proto"), STR("https")))
		r->secure = true;
	if (is_host(host))
		r->host = host;
}

static struct str
own_address(struct http_exchange *x)
{
	return x->worker->server->listeners[0].address;
}

static void
read_host(struct http_exchange *x, bool http10)
{
	struct http_request *r = &x->request;
	size_t hosts = count_of(x, "Host");

	if (hosts > 1 || (hosts == 0 && !http10)) {
		break_framing(x, "There must be one Host header field.");
		return;
	}
	if (!r->host.p)
		r->host = http_header(x, "Host");
	if (str_is_empty(r->host))
		r->host = own_address(x);
	if (!is_host(r->host))
		fault(x, "The Host header field is malformed.");
}

static void
write_hex(char *out, uint64_t v, size_t digits)
{
	while (digits) {
		out[--digits] = "0123456789abcdef"[v & 15];
		v >>= 4;
	}
}

/* The client's own id when it is harmless in logs and headers; else the worker's random prefix and a counter. */
static void
read_request_id(struct http_exchange *x)
{
	struct str given = http_header(x, "X-Request-ID");
	struct http_worker *w = x->worker;
	char *made;
	bool fine = given.n >= 1 && given.n <= ID_BYTES_MAX;

	for (size_t i = 0; fine && i < given.n; i++) {
		unsigned char c = (unsigned char)given.p[i];

		fine = c != 0 && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
					 (c >= '0' && c <= '9') || strchr("._-", c));
	}
	if (fine) {
		x->request.request_id = given;
		return;
	}
	made = arena_alloc(x->arena, 25);
	write_hex(made, w->id_seed, 16);
	write_hex(made + 16, w->id_next++, 8);
	x->request.request_id = (struct str){ made, 24 };
}

/* MHD builds the answer's header in what is left of the connection's memory. */
static void
check_room(struct http_exchange *x)
{
	size_t used = header_bytes(x) + x->header_count * MHD_RECORD_BYTES + http_header(x, "Cookie").n * 2;

	if (used + HTTP_ANSWER_HEAD_BYTES > LIMIT_HTTP_CONNECTION_BYTES)
		head_is_full(x);
}

void
http_head_read(struct http_exchange *x, const char *method, const char *version)
{
	const struct http_server *s = x->worker->server;
	struct http_request *r = &x->request;
	bool http10 = !strcmp(version, "HTTP/1.0");

	(void)MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, collect, x);
	x->http10 = http10;
	r->method = method_of(method);
	r->is_head = r->method == HTTP_HEAD;
	if (r->is_head)
		r->method = HTTP_GET;
	r->peer = (struct str){ x->connection->peer, x->connection->peer_len };
	r->secure = s->tls;
	r->received = s->options.clock->now(s->options.clock);
	if (!lines_are_contiguous(x, method, version))
		break_framing(x, "The header's lines are malformed.");
	check_fields(x);
	check_framing(x, http10);
	read_request_id(x);
	read_target(x);
	read_host(x, http10);
	if (!is_token(str_from_cstr(method)))
		fault(x, "The method is malformed.");
	if (s->options.behind_proxy)
		trust_proxy(x);
	check_room(x);
}
