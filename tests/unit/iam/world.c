/* See the header. */
#include "world.h"
#include "base/random.h"
#include "domain/iam/setup.h"
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#define START_US (1718442000LL * INSTANT_SECOND) /* 2024-06-15T09:00:00Z */

static enum db_kind kind;

struct iam *
world_node(struct world *w, struct str secret_file)
{
	struct iam *iam = NULL;
	struct iam_options o = {
		.db = w->base.db, .clock = &w->clock, .threads = 2, .secret_file = secret_file
	};
	fixture_ok(iam_open(w->a, &o, &iam));
	return iam;
}

static int64_t
add(struct world *w, const char *name, const char *role)
{
	struct account account = { .company = STR("Acme"),
		.username = str_from_cstr(name),
		.password = STR(PASSWORD),
		.role = str_from_cstr(role) };
	int64_t id = 0;
	fixture_ok(account_add(w->base.db, w->a, &w->clock, &account, &w->company_id, &id));
	return id;
}

int
world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->base.kind = kind;
	w->clock = clock_fixed((struct instant){ START_US });
	w->a = arena_new(64u << 20);
	fixture_start(&w->base);
	char name[] = "/tmp/iam_secret_XXXXXX";
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(name), 0);
	w->secret_file = arena_str(w->a, str_from_cstr(name));
	w->iam = world_node(w, w->secret_file);
	w->ada_id = add(w, "ada", "ADMIN");
	w->emil_id = add(w, "emil", "EMPLOYEE");
	*state = w;
	return 0;
}

int
world_close(void **state)
{
	struct world *w = *state;
	iam_close(w->iam);
	assert_int_equal(unlink(arena_cstr(w->a, w->secret_file)), 0);
	fixture_end(&w->base);
	arena_free(w->a);
	free(w);
	return 0;
}

int
world_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	static const char *const names[] = { [DB_SQLITE] = "sqlite", [DB_POSTGRES] = "postgres" };
	int failures = 0;
	if (!random_start())
		return 1;
	for (kind = DB_SQLITE; kind <= DB_POSTGRES; kind++) {
		if (!fixture_available(kind))
			continue;
		print_message("%s on %s\n", name, names[kind]);
		failures += _cmocka_run_group_tests(name, tests, count, NULL, NULL);
	}
	return failures;
}

void
world_pass(struct world *w, int64_t seconds)
{
	w->clock.fixed.us += seconds * INSTANT_SECOND;
}

struct iam_tokens
world_login(struct world *w, const char *name)
{
	struct iam_tokens t;
	enum iam_login_fault fault;
	fixture_ok(iam_login(w->iam, w->a, str_from_cstr(name), STR(PASSWORD), 0, PEER, &t, &fault));
	return t;
}

struct read_work {
	struct iam *iam;
	const struct iam_credentials *credentials;
	struct actor *actor;
	enum iam_step step;
	struct err *e;
};

static struct err *
read_work(struct db_tx *tx, void *arg)
{
	struct read_work *r = arg;
	r->step = iam_authenticate_read(r->iam, 0, tx, r->credentials, r->actor, &r->e);
	return NULL;
}

struct err *
world_authenticate(struct world *w, struct iam *iam, struct str header, struct actor *actor, int *steps)
{
	struct iam_credentials c = { .authorization = header, .peer = PEER };
	struct err *e = NULL;
	int n = 1;
	enum iam_step step = iam_authenticate(iam, 0, w->a, &c, actor, &e);
	if (step == IAM_NEEDS_READ) {
		struct read_work r = { .iam = iam, .credentials = &c, .actor = actor };
		fixture_ok(db_read(w->base.db, w->a, read_work, &r));
		step = r.step;
		e = r.e;
		n = 2;
	}
	if (step == IAM_NEEDS_SLOW) {
		e = iam_authenticate_slow(iam, w->a, &c, actor);
		n = 3;
	}
	if (steps)
		*steps = n;
	return e;
}

struct str
world_bearer(struct world *w, struct str token)
{
	return arena_fmt(w->a, "Bearer %.*s", STR_ARG(token));
}

struct str
world_basic(struct world *w, const char *name, const char *password)
{
	struct str plain = arena_fmt(w->a, "%s:%s", name, password);
	size_t n = sodium_base64_encoded_len(plain.n, sodium_base64_VARIANT_ORIGINAL);
	char *text = arena_alloc(w->a, n);
	sodium_bin2base64(text, n, (const unsigned char *)plain.p, plain.n, sodium_base64_VARIANT_ORIGINAL);
	return arena_fmt(w->a, "Basic %s", text);
}
