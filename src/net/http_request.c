/*
 * The way of a request through MHD's callbacks: its target as soon as the request line is there, its header, its body in pieces, and
 * then the handler. A fault is answered only when the body has been read, because closing a socket with unread input makes the kernel
 * throw away the answer; only framing faults, bodies far too large and clients that wait for 100-continue are answered at once.
 */
#include "codec/gzip.h"
#include "net/http_internal.h"

#define SWALLOW_BYTES	 (64u << 20) /* so much of a refused body is read to be able to answer */
#define ARENA_BODY_BYTES 8192	     /* a body up to here lies on the arena */
#define BODY_START_BYTES 65536	     /* first size of a larger one: a declared length is only a claim */

static int64_t
add(_Atomic int64_t *counter, int64_t n)
{
	/* One writer each, so no locked instruction is needed. */
	int64_t v = atomic_load_explicit(counter, memory_order_relaxed) + n;

	atomic_store_explicit(counter, v, memory_order_relaxed);
	return v;
}

static struct http_connection *
connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

size_t
http_on_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	/* The path stays as it was sent: decoding before routing would merge "%2F" with "/". */
	return strlen(text);
}

void *
http_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http_worker *w = cls;
	struct http_connection *c = connection_of(mhd);
	struct http_exchange *x;
	char *question;

	if (!c)
		return NULL;
	http_phase_set(c, PHASE_HEADER);
	x = http_exchange_new(w);
	x->mhd = mhd;
	x->connection = c;
	x->line_target = target;
	x->line_target_len = strlen(target);
	x->line_path_len = x->line_target_len;
	question = memchr(target, '?', x->line_target_len);
	if (question) {
		x->line_path_len = (size_t)(question - target);
		x->request.query = arena_str(x->arena, str_from_cstr(question + 1));
		/* MHD would split the query into records in its small memory; it sees an empty one instead. The string is MHD's own
		 * buffer, const only in the callback's type. */
		question[1] = '\0';
	}
	return x;
}

/* The body's declared length, or SIZE_MAX for a chunked one. */
static void
expect_body(struct http_exchange *x)
{
	const struct http_options *o = &x->worker->server->options;
	struct str length = http_header(x, "Content-Length");
	int64_t n = 0;

	if (http_header(x, "Transfer-Encoding").p)
		x->body_expected = SIZE_MAX;
	else if (length.p)
		x->body_expected = str_to_int(length, &n) && n >= 0 ? (size_t)n : SIZE_MAX - 1;
	x->expects_continue = str_eq_nocase(http_header(x, "Expect"), STR("100-continue"));
	x->body_max = o->body_limit ? o->body_limit(o->arg, x->request.method, x->request.path) : 0;
	if (!x->body_max)
		x->body_max = o->body_bytes_max ? o->body_bytes_max : LIMIT_BODY_BYTES;
	if (x->body_expected != SIZE_MAX && x->body_expected > x->body_max && !x->fault)
		x->fault =
			err_new(x->arena, ERR_TOO_LARGE, "The body is larger than %zu bytes.", x->body_max);
}

static enum MHD_Result
begin(struct http_exchange *x, const char *method, const char *version)
{
	http_head_read(x, method, version);
	if (!x->framing_broken)
		expect_body(x);
	x->stage = STAGE_BODY;
	http_phase_set(x->connection, x->body_expected ? PHASE_BODY : PHASE_WORKING);
	if (x->framing_broken ||
		(x->fault && x->body_expected &&
			(x->expects_continue ||
				(x->body_expected != SIZE_MAX && x->body_expected > SWALLOW_BYTES)))) {
		/* MHD closes the connection after an answer that comes before the body. */
		x->stage = STAGE_RUN;
		http_answer_fault(x);
	}
	return MHD_YES;
}

static enum MHD_Result
take_body(struct http_exchange *x, const char *piece, size_t n)
{
	add(&x->worker->bytes_in, (int64_t)n);
	add(&x->connection->moved_bytes, (int64_t)n);
	x->body_len += n;
	if (x->body_len > x->body_max && !x->fault)
		x->fault =
			err_new(x->arena, ERR_TOO_LARGE, "The body is larger than %zu bytes.", x->body_max);
	if (x->fault)
		return x->body_len > SWALLOW_BYTES ? MHD_NO : MHD_YES;
	if (!x->body.max) {
		if (x->body_expected <= ARENA_BODY_BYTES)
			buf_init_arena(&x->body, x->arena, x->body_max);
		else
			buf_init(&x->body, x->body_max);
		(void)buf_reserve(&x->body, x->body_expected < BODY_START_BYTES ? x->body_expected : n);
	}
	buf_add(&x->body, piece, n);
	return MHD_YES;
}

static void
decode_body(struct http_exchange *x)
{
	struct str coding = http_header(x, "Content-Encoding");

	x->request.body = buf_str(&x->body);
	if (str_is_empty(coding) || str_eq_nocase(coding, STR("identity")) || str_is_empty(x->request.body))
		return;
	if (!str_eq_nocase(coding, STR("gzip")) && !str_eq_nocase(coding, STR("x-gzip")))
		x->fault = err_new(x->arena, ERR_UNSUPPORTED_MEDIA_TYPE,
			"Content-Encoding may be gzip or identity only.");
	else
		x->fault = gzip_expand(x->arena, x->request.body, x->body_max, &x->request.body);
}

/* True when the handler may run; the request then counts as under way until its answer has been sent. */
static bool
admit(struct http_exchange *x)
{
	struct http_worker *w = x->worker;

	/* Ordered against http_server_stop, which sets the state first and reads the counter then. */
	atomic_fetch_add(&w->active, 1);
	x->counted = true;
	return atomic_load(&w->server->state) != SERVER_CLOSED;
}

static enum MHD_Result
run(struct http_exchange *x)
{
	const struct http_options *o = &x->worker->server->options;

	http_phase_set(x->connection, PHASE_WORKING);
	x->stage = STAGE_RUN;
	if (!admit(x))
		return MHD_NO;
	add(&x->worker->requests, 1);
	if (!x->fault)
		decode_body(x);
	if (x->fault) {
		http_answer_fault(x);
		return MHD_YES;
	}
	o->handler(o->arg, x);
	check(x->suspended || x->answered);
	return MHD_YES;
}

static enum MHD_Result
go_on(struct http_exchange *x, const char *method, const char *version, const char *upload,
	size_t *upload_len)
{
	size_t n = *upload_len;

	switch (x->stage) {
	case STAGE_LINE:
		return begin(x, method, version);
	case STAGE_BODY:
		if (n == 0)
			return run(x);
		*upload_len = 0;
		return take_body(x, upload, n);
	case STAGE_RUN:
		/* Resumed: the answer is ready, or nobody waits for it any more. */
		return atomic_load(&x->turn) == TURN_ANSWERED ? http_answer_send(x) : MHD_NO;
	case STAGE_OVER:
		break;
	}
	return MHD_NO;
}

enum MHD_Result
http_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_len, void **context)
{
	struct http_exchange *x = *context;
	enum MHD_Result result;

	(void)cls;
	(void)mhd;
	(void)url;
	if (!x)
		return MHD_NO;
	result = go_on(x, method, version, upload, upload_len);
	/* A stream over TLS keeps the connection, and with it the exchange, for long. */
	if (x->stage == STAGE_OVER && x->arena)
		http_exchange_slim(x);
	return result;
}

static void
forget_suspended(struct http_exchange *x)
{
	struct http_worker *w = x->worker;

	pthread_mutex_lock(&w->lock);
	if (x->prev)
		x->prev->next = x->next;
	else
		w->suspended = x->next;
	if (x->next)
		x->next->prev = x->prev;
	pthread_mutex_unlock(&w->lock);
}

void
http_request_end(struct http_exchange *x)
{
	if (x->over)
		return;
	x->over = true;
	if (x->suspended)
		forget_suspended(x);
	if (x->counted)
		atomic_fetch_sub(&x->worker->active, 1);
}

void
http_on_completed(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct http_exchange *x = *context;

	(void)cls;
	(void)mhd;
	(void)code;
	if (!x)
		return;
	*context = NULL;
	http_phase_set(x->connection, PHASE_IDLE);
	/* The answerer of an abandoned exchange sees to its stream itself. */
	if (atomic_load(&x->turn) != TURN_ABANDONED && x->stream)
		stream_give_up(x->stream);
	http_request_end(x);
	http_exchange_drop(x, true);
}
