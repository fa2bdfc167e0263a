/*
 * Exchanges: one request and its answer, with the request's arena. They exist only while a request is under way, so that an idle
 * connection costs nothing here; each worker keeps a few for reuse, which spares the hot path every malloc. A suspended exchange has two
 * owners, MHD's side and the handler's, because the server may stop before the handler answers: the last one to let go frees it.
 */
#include "net/http_internal.h"

const char *const http_method_names[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
	"OTHER" };

struct http_exchange *
http_exchange_new(struct http_worker *w)
{
	struct http_exchange *x = w->pool;

	if (x) {
		struct arena *arena = x->arena;

		w->pool = x->next;
		w->pooled--;
		memset(x, 0, offsetof(struct http_exchange, headers));
		x->arena = arena;
	} else {
		x = malloc(sizeof(*x));
		check(x);
		memset(x, 0, offsetof(struct http_exchange, headers));
		x->arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	}
	x->worker = w;
	atomic_init(&x->turn, TURN_WORKER);
	atomic_init(&x->refs, 1);
	return x;
}

static void
drop_buffers(struct http_exchange *x)
{
	if (x->body.cap)
		buf_done(&x->body);
	if (x->out.packed.cap)
		buf_done(&x->out.packed);
}

void
http_exchange_slim(struct http_exchange *x)
{
	drop_buffers(x);
	arena_free(x->arena);
	x->arena = NULL;
}

void
http_exchange_free(struct http_exchange *x)
{
	if (x->arena)
		http_exchange_slim(x);
	free(x);
}

void
http_exchange_drop(struct http_exchange *x, bool on_worker)
{
	struct http_worker *w = x->worker;

	if (atomic_load_explicit(&x->refs, memory_order_acquire) != 1 &&
		atomic_fetch_sub_explicit(&x->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (!on_worker || !x->arena || w->pooled >= HTTP_POOLED_EXCHANGES) {
		http_exchange_free(x);
		return;
	}
	drop_buffers(x);
	arena_reset(x->arena);
	x->next = w->pool;
	w->pool = x;
	w->pooled++;
}

const struct http_request *
http_request(const struct http_exchange *x)
{
	return &x->request;
}

struct arena *
http_arena(struct http_exchange *x)
{
	return x->arena;
}

int
http_thread_index(const struct http_exchange *x)
{
	return x->worker->index;
}

struct str
http_header(const struct http_exchange *x, const char *name)
{
	struct str wanted = str_from_cstr(name);

	for (size_t i = 0; i < x->header_count; i++)
		if (x->headers[i].name.n == wanted.n && str_eq_nocase(x->headers[i].name, wanted))
			return x->headers[i].value;
	return (struct str){ 0 };
}

static void
keep(struct arena *a, struct str *s)
{
	if (s->p)
		*s = arena_str(a, *s);
}

/* MHD's memory goes with the connection, which may end before the handler does. */
static void
copy_borrowed(struct http_exchange *x)
{
	struct http_request *r = &x->request;

	keep(x->arena, &r->path);
	keep(x->arena, &r->query);
	keep(x->arena, &r->peer);
	keep(x->arena, &r->host);
	keep(x->arena, &r->request_id);
	for (size_t i = 0; i < x->header_count; i++) {
		keep(x->arena, &x->headers[i].name);
		keep(x->arena, &x->headers[i].value);
	}
}

void
http_suspend(struct http_exchange *x)
{
	struct http_worker *w = x->worker;

	check(!x->suspended && !x->answered);
	copy_borrowed(x);
	x->suspended = true;
	atomic_store(&x->refs, 2);
	atomic_store(&x->turn, TURN_SUSPENDED);
	MHD_suspend_connection(x->mhd);
	pthread_mutex_lock(&w->lock);
	x->prev = NULL;
	x->next = w->suspended;
	if (w->suspended)
		w->suspended->prev = x;
	w->suspended = x;
	pthread_mutex_unlock(&w->lock);
	/* A stopping server abandons what it finds in the list; what comes later abandons itself. */
	if (atomic_load(&w->server->state) == SERVER_CLOSED)
		http_worker_abandon(w);
}

void
http_worker_abandon(struct http_worker *w)
{
	pthread_mutex_lock(&w->lock);
	for (struct http_exchange *x = w->suspended; x; x = x->next) {
		int expected = TURN_SUSPENDED;

		if (atomic_compare_exchange_strong(&x->turn, &expected, TURN_ABANDONED))
			MHD_resume_connection(x->mhd);
	}
	pthread_mutex_unlock(&w->lock);
}
