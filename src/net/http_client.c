/*
 * The blocking client on libcurl. Every socket is opened by a callback of ours, which is where an address can be refused: libcurl has
 * resolved the name by then and will connect to exactly that address.
 */
#include "net/http_client.h"
#include "net/curl_fault.h"
#include <sys/socket.h>
#include <unistd.h>

struct http_client {
	CURL *curl;
};

/* What the callbacks of one call share. */
struct running {
	const struct http_call *call;
	struct buf body;
	bool refused;
	bool cut; /* the answer was long enough */
};

struct http_client *
http_client_new(void)
{
	struct http_client *c = calloc(1, sizeof(*c));

	check(c);
	c->curl = curl_easy_init();
	check(c->curl);
	return c;
}

void
http_client_free(struct http_client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	free(c);
}

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct running *r = arg;

	(void)purpose;
	if (r->call->may_connect && !r->call->may_connect(r->call->arg, &address->addr)) {
		r->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
take_body(char *p, size_t one, size_t n, void *arg)
{
	struct running *r = arg;
	size_t room = r->call->answer_bytes_max - r->body.len;

	if (r->call->cuts_answer && one * n > room) {
		buf_add(&r->body, p, room);
		r->cut = true;
		return 0;
	}
	buf_add(&r->body, p, one * n);
	return r->body.over ? 0 : one * n;
}

/* libcurl asks about once a second while nothing moves. */
static int
look_whether_over(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct running *r = arg;

	(void)a, (void)b, (void)c, (void)d;
	return r->call->is_over(r->call->arg);
}

static bool
is_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

static struct err *
check_call(struct arena *a, const struct http_call *c)
{
	check(c->timeout_ms > 0);
	if (!is_line(c->url) ||
		!(str_starts_with(c->url, STR("http://")) || str_starts_with(c->url, STR("https://"))))
		return err_field(a, "url", "Must be an http or https URL.");
	if (!c->method.n || !is_line(c->method))
		return err_field(a, "method", "Must be an HTTP method.");
	for (size_t i = 0; i < c->field_count; i++)
		if (!c->fields[i].name.n || !is_line(c->fields[i].name) || !is_line(c->fields[i].value))
			return err_field(a, "headers", "A header field holds a control character.");
	return NULL;
}

static struct curl_slist *
header_list(struct arena *a, const struct http_call *c)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < c->field_count; i++) {
		const struct http_field *f = &c->fields[i];
		/* "Name;" is how libcurl wants a field without value. */
		struct str line = f->value.n ? arena_fmt(a, "%.*s: %.*s", STR_ARG(f->name), STR_ARG(f->value))
					     : arena_fmt(a, "%.*s;", STR_ARG(f->name));
		struct curl_slist *longer = curl_slist_append(list, line.p);

		check(longer);
		list = longer;
	}
	/* libcurl would wait a second for permission to send a larger body. */
	list = curl_slist_append(list, "Expect:");
	check(list);
	return list;
}

static void
set_options(
	CURL *curl, struct arena *a, const struct http_call *c, struct running *r, struct curl_slist *list)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, arena_cstr(a, c->url));
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* The end of a call does not wait for a name server that does not answer. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, arena_cstr(a, c->method));
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, r);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->is_over) {
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_whether_over);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, r);
	}
	if (c->ca_file.n)
		curl_easy_setopt(curl, CURLOPT_CAINFO, arena_cstr(a, c->ca_file));
	if (str_eq(c->method, STR("HEAD")))
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (c->body.n || str_eq(c->method, STR("POST"))) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.n);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body.n ? c->body.p : "");
	}
}

static struct err *
error_of(struct arena *a, CURLcode code, const struct running *r)
{
	if (r->refused)
		return err_word(err_new(a, ERR_UNAVAILABLE, "The address may not be connected to."),
			"ADDRESS_REFUSED");
	if (r->body.over)
		return err_new(
			a, ERR_TOO_LARGE, "The answer is larger than %zu bytes.", r->call->answer_bytes_max);
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		return err_field(a, "url", "Must be an http or https URL.");
	return curl_fault(a, code);
}

static struct str
copied(struct arena *a, const char *z)
{
	return z ? arena_str(a, str_from_cstr(z)) : (struct str){ 0 };
}

static void
read_reply(CURL *curl, struct arena *a, struct http_reply *out)
{
	long status = 0;
	curl_off_t us = 0, retry = 0;
	char *text = NULL;
	struct curl_header *location = NULL;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &us);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry);
	out->status = (int)status;
	out->duration_us = us;
	out->retry_after_s = retry;
	curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &text);
	out->address = copied(a, text);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &text);
	out->content_type = copied(a, text);
	if (curl_easy_header(curl, "Location", 0, CURLH_HEADER, -1, &location) == CURLHE_OK)
		out->location = copied(a, location->value);
}

struct err *
http_client_call(struct http_client *c, struct arena *a, const struct http_call *call, struct http_reply *out)
{
	struct running r = { .call = call };
	struct curl_slist *list;
	CURLcode code;

	*out = (struct http_reply){ 0 };
	TRY(check_call(a, call));
	list = header_list(a, call);
	buf_init_arena(&r.body, a, call->answer_bytes_max);
	set_options(c->curl, a, call, &r, list);
	code = curl_easy_perform(c->curl);
	read_reply(c->curl, a, out);
	curl_slist_free_all(list);
	if (code != CURLE_OK && !r.cut)
		return error_of(a, code, &r);
	out->body = buf_str(&r.body);
	return NULL;
}
