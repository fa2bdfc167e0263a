/* The outgoing client against our own server, and which addresses count as public; with it, the server's TLS. */
#include "fixture.h"
#include "net/http_client.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct world {
	struct fixture *f;
	struct http_client *client;
	struct arena *arena;
	struct http_reply reply;
};

/* A body ends where its length says, without NUL. */
static bool
holds(struct str body, struct str part)
{
	return memmem(body.p, body.n, part.p, part.n) != NULL;
}

static int
start(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->f = fixture_new();
	fixture_start(w->f);
	w->client = http_client_new();
	w->arena = arena_new(64u << 20);
	*state = w;
	return 0;
}

static int
stop(void **state)
{
	struct world *w = *state;

	http_client_free(w->client);
	fixture_free(w->f);
	arena_free(w->arena);
	free(w);
	return 0;
}

static struct http_call
call_of(struct world *w, const char *method, const char *path)
{
	return (struct http_call){ .method = str_from_cstr(method),
		.url = arena_fmt(w->arena, "http://127.0.0.1:%d%s", fixture_port(w->f, 0), path),
		.timeout_ms = PATIENCE_MS,
		.answer_bytes_max = 1u << 20 };
}

static struct err *
run(struct world *w, const struct http_call *c)
{
	return http_client_call(w->client, w->arena, c, &w->reply);
}

static void
a_call_brings_the_answer(void **state)
{
	struct world *w = *state;
	struct http_field fields[] = { { STR("X-Request-ID"), STR("from-client") },
		{ STR("X-Empty"), STR("") } };
	struct http_call c = call_of(w, "GET", "/x?y=1");

	c.fields = fields;
	c.field_count = COUNT(fields);
	assert_null(run(w, &c));
	assert_int_equal(w->reply.status, 200);
	assert_true(str_eq(w->reply.content_type, STR("text/plain")));
	assert_true(str_eq(w->reply.address, STR("127.0.0.1")));
	assert_true(holds(w->reply.body, STR("method=GET head=0 path=/x query=y=1")));
	assert_true(holds(w->reply.body, STR("id=from-client")));
	c = call_of(w, "POST", "/body");
	c.body = STR("{\"a\":1}");
	assert_null(run(w, &c));
	assert_true(str_eq(w->reply.body, c.body));
	c = call_of(w, "DELETE", "/x");
	assert_null(run(w, &c));
	assert_true(holds(w->reply.body, STR("method=DELETE")));
	c = call_of(w, "HEAD", "/json/100");
	assert_null(run(w, &c));
	assert_int_equal(w->reply.body.n, 0);
}

static void
redirects_are_shown_and_not_followed(void **state)
{
	struct world *w = *state;
	struct http_call c = call_of(w, "POST", "/fields");

	assert_null(run(w, &c));
	assert_int_equal(w->reply.status, 201);
	assert_true(str_eq(w->reply.location, STR("/ok")));
}

static void
assert_word(const struct err *e, const char *word)
{
	assert_non_null(e);
	assert_true(str_eq(err_code_word(e), str_from_cstr(word)));
}

static void
limits_and_faults_have_their_words(void **state)
{
	struct world *w = *state;
	struct http_call c = call_of(w, "GET", "/json/5000");
	struct http_field evil = { STR("X"), STR("a\r\nY: b") };

	c.answer_bytes_max = 4999;
	assert_word(run(w, &c), "TOO_LARGE");
	c = call_of(w, "GET", "/hold");
	c.timeout_ms = 200;
	assert_word(run(w, &c), "TIMEOUT");
	assert_true(w->reply.duration_us >= 150000);
	c = call_of(w, "GET", "/");
	c.url = STR("ftp://127.0.0.1/");
	assert_word(run(w, &c), "INVALID_INPUT");
	c.url = STR("http://127.0.0.1:1/");
	assert_word(run(w, &c), "CONNECTION_FAILED");
	c.url = STR("http://name.invalid/");
	assert_word(run(w, &c), "NAME_UNKNOWN");
	c = call_of(w, "GET", "/");
	c.fields = &evil;
	c.field_count = 1;
	assert_word(run(w, &c), "INVALID_INPUT");
}

static bool
public_only(void *arg, const struct sockaddr *address)
{
	++*(int *)arg;
	return http_address_is_public(address);
}

static void
the_resolved_address_is_judged(void **state)
{
	struct world *w = *state;
	int asked = 0, handled = w->f->handled;
	struct http_call c = call_of(w, "GET", "/");

	/* Its own client: a kept connection would not ask again. */
	struct http_client *fresh = http_client_new();

	c.may_connect = public_only;
	c.arg = &asked;
	assert_word(http_client_call(fresh, w->arena, &c, &w->reply), "ADDRESS_REFUSED");
	c.url = arena_fmt(w->arena, "http://localhost:%d/", fixture_port(w->f, 0));
	assert_word(http_client_call(fresh, w->arena, &c, &w->reply), "ADDRESS_REFUSED");
	c.url = arena_fmt(w->arena, "http://2130706433:%d/", fixture_port(w->f, 0));
	assert_word(http_client_call(fresh, w->arena, &c, &w->reply), "ADDRESS_REFUSED");
	assert_true(asked >= 3);
	assert_int_equal(w->f->handled, handled);
	http_client_free(fresh);
}

static bool
is_public(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return http_address_is_public((struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return http_address_is_public((struct sockaddr *)&v6);
}

/* ---- a name server that does not answer ---- */

#define SILENT "silent.example"

static _Atomic bool is_silent, has_given_up;

/* Comes before the C library's, also for libcurl; for any other name it is the C library's. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");

	memcpy(&real, &symbol, sizeof(real));
	if (!name || strcmp(name, SILENT) != 0)
		return real(name, service, hints, out);
	for (int i = 0; i < 20000 && is_silent; i++)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	has_given_up = true;
	return EAI_AGAIN;
}

static bool
is_wanted_no_more(void *arg)
{
	(void)arg;
	return true;
}

/* Else each of a server's endpoints could hold up its stop, and a thread for longer than a call may take. */
static void
a_name_server_that_is_silent_is_not_waited_for(void **state)
{
	struct world *w = *state;
	struct http_call c = call_of(w, "GET", "/");

	is_silent = true;
	c.url = STR("http://" SILENT "/");
	c.timeout_ms = 200;
	assert_word(run(w, &c), "TIMEOUT");
	c.timeout_ms = 3600 * 1000;
	c.is_over = is_wanted_no_more;
	assert_non_null(run(w, &c));
	assert_false(has_given_up);
	is_silent = false;
}

static void
special_addresses_are_not_public(void **state)
{
	static const char *const special[] = { "0.0.0.0", "0.1.2.3", "10.255.255.255", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
		"198.51.100.7", "203.0.113.7", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1",
		"fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2001::1",
		"2002:7f00:1::", "2002:a00:1::", "3fff:0fff::1", "100::1", "fec0::1" };
	static const char *const fine[] = { "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0",
		"172.15.255.255", "172.32.0.0", "169.253.1.1", "192.0.1.1", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700:4700::1111",
		"2001:4860:4860::8888", "2002:808:808::", "3fff:1000::1" };

	(void)state;
	for (size_t i = 0; i < COUNT(special); i++)
		if (is_public(special[i]))
			fail_msg("%s counts as public", special[i]);
	for (size_t i = 0; i < COUNT(fine); i++)
		if (!is_public(fine[i]))
			fail_msg("%s does not count as public", fine[i]);
}

/* A throw-away certificate for 127.0.0.1, by the openssl command; false where there is none. */
static bool
make_certificate(const char *cert, const char *key)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		execlp("openssl", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			"ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
			"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
tls_serves_and_is_verified(void **state)
{
	struct world *w = *state, tls = *w;
	char dir[] = "/tmp/net-tls-XXXXXX", cert[64], key[64];
	struct http_call c;

	assert_non_null(mkdtemp(dir));
	assert_true(snprintf(cert, sizeof(cert), "%s/cert.pem", dir) > 0);
	assert_true(snprintf(key, sizeof(key), "%s/key.pem", dir) > 0);
	if (!make_certificate(cert, key)) {
		rmdir(dir);
		print_message("skipped: there is no openssl command\n");
		skip();
	}
	tls.f = fixture_new();
	tls.f->options.tls_cert_file = str_from_cstr(cert);
	tls.f->options.tls_key_file = str_from_cstr(key);
	fixture_start(tls.f);
	c = call_of(&tls, "GET", "/x");
	c.url = arena_fmt(w->arena, "https://127.0.0.1:%d/x", fixture_port(tls.f, 0));
	assert_word(run(&tls, &c), "TLS_FAILED");
	c.ca_file = str_from_cstr(cert);
	for (int i = 0; i < 20; i++) {
		c.url = arena_fmt(
			w->arena, "https://127.0.0.1:%d/%s", fixture_port(tls.f, 0), i % 2 ? "later" : "x");
		assert_null(run(&tls, &c));
		assert_int_equal(tls.reply.status, 200);
		assert_true(holds(tls.reply.body, STR("secure=1")));
	}
	c.url = arena_fmt(w->arena, "https://127.0.0.1:%d/json/1000000", fixture_port(tls.f, 0));
	assert_null(run(&tls, &c));
	assert_int_equal(tls.reply.body.n, 1000000);
	/* Plain text on a TLS port is not answered. */
	assert_int_equal(ask_status(tls.f, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
	fixture_free(tls.f);
	/* A key that is not the certificate's. */
	tls.f = fixture_new();
	tls.f->options.tls_cert_file = tls.f->options.tls_key_file = str_from_cstr(cert);
	assert_word(http_server_start(tls.f->arena, &tls.f->options, &tls.f->server), "INVALID_INPUT");
	fixture_free(tls.f);
	unlink(cert);
	unlink(key);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_brings_the_answer),
		cmocka_unit_test(redirects_are_shown_and_not_followed),
		cmocka_unit_test(limits_and_faults_have_their_words),
		cmocka_unit_test(the_resolved_address_is_judged),
		cmocka_unit_test(a_name_server_that_is_silent_is_not_waited_for),
		cmocka_unit_test(special_addresses_are_not_public),
		cmocka_unit_test(tls_serves_and_is_verified),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
