/*
 * Answers: conditional requests, compression, and the header fields that every answer has. The work is done on the thread that answers;
 * only handing the result to MHD is done on the worker's own, so MHD's structures are never touched by two threads. Bodies are not
 * copied: the exchange keeps them until MHD reports the end of the request.
 */
#include "codec/gzip.h"
#include "net/http_internal.h"

#define GZIP_LEVEL \
	1 /* a tenth larger than level 6 for a third of the time on a thread that others wait for */
#define GZIP_ROOM 65536 /* more than zlib adds at worst */

static bool
is_header_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t')
			return false;
	return s.n > 0;
}

static void
add_field(struct http_exchange *x, const char *name, const char *value)
{
	if (x->out.field_count == HTTP_ANSWER_FIELDS_MAX)
		return;
	x->fields[x->out.field_count].name = name;
	x->fields[x->out.field_count++].value = value;
}

/* A value from elsewhere: one that could end its line is left out. */
static void
add_text(struct http_exchange *x, const char *name, struct str value)
{
	if (is_header_text(value))
		add_field(x, name, arena_cstr(x->arena, value));
}

static bool
has_field(const struct http_answer *a, struct str name)
{
	for (size_t i = 0; i < a->field_count; i++)
		if (str_eq_nocase(a->fields[i].name, name))
			return true;
	return false;
}

/* The type without its parameters is text, JSON, XML or JavaScript. */
static bool
is_compressible(struct str type)
{
	struct str bare = str_trim(str_sub(type, 0, str_index(type, ';', 0)));

	return str_starts_with(bare, STR("text/")) || str_ends_with(bare, STR("json")) ||
	       str_ends_with(bare, STR("xml")) || str_ends_with(bare, STR("javascript"));
}

/* ";q=0" with any number of zeros: "not this one". */
static bool
is_refused(struct str parameters)
{
	struct str q;

	while (str_split(&parameters, ';', &q)) {
		q = str_trim(q);
		if (!str_starts_with(q, STR("q=")) && !str_starts_with(q, STR("Q=")))
			continue;
		for (size_t i = 2; i < q.n; i++)
			if (q.p[i] != '0' && q.p[i] != '.')
				return false;
		return q.n > 2;
	}
	return false;
}

/* RFC 9110 §12.5.3: gzip by name, or by "*" when it is not named. */
static bool
accepts_gzip(struct str accepted)
{
	struct str one;
	bool by_star = false;

	while (str_split(&accepted, ',', &one)) {
		size_t semicolon = str_index(one, ';', 0);
		struct str name = str_trim(str_sub(one, 0, semicolon));
		bool fine = !is_refused(
			semicolon < one.n ? str_sub(one, semicolon + 1, one.n) : (struct str){ 0 });

		if (str_eq_nocase(name, STR("gzip")) || str_eq_nocase(name, STR("x-gzip")))
			return fine;
		if (str_eq(name, STR("*")))
			by_star = fine;
	}
	return by_star;
}

static void
compress_body(struct http_exchange *x, const struct http_answer *a)
{
	if (a->body.n < LIMIT_GZIP_MIN_BYTES || !is_compressible(a->content_type) ||
		has_field(a, STR("Content-Encoding")))
		return;
	add_field(x, "Vary", "Accept-Encoding");
	if (x->out.status == 304 || !accepts_gzip(http_header(x, "Accept-Encoding")))
		return;
	buf_init(&x->out.packed, a->body.n + GZIP_ROOM);
	if (gzip_compress(&x->out.packed, a->body, GZIP_LEVEL) && x->out.packed.len < a->body.n) {
		x->out.body = buf_str(&x->out.packed);
		add_field(x, "Content-Encoding", "gzip");
	}
}

/* The tag of the answer; a compressed body is another representation, so its tag is only a weak one. */
static void
tag_answer(struct http_exchange *x, struct str tag)
{
	if (x->out.body.p == x->out.packed.p && !str_starts_with(tag, STR("W/")))
		tag = arena_fmt(x->arena, "W/%.*s", STR_ARG(tag));
	add_text(x, "ETag", tag);
}

static void
add_cors(struct http_exchange *x)
{
	const struct http_server *s = x->worker->server;
	struct str origin, wanted;
	bool allowed = s->cors_any;

	if (!s->cors_any && !s->cors_count)
		return;
	if (!s->cors_any)
		add_field(x, "Vary", "Origin");
	origin = http_header(x, "Origin");
	for (size_t i = 0; i < s->cors_count && !allowed; i++)
		allowed = str_eq(s->cors_origins[i], origin);
	if (!origin.n || !allowed)
		return;
	if (s->cors_any)
		add_field(x, "Access-Control-Allow-Origin", "*");
	else
		add_text(x, "Access-Control-Allow-Origin", origin);
	if (x->request.method != HTTP_OPTIONS || !http_header(x, "Access-Control-Request-Method").p) {
		add_field(x, "Access-Control-Expose-Headers",
			"ETag, Location, Link, Retry-After, WWW-Authenticate, X-Request-ID, "
			"X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Total-Count, "
			"X-Page-Count, "
			"Idempotent-Replayed");
		return;
	}
	wanted = http_header(x, "Access-Control-Request-Headers");
	add_field(x, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	add_text(x, "Access-Control-Allow-Headers", wanted);
	add_field(x, "Access-Control-Max-Age", "7200");
}

static bool
must_close(const struct http_exchange *x)
{
	return x->out.close || x->framing_broken || x->head_is_full ||
	       atomic_load_explicit(&x->worker->server->state, memory_order_relaxed) != SERVER_RUNNING;
}

static void
add_own_fields(struct http_exchange *x, const struct http_answer *a, bool has_tag)
{
	if (must_close(x) && x->out.status != MHD_HTTP_SWITCHING_PROTOCOLS)
		add_field(x, "Connection", "close");
	/* When the request's header has taken MHD's memory, there is no room for more. */
	if (x->head_is_full)
		return;
	/* RFC 9110 §15.5.22, RFC 6455 §4.4: what to upgrade to. */
	if (x->out.status == MHD_HTTP_UPGRADE_REQUIRED) {
		add_field(x, "Upgrade", "websocket");
		add_field(x, "Sec-WebSocket-Version", "13");
	}
	add_field(x, "Server", "sextant");
	add_text(x, "X-Request-ID", x->request.request_id);
	add_field(x, "X-Content-Type-Options", "nosniff");
	if (!has_field(a, STR("Referrer-Policy")))
		add_field(x, "Referrer-Policy", "no-referrer");
	/* Private, because answers depend on API keys too, which shared caches do not know to be credentials. */
	if (!has_field(a, STR("Cache-Control")))
		add_field(x, "Cache-Control", has_tag ? "private, no-cache" : "no-store");
}

void
http_answer_prepare(struct http_exchange *x, const struct http_answer *a)
{
	char made[HTTP_ETAG_BYTES];
	bool tagged = x->request.method == HTTP_GET && a->status == 200 && !a->no_etag;
	struct str tag = a->etag;

	check((a->status >= 200 || a->status == MHD_HTTP_SWITCHING_PROTOCOLS) && a->status <= 599);
	x->out.status = a->status;
	x->out.body = a->body;
	x->out.close = a->close;
	x->out.field_count = 0;
	if (tagged && str_is_empty(tag))
		tag = http_etag_of(a->body, made);
	if (tagged) {
		struct str condition = http_header(x, "If-None-Match");

		/* MHD writes Content-Length in any case; 0 is what every client's parser understands. */
		if (condition.p && http_etag_matches(condition, tag)) {
			x->out.status = 304;
			x->out.body = (struct str){ 0 };
		}
	}
	if (a->content_type.n && x->out.status != 304)
		add_text(x, "Content-Type", a->content_type);
	compress_body(x, a);
	if (tag.n)
		tag_answer(x, tag);
	for (size_t i = 0; i < a->field_count; i++)
		if (is_header_text(a->fields[i].name))
			add_text(x, arena_cstr(x->arena, a->fields[i].name), a->fields[i].value);
	add_own_fields(x, a, tag.n > 0);
	add_cors(x);
}

enum MHD_Result
http_answer_send(struct http_exchange *x)
{
	struct str body = x->out.body;
	struct MHD_Response *r;
	enum MHD_Result queued;

	if (x->stream)
		return http_stream_begin(x);
	r = MHD_create_response_from_buffer(
		body.n, body.n ? (void *)(uintptr_t)body.p : NULL, MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	for (size_t i = 0; i < x->out.field_count; i++)
		(void)MHD_add_response_header(
			r, x->fields[i].name, x->fields[i].value); /* refuses only what add_text has */
	queued = MHD_queue_response(x->mhd, (unsigned)x->out.status, r);
	MHD_destroy_response(r);
	http_phase_set(x->connection, PHASE_SENDING);
	atomic_store_explicit(&x->worker->bytes_out,
		atomic_load_explicit(&x->worker->bytes_out, memory_order_relaxed) + (int64_t)body.n,
		memory_order_relaxed);
	return queued;
}

bool
http_answer_deliver(struct http_exchange *x)
{
	struct MHD_Connection *mhd = x->mhd;
	struct http_worker *w = x->worker;
	int expected = TURN_SUSPENDED;
	bool awaited;

	if (!x->suspended) {
		/* A refusal closes the connection; the request's end is reported in any case. */
		(void)http_answer_send(x);
		return true;
	}
	awaited = atomic_compare_exchange_strong(&x->turn, &expected, TURN_ANSWERED);
	/* Before the connection is resumed the server cannot end; the daemon may be awake and done with it before this returns. */
	if (awaited)
		atomic_fetch_add(&w->waking, 1);
	/* First let go, then resume: so the worker is the last owner and can reuse the exchange. */
	http_exchange_drop(x, false);
	if (awaited) {
		MHD_resume_connection(mhd);
		atomic_fetch_sub(&w->waking, 1);
	}
	return awaited;
}

void
http_answer(struct http_exchange *x, const struct http_answer *answer)
{
	check(!x->answered);
	x->answered = true;
	if (!x->suspended || atomic_load(&x->turn) == TURN_SUSPENDED)
		http_answer_prepare(x, answer);
	(void)http_answer_deliver(x);
}

void
http_answer_fault(struct http_exchange *x)
{
	const struct http_options *o = &x->worker->server->options;
	struct http_answer a = { .content_type = STR("application/json"), .status = err_status(x->fault) };

	if (o->fault) {
		o->fault(o->arg, x, x->fault);
		check(x->answered);
		return;
	}
	a.body = arena_fmt(x->arena, "{\"error\":\"%.*s\"}", STR_ARG(x->fault->message));
	http_answer(x, &a);
}
